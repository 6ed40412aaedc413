/* SPDX-License-Identifier: Apache-2.0 */
/* What the bytes of a message mean, by the layout of a profile, and the way back. */
#include <errno.h>

#include "tests/unit/payload_bench.h"

#define FIXED(fields) "payload: {messages: [{id: m, fport: 2, fields: [" fields "]}]}\n"

static void decodes(const char *points, const char *payload, unsigned fport, const char *hex,
                    enum payload_outcome outcome, const char *expected)
{
    struct profile *p = bench_load(points, payload);

    bench_decodes(p, fport, hex, outcome, expected);
    profile_destroy(p);
}

static void field(const char *f, const char *hex, const char *expected)
{
    char payload[1024];

    snprintf(payload, sizeof payload,
             "payload: {messages: [{id: m, fport: 2, fields: [%s]}]}\n", f);
    decodes("points: [{id: a}]\n", payload, 2, hex, PAYLOAD_OK, expected);
}

static void reads_every_type_in_every_byte_order(void **state)
{
    static const struct {
        const char *type, *endian, *hex, *expected;
    } cases[] = {
        { "u8", "big", "FE", "a=254" },
        { "s8", "big", "FE", "a=-2" },
        { "u16", "big", "0102", "a=258" },
        { "u16", "little", "0201", "a=258" },
        { "u16", "mixed", "0102", "a=258" },
        { "s16", "little", "FEFF", "a=-2" },
        { "u24", "big", "010203", "a=66051" },
        { "u24", "little", "030201", "a=66051" },
        { "s24", "big", "FFFFFE", "a=-2" },
        { "u32", "big", "01020304", "a=16909060" },
        { "u32", "little", "04030201", "a=16909060" },
        { "u32", "mixed", "03040102", "a=16909060" },
        { "s32", "mixed", "FFFEFFFF", "a=-2" },
        { "u64", "big", "FFFFFFFFFFFFFFFF", "a=1.8446744073709552e+19" },
        { "s64", "little", "FEFFFFFFFFFFFFFF", "a=-2" },
        { "f32", "big", "41AA6666", "a=21.3" },
        { "f32", "little", "6666AA41", "a=21.3" },
        { "f64", "big", "40354CCCCCCCCCCD", "a=21.3" },
    };
    char text[160];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "{point: a, type: %s, endian: %s}", cases[i].type,
                 cases[i].endian);
        field(text, cases[i].hex, cases[i].expected);
    }
    (void)state;
}

static void cuts_out_bit_fields_and_signs(void **state)
{
    field("{point: a, type: u16, mask: 0x3FFF}", "CE29", "a=3625");
    field("{point: a, type: u8, mask: 0x30, shift: 4}", "FF", "a=3");
    field("{point: a, type: s16, mask: 0x0FFF}", "7FFE", "a=-2");
    field("{point: a, type: s16, mask: 0xFFF0, shift: 4}", "FFE5", "a=-2");
    field("{point: a, type: u16, sign: 0x8000, scale: 0.1}", "8015", "a=-2.1");
    field("{point: a, type: u16, sign: 0x8000, scale: 0.1}", "0015", "a=2.1");
    field("{point: a, type: u16, mask: 0xFF80, shift: 7, sign: 0x8000}", "8100", "a=-2");
    (void)state;
}

static void counts_from_either_end_and_goes_on_behind_the_field_before(void **state)
{
    decodes(bench_points,
            FIXED("{point: a, off: 1, type: u8}, {point: b, type: u8}, "
                  "{point: c, off: -2, type: u16}"),
            2, "00 01 02 03 FFFF 0405", PAYLOAD_OK, "a=1 b=2 c=1029");
    (void)state;
}

static void keeps_decimals_exact(void **state)
{
    field("{point: a, type: s16, scale: 0.1}", "00D5", "a=21.3");
    field("{point: a, type: u16, scale: 0.001, offset: -0.5}", "0CE4", "a=2.800");
    field("{point: a, type: u16, formula: \"(x - 32768) / 10\"}", "80D5", "a=21.3");
    field("{point: a, type: u16, formula: \"x * 2\"}", "0003", "a=6");
    field("{point: a, type: u16, formula: \"-(x / 100) + 1\"}", "0003", "a=0.97");
    (void)state;
}

