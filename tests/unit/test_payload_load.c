/* SPDX-License-Identifier: Apache-2.0 */
/* What the linter says of a payload that cannot work as written. */
#include "tests/unit/payload_bench.h"

#include "sensors/payload/layout.h"

#define FIELD_FORMAT \
    "payload: {messages: [{id: m, fields: [{point: a, type: u16, formula: \"%s\"}]}]}\n"

struct mistake {
    const char *payload; /* behind three points: the first line is 10 */
    const char *message;
};

static void message_of(const struct diag *d, char *ret, size_t size)
{
    struct diag_message m = diag_get(d, 0);

    snprintf(ret, size, "%d:%d: %s", m.mark.line, m.mark.column, m.text);
}

static int check(const char *points, const struct mistake *m)
{
    char message[1200];
    struct diag *d;
    int wrong = 0;

    assert_int_equal(diag_create(&d), 0);
    struct profile *p = bench_try(points, m->payload, d);
    if (p || diag_count(d) < 1)
        fail_msg("\"%s\" was taken", m->payload);
    message_of(d, message, sizeof message);
    if (strcmp(message, m->message)) {
        print_error("\"%s\":\n  expected %s\n  found    %s\n", m->payload, m->message, message);
        wrong = 1;
    }
    diag_destroy(d);
    return wrong;
}

#define IN_MESSAGE(text) "payload: {messages: [{id: m, " text "}]}\n"
#define FIELD(text)      IN_MESSAGE("fields: [{point: a, " text "}]")

