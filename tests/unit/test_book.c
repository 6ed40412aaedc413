/* SPDX-License-Identifier: Apache-2.0 */
/* The book of alerts beside a pipeline on a real log, in virtual time. */
#include <jansson.h>

#include "pipeline_rig.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

struct world {
    struct fixture *f;
    struct book *book;
    struct book_plan plan;
    const struct book_plan *plans[1];
    struct timeline timeline;
    char answer[1 << 20];  /* a full book, listed */
    char events[64][2048]; /* as the live view hears them */
    size_t events_n;
    int64_t now_ms;
};

static struct world world;

static void on_told(void *user, const char *json)
{
    struct world *w = user;

    assert_true(w->events_n < 64);
    snprintf(w->events[w->events_n++], sizeof w->events[0], "%s", json);
}

static void on_withdrawn(void *user, size_t rule, struct store_batch *batch)
{
    pipeline_withdraw(((struct world *)user)->f->p, rule, batch);
}

static void begin(struct world *w)
{
    struct fixture *f = w->f;
    const struct book_station s = {
        .table = &f->table,
        .rules = &f->rule,
        .plans = w->plans,
        .rules_n = 1,
        .timeline = &w->timeline,
        .shelve_max_ms = 12 * HOUR,
        .flood = 3,
        .reopen_ms = HOUR,
        .on_withdrawn = on_withdrawn,
        .on_event = on_told,
        .user = w,
    };

    open_log(f);
    assert_int_equal(book_create(f->o.store, &w->book), 0);
    assert_int_equal(book_attach(w->book, &s, w->now_ms), 0);
    f->o.book = w->book;
    f->o.on_event = on_told;
    f->o.user = w;
    assert_int_equal(pipeline_create(&f->o, &f->p), 0);
}

static void end(struct world *w)
{
    pipeline_destroy(w->f->p);
    book_detach(w->book);
    book_destroy(w->book);
    store_close(w->f->o.store);
    w->f->p = NULL;
}

static void again(struct world *w)
{
    end(w);
    begin(w);
}

static int set_up_book(void **state)
{
    struct world *w = &world;
    int rc = set_up(state);

    memset(w, 0, sizeof *w);
    w->f = *state;
    w->now_ms = T0;
    w->timeline.state = CLOCK_SYNCHRONISED;
    w->timeline.was_synchronised = w->timeline.is_confirmed = true;
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        w->plan.response[l] = life_response_default((enum alert_level)l);
    w->plan.response[LEVEL_YELLOW].escalate_to = "bureau";
    snprintf(w->plan.version, sizeof w->plan.version, "1");
    w->plans[0] = &w->plan;
    w->f->rule.stale_ms = 10000;
    w->f->rule.level[LEVEL_RED] =
        (struct alert_threshold){ true, 200, 180, { 2, 2, 0 }, { 2, 2, 0 }, 0 };
    stop(w->f);
    begin(w);
    return rc;
}

static int tear_down_book(void **state)
{
    struct world *w = &world;

    pipeline_destroy(w->f->p);
    book_detach(w->book);
    book_destroy(w->book);
    w->f->p = NULL;
    w->f->o.book = NULL;
    w->f->o.on_event = NULL;
    store_close(w->f->o.store);
    start(w->f);
    return tear_down(state);
}

/* ---- what happens ---- */

static void tick(struct world *w, int64_t ms)
{
    w->now_ms += ms;
    book_tick(w->book, w->now_ms);
    pipeline_tick(w->f->p, w->now_ms);
}

static void see(struct world *w, double ozone, int n)
{
    for (int i = 0; i < n; i++) {
        tick(w, 1000);
        scan(w->f, w->now_ms, ozone + i % 2, 20);
    }
}

static void on_answer(void *user, uint64_t ticket, const char *json)
{
    struct world *w = user;

    (void)ticket;
    snprintf(w->answer, sizeof w->answer, "%s", json);
}

/* The answer; json_decref() it. What waits for the log is answered when it is closed. */
static json_t *ask(struct world *w, const char *request)
{
    const struct book_request q = { request, "uid 7", w->now_ms, on_answer, w, 1 };

    w->answer[0] = '\0';
    book_request(w->book, &q);
    if (!w->answer[0])
        again(w);
    json_t *answer = json_loads(w->answer, 0, NULL);
    assert_non_null(answer);
    return answer;
}

