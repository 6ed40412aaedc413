/* SPDX-License-Identifier: Apache-2.0 */
/* Joins and the keys that follow from them: LoRaWAN L2 1.0.4 section 6.2, 1.1 section 6.2. */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "gateway/lorawan/frame.h"
#include "gateway/lorawan/wire.h"

enum {
    BLOCK = 16,
    OPT_NEG = 0x80,
    /* first byte of the block a key is derived from */
    DERIVE_F_NWK_S_INT = 1,
    DERIVE_APP_S = 2,
    DERIVE_S_NWK_S_INT = 3,
    DERIVE_NWK_S_ENC = 4,
    DERIVE_JS_INT = 6,
    JOIN_REQUEST_KIND = 0xFF, /* JoinReqType in the MIC of an accept of 1.1 */
};

static void put_mhdr(uint8_t *out, enum frame_type t)
{
    *out = (uint8_t)(t << 5);
}

/* ---- requests ---- */

int join_request_write(struct crypto *c, const struct lorawan_key *key,
                       const struct join_request *j, uint8_t out[JOIN_REQUEST_SIZE])
{
    uint8_t mic[BLOCK], *p = out + 1;

    put_mhdr(out, FRAME_JOIN_REQUEST);
    p = put_le(p, j->join_eui, 8);
    p = put_le(p, j->dev_eui, 8);
    p = put_le(p, j->dev_nonce, 2);
    int rc = crypto_cmac(c, key, NULL, 0, out, (size_t)(p - out), mic);
    if (rc == 0)
        memcpy(p, mic, LORAWAN_MIC_SIZE);
    return rc;
}

int join_request_mic_is_ok(struct crypto *c, const struct lorawan_key *key,
                           const struct frame *f)
{
    uint8_t mic[BLOCK];
    int rc = crypto_cmac(c, key, NULL, 0, f->bytes, f->n - LORAWAN_MIC_SIZE, mic);

    return rc < 0 ? rc : crypto_is_same(mic, f->mic, LORAWAN_MIC_SIZE);
}

/* ---- accepts ---- */

/* JSIntKey: AES(NwkKey, 06 | DevEUI | 0) */
static int derive_js_int(struct crypto *c, const struct lorawan_key *nwk_key, uint64_t dev_eui,
                         struct lorawan_key *ret)
{
    uint8_t block[BLOCK] = { DERIVE_JS_INT };

    put_le(block + 1, dev_eui, 8);
    return crypto_encrypt(c, nwk_key, block, ret->bytes);
}

/* Over MHDR and fields of plain[0..n); 1.1 puts what it answers in front. */
static int accept_mic(struct crypto *c, const struct lorawan_key *root, bool is_opt_neg,
                      const struct join_request *of, const uint8_t *plain, size_t n,
                      uint8_t ret[BLOCK])
{
    uint8_t prefix[11] = { JOIN_REQUEST_KIND };
    struct lorawan_key js_int;

    if (!is_opt_neg)
        return crypto_cmac(c, root, NULL, 0, plain, n, ret);
    put_le(put_le(prefix + 1, of->join_eui, 8), of->dev_nonce, 2);
    int rc = derive_js_int(c, root, of->dev_eui, &js_int);
    if (rc == 0)
        rc = crypto_cmac(c, &js_int, prefix, sizeof prefix, plain, n, ret);
    OPENSSL_cleanse(&js_int, sizeof js_int);
    return rc;
}

int join_accept_write(struct crypto *c, const struct lorawan_key *root,
                      const struct join_accept *a, const struct join_request *of,
                      uint8_t out[JOIN_ACCEPT_SIZE_MAX])
{
    uint8_t plain[JOIN_ACCEPT_SIZE_MAX], mic[BLOCK], *p = plain + 1;

    put_mhdr(plain, FRAME_JOIN_ACCEPT);
    p = put_le(p, a->join_nonce, 3);
    p = put_le(p, a->net_id, 3);
    p = put_le(p, a->dev_addr, 4);
    *p++ = (uint8_t)((a->is_opt_neg ? OPT_NEG : 0) | (a->rx1_dr_offset & 7) << 4 |
                     (a->rx2_dr & 15));
    *p++ = a->rx_delay & 15;
    if (a->has_cf_list) {
        memcpy(p, a->cf_list, CF_LIST_SIZE);
        p += CF_LIST_SIZE;
    }
    size_t n = (size_t)(p - plain);
    int rc = accept_mic(c, root, a->is_opt_neg, of, plain, n, mic);
    memcpy(p, mic, LORAWAN_MIC_SIZE);
    n += LORAWAN_MIC_SIZE;
    out[0] = plain[0];
    for (size_t at = 1; rc == 0 && at < n; at += BLOCK)
        rc = crypto_decrypt(c, root, plain + at, out + at);
    return rc < 0 ? rc : (int)n;
}

