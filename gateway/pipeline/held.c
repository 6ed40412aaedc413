/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of a clock that is not believed: committed at once, each as a state of the log, but in
 * no stream, because the bytes of a frame never change. Once the clock is believed, or has been
 * waited for long enough, they go into their streams in their order, in one transaction with
 * the end of their state: so once, whatever is killed. Rows of the boot that is running get the
 * time of the clock that is believed now; those of an earlier boot keep the provisional one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/pipeline/internal.h"

#define PREFIX "held/"

enum {
    KEY_MAX = 32,
    VERSION = 1,
    BYTES_MAX = 16 << 20, /* then the waiting ends */
    BATCH_ROWS = 128,
};

struct held_row { /* as stored from `version` on, with its cells behind it */
    struct held_row *next;
    uint64_t id;
    uint32_t version, number, columns, layout;
    int64_t boot_ms, time_ms;
    char boot_id[CLOCK_BOOT_ID_MAX];
    struct series_cell cells[];
};

#define STORED_FROM offsetof(struct held_row, version)

static size_t size_of(unsigned columns)
{
    return sizeof(struct held_row) + columns * sizeof(struct series_cell);
}

static void key_of(uint64_t id, char key[KEY_MAX])
{
    snprintf(key, KEY_MAX, PREFIX "%016" PRIx64, id);
}

static void append(struct held *h, struct held_row *row)
{
    row->next = NULL;
    if (h->last)
        h->last->next = row;
    else
        h->first = row;
    h->last = row;
    h->n++;
    h->bytes += size_of(row->columns);
}

static void drop_first(struct held *h)
{
    struct held_row *row = h->first;

    h->first = row->next;
    if (!h->first)
        h->last = NULL;
    h->n--;
    h->bytes -= size_of(row->columns);
    free(row);
}

bool held_is_open(const struct pipeline *p)
{
    return p->held.n > 0 || (p->o->timeline && timeline_is_waiting(p->o->timeline));
}

static void keep(struct pipeline *p, struct change *c, const struct held_row *row)
{
    char key[KEY_MAX];

    key_of(row->id, key);
    if (!c->batch || store_batch_state(c->batch, key, &row->version,
                                       size_of(row->columns) - STORED_FROM) < 0)
        p->counters.refused += row->columns;
}

uint64_t held_put(struct pipeline *p, struct change *c, const struct row *r)
{
    struct held_row *row = calloc(1, size_of(r->columns)); /* padding goes to disk */

    if (!row) {
        p->counters.refused += r->columns;
        return UINT64_MAX;
    }
    row->id = p->held.next++;
    row->version = VERSION;
    row->number = r->number;
    row->columns = r->columns;
    row->layout = store_read_stream_layout(p->reader, r->number);
    row->boot_ms = r->boot_ms;
    row->time_ms = r->time_ms;
    memcpy(row->boot_id, p->o->timeline->boot_id, sizeof row->boot_id);
    for (unsigned i = 0; i < r->columns; i++) {
        row->cells[i].v = p->cells[i].v;
        row->cells[i].e = p->cells[i].e;
        row->cells[i].flag = p->cells[i].flag;
    }
    append(&p->held, row);
    keep(p, c, row);
    if (p->held.bytes > BYTES_MAX)
        timeline_give_up(p->o->timeline);
    return row->id;
}

void held_final(struct pipeline *p, struct change *c, uint64_t id,
                const struct series_cell *cells)
{
    struct held_row *row = p->held.first;

    while (row && row->id != id)
        row = row->next;
    if (!row)
        return;
    for (unsigned i = 0; i < row->columns; i++)
        row->cells[i].flag = cells[i].flag;
    keep(p, c, row);
}

/* ---- into the log ---- */

static int64_t time_of(const struct pipeline *p, const struct held_row *row)
{
    const struct timeline *t = p->o->timeline;

    if (t && t->boot_id[0] && strcmp(t->boot_id, row->boot_id) == 0)
        return timeline_at(t, row->boot_ms);
    return row->time_ms;
}

static uint32_t stream_of(const struct pipeline *p, uint32_t number)
{
    uint32_t i = 0;

    while (i < p->o->table->streams_n && p->o->table->streams[i].number != number)
        i++;
    return i;
}

/* Its place in a stream of readings, which statistics have not seen yet; rules have. Closing
 * periods goes by way of p->cells, so the row is put there afterwards. */
static int64_t enter(struct pipeline *p, struct change *c, uint32_t stream,
                     struct held_row *row)
{
    struct verdict verdict = { 0 };
    int64_t time_ms = times_take(p, stream, time_of(p, row), &verdict);

