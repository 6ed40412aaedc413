/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, their keys and texts; CMAC by the examples of RFC 4493 section 4. */
#include <errno.h>
#include <string.h>

#include "gateway/lorawan/frame.h"
#include "tests/unit/unit.h"

static const struct lorawan_key rfc_key = {
    "\x2b\x7e\x15\x16\x28\xae\xd2\xa6\xab\xf7\x15\x88\x09\xcf\x4f\x3c"
};
static const struct session_keys session = {
    .app = { "\xec\x92\x58\x02\xae\x43\x0c\xa7\x7f\xd3\xdd\x73\xcb\x2c\xc5\x88" },
    .f_nwk_s_int = { "\x44\x02\x42\x41\xed\x4c\xe9\xa6\x8c\x6a\x8b\xc0\x55\x23\x3f\xd3" },
    .s_nwk_s_int = { "\x55\x02\x42\x41\xed\x4c\xe9\xa6\x8c\x6a\x8b\xc0\x55\x23\x3f\xd4" },
    .nwk_s_enc = { "\x66\x02\x42\x41\xed\x4c\xe9\xa6\x8c\x6a\x8b\xc0\x55\x23\x3f\xd5" },
};
static const struct lorawan_key app_key = { "an AppKey for us" },
                                nwk_key = { "a NwkKey for us." };

static int open_crypto(void **state)
{
    return crypto_create((struct crypto **)state);
}

static int close_crypto(void **state)
{
    crypto_destroy(*state);
    return 0;
}

static size_t bytes_of(const char *hex, uint8_t *out)
{
    size_t n;

    assert_int_equal(lorawan_bytes_parse(hex, out, FRAME_SIZE_MAX, &n), 0);
    return n;
}

static enum frame_fault fault_of(const char *hex)
{
    uint8_t bytes[FRAME_SIZE_MAX];
    struct frame f = { .n = 4242 };
    enum frame_fault fault = frame_parse(bytes, bytes_of(hex, bytes), &f);

    if (fault != FRAME_OK)
        assert_int_equal(f.n, 4242); /* untouched */
    return fault;
}

/* ---- CMAC ---- */

static const char rfc_message[] =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

static void cmac_is_that_of_rfc_4493(void **state)
{
    static const struct {
        size_t n;
        const char *mac;
    } examples[] = {
        { 0, "bb1d6929e95937287fa37d129b756746" },
        { 16, "070a16b46b4d4144f79bdd9dd04a287c" },
        { 40, "dfa66747de9ae63030ca32611497c827" },
        { 64, "51f0bebf7e3b9d92fc49741779363cfe" },
    };
    uint8_t message[FRAME_SIZE_MAX], expected[FRAME_SIZE_MAX], mac[16];

    bytes_of(rfc_message, message);
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        bytes_of(examples[i].mac, expected);
        assert_int_equal(crypto_cmac(*state, &rfc_key, NULL, 0, message, examples[i].n, mac),
                         0);
        assert_memory_equal(mac, expected, sizeof mac);
    }
}

static void cmac_is_the_same_wherever_the_prefix_ends(void **state)
{
    uint8_t message[FRAME_SIZE_MAX], whole[16], parts[16];

    bytes_of(rfc_message, message);
    assert_int_equal(crypto_cmac(*state, &rfc_key, NULL, 0, message, 40, whole), 0);
    for (size_t n = 0; n <= 40; n++) {
        assert_int_equal(crypto_cmac(*state, &rfc_key, message, n, message + n, 40 - n, parts),
                         0);
        assert_memory_equal(parts, whole, sizeof whole);
    }
}

static void keys_that_share_their_place_are_not_mixed_up(void **state)
{
    struct lorawan_key other = rfc_key;
    uint8_t in[16] = "sixteen bytes ..", a[16], b[16], again[16];

    other.bytes[15] ^= 1;
    assert_int_equal(crypto_encrypt(*state, &rfc_key, in, a), 0);
    assert_int_equal(crypto_encrypt(*state, &other, in, b), 0);
    assert_int_equal(crypto_encrypt(*state, &rfc_key, in, again), 0);
    assert_memory_equal(a, again, sizeof a);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(crypto_decrypt(*state, &rfc_key, a, a), 0);
    assert_memory_equal(a, in, sizeof a);
}

/* ---- taking apart ---- */

