/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/view.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/http/web.h"

#define DAY_MS (24 * 3600 * 1000LL)

static int copy_samples(struct view *v)
{
    size_t n = v->table->n ? v->table->n : 1;
    struct sample *newest = calloc(n, sizeof *newest);
    uint64_t version;

    v->samples = calloc(n, sizeof *v->samples);
    if (newest && v->samples) {
        n = live_samples(v->http->live, 0, newest, v->table->n, &version);
        for (size_t i = 0; i < n; i++)
            v->samples[newest[i].channel] = newest[i];
    }
    free(newest);
    return newest && v->samples ? 0 : -ENOMEM;
}

int view_init(struct view *v, struct http *h, enum lang lang)
{
    struct live *l = h->live;

    *v = (struct view){
        .http = h, .lang = lang, .now_ms = live_now(l), .table = live_channels(l)
    };
    v->devices_n = live_devices_n(l);
    v->devices = calloc(v->devices_n ? v->devices_n : 1, sizeof *v->devices);
    v->alerts = calloc(LIVE_ALERTS_MAX, sizeof *v->alerts);
    if (!v->devices || !v->alerts || copy_samples(v)) {
        view_done(v);
        return -ENOMEM;
    }
    v->devices_n = live_devices(l, v->devices, v->devices_n);
    v->alerts_n = live_alerts(l, v->alerts, LIVE_ALERTS_MAX);
    v->uplinks_n = live_uplinks(l, v->uplinks, LIVE_UPLINKS_MAX);
    live_log_get(l, &v->log);
    v->indices_n = live_indices(l, v->indices, LIVE_INDICES_MAX);
    v->maintenances_n = live_maintenances(l, v->maintenances, LIVE_MAINTENANCES_MAX);
    return 0;
}

void view_done(struct view *v)
{
    free(v->samples);
    free(v->devices);
    free(v->alerts);
    v->samples = NULL;
    v->devices = NULL;
    v->alerts = NULL;
}

void view_put(struct buf *b, const struct view *v, const char *file,
              const struct template_value *values)
{
    const struct embedded_file *f = web_find(web_texts, web_texts_n, file);

    if (f)
        template_put(b, (const char *)f->data, values, v->http->words, v->lang);
}

const char *view_word(const struct view *v, const char *key)
{
    return words_get(v->http->words, v->lang, key);
}

const char *view_pick(const struct view *v, const char *en, const char *zh)
{
    const char *text = v->lang == LANG_ZH ? zh : en;

    return text && *text ? text : (en && *en ? en : (zh ? zh : ""));
}

const char *view_device_name(const struct view *v, const char *id)
{
    for (size_t i = 0; i < v->devices_n; i++) {
        const struct live_device *d = &v->devices[i];
        const char *name = strcmp(d->id, id) == 0 ? view_pick(v, d->en, d->zh) : "";
        if (*name)
            return name;
    }
    return id;
}

void view_time(const struct view *v, int64_t ms, char *buf)
{
    char text[TIME_TEXT_MAX];
    int64_t zone = v->http->zone_ms;

    buf[0] = '\0';
    if (ms == 0)
        return;
    time_print_utc(ms + zone, text);
    text[10] = ' ';
    text[19] = '\0';
    bool is_today = (ms + zone) / DAY_MS == (v->now_ms + zone) / DAY_MS;
    snprintf(buf, VIEW_TIME_MAX, "%s", is_today ? text + 11 : text);
}

void view_iso(int64_t ms, char *buf)
{
    buf[0] = '\0';
    if (ms)
        time_print_utc(ms, buf);
}

void view_count(uint64_t n, char *buf)
{
    static const char blank[] = "\xe2\x80\xaf"; /* U+202F */
    char digits[24];
    size_t size = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);

    for (size_t i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0) {
            memcpy(buf, blank, 3);
            buf += 3;
        }
        *buf++ = digits[i];
    }
    *buf = '\0';
}

/* "PM2.5", "BOD5": known by this in every language. */
static bool is_symbol(const char *name)
{
    return isupper((unsigned char)name[0]) && isupper((unsigned char)name[1]) &&
           !strchr(name, ' ');
}

void view_title(const struct view *v, const struct quantity *q, char *buf)
{
    bool is_zh = v->lang == LANG_ZH;
    bool has_symbol = is_zh && is_symbol(q->en) && !strstr(q->zh, q->en);

    snprintf(buf, VIEW_TITLE_MAX, "%s%s%s", view_pick(v, q->en, q->zh), has_symbol ? " " : "",
             has_symbol ? q->en : "");
    if (!isupper((unsigned char)buf[1]))
        buf[0] = (char)toupper((unsigned char)buf[0]);
}

void view_value(const struct quantity *q, struct decimal d, char *buf)
{
    int digits = d.e >= 0 && d.e < q->decimals ? d.e : q->decimals;

    decimal_print(decimal_round(decimal_to_double(d), digits), buf);
}

struct view_state view_state_of(const struct sample *s)
{
    static const char *const by_grade[GRADE_COUNT_] = {
        [GRADE_GOOD] = "ok", [GRADE_NOT_EVALUATED] = "open", [GRADE_SUSPECT] = "warn",
        [GRADE_BAD] = "bad", [GRADE_MISSING] = "none",
    };
    static const char *const by_status[STATUS_COUNT_] = {
        [STATUS_CALIBRATION] = "work",
        [STATUS_MAINTENANCE] = "work",
        [STATUS_FAULT] = "bad",
        [STATUS_OVER_RANGE] = "warn",
        [STATUS_NO_COMMUNICATION] = "none",
        [STATUS_STOPPED] = "none",
        [STATUS_MANUAL] = "work",
    };

    if (s->time_ms == 0 || s->verdict.status >= STATUS_COUNT_ ||
        s->verdict.grade >= GRADE_COUNT_)
        return (struct view_state){ "waiting", "none" };
    if (s->verdict.status != STATUS_VALID)
        return (struct view_state){ status_id(s->verdict.status),
                                    by_status[s->verdict.status] };
    return (struct view_state){ grade_id(s->verdict.grade), by_grade[s->verdict.grade] };
}
