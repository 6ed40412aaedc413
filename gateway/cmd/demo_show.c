/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/demo_show.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "rules/alert/alert.h"
#include "sensors/core/quantity.h"

enum {
    SCREEN_BYTES_MAX = 256 << 10,
    ALERTS_MAX = 256, /* as many as the live view shows */
    KEY_MAX = 160,
    LINE_EVERY_MS = 10 * 1000, /* without a terminal */
    FIRST_LINE_MS = 2000,      /* the first devices have answered */
    WIDTH_DEFAULT = 100,
    WIDTH_MAX = 200,
    HEIGHT_DEFAULT = 40,
    DEVICE_COLUMNS = 18,
    STATUS_COLUMNS = 26,
    STATUS_NARROW = 20,
    COMPACT_HEIGHT = 38, /* below it the headings of the media are left out */
    DAY_MINUTES = 24 * 60,
    CLOCK_MAX = 40,
};

struct seen_alert {
    char key[KEY_MAX], level[8];
    bool is_cleared;
};

struct show {
    struct show_context c;
    bool is_terminal, is_zh;
    struct buf screen;
    int width, height;
    int row; /* lines written of this screen */
    int64_t next_line_ms;
    struct seen_alert seen[ALERTS_MAX];
    size_t seen_n;
};

int show_create(const struct show_context *c, struct show **ret)
{
    struct show *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->c = *c;
    s->is_terminal = isatty(STDOUT_FILENO) == 1;
    s->is_zh = strcmp(c->lang, "zh") == 0;
    s->screen = BUF_INIT(SCREEN_BYTES_MAX);
    s->next_line_ms = mono_ms() + FIRST_LINE_MS;
    if (s->is_terminal)
        fputs("\033[?1049h\033[?25l", stdout); /* a screen of its own, no cursor */
    *ret = s;
    return 0;
}

void show_end(struct show *s)
{
    if (s && s->is_terminal) {
        fputs("\033[?25h\033[?1049l", stdout);
        fflush(stdout);
        s->is_terminal = false;
    }
}

void show_destroy(struct show *s)
{
    if (!s)
        return;
    show_end(s);
    buf_done(&s->screen);
    free(s);
}

/* ---- reading the answer ---- */

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

static long long int_of(const json_t *o, const char *name)
{
    return (long long)json_integer_value(json_object_get(o, name));
}

static const char *name_of(const struct show *s, const json_t *o, const char *member)
{
    const json_t *names = json_object_get(o, member);
    const char *text = text_of(names, s->is_zh ? "zh" : "en");
    return *text ? text : text_of(names, s->is_zh ? "en" : "zh");
}

static const char *word_of(const struct show *s, const json_t *now, const char *list,
                           const char *id)
{
    const json_t *words = json_object_get(json_object_get(now, "words"), list);
    const char *text = name_of(s, words, id);
    return *text ? text : id;
}

/* ---- writing ---- */

/* Columns that a character takes: ideographs and their punctuation take two. */
static int columns_of(unsigned c)
{
    return c >= 0x1100 && (c <= 0x115f || (c >= 0x2e80 && c <= 0xa4cf) ||
                           (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                           (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60));
}

static size_t character(const char *text, unsigned *ret)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    unsigned c = p[0];

    if (n > 1)
        c &= 0xffu >> (n + 1);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return *ret = '?', 1;
        c = c << 6 | (p[i] & 0x3f);
    }
    *ret = c;
    return n;
}

/* At most `columns`, filled up with blanks when is_padded. Returns the columns used. */
static int put_cut(struct buf *b, const char *text, int columns, bool is_padded)
{
    int used = 0;

    while (*text) {
        unsigned c;
        size_t n = character(text, &c);
        int w = 1 + columns_of(c);
        if (used + w > columns)
            break;
        buf_put(b, text, n);
        used += w;
        text += n;
    }
    for (; is_padded && used < columns; used++)
        buf_puts(b, " ");
    return used;
}

/* The last line but one is the footer's, the last one stays empty. */
static bool has_room(const struct show *s)
{
    return s->row < s->height - 2;
}

static void end_line(struct show *s)
{
    buf_puts(&s->screen, "\033[0m\033[K\n");
    s->row++;
}

