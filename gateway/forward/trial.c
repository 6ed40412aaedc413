/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forward/trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/forward/cursor.h"
#include "gateway/forward/verdict.h"

enum {
    SUSPECT_AFTER = 2,  /* failures of a batch; more would only hold up what is behind it */
    PAUSE_MS = 1000,    /* after a trial that failed, and as long as it took: half the time is
                         * left to the others */
    DOUBT_MS = 90000,   /* nothing was taken for so long: it is not the suspects' fault */
    ASIDE_FAILURES = 4, /* of one round: each may take a whole time-out */
    RANGES_SPARE = 64,  /* of the cursor: every suspect may part a range of it */
};

/* ---- reading ---- */

static bool suspects_are_due(const struct follow *f, int64_t now_ms)
{
    if (f->isolate.n == 0)
        return false;
    return f->is_connected ? now_ms >= f->trial.due_ms : f->trial.is_turn;
}

/* What the other one of a pair has delivered is no suspect; it still does for a question. */
static void acquit_delivered(struct follow *f)
{
    for (size_t i = f->isolate.n; i-- > 0;) {
        uint64_t seq = f->isolate.suspects[i].seq;
        if (cursor_has(&f->cursor, seq))
            isolate_drop(&f->isolate, seq, seq);
    }
}

/* While nothing gets through, one entry is as good a question as many. */
static int read_suspects(struct follow *f, int64_t now_ms)
{
    uint64_t seqs[BATCH_ENTRIES_MAX];

    if (!suspects_are_due(f, now_ms))
        return 0;
    if (f->pair && f->is_connected)
        acquit_delivered(f);
    size_t n = isolate_pick(&f->isolate, seqs, f->is_connected ? BATCH_ENTRIES_MAX : 1);
    int rc = batch_read_list(&f->batch, seqs, n, LANE_BACKLOG);
    if (rc < 0)
        return rc;
    f->origin = FROM_SUSPECTS;
    for (size_t i = 0; i < n && f->batch.n == 0; i++)
        isolate_drop(&f->isolate, seqs[i], seqs[i]); /* trimmed meanwhile */
    return 0;
}

static void end_round(struct follow *f, int64_t now_ms)
{
    f->aside.limit = 1;
    f->aside.failures = 0;
    f->aside.next_ms = now_ms + f->times.aside_ms;
}

/* What is left, as the log has it: retention, and the other one of a pair, take away too. */
static void count_left(struct follow *f)
{
    f->status.set_aside = store_read_set_aside(f->reader, follow_cursor_id(f));
}

static int read_aside(struct follow *f, int64_t now_ms)
{
    uint64_t seqs[BATCH_ENTRIES_MAX];

    if (!f->is_connected)
        return 0;
    if (f->aside.next_ms == 0)
        end_round(f, now_ms);
    if (now_ms < f->aside.next_ms)
        return 0;
    if (f->aside.at == 0)
        count_left(f);
    size_t n =
        store_read_aside(f->reader, follow_cursor_id(f), f->aside.at, seqs, f->aside.limit);
    if (n == 0) {
        f->aside.at = 0;
        end_round(f, now_ms);
        return 0;
    }
    f->origin = FROM_ASIDE;
    int rc = batch_read_list(&f->batch, seqs, n, LANE_BACKLOG);
    if (rc == 0 && f->batch.n == 0)
        f->aside.at = seqs[n - 1]; /* trimmed meanwhile */
    return rc;
}

int trial_read(struct follow *f, int64_t now_ms)
{
    if (!f->fu->kind->takes_any_order)
        return 0;
    int rc = read_suspects(f, now_ms);
    return rc == 0 && f->batch.n == 0 ? read_aside(f, now_ms) : rc;
}

int64_t trial_wait_ms(const struct follow *f, int64_t now_ms)
{
    int64_t due = INT64_MAX;

    if (!f->fu->kind->takes_any_order || !f->is_connected)
        return due;
    if (f->isolate.n > 0)
        due = f->trial.due_ms;
    if (f->status.set_aside > 0 && f->aside.next_ms < due)
        due = f->aside.next_ms;
    return due == INT64_MAX ? due : due - now_ms;
}

/* ---- what came of it ---- */

static bool has_room(const struct follow *f, size_t n)
{
    return f->isolate.n + n <= SUSPECTS_MAX &&
           f->cursor.above_n < STORE_RANGES_MAX - RANGES_SPARE;
}