static void read_fields(const uint8_t *plain, size_t n, struct join_accept *ret)
{
    *ret = (struct join_accept){
        .join_nonce = get_le24(plain + 1),
        .net_id = get_le24(plain + 4),
        .dev_addr = get_le32(plain + 7),
        .is_opt_neg = plain[11] & OPT_NEG,
        .rx1_dr_offset = plain[11] >> 4 & 7,
        .rx2_dr = plain[11] & 15,
        .rx_delay = plain[12] & 15,
        .has_cf_list = n == JOIN_ACCEPT_SIZE_MAX,
    };
    if (ret->has_cf_list)
        memcpy(ret->cf_list, plain + 13, CF_LIST_SIZE);
}

int join_accept_read(struct crypto *c, const struct lorawan_key *root, const uint8_t *bytes,
                     size_t n, const struct join_request *of, struct join_accept *ret,
                     uint8_t plain[JOIN_ACCEPT_SIZE_MAX])
{
    uint8_t b[JOIN_ACCEPT_SIZE_MAX], mic[BLOCK];
    struct join_accept a;
    struct frame f;
    int rc = 0;

    if (frame_parse(bytes, n, &f) != FRAME_OK || f.type != FRAME_JOIN_ACCEPT)
        return -EINVAL;
    b[0] = bytes[0];
    for (size_t at = 1; rc == 0 && at < n; at += BLOCK)
        rc = crypto_encrypt(c, root, bytes + at, b + at);
    if (rc < 0)
        return rc;
    read_fields(b, n, &a);
    bool is_checked = of || !a.is_opt_neg;
    if (is_checked)
        rc = accept_mic(c, root, a.is_opt_neg, of, b, n - LORAWAN_MIC_SIZE, mic);
    if (rc < 0)
        return rc;
    memcpy(plain, b, n);
    *ret = a;
    return is_checked ? crypto_is_same(mic, b + n - LORAWAN_MIC_SIZE, LORAWAN_MIC_SIZE)
                      : -ENODATA;
}

/* ---- keys ---- */

static int derive(struct crypto *c, const struct lorawan_key *from, uint8_t kind,
                  const uint8_t rest[BLOCK - 1], struct lorawan_key *ret)
{
    uint8_t block[BLOCK];

    block[0] = kind;
    memcpy(block + 1, rest, BLOCK - 1);
    return crypto_encrypt(c, from, block, ret->bytes);
}

int join_keys(struct crypto *c, const struct lorawan_key *app_key,
              const struct lorawan_key *nwk_key, const struct join_accept *a,
              const struct join_request *of, struct session_keys *ret)
{
    uint8_t rest[BLOCK - 1] = { 0 }, *p = put_le(rest, a->join_nonce, 3);
    const struct lorawan_key *network = nwk_key ? nwk_key : app_key;
    const struct lorawan_key *application = a->is_opt_neg ? app_key : network;
    struct session_keys k;

    if (a->is_opt_neg && !nwk_key)
        return -EINVAL;

    p = a->is_opt_neg ? put_le(p, of->join_eui, 8) : put_le(p, a->net_id, 3);
    put_le(p, of->dev_nonce, 2);
    int rc = derive(c, application, DERIVE_APP_S, rest, &k.app);
    if (rc == 0)
        rc = derive(c, network, DERIVE_F_NWK_S_INT, rest, &k.f_nwk_s_int);
    k.s_nwk_s_int = k.nwk_s_enc = k.f_nwk_s_int;
    if (rc == 0 && a->is_opt_neg)
        rc = derive(c, network, DERIVE_S_NWK_S_INT, rest, &k.s_nwk_s_int);
    if (rc == 0 && a->is_opt_neg)
        rc = derive(c, network, DERIVE_NWK_S_ENC, rest, &k.nwk_s_enc);
    if (rc == 0)
        *ret = k;
    OPENSSL_cleanse(&k, sizeof k);
    return rc;
}