static void put_footer(struct show *s, const char *colour, const char *text)
{
    buf_puts(&s->screen, colour);
    put_cut(&s->screen, text, s->width, false);
    end_line(s);
}

static void put_line(struct show *s, const char *colour, const char *text)
{
    if (has_room(s))
        put_footer(s, colour, text);
}

static int width_of(const char *text)
{
    int columns = 0;

    while (*text) {
        unsigned c;
        text += character(text, &c);
        columns += 1 + columns_of(c);
    }
    return columns;
}

static const char *colour_of(const char *level)
{
    static const struct {
        const char *level, *colour;
    } colours[] = { { "blue", "\033[1;34m" },
                    { "yellow", "\033[1;33m" },
                    { "orange", "\033[1;38;5;208m" },
                    { "red", "\033[1;31m" } };

    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
        if (strcmp(level, colours[i].level) == 0)
            return colours[i].colour;
    }
    return "";
}

/* "+08:00" -> minutes east of UTC */
static int zone_minutes(const json_t *now)
{
    const char *zone = text_of(json_object_get(now, "station"), "zone");
    int hours = 0, minutes = 0;

    if (sscanf(zone, "%d:%d", &hours, &minutes) != 2)
        return 0;
    return hours * 60 + (zone[0] == '-' ? -minutes : minutes);
}

/* "22:03:05" in the station's zone, of "2026-11-22T14:03:05.000Z" */
static void format_clock(const json_t *now, const char *iso, char *buf, size_t size)
{
    int h, m, sec;

    if (strlen(iso) < 19 || sscanf(iso + 11, "%2d:%2d:%2d", &h, &m, &sec) != 3) {
        snprintf(buf, size, "-");
        return;
    }
    int minute = (h * 60 + m + zone_minutes(now) + DAY_MINUTES) % DAY_MINUTES;
    snprintf(buf, size, "%02d:%02d:%02d", minute / 60, minute % 60, sec);
}

/* Never the "-0" that a little below zero would print as. */
static double rounded(double x, int digits)
{
    return fabs(x) < 0.5 * pow(10, -digits) ? 0 : x;
}

/* "28.4 µg/m³", with the decimals of the quantity's display */
static void format_value(const json_t *value, int digits, const char *unit, char *buf,
                         size_t size)
{
    if (!json_is_number(value)) {
        snprintf(buf, size, "-");
        return;
    }
    snprintf(buf, size, "%.*f %s", digits, rounded(json_number_value(value), digits),
             strcmp(unit, "1") == 0 ? "" : unit);
}

static bool is_reading_of(const json_t *channel, const char *device)
{
    return json_is_null(json_object_get(channel, "statistic")) &&
           strcmp(text_of(channel, "device"), device) == 0;
}

static void format_reading(const struct show *s, const json_t *channel, char *buf, size_t size)
{
    char value[64];

    format_value(json_object_get(channel, "value"), (int)int_of(channel, "digits"),
                 text_of(channel, "unit"), value, sizeof value);
    snprintf(buf, size, "%s %s  ", name_of(s, channel, "names"), value);
}

/* The worst thing to say of a device's readings: "valid, good" when there is nothing. */
static void format_status(const struct show *s, const json_t *now, const json_t *device,
                          char *buf, size_t size)
{
    const json_t *channel, *worst = NULL;
    size_t i;

    if (strcmp(text_of(device, "state"), "online") != 0) {
        snprintf(buf, size, "%s", name_of(s, device, "state_names"));
        return;
    }
    json_array_foreach(json_object_get(now, "channels"), i, channel)
    {
        if (!is_reading_of(channel, text_of(device, "id")))
            continue;
        bool is_good = strcmp(text_of(channel, "status"), "valid") == 0 &&
                       strcmp(text_of(channel, "grade"), "good") == 0;
        if (!worst || !is_good)
            worst = channel;
    }
    if (!worst || !*text_of(worst, "status")) {
        snprintf(buf, size, "-");
        return;
    }
    snprintf(buf, size, "%s, %s", word_of(s, now, "status", text_of(worst, "status")),
             word_of(s, now, "grade", text_of(worst, "grade")));
}

