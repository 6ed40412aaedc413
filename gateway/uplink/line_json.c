/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/line_json.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    NONE = -1,
    FIRST_CAP = 1024,
    SHORT_NUMBER = 255, /* longer than any that is written */
};

struct sample { /* texts of the input */
    const char *value, *time;
    uint8_t value_n, time_n;
    int32_t next; /* of the same series */
};

struct series {
    const char *key, *field; /* key: "measurement,tag=value"; field empty: not in the name */
    uint32_t key_n, measurement_n, field_n;
    uint64_t hash;
    int32_t first, last; /* samples */
};

struct line_json {
    struct sample *samples;
    struct series *series;
    int32_t *slots; /* open hash table of series, NONE where free */
    size_t samples_n, samples_cap, series_n, series_cap, slots_cap;
};

struct line { /* the place of its parts */
    const char *key, *key_end, *measurement_end, *fields, *time, *time_end;
    uint64_t hash; /* of the key */
};

struct field_text {
    const char *name, *name_end, *value, *value_end;
};

struct line_json *line_json_create(void)
{
    return calloc(1, sizeof(struct line_json));
}

void line_json_destroy(struct line_json *j)
{
    if (!j)
        return;
    free(j->samples);
    free(j->series);
    free(j->slots);
    free(j);
}

/* ---- reading ---- */

static uint64_t hash_byte(uint64_t hash, char c) /* FNV-1a */
{
    return (hash ^ (unsigned char)c) * UINT64_C(1099511628211);
}

static const char *skip_digits(const char *p)
{
    while (*p >= '0' && *p <= '9')
        p++;
    return p;
}

/* The end of a number as JSON and line protocol both have it; NULL when there is none. Every
 * line ends in a newline, which stops each of these. */
static const char *skip_number(const char *p)
{
    const char *end = skip_digits(p += *p == '-');

    if (end == p)
        return NULL;
    if (*end == '.') {
        p = end + 1;
        end = skip_digits(p);
        if (end == p)
            return NULL;
    }
    if (*end == 'e' || *end == 'E') {
        p = end + 1;
        p += *p == '+' || *p == '-';
        end = skip_digits(p);
        if (end == p)
            return NULL;
    }
    return end;
}

/* Up to the first of two characters that has no backslash before it; NULL: the line ends. */
static const char *skip_name(const char *p, char stop, char other)
{
    for (; *p != stop && *p != other; p++) {
        if (*p == '\\' && p[1] != '\n')
            p++;
        if (*p == '\n')
            return NULL;
    }
    return p;
}

static bool read_key(const char *p, struct line *ret)
{
    ret->key = p;
    ret->measurement_end = NULL;
    ret->hash = UINT64_C(14695981039346656037);
    for (; *p != ' '; p++) {
        if (*p == ',' && !ret->measurement_end)
            ret->measurement_end = p;
        if (*p == '\\' && p[1] != '\n')
            ret->hash = hash_byte(ret->hash, *p++);
        if (*p == '\n')
            return false;
        ret->hash = hash_byte(ret->hash, *p);
    }
    ret->key_end = p;
    if (!ret->measurement_end)
        ret->measurement_end = p;
    ret->fields = p + 1;
    return ret->measurement_end > ret->key;
}

/* One of "v=41.2,f=0i"; the value without its `i`. NULL when it is none. */
static const char *read_field(const char *p, struct field_text *ret)
{
    ret->name = p;
    ret->name_end = skip_name(p, '=', ' ');
    if (!ret->name_end || ret->name_end == p || *ret->name_end != '=')
        return NULL;
    ret->value = ret->name_end + 1;
    ret->value_end = skip_number(ret->value);
    if (!ret->value_end || ret->value_end - ret->value > SHORT_NUMBER)
        return NULL;
    p = ret->value_end;
    return *p == 'i' ? p + 1 : p;
}

/* Where all parts of the line are, and how many fields it has; 0 when it is malformed. */
static size_t read_line(const char *p, struct line *ret)
{
    struct field_text f;
    size_t n = 0;

    if (!read_key(p, ret))
        return 0;
    p = ret->fields;
    do {
        p = read_field(n ? p + 1 : p, &f);
        if (!p)
            return 0;
        n++;
    } while (*p == ',');
    ret->time = p + 1;
    if (*p != ' ' || *ret->time < '1' || *ret->time > '9')
        return 0;
    ret->time_end = skip_digits(ret->time);
    return *ret->time_end == '\n' && ret->time_end - ret->time <= SHORT_NUMBER ? n : 0;
}

