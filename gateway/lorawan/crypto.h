/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crypto - AES-128 and AES-CMAC as LoRaWAN uses them, by OpenSSL.
 *
 * One struct crypto a thread; algorithms are fetched once, not per call. Keys are 16 bytes,
 * most significant byte first, as people write them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LORAWAN_KEY_SIZE = 16, LORAWAN_MIC_SIZE = 4 };

struct lorawan_key {
    uint8_t bytes[LORAWAN_KEY_SIZE];
};

struct crypto;

/* 0, -ENOMEM, or -ENOSYS when this OpenSSL has no AES or CMAC. */
int crypto_create(struct crypto **ret);
void crypto_destroy(struct crypto *c); /* takes NULL */

/* One block of AES-128; in and out may be the same. 0 or -EIO. */
int crypto_encrypt(struct crypto *c, const struct lorawan_key *key, const uint8_t in[16],
                   uint8_t out[16]);
int crypto_decrypt(struct crypto *c, const struct lorawan_key *key, const uint8_t in[16],
                   uint8_t out[16]);

/* RFC 4493 over prefix and message, one after the other. 0 or -EIO. */
int crypto_cmac(struct crypto *c, const struct lorawan_key *key, const uint8_t *prefix,
                size_t prefix_n, const uint8_t *message, size_t n, uint8_t ret[16]);

/* Equal in time that does not depend on where they differ. */
int crypto_is_same(const uint8_t *a, const uint8_t *b, size_t n);

/* Random bytes for keys and nonces of tests, simulators and tools. 0 or -EIO. */
int crypto_random(uint8_t *ret, size_t n);
