/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of each stream one frame is decoded at a time. Which frames there are is listed when the log
 * is opened; those that retention takes meanwhile are passed over and told.
 */
#include "gateway/cmd/replay_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/export_log.h"

enum { ERROR_MAX = 320, NO_POINT = -1, MAPS_MAX = 8 /* layouts of one stream kept at hand */ };

struct map { /* columns of a layout to points of a profile */
    uint32_t layout;
    unsigned columns;
    int32_t *point; /* NO_POINT: no channel of the configuration any more */
};

struct rows { /* decoded, or in no frame yet */
    const int64_t *time_ms;
    const struct series_cell *cells;
    unsigned columns;
    uint32_t layout;
    size_t n, at;
};

struct log_stream {
    uint32_t number;
    size_t device;
    bool is_raw;
    uint64_t *seq; /* of its frames */
    size_t frames_n, frames_cap, frame;
    struct series_decoder *decoder;
    struct rows rows;
    int64_t *pending_ms;
    struct series_cell *pending;
    size_t pending_n, pending_cap;
    unsigned pending_columns;
    uint32_t pending_layout;
    bool is_pending_taken, is_damage_told;
    int64_t last_ms;
    struct map maps[MAPS_MAX];
    size_t maps_n, map_next;
    bool has_failed; /* no memory */
};

struct device {
    struct reading *readings; /* per point */
    size_t n;
    uint64_t instant; /* whose readings they are */
};

struct replay_log {
    const struct table *table;
    const char *command;
    struct export_log log;
    struct option_texts no_globs;
    int64_t from_ms, to_ms;
    struct log_stream *streams;
    size_t streams_n;
    struct device *devices;
    bool *has; /* per channel */
    uint64_t instant;
    uint64_t rows, misplaced, frames, frames_n;
    int rc; /* of a frame being decoded */
};

static const struct device_conf *device_at(const struct replay_log *l, size_t i)
{
    return &((const struct device_conf *)l->table->config->devices.items)[i];
}

