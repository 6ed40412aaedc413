/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a script: which of its fields is which point, and of when. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sensors/payload/field.h"
#include "sensors/payload/payload.h"
#include "sensors/profile/value.h"

enum {
    PRESENT = -1, /* in place of an index: no element of an array */
    ELEMENTS_MAX = PAYLOAD_ROWS_MAX - 1,
    TEXT_BYTES = 64
};

/* What has a time of its own, and which element it is. */
struct element {
    int index;
    int64_t time_ms;
};

struct result {
    const struct profile *p;
    const struct payload_script *script;
    const struct payload_value *values;
    size_t n;
};

const char *payload_script(const struct profile *p)
{
    return p->payload && p->payload->script ? p->payload->script->path : NULL;
}

/* "[]" of the pattern is any index; *ret_index is the first such one. */
static bool matches(const char *pattern, const char *path, int *ret_index)
{
    int index = PRESENT;

    while (*pattern) {
        if (pattern[0] != '[' || pattern[1] != ']') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t digits = strspn(path + (*path == '['), "0123456789");
        if (*path != '[' || !digits || digits > 4 || path[1 + digits] != ']')
            return false;
        int number = 0;
        for (size_t i = 1; i <= digits; i++)
            number = 10 * number + path[i] - '0';
        index = index == PRESENT ? number : index;
        path += digits + 2;
        pattern += 2;
    }
    *ret_index = index;
    return !*path;
}

static const struct payload_value *find(const struct result *r, const char *pattern, int index)
{
    int found;

    for (size_t i = 0; i < r->n; i++)
        if (matches(pattern, r->values[i].path, &found) && found == index)
            return &r->values[i];
    return NULL;
}

/* Days since 1970 of the proleptic Gregorian calendar: a cycle of 400 years has 146097. */
static int64_t days_from_date(int year, int month, int day)
{
    int y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    int64_t era = y / 400;
    int of_era = y % 400;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * m + 2) / 5 + day -
           1 - 719468;
}

/* "2026-05-01T10:00:00Z", also with a fraction or an offset from UTC. */
static bool time_from_text(const char *text, int64_t *ret_ms)
{
    int y, mo, d, h, mi, s, used = 0, zone_h = 0, zone_m = 0;
    char sign[2] = "";

    if (strlen(text) > TEXT_BYTES ||
        sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &used) !=
            6 ||
        !used)
        return false;
    text += used;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    bool is_utc = !strcmp(text, "Z") || !strcmp(text, "z");
    used = 0;
    if (!is_utc && (sscanf(text, "%1[+-]%2d:%2d%n", sign, &zone_h, &zone_m, &used) != 3 ||
                    !used || text[used]))
        return false;
    if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 ||
        mi > 59 || s < 0 || s > 60)
        return false;
    int64_t zone_s = (zone_h * 60 + zone_m) * 60 * (sign[0] == '-' ? -1 : 1);
    *ret_ms =
        (((days_from_date(y, mo, d) * 24 + h) * 60 + mi) * 60 + s - zone_s) * INT64_C(1000);
    return true;
}

/* Unix seconds, or milliseconds when seconds would lie beyond the year 5138. */
static bool time_of(const struct payload_value *v, int64_t *ret_ms)
{
    if (v->type == PAYLOAD_TEXT)
        return time_from_text(v->text, ret_ms);
    if (v->type != PAYLOAD_NUMBER || !(v->number > 0 && v->number < 1e14))
        return false;
    *ret_ms = v->number < 1e11 ? llround(v->number * 1000) : llround(v->number);
    return true;
}

/* Elements whose time is told, oldest first. More than a row each are allowed for: the oldest
 * are left out. */
static size_t list_elements(const struct result *r, struct element *ret)
{
    size_t n = 0;
    struct element e;

    for (size_t i = 0; i < r->n && r->script->times; i++) {
        if (!matches(r->script->times, r->values[i].path, &e.index) || e.index == PRESENT ||
            !time_of(&r->values[i], &e.time_ms))
            continue;
        if (n == ELEMENTS_MAX && e.time_ms <= ret[0].time_ms)
            continue;
        if (n == ELEMENTS_MAX)
            memmove(ret, ret + 1, --n * sizeof *ret);
        size_t k = n++;
        for (; k > 0 && ret[k - 1].time_ms > e.time_ms; k--)
            ret[k] = ret[k - 1];
        ret[k] = e;
    }
    return n;
}

/* The word as tables write it. */
static const char *word_of(const struct payload_value *v, char text[DECIMAL_TEXT_MAX])
{
    if (v->type == PAYLOAD_TEXT)
        return v->text;
    if (v->type == PAYLOAD_BOOL)
        return v->number != 0 ? "true" : "false";
    decimal_print(v->decimal, text);
    return text;
}

/* Numbers may come as texts: scripts that fix the decimals make them so. */
static struct decimal number_of(const struct payload_path *path, const struct payload_value *v)
{
    char text[DECIMAL_TEXT_MAX];
    struct decimal d = v->decimal;

    if (path->words.n) {
        const char *word = word_of(v, text);
        for (size_t i = 0; i < path->words.n; i++)
            if (!strcmp(path->words.entry[i].text, word))
                return path->words.entry[i].value;
        return DECIMAL_MISSING;
    }
    if (v->type == PAYLOAD_BOOL)
        d = (struct decimal){ v->number != 0, 0 };
    else if (v->type == PAYLOAD_TEXT && decimal_parse(v->text, strlen(v->text), &d))
        return DECIMAL_MISSING;
    else if (v->type == PAYLOAD_NUMBER && !decimal_has_value(d))
        d = decimal_from_double(v->number);
    if (!decimal_has_value(d) || !isfinite(decimal_to_double(d)))
        return DECIMAL_MISSING;
    return value_scale(d, path->scale, path->offset, path->scale_decimals);
}

static void make_row(const struct result *r, const struct element *e, struct payload_moment *m,
                     void (*on_row)(void *user, const struct payload_row *row), void *user)
{
    struct payload_row row = { 0, e->time_ms, m->readings, m->has };

    moment_clear(m);
    for (size_t i = 0; i < r->script->paths_n; i++) {
        const struct payload_path *path = &r->script->paths[i];
        const struct payload_value *v = find(r, path->path, e->index);
        if (v)
            moment_set(m, path->point, number_of(path, v));
    }
    moment_finish(m);
    if (m->has_any)
        on_row(user, &row);
}

enum payload_outcome payload_map(const struct profile *p, const struct payload_value *values,
                                 size_t n,
                                 void (*on_row)(void *user, const struct payload_row *row),
                                 void *user)
{
    struct reading readings[PROFILE_POINTS_MAX];
    uint8_t has[PROFILE_POINTS_MAX];
    struct payload_moment m = { .p = p, .readings = readings, .has = has };
    struct element elements[ELEMENTS_MAX], present = { PRESENT, INT64_MIN };

    if (!payload_script(p))
        return PAYLOAD_UNKNOWN;
    struct result r = { p, p->payload->script, values, n };
    size_t elements_n = list_elements(&r, elements);
    bool has_any = false;
    for (size_t i = 0; i < elements_n; i++) {
        make_row(&r, &elements[i], &m, on_row, user);
        has_any = has_any || m.has_any;
    }
    const struct payload_value *time =
        r.script->times ? find(&r, r.script->times, PRESENT) : NULL;
    if (time && !time_of(time, &present.time_ms))
        present.time_ms = INT64_MIN;
    make_row(&r, &present, &m, on_row, user);
    return has_any || m.has_any ? PAYLOAD_OK : PAYLOAD_UNKNOWN;
}
