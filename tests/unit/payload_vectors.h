/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors of a profile with a payload, tests/vectors/profiles/<id>.txt: blocks of
 *     case TITLE
 *     fport 2                           "fport 2 encode": the encoder gives these bytes
 *     hex 0CE4 00E6
 *     outcome truncated                 left out: ok
 *     row now                           or "row age 600s", "row time 1767225600": every row,
 * from the oldest on; left out: one of now air_temp = 23 Cel valid good      "air_temp = none":
 * the row says nothing of it
 */
#pragma once

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/payload/layout.h"
#include "sensors/payload/payload.h"
#include "sensors/profile/profile.h"
#include "tests/unit/unit.h"

struct kept_row {
    int64_t age_ms, time_ms;
    struct reading readings[PROFILE_POINTS_MAX];
    uint8_t has[PROFILE_POINTS_MAX];
};

struct kept_rows {
    const struct profile *p;
    size_t n;
    struct kept_row row[PAYLOAD_ROWS_MAX];
};

static inline void keep_row(void *user, const struct payload_row *row)
{
    struct kept_rows *k = user;

    assert_true(k->n < PAYLOAD_ROWS_MAX);
    struct kept_row *to = &k->row[k->n++];
    to->age_ms = row->age_ms;
    to->time_ms = row->time_ms;
    memcpy(to->readings, row->readings, k->p->points_n * sizeof *to->readings);
    memcpy(to->has, row->has, k->p->points_n);
}

/* Bytes of hexadecimal digits; blanks are for the eye. */
static inline size_t bytes_from_hex(const char *text, uint8_t *ret, size_t size)
{
    size_t n = 0;

    for (unsigned byte; *text; text += 2) {
        text += strspn(text, " ");
        if (!*text)
            break;
        assert_true(n < size && sscanf(text, "%2x", &byte) == 1 &&
                    isxdigit((unsigned char)text[1]));
        ret[n++] = (uint8_t)byte;
    }
    return n;
}

/* "23 Cel valid good". */
static inline void print_reading(const struct profile_point *pt, struct reading r, char *out,
                                 size_t size)
{
    char value[DECIMAL_TEXT_MAX];
    const char *unit = pt->quantity ? pt->quantity->unit : pt->unit ? pt->unit->code : NULL;
    int n;

    decimal_print(r.value, value);
    n = snprintf(out, size, "%s %s %s %s", *value ? value : "-", unit ? unit : "-",
                 status_id((enum status)r.verdict.status),
                 grade_id((enum grade)r.verdict.grade));
    for (uint32_t bit = 1; bit && n > 0 && (size_t)n < size; bit <<= 1)
        if (r.verdict.reasons & bit)
            n += snprintf(out + n, size - (size_t)n, " %s", reason_id(bit));
}

struct payload_case {
    const struct profile *p;
    const char *path;
    int line;
    struct kept_rows rows;
    uint8_t bytes[PAYLOAD_BYTES_MAX];
    size_t n;
    unsigned fport;
    bool is_encoded, is_open;
    enum payload_outcome outcome, expected;
    size_t row, rows_checked; /* rows: those that the case told of */
    double value[PROFILE_POINTS_MAX];
    bool seen[PROFILE_POINTS_MAX];
    size_t cases, checked;
};

static inline const char *outcome_word(enum payload_outcome o)
{
    static const char *const words[] = {
        [PAYLOAD_OK] = "ok",           [PAYLOAD_IGNORED] = "ignored",
        [PAYLOAD_UNKNOWN] = "unknown", [PAYLOAD_TRUNCATED] = "truncated",
        [PAYLOAD_INVALID] = "invalid", [PAYLOAD_SCRIPT] = "script",
    };

    return words[o];
}

/* The case has told all: outcome, number of rows, and what the encoder makes of the values. */
static inline void close_case(struct payload_case *c)
{
    uint8_t out[PAYLOAD_BYTES_MAX], fport = 0;

    if (!c->is_open)
        return;
    c->is_open = false;
    if (c->outcome != c->expected)
        fail_msg("%s:%d: the case before is \"%s\", the profile says \"%s\"", c->path, c->line,
                 outcome_word(c->expected), outcome_word(c->outcome));
    if (c->rows_checked != c->rows.n)
        fail_msg("%s:%d: the case before tells of %zu rows, the message has %zu", c->path,
                 c->line, c->rows_checked, c->rows.n);
    if (!c->is_encoded)
        return;
    int n = payload_encode(c->p, c->value, &fport, out, sizeof out);
    assert_int_equal(fport, c->fport);
    if (n != (int)c->n || memcmp(out, c->bytes, c->n)) {
        fprintf(stderr, "the encoder gives ");
        for (int i = 0; i < n; i++)
            fprintf(stderr, "%02X", out[i]);
        fail_msg(" at %s:%d", c->path, c->line);
    }
}

