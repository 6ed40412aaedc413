/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/demo_count.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/store/store.h"

enum {
    FLUSH_TIMEOUT_MS = 10 * 1000,
    EXPORT_TIMEOUT_MS = 120 * 1000,
    URL_MAX = 256,
};

static void count_alert(struct log_count *c, const json_t *event)
{
    const char *transition = json_string_value(json_object_get(event, "transition"));
    const char *medium = json_string_value(json_object_get(event, "medium"));
    enum medium m;

    if (!transition || !medium || medium_find(medium, &m) < 0)
        return;
    if (strcmp(transition, "raised") == 0)
        c->raised[m]++;
    else if (strcmp(transition, "cleared") == 0)
        c->cleared[m]++;
}

static bool count_entry(void *user, const struct store_entry *e)
{
    struct log_count *c = user;

    if (e->kind == STORE_FRAME) {
        c->frames++;
        if (e->is_local)
            c->local += e->samples;
        else
            c->sealed += e->samples;
        return true;
    }
    c->events++;
    json_t *event = json_loadb(e->data, e->size, 0, NULL);
    const char *kind = json_string_value(json_object_get(event, "kind"));
    if (kind && strcmp(kind, "alert") == 0)
        count_alert(c, event);
    json_decref(event);
    return true;
}

static int read_log(struct store *s, const char *uplink, struct log_count *c)
{
    struct store_health health;
    struct store_reader *r;
    int rc = store_reader_open(s, &r);

    if (rc < 0)
        return rc;
    store_health_get(s, &health);
    c->accepted = health.committed.samples;
    rc = store_read_entries(r, store_read_first_seq(r), store_read_last_seq(r), count_entry, c);
    if (rc == 0 && uplink) {
        struct store_cursor cursor;
        if (store_cursor_get(r, uplink, &cursor) == 0)
            c->acked = cursor.acked_to;
    }
    store_reader_close(r);
    return rc;
}

int count_log(const char *path, const char *uplink, struct log_count *ret, char *error,
              size_t size)
{
    const struct store_options o = {
        .path = path, .commit_ms = 1000, .seal_ms = 60000, .seal_rows = 240, .speed = 1
    };
    struct log_count c = { 0 };
    struct store *s;
    int rc = store_open(&o, NULL, NULL, &s, error, size);

    if (rc < 0)
        return rc;
    rc = read_log(s, uplink, &c);
    store_close(s);
    if (rc < 0) {
        snprintf(error, size, "cannot read the log: %s", strerror(-rc));
        return rc;
    }
    *ret = c;
    return 0;
}

/* New points can be searched only after a flush. An export gives every stored point, one a
 * line. */
int count_database(struct fetch *f, unsigned port, uint64_t *ret)
{
    struct buf b = BUF_INIT(4096);
    char url[URL_MAX];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/internal/force_flush", port);
    long status = fetch_get(f, url, FLUSH_TIMEOUT_MS, &b);
    buf_done(&b);
    if (status / 100 != 2)
        return -EIO;
    snprintf(url, sizeof url,
             "http://127.0.0.1:%u/api/v1/export/csv?format=__timestamp__:unix_ms"
             "&match[]=%%7B__name__=~%%22.%%2B_f%%22%%7D",
             port);
    return fetch_count_lines(f, url, EXPORT_TIMEOUT_MS, ret) == 200 ? 0 : -EIO;
}

static bool has_alerts(const struct log_count *c)
{
    for (enum medium m = 0; m < MEDIUM_COUNT_; m++) {
        if (c->raised[m] || c->cleared[m])
            return true;
    }
    return false;
}

static void print_alerts(const struct log_count *c)
{
    printf("%s\n", say("  alerts        raised  cleared", "  警报          发布  解除"));
    for (enum medium m = 0; m < MEDIUM_COUNT_; m++) {
        if (c->raised[m] || c->cleared[m])
            printf("    %-12s %5" PRIu64 " %8" PRIu64 "\n",
                   say_zh() ? medium_name(m, "zh") : medium_id(m), c->raised[m], c->cleared[m]);
    }
}

bool count_print(const struct log_count *log, bool has_centre, uint64_t in_database)
{
    bool is_sealed = log->accepted == log->sealed;
    bool is_equal = is_sealed && (!has_centre || in_database == log->accepted);

    printf("\n%s\n", say("Summary", "小结"));
    printf("  %s %12" PRIu64 "\n", say("samples accepted in the log  ", "日志已接收的样本    "),
           log->accepted);
    printf("  %s %12" PRIu64 "  (%" PRIu64 " %s, %" PRIu64 " %s)\n",
           say("of these sealed into frames  ", "其中已封装成帧      "), log->sealed,
           log->frames, say("frames", "帧"), log->events, say("events", "事件"));
    if (log->local > 0)
        printf("  %s %12" PRIu64 "\n",
               say("values as read, kept here    ", "仅本站保存的原始值  "), log->local);
    if (has_centre)
        printf("  %s %12" PRIu64 "\n",
               say("samples in the database      ", "中心数据库中的样本  "), in_database);
    if (has_alerts(log))
        print_alerts(log);
    if (!is_equal)
        printf("%s\n", say("The counts differ!", "样本数不一致！"));
    else if (has_centre)
        printf("%s\n",
               say("Equal: every sample arrived, each once.", "一致：每个样本恰好到达一次。"));
    else
        printf("%s\n", say("Complete: every accepted sample is sealed in the log.",
                           "完整：已接收的样本全部封装在日志中。"));
    return is_equal;
}
