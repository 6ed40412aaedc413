/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "gateway/cmd/lorawan_cmd.h"
#include "gateway/lorawan/mac.h"

static void put_bytes(json_t *o, const char *key, const uint8_t *bytes, size_t n)
{
    char hex[2 * FRAME_SIZE_MAX + 1];

    lorawan_hex(bytes, n, hex);
    json_object_set_new(o, key, json_string(hex));
}

static void put_number(json_t *o, const char *key, uint64_t x, int digits)
{
    char hex[17];

    snprintf(hex, sizeof hex, "%0*" PRIx64, digits, x);
    json_object_set_new(o, key, json_string(hex));
}

static void put_int(json_t *o, const char *key, int64_t x)
{
    json_object_set_new(o, key, json_integer(x));
}

static void put_bit(json_t *o, const char *key, int bits)
{
    json_object_set_new(o, key, json_boolean(bits != 0));
}

/* "mac_commands"; the last one of those that cannot be read to the end is {"cid":..} alone. */
static void put_commands(json_t *o, const uint8_t *bytes, size_t n, bool is_up)
{
    json_t *list = json_array();
    char text[MAC_TEXT_SIZE];
    struct mac_command m;
    size_t at = 0;
    int more;

    while ((more = mac_next(bytes, n, is_up, &at, &m)) == 1) {
        json_t *one = json_object();
        put_int(one, "cid", m.cid);
        json_object_set_new(one, "name", json_string(mac_name(m.cid, is_up)));
        put_bytes(one, "payload", m.payload, m.n);
        mac_print(&m, is_up, text, sizeof text);
        json_object_set_new(one, "text", json_string(text));
        json_array_append_new(list, one);
    }
    if (more < 0)
        json_array_append_new(list, json_pack("{s:i}", "cid", bytes[at]));
    json_object_set_new(o, "mac_commands", list);
}

static void put_fctrl(json_t *o, const struct frame *f)
{
    json_t *c = json_object();

    put_bit(c, "adr", f->fctrl & FCTRL_ADR);
    put_bit(c, "ack", f->fctrl & FCTRL_ACK);
    if (frame_is_up(f->type)) {
        put_bit(c, "adr_ack_req", f->fctrl & FCTRL_ADR_ACK_REQ);
        put_bit(c, "class_b", f->fctrl & FCTRL_CLASS_B);
    } else {
        put_bit(c, "f_pending", f->fctrl & FCTRL_F_PENDING);
    }
    json_object_set_new(o, "fctrl", c);
}

static void put_data(json_t *o, const struct lorawan_decoded *d)
{
    const struct frame *f = &d->frame;
    bool is_up = frame_is_up(f->type);

    put_number(o, "dev_addr", f->dev_addr, 8);
    put_fctrl(o, f);
    put_int(o, "fcnt", f->fcnt);
    json_object_set_new(o, "fcnt_full", d->is_fcnt_sure ? json_integer(d->fcnt) : json_null());
    put_bytes(o, "fopts", f->fopts, f->fopts_n);
    if (d->has_fopts)
        put_bytes(o, "fopts_clear", d->fopts, f->fopts_n);
    json_object_set_new(o, "fport", f->fport < 0 ? json_null() : json_integer(f->fport));
    put_bytes(o, "frm_payload", f->payload, f->payload_n);
    if (d->has_payload)
        put_bytes(o, "frm_payload_clear", d->payload, f->payload_n);
    if (f->fport == 0 && d->has_payload)
        put_commands(o, d->payload, f->payload_n, is_up);
    else if (f->fopts_n && d->has_fopts)
        put_commands(o, d->fopts, f->fopts_n, is_up);
}

static void put_request(json_t *o, const struct frame *f)
{
    put_number(o, "join_eui", f->join_eui, 16);
    put_number(o, "dev_eui", f->dev_eui, 16);
    put_int(o, "dev_nonce", f->dev_nonce);
}

static void put_session(json_t *o, const struct lorawan_decoded *d)
{
    json_t *s = json_object();

    put_bytes(s, "app_skey", d->session.app.bytes, LORAWAN_KEY_SIZE);
    put_bytes(s, d->is_1_1 ? "f_nwk_s_int_key" : "nwk_skey", d->session.f_nwk_s_int.bytes,
              LORAWAN_KEY_SIZE);
    if (d->is_1_1) {
        put_bytes(s, "s_nwk_s_int_key", d->session.s_nwk_s_int.bytes, LORAWAN_KEY_SIZE);
        put_bytes(s, "nwk_s_enc_key", d->session.nwk_s_enc.bytes, LORAWAN_KEY_SIZE);
    }
    json_object_set_new(o, "session_keys", s);
}

static void put_accept(json_t *o, const struct lorawan_decoded *d)
{
    const struct join_accept *a = &d->accept;

    put_bytes(o, "decrypted", d->plain, d->frame.n);
    put_int(o, "join_nonce", a->join_nonce);
    put_number(o, "net_id", a->net_id, 6);
    put_number(o, "dev_addr", a->dev_addr, 8);
    put_bit(o, "opt_neg", a->is_opt_neg);
    put_int(o, "rx1_dr_offset", a->rx1_dr_offset);
    put_int(o, "rx2_dr", a->rx2_dr);
    put_int(o, "rx_delay", a->rx_delay);
    put_bytes(o, "cf_list", a->cf_list, a->has_cf_list ? (size_t)CF_LIST_SIZE : 0);
    if (d->has_session)
        put_session(o, d);
}

static void put_mic(json_t *o, const struct lorawan_decoded *d)
{
    const struct frame *f = &d->frame;
    bool is_accept = f->type == FRAME_JOIN_ACCEPT;

    if (d->verdict == MIC_NONE)
        return;
    if (!is_accept)
        put_bytes(o, "mic", f->mic, LORAWAN_MIC_SIZE);
    else if (d->has_accept)
        put_bytes(o, "mic", d->plain + f->n - LORAWAN_MIC_SIZE, LORAWAN_MIC_SIZE);
    json_object_set_new(o, "mic_ok",
                        d->verdict == MIC_RIGHT   ? json_true()
                        : d->verdict == MIC_WRONG ? json_false()
                                                  : json_null());
}

int lorawan_print_json(const struct lorawan_decoded *d)
{
    const struct frame *f = &d->frame;
    json_t *o = json_object();

    json_object_set_new(o, "type", json_string(frame_type_name(f->type)));
    put_int(o, "mtype", f->type);
    put_bytes(o, "phy", f->bytes, f->n);
    if (frame_is_data(f->type))
        put_data(o, d);
    else if (f->type == FRAME_JOIN_REQUEST)
        put_request(o, f);
    else if (d->has_accept)
        put_accept(o, d);
    put_mic(o, d);
    int err = json_dumpf(o, stdout, JSON_COMPACT);
    json_decref(o);
    return err == 0 && putchar('\n') != EOF ? 0 : -EIO;
}