static void computes_formulas_to_one_decimal_beyond_the_step(void **state)
{
    field("{point: a, type: u16, formula: \"175.72 * x / 65536 - 46.85\"}", "6666",
          "a=23.4369");
    field("{point: a, type: u16, formula: \"0.0000043*(x/50)^3 - 0.00055*(x/50)^2 + "
          "0.0292*(x/50) - 0.053\"}",
          "01F4", "a=0.1883");
    field("{point: a, type: u16, formula: \"x / y * 32768\", with: {off: 2, type: u16}}",
          "00640032", "a=65536");
    field("{point: a, type: u8, formula: \"max(sqrt(x), min(2, 1)) ^ 2 ^ 0.5\"}", "10",
          "a=7.1");
    field("{point: a, type: u8, formula: \"abs(-x) + exp(ln(x)) - log10(100)\"}", "08", "a=14");
    field("{point: a, type: f32, formula: \"x ^ 2\"}", "3FC00000", "a=2.25");
    (void)state;
}

static void has_no_value_where_a_formula_has_none(void **state)
{
    field("{point: a, type: u16, formula: \"1 / x\"}", "0000", "a=-");
    field("{point: a, type: s8, formula: \"sqrt(x)\"}", "FF", "a=-");
    field("{point: a, type: u16, formula: \"x / y\", with: {off: 2, type: u16}}", "0001 0000",
          "a=-");
    (void)state;
}

static void takes_codes_for_no_value(void **state)
{
    field("{point: a, type: s16, invalid: 0x7FFF}", "7FFF", "a=-");
    field("{point: a, type: s16, invalid: [-1, 0x8000]}", "FFFF", "a=-");
    field("{point: a, type: s16, invalid: [-1, 0x8000]}", "8000", "a=-");
    field("{point: a, type: u16, mask: 0x3FFF, invalid: 0x3FFF}", "FFFF", "a=-");
    field("{point: a, type: f32}", "7FC00000", "a=-");
    field("{point: a, type: f32, invalid: -999}", "C479C000", "a=-");
    (void)state;
}

static void lets_a_point_have_codes_and_a_scale_for_all_its_fields(void **state)
{
    decodes("points: [{id: a, scale: 0.1, invalid: 0x7FFF}, {id: b, scale: 0.1}]\n",
            FIXED("{point: a, type: s16}, {point: b, type: u8, scale: 0.5, invalid: 255}"), 2,
            "7FFF 03", PAYLOAD_OK, "a=- b=1.5");
    (void)state;
}

static void looks_codes_up_in_tables(void **state)
{
    field("{point: a, type: u8, table: {0: 0, 1: 22.5, 2: 45}}", "01", "a=22.5");
    field("{point: a, type: u8, table: {0: 0, 1: 22.5, 2: 45}}", "07", "a=-");
    field("{point: a, type: s8, table: {-1: 5}}", "FF", "a=5");
    (void)state;
}

static void converts_to_the_unit_of_the_quantity(void **state)
{
    decodes("points: [{id: a, unit: \"[degF]\", scale: 0.1, quantity: air_temp, "
            "range: [-40, 80]}, {id: b, unit: kPa, scale: 0.1, quantity: press, "
            "range: [300, 1100]}]\n",
            FIXED("{point: a, type: s16}, {point: b, type: u16}"), 2, "02D0 03F6", PAYLOAD_OK,
            "a=22.222 b=1014");
    (void)state;
}

