/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/export_time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/series_csv.h"
#include "gateway/conf/value.h"

enum {
    TEXT_MAX = 40,
    DATE_SIZE = 10,   /* "2026-11-22" */
    MINUTE_SIZE = 16, /* "2026-11-22T10:00" */
    OFFSET_SIZE = 6,  /* "+08:00" */
};

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes "Z" or "+08:00" off the end; its length east of UTC. */
static int64_t take_offset(char *text)
{
    size_t n = strlen(text);
    const char *p = text + n - OFFSET_SIZE;

    if (n >= MINUTE_SIZE && text[n - 1] == 'Z')
        text[n - 1] = '\0';
    if (n <= MINUTE_SIZE || (*p != '+' && *p != '-') || !digit(p[1]) || !digit(p[2]) ||
        p[3] != ':' || !digit(p[4]) || !digit(p[5]))
        return 0;
    int hours = (p[1] - '0') * 10 + (p[2] - '0'), minutes = (p[4] - '0') * 10 + (p[5] - '0');
    int64_t ms = (hours * INT64_C(60) + minutes) * 60000;
    bool is_west = *p == '-';
    text[n - OFFSET_SIZE] = '\0';
    return is_west ? -ms : ms;
}

static int parse_instant(const char *text, int64_t *ret_ms)
{
    char full[TEXT_MAX + 16], copy[TEXT_MAX];
    struct csv_form form;
    int64_t ms;

    snprintf(copy, sizeof copy, "%s", text);
    int64_t east_ms = take_offset(copy);
    bool is_date = strlen(copy) == DATE_SIZE && copy[4] == '-' && copy[7] == '-';
    bool is_minute = strlen(copy) == MINUTE_SIZE && copy[13] == ':';
    snprintf(full, sizeof full, "%s%s", copy, is_date ? "T00:00:00" : is_minute ? ":00" : "");
    if (csv_form_guess(full, strlen(full), &form) < 0 ||
        csv_time_parse(&form, full, strlen(full), &ms) < 0)
        return -EINVAL;
    *ret_ms = ms - east_ms;
    return 0;
}

int export_time_parse(const char *text, int64_t now_ms, int64_t *ret_ms)
{
    int64_t ago_ms;

    if (strlen(text) >= TEXT_MAX)
        return -EINVAL;
    if (strcmp(text, "now") == 0) {
        *ret_ms = now_ms;
        return 0;
    }
    if (parse_instant(text, ret_ms) == 0)
        return 0;
    if (value_parse_duration(text + (*text == '-'), &ago_ms) < 0 || ago_ms < 0 ||
        ago_ms > now_ms)
        return -EINVAL;
    *ret_ms = now_ms - ago_ms;
    return 0;
}