    statistics_tick(p, c, time_ms);
    for (uint32_t i = 0; i < row->columns; i++) {
        struct series_cell *cell = &row->cells[i];
        struct sample s = {
            .time_ms = time_ms,
            .channel = p->o->table->streams[stream].first + i,
            .value = series_value(cell),
            .verdict = verdict_merge(verdict_from_flag(cell->flag), verdict),
        };
        cell->flag = verdict_to_flag(s.verdict);
        statistics_step(p, &s);
    }
    return time_ms;
}

/* The newest row of its stream may still be open: it goes on being so under its new time.
 * Returns for how long, 0: it is final. */
static int64_t move_last(struct pipeline *p, uint32_t stream, const struct held_row *row,
                         int64_t time_ms)
{
    struct last_row *last = &p->streams[stream].last;

    if (!last->is_held || last->held_id != row->id)
        return 0;
    last->is_held = false;
    last->time_ms = time_ms;
    memcpy(&p->last_cells[p->o->table->streams[stream].first], row->cells,
           row->columns * sizeof *row->cells);
    return last->is_open ? last->wait_ms : 0;
}

static void release_first(struct pipeline *p, struct change *c)
{
    struct held_row *row = p->held.first;
    uint32_t stream = stream_of(p, row->number);
    bool is_raw = stream == p->o->table->streams_n; /* values as read: no channels */
    int64_t time_ms = is_raw ? time_of(p, row) : enter(p, c, stream, row);
    int64_t wait_ms = is_raw ? 0 : move_last(p, stream, row, time_ms);
    char key[KEY_MAX];

    memcpy(p->cells, row->cells, row->columns * sizeof *row->cells);
    change_open_row(p, c, &(struct row){ row->number, row->columns, row->boot_ms, time_ms },
                    wait_ms);
    key_of(row->id, key);
    store_batch_state(c->batch, key, NULL, 0);
    drop_first(&p->held);
}

static bool has_room(struct pipeline *p)
{
    struct store_health h;

    store_health_get(p->o->store, &h);
    return h.queue_bytes < STORE_QUEUE_BYTES_MAX / 2;
}

size_t held_release(struct pipeline *p)
{
    size_t before = p->held.n;

    if (p->o->timeline && timeline_is_waiting(p->o->timeline))
        return 0;
    while (p->held.n && has_room(p)) {
        struct change c = change_begin(p);
        if (!c.batch)
            break;
        for (int i = 0; i < BATCH_ROWS && p->held.n; i++)
            release_first(p, &c);
        change_submit(p, &c);
    }
    return before - p->held.n;
}

/* ---- after a restart ---- */

static bool is_sound(const struct held_row *row, size_t size)
{
    return row->version == VERSION && row->columns <= SERIES_COLUMNS_MAX &&
           size == size_of(row->columns) - STORED_FROM &&
           memchr(row->boot_id, '\0', sizeof row->boot_id);
}

struct restore {
    struct pipeline *p;
    struct change c; /* rows that no stream takes any more are forgotten */
    size_t misfits;
};

static void on_state(void *user, const char *key, const void *data, size_t size)
{
    struct restore *r = user;
    struct held *h = &r->p->held;
    struct held_row *row = calloc(1, STORED_FROM + size + sizeof *row);

    if (!row)
        return;
    if (size)
        memcpy(&row->version, data, size);
    row->id = strtoull(key + strlen(PREFIX), NULL, 16);
    if (row->id >= h->next)
        h->next = row->id + 1;
    if (is_sound(row, size) &&
        store_read_stream_layout(r->p->reader, row->number) == row->layout) {
        append(h, row);
        return;
    }
    r->misfits++;
    if (r->c.batch)
        store_batch_state(r->c.batch, key, NULL, 0);
    free(row);
}

static void tell_misfits(struct pipeline *p, size_t n)
{
    const struct timeline *t = p->o->timeline;
    char en[160], zh[160];

    snprintf(en, sizeof en,
             "%zu rows that waited for the clock are lost: their channels were changed "
             "meanwhile.",
             n);
    snprintf(zh, sizeof zh, "%zu 行等待对时的数据已丢失：其通道配置在此期间被更改。", n);
    pipeline_notice(p, t ? timeline_at(t, t->reading.boot_ms) : 0, "clock_rows_lost",
                    p->o->table->station, en, zh, NULL);
}

int held_restore(struct pipeline *p)
{
    struct restore r = { .p = p, .c = change_begin(p) };
    int rc = store_state_each(p->o->store, PREFIX, on_state, &r);

    if (r.misfits == 0) {
        store_batch_drop(r.c.batch);
        return rc;
    }
    change_submit(p, &r.c);
    tell_misfits(p, r.misfits);
    return rc;
}

void held_done(struct pipeline *p)
{
    while (p->held.first)
        drop_first(&p->held);
}