static void chooses_messages_by_port_bytes_and_length(void **state)
{
    struct profile *p = bench_load(
        bench_points,
        "payload:\n"
        "  messages:\n"
        "    - {id: joined, fport: 5, ignore: true}\n"
        "    - {id: a, fport: [2, 3], match: [{off: 0, equals: [1, 2]}], fields: [{point: a, "
        "off: 1, type: u8}]}\n"
        "    - {id: b, fport: 2, length: [3, 4], fields: [{point: b, off: 1, type: u8}]}\n"
        "    - {id: c, fport: 223, match: [{off: -1, mask: 0x80, shift: 7, equals: 1}], "
        "fields: [{point: c, type: u8}]}\n");

    bench_decodes(p, 2, "0107", PAYLOAD_OK, "a=7");
    bench_decodes(p, 3, "0207", PAYLOAD_OK, "a=7");
    bench_decodes(p, 2, "030700", PAYLOAD_OK, "b=7");
    bench_decodes(p, 2, "0307", PAYLOAD_UNKNOWN, "");
    bench_decodes(p, 2, "", PAYLOAD_UNKNOWN, "");
    bench_decodes(p, 4, "0107", PAYLOAD_UNKNOWN, "");
    bench_decodes(p, 5, "0107", PAYLOAD_IGNORED, "");
    bench_decodes(p, 223, "0780", PAYLOAD_OK, "c=7");
    bench_decodes(p, 223, "0770", PAYLOAD_UNKNOWN, "");
    profile_destroy(p);
    (void)state;
}

static void says_that_a_message_is_cut_off(void **state)
{
    const char *payload = FIXED("{point: a, type: u8}, {point: b, type: u16}, "
                                "{point: c, type: u8, option: true}");

    decodes(bench_points, payload, 2, "010002", PAYLOAD_OK, "a=1 b=2");
    decodes(bench_points, payload, 2, "01000203", PAYLOAD_OK, "a=1 b=2 c=3");
    decodes(bench_points, payload, 2, "0100", PAYLOAD_TRUNCATED, "a=1");
    decodes(bench_points, payload, 2, "", PAYLOAD_TRUNCATED, "");
    (void)state;
}

static void judges_by_quality_flags_and_diagnostics(void **state)
{
    const char *points = "points: [{id: a}, {id: b}]\n"
                         "diagnostics: [{id: c, range: [10, 20], points: [b]}]\n";
    const char *payload =
        "payload:\n"
        "  messages:\n"
        "    - id: m\n"
        "      fport: 2\n"
        "      fields:\n"
        "        - {point: a, type: u8, quality: {off: 3, mask: 0x0F, map: {0: "
        "good, 1: uncertain, 2: missing}}}\n"
        "        - {point: b, type: u8}\n"
        "        - {point: c, type: u8}\n"
        "      flags:\n"
        "        - {off: 3, mask: 0x80, shift: 7, set: invalid, points: [b]}\n"
        "        - {off: 3, bits: {6: fault}}\n";

    decodes(points, payload, 2, "01020F00", PAYLOAD_OK, "a=1 b=2 c=15");
    decodes(points, payload, 2, "01020F01", PAYLOAD_OK, "a=1(suspect) b=2 c=15");
    decodes(points, payload, 2, "01020F09", PAYLOAD_OK, "a=1(suspect) b=2 c=15");
    decodes(points, payload, 2, "01020F02", PAYLOAD_OK, "a=- b=2 c=15");
    decodes(points, payload, 2, "01020F80", PAYLOAD_OK, "a=1 b=2(bad) c=15");
    decodes(points, payload, 2, "01020F40", PAYLOAD_OK, "a=1(bad) b=2(bad) c=15");
    decodes(points, payload, 2, "01021600", PAYLOAD_OK, "a=1 b=2(suspect) c=22(suspect)");
    decodes(points, payload, 2, "01020F", PAYLOAD_TRUNCATED, "b=2(not_evaluated) c=15");
    (void)state;
}

static const char blocks[] =
    "payload:\n"
    "  messages:\n"
    "    - id: m\n"
    "      match: [{off: 0, equals: 2}]\n"
    "      blocks:\n"
    "        bitmap: {off: 3, type: u16}\n"
    "        start: 5\n"
    "        list:\n"
    "          - fields: [{point: a, type: u16, formula: \"(x - 32768) / "
    "10\"}, {point: b, type: u16}]\n"
    "          - {fields: [{point: c, type: u16, scale: 0.001}]}\n";

