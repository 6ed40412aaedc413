/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/test_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/profile_show.h"
#include "gateway/cmd/test_explain.h"
#include "gateway/cmd/test_words.h"
#include "gateway/conf/utf8.h"
#include "gateway/survey/port.h"

enum {
    LINE_COLUMNS = 78, /* where the milliseconds of a header end */
    VALUE_COLUMNS = 6, /* least widths, so that small tables look alike */
    UNIT_COLUMNS = 8,
    VERDICT_COLUMNS = 9,
    PLACE_MAX = 400,
};

static int columns_of(const char *text)
{
    size_t size = strlen(text);
    int columns = 0;
    int32_t c;

    for (size_t i = 0; i < size;) {
        i += utf8_next(text + i, size - i, &c);
        columns += utf8_width(c);
    }
    return columns;
}

static void print_left(const char *text, int width, FILE *out)
{
    fprintf(out, "%s%*s", text, width > columns_of(text) ? width - columns_of(text) : 0, "");
}

static void print_right(const char *text, int width, FILE *out)
{
    fprintf(out, "%*s%s", width > columns_of(text) ? width - columns_of(text) : 0, "", text);
}

static const struct bus_place *place_of(const struct test_pass *t, const struct test_result *r)
{
    return &t->table->bus[r->conf->bus].place;
}

/* ---- who is it? ---- */

static size_t tests_of(const struct test_result *r)
{
    size_t n = test_profile(r)->identify_n;

    return n < TEST_ANSWERS_MAX ? n : TEST_ANSWERS_MAX;
}

static void expectation(const struct profile_identify *t, char *buf, size_t size)
{
    if (t->equals_text)
        snprintf(buf, size, "%s", t->equals_text);
    else if (t->in_min == t->in_max)
        snprintf(buf, size, "%.10g", t->in_min);
    else
        snprintf(buf, size, "%.10g..%.10g", t->in_min, t->in_max);
}

static void test_place(const struct profile_identify *t, char *buf, size_t size)
{
    char address[PROFILE_ADDRESS_BYTES];

    if (t->mei >= 0)
        snprintf(buf, size, say_zh() ? "标识对象 %d" : "identification object %d", t->mei);
    else
        snprintf(buf, size, "%s", profile_address(t->at, address));
}

static bool is_stranger(const struct test_result *r)
{
    for (size_t i = 0; i < tests_of(r); i++) {
        const struct profile_identify *t = &test_profile(r)->identify[i];
        if (t->is_needed && identify_test(test_profile(r), t, test_answer(r, i)) == 0)
            return true;
    }
    return false;
}

static void print_test(const struct test_result *r, size_t i, FILE *out)
{
    const struct profile *p = test_profile(r);
    const struct profile_identify *t = &p->identify[i];
    int hit = identify_test(p, t, test_answer(r, i));
    char says[128], wants[128], where[64];

    identify_print(p, t, test_answer(r, i), says, sizeof says);
    expectation(t, wants, sizeof wants);
    test_place(t, where, sizeof where);
    if (hit < 0) /* many instruments have none: no news */
        return;
    if (hit > 0)
        fprintf(out,
                say_zh()
                    ? "  标识：仪器自报 %s，与模板一致（%s）\n"
                    : "  identity: the device says it is %s, as the profile expects (%s)\n",
                says, where);
    else
        fprintf(out,
                say_zh()
                    ? "  标识：仪器自报 %s，模板要求 %s（%s）%s\n"
                    : "  identity: the device says it is %s, the profile expects %s (%s)%s\n",
                *says ? says : say("nothing", "空"), wants, where,
                t->is_needed ? say(": not this model", "：型号不符") : "");
}

