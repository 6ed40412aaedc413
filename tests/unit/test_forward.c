/* SPDX-License-Identifier: Apache-2.0 */
/* The forwarder on a real log, with a destination that follows a script, in virtual time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/queue.h"
#include "gateway/forward/cursor.h"
#include "gateway/forward/follow.h"

#include "unit.h"

enum { SEEN_MAX = 8192, SICK_MAX = 32, COMMIT_WAIT_MS = 10000 };

/* ---- the destination ---- */

struct uplink { /* also its options: one and the same object */
    enum uplink_verdict verdict;
    uint64_t poison;         /* an entry that makes a batch refused; 0: none */
    uint64_t sick[SICK_MAX]; /* entries at which it fails, "later" */
    size_t sick_n;
    uint64_t sick_to;   /* and all up to this one */
    unsigned fails_pct; /* of all tries, by chance */
    uint32_t chance;
    int64_t retry_after_ms;
    bool is_up;              /* answer of collect() */
    struct uplink_acks acks; /* given out by the next collect() */
    uint64_t seen[SEEN_MAX]; /* every entry of every try, in order */
    size_t seen_n, tries, rows;
    unsigned taken[SEEN_MAX]; /* by entry: how often it was delivered */
    size_t batch_max;
    bool has_bad_layout;
    const struct uplink_station *station;
    struct queue *bell; /* collect() really waits, for this; NULL: it returns at once */
};

static int fake_create(const void *options, const struct uplink_station *station,
                       struct uplink **ret)
{
    *ret = (struct uplink *)(uintptr_t)options;
    (*ret)->station = station;
    return 0;
}

static void fake_destroy(struct uplink *u)
{
    (void)u;
}

static bool has_poison(const struct uplink *u, const struct uplink_batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (u->poison && b->entries[i].seq == u->poison)
            return true;
    return false;
}

static bool is_sick(const struct uplink *u, uint64_t seq)
{
    for (size_t i = 0; i < u->sick_n; i++)
        if (u->sick[i] == seq)
            return true;
    return seq <= u->sick_to;
}

static bool fails(struct uplink *u, const struct uplink_batch *b)
{
    u->chance = u->chance * 1664525 + 1013904223;
    if ((u->chance >> 8) % 100 < u->fails_pct)
        return true;
    for (size_t i = 0; i < b->n; i++)
        if (is_sick(u, b->entries[i].seq))
            return true;
    return false;
}

static enum uplink_verdict fake_send(struct uplink *u, const struct uplink_batch *b,
                                     struct uplink_report *why)
{
    u->tries++;
    u->batch_max = b->n > u->batch_max ? b->n : u->batch_max;
    *why = (struct uplink_report){ .text = "scripted", .retry_after_ms = u->retry_after_ms };
    for (size_t i = 0; i < b->n; i++) {
        const struct uplink_entry *e = &b->entries[i];
        if (u->seen_n < SEEN_MAX)
            u->seen[u->seen_n++] = e->seq;
        if (!e->is_event && e->frame)
            u->rows += e->frame->info.rows;
        if (!e->is_event) {
            char *json = u->station->layout_json(u->station->user, e->layout);
            u->has_bad_layout = u->has_bad_layout || !json;
            free(json);
        }
    }
    if (fails(u, b))
        return UPLINK_LATER;
    enum uplink_verdict v = has_poison(u, b) ? UPLINK_REFUSED : u->verdict;
    for (size_t i = 0; i < b->n && v == UPLINK_DELIVERED; i++)
        if (b->entries[i].seq < SEEN_MAX)
            u->taken[b->entries[i].seq]++;
    return v;
}

static bool fake_collect(struct uplink *u, int64_t timeout_ms, struct uplink_acks *ret)
{
    char rung;

    if (u->bell)
        queue_pop(u->bell, &rung, timeout_ms);
    *ret = u->acks;
    u->acks = (struct uplink_acks){ .acked_n = 0 };
    return u->is_up;
}

static void fake_wake(struct uplink *u)
{
    if (u->bell)
        queue_push(u->bell, "");
}

static void fake_stop(struct uplink *u)
{
    fake_wake(u);
}

static const struct uplink_kind database = {
    .name = "database",
    .wants_rows = true,
    .takes_any_order = true,
    .create = fake_create,
    .destroy = fake_destroy,
    .send = fake_send,
    .stop = fake_stop,
};

static const struct uplink_kind centre = {
    .name = "centre",
    .is_windowed = true,
    .create = fake_create,
    .destroy = fake_destroy,
    .send = fake_send,
    .collect = fake_collect,
    .wake = fake_wake,
    .stop = fake_stop,
};

static bool is_alert(const struct uplink *u, const uint8_t *json, size_t size)
{
    (void)u;
    return memmem(json, size, "\"alert\"", 7) != NULL;
}

static int64_t every_minute(const struct uplink *u)
{
    (void)u;
    return 60000;
}

static const struct uplink_kind duty = {
    .name = "duty",
    .takes_any_order = true,
    .wants_event = is_alert,
    .repeat_ms = every_minute,
    .create = fake_create,
    .destroy = fake_destroy,
    .send = fake_send,
    .stop = fake_stop,
};

/* ---- the log ---- */

struct fixture {
    char path[64];
    struct store *store;
    struct queue *commits;
    uint32_t stream;
    struct uplink dest;
    struct forward_uplink fu;
    struct forward_options o;
    struct follow follow;
    struct forward_status status;
    size_t told;
    int64_t now;
};

