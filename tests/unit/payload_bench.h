/* SPDX-License-Identifier: Apache-2.0 */
/* A LoRaWAN profile out of a few lines, and what it makes of a message, as one line of text. */
#pragma once

#include "gateway/conf/profile_load.h"
#include "tests/unit/payload_vectors.h"

enum { BENCH_BYTES = 8192 };

static const char bench_head[] = "profile: 1\n"
                                 "id: bench\n"
                                 "names: {en: bench, zh: 台架}\n"
                                 "vendor: V\n"
                                 "models: M\n"
                                 "medium: air\n"
                                 "verified: template\n"
                                 "bus: {transports: [lorawan]}\n";

/* Points a, b and c without a quantity: numbers as the device means them. */
static const char bench_points[] = "points: [{id: a}, {id: b}, {id: c}]\n";

static inline struct profile *bench_try(const char *points, const char *payload, struct diag *d)
{
    char text[BENCH_BYTES];
    int n = snprintf(text, sizeof text, "%s%s%s", bench_head, points, payload);

    assert_in_range(n, 1, sizeof text - 1);
    return profile_load_text("bench.yaml", text, (size_t)n, d);
}

static inline struct profile *bench_load(const char *points, const char *payload)
{
    struct diag *d;

    assert_int_equal(diag_create(&d), 0);
    struct profile *p = bench_try(points, payload, d);
    diag_print(d, stderr);
    assert_non_null(p);
    diag_destroy(d);
    return p;
}

struct bench_said {
    const struct profile *p;
    char text[BENCH_BYTES];
    size_t n;
};

/* "-600s a=1 b=-; a=2": past rows with their age or time, points that are given, verdicts that
 * are not good. */
static inline void bench_note(void *user, const struct payload_row *row)
{
    struct bench_said *s = user;
    char value[DECIMAL_TEXT_MAX];
    const char *joint = "";

#define SAY(...) s->n += (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, __VA_ARGS__)
    SAY("%s", s->n ? "; " : "");
    if (row->time_ms != INT64_MIN)
        SAY("@%lld ", (long long)row->time_ms);
    else if (row->age_ms)
        SAY("-%llds ", (long long)(row->age_ms / 1000));
    for (size_t i = 0; i < s->p->points_n; i++) {
        const struct reading *r = &row->readings[i];
        if (!row->has[i])
            continue;
        decimal_print(r->value, value);
        SAY("%s%s=%s", joint, s->p->points[i].id, *value ? value : "-");
        if (r->verdict.grade != GRADE_GOOD && *value)
            SAY("(%s)", grade_id((enum grade)r->verdict.grade));
        joint = " ";
    }
#undef SAY
    assert_true(s->n < sizeof s->text);
}

static inline void bench_decodes(const struct profile *p, unsigned fport, const char *hex,
                                 enum payload_outcome outcome, const char *expected)
{
    struct bench_said said = { .p = p };
    uint8_t bytes[PAYLOAD_BYTES_MAX];
    size_t n = bytes_from_hex(hex, bytes, sizeof bytes);

    enum payload_outcome o = payload_decode(p, (uint8_t)fport, bytes, n, bench_note, &said);
    if (o != outcome || strcmp(said.text, expected))
        fail_msg("%s: expected \"%s\" %s, found \"%s\" %s", hex, expected,
                 outcome_word(outcome), said.text, outcome_word(o));
}

static inline void bench_encodes(const struct profile *p, const double *value, unsigned fport,
                                 const char *hex)
{
    uint8_t expected[PAYLOAD_BYTES_MAX], out[PAYLOAD_BYTES_MAX], port = 0;
    size_t n = bytes_from_hex(hex, expected, sizeof expected);

    assert_int_equal(payload_encode(p, value, &port, out, sizeof out), (int)n);
    assert_int_equal(port, fport);
    assert_memory_equal(out, expected, n);
}
