/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The indices of a running station in virtual time: rows as rules/index says of the hourly
 * means in the log, NA with what is missing, and no other rows when it is restarted meanwhile.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/core/unit.h"
#include "station_rig.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define ZONE   (8 * HOUR)
#define T0     (INT64_C(20650) * DAY - ZONE) /* midnight of the zone, in July 2026 */

enum { SO2 = 1 << INDEX_SO2, CO = 1 << INDEX_CO, O3 = 1 << INDEX_O3 };
enum { PM10 = 1 << INDEX_PM10 };

#define CALM "{stuck: 0, rate: {suspect: 0}, spike: {suspect: 0}, consistency: off}"
static const char text[] =
    "station: {id: s-1, region: demo, zone: \"+08:00\", names: {en: S, zh: 站}}\n"
    "buses: [{id: a, type: modbus-rtu, port: /dev/ttyS9}]\n"
    "devices:\n"
    "  - {id: kerb, profile: vaisala-aqt530, bus: a, unit: 1, poll: 5min}\n"
    "  - {id: roof, profile: vaisala-aqt530, bus: a, unit: 2, poll: 5min}\n"
    "qc:\n"
    "  sulfur_dioxide: " CALM "\n  nitrogen_dioxide: " CALM "\n  carbon_monoxide: " CALM "\n"
    "  ozone: " CALM "\n  pm10: " CALM "\n  pm2_5: " CALM "\n"
    "index:\n"
    "  standard: [hj633-2026, hj633-2012, us-epa-2024, eaqi-2024]\n"
    "  from: [roof/ozone]\n"
    "rules:\n"
    "  - {id: aqi, selector: {quantity: aqi_cn}, input: mean(1h), direction: above,\n"
    "     levels: {red: {set: 150, on: 1 of 1}}}\n"
    "  - {id: any, selector: {quantity: aqi_us}, input: raw, direction: above,\n"
    "     levels: {red: {set: 400, on: 1 of 1}}}\n"
    "log: {path: /nonexistent/log.db}\n";

struct told {
    const char *id;
    enum index_report report;
    int64_t time_ms;
    int index;
};

struct fixture {
    struct station s;
    int64_t alert_ms; /* the newest that was raised */
    double alert_value;
    struct told told; /* the newest of the hour by HJ 633-2026 */
};

/* Micrograms; CO milligrams. NaN: none. */
typedef double course_fn(int64_t after_ms, enum index_pollutant p);

static void on_index(void *user, const struct pipeline_index *ix, int64_t time_ms,
                     const struct index_result *r)
{
    struct fixture *f = user;

    if (ix->report == INDEX_HOUR && strcmp(ix->scheme->id, "hj633-2026") == 0)
        f->told = (struct told){ ix->scheme->id, ix->report, time_ms, r->index };
}

static void on_alert(void *user, const struct alert_rule *rule, const struct alert_change *c)
{
    struct fixture *f = user;

    (void)rule;
    if (c->what == ALERT_RAISED) {
        f->alert_ms = c->time_ms;
        f->alert_value = c->value;
    }
}

static struct fixture *open_station(void)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    station_load(&f->s, text, sizeof text - 1);
    f->s.o.on_alert = on_alert;
    f->s.o.on_index = on_index;
    f->s.o.user = f;
    station_start(&f->s);
    return f;
}

static void close_station(struct fixture *f)
{
    station_stop(&f->s);
    station_unload(&f->s);
    free(f);
}

static double value_of(const struct channel *c, course_fn *course, int64_t after_ms)
{
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++)
        if (strcmp(index_pollutant_quantity(p), c->quantity->id) == 0)
            return course(after_ms, p);
    return NAN;
}

/* The roof has the ozone, the kerb everything else; the kerb's ozone is not asked for. */
static void scan(struct fixture *f, uint32_t device, int64_t after_ms, course_fn *course)
{
    static const struct reading none = {
        { 0, DECIMAL_NONE },
        { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM },
        { 0, DECIMAL_NONE },
    };
    const struct pipeline_device *d = &f->s.t->device[device];
    struct reading r[64];

    assert_true(d->points_n <= 64);
    for (size_t i = 0; i < d->points_n; i++) {
        r[i] = none;
        if (d->channel_of[i] == PIPELINE_NO_CHANNEL)
            continue;
        const struct channel *c = &f->s.t->channel[d->channel_of[i]];
        double x = value_of(c, course, after_ms);
        if (strcmp(c->quantity->id, "ozone") == 0 && device == 0)
            x = 11;
        if (!isnan(x))
            r[i] = (struct reading){ decimal_round(x, 1), { 0 }, decimal_round(x, 1) };
    }
    pipeline_scan(f->s.p, &(struct scan){ .device = device,
                                          .time_ms = T0 + after_ms + 500,
                                          .start_ms = T0 + after_ms + 500,
                                          .readings = r,
                                          .outcome = SCAN_OK,
                                          .n = d->points_n });
}