static void every_fault_has_its_name(void **state)
{
    const uint8_t bytes[FRAME_SIZE_MAX + 1] = { 0x40 };
    struct frame f;

    (void)state;
    assert_int_equal(fault_of("40f17dbe49000200954378"), FRAME_TOO_SHORT);
    assert_int_equal(fault_of("41f17dbe490004005db96d63"), FRAME_MAJOR);
    assert_int_equal(fault_of("00010000d07ed5b37030051c000ba304002b1a7fb63c"), FRAME_LENGTH);
    assert_int_equal(fault_of("206b43409d6409651a3a7ad303cd5063ce00"), FRAME_LENGTH);
    assert_int_equal(fault_of("40f17dbe490f0200010203042b11ff0d"), FRAME_FOPTS);
    assert_int_equal(fault_of("40f17dbe490102000200abcd2b11ff0d"), FRAME_FOPTS_PORT_0);
    assert_int_equal(frame_parse(bytes, sizeof bytes, &f), FRAME_TOO_LONG);
    assert_int_equal(frame_parse(bytes, 0, &f), FRAME_TOO_SHORT);
}

static void every_fault_is_told_in_both_languages(void **state)
{
    (void)state;
    for (enum frame_fault f = FRAME_OK; f < FRAME_FAULT_COUNT_; f++) {
        assert_string_not_equal(frame_fault_text(f, "en"), frame_fault_text(f, "zh"));
        assert_non_null(strchr(frame_fault_text(f, "en"), '.'));
    }
}

static void a_frame_may_end_behind_fopts_or_behind_its_port(void **state)
{
    uint8_t bytes[FRAME_SIZE_MAX];
    struct frame f;

    (void)state;
    size_t n = bytes_of("40f17dbe49010400025db96d63", bytes);
    assert_int_equal(frame_parse(bytes, n, &f), FRAME_OK);
    assert_int_equal(f.fopts_n, 1);
    assert_int_equal(f.fport, -1);
    assert_int_equal(f.payload_n, 0);
    n = bytes_of("40f17dbe49000400075db96d63", bytes);
    assert_int_equal(frame_parse(bytes, n, &f), FRAME_OK);
    assert_int_equal(f.fport, 7);
    assert_int_equal(f.payload_n, 0);
}

static void reserved_bits_of_the_type_are_no_fault(void **state)
{
    (void)state;
    assert_int_equal(fault_of("5cf17dbe490004005db96d63"), FRAME_OK);
}

/* ---- MIC and encryption ---- */

static struct frame_data up_with_ack(void)
{
    static const uint8_t fopts[] = { 0x02, 0x0D }, payload[] = "seventeen bytes..";

    return (struct frame_data){ .type = FRAME_UP,
                                .dev_addr = 0x260113AD,
                                .fctrl = FCTRL_ACK | FCTRL_ADR,
                                .fopts = fopts,
                                .fopts_n = sizeof fopts,
                                .fport = 2,
                                .payload = payload,
                                .payload_n = 17 };
}

static void what_is_written_is_read(void **state)
{
    for (int is_1_1 = 0; is_1_1 < 2; is_1_1++) {
        const struct frame_data d = up_with_ack();
        const struct frame_context x = {
            .is_1_1 = is_1_1, .fcnt = 0x12345, .conf_fcnt = 7, .tx_dr = 5, .tx_ch = 2
        };
        uint8_t out[FRAME_SIZE_MAX], clear[FRAME_SIZE_MAX];
        struct frame f;
        int n = frame_data_write(*state, &session, &x, &d, out);
        assert_int_equal(n, FRAME_OVERHEAD + 2 + 17);
        assert_int_equal(frame_parse(out, (size_t)n, &f), FRAME_OK);
        assert_int_equal(f.fcnt, 0x2345);
        assert_int_equal(f.fctrl, d.fctrl);
        assert_int_equal(frame_data_mic_is_ok(*state, &session, &x, &f), 1);
        assert_int_equal(frame_payload_crypt(*state, &session, &x, &f, clear), 0);
        assert_memory_equal(clear, d.payload, d.payload_n);
        assert_int_equal(frame_fopts_crypt(*state, &session, &x, &f, clear), 0);
        assert_memory_equal(clear, d.fopts, d.fopts_n);
        assert_true((memcmp(f.fopts, d.fopts, d.fopts_n) == 0) == !is_1_1);
    }
}

static bool is_ok_with(struct crypto *c, struct frame_context x, uint8_t fctrl)
{
    const struct frame_context made = {
        .is_1_1 = true, .fcnt = 9, .conf_fcnt = 7, .tx_dr = 5, .tx_ch = 2
    };
    struct frame_data d = up_with_ack();
    uint8_t out[FRAME_SIZE_MAX];
    struct frame f;

    d.fctrl = fctrl;
    int n = frame_data_write(c, &session, &made, &d, out);
    assert_true(n > 0);
    assert_int_equal(frame_parse(out, (size_t)n, &f), FRAME_OK);
    return frame_data_mic_is_ok(c, &session, &x, &f) == 1;
}