static void draw_device(struct show *s, const json_t *now, const json_t *device)
{
    int status_columns = s->width < WIDTH_DEFAULT ? STATUS_NARROW : STATUS_COLUMNS;
    int room = s->width - DEVICE_COLUMNS - status_columns - 3;
    bool is_first = true;
    const json_t *channel;
    char text[256];
    size_t i;

    if (!has_room(s))
        return;
    buf_puts(&s->screen, "  ");
    put_cut(&s->screen, text_of(device, "id"), DEVICE_COLUMNS, true);
    buf_puts(&s->screen, "\033[2m");
    format_status(s, now, device, text, sizeof text);
    put_cut(&s->screen, text, status_columns, true);
    buf_puts(&s->screen, "\033[0m ");
    json_array_foreach(json_object_get(now, "channels"), i, channel)
    {
        if (!is_reading_of(channel, text_of(device, "id")))
            continue;
        format_reading(s, channel, text, sizeof text);
        if (!is_first && width_of(text) > room)
            break;
        room -= put_cut(&s->screen, text, room, false);
        is_first = false;
    }
    end_line(s);
}

static void draw_medium(struct show *s, const json_t *now, const char *medium)
{
    const json_t *device;
    bool is_first = true;
    size_t i;

    json_array_foreach(json_object_get(now, "devices"), i, device)
    {
        if (strcmp(text_of(device, "medium"), medium) != 0)
            continue;
        if (is_first && s->height >= COMPACT_HEIGHT)
            put_line(s, "\033[1m", word_of(s, now, "medium", medium));
        is_first = false;
        draw_device(s, now, device);
    }
}

/* "orange" or its name in Chinese */
static const char *level_word(const struct show *s, const char *id)
{
    for (enum alert_level l = LEVEL_NONE; l < LEVEL_COUNT_; l++) {
        if (strcmp(alert_level_id(l), id) == 0)
            return alert_level_name(l, s->is_zh ? "zh" : "en");
    }
    return id;
}

static void format_alert(const struct show *s, const json_t *now, const json_t *a, char *buf,
                         size_t size)
{
    bool is_cleared = json_is_true(json_object_get(a, "cleared"));
    int digits = (int)int_of(a, "digits");
    char value[64], limit[64], at[CLOCK_MAX];

    format_clock(now, text_of(a, is_cleared ? "cleared_at" : "raised_at"), at, sizeof at);
    format_value(json_object_get(a, "value"), digits, text_of(a, "unit"), value, sizeof value);
    format_value(json_object_get(a, "limit"), digits, text_of(a, "unit"), limit, sizeof limit);
    snprintf(buf, size,
             s->is_zh ? "%s %s %s  %s %s (限值 %s)  %s" : "%-6s %s %s  %s %s (limit %s)  %s",
             level_word(s, text_of(a, is_cleared ? "peak" : "level")),
             is_cleared ? (s->is_zh ? "解除于" : "cleared") : (s->is_zh ? "始于  " : "since  "),
             at, name_of(s, a, "title"), value, limit, text_of(a, "channel"));
}

static void draw_alerts(struct show *s, const json_t *now, bool is_cleared, int max)
{
    const json_t *a;
    char text[512];
    size_t i;

    json_array_foreach(json_object_get(now, "alerts"), i, a)
    {
        if (json_is_true(json_object_get(a, "cleared")) != is_cleared || max-- <= 0)
            continue;
        format_alert(s, now, a, text, sizeof text);
        put_line(s, is_cleared ? "\033[2m" : colour_of(text_of(a, "level")), text);
    }
}

static int devices_online(const json_t *now)
{
    const json_t *device;
    int n = 0;
    size_t i;

    json_array_foreach(json_object_get(now, "devices"), i, device) n +=
        strcmp(text_of(device, "state"), "online") == 0;
    return n;
}

static void format_counts(const struct show *s, const json_t *now, char *buf, size_t size)
{
    const json_t *log = json_object_get(now, "log");
    const json_t *uplink = json_array_get(json_object_get(now, "uplinks"), 0);
    int n = snprintf(buf, size,
                     s->is_zh ? "设备在线 %d/%zu   日志 %lld 条目，%lld 样本"
                              : "devices %d/%zu   log %lld entries, %lld samples",
                     devices_online(now), json_array_size(json_object_get(now, "devices")),
                     int_of(log, "seq"), int_of(log, "samples"));

    if (uplink && n > 0 && (size_t)n < size)
        snprintf(buf + n, size - (size_t)n,
                 s->is_zh ? "   中心已确认 %lld，待发 %lld" : "   delivered %lld, waiting %lld",
                 int_of(uplink, "acked_seq"), int_of(uplink, "backlog"));
}

