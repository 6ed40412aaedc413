/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/calibration/calibrations.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY (INT64_C(24) * HOUR)

enum { OZONE, TEMP, PH, CHANNELS };
enum { GAS, SONDE, DEVICES };
enum { EVENTS_MAX = 64, COMMANDS_MAX = 8, REAL_WAIT_S = 5 };

struct fixture {
    char dir[FOLDER_MAX], path[96];
    struct store *store;
    pthread_mutex_t lock; /* of commits */
    pthread_cond_t committed;
    unsigned commits;
    struct channel channel[CHANNELS];
    struct channel_table table;
    struct calibration_setup setup[CHANNELS];
    struct calibrations *c;
    enum qc_service device[DEVICES], of_channel[CHANNELS];
    int64_t device_until_ms;
    struct calibration_correction correction;
    unsigned corrections;
    char command[COMMANDS_MAX][32];
    uint64_t number[COMMANDS_MAX];
    unsigned commands;
    bool is_command_refused;
    char event[EVENTS_MAX][2048];
    unsigned events;
    char answer[4096];
    unsigned answers;
    struct calibrations_doubt doubt;
    char doubt_check[16];
    unsigned doubts;
    bool is_doubt_refused;
    int64_t now_ms, boot_ms;
    double reading; /* of the ozone channel at every tick; NaN: none */
    struct verdict verdict;
};

static const char *const devices[] = { "gas", "sonde" };

static void on_service(void *user, uint32_t device, int32_t channel, enum qc_service service,
                       int64_t until_ms)
{
    struct fixture *f = user;

    if (channel == CALIBRATIONS_NO_CHANNEL) {
        f->device[device] = service;
        if (device == GAS)
            f->device_until_ms = until_ms;
    } else {
        f->of_channel[channel] = service;
    }
}

static void on_correction(void *user, uint32_t channel, const struct calibration_correction *k)
{
    struct fixture *f = user;

    assert_int_equal(channel, OZONE);
    f->correction = *k;
    f->corrections++;
}

static int on_command(void *user, uint32_t device, const char *command, uint64_t number)
{
    struct fixture *f = user;

    assert_int_equal(device, GAS);
    assert_true(f->commands < COMMANDS_MAX);
    snprintf(f->command[f->commands], sizeof f->command[0], "%s", command);
    f->number[f->commands++] = number;
    return f->is_command_refused ? -EBUSY : 0;
}

static void on_event(void *user, const char *json)
{
    struct fixture *f = user;

    assert_true(f->events < EVENTS_MAX);
    snprintf(f->event[f->events++], sizeof f->event[0], "%s", json);
}

static int on_doubt(void *user, struct store_batch *b, const struct calibrations_doubt *d)
{
    struct fixture *f = user;

    assert_non_null(b);
    if (f->is_doubt_refused)
        return -ENOMEM;
    f->doubt = *d;
    f->doubts++;
    snprintf(f->doubt_check, sizeof f->doubt_check, "%s", d->check);
    return 0;
}

static void on_answer(void *user, uint64_t ticket, const char *json)
{
    struct fixture *f = user;

    assert_int_equal(ticket, 7);
    snprintf(f->answer, sizeof f->answer, "%s", json);
    f->answers++;
}

/* In the log's thread. */
static void on_commit(void *user, const struct store_commit *c)
{
    struct fixture *f = user;

    (void)c;
    pthread_mutex_lock(&f->lock);
    f->commits++;
    pthread_cond_signal(&f->committed);
    pthread_mutex_unlock(&f->lock);
}

/* ---- life ---- */

static void attach(struct fixture *f)
{
    const struct calibrations_station s = {
        .table = &f->table,
        .setups = f->setup,
        .devices = devices,
        .devices_n = DEVICES,
        .zone_ms = 8 * HOUR,
        .on_service = on_service,
        .on_correction = on_correction,
        .on_command = on_command,
        .on_event = on_event,
        .on_doubt = on_doubt,
        .user = f,
    };

    assert_int_equal(calibrations_attach(f->c, &s, f->now_ms), 0);
}

static void start(struct fixture *f)
{
    const struct store_options o = {
        .path = f->path, .commit_ms = 20, .seal_ms = HOUR, .seal_rows = 1000, .speed = 1
    };
    char error[256];

    assert_int_equal(store_open(&o, on_commit, f, &f->store, error, sizeof error), 0);
    assert_int_equal(calibrations_create(f->store, &f->c), 0);
    attach(f);
}