/* restart_ms: so often the gateway begins anew; 0: never. */
static void run(struct fixture *f, int64_t span_ms, int64_t restart_ms, course_fn *course)
{
    for (int64_t t = 0; t < span_ms + 10 * MINUTE; t += 5 * MINUTE) {
        if (restart_ms && t > 0 && t % restart_ms == 0) {
            station_stop(&f->s);
            station_start(&f->s);
        }
        scan(f, 0, t, course);
        scan(f, 1, t, course);
        pipeline_tick(f->s.p, T0 + t + 2 * SECOND);
    }
}

/* Everything is committed by a restart first. */
static void settle(struct fixture *f)
{
    station_stop(&f->s);
    station_start(&f->s);
}

/* -1: no value. */
static int value(const struct station_rows *r, size_t i)
{
    const struct decimal d = series_value(&r->cell[i]);

    return decimal_has_value(d) ? (int)decimal_to_double(d) : -1;
}

/* The table of docs/indices.md: three hours. */
static double three_hours(int64_t after_ms, enum index_pollutant p)
{
    static const double hours[3][INDEX_POLLUTANTS] = {
        [0] = { 35, 85, 3, 140, 80, 45 },
        [1] = { 35, 85, (double)NAN, 301, 80, 115.4 },
        [2] = { 35, 85, (double)NAN, 140, 80, 45 },
    };

    return hours[after_ms / HOUR % 3][p];
}

static void hours_are_judged_as_the_table_of_the_manual(void **state)
{
    static const int index[] = { 72, 151, -1 }, level[] = { 2, 4, -1 },
                     primary[] = { PM10, O3, -1 }, gaps[] = { 0, CO, CO };
    static struct station_rows v, l, p, g;
    struct fixture *f = open_station();

    (void)state;
    run(f, 3 * HOUR, 0, three_hours);
    settle(f);
    station_read(&f->s, "station/hj633-2026@1h", &v);
    station_read(&f->s, "station/hj633-2026@1h.level", &l);
    station_read(&f->s, "station/hj633-2026@1h.primary", &p);
    station_read(&f->s, "station/hj633-2026@1h.gaps", &g);
    assert_int_equal(v.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(v.time_ms[i], T0 + (int64_t)i * HOUR);
        assert_int_equal(value(&v, i), index[i]);
        assert_int_equal(value(&l, i), level[i]);
        assert_int_equal(value(&p, i), primary[i]);
        assert_int_equal(value(&g, i), gaps[i]);
    }
    const struct verdict na = verdict_from_flag(v.cell[2].flag);
    assert_int_equal(na.status, STATUS_NO_COMMUNICATION);
    assert_int_equal(na.grade, GRADE_MISSING);
    close_station(f);
}

static void a_rule_alerts_on_an_index(void **state)
{
    struct fixture *f = open_station();

    (void)state;
    assert_int_equal(f->s.t->rules_n, 4); /* of both HJ 633, and of the US hour and day */
    run(f, 3 * HOUR, 0, three_hours);
    assert_int_equal(f->alert_ms, T0 + HOUR);
    assert_true(f->alert_value == 151);
    close_station(f);
}

static void the_newest_index_is_told_again_after_a_restart(void **state)
{
    struct fixture *f = open_station();

    (void)state;
    run(f, 2 * HOUR, 0, three_hours);
    f->told = (struct told){ 0 };
    settle(f);
    assert_non_null(f->told.id);
    assert_int_equal(f->told.time_ms, T0 + HOUR);
    assert_int_equal(f->told.index, 151);
    close_station(f);
}

/* No two hours alike; SO2 is away for four hours, everything for three. */
static double long_course(int64_t after_ms, enum index_pollutant p)
{
    static const double base[INDEX_POLLUTANTS] = { 40, 60, 2, 120, 110, 70 };
    const int64_t hour = after_ms / HOUR;

    if ((p == INDEX_SO2 && hour >= 5 && hour < 9) || (hour >= 15 && hour < 18))
        return NAN;
    return base[p] * (1 + 0.7 * sin((double)after_ms / (3 * HOUR) + (int)p)) +
           (double)(after_ms / MINUTE % 7) / 10;
}

