/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demonstration: a station's instruments, the gateway, and a regional centre, all of them
 * the real processes that a station and a centre run, on loopback.
 *
 *   sluice sim ==Modbus TCP, serial lines==> sluice run ==MQTT==> mosquitto ==> sluice ingest
 *                                               |                                   |
 *                                              page                         victoria-metrics
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/demo_children.h"
#include "gateway/cmd/demo_count.h"
#include "gateway/cmd/demo_fetch.h"
#include "gateway/cmd/demo_place.h"
#include "gateway/cmd/demo_script.h"
#include "gateway/cmd/demo_show.h"
#include "gateway/cmd/profile_show.h"

#define MOSQUITTO "/usr/sbin/mosquitto"
#define VICTORIA  "/usr/bin/victoria-metrics"
#define UPLINK    "centre" /* its id in packaging/demo/centre.yaml */

enum {
    READY_TIMEOUT_MS = 20 * 1000, /* of one process on a busy machine */
    STEP_MS = 50,
    SHOW_EVERY_MS = 1000,
    NOW_TIMEOUT_MS = 2000,
    NOW_BYTES_MAX = 4 << 20,
    STOP_MS = 5 * 1000,
    DRAIN_MS = 180 * 1000,
    COUNT_TRIES = 5,
    PAST_MIN = 24 * 60, /* where a fast clock without --minutes starts */
    WHAT_COLUMNS = 46,
    ADDRESS_MAX = 64,
    ERROR_MAX = 512,
};

struct demo_options {
    double speed, minutes;
    int64_t port, seed;
    bool has_no_centre;
    const char *dir;
};

#define OPTION(member) .offset = offsetof(struct demo_options, member)

static const struct cmd_option options[] = {
    { .name = "speed",
      .type = OPTION_DOUBLE,
      OPTION(speed),
      .value = "N",
      .dflt = "1",
      .min = 1,
      .max = 1000,
      .help = "Station time runs N times as fast; it starts in the past." },
    { .name = "minutes",
      .type = OPTION_DOUBLE,
      OPTION(minutes),
      .value = "N",
      .dflt = "0",
      .min = 0,
      .max = 10080,
      .help = "End by itself after N real minutes; 0: until Ctrl-C." },
    { .name = "no-centre",
      .type = OPTION_FLAG,
      OPTION(has_no_centre),
      .help = "Station alone: no broker, database and ingest." },
    { .name = "port",
      .type = OPTION_INT,
      OPTION(port),
      .value = "N",
      .dflt = "8080",
      .min = 0,
      .max = 65535,
      .help = "Port of the page on 127.0.0.1; 0: any free one." },
    { .name = "dir",
      .type = OPTION_TEXT,
      OPTION(dir),
      .value = "DIR",
      .help = "Keep configuration, log, database and outputs here." },
    { .name = "seed",
      .type = OPTION_INT,
      OPTION(seed),
      .value = "N",
      .dflt = "1",
      .help = "The same seed gives the same signals." },
    { 0 },
};

struct demo {
    const struct demo_options *o;
    const char *lang;
    struct place place;
    struct children children;
    struct fetch *fetch;
    struct buf now; /* what /api/v1/now said last */
    struct clock clock;
    char clock_text[CLOCK_TEXT_MAX];
    char self[PLACE_PATH_MAX]; /* this program */
    char config[PLACE_PATH_MAX], log[PLACE_PATH_MAX];
    char page[ADDRESS_MAX];
    struct child *broker, *database, *ingest, *sim, *gateway;
    bool is_up; /* all of them were ready */
};

/* ---- start ---- */

static int find_program(const char *path, const char *package)
{
    if (access(path, X_OK) == 0)
        return 0;
    fprintf(stderr,
            say("sluice demo: %s is missing. It comes with Debian's package %s; scripts/setup "
                "installs it. Or run with --no-centre.\n",
                "sluice demo：缺少 %s。它属于 Debian 软件包 %s，运行 scripts/setup 即可安装；"
                "也可加 --no-centre 运行。\n"),
            path, package);
    return -ENOENT;
}

