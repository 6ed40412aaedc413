/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks against recorded verdicts of ioos_qc (and own ones for what it does not have):
 * each case is fed sample by sample, its state moved to another place between two samples, and
 * as a batch; a flag comes one sample late at most.
 */
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "rules/qc/checks.h"
#include "rules/qc/platform.h"
#include "tests/unit/unit.h"

enum { SAMPLES_MAX = 100000, CORNERS_MAX = 1024, MEMORY_MAX = 24 * SAMPLES_MAX + 64 };

struct job {
    const json_t *args;
    bool is_batch;
    const char *error; /* the configuration is refused: why */
    size_t n, given;
    double x[SAMPLES_MAX], y[SAMPLES_MAX];
    int64_t t[SAMPLES_MAX];
    uint8_t flag[SAMPLES_MAX];
};

static struct job job;
static double memory[3][MEMORY_MAX / sizeof(double)];

/* ---- flags ---- */

static void give(struct job *j, enum qc_flag f)
{
    if (f == QC_NONE)
        return;
    assert_true(j->given < SAMPLES_MAX);
    j->flag[j->given++] = (uint8_t)f;
}

/* After the step of sample i. */
static void check_delay(const struct job *j, size_t i)
{
    if (!j->is_batch)
        assert_true(j->given >= i);
}

/* A stream's state survives being put away and taken up again. */
static void move_state(const struct job *j, void *state, size_t size)
{
    unsigned char other[512];

    if (j->is_batch)
        return;
    assert_true(size <= sizeof other);
    memcpy(other, state, size);
    memset(state, 0xA5, size);
    memcpy(state, other, size);
}

/* ---- arguments ---- */

static void refuse(struct job *j, const char *why)
{
    if (!j->error)
        j->error = why;
}

/* Absent: dflt. NULL in the file: NaN where it may be. */
static double number(struct job *j, const char *name, double dflt, bool may_be_null)
{
    const json_t *v = json_object_get(j->args, name);

    if (!v)
        return dflt;
    if (json_is_null(v) && may_be_null)
        return NAN;
    if (!json_is_number(v))
        refuse(j, "A threshold must be a number.");
    return json_number_value(v);
}

static const char *word(struct job *j, const char *name, const char *dflt)
{
    const json_t *v = json_object_get(j->args, name);

    if (v && !json_is_string(v))
        refuse(j, "A word must be text.");
    return json_is_string(v) ? json_string_value(v) : dflt;
}

static const char *word_or_null(struct job *j, const char *name, const char *dflt)
{
    return json_is_null(json_object_get(j->args, name)) ? dflt : word(j, name, dflt);
}

/* As ioos_qc takes some words: in any case, with blanks around. */
static bool is_word(const char *text, const char *wanted)
{
    const size_t n = strlen(wanted);

    text += strspn(text, " \t");
    return strncasecmp(text, wanted, n) == 0 && !text[n + strspn(text + n, " \t")];
}

static size_t numbers(struct job *j, const char *name, double *ret)
{
    const json_t *v = json_object_get(j->args, name), *item;
    size_t i;

    if (json_is_number(v)) {
        ret[0] = json_number_value(v);
        return 1;
    }
    if (!json_is_array(v))
        refuse(j, "A series must be a list of numbers.");
    assert_true(json_array_size(v) <= SAMPLES_MAX);
    json_array_foreach(v, i, item)
    {
        if (!json_is_number(item) && !json_is_null(item))
            refuse(j, "A value must be a number.");
        ret[i] = json_is_number(item) ? json_number_value(item) : NAN;
    }
    return json_array_size(v);
}

static void times(struct job *j)
{
    static double seconds[SAMPLES_MAX];
    const size_t n = numbers(j, "tinp", seconds);

    for (size_t i = 0; i < n; i++)
        j->t[i] = isnan(seconds[i]) ? QC_NO_TIME : llround(seconds[i] * 1000);
    j->n = n;
}

static void values(struct job *j)
{
    times(j);
    const size_t n = j->n;
    j->n = numbers(j, "inp", j->x);
    if (n != j->n)
        refuse(j, "As many times as values are needed.");
}

static bool is_rising(const struct job *j)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->t[i] == QC_NO_TIME || (i > 0 && j->t[i] < j->t[i - 1]))
            return false;
    return true;
}