static const char *const ids[] = {
    "station/hj633-2026@1h",         "station/hj633-2026@1h.level",
    "station/hj633-2026@1h.primary", "station/hj633-2026@1h.gaps",
    "station/hj633-2026@day",        "station/hj633-2012@1h",
    "station/hj633-2012@1h.gaps",    "station/us-epa-2024@1h",
    "station/us-epa-2024@1h.gaps",   "station/eaqi-2024@1h",
    "station/us-epa-2024@day",       "station/us-epa-2024@day.no2_iaqi",
    "station/eaqi-2024@1h.o3_iaqi",  "station/hj633-2026@1h.so2_iaqi",
};

static void restarts_change_no_index(void **state)
{
    static const int64_t every[] = { 3 * HOUR, 50 * MINUTE, 11 * HOUR };
    struct fixture *once = open_station();
    static struct station_rows a, b;

    (void)state;
    run(once, DAY + 6 * HOUR, 0, long_course);
    settle(once);
    for (size_t k = 0; k < sizeof every / sizeof every[0]; k++) {
        struct fixture *often = open_station();
        run(often, DAY + 6 * HOUR, every[k], long_course);
        settle(often);
        for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
            station_read(&once->s, ids[i], &a);
            station_read(&often->s, ids[i], &b);
            assert_int_equal(a.n, strstr(ids[i], "@day") ? 1 : 30);
            assert_int_equal(a.n, b.n);
            for (size_t n = 0; n < a.n; n++)
                if (a.time_ms[n] != b.time_ms[n] || a.cell[n].v != b.cell[n].v ||
                    a.cell[n].e != b.cell[n].e || a.cell[n].flag != b.cell[n].flag)
                    fail_msg("%s, row %zu: %d flag %u, after restarts %d flag %u", ids[i], n,
                             value(&a, n), a.cell[n].flag, value(&b, n), b.cell[n].flag);
        }
        close_station(often);
    }
    close_station(once);
}

/* More statistics of the first channel: the others stand elsewhere from then on. */
static void change_channels(struct fixture *f)
{
    static const char before[] = "unit: 1, poll: 5min}",
                      after[] = "unit: 1, poll: 5min, channels: {sulfur_dioxide: "
                                "{statistics: [1h.min, 1h.max, 1h, day]}, nitrogen_dioxide: "
                                "{statistics: [1h.min, 1h, day]}}}";
    char changed[sizeof text + sizeof after];
    const char *at = strstr(text, before);

    assert_non_null(at);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, after,
             at + sizeof before - 1);
    station_stop(&f->s);
    config_destroy(f->s.config);
    diag_destroy(f->s.d);
    assert_int_equal(diag_create(&f->s.d), 0);
    assert_int_equal(config_load_text("station.yaml", changed, strlen(changed),
                                      uplink_choices(), f->s.d, &f->s.config),
                     0);
    station_start(&f->s);
}

static void a_change_of_channels_forgets_no_hour(void **state)
{
    static struct station_rows a, b;
    struct fixture *once = open_station(), *changed = open_station();

    (void)state;
    run(once, DAY + 6 * HOUR, 0, long_course);
    settle(once);
    for (int64_t t = 0; t < DAY + 6 * HOUR + 10 * MINUTE; t += 5 * MINUTE) {
        if (t == 19 * HOUR + 20 * MINUTE)
            change_channels(changed);
        scan(changed, 0, t, long_course);
        scan(changed, 1, t, long_course);
        pipeline_tick(changed->s.p, T0 + t + 2 * SECOND);
    }
    settle(changed);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        station_read(&once->s, ids[i], &a);
        station_read(&changed->s, ids[i], &b);
        assert_int_equal(a.n, b.n);
        for (size_t n = 0; n < a.n; n++)
            if (a.time_ms[n] != b.time_ms[n] || value(&a, n) != value(&b, n))
                fail_msg("%s, row %zu: %d, after a change %d", ids[i], n, value(&a, n),
                         value(&b, n));
    }
    close_station(once);
    close_station(changed);
}

/* ---- against rules/index, the means formed in another way: by doubles ---- */