static void print_identity(const struct test_result *r, FILE *out)
{
    const struct profile *p = test_profile(r);

    for (size_t i = 0; i < tests_of(r); i++) {
        /* Plausibility that holds is no identity. */
        if (p->identify[i].in_min == p->identify[i].in_max || p->identify[i].equals_text ||
            identify_test(p, &p->identify[i], test_answer(r, i)) == 0)
            print_test(r, i, out);
    }
    fprintf(out, say_zh() ? "  模板 %s：%s\n" : "  profile %s: %s\n", p->id,
            profile_trust(p, say_zh() ? "zh" : "en"));
}

/* ---- rows ---- */

struct widths {
    int id, at, words, value, unit, verdict;
};

static void widen(int *width, const char *text)
{
    int columns = columns_of(text);

    if (columns > *width)
        *width = columns;
}

static struct widths measure(const struct test_result *r)
{
    struct widths w = { .value = VALUE_COLUMNS,
                        .unit = UNIT_COLUMNS,
                        .verdict = VERDICT_COLUMNS };
    const struct profile *p = test_profile(r);
    struct test_row row;

    for (size_t i = 0; i < p->points_n; i++) {
        test_explain(r, i, &row);
        widen(&w.id, p->points[i].id);
        widen(&w.at, row.at);
        widen(&w.words, row.words);
        widen(&w.value, row.value);
        widen(&w.unit, row.unit);
        widen(&w.verdict, test_verdict_word(row.verdict));
    }
    return w;
}

static void print_row(const char *id, const struct test_row *row, const struct widths *w,
                      FILE *out)
{
    const char *verdict = test_verdict_word(row->verdict);

    fputs("  ", out);
    print_left(id, w->id + 2, out);
    print_left(row->at, w->at + 2, out);
    print_left(row->words, w->words + 2, out);
    print_right(row->value, w->value, out);
    fputs("  ", out);
    print_left(row->unit, w->unit + 2, out);
    if (!*row->why) {
        fprintf(out, "%s\n", verdict);
        return;
    }
    print_left(verdict, w->verdict + 2, out);
    fprintf(out, "%s\n", row->why);
}

static void count(const struct test_result *r, struct test_tally *tally)
{
    struct test_row row;

    tally->devices++;
    if (!test_is_asked(r)) {
        tally->disabled++;
        return;
    }
    tally->silent += r->outcome != SCAN_OK;
    tally->strangers += r->outcome == SCAN_OK && is_stranger(r);
    for (size_t i = 0; i < test_profile(r)->points_n; i++) {
        test_explain(r, i, &row);
        tally->points[row.verdict]++;
    }
}

static void print_header(const struct test_pass *t, const struct test_result *r, FILE *out)
{
    char place[PLACE_MAX], text[PLACE_MAX + 200], took[32] = "";

    place_words(place_of(t, r), place, sizeof place);
    snprintf(text, sizeof text, "%s  %s  %s unit %u", r->conf->id, test_profile(r)->id, place,
             r->conf->unit);
    if (test_is_asked(r) && r->outcome == SCAN_OK)
        snprintf(took, sizeof took, "%" PRId64 " ms", r->took_ms);
    fputs(text, out);
    if (*took) {
        int width = LINE_COLUMNS - columns_of(text);
        print_right(took, width > columns_of(took) + 2 ? width : columns_of(took) + 2, out);
    }
    putc('\n', out);
}

/* Why a device that gave no register gives none, and what to look at. */
static void print_silence(const struct test_pass *t, const struct test_result *r, FILE *out)
{
    char words[200];
    const struct test_failure *f = r->failures_n ? &r->failures[r->failures_n - 1] : NULL;

    outcome_words(f ? f->outcome : BUS_NO_LINK, f ? f->exception : 0,
                  r->conf->timeout_ms > 0 ? r->conf->timeout_ms : DEVICE_TIMEOUT_MS, words,
                  sizeof words);
    const struct bus_place *p = place_of(t, r);
    int port = bus_has_port(p) && r->outcome == SCAN_NO_LINK ? port_check(p->device) : 0;
    if (port != 0)
        snprintf(words, sizeof words, "%s: %s", p->device, port_words(port));
    fprintf(out, "  %s", words);
    if (r->outcome == SCAN_NO_ANSWER && f && f->outcome == BUS_NO_ANSWER)
        fputs(say(": look at baud and parity, A and B swapped, the unit number, another master",
                  "：请检查波特率和校验、A/B 是否接反、设备地址、是否有其他主站"),
              out);
    if (r->late)
        fprintf(out,
                say_zh() ? "；有 %d 个应答晚到，请加大 timeout"
                         : "; %d answers came late: raise "
                           "timeout",
                r->late);
    putc('\n', out);
}