static void stop(struct fixture *f)
{
    calibrations_destroy(f->c);
    store_close(f->store);
    f->c = NULL;
}

static void restart(struct fixture *f, int64_t off_ms)
{
    stop(f);
    memset(f->device, 0, sizeof f->device);
    memset(f->of_channel, 0, sizeof f->of_channel);
    f->now_ms += off_ms;
    f->boot_ms = 1000;
    start(f);
}

static struct channel channel_of(const char *id, const char *device, const char *quantity,
                                 uint32_t column)
{
    return (struct channel){ .id = id,
                             .device = device,
                             .point = id,
                             .quantity = quantity_find(quantity),
                             .period_ms = 10 * SECOND,
                             .column = column,
                             .source = column };
}

static struct calibration_setup setup_of(const char *quantity, struct calibration_conf conf)
{
    conf.settle_ms = 2 * MINUTE;
    conf.measure_ms = 3 * MINUTE;
    conf.full = NAN;
    conf.limits = (struct calibration_limits_conf){ NAN, NAN, NAN, NAN, NAN, NAN };
    conf.is_recognised = true;
    return calibration_setup_of(&conf, quantity_find(quantity));
}

static int set_up(void **state)
{
    static struct calibration_step_conf steps[] = {
        { CALIBRATION_ZERO, NAN, -1, -1, "zero_on" },
        { CALIBRATION_SPAN, 400, -1, -1, "span_on" },
    };
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->committed, NULL);
    assert_true(folder_make(f->dir));
    snprintf(f->path, sizeof f->path, "%s/log.db", f->dir);
    f->channel[OZONE] = channel_of("gas/ozone", "gas", "ozone", OZONE);
    f->channel[TEMP] = channel_of("gas/temp", "gas", "air_temp", TEMP);
    f->channel[PH] = channel_of("sonde/ph", "sonde", "ph", PH);
    f->table = (struct channel_table){ .station = "s", .channels = f->channel, .n = CHANNELS };
    f->setup[OZONE] = setup_of(
        "ozone", (struct calibration_conf){
                     .every_ms = DAY, .at = "01:30", .steps = { steps, 2 }, .end = "gas_off" });
    f->setup[TEMP] = setup_of("air_temp", (struct calibration_conf){ .every_ms = -1 });
    f->setup[PH] = setup_of("ph", (struct calibration_conf){ .every_ms = -1 });
    f->now_ms = T0;
    f->boot_ms = HOUR;
    f->reading = NAN;
    start(f);
    calibrations_tick(f->c, f->now_ms, f->boot_ms);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    stop(f);
    folder_remove(f->dir);
    pthread_cond_destroy(&f->committed);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

/* ---- what happens ---- */

static void put_sample(struct fixture *f, uint32_t channel, double x, struct verdict v)
{
    calibrations_sample(f->c, &(struct sample){ .time_ms = f->now_ms,
                                                .channel = channel,
                                                .value = decimal_from_double(x),
                                                .verdict = v });
}

/* In steps of ten seconds, a reading and a tick each. */
static void pass(struct fixture *f, int64_t ms)
{
    for (int64_t left = ms; left > 0; left -= 10 * SECOND) {
        f->now_ms += 10 * SECOND;
        f->boot_ms += 10 * SECOND;
        if (!isnan(f->reading))
            put_sample(f, OZONE, f->reading, f->verdict);
        calibrations_tick(f->c, f->now_ms, f->boot_ms);
    }
}

static struct calibrations_request request_of(struct fixture *f, const char *json)
{
    return (struct calibrations_request){ json, "uid 1000", f->now_ms, on_answer, f, 7 };
}

/* For a commit after the `seen`th; false when none comes. */
static bool wait_for_commit(struct fixture *f, unsigned seen, const struct timespec *deadline)
{
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    while (f->commits == seen && rc == 0)
        rc = pthread_cond_timedwait(&f->committed, &f->lock, deadline);
    pthread_mutex_unlock(&f->lock);
    return rc == 0;
}

static unsigned commits_of(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    const unsigned n = f->commits;
    pthread_mutex_unlock(&f->lock);
    return n;
}

/* An answer waits for the log, which commits in a thread of its own. */
static void wait_for_answer(struct fixture *f, unsigned n)
{
    struct timespec deadline;
    bool is_in_time = true;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += REAL_WAIT_S;
    while (f->answers < n && is_in_time) {
        const unsigned seen = commits_of(f);
        calibrations_tick(f->c, f->now_ms, f->boot_ms);
        if (f->answers < n)
            is_in_time = wait_for_commit(f, seen, &deadline);
    }
    assert_int_equal(f->answers, n);
}