static bool is_good(const struct station_rows *r, size_t i)
{
    return index_accepts(verdict_from_flag(r->cell[i].flag)) &&
           decimal_has_value(series_value(&r->cell[i]));
}

static struct decimal mean_of(const struct station_rows *r, size_t at, size_t hours,
                              size_t need)
{
    double sum = 0;
    size_t n = 0;

    for (size_t back = 0; back < hours && back <= at; back++)
        if (is_good(r, at - back)) {
            sum += decimal_to_double(series_value(&r->cell[at - back]));
            n++;
        }
    return n < need ? DECIMAL_MISSING : decimal_round(sum / (double)n, 9);
}

static struct decimal nowcast_of(const struct station_rows *r, size_t at, int digits)
{
    struct nowcast n = { 0 };
    struct decimal ret = DECIMAL_MISSING;
    double raw;

    for (size_t i = 0; i <= at; i++)
        nowcast_put(&n, (int64_t)i,
                    is_good(r, i) ? series_value(&r->cell[i]) : DECIMAL_MISSING);
    index_nowcast(n.hours, digits, &raw, &ret);
    return ret;
}

static struct decimal input_of(const struct index_scheme *s, const struct index_column *c,
                               const struct station_rows *r, size_t at)
{
    if (c->mean == INDEX_1H)
        return is_good(r, at) ? series_value(&r->cell[at]) : DECIMAL_MISSING;
    if (c->mean == INDEX_8H)
        return mean_of(r, at, 8, 6);
    if (s->is_nowcast && (c->pollutant == INDEX_PM10 || c->pollutant == INDEX_PM2_5))
        return nowcast_of(r, at, c->digits);
    return mean_of(r, at, 24, s->is_nowcast ? 18 : 20);
}

static const char *const means[INDEX_POLLUTANTS] = {
    [INDEX_SO2] = "kerb/sulfur_dioxide@1h", [INDEX_NO2] = "kerb/nitrogen_dioxide@1h",
    [INDEX_CO] = "kerb/carbon_monoxide@1h", [INDEX_O3] = "roof/ozone@1h",
    [INDEX_PM10] = "kerb/pm10@1h",          [INDEX_PM2_5] = "kerb/pm2_5@1h",
};

/* Of the means of so many hours that lie within the first day. */
static struct decimal largest_of(const struct station_rows *r, size_t hours, size_t need,
                                 size_t enough)
{
    struct decimal best = DECIMAL_MISSING;
    size_t n = 0;

    for (size_t last = hours - 1; last < 24; last++) {
        const struct decimal d = mean_of(r, last, hours, need);
        if (!decimal_has_value(d))
            continue;
        if (!decimal_has_value(best) || decimal_to_double(d) > decimal_to_double(best))
            best = d;
        n++;
    }
    return n < enough ? DECIMAL_MISSING : best;
}

static struct decimal day_input_of(const struct index_column *c, const struct station_rows *r)
{
    if (c->mean == INDEX_24H)
        return mean_of(r, 23, 24, 18);
    return c->mean == INDEX_8H ? largest_of(r, 8, 6, 13) : largest_of(r, 1, 1, 18);
}

static void judge(const struct index_scheme *s, const struct station_rows *hours, size_t at,
                  enum index_report report, struct index_result *ret)
{
    struct index_inputs x;

    index_inputs_clear(&x);
    for (unsigned i = 0; i < s->columns_n; i++) {
        const struct index_column *c = &s->columns[i];
        const struct quantity *q = quantity_find(index_pollutant_quantity(c->pollutant));
        struct index_input *in = &x.in[c->pollutant][c->mean];
        in->value = report == INDEX_DAY ? day_input_of(c, &hours[c->pollutant])
                                        : input_of(s, c, &hours[c->pollutant], at);
        assert_int_equal(exact_ratio_between(unit_find_ucum(q->unit), unit_find_ucum(c->unit),
                                             q, s->molar_ml, &in->by),
                         0);
        if (c->mean == INDEX_24H && s->is_nowcast && s->columns[i].pollutant >= INDEX_PM10)
            in->by = (struct exact_ratio){ 0 };
    }
    index_judge(s, report, &x, ret);
}

static int expected(const struct index_scheme *s, const struct station_rows *hours, size_t at)
{
    struct index_result r;

    judge(s, hours, at, INDEX_HOUR, &r);
    return r.index;
}

