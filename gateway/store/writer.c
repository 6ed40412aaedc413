/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"

enum {
    SPARE_MAX = 64,             /* as many as a burst of scans between two commits */
    SPARE_BYTES_MAX = 64 << 10, /* a larger one is given back to the system */
    RETRY_FIRST_MS = 100,
    RETRY_MAX_MS = 5000,
    MAINTAIN_MS = 5000, /* size, retention, mark */
    TRIM_PAUSE_MS = 20, /* between two steps of trimming: commits come first */
};

/* ---- from other threads ---- */

struct store_batch *writer_spare(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    struct store_batch *b = s->spare;
    if (b) {
        s->spare = b->next;
        s->spare_n--;
    }
    pthread_mutex_unlock(&s->lock);
    if (!b)
        return batch_create(s);
    b->next = NULL;
    return b;
}

void writer_give_back(struct store *s, struct store_batch *b)
{
    bool is_kept = false;

    pthread_mutex_lock(&s->lock);
    if (s->spare_n < SPARE_MAX && b->cap <= SPARE_BYTES_MAX) {
        b->size = 0;
        b->next = s->spare;
        s->spare = b;
        s->spare_n++;
        is_kept = true;
    }
    pthread_mutex_unlock(&s->lock);
    if (!is_kept)
        batch_destroy(b);
}

static void enqueue(struct store *s, struct store_batch *b, bool is_urgent)
{
    bool was_empty = !s->queue;

    b->next = NULL;
    if (was_empty) {
        s->queue = b;
        s->queued_since_ms = mono_ms();
    } else {
        s->queue_last->next = b;
    }
    s->queue_last = b;
    s->submitted++;
    s->health.queue_bytes += b->size;
    if (was_empty || (is_urgent && !s->is_urgent))
        pthread_cond_signal(&s->wake);
    s->is_urgent |= is_urgent;
}

int writer_submit(struct store *s, struct store_batch *b, bool is_urgent)
{
    pthread_mutex_lock(&s->lock);
    bool has_room = s->health.queue_bytes + b->size <= STORE_QUEUE_BYTES_MAX && !s->is_stopping;
    if (has_room)
        enqueue(s, b, is_urgent);
    else
        s->health.batches_refused++;
    pthread_mutex_unlock(&s->lock);
    if (!has_room)
        writer_give_back(s, b);
    return has_room ? 0 : -EAGAIN;
}

int writer_open_stream(struct store *s, const struct commit_stream *want, uint32_t *ret_number)
{
    struct writer_request r = { .want = want };

    pthread_mutex_lock(&s->lock);
    while (s->request) /* one that nobody waits for */
        pthread_cond_wait(&s->answered, &s->lock);
    s->request = &r;
    pthread_cond_signal(&s->wake);
    while (!r.is_done)
        pthread_cond_wait(&s->answered, &s->lock);
    pthread_mutex_unlock(&s->lock);
    if (r.rc == 0)
        *ret_number = r.number;
    return r.rc;
}

int writer_ask_stream(struct store *s, struct writer_request *r)
{
    pthread_mutex_lock(&s->lock);
    const bool is_free = !s->request;
    if (is_free) {
        s->request = r;
        pthread_cond_signal(&s->wake);
    }
    pthread_mutex_unlock(&s->lock);
    return is_free ? 0 : -EBUSY;
}

bool writer_is_answered(struct store *s, const struct writer_request *r, bool is_to_wait)
{
    pthread_mutex_lock(&s->lock);
    while (!r->is_done && is_to_wait)
        pthread_cond_wait(&s->answered, &s->lock);
    const bool is_done = r->is_done;
    pthread_mutex_unlock(&s->lock);
    return is_done;
}

/* ---- the thread ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When there is something to do; now_ms when there is already. Under the lock. */
static int64_t next_work(const struct store *s, int64_t now_ms)
{
    int64_t at = earlier(s->seal_at_ms, s->maintain_at_ms);

    if (s->request || s->is_stopping)
        return now_ms;
    if (s->taken)
        at = now_ms; /* failed before: as soon as the pause is over */
    else if (s->queue)
        at = earlier(at, s->is_urgent ? now_ms : s->queued_since_ms + s->commit_ms);
    return at < s->retry_at_ms ? s->retry_at_ms : at;
}

