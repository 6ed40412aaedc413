/* SPDX-License-Identifier: Apache-2.0 */
/* Every profile of the library, simulated for a day and decoded again. */
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_load.h"
#include "gateway/sim/instrument.h"

enum { HOUR = 3600 * 1000, STEP = 17 * 60 * 1000, STEPS = 85 };

static const int64_t DAY0 = INT64_C(1774828800000); /* 2026-03-30T00:00:00Z */

/* What a master reads: each span, in requests that the profile allows. */
static void read_all(const struct profile *p, const struct instrument *in, uint16_t *words,
                     uint8_t *have)
{
    for (size_t i = 0; i < p->spans_n; i++) {
        const struct profile_span *s = &p->spans[i];
        assert_int_equal(instrument_read(in, s->space, s->first, s->count, words + s->offset),
                         0);
        memset(have + s->offset, 1, s->count);
    }
}

static bool is_reading(const struct profile_point *pt)
{
    return pt->role == POINT_MEASUREMENT && pt->quantity && pt->at.space;
}

static void check_point(const struct profile *p, size_t i, const struct reading *r,
                        const struct instrument *in)
{
    const struct profile_point *pt = &p->points[i];
    double meant = instrument_value(in, i);
    double shown = decimal_to_double(r->value);
    double step = pt->conversion.factor != 0 ? fabs(pt->scale * pt->conversion.factor) : 1;
    bool is_near = fabs(shown - meant) <= step + 1e-5 * fabs(meant);
    bool is_good = r->verdict.status == STATUS_VALID && r->verdict.grade == GRADE_GOOD;

    if (is_near && is_good && !(shown < pt->range_min - step) &&
        !(shown > pt->range_max + step))
        return;
    fail_msg("%s: %s is meant %g, shows %g, %s %s", p->id, pt->id, meant, shown,
             status_id(r->verdict.status), grade_id(r->verdict.grade));
}

static void simulate(const struct profile *p)
{
    const struct instrument_options o = { .id = "x",
                                          .profile = p,
                                          .order = -1,
                                          .unit = 1,
                                          .seed = 1,
                                          .origin_ms = DAY0,
                                          .is_calm = true };
    struct reading *out = calloc(p->points_n, sizeof *out);
    uint16_t *words = calloc(p->words_n, sizeof *words);
    uint8_t *have = calloc(p->words_n, 1);
    struct instrument *in;

    assert_true(out && words && have);
    assert_int_equal(instrument_create(&o, &in), 0);
    for (int k = 0; k < STEPS; k++) {
        instrument_advance(in, DAY0 + (int64_t)k * STEP);
        read_all(p, in, words, have);
        profile_decode(p, -1, words, have, out);
        for (size_t i = 0; i < p->points_n; i++)
            if (is_reading(&p->points[i]))
                check_point(p, i, &out[i], in);
    }
    instrument_destroy(in);
    free(out);
    free(words);
    free(have);
}

static void each_profile(void (*check)(const struct profile *p))
{
    assert_true(profile_files_n >= 10);
    for (size_t i = 0; i < profile_files_n; i++) {
        struct diag *d;
        assert_int_equal(diag_create(&d), 0);
        struct profile *p =
            profile_load_text(profile_files[i].name, (const char *)profile_files[i].data,
                              profile_files[i].size, d);
        if (!p)
            diag_print(d, stderr);
        assert_non_null(p);
        check(p);
        profile_destroy(p);
        diag_destroy(d);
    }
}

static void shows_good_values_as_meant_all_day(void **state)
{
    (void)state;
    each_profile(simulate);
}

/* A reading that never moves would be called stuck. Rain and precipitation codes may stand
 * still. */
static void check_movement(const struct profile *p)
{
    const struct instrument_options o = { .id = "x",
                                          .profile = p,
                                          .order = -1,
                                          .unit = 1,
                                          .seed = 1,
                                          .origin_ms = DAY0,
                                          .is_calm = true };
    struct reading *first = calloc(p->points_n, sizeof *first);
    struct reading *out = calloc(p->points_n, sizeof *out);
    bool *has_moved = calloc(p->points_n, sizeof *has_moved);
    uint16_t *words = calloc(p->words_n, sizeof *words);
    uint8_t *have = calloc(p->words_n, 1);
    struct instrument *in;

    assert_true(first && out && has_moved && words && have);
    assert_int_equal(instrument_create(&o, &in), 0);
    for (int k = 0; k < 60; k++) { /* five minutes of polls at noon */
        instrument_advance(in, DAY0 + 12 * HOUR + (int64_t)k * 5000);
        read_all(p, in, words, have);
        profile_decode(p, -1, words, have, k ? out : first);
        for (size_t i = 0; k && i < p->points_n; i++)
            has_moved[i] |= memcmp(&first[i].value, &out[i].value, sizeof out[i].value) != 0;
    }
    for (size_t i = 0; i < p->points_n; i++) {
        const struct profile_point *pt = &p->points[i];
        if (is_reading(pt) && !has_moved[i] && strncmp(pt->quantity->id, "precip", 6) != 0)
            fail_msg("%s: %s does not move in five minutes", p->id, pt->id);
    }
    instrument_destroy(in);
    free(first);
    free(out);
    free(has_moved);
    free(words);
    free(have);
}

static void moves_all_readings_within_minutes(void **state)
{
    (void)state;
    each_profile(check_movement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_good_values_as_meant_all_day),
        cmocka_unit_test(moves_all_readings_within_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
