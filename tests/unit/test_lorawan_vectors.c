/* SPDX-License-Identifier: Apache-2.0 */
/* LoRaWAN frames of the shared vectors, both ways: bytes to fields, fields to bytes. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lorawan/frame.h"
#include "tests/unit/unit.h"

static char path[4096];

struct vector {
    const json_t *all, *fields, *keys;
    const char *name, *kind;
    uint8_t phy[FRAME_SIZE_MAX];
    size_t n;
};

static const char *text(const json_t *o, const char *key)
{
    const char *t = json_string_value(json_object_get(o, key));

    return t ? t : "";
}

static uint32_t number(const json_t *o, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(o, key));
}

static size_t bytes_of(const char *hex, uint8_t *out)
{
    size_t n;

    assert_int_equal(lorawan_bytes_parse(hex, out, FRAME_SIZE_MAX, &n), 0);
    return n;
}

static struct lorawan_key key_of(const struct vector *v, const char *name, const char *other)
{
    struct lorawan_key k = { { 0 } };
    const char *hex = text(v->keys, name);

    if (!*hex && other)
        hex = text(v->keys, other);
    if (*hex)
        assert_int_equal(lorawan_key_parse(hex, &k), 0);
    return k;
}

static struct session_keys session_of(const struct vector *v)
{
    return (struct session_keys){ key_of(v, "AppSKey", NULL),
                                  key_of(v, "FNwkSIntKey", "NwkSKey"),
                                  key_of(v, "SNwkSIntKey", "NwkSKey"),
                                  key_of(v, "NwkSEncKey", "NwkSKey") };
}

static struct frame_context context_of(const struct vector *v, const struct frame *f)
{
    return (struct frame_context){
        .is_1_1 = strcmp(text(v->all, "lorawan"), "1.1") == 0,
        .fcnt = number(v->fields, "FCnt32"),
        .conf_fcnt = (uint16_t)number(v->fields, "ConfFCnt"),
        .tx_dr = (uint8_t)number(v->fields, "TxDr"),
        .tx_ch = (uint8_t)number(v->fields, "TxCh"),
        .is_a_fcnt_down = f->fport > 0,
    };
}

static uint8_t fctrl_of(const struct vector *v)
{
    const json_t *c = json_object_get(v->fields, "FCtrl");
    uint8_t bits = 0;

    bits |= json_is_true(json_object_get(c, "ADR")) ? FCTRL_ADR : 0;
    bits |= json_is_true(json_object_get(c, "ADRACKReq")) ? FCTRL_ADR_ACK_REQ : 0;
    bits |= json_is_true(json_object_get(c, "ACK")) ? FCTRL_ACK : 0;
    bits |= json_is_true(json_object_get(c, "FPending")) ? FCTRL_F_PENDING : 0;
    return bits;
}

/* Bytes to fields. */
static void read_data(struct crypto *c, const struct vector *v)
{
    const struct session_keys k = session_of(v);
    uint8_t fopts[FRAME_FOPTS_MAX], payload[FRAME_SIZE_MAX], expected[FRAME_SIZE_MAX];
    struct frame f;
    uint32_t addr;

    assert_int_equal(frame_parse(v->phy, v->n, &f), FRAME_OK);
    assert_string_equal(frame_type_name(f.type), text(v->all, "mtype"));
    assert_int_equal(lorawan_addr_parse(text(v->fields, "DevAddr"), &addr), 0);
    assert_int_equal(f.dev_addr, addr);
    assert_int_equal(f.fcnt, number(v->fields, "FCnt16"));
    assert_int_equal(f.fctrl, fctrl_of(v));
    const json_t *fport = json_object_get(v->fields, "FPort");
    assert_int_equal(f.fport, json_is_null(fport) ? -1 : json_integer_value(fport));
    const struct frame_context x = context_of(v, &f);
    assert_int_equal(frame_data_mic_is_ok(c, &k, &x, &f), 1);
    assert_int_equal(frame_fopts_crypt(c, &k, &x, &f, fopts), 0);
    assert_int_equal(bytes_of(text(v->fields, "FOpts_plain"), expected), f.fopts_n);
    assert_memory_equal(fopts, expected, f.fopts_n);
    assert_int_equal(bytes_of(text(v->fields, "FOpts_wire"), expected), f.fopts_n);
    assert_memory_equal(f.fopts, expected, f.fopts_n);
    assert_int_equal(frame_payload_crypt(c, &k, &x, &f, payload), 0);
    assert_int_equal(bytes_of(text(v->fields, "FRMPayload_plain"), expected), f.payload_n);
    assert_memory_equal(payload, expected, f.payload_n);
}