static void follows_a_bitmap_of_blocks(void **state)
{
    struct profile *p = bench_load(bench_points, blocks);
    const double all[] = { 21.3, 7, 3.3 }, one[] = { (double)NAN, (double)NAN, 3.3 };

    bench_decodes(p, 1, "020000 0003 80D50007 0CE4", PAYLOAD_OK, "a=21.3 b=7 c=3.300");
    bench_decodes(p, 1, "020000 0002 0CE4", PAYLOAD_OK, "c=3.300");
    bench_decodes(p, 1, "020000 0000", PAYLOAD_OK, "");
    bench_decodes(p, 1, "020000 0003 80D50007 0C", PAYLOAD_TRUNCATED, "a=21.3 b=7");
    bench_decodes(p, 1, "020000 0003", PAYLOAD_TRUNCATED, "");
    bench_decodes(p, 1, "020000", PAYLOAD_TRUNCATED, "");
    bench_decodes(p, 1, "020000 0006 0CE4 1234", PAYLOAD_UNKNOWN, "c=3.300");
    bench_encodes(p, all, 1, "020000 0003 80D50007 0CE4");
    bench_encodes(p, one, 1, "020000 0002 0CE4");
    profile_destroy(p);
    (void)state;
}

static const char tlv[] =
    "payload:\n"
    "  endian: little\n"
    "  messages:\n"
    "    - id: m\n"
    "      tlv:\n"
    "        key: 2\n"
    "        items:\n"
    "          - {key: 0x0367, point: a, type: s16, scale: 0.1}\n"
    "          - {key: 0x0468, point: b, type: u8, scale: 0.5}\n"
    "          - {key: 0xFF0B, size: 3}\n"
    "          - {key: 0x20CE, time: {off: 0, type: u32}, fields: [{point: "
    "a, off: 4, type: s16, scale: 0.1}, {point: c, type: u8}]}\n";

static void reads_keys_and_values(void **state)
{
    struct profile *p = bench_load(bench_points, tlv);
    const double some[] = { 27.2, 46.5, 5 };

    bench_decodes(p, 85, "0367 1001 0468 5D", PAYLOAD_OK, "a=27.2 b=46.5");
    bench_decodes(p, 85, "0468 5D FF0B 010203 0367 F0FF", PAYLOAD_OK, "a=-1.6 b=46.5");
    bench_decodes(p, 85, "0367 1001 0599 00 0468 5D", PAYLOAD_UNKNOWN, "a=27.2");
    bench_decodes(p, 85, "0367 1001 04", PAYLOAD_TRUNCATED, "a=27.2");
    bench_decodes(p, 85, "0367 1001 0468", PAYLOAD_TRUNCATED, "a=27.2");
    bench_decodes(p, 85, "", PAYLOAD_OK, "");
    bench_encodes(p, some, 1, "0367 1001 0468 5D");
    profile_destroy(p);
    (void)state;
}

static void makes_rows_of_values_with_times_oldest_first(void **state)
{
    struct profile *p = bench_load(bench_points, tlv);

    bench_decodes(p, 85, "0367 1001 20CE F6764663 1201 02 20CE 9E744663 1101 01", PAYLOAD_OK,
                  "@1665561758000 a=27.3 c=1; @1665562358000 a=27.4 c=2; a=27.2");
    bench_decodes(p, 85, "20CE 00000000 1101 01", PAYLOAD_OK, "");
    bench_decodes(p, 85, "20CE FFFFFFFF 1101 01 0468 5D", PAYLOAD_OK, "b=46.5");
    profile_destroy(p);
    (void)state;
}