static void format_head(const struct show *s, const json_t *now, int64_t left_s, char *buf,
                        size_t size)
{
    const json_t *station = json_object_get(now, "station");
    char left[64] = "", at[CLOCK_MAX];

    if (left_s >= 0)
        snprintf(left, sizeof left,
                 s->is_zh ? "   剩余 %" PRId64 " 秒" : "   %" PRId64 " s left", left_s);
    format_clock(now, text_of(now, "time"), at, sizeof at);
    snprintf(buf, size, "%s   %s UTC%s x%g%s   %s", name_of(s, station, "names"), at,
             text_of(station, "zone"), s->c.speed, left, s->c.page);
}

static void draw(struct show *s, const json_t *now, int64_t left_s)
{
    struct winsize w;
    char text[512];

    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 && w.ws_row > 0;
    s->width = is_known ? (w.ws_col < WIDTH_MAX ? w.ws_col : WIDTH_MAX) : WIDTH_DEFAULT;
    s->height = is_known ? w.ws_row : HEIGHT_DEFAULT;
    s->row = 0;
    buf_clear(&s->screen);
    buf_puts(&s->screen, "\033[H");
    format_head(s, now, left_s, text, sizeof text);
    put_line(s, "\033[1;7m", text);
    format_counts(s, now, text, sizeof text);
    put_line(s, "", text);
    draw_alerts(s, now, false, s->height / 5);
    draw_alerts(s, now, true, s->height / 12);
    for (enum medium m = 0; m < MEDIUM_COUNT_; m++)
        draw_medium(s, now, medium_id(m));
    put_footer(s, "\033[2m",
               s->is_zh
                   ? "Ctrl-C 结束并核对样本数；每刻钟各类介质轮流报警一次"
                   : "Ctrl-C ends and compares the counts; alerts come every quarter of an "
                     "hour");
    buf_puts(&s->screen, "\033[J");
    if (!s->screen.has_failed)
        fwrite(s->screen.data, 1, s->screen.size, stdout);
    fflush(stdout);
}

/* ---- without a terminal ---- */

static struct seen_alert *seen_find(struct show *s, const char *key)
{
    for (size_t i = 0; i < s->seen_n; i++) {
        if (strncmp(s->seen[i].key, key, KEY_MAX - 1) == 0)
            return &s->seen[i];
    }
    return NULL;
}

static void tell_alert(struct show *s, const json_t *now, const json_t *a)
{
    bool is_cleared = json_is_true(json_object_get(a, "cleared"));
    struct seen_alert *seen = seen_find(s, text_of(a, "key"));
    char text[512];

    if (seen && seen->is_cleared == is_cleared && strcmp(seen->level, text_of(a, "level")) == 0)
        return;
    if (!seen && s->seen_n == ALERTS_MAX)
        return;
    if (!seen)
        seen = &s->seen[s->seen_n++];
    snprintf(seen->key, sizeof seen->key, "%s", text_of(a, "key"));
    snprintf(seen->level, sizeof seen->level, "%s", text_of(a, "level"));
    seen->is_cleared = is_cleared;
    format_alert(s, now, a, text, sizeof text);
    printf("%s %s\n", s->is_zh ? "警报" : "alert", text);
}

static void tell(struct show *s, const json_t *now)
{
    int64_t t = mono_ms();
    const json_t *a;
    char text[512], at[CLOCK_MAX];
    size_t i;

    json_array_foreach(json_object_get(now, "alerts"), i, a) tell_alert(s, now, a);
    if (t >= s->next_line_ms) {
        s->next_line_ms = t + LINE_EVERY_MS;
        format_counts(s, now, text, sizeof text);
        format_clock(now, text_of(now, "time"), at, sizeof at);
        printf("%s %s\n", at, text);
    }
    fflush(stdout);
}

void show_update(struct show *s, const char *text, int64_t left_s)
{
    json_t *now = json_loads(text, 0, NULL);

    if (!now)
        return;
    if (s->is_terminal)
        draw(s, now, left_s);
    else
        tell(s, now);
    json_decref(now);
}