static const struct mistake mistakes[] = {
    { "payload: []\n", "10:10: expected a mapping, found a list" },
    { "payload: {}\n", "10:10: a payload needs 'messages' or 'codec'" },
    { "payload: {endian: middle, messages: []}\n",
      "10:19: expected big, little or mixed, found 'middle'" },
    { "payload: {mesages: []}\n",
      "10:11: unknown key 'mesages' of payload, did you mean 'messages'?" },
    { "payload: {messages: [{id: m}]}\n",
      "10:22: a message has 'fields', 'blocks', 'tlv', 'lpp' or 'records', or 'ignore: true'" },
    { "payload: {messages: [{fport: 1, ignore: true}]}\n", "10:22: a message needs 'id'" },
    { IN_MESSAGE("ignore: true, fields: [{point: a, type: u8}]"),
      "10:22: an ignored message has no fields" },
    { IN_MESSAGE("fport: 224, ignore: true"), "10:37: expected 1 to 223, found '224'" },
    { IN_MESSAGE("fport: [1, 0], ignore: true"), "10:41: expected 1 to 223, found '0'" },
    { IN_MESSAGE("length: [5, 3], ignore: true"), "10:42: expected 5 to 255, found '3'" },
    { IN_MESSAGE("match: [{off: 0}], ignore: true"), "10:38: a test needs 'off' and 'equals'" },
    { IN_MESSAGE("match: [{off: 0, equals: 256}], ignore: true"),
      "10:55: the code lies outside the bits that are read here, found '256'" },
    { IN_MESSAGE("match: [{off: 0, equals: []}], ignore: true"),
      "10:55: expected one code or several" },
    { FIELD("off: 0"), "10:39: a number in a message needs 'type'" },
    { FIELD("type: u12"), "10:56: expected u8, s8, u16, s16, u24, s24, u32, s32, u64, s64, f32 "
                          "or f64, found 'u12', did you mean 'u16'?" },
    { FIELD("type: u8, of: 1"), "10:60: unknown key 'of' of a field, did you mean 'off'?" },
    { FIELD("type: u16, off: -1"),
      "10:66: the number ends beyond the end it is counted from, found '-1'" },
    { FIELD("type: u16, off: 254"),
      "10:66: the number ends beyond the longest message, 255 bytes, found '254'" },
    { FIELD("type: u8, mask: 0x100"),
      "10:66: the mask does not lie in the number, found '0x100'" },
    { FIELD("type: s16, mask: 0x5"),
      "10:67: a signed bit field is one run of bits, found '0x5'" },
    { FIELD("type: u8, mask: 0x0F, shift: 2"),
      "10:79: the shift drops bits of the mask, which counts before it, found '2'" },
    { FIELD("type: u8, shift: 8"), "10:67: expected 0 to 7, found '8'" },
    { FIELD("type: f32, mask: 1"), "10:67: a float has no bit field, found '1'" },
    { FIELD("type: s8, sign: 0x80"),
      "10:66: only an unsigned type can have a bit for its sign, found '0x80'" },
    { FIELD("type: u8, sign: 0x180"),
      "10:66: expected one bit of the field, such as 0x8000, found '0x180'" },
    { FIELD("type: u8, invalid: 300"),
      "10:69: the code lies outside the bits that are read here, found '300'" },
    { FIELD("type: u8, mask: 0x0F, invalid: 0xFF"),
      "10:81: the code lies outside the bits that are read here, found '0xFF'" },
    { FIELD("type: u8, scale: 0"), "10:67: a scale of 0 makes every value 0" },
    { FIELD("type: u8, scale: 2, formula: x"),
      "10:79: 'scale' and 'offset', 'formula' and 'table' exclude each other" },
    { FIELD("type: u8, table: {}"), "10:67: expected a mapping of 1 to 32 codes" },
    { FIELD("type: u8, table: {1: 1, 0x1: 2}"),
      "10:74: the same code stands twice in this table" },
    { FIELD("type: f32, table: {1: 1}"), "10:68: a float has no codes for a table" },
    { FIELD("type: u8, with: {off: 1, type: u8}"), "10:66: 'with' belongs to a formula" },
    { FIELD("type: u8, formula: \"x * y\""),
      "10:70: y is the number at 'with', which is missing" },
    { FIELD("type: u8, formula: \"x\", with: {off: 1, type: u8}"),
      "10:80: the formula has no y: 'with' is of no use" },
    { FIELD("type: u8, formula: \"\""), "10:70: expected a formula such as \"(x - 32768) / "
                                        "10\", found '': the formula ends too early" },
    { FIELD("type: u8, formula: \"x +\""), "10:70: expected a formula such as \"(x - 32768) / "
                                           "10\", found 'x +': the formula ends too early" },
    { FIELD("type: u8, formula: \"2 x\""),
      "10:70: expected a formula such as \"(x - 32768) / 10\", found '2 x': an operator is "
      "missing: + - * / ^" },
    { FIELD("type: u8, formula: \"(x\""), "10:70: expected a formula such as \"(x - 32768) / "
                                          "10\", found '(x': a parenthesis is not closed" },
    { FIELD("type: u8, formula: \"x)\""),
      "10:70: expected a formula such as \"(x - 32768) / 10\", found 'x)': a parenthesis is "
      "closed that was not opened" },
    { FIELD("type: u8, formula: \"min(x)\""),
      "10:70: expected a formula such as \"(x - 32768) / 10\", found 'min(x)': min and max "
      "take two values, everything else one" },
    { FIELD("type: u8, formula: \"sqrt(x, 2)\""),
      "10:70: expected a formula such as \"(x - 32768) / 10\", found 'sqrt(x, 2)': min and max "
      "take two values, everything else one" },
    { FIELD("type: u8, formula: \"x, 2\""),
      "10:70: expected a formula such as \"(x - 32768) / 10\", found 'x, 2': a comma stands "
      "between the values of min and max" },
    { FIELD("type: u8, formula: \"sin(x)\""),
      "10:70: expected a formula such as \"(x - 32768) / 10\", found 'sin(x)': a formula knows "
      "x, y, sqrt, exp, ln, log10, abs, min and max" },
    { FIELD("type: u8, formula: \"1.2.3 * x\""),
      "10:70: expected a formula such as \"(x - 32768) / 10\", found '1.2.3 * x': a number is "
      "not well-formed" },
    { FIELD("type: u8, formula: \"sqrt(-1 - abs(x))\""), "10:70: the formula has no value" },
    { FIELD("type: u8, formula: \"x x\""),
      "10:70: expected a formula such as \"(x - 32768) / 10\", found 'x x': an operator is "
      "missing: + - * / ^" },
    { FIELD("type: u8, quality: {map: {0: good}}"),
      "10:69: a quality needs 'off' and one of 'map' and 'bits'" },
    { FIELD("type: u8, quality: {off: 1, map: {0: fine}}"),
      "10:87: expected good, uncertain, invalid, missing, below_range, above_range, fault, "
      "warmup, zero, span, calibration or maintenance, found 'fine'" },
    { IN_MESSAGE("fields: [{point: d, type: u8}]"), "10:47: no point has the id 'd'" },
    { IN_MESSAGE("fields: [{type: u8}]"), "10:39: the point is missing: key 'point'" },
    { IN_MESSAGE("fields: [{point: a, type: u8}, {point: b, type: u8}]"),
      "9:28: nothing in 'payload' is 'c'" },
    { IN_MESSAGE("flags: [{when: 1, set: fault}], fields: [{point: a, type: u8}]"),
      "10:38: a flag of a payload needs 'off'" },
    { IN_MESSAGE("flags: [{off: 0, set: fault}], fields: [{point: a, type: u8}]"),
      "10:38: a flag of several bits needs 'when', the code, or 'map' or 'bits'" },
    { IN_MESSAGE("flags: [{off: 0, when: 256, set: fault}], fields: [{point: a, type: u8}]"),
      "10:53: 256 lies outside the bits that are read here" },
    { IN_MESSAGE("blocks: {start: 2, list: []}"), "10:38: blocks need 'bitmap'" },
    { IN_MESSAGE("blocks: {bitmap: {off: 0, type: u8}, list: [{}, {}, {}, {}, {}, {}, {}, {}, "
                 "{}]}"),
      "10:73: more than 8 entries in this list" },
    { IN_MESSAGE("blocks: {bitmap: {off: 0}, list: [{size: 1, fields: [{point: a, type: "
                 "u16}]}]}"),
      "10:71: the fields reach to byte 2, more than the size allows" },
    { IN_MESSAGE("tlv: {items: []}"), "10:35: tlv needs 'key': how many bytes a key has" },
    { IN_MESSAGE("tlv: {key: 3, items: []}"), "10:41: expected 1 to 2, found '3'" },
    { IN_MESSAGE("tlv: {key: 1, items: [{key: 0x0101, size: 1}]}"),
      "10:58: the key has more bytes than tlv.key says" },
    { IN_MESSAGE("tlv: {key: 1, items: [{key: 1, size: 1}, {key: 1, size: 2}]}"),
      "10:77: the key stands twice in this list" },
    { IN_MESSAGE("tlv: {key: 1, items: [{key: 1}]}"),
      "10:52: the length is not known: key 'size'" },
    { IN_MESSAGE("tlv: {key: 1, items: [{key: 1, point: a, type: u8, fields: []}]}"),
      "10:52: 'point' and 'fields' exclude each other" },
    { IN_MESSAGE("tlv: {key: 1, items: [{key: 1, time: {off: 0, type: f32}, point: a, type: "
                 "u8}]}"),
      "10:67: a time is in whole Unix seconds" },
    { IN_MESSAGE("lpp: {items: [{channel: 1, type: 105, point: a}]}"),
      "10:63: expected a type of Cayenne LPP such as 103 or temperature, found '105'" },
    { IN_MESSAGE("lpp: {items: [{channel: 1, type: gps, component: 3, point: a}]}"),
      "10:79: expected 0 to 2, found '3'" },
    { IN_MESSAGE("lpp: {items: [{channel: 1, type: 0, point: a}, {channel: 1, type: 0, point: "
                 "b}]}"),
      "10:77: the value stands twice in this list" },
    { IN_MESSAGE("records: {fields: [{point: a, type: u8}]}"),
      "10:39: records have 'time', or 'step' with 'order' and 'newest'" },
    { IN_MESSAGE("records: {step: 1s, fields: []}"),
      "10:39: the length is not known: key 'size'" },
    { IN_MESSAGE("blocks: {bitmap: {off: 0}, list: [{fields: []}]}"),
      "10:64: the length is not known: key 'size'" },
    { IN_MESSAGE("lpp: {items: [{channel: 1, type: gps, point: a}, {channel: 1, type: gps, "
                 "component: 0, point: b}]}"),
      "10:79: the value stands twice in this list" },
    { IN_MESSAGE("records: {step: {off: 0}, fields: [{point: a, type: u8}]}"),
      "10:46: a step in the message needs 'unit', such as 1min" },
    { IN_MESSAGE("records: {time: {off: 0}, newest: now, fields: [{point: a, type: u8}]}"),
      "10:39: records have 'time', or 'step' with 'order' and 'newest'" },
    { IN_MESSAGE("records: {step: 1s, fields: [{point: a, type: u8}]}, tlv: {key: 1, items: "
                 "[]}"),
      "10:39: a message has one of 'blocks', 'tlv', 'lpp' and 'records'" },
    { "payload: {messages: [{id: m, ignore: true}, {id: n, ignore: true}]}\n",
      "10:45: 'm' before it takes every message: it needs 'fport', 'match' or 'length'" },
    { "payload: {messages: [{id: m, fport: 1, ignore: true}, {id: m, ignore: true}]}\n",
      "10:60: the message 'm' stands twice" },
    { "payload: {codec: node.js}\n",
      "10:10: a payload with a script needs 'map': path of the result to point" },
    { "payload: {codec: ../node.js, map: {x: a}}\n",
      "10:18: expected the name of a script without a folder, such as node.js, found "
      "'../node.js'" },
    { "payload: {codec: node.js, map: {x: z}}\n", "10:36: no point has the id 'z'" },
    { "payload: {codec: node.js, map: {x: a}, messages: []}\n",
      "10:40: unknown key 'messages' of a payload with a script" },
    { "payload: {codec: node.js, map: {\"x[].y\": a}}\n",
      "10:32: 'x[].y' is one value for each element: key 'times' must tell their times, with "
      "[] too" },
    { "payload: {codec: node.js, map: {x: {point: a, scale: 2, map: {on: 1}}}}\n",
      "10:62: 'map' and 'scale' or 'offset' exclude each other" },
    { "flags: []\npayload: {messages: []}\n",
      "10:8: 'flags' is for registers: a profile with 'payload' has none" },
};

