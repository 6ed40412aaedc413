/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/conf/profile_load.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

enum { TEXT_BYTES = 4096, MESSAGE_BYTES = 1200 };

/* Every kind of key once; each case below breaks one place of it. */
static const char whole[] =
    "profile: 1\n"
    "id: acme-o3\n"
    "names: {en: Ozone analyser, zh: 臭氧分析仪}\n"
    "vendor: Acme\n"
    "models: [O3, O3x]\n"
    "medium: [air, weather]\n"
    "verified: datasheet\n"
    "sources: [manual 1, manual 2]\n"
    "bus:\n"
    "  transports: [rtu, tcp]\n"
    "  serial: {baud: 4800, format: 8E1, unit: 246}\n"
    "  doc_base: 0\n"
    "  order: CDAB\n"
    "  order_from: {at: h:3000, map: {0: ABCD, 1: CDAB}}\n"
    "  read: {max: 60, gap: 8, pause: 20ms, timeout: 2s, retries: 3}\n"
    "identify:\n"
    "  - {need: true, mei: 0x01, equals: AQT530}\n"
    "  - {at: h:523/16, type: str, matches: \"49iQ*\"}\n"
    "  - {at: i:44, type: f32, in: [0, 60]}\n"
    "  - {at: h:6, equals: 4}\n"
    "invalid: {s16: [0x7FFF, -1], f32: -9999}\n"
    "block: {base: i:200, stride: 8, count: 4, fields: {value: {off: 0, type: f32}, quality: "
    "{off: 4}, unit: {off: 3}, sentinel: {off: 5}}}\n"
    "points:\n"
    "  - {id: ozone, at: i:18, type: f32, unit: \"[ppb]\", quantity: ozone, range: [-10, "
    "1000], sim: {base: 80, swing: 40, noise: 2}}\n"
    "  - {id: temp, at: h:0x0A, type: s16, scale: 0.1, offset: -40, unit_from: {at: h:28, map: "
    "{0: Cel, 1: \"[degF]\"}}, quantity: air_temp, range: [-60, 60]}\n"
    "  - {id: third, slot: 2, unit: Cel, names: {en: third, zh: 第三}, quality: {map: {0: "
    "good, 2: invalid}}}\n"
    "  - {id: lamp, at: h:40.3, option: true, since: 4.36, hj212: a05024}\n"
    "diagnostics:\n"
    "  - {id: flow, at: i:40, type: u16, unit: cm3/min, range: [700, 900], points: [ozone], "
    "scale_from: {at: i:4, type: s16, rule: pow10_neg}}\n"
    "calibration:\n"
    "  - {id: slope, at: i:6, type: f32, unit: \"1\", stat: avg, order: ABCD}\n"
    "  - {id: last, mei: 0x81}\n"
    "flags:\n"
    "  - {at: d:9, when: 1, set: zero, help: in zero}\n"
    "  - {at: h:50, mask: 0xF0, shift: 4, map: {1: good, 3: fault}, points: [temp]}\n"
    "  - {at: h:52/2, bits: {0: uncertain, 31: maintenance}}\n"
    "mode: {at: h:60, map: {0: measuring, 1: span}}\n"
    "setup: text\n"
    "commands: []\n"
    "variants: []\n"
    "notes: text\n";

static struct profile *load(const char *text, struct diag *d)
{
    return profile_load_text("p.yaml", text, strlen(text), d);
}