static void passes_over_unknown_keys_that_tell_their_length(void **state)
{
    struct profile *p =
        bench_load("points: [{id: a}]\n",
                   "payload: {messages: [{id: m, tlv: {key: 1, length: true, start: 1, items: "
                   "[{key: 0x01, point: a, type: u16}]}}]}\n");
    const double value[] = { 258 };

    bench_decodes(p, 1, "00 09 03 AABBCC 01 02 0102", PAYLOAD_OK, "a=258");
    bench_decodes(p, 1, "00 01 01 01", PAYLOAD_TRUNCATED, "");
    bench_decodes(p, 1, "00 01 03 0102FF", PAYLOAD_OK, "a=258");
    bench_decodes(p, 1, "00 01 FF 0102", PAYLOAD_TRUNCATED, "");
    bench_decodes(p, 1, "00 01", PAYLOAD_TRUNCATED, "");
    bench_encodes(p, value, 1, "00 01 02 0102");
    profile_destroy(p);
    (void)state;
}

static void repeats_records_with_a_step(void **state)
{
    struct profile *p = bench_load(
        "points: [{id: a}, {id: b}]\n",
        "payload:\n"
        "  messages:\n"
        "    - {id: now, fport: 1, fields: [{point: b, off: 0, type: u8}], records: {start: 1, "
        "step: 10min, fields: [{point: a, type: u8}]}}\n"
        "    - {id: old, fport: 2, records: {start: 2, count: {off: 0}, order: oldest_first, "
        "newest: step, step: {off: 1, type: u8, unit: 1min}, fields: [{point: a, type: u8}]}}\n"
        "    - {id: timed, fport: 3, records: {time: {off: 1, type: u32}, size: 5, fields: "
        "[{point: a, type: u8}]}}\n");

    bench_decodes(p, 1, "09 010203", PAYLOAD_OK, "-1200s a=3; -600s a=2; a=1 b=9");
    bench_decodes(p, 1, "09", PAYLOAD_OK, "b=9");
    bench_decodes(p, 2, "03 05 010203 FF", PAYLOAD_OK, "-900s a=1; -600s a=2; -300s a=3");
    bench_decodes(p, 2, "04 05 010203", PAYLOAD_TRUNCATED, "-900s a=1; -600s a=2; -300s a=3");
    bench_decodes(p, 2, "02", PAYLOAD_TRUNCATED, "");
    bench_decodes(p, 3, "02 00000064 01 00000032 00", PAYLOAD_TRUNCATED,
                  "@50000 a=1; @100000 a=2");
    profile_destroy(p);
    (void)state;
}

static void keeps_the_newest_of_too_many_rows(void **state)
{
    struct profile *p = bench_load("points: [{id: a}]\n",
                                   "payload: {messages: [{id: m, records: {step: 1s, fields: "
                                   "[{point: a, type: u8}]}}]}\n");
    struct kept_rows *rows = calloc(1, sizeof *rows);
    uint8_t bytes[PAYLOAD_BYTES_MAX];

    assert_non_null(rows);
    rows->p = p;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(payload_decode(p, 1, bytes, sizeof bytes, keep_row, rows),
                     PAYLOAD_TRUNCATED);
    assert_int_equal(rows->n, PAYLOAD_ROWS_MAX);
    assert_int_equal(rows->row[0].age_ms, 63000);
    assert_int_equal(rows->row[PAYLOAD_ROWS_MAX - 1].age_ms, 0);
    free(rows);
    profile_destroy(p);
    (void)state;
}

static void refuses_a_message_longer_than_a_frame(void **state)
{
    struct profile *p = bench_load(bench_points, tlv);
    const uint8_t bytes[PAYLOAD_BYTES_MAX + 1] = { 0 };
    struct bench_said said = { .p = p };

    assert_int_equal(payload_decode(p, 1, bytes, sizeof bytes, bench_note, &said),
                     PAYLOAD_INVALID);
    profile_destroy(p);
    (void)state;
}

