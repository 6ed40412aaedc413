/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/test_explain.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/profile_show.h"
#include "gateway/cmd/test_words.h"
#include "sensors/core/status.h"
#include "sensors/profile/image.h"
#include "sensors/profile/type.h"

static const struct {
    const char *id, *zh;
} verdicts[TEST_VERDICT_COUNT_] = {
    [TEST_GOOD] = { "good", "正常" },
    [TEST_NOT_EVALUATED] = { "unknown", "未评定" },
    [TEST_UNCERTAIN] = { "uncertain", "存疑" },
    [TEST_INVALID] = { "invalid", "无效" },
    [TEST_CALIBRATION] = { "calibration", "校准中" },
    [TEST_MAINTENANCE] = { "maintenance", "维护中" },
    [TEST_FAULT] = { "fault", "故障" },
    [TEST_MISSING] = { "missing", "缺失" },
    [TEST_ABSENT] = { "absent", "未装" },
};

const char *test_verdict_id(enum test_verdict v)
{
    return verdicts[v].id;
}

const char *test_verdict_word(enum test_verdict v)
{
    return say(verdicts[v].id, verdicts[v].zh);
}

/* What a test knows of one point while its row is filled. */
struct view {
    const struct test_result *r;
    const struct profile *p;
    const struct profile_point *pt;
    const struct reading *reading;
    int order; /* enum word_order, as far as it is known */
};

static bool is_read(const struct view *v, struct register_address at)
{
    int offset = profile_offset(v->p, at.space, at.first);

    for (int i = 0; offset >= 0 && i < at.count; i++) {
        if (!v->r->device.have[offset + i])
            return false;
    }
    return offset >= 0;
}

static uint64_t raw_of(const struct view *v)
{
    return profile_raw(v->p, v->pt->at, v->pt->type, (enum word_order)v->order,
                       v->r->device.words);
}

/* ---- cells ---- */

static void print_words(const uint16_t *words, int count, char *out, size_t size)
{
    size_t n = 0;

    for (int i = 0; i < count && i < TEST_WORDS_SHOWN; i++)
        n += (size_t)snprintf(out + n, size - n, i ? " %04X" : "%04X", words[i]);
    if (count > TEST_WORDS_SHOWN)
        snprintf(out + n, size - n, " …");
}

static void fill_words(const struct view *v, char *out, size_t size)
{
    int offset = profile_offset(v->p, v->pt->at.space, v->pt->at.first);

    snprintf(out, size, "-");
    if (offset >= 0 && is_read(v, v->pt->at))
        print_words(v->r->device.words + offset, v->pt->at.count, out, size);
}

/* A whole float keeps one decimal: "34.0" is what the instrument sends, not 34. */
static void fill_number(const struct view *v, struct test_row *row)
{
    struct decimal d =
        v->reading->verdict.grade == GRADE_MISSING ? DECIMAL_MISSING : v->reading->raw;

    row->number = d;
    snprintf(row->value, sizeof row->value, "-");
    if (!decimal_has_value(d))
        return;
    char number[DECIMAL_TEXT_MAX];
    decimal_print(d, number);
    snprintf(row->value, sizeof row->value, "%s%s", number,
             type_is_float(v->pt->type) && d.e == 0 ? ".0" : "");
}

/* The unit that the value is written in, and how it becomes the quantity's. */
static const struct unit *unit_of(const struct view *v, struct unit_conversion *ret)
{
    *ret = v->pt->conversion;
    if (!v->pt->unit_from.at.space)
        return v->pt->unit;
    if (!is_read(v, v->pt->unit_from.at))
        return NULL;
    const struct profile_choice *c = profile_map_find(
        &v->pt->unit_from, profile_map_raw(v->p, &v->pt->unit_from, (enum word_order)v->order,
                                           v->r->device.words));
    if (!c)
        return NULL;
    *ret = c->conversion;
    return c->unit;
}

/* ---- why ---- */

static bool covers(const struct test_failure *f, struct register_address at)
{
    return f->space == at.space && at.first < f->first + f->count &&
           f->first < at.first + at.count;
}

static const struct test_failure *failure_of(const struct view *v, struct register_address at)
{
    for (size_t i = v->r->failures_n; i > 0; i--) {
        if (covers(&v->r->failures[i - 1], at))
            return &v->r->failures[i - 1];
    }
    return v->r->failures_n ? &v->r->failures[v->r->failures_n - 1] : NULL;
}