/* `whole` with the first `from` replaced by `to`. */
static void replace(const char *from, const char *to, char *out)
{
    const char *at = strstr(whole, from);

    if (!at)
        fail_msg("the case looks for \"%s\", which is not there", from);
    int n =
        snprintf(out, TEXT_BYTES, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
    assert_true(n > 0 && n < TEXT_BYTES);
}

static void message_of(const struct diag *d, size_t i, char *out)
{
    struct diag_message m = diag_get(d, i);

    snprintf(out, MESSAGE_BYTES, "%d:%d: %s%s [E%03d]", m.mark.line, m.mark.column,
             m.is_warning ? "warning: " : "", m.text, (int)m.code);
}

struct mistake {
    const char *from, *to, *message;
};

static const struct mistake mistakes[] = {
    { "profile: 1", "profile: 2", "1:10: expected format version 1, found '2' [E012]" },
    { "profile: 1\n", "", "1:1: a profile needs 'profile' [E005]" },
    { "acme-o3", "Acme_O3",
      "2:5: expected an id of small letters, digits and '-', at most 64, found 'Acme_O3' "
      "[E012]" },
    { ", zh: 臭氧分析仪", "", "3:8: the Chinese text is missing: key 'zh' [E005]" },
    { "en: Ozone analyser, ", "", "3:8: the English text is missing: key 'en' [E005]" },
    { "vendor: Acme", "vendor: []", "4:9: expected a text, found a list [E006]" },
    { "models: [O3, O3x]", "models: []",
      "5:9: expected one text or more, 4096 characters in all, found a list [E012]" },
    { "[air, weather]", "[air, wether]",
      "6:15: expected air, weather, water, soil, noise, radiation or station, found 'wether', "
      "did you mean 'weather'? [E014]" },
    { "verified: datasheet", "verified: proven",
      "7:11: expected template, datasheet, interop or hardware, found 'proven' [E014]" },
    { "verified: datasheet", "verified: {level: hardware, by: me, firmware: 1.0}",
      "7:11: verified: hardware needs its evidence: 'date' [E005]" },
    { "verified: datasheet", "verified: interop",
      "7:11: verified: interop needs its evidence: 'with' [E005]" },
    { "sources: [manual 1, manual 2]\n", "",
      "1:1: a profile needs 'sources': where its addresses come from [E005]" },
    { "transports: [rtu, tcp]", "transports: [rtu, udp]",
      "10:21: expected rtu, tcp, ascii or lorawan, found 'udp' [E014]" },
    { "baud: 4800", "baud: 48", "11:18: expected 300 to 921600, found '48' [E013]" },
    { "format: 8E1", "format: 8X1",
      "11:32: expected 8N1, 8E1, 8O1, 8N2, 7E1 or 7O1, found '8X1', did you mean '8N1'? "
      "[E014]" },
    { "doc_base: 0", "doc_base: 40000",
      "12:13: expected 0 (PDU addresses), 1, 30001 or 40001, found 40000 [E012]" },
    { "order: CDAB", "order: ABDC",
      "13:10: expected ABCD, CDAB, BADC or DCBA, found 'ABDC', did you mean 'ABCD'? [E014]" },
    { "max: 60", "max: 126", "15:15: expected 1 to 125, found '126' [E013]" },
    { "max: 60", "max: 1",
      "24:5: 'ozone' takes 2 registers, bus.read.max allows 1 in one request [E022]" },
    { "timeout: 2s", "timeout: 2",
      "15:49: expected a duration such as 500ms or 2s, found '2' [E012]" },
    { "timeout: 2s", "timeout: 2min", "15:49: expected 10ms to 60000ms, found '2min' [E013]" },
    { "retries: 3", "retires: 3",
      "15:53: unknown key 'retires' of bus.read, did you mean 'retries'? [E003]" },
    { "retries: 3", "atomic: true, single: true",
      "15:9: 'atomic' and 'single' exclude each other [E022]" },
    { "need: true", "need: yes", "17:12: expected true or false, found 'yes' [E012]" },
    { ", equals: AQT530", "", "17:5: a test needs one of 'equals', 'matches' and 'in' [E005]" },
    { "mei: 0x01, ", "", "17:5: a test needs 'at' or 'mei', not both [E005]" },
    { "matches: \"49iQ*\"", "in: [1, 2]",
      "18:35: a text is compared by 'equals' or 'matches' [E022]" },
    { "equals: 4", "matches: x", "20:24: a number is compared by 'equals' or 'in' [E022]" },
    { "0x7FFF, -1", "0x1FFFF", "21:17: '0x1FFFF' does not fit type s16 [E013]" },
    { "0x7FFF, -1", "-40000",
      "21:17: expected -32768 to 9223372036854775807, found '-40000' "
      "[E013]" },
    { "f32: -9999", "f16: -9999",
      "21:30: unknown key 'f16' of invalid, did you mean 'u16'? [E003]" },
    { "count: 4", "count: 0", "22:40: expected 1 to 64, found '0' [E013]" },
    { "stride: 8, ", "", "22:8: a block needs 'stride' [E005]" },
    { "value: {off: 0, type: f32}", "value: {off: 7, type: f32}",
      "22:65: expected 0 to 6, found '7' [E013]" },
    { "id: ozone, ", "", "24:5: a point needs 'id' [E005]" },
    { "id: ozone, ", "id: temp, ",
      "25:10: the id 'temp' stands twice, first in line 24 [E017]" },
    { "at: i:18", "at: i18",
      "24:21: expected an address such as h:0, i:0x12, d:9, h:12.3 (bit 3) or h:12/2 (two "
      "registers), found 'i18' [E018]" },
    { "at: i:18", "at: i:65535", "24:21: addresses end at 65535, found 'i:65535' [E018]" },
    { "at: i:18", "at: i:18/4",
      "24:21: type f32 takes 2 registers, the address says 4 [E022]" },
    { "at: i:18, ", "",
      "24:5: a point needs one of 'at', 'slot' and 'mei', which tell where it stands [E005]" },
    { "at: i:18, type: f32, ", "at: i:18, ", "24:5: a register needs 'type' [E005]" },
    { "type: f32, unit: \"[ppb]\"", "type: bit, unit: \"[ppb]\"",
      "24:33: type bit needs a bit address such as h:12.3, or a coil or input [E022]" },
    { "\"[ppb]\"", "ppb", "24:44: expected a UCUM unit, found 'ppb', write \"[ppb]\" [E015]" },
    { "\"[ppb]\"", "furlong", "24:44: expected a UCUM unit, found 'furlong' [E015]" },
    { "\"[ppb]\"", "Cel",
      "24:44: unit 'Cel' does not fit the quantity 'ozone', which is in ug/m3 [E015]" },
    { "unit: \"[ppb]\", ", "",
      "24:5: a point with a quantity needs 'unit' or 'unit_from' [E005]" },
    { "quantity: ozone", "quantity: ozon",
      "24:63: 'ozon' is no quantity of the vocabulary, did you mean 'ozone'? [E014]" },
    { "range: [-10, 1000], ", "",
      "24:5: a point with a quantity needs 'range', in ug/m3 [E005]" },
    { "range: [-10, 1000]", "range: [10, -10]",
      "24:77: a range runs from the lowest to the highest, found [10, -10] [E013]" },
    { "base: 80", "base: 8000",
      "24:102: the simulated level lies outside the point's range [-10, 1000] [E013]" },
    { "noise: 2", "noise: -2", "24:124: 'noise' cannot be negative [E013]" },
    { "scale: 0.1", "scale: 0", "25:46: a scale of 0 makes every value 0 [E013]" },
    { "scale: 0.1", "scale: 1e-20",
      "25:46: expected a decimal number with at most 12 decimals, found '1e-20' [E013]" },
    { "scale: 0.1", "scale: tenth", "25:46: expected a number, found 'tenth' [E012]" },
    { "map: {0: Cel, 1: \"[degF]\"}", "map: {0: m, 1: cm}",
      "25:75: no unit of this map fits the quantity 'air_temp', which is in Cel [E015]" },
    { "unit_from: {at: h:28, map", "unit: Cel, unit_from: {at: h:28, map",
      "25:86: 'unit' and 'unit_from' exclude each other [E022]" },
    { "slot: 2", "slot: 4", "26:23: expected 0 to 3, found '4' [E013]" },
    { "at: h:40.3", "at: h:40.16",
      "27:20: only registers have bits, 0 to 15, found 'h:40.16' "
      "[E018]" },
    { "points: [ozone]", "points: [ozon]",
      "29:80: no point has the id 'ozon', did you mean 'ozone'? [E016]" },
    { "rule: pow10_neg", "rule: pow_10",
      "29:127: expected factor, pow10 or pow10_neg, found 'pow_10', did you mean 'pow10'? "
      "[E014]" },
    { "stat: avg", "stat: mean",
      "31:54: expected avg, min, max, sum, std or raw, found 'mean' [E014]" },
    { "set: zero", "set: null_point",
      "34:29: expected good, uncertain, invalid, missing, below_range, above_range, fault, "
      "warmup, zero, span, calibration or maintenance, found 'null_point' [E014]" },
    { "when: 1, set: zero", "when: 1",
      "34:5: a flag has one of 'set' (with 'when'), 'map' and 'bits' [E022]" },
    { "3: fault", "16: fault", "35:53: '16' lies outside the bits that are read here [E013]" },
    { "31: maintenance", "32: maintenance",
      "36:39: '32' lies outside the bits that are read here [E013]" },
    { "1: span", "0x0: span", "37:38: the code '0x0' stands twice in this map [E004]" },
    { "mask: 0xF0, shift: 4, map: {1: good, 3: fault}", "mask: 0xF0, when: 1, set: fault",
      "35:34: 1 lies outside the bits that are read here [E013]" },
    { "mask: 0xF0", "mask: 0x1F0F0",
      "35:22: the mask '0x1F0F0' does not lie in the register [E013]" },
    { "1: span", "1: good",
      "37:41: expected measuring, zero, span, calibration, maintenance, warmup or fault, found "
      "'good' [E014]" },
    { "setup: text", "setup: []", "38:8: expected a text, found a list [E006]" },
    { "variants: []", "variants: {}", "40:11: expected a list, found a mapping [E006]" },
    { "notes: text", "note: text",
      "41:1: unknown key 'note' of a profile, did you mean 'notes'? [E003]" },
    { "notes: text", "points: []", "41:1: key 'points' stands twice, first in line 23 [E004]" },
};

static void says_what_is_wrong_and_where(void **state)
{
    char text[TEXT_BYTES], message[MESSAGE_BYTES];
    size_t wrong = 0;

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        const struct mistake *m = &mistakes[i];
        struct diag *d;
        assert_int_equal(diag_create(&d), 0);
        replace(m->from, m->to, text);
        struct profile *p = load(text, d);
        if (p || diag_count(d) < 1)
            fail_msg("\"%s\" was taken", m->to);
        message_of(d, 0, message);
        if (strcmp(message, m->message)) {
            print_error("\"%s\":\n  expected %s\n  found    %s\n", m->to, m->message, message);
            wrong++;
        }
        diag_destroy(d);
    }
    assert_int_equal(wrong, 0);
    (void)state;
}