/* ---- series ---- */

static int grow(void **items, size_t *cap, size_t n, size_t item_size)
{
    size_t more = *cap ? *cap * 2 : FIRST_CAP;

    if (n < *cap)
        return 0;
    if (more > INT32_MAX)
        return -ENOMEM;
    void *moved = realloc(*items, more * item_size);
    if (!moved)
        return -ENOMEM;
    *items = moved;
    *cap = more;
    return 0;
}

static bool is_same(const struct series *s, const struct series *t)
{
    return s->hash == t->hash && s->key_n == t->key_n && s->field_n == t->field_n &&
           memcmp(s->key, t->key, s->key_n) == 0 && memcmp(s->field, t->field, s->field_n) == 0;
}

/* The slot of the series, or the free one where it belongs. */
static int32_t *find_slot(const struct line_json *j, const struct series *s)
{
    size_t at = s->hash & (j->slots_cap - 1);

    while (j->slots[at] != NONE && !is_same(&j->series[j->slots[at]], s))
        at = (at + 1) & (j->slots_cap - 1);
    return &j->slots[at];
}

static void empty_slots(struct line_json *j)
{
    for (size_t i = 0; i < j->slots_cap; i++)
        j->slots[i] = NONE;
}

/* Twice as many slots as series at least. */
static int widen_slots(struct line_json *j)
{
    size_t cap = j->slots_cap ? j->slots_cap * 2 : 2 * FIRST_CAP;

    if (2 * (j->series_n + 1) <= j->slots_cap)
        return 0;
    int32_t *slots = malloc(cap * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    free(j->slots);
    j->slots = slots;
    j->slots_cap = cap;
    empty_slots(j);
    for (size_t i = 0; i < j->series_n; i++)
        *find_slot(j, &j->series[i]) = (int32_t)i;
    return 0;
}

/* Every tag has a name and a value. */
static bool tags_are_good(const struct series *s)
{
    const char *end = s->key + s->key_n;

    for (const char *p = s->key + s->measurement_n; p < end;) {
        const char *key_end = skip_name(p + 1, '=', ' ');
        if (*key_end != '=' || key_end == p + 1)
            return false;
        p = skip_name(key_end + 1, ',', ' ');
        if (p == key_end + 1)
            return false;
    }
    return true;
}

/* The series like `s`, made when there is none. */
static int get_series(struct line_json *j, const struct series *s, struct series **ret)
{
    if (widen_slots(j) < 0)
        return -ENOMEM;
    int32_t *slot = find_slot(j, s);
    if (*slot == NONE) {
        if (!tags_are_good(s))
            return -EINVAL;
        if (grow((void **)&j->series, &j->series_cap, j->series_n, sizeof *j->series) < 0)
            return -ENOMEM;
        *slot = (int32_t)j->series_n;
        j->series[j->series_n++] = *s;
    }
    *ret = &j->series[*slot];
    return 0;
}

static int add_sample(struct line_json *j, struct series *s, const struct field_text *f,
                      const struct line *l)
{
    if (grow((void **)&j->samples, &j->samples_cap, j->samples_n, sizeof *j->samples) < 0)
        return -ENOMEM;
    int32_t n = (int32_t)j->samples_n++;
    j->samples[n] = (struct sample){ .value = f->value,
                                     .time = l->time,
                                     .value_n = (uint8_t)(f->value_end - f->value),
                                     .time_n = (uint8_t)(l->time_end - l->time),
                                     .next = NONE };
    if (s->last == NONE)
        s->first = n;
    else
        j->samples[s->last].next = n;
    s->last = n;
    return 0;
}

static int add_line(struct line_json *j, const struct line *l, size_t fields,
                    const struct line_json_names *names)
{
    const char *p = l->fields;

    for (size_t i = 0; i < fields; i++, p++) {
        struct field_text f;
        p = read_field(p, &f);
        bool is_named = fields > 1 || !names->skips_single_field;
        struct series s = { .key = l->key,
                            .field = f.name,
                            .key_n = (uint32_t)(l->key_end - l->key),
                            .measurement_n = (uint32_t)(l->measurement_end - l->key),
                            .field_n = is_named ? (uint32_t)(f.name_end - f.name) : 0,
                            .hash = l->hash,
                            .first = NONE,
                            .last = NONE };
        for (uint32_t k = 0; k < s.field_n; k++)
            s.hash = hash_byte(s.hash, f.name[k]);
        struct series *kept;
        int rc = get_series(j, &s, &kept);
        if (rc == 0)
            rc = add_sample(j, kept, &f, l);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int collect(struct line_json *j, const char *lines, size_t size,
                   const struct line_json_names *names)
{
    const char *end = lines + size;

    j->samples_n = j->series_n = 0;
    empty_slots(j);
    if (size && end[-1] != '\n')
        return -EINVAL;
    while (lines < end) {
        struct line l;
        size_t fields = read_line(lines, &l);
        if (fields == 0)
            return -EINVAL;
        int rc = add_line(j, &l, fields, names);
        if (rc < 0)
            return rc;
        lines = l.time_end + 1;
    }
    return 0;
}

/* ---- writing ---- */

/* A name of line protocol inside a JSON string. */
static void put_name(struct buf *b, const char *p, const char *end)
{
    for (const char *from = p; p < end; from = p) {
        while (p < end && *p != '\\' && *p != '"' && (unsigned char)*p >= 0x20)
            p++;
        buf_put(b, from, (size_t)(p - from));
        if (p == end)
            return;
        if (*p == '\\' && p + 1 < end && p[1] && strchr(" ,=\\", p[1]))
            p++;
        if ((unsigned char)*p < 0x20)
            buf_printf(b, "\\u%04x", (unsigned)*p);
        else if (*p == '\\' || *p == '"')
            buf_printf(b, "\\%c", *p);
        else
            buf_put(b, p, 1);
        p++;
    }
}

static bool is_label(const char *p, const char *end, const char *name)
{
    return strlen(name) == (size_t)(end - p) && memcmp(p, name, strlen(name)) == 0;
}

static void put_labels(struct buf *b, const struct series *s,
                       const struct line_json_names *names)
{
    bool has_database = !names->database || !*names->database;
    const char *end = s->key + s->key_n;

    for (const char *p = s->key + s->measurement_n; p < end;) {
        const char *key = p + 1;
        const char *key_end = skip_name(key, '=', ' ');
        const char *value_end = skip_name(key_end + 1, ',', ' ');
        buf_puts(b, ",\"");
        put_name(b, key, key_end);
        buf_puts(b, "\":\"");
        put_name(b, key_end + 1, value_end);
        buf_puts(b, "\"");
        has_database = has_database || is_label(key, key_end, names->database_label);
        p = value_end;
    }
    if (has_database)
        return;
    buf_puts(b, ",");
    buf_json(b, names->database_label);
    buf_puts(b, ":");
    buf_json(b, names->database);
}

static void put_series_name(struct buf *b, const struct series *s,
                            const struct line_json_names *names)
{
    if (!names->skips_measurement) {
        put_name(b, s->key, s->key + s->measurement_n);
        if (s->field_n)
            put_name(b, names->separator, names->separator + strlen(names->separator));
    }
    put_name(b, s->field, s->field + s->field_n);
}

static void put_series(struct buf *b, const struct line_json *j, const struct series *s,
                       const struct line_json_names *names)
{
    buf_puts(b, "{\"metric\":{\"__name__\":\"");
    put_series_name(b, s, names);
    buf_puts(b, "\"");
    put_labels(b, s, names);
    buf_puts(b, "},\"values\":");
    for (int32_t i = s->first; i != NONE; i = j->samples[i].next) {
        buf_put(b, i == s->first ? "[" : ",", 1);
        buf_put(b, j->samples[i].value, j->samples[i].value_n);
    }
    buf_puts(b, "],\"timestamps\":");
    for (int32_t i = s->first; i != NONE; i = j->samples[i].next) {
        buf_put(b, i == s->first ? "[" : ",", 1);
        buf_put(b, j->samples[i].time, j->samples[i].time_n);
    }
    buf_puts(b, "]}\n");
}

int line_json_write(struct line_json *j, const char *lines, size_t size,
                    const struct line_json_names *names, struct buf *out)
{
    size_t before = out->size;
    int rc = collect(j, lines, size, names);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < j->series_n; i++)
        put_series(out, j, &j->series[i], names);
    if (!out->has_failed)
        return 0;
    out->size = before;
    out->has_failed = false;
    return -ENOSPC;
}
