/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/pipeline/layouts.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int layout_view_init(struct layout_view *v, struct pipeline *p, uint32_t stream)
{
    const struct channel_stream *s = &p->o->table->streams[stream];

    *v = (struct layout_view){ .p = p, .stream = stream };
    v->today = store_read_stream_layout(p->reader, s->number);
    v->column = calloc(s->n + 1, sizeof *v->column);
    v->cells = calloc(s->n + 1, sizeof *v->cells);
    return v->column && v->cells ? 0 : -ENOMEM;
}

void layout_view_done(struct layout_view *v)
{
    free(v->column);
    free(v->cells);
}

static const struct channel_stream *stream_of(const struct layout_view *v)
{
    return &v->p->o->table->streams[v->stream];
}

bool layout_view_has(const struct layout_view *v, uint32_t layout, uint32_t i)
{
    return layout == v->today || v->column[i] >= 0;
}

/* A change mostly adds or removes some: the search begins behind the one found last. */
static int32_t find_id(json_t *channels, const char *id, size_t from)
{
    const size_t n = json_array_size(channels);

    for (size_t k = 0; k < n; k++) {
        const size_t at = (from + k) % n;
        const char *have =
            json_string_value(json_object_get(json_array_get(channels, at), "id"));
        if (have && strcmp(have, id) == 0)
            return (int32_t)at;
    }
    return -1;
}

static void look_up(struct layout_view *v, uint32_t layout)
{
    const struct channel_stream *s = stream_of(v);
    char *text = store_read_layout(v->p->reader, layout);
    json_t *dictionary = text ? json_loads(text, 0, NULL) : NULL;
    json_t *channels = json_object_get(dictionary, "channels");
    size_t from = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        v->column[i] = find_id(channels, v->p->o->table->channels[s->first + i].id, from);
        if (v->column[i] >= 0)
            from = (size_t)v->column[i] + 1;
    }
    v->other = layout;
    json_decref(dictionary);
    free(text);
}

const struct series_cell *layout_view_row(struct layout_view *v,
                                          const struct series_cell *cells, unsigned columns,
                                          uint32_t layout)
{
    static const struct verdict none = { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE };
    const struct channel_stream *s = stream_of(v);
    bool has_any = false;

    if (layout == v->today)
        return columns == s->n ? cells : NULL;
    if (layout != v->other)
        look_up(v, layout);
    for (uint32_t i = 0; i < s->n; i++) {
        const bool is_there = v->column[i] >= 0 && (unsigned)v->column[i] < columns;
        v->cells[i] = is_there ? cells[v->column[i]]
                               : series_cell_of(DECIMAL_MISSING, verdict_to_flag(none));
        has_any |= is_there;
    }
    return has_any ? v->cells : NULL;
}