static int64_t iso_ms(const char *text)
{
    struct tm tm = { .tm_mday = 1 };
    int year = 1970, month = 1;

    if (strcmp(text, "now") == 0)
        return (int64_t)time(NULL) * 1000;
    if (sscanf(text, "%d-%d-%d%*[T ]%d:%d:%d", &year, &month, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec) < 1)
        return QC_NO_TIME;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    return (int64_t)timegm(&tm) * 1000;
}

enum scale { NUMBERS = 1, INSTANTS = 1000 /* seconds, or text of ISO 8601 */ };

static double instant_or_number(const json_t *v, enum scale scale)
{
    if (json_is_number(v))
        return json_number_value(v) * (double)scale;
    const int64_t ms =
        scale == INSTANTS && json_is_string(v) ? iso_ms(json_string_value(v)) : QC_NO_TIME;
    return ms == QC_NO_TIME ? NAN : (double)ms;
}

/* Two numbers in any order; open when the name is absent or null. */
static struct qc_span span_in(struct job *j, const json_t *object, const char *name,
                              bool is_needed, enum scale scale)
{
    const json_t *v = json_object_get(object, name);

    if (!is_needed && (!v || json_is_null(v)))
        return QC_OPEN_SPAN;
    if (json_array_size(v) != 2) {
        refuse(j, "A span has two ends.");
        return QC_OPEN_SPAN;
    }
    const struct qc_span s = qc_span_of(instant_or_number(json_array_get(v, 0), scale),
                                        instant_or_number(json_array_get(v, 1), scale));
    if (isnan(s.min) || isnan(s.max))
        refuse(j, "The ends of a span must be numbers.");
    return s;
}

/* ---- tests of values ---- */

static void gross_range(struct job *j)
{
    const struct qc_range c = { span_in(j, j->args, "fail_span", true, NUMBERS),
                                span_in(j, j->args, "suspect_span", false, NUMBERS) };

    j->n = numbers(j, "inp", j->x);
    if (qc_range_error(&c))
        refuse(j, qc_range_error(&c));
    for (size_t i = 0; i < j->n && !j->error; i++)
        give(j, qc_range_check(&c, j->x[i]));
}

static double end_of(const json_t *span, size_t i)
{
    const json_t *v = json_array_get(span, i);

    return json_is_number(v) ? json_number_value(v) : NAN;
}