static inline void open_case(struct payload_case *c)
{
    close_case(c);
    c->is_open = true;
    c->is_encoded = false;
    c->expected = PAYLOAD_OK;
    c->rows.n = c->row = c->rows_checked = 0;
    for (size_t i = 0; i < PROFILE_POINTS_MAX; i++)
        c->value[i] = (double)NAN;
    c->cases++;
}

static inline void read_hex(struct payload_case *c, const char *text)
{
    c->n = bytes_from_hex(text, c->bytes, sizeof c->bytes);
    c->rows.p = c->p;
    c->outcome = payload_decode(c->p, (uint8_t)c->fport, c->bytes, c->n, keep_row, &c->rows);
}

static inline void read_row(struct payload_case *c, const char *text)
{
    int64_t age_ms = 0, time_ms = INT64_MIN;

    if (!strncmp(text, "age ", 4))
        age_ms = strtoll(text + 4, NULL, 10) * 1000;
    else if (!strncmp(text, "time ", 5))
        time_ms = strtoll(text + 5, NULL, 10) * 1000;
    else
        assert_string_equal(text, "now");
    c->row = c->rows_checked++;
    if (c->row >= c->rows.n)
        fail_msg("%s:%d: the message has %zu rows", c->path, c->line, c->rows.n);
    if (c->rows.row[c->row].age_ms != age_ms || c->rows.row[c->row].time_ms != time_ms)
        fail_msg("%s:%d: the row's age is %lld ms, its time %lld ms", c->path, c->line,
                 (long long)c->rows.row[c->row].age_ms, (long long)c->rows.row[c->row].time_ms);
}

static inline void read_expected(struct payload_case *c, const char *id, const char *expected)
{
    char found[256] = "none";
    size_t i = 0;

    if (!c->rows_checked)
        read_row(c, "now");
    while (i < c->p->points_n && strcmp(c->p->points[i].id, id))
        i++;
    if (i == c->p->points_n)
        fail_msg("%s:%d: no point is called %s", c->path, c->line, id);
    const struct kept_row *row = &c->rows.row[c->row];
    if (row->has[i])
        print_reading(&c->p->points[i], row->readings[i], found, sizeof found);
    if (strcmp(found, expected))
        fail_msg("%s:%d: %s = %s, the profile reads %s", c->path, c->line, id, expected, found);
    if (row->has[i])
        c->value[i] = decimal_to_double(row->readings[i].value);
    c->seen[i] = c->seen[i] || row->has[i];
    c->checked++;
}

static inline void read_payload_line(struct payload_case *c, char *line)
{
    char *equals = strstr(line, " = ");

    line[strcspn(line, "\n")] = 0;
    if (*line == 0 || *line == '#')
        return;
    if (!strncmp(line, "case ", 5)) {
        open_case(c);
    } else if (!strncmp(line, "fport ", 6)) {
        c->fport = (unsigned)strtoul(line + 6, NULL, 10);
        c->is_encoded = strstr(line, " encode") != NULL;
    } else if (!strncmp(line, "hex ", 4)) {
        read_hex(c, line + 4);
    } else if (!strncmp(line, "outcome ", 8)) {
        while (strcmp(outcome_word(c->expected), line + 8))
            if (++c->expected > PAYLOAD_SCRIPT)
                fail_msg("%s:%d: no outcome is called %s", c->path, c->line, line + 8);
    } else if (!strncmp(line, "row ", 4)) {
        read_row(c, line + 4);
    } else if (equals) {
        *equals = 0;
        read_expected(c, line, equals + 3);
    } else {
        fail_msg("%s:%d: what is this: %s", c->path, c->line, line);
    }
}

/* Every point of the profile must have a line with a reading. */
static inline void check_payload_file(const struct profile *p, const char *path, FILE *f)
{
    struct payload_case *c = calloc(1, sizeof *c);
    char line[1024];

    assert_non_null(c);
    c->p = p;
    c->path = path;
    for (c->line = 1; fgets(line, sizeof line, f); c->line++)
        read_payload_line(c, line);
    close_case(c);
    assert_true(c->cases >= 2 && c->checked >= p->points_n);
    for (size_t i = 0; i < p->points_n; i++)
        if (!c->seen[i])
            fail_msg("%s: no vector for point %s", path, p->points[i].id);
    free(c);
}
