/* SPDX-License-Identifier: Apache-2.0 */
/* What an uplink would send next, read from a log that somebody else may be writing. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/forward/cursor.h"
#include "gateway/forward/lanes.h"
#include "gateway/store/reader.h"

enum { TEXT_MAX = 64 << 20 }; /* of one batch: 1 MiB of frames as lines */

static bool is_wanted(void *user, const struct store_entry *e)
{
    const struct follow *f = user;

    return !cursor_has(&f->cursor, e->seq) && follow_concerns(f, e);
}

static char *read_layout(void *user, uint32_t layout)
{
    return store_read_layout(((struct follow *)user)->reader, layout);
}

static int open_all(struct follow *f, const struct forward_preview *p, char *error, size_t size)
{
    const struct uplink_kind *kind = p->uplink->kind;

    int rc = store_reader_open_file(p->log_path, &f->reader, error, size);
    if (rc < 0)
        return rc;
    f->fu = p->uplink;
    f->limit = BATCH_ENTRIES_MAX;
    pace_init(&f->pace);
    f->station = p->station;
    f->station.layout_json = read_layout;
    f->station.user = f;
    rc = store_cursor_get(f->reader, p->cursor_id, &f->cursor);
    if (rc == 0)
        rc = kind->create(p->uplink->options, &f->station, &f->u);
    if (rc < 0)
        snprintf(error, size, "The uplink %s cannot be set up; error=%d.", p->uplink->id, -rc);
    batch_init(&f->batch, f->reader, kind->wants_rows, is_wanted, f);
    f->batch.only_events = kind->wants_event != NULL;
    f->next = f->cursor.acked_to + 1;
    return rc;
}

/* The next try, taken as delivered. 1, 0 when nothing is left, or a negative errno. */
static int show_next(struct follow *f, const struct forward_preview *p, uint64_t last,
                     struct buf *text)
{
    int rc = 0;

    for (int tries = 0; rc == 0 && f->batch.n == 0 && tries < 2; tries++)
        rc = lanes_read(f, last, 0); /* the second time behind what nobody wants */
    if (rc < 0 || f->batch.n == 0)
        return rc;
    const struct uplink_batch b = { f->batch.entries, f->batch.n };
    rc = p->uplink->kind->show(f->u, &b, p->is_whole, text);
    for (size_t i = 0; i < b.n; i++)
        cursor_ack(&f->cursor, b.entries[i].seq, b.entries[i].seq);
    batch_clear(&f->batch);
    return rc < 0 ? rc : 1;
}

static int show_all(struct follow *f, const struct forward_preview *p, char *error, size_t size)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    uint64_t last = store_read_last_seq(f->reader);
    int rc = 1;

    for (unsigned n = 0; rc > 0 && n < p->tries; n++) {
        buf_clear(&text);
        rc = show_next(f, p, last, &text);
        if (rc > 0)
            p->each(p->user, text.data, text.size);
    }
    if (rc < 0)
        snprintf(error, size, "What the uplink %s would send cannot be shown; error=%d.",
                 p->uplink->id, -rc);
    buf_done(&text);
    return rc < 0 ? rc : 0;
}

int forward_preview(const struct forward_preview *p, uint64_t *ret_backlog, char *error,
                    size_t size)
{
    struct follow *f = calloc(1, sizeof *f);

    if (!f) {
        snprintf(error, size, "There is not enough memory.");
        return -ENOMEM;
    }
    int rc = open_all(f, p, error, size);
    if (rc == 0) {
        *ret_backlog = cursor_backlog(&f->cursor, store_read_last_seq(f->reader));
        rc = show_all(f, p, error, size);
    }
    p->uplink->kind->destroy(f->u);
    batch_done(&f->batch);
    store_reader_close(f->reader);
    free(f);
    return rc;
}
