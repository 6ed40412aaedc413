/* SPDX-License-Identifier: Apache-2.0 */
/* status - one screen of what the daemon says of itself. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"
#include "gateway/cmd/overview.h"
#include "gateway/cmd/profile_show.h"
#include "gateway/cmd/status_clock.h"
#include "gateway/cmd/words.h"
#include "gateway/control/client.h"

enum {
    ANSWER_MS = 3000,
    BACKLOG_TEXT_MAX = 96, /* two numbers and their units */
};

enum { STATE_COLUMNS = 29 }; /* "waiting for the first answer" */

struct status_options {
    const char *control;
    bool is_json, is_quiet;
};

#define OPTION(member) .offset = offsetof(struct status_options, member)

static const struct cmd_option options[] = {
    CMD_CONTROL_OPTION,
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Print the daemon's answer as one JSON object." },
    { .name = "quiet",
      .letter = 'q',
      .type = OPTION_FLAG,
      OPTION(is_quiet),
      .help = "Print nothing; the exit status tells." },
    { 0 },
};

/* What is said in both languages; the order of the columns is the same. */
static const struct {
    const char *en, *zh;
} texts[] = {
    { "Log", "日志" },
    { "samples", "样本" },
    { "entries", "条目" },
    { "Delivery", "上传" },
    { "connected", "已连接" },
    { "not connected", "未连接" },
    { "waiting", "待确认" },
    { "set aside", "被拒收" },
    { "no destination, log only", "未配置上传，仅存本站" },
    { "Alerts", "报警" },
    { "none", "无" },
    { "limit", "限值" },
    { "since", "开始于" },
    { "Devices", "仪器" },
    { "online", "在线" },
    { "failing", "失败" },
    { "ok", "正常" },
    { "Polling", "轮询" },
    { "interval deviates by", "间隔偏差" },
    { "at most", "最大" },
    { "busiest bus", "最忙总线" },
    { "stands by", "备用" },
    { "h behind", "小时滞后" },
    { "Indices", "指数" },
    { "Maintenance", "维护" },
};

enum text {
    T_LOG,
    T_SAMPLES,
    T_ENTRIES,
    T_DELIVERY,
    T_CONNECTED,
    T_UNCONNECTED,
    T_WAITING,
    T_ASIDE,
    T_NO_DESTINATION,
    T_ALERTS,
    T_NONE,
    T_LIMIT,
    T_SINCE,
    T_DEVICES,
    T_ONLINE,
    T_FAILING,
    T_OK,
    T_POLLING,
    T_DEVIATES,
    T_AT_MOST,
    T_BUSIEST,
    T_STANDBY,
    T_BEHIND,
    T_INDICES,
    T_MAINTENANCE
};

static const char *words_of(enum text t)
{
    return say_zh() ? texts[t].zh : texts[t].en;
}

static long long count_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *name_of(const json_t *object, const char *key)
{
    const json_t *names = json_object_get(object, key);
    const char *mine = control_text(names, cmd_lang());

    return *mine ? mine : control_text(names, "en");
}

/* "2026-11-22 07:04:56" of an ISO text. */
static const char *when(const char *iso, char buf[24])
{
    snprintf(buf, 24, "%.10s %.8s", iso, strlen(iso) > 11 ? iso + 11 : "");
    return *iso ? buf : "-";
}

static void print_head(const json_t *now)
{
    const json_t *station = json_object_get(now, "station");
    char at[24];

    printf("%s  %s  %s UTC  sluice %s\n\n", control_text(station, "id"),
           name_of(station, "names"), when(control_text(now, "time"), at),
           control_text(station, "version"));
}

static void print_log(const json_t *now)
{
    const json_t *log = json_object_get(now, "log");
    const char *error = control_text(log, "error");

    printf("%s: %lld %s, %lld %s, %.1f MiB, %s%s%s\n", words_of(T_LOG),
           count_of(log, "samples"), words_of(T_SAMPLES), count_of(log, "seq"),
           words_of(T_ENTRIES), (double)count_of(log, "size_bytes") / (1 << 20),
           words_of(*error ? T_FAILING : T_OK), *error ? ": " : "", error);
}

static enum text uplink_state(const json_t *uplink)
{
    if (json_is_true(json_object_get(uplink, "standby")))
        return T_STANDBY;
    return json_is_true(json_object_get(uplink, "connected")) ? T_CONNECTED : T_UNCONNECTED;
}

