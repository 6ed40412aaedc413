/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile says beyond its readings: bit fields, commands, variants, texts for people. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/conf/profile_load.h"
#include "tests/unit/unit.h"

enum { TEXT_BYTES = 8192, MESSAGE_BYTES = 1200 };

/* Each case below breaks one place of it. */
static const char whole[] =
    "profile: 1\n"
    "id: acme-o3\n"
    "names: {en: Ozone analyser, zh: 臭氧分析仪}\n"
    "vendor: Acme\n"
    "models: O3\n"
    "medium: air\n"
    "verified: template\n"
    "bus: {doc_base: 0, order: CDAB}\n"
    "invalid: {u16: 0xFFFF, bcd16: [0x9999, 17]}\n"
    "points:\n"
    "  - {id: low, at: h:40, type: u16, mask: 0x0003, invalid: 3}\n"
    "  - {id: high, at: h:40, type: u16, mask: 0xFFF0, shift: 4}\n"
    "  - {id: count, at: h:41, type: bcd16}\n"
    "  - {id: ozone, at: h:42, type: f32, unit: \"[ppb]\", quantity: ozone, range: [-10, "
    "1000]}\n"
    "commands:\n"
    "  - id: set_clock\n"
    "    names: {en: Set the clock, zh: 校时}\n"
    "    steps:\n"
    "      - {write: h:100, type: u16, value: $year}\n"
    "      - {write: h:101, type: bcd16, value: $month, joined: true}\n"
    "  - id: start_span\n"
    "    names: {en: Start span, zh: 跨度校准}\n"
    "    mode: {set: span, for: 10min}\n"
    "    parameters:\n"
    "      - {id: level, names: {en: Span gas, zh: 标气浓度}, unit: \"[ppb]\", range: [0, "
    "500]}\n"
    "      - {id: minutes, names: {en: Minutes, zh: 分钟}, range: [1, 60], default: 10, "
    "integer: true}\n"
    "    steps:\n"
    "      - {write: h:200, type: u16, value: $level, scale: 0.1}\n"
    "      - {write: h:202, type: u32, value: $minutes, order: ABCD, multiple: true}\n"
    "      - {wait: 500ms}\n"
    "      - {write: c:7, value: 1}\n"
    "      - {expect: i:9.3, value: 1}\n";

static struct profile *load(const char *text, struct diag *d)
{
    return profile_load_text("p.yaml", text, strlen(text), d);
}

