/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline_rig - a pipeline of one device with two channels and their minutes, on a real log.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "gateway/pipeline/pipeline.h"
#include "unit.h"

#define T0 INT64_C(1700000040000) /* a full minute */

enum { OZONE, TEMP, OZONE_1MIN, TEMP_1MIN, CHANNELS };

struct seen {
    int64_t time_ms[512];
    struct series_cell cell[512][2];
    size_t n;
    char events[64][2048];
    size_t events_n;
};

struct fixture {
    char dir[FOLDER_MAX], path[96];
    struct channel channel[CHANNELS];
    struct channel_stream stream[2];
    struct channel_table table;
    struct pipeline_device device;
    struct pipeline_channel treatment[CHANNELS];
    struct alert_rule rule;
    struct pipeline_options o;
    struct pipeline *p;
    unsigned seal_rows; /* 0: more than a test brings */
    struct seen seen;
};

static const int32_t channel_of[] = { OZONE, PIPELINE_NO_CHANNEL, TEMP };

static inline void on_commit(void *user, const struct store_commit *c)
{
    (void)user, (void)c;
}

static inline void open_streams(struct fixture *f)
{
    static const char *const dictionaries[] = {
        "{\"sf1\":1,\"station\":\"s\",\"period_ms\":1000,\"unit_ms\":1,\"channels\":["
        "{\"id\":\"d/ozone\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"},"
        "{\"id\":\"d/air_temp\",\"quantity\":\"air_temp\",\"unit\":\"Cel\"}]}",
        "{\"sf1\":1,\"station\":\"s\",\"period_ms\":60000,\"unit_ms\":1,\"channels\":["
        "{\"id\":\"d/ozone@1min\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"},"
        "{\"id\":\"d/air_temp@1min\",\"quantity\":\"air_temp\",\"unit\":\"Cel\"}]}",
    };

    for (int i = 0; i < 2; i++)
        assert_int_equal(store_stream_open(f->o.store, f->stream[i].name, 2,
                                           f->stream[i].period_ms, 1, NULL, dictionaries[i],
                                           &f->stream[i].number),
                         0);
}

static inline void open_log(struct fixture *f)
{
    struct store_options o = { .path = f->path,
                               .commit_ms = 50,
                               .seal_ms = 3600000,
                               .seal_rows = f->seal_rows ? f->seal_rows : 1000,
                               .speed = 1 };
    char error[256];

    assert_int_equal(store_open(&o, on_commit, NULL, &f->o.store, error, sizeof error), 0);
    open_streams(f);
}

static inline void start(struct fixture *f)
{
    open_log(f);
    assert_int_equal(pipeline_create(&f->o, &f->p), 0);
}