static void the_mic_of_1_1_depends_on_how_it_was_sent(void **state)
{
    const struct frame_context x = {
        .is_1_1 = true, .fcnt = 9, .conf_fcnt = 7, .tx_dr = 5, .tx_ch = 2
    };
    struct frame_context other = x;

    assert_true(is_ok_with(*state, x, FCTRL_ACK));
    other.tx_dr = 4;
    assert_false(is_ok_with(*state, other, FCTRL_ACK));
    other = x;
    other.tx_ch = 3;
    assert_false(is_ok_with(*state, other, FCTRL_ACK));
    other = x;
    other.conf_fcnt = 8;
    assert_false(is_ok_with(*state, other, FCTRL_ACK));
    other = x;
    other.fcnt = 9 + 65536;
    assert_false(is_ok_with(*state, other, FCTRL_ACK));
}

static void without_ack_no_acknowledged_counter_counts(void **state)
{
    struct frame_context x = {
        .is_1_1 = true, .fcnt = 9, .conf_fcnt = 8, .tx_dr = 5, .tx_ch = 2
    };

    assert_true(is_ok_with(*state, x, 0));
}

static void a_downlink_sent_back_is_no_uplink(void **state)
{
    struct frame_data d = up_with_ack();
    const struct frame_context x = { .fcnt = 9 };
    uint8_t out[FRAME_SIZE_MAX];
    struct frame f;

    d.type = FRAME_DOWN;
    int n = frame_data_write(*state, &session, &x, &d, out);
    out[0] = FRAME_UP << 5;
    assert_int_equal(frame_parse(out, (size_t)n, &f), FRAME_OK);
    assert_int_equal(frame_data_mic_is_ok(*state, &session, &x, &f), 0);
}

static void refuses_frames_that_cannot_be(void **state)
{
    const struct frame_context x = { 0 };
    uint8_t payload[FRAME_SIZE_MAX] = { 0 }, out[FRAME_SIZE_MAX];
    struct frame_data d = up_with_ack();

    d.fport = 0;
    assert_int_equal(frame_data_write(*state, &session, &x, &d, out), -EINVAL);
    d.fport = -1;
    assert_int_equal(frame_data_write(*state, &session, &x, &d, out), -EINVAL);
    d = up_with_ack();
    d.type = FRAME_JOIN_ACCEPT;
    assert_int_equal(frame_data_write(*state, &session, &x, &d, out), -EINVAL);
    d = up_with_ack();
    d.fopts_n = FRAME_FOPTS_MAX + 1;
    assert_int_equal(frame_data_write(*state, &session, &x, &d, out), -EMSGSIZE);
    d = up_with_ack();
    d.payload = payload;
    d.payload_n = FRAME_PAYLOAD_MAX; /* and two bytes of FOpts: one more than fits is enough */
    assert_int_equal(frame_data_write(*state, &session, &x, &d, out), -EMSGSIZE);
    d.fopts_n = 0;
    assert_int_equal(frame_data_write(*state, &session, &x, &d, out), FRAME_SIZE_MAX);
    assert_int_equal(frame_data_mic(*state, &session, &x, out, 11, payload), -EINVAL);
}

/* ---- joins ---- */

static const struct join_request request = { 0x70B3D57ED0000001, 0x0004A30B001C0530, 6699 };

static void a_join_request_is_signed_by_its_key(void **state)
{
    uint8_t out[JOIN_REQUEST_SIZE];
    struct frame f;

    assert_int_equal(join_request_write(*state, &app_key, &request, out), 0);
    assert_int_equal(frame_parse(out, sizeof out, &f), FRAME_OK);
    assert_true(f.join_eui == request.join_eui && f.dev_eui == request.dev_eui);
    assert_int_equal(f.dev_nonce, request.dev_nonce);
    assert_int_equal(join_request_mic_is_ok(*state, &app_key, &f), 1);
    assert_int_equal(join_request_mic_is_ok(*state, &nwk_key, &f), 0);
}

static int read_accept(struct crypto *c, bool is_opt_neg, const struct join_request *of)
{
    const struct join_accept a = { .join_nonce = 0x123456,
                                   .net_id = 0x000013,
                                   .dev_addr = 0x26012E44,
                                   .is_opt_neg = is_opt_neg,
                                   .rx1_dr_offset = 3,
                                   .rx2_dr = 2,
                                   .rx_delay = 5,
                                   .has_cf_list = is_opt_neg };
    uint8_t out[JOIN_ACCEPT_SIZE_MAX], plain[JOIN_ACCEPT_SIZE_MAX];
    struct join_accept got;
    int n = join_accept_write(c, &nwk_key, &a, &request, out);

    assert_int_equal(n, is_opt_neg ? 33 : 17);
    int ok = join_accept_read(c, &nwk_key, out, (size_t)n, of, &got, plain);
    assert_memory_equal(&got, &a, sizeof a);
    return ok;
}

