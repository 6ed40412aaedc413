/* SPDX-License-Identifier: Apache-2.0 */
/* One line in virtual time: devices that answer, are slow or dead, and what it costs the rest.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "gateway/poll/line.h"

enum { DEVICES_MAX = 20, INTERVAL_MS = 1000, TIMEOUT_MS = 1000, DEAD = 0, WORDS = 2 };

static const struct profile_point point = {
    .id = "p", .at = { SPACE_HOLDING, 0, WORDS, -1 }, .type = TYPE_F32, .order = -1, .scale = 1
};
static const struct profile_span span = { SPACE_HOLDING, 0, WORDS, 0 };

struct sim {
    struct clock clock;
    struct profile profile;
    struct poll_device conf[DEVICES_MAX];
    struct device device[DEVICES_MAX];
    struct schedule slots;
    struct line line;
    size_t n;
    int answer_ms[DEVICES_MAX];
    int64_t now_ms, free_ms; /* free_ms: when the request under way ends */
    int64_t timeout_ms;      /* of that one */

    int good[DEVICES_MAX], asked[DEVICES_MAX];
    int64_t latest_ms;  /* from a sound device's slot to the end of its answer */
    int64_t longest_ms; /* that a device without an answer had the line */
};

/* answer_ms closed by -1. */
static void sim_init(struct sim *s, const int *answer_ms)
{
    memset(s, 0, sizeof *s);
    clock_init(&s->clock, 1, 0);
    s->profile = (struct profile){ .id = "p",
                                   .points = (struct profile_point *)&point,
                                   .points_n = 1,
                                   .spans = (struct profile_span *)&span,
                                   .spans_n = 1,
                                   .words_n = WORDS,
                                   .retries = 1 };
    while (answer_ms[s->n] >= 0)
        s->n++;
    assert_int_equal(schedule_init(&s->slots, s->n), 0);
    load_line_of(&(struct bus_place){ .type = BUS_MODBUS_RTU,
                                      .baud = 9600,
                                      .parity = 'N',
                                      .data_bits = 8,
                                      .stop_bits = 1 },
                 &s->line.load);
    for (uint32_t i = 0; i < s->n; i++) {
        s->answer_ms[i] = answer_ms[i];
        s->conf[i] = (struct poll_device){ .id = "d",
                                           .profile = &s->profile,
                                           .unit = (uint8_t)(i + 1),
                                           .order = -1,
                                           .interval_ms = INTERVAL_MS,
                                           .timeout_ms = TIMEOUT_MS,
                                           .is_enabled = true };
        assert_int_equal(device_init(&s->device[i], &s->conf[i], i), 0);
        line_add(&s->line, &s->device[i]);
        schedule_put(&s->slots, i, 0);
    }
}

static void sim_done(struct sim *s)
{
    for (size_t i = 0; i < s->n; i++)
        device_done(&s->device[i]);
    schedule_done(&s->slots);
}

static void start_due(struct sim *s)
{
    struct schedule_entry e;

    while (schedule_pop(&s->slots, s->now_ms, &e)) {
        struct device *d = &s->device[e.id];
        if (d->is_scanning || !d->health.is_silent)
            schedule_put(&s->slots, e.id, e.due_ms + INTERVAL_MS);
        if (d->is_scanning)
            continue;
        device_begin(d, e.due_ms, s->now_ms, s->now_ms);
        d->is_slow = d->is_slow || line_is_too_slow(&s->line, d, &s->clock);
        line_put(&s->line, d, s->now_ms);
    }
}

static void send_next(struct sim *s)
{
    struct device *d = line_take(&s->line, &s->slots, &s->clock, s->now_ms, &s->timeout_ms);

    if (!d)
        return;
    struct bus_request r = device_ask(d);
    if (r.timeout_ms < s->timeout_ms)
        s->timeout_ms = r.timeout_ms;
    int answer_ms = s->answer_ms[d->number];
    bool is_answer = answer_ms != DEAD && answer_ms < s->timeout_ms;
    s->line.asked = d;
    s->asked[d->number]++;
    s->free_ms = s->now_ms + (is_answer ? answer_ms : s->timeout_ms);
    if (!is_answer && s->timeout_ms > s->longest_ms)
        s->longest_ms = s->timeout_ms;
}

static void end_scan(struct sim *s, struct device *d)
{
    struct reading reading;
    enum health_change change;
    bool is_good = device_end(d, &reading, &change) == SCAN_OK;

    s->good[d->number] += is_good;
    if (is_good && !d->is_slow && s->now_ms - d->slot_ms > s->latest_ms)
        s->latest_ms = s->now_ms - d->slot_ms;
    if (d->health.is_silent) {
        int64_t wait_ms = health_wait(&d->health, INTERVAL_MS, false);
        schedule_put(&s->slots, d->number,
                     schedule_slot(0, INTERVAL_MS, s->now_ms + wait_ms - INTERVAL_MS + 1));
    }
}

static void take_reply(struct sim *s)
{
    struct device *d = s->line.asked;
    struct plan_piece piece;
    int answer_ms = s->answer_ms[d->number];
    bool is_answer = answer_ms != DEAD && answer_ms < s->timeout_ms;
    struct bus_reply r = { .outcome = is_answer ? BUS_OK : BUS_NO_ANSWER,
                           .took_ms = is_answer ? answer_ms : s->timeout_ms,
                           .n = is_answer ? WORDS : 0 };

    s->line.asked = NULL;
    if (device_take(d, &r, s->now_ms, &piece) == DEVICE_DONE)
        end_scan(s, d);
    else
        line_put(&s->line, d, s->now_ms);
}