static inline void stop(struct fixture *f)
{
    pipeline_destroy(f->p);
    store_close(f->o.store);
    f->p = NULL;
    f->o.store = NULL;
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const struct quantity *ozone = quantity_find("ozone"), *temp = quantity_find("air_temp");

    assert_non_null(f);
    assert_true(folder_make(f->dir));
    snprintf(f->path, sizeof f->path, "%s/log.db", f->dir);
    f->channel[OZONE] = (struct channel){ .id = "d/ozone",
                                          .device = "d",
                                          .point = "ozone",
                                          .quantity = ozone,
                                          .period_ms = 1000,
                                          .decimals = -1,
                                          .column = 0,
                                          .source = OZONE };
    f->channel[TEMP] = (struct channel){ .id = "d/air_temp",
                                         .device = "d",
                                         .point = "air_temp",
                                         .quantity = temp,
                                         .period_ms = 1000,
                                         .decimals = -1,
                                         .column = 1,
                                         .source = TEMP };
    f->channel[OZONE_1MIN] = (struct channel){ .id = "d/ozone@1min",
                                               .device = "d",
                                               .point = "ozone",
                                               .statistic = "1min",
                                               .quantity = ozone,
                                               .period_ms = 60000,
                                               .decimals = 1,
                                               .column = 0,
                                               .source = OZONE };
    f->channel[TEMP_1MIN] = (struct channel){ .id = "d/air_temp@1min",
                                              .device = "d",
                                              .point = "air_temp",
                                              .statistic = "1min",
                                              .quantity = temp,
                                              .period_ms = 60000,
                                              .decimals = 2,
                                              .column = 1,
                                              .source = TEMP };
    f->stream[0] = (struct channel_stream){ "dev.d", 0, 0, 2, 1000 };
    f->stream[1] = (struct channel_stream){ "stat.1min.0", 0, 2, 2, 60000 };
    f->table = (struct channel_table){ .station = "s",
                                       .channels = f->channel,
                                       .n = CHANNELS,
                                       .streams = f->stream,
                                       .streams_n = 2 };
    f->device = (struct pipeline_device){ .id = "d", .channel_of = channel_of, .points_n = 3 };
    f->treatment[OZONE] =
        (struct pipeline_channel){ .factor = 1, .qc = qc_default(ozone, 1000) };
    f->treatment[TEMP] = (struct pipeline_channel){ .factor = 1.01,
                                                    .offset = -0.5,
                                                    .qc = qc_default(temp, 1000) };
    f->treatment[OZONE].qc.hold.gap_samples = 0;
    f->treatment[TEMP].qc.hold.gap_samples = 0;
    f->rule = (struct alert_rule){ .id = "high",
                                   .title_en = "High",
                                   .title_zh = "高",
                                   .channel = OZONE,
                                   .direction = ALERT_ABOVE };
    f->rule.level[LEVEL_YELLOW] =
        (struct alert_threshold){ true, 100, 90, { 2, 2, 0 }, { 2, 2, 0 }, 0 };
    f->o = (struct pipeline_options){ .table = &f->table,
                                      .devices = &f->device,
                                      .devices_n = 1,
                                      .channels = f->treatment,
                                      .rules = &f->rule,
                                      .rules_n = 1 };
    start(f);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    stop(f);
    folder_remove(f->dir);
    free(f);
    return 0;
}

static inline struct reading good(double x, int decimals)
{
    return (struct reading){ decimal_round(x, decimals), { 0 }, decimal_round(x, decimals) };
}

static inline void scan(struct fixture *f, int64_t time_ms, double ozone, double temp)
{
    struct reading r[] = { good(ozone, 1), good(7, 0), good(temp, 1) };
    struct scan s = { .time_ms = time_ms, .start_ms = time_ms, .readings = r, .n = 3 };

    pipeline_scan(f->p, &s);
}

static inline void scan_silence(struct fixture *f, int64_t time_ms)
{
    const struct verdict silent = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM };
    const struct reading none = { DECIMAL_MISSING, silent, DECIMAL_MISSING };
    struct reading r[3] = { none, none, none };
    struct scan s = { .time_ms = time_ms, .outcome = SCAN_NO_ANSWER, .readings = r, .n = 3 };

    pipeline_scan(f->p, &s);
}

static inline bool keep_row(void *user, int64_t time_ms, const struct series_cell *cells,
                            unsigned columns, uint32_t layout)
{
    struct seen *seen = user;

    (void)layout;
    assert_int_equal(columns, 2);
    assert_true(seen->n < 512);
    seen->time_ms[seen->n] = time_ms;
    memcpy(seen->cell[seen->n++], cells, 2 * sizeof *cells);
    return true;
}

static inline bool keep_event(void *user, const struct store_entry *e)
{
    struct seen *seen = user;

    assert_true(seen->events_n < 64 && e->size < sizeof seen->events[0]);
    memcpy(seen->events[seen->events_n], e->data, e->size);
    seen->events[seen->events_n++][e->size] = '\0';
    return true;
}

/* What a fresh look into the log shows: everything is committed by a restart first. */
static inline struct seen *look(struct fixture *f, int stream)
{
    struct store_reader *r = NULL;

    stop(f);
    start(f);
    memset(&f->seen, 0, sizeof f->seen);
    assert_int_equal(store_reader_open(f->o.store, &r), 0);
    assert_int_equal(
        store_read_rows(r, f->stream[stream].number, 0, INT64_MAX, keep_row, &f->seen), 0);
    assert_int_equal(store_read_events(r, "alert", 64, keep_event, &f->seen), 0);
    store_reader_close(r);
    return &f->seen;
}