static void finds_every_mistake_in_one_run(void **state)
{
    static const char text[] = "profile: 1\n"
                               "id: X\n"
                               "names: {en: a, zh: b}\n"
                               "vendor: V\n"
                               "models: M\n"
                               "medium: air\n"
                               "verified: template\n"
                               "points:\n"
                               "  - {id: a, at: h:1, type: u61}\n"
                               "  - {id: b, at: q:1, type: u16}\n"
                               "  - {id: c, at: h:3, typ: u16}\n";
    struct diag *d;

    assert_int_equal(diag_create(&d), 0);
    assert_null(load(text, d));
    assert_int_equal(diag_errors(d), 5); /* id, u61, q:1, typ, no type */
    diag_destroy(d);
    (void)state;
}

/* `whole` with one change, loaded without an error. */
static struct profile *load_changed(const char *from, const char *to, size_t warnings)
{
    char text[TEXT_BYTES];
    struct diag *d;

    assert_int_equal(diag_create(&d), 0);
    replace(from, to, text);
    struct profile *p = load(text, d);
    diag_print(d, stderr);
    assert_non_null(p);
    assert_int_equal(diag_warnings(d), warnings);
    diag_destroy(d);
    return p;
}

static void reads_what_a_profile_says(void **state)
{
    struct profile *p = load_changed("profile", "profile", 0);

    assert_string_equal(p->id, "acme-o3");
    assert_string_equal(p->zh, "臭氧分析仪");
    assert_string_equal(p->models, "O3, O3x");
    assert_string_equal(p->source, "manual 1; manual 2");
    assert_string_equal(p->verified, "datasheet");
    assert_int_equal(p->media, 1u << MEDIUM_AIR | 1u << MEDIUM_WEATHER);
    assert_true(p->has_rtu && p->has_tcp);
    assert_int_equal(p->serial.baud, 4800);
    assert_string_equal(p->serial.format, "8E1");
    assert_int_equal(p->serial.unit, 246);
    assert_int_equal(p->order, ORDER_CDAB);
    assert_int_equal(p->order_from.choice[0].verdict.status, ORDER_ABCD);
    assert_int_equal(p->read_max, 60);
    assert_int_equal(p->read_gap, 8);
    assert_int_equal(p->read_pause_ms, 20);
    assert_int_equal(p->timeout_ms, 2000);
    assert_int_equal(p->retries, 3);
    assert_int_equal(p->points_n, 7);
    assert_int_equal(p->flags_n, 3);
    assert_int_equal(p->identify_n, 4);
    profile_destroy(p);
    (void)state;
}