static void on_commit(void *user, const struct store_commit *c)
{
    struct fixture *f = user;

    queue_push(f->commits, &c->seq_last);
}

static void on_status(void *user, const struct forward_status *s)
{
    struct fixture *f = user;

    f->status = *s;
    f->told++;
}

static void open_store(struct fixture *f)
{
    const struct store_options o = { .path = f->path,
                                     .commit_ms = 10,
                                     .seal_ms = 3600000,
                                     .seal_rows = 1,
                                     .dense_columns_max = 8,
                                     .speed = 1 };
    char error[256];

    assert_int_equal(store_open(&o, on_commit, f, &f->store, error, sizeof error), 0);
    assert_int_equal(store_stream_open(f->store, "dev.a", 1, 1000, 1, NULL,
                                       "{\"sf1\":1,\"station\":\"s\",\"period_ms\":1000,"
                                       "\"unit_ms\":1,\"channels\":[{\"id\":\"a/b\","
                                       "\"quantity\":\"ozone\",\"unit\":\"ug/m3\"}]}",
                                       &f->stream),
                     0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    snprintf(f->path, sizeof f->path, "/tmp/sluice-forward-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    unlink(f->path);
    assert_int_equal(queue_create(sizeof(uint64_t), 1024, &f->commits), 0);
    open_store(f);
    f->now = 1000000;
    f->dest = (struct uplink){ .verdict = UPLINK_DELIVERED, .is_up = true };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    struct fixture *f = *state;
    char path[80];

    follow_done(&f->follow);
    store_close(f->store);
    queue_destroy(f->commits);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", f->path, suffixes[i]);
        unlink(path);
    }
    free(f);
    return 0;
}

static void wait_for_seq(struct fixture *f, uint64_t seq)
{
    for (uint64_t last = 0; last < seq;)
        assert_true(queue_pop(f->commits, &last, COMMIT_WAIT_MS));
}

static void submit(struct fixture *f, struct store_batch *b, uint64_t expected)
{
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
    wait_for_seq(f, expected);
}

/* `n` events; the newest entry is then `expected`. */
static void add_events(struct fixture *f, unsigned n, uint64_t expected)
{
    struct store_batch *b;

    assert_int_equal(store_batch_begin(f->store, &b), 0);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(store_batch_event(b, "{\"kind\":\"notice\",\"time\":5}"), 0);
    submit(f, b, expected);
}

static void add_alert(struct fixture *f, uint64_t expected)
{
    struct store_batch *b;

    assert_int_equal(store_batch_begin(f->store, &b), 0);
    assert_int_equal(store_batch_event(b, "{\"kind\":\"alert\",\"time\":5}"), 0);
    submit(f, b, expected);
}

/* `n` frames of one row. */
static void add_frames(struct fixture *f, unsigned n, uint64_t expected)
{
    for (unsigned i = 0; i < n; i++) {
        struct store_batch *b;
        const struct series_cell cell = { 412 + i, 0, 1 };
        assert_int_equal(store_batch_begin(f->store, &b), 0);
        assert_int_equal(
            store_batch_row(b, f->stream, 1763795370000 + (int64_t)i * 1000, &cell, 1), 0);
        submit(f, b, expected - n + i + 1);
    }
}

static void start(struct fixture *f, const struct uplink_kind *kind)
{
    f->fu = (struct forward_uplink){ .id = "out", .kind = kind, .options = &f->dest };
    f->o = (struct forward_options){ .store = f->store,
                                     .uplinks = &f->fu,
                                     .uplinks_n = 1,
                                     .station = { .id = "s" },
                                     .on_status = on_status,
                                     .user = f };
    if (kind->is_windowed)
        f->dest.verdict = UPLINK_SENT;
    assert_int_equal(follow_init(&f->follow, &f->o, &f->fu, NULL, false), 0);
}

static int64_t step(struct fixture *f)
{
    return follow_step(&f->follow, f->now, 0);
}

static void steps(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++)
        step(f);
}

static size_t times_seen(const struct fixture *f, uint64_t seq)
{
    size_t n = 0;

    for (size_t i = 0; i < f->dest.seen_n; i++)
        n += f->dest.seen[i] == seq;
    return n;
}

static void acknowledge(struct fixture *f, uint64_t from, uint64_t to)
{
    f->dest.acks.acked[f->dest.acks.acked_n++] = (struct uplink_range){ from, to };
}

/* ---- a destination that answers at once ---- */