static void do_it(struct world *w, const char *request, bool is_changed)
{
    json_t *a = ask(w, request);

    if (!json_is_true(json_object_get(a, "ok")) ||
        json_is_true(json_object_get(a, "changed")) != is_changed)
        fail_msg("%s: %s", request, w->answer);
    json_decref(a);
}

static json_t *alert(struct world *w, const char *name)
{
    char request[160];

    snprintf(request, sizeof request, "{\"do\":\"show\",\"alert\":\"%s\"}", name);
    json_t *a = ask(w, request), *found = json_incref(json_object_get(a, "alert"));
    json_decref(a);
    return found;
}

static bool is_marked(struct world *w, const char *name, const char *mark)
{
    json_t *a = alert(w, name), *m;
    bool found = false;
    size_t i;

    json_array_foreach(json_object_get(a, "marks"), i, m)
    {
        found |= strcmp(json_string_value(m), mark) == 0;
    }
    json_decref(a);
    return found;
}

static void assert_state(struct world *w, const char *name, const char *state)
{
    json_t *a = alert(w, name);

    assert_string_equal(json_string_value(json_object_get(a, "state")), state);
    json_decref(a);
}

/* How often it was told, as the log has it. */
static unsigned told(struct world *w, const char *transition)
{
    struct seen *seen = &w->f->seen;
    struct store_reader *r = NULL;
    char part[64];
    unsigned n = 0;

    again(w);
    memset(seen, 0, sizeof *seen);
    assert_int_equal(store_reader_open(w->f->o.store, &r), 0);
    assert_int_equal(store_read_events(r, "alert", 64, keep_event, seen), 0);
    store_reader_close(r);
    snprintf(part, sizeof part, "\"transition\":\"%s\"", transition);
    for (size_t i = 0; i < seen->events_n; i++)
        n += strstr(seen->events[i], part) != NULL;
    return n;
}

/* ---- tests ---- */

static void an_episode_begins_with_the_event_of_its_raise(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    assert_int_equal(told(w, "raised"), 1);
    assert_non_null(strstr(w->f->seen.events[0], "\"number\":1,\"state\":\"raised\""));
    assert_non_null(strstr(w->f->seen.events[0], "\"version\":\"1\""));
    assert_state(w, "1", "raised");
}

static void a_restart_repeats_and_forgets_nothing(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    for (int i = 0; i < 5; i++) {
        again(w);
        see(w, 120, 2);
    }
    assert_int_equal(told(w, "raised"), 1);
    do_it(w, "{\"do\":\"ack\",\"alert\":1}", true);
    again(w);
    do_it(w, "{\"do\":\"ack\",\"alert\":1}", false);
    assert_int_equal(told(w, "acknowledged"), 1);
}

static void clears_beside_its_state(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    do_it(w, "{\"do\":\"ack\",\"alert\":1}", true);
    see(w, 50, 3);
    assert_state(w, "1", "acknowledged");
    assert_true(is_marked(w, "1", "cleared"));
}

static void a_higher_colour_takes_the_acknowledgement_away(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    do_it(w, "{\"do\":\"ack\",\"alert\":1}", true);
    see(w, 220, 3);
    assert_state(w, "1", "raised");
    assert_int_equal(told(w, "upgraded"), 1);
}

static void a_limit_lapses_once_also_over_restarts(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    tick(w, 29 * MINUTE);
    assert_false(is_marked(w, "1", "overdue"));
    again(w);
    tick(w, 2 * MINUTE);
    assert_true(is_marked(w, "1", "overdue"));
    again(w);
    tick(w, MINUTE);
    assert_int_equal(told(w, "escalated"), 1);
}

/* The clock is set in one go with the event of it; intervals last as long as they should. */
static void step_clock(struct world *w, int64_t by_ms)
{
    const struct timeline_change c = { TIMELINE_STEPPED, w->now_ms, w->now_ms + by_ms, by_ms,
                                       false };

    w->f->o.timeline = &w->timeline;
    pipeline_clock(w->f->p, &c);
    w->now_ms += by_ms;
    w->f->o.timeline = NULL;
}

static void a_step_of_the_clock_neither_hastens_nor_delays_a_limit(void **state)
{
    static const int64_t steps[] = { 5 * HOUR, -3 * HOUR };
    struct world *w = &world;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        see(w, 120, 3);
        const char *name = i == 0 ? "1" : "2";
        tick(w, 10 * MINUTE);
        step_clock(w, steps[i]);
        tick(w, 19 * MINUTE);
        assert_false(is_marked(w, name, "overdue"));
        tick(w, 2 * MINUTE);
        assert_true(is_marked(w, name, "overdue"));
        see(w, 50, 6);
        tick(w, 2 * HOUR);
    }
}