static void a_join_accept_of_1_1_answers_one_request(void **state)
{
    struct join_request other = request;

    other.dev_nonce++;
    assert_int_equal(read_accept(*state, true, &request), 1);
    assert_int_equal(read_accept(*state, true, &other), 0);
    assert_int_equal(read_accept(*state, true, NULL), -ENODATA);
}

static void a_join_accept_of_1_0_does_not_name_its_request(void **state)
{
    assert_int_equal(read_accept(*state, false, NULL), 1);
}

static void a_device_of_1_1_at_a_server_of_1_0_derives_all_from_its_nwk_key(void **state)
{
    const struct join_accept a = { .join_nonce = 1, .net_id = 2, .dev_addr = 3 };
    struct session_keys k, expected;

    assert_int_equal(join_keys(*state, &app_key, &nwk_key, &a, &request, &k), 0);
    assert_int_equal(join_keys(*state, &nwk_key, NULL, &a, &request, &expected), 0);
    assert_memory_equal(&k, &expected, sizeof k);
    assert_memory_equal(&k.f_nwk_s_int, &k.nwk_s_enc, sizeof k.nwk_s_enc);
}

static void a_session_of_1_1_needs_a_nwk_key(void **state)
{
    const struct join_accept a = { .is_opt_neg = true };
    struct session_keys k;

    assert_int_equal(join_keys(*state, &app_key, NULL, &a, &request, &k), -EINVAL);
}

/* ---- texts ---- */

static void reads_keys_and_numbers_as_people_write_them(void **state)
{
    struct lorawan_key key;
    uint64_t eui;
    uint32_t addr;

    (void)state;
    assert_int_equal(lorawan_key_parse("2B7E151628AED2A6ABF7158809CF4F3C", &key), 0);
    assert_memory_equal(&key, &rfc_key, sizeof key);
    assert_int_equal(lorawan_eui_parse("70:B3:D5:7e-d0:00:00:01", &eui), 0);
    assert_true(eui == request.join_eui);
    assert_int_equal(lorawan_addr_parse("260113ad", &addr), 0);
    assert_int_equal(addr, 0x260113AD);
}

static void refuses_what_is_no_key(void **state)
{
    static const char *const wrong[] = { "",           "2",         "26:0113a",   "260113ad00",
                                         "260113ag",   ":260113ad", "26::0113ad", "260113ad-",
                                         "0x260113ad", "26 0113ad" };
    uint32_t addr = 42;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(lorawan_addr_parse(wrong[i], &addr), -EINVAL);
    assert_int_equal(addr, 42);
}

static void bytes_are_hexadecimal_or_base64(void **state)
{
    uint8_t a[4], b[4];
    size_t n;

    (void)state;
    assert_int_equal(lorawan_bytes_parse("fbff:FEf0", a, sizeof a, &n), 0);
    assert_int_equal(n, 4);
    assert_int_equal(lorawan_bytes_parse("-__-8A", b, sizeof b, &n), 0);
    assert_int_equal(n, 4);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(lorawan_bytes_parse("fbfffef0aa", a, sizeof a, &n), -EMSGSIZE);
    assert_int_equal(lorawan_bytes_parse("fb ff", a, sizeof a, &n), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_crypto, close_crypto)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cmac_is_that_of_rfc_4493),
        TEST(cmac_is_the_same_wherever_the_prefix_ends),
        TEST(keys_that_share_their_place_are_not_mixed_up),
        TEST(every_fault_has_its_name),
        TEST(every_fault_is_told_in_both_languages),
        TEST(a_frame_may_end_behind_fopts_or_behind_its_port),
        TEST(reserved_bits_of_the_type_are_no_fault),
        TEST(what_is_written_is_read),
        TEST(the_mic_of_1_1_depends_on_how_it_was_sent),
        TEST(without_ack_no_acknowledged_counter_counts),
        TEST(a_downlink_sent_back_is_no_uplink),
        TEST(refuses_frames_that_cannot_be),
        TEST(a_join_request_is_signed_by_its_key),
        TEST(a_join_accept_of_1_1_answers_one_request),
        TEST(a_join_accept_of_1_0_does_not_name_its_request),
        TEST(a_device_of_1_1_at_a_server_of_1_0_derives_all_from_its_nwk_key),
        TEST(a_session_of_1_1_needs_a_nwk_key),
        TEST(reads_keys_and_numbers_as_people_write_them),
        TEST(refuses_what_is_no_key),
        TEST(bytes_are_hexadecimal_or_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
