/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/import/reader.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/utf8.h"

static bool expected(struct import_reader *r, const struct tree *at, const char *what)
{
    char shown[DIAG_SHOWN_BYTES];

    utf8_shown(at->text, DIAG_SHOWN_MAX, shown, sizeof shown);
    if (at->kind == TREE_TABLE || at->kind == TREE_LIST)
        tree_error(&r->maker, at, E_KIND, "'%s' should be %s, found %s", at->key ? at->key : "",
                   what, at->kind == TREE_LIST ? "a list" : "a group");
    else
        tree_error(&r->maker, at, E_VALUE, "'%s' should be %s, found '%s'",
                   at->key ? at->key : "", what, shown);
    return false;
}

struct tree *import_find(struct tree *table, const char *key)
{
    struct tree *t = tree_get(table, key);

    if (t)
        t->is_used = true;
    return t;
}

bool import_text(struct import_reader *r, struct tree *table, const char *key, const char **ret)
{
    struct tree *t = import_find(table, key);

    if (!t)
        return true;
    if (t->kind != TREE_TEXT && t->kind != TREE_WORD)
        return expected(r, t, "a text");
    *ret = t->text;
    return true;
}

bool import_scan_int(const char *text, int64_t *ret)
{
    bool is_negative = text[0] == '-';
    const char *p = text + (is_negative || text[0] == '+');
    int base = 10;
    char *end;

    if (p[0] == '0' && p[1] && strchr("xXob", p[1])) {
        base = (p[1] | 0x20) == 'x' ? 16 : p[1] == 'o' ? 8 : 2;
        p += 2;
    }
    if (!*p || strspn(p, "0123456789abcdefABCDEF") != strlen(p))
        return false;
    errno = 0;
    long long v = strtoll(p, &end, base);
    if (errno || *end)
        return false;
    *ret = is_negative ? -v : v;
    return true;
}

bool import_scan_number(const char *text, double *ret)
{
    size_t n = strspn(text, "+-.0123456789eE");
    char *end;
    int64_t i;

    if (import_scan_int(text, &i)) {
        *ret = (double)i;
        return true;
    }
    if (n == 0 || text[n])
        return false;
    double x = strtod(text, &end);
    if (*end || !isfinite(x))
        return false;
    *ret = x;
    return true;
}

bool import_int(struct import_reader *r, struct tree *table, const char *key, int64_t min,
                int64_t max, int64_t *ret)
{
    struct tree *t = import_find(table, key);
    int64_t v;
    char what[80];

    if (!t)
        return true;
    snprintf(what, sizeof what, "a whole number from %lld to %lld", (long long)min,
             (long long)max);
    if (t->kind != TREE_WORD || !import_scan_int(t->text, &v) || v < min || v > max)
        return expected(r, t, what);
    *ret = v;
    return true;
}

bool import_number(struct import_reader *r, struct tree *table, const char *key, double *ret)
{
    struct tree *t = import_find(table, key);

    if (!t)
        return true;
    if (t->kind != TREE_WORD || !import_scan_number(t->text, ret))
        return expected(r, t, "a number");
    return true;
}

bool import_bool(struct import_reader *r, struct tree *table, const char *key, bool *ret)
{
    static const char *const yes[] = { "true", "yes", "on", "True" };
    static const char *const no[] = { "false", "no", "off", "False" };
    struct tree *t = import_find(table, key);

    if (!t)
        return true;
    for (size_t i = 0; (t->kind == TREE_BOOL || t->kind == TREE_WORD) && i < 4; i++) {
        bool is_yes = strcmp(t->text, yes[i]) == 0;
        if (!is_yes && strcmp(t->text, no[i]) != 0)
            continue;
        *ret = is_yes;
        return true;
    }
    return expected(r, t, "true or false");
}

bool import_list(struct import_reader *r, struct tree *table, const char *key,
                 struct tree **ret)
{
    struct tree *t = import_find(table, key);

    *ret = NULL;
    if (!t)
        return true;
    if (t->kind != TREE_LIST)
        return expected(r, t, "a list");
    for (const struct tree *i = t->first; i; i = i->next) {
        if (i->kind == TREE_TABLE)
            continue;
        tree_error(&r->maker, i, E_KIND, "every item of '%s' should be a group of settings",
                   key);
        return false;
    }
    *ret = t;
    return true;
}

