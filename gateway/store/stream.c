/* SPDX-License-Identifier: Apache-2.0 */
/* Streams are made and changed by the writer's thread; whoever asks waits for it, or looks
 * again later. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/writer.h"

static int note_columns(struct store *s, uint32_t number, unsigned columns)
{
    if (number >= s->columns_n) {
        size_t n = (size_t)number + 64;
        uint16_t *grown = realloc(s->columns, n * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        memset(grown + s->columns_n, 0, (n - s->columns_n) * sizeof *grown);
        s->columns = grown;
        s->columns_n = n;
    }
    s->columns[number] = (uint16_t)columns;
    return 0;
}

/* Whether rows of that shape can be put into frames. */
static int try_shape(const struct commit_stream *want)
{
    struct series_encoder *trial;

    if (strlen(want->name) >= STORE_NAME_MAX)
        return -ENAMETOOLONG;
    int rc = series_encoder_create(1, SERIES_PLAIN, want->columns, 0, want->period_ms,
                                   want->unit_ms, NULL, &trial);
    if (rc == 0)
        series_encoder_destroy(trial);
    return rc;
}

int store_stream_open(struct store *s, const char *name, unsigned columns, int64_t period_ms,
                      uint32_t unit_ms, const struct series_hint *hints, const char *dictionary,
                      uint32_t *ret_number)
{
    const struct commit_stream want = { name, dictionary, columns, period_ms, unit_ms, hints };
    uint32_t number;
    int rc = try_shape(&want);

    if (rc < 0)
        return rc;
    rc = writer_open_stream(s, &want, &number);
    if (rc == 0)
        rc = note_columns(s, number, columns);
    if (rc == 0)
        *ret_number = number;
    return rc;
}

struct store_asked {
    struct writer_request request;
    struct commit_stream want;
    char *name, *dictionary;
};

static void free_asked(struct store_asked *a)
{
    free(a->name);
    free(a->dictionary);
    free(a);
}

int store_stream_ask(struct store *s, const char *name, unsigned columns, int64_t period_ms,
                     uint32_t unit_ms, const char *dictionary, struct store_asked **ret)
{
    struct store_asked *a = calloc(1, sizeof *a);

    if (!a)
        return -ENOMEM;
    a->name = strdup(name);
    a->dictionary = strdup(dictionary);
    a->want =
        (struct commit_stream){ a->name, a->dictionary, columns, period_ms, unit_ms, NULL };
    a->request.want = &a->want;
    int rc = a->name && a->dictionary ? try_shape(&a->want) : -ENOMEM;
    if (rc == 0)
        rc = writer_ask_stream(s, &a->request);
    if (rc < 0)
        free_asked(a);
    else
        *ret = a;
    return rc;
}

int store_stream_asked(struct store *s, struct store_asked *a, uint32_t *ret_number)
{
    if (!writer_is_answered(s, &a->request, false))
        return -EINPROGRESS;
    int rc = a->request.rc;
    if (rc == 0)
        rc = note_columns(s, a->request.number, a->want.columns);
    if (rc == 0)
        *ret_number = a->request.number;
    free_asked(a);
    return rc;
}

void store_stream_drop(struct store *s, struct store_asked *a)
{
    if (!a)
        return;
    writer_is_answered(s, &a->request, true);
    free_asked(a);
}
