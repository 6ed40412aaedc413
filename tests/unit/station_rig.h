/* SPDX-License-Identifier: Apache-2.0 */
/* station_rig - a station of a configuration's text, with its pipeline on a real log. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "folder.h"
#include "gateway/app_view.h"
#include "gateway/store/store.h"
#include "gateway/table.h"
#include "unit.h"

enum { STATION_ROWS_MAX = 400 };

struct station_rows { /* of one channel, as the log has them */
    int64_t time_ms[STATION_ROWS_MAX];
    struct series_cell cell[STATION_ROWS_MAX];
    size_t n;
    uint32_t column;
};

struct station {
    char dir[FOLDER_MAX], path[FOLDER_MAX + 8];
    struct diag *d;
    struct config *config;
    struct table *t;
    struct pipeline_options o; /* callbacks and user: set before station_start() */
    struct pipeline *p;
};

static inline void station_on_commit(void *user, const struct store_commit *c)
{
    (void)user, (void)c;
}

static inline void station_start(struct station *s)
{
    const struct store_options log = {
        .path = s->path, .commit_ms = 50, .seal_ms = 3600000, .seal_rows = 1000, .speed = 1
    };
    char error[256];

    assert_int_equal(table_create(s->config, &s->t), 0);
    s->o.table = &s->t->channels;
    s->o.devices = s->t->device;
    s->o.devices_n = s->config->devices.n;
    s->o.channels = s->t->treatment;
    s->o.indices = s->t->index;
    s->o.indices_n = s->t->indices_n;
    s->o.rules = s->t->rule;
    s->o.rules_n = s->t->rules_n;
    assert_int_equal(
        store_open(&log, station_on_commit, NULL, &s->o.store, error, sizeof error), 0);
    assert_int_equal(table_open_streams(s->t, s->o.store), 0);
    assert_int_equal(pipeline_create(&s->o, &s->p), 0);
}

static inline void station_stop(struct station *s)
{
    pipeline_destroy(s->p);
    store_close(s->o.store);
    table_destroy(s->t);
}

static inline void station_load(struct station *s, const char *text, size_t size)
{
    assert_int_equal(diag_create(&s->d), 0);
    const int rc =
        config_load_text("station.yaml", text, size, uplink_choices(), s->d, &s->config);
    if (rc < 0)
        diag_print(s->d, stderr);
    assert_int_equal(rc, 0);
    assert_true(folder_make(s->dir));
    snprintf(s->path, sizeof s->path, "%s/log.db", s->dir);
}

/* After station_stop(). */
static inline void station_unload(struct station *s)
{
    folder_remove(s->dir);
    config_destroy(s->config);
    diag_destroy(s->d);
}

static inline bool station_keep(void *user, int64_t time_ms, const struct series_cell *cells,
                                unsigned columns, uint32_t layout)
{
    struct station_rows *r = user;

    (void)layout;
    assert_true(r->column < columns && r->n < STATION_ROWS_MAX);
    r->time_ms[r->n] = time_ms;
    r->cell[r->n++] = cells[r->column];
    return true;
}

/* What of the channel is committed. */
static inline void station_read(const struct station *s, const char *id,
                                struct station_rows *ret)
{
    struct store_reader *r;

    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < s->t->channels.n; i++) {
        const struct channel *ch = &s->t->channel[i];
        if (strcmp(ch->id, id) != 0)
            continue;
        ret->column = ch->column;
        assert_int_equal(store_reader_open(s->o.store, &r), 0);
        assert_int_equal(store_read_rows(r, ch->stream, 0, INT64_MAX, station_keep, ret), 0);
        store_reader_close(r);
        return;
    }
    fail_msg("there is no channel %s", id);
}