static void reads_what_a_point_says(void **state)
{
    struct profile *p = load_changed("profile", "profile", 0);
    const struct profile_point *ozone = &p->points[0], *temp = &p->points[1],
                               *third = &p->points[2], *lamp = &p->points[3],
                               *flow = &p->points[4], *slope = &p->points[5];

    assert_string_equal(ozone->quantity->id, "ozone");
    assert_string_equal(ozone->unit->code, "[ppb]");
    assert_false(ozone->conversion.is_identity);
    assert_true(ozone->sim_base == 80 && ozone->sim_swing == 40 && ozone->sim_noise == 2);
    assert_int_equal(ozone->invalid_n, 1); /* -9999 of every f32 */
    assert_true(isnan(temp->sim_base));
    assert_int_equal(temp->at.first, 10);
    assert_true(temp->scale == 0.1 && temp->offset == -40 && temp->scale_decimals == 1);
    assert_int_equal(temp->invalid[1], 0xFFFF);
    assert_int_equal(temp->unit_from.n, 2);
    assert_int_equal(third->at.first, 216);
    assert_int_equal(third->quality.at.first, 220);
    assert_int_equal(third->invalid_from.first, 221);
    assert_int_equal(third->invalid_from.count, 2);
    assert_string_equal(third->zh, "第三");
    assert_int_equal(lamp->type, TYPE_BIT);
    assert_true(lamp->is_option);
    assert_int_equal(flow->role, POINT_DIAGNOSTIC);
    assert_int_equal(flow->concerns[0], 1);
    assert_int_equal(flow->scale_rule, SCALE_POW10_NEG);
    assert_int_equal(slope->order, ORDER_ABCD);
    assert_string_equal(slope->stat, "avg");
    profile_destroy(p);
    (void)state;
}

