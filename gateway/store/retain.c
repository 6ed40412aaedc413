/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old entries go, oldest first, when the log is too large or they are too old, and only those
 * that every uplink has acknowledged: what waits for a destination stays. A few at a time, in
 * transactions of their own.
 */
#include "gateway/store/writer.h"

enum { STEP = 256 }; /* entries: some milliseconds of an SD card */

static int64_t station_now(const struct store *s)
{
    struct clock system;

    if (s->options.clock)
        return clock_wall_ms(s->options.clock);
    clock_init(&system, 1, 0);
    return clock_wall_ms(&system);
}

/* Of first..last, the end of those that are old; first - 1 when none is. */
static int64_t end_of_old(struct store *s, int64_t first, int64_t last)
{
    int64_t limit = station_now(s) - s->options.age_max_ms, young = 0;

    if (s->options.age_max_ms <= 0 ||
        db_number(&s->commit.db, SQL_SEQ_YOUNG,
                  DB_VALUES(db_int(first), db_int(last), db_int(limit)), last + 1, &young) < 0)
        return first - 1;
    return young - 1;
}

static bool is_too_large(struct store *s)
{
    int64_t size = 0;

    return s->options.size_max_bytes > 0 &&
           db_number(&s->commit.db, SQL_SIZE, NULL, 0, 0, &size) == 0 &&
           size > s->options.size_max_bytes;
}

bool retain_step(struct store *s)
{
    struct db *db = &s->commit.db;
    int64_t seq_last = (int64_t)s->commit.tail.seq_last, first, acked;

    if (s->commit.is_stale || (s->options.size_max_bytes <= 0 && s->options.age_max_ms <= 0))
        return false;
    if (db_number(db, SQL_SEQ_FIRST, NULL, 0, seq_last + 1, &first) < 0 ||
        db_number(db, SQL_CURSOR_LEAST, NULL, 0, seq_last, &acked) < 0)
        return false;

    int64_t last = first + STEP - 1 < acked ? first + STEP - 1 : acked;
    if (last > seq_last)
        last = seq_last;
    int64_t end = last >= first && is_too_large(s) ? last : end_of_old(s, first, last);
    if (end < first)
        return false;
    return commit_trim(&s->commit, (uint64_t)end) == 0 && end == first + STEP - 1;
}