static void a_restored_limit_is_not_moved_when_the_clock_is_first_believed(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    const int64_t due_ms = w->now_ms + 30 * MINUTE;
    end(w);
    w->timeline.state = CLOCK_WAITING; /* rebooted, ten minutes behind: the time it was off */
    begin(w);
    tick(w, 1000);
    step_clock(w, 10 * MINUTE);
    w->timeline.state = CLOCK_SYNCHRONISED;
    book_tick(w->book, due_ms - 5000);
    assert_false(is_marked(w, "1", "overdue"));
    book_tick(w->book, due_ms + 1000);
    assert_true(is_marked(w, "1", "overdue"));
}

static void a_shelf_ends_by_itself_and_its_limit_begins_anew(void **state)
{
    struct world *w = &world;

    (void)state;
    do_it(w, "{\"do\":\"shelve\",\"rule\":\"high\",\"for_ms\":7200000,\"note\":\"test\"}",
          true);
    see(w, 120, 3);
    assert_true(is_marked(w, "1", "shelved"));
    tick(w, HOUR);
    assert_false(is_marked(w, "1", "overdue"));
    again(w);
    tick(w, HOUR + MINUTE);
    assert_false(is_marked(w, "1", "shelved"));
    assert_int_equal(told(w, "unshelved"), 1);
    tick(w, 29 * MINUTE);
    assert_false(is_marked(w, "1", "overdue"));
    tick(w, 2 * MINUTE);
    assert_true(is_marked(w, "1", "overdue"));
}

static void out_of_service_lasts_until_a_person_ends_it(void **state)
{
    struct world *w = &world;

    (void)state;
    do_it(w, "{\"do\":\"out_of_service\",\"device\":\"d\",\"note\":\"repair\"}", true);
    see(w, 120, 3);
    tick(w, 48 * HOUR);
    assert_true(is_marked(w, "1", "out_of_service"));
    do_it(w, "{\"do\":\"in_service\",\"device\":\"d\"}", true);
    assert_false(is_marked(w, "1", "out_of_service"));
    do_it(w, "{\"do\":\"in_service\",\"device\":\"d\"}", false);
}

static void what_flaps_becomes_one_alert_and_calms_down(void **state)
{
    struct world *w = &world;

    (void)state;
    w->plan.flap = 3;
    for (int i = 0; i < 5; i++) {
        see(w, 120, 3);
        see(w, 50, 3);
    }
    assert_true(is_marked(w, "3", "unstable"));
    assert_state(w, "1", "closed");
    assert_state(w, "2", "closed");
    json_t *list = ask(w, "{\"do\":\"list\",\"all\":true}");
    assert_int_equal(json_array_size(json_object_get(list, "alerts")), 3);
    json_decref(list);
    tick(w, HOUR + MINUTE);
    assert_false(is_marked(w, "3", "unstable"));
    assert_int_equal(told(w, "settled"), 1);
}

static bool is_quiet(struct world *w, const char *name, const char *why)
{
    json_t *a = alert(w, name);
    const char *quiet = json_string_value(json_object_get(a, "quiet"));
    const bool is_so = quiet && strcmp(quiet, why) == 0;

    json_decref(a);
    return is_so;
}

static void behind_a_flood_only_severe_ones_are_told(void **state)
{
    struct world *w = &world;

    (void)state;
    for (int i = 0; i < 4; i++) {
        see(w, 120, 3);
        see(w, 50, 3);
    }
    assert_false(is_marked(w, "3", "flood"));
    assert_true(is_marked(w, "4", "flood") && is_quiet(w, "4", "flood"));
    see(w, 120, 3);
    assert_true(is_quiet(w, "5", "flood"));
    see(w, 220, 3); /* it became severe */
    assert_false(is_quiet(w, "5", "flood"));
    see(w, 50, 5);
    tick(w, HOUR);
    see(w, 120, 5);
    assert_false(is_marked(w, "6", "flood"));
}

static void raised_again_soon_after_it_says_so(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    see(w, 50, 3);
    see(w, 120, 3);
    json_t *second = alert(w, "2");
    assert_non_null(
        strstr(json_string_value(json_object_get(second, "reopens")), "high/d/ozone"));
    json_decref(second);
    assert_true(is_marked(w, "2", "reopened"));
    see(w, 50, 3);
    tick(w, 2 * HOUR);
    see(w, 120, 5);
    assert_false(is_marked(w, "3", "reopened"));
}