static void calibrate(struct fixture *f, const char *json)
{
    const struct calibrations_request q = request_of(f, json);
    const unsigned n = f->answers + 1;

    calibrations_calibrate(f->c, &q);
    wait_for_answer(f, n);
}

static void maint(struct fixture *f, const char *json)
{
    const struct calibrations_request q = request_of(f, json);
    const unsigned n = f->answers + 1;

    calibrations_maint(f->c, &q);
    wait_for_answer(f, n);
}

/* The only event that has both texts; NULL: none, or several. */
static const char *event_with(const struct fixture *f, const char *a, const char *b)
{
    const char *found = NULL;
    unsigned n = 0;

    for (unsigned i = 0; i < f->events; i++) {
        if (strstr(f->event[i], a) && strstr(f->event[i], b)) {
            found = f->event[i];
            n++;
        }
    }
    return n == 1 ? found : NULL;
}

#define assert_event(f, a, b) assert_non_null(event_with(f, a, b))

static void answer_command(struct fixture *f, bool is_done)
{
    assert_true(f->commands > 0);
    calibrations_commanded(f->c, f->number[f->commands - 1], is_done, f->now_ms);
}

/* ---- maintenance ---- */

static void maintenance_is_warned_of_and_ends_by_itself(void **state)
{
    struct fixture *f = *state;

    maint(f, "{\"do\":\"start\",\"device\":\"gas\",\"for_ms\":3600000,\"why\":\"new filter\"}");
    assert_non_null(strstr(f->answer, "\"ok\":true"));
    assert_int_equal(f->device[GAS], QC_MAINTENANCE);
    assert_int_equal(f->device_until_ms, T0 + HOUR);
    assert_int_equal(f->device[SONDE], QC_MEASURING);
    assert_event(f, "\"what\":\"begun\"", "\"why\":\"new filter\"");
    pass(f, 50 * MINUTE - 10 * SECOND);
    assert_null(event_with(f, "maintenance_ending", "gas"));
    pass(f, 10 * SECOND);
    assert_event(f, "maintenance_ending", "\"subject\":\"gas\"");
    pass(f, 10 * MINUTE);
    assert_int_equal(f->device[GAS], QC_MEASURING);
    assert_event(f, "\"what\":\"ended\"", "\"who\":\"time\"");
}

static void maintenance_goes_on_after_a_restart(void **state)
{
    struct fixture *f = *state;

    maint(f, "{\"do\":\"start\",\"device\":\"gas\"}");
    restart(f, 30 * MINUTE);
    assert_int_equal(f->device[GAS], QC_MAINTENANCE);
    assert_int_equal(f->device_until_ms, T0 + 2 * HOUR);
    maint(f, "{\"do\":\"stop\",\"device\":\"gas\"}");
    assert_int_equal(f->device[GAS], QC_MEASURING);
    restart(f, 0);
    assert_int_equal(f->device[GAS], QC_MEASURING);
}

static void maintenance_that_ended_while_the_gateway_was_off_is_told(void **state)
{
    struct fixture *f = *state;

    maint(f, "{\"do\":\"start\",\"device\":\"gas\"}");
    restart(f, 5 * HOUR);
    pass(f, 10 * SECOND);
    assert_int_equal(f->device[GAS], QC_MEASURING);
    assert_event(f, "\"what\":\"ended\"", "\"who\":\"time\"");
}

static void a_second_start_sets_a_new_end(void **state)
{
    struct fixture *f = *state;

    maint(f, "{\"do\":\"start\",\"device\":\"gas\",\"for_ms\":3600000}");
    pass(f, 30 * MINUTE);
    maint(f, "{\"do\":\"start\",\"device\":\"gas\",\"for_ms\":3600000}");
    assert_event(f, "\"what\":\"extended\"", "gas");
    assert_int_equal(f->device_until_ms, T0 + 90 * MINUTE);
}

static void a_step_of_the_clock_changes_no_duration(void **state)
{
    struct fixture *f = *state;

    maint(f, "{\"do\":\"start\",\"device\":\"gas\",\"for_ms\":3600000}");
    f->now_ms += 3 * HOUR; /* boot_ms stays */
    pass(f, 10 * SECOND);
    assert_int_equal(f->device[GAS], QC_MAINTENANCE);
    pass(f, HOUR);
    assert_int_equal(f->device[GAS], QC_MEASURING);
}