static int add_suspects(struct follow *f, size_t n)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++)
        rc = isolate_add(&f->isolate, f->batch.entries[f->batch.begin + i].seq);
    return rc;
}

void trial_suspect(struct follow *f, size_t n, const struct uplink_report *why)
{
    f->trial.is_turn = !f->trial.is_turn;
    isolate_doubted(&f->isolate);
    if (!f->fu->kind->takes_any_order || n == 0 || why->retry_after_ms > 0)
        return; /* "wait" is said of everything */
    if (++f->trial.lane_failures < SUSPECT_AFTER)
        return;
    f->limit = 1; /* of what comes next: a small question, soon answered */
    if (!has_room(f, n)) {
        if (n > 1)
            return;
        f->has_passed_over = true;
    } else if (add_suspects(f, n) < 0) {
        return; /* tried again with the rest */
    }
    f->trial.lane_failures = 0;
    batch_advance(&f->batch, n);
}

static void aside_failed(struct follow *f, size_t n, int64_t now_ms)
{
    if (n > 1) {
        f->aside.limit = 1;
    } else {
        f->aside.at = f->batch.entries[f->batch.begin].seq;
        f->aside.failures++;
    }
    f->aside.next_ms = now_ms + f->took_ms * 2 + PAUSE_MS;
    if (f->aside.failures >= ASIDE_FAILURES)
        end_round(f, now_ms);
    batch_clear(&f->batch);
}

static void suspects_failed(struct follow *f, size_t n)
{
    uint64_t seqs[BATCH_ENTRIES_MAX];

    for (size_t i = 0; i < n; i++)
        seqs[i] = f->batch.entries[f->batch.begin + i].seq;
    isolate_failed(&f->isolate, seqs, n, f->is_connected);
    batch_clear(&f->batch);
}

static void tell_trial(struct follow *f, const struct uplink_report *why)
{
    if (f->is_connected && !f->trial.is_told)
        log_warning("uplink %s: fails at some entries and takes others, trying them apart: %s; "
                    "entries=%zu",
                    f->fu->id, why->text, f->isolate.n);
    f->trial.is_told = f->trial.is_told || f->is_connected;
    snprintf(f->trial.why, sizeof f->trial.why, "%s", why->text);
}

bool trial_failed(struct follow *f, size_t n, const struct uplink_report *why, int64_t now_ms)
{
    if (f->origin == FROM_ASIDE) {
        aside_failed(f, n, now_ms);
        return true;
    }
    bool is_down = !f->is_connected || now_ms - f->trial.answered_ms >= DOUBT_MS;
    tell_trial(f, why);
    suspects_failed(f, n);
    f->trial.is_turn = false;
    f->trial.due_ms = now_ms + f->took_ms + (f->took_ms > PAUSE_MS ? f->took_ms : PAUSE_MS);
    return !is_down;
}

bool trial_refused(struct follow *f, size_t n, int64_t now_ms)
{
    if (f->origin == FROM_ASIDE)
        aside_failed(f, n, now_ms);
    else if (n > 1)
        suspects_failed(f, n);
    else
        return false;
    return true;
}

static void take_back(struct follow *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t seq = f->batch.entries[f->batch.begin + i].seq;
        /* lost, it is only sent again */
        store_take_back(f->o->store, follow_cursor_id(f), seq);
        f->aside.at = seq;
    }
    log_notice("uplink %s: entries that were set aside are delivered; entries=%zu to=%" PRIu64,
               f->fu->id, n, f->aside.at);
    f->status.set_aside -= n < f->status.set_aside ? n : f->status.set_aside;
    f->aside.limit =
        f->aside.limit * 2 < BATCH_ENTRIES_MAX ? f->aside.limit * 2 : BATCH_ENTRIES_MAX;
}

void trial_delivered(struct follow *f, size_t n, int64_t now_ms)
{
    uint64_t seq;

    if (n == 0 || !f->fu->kind->takes_any_order)
        return;
    if (f->origin == FROM_SUSPECTS)
        isolate_passed(&f->isolate, f->batch.entries[f->batch.begin + n - 1].seq);
    else if (f->origin == FROM_ASIDE)
        take_back(f, n);
    else
        f->trial.lane_failures = 0;
    f->trial.answered_ms = now_ms;
    isolate_answered(&f->isolate);
    while ((seq = isolate_convicted(&f->isolate)) > 0)
        if (!verdict_put_aside(f, seq, f->trial.why, now_ms))
            return;
    f->trial.is_told = f->trial.is_told && f->isolate.n > 0;
}