/* Returns the time then. */
static int64_t wait_for_work(struct store *s)
{
    int64_t now = mono_ms(), at;

    while ((at = next_work(s, now)) > now) {
        struct timespec until = { .tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000 };
        pthread_cond_timedwait(&s->wake, &s->lock, &until);
        now = mono_ms();
    }
    return now;
}

/* Not before its time: waking for something else is no reason to write. Under the lock. */
static void take_queue(struct store *s, int64_t now_ms)
{
    bool is_due = s->request || s->is_stopping || s->is_urgent || s->taken ||
                  now_ms >= s->queued_since_ms + s->commit_ms || now_ms >= s->seal_at_ms;

    if (!s->queue || !is_due)
        return;
    if (s->taken)
        s->taken_last->next = s->queue;
    else
        s->taken = s->queue;
    s->taken_last = s->queue_last;
    s->queue = s->queue_last = NULL;
    s->is_urgent = false;
}

static void give_back_taken(struct store *s)
{
    while (s->taken) {
        struct store_batch *b = s->taken;
        s->taken = b->next;
        writer_give_back(s, b);
    }
    s->taken_last = NULL;
}

static size_t bytes_of(const struct store_batch *b)
{
    size_t n = 0;

    for (; b; b = b->next)
        n += b->size;
    return n;
}

static uint64_t count_of(const struct store_batch *b)
{
    uint64_t n = 0;

    for (; b; b = b->next)
        n++;
    return n;
}

static void note_success(struct store *s, int64_t took_ms)
{
    const struct tail *t = &s->commit.tail;
    struct store_commit c = { t->seq_last, t->samples, t->rows, t->events,
                              s->health.committed.batches + count_of(s->taken) };
    size_t done = bytes_of(s->taken);

    give_back_taken(s);
    pthread_mutex_lock(&s->lock);
    bool was_failing = s->health.error[0] != '\0';
    s->health.error[0] = '\0';
    s->health.is_full = false;
    s->health.committed = c;
    s->health.commits++;
    s->health.queue_bytes -= done;
    if (took_ms > s->health.commit_ms_max)
        s->health.commit_ms_max = took_ms;
    pthread_mutex_unlock(&s->lock);
    if (was_failing)
        log_notice("log: commits work again path=%s", s->path);
    backoff_reset(&s->backoff);
    s->retry_at_ms = 0;
    s->is_full = false;
    if (s->on_commit)
        s->on_commit(s->user, &c);
}

/* On a full disk even a deletion needs room: what was kept for this moment goes first, then old
 * entries (retain.c). The WAL is cut, for what it holds may have found no place in the file. */
static void make_room(struct store *s, int64_t now_ms)
{
    retain_limit(s);
    s->is_full = !retain_is_disk_short(s) || !ballast_release(&s->ballast);
    if (s->is_full) {
        s->maintain_at_ms = now_ms;
        return;
    }
    s->retry_at_ms = now_ms;
    retain_limit(s);
    log_warning("log: the disk is full, the ballast was given away: bytes=%" PRId64 " path=%s",
                s->ballast.bytes, s->path);
    sqlite3_wal_checkpoint_v2(s->commit.db.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                              NULL);
}

static void take_ballast(struct store *s)
{
    if (s->ballast.is_held || s->ballast.bytes <= 0 || s->is_full ||
        !ballast_has_room(&s->ballast))
        return;
    if (ballast_take(&s->ballast) == 0)
        log_notice("log: there is room for the ballast again: bytes=%" PRId64 " path=%s",
                   s->ballast.bytes, s->path);
}