static int largest_sub(const struct index_result *r, unsigned pollutant)
{
    int sub = INDEX_NONE;

    for (unsigned i = 0; i < r->parts_n; i++)
        if (r->parts[i].pollutant == pollutant && r->parts[i].sub > sub)
            sub = r->parts[i].sub;
    return sub;
}

/* SO2 is away for an hour, ozone for the four before it. */
static double one_day(int64_t after_ms, enum index_pollutant p)
{
    const int64_t hour = after_ms / HOUR;

    if ((p == INDEX_SO2 && hour == 10) || (p == INDEX_O3 && hour >= 6 && hour < 10))
        return NAN;
    return long_course(after_ms % (5 * HOUR) + 10 * HOUR, p) * (p == INDEX_O3 ? 2.1 : 1.3);
}

static void us_day_is(course_fn *course, unsigned missing)
{
    const struct index_scheme *s = index_find("us-epa-2024");
    static struct station_rows hours[INDEX_POLLUTANTS], got;
    struct fixture *f = open_station();
    struct index_result want;
    unsigned found = 0;

    run(f, DAY + HOUR, 0, course);
    settle(f);
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++)
        station_read(&f->s, means[p], &hours[p]);
    judge(s, hours, 23, INDEX_DAY, &want);
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++) {
        char id[64];
        snprintf(id, sizeof id, "station/us-epa-2024@day.%s_iaqi", index_pollutant_id(p));
        station_read(&f->s, id, &got);
        assert_int_equal(got.n, 1);
        assert_int_equal(value(&got, 0), largest_sub(&want, p));
        found |= value(&got, 0) < 0 ? 1u << p : 0;
    }
    station_read(&f->s, "station/us-epa-2024@day", &got);
    assert_int_equal(got.time_ms[0], T0);
    assert_int_equal(value(&got, 0), want.index);
    assert_int_equal(found, missing);
    close_station(f);
}

static void a_us_day_is_formed_of_its_hours(void **state)
{
    (void)state;
    us_day_is(one_day, 0);
    us_day_is(long_course, SO2 | CO | O3); /* too few hours of these */
}

/* What the manual's second hour has: CO is missing, the others stay. */
static void sub_indices_stand_where_the_index_does_not(void **state)
{
    static const int want[INDEX_POLLUTANTS] = { 12, 43, -1, 44, 72, 70 };
    static struct station_rows got;
    struct fixture *f = open_station();

    (void)state;
    run(f, 3 * HOUR, 0, three_hours);
    settle(f);
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++) {
        char id[64];
        snprintf(id, sizeof id, "station/hj633-2026@1h.%s_iaqi", index_pollutant_id(p));
        station_read(&f->s, id, &got);
        assert_int_equal(value(&got, 2), want[p]);
    }
    assert_int_equal(verdict_from_flag(got.cell[2].flag).status, STATUS_VALID);
    close_station(f);
}

static void running_means_and_nowcasts_are_those_of_the_hours_in_the_log(void **state)
{
    static struct station_rows hours[INDEX_POLLUTANTS], got;
    struct fixture *f = open_station();
    size_t values = 0, nas = 0;

    (void)state;
    run(f, DAY + 6 * HOUR, 7 * HOUR, long_course);
    settle(f);
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++)
        station_read(&f->s, means[p], &hours[p]);
    for (size_t k = 0; k < index_schemes_n; k++) {
        char id[64];
        snprintf(id, sizeof id, "station/%s@1h", index_schemes[k]->id);
        station_read(&f->s, id, &got);
        assert_int_equal(got.n, 30);
        for (size_t i = 0; i < got.n; i++) {
            const int want = expected(index_schemes[k], hours, i);
            if (value(&got, i) != want)
                fail_msg("%s, hour %zu: %d, not %d", id, i, value(&got, i), want);
            values += want >= 0;
            nas += want < 0;
        }
    }
    assert_true(values > 60 && nas > 5);
    close_station(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_are_judged_as_the_table_of_the_manual),
        cmocka_unit_test(a_rule_alerts_on_an_index),
        cmocka_unit_test(the_newest_index_is_told_again_after_a_restart),
        cmocka_unit_test(restarts_change_no_index),
        cmocka_unit_test(running_means_and_nowcasts_are_those_of_the_hours_in_the_log),
        cmocka_unit_test(a_change_of_channels_forgets_no_hour),
        cmocka_unit_test(a_us_day_is_formed_of_its_hours),
        cmocka_unit_test(sub_indices_stand_where_the_index_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