/* " (1.2 MiB, 3.4 h behind)"; nothing when nothing waits. */
static void print_backlog(const json_t *uplink, char out[BACKLOG_TEXT_MAX])
{
    double bytes = (double)count_of(uplink, "backlog_bytes");
    double hours = json_number_value(json_object_get(uplink, "backlog_hours"));
    bool is_large = bytes >= 1 << 20;

    out[0] = '\0';
    if (count_of(uplink, "backlog") > 0)
        snprintf(out, BACKLOG_TEXT_MAX, " (%.1f %s, %.1f %s)",
                 bytes / (is_large ? 1 << 20 : 1 << 10), is_large ? "MiB" : "KiB", hours,
                 words_of(T_BEHIND));
}

static void print_uplinks(const json_t *now)
{
    const json_t *uplinks = json_object_get(now, "uplinks");
    const json_t *u;
    size_t i;

    printf("%s:%s%s\n", words_of(T_DELIVERY), json_array_size(uplinks) ? "" : " ",
           json_array_size(uplinks) ? "" : words_of(T_NO_DESTINATION));
    json_array_foreach(uplinks, i, u)
    {
        char backlog[BACKLOG_TEXT_MAX];
        print_backlog(u, backlog);
        printf("  %-16s %-8s %s, %lld %s%s, %lld %s  %s\n", control_text(u, "id"),
               control_text(u, "kind"), words_of(uplink_state(u)), count_of(u, "backlog"),
               words_of(T_WAITING), backlog, count_of(u, "set_aside"), words_of(T_ASIDE),
               control_text(u, "error"));
    }
}

static void print_alerts(const json_t *now)
{
    const json_t *alerts = json_object_get(now, "alerts");
    const json_t *a;
    size_t i, standing = 0;
    char at[24];

    json_array_foreach(alerts, i, a) standing += !json_is_true(json_object_get(a, "cleared"));
    if (standing == 0)
        printf("%s: %s\n", words_of(T_ALERTS), words_of(T_NONE));
    else
        printf("%s: %zu\n", words_of(T_ALERTS), standing);
    json_array_foreach(alerts, i, a)
    {
        if (json_is_true(json_object_get(a, "cleared")))
            continue;
        printf("  %-7s %-32s %g %s (%s %g), %s %s  %s\n",
               word_of_level(control_text(a, "level")), control_text(a, "channel"),
               json_number_value(json_object_get(a, "value")), control_text(a, "unit"),
               words_of(T_LIMIT), json_number_value(json_object_get(a, "limit")),
               words_of(T_SINCE), when(control_text(a, "raised_at"), at), name_of(a, "title"));
    }
}

/* "Duty: 3 open, 1 not acknowledged, 0 overdue, 0 shelved; 2 raised in 10 min, 14 in 24 h" */
static void print_duty(const json_t *now)
{
    const json_t *d = json_object_get(now, "duty");

    if (!json_is_object(d))
        return;
    printf(
        say("Duty: %lld open, %lld not acknowledged, %lld overdue, %lld shelved; %lld raised "
            "in 10 min, %lld in 24 h\n",
            "值班: 未关闭 %lld，未确认 %lld，超时 %lld，搁置 %lld；10 分钟内发布 %lld，24 "
            "小时内 "
            "%lld\n"),
        count_of(d, "open"), count_of(d, "unacknowledged"), count_of(d, "overdue"),
        count_of(d, "shelved"), count_of(d, "raised_10min"), count_of(d, "raised_24h"));
}

static void print_overview(const json_t *now)
{
    const json_t *indices = json_object_get(now, "indices");
    const json_t *work = json_object_get(now, "maintenance");

    if (json_array_size(indices) > 0)
        printf("%s:\n", words_of(T_INDICES));
    overview_print_indices(indices, "  ");
    if (json_array_size(work) > 0)
        printf("%s: %zu\n", words_of(T_MAINTENANCE), json_array_size(work));
    overview_print_maintenances(work, "  ");
}