static void says_what_is_wrong_and_where(void **state)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        wrong += check(bench_points, &mistakes[i]);
    assert_int_equal(wrong, 0);
    (void)state;
}

static void refuses_registers_beside_a_payload(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "points: [{id: a, at: h:1, type: u16}]\n",
          "9:18: unknown key 'at' of a point of a payload" },
        { "points: [{id: a, unit_from: {at: h:1, map: {0: Cel}}}]\n",
          "9:18: unknown key 'unit_from' of a point of a payload" },
        { "points: []\n", "1:1: a profile needs 'points'" },
    };
    const char *payload = "payload: {messages: [{id: m, fields: [{point: a, type: u8}]}]}\n";

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mistake m = { payload, cases[i].message };
        assert_int_equal(check(cases[i].text, &m), 0);
    }
    (void)state;
}

static void wants_lorawan_and_a_payload_together(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "bus: {transports: [lorawan, tcp]}\npoints: [{id: a, at: h:1, type: u16}]\n",
          "8:19: 'lorawan' stands alone: such a device has a payload, the others registers" },
        { "bus: {transports: [lorawan]}\npoints: [{id: a, at: h:1, type: u16}]\n",
          "1:1: a LoRaWAN device needs 'payload'" },
        { "points: [{id: a}]\npayload: {messages: [{id: m, fields: [{point: a, type: u8}]}]}\n",
          "9:10: a payload needs bus: {transports: [lorawan]}" },
    };
    size_t head = strlen(bench_head) - strlen("bus: {transports: [lorawan]}\n");

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[BENCH_BYTES], message[1200];
        struct diag *d;
        assert_int_equal(diag_create(&d), 0);
        int n = snprintf(text, sizeof text, "%.*s%s", (int)head, bench_head, cases[i].text);
        assert_null(profile_load_text("bench.yaml", text, (size_t)n, d));
        message_of(d, message, sizeof message);
        assert_string_equal(message, cases[i].message);
        diag_destroy(d);
    }
    (void)state;
}