void test_report_print(const struct test_pass *t, size_t device, struct test_tally *tally,
                       FILE *out)
{
    struct test_result *r = &t->results[device];
    const struct profile *p = test_profile(r);
    struct test_row row;

    count(r, tally);
    print_header(t, r, out);
    if (r->frames.size && buf_text(&r->frames))
        fputs(buf_text(&r->frames), out);
    if (!test_is_asked(r)) {
        fprintf(out, "  %s\n",
                say("device disabled in the configuration", "仪器已在配置中停用"));
        return;
    }
    if (r->outcome != SCAN_OK) {
        print_silence(t, r, out);
        return;
    }
    struct widths w = measure(r);
    for (size_t i = 0; i < p->points_n; i++) {
        test_explain(r, i, &row);
        print_row(p->points[i].id, &row, &w, out);
    }
    print_identity(r, out);
}

/* ---- JSON ---- */

/* Without the quotation marks of the table; null when none came. */
static void put_text(struct buf *b, const char *cell)
{
    char text[TEST_CELL];
    size_t n = strlen(cell);

    if (n < 2 || cell[0] != '"') {
        buf_json(b, NULL);
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)(n - 2), cell + 1);
    buf_json(b, text);
}

static void put_row(struct buf *b, const char *id, const struct test_row *row)
{
    char number[DECIMAL_TEXT_MAX];

    decimal_print(row->number, number);
    buf_puts(b, "{\"id\":");
    buf_json(b, id);
    buf_printf(b, ",\"at\":\"%s\",\"words\":\"%s\",\"value\":", row->at, row->words);
    if (row->is_text)
        put_text(b, row->value);
    else
        buf_puts(b, *number ? number : "null");
    buf_puts(b, ",\"unit\":");
    buf_json(b, row->unit);
    buf_printf(b, ",\"verdict\":\"%s\",\"why\":", test_verdict_id(row->verdict));
    buf_json(b, row->why);
    buf_puts(b, "}");
}

static void put_identity(struct buf *b, const struct test_result *r)
{
    const struct profile *p = test_profile(r);
    char says[128], wants[128];

    buf_puts(b, ",\"identity\":[");
    for (size_t i = 0; i < tests_of(r); i++) {
        int hit = identify_test(p, &p->identify[i], test_answer(r, i));
        identify_print(p, &p->identify[i], test_answer(r, i), says, sizeof says);
        expectation(&p->identify[i], wants, sizeof wants);
        buf_printf(b, "%s{\"needed\":%s,\"says\":", i ? "," : "",
                   p->identify[i].is_needed ? "true" : "false");
        buf_json(b, says);
        buf_puts(b, ",\"expected\":");
        buf_json(b, wants);
        buf_printf(b, ",\"holds\":%s}", hit < 0 ? "null" : hit ? "true" : "false");
    }
    buf_puts(b, "]");
}

static void put_frames(struct buf *b, struct test_result *r)
{
    const char *text = r->frames.size ? buf_text(&r->frames) : NULL;

    if (!text)
        return;
    buf_puts(b, ",\"frames\":");
    buf_json(b, text);
}