/* ---- checks ---- */

/* An operator's zero by the steps of the configuration. */
static void run_zero(struct fixture *f, double reads)
{
    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    answer_command(f, true);
    f->reading = reads;
    pass(f, 5 * MINUTE);
    answer_command(f, true);
    pass(f, 2 * MINUTE + 10 * SECOND);
}

static void a_zero_check_passes(void **state)
{
    struct fixture *f = *state;

    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    assert_non_null(strstr(f->answer, "\"what\":\"begun\""));
    assert_string_equal(f->command[0], "zero_on");
    assert_int_equal(f->of_channel[OZONE], QC_ZERO);
    assert_int_equal(f->device[GAS], QC_CALIBRATION);
    pass(f, HOUR); /* the valve takes its time */
    answer_command(f, true);
    f->reading = 50; /* settling */
    pass(f, 2 * MINUTE);
    f->reading = 1.5;
    pass(f, 3 * MINUTE);
    assert_event(f, "\"what\":\"result\"", "\"verdict\":\"pass\"");
    assert_event(f, "\"mean\":1.5,", "\"who\":\"uid 1000\"");
    assert_string_equal(f->command[1], "gas_off");
    assert_int_equal(f->of_channel[OZONE], QC_SETTLING);
    answer_command(f, true);
    pass(f, 2 * MINUTE + 10 * SECOND);
    assert_int_equal(f->of_channel[OZONE], QC_MEASURING);
    assert_int_equal(f->device[GAS], QC_MEASURING);
    assert_event(f, "\"what\":\"ended\"", "calibration");
    assert_null(event_with(f, "doubtful", "gas"));
}

static void a_failed_check_makes_doubtful_what_came_since_the_passed_one(void **state)
{
    struct fixture *f = *state;

    run_zero(f, 1);
    f->reading = NAN;
    pass(f, 2 * HOUR);
    restart(f, 0); /* the last passed check is known to the log */
    f->commands = 0;
    run_zero(f, 30);
    assert_event(f, "\"verdict\":\"fail\"", "\"drift_pct\":7.25,");
    const char *doubtful = event_with(f, "\"what\":\"doubtful\"", "calibration_drift");
    assert_non_null(doubtful);
    assert_non_null(strstr(doubtful, "\"start\":\"2026-01-01T00:05:00.000Z\""));
    assert_non_null(strstr(doubtful, "\"end\":\"2026-01-01T02:07:10.000Z\""));
    calibrate(f, "{\"do\":\"ledger\",\"channel\":\"gas\"}");
    assert_non_null(strstr(f->answer, "\"verdict\":\"pass\""));
    assert_non_null(strstr(f->answer, "\"verdict\":\"fail\""));
}

/* Both steps of the configuration, begun by an operator. */
static void run_sequence(struct fixture *f, double zero, double span)
{
    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"sequence\"}");
    answer_command(f, true);
    f->reading = zero;
    pass(f, 5 * MINUTE);
    answer_command(f, true);
    f->reading = span;
    pass(f, 5 * MINUTE);
    answer_command(f, true);
    pass(f, 2 * MINUTE + 10 * SECOND);
}

static void a_sequence_tells_one_doubt_when_zero_and_factor_are_known(void **state)
{
    struct fixture *f = *state;

    f->setup[OZONE].revise = CALIBRATION_REVISE_DRIFT;
    run_sequence(f, 1, 401);
    assert_int_equal(f->doubts, 0);
    f->reading = NAN;
    pass(f, 2 * HOUR);
    restart(f, 0);
    const int64_t begin_ms = f->now_ms;
    f->commands = 0;
    run_sequence(f, 30, 430); /* the zero fails, the span does not */
    assert_int_equal(f->doubts, 1);
    assert_string_equal(f->doubt.channel, "gas/ozone");
    assert_string_equal(f->doubt_check, "zero");
    assert_int_equal(f->doubt.from_ms, T0 + 5 * MINUTE);
    assert_int_equal(f->doubt.to_ms, begin_ms);
    assert_int_equal(f->doubt.revise, CALIBRATION_REVISE_DRIFT);
    const struct calibration_drift *d = &f->doubt.drift;
    assert_true(calibration_drift_is_known(d));
    assert_true(d->zero.from == 1 && d->zero.to == 30 && d->zero.from_ms == T0 + 5 * MINUTE);
    assert_true(d->factor.from == 1 && d->factor.to == 1);
    assert_int_equal(d->factor.to_ms, begin_ms + 10 * MINUTE);
}