/* Every type of Cayenne LPP: what its bytes say, in its unit. */
static void reads_every_type_of_cayenne_lpp(void **state)
{
    static const struct {
        const char *type, *hex, *expected;
    } cases[] = {
        { "0", "0100 01", "a=1" },
        { "1", "0101 00", "a=0" },
        { "2", "0102 FF9C", "a=-1.00" },
        { "3", "0103 0064", "a=1.00" },
        { "100", "0164 FFFFFFFF", "a=4294967295" },
        { "101", "0165 0064", "a=100" },
        { "102", "0166 01", "a=1" },
        { "103", "0167 00FF", "a=25.5" },
        { "temperature", "0167 FFD7", "a=-4.1" },
        { "104", "0168 7B", "a=61.5" },
        { "113", "0171 04D2 0000 0000", "a=1.234" },
        { "113, component: 2", "0171 0000 0000 FB2E", "a=-1.234" },
        { "115", "0173 2777", "a=1010.3" },
        { "116", "0174 014A", "a=3.30" },
        { "117", "0175 04D2", "a=1.234" },
        { "118", "0176 33BCA100", "a=868000000" },
        { "120", "0178 64", "a=100" },
        { "121", "0179 FFFE", "a=-2" },
        { "125", "017D 01A4", "a=420" },
        { "128", "0180 03E8", "a=1000" },
        { "130", "0182 000004D2", "a=1.234" },
        { "131", "0183 000004D2", "a=1.234" },
        { "132", "0184 010E", "a=270" },
        { "133", "0185 6346749E", "a=1665561758" },
        { "134, component: 1", "0186 0000 FFCE 0000", "a=-0.50" },
        { "135, component: 2", "0187 0102 03", "a=3" },
        { "136", "0188 06765F F2960A 0003E8", "a=42.3519" },
        { "136, component: 1", "0188 06765F F2960A 0003E8", "a=-87.9094" },
        { "gps, component: 2", "0188 06765F F2960A 0003E8", "a=10.00" },
        { "142", "018E 01", "a=1" },
    };
    char payload[256];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(payload, sizeof payload,
                 "payload: {messages: [{id: m, lpp: {items: [{channel: 1, type: %s, point: "
                 "a}]}}]}\n",
                 cases[i].type);
        decodes("points: [{id: a}]\n", payload, 1, cases[i].hex, PAYLOAD_OK, cases[i].expected);
    }
    (void)state;
}

static void passes_over_lpp_values_that_no_point_has(void **state)
{
    struct profile *p = bench_load(
        "points: [{id: a}, {id: b, unit: ug/m3, quantity: pm2_5, range: [0, 1000]}]\n",
        "payload: {messages: [{id: m, fport: 1, lpp: {start: 1, items: [{channel: 3, type: "
        "103, "
        "point: a}, {channel: 4, type: 2, point: b, scale: 10}]}}]}\n");
    const double value[] = { 25.5, 12.3 };

    bench_decodes(p, 1, "AA 0188 000000000000000000 0367 00FF 0402 007B", PAYLOAD_OK,
                  "a=25.5 b=12.30");
    bench_decodes(p, 1, "AA 0367 00FF 05FE 00 0402 007B", PAYLOAD_UNKNOWN, "a=25.5");
    bench_decodes(p, 1, "AA 0367 00FF 0402 00", PAYLOAD_TRUNCATED, "a=25.5");
    bench_decodes(p, 1, "AA 0367 00FF 04", PAYLOAD_TRUNCATED, "a=25.5");
    bench_encodes(p, value, 1, "00 0367 00FF 0402 007B");
    profile_destroy(p);
    (void)state;
}