static void closed_ones_leave_the_book_after_a_day(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    see(w, 50, 3);
    do_it(w, "{\"do\":\"triage\",\"alert\":1,\"verdict\":\"false\"}", true);
    do_it(w, "{\"do\":\"close\",\"alert\":1,\"note\":\"gone\"}", true);
    assert_state(w, "1", "closed");
    tick(w, 25 * HOUR);
    json_t *a = ask(w, "{\"do\":\"show\",\"alert\":1}");
    assert_false(json_is_true(json_object_get(a, "ok")));
    json_decref(a);
    again(w);
    a = ask(w, "{\"do\":\"list\",\"all\":true}");
    assert_int_equal(json_array_size(json_object_get(a, "alerts")), 0);
    json_decref(a);
}

static void a_full_book_lets_go_what_is_over_with_a_word(void **state)
{
    struct world *w = &world;
    json_t *a;

    (void)state;
    for (int i = 0; i < BOOK_EPISODES_MAX + 3; i++) {
        see(w, 120, 2);
        see(w, 50, 2);
        w->events_n = 0;
    }
    a = ask(w, "{\"do\":\"list\",\"all\":true}");
    assert_int_equal(json_array_size(json_object_get(a, "alerts")), BOOK_EPISODES_MAX);
    json_decref(a);
    see(w, 120, 2);
    bool is_told = false;
    for (size_t i = 0; i < w->events_n; i++)
        is_told |= strstr(w->events[i], "\"transition\":\"closed\"") != NULL;
    assert_true(is_told);
}

static void a_withdrawn_alert_begins_quiet(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    do_it(w, "{\"do\":\"withdraw\",\"alert\":1,\"note\":\"rule changed\"}", true);
    assert_state(w, "1", "closed");
    again(w);
    see(w, 120, 3);
    assert_state(w, "2", "raised");
}

static void what_the_centre_has_is_received_and_no_limit_is_longer_for_it(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    book_received(w->book, "centre", UINT64_MAX); /* not committed for sure yet */
    assert_state(w, "1", "raised");
    again(w); /* committed by now */
    book_tick(w->book, w->now_ms);
    book_tick(w->book, w->now_ms);
    book_received(w->book, "centre", 0);
    assert_state(w, "1", "raised");
    book_received(w->book, "centre", UINT64_MAX);
    assert_state(w, "1", "received");
    assert_int_equal(told(w, "received"), 1);
    tick(w, 31 * MINUTE);
    assert_true(is_marked(w, "1", "overdue"));
}

static void a_fault_supersedes_what_nobody_has_judged(void **state)
{
    struct world *w = &world;
    struct store_batch *batch = NULL;

    (void)state;
    see(w, 120, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_batch_begin(w->f->o.store, &batch), 0);
        book_fault(w->book, i ? "d/ozone" : "d/ozon", "stuck", w->now_ms, batch);
        assert_int_equal(store_batch_submit(batch, STORE_AT_ONCE), 0);
        assert_state(w, "1", i ? "closed" : "raised");
    }
    assert_true(is_marked(w, "1", "superseded"));
    see(w, 120, 3);
    do_it(w, "{\"do\":\"triage\",\"alert\":2,\"verdict\":\"true\"}", true);
    assert_int_equal(store_batch_begin(w->f->o.store, &batch), 0);
    book_fault(w->book, "d/ozone", "stuck", w->now_ms, batch);
    assert_int_equal(store_batch_submit(batch, STORE_AT_ONCE), 0);
    assert_state(w, "2", "triaged");
}

static void what_is_found_late_says_so(void **state)
{
    struct world *w = &world;

    (void)state;
    tick(w, 2 * HOUR);
    for (int i = 0; i < 2; i++)
        scan(w->f, w->now_ms - HOUR + i * 1000, 120 + i, 20);
    assert_true(is_marked(w, "1", "late"));
    json_t *a = alert(w, "1"); /* and has its whole limit from now on */
    char due[TIME_TEXT_MAX];
    time_print_utc(w->now_ms + 30 * MINUTE, due);
    assert_string_equal(json_string_value(json_object_get(json_object_get(a, "due"), "by")),
                        due);
    json_decref(a);
}