static int find_programs(struct demo *d)
{
    ssize_t n = readlink("/proc/self/exe", d->self, sizeof d->self - 1);

    if (n < 0 || (size_t)n == sizeof d->self - 1)
        return -ENAMETOOLONG;
    d->self[n] = '\0';
    if (d->o->has_no_centre)
        return 0;
    int rc = find_program(MOSQUITTO, "mosquitto");
    return rc < 0 ? rc : find_program(VICTORIA, "victoria-metrics");
}

static void say_lost(const struct child *child)
{
    fprintf(stderr,
            say("sluice demo: %s ended unexpectedly with status %d; its last words:\n",
                "sluice demo：%s 意外退出，状态 %d；最后输出：\n"),
            child->name, child->status);
    child_print_tail(child);
}

/* Starts a process and waits until it is ready, with one line of progress. */
static int bring_up(struct demo *d, struct child **ret, const char *name, const char *what,
                    const char *const *argv, bool (*is_ready)(struct demo *d, struct child *c))
{
    int64_t begin = mono_ms();

    printf("  %-10s ", name);
    profile_print_cell(what, WHAT_COLUMNS, stdout);
    fflush(stdout);
    struct child *c = children_start(&d->children, name, d->place.dir, argv);
    if (!c) {
        printf("%s\n", say("cannot be started", "无法启动"));
        return -ECHILD;
    }
    *ret = c;
    while (!is_ready(d, c)) {
        bool is_late = mono_ms() - begin > READY_TIMEOUT_MS;
        if (children_wait(&d->children, STEP_MS) && !is_late)
            continue;
        printf("%s\n", d->children.is_asked_to_end ? say("stopped", "已停止")
                                                   : say("not ready", "未就绪"));
        if (is_late)
            child_print_tail(c);
        return is_late ? -ETIMEDOUT : -ECANCELED;
    }
    printf("%s %.1f s\n", say("ready in", "就绪，用时"), (double)(mono_ms() - begin) / 1000);
    return 0;
}

static bool broker_is_ready(struct demo *d, struct child *c)
{
    (void)c;
    return port_answers(d->place.broker);
}

static bool database_is_ready(struct demo *d, struct child *c)
{
    char url[ADDRESS_MAX];

    (void)c;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/health", d->place.database);
    return fetch_get(d->fetch, url, NOW_TIMEOUT_MS, &d->now) == 200;
}

static bool says_ready(struct demo *d, struct child *c)
{
    (void)d;
    return child_has_said(c, "ready");
}

static bool page_is_ready(struct demo *d, struct child *c)
{
    char url[ADDRESS_MAX + 16];

    (void)c;
    snprintf(url, sizeof url, "%shealthz", d->page);
    return fetch_get(d->fetch, url, NOW_TIMEOUT_MS, &d->now) == 200;
}

static int start_broker(struct demo *d)
{
    char conf[PLACE_PATH_MAX], what[ADDRESS_MAX];
    const char *const argv[] = { MOSQUITTO, "-c", place_path(&d->place, "mosquitto.conf", conf),
                                 NULL };

    snprintf(what, sizeof what, "mosquitto, 127.0.0.1:%u", d->place.broker);
    return bring_up(d, &d->broker, "broker", what, argv, broker_is_ready);
}

/* One sample of equal time is kept of those that a resend doubles: what a centre must set too.
 */
static int start_database(struct demo *d)
{
    char storage[PLACE_PATH_MAX + 32], listen[ADDRESS_MAX], what[ADDRESS_MAX];
    const char *const argv[] = { VICTORIA,
                                 storage,
                                 listen,
                                 "-retentionPeriod=100y",
                                 "-dedup.minScrapeInterval=1ms",
                                 "-memory.allowedBytes=256MB",
                                 "-loggerLevel=WARN",
                                 NULL };

    snprintf(storage, sizeof storage, "-storageDataPath=%s/victoria-metrics", d->place.dir);
    snprintf(listen, sizeof listen, "-httpListenAddr=127.0.0.1:%u", d->place.database);
    snprintf(what, sizeof what, "victoria-metrics, 127.0.0.1:%u", d->place.database);
    return bring_up(d, &d->database, "database", what, argv, database_is_ready);
}

static int start_ingest(struct demo *d)
{
    char broker[ADDRESS_MAX], database[ADDRESS_MAX];
    const char *const argv[] = { d->self,  "ingest",         "--broker", broker, "--db",
                                 database, "--ack-interval", "1",        NULL };

    snprintf(broker, sizeof broker, "mqtt://127.0.0.1:%u", d->place.broker);
    snprintf(database, sizeof database, "http://127.0.0.1:%u", d->place.database);
    return bring_up(d, &d->ingest, "ingest", say("the centre's side", "中心侧"), argv,
                    says_ready);
}