static void writes_back_what_it_reads(void **state)
{
    static const struct {
        const char *field, *hex;
        double value;
    } cases[] = {
        { "{point: a, type: u16, mask: 0x3FFF, scale: 0.001}", "0E29", 3.625 },
        { "{point: a, type: s16, mask: 0xFFF0, shift: 4}", "FFE0", -2 },
        { "{point: a, type: u16, sign: 0x8000, scale: 0.1}", "8015", -2.1 },
        { "{point: a, type: u32, endian: mixed}", "03040102", 16909060 },
        { "{point: a, type: u8, table: {0: 0, 1: 22.5, 2: 45}}", "02", 40 },
        { "{point: a, type: u16, formula: \"175.72 * x / 65536 - 46.85\"}", "6666", 23.4363 },
        { "{point: a, type: u16, formula: \"x / y * 32768\", with: {off: 2, type: u16}}",
          "40008000", 16384 },
        { "{point: a, type: s16, invalid: 0x7FFF}", "7FFE", 1e9 },
        { "{point: a, type: s16, invalid: 0x7FFF}", "7FFF", (double)NAN },
        { "{point: a, type: f32}", "41AA6666", 21.3 },
        { "{point: a, type: f32}", "7FC00000", (double)NAN },
        { "{point: a, type: u8, quality: {off: 1, map: {0: fault, 1: good}}}", "0501", 5 },
    };
    char payload[512];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(payload, sizeof payload,
                 "payload: {messages: [{id: m, fport: 7, fields: [%s]}]}\n", cases[i].field);
        struct profile *p = bench_load("points: [{id: a}]\n", payload);
        bench_encodes(p, &cases[i].value, 7, cases[i].hex);
        profile_destroy(p);
    }
    (void)state;
}

static void writes_the_message_that_says_most_with_its_marks(void **state)
{
    struct profile *p =
        bench_load(bench_points,
                   "payload:\n"
                   "  messages:\n"
                   "    - {id: join, fport: 5, ignore: true}\n"
                   "    - {id: few, fport: 1, fields: [{point: a, type: u8}]}\n"
                   "    - {id: many, fport: [9, 3], match: [{off: 0, equals: 0x11}], fields: "
                   "[{point: a, off: 1, type: u8}, {point: b, type: u8}, {point: c, type: u8, "
                   "option: true}], flags: [{off: 4, when: 0, set: fault}]}\n");
    const double value[] = { 1, 2, (double)NAN };
    uint8_t out[4], fport;

    bench_encodes(p, value, 9, "11 01 02 00 01");
    assert_int_equal(payload_encode(p, value, &fport, out, sizeof out), -ENOSPC);
    profile_destroy(p);
    (void)state;
}

static const char script[] =
    "payload:\n"
    "  codec: node.js\n"
    "  map:\n"
    "    temperature: a\n"
    "    \"channels[1].value\": {point: b, scale: 0.1}\n"
    "    state: {point: c, map: {open: 1, closed: 0, true: 2, 3.5: 4}}\n"
    "    \"log[].t\": a\n"
    "  times: \"log[].at\"\n";

static struct payload_value number(const char *path, int64_t v, int e)
{
    struct decimal d = { v, (int8_t)e };

    return (struct payload_value){ path, PAYLOAD_NUMBER, decimal_to_double(d), d, NULL };
}

static struct payload_value text(const char *path, const char *t)
{
    return (struct payload_value){ path, PAYLOAD_TEXT, 0, DECIMAL_MISSING, t };
}

static void maps(const struct profile *p, const struct payload_value *values, size_t n,
                 enum payload_outcome outcome, const char *expected)
{
    struct bench_said said = { .p = p };

    assert_int_equal(payload_map(p, values, n, bench_note, &said), outcome);
    assert_string_equal(said.text, expected);
}

static void maps_the_result_of_a_script(void **state)
{
    struct profile *p = bench_load(bench_points, script);
    const struct payload_value values[] = {
        number("temperature", 213, 1),      number("channels[0].value", 1, 0),
        number("channels[1].value", 15, 0), text("state", "open"),
        number("unmapped", 7, 0),
    };
    const struct payload_value odd[] = { text("temperature", "21.30"), number("state", 35, 1) };
    const struct payload_value yes[] = { { "state", PAYLOAD_BOOL, 1, DECIMAL_MISSING, NULL } };
    const struct payload_value bad[] = { text("temperature", "warm"), text("state", "ajar") };

    assert_string_equal(payload_script(p), "node.js");
    bench_decodes(p, 1, "00", PAYLOAD_SCRIPT, "");
    maps(p, values, 5, PAYLOAD_OK, "a=21.3 b=1.5 c=1");
    maps(p, odd, 2, PAYLOAD_OK, "a=21.30 c=4");
    maps(p, yes, 1, PAYLOAD_OK, "c=2");
    maps(p, bad, 2, PAYLOAD_OK, "a=- c=-");
    maps(p, &values[4], 1, PAYLOAD_UNKNOWN, "");
    maps(p, NULL, 0, PAYLOAD_UNKNOWN, "");
    uint8_t out[8], fport;
    const double none[3] = { 0 };
    assert_int_equal(payload_encode(p, none, &fport, out, sizeof out), -ENOTSUP);
    profile_destroy(p);
    (void)state;
}