static void replace(const char *text, const char *from, const char *to, char *out)
{
    const char *at = strstr(text, from);

    if (!at)
        fail_msg("the case looks for \"%s\", which is not there", from);
    int n =
        snprintf(out, TEXT_BYTES, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_true(n > 0 && n < TEXT_BYTES);
}

static struct profile *load_good(const char *text)
{
    struct diag *d;

    assert_int_equal(diag_create(&d), 0);
    struct profile *p = load(text, d);
    diag_print(d, stderr);
    assert_non_null(p);
    assert_int_equal(diag_count(d), 0);
    diag_destroy(d);
    return p;
}

struct mistake {
    const char *from, *to, *message;
};

static struct diag_message first_error(const struct diag *d)
{
    size_t i = 0;

    while (i + 1 < diag_count(d) && diag_get(d, i).is_warning)
        i++;
    return diag_get(d, i);
}

static void expect_messages(const char *text, const struct mistake *mistakes, size_t n)
{
    char broken[TEXT_BYTES], message[MESSAGE_BYTES];
    size_t wrong = 0;

    for (size_t i = 0; i < n; i++) {
        struct diag *d;
        assert_int_equal(diag_create(&d), 0);
        replace(text, mistakes[i].from, mistakes[i].to, broken);
        struct profile *p = load(broken, d);
        if (p || diag_count(d) < 1)
            fail_msg("\"%s\" was taken", mistakes[i].to);
        struct diag_message m = first_error(d);
        snprintf(message, sizeof message, "%d:%d: %s [E%03d]", m.mark.line, m.mark.column,
                 m.text, (int)m.code);
        if (strcmp(message, mistakes[i].message)) {
            print_error("\"%s\":\n  expected %s\n  found    %s\n", mistakes[i].to,
                        mistakes[i].message, message);
            wrong++;
        }
        diag_destroy(d);
    }
    assert_int_equal(wrong, 0);
}

#define EXPECT_MESSAGES(text, table) \
    expect_messages(text, table, sizeof(table) / sizeof(table)[0])

static void reads_bit_fields_and_bcd(void **state)
{
    struct profile *p = load_good(whole);

    assert_int_equal(p->points[0].mask, 3);
    assert_int_equal(p->points[0].shift, 0);
    assert_int_equal(p->points[0].invalid_n, 1); /* its own, not those of whole registers */
    assert_int_equal(p->points[1].mask, 0xFFF0);
    assert_int_equal(p->points[1].shift, 4);
    assert_int_equal(p->points[1].invalid_n, 0);
    assert_int_equal(p->points[2].type, TYPE_BCD16);
    assert_int_equal(p->points[2].invalid[0], 0x9999);
    assert_int_equal(p->points[2].invalid[1], 0x17); /* decimal: as the digits show it */
    profile_destroy(p);
    (void)state;
}

static void says_what_is_wrong_with_a_bit_field(void **state)
{
    static const struct mistake mistakes[] = {
        { "mask: 0x0003", "mask: 0x10003",
          "11:42: the mask '0x10003' does not lie in the register [E013]" },
        { "mask: 0x0003", "mask: 0",
          "11:42: the mask '0' does not lie in the register [E013]" },
        { "shift: 4", "shift: 5",
          "12:58: a shift of 5 drops bits of the mask, which counts before it [E022]" },
        { "shift: 4", "shift: 16", "12:58: expected 0 to 15, found '16' [E013]" },
        { "type: u16, mask: 0x0003", "type: s16, mask: 0x0003",
          "11:42: a bit field lies in an unsigned type: u16, u32 or u64 [E022]" },
        { "invalid: 3", "invalid: 4",
          "11:59: a code that means no value lies outside the bit field [E013]" },
        { "invalid: 3", "invalid_from: h:9",
          "11:64: 'invalid_from' holds a code of whole registers, not of a bit field [E022]" },
        { "17]", "10000]", "9:40: '10000' does not fit type bcd16 [E013]" },
    };

    EXPECT_MESSAGES(whole, mistakes);
    (void)state;
}

static void warns_of_bit_fields_that_overlap(void **state)
{
    char text[TEXT_BYTES];
    struct diag *d;

    replace(whole, "mask: 0xFFF0, shift: 4", "mask: 0xFFFE", text);
    assert_int_equal(diag_create(&d), 0);
    struct profile *p = load(text, d);
    assert_non_null(p);
    assert_int_equal(diag_warnings(d), 1);
    profile_destroy(p);
    diag_destroy(d);
    (void)state;
}

static void reads_commands(void **state)
{
    struct profile *p = load_good(whole);
    const struct profile_command *clock = &p->commands[0], *span = &p->commands[1];

    assert_int_equal(p->commands_n, 2);
    assert_string_equal(clock->id, "set_clock");
    assert_string_equal(clock->zh, "校时");
    assert_null(clock->mode);
    assert_int_equal(clock->steps_n, 2);
    assert_int_equal(clock->steps[0].source, FROM_YEAR);
    assert_int_equal(clock->steps[1].type, TYPE_BCD16);
    assert_true(clock->steps[1].is_joined);
    assert_string_equal(span->mode, "span");
    assert_int_equal(span->mode_ms, 600000);
    assert_int_equal(span->parameters_n, 2);
    assert_string_equal(span->parameters[0].unit->code, "[ppb]");
    assert_true(isnan(span->parameters[0].dflt));
    assert_true(span->parameters[1].dflt == 10 && span->parameters[1].is_integer);
    assert_int_equal(span->steps_n, 5);
    assert_int_equal(span->steps[0].source, FROM_PARAMETER);
    assert_true(span->steps[0].scale == 0.1);
    assert_int_equal(span->steps[1].parameter, 1);
    assert_int_equal(span->steps[1].order, ORDER_ABCD);
    assert_true(span->steps[1].is_multiple);
    assert_int_equal(span->steps[2].wait_ms, 500);
    assert_int_equal(span->steps[3].at.space, SPACE_COIL);
    assert_int_equal(span->steps[3].type, TYPE_BIT);
    assert_int_equal(span->steps[4].kind, STEP_EXPECT);
    assert_int_equal(span->steps[4].at.bit, 3);
    profile_destroy(p);
    (void)state;
}

static void says_what_is_wrong_with_a_command(void **state)
{
    static const struct mistake mistakes[] = {
        { "id: set_clock", "id: Set",
          "16:9: expected an id of small letters, digits and '_' "
          "that begins with a letter, at most 64, found 'Set' "
          "[E012]" },
        { "id: start_span", "id: set_clock",
          "21:9: the command 'set_clock' stands twice [E017]" },
        { "    names: {en: Set the clock, zh: 校时}\n", "",
          "16:5: a command needs 'id', 'names' and 'steps' [E005]" },
        { ", zh: 校时", "", "17:12: the Chinese text is missing: key 'zh' [E005]" },
        { "    mode: {set: span, for: 10min}\n", "    modes: zero\n",
          "23:5: unknown key 'modes' of a command, did you mean 'mode'? [E003]" },
        { "set: span", "set: fault",
          "23:17: expected zero, span, calibration or maintenance, found 'fault' [E014]" },
        { "for: 10min", "for: 2000min",
          "23:28: expected 1000ms to 86400000ms, found '2000min' [E013]" },
        { ", for: 10min", "", "23:11: the mode of a command needs 'set' and 'for' [E005]" },
        { "range: [0, 500]", "default: 1",
          "25:9: a parameter needs 'id', 'names' and 'range' [E005]" },
        { "\"[ppb]\", range: [0, 500]", "ppb, range: [0, 500]",
          "25:60: expected a UCUM unit, found 'ppb', write \"[ppb]\" [E015]" },
        { "id: minutes", "id: minute",
          "26:14: a parameter cannot have the name of a part of the clock [E022]" },
        { "id: minutes", "id: level", "26:14: the parameter 'level' stands twice [E017]" },
        { "default: 10", "default: 61",
          "26:78: the default is no whole number from 1 to 60 [E013]" },
        { "default: 10", "default: 1.5",
          "26:78: the default is no whole number from 1 to 60 [E013]" },
        { "value: $year", "value: $jear",
          "19:42: '$jear' is no parameter of this command and no part of the clock: $year "
          "$year2 $month $day $hour $minute $second $weekday $unix [E016]" },
        { "value: $year", "value: $level",
          "19:42: '$level' is no parameter of this command and no part of the clock: $year "
          "$year2 $month $day $hour $minute $second $weekday $unix [E016]" },
        { "value: $year", "value: $unix", "19:42: 0 to 4102444799 do not fit type u16 [E013]" },
        { "value: $year", "value: 70000", "19:42: 70000 does not fit type u16 [E013]" },
        { "value: $year", "value: -1", "19:42: -1 does not fit type u16 [E013]" },
        { "value: $year", "value: 1.5",
          "19:42: type u16 cannot hold 1.5 without rounding it [E013]" },
        { ", value: $year", "", "19:9: a step that writes needs 'value' [E005]" },
        { "type: u16, value: $year", "value: $year", "19:9: a register needs 'type' [E005]" },
        { "write: h:100", "write: i:100",
          "19:17: only holding registers and coils can be written [E022]" },
        { "write: c:7", "write: d:7",
          "31:17: only holding registers and coils can be written [E022]" },
        { "write: h:100, type: u16", "write: h:100.2",
          "19:17: a single bit of a register cannot be written without writing the others "
          "[E022]" },
        { "write: h:100, type: u16", "write: h:100/4, type: str",
          "19:32: texts are neither written nor expected [E022]" },
        { "write: h:101", "write: h:102",
          "20:60: a joined write goes to the address next to the one before it [E022]" },
        { "- {wait: 500ms}\n      - {write: c:7, value: 1}",
          "- {wait: 500ms}\n      - {write: c:7, value: 1, joined: true}",
          "31:40: 'joined' needs a write just before it [E022]" },
        { "wait: 500ms", "wait: 11min",
          "30:16: expected 1ms to 600000ms, found '11min' [E013]" },
        { "wait: 500ms", "wait: 500ms, value: 1",
          "30:23: unknown key 'value' of a wait [E003]" },
        { "wait: 500ms", "weit: 500ms",
          "30:9: a step has one of 'write', 'wait' and 'expect' [E005]" },
        { "$level, scale: 0.1", "$level, scale: 0.001",
          "28:42: 0 to 500 do not fit type u16 as scaled [E013]" },
        { "scale: 0.1", "scale: 0", "28:57: a scale of 0 makes every value 0 [E013]" },
        { "value: $minutes", "value: 1", "25:7: no step uses the parameter 'minutes' [E016]" },
        { "value: 1}\n      - {expect: i:9.3", "value: 2}\n      - {expect: i:9.3",
          "31:29: 2 does not fit type bit [E013]" },
        { "    steps:\n      - {write: h:100, type: u16, value: $year}\n"
          "      - {write: h:101, type: bcd16, value: $month, joined: true}\n",
          "    steps: [{wait: 1s}]\n", "18:12: a command writes something [E022]" },
        { "commands:\n", "commands: {}\nflags:\n",
          "15:11: expected a list, found a mapping [E006]" },
    };

    EXPECT_MESSAGES(whole, mistakes);
    (void)state;
}

/* Two layouts: the other one has its values elsewhere, and its own status. */
static const char two[] =
    "profile: 1\n"
    "id: acme-ws\n"
    "names: {en: Weather, zh: 气象}\n"
    "vendor: Acme\n"
    "models: WS\n"
    "medium: weather\n"
    "verified: template\n"
    "bus: {doc_base: 1, order: ABCD}\n"
    "identify:\n"
    "  - {at: h:11, equals: 7}\n"
    "points:\n"
    "  - {id: air_temp, at: i:1, type: s16, scale: 0.1, unit: Cel, quantity: air_temp, range: "
    "[-60, 60]}\n"
    "  - {id: raw, at: i:2, type: u16, unit: mV}\n"
    "calibration:\n"
    "  - {id: last_cal, mei: 0x81}\n"
    "  - {id: serial, at: h:100/8, type: str}\n"
    "flags:\n"
    "  - {at: i:9, when: 1, set: fault, help: {en: lamp, zh: 灯}}\n"
    "variants:\n"
    "  - id: new\n"
    "    when: [{at: h:12, in: [400, 499]}]\n"
    "    bus: {doc_base: 0, order: CDAB}\n"
    "    points:\n"
    "      - {id: air_temp, at: i:20, type: f32, unit: \"[degF]\", quantity: air_temp, range: "
    "[-60, 60]}\n"
    "      - {id: raw, at: i:22, type: f32, unit: mV}\n"
    "  - id: old\n"
    "    when: [{at: h:12, in: [100, 199]}, {mei: 1, equals: WS}]\n"
    "    flags: []\n"
    "notes: {en: a note, zh: 说明}\n"
    "setup: press ENTER\n";

static void reads_variants_as_whole_profiles(void **state)
{
    struct profile *p = load_good(two);

    assert_int_equal(p->variants_n, 2);
    const struct profile *new = p->variants[0], *old = p->variants[1];
    assert_null(p->variant);
    assert_string_equal(new->variant, "new");
    assert_string_equal(new->id, "acme-ws");
    assert_int_equal(new->order, ORDER_CDAB);
    assert_int_equal(new->points_n, 4);
    assert_int_equal(new->points[0].at.first, 20);
    assert_int_equal(new->points[0].type, TYPE_F32);
    assert_int_equal(new->points[0].quantity == p->points[0].quantity, 1);
    assert_int_equal(new->flags_n, 1);
    assert_int_equal(new->flags[0].map.at.first, 9); /* with its own doc_base */
    assert_true(profile_offset(new, SPACE_INPUT, 20) >= 0);
    assert_int_equal(profile_offset(new, SPACE_INPUT, 0), -1);
    assert_int_equal(old->points[0].at.first, 0);
    assert_int_equal(old->flags_n, 0);
    assert_int_equal(old->when_n, 2);
    assert_int_equal(old->when[1].mei, 1);
    profile_destroy(p);
    (void)state;
}

static void asks_tests_at_the_addresses_of_the_base(void **state)
{
    struct profile *p = load_good(two);

    assert_int_equal(p->variants[0]->when[0].at.first, 11); /* doc_base 1, not 0 */
    assert_int_equal(p->variants[0]->identify[0].at.first, 10);
    profile_destroy(p);
    (void)state;
}

static void says_what_is_wrong_with_a_variant(void **state)
{
    static const struct mistake mistakes[] = {
        { "  - id: old\n    when", "  - when", "26:5: a variant needs 'id' [E005]" },
        { "id: old", "id: new", "26:9: the variant 'new' stands twice [E017]" },
        { "    when: [{at: h:12, in: [400, 499]}]\n", "",
          "20:5: a variant needs 'when': the tests that tell it from the others [E005]" },
        { "[{at: h:12, in: [400, 499]}]", "[]",
          "20:5: a variant needs 'when': the tests that tell it from the others [E005]" },
        { "    flags: []", "    vendor: Other",
          "28:5: unknown key 'vendor' of a variant [E003]" },
        { "      - {id: raw, at: i:22, type: f32, unit: mV}\n", "",
          "15:5: a variant has the same points in the same order: the id of 'last_cal' is "
          "another one than that of 'raw' of the profile [E022]" },
        { "id: raw, at: i:22, type: f32, unit: mV", "id: raw, at: i:22, type: f32, unit: V",
          "25:9: a variant has the same points in the same order: the unit of 'raw' is another "
          "one than that of 'raw' of the profile [E022]" },
        { "\"[degF]\", quantity: air_temp", "\"[degF]\", quantity: water_temp",
          "24:9: a variant has the same points in the same order: the quantity of 'air_temp' "
          "is "
          "another one than that of 'air_temp' of the profile [E022]" },
        { "type: f32, unit: mV", "type: f31, unit: mV",
          "25:35: expected u16, s16, u32, s32, u64, s64, f32, f64, bcd16, bcd32, bit, str or "
          "bits, found 'f31', did you mean 'f32'? [E014]" },
        { "{en: a note, zh: 说明}", "{en: a note}",
          "29:8: the Chinese text is missing: key 'zh' [E005]" },
    };

    EXPECT_MESSAGES(two, mistakes);
    (void)state;
}

static void reads_texts_for_people_in_both_languages(void **state)
{
    struct profile *p = load_good(two);

    assert_string_equal(p->notes, "a note");
    assert_string_equal(p->notes_zh, "说明");
    assert_string_equal(p->setup, "press ENTER");
    assert_string_equal(p->setup_zh, "press ENTER"); /* one text is for everybody */
    assert_string_equal(p->flags[0].help, "lamp");
    assert_string_equal(p->flags[0].help_zh, "灯");
    profile_destroy(p);
    (void)state;
}

static void polls_no_texts(void **state)
{
    struct profile *p = load_good(two);
    const struct profile_point *last_cal = &p->points[2], *serial = &p->points[3];

    assert_true(last_cal->has_mei);
    assert_int_equal(last_cal->mei, 0x81);
    assert_int_equal(last_cal->at.space, 0);
    assert_false(serial->has_mei);
    assert_int_equal(serial->at.count, 8);
    assert_int_equal(profile_offset(p, SPACE_HOLDING, 99), -1);
    profile_destroy(p);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_bit_fields_and_bcd),
        cmocka_unit_test(says_what_is_wrong_with_a_bit_field),
        cmocka_unit_test(warns_of_bit_fields_that_overlap),
        cmocka_unit_test(reads_commands),
        cmocka_unit_test(says_what_is_wrong_with_a_command),
        cmocka_unit_test(reads_variants_as_whole_profiles),
        cmocka_unit_test(asks_tests_at_the_addresses_of_the_base),
        cmocka_unit_test(says_what_is_wrong_with_a_variant),
        cmocka_unit_test(reads_texts_for_people_in_both_languages),
        cmocka_unit_test(polls_no_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
