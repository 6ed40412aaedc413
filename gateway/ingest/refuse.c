/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can never be stored. An entry: its station is told, sets it aside in its log, where the
 * bytes stay, and goes on; a row: left out. Both are told as an event in the database too,
 * since nobody reads a log every day.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/ingest/state.h"

/* "event,kind=frame_refused,station=s1 n=1i,entry=12i 1700000000000"; lost when there is no
 * room: the log has it. */
static void tell_database(struct centre *c, const struct run *r, const char *kind,
                          const struct line_field *fields, size_t n)
{
    const struct line_tag tags[] = {
        { line_text("kind"), line_text(kind) },
        { line_text("station"), line_text(r->station->name.station) },
    };
    const struct line_point p = {
        .measurement = line_text("event"),
        .tags = tags,
        .tags_n = 2,
        .fields = fields,
        .fields_n = n,
        .has_time = true,
        .time = c->wall_ms,
    };
    struct buf line = BUF_INIT(512);

    if (c->wall_ms > 0 && line_write_point(&line, &p) == 0 &&
        outbox_put(c->filling, line.data, line.size))
        c->filling->lines++;
    buf_done(&line);
}

static struct line_field integer(const char *key, uint64_t v)
{
    return (
        struct line_field){ .key = line_text(key), .type = LINE_INT, .integer = (int64_t)v };
}

/* ---- entries ---- */

static bool is_pending(const struct run *r, uint64_t seq)
{
    for (size_t i = 0; i < r->refused_n; i++)
        if (r->refused[i].seq == seq)
            return true;
    return false;
}

void refuse_entry(struct centre *c, struct run *r, uint64_t seq, const char *why)
{
    const struct line_field fields[] = { integer("n", 1), integer("entry", seq) };

    if (r->is_gone || r->refused_n == STATE_REFUSED_MAX || is_pending(r, seq))
        return;
    struct mqtt_refused *e = &r->refused[r->refused_n++];
    e->seq = seq;
    snprintf(e->why, sizeof e->why, "%s", why);
    c->counts.refused_entries++;
    centre_complain(c, COMPLAIN_UNDECODABLE, LOG_ERROR, r->station,
                    "Entry %" PRIu64 " can never be stored and is refused: %s.", seq, why);
    tell_database(c, r, "frame_refused", fields, 2);
    run_speak(c, r, c->now_ms);
}

bool refuse_is_lasting(struct run *r, uint64_t seq, uint32_t crc)
{
    struct damaged *d = NULL;

    for (size_t i = 0; i < STATE_DAMAGED_MAX; i++)
        if (r->damaged[i].times && r->damaged[i].seq == seq)
            d = &r->damaged[i];
    if (!d)
        d = &r->damaged[r->damaged_next++ % STATE_DAMAGED_MAX];
    if (d->seq != seq || d->crc != crc)
        *d = (struct damaged){ .seq = seq, .crc = crc };
    if (++d->times < STATE_DAMAGED_TRIES)
        return false;
    d->times = 0;
    return true;
}

void refuse_segment(struct centre *c, struct segment *s, uint32_t from, int rc)
{
    struct run *r = s->run;

    s->broken = rc;
    s->broken_seq = from;
    for (struct item *i; (i = segment_take_aside(s, true));) {
        if (rc != -ENOMEM)
            refuse_entry(c, r, i->seq, segment_error_text(rc));
        item_take_back(c, i);
        item_release(c, i);
    }
    c->counts.undecodable++;
}

/* ---- rows ---- */

void refuse_rows(struct centre *c, const struct item *i, size_t early, size_t late)
{
    const struct line_field fields[] = { integer("n", early + late), integer("entry", i->seq),
                                         integer("early", early), integer("late", late) };

    c->counts.refused_rows += early + late;
    centre_complain(c, COMPLAIN_ROWS, LOG_WARNING, i->run->station,
                    "Rows are left out that the database would drop in silence; entry=%" PRIu64
                    " too_old=%zu too_far_ahead=%zu",
                    i->seq, early, late);
    tell_database(c, i->run, "rows_refused", fields, 4);
}