static void reads_what_status_says(void **state)
{
    struct profile *p = load_changed("profile", "profile", 0);

    assert_string_equal(p->flags[0].map.choice[0].word, "zero");
    assert_string_equal(p->flags[0].help, "in zero");
    assert_true(p->flags[0].is_for_all);
    assert_int_equal(p->flags[1].map.mask, 0xF0);
    assert_int_equal(p->flags[1].map.shift, 4);
    assert_int_equal(p->flags[1].points[0], 1 << 1);
    assert_true(p->flags[2].map.is_bits);
    assert_true((uint64_t)p->flags[2].map.choice[1].raw == UINT64_C(1) << 31);
    assert_string_equal(p->mode.choice[1].word, "span");
    profile_destroy(p);
    (void)state;
}

static void plans_spans_that_touch_as_one(void **state)
{
    struct profile *p = load_changed("profile", "profile", 0);
    size_t words = 0;

    for (size_t i = 0; i < p->spans_n; i++) {
        const struct profile_span *s = &p->spans[i], *last = i ? s - 1 : NULL;
        assert_int_equal(s->offset, words);
        words += s->count;
        assert_true(!last || last->space < s->space || last->first + last->count < s->first);
    }
    assert_int_equal(words, p->words_n);
    for (size_t i = 0; i < p->points_n; i++)
        if (p->points[i].at.space)
            assert_true(profile_offset(p, p->points[i].at.space, p->points[i].at.first) >= 0);
    assert_int_equal(profile_offset(p, SPACE_INPUT, 220),
                     profile_offset(p, SPACE_INPUT, 216) + 2);
    profile_destroy(p);
    (void)state;
}

static void takes_addresses_as_the_manual_prints_them(void **state)
{
    struct profile *p = load_changed("doc_base: 0", "doc_base: 1", 0);
    assert_int_equal(p->points[0].at.first, 17);
    profile_destroy(p);

    static const char text[] =
        "profile: 1\nid: x\nnames: {en: a, zh: b}\nvendor: V\nmodels: M\n"
        "medium: air\nverified: template\nbus: {doc_base: 40001}\npoints:\n"
        "  - {id: a, at: h:40003, type: u16}\n"
        "  - {id: b, at: i:30005, type: u16}\n"
        "  - {id: c, at: d:10002}\n";
    struct diag *d;
    assert_int_equal(diag_create(&d), 0);
    p = load(text, d);
    diag_print(d, stderr);
    assert_non_null(p);
    assert_int_equal(p->points[0].at.first, 2);
    assert_int_equal(p->points[1].at.first, 4);
    assert_int_equal(p->points[2].at.first, 1);
    profile_destroy(p);
    diag_destroy(d);
    (void)state;
}

