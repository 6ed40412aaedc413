/* SPDX-License-Identifier: Apache-2.0 */
/* What others write: batches of rows, events and states, and what uplinks keep. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/store/document.h"
#include "gateway/store/writer.h"
#include "sensors/core/bytes.h"

#define TIME_MAX_MS (INT64_C(1) << 50) /* as in the series format */

/* ---- batches ---- */

int store_batch_begin(struct store *s, struct store_batch **ret)
{
    struct store_batch *b = writer_spare(s);

    if (!b)
        return -ENOMEM;
    *ret = b;
    return 0;
}

static bool cells_are_valid(const struct series_cell *cells, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (cells[i].e < DECIMAL_DOUBLE || cells[i].e > DECIMAL_MAX_E)
            return false;
    return true;
}

/* `wait_ms` stands before the cells; NULL: it does not. */
static int add_row(struct store_batch *b, struct batch_op op, const struct series_cell *cells,
                   const int64_t *wait_ms)
{
    const struct store *s = b->store;

    if (op.stream >= s->columns_n || op.n == 0 || s->columns[op.stream] != op.n ||
        op.time_ms > TIME_MAX_MS || op.time_ms < -TIME_MAX_MS || !cells_are_valid(cells, op.n))
        return -EINVAL;

    const size_t ahead = wait_ms ? sizeof *wait_ms : 0, size = op.n * sizeof *cells;
    op.size = (uint32_t)(ahead + size);
    char *body = batch_add(b, &op);
    if (!body)
        return -ENOMEM;
    if (wait_ms)
        memcpy(body, wait_ms, ahead);
    memcpy(body + ahead, cells, size);
    return 0;
}

int store_batch_row(struct store_batch *b, uint32_t stream, int64_t time_ms,
                    const struct series_cell *cells, unsigned columns)
{
    const struct batch_op op = {
        .kind = BATCH_ROW, .stream = stream, .n = columns, .time_ms = time_ms
    };

    return add_row(b, op, cells, NULL);
}

int store_batch_open_row(struct store_batch *b, uint32_t stream, int64_t time_ms,
                         const struct series_cell *cells, unsigned columns, int64_t wait_ms)
{
    const struct batch_op op = {
        .kind = BATCH_OPEN_ROW, .stream = stream, .n = columns, .time_ms = time_ms
    };
    const int64_t most_ms = wait_ms < STORE_WAIT_MAX_MS ? wait_ms : STORE_WAIT_MAX_MS;
    const int64_t real_ms = real_interval(&b->store->options, most_ms, 1);

    return add_row(b, op, cells, &real_ms);
}

int store_batch_final(struct store_batch *b, uint32_t stream, int64_t time_ms,
                      const struct series_cell *cells, unsigned columns)
{
    const struct batch_op op = {
        .kind = BATCH_FINAL, .stream = stream, .n = columns, .time_ms = time_ms
    };

    return add_row(b, op, cells, NULL);
}

static int add_event(struct store_batch *b, const char *json, uint32_t locality)
{
    size_t size = strlen(json);

    if (size > STORE_EVENT_MAX)
        return -EMSGSIZE;
    if (size < 2 || json[0] != '{' || json[size - 1] != '}' || !document_is_object(json, size))
        return -EINVAL;
    void *body = batch_add(
        b, &(struct batch_op){ .kind = BATCH_EVENT, .n = locality, .size = (uint32_t)size });
    if (!body)
        return -ENOMEM;
    memcpy(body, json, size);
    return 0;
}

int store_batch_event(struct store_batch *b, const char *json)
{
    return add_event(b, json, 0);
}

int store_batch_note(struct store_batch *b, const char *json)
{
    return add_event(b, json, BATCH_LOCAL);
}

/* An operation whose body is a name with its NUL and then some data. */
static int add_named(struct store_batch *b, enum batch_op_kind kind, const char *name,
                     const void *data, size_t size, uint64_t seq)
{
    size_t n = strlen(name) + 1;

    if (n > STORE_NAME_MAX)
        return -ENAMETOOLONG;
    char *body = batch_add(b, &(struct batch_op){ .kind = (uint32_t)kind,
                                                  .n = (uint32_t)n,
                                                  .size = (uint32_t)(n + size),
                                                  .seq = seq });
    if (!body)
        return -ENOMEM;
    memcpy(body, name, n);
    if (size)
        memcpy(body + n, data, size);
    return 0;
}

int store_batch_state(struct store_batch *b, const char *key, const void *data, size_t size)
{
    if (size > STORE_STATE_MAX)
        return -EMSGSIZE;
    return add_named(b, BATCH_STATE, key, data, size, 0);
}

void store_batch_drop(struct store_batch *b)
{
    if (b)
        writer_give_back(b->store, b);
}

int store_batch_submit(struct store_batch *b, enum store_urgency urgency)
{
    return writer_submit(b->store, b, urgency == STORE_AT_ONCE);
}

uint64_t store_submitted(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    uint64_t n = s->submitted;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* ---- what uplinks write ---- */

static int submit_named(struct store *s, enum batch_op_kind kind, const char *name,
                        const void *data, size_t size, uint64_t seq)
{
    struct store_batch *b;
    int rc = store_batch_begin(s, &b);

    if (rc < 0)
        return rc;
    rc = add_named(b, kind, name, data, size, seq);
    if (rc == 0)
        return writer_submit(s, b, false);
    store_batch_drop(b);
    return rc;
}

int store_cursor_set(struct store *s, const char *uplink, const struct store_cursor *c)
{
    uint8_t above[STORE_RANGES_MAX * 16];

    if (c->above_n > STORE_RANGES_MAX)
        return -EINVAL;
    for (size_t i = 0; i < c->above_n; i++) {
        put_le64(above + i * 16, c->above[i].from);
        put_le64(above + i * 16 + 8, c->above[i].to);
    }
    return submit_named(s, BATCH_CURSOR, uplink, above, c->above_n * 16, c->acked_to);
}

int store_cursor_forget(struct store *s, const char *uplink)
{
    return submit_named(s, BATCH_FORGET, uplink, NULL, 0, 0);
}

int store_set_aside(struct store *s, const char *uplink, uint64_t seq, const char *why)
{
    char reason[STORE_NAME_MAX];

    snprintf(reason, sizeof reason, "%s", why);
    return submit_named(s, BATCH_SET_ASIDE, uplink, reason, strlen(reason) + 1, seq);
}

int store_take_back(struct store *s, const char *uplink, uint64_t seq)
{
    return submit_named(s, BATCH_TAKE_BACK, uplink, NULL, 0, seq);
}