static void valid_range(struct job *j)
{
    const json_t *span = json_object_get(j->args, "valid_span");
    const json_t *start = json_object_get(j->args, "start_inclusive");
    const struct qc_valid c = {
        .min = end_of(span, 0),
        .max = end_of(span, 1),
        .is_min_out = start && !json_is_true(start),
        .is_max_in = json_is_true(json_object_get(j->args, "end_inclusive")),
    };

    if (json_array_size(span) != 2)
        refuse(j, "A span has two ends.");
    for (size_t i = 0; i < json_array_size(span); i++)
        if (!json_is_number(json_array_get(span, i)) && !json_is_null(json_array_get(span, i)))
            refuse(j, "The ends of a span must be numbers.");
    j->n = numbers(j, "inp", j->x);
    for (size_t i = 0; i < j->n && !j->error; i++)
        give(j, qc_valid_check(&c, j->x[i]));
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void percentile_range(struct job *j)
{
    const double low = number(j, "low_percentile", 5, false);
    const double high = number(j, "hi_percentile", 95, false), pad = number(j, "pad", 0, false);
    size_t n = 0;

    j->n = numbers(j, "inp", j->x);
    for (size_t i = 0; i < j->n; i++)
        if (isfinite(j->x[i]))
            j->y[n++] = j->x[i];
    qsort(j->y, n, sizeof *j->y, compare);
    const struct qc_range c = { .fail = QC_OPEN_SPAN,
                                .suspect = { qc_percentile(j->y, n, low) - pad,
                                             qc_percentile(j->y, n, high) + pad } };
    for (size_t i = 0; i < j->n && !j->error; i++)
        give(j, qc_range_check(&c, j->x[i]));
}

static void spike(struct job *j)
{
    const char *method = word(j, "method", "average");
    const struct qc_spike c = {
        .method = strcmp(method, "average") ? QC_SPIKE_DIFFERENTIAL : QC_SPIKE_AVERAGE,
        .suspect = number(j, "suspect_threshold", NAN, true),
        .fail = number(j, "fail_threshold", NAN, true),
    };
    struct qc_spike_state st = { 0 };

    if (strcmp(method, "average") && strcmp(method, "differential"))
        refuse(j, "The method of a spike is average or differential.");
    j->n = numbers(j, "inp", j->x);
    for (size_t i = 0; i < j->n && !j->error; i++) {
        give(j, qc_spike_step(&c, &st, j->x[i]));
        check_delay(j, i);
        move_state(j, &st, sizeof st);
    }
    if (!j->error)
        give(j, qc_spike_end(&st));
}

static void rate_of_change(struct job *j)
{
    const struct qc_rate c = {
        .suspect = number(j, "threshold", NAN, false),
        .fail = number(j, "fail_threshold", NAN, true),
        .tick_ms = 1000,
    };
    struct qc_rate_state st = { 0 };

    values(j);
    for (size_t i = 0; i < j->n && !j->error; i++) {
        give(j, qc_rate_step(&c, &st, j->t[i], j->x[i]));
        check_delay(j, i + 1);
        move_state(j, &st, sizeof st);
    }
}

/* Whole seconds of the middle step of time; a missing time makes no step. */
static double median_interval(const struct job *j)
{
    static double step[SAMPLES_MAX];
    size_t n = 0;

    for (size_t i = 1; i < j->n; i++)
        if (j->t[i] != QC_NO_TIME && j->t[i - 1] != QC_NO_TIME)
            step[n++] = (double)(j->t[i] - j->t[i - 1]);
    qsort(step, n, sizeof *step, compare);
    return n ? trunc((step[(n - 1) / 2] + step[n / 2]) / 2 / 1000) : NAN;
}

static unsigned window_cap(const struct job *j, unsigned count)
{
    return (unsigned)(count < j->n ? count + 1 : j->n);
}

static void flat_line(struct job *j)
{
    const double suspect_s = number(j, "suspect_threshold", 0, false);
    const double fail_s = number(j, "fail_threshold", 0, false);
    struct qc_flat_state st = { 0 };

    times(j); /* as many as there are: they tell the interval alone */
    const double interval_s = median_interval(j);
    j->n = numbers(j, "inp", j->x);
    for (size_t i = 0; j->n < 3 && i < j->n; i++)
        give(j, QC_GOOD);
    if (j->n < 3 || j->error)
        return;
    const struct qc_flat c = { qc_flat_count(suspect_s, interval_s),
                               qc_flat_count(fail_s, interval_s),
                               number(j, "tolerance", 0, false) };
    qc_window_init(&st.suspect, memory[0], window_cap(j, c.suspect));
    qc_window_init(&st.fail, memory[1], window_cap(j, c.fail));
    for (size_t i = 0; i < j->n && !j->error; i++) {
        give(j, qc_flat_step(&c, &st, j->x[i]));
        check_delay(j, i + 1);
        move_state(j, &st, sizeof st);
    }
}

/* Without a period: one statistic of all there is. */
static void attenuated_whole(struct job *j, const struct qc_attenuated *c)
{
    struct qc_window w;

    qc_window_init(&w, memory[0], SAMPLES_MAX);
    for (size_t i = 0; i < j->n; i++)
        if (isfinite(j->x[i]))
            qc_window_put(&w, j->t[i], j->x[i]);
    const double statistic =
        c->kind == QC_DEVIATION ? qc_window_deviation_exact(&w) : qc_window_range(&w);
    for (size_t i = 0; i < j->n; i++)
        give(j, isfinite(j->x[i]) ? qc_attenuated_flag(c, statistic) : QC_MISSING);
}

static void attenuated_signal(struct job *j)
{
    const char *kind = word(j, "check_type", "std");
    const double min_obs = number(j, "min_obs", NAN, true);
    const double min_s = number(j, "min_period", NAN, true);
    const double period_s = number(j, "test_period", NAN, true);
    struct qc_attenuated c = {
        .kind = strcmp(kind, "std") ? QC_RANGE_OF_VALUES : QC_DEVIATION,
        .suspect = number(j, "suspect_threshold", NAN, false),
        .fail = number(j, "fail_threshold", NAN, false),
    };
    struct qc_attenuated_state st = { 0 };

    if (strcmp(kind, "std") && strcmp(kind, "range"))
        refuse(j, "The statistic of an attenuated signal is std or range.");
    values(j);
    if (j->error)
        return;
    if (isnan(period_s) || period_s == 0) {
        attenuated_whole(j, &c);
        return;
    }
    if (period_s < 0 || min_obs < 0 || min_s < 0)
        refuse(j, "A period cannot be negative.");
    if (!is_rising(j))
        refuse(j, "The times of a window must rise.");
    if (j->error)
        return;
    c.period_ms = llround(period_s * 1000);
    c.min_n = !isnan(min_obs)             ? (unsigned)min_obs
              : !isnan(min_s) && j->n > 1 ? (unsigned)(min_s / median_interval(j))
                                          : 0;
    qc_window_init(&st.window, memory[0], SAMPLES_MAX);
    for (size_t i = 0; i < j->n; i++) {
        give(j, qc_attenuated_step(&c, &st, j->t[i], j->x[i]));
        check_delay(j, i + 1);
        move_state(j, &st, sizeof st);
    }
}

static void season(struct job *j, const json_t *member, struct qc_season *ret)
{
    const json_t *period = json_object_get(member, "period");

    *ret = (struct qc_season){ .calendar = QC_INSTANT };
    if (period && !json_is_null(period) && !json_is_string(period))
        refuse(j, "The period of a season is a word.");
    if (json_is_string(period) &&
        qc_calendar_find(json_string_value(period), &ret->calendar) != 0)
        refuse(j, "The period of a season is not known.");
    ret->time =
        span_in(j, member, "tspan", true, ret->calendar == QC_INSTANT ? INSTANTS : NUMBERS);
    ret->usual = span_in(j, member, "vspan", true, NUMBERS);
    ret->fail = span_in(j, member, "fspan", false, NUMBERS);
    ret->depth = span_in(j, member, "zspan", false, NUMBERS);
}

static void climatology(struct job *j)
{
    const json_t *config = json_object_get(j->args, "config"), *member;
    struct qc_season seasons[CORNERS_MAX];
    size_t i;

    assert_true(json_array_size(config) <= CORNERS_MAX);
    json_array_foreach(config, i, member) season(j, member, &seasons[i]);
    values(j);
    for (i = 0; i < j->n; i++)
        j->y[i] = NAN;
    if (json_object_get(j->args, "zinp") && numbers(j, "zinp", j->y) != j->n)
        refuse(j, "As many depths as values are needed.");
    for (i = 0; i < j->n && !j->error; i++)
        give(j, qc_climate_check(seasons, json_array_size(config), j->t[i], j->x[i], j->y[i]));
}

static void multi_variate(struct job *j)
{
    const struct qc_relation c = { .kind = QC_MOVES_WITH,
                                   .limit = number(j, "threshold_x", NAN, false),
                                   .rest = number(j, "threshold_y", NAN, false) };
    struct qc_moves_state st = { 0 };

    j->n = numbers(j, "x", j->x);
    if (numbers(j, "y", j->y) != j->n)
        refuse(j, "Both series must be equally long.");
    for (size_t i = 0; i < j->n && !j->error; i++) {
        give(j, qc_moves_step(&c, &st, j->x[i], j->y[i]));
        move_state(j, &st, sizeof st);
    }
}

static void compare_flags(struct job *j)
{
    const json_t *vectors = json_object_get(j->args, "vectors"), *v;
    const size_t n = json_array_size(json_array_get(vectors, 0));
    size_t k;

    if (!json_is_array(vectors) || !json_is_array(json_array_get(vectors, 0)))
        refuse(j, "Lists of flags are compared.");

    for (size_t i = 0; i < n; i++) {
        enum qc_flag all = QC_NONE;
        json_array_foreach(vectors, k, v)
        {
            if (json_array_size(v) != n)
                refuse(j, "All lists of flags must be equally long.");
            all = qc_flag_merge(all, (enum qc_flag)json_integer_value(json_array_get(v, i)));
        }
        give(j, all);
    }
}

/* ---- tests of times and messages ---- */

static void impossible_date(struct job *j)
{
    const struct qc_span span = span_in(j, j->args, "fail_span", false, INSTANTS);
    struct qc_time c = { 0 };

    times(j);
    if (!j->error && !isnan(span.min)) {
        c.from_ms = (int64_t)span.min;
        c.to_ms = (int64_t)span.max;
    }
    for (size_t i = 0; i < j->n && !j->error; i++)
        give(j, qc_time_check(&c, j->t[i], iso_ms("now")));
}

static int64_t hours(struct job *j, double dflt)
{
    return (int64_t)(number(j, "fail_span", dflt, false) * 3600) * 1000;
}

static void time_gap(struct job *j)
{
    const int64_t limit_ms = hours(j, 2);

    times(j);
    for (size_t i = 1; i < j->n; i++) {
        const enum qc_flag f = qc_pause_check(limit_ms, j->t[i - 1], j->t[i]);
        if (i == 1)
            give(j, qc_pause_first(j->t[0], j->t[1], f));
        give(j, f);
        check_delay(j, i + 1);
    }
    if (j->n == 1)
        give(j, QC_NOT_EVALUATED);
}

static void data_reception(struct job *j)
{
    const int64_t limit_ms = hours(j, 6), now_ms = iso_ms(word_or_null(j, "from_time", "now"));

    if (now_ms == QC_NO_TIME)
        refuse(j, "The time of reception must be a date.");
    times(j);
    for (size_t i = 0; i < j->n && !j->error; i++)
        give(j, qc_reception_check(limit_ms, j->t[i], now_ms));
}

static void syntax(struct job *j)
{
    const json_t *texts = json_object_get(j->args, "inp"), *text;
    const char *how = word(j, "lentype", "char");
    const char *delimiter = word_or_null(j, "delimiter", NULL);
    const double expected = number(j, "nchar", NAN, false);
    size_t i;

    if (!is_word(how, "char") && !is_word(how, "byte"))
        refuse(j, "Characters or bytes are counted.");
    if (!json_is_array(texts))
        refuse(j, "What is counted is a list of texts.");
    json_array_foreach(texts, i, text)
    {
        if (!json_is_string(text))
            refuse(j, "What is counted is text.");
        else
            give(j, qc_syntax_check(is_word(how, "byte") ? QC_BYTES : QC_CHARACTERS, expected,
                                    delimiter, json_string_value(text)));
    }
}

/* ---- tests of places and casts ---- */

static void places(struct job *j)
{
    j->n = numbers(j, "lon", j->x);
    if (numbers(j, "lat", j->y) != j->n)
        refuse(j, "As many longitudes as latitudes are needed.");
}

static struct qc_place place(const struct job *j, size_t i)
{
    return (struct qc_place){ j->x[i], j->y[i] };
}

static void location(struct job *j)
{
    const char *method = word(j, "range_method", "haversine");
    const double range_max = number(j, "range_max", NAN, true);
    struct qc_place before = { NAN, NAN };

    const bool is_wgs84 = is_word(method, "wgs84");

    if (!is_wgs84 && !is_word(method, "haversine"))
        refuse(j, "A distance is haversine or wgs84.");
    places(j);
    for (size_t i = 0; i < j->n && !j->error; i++) {
        give(j, qc_location_check(is_wgs84 ? QC_WGS84 : QC_HAVERSINE, range_max, before,
                                  place(j, i)));
        before = place(j, i);
    }
}

/* Corners, or the two ends of a box: [west, south, east, north]. */
static size_t corners(struct job *j, struct qc_place *ret)
{
    const json_t *shape = json_object_get(j->args, "shape"), *c;
    double box[4];
    size_t i;

    if (json_is_number(json_array_get(shape, 0)) && json_array_size(shape) == 4) {
        for (i = 0; i < 4; i++)
            box[i] = end_of(shape, i);
        for (i = 0; i < 4; i++)
            ret[i] = (struct qc_place){ box[i == 1 || i == 2 ? 2 : 0], box[i < 2 ? 1 : 3] };
        return 4;
    }
    assert_true(json_array_size(shape) <= CORNERS_MAX);
    json_array_foreach(shape, i, c)
    {
        ret[i] = (struct qc_place){ end_of(c, 0), end_of(c, 1) };
        if (isnan(ret[i].lon) || isnan(ret[i].lat))
            refuse(j, "A corner is a longitude and a latitude.");
    }
    if (json_array_size(shape) < 3)
        refuse(j, "A polygon has 3 corners at least.");
    return json_array_size(shape);
}

static void location_bounds(struct job *j)
{
    const char *area = word(j, "flag_area", "outside");
    struct qc_place corner[CORNERS_MAX];
    const size_t n = corners(j, corner);

    if (strcmp(area, "outside") && strcmp(area, "inside"))
        refuse(j, "What is flagged is inside or outside.");
    places(j);
    for (size_t i = 0; i < j->n && !j->error; i++)
        give(j, qc_bounds_check(corner, n, strcmp(area, "inside") == 0, place(j, i)));
}

static void speed(struct job *j)
{
    const struct qc_speed c = { number(j, "suspect_threshold", NAN, false),
                                number(j, "fail_threshold", NAN, false) };
    struct qc_speed_state st = { 0 };

    times(j);
    const size_t n = j->n;
    places(j);
    if (n != j->n)
        refuse(j, "As many times as places are needed.");
    for (size_t i = 0; i < j->n && !j->error; i++) {
        give(j, qc_speed_step(&c, &st, j->t[i], place(j, i)));
        move_state(j, &st, sizeof st);
    }
}

static void density_inversion(struct job *j)
{
    const struct qc_density c = { number(j, "suspect_threshold", NAN, true),
                                  number(j, "fail_threshold", NAN, true) };
    struct qc_density_state st = { 0 };

    j->n = numbers(j, "inp", j->x);
    if (numbers(j, "zinp", j->y) != j->n)
        refuse(j, "As many depths as values are needed.");
    for (size_t i = 0; i < j->n && !j->error; i++) {
        give(j, qc_density_step(&c, &st, j->x[i], j->y[i]));
        check_delay(j, i);
        move_state(j, &st, sizeof st);
    }
    if (j->n && !j->error)
        give(j, qc_density_end(&st));
}

static void pressure_increasing(struct job *j)
{
    double before = NAN;

    j->n = numbers(j, "inp", j->x);
    const int direction = qc_cast_direction(j->x, j->n);
    for (size_t i = 0; i < j->n; i++) {
        give(j, qc_cast_check(direction, before, j->x[i]));
        before = j->x[i];
    }
}

static const struct {
    const char *test, *args;
    void (*run)(struct job *j);
} handlers[] = {
    { "gross_range_test", "inp fail_span suspect_span", gross_range },
    { "valid_range_test", "inp valid_span start_inclusive end_inclusive", valid_range },
    { "percentile_range_test", "inp low_percentile hi_percentile pad", percentile_range },
    { "spike_test", "inp suspect_threshold fail_threshold method", spike },
    { "rate_of_change_test", "inp tinp threshold fail_threshold", rate_of_change },
    { "flat_line_test", "inp tinp suspect_threshold fail_threshold tolerance", flat_line },
    { "attenuated_signal_test",
      "inp tinp suspect_threshold fail_threshold test_period min_obs min_period check_type",
      attenuated_signal },
    { "climatology_test", "config inp tinp zinp", climatology },
    { "multi_variate", "x y threshold_x threshold_y", multi_variate },
    { "qartod_compare", "vectors", compare_flags },
    { "impossible_date_test", "tinp fail_span", impossible_date },
    { "time_gap_test", "tinp fail_span", time_gap },
    { "data_reception_test", "tinp fail_span from_time", data_reception },
    { "syntax_test", "inp nchar lentype delimiter", syntax },
    { "location_test", "lon lat range_max range_method", location },
    { "location_bounds_test", "lon lat shape flag_area", location_bounds },
    { "speed_test", "lon lat tinp suspect_threshold fail_threshold", speed },
    { "density_inversion_test", "inp zinp suspect_threshold fail_threshold",
      density_inversion },
    { "pressure_increasing_test", "inp", pressure_increasing },
};

/* Nothing that a case asks for is passed over. */
static void check_names(struct job *j, const char *known)
{
    char list[256], name[64];
    const char *key;
    json_t *value, *args = (json_t *)(uintptr_t)j->args;

    snprintf(list, sizeof list, " %s ", known);
    json_object_foreach(args, key, value)
    {
        snprintf(name, sizeof name, " %s ", key);
        if (!strstr(list, name))
            refuse(j, "An argument is not known.");
    }
}

static void run(const char *test, const json_t *args, bool is_batch)
{
    memset(&job, 0, offsetof(struct job, x)); /* series are filled as far as they go */
    job.args = args;
    job.is_batch = is_batch;
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++)
        if (strcmp(handlers[i].test, test) == 0) {
            check_names(&job, handlers[i].args);
            handlers[i].run(&job);
            return;
        }
    fail_msg("no check for %s", test);
}

