/* SPDX-License-Identifier: Apache-2.0 */
/* MIC and encryption of data frames: LoRaWAN L2 1.0.4 and 1.1, sections 4.3.3 and 4.4. */
#include <errno.h>
#include <string.h>

#include "gateway/lorawan/frame.h"
#include "gateway/lorawan/wire.h"

enum {
    BLOCK = 16,
    DOWN = 1,
    DATA_SIZE_MIN = 12,
    FCTRL_AT = 5,
    FOPTS_BY_NWK = 1, /* 1.1, byte 4 of the block: uplinks, and downlinks by NFCntDown */
    FOPTS_BY_APP = 2, /* downlinks by AFCntDown */
};

struct address { /* of a data frame, where MIC and encryption need it */
    bool is_up;
    uint32_t dev_addr;
};

static struct address address_of(const uint8_t *bytes)
{
    return (struct address){ frame_is_up((enum frame_type)(bytes[0] >> 5)),
                             get_le32(bytes + 1) };
}

/* B0, B1 and A_i have one form: first, four bytes, direction, DevAddr, counter, 0, last. */
static void put_block(uint8_t first, const uint8_t four[4], struct address a, uint32_t fcnt,
                      uint8_t last, uint8_t out[BLOCK])
{
    uint8_t *p = out;

    *p++ = first;
    memcpy(p, four, 4);
    p += 4;
    *p++ = a.is_up ? 0 : DOWN;
    p = put_le(p, a.dev_addr, 4);
    p = put_le(p, fcnt, 4);
    *p++ = 0;
    *p = last;
}

static int mic_by(struct crypto *c, const struct lorawan_key *key, const uint8_t four[4],
                  uint32_t fcnt, const uint8_t *bytes, size_t n, uint8_t ret[BLOCK])
{
    uint8_t block[BLOCK];

    put_block(0x49, four, address_of(bytes), fcnt, (uint8_t)n, block);
    return crypto_cmac(c, key, block, BLOCK, bytes, n, ret);
}

static void put_conf_fcnt(const struct frame_context *x, const uint8_t *bytes, uint8_t four[4])
{
    if (bytes[FCTRL_AT] & FCTRL_ACK)
        put_le(four, x->conf_fcnt, 2);
}

/* 1.1: two halves, by the serving and the forwarding network's key. */
static int mic_up_1_1(struct crypto *c, const struct session_keys *k,
                      const struct frame_context *x, const uint8_t *bytes, size_t n,
                      uint8_t ret[LORAWAN_MIC_SIZE])
{
    const uint8_t none[4] = { 0 };
    uint8_t four[4] = { 0 }, s[BLOCK], f[BLOCK];

    put_conf_fcnt(x, bytes, four);
    four[2] = x->tx_dr;
    four[3] = x->tx_ch;
    int rc = mic_by(c, &k->s_nwk_s_int, four, x->fcnt, bytes, n, s);
    if (rc == 0)
        rc = mic_by(c, &k->f_nwk_s_int, none, x->fcnt, bytes, n, f);
    if (rc < 0)
        return rc;
    memcpy(ret, s, 2);
    memcpy(ret + 2, f, 2);
    return 0;
}

int frame_data_mic(struct crypto *c, const struct session_keys *k,
                   const struct frame_context *x, const uint8_t *bytes, size_t n,
                   uint8_t ret[LORAWAN_MIC_SIZE])
{
    uint8_t four[4] = { 0 }, mic[BLOCK];

    if (n < DATA_SIZE_MIN || n > FRAME_SIZE_MAX || !frame_is_data(bytes[0] >> 5))
        return -EINVAL;
    bool is_up = address_of(bytes).is_up;
    n -= LORAWAN_MIC_SIZE;
    if (x->is_1_1 && is_up)
        return mic_up_1_1(c, k, x, bytes, n, ret);
    if (x->is_1_1)
        put_conf_fcnt(x, bytes, four);
    int rc = mic_by(c, is_up ? &k->f_nwk_s_int : &k->s_nwk_s_int, four, x->fcnt, bytes, n, mic);
    if (rc == 0)
        memcpy(ret, mic, LORAWAN_MIC_SIZE);
    return rc;
}

