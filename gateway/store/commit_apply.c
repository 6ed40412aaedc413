/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/commit_apply.h"

#include <errno.h>

#include "gateway/store/document.h"

static int apply_row(struct commit *c, const struct batch_op *op, int64_t now_ms)
{
    struct tail_stream *s = tail_stream(&c->tail, op->stream);

    if (!s ||
        s->columns != op->n) /* refused when the batch was built; the stream changed since */
        return 0;
    return tail_append(&c->tail, s, op->time_ms, batch_body(op), 0, now_ms);
}

static int apply_open_row(struct commit *c, const struct batch_op *op, int64_t now_ms)
{
    struct tail_stream *s = tail_stream(&c->tail, op->stream);
    const int64_t *wait_ms = batch_body(op);
    const void *cells = wait_ms + 1;

    if (!s || s->columns != op->n)
        return 0;
    return tail_append(&c->tail, s, op->time_ms, cells, *wait_ms, now_ms);
}

static int apply_final(struct commit *c, const struct batch_op *op)
{
    struct tail_stream *s = tail_stream(&c->tail, op->stream);

    if (!s || s->columns != op->n)
        return 0;
    return tail_final(&c->tail, s, op->time_ms, batch_body(op));
}

int commit_event(struct commit *c, const char *json, size_t size, bool is_local)
{
    char topic[TOPIC_MAX];
    int64_t time_ms;
    uint64_t seq = c->tail.seq_last + 1;

    if (document_event(json, size, topic, &time_ms) < 0)
        return -ENOMEM;
    buf_clear(&c->text);
    document_put_event(&c->text, c->tail.epoch, seq, json, size);
    if (c->text.has_failed)
        return -ENOMEM;
    c->tail.seq_last = seq;
    c->tail.events++;
    return db_run(&c->db, SQL_EVENT_ADD,
                  DB_VALUES(db_int((int64_t)seq), db_int(time_ms), db_int(time_ms),
                            db_text(topic), db_int(is_local),
                            db_blob(c->text.data, c->text.size)));
}

static int apply_state(struct commit *c, const struct batch_op *op)
{
    const char *key = batch_body(op);

    if (op->size == op->n)
        return db_run(&c->db, SQL_STATE_DROP, DB_VALUES(db_text(key)));
    return db_run(&c->db, SQL_STATE_SET,
                  DB_VALUES(db_text(key), db_blob(key + op->n, op->size - op->n)));
}

static int apply_cursor(struct commit *c, const struct batch_op *op)
{
    const char *uplink = batch_body(op);

    return db_run(&c->db, SQL_CURSOR_SET,
                  DB_VALUES(db_text(uplink), db_int((int64_t)op->seq),
                            db_blob(uplink + op->n, op->size - op->n)));
}

static int apply(struct commit *c, const struct batch_op *op, int64_t now_ms)
{
    const char *text = batch_body(op);

    switch (op->kind) {
    case BATCH_ROW:
        return apply_row(c, op, now_ms);
    case BATCH_OPEN_ROW:
        return apply_open_row(c, op, now_ms);
    case BATCH_FINAL:
        return apply_final(c, op);
    case BATCH_EVENT:
        return commit_event(c, text, op->size, op->n == BATCH_LOCAL);
    case BATCH_STATE:
        return apply_state(c, op);
    case BATCH_CURSOR:
        return apply_cursor(c, op);
    case BATCH_SET_ASIDE:
        return db_run(
            &c->db, SQL_ASIDE_ADD,
            DB_VALUES(db_text(text), db_int((int64_t)op->seq), db_text(text + op->n)));
    case BATCH_TAKE_BACK:
        return db_run(&c->db, SQL_ASIDE_DROP,
                      DB_VALUES(db_text(text), db_int((int64_t)op->seq)));
    case BATCH_FORGET:
        return db_run(&c->db, SQL_CURSOR_DROP, DB_VALUES(db_text(text)));
    }
    return 0;
}

int commit_apply(struct commit *c, const struct store_batch *batches, int64_t now_ms)
{
    int rc = 0;

    for (const struct store_batch *b = batches; b && rc == 0; b = b->next) {
        const struct batch_op *op;
        for (size_t at = 0; rc == 0 && (op = batch_next(b, &at));)
            rc = apply(c, op, now_ms);
    }
    return rc;
}
