/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/document.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/series/series.h"

enum { DEPTH_MAX = 8 }; /* a dictionary has four levels */

static bool is_integers_only(json_t *v, int depth)
{
    const char *key;
    json_t *item;
    size_t i;

    if (depth > DEPTH_MAX || json_is_real(v))
        return false;
    json_object_foreach(v, key, item) if (!is_integers_only(item, depth + 1)) return false;
    json_array_foreach(v, i, item) if (!is_integers_only(item, depth + 1)) return false;
    return true;
}

/* RFC 8785 for what a dictionary has: sorted keys, no blanks, integers. */
static char *canonical(json_t *root)
{
    return json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
}

static int complete(json_t *root, uint32_t stream, uint32_t *ret_layout, char **ret_text)
{
    char id[9];

    json_object_del(root, "layout");
    if (json_object_set_new(root, "stream", json_integer(stream)) < 0)
        return -ENOMEM;
    char *text = canonical(root);
    if (!text)
        return -ENOMEM;
    uint32_t layout = series_layout_id(text, strlen(text));
    free(text);
    snprintf(id, sizeof id, "%08" PRIx32, layout);
    if (json_object_set_new(root, "layout", json_string(id)) < 0)
        return -ENOMEM;
    text = canonical(root);
    if (!text)
        return -ENOMEM;
    *ret_layout = layout;
    *ret_text = text;
    return 0;
}

/* The parser does not tell text that is no JSON from a want of memory in its midst. */
static int load(const char *text, size_t size, size_t flags, json_t **ret)
{
    *ret = json_loadb(text, size, flags, NULL);
    return *ret ? 0 : -EINVAL;
}

bool document_is_object(const char *json, size_t size)
{
    json_t *root = json_loadb(json, size, 0, NULL);
    bool is_object = json_is_object(root);

    json_decref(root);
    return is_object;
}

int document_layout(const char *dictionary, uint32_t stream, uint32_t *ret_layout,
                    char **ret_text)
{
    json_t *root;
    int rc = load(dictionary, strlen(dictionary), JSON_REJECT_DUPLICATES, &root);

    if (rc == 0)
        rc = json_is_object(root) && is_integers_only(root, 0)
                 ? complete(root, stream, ret_layout, ret_text)
                 : -EINVAL;
    json_decref(root);
    return rc;
}

int document_is_local(const char *dictionary, bool *ret)
{
    json_t *root;
    int rc = load(dictionary, strlen(dictionary), JSON_REJECT_DUPLICATES, &root);

    *ret = json_is_true(json_object_get(root, "local"));
    json_decref(root);
    return rc;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in
 * March. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "2026-11-22T07:09:30.125Z", as time_print_utc() writes it. */
static int64_t time_from_text(const char *text)
{
    int year, month, day, hour, minute, second, ms = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3d", &year, &month, &day, &hour, &minute,
               &second, &ms) < 6 ||
        month < 1 || month > 12)
        return 0;
    return ((days_from_date(year, month, day) * 24 + hour) * 60 + minute) * 60000 +
           second * INT64_C(1000) + ms;
}

int document_event(const char *json, size_t size, char topic[TOPIC_MAX], int64_t *ret_time_ms)
{
    json_t *root;
    int rc = load(json, size, 0, &root);
    json_t *time = json_object_get(root, "time");
    const char *kind = json_string_value(json_object_get(root, "kind"));

    snprintf(topic, TOPIC_MAX, "%s", kind ? kind : "");
    *ret_time_ms = json_is_string(time) ? time_from_text(json_string_value(time))
                                        : json_integer_value(time);
    json_decref(root);
    return rc;
}

void document_put_event(struct buf *out, uint64_t epoch, uint64_t seq, const char *json,
                        size_t size)
{
    size_t at = 1;

    while (at < size && strchr(" \t\r\n", json[at]))
        at++;
    buf_printf(out, "{\"epoch\":\"%016" PRIx64 "\",\"seq\":%" PRIu64 "%s", epoch, seq,
               json[at] == '}' ? "" : ",");
    buf_put(out, json + at, size - at);
}