static void sim_run(struct sim *s, int64_t until_ms)
{
    while (s->now_ms < until_ms) {
        int64_t slot_ms = until_ms;
        if (s->line.asked && s->free_ms <= s->now_ms)
            take_reply(s);
        start_due(s);
        if (!s->line.asked)
            send_next(s);
        schedule_next(&s->slots, &slot_ms);
        int64_t next_ms = s->line.asked && s->free_ms < slot_ms ? s->free_ms : slot_ms;
        s->now_ms = next_ms > s->now_ms ? next_ms : s->now_ms + 1;
    }
}

/* From the tenth second on: the dead are known as such. */
static void sim_measure(struct sim *s, int64_t ms)
{
    sim_run(s, 10000);
    memset(s->good, 0, sizeof s->good);
    memset(s->asked, 0, sizeof s->asked);
    s->latest_ms = s->longest_ms = 0;
    sim_run(s, 10000 + ms);
}

static void assert_rate(const struct sim *s, int64_t ms, double least)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->answer_ms[i] != DEAD)
            assert_true(s->good[i] >= (int)((double)ms / INTERVAL_MS * least));
    }
}

enum { MINUTE_MS = 60000 };

static void a_line_of_sound_devices_keeps_their_order(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s, (int[]){ 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, -1 });
    sim_measure(&s, MINUTE_MS);
    assert_rate(&s, MINUTE_MS, 1);
    assert_int_equal(s.latest_ms, 400);
    sim_done(&s);
}

static void a_dead_unit_is_probed_in_the_time_that_is_left(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s, (int[]){ 40, 40, 40, DEAD, 40, 40, 40, 40, 40, 40, -1 });
    sim_measure(&s, 10 * MINUTE_MS);
    assert_rate(&s, 10 * MINUTE_MS, 1);
    assert_int_equal(s.latest_ms, 9 * 40); /* nobody waited for it */
    assert_in_range(s.asked[3], 10, 20);
    assert_in_range(s.longest_ms, DEVICE_FIRST_NEED_MS, 1000 - 9 * 40);
    sim_done(&s);
}

static void the_first_failure_costs_one_timeout_at_most(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s, (int[]){ 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, -1 });
    sim_run(&s, 10000);
    s.answer_ms[0] = DEAD;
    s.latest_ms = 0;
    sim_run(&s, 40000);
    assert_in_range(s.latest_ms, 0, TIMEOUT_MS + 400);
    sim_done(&s);
}

static void a_dead_unit_beside_a_full_line_waits_for_its_turn(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s, (int[]){ 100, 100, 100, 100, 100, 100, 100, 100, 100, DEAD, -1 });
    sim_measure(&s, 10 * MINUTE_MS);
    assert_rate(&s, 10 * MINUTE_MS, 0.97);
    assert_true(s.asked[9] >= 9); /* found again when it is repaired */
    sim_done(&s);
}

static void five_dead_units_of_twenty_cost_the_others_nothing(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s, (int[]){ DEAD, 30,   30, 30, DEAD, 30,   30, 30, DEAD, 30, 30,
                          30,   DEAD, 30, 30, 30,   DEAD, 30, 30, 30,   -1 });
    sim_measure(&s, 10 * MINUTE_MS);
    assert_rate(&s, 10 * MINUTE_MS, 0.99);
    sim_done(&s);
}

static void a_slow_unit_waits_for_the_others(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s, (int[]){ 700, 30, 30, 30, 30, 30, -1 });
    sim_measure(&s, MINUTE_MS);
    assert_rate(&s, MINUTE_MS, 1); /* 850 ms of a second: all of them fit */
    assert_int_equal(s.latest_ms, 150);
    sim_done(&s);
}

static void a_unit_that_is_too_slow_for_its_line_loses_its_own_polls(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s, (int[]){ 900, 60, 60, 60, 60, 60, -1 });
    sim_measure(&s, MINUTE_MS);
    for (int i = 1; i < 6; i++)
        assert_true(s.good[i] >= 59);
    assert_in_range(s.good[0], 15, 40);
    sim_done(&s);
}

static void a_repaired_unit_comes_back(void **state)
{
    struct sim s;

    (void)state;
    sim_init(&s, (int[]){ 40, 40, 40, DEAD, 40, 40, 40, 40, 40, 40, -1 });
    sim_run(&s, 10 * MINUTE_MS);
    s.answer_ms[3] = 40;
    sim_run(&s, 11 * MINUTE_MS + 5000);
    assert_true(s.device[3].health.is_online);
    sim_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_sound_devices_keeps_their_order),
        cmocka_unit_test(a_dead_unit_is_probed_in_the_time_that_is_left),
        cmocka_unit_test(the_first_failure_costs_one_timeout_at_most),
        cmocka_unit_test(a_dead_unit_beside_a_full_line_waits_for_its_turn),
        cmocka_unit_test(five_dead_units_of_twenty_cost_the_others_nothing),
        cmocka_unit_test(a_slow_unit_waits_for_the_others),
        cmocka_unit_test(a_unit_that_is_too_slow_for_its_line_loses_its_own_polls),
        cmocka_unit_test(a_repaired_unit_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