/* ---- files ---- */

/* Equal flags, as a stream and as a batch. */
static bool agrees(const char *id, const char *test, const json_t *v)
{
    const json_t *args = json_object_get(v, "args"), *expected = json_object_get(v, "expected");
    bool is_equal = true;

    for (int is_batch = 0; is_batch < 2; is_batch++) {
        run(test, args, is_batch);
        is_equal = !job.error && job.given == json_array_size(expected);
        if (!is_equal)
            print_error("%s: %zu flags of %zu, %s\n", id, job.given, json_array_size(expected),
                        job.error ? job.error : "");
        for (size_t i = 0; is_equal && i < job.given; i++) {
            is_equal = job.flag[i] == json_integer_value(json_array_get(expected, i));
            if (!is_equal)
                print_error("%s: sample %zu is %d, not %d\n", id, i, job.flag[i],
                            (int)json_integer_value(json_array_get(expected, i)));
        }
        if (!is_equal)
            return false;
    }
    return true;
}

static json_t *load(const char *path)
{
    json_error_t error;
    json_t *file = json_load_file(path, 0, &error);

    if (!file && json_error_code(&error) == json_error_cannot_open_file) {
        print_message("%s is not here.\n", path);
        skip();
    }
    if (!file)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return file;
}

static size_t check_cases(const json_t *cases, const char *test)
{
    const json_t *v;
    size_t i, wrong = 0;

    json_array_foreach(cases, i, v)
    {
        const json_t *name = json_object_get(v, "test");
        wrong += !agrees(json_string_value(json_object_get(v, "id")),
                         name ? json_string_value(name) : test, v);
    }
    return wrong;
}