int frame_data_mic_is_ok(struct crypto *c, const struct session_keys *k,
                         const struct frame_context *x, const struct frame *f)
{
    uint8_t mic[LORAWAN_MIC_SIZE];
    int rc = frame_data_mic(c, k, x, f->bytes, f->n, mic);

    return rc < 0 ? rc : crypto_is_same(mic, f->mic, LORAWAN_MIC_SIZE);
}

/* XOR with the stream of blocks that `four` begins. */
static int crypt(struct crypto *c, const struct lorawan_key *key, const uint8_t four[4],
                 struct address a, uint32_t fcnt, const uint8_t *in, size_t n, uint8_t *out)
{
    uint8_t block[BLOCK];
    int rc = 0;

    for (size_t at = 0; at < n && rc == 0; at += BLOCK) {
        put_block(1, four, a, fcnt, (uint8_t)(at / BLOCK + 1), block);
        rc = crypto_encrypt(c, key, block, block);
        for (size_t i = 0; rc == 0 && i < BLOCK && at + i < n; i++)
            out[at + i] = in[at + i] ^ block[i];
    }
    return rc;
}

int frame_payload_crypt(struct crypto *c, const struct session_keys *k,
                        const struct frame_context *x, const struct frame *f, uint8_t *out)
{
    const uint8_t none[4] = { 0 };

    return crypt(c, f->fport == 0 ? &k->nwk_s_enc : &k->app, none, address_of(f->bytes),
                 x->fcnt, f->payload, f->payload_n, out);
}

int frame_fopts_crypt(struct crypto *c, const struct session_keys *k,
                      const struct frame_context *x, const struct frame *f, uint8_t *out)
{
    uint8_t four[4] = { 0 };

    if (!x->is_1_1) {
        memmove(out, f->fopts, f->fopts_n);
        return 0;
    }
    four[3] = !frame_is_up(f->type) && x->is_a_fcnt_down ? FOPTS_BY_APP : FOPTS_BY_NWK;
    return crypt(c, &k->nwk_s_enc, four, address_of(f->bytes), x->fcnt, f->fopts, f->fopts_n,
                 out);
}

static int check(const struct frame_data *d)
{
    if (!frame_is_data(d->type) || d->fport > UINT8_MAX || (d->fport < 0 && d->payload_n) ||
        (d->fport == 0 && d->fopts_n))
        return -EINVAL;
    return d->fopts_n > FRAME_FOPTS_MAX || d->payload_n > FRAME_PAYLOAD_MAX ||
                   d->fopts_n + d->payload_n + FRAME_OVERHEAD > FRAME_SIZE_MAX
               ? -EMSGSIZE
               : 0;
}

/* The frame in the clear, MIC left free; its length. */
static int put_clear(const struct frame_data *d, uint32_t fcnt, uint8_t *out)
{
    size_t n = 8u + d->fopts_n + (d->fport >= 0 ? 1 + d->payload_n : 0) + LORAWAN_MIC_SIZE;
    uint8_t *p = out;

    *p++ = (uint8_t)(d->type << 5);
    p = put_le(p, d->dev_addr, 4);
    *p++ = (uint8_t)((d->fctrl & 0xF0) | d->fopts_n);
    p = put_le(p, fcnt & 0xFFFF, 2);
    if (d->fopts_n)
        memcpy(p, d->fopts, d->fopts_n);
    p += d->fopts_n;
    if (d->fport >= 0) {
        *p++ = (uint8_t)d->fport;
        if (d->payload_n)
            memcpy(p, d->payload, d->payload_n);
    }
    return (int)n;
}

int frame_data_write(struct crypto *c, const struct session_keys *k,
                     const struct frame_context *x, const struct frame_data *d, uint8_t *out)
{
    struct frame f;
    int rc = check(d);

    if (rc < 0)
        return rc;
    int n = put_clear(d, x->fcnt, out);
    if (frame_parse(out, (size_t)n, &f) != FRAME_OK)
        return -EINVAL;
    rc = frame_fopts_crypt(c, k, x, &f, (uint8_t *)f.fopts);
    if (rc == 0)
        rc = frame_payload_crypt(c, k, x, &f, (uint8_t *)f.payload);
    if (rc == 0)
        rc = frame_data_mic(c, k, x, out, (size_t)n, out + n - LORAWAN_MIC_SIZE);
    return rc == 0 ? n : rc;
}