enum { SIM_WORDS = 11 };

static int start_sim(struct demo *d)
{
    char seed[24];
    const char *argv[SIM_WORDS + SCRIPT_WORDS_MAX + 1] = {
        d->self,  "sim", "--station", d->config,       "--clock", d->clock_text,
        "--seed", seed,  "--calm",    "--calibration", "20",
    };

    snprintf(seed, sizeof seed, "%" PRId64, d->o->seed);
    argv[SIM_WORDS + script_put(argv + SIM_WORDS)] = NULL;
    return bring_up(d, &d->sim, "sim", say("the instruments", "仪器"), argv, says_ready);
}

static int start_gateway(struct demo *d)
{
    const char *const argv[] = { d->self,   "run",         "--config", d->config,
                                 "--clock", d->clock_text, NULL };

    return bring_up(d, &d->gateway, "gateway", d->page, argv, page_is_ready);
}

/* The fast clock meets the present when the demonstration ends: databases drop future points.
 */
static void start_clock(struct demo *d)
{
    double minutes = d->o->minutes > 0 ? d->o->minutes * (d->o->speed - 1) : PAST_MIN;

    clock_init_past(&d->clock, d->o->speed, (int64_t)(minutes * 60000));
    clock_print(&d->clock, d->clock_text);
}

static int start_all(struct demo *d)
{
    static int (*const centre[])(struct demo *) = { start_broker, start_database,
                                                    start_ingest };
    int rc = 0;

    printf("%s %s\n", say("Starting the demonstration in", "正在启动演示，目录"), d->place.dir);
    for (size_t i = 0; rc == 0 && !d->o->has_no_centre && i < 3; i++)
        rc = centre[i](d);
    if (rc < 0)
        return rc;
    start_clock(d);
    rc = start_sim(d);
    return rc < 0 ? rc : start_gateway(d);
}

/* ---- watch ---- */

static int watch(struct demo *d)
{
    int64_t end = d->o->minutes > 0 ? d->clock.mono0_ms + (int64_t)(d->o->minutes * 60000) : 0;
    int64_t next = mono_ms();
    struct show_context context = { .page = d->page, .lang = d->lang, .speed = d->o->speed };
    struct show *show;
    char url[ADDRESS_MAX + 16];

    if (show_create(&context, &show) < 0)
        return -ENOMEM;
    snprintf(url, sizeof url, "%sapi/v1/now", d->page);
    while (end == 0 || mono_ms() < end) {
        if (mono_ms() >= next) {
            next = mono_ms() + SHOW_EVERY_MS;
            long status = fetch_get(d->fetch, url, NOW_TIMEOUT_MS, &d->now);
            const char *text = status == 200 ? buf_text(&d->now) : NULL;
            if (text)
                show_update(show, text, end ? (end - mono_ms()) / 1000 : -1);
        }
        if (!children_wait(&d->children, STEP_MS))
            break;
    }
    show_destroy(show);
    return d->children.lost ? -ECHILD : 0;
}

/* ---- end ---- */

/* What the log holds is sealed, rows that still wait for a verdict too, and goes out: nothing
 * new is measured. */
static int drain(struct demo *d)
{
    const char *const argv[] = { d->self, "run", "--config", d->config, "--drain", NULL };

    printf("%s\n",
           d->o->has_no_centre
               ? say("Sealing what the log holds ...", "正在封装日志中剩余的数据 ...")
               : say("Delivering what the log holds ...", "正在发送日志中剩余的数据 ..."));
    fflush(stdout);
    struct child *c = children_start(&d->children, "drain", d->place.dir, argv);
    if (!c)
        return -ECHILD;
    int status = children_join(&d->children, c, DRAIN_MS);
    if (status == 0)
        return 0;
    fprintf(stderr,
            say("sluice demo: the rest could not be sealed and delivered (status %d):\n",
                "sluice demo：剩余数据未能全部封装和发送（状态 %d）：\n"),
            status);
    child_print_tail(c);
    return -EIO;
}