void test_report_json(const struct test_pass *t, size_t device, struct test_tally *tally,
                      struct buf *b)
{
    static const char *const outcomes[SCAN_OUTCOME_COUNT_] = {
        [SCAN_OK] = "ok",
        [SCAN_NO_ANSWER] = "no_answer",
        [SCAN_NO_LINK] = "no_link",
        [SCAN_BAD_FRAME] = "bad_frame",
        [SCAN_EXCEPTION] = "exception",
    };
    struct test_result *r = &t->results[device];
    const struct profile *p = test_profile(r);
    char place[PLACE_MAX];
    struct test_row row;

    count(r, tally);
    buf_puts(b, "{\"id\":");
    buf_json(b, r->conf->id);
    buf_puts(b, ",\"profile\":");
    buf_json(b, p->id);
    buf_puts(b, ",\"trust\":");
    buf_json(b, p->verified);
    buf_puts(b, ",\"place\":");
    buf_json(b, place_words(place_of(t, r), place, sizeof place));
    buf_printf(b, ",\"unit\":%u,\"took_ms\":%" PRId64 ",\"late\":%d,\"outcome\":\"%s\"",
               r->conf->unit, r->took_ms, r->late,
               test_is_asked(r) ? outcomes[r->outcome] : "disabled");
    put_identity(b, r);
    put_frames(b, r);
    buf_puts(b, ",\"points\":[");
    for (size_t i = 0; i < p->points_n && test_is_asked(r); i++) {
        test_explain(r, i, &row);
        buf_puts(b, i ? ",\n  " : "\n  ");
        put_row(b, p->points[i].id, &row);
    }
    buf_puts(b, "]}");
}

/* ---- summary ---- */

static size_t points_of(const struct test_tally *tally)
{
    size_t n = 0;

    for (int i = 0; i < TEST_VERDICT_COUNT_; i++)
        n += tally->points[i];
    return n;
}

void test_report_summary(const struct test_tally *t, FILE *out)
{
    size_t n = points_of(t);
    const char *between = ": ";

    if (say_zh())
        fprintf(out, "%zu 台仪器，%zu 个测点", t->devices, n);
    else
        fprintf(out, "%zu device%s, %zu point%s", t->devices, t->devices == 1 ? "" : "s", n,
                n == 1 ? "" : "s");
    between = say(": ", "：");
    for (int i = 0; i < TEST_VERDICT_COUNT_; i++) {
        if (!t->points[i])
            continue;
        fprintf(out, "%s%zu %s", between, t->points[i],
                test_verdict_word((enum test_verdict)i));
        between = say(", ", "，");
    }
    if (t->silent)
        fprintf(out, say_zh() ? "；%zu 台无应答" : "; %zu without an answer", t->silent);
    if (t->strangers)
        fprintf(out, say_zh() ? "；%zu 台型号不符" : "; %zu of another model", t->strangers);
    if (t->disabled)
        fprintf(out, say_zh() ? "；%zu 台停用" : "; %zu disabled", t->disabled);
    putc('\n', out);
}

void test_report_summary_json(const struct test_tally *t, struct buf *b)
{
    buf_printf(b,
               "\"summary\":{\"devices\":%zu,\"silent\":%zu,\"disabled\":%zu,"
               "\"strangers\":%zu,\"points\":%zu",
               t->devices, t->silent, t->disabled, t->strangers, points_of(t));
    for (int i = 0; i < TEST_VERDICT_COUNT_; i++)
        buf_printf(b, ",\"%s\":%zu", test_verdict_id((enum test_verdict)i), t->points[i]);
    buf_puts(b, "}");
}

/* Calibration and maintenance are states of a healthy instrument. */
bool test_report_is_well(const struct test_tally *t)
{
    return !t->silent && !t->strangers && !t->points[TEST_UNCERTAIN] &&
           !t->points[TEST_INVALID] && !t->points[TEST_FAULT] && !t->points[TEST_MISSING] &&
           !t->points[TEST_NOT_EVALUATED];
}