/* Fields to bytes. */
static void write_data(struct crypto *c, const struct vector *v)
{
    const struct session_keys k = session_of(v);
    uint8_t fopts[FRAME_SIZE_MAX], payload[FRAME_SIZE_MAX], out[FRAME_SIZE_MAX];
    struct frame f;

    assert_int_equal(frame_parse(v->phy, v->n, &f), FRAME_OK);
    const struct frame_context x = context_of(v, &f);
    const struct frame_data d = {
        .type = f.type,
        .dev_addr = f.dev_addr,
        .fctrl = fctrl_of(v),
        .fopts = fopts,
        .fopts_n = (uint8_t)bytes_of(text(v->fields, "FOpts_plain"), fopts),
        .fport = f.fport,
        .payload = payload,
        .payload_n = bytes_of(text(v->fields, "FRMPayload_plain"), payload),
    };
    assert_int_equal(frame_data_write(c, &k, &x, &d, out), v->n);
    assert_memory_equal(out, v->phy, v->n);
}

static struct join_request request_of(const struct vector *v)
{
    struct join_request j = { .dev_nonce = (uint16_t)number(v->fields, "DevNonce") };

    if (*text(v->fields, "JoinEUI"))
        assert_int_equal(lorawan_eui_parse(text(v->fields, "JoinEUI"), &j.join_eui), 0);
    if (*text(v->fields, "DevEUI"))
        assert_int_equal(lorawan_eui_parse(text(v->fields, "DevEUI"), &j.dev_eui), 0);
    return j;
}

static void check_request(struct crypto *c, const struct vector *v)
{
    const struct lorawan_key key = key_of(v, "NwkKey", "AppKey");
    const struct join_request j = request_of(v);
    uint8_t out[JOIN_REQUEST_SIZE];
    struct frame f;

    assert_int_equal(frame_parse(v->phy, v->n, &f), FRAME_OK);
    assert_int_equal(f.type, FRAME_JOIN_REQUEST);
    assert_true(f.join_eui == j.join_eui && f.dev_eui == j.dev_eui);
    assert_int_equal(f.dev_nonce, j.dev_nonce);
    assert_int_equal(join_request_mic_is_ok(c, &key, &f), 1);
    assert_int_equal(join_request_write(c, &key, &j, out), 0);
    assert_memory_equal(out, v->phy, sizeof out);
}

static void check_session(const struct vector *v, const struct session_keys *k)
{
    const json_t *want = json_object_get(v->all, "session_keys");
    const struct {
        const char *name;
        const struct lorawan_key *key;
    } each[] = { { "AppSKey", &k->app },
                 { "NwkSKey", &k->f_nwk_s_int },
                 { "FNwkSIntKey", &k->f_nwk_s_int },
                 { "SNwkSIntKey", &k->s_nwk_s_int },
                 { "NwkSEncKey", &k->nwk_s_enc } };

    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        struct lorawan_key key;
        if (!*text(want, each[i].name))
            continue;
        assert_int_equal(lorawan_key_parse(text(want, each[i].name), &key), 0);
        assert_memory_equal(&key, each[i].key, sizeof key);
    }
}