static void the_longest_bracket_of_a_sequence_counts(void **state)
{
    struct fixture *f = *state;

    f->setup[OZONE].revise = CALIBRATION_REVISE_FLAG;
    run_sequence(f, 1, 401);
    run_zero(f, 2); /* the zero alone, later */
    run_sequence(f, 30, 500);
    assert_int_equal(f->doubts, 1);
    assert_int_equal(f->doubt.from_ms, T0 + 10 * MINUTE); /* of the span */
}

static void a_doubt_that_nobody_took_is_told_again_after_a_restart(void **state)
{
    struct fixture *f = *state;

    f->setup[OZONE].revise = CALIBRATION_REVISE_FLAG;
    f->is_doubt_refused = true;
    run_zero(f, 30);
    restart(f, HOUR);
    assert_int_equal(f->doubts, 0);
    f->is_doubt_refused = false;
    restart(f, HOUR);
    assert_int_equal(f->doubts, 1);
    assert_int_equal(f->doubt.from_ms, 0);
    assert_int_equal(f->doubt.to_ms, T0);
    restart(f, HOUR);
    assert_int_equal(f->doubts, 1);
}

static void a_restart_between_two_steps_keeps_the_doubt_of_the_first(void **state)
{
    struct fixture *f = *state;

    f->setup[OZONE].revise = CALIBRATION_REVISE_FLAG;
    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"sequence\"}");
    answer_command(f, true);
    f->reading = 30;
    pass(f, 6 * MINUTE);
    assert_int_equal(f->doubts, 0);
    restart(f, HOUR);
    assert_int_equal(f->doubts, 1);
}

static void no_doubt_is_told_where_nothing_is_to_be_revised(void **state)
{
    struct fixture *f = *state;

    f->setup[OZONE].revise = CALIBRATION_REVISE_OFF;
    run_zero(f, 30);
    assert_event(f, "\"what\":\"doubtful\"", "calibration_drift");
    f->setup[OZONE].revise = CALIBRATION_REVISE_FLAG;
    restart(f, HOUR);
    assert_int_equal(f->doubts, 0);
}

static void a_caller_may_wait_for_the_verdict(void **state)
{
    struct fixture *f = *state;
    const struct calibrations_request q =
        request_of(f, "{\"do\":\"start\",\"channel\":\"sonde/ph\",\"check\":\"point\","
                      "\"value\":7,\"settle_ms\":0,\"measure_ms\":60000,\"wait\":true}");

    calibrations_calibrate(f->c, &q);
    for (int i = 0; i < 6; i++) {
        put_sample(f, PH, 7.25, (struct verdict){ 0 });
        pass(f, 10 * SECOND);
    }
    assert_int_equal(f->commands, 0);
    pass(f, 10 * SECOND);
    wait_for_answer(f, 1);
    assert_non_null(strstr(f->answer, "\"results\":[{"));
    assert_non_null(strstr(f->answer, "\"verdict\":\"fail\""));
}

static void run_point(struct fixture *f, const char *value, double reads)
{
    char json[256];

    snprintf(json, sizeof json,
             "{\"do\":\"start\",\"channel\":\"sonde/ph\",\"check\":\"point\",\"value\":%s,"
             "\"settle_ms\":0,\"measure_ms\":60000}",
             value);
    calibrate(f, json);
    for (int i = 0; i < 8; i++) {
        put_sample(f, PH, reads, (struct verdict){ 0 });
        pass(f, 10 * SECOND);
    }
}

static void every_point_has_a_drift_of_its_own(void **state)
{
    struct fixture *f = *state;

    f->setup[PH].full = 10;
    run_point(f, "7", 7.02);
    run_point(f, "4.01", 4.06);
    assert_event(f, "\"reference\":4.01,", "\"drift_pct\":null");
    run_point(f, "7", 7.07);
    assert_event(f, "\"mean\":7.07", "\"drift_pct\":0.5,");
    calibrate(f, "{\"do\":\"list\"}");
    assert_non_null(strstr(f->answer, "\"point@4.01\""));
}

static void another_bottle_comes_by_the_same_command(void **state)
{
    struct fixture *f = *state;

    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"span\",\"value\":200,"
                 "\"unit\":\"ppb\"}");
    assert_string_equal(f->command[0], "span_on");
    assert_non_null(strstr(f->answer, "\"value\":392.39"));
}

