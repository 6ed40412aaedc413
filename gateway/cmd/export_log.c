/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/export_log.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_wanted(struct export_log *log, const char *id)
{
    bool is_wanted = log->globs->n == 0;

    for (size_t i = 0; i < log->globs->n; i++)
        if (fnmatch(log->globs->text[i], id, 0) == 0)
            is_wanted = log->glob_matched[i] = true;
    return is_wanted;
}

/* ---- layouts ---- */

static void destroy_layout(struct export_layout *l)
{
    if (!l)
        return;
    for (unsigned i = 0; l->channels && i < l->columns; i++)
        free(l->channels[i]);
    free(l->channels);
    json_decref(l->dictionary);
    free(l);
}

static struct export_layout *create_layout(uint32_t id, uint32_t stream, unsigned columns)
{
    struct export_layout *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->id = id;
    l->stream = stream;
    l->columns = columns;
    l->channels = calloc(columns, sizeof *l->channels);
    if (l->channels)
        return l;
    destroy_layout(l);
    return NULL;
}

/* Takes the layout over, also when it fails. */
static int keep_layout(struct export_log *log, struct export_layout *l)
{
    struct export_layout **grown =
        realloc(log->layouts, (log->layouts_n + 1) * sizeof *log->layouts);

    if (!grown) {
        destroy_layout(l);
        return -ENOMEM;
    }
    log->layouts = grown;
    log->layouts[log->layouts_n++] = l;
    return 0;
}

static int name_columns(struct export_log *log, struct export_layout *l, const json_t *channels)
{
    for (unsigned i = 0; i < l->columns; i++) {
        char made_up[64];
        const char *id = json_string_value(json_object_get(json_array_get(channels, i), "id"));
        snprintf(made_up, sizeof made_up, "stream-%" PRIu32 "/column-%u", l->stream, i + 1);
        l->channels[i] = strdup(id ? id : made_up);
        if (!l->channels[i])
            return -ENOMEM;
        if (is_wanted(log, l->channels[i]))
            l->chosen[l->chosen_n++] = i;
    }
    return 0;
}

static int add_layout(struct export_log *log, uint32_t id, uint32_t stream, unsigned columns,
                      json_t *dictionary)
{
    struct export_layout *l = create_layout(id, stream, columns);

    if (!l) {
        json_decref(dictionary);
        return -ENOMEM;
    }
    l->dictionary = dictionary;
    if (name_columns(log, l, json_object_get(dictionary, "channels")) < 0) {
        destroy_layout(l);
        return -ENOMEM;
    }
    return keep_layout(log, l);
}

static void take_layout(void *user, uint32_t id, const char *text)
{
    struct export_log *log = user;
    json_t *dictionary = json_loads(text, 0, NULL);
    size_t columns = json_array_size(json_object_get(dictionary, "channels"));
    json_int_t stream = json_integer_value(json_object_get(dictionary, "stream"));

    if (columns < 1 || columns > SERIES_COLUMNS_MAX || stream < 0 || stream > UINT32_MAX) {
        log->is_damaged = true;
        json_decref(dictionary);
        return;
    }
    if (add_layout(log, id, (uint32_t)stream, (unsigned)columns, dictionary) < 0)
        log->has_failed = true;
}

const struct export_layout *export_log_layout(struct export_log *log, uint32_t id,
                                              uint32_t stream, unsigned columns)
{
    for (size_t i = 0; i < log->layouts_n; i++) {
        const struct export_layout *l = log->layouts[i];
        if (l->id == id && l->stream == stream && l->columns == columns)
            return l;
    }
    if (add_layout(log, id, stream, columns, NULL) < 0)
        return NULL;
    return log->layouts[log->layouts_n - 1];
}

bool export_log_wants(const struct export_log *log, uint32_t stream)
{
    for (size_t i = 0; i < log->layouts_n; i++)
        if (log->layouts[i]->stream == stream && log->layouts[i]->chosen_n > 0)
            return true;
    return log->globs->n == 0;
}

/* ---- streams ---- */

static struct export_stream *add_stream(struct export_log *log)
{
    struct export_stream *grown =
        realloc(log->streams, (log->streams_n + 1) * sizeof *log->streams);

    if (!grown)
        return NULL;
    log->streams = grown;
    return &log->streams[log->streams_n++];
}

static void take_stream(void *user, uint32_t number, const char *name, uint32_t layout,
                        bool is_local)
{
    struct export_log *log = user;
    struct export_stream *s = add_stream(log);

    (void)layout;
    if (!s) {
        log->has_failed = true;
        return;
    }
    *s = (struct export_stream){ .number = number, .is_local = is_local };
    snprintf(s->name, sizeof s->name, "%s", name);
}

int export_log_note_stream(struct export_log *log, uint32_t number)
{
    for (size_t i = 0; i < log->streams_n; i++)
        if (log->streams[i].number == number)
            return 0;
    struct export_stream *s = add_stream(log);
    if (!s)
        return -ENOMEM;
    *s = (struct export_stream){ .number = number };
    snprintf(s->name, sizeof s->name, "stream-%" PRIu32, number);
    return 0;
}

/* ---- */

int export_log_open(struct export_log *log, const char *path, const struct option_texts *globs,
                    char *error, size_t error_size)
{
    *log = (struct export_log){ .globs = globs };
    int rc = store_reader_open_file(path, &log->reader, error, error_size);
    if (rc < 0)
        return rc;
    if (store_read_layouts(log->reader, take_layout, log) < 0)
        log->is_damaged = true;
    if (store_read_streams(log->reader, take_stream, log) < 0)
        log->is_damaged = true;
    if (!log->has_failed)
        return 0;
    snprintf(error, error_size, "There is no memory to read the log.");
    export_log_close(log);
    return -ENOMEM;
}

void export_log_close(struct export_log *log)
{
    store_reader_close(log->reader);
    for (size_t i = 0; i < log->layouts_n; i++)
        destroy_layout(log->layouts[i]);
    free(log->layouts);
    free(log->streams);
    *log = (struct export_log){ 0 };
}

const char *export_log_station(const struct export_log *log)
{
    for (size_t i = 0; i < log->layouts_n; i++) {
        const char *id =
            json_string_value(json_object_get(log->layouts[i]->dictionary, "station"));
        if (id)
            return id;
    }
    return "";
}

const char *export_log_unmatched(const struct export_log *log)
{
    for (size_t i = 0; i < log->globs->n; i++)
        if (!log->glob_matched[i])
            return log->globs->text[i];
    return NULL;
}