static void what_was_raised_without_a_link_is_told_late_once(void **state)
{
    struct world *w = &world;

    (void)state;
    see(w, 120, 3); /* told at once: the link is lost afterwards */
    see(w, 50, 3);
    book_link(w->book, false);
    tick(w, 2 * HOUR);
    see(w, 120, 4);
    tick(w, 9 * MINUTE);
    again(w);
    tick(w, 2 * MINUTE);
    book_link(w->book, false);
    book_link(w->book, true);
    assert_false(is_marked(w, "1", "late"));
    assert_true(is_marked(w, "2", "late"));
    book_link(w->book, false);
    book_link(w->book, true);
    assert_int_equal(told(w, "late"), 1);
}

static void counts_what_is_asked_of_a_person(void **state)
{
    struct world *w = &world;
    struct book_figures f;

    (void)state;
    for (int i = 0; i < 4; i++) {
        see(w, 120, 3);
        see(w, 50, 3);
    }
    do_it(w, "{\"do\":\"ack\",\"alert\":1}", true);
    again(w);
    book_figures_get(w->book, w->now_ms, &f);
    assert_int_equal(f.open, 4);
    assert_int_equal(f.unacknowledged, 3);
    assert_int_equal(f.raised_10min, 4);
    assert_int_equal(f.worst_10min, 4);
    assert_string_equal(f.top[0].rule, "high");
    assert_int_equal(f.top[0].raised, 4);
    book_figures_get(w->book, w->now_ms + 25 * HOUR, &f);
    assert_int_equal(f.raised_day, 0);
}

static void hostile_requests_are_refused(void **state)
{
    static const char *const requests[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"do\":1}",
        "{\"do\":\"\"}",
        "{\"do\":\"ack\"}",
        "{\"do\":\"ack\",\"alert\":-1}",
        "{\"do\":\"ack\",\"alert\":{}}",
        "{\"do\":\"ack\",\"alert\":\"\"}",
        "{\"do\":\"ack\",\"alert\":99999999999999999999}",
        "{\"do\":\"shelve\",\"rule\":\"high\",\"note\":\"x\",\"for_ms\":1e300}",
        "{\"do\":\"shelve\",\"rule\":\"high\",\"note\":\"x\",\"for_ms\":\"1\"}",
        "{\"do\":\"shelve\",\"rule\":\"high\",\"note\":\"x\"}",
        "{\"do\":\"triage\",\"alert\":1,\"verdict\":\"\"}",
    };
    struct world *w = &world;

    (void)state;
    see(w, 120, 3);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        json_t *a = ask(w, requests[i]);
        if (json_is_true(json_object_get(a, "ok")))
            fail_msg("%s was taken: %s", requests[i], w->answer);
        assert_true(json_string_length(json_object_get(json_object_get(a, "text"), "en")) > 10);
        json_decref(a);
    }
    assert_state(w, "1", "raised");
}

#define BOOK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up_book, tear_down_book)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOK_TEST(an_episode_begins_with_the_event_of_its_raise),
        BOOK_TEST(a_restart_repeats_and_forgets_nothing),
        BOOK_TEST(clears_beside_its_state),
        BOOK_TEST(a_higher_colour_takes_the_acknowledgement_away),
        BOOK_TEST(a_limit_lapses_once_also_over_restarts),
        BOOK_TEST(a_step_of_the_clock_neither_hastens_nor_delays_a_limit),
        BOOK_TEST(a_restored_limit_is_not_moved_when_the_clock_is_first_believed),
        BOOK_TEST(a_shelf_ends_by_itself_and_its_limit_begins_anew),
        BOOK_TEST(out_of_service_lasts_until_a_person_ends_it),
        BOOK_TEST(what_flaps_becomes_one_alert_and_calms_down),
        BOOK_TEST(behind_a_flood_only_severe_ones_are_told),
        BOOK_TEST(raised_again_soon_after_it_says_so),
        BOOK_TEST(closed_ones_leave_the_book_after_a_day),
        BOOK_TEST(a_full_book_lets_go_what_is_over_with_a_word),
        BOOK_TEST(a_withdrawn_alert_begins_quiet),
        BOOK_TEST(what_the_centre_has_is_received_and_no_limit_is_longer_for_it),
        BOOK_TEST(a_fault_supersedes_what_nobody_has_judged),
        BOOK_TEST(what_is_found_late_says_so),
        BOOK_TEST(what_was_raised_without_a_link_is_told_late_once),
        BOOK_TEST(counts_what_is_asked_of_a_person),
        BOOK_TEST(hostile_requests_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