static void a_gas_that_does_not_come_gives_no_verdict(void **state)
{
    struct fixture *f = *state;

    f->reading = 60;
    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    answer_command(f, false);
    assert_event(f, "command_failed", "gas/ozone");
    assert_string_equal(f->command[1], "gas_off"); /* it may have come half-way */
    answer_command(f, true);
    pass(f, 3 * MINUTE);
    assert_null(event_with(f, "\"what\":\"result\"", "gas"));
    assert_int_equal(f->of_channel[OZONE], QC_MEASURING);
}

static void a_gas_that_may_still_flow_keeps_readings_marked(void **state)
{
    struct fixture *f = *state;

    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    answer_command(f, true);
    f->reading = 0;
    pass(f, 5 * MINUTE);
    answer_command(f, false);
    assert_event(f, "calibration_end_failed", "gas_off");
    pass(f, 30 * MINUTE);
    assert_int_equal(f->of_channel[OZONE], QC_SETTLING);
}

static void a_check_can_be_stopped(void **state)
{
    struct fixture *f = *state;

    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    calibrate(f, "{\"do\":\"stop\",\"channel\":\"gas/ozone\"}");
    assert_int_equal(f->commands, 1); /* the valve is still being told to open */
    answer_command(f, true);
    assert_string_equal(f->command[1], "gas_off");
    answer_command(f, true);
    pass(f, 3 * MINUTE);
    assert_int_equal(f->device[GAS], QC_MEASURING);
    assert_event(f, "\"what\":\"stopped\"", "gas/ozone");
}

static void a_restart_in_the_middle_gives_no_verdict(void **state)
{
    struct fixture *f = *state;

    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    answer_command(f, true);
    f->reading = 0;
    pass(f, 4 * MINUTE);
    f->commands = 0;
    restart(f, MINUTE);
    assert_event(f, "\"what\":\"interrupted\"", "gas/ozone");
    assert_string_equal(f->command[0], "gas_off");
    assert_int_equal(f->of_channel[OZONE], QC_SETTLING);
    answer_command(f, true);
    pass(f, 3 * MINUTE);
    assert_int_equal(f->of_channel[OZONE], QC_MEASURING);
    assert_null(event_with(f, "\"what\":\"result\"", "gas"));
    restart(f, 0);
    assert_int_equal(f->of_channel[OZONE], QC_MEASURING);
}

static void a_check_goes_on_across_a_reload(void **state)
{
    struct fixture *f = *state;

    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    answer_command(f, true);
    f->reading = 0;
    pass(f, 3 * MINUTE);
    calibrations_detach(f->c);
    attach(f);
    assert_int_equal(f->of_channel[OZONE], QC_ZERO);
    pass(f, 2 * MINUTE);
    assert_event(f, "\"what\":\"result\"", "\"verdict\":\"pass\"");
}

static void a_gas_that_could_not_be_turned_off_for_a_reload_is_turned_off_behind_it(
    void **state)
{
    struct fixture *f = *state;

    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    f->is_command_refused = true;
    answer_command(f, false); /* the commands are gone already */
    calibrations_detach(f->c);
    f->is_command_refused = false;
    f->commands = 0;
    attach(f);
    assert_string_equal(f->command[0], "gas_off");
}

static void a_second_restart_turns_the_gas_off_again(void **state)
{
    struct fixture *f = *state;

    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    calibrate(f, "{\"do\":\"stop\",\"channel\":\"gas/ozone\"}");
    f->commands = 0;
    restart(f, 0);
    restart(f, 0);
    assert_int_equal(f->commands, 2);
    assert_string_equal(f->command[1], "gas_off");
}

/* ---- by itself ---- */

static void a_sequence_begins_at_its_local_hour(void **state)
{
    struct fixture *f = *state;

    pass(f, 17 * HOUR + 29 * MINUTE);
    assert_int_equal(f->commands, 0);
    pass(f, MINUTE); /* 01:30 at +08:00 */
    assert_int_equal(f->commands, 1);
    answer_command(f, true);
    f->reading = 0.5;
    pass(f, 5 * MINUTE);
    assert_string_equal(f->command[1], "span_on");
    answer_command(f, true);
    assert_int_equal(f->of_channel[OZONE], QC_SPAN);
    f->reading = 401;
    pass(f, 5 * MINUTE);
    assert_event(f, "\"check\":\"span\",\"verdict\":\"pass\"", "\"source\":\"schedule\"");
    assert_string_equal(f->command[2], "gas_off");
    answer_command(f, true);
    f->reading = NAN;
    pass(f, 3 * MINUTE);
    restart(f, 0); /* in the same slot: not again */
    pass(f, HOUR);
    assert_int_equal(f->commands, 3);
}

