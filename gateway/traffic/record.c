/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/traffic/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/clock.h"

static const char *const arrows[BUS_FATE_COUNT_] = {
    [BUS_SENT] = ">",     [BUS_TAKEN] = "<",          [BUS_REFUSED] = "<refused",
    [BUS_LATE] = "<late", [BUS_FOREIGN] = "<foreign", [BUS_DAMAGED] = "<damaged",
};

const char *record_arrow(enum bus_fate fate)
{
    return arrows[fate];
}

void record_print(const struct record_line *l, struct buf *b)
{
    char time[TIME_TEXT_MAX];

    time_print_utc(l->time_ms, time);
    buf_printf(b, "%s %s %u %s %s %s", time, l->bus, l->unit, l->device[0] ? l->device : "-",
               l->is_tcp ? "tcp" : "rtu", arrows[l->fate]);
    for (size_t i = 0; i < l->n; i++)
        buf_printf(b, " %02X", l->bytes[i]);
    buf_puts(b, "\n");
}

/* ---- reading ---- */

static bool digits(const char *p, size_t n, int64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *ret = *ret * 10 + (p[i] - '0');
    }
    return true;
}

int record_parse_time(const char *text, size_t n, int64_t *ret_ms)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    static const struct {
        size_t at, n;
        int64_t min, max;
    } parts[] = { { 0, 4, 1970, 9999 }, { 5, 2, 1, 12 },  { 8, 2, 1, 31 },  { 11, 2, 0, 23 },
                  { 14, 2, 0, 59 },     { 17, 2, 0, 59 }, { 20, 3, 0, 999 } };
    int64_t v[7];

    if (n != sizeof form - 1)
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        if (form[i] != 'd' && form[i] != text[i])
            return -EINVAL;
    for (size_t i = 0; i < 7; i++)
        if (!digits(text + parts[i].at, parts[i].n, &v[i]) || v[i] < parts[i].min ||
            v[i] > parts[i].max)
            return -EINVAL;
    struct tm tm = { .tm_year = (int)v[0] - 1900,
                     .tm_mon = (int)v[1] - 1,
                     .tm_mday = (int)v[2],
                     .tm_hour = (int)v[3],
                     .tm_min = (int)v[4],
                     .tm_sec = (int)v[5] };
    *ret_ms = (int64_t)timegm(&tm) * 1000 + v[6];
    return 0;
}

struct words {
    const char *p, *word;
    size_t n;
};

static bool next_word(struct words *w)
{
    while (*w->p == ' ')
        w->p++;
    w->word = w->p;
    w->n = strcspn(w->p, " ");
    w->p += w->n;
    return w->n > 0;
}

static bool is_word(const struct words *w, const char *text)
{
    return strlen(text) == w->n && memcmp(w->word, text, w->n) == 0;
}

static int refuse(char *error, size_t size, const char *what, const struct words *w)
{
    if (w->n)
        snprintf(error, size, "expected %s, found '%.*s'", what, w->n > 40 ? 40 : (int)w->n,
                 w->word);
    else
        snprintf(error, size, "expected %s, found the end of the line", what);
    return -EINVAL;
}

static bool take_id(struct words *w, char *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

    if (!next_word(w) || w->n > RECORD_ID_MAX || strspn(w->word, letters) < w->n)
        return false;
    memcpy(out, w->word, w->n);
    out[w->n] = '\0';
    return true;
}

static bool take_fate(struct words *w, enum bus_fate *ret)
{
    if (!next_word(w))
        return false;
    for (int f = 0; f < BUS_FATE_COUNT_; f++) {
        if (!is_word(w, arrows[f]))
            continue;
        *ret = (enum bus_fate)f;
        return true;
    }
    return false;
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool take_bytes(struct words *w, struct record_line *l)
{
    l->n = 0;
    while (next_word(w)) {
        int high = nibble(w->word[0]), low = w->n == 2 ? nibble(w->word[1]) : -1;
        if (high < 0 || low < 0 || l->n == RECORD_FRAME_MAX)
            return false;
        l->bytes[l->n++] = (uint8_t)(high << 4 | low);
    }
    return l->n > 0;
}

int record_parse(const char *text, struct record_line *ret, char *error, size_t error_size)
{
    struct words w = { .p = text };
    struct record_line l = { 0 };
    int64_t unit;

    if (text[0] == '#' || text[0] == '\0')
        return 1;
    if (!next_word(&w) || record_parse_time(w.word, w.n, &l.time_ms))
        return refuse(error, error_size, "a time such as 2026-11-22T07:04:56.123Z", &w);
    if (!take_id(&w, l.bus))
        return refuse(error, error_size, "the id of a bus", &w);
    if (!next_word(&w) || w.n > 3 || !digits(w.word, w.n, &unit) || unit > 255)
        return refuse(error, error_size, "a unit from 0 to 255", &w);
    l.unit = (uint8_t)unit;
    if (!take_id(&w, l.device))
        return refuse(error, error_size, "the id of a device, or -", &w);
    if (strcmp(l.device, "-") == 0)
        l.device[0] = '\0';
    if (!next_word(&w) || !(is_word(&w, "tcp") || is_word(&w, "rtu")))
        return refuse(error, error_size, "tcp or rtu", &w);
    l.is_tcp = w.word[0] == 't';
    if (!take_fate(&w, &l.fate))
        return refuse(error, error_size, ">, <, <refused, <late, <foreign or <damaged", &w);
    if (!take_bytes(&w, &l))
        return refuse(error, error_size, "1 to 260 bytes in hexadecimal such as 0A", &w);
    *ret = l;
    return 0;
}