static int64_t timeout_of(const struct test_result *r)
{
    return r->conf->timeout_ms > 0 ? r->conf->timeout_ms : DEVICE_TIMEOUT_MS;
}

/* The first register that the value needs and that did not come. */
static bool find_unread(const struct view *v, struct register_address *ret)
{
    const struct register_address needs[] = { v->pt->at,           v->pt->scale_from,
                                              v->pt->unit_from.at, v->pt->quality.at,
                                              v->pt->invalid_from, v->p->order_from.at };

    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if (needs[i].space && !is_read(v, needs[i])) {
            *ret = needs[i];
            return true;
        }
    }
    return false;
}

static void explain_unread(const struct view *v, struct register_address at, char *why)
{
    const struct test_failure *f = failure_of(v, at);
    char address[PROFILE_ADDRESS_BYTES], words[TEST_WHY - 40];

    if (!f) {
        snprintf(why, TEST_WHY, "%s", say("not asked", "未查询"));
        return;
    }
    outcome_words(f->outcome, f->exception, timeout_of(v->r), words, sizeof words);
    if (at.space == v->pt->at.space && at.first == v->pt->at.first)
        snprintf(why, TEST_WHY, "%s", words);
    else
        snprintf(why, TEST_WHY, say_zh() ? "%s（寄存器 %s）" : "%s (register %s)", words,
                 profile_address(at, address));
}

static bool is_code_listed(const struct view *v, uint64_t raw)
{
    for (size_t i = 0; i < v->pt->invalid_n; i++) {
        if (v->pt->invalid[i] == raw)
            return true;
    }
    return false;
}

static void explain_code(const struct view *v, char *why)
{
    uint64_t raw = raw_of(v), field = profile_field(v->pt, raw);
    int digits = (int)(4 * profile_type_words(v->pt->type));
    double x = type_is_float(v->pt->type) ? type_number(v->pt->type, raw) : 0;
    char address[PROFILE_ADDRESS_BYTES];

    if (is_code_listed(v, field))
        snprintf(why, TEST_WHY,
                 say_zh() ? "仪器的无效代码 %0*" PRIX64
                          : "invalid code %0*" PRIX64 " of the device",
                 digits, raw);
    else if (isnan(x))
        snprintf(why, TEST_WHY, "%s", say("not a number", "不是数 (NaN)"));
    else if (isinf(x))
        snprintf(why, TEST_WHY, "%s", say("infinite", "无穷大"));
    else if (!type_is_valid(v->pt->type, raw))
        snprintf(why, TEST_WHY, "%s", say("not a BCD number", "不是 BCD 数"));
    else
        snprintf(why, TEST_WHY,
                 say_zh() ? "寄存器 %s 所存的无效代码" : "the invalid code that %s holds",
                 profile_address(v->pt->invalid_from, address));
}

static void explain_map(const struct view *v, char *why)
{
    const struct register_address at =
        v->pt->unit_from.at.space ? v->pt->unit_from.at : v->pt->scale_from;
    char address[PROFILE_ADDRESS_BYTES];
    int offset = profile_offset(v->p, at.space, at.first);

    snprintf(why, TEST_WHY,
             say_zh() ? "%s 的代码 %u 不在模板的表中"
                      : "%s holds %u, a code that the profile "
                        "does not list",
             profile_address(at, address), offset >= 0 ? v->r->device.words[offset] : 0u);
}

/* The limit that the value passes, in the unit that it is shown in. */
static bool explain_range(const struct view *v, const struct unit_conversion *c, char *why)
{
    const struct quantity *q = v->pt->quantity;
    bool is_own = !isnan(v->pt->range_min);
    double low = is_own ? v->pt->range_min : q ? q->range_min : (double)NAN;
    double high = is_own ? v->pt->range_max : q ? q->range_max : (double)NAN;
    double x = decimal_to_double(v->reading->value);
    double limit = x < low ? low : high;

    if (!(x < low) && !(x > high))
        return false;
    if (q && c->factor != 0 && !c->is_identity)
        limit = (limit - c->offset) / c->factor;
    const char *origin =
        is_own ? say("profile range", "模板量程") : say("range of the quantity", "该量的量程");
    if (say_zh())
        snprintf(why, TEST_WHY, x < low ? "低于 %.10g（%s）" : "高于 %.10g（%s）", limit,
                 origin);
    else
        snprintf(why, TEST_WHY, x < low ? "below %.10g (%s)" : "above %.10g (%s)", limit,
                 origin);
    return true;
}