static int compare(struct demo *d)
{
    struct log_count log;
    uint64_t in_database = 0;
    char error[ERROR_MAX] = "";

    if (count_log(d->log, d->o->has_no_centre ? NULL : UPLINK, &log, error, sizeof error) < 0) {
        fprintf(stderr, "sluice demo: %s\n", error);
        return EXIT_FOUND;
    }
    for (int i = 0; !d->o->has_no_centre && i < COUNT_TRIES; i++) {
        if (count_database(d->fetch, d->place.database, &in_database) < 0)
            fprintf(stderr, "sluice demo: %s\n",
                    say("the database does not answer", "数据库没有应答"));
        if (in_database >= log.accepted)
            break;
        children_wait(&d->children, SHOW_EVERY_MS);
    }
    return count_print(&log, !d->o->has_no_centre, in_database) ? EXIT_DONE : EXIT_FOUND;
}

/* The instruments fall silent first, then the gateway commits and seals, then all is delivered.
 */
static int finish(struct demo *d)
{
    printf("%s\n",
           say("Ending: the gateway commits and seals ...", "正在结束：网关提交并封装 ..."));
    fflush(stdout);
    children_stop(&d->children, d->sim, STOP_MS);
    int status = children_stop(&d->children, d->gateway, STOP_MS);
    if (status != 0) {
        say_lost(d->gateway);
        return EXIT_FOUND;
    }
    if (drain(d) < 0)
        return EXIT_FOUND;
    return compare(d);
}

static int run_station(struct demo *d)
{
    int rc = start_all(d);

    d->is_up = rc == 0;
    if (d->is_up)
        rc = watch(d);
    if (d->children.lost) {
        say_lost(d->children.lost);
        return EXIT_FOUND;
    }
    return rc < 0 ? EXIT_FOUND : finish(d);
}

static int make_place(struct demo *d)
{
    char error[ERROR_MAX];

    if (place_create(&d->place, d->o->dir, (unsigned)d->o->port, !d->o->has_no_centre, error,
                     sizeof error) < 0) {
        fprintf(stderr, "sluice demo: %s.\n", error);
        return -EIO;
    }
    place_path(&d->place, "station.yaml", d->config);
    place_path(&d->place, "station.db", d->log);
    snprintf(d->page, sizeof d->page, "http://127.0.0.1:%u/", d->place.page);
    return 0;
}

static int run(const void *opt, int argc, char **argv)
{
    struct demo *d = calloc(1, sizeof *d);
    int status = EXIT_FOUND;

    (void)argc, (void)argv;
    if (!d)
        return EXIT_FOUND;
    d->o = opt;
    d->lang = cmd_lang();
    d->now = BUF_INIT(NOW_BYTES_MAX);
    d->children.signals = -1;
    if (find_programs(d) < 0 || make_place(d) < 0)
        goto out;
    if (children_init(&d->children) < 0 || fetch_create(&d->fetch) < 0)
        goto out_place;
    status = run_station(d);
    children_done(&d->children);
out_place:
    if (status != EXIT_DONE && (d->is_up || !d->children.is_asked_to_end)) {
        fprintf(stderr, "%s %s\n", say("Everything is kept in", "全部文件保留在"),
                d->place.dir);
        d->place.is_ours = false;
    }
    place_remove(&d->place);
out:
    fetch_destroy(d->fetch);
    buf_done(&d->now);
    free(d);
    return status;
}

const struct cmd cmd_demo = {
    .name = "demo",
    .usage = "",
    .summary = "Show a whole station and its centre at work, simulated instruments included.",
    .details =
        "Starts simulated instruments on Modbus TCP ports and serial lines, the gateway with "
        "its\n"
        "page, a broker (mosquitto), a database (victoria-metrics) and sluice ingest, all on\n"
        "loopback in a folder of their own. Alerts in air, water, noise and radiation rise "
        "and\n"
        "clear every quarter of an hour; an air temperature jumps and a soil moisture is out "
        "of\n"
        "range now and then, and is flagged. At the end the samples that the log accepted are\n"
        "compared with those in the database; the exit status says whether they agree.\n\n"
        "Examples:\n"
        "  sluice demo\n"
        "  sluice demo --minutes 3 --speed 20",
    .options = options,
    .options_size = sizeof(struct demo_options),
    .run = run,
};
