/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMAC is made of AES blocks here: OpenSSL 3 takes up to a microsecond to give an EVP_MAC
 * another key, several times the blocks of a frame, and a network server changes keys with
 * every frame. Keyed AES contexts are remembered, a few dozen of them, by the key itself.
 */
#include "gateway/lorawan/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 16,
    WAYS = 64, /* keyed contexts that are remembered; each takes about 1 KB */
};

struct keyed {
    EVP_CIPHER_CTX *context;
    struct lorawan_key key;
    int is_encrypting; /* -1: not yet used */
};

struct crypto {
    EVP_CIPHER *aes;
    struct keyed keyed[WAYS];
};

int crypto_create(struct crypto **ret)
{
    struct crypto *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->aes = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
    if (!c->aes) {
        free(c);
        return -ENOSYS;
    }
    for (int i = 0; i < WAYS; i++)
        c->keyed[i].is_encrypting = -1;
    *ret = c;
    return 0;
}

void crypto_destroy(struct crypto *c)
{
    if (!c)
        return;
    for (int i = 0; i < WAYS; i++)
        EVP_CIPHER_CTX_free(c->keyed[i].context);
    EVP_CIPHER_free(c->aes);
    OPENSSL_cleanse(c, sizeof *c);
    free(c);
}

/* The context of a key and direction; NULL without memory. */
static EVP_CIPHER_CTX *context_of(struct crypto *c, const struct lorawan_key *key,
                                  int is_encrypting)
{
    unsigned at = (key->bytes[0] ^ key->bytes[7] ^ (unsigned)is_encrypting << 5) % WAYS;
    struct keyed *k = &c->keyed[at];

    if (k->is_encrypting == is_encrypting && CRYPTO_memcmp(&k->key, key, sizeof *key) == 0)
        return k->context;
    if (!k->context)
        k->context = EVP_CIPHER_CTX_new();
    k->is_encrypting = -1;
    if (!k->context ||
        EVP_CipherInit_ex2(k->context, c->aes, key->bytes, NULL, is_encrypting, NULL) != 1)
        return NULL;
    EVP_CIPHER_CTX_set_padding(k->context, 0);
    k->key = *key;
    k->is_encrypting = is_encrypting;
    return k->context;
}

static int run(EVP_CIPHER_CTX *context, const uint8_t in[BLOCK], uint8_t out[BLOCK])
{
    int n = 0;

    return context && EVP_CipherUpdate(context, out, &n, in, BLOCK) == 1 && n == BLOCK ? 0
                                                                                       : -EIO;
}

int crypto_encrypt(struct crypto *c, const struct lorawan_key *key, const uint8_t in[16],
                   uint8_t out[16])
{
    return run(context_of(c, key, 1), in, out);
}

int crypto_decrypt(struct crypto *c, const struct lorawan_key *key, const uint8_t in[16],
                   uint8_t out[16])
{
    return run(context_of(c, key, 0), in, out);
}

/* Multiplication by x in GF(2^128): RFC 4493, 2.3. */
static void double_block(uint8_t b[BLOCK])
{
    uint8_t carry = (uint8_t)(b[0] & 0x80 ? 0x87 : 0);

    for (int i = 0; i < BLOCK - 1; i++)
        b[i] = (uint8_t)(b[i] << 1 | b[i + 1] >> 7);
    b[BLOCK - 1] = (uint8_t)(b[BLOCK - 1] << 1 ^ carry);
}

/* Two pieces read as one. */
static uint8_t byte_at(const uint8_t *prefix, size_t prefix_n, const uint8_t *message, size_t i)
{
    return i < prefix_n ? prefix[i] : message[i - prefix_n];
}

int crypto_cmac(struct crypto *c, const struct lorawan_key *key, const uint8_t *prefix,
                size_t prefix_n, const uint8_t *message, size_t n, uint8_t ret[16])
{
    EVP_CIPHER_CTX *context = context_of(c, key, 1);
    uint8_t x[BLOCK] = { 0 }, subkey[BLOCK] = { 0 };
    size_t total = prefix_n + n, at = 0;
    int rc = run(context, subkey, subkey);

    double_block(subkey);
    if (total == 0 || total % BLOCK)
        double_block(subkey);
    for (; rc == 0 && total - at > BLOCK; at += BLOCK) {
        for (size_t i = 0; i < BLOCK; i++)
            x[i] ^= byte_at(prefix, prefix_n, message, at + i);
        rc = run(context, x, x);
    }
    for (size_t i = 0; i < BLOCK; i++) {
        uint8_t last = at + i < total    ? byte_at(prefix, prefix_n, message, at + i)
                       : at + i == total ? 0x80
                                         : 0;
        x[i] ^= (uint8_t)(last ^ subkey[i]);
    }
    if (rc == 0)
        rc = run(context, x, ret);
    OPENSSL_cleanse(subkey, sizeof subkey);
    return rc;
}

int crypto_is_same(const uint8_t *a, const uint8_t *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

int crypto_random(uint8_t *ret, size_t n)
{
    return n <= INT32_MAX && RAND_bytes(ret, (int)n) == 1 ? 0 : -EIO;
}