static void check_accept(struct crypto *c, const struct vector *v)
{
    const struct lorawan_key root = key_of(v, "NwkKey", "AppKey"),
                             app = key_of(v, "AppKey", NULL), nwk = key_of(v, "NwkKey", NULL);
    const struct join_request of = request_of(v);
    uint8_t plain[JOIN_ACCEPT_SIZE_MAX], expected[FRAME_SIZE_MAX], out[JOIN_ACCEPT_SIZE_MAX];
    struct join_accept a;
    struct session_keys k;

    assert_int_equal(join_accept_read(c, &root, v->phy, v->n, &of, &a, plain), 1);
    assert_int_equal(bytes_of(text(v->all, "decrypted"), expected), v->n);
    assert_memory_equal(plain, expected, v->n);
    assert_int_equal(a.join_nonce, number(v->fields, "JoinNonce"));
    assert_int_equal(a.net_id, strtoul(text(v->fields, "NetID"), NULL, 16));
    assert_int_equal(a.dev_addr, strtoul(text(v->fields, "DevAddr"), NULL, 16));
    assert_int_equal(a.is_opt_neg, json_is_true(json_object_get(v->fields, "OptNeg")));
    assert_int_equal(bytes_of(text(v->fields, "CFList"), expected),
                     a.has_cf_list ? CF_LIST_SIZE : 0);
    assert_memory_equal(a.cf_list, expected, a.has_cf_list ? CF_LIST_SIZE : 0);
    assert_int_equal(a.rx1_dr_offset, number(v->fields, "RX1DROffset"));
    assert_int_equal(a.rx2_dr, number(v->fields, "RX2DataRate"));
    assert_int_equal(a.rx_delay, number(v->fields, "RxDelay"));
    assert_int_equal(join_accept_write(c, &root, &a, &of, out), v->n);
    assert_memory_equal(out, v->phy, v->n);
    const bool has_nwk = *text(v->keys, "NwkKey");
    assert_int_equal(join_keys(c, &app, has_nwk ? &nwk : NULL, &a, &of, &k), 0);
    check_session(v, &k);
}

/* With the given fields, whatever its own bytes say; 0 as well when they are no frame. */
static int mic_is_ok(struct crypto *c, const struct vector *v)
{
    const struct session_keys k = session_of(v);
    const struct lorawan_key root = key_of(v, "NwkKey", "AppKey");
    const struct join_request of = request_of(v);
    uint8_t plain[JOIN_ACCEPT_SIZE_MAX];
    struct join_accept a;
    struct frame f;

    if (frame_parse(v->phy, v->n, &f) != FRAME_OK)
        return 0;
    if (f.type == FRAME_JOIN_REQUEST)
        return join_request_mic_is_ok(c, &root, &f);
    if (f.type == FRAME_JOIN_ACCEPT)
        return join_accept_read(c, &root, v->phy, v->n, &of, &a, plain);
    const struct frame_context x = context_of(v, &f);
    return frame_data_mic_is_ok(c, &k, &x, &f);
}

static void check(struct crypto *c, const struct vector *v)
{
    const bool is_ok = strcmp(v->kind, "negative") != 0;

    assert_int_equal(json_is_true(json_object_get(v->all, "mic_ok")), is_ok);
    assert_int_equal(mic_is_ok(c, v), is_ok);
    if (strncmp(v->kind, "data_", 5) == 0) {
        read_data(c, v);
        write_data(c, v);
    } else if (strcmp(v->kind, "join_request") == 0) {
        check_request(c, v);
    } else if (strcmp(v->kind, "join_accept") == 0) {
        check_accept(c, v);
    } else if (is_ok) {
        fail_msg("%s is of an unknown kind", v->name);
    }
}

static void frames_of_other_implementations_agree(void **state)
{
    struct crypto *c;
    json_t *item;
    size_t i;

    (void)state;
    json_t *root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    assert_int_equal(crypto_create(&c), 0);
    const json_t *vectors = json_object_get(root, "vectors");
    assert_true(json_array_size(vectors) > 0);
    json_array_foreach(vectors, i, item)
    {
        struct vector v = { .all = item,
                            .fields = json_object_get(item, "fields"),
                            .keys = json_object_get(item, "keys"),
                            .name = text(item, "name"),
                            .kind = text(item, "kind") };
        print_message("%s\n", v.name);
        v.n = bytes_of(text(item, "phy"), v.phy);
        check(c, &v);
    }
    crypto_destroy(c);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_other_implementations_agree),
    };
    const char *shared = getenv("SLUICE_SHARED"), *source = getenv("SLUICE_SOURCE");
    FILE *f;

    if (shared)
        snprintf(path, sizeof path, "%s/vectors/lorawan_vectors.json", shared);
    else
        snprintf(path, sizeof path, "%s/../shared/vectors/lorawan_vectors.json",
                 source ? source : ".");
    f = fopen(path, "r");
    if (!f) {
        printf("skipped: %s is not there; SLUICE_SHARED names the folder with the vectors\n",
               path);
        return 77; /* what the test runner takes as skipped */
    }
    fclose(f);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