static void print_polling(const json_t *now)
{
    const json_t *interval = json_object_get(json_object_get(now, "polling"), "interval_ms");
    const json_t *buses = json_object_get(now, "buses");
    const json_t *b, *busiest = NULL;
    double most = -1;
    size_t i;

    printf("%s: %s %.2f ms, %s %.2f ms", words_of(T_POLLING), words_of(T_DEVIATES),
           json_number_value(json_object_get(interval, "deviation")), words_of(T_AT_MOST),
           json_number_value(json_object_get(interval, "max")));
    json_array_foreach(buses, i, b)
    {
        const json_t *busy = json_object_get(b, "busy");
        if (!json_is_number(busy) || json_number_value(busy) <= most)
            continue;
        most = json_number_value(busy);
        busiest = b;
    }
    if (busiest)
        printf(", %s %s %.0f %%", words_of(T_BUSIEST), control_text(busiest, "id"), most * 100);
    putchar('\n');
}

static bool is_online(const json_t *device)
{
    return strcmp(control_text(device, "state"), "online") == 0;
}

static bool is_wanted(const json_t *device)
{
    return strcmp(control_text(device, "state"), "disabled") != 0;
}

static void print_devices(const json_t *now)
{
    const json_t *devices = json_object_get(now, "devices");
    const json_t *d;
    size_t i, online = 0, wanted = 0;
    char at[24];

    json_array_foreach(devices, i, d)
    {
        online += is_online(d);
        wanted += is_wanted(d);
    }
    printf("%s: %zu / %zu %s\n", words_of(T_DEVICES), online, wanted, words_of(T_ONLINE));
    json_array_foreach(devices, i, d)
    {
        printf("  %-20s ", control_text(d, "id"));
        profile_print_cell(name_of(d, "state_names"), STATE_COLUMNS, stdout);
        printf("%-20s %-24s %s%s%s\n", when(control_text(d, "last_answer"), at),
               control_text(d, "profile"), name_of(d, "names"),
               *control_text(d, "why") ? ": " : "", control_text(d, "why"));
    }
}

/* Alerts are news of the environment, and a cut line is what the log is for: neither is a fault
 * of the station. */
static bool is_healthy(const json_t *now)
{
    const json_t *devices = json_object_get(now, "devices");
    const json_t *d;
    size_t i;

    json_array_foreach(devices, i,
                       d) if (strcmp(control_text(d, "state"), "silent") == 0) return false;
    return *control_text(json_object_get(now, "log"), "error") == '\0';
}

static int fail(const struct status_options *o, const char *sentence)
{
    if (!o->is_quiet)
        fprintf(stderr, "sluice status: %s\n", sentence);
    return EXIT_FOUND;
}

static int show(const struct status_options *o, const char *line)
{
    json_t *now = json_loads(line, 0, NULL);

    if (!json_object_get(now, "station")) {
        const char *why = control_text(now, "text");
        int status = fail(o, *why ? why : "The daemon's answer is not understood.");
        json_decref(now);
        return status;
    }
    if (o->is_json && !o->is_quiet) {
        puts(line);
    } else if (!o->is_quiet) {
        print_head(now);
        status_print_clock(json_object_get(now, "clock"));
        print_log(now);
        print_uplinks(now);
        print_alerts(now);
        print_duty(now);
        print_overview(now);
        print_polling(now);
        print_devices(now);
    }
    int status = is_healthy(now) ? EXIT_DONE : EXIT_FOUND;
    json_decref(now);
    return status;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct status_options *o = opt;
    struct control_client *client;
    char error[256];
    int err = 0;

    (void)argc, (void)argv;
    if (control_client_open(control_path(o->control), "status", &client, error, sizeof error))
        return fail(o, error);
    const char *line = control_client_line(client, ANSWER_MS, &err);
    int status =
        line ? show(o, line)
             : fail(o, err ? "The daemon does not answer in time." : "The daemon hung up.");
    control_client_close(client);
    return status;
}

const struct cmd cmd_status = {
    .name = "status",
    .usage = "",
    .summary = "Show devices, alerts, indices, delivery and log of the running gateway.",
    .details =
        "Exit status 0: all is well; 1: a device is silent, the log is failing, or the daemon\n"
        "does not answer; 2: wrong usage. Alerts and a cut line to the centre are shown but\n"
        "are no fault of the station. With --quiet it serves as a health check.\n\n"
        "Example: sluice status --json | jq '.devices[] | select(.state != \"online\") | .id'",
    .options = options,
    .options_size = sizeof(struct status_options),
    .run = run,
};
