/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept, on its way into the database: decoded, posted, proven. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "gateway/ingest/state.h"

enum {
    TEXT_MAX = 400,
    CHUNK_LINES = 500, /* written at once: between two looks at the size of the batch */
    WAIT_MAX_MS = 1000,
    PROOF_MAX_MS = 5000, /* between two proofs, however rarely is acknowledged */
};

#define FUTURE_MAX_MS     INT64_C(172800000) /* two days: what databases drop in silence */
#define RETENTION_REST_MS INT64_C(300000) /* a row must not fall out while it is on its way */

/* ---- the queue ---- */

void writing_enqueue(struct centre *c, struct item *i)
{
    i->next = NULL;
    *c->queue_end = i;
    c->queue_end = &i->next;
    c->queue_bytes += i->size;
}

static struct item *dequeue(struct centre *c)
{
    struct item *i = c->queue;

    c->queue = i->next;
    if (!c->queue)
        c->queue_end = &c->queue;
    c->queue_bytes -= i->size;
    return i;
}

static void settle_item(struct centre *c, struct item *i)
{
    if (i->segment)
        segment_settled(i->segment);
    item_release(c, i);
}

static void settle_list(struct centre *c, struct item *list)
{
    while (list) {
        struct item *i = list;
        list = i->next;
        settle_item(c, i);
    }
}

static void settle_marks(struct centre *c, struct outbox *o)
{
    for (size_t i = o->settled_n; i < o->marks_n; i++)
        settle_item(c, o->marks[i].item);
}

void writing_forget(struct centre *c)
{
    settle_marks(c, &c->boxes[0]);
    settle_marks(c, &c->boxes[1]);
    if (c->current)
        settle_item(c, c->current);
    settle_list(c, c->queue);
    settle_list(c, c->journal.items);
}

/* ---- lines ---- */

static int64_t earliest_ms(const struct centre *c)
{
    return c->retention_ms ? c->wall_ms - c->retention_ms + RETENTION_REST_MS : 1;
}

static int64_t latest_ms(const struct centre *c)
{
    return c->wall_ms + FUTURE_MAX_MS;
}

static bool put_event(struct centre *c, struct item *i)
{
    struct line_counts n;

    if (line_write_event(&c->filling->text, (const char *)i->data, i->size,
                         i->run->station->name.station, latest_ms(c), &n) < 0)
        return false;
    c->filling->lines += n.lines;
    if (n.rows_refused)
        refuse_rows(c, i, 0, n.rows_refused);
    outbox_mark(c->filling, i);
    return true;
}

/* Unwritten and unacknowledged. */
static void skip(struct centre *c, struct item *i)
{
    struct segment *s = i->segment;
    bool is_last = --s->queued == 0;
    bool is_over = is_last && s->broken == -ENOMEM;
    bool goes_with_run = i->run->is_gone && i->run->items == 1;

    if (is_over && !goes_with_run)
        segment_close(c, s);
    settle_item(c, i);
}

/* Short memory passes: the segment is only begun anew. */
static void give_up(struct centre *c, struct item *i, int rc)
{
    struct segment *s = i->segment;

    if (!s->broken)
        refuse_segment(c, s, i->info.seq, rc);
    if (s->broken != -ENOMEM && !i->is_replay)
        refuse_entry(c, i->run, i->seq, segment_error_text(s->broken));
    skip(c, i);
}

static void begin_frame(struct centre *c, struct item *i)
{
    struct segment *s = i->segment;
    size_t before = segment_bytes(s);

    int rc = s->broken ? s->broken : segment_decode(s, i, &c->frame);
    if (!s->broken)
        segment_used(c, s, before);
    if (rc == 0 && c->frame.info.columns != line_layout_columns(s->layout))
        rc = -EINVAL;
    if (rc < 0) {
        give_up(c, i, rc);
    } else if (i->is_replay) {
        skip(c, i);
    } else {
        c->current = i;
        c->row = 0;
        c->early = c->late = 0;
    }
}

static void end_frame(struct centre *c)
{
    struct item *i = c->current;

    if (c->early || c->late)
        refuse_rows(c, i, c->early, c->late);
    outbox_mark(c->filling, i);
    i->segment->queued--;
    c->current = NULL;
}

/* Rows that are older than the database keeps are passed over; false when no row is left. */
static bool pass_early_rows(struct centre *c)
{
    while (c->row < c->frame.info.rows && c->frame.time_ms[c->row] < earliest_ms(c)) {
        c->row++;
        c->early++;
    }
    return c->row < c->frame.info.rows;
}