static void note_failure(struct store *s, int rc, int64_t now_ms)
{
    s->retry_at_ms = now_ms + backoff_next(&s->backoff, random_u32());
    pthread_mutex_lock(&s->lock);
    bool is_new = s->health.error[0] == '\0';
    s->health.commit_errors++;
    s->health.is_full = rc == -ENOSPC;
    snprintf(s->health.error, sizeof s->health.error, "%s", s->commit.error);
    pthread_mutex_unlock(&s->lock);
    if (is_new)
        log_error("log: a commit failed, keeping everything in memory and trying again: %s "
                  "path=%s",
                  s->commit.error, s->path);
}

static int64_t next_seal(const struct store *s)
{
    return tail_seal_at(&s->commit.tail, s->seal_ms);
}

/* Commits what was taken; `seal_before_ms` as in commit_run. */
static int commit_now(struct store *s, int64_t seal_before_ms)
{
    int64_t start = mono_ms();
    int rc = commit_run(&s->commit, s->taken, start, seal_before_ms);

    if (rc == 0)
        note_success(s, mono_ms() - start);
    else
        note_failure(s, rc, start);
    if (rc == -ENOSPC)
        make_room(s, start);
    s->seal_at_ms = rc == 0 ? next_seal(s) : INT64_MAX;
    if (rc < 0)
        s->seal_at_ms = s->retry_at_ms;
    return rc;
}

static void answer(struct store *s, struct writer_request *r)
{
    int rc = s->taken ? -EAGAIN : commit_stream(&s->commit, r->want, &r->number);

    pthread_mutex_lock(&s->lock);
    r->rc = rc;
    r->is_done = true;
    s->request = NULL;
    pthread_cond_signal(&s->answered);
    pthread_mutex_unlock(&s->lock);
}

/* Never what a transaction that failed would have made: the mark would be ahead of the log. */
static void write_mark(struct store *s)
{
    if (!s->commit.is_stale)
        mark_write(&s->mark, s->epoch, s->commit.tail.seq_last);
}

static void maintain(struct store *s, int64_t now_ms)
{
    int64_t size;

    bool was_full = s->is_full;

    take_ballast(s);
    if (was_full)
        commit_recover(&s->commit);
    bool has_more = retain_step(s);
    if (was_full && has_more) { /* one step may be enough; the next commit tells */
        s->is_full = has_more = false;
        s->retry_at_ms = earlier(s->retry_at_ms, now_ms + RETRY_FIRST_MS);
    }

    write_mark(s);
    if (db_number(&s->commit.db, SQL_SIZE, NULL, 0, 0, &size) == 0) {
        pthread_mutex_lock(&s->lock);
        s->health.size_bytes = size;
        s->health.limit_bytes = s->limit_bytes;
        s->health.has_ballast = s->ballast.is_held;
        pthread_mutex_unlock(&s->lock);
    }
    s->maintain_at_ms = now_ms + (has_more ? TRIM_PAUSE_MS : MAINTAIN_MS);
}

static void finish(struct store *s)
{
    if (commit_now(s, INT64_MAX) < 0 && commit_now(s, INT64_MAX) < 0 && s->taken)
        log_error(
            "log: %zu bytes of accepted rows and events could not be committed: %s path=%s",
            bytes_of(s->taken), s->commit.error, s->path);
    write_mark(s);
    give_back_taken(s);
}

static void *run(void *arg)
{
    struct store *s = arg;

    for (;;) {
        pthread_mutex_lock(&s->lock);
        int64_t now = wait_for_work(s);
        take_queue(s, now);
        struct writer_request *request = s->request;
        bool is_stopping = s->is_stopping;
        pthread_mutex_unlock(&s->lock);

        if (is_stopping)
            break;
        if (s->taken || now >= s->seal_at_ms)
            commit_now(s, now - s->seal_ms);
        if (request)
            answer(s, request);
        if (now >= s->maintain_at_ms)
            maintain(s, now);
    }
    finish(s);
    return NULL;
}

int writer_start(struct store *s)
{
    s->backoff = (struct backoff){ .first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS };
    s->seal_at_ms = next_seal(s);
    s->maintain_at_ms = mono_ms();
    return -pthread_create(&s->thread, NULL, run, s);
}

void writer_stop(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
}