static void wants_the_base_of_a_high_address(void **state)
{
    static const char head[] =
        "profile: 1\nid: x\nnames: {en: a, zh: b}\nvendor: V\nmodels: M\n"
        "medium: air\nverified: template\npoints:\n";
    char text[512], message[MESSAGE_BYTES];
    struct diag *d;

    snprintf(text, sizeof text, "%s  - {id: a, at: h:30000, type: u16}\n", head);
    assert_int_equal(diag_create(&d), 0);
    struct profile *p = load(text, d);
    assert_non_null(p);
    profile_destroy(p);

    snprintf(text, sizeof text, "%s  - {id: a, at: h:30001, type: u16}\n", head);
    assert_null(load(text, d));
    message_of(d, 0, message);
    assert_string_equal(
        message, "9:17: an address beyond 30000 needs bus.doc_base, which tells whether it "
                 "is a PDU address or the manual's 30001 or 40001 notation, found "
                 "'h:30001' [E018]");
    diag_destroy(d);
    (void)state;
}

static void warns_of_registers_that_overlap(void **state)
{
    struct profile *p = load_changed("at: i:40, type: u16", "at: i:19, type: u16", 1);

    profile_destroy(p);
    (void)state;
}

static void refuses_what_is_no_profile(void **state)
{
    static const char *const texts[] = {
        "", "[]", "text", "profile: 1", "\xff", "a: b: c", "{"
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct diag *d;
        assert_int_equal(diag_create(&d), 0);
        assert_null(load(texts[i], d));
        assert_true(diag_errors(d) > 0);
        diag_destroy(d);
    }
    (void)state;
}

static void limits_the_number_of_points(void **state)
{
    static char text[64 * 1024];
    size_t n =
        (size_t)snprintf(text, sizeof text,
                         "profile: 1\nid: x\nnames: {en: a, zh: b}\nvendor: V\nmodels: M\n"
                         "medium: air\nverified: template\npoints:\n");
    struct diag *d;

    for (int i = 0; i <= PROFILE_POINTS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "  - {id: p%d, at: h:%d, type: u16}\n",
                              i, i);
    assert_int_equal(diag_create(&d), 0);
    assert_null(load(text, d));
    assert_int_equal(diag_errors(d), 1);
    diag_destroy(d);
    (void)state;
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void finds_site_profiles_before_built_in_ones(void **state)
{
    char dir[FOLDER_MAX], path[FOLDER_MAX + 20], text[TEXT_BYTES];
    const char *dirs[1] = { dir };
    struct diag *d;
    bool is_known;

    assert_true(folder_make(dir));
    assert_int_equal(diag_create(&d), 0);
    struct profile *p = profile_load_by_id("teledyne-t400", dirs, 1, d, &is_known);
    assert_non_null(p);
    assert_true(is_known);
    assert_string_equal(p->vendor, "Teledyne API");
    profile_destroy(p);

    replace("acme-o3", "teledyne-t400", text);
    snprintf(path, sizeof path, "%s/teledyne-t400.yaml", dir);
    write_file(path, text);
    p = profile_load_by_id("teledyne-t400", dirs, 1, d, &is_known);
    assert_non_null(p);
    assert_string_equal(p->vendor, "Acme");
    profile_destroy(p);

    write_file(path, whole); /* another profile under this name */
    assert_null(profile_load_by_id("teledyne-t400", dirs, 1, d, &is_known));
    assert_true(is_known);
    assert_int_equal(diag_errors(d), 1);
    folder_remove(dir);
    diag_destroy(d);
    (void)state;
}

static void knows_no_profile_outside_its_directories(void **state)
{
    static const char *const ids[] = { "no-such-thing",     "../teledyne-t400",
                                       "air/teledyne-t400", "",
                                       "teledyne",          "teledyne-t400.yaml" };
    struct diag *d;

    assert_int_equal(diag_create(&d), 0);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        bool is_known = true;
        assert_null(profile_load_by_id(ids[i], NULL, 0, d, &is_known));
        assert_false(is_known);
    }
    assert_int_equal(diag_errors(d), 0);
    diag_destroy(d);
    profile_destroy(NULL);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_a_profile_says),
        cmocka_unit_test(reads_what_a_point_says),
        cmocka_unit_test(reads_what_status_says),
        cmocka_unit_test(plans_spans_that_touch_as_one),
        cmocka_unit_test(takes_addresses_as_the_manual_prints_them),
        cmocka_unit_test(says_what_is_wrong_and_where),
        cmocka_unit_test(finds_every_mistake_in_one_run),
        cmocka_unit_test(wants_the_base_of_a_high_address),
        cmocka_unit_test(warns_of_registers_that_overlap),
        cmocka_unit_test(refuses_what_is_no_profile),
        cmocka_unit_test(limits_the_number_of_points),
        cmocka_unit_test(finds_site_profiles_before_built_in_ones),
        cmocka_unit_test(knows_no_profile_outside_its_directories),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