static const char *shared_path(void)
{
    static char path[512];
    const char *shared = getenv("SLUICE_SHARED"), *source = getenv("SLUICE_SOURCE");

    if (shared)
        snprintf(path, sizeof path, "%s/vectors/qartod_vectors.json", shared);
    else
        snprintf(path, sizeof path, "%s/../shared/vectors/qartod_vectors.json",
                 source ? source : ".");
    return path;
}

static void agrees_with_every_recorded_case(void **state)
{
    json_t *file = load(shared_path());

    (void)state;
    assert_true(json_array_size(json_object_get(file, "cases")) > 0);
    assert_int_equal(check_cases(json_object_get(file, "cases"), NULL), 0);
    json_decref(file);
}

static void refuses_every_wrong_configuration(void **state)
{
    json_t *file = load(shared_path());
    const json_t *v;
    size_t i, taken = 0;

    (void)state;
    json_array_foreach(json_object_get(file, "must_reject_config"), i, v)
    {
        const char *test = json_string_value(json_object_get(v, "test"));
        run(test, json_object_get(v, "args"), true);
        if (job.error && *job.error)
            continue;
        print_error("configuration %zu of %s is taken\n", i, test);
        taken++;
    }
    assert_int_equal(taken, 0);
    json_decref(file);
}

static void agrees_with_the_derived_cases(void **state)
{
    json_t *file = load(shared_path()), *derived = json_object_get(file, "hand_derived");
    const char *test;
    json_t *v;
    size_t wrong = 0;

    (void)state;
    json_object_foreach(derived, test, v) wrong +=
        check_cases(json_object_get(v, "cases"), test);
    assert_int_equal(wrong, 0);
    json_decref(file);
}

/* Random series with missing values, equal times and values at the bounds. */
static void agrees_with_the_cases_of_this_repository(void **state)
{
    char path[512];
    const char *source = getenv("SLUICE_SOURCE");

    (void)state;
    snprintf(path, sizeof path, "%s/tests/vectors/qc/recorded.json", source ? source : ".");
    json_t *file = load(path);
    assert_int_equal(check_cases(json_object_get(file, "cases"), NULL), 0);
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_every_recorded_case),
        cmocka_unit_test(refuses_every_wrong_configuration),
        cmocka_unit_test(agrees_with_the_derived_cases),
        cmocka_unit_test(agrees_with_the_cases_of_this_repository),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
