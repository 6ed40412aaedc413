/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/lorawan_cmd.h"

enum {
    /* High halves of the counter that are tried: 67 million frames, two years at one a second.
     * A wrong key fits by chance once in four million times. */
    HIGH_HALVES = 1024,
};

struct decoding {
    struct crypto *c;
    const struct lorawan_options *o;
    const struct lorawan_keys *k;
    struct lorawan_decoded *d;
};

/* *ret_n counters may be the whole one, from *ret on, 65536 apart. */
static int counters(const struct decoding *x, uint32_t *ret, uint32_t *ret_n)
{
    const struct frame *f = &x->d->frame;
    uint32_t fcnt = f->fcnt, high = 0;
    int status = lorawan_number("fcnt", x->o->fcnt, UINT32_MAX, &fcnt);

    if (status == 0)
        status = lorawan_number("fcnt-high", x->o->fcnt_high, UINT16_MAX, &high);
    if (status != 0)
        return status;
    if ((uint16_t)fcnt != f->fcnt || (x->o->fcnt && x->o->fcnt_high && fcnt >> 16 != high)) {
        fprintf(stderr,
                say("sluice lorawan: the frame has FCnt %u, which is not the low half of the "
                    "given counter.\n",
                    "sluice lorawan：帧中的 FCnt 为 %u，与给定计数器的低 16 位不符。\n"),
                f->fcnt);
        return EXIT_USAGE;
    }
    *ret = fcnt | high << 16;
    *ret_n = x->o->fcnt || x->o->fcnt_high ? 1 : HIGH_HALVES;
    return 0;
}

/* Finds the counter with which the MIC is right; else the first one stays. */
static int check_data(struct decoding *x, struct frame_context *context)
{
    struct lorawan_decoded *d = x->d;
    uint32_t first = 0, n = 0;
    int status = counters(x, &first, &n), ok = 0;

    if (status != 0)
        return status;
    context->fcnt = first;
    d->is_fcnt_sure = n == 1;
    d->verdict = MIC_NO_KEY;
    if (!lorawan_can_sign(x->k, frame_is_up(d->frame.type)))
        return 0;
    for (uint32_t i = 0; i < n && ok == 0; i++) {
        context->fcnt = first + (i << 16);
        ok = frame_data_mic_is_ok(x->c, &x->k->session, context, &d->frame);
    }
    if (ok < 0)
        return ok;
    d->verdict = ok ? MIC_RIGHT : MIC_WRONG;
    d->is_fcnt_sure = ok || n == 1;
    if (!ok)
        context->fcnt = first;
    return 0;
}

static int decode_data(struct decoding *x)
{
    struct lorawan_decoded *d = x->d;
    struct frame_context context = {
        .is_1_1 = x->k->is_1_1,
        .conf_fcnt = (uint16_t)x->o->conf_fcnt,
        .tx_dr = (uint8_t)x->o->tx_dr,
        .tx_ch = (uint8_t)x->o->tx_ch,
        .is_a_fcnt_down = d->frame.fport > 0,
    };
    int status = check_data(x, &context);

    if (status != 0)
        return status;
    d->fcnt = context.fcnt;
    d->has_fopts = !x->k->is_1_1 || x->k->has[KEY_NWK_S_ENC];
    d->has_payload = d->frame.fport >= 0 && lorawan_can_crypt(x->k, d->frame.fport);
    if (d->has_fopts)
        status = frame_fopts_crypt(x->c, &x->k->session, &context, &d->frame, d->fopts);
    if (d->has_payload && status == 0)
        status = frame_payload_crypt(x->c, &x->k->session, &context, &d->frame, d->payload);
    return status;
}

static int decode_request(struct decoding *x)
{
    const struct lorawan_key *root = lorawan_root(x->k);

    x->d->verdict = MIC_NO_KEY;
    if (!root)
        return 0;
    int ok = join_request_mic_is_ok(x->c, root, &x->d->frame);
    if (ok < 0)
        return ok;
    x->d->verdict = ok ? MIC_RIGHT : MIC_WRONG;
    return 0;
}

/* The session that follows, when all that it is made of is there. */
static int derive_session(struct decoding *x, const struct join_request *of)
{
    const struct lorawan_keys *k = x->k;
    const struct join_accept *a = &x->d->accept;
    const struct lorawan_key *nwk = k->has[KEY_NWK] ? &k->key[KEY_NWK] : NULL;

    if (x->d->verdict != MIC_RIGHT || !x->o->dev_nonce ||
        (a->is_opt_neg && !(nwk && k->has[KEY_APP])))
        return 0;
    int err = join_keys(x->c, &k->key[KEY_APP], nwk, a, of, &x->d->session);
    x->d->has_session = err == 0;
    return err;
}

static int decode_accept(struct decoding *x)
{
    struct lorawan_decoded *d = x->d;
    const struct lorawan_key *root = lorawan_root(x->k);
    bool is_of_known = x->o->dev_nonce && x->o->join_eui && x->o->dev_eui;
    struct join_request of;
    int status = lorawan_request(x->o, &of);

    d->verdict = MIC_NO_KEY;
    if (status != 0 || !root)
        return status;
    int ok = join_accept_read(x->c, root, d->frame.bytes, d->frame.n, is_of_known ? &of : NULL,
                              &d->accept, d->plain);
    if (ok < 0 && ok != -ENODATA)
        return ok;
    d->has_accept = true;
    d->is_1_1 = d->accept.is_opt_neg;
    d->verdict = ok == 1 ? MIC_RIGHT : ok == 0 ? MIC_WRONG : MIC_NO_REQUEST;
    return derive_session(x, &of);
}

int lorawan_decode(struct crypto *c, const struct lorawan_options *o,
                   const struct lorawan_keys *k, const struct frame *f,
                   struct lorawan_decoded *ret)
{
    struct decoding x = { c, o, k, ret };

    *ret = (struct lorawan_decoded){ .frame = *f, .verdict = MIC_NONE, .is_1_1 = k->is_1_1 };
    if (frame_is_data(f->type))
        return decode_data(&x);
    if (f->type == FRAME_JOIN_REQUEST)
        return decode_request(&x);
    return f->type == FRAME_JOIN_ACCEPT ? decode_accept(&x) : 0;
}