static void add_why(char *why, const char *what)
{
    size_t n = strlen(why);

    if (*what && n < TEST_WHY)
        snprintf(why + n, TEST_WHY - n, "%s%s", n ? say("; ", "；") : "", what);
}

static bool is_concerned(const struct view *v, bool is_for_all, const uint8_t *set)
{
    return is_for_all ? v->pt->role == POINT_MEASUREMENT
                      : profile_bit(set, (size_t)(v->pt - v->p->points));
}

/* A map that says something worse than good: where it stands and what the manual calls it. */
static void explain_status(const struct view *v, const struct profile_map *map,
                           const char *help, char *why)
{
    const struct verdict good = { 0 };
    char address[PROFILE_ADDRESS_BYTES], text[TEST_CELL];

    if (!map->at.space)
        return;
    if (!is_read(v, map->at)) {
        snprintf(text, sizeof text, say_zh() ? "状态 %s 未读到" : "status %s could not be read",
                 profile_address(map->at, address));
        add_why(why, text);
        return;
    }
    uint64_t raw = profile_map_raw(v->p, map, (enum word_order)v->order, v->r->device.words);
    for (size_t i = 0; i < map->n; i++) {
        const struct profile_choice *c = &map->choice[i];
        bool is_set = map->is_bits ? (raw & (uint64_t)c->raw) != 0 : raw == (uint64_t)c->raw;
        if (!is_set || memcmp(&c->verdict, &good, sizeof good) == 0)
            continue;
        snprintf(text, sizeof text, "%s%s%s: %s", c->word ? c->word : say("set", "置位"),
                 help ? ", " : "", help ? help : "", profile_address(map->at, address));
        add_why(why, text);
        if (!map->is_bits)
            return;
    }
}

/* Diagnostics outside their range that concern this point. */
static void explain_diagnostics(const struct view *v, char *why)
{
    for (size_t i = 0; i < v->p->points_n; i++) {
        const struct profile_point *d = &v->p->points[i];
        double x = decimal_to_double(v->r->readings[i].value);
        char text[TEST_CELL];
        if (d->role != POINT_DIAGNOSTIC || (!(x < d->range_min) && !(x > d->range_max)) ||
            d == v->pt || !is_concerned(v, d->is_for_all, d->concerns))
            continue;
        snprintf(text, sizeof text, say_zh() ? "%s 超出量程" : "%s is outside its range",
                 d->id);
        add_why(why, text);
    }
}

static void explain_verdict(const struct view *v, char *why)
{
    if (v->pt->quality.at.space)
        explain_status(v, &v->pt->quality, NULL, why);
    if (v->pt->role == POINT_MEASUREMENT)
        explain_status(v, &v->p->mode, NULL, why);
    for (size_t i = 0; i < v->p->flags_n; i++) {
        const struct profile_flag *f = &v->p->flags[i];
        if (is_concerned(v, f->is_for_all, f->points))
            explain_status(v, &f->map, f->help, why);
    }
    explain_diagnostics(v, why);
}

static enum test_verdict verdict_of(struct verdict v)
{
    static const enum test_verdict by_status[STATUS_COUNT_] = {
        [STATUS_CALIBRATION] = TEST_CALIBRATION,
        [STATUS_MAINTENANCE] = TEST_MAINTENANCE,
        [STATUS_FAULT] = TEST_FAULT,
    };
    static const enum test_verdict by_grade[GRADE_COUNT_] = {
        [GRADE_GOOD] = TEST_GOOD,         [GRADE_NOT_EVALUATED] = TEST_NOT_EVALUATED,
        [GRADE_SUSPECT] = TEST_UNCERTAIN, [GRADE_BAD] = TEST_INVALID,
        [GRADE_MISSING] = TEST_MISSING,
    };

    if (v.grade != GRADE_MISSING && v.status < STATUS_COUNT_ && by_status[v.status])
        return by_status[v.status];
    return by_grade[v.grade < GRADE_COUNT_ ? v.grade : GRADE_BAD];
}