static void a_sequence_waits_for_the_end_of_maintenance_an_hour_at_most(void **state)
{
    struct fixture *f = *state;

    pass(f, 17 * HOUR);
    maint(f, "{\"do\":\"start\",\"device\":\"gas\",\"for_ms\":3600000}");
    pass(f, 59 * MINUTE);
    assert_int_equal(f->commands, 0);
    pass(f, 2 * MINUTE);
    assert_int_equal(f->commands, 1);
    answer_command(f, false);
    answer_command(f, true);
    pass(f, 22 * HOUR);
    maint(f, "{\"do\":\"start\",\"device\":\"gas\",\"for_ms\":18000000}");
    pass(f, 6 * HOUR);
    assert_int_equal(f->commands, 2); /* the next slot is tomorrow's */
}

static void what_the_instrument_checks_by_itself_is_recorded(void **state)
{
    struct fixture *f = *state;

    f->verdict = (struct verdict){ STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO };
    f->reading = 2;
    pass(f, 10 * MINUTE);
    f->verdict = (struct verdict){ 0 };
    f->reading = 60;
    pass(f, MINUTE);
    assert_event(f, "\"what\":\"result\"", "\"source\":\"instrument\"");
    assert_event(f, "\"mean\":2.0,", "\"verdict\":\"pass\"");
}

static void the_mode_that_a_command_leaves_behind_is_no_check(void **state)
{
    struct fixture *f = *state;

    f->verdict = (struct verdict){ STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO };
    run_zero(f, 1);
    f->reading = 60; /* air again, the mode still says zero */
    pass(f, 10 * MINUTE);
    f->verdict = (struct verdict){ 0 };
    pass(f, MINUTE);
    assert_event(f, "\"what\":\"result\"", "\"source\":\"operator\"");
    assert_null(event_with(f, "\"what\":\"result\"", "\"source\":\"instrument\""));
}

static void an_overdue_check_is_told_once_an_interval(void **state)
{
    struct fixture *f = *state;

    f->setup[OZONE].at_ms = -1;
    pass(f, DAY + 2 * HOUR);
    assert_null(event_with(f, "calibration_overdue", "gas"));
    pass(f, HOUR);
    assert_event(f, "calibration_overdue", "gas/ozone");
    restart(f, 0);
    pass(f, 20 * HOUR);
    assert_event(f, "calibration_overdue", "gas/ozone");
    pass(f, 5 * HOUR);
    assert_null(event_with(f, "calibration_overdue", "gas/ozone")); /* twice by now */
}

static void readings_like_a_calibration_are_told(void **state)
{
    struct fixture *f = *state;

    f->reading = 60;
    pass(f, 10 * MINUTE);
    f->reading = 0.2;
    pass(f, 10 * MINUTE);
    f->reading = 402;
    pass(f, 10 * MINUTE);
    assert_event(f, "calibration_suspected", "2026-01-01T00:10:10.000Z");
    assert_int_equal(f->of_channel[OZONE], QC_MEASURING); /* it is only told */
}

/* ---- correction ---- */

static void a_passed_zero_corrects_and_goes_on_doing_so(void **state)
{
    struct fixture *f = *state;

    f->setup[OZONE].correct = CALIBRATION_CORRECT_ZERO;
    run_zero(f, 3);
    assert_int_equal(f->corrections, 1);
    assert_true(f->correction.zero == 3 && f->correction.factor == 1);
    assert_event(f, "\"what\":\"corrected\"", "\"after\":{\"zero\":3.0,");
    f->reading = NAN;
    restart(f, 0);
    assert_int_equal(f->corrections, 2);
    assert_true(f->correction.zero == 3);
    f->setup[OZONE].correct = CALIBRATION_OFF;
    restart(f, 0);
    assert_int_equal(f->corrections, 2);
}

static void a_failed_zero_corrects_nothing(void **state)
{
    struct fixture *f = *state;

    f->setup[OZONE].correct = CALIBRATION_CORRECT_ZERO;
    run_zero(f, 30);
    assert_int_equal(f->corrections, 0);
}

/* ---- requests ---- */

