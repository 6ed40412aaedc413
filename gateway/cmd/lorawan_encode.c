/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/cmd/lorawan_cmd.h"

struct encoding {
    struct crypto *c;
    const struct lorawan_options *o;
    const struct lorawan_keys *k;
    uint8_t out[FRAME_SIZE_MAX];
    int n; /* of out */
};

static int read_bytes(const char *option, const char *text, uint8_t *out, size_t max, size_t *n)
{
    int err = text ? lorawan_bytes_parse(text, out, max, n) : 0;

    if (err == -EMSGSIZE)
        return lorawan_wrong(option, "these are more bytes than fit.", "字节数超出允许长度。");
    if (err < 0)
        return lorawan_wrong(option, "these are no hexadecimal digits, and no base64.",
                             "既不是十六进制，也不是 base64。");
    return 0;
}

static int no_key(void)
{
    return lorawan_wrong("encode", "a key that this frame needs was not given.",
                         "缺少该帧所需的密钥。");
}

static uint8_t fctrl_of(const struct lorawan_options *o, bool is_up)
{
    return (uint8_t)((o->is_adr ? FCTRL_ADR : 0) | (o->is_ack ? FCTRL_ACK : 0) |
                     (is_up && o->is_adr_ack_req ? FCTRL_ADR_ACK_REQ : 0) |
                     (is_up && o->is_class_b ? FCTRL_CLASS_B : 0) |
                     (!is_up && o->is_f_pending ? FCTRL_F_PENDING : 0));
}

static int read_data(const struct lorawan_options *o, enum frame_type type, uint8_t *fopts,
                     uint8_t *payload, struct frame_data *ret, uint32_t *ret_fcnt)
{
    struct frame_data d = { .type = type,
                            .fctrl = fctrl_of(o, frame_is_up(type)),
                            .fopts = fopts,
                            .payload = payload };
    uint32_t port = 0, high = 0, fcnt = 0;
    size_t fopts_n = 0;
    int status;

    if (!o->dev_addr || lorawan_addr_parse(o->dev_addr, &d.dev_addr) < 0)
        return lorawan_wrong("--dev-addr", "8 hexadecimal digits are needed.",
                             "需要 8 位十六进制数字。");
    if ((status = lorawan_number("port", o->port, UINT8_MAX, &port)) != 0 ||
        (status = lorawan_number("fcnt", o->fcnt, UINT32_MAX, &fcnt)) != 0 ||
        (status = lorawan_number("fcnt-high", o->fcnt_high, UINT16_MAX, &high)) != 0 ||
        (status = read_bytes("--fopts", o->fopts, fopts, FRAME_FOPTS_MAX, &fopts_n)) != 0 ||
        (status = read_bytes("--payload", o->payload, payload, FRAME_PAYLOAD_MAX,
                             &d.payload_n)) != 0)
        return status;
    d.fport = o->port ? (int)port : -1;
    d.fopts_n = (uint8_t)fopts_n;
    *ret = d;
    *ret_fcnt = fcnt | high << 16;
    return 0;
}

static bool has_keys(const struct lorawan_keys *k, const struct frame_data *d)
{
    return lorawan_can_sign(k, frame_is_up(d->type)) &&
           (d->payload_n == 0 || lorawan_can_crypt(k, d->fport)) &&
           (d->fopts_n == 0 || !k->is_1_1 || k->has[KEY_NWK_S_ENC]);
}

static int encode_data(struct encoding *e, enum frame_type type)
{
    uint8_t fopts[FRAME_FOPTS_MAX], payload[FRAME_PAYLOAD_MAX];
    struct frame_context x = {
        .is_1_1 = e->k->is_1_1,
        .conf_fcnt = (uint16_t)e->o->conf_fcnt,
        .tx_dr = (uint8_t)e->o->tx_dr,
        .tx_ch = (uint8_t)e->o->tx_ch,
    };
    struct frame_data d;
    int status = read_data(e->o, type, fopts, payload, &d, &x.fcnt);

    if (status != 0)
        return status;
    if (!has_keys(e->k, &d))
        return no_key();
    x.is_a_fcnt_down = d.fport > 0;
    e->n = frame_data_write(e->c, &e->k->session, &x, &d, e->out);
    if (e->n == -EINVAL)
        return lorawan_wrong("encode", "a payload needs --port, and FOpts another one than 0.",
                             "有载荷时需要 --port；带 FOpts 时端口不能为 0。");
    return e->n == -EMSGSIZE
               ? lorawan_wrong("encode", "FOpts and payload do not fit.", "FOpts 与载荷过长。")
               : 0;
}