static const char *why_no_text(const struct view *v, const struct identify_answer *a)
{
    if (v->r->outcome != SCAN_OK)
        return say("not asked", "未查询");
    if (a->kind == ANSWER_REFUSED)
        return v->pt->has_mei
                   ? say("the device has no such identification object", "仪器没有该标识对象")
                   : say("the device has no such register", "仪器没有该寄存器");
    return v->pt->has_mei ? say("no answer to the identification request", "标识请求无应答")
                          : say("no answer to this request", "该请求无应答");
}

/* An identification object, or registers with characters: what is not there is nobody's duty
 * (objects beyond the first three: Modbus protocol 6.21). */
static void explain_text(const struct view *v, size_t point, struct test_row *row)
{
    const struct identify_answer *a = test_text(v->r, point);
    char text[TEST_CELL - 2];

    row->is_text = true;
    if (v->pt->has_mei)
        snprintf(row->at, sizeof row->at, "mei:%u", v->pt->mei);
    else
        profile_address(v->pt->at, row->at);
    snprintf(row->words, sizeof row->words, "-");
    snprintf(row->value, sizeof row->value, "-");
    if (a->kind != ANSWER_TEXT && a->kind != ANSWER_WORDS) {
        row->verdict = v->r->outcome == SCAN_OK ? TEST_ABSENT : TEST_MISSING;
        snprintf(row->why, sizeof row->why, "%s", why_no_text(v, a));
        return;
    }
    row->verdict = TEST_GOOD;
    if (a->kind == ANSWER_TEXT) {
        const struct profile_identify any = { .mei = v->pt->mei, .type = TYPE_TEXT };
        identify_print(v->p, &any, a, text, sizeof text);
    } else {
        print_words(a->words, v->pt->at.count, row->words, sizeof row->words);
        text_from_words(a->words, v->pt->at.count, (enum word_order)v->order, text,
                        sizeof text);
    }
    snprintf(row->value, sizeof row->value, "\"%s\"", text);
}

static void explain_missing(const struct view *v, struct test_row *row)
{
    struct register_address unread;

    if (find_unread(v, &unread))
        explain_unread(v, unread, row->why);
    else if (v->reading->verdict.reasons & REASON_UNIT)
        explain_map(v, row->why);
    else if (decimal_has_value(v->reading->raw) || v->reading->verdict.status == STATUS_FAULT)
        explain_verdict(v, row->why);
    else
        explain_code(v, row->why);
    const struct test_failure *f = failure_of(v, v->pt->at);
    if (!v->pt->is_option || (find_unread(v, &unread) && (!f || f->outcome != BUS_EXCEPTION)))
        return; /* only an instrument that answers shows what it does not have */
    row->verdict = TEST_ABSENT;
    char text[TEST_WHY];
    snprintf(text, sizeof text, "%s", row->why);
    snprintf(row->why, sizeof row->why, say_zh() ? "选配件：%.200s" : "an option: %.200s",
             text);
}

void test_explain(const struct test_result *r, size_t point, struct test_row *ret)
{
    const struct profile *p = test_profile(r);
    const struct profile_point *pt = &p->points[point];
    struct view v = { .r = r, .p = p, .pt = pt, .reading = &r->readings[point] };
    struct unit_conversion conversion;
    int order = pt->order >= 0 ? pt->order : profile_order(p, r->conf->order, r->device.words);

    *ret = (struct test_row){ .verdict = verdict_of(v.reading->verdict),
                              .number = DECIMAL_MISSING };
    v.order = order >= 0 ? order : ORDER_ABCD;
    if (pt->has_mei || pt->type == TYPE_TEXT) {
        explain_text(&v, point, ret);
        return;
    }
    const struct unit *unit = unit_of(&v, &conversion);
    struct register_address at = pt->at;
    if (at.count == profile_type_words(pt->type))
        at.count = 1; /* the type says the rest */
    profile_address(at, ret->at);
    snprintf(ret->unit, sizeof ret->unit, "%s", unit ? unit->code : "");
    fill_words(&v, ret->words, sizeof ret->words);
    fill_number(&v, ret);
    if (ret->verdict == TEST_MISSING) {
        explain_missing(&v, ret);
        return;
    }
    bool is_outside = explain_range(&v, &conversion, ret->why);
    if (is_outside && pt->role == POINT_MEASUREMENT && ret->verdict <= TEST_UNCERTAIN)
        ret->verdict = TEST_INVALID;
    if (!is_outside && ret->verdict != TEST_GOOD)
        explain_verdict(&v, ret->why);
}