static void says_what_is_wrong_and_does_nothing(void **state)
{
    static const struct {
        const char *json, *reason;
    } wrong[] = {
        { "{\"do\":\"start\",\"channel\":\"gas/x\",\"check\":\"zero\"}", "unknown_channel" },
        { "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"gain\"}", "bad_request" },
        { "{\"do\":\"start\",\"channel\":\"gas/temp\",\"check\":\"sequence\"}", "no_sequence" },
        { "{\"do\":\"start\",\"channel\":\"sonde/ph\",\"check\":\"span\"}", "missing_value" },
        { "{\"do\":\"start\",\"channel\":\"sonde/ph\",\"check\":\"span\",\"value\":0}",
          "missing_value" },
        { "{\"do\":\"start\",\"channel\":\"sonde/ph\",\"check\":\"point\",\"value\":\"7\"}",
          "bad_value" },
        { "{\"do\":\"start\",\"channel\":\"sonde/ph\",\"check\":\"point\",\"value\":7,"
          "\"measure_ms\":-5}",
          "bad_request" },
        { "{\"do\":\"stop\",\"channel\":\"sonde/ph\"}", "not_running" },
        { "{\"do\":\"ledger\",\"n\":0}", "bad_request" },
        { "{\"do\":5}", "bad_request" },
        { "[]", "bad_request" },
        { "{", "bad_request" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        calibrate(f, wrong[i].json);
        assert_non_null(strstr(f->answer, "\"ok\":false"));
        assert_non_null(strstr(f->answer, wrong[i].reason));
    }
    maint(f, "{\"do\":\"start\",\"device\":\"gas\",\"for_ms\":1e12}");
    assert_non_null(strstr(f->answer, "bad_request"));
    maint(f, "{\"do\":\"stop\",\"device\":\"gas\"}");
    assert_non_null(strstr(f->answer, "not_running"));
    assert_int_equal(f->events, 0);
}

static void a_device_has_one_check_at_a_time(void **state)
{
    struct fixture *f = *state;

    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/ozone\",\"check\":\"zero\"}");
    calibrate(f, "{\"do\":\"start\",\"channel\":\"gas/temp\",\"check\":\"point\",\"value\":0}");
    assert_non_null(strstr(f->answer, "busy"));
    calibrate(f, "{\"do\":\"list\"}");
    assert_non_null(strstr(f->answer, "\"state\":\"zero\""));
    assert_non_null(strstr(f->answer, "\"next\":\"2026-01-01T17:30:00.000Z\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(maintenance_is_warned_of_and_ends_by_itself),
        TEST(maintenance_goes_on_after_a_restart),
        TEST(maintenance_that_ended_while_the_gateway_was_off_is_told),
        TEST(a_second_start_sets_a_new_end),
        TEST(a_step_of_the_clock_changes_no_duration),
        TEST(a_zero_check_passes),
        TEST(a_failed_check_makes_doubtful_what_came_since_the_passed_one),
        TEST(a_sequence_tells_one_doubt_when_zero_and_factor_are_known),
        TEST(the_longest_bracket_of_a_sequence_counts),
        TEST(a_doubt_that_nobody_took_is_told_again_after_a_restart),
        TEST(a_restart_between_two_steps_keeps_the_doubt_of_the_first),
        TEST(no_doubt_is_told_where_nothing_is_to_be_revised),
        TEST(a_caller_may_wait_for_the_verdict),
        TEST(every_point_has_a_drift_of_its_own),
        TEST(another_bottle_comes_by_the_same_command),
        TEST(a_gas_that_does_not_come_gives_no_verdict),
        TEST(a_gas_that_may_still_flow_keeps_readings_marked),
        TEST(a_check_can_be_stopped),
        TEST(a_restart_in_the_middle_gives_no_verdict),
        TEST(a_check_goes_on_across_a_reload),
        TEST(a_gas_that_could_not_be_turned_off_for_a_reload_is_turned_off_behind_it),
        TEST(a_second_restart_turns_the_gas_off_again),
        TEST(a_sequence_begins_at_its_local_hour),
        TEST(a_sequence_waits_for_the_end_of_maintenance_an_hour_at_most),
        TEST(what_the_instrument_checks_by_itself_is_recorded),
        TEST(the_mode_that_a_command_leaves_behind_is_no_check),
        TEST(an_overdue_check_is_told_once_an_interval),
        TEST(readings_like_a_calibration_are_told),
        TEST(a_passed_zero_corrects_and_goes_on_doing_so),
        TEST(a_failed_zero_corrects_nothing),
        TEST(says_what_is_wrong_and_does_nothing),
        TEST(a_device_has_one_check_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