static int encode_request(struct encoding *e)
{
    const struct lorawan_key *root = lorawan_root(e->k);
    struct join_request j;
    int status = lorawan_request(e->o, &j);

    if (status != 0)
        return status;
    if (!root)
        return no_key();
    if (!e->o->join_eui || !e->o->dev_eui)
        return lorawan_wrong("encode", "a join request needs --join-eui and --dev-eui.",
                             "入网请求需要 --join-eui 和 --dev-eui。");
    int err = join_request_write(e->c, root, &j, e->out);
    e->n = err < 0 ? err : JOIN_REQUEST_SIZE;
    return 0;
}

static int read_accept(const struct lorawan_options *o, struct join_accept *ret)
{
    struct join_accept a = { .is_opt_neg = o->is_opt_neg,
                             .rx1_dr_offset = (uint8_t)o->rx1_dr_offset,
                             .rx2_dr = (uint8_t)o->rx2_dr,
                             .rx_delay = (uint8_t)o->rx_delay,
                             .has_cf_list = o->cf_list != NULL };
    uint8_t net_id[3] = { 0 };
    size_t cf_n = CF_LIST_SIZE, net_n = sizeof net_id;
    int status;

    if (!o->dev_addr || lorawan_addr_parse(o->dev_addr, &a.dev_addr) < 0)
        return lorawan_wrong("--dev-addr", "8 hexadecimal digits are needed.",
                             "需要 8 位十六进制数字。");
    if ((status = lorawan_number("join-nonce", o->join_nonce, 0xFFFFFF, &a.join_nonce)) != 0 ||
        (status = read_bytes("--net-id", o->net_id, net_id, sizeof net_id, &net_n)) != 0 ||
        (status = read_bytes("--cf-list", o->cf_list, a.cf_list, CF_LIST_SIZE, &cf_n)) != 0)
        return status;
    if (cf_n != CF_LIST_SIZE || net_n != sizeof net_id)
        return lorawan_wrong("encode", "a CFList has 16 bytes, a NetID 3.",
                             "CFList 应为 16 字节，NetID 应为 3 字节。");
    a.net_id = (uint32_t)(net_id[0] << 16 | net_id[1] << 8 | net_id[2]);
    *ret = a;
    return 0;
}

static int encode_accept(struct encoding *e)
{
    const struct lorawan_key *root = lorawan_root(e->k);
    struct join_request of;
    struct join_accept a;
    int status = lorawan_request(e->o, &of);

    if (status == 0)
        status = read_accept(e->o, &a);
    if (status != 0)
        return status;
    if (!root)
        return no_key();
    if (a.is_opt_neg && !(e->o->join_eui && e->o->dev_eui && e->o->dev_nonce))
        return lorawan_wrong("--opt-neg",
                             "an answer of 1.1 needs --join-eui, --dev-eui and --dev-nonce.",
                             "1.1 的应答需要 --join-eui、--dev-eui 和 --dev-nonce。");
    e->n = join_accept_write(e->c, root, &a, &of, e->out);
    return 0;
}

static int encode(struct encoding *e, const char *type)
{
    static const struct {
        const char *name;
        enum frame_type type;
    } types[] = {
        { "up", FRAME_UP },
        { "down", FRAME_DOWN },
        { "confirmed-up", FRAME_UP_CONFIRMED },
        { "confirmed-down", FRAME_DOWN_CONFIRMED },
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(type, types[i].name) == 0)
            return encode_data(e, types[i].type);
    if (strcmp(type, "join-request") == 0)
        return encode_request(e);
    if (strcmp(type, "join-accept") == 0)
        return encode_accept(e);
    return lorawan_wrong(type,
                         "a frame is up, confirmed-up, down, confirmed-down, join-request or "
                         "join-accept.",
                         "帧类型应为 up、confirmed-up、down、confirmed-down、join-request 或 "
                         "join-accept。");
}

int lorawan_encode(const struct lorawan_options *o, const char *type)
{
    char text[2 * FRAME_SIZE_MAX + 1];
    struct lorawan_keys keys;
    struct encoding e = { .o = o, .k = &keys };
    int status = lorawan_keys_read(o, &keys);

    if (status != 0)
        return status;
    if (crypto_create(&e.c) < 0) {
        fputs(say("sluice lorawan: this OpenSSL has no AES.\n",
                  "sluice lorawan：此 OpenSSL 不支持 AES。\n"),
              stderr);
        return EXIT_FOUND;
    }
    status = encode(&e, type);
    crypto_destroy(e.c);
    if (status != 0 || e.n < 0)
        return status ? status : EXIT_FOUND;
    if (o->is_base64)
        base64_encode(e.out, (size_t)e.n, text);
    else
        lorawan_hex(e.out, (size_t)e.n, text);
    return puts(text) == EOF ? EXIT_FOUND : EXIT_DONE;
}