static void makes_rows_of_the_elements_of_a_script(void **state)
{
    struct profile *p = bench_load(bench_points, script);
    const struct payload_value values[] = {
        number("log[0].at", 1767225600, 0),
        number("log[0].t", 2, 0),
        text("log[1].at", "2025-12-31T23:50:00Z"),
        number("log[1].t", 1, 0),
        number("log[2].at", 1767226200000, 0),
        number("log[2].t", 3, 0),
        text("log[3].at", "yesterday"),
        number("log[3].t", 9, 0),
        text("log[4].at", "2026-01-01T09:00:00.5+08:00"),
        number("log[4].t", 4, 0),
        number("temperature", 5, 0),
    };

    maps(p, values, sizeof values / sizeof values[0], PAYLOAD_OK,
         "@1767225000000 a=1; @1767225600000 a=2; @1767226200000 a=3; @1767229200000 a=4; a=5");
    profile_destroy(p);
    (void)state;
}

static void tells_outcomes_in_both_languages(void **state)
{
    for (int o = PAYLOAD_OK; o <= PAYLOAD_SCRIPT; o++) {
        const char *en = payload_outcome_text((enum payload_outcome)o, "en");
        const char *zh = payload_outcome_text((enum payload_outcome)o, "zh");
        assert_true(en[strlen(en) - 1] == '.');
        assert_string_not_equal(en, zh);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type_in_every_byte_order),
        cmocka_unit_test(cuts_out_bit_fields_and_signs),
        cmocka_unit_test(counts_from_either_end_and_goes_on_behind_the_field_before),
        cmocka_unit_test(keeps_decimals_exact),
        cmocka_unit_test(computes_formulas_to_one_decimal_beyond_the_step),
        cmocka_unit_test(has_no_value_where_a_formula_has_none),
        cmocka_unit_test(takes_codes_for_no_value),
        cmocka_unit_test(lets_a_point_have_codes_and_a_scale_for_all_its_fields),
        cmocka_unit_test(looks_codes_up_in_tables),
        cmocka_unit_test(converts_to_the_unit_of_the_quantity),
        cmocka_unit_test(chooses_messages_by_port_bytes_and_length),
        cmocka_unit_test(says_that_a_message_is_cut_off),
        cmocka_unit_test(judges_by_quality_flags_and_diagnostics),
        cmocka_unit_test(follows_a_bitmap_of_blocks),
        cmocka_unit_test(reads_keys_and_values),
        cmocka_unit_test(makes_rows_of_values_with_times_oldest_first),
        cmocka_unit_test(passes_over_unknown_keys_that_tell_their_length),
        cmocka_unit_test(repeats_records_with_a_step),
        cmocka_unit_test(keeps_the_newest_of_too_many_rows),
        cmocka_unit_test(refuses_a_message_longer_than_a_frame),
        cmocka_unit_test(reads_every_type_of_cayenne_lpp),
        cmocka_unit_test(passes_over_lpp_values_that_no_point_has),
        cmocka_unit_test(writes_back_what_it_reads),
        cmocka_unit_test(writes_the_message_that_says_most_with_its_marks),
        cmocka_unit_test(maps_the_result_of_a_script),
        cmocka_unit_test(makes_rows_of_the_elements_of_a_script),
        cmocka_unit_test(tells_outcomes_in_both_languages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