/* What is a decimal factor and offset needs no formula, and is exact. */
static void makes_exact_what_is_linear_in_decimals(void **state)
{
    static const struct {
        const char *formula;
        double scale, offset; /* scale 0: stays a formula */
    } cases[] = {
        { "(x - 32768) / 10", 0.1, -3276.8 },
        { "x", 1, 0 },
        { "3 * (x * 2 - 5) / 4", 1.5, -3.75 },
        { "-x", -1, 0 },
        { "(x * 16 - 50000) / 1000", 0.016, -50 },
        { "x / 3", 0, 0 },
        { "x ^ 2", 0, 0 },
        { "min(x, 100)", 0, 0 },
        { "175.72 * x / 65536 - 46.85", 0, 0 },
        { "1 / x", 0, 0 },
        { "7", 0, 0 },
    };
    char payload[512];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(payload, sizeof payload, FIELD_FORMAT, cases[i].formula);
        struct profile *p = bench_load("points: [{id: a}]\n", payload);
        const struct payload_field *f = &p->payload->messages[0].body.fields[0];
        assert_int_equal(f->formula.n == 0, cases[i].scale != 0);
        if (cases[i].scale != 0) {
            assert_true(fabs(f->scale - cases[i].scale) < 1e-15);
            assert_true(fabs(f->offset - cases[i].offset) < 1e-12);
        }
        profile_destroy(p);
    }
    (void)state;
}

