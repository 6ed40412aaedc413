/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/metrics.h"

#include <inttypes.h>

#include "gateway/ingest/state.h"

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* ---- counters ---- */

static const struct {
    const char *name, *help;
    size_t offset;
} counters[] = {
#define COUNTER(member, help) \
    { \
        "sluice_ingest_" #member "_total", help, offsetof(struct centre_counts, member) \
    }
    COUNTER(entries, "Entries stored in the database."),
    COUNTER(lines, "Lines taken by the database."),
    COUNTER(duplicates, "Entries that came again."),
    COUNTER(dropped, "Messages dropped at a limit of memory; they come again."),
    COUNTER(malformed, "Messages and frames that no station of ours sends."),
    COUNTER(contradicting, "Other bytes under a known number: two stations with one identity."),
    COUNTER(undecodable, "Segments that cannot be decoded from some frame on."),
    COUNTER(refused_entries, "Entries refused for ever; their stations keep them."),
    COUNTER(refused_lines, "Lines refused by the database."),
    COUNTER(refused_rows, "Rows with times that the database would drop."),
    COUNTER(rewritten, "Times that the database could not prove what it had answered for."),
#undef COUNTER
};

static void write_counters(struct buf *b, const struct centre_counts *n)
{
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        const char *at = (const char *)n + counters[i].offset;
        head(b, counters[i].name, "counter", counters[i].help);
        buf_printf(b, "%s %" PRIu64 "\n", counters[i].name,
                   *(const uint64_t *)(const void *)at);
    }
}

/* ---- the ingest as a whole ---- */

static void gauge(struct buf *b, const char *name, const char *help, uint64_t v)
{
    head(b, name, "gauge", help);
    buf_printf(b, "%s %" PRIu64 "\n", name, v);
}

static void write_gauges(struct buf *b, const struct centre *c, const struct metrics_more *more)
{
    gauge(b, "sluice_ingest_connected", "1 while connected to the broker.", more->is_connected);
    gauge(b, "sluice_ingest_database_up", "1 while the database takes lines.",
          c->database == UPLINK_DELIVERED || c->database == UPLINK_SENT);
    gauge(b, "sluice_ingest_stations", "Stations heard of.", c->stations_n);
    gauge(b, "sluice_ingest_kept_bytes", "Frames and events that are not stored yet.",
          c->kept_bytes);
    gauge(b, "sluice_ingest_aside_bytes", "Of them, frames that wait for frames before them.",
          c->aside_bytes);
    gauge(b, "sluice_ingest_unproven_bytes", "Lines that the database has only answered for.",
          c->journal.size);
    gauge(b, "sluice_ingest_state_bytes", "Ledgers, open segments and decoders.",
          c->state_bytes);
    head(b, "sluice_ingest_inbox_dropped_total", "counter",
         "Messages that came faster than they were taken; they come again.");
    buf_printf(b, "sluice_ingest_inbox_dropped_total %" PRIu64 "\n", more->inbox_dropped);
}

/* ---- stations: names are topic levels of ours, nothing to escape ---- */

static void station_line(struct buf *b, const char *name, const struct station *s)
{
    buf_printf(b, "%s{region=\"%s\",station=\"%s\"} ", name, s->name.region, s->name.station);
}

static void seconds(struct buf *b, int64_t ms)
{
    buf_printf(b, "%.3f\n", (double)ms / 1000.0);
}

static void write_stations(struct buf *b, const struct centre *c, int64_t now_ms,
                           int64_t wall_ms)
{
    static const char stored[] = "sluice_ingest_station_entries_total";
    static const char silent[] = "sluice_ingest_station_silent_seconds";
    static const char lag[] = "sluice_ingest_station_lag_seconds";

    head(b, stored, "counter", "Entries of the station stored in the database.");
    for (size_t i = 0; i < c->stations_cap; i++)
        if (c->stations[i]) {
            station_line(b, stored, c->stations[i]);
            buf_printf(b, "%" PRIu64 "\n", c->stations[i]->stored_entries);
        }
    head(b, silent, "gauge", "Since the station was heard last.");
    for (size_t i = 0; i < c->stations_cap; i++)
        if (c->stations[i]) {
            station_line(b, silent, c->stations[i]);
            seconds(b, now_ms - c->stations[i]->heard_ms);
        }
    head(b, lag, "gauge", "From the time of the newest row stored until now.");
    for (size_t i = 0; i < c->stations_cap; i++)
        if (c->stations[i] && c->stations[i]->stored_ms) {
            station_line(b, lag, c->stations[i]);
            seconds(b, wall_ms - c->stations[i]->stored_ms);
        }
}

void metrics_write(struct buf *b, const struct centre *c, const struct metrics_more *more,
                   int64_t now_ms, int64_t wall_ms)
{
    write_gauges(b, c, more);
    write_counters(b, &c->counts);
    write_stations(b, c, now_ms, wall_ms);
}

const char *metrics_trouble(const struct centre *c, const struct metrics_more *more)
{
    if (!more->is_connected)
        return "There is no connection to the broker.";
    if (c->database == UPLINK_DENIED)
        return "The database denies us.";
    if (c->database == UPLINK_LATER)
        return "The database does not take lines.";
    return "";
}