/* Sum of "1h", "2m", "30s", "5ms", "3us": as Go writes durations. */
static bool scan_duration(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units_of_time[] = { { "ms", 1 },    { "us", 1e-3 },   { "ns", 1e-6 },   { "s", 1000 },
                          { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
    double sum = 0;

    if (!*text)
        return false;
    while (*text) {
        char *end;
        size_t digits = strspn(text, ".0123456789"), i = 0;
        double v = digits ? strtod(text, &end) : -1;
        if (v < 0 || end != text + digits)
            return false;
        while (i < 7 && strncmp(end, units_of_time[i].unit, strlen(units_of_time[i].unit)) != 0)
            i++;
        if (i == 7)
            return false;
        sum += v * units_of_time[i].ms;
        text = end + strlen(units_of_time[i].unit);
    }
    if (sum > 1e12)
        return false;
    *ret_ms = (int64_t)sum;
    return true;
}

bool import_duration(struct import_reader *r, struct tree *table, const char *key,
                     int64_t bare_ms, int64_t *ret_ms)
{
    struct tree *t = import_find(table, key);
    double v;

    if (!t)
        return true;
    bool is_value = t->kind == TREE_TEXT || t->kind == TREE_WORD;
    if (is_value && import_scan_number(t->text, &v) && v >= 0 && v < 1e9) {
        *ret_ms = (int64_t)(v * (double)bare_ms);
        return true;
    }
    if (is_value && scan_duration(t->text, ret_ms))
        return true;
    return expected(r, t, "a duration such as 10s");
}

static bool is_listed(const char *word, const char *const *words)
{
    for (; words && *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

void import_note_rest(struct import_reader *r, const struct tree *table,
                      const char *const *harmless, const struct import_device *device)
{
    for (const struct tree *t = table->first; t; t = t->next) {
        if (t->is_used || !t->key || is_listed(t->key, harmless))
            continue;
        import_note(r, IMPORT_SETTING,
                    import_format_text(r, *t->text ? "%s: %s" : "%s", t->key, t->text), t->line,
                    device);
    }
}

/* ---- the plan ---- */

const char *import_copy(struct import_reader *r, const char *text)
{
    const char *copy = arena_text(&r->plan->arena, text, strlen(text));

    if (!copy)
        r->has_failed = true;
    return copy ? copy : "";
}

const char *import_format_text(struct import_reader *r, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return import_copy(r, text);
}

void import_note(struct import_reader *r, enum import_reason reason, const char *about,
                 int line, const struct import_device *device)
{
    struct import_plan *p = r->plan;

    p->notes_n++;
    p->left_n += import_reason_is_left(reason);
    struct import_note *n =
        p->notes_n <= IMPORT_NOTES_MAX ? arena_alloc(&p->arena, sizeof *n) : NULL;
    if (!n) {
        r->has_failed |= p->notes_n <= IMPORT_NOTES_MAX;
        return;
    }
    *n = (struct import_note){ reason, import_copy(r, about), line, device, NULL };
    if (r->last_note)
        r->last_note->next = n;
    else
        p->notes = n;
    r->last_note = n;
}

/* Small letters, digits and `joint`, from a name for people; "" when nothing is left of it. */
static void slug(const char *text, char joint, char *out, size_t size)
{
    size_t n = 0;

    for (; *text && n + 1 < size; text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
        bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (is_kept)
            out[n++] = c;
        else if (n && out[n - 1] != joint && (unsigned char)c < 0x80)
            out[n++] = joint;
    }
    while (n && out[n - 1] == joint)
        n--;
    out[n] = '\0';
}

const char *import_serial_format(struct import_reader *r, int64_t data, const char *parity,
                                 int64_t stop, int line)
{
    static const char *const spoken[] = { "8N1", "8E1", "8O1", "8N2", "8E2", "8O2" };
    char format[8];

    snprintf(format, sizeof format, "%d%c%d", (int)data, parity[0] ? parity[0] : 'N',
             (int)stop);
    for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++)
        if (strcmp(spoken[i], format) == 0)
            return spoken[i];
    import_note(r, IMPORT_FORMAT, format, line, NULL);
    return spoken[0];
}

static bool bus_has_id(const struct import_plan *p, const char *id)
{
    for (const struct import_bus *b = p->buses; b; b = b->next)
        if (strcmp(b->id, id) == 0)
            return true;
    return false;
}

static bool device_has_id(const struct import_plan *p, const char *id)
{
    for (const struct import_device *d = p->devices; d; d = d->next)
        if (strcmp(d->id, id) == 0)
            return true;
    return false;
}

/* "name", "name-2", "name-3": the first that nobody has. */
static const char *free_id(struct import_reader *r, const char *name, const char *fallback,
                           bool (*is_taken)(const struct import_plan *p, const char *id))
{
    char base[40], id[64];

    slug(name, '-', base, sizeof base);
    if (!base[0])
        slug(fallback, '-', base, sizeof base);
    snprintf(id, sizeof id, "%s", base);
    for (int i = 2; is_taken(r->plan, id); i++)
        snprintf(id, sizeof id, "%s-%d", base, i);
    return import_copy(r, id);
}

static bool is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

struct import_bus *import_add_bus(struct import_reader *r, const struct import_bus *place,
                                  const char *name)
{
    struct import_plan *p = r->plan;

    for (struct import_bus *b = p->buses; b; b = b->next)
        if (b->kind == place->kind && is_same(b->host, place->host) &&
            is_same(b->device, place->device) && b->port == place->port)
            return b;
    struct import_bus *b = arena_alloc(&p->arena, sizeof *b);
    if (!b) {
        r->has_failed = true;
        return NULL;
    }
    *b = *place;
    b->next = NULL;
    b->host = place->host ? import_copy(r, place->host) : NULL;
    b->device = place->device ? import_copy(r, place->device) : NULL;
    b->format = import_copy(r, place->format ? place->format : "8N1");
    b->id = free_id(r, name, "bus", bus_has_id);
    if (r->last_bus)
        r->last_bus->next = b;
    else
        p->buses = b;
    r->last_bus = b;
    p->buses_n++;
    return b;
}

static void join_interval(struct import_reader *r, struct import_device *d, int64_t poll_ms,
                          int line)
{
    if (d->poll_ms == poll_ms)
        return;
    if (!d->has_intervals)
        import_note(r, IMPORT_SHORTEST, d->id, line, d);
    d->has_intervals = true;
    if (poll_ms < d->poll_ms)
        d->poll_ms = poll_ms;
}

struct import_device *import_add_device(struct import_reader *r, const struct import_bus *bus,
                                        int unit, int64_t poll_ms, const char *name, int line)
{
    struct import_plan *p = r->plan;

    for (struct import_device *d = p->devices; d; d = d->next) {
        if (d->bus != bus || d->unit != unit)
            continue;
        join_interval(r, d, poll_ms, line);
        return d;
    }
    if (p->devices_n == IMPORT_DEVICES_MAX) {
        diag_error(r->d, (struct field_mark){ r->maker.file, line, 1 }, 1, E_FILE,
                   "more than %d devices in one file", IMPORT_DEVICES_MAX);
        return NULL;
    }
    struct import_device *d = arena_alloc(&p->arena, sizeof *d);
    if (!d) {
        r->has_failed = true;
        return NULL;
    }
    *d = (struct import_device){
        .bus = bus, .unit = unit, .poll_ms = poll_ms, .is_enabled = true, .line = line
    };
    d->id = free_id(r, name, "device", device_has_id);
    d->name = name[0] ? import_copy(r, name) : d->id;
    if (r->last_device)
        r->last_device->next = d;
    else
        p->devices = d;
    r->last_device = d;
    p->devices_n++;
    return d;
}

struct import_point import_point_init(const char *name, uint8_t space, int64_t first, int line)
{
    return (struct import_point){ .name = name,
                                  .space = space,
                                  .first = (uint16_t)first,
                                  .bit = -1,
                                  .scale = 1,
                                  .min = (double)NAN,
                                  .max = (double)NAN,
                                  .line = line };
}