static void warns_of_numbers_that_share_bytes(void **state)
{
    static const struct {
        const char *fields;
        size_t warnings;
    } cases[] = {
        { "{point: a, off: 0, type: u16}, {point: b, off: 1, type: u16}", 1 },
        { "{point: a, off: 0, type: u32}, {point: b, off: 3, type: u8}", 1 },
        { "{point: a, off: 0, type: u16}, {point: b, off: 2, type: u16}", 0 },
        { "{point: a, off: 0, type: u16}, {point: b, off: 0, type: u16}", 0 },
        { "{point: a, off: 0, type: u16, mask: 0xFFF0}, {point: b, off: 1, type: u8, mask: 15}",
          0 },
        { "{point: a, off: -2, type: u16}, {point: b, off: 1, type: u16}", 0 },
    };
    char payload[512];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct diag *d;
        assert_int_equal(diag_create(&d), 0);
        snprintf(payload, sizeof payload, "payload: {messages: [{id: m, fields: [%s]}]}\n",
                 cases[i].fields);
        struct profile *p = bench_try("points: [{id: a}, {id: b}]\n", payload, d);
        assert_non_null(p);
        assert_int_equal(diag_warnings(d), cases[i].warnings);
        profile_destroy(p);
        diag_destroy(d);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(refuses_registers_beside_a_payload),
        cmocka_unit_test(wants_lorawan_and_a_payload_together),
        cmocka_unit_test(makes_exact_what_is_linear_in_decimals),
        cmocka_unit_test(warns_of_numbers_that_share_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