/* The last row of a run of rows that are all young enough. */
static uint32_t last_of_chunk(const struct centre *c, const struct line_layout *l)
{
    uint32_t step = CHUNK_LINES / line_layout_columns(l);
    uint32_t last = c->row + (step ? step : 1) - 1;
    uint32_t r = c->row;

    if (last >= c->frame.info.rows)
        last = c->frame.info.rows - 1;
    while (r < last && c->frame.time_ms[r + 1] >= earliest_ms(c))
        r++;
    return r;
}

/* The next rows of the current frame. False when memory is short. */
static bool put_rows(struct centre *c)
{
    const struct line_layout *l = c->current->segment->layout;
    struct line_counts n;

    if (pass_early_rows(c)) {
        uint32_t last = last_of_chunk(c, l);
        if (line_write_rows(&c->filling->text, l, &c->frame, c->row, last, latest_ms(c), &n) <
            0)
            return false;
        c->filling->lines += n.lines;
        c->late += n.rows_refused;
        if (n.rows_refused == 0 && c->frame.time_ms[last] > c->current->newest_ms)
            c->current->newest_ms = c->frame.time_ms[last];
        c->row = last + 1;
    }
    if (c->row == c->frame.info.rows)
        end_frame(c);
    return true;
}

static bool put_something(struct centre *c)
{
    if (c->current)
        return put_rows(c);
    struct item *i = c->queue;
    if (outbox_is_empty(c->filling))
        c->filling_ms = i->came_ms;
    if (!i->segment) {
        bool is_put = put_event(c, i);
        if (is_put)
            dequeue(c);
        return is_put;
    }
    begin_frame(c, dequeue(c));
    return true;
}

static void fill(struct centre *c)
{
    while (!outbox_is_full(c->filling) && (c->current || c->queue))
        if (!put_something(c))
            break;
}

void centre_prepare(struct centre *c, int64_t now_ms, int64_t wall_ms)
{
    c->now_ms = now_ms;
    c->wall_ms = wall_ms;
    fill(c);
}

/* ---- posts ---- */

static bool has_something(const struct centre *c)
{
    return c->current || c->queue || !outbox_is_empty(c->filling);
}

/* When what waits has waited long enough for company. */
static int64_t ripe_ms(const struct centre *c)
{
    bool is_much = c->current || c->filling->text.size + c->queue_bytes >= STATE_READY_BYTES;
    bool is_begun = !outbox_is_empty(c->filling) || !c->queue;

    if (is_much)
        return 0;
    return (is_begun ? c->filling_ms : c->queue->came_ms) + STATE_LINGER_MS;
}

static void store(struct centre *c, struct item *i)
{
    struct run *r = i->run;
    struct station *s = r->station;

    c->counts.entries++;
    s->stored_entries++;
    if (i->newest_ms > s->stored_ms)
        s->stored_ms = i->newest_ms;
    ledger_store(&r->ledger, i->seq, i->crc);
    bool is_much = ++r->unsaid >= STATE_UNSAID_MAX;
    run_speak(c, r, is_much ? c->now_ms : c->now_ms + c->o.ack_interval_ms);
    settle_item(c, i);
}

static void settle(struct centre *c)
{
    for (const struct outbox_mark *m; (m = outbox_settled(c->sending));) {
        struct item *i = m->item;
        if (m->refused)
            centre_complain(c, COMPLAIN_REFUSED, LOG_ERROR, i->run->station,
                            "The database refuses %" PRIu32 " lines of entry %" PRIu64
                            ", which are lost there: %s",
                            m->refused, i->seq, m->why);
        if (c->needs_proof)
            journal_add_item(&c->journal, i, c->now_ms);
        else
            store(c, i);
    }
    c->is_replay = c->is_replay && c->sending->is_closed;
}

static void send_replay(struct centre *c)
{
    size_t size;
    const char *lines = journal_replay(&c->journal, OUTBOX_BYTES, &size);

    if (!outbox_put(c->sending, lines, size)) { /* the same lines again, later */
        c->journal.replayed -= size;
        c->journal.is_replaying = true;
        return;
    }
    c->is_replay = true;
    outbox_close(c->sending);
}

static void send_filled(struct centre *c)
{
    struct outbox *empty = c->sending;

    fill(c);
    if (outbox_is_empty(c->filling) ||
        (c->needs_proof && !journal_has_room(&c->journal, c->filling->text.size)))
        return;
    outbox_hand_on(empty, c->filling);
    c->sending = c->filling;
    c->filling = empty;
    outbox_close(c->sending);
    settle(c); /* entries without lines have nothing to wait for */
}

const char *centre_next_post(struct centre *c, int64_t now_ms, int64_t wall_ms,
                             size_t *ret_size)
{
    int64_t wait;

    c->now_ms = now_ms;
    c->wall_ms = wall_ms;
    if (!c->sending->is_closed && c->journal.is_replaying)
        send_replay(c);
    else if (!c->sending->is_closed && has_something(c) && now_ms >= ripe_ms(c))
        send_filled(c);
    return outbox_next(c->sending, now_ms, ret_size, &wait);
}