static void delivers_everything_once_and_in_order(void **state)
{
    struct fixture *f = *state;

    add_events(f, 3, 3);
    add_frames(f, 4, 7);
    start(f, &database);
    steps(f, 3);
    assert_int_equal(f->dest.seen_n, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(f->dest.seen[i], i + 1);
    assert_int_equal(f->dest.rows, 4);
    assert_false(f->dest.has_bad_layout);
    assert_int_equal(f->follow.cursor.acked_to, 7);
    assert_true(f->status.is_connected);
}

static void what_does_not_concern_a_destination_counts_as_delivered(void **state)
{
    struct fixture *f = *state;

    add_events(f, 2, 2);
    add_frames(f, 3, 5);
    add_alert(f, 6);
    add_frames(f, 2, 8);
    add_alert(f, 9);
    add_frames(f, 1, 10);
    start(f, &duty);
    steps(f, 5);
    assert_int_equal(f->dest.seen_n, 2);
    assert_int_equal(f->dest.seen[0], 6);
    assert_int_equal(f->dest.seen[1], 9);
    assert_int_equal(f->follow.cursor.acked_to, 10);
}

/* Entries that nobody sends are no sign that the destination takes anything. */
static void a_destination_that_is_down_is_never_blamed_on_an_alert(void **state)
{
    struct fixture *f = *state;

    add_alert(f, 1);
    f->dest.verdict = UPLINK_LATER;
    start(f, &duty);
    for (uint64_t i = 0; i < 200; i++) {
        if (i < 40)
            add_frames(f, 1, i + 2);
        f->now += 60000;
        steps(f, 2);
    }
    assert_int_equal(f->status.set_aside, 0);
    assert_false(f->status.is_connected);
    f->dest.verdict = UPLINK_DELIVERED;
    f->now += 600000;
    steps(f, 6);
    assert_int_equal(f->dest.taken[1], 1);
    assert_int_equal(f->follow.cursor.acked_to, 41);
}

static void what_stands_is_said_again_when_nothing_else_is(void **state)
{
    struct fixture *f = *state;

    start(f, &duty);
    steps(f, 3);
    assert_int_equal(f->dest.tries, 1); /* at the start, whatever the log has */
    assert_true(f->status.is_connected);
    f->now += 59999;
    assert_in_range(step(f), 1, 1);
    assert_int_equal(f->dest.tries, 1);
    f->now += 1;
    step(f);
    assert_int_equal(f->dest.tries, 2);
    assert_int_equal(f->dest.seen_n, 0);
    f->dest.verdict = UPLINK_LATER;
    f->now += 60000;
    steps(f, 4);
    assert_int_equal(f->dest.tries, 3); /* and then it waits as for anything else */
    assert_false(f->status.is_connected);
}

static void goes_on_where_it_was_after_a_restart(void **state)
{
    struct fixture *f = *state;

    add_frames(f, 5, 5);
    start(f, &database);
    steps(f, 3);
    follow_done(&f->follow);
    store_close(f->store);
    open_store(f);
    f->dest.seen_n = 0;
    add_events(f, 1, 6);
    start(f, &database);
    steps(f, 3);
    assert_int_equal(f->dest.seen_n, 1);
    assert_int_equal(f->dest.seen[0], 6);
}

static void rebuilds_the_chain_when_it_starts_in_the_middle(void **state)
{
    struct fixture *f = *state;

    add_frames(f, 6, 6);
    start(f, &database);
    assert_true(cursor_ack(&f->follow.cursor, 1, 3));
    steps(f, 3);
    assert_int_equal(f->dest.seen[0], 4);
    assert_int_equal(f->dest.rows, 3);
    assert_int_equal(f->follow.status.set_aside, 0);
}

static void waits_longer_after_each_failure(void **state)
{
    struct fixture *f = *state;
    int64_t before = 0;

    add_events(f, 1, 1);
    start(f, &database);
    f->dest.verdict = UPLINK_LATER;
    for (int i = 0; i < 14; i++) {
        step(f);
        int64_t wait = f->follow.wait_until_ms - f->now;
        assert_true(wait >= 100 && wait <= 300000);
        assert_true(wait > before / 2 - 1);
        assert_true(follow_step(&f->follow, f->now, 0) > 0); /* and does not try before */
        before = wait;
        f->now += wait;
    }
    assert_true(before >= 150000);
    assert_int_equal(f->dest.tries, 14);
    assert_false(f->status.is_connected);
    assert_string_equal(f->status.error, "scripted");
    f->dest.verdict = UPLINK_DELIVERED;
    step(f);
    assert_int_equal(f->follow.cursor.acked_to, 1);
    assert_string_equal(f->status.error, "");
}

static void respects_how_long_the_destination_asks_to_wait(void **state)
{
    struct fixture *f = *state;

    add_events(f, 1, 1);
    start(f, &database);
    f->dest.verdict = UPLINK_LATER;
    f->dest.retry_after_ms = 90000;
    step(f);
    assert_int_equal(f->follow.wait_until_ms - f->now, 90000);
}

static void sets_one_poisoned_entry_aside(void **state)
{
    struct fixture *f = *state;

    add_events(f, 400, 400);
    start(f, &database);
    f->dest.poison = 333;
    steps(f, 40);
    assert_int_equal(f->follow.cursor.acked_to, 400);
    assert_int_equal(f->follow.status.set_aside, 1);
    assert_true(f->dest.tries < 30);
    add_events(f, 1, 401); /* the writer has gone past the note of it */
    assert_int_equal(store_read_set_aside(f->follow.reader, "out"), 1);
    for (uint64_t seq = 1; seq <= 400; seq++)
        assert_true(times_seen(f, seq) >= 1);
}

static void keeps_everything_when_denied(void **state)
{
    struct fixture *f = *state;

    add_events(f, 2, 2);
    start(f, &database);
    f->dest.verdict = UPLINK_DENIED;
    step(f);
    assert_int_equal(f->follow.wait_until_ms - f->now, 600000);
    f->now += 599999;
    step(f);
    assert_int_equal(f->dest.tries, 1);
    f->now += 1;
    f->dest.verdict = UPLINK_DELIVERED;
    step(f);
    assert_int_equal(f->follow.cursor.acked_to, 2);
    assert_int_equal(f->follow.status.set_aside, 0);
}

static void sends_the_newest_events_before_a_backlog(void **state)
{
    struct fixture *f = *state;

    add_events(f, 3000, 3000);
    start(f, &database);
    step(f);
    assert_int_equal(f->dest.seen[0], 3000 - 64 + 1);
    assert_int_equal(f->dest.seen[63], 3000);
    step(f);
    assert_int_equal(f->dest.seen[64], 1); /* the backlog from its beginning */
    add_events(f, 1, 3001);
    size_t before = f->dest.seen_n;
    step(f);
    assert_int_equal(f->dest.seen[before], 3001); /* what is new goes before the rest of it */
    steps(f, 20);
    f->now += 500;
    step(f);
    assert_int_equal(f->follow.cursor.acked_to, 3001);
    assert_int_equal(f->dest.seen_n, 3001); /* each once */
    assert_int_equal(f->status.backlog, 0);
}

static void keeps_the_cursor_at_most_once_a_second(void **state)
{
    struct fixture *f = *state;
    struct store_cursor kept;

    add_events(f, 1, 1);
    start(f, &database);
    steps(f, 2);
    add_events(f, 1, 2);
    steps(f, 2);
    assert_true(f->follow.is_cursor_new);
    f->now += 1000;
    step(f);
    assert_false(f->follow.is_cursor_new);
    add_events(f, 1, 3); /* committed with it */
    assert_int_equal(store_cursor_get(f->follow.reader, "out", &kept), 0);
    assert_int_equal(kept.acked_to, 2);
}

/* ---- a destination that fails at some entries ---- */

/* Steps for so long, one new event a `period`; 0: none. Returns the newest entry. */
static uint64_t run(struct fixture *f, int64_t ms, int64_t period, uint64_t last)
{
    int64_t end = f->now + ms, next = period ? f->now + period : INT64_MAX;

    while (f->now < end) {
        int64_t wait = step(f);
        if (f->now >= next) {
            add_events(f, 1, ++last);
            next += period;
            last = store_read_last_seq(f->follow.reader);
        }
        int64_t at = f->now + (wait > 1 ? wait : 1);
        f->now = at < next ? at : next;
    }
    return last;
}

static void sets_aside_the_one_entry_the_destination_fails_at(void **state)
{
    struct fixture *f = *state;

    add_events(f, 400, 400);
    start(f, &database);
    f->dest.sick[f->dest.sick_n++] = 333;
    uint64_t last = run(f, 30000, 1000, 400);
    assert_int_equal(f->follow.status.set_aside, 1);
    assert_int_equal(f->follow.isolate.n, 0);
    assert_in_range(f->follow.cursor.acked_to, last - 2, last);
    assert_int_equal(f->follow.cursor.above_n, 0);
    assert_int_equal(f->dest.taken[333], 0);
    for (uint64_t seq = 1; seq <= 400; seq++)
        assert_int_equal(f->dest.taken[seq], seq != 333);
    assert_true(f->dest.tries < 100);
    assert_int_equal(store_read_set_aside(f->follow.reader, "out"), 1);
}

static void others_go_on_while_the_culprit_is_looked_for(void **state)
{
    struct fixture *f = *state;

    add_events(f, 400, 400);
    start(f, &database);
    f->dest.sick[f->dest.sick_n++] = 5;
    run(f, 700, 0, 400); /* failed twice: the batch stands apart */
    assert_true(f->follow.isolate.n > 0);
    add_events(f, 1, 401);
    run(f, 1000, 0, 401);
    assert_int_equal(f->dest.taken[401], 1);
    assert_int_equal(f->follow.status.set_aside, 0);
}

static void sets_nothing_aside_while_the_destination_is_down(void **state)
{
    struct fixture *f = *state;

    add_events(f, 900, 900);
    start(f, &database);
    f->dest.verdict = UPLINK_LATER;
    uint64_t last = run(f, INT64_C(5) * 86400000, 3600000, 900);
    assert_int_equal(f->follow.status.set_aside, 0);
    assert_false(f->status.is_connected);
    f->dest.verdict = UPLINK_DELIVERED;
    run(f, 320000, 0, last);
    assert_int_equal(f->follow.cursor.acked_to, last);
    assert_int_equal(f->follow.status.set_aside, 0);
    for (uint64_t seq = 1; seq <= last; seq++)
        assert_int_equal(f->dest.taken[seq], 1);
}

static void sets_nothing_aside_at_a_destination_that_fails_by_chance(void **state)
{
    struct fixture *f = *state;

    add_events(f, 900, 900);
    start(f, &database);
    f->dest.fails_pct = 33;
    uint64_t last = run(f, 600000, 2000, 900);
    f->dest.fails_pct = 0;
    run(f, 600000, 0, last);
    assert_int_equal(f->follow.status.set_aside, 0);
    assert_int_equal(f->follow.cursor.acked_to, last);
}

static void the_only_entry_is_never_to_blame(void **state)
{
    struct fixture *f = *state;

    add_events(f, 1, 1);
    start(f, &database);
    f->dest.sick[f->dest.sick_n++] = 1;
    run(f, 86400000, 0, 1);
    assert_int_equal(f->follow.status.set_aside, 0);
    assert_in_range(f->dest.tries, 280, 700); /* every five minutes at last */
}

static void tries_again_what_was_set_aside(void **state)
{
    struct fixture *f = *state;

    add_events(f, 40, 40);
    start(f, &database);
    for (uint64_t seq = 10; seq < 30; seq++)
        f->dest.sick[f->dest.sick_n++] = seq;
    uint64_t last = run(f, 3000000, 10000, 40);
    assert_int_equal(f->follow.status.set_aside, 20);
    size_t before = f->dest.tries;
    last = run(f, 3600000, 3600000, last);
    assert_in_range(f->dest.tries, before + 2, before + 12); /* it asks, but does not nag */
    f->dest.sick_n = 0;
    last = run(f, 7200000, 600000, last);
    assert_int_equal(f->follow.status.set_aside, 0);
    for (uint64_t seq = 1; seq <= 40; seq++)
        assert_int_equal(f->dest.taken[seq], 1);
    assert_int_equal(store_read_set_aside(f->follow.reader, "out"), 0);
}

static void counts_no_longer_what_the_log_has_trimmed(void **state)
{
    struct fixture *f = *state;

    add_events(f, 3, 3);
    f->dest.poison = 2;
    start(f, &database);
    uint64_t last = run(f, 60000, 10000, 3);
    assert_int_equal(f->follow.status.set_aside, 1);
    assert_int_equal(store_take_back(f->store, "out", 2), 0); /* as retention does */
    add_events(f, 1, last + 1);
    run(f, 2 * 3600000, 600000, last + 1);
    assert_int_equal(f->follow.status.set_aside, 0);
}

/* As of a database that fails at everything older than what it keeps. */
static void a_whole_backlog_it_fails_at_does_not_hold_up_what_is_new(void **state)
{
    struct fixture *f = *state;

    add_events(f, 1500, 1500);
    start(f, &database);
    f->dest.sick_to = 1500;
    uint64_t last = run(f, 600000, 10000, 1500);
    for (uint64_t seq = 1501; seq + 2 < last; seq++)
        assert_int_equal(f->dest.taken[seq], 1);
    f->dest.sick_to = 0;
    last = run(f, 86400000, 600000, last);
    assert_int_equal(f->follow.status.set_aside, 0);
    assert_in_range(f->follow.cursor.acked_to, last - 2, last);
    for (uint64_t seq = 1; seq <= 1500; seq++)
        assert_true(f->dest.taken[seq] >= 1);
}

static void only_what_it_fails_at_is_set_aside_whatever_else_happens(void **state)
{
    struct fixture *f = *state;
    uint64_t last = 600;

    add_frames(f, 100, 100);
    add_events(f, 500, 600);
    start(f, &database);
    for (uint64_t seq = 20; seq < 600; seq += 53)
        f->dest.sick[f->dest.sick_n++] = seq;
    for (int i = 0; i < 12; i++) { /* outages and half outages between */
        f->dest.verdict = i % 3 == 1 ? UPLINK_LATER : UPLINK_DELIVERED;
        f->dest.fails_pct = i % 3 == 2 ? 30 : 0;
        last = run(f, 300000, 7000, last);
    }
    f->dest.fails_pct = 0;
    last = run(f, 900000, 7000, last);
    assert_int_equal(f->follow.status.set_aside, f->dest.sick_n);
    assert_in_range(f->follow.cursor.acked_to, last - 8, last);
    for (uint64_t seq = 1; seq <= 600; seq++)
        assert_int_equal(f->dest.taken[seq] > 0, !is_sick(&f->dest, seq));
}

static void what_a_stop_broke_off_is_no_news(void **state)
{
    struct fixture *f = *state;

    add_events(f, 3, 3);
    start(f, &database);
    f->dest.verdict = UPLINK_LATER;
    atomic_store(&f->follow.is_stopping, true);
    step(f);
    assert_int_equal(f->dest.tries, 1);
    assert_string_equal(f->follow.status.error, "");
}

/* ---- a destination that acknowledges later ---- */

static void connects_even_with_nothing_to_send(void **state)
{
    struct fixture *f = *state;

    start(f, &centre);
    step(f);
    assert_int_equal(f->dest.tries, 1);
    assert_true(f->status.is_connected);
    steps(f, 5);
    assert_int_equal(f->dest.tries, 1);
}

static void moves_only_with_the_acknowledgement(void **state)
{
    struct fixture *f = *state;

    add_frames(f, 5, 5);
    start(f, &centre);
    steps(f, 3);
    assert_int_equal(f->dest.seen_n, 5);
    assert_false(f->dest.has_bad_layout);
    assert_int_equal(f->follow.cursor.acked_to, 0);
    acknowledge(f, 2, 3);
    step(f);
    assert_int_equal(f->follow.cursor.acked_to, 0);
    acknowledge(f, 1, 1);
    acknowledge(f, 4, 99999); /* more than there is */
    step(f);
    assert_int_equal(f->follow.cursor.acked_to, 5);
    assert_int_equal(f->follow.cursor.above_n, 0);
}

static void sends_again_what_is_not_acknowledged(void **state)
{
    struct fixture *f = *state;

    add_events(f, 4, 4);
    start(f, &centre);
    steps(f, 2);
    acknowledge(f, 1, 2);
    step(f);
    f->now += 59999;
    steps(f, 2);
    assert_int_equal(f->dest.seen_n, 4);
    f->now += 1;
    steps(f, 2);
    assert_int_equal(f->dest.seen_n, 6);
    assert_int_equal(times_seen(f, 3), 2);
    assert_int_equal(times_seen(f, 1), 1);
    f->now += 60000;
    steps(f, 2);
    assert_int_equal(f->dest.seen_n, 6); /* its time has doubled */
    f->now += 60000;
    steps(f, 2);
    assert_int_equal(f->dest.seen_n, 8);
}

static void sends_everything_again_after_a_lost_connection(void **state)
{
    struct fixture *f = *state;

    add_events(f, 4, 4);
    start(f, &centre);
    steps(f, 2);
    acknowledge(f, 2, 2);
    f->dest.is_up = false;
    step(f);
    assert_false(f->status.is_connected);
    f->dest.is_up = true;
    f->now += 200;
    steps(f, 2);
    assert_int_equal(f->dest.seen_n, 7);
    assert_int_equal(times_seen(f, 1), 2);
    assert_int_equal(times_seen(f, 2), 1);
}

/* Else a broker that always ends the connection half-way would be told the same for ever. */
static void hears_what_came_back_before_a_try_failed(void **state)
{
    struct fixture *f = *state;

    add_events(f, 4, 4);
    start(f, &centre);
    f->dest.verdict = UPLINK_LATER;
    f->dest.is_up = false;
    acknowledge(f, 1, 2);
    f->dest.acks.refused[0] = (struct uplink_refusal){ { 3, 3 }, UPLINK_REFUSED, "no" };
    f->dest.acks.refused_n = 1;
    step(f);
    assert_false(f->status.is_connected);
    assert_int_equal(f->follow.cursor.acked_to, 3);
    assert_int_equal(f->follow.status.set_aside, 1);
    f->now += 60000;
    f->dest.seen_n = 0;
    step(f);
    assert_int_equal(f->dest.seen[0], 4);
}

static void what_is_refused_twice_is_set_aside_once(void **state)
{
    struct fixture *f = *state;
    struct uplink_refusal *r = f->dest.acks.refused;

    add_events(f, 3, 3);
    start(f, &centre);
    step(f);
    r[0] = r[1] = (struct uplink_refusal){ { 2, 2 }, UPLINK_REFUSED, "no" };
    f->dest.acks.refused_n = 2;
    step(f);
    assert_int_equal(f->follow.status.set_aside, 1);
    acknowledge(f, 3, 3);
    r[0] = (struct uplink_refusal){ { 3, 3 }, UPLINK_REFUSED, "no" }; /* it has it */
    f->dest.acks.refused_n = 1;
    step(f);
    assert_int_equal(f->follow.status.set_aside, 1);
}

static void answers_a_need_from_the_segment(void **state)
{
    struct fixture *f = *state;

    add_frames(f, 5, 5);
    start(f, &centre);
    steps(f, 2);
    acknowledge(f, 1, 5);
    step(f);
    f->dest.seen_n = 0;
    f->dest.acks.need[f->dest.acks.need_n++] = (struct uplink_need){ f->stream, 1, 2 };
    f->dest.acks.need[f->dest.acks.need_n++] = (struct uplink_need){ 999, 7, 0 }; /* unknown */
    steps(f, 4);
    assert_int_equal(f->dest.seen_n, 3);
    assert_int_equal(f->dest.seen[0], 3);
    assert_int_equal(f->follow.window.n, 0); /* acknowledged before: not waited for again */
}

static void sets_aside_what_is_refused_later(void **state)
{
    struct fixture *f = *state;
    struct uplink_refusal *r = &f->dest.acks.refused[0];

    add_events(f, 3, 3);
    start(f, &centre);
    step(f);
    *r = (struct uplink_refusal){ { 1, 3 }, UPLINK_REFUSED, "no" };
    f->dest.acks.refused_n = 1;
    step(f);
    f->dest.seen_n = 0;
    step(f); /* now one by one */
    assert_int_equal(f->dest.batch_max, 3);
    assert_int_equal(f->dest.seen_n, 1);
    *r = (struct uplink_refusal){ { 2, 2 }, UPLINK_REFUSED, "no" };
    f->dest.acks.refused_n = 1;
    acknowledge(f, 1, 1);
    acknowledge(f, 3, 3);
    step(f);
    assert_int_equal(f->follow.cursor.acked_to, 3);
    assert_int_equal(f->follow.status.set_aside, 1);
}

static void waits_when_too_much_is_under_way(void **state)
{
    struct fixture *f = *state;

    add_events(f, 6000, 6000);
    start(f, &centre);
    steps(f, 50);
    assert_true(f->follow.window.n <= WINDOW_ENTRIES_MAX);
    assert_true(f->dest.seen_n <= WINDOW_ENTRIES_MAX);
    for (int i = 0; i < 50; i++) {
        acknowledge(f, 1, 6000);
        step(f);
    }
    assert_int_equal(f->follow.cursor.acked_to, 6000);
}

static void asks_for_the_beginning_of_a_segment_before_its_live_end(void **state)
{
    struct fixture *f = *state;

    add_frames(f, 10, 10);
    add_events(f, 200, 210);
    start(f, &centre);
    f->follow.cursor.acked_to = 4; /* frames 5 to 10 of the segment wait */
    f->follow.next = 5;
    step(f); /* the newest events */
    assert_int_equal(f->dest.seen[0], 210 - 64 + 1);
    add_frames(f, 2, 212);
    add_events(f, 1, 213);
    size_t before = f->dest.seen_n;
    steps(f, 4);
    assert_int_equal(f->dest.seen[before], 213); /* what is new and urgent */
    for (size_t i = 0; i < 6; i++)               /* then what 211 cannot do without */
        assert_int_equal(f->dest.seen[before + 1 + i], 5 + i);
    assert_int_equal(f->dest.seen[before + 7], 211);
    assert_int_equal(f->dest.seen[before + 8], 212);
    for (uint64_t seq = 5; seq <= 213; seq++)
        assert_true(times_seen(f, seq) <= 1);
    steps(f, 20);
    for (uint64_t seq = 5; seq <= 213; seq++)
        assert_int_equal(times_seen(f, seq), 1);
}

static void says_how_much_waits_and_since_when(void **state)
{
    struct fixture *f = *state;

    add_frames(f, 3, 3);
    start(f, &database);
    f->dest.verdict = UPLINK_LATER;
    step(f);
    assert_int_equal(f->status.backlog, 3);
    assert_true(f->status.backlog_bytes > 30 && f->status.backlog_bytes < 1000);
    assert_int_equal(f->status.oldest_ms, 1763795370000);
    f->dest.verdict = UPLINK_DELIVERED;
    f->now += 1000;
    steps(f, 2);
    assert_int_equal(f->status.backlog, 0);
    assert_int_equal(f->status.backlog_bytes, 0);
    assert_int_equal(f->status.oldest_ms, 0);
}

static bool copy_event(void *user, const struct store_entry *e)
{
    snprintf(user, 1024, "%.*s", (int)e->size, (const char *)e->data);
    return false;
}

static void an_event_names_the_entry_that_was_set_aside(void **state)
{
    struct fixture *f = *state;
    char json[1024] = "";

    add_events(f, 8, 8);
    start(f, &database);
    f->dest.poison = 5;
    steps(f, 12);
    wait_for_seq(f, 9);
    assert_int_equal(store_read_events(f->follow.reader, NULL, 1, copy_event, json), 0);
    assert_non_null(strstr(json, "\"what\":\"uplink_set_aside\""));
    assert_non_null(strstr(json, "\"entries\":1,\"from\":5,\"to\":5"));
}

static void refused_events_about_refusals_do_not_breed(void **state)
{
    struct fixture *f = *state;

    add_events(f, 20, 20);
    start(f, &database);
    f->dest.verdict = UPLINK_REFUSED; /* everything */
    for (int i = 0; i < 200; i++) {
        step(f);
        f->now += 10;
    }
    assert_in_range(store_read_last_seq(f->follow.reader), 20, 22);
}

static void an_event_tells_of_a_destination_that_denies_us(void **state)
{
    struct fixture *f = *state;
    char json[1024] = "";

    add_events(f, 2, 2);
    start(f, &database);
    f->dest.verdict = UPLINK_DENIED;
    for (int i = 0; i < 4; i++) {
        step(f);
        f->now += 600000;
    }
    wait_for_seq(f, 3);
    assert_int_equal(store_read_events(f->follow.reader, NULL, 1, copy_event, json), 0);
    assert_non_null(strstr(json, "\"what\":\"uplink_denied\""));
    assert_int_equal(store_read_last_seq(f->follow.reader), 3); /* once, not at every try */
}

/* ---- a pair ---- */

struct spare { /* the fallback of a pair */
    struct uplink dest;
    struct forward_uplink uplink;
    struct follow follow;
    struct pair pair;
};

/* So many events wait, and a pair is to deliver them. */
static struct spare *spare_open(struct fixture *f, unsigned events)
{
    struct spare *spare = calloc(1, sizeof *spare);

    assert_non_null(spare);
    spare->dest.verdict = UPLINK_DELIVERED;
    spare->uplink =
        (struct forward_uplink){ .id = "spare", .kind = &database, .options = &spare->dest };
    add_events(f, events, events);
    start(f, &database);
    follow_done(&f->follow);
    pair_init(&spare->pair, "out", 5000);
    assert_int_equal(follow_init(&f->follow, &f->o, &f->fu, &spare->pair, false), 0);
    assert_int_equal(follow_init(&spare->follow, &f->o, &spare->uplink, &spare->pair, true), 0);
    return spare;
}

static void spare_close(struct fixture *f, struct spare *spare)
{
    follow_done(&spare->follow);
    follow_done(&f->follow);
    pair_done(&spare->pair);
    free(spare);
}

static void a_fallback_delivers_only_while_the_first_is_down(void **state)
{
    struct fixture *f = *state;
    struct spare *spare = spare_open(f, 3);

    spare->dest.is_up = true;
    f->dest.verdict = UPLINK_LATER;
    step(f);
    follow_step(&spare->follow, f->now, 0);
    assert_int_equal(spare->dest.tries, 0);
    assert_true(spare->follow.status.is_standby);
    f->now += 5000;
    step(f);
    follow_step(&spare->follow, f->now, 0);
    assert_int_equal(spare->dest.seen_n, 3);
    assert_int_equal(spare->follow.cursor.acked_to, 3);
    f->now += 60000;
    f->dest.verdict = UPLINK_DELIVERED; /* back: tries with what it had */
    step(f);
    assert_int_equal(f->follow.cursor.acked_to, 3);
    add_events(f, 2, 5);
    follow_step(&spare->follow, f->now, 0);
    assert_int_equal(spare->dest.seen_n, 3); /* stands by again */
    steps(f, 2);
    assert_int_equal(f->follow.cursor.acked_to, 5);
    assert_int_equal(times_seen(f, 5), 1);
    spare_close(f, spare);
}

static void what_the_fallback_delivered_is_no_suspect(void **state)
{
    struct fixture *f = *state;
    struct spare *spare = spare_open(f, 3); /* takes everything */

    f->dest.verdict = UPLINK_LATER;
    run(f, 4000, 0, 3);
    assert_int_equal(f->follow.isolate.n, 3);
    f->now += 5000;
    follow_step(&spare->follow, f->now, 0);
    assert_int_equal(spare->follow.cursor.acked_to, 3);
    f->now += 60000;
    f->dest.verdict = UPLINK_DELIVERED;
    run(f, 2000, 0, 3);
    assert_int_equal(f->follow.isolate.n, 0);
    assert_int_equal(f->dest.taken[1] + f->dest.taken[2] + f->dest.taken[3], 1); /* to ask */
    spare_close(f, spare);
}

static void what_the_fallback_set_aside_the_first_tries_again(void **state)
{
    struct fixture *f = *state;
    struct spare *spare = spare_open(f, 1);

    spare->dest.poison = 2;
    f->dest.verdict = UPLINK_LATER;
    step(f);
    add_events(f, 2, 3); /* the first one has not seen them */
    f->now += 5000;
    for (int i = 0; i < 8; i++)
        follow_step(&spare->follow, f->now, 0);
    assert_int_equal(spare->follow.status.set_aside, 1);
    f->now += 60000;
    f->dest.verdict = UPLINK_DELIVERED;
    add_events(f, 1, store_read_last_seq(f->follow.reader) + 1);
    run(f, 2 * 3600000, 0, 0);
    assert_int_equal(f->dest.taken[2], 1);
    spare_close(f, spare);
}

static void stops_its_threads_quickly(void **state)
{
    struct fixture *f = *state;
    struct forward *fw;

    add_events(f, 3, 3);
    start(f, &database);
    follow_done(&f->follow);
    int64_t begin = mono_ms();
    assert_int_equal(forward_create(&f->o, &fw), 0);
    forward_wake(fw, 3);
    forward_destroy(fw);
    assert_true(mono_ms() - begin < 1000);
}

/* A stop must never fall between two waits: tried often, since it is a matter of timing. */
static void a_stop_is_never_missed(void **state)
{
    struct fixture *f = *state;
    struct forward *fw;

    add_events(f, 3, 3);
    start(f, &centre);
    follow_done(&f->follow);
    assert_int_equal(queue_create(1, 1, &f->dest.bell), 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(forward_create(&f->o, &fw), 0);
        forward_wake(fw, 3);
        int64_t begin = mono_ms();
        forward_destroy(fw);
        assert_true(mono_ms() - begin < 900); /* a missed one takes a second */
    }
    queue_destroy(f->dest.bell);
}

#define ON_LOG(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LOG(delivers_everything_once_and_in_order),
        ON_LOG(what_does_not_concern_a_destination_counts_as_delivered),
        ON_LOG(a_destination_that_is_down_is_never_blamed_on_an_alert),
        ON_LOG(what_stands_is_said_again_when_nothing_else_is),
        ON_LOG(goes_on_where_it_was_after_a_restart),
        ON_LOG(rebuilds_the_chain_when_it_starts_in_the_middle),
        ON_LOG(waits_longer_after_each_failure),
        ON_LOG(respects_how_long_the_destination_asks_to_wait),
        ON_LOG(sets_one_poisoned_entry_aside),
        ON_LOG(keeps_everything_when_denied),
        ON_LOG(sends_the_newest_events_before_a_backlog),
        ON_LOG(keeps_the_cursor_at_most_once_a_second),
        ON_LOG(sets_aside_the_one_entry_the_destination_fails_at),
        ON_LOG(others_go_on_while_the_culprit_is_looked_for),
        ON_LOG(sets_nothing_aside_while_the_destination_is_down),
        ON_LOG(sets_nothing_aside_at_a_destination_that_fails_by_chance),
        ON_LOG(the_only_entry_is_never_to_blame),
        ON_LOG(tries_again_what_was_set_aside),
        ON_LOG(counts_no_longer_what_the_log_has_trimmed),
        ON_LOG(a_whole_backlog_it_fails_at_does_not_hold_up_what_is_new),
        ON_LOG(only_what_it_fails_at_is_set_aside_whatever_else_happens),
        ON_LOG(what_a_stop_broke_off_is_no_news),
        ON_LOG(connects_even_with_nothing_to_send),
        ON_LOG(moves_only_with_the_acknowledgement),
        ON_LOG(sends_again_what_is_not_acknowledged),
        ON_LOG(sends_everything_again_after_a_lost_connection),
        ON_LOG(hears_what_came_back_before_a_try_failed),
        ON_LOG(what_is_refused_twice_is_set_aside_once),
        ON_LOG(answers_a_need_from_the_segment),
        ON_LOG(sets_aside_what_is_refused_later),
        ON_LOG(waits_when_too_much_is_under_way),
        ON_LOG(asks_for_the_beginning_of_a_segment_before_its_live_end),
        ON_LOG(says_how_much_waits_and_since_when),
        ON_LOG(an_event_names_the_entry_that_was_set_aside),
        ON_LOG(refused_events_about_refusals_do_not_breed),
        ON_LOG(an_event_tells_of_a_destination_that_denies_us),
        ON_LOG(a_fallback_delivers_only_while_the_first_is_down),
        ON_LOG(what_the_fallback_delivered_is_no_suspect),
        ON_LOG(what_the_fallback_set_aside_the_first_tries_again),
        ON_LOG(stops_its_threads_quickly),
        ON_LOG(a_stop_is_never_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