__attribute__((format(printf, 2, 3))) static void tell(const struct replay_log *l,
                                                       const char *format, ...)
{
    char sentence[ERROR_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    fprintf(stderr, say("sluice %s: %s\n", "sluice %s：%s\n"), l->command, sentence);
}

/* ---- flags ---- */

/* What the chain of checks and the watches find, and find again. */
static const uint32_t FOUND = REASON_AFTER_GAP | REASON_RANGE | REASON_RANGE_SUSPECT |
                              REASON_STUCK | REASON_FLAT | REASON_ATTENUATED | REASON_SPIKE |
                              REASON_RATE | REASON_MULTI | REASON_REFERENCE | REASON_CLIMATE;
static const uint32_t OF_CLOCK = REASON_CLK_UNSYNC | REASON_CLK_DUP;

/* A grade has no author: where somebody else than the checks said something, it stays. */
struct verdict replay_log_verdict(uint32_t flag, bool has_value)
{
    struct verdict v = verdict_from_flag(flag);
    const uint32_t found = v.reasons & FOUND;

    v.reasons &= ~FOUND;
    if (!found || !has_value || v.status != STATUS_VALID || v.reasons & ~OF_CLOCK)
        return v;
    return verdict_add((struct verdict){ STATUS_VALID, GRADE_GOOD, 0 },
                       v.reasons & REASON_CLK_DUP ? GRADE_SUSPECT : GRADE_GOOD, v.reasons);
}

/* ---- columns ---- */

static int32_t point_of(const struct replay_log *l, const struct log_stream *s, const char *id)
{
    const struct pipeline_device *d = &l->table->device[s->device];
    const char *name = device_at(l, s->device)->id, *at = strchr(id, '@');
    const struct profile *profile = device_at(l, s->device)->profile_found;
    const size_t n = strlen(name);

    for (size_t i = 0; !s->is_raw && i < d->points_n; i++)
        if (d->channel_of[i] != PIPELINE_NO_CHANNEL &&
            strcmp(l->table->channel[d->channel_of[i]].id, id) == 0)
            return (int32_t)i;
    if (!s->is_raw || !at || strncmp(id, name, n) != 0 || id[n] != '/')
        return NO_POINT;
    for (size_t i = 0; i < profile->points_n; i++)
        if (strncmp(profile->points[i].id, id + n + 1, (size_t)(at - id) - n - 1) == 0 &&
            profile->points[i].id[(size_t)(at - id) - n - 1] == '\0')
            return (int32_t)i;
    return NO_POINT;
}

static const struct map *add_map(struct replay_log *l, struct log_stream *s)
{
    const struct export_layout *e =
        export_log_layout(&l->log, s->rows.layout, s->number, s->rows.columns);
    int32_t *point = e ? calloc(e->columns + 1, sizeof *point) : NULL;

    if (!point)
        return NULL;
    for (unsigned i = 0; i < e->columns; i++)
        point[i] = point_of(l, s, e->channels[i]);
    struct map *m = &s->maps[s->map_next];
    s->map_next = (s->map_next + 1) % MAPS_MAX;
    s->maps_n += s->maps_n < MAPS_MAX;
    free(m->point);
    *m = (struct map){ s->rows.layout, s->rows.columns, point };
    return m;
}

static const struct map *map_of(struct replay_log *l, struct log_stream *s)
{
    for (size_t i = 0; i < s->maps_n; i++)
        if (s->maps[i].layout == s->rows.layout && s->maps[i].columns == s->rows.columns)
            return &s->maps[i];
    return add_map(l, s);
}

/* ---- frames ---- */

struct decoding {
    struct replay_log *l;
    struct log_stream *s;
    bool is_done;
};

static bool decode(void *user, const struct store_entry *e)
{
    struct decoding *d = user;
    struct series_frame f;
    const int rc =
        e->size ? series_decode(d->s->decoder, e->data, e->size, &f) : SERIES_EFORMAT;

    if (rc == -ENOMEM)
        d->l->rc = rc;
    if (rc != 0)
        return false;
    d->s->rows =
        (struct rows){ f.time_ms, f.cells, f.info.columns, f.info.layout, f.info.rows, 0 };
    d->is_done = true;
    return false;
}

static void tell_damage(struct replay_log *l, struct log_stream *s)
{
    if (s->is_damage_told)
        return;
    s->is_damage_told = true;
    tell(l,
         say("Frames of the device %s cannot be read; they are passed over. `sluice export "
             "--salvage` finds what can be saved.",
             "仪器 %s 的部分帧无法读取，已略过。`sluice export --salvage` 可尽量挽救数据。"),
         device_at(l, s->device)->id);
}

static int next_frame(struct replay_log *l, struct log_stream *s)
{
    struct decoding d = { l, s, false };

    while (s->frame < s->frames_n && !d.is_done) {
        const uint64_t seq = s->seq[s->frame++];
        l->frames++;
        const int rc = store_read_entries(l->log.reader, seq, seq, decode, &d);
        if (rc == -ENOMEM || l->rc < 0)
            return -ENOMEM;
        if (!d.is_done)
            tell_damage(l, s);
    }
    if (d.is_done || s->is_pending_taken)
        return d.is_done;
    s->is_pending_taken = true;
    s->rows = (struct rows){ s->pending_ms,     s->pending,   s->pending_columns,
                             s->pending_layout, s->pending_n, 0 };
    return 1;
}

/* Its next row is at rows.at. 1, 0 behind the last, or -ENOMEM. Where the clock went back, rows
 * are not later than those before: they had been judged by then. */
static int settle(struct replay_log *l, struct log_stream *s)
{
    int rc = 1;

    while (rc > 0) {
        for (; s->rows.at < s->rows.n; s->rows.at++) {
            const int64_t t = s->rows.time_ms[s->rows.at];
            if (t < l->from_ms || t >= l->to_ms)
                continue;
            if (t > s->last_ms)
                return 1;
            l->misplaced++;
        }
        rc = next_frame(l, s);
    }
    return rc;
}

/* ---- rows ---- */

static struct device *device_of(struct replay_log *l, const struct log_stream *s)
{
    struct device *d = &l->devices[s->device];

    if (d->instant != l->instant)
        for (size_t i = 0; i < d->n; i++)
            d->readings[i] =
                (struct reading){ .value = DECIMAL_MISSING, .raw = DECIMAL_MISSING };
    d->instant = l->instant;
    return d;
}

static int take_row(struct replay_log *l, struct log_stream *s)
{
    const struct map *m = map_of(l, s);
    const struct series_cell *cells = s->rows.cells + s->rows.at * s->rows.columns;
    struct device *d = device_of(l, s);

    if (!m)
        return -ENOMEM;
    for (unsigned i = 0; i < m->columns; i++) {
        if (m->point[i] == NO_POINT)
            continue;
        struct reading *r = &d->readings[m->point[i]];
        if (s->is_raw) {
            r->raw = series_value(&cells[i]);
            continue;
        }
        r->value = r->raw = series_value(&cells[i]);
        r->verdict = replay_log_verdict(cells[i].flag, decimal_has_value(r->value));
    }
    l->rows += !s->is_raw;
    return 0;
}

/* Values as read stand under the time of their row; those of failed scans do not. */
static int64_t time_of(const struct log_stream *s)
{
    return s->rows.at < s->rows.n ? s->rows.time_ms[s->rows.at] : INT64_MAX;
}

static int take_at(struct replay_log *l, struct log_stream *s, int64_t time_ms)
{
    int rc = 0;

    while (rc >= 0 && time_of(s) <= time_ms) {
        rc = time_of(s) == time_ms ? take_row(l, s) : 0;
        s->last_ms = time_of(s);
        s->rows.at++;
        if (rc == 0)
            rc = settle(l, s);
    }
    return rc < 0 ? rc : 0;
}

static int next(void *self, int64_t *ret_ms)
{
    struct replay_log *l = self;
    int64_t time_ms = INT64_MAX;
    int rc = 0;

    for (size_t i = 0; i < l->streams_n; i++)
        if (!l->streams[i].is_raw && time_of(&l->streams[i]) < time_ms)
            time_ms = time_of(&l->streams[i]);
    if (time_ms == INT64_MAX)
        return 0;
    l->instant++;
    for (size_t i = 0; rc == 0 && i < l->streams_n; i++) /* of a device: readings before raw */
        rc = take_at(l, &l->streams[i], time_ms);
    *ret_ms = time_ms;
    return rc < 0 ? rc : 1;
}

static const struct reading *readings_of(const void *self, size_t device)
{
    const struct replay_log *l = self;
    const struct device *d = &l->devices[device];

    return d->instant == l->instant ? d->readings : NULL;
}

static bool has(const void *self, uint32_t channel)
{
    return ((const struct replay_log *)self)->has[channel];
}

static struct replay_progress progress(const void *self)
{
    const struct replay_log *l = self;
    struct replay_progress p = {
        .rows = l->rows, .done = l->frames, .total = l->frames_n, .has_milliseconds = true
    };

    for (size_t i = 0; i < l->streams_n; i++)
        p.files += !l->streams[i].is_raw;
    for (size_t i = 0; i < l->table->channels.n; i++)
        p.columns += l->has[i];
    return p;
}

static void close_log(void *self)
{
    struct replay_log *l = self;

    if (l->misplaced)
        tell(l,
             say("%" PRIu64 " rows from before a step of the clock are left out: a later "
                 "time had been judged already.",
                 "略去 %" PRIu64 " 行时钟回拨前后的数据：更晚的时间已经判断过。"),
             l->misplaced);
    for (size_t i = 0; i < l->streams_n; i++) {
        struct log_stream *s = &l->streams[i];
        for (size_t k = 0; k < s->maps_n; k++)
            free(s->maps[k].point);
        series_decoder_destroy(s->decoder);
        free(s->seq);
        free(s->pending_ms);
        free(s->pending);
    }
    for (size_t i = 0; l->devices && i < l->table->config->devices.n; i++)
        free(l->devices[i].readings);
    free(l->streams);
    free(l->devices);
    free(l->has);
    if (l->log.reader)
        export_log_close(&l->log);
    free(l);
}

/* ---- start ---- */

static bool list_frame(void *user, const struct store_entry *e)
{
    struct log_stream *s = user;

    if (s->frames_n == s->frames_cap) {
        const size_t cap = s->frames_cap ? 2 * s->frames_cap : 256;
        uint64_t *more = realloc(s->seq, cap * sizeof *more);
        if (!more) {
            s->has_failed = true;
            return false;
        }
        s->seq = more;
        s->frames_cap = cap;
    }
    s->seq[s->frames_n++] = e->seq;
    return true;
}

static bool keep_pending(void *user, int64_t time_ms, const struct series_cell *cells,
                         unsigned columns, uint32_t layout)
{
    struct log_stream *s = user;

    if (s->pending_n == s->pending_cap) {
        const size_t cap = s->pending_cap ? 2 * s->pending_cap : 64;
        int64_t *times = realloc(s->pending_ms, cap * sizeof *times);
        if (times)
            s->pending_ms = times;
        struct series_cell *more = realloc(s->pending, cap * columns * sizeof *more);
        if (more)
            s->pending = more;
        s->has_failed = !times || !more;
        if (s->has_failed)
            return false;
        s->pending_cap = cap;
    }
    s->pending_columns = columns;
    s->pending_layout = layout;
    s->pending_ms[s->pending_n] = time_ms;
    memcpy(s->pending + s->pending_n++ * columns, cells, columns * sizeof *cells);
    return true;
}

static int list_rows(struct replay_log *l, struct log_stream *s)
{
    uint64_t last = INT64_MAX;
    int rc = store_read_pending(l->log.reader, s->number, l->from_ms, l->to_ms, keep_pending, s,
                                &last);

    if (rc == 0)
        rc = store_read_frames(l->log.reader, s->number, l->from_ms, l->to_ms, last, list_frame,
                               s);
    l->frames_n += s->frames_n;
    if (s->has_failed || rc == -ENOMEM)
        return -ENOMEM;
    if (rc < 0) {
        s->is_damage_told = true;
        tell(l,
             say("The log is damaged; of the device %s what comes behind the damage is not "
                 "read. `sluice export --salvage` finds what can be saved, for --series.",
                 "日志已损坏；仪器 %s 在损坏处之后的数据未读取。`sluice export --salvage` "
                 "可尽量挽救数据，再用 --series 重放。"),
             device_at(l, s->device)->id);
    }
    rc = series_decoder_create(&s->decoder);
    return rc == 0 ? settle(l, s) : rc;
}

static int add_stream(struct replay_log *l, size_t device, bool is_raw, const char *name)
{
    for (size_t i = 0; i < l->log.streams_n; i++) {
        if (strcmp(l->log.streams[i].name, name) != 0)
            continue;
        struct log_stream *s = &l->streams[l->streams_n++];
        *s = (struct log_stream){ .number = l->log.streams[i].number,
                                  .device = device,
                                  .is_raw = is_raw,
                                  .last_ms = INT64_MIN };
        const int rc = list_rows(l, s);
        return rc < 0 ? rc : 0;
    }
    return 0;
}

static int add_device(struct replay_log *l, size_t i)
{
    const struct pipeline_device *d = &l->table->device[i];
    char raw[STORE_NAME_MAX];

    l->devices[i].n = device_at(l, i)->profile_found->points_n;
    l->devices[i].readings = calloc(l->devices[i].n + 1, sizeof *l->devices[i].readings);
    if (!l->devices[i].readings)
        return -ENOMEM;
    snprintf(raw, sizeof raw, "raw.%s", d->id);
    int rc = add_stream(l, i, false, l->table->stream[d->stream].name);
    return rc < 0 ? rc : add_stream(l, i, true, raw);
}

/* A channel that any layout of its device's stream names. */
static void find_channels(struct replay_log *l)
{
    for (size_t i = 0; i < l->streams_n; i++) {
        const struct log_stream *s = &l->streams[i];
        for (size_t k = 0; !s->is_raw && k < l->log.layouts_n; k++) {
            const struct export_layout *e = l->log.layouts[k];
            for (unsigned c = 0; e->stream == s->number && c < e->columns; c++) {
                const int32_t point = point_of(l, s, e->channels[c]);
                if (point != NO_POINT)
                    l->has[l->table->device[s->device].channel_of[point]] = true;
            }
        }
    }
}

static int open_file(struct replay_log *l, const char *path)
{
    char error[ERROR_MAX] = "";
    const int rc = export_log_open(&l->log, path, &l->no_globs, error, sizeof error);

    if (rc == -ENOMEM)
        return rc;
    if (rc < 0) {
        tell(l, say("the log %s cannot be read: %s", "无法读取日志 %s：%s"), path,
             *error ? error : strerror(-rc));
        return -EINVAL;
    }
    return 0;
}

static int open_all(struct replay_log *l, const char *path)
{
    const size_t n = l->table->config->devices.n;

    l->devices = calloc(n + 1, sizeof *l->devices);
    l->streams = calloc(2 * n + 1, sizeof *l->streams);
    l->has = calloc(l->table->channels.n + 1, sizeof *l->has);
    if (!l->devices || !l->streams || !l->has)
        return -ENOMEM;
    int rc = open_file(l, path);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_device(l, i);
    if (rc < 0)
        return rc;
    find_channels(l);
    if (l->streams_n > 0)
        return 0;
    tell(l,
         say("the log %s has no readings of the devices of this configuration.",
             "日志 %s 中没有该配置所列仪器的读数。"),
         path);
    return -EINVAL;
}

int replay_log_open(const struct replay_log_options *o, const struct table *t,
                    struct replay_source *ret)
{
    struct replay_log *l = calloc(1, sizeof *l);

    if (!l)
        return -ENOMEM;
    l->table = t;
    l->command = o->command;
    l->from_ms = o->from_ms;
    l->to_ms = o->to_ms;
    const int rc = open_all(l, o->path);
    if (rc < 0) {
        close_log(l);
        return rc;
    }
    *ret = (struct replay_source){ l, next, readings_of, has, progress, close_log };
    return 0;
}