/* State changes only. */
static void note_database(struct centre *c, const struct uplink_report *why)
{
    char text[TEXT_MAX];
    enum uplink_verdict v = c->sending->state;

    if (v == c->database)
        return;
    if (v == UPLINK_DELIVERED)
        snprintf(text, sizeof text, "database answers");
    else if (v == UPLINK_DENIED)
        snprintf(text, sizeof text,
                 "database denies us, trying again every %d s, nothing is acknowledged: %s",
                 OUTBOX_DENIED_MS / 1000, why->text);
    else
        snprintf(text, sizeof text, "database does not take lines, they are kept: %s",
                 why->text);
    centre_tell(c,
                v == UPLINK_DELIVERED ? LOG_NOTICE
                : v == UPLINK_DENIED  ? LOG_ERROR
                                      : LOG_WARNING,
                text);
    c->database = v;
}

static void take_delivered(struct centre *c, const char *lines, size_t size)
{
    if (c->is_replay)
        return;
    for (size_t i = 0; i < size; i++)
        c->counts.lines += lines[i] == '\n';
    if (c->needs_proof)
        journal_add(&c->journal, lines, size, c->now_ms);
}

void centre_answer(struct centre *c, int64_t now_ms, enum uplink_verdict v,
                   const struct uplink_report *why)
{
    struct outbox *o = c->sending;
    uint32_t open_refused = o->open_refused;

    c->now_ms = now_ms;
    if (v == UPLINK_DELIVERED)
        take_delivered(c, o->text.data + o->from, o->to - o->from);
    if (outbox_answer(o, now_ms, v, why))
        c->counts.refused_lines++;
    if (c->is_replay) /* its lines are of entries that went before */
        o->open_refused = open_refused;
    note_database(c, why);
    settle(c);
}

/* ---- proof ---- */

void centre_know_database(struct centre *c, bool needs_proof, int64_t retention_ms)
{
    c->needs_proof = needs_proof;
    c->retention_ms = retention_ms;
}

static int64_t proof_wait_ms(const struct centre *c, int64_t now_ms)
{
    int64_t interval = c->o.ack_interval_ms / 2;

    if (c->is_replay)
        return INT64_MAX;
    return journal_wait_ms(&c->journal, now_ms,
                           interval < PROOF_MAX_MS ? interval : PROOF_MAX_MS);
}

bool centre_next_proof(struct centre *c, int64_t now_ms)
{
    if (proof_wait_ms(c, now_ms) > 0)
        return false;
    journal_begin_proof(&c->journal, now_ms);
    return true;
}

bool centre_last_proof(struct centre *c, int64_t now_ms)
{
    if (!c->journal.items || c->journal.is_replaying || c->is_replay)
        return false;
    journal_begin_proof(&c->journal, now_ms);
    return true;
}

void centre_proven(struct centre *c, int64_t now_ms, enum uplink_verdict v,
                   const struct uplink_report *why)
{
    c->now_ms = now_ms;
    if (v != UPLINK_DELIVERED) {
        c->counts.rewritten++;
        centre_complain(c, COMPLAIN_PROOF, LOG_WARNING, NULL,
                        "The database cannot say that it has on its disk what it answered for; "
                        "it is written again before anything is acknowledged: %s",
                        why->text);
        journal_doubted(&c->journal, now_ms);
        return;
    }
    for (struct item *i = journal_proven(&c->journal, now_ms), *next; i; i = next) {
        next = i->next;
        store(c, i);
    }
}

/* ---- waiting ---- */

static void shorten(int64_t *wait, int64_t other)
{
    if (other < *wait)
        *wait = other;
}

int64_t centre_wait_ms(struct centre *c, int64_t now_ms, bool is_posting)
{
    int64_t wait = WAIT_MAX_MS, left;
    size_t size;

    if (c->newest)
        shorten(&wait, STATE_GAP_SCAN_MS);
    if (c->due)
        shorten(&wait, c->due->due_ms - now_ms);
    if (!is_posting)
        shorten(&wait, proof_wait_ms(c, now_ms));
    if (!is_posting && c->sending->is_closed) {
        bool is_now = outbox_next(c->sending, now_ms, &size, &left);
        shorten(&wait, is_now ? 0 : left);
    } else if (!is_posting && c->journal.is_replaying) {
        wait = 0;
    } else if (!is_posting && has_something(c) &&
               (!c->needs_proof || journal_has_room(&c->journal, c->filling->text.size))) {
        shorten(&wait, ripe_ms(c) - now_ms);
    }
    return wait > 0 ? wait : 0;
}
