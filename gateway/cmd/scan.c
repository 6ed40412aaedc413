/* SPDX-License-Identifier: Apache-2.0 */
/* scan - finds the instruments on a line or behind an address, and writes their configuration.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "gateway/app_view.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/scan_ports.h"
#include "gateway/cmd/scan_print.h"
#include "gateway/cmd/scan_target.h"
#include "gateway/cmd/scan_write.h"
#include "gateway/cmd/test_words.h"
#include "gateway/conf/config.h"
#include "gateway/conf/profile_load.h"
#include "gateway/survey/port.h"
#include "gateway/survey/steps.h"

enum { REPORT_MAX = 16 << 20, TARGETS_MAX = 32 };

struct scan_options {
    const char *bauds, *formats, *units, *path, *config;
    int64_t timeout_ms;
    bool has_frames, is_json, is_taking, is_forced;
    struct option_texts reads, dirs;
};

#define OPTION(member) .offset = offsetof(struct scan_options, member)

static const struct cmd_option options[] = {
    { .name = "baud",
      .letter = 'b',
      .type = OPTION_TEXT,
      OPTION(bauds),
      .value = "LIST",
      .help = "Speeds to try, 4800,9600; default: those of the library and the usual ones." },
    { .name = "format",
      .type = OPTION_TEXT,
      OPTION(formats),
      .value = "LIST",
      .help = "Formats to try with every speed: 8N1,8E1." },
    { .name = "unit",
      .letter = 'u',
      .type = OPTION_TEXT,
      OPTION(units),
      .value = "LIST",
      .help = "Units to try: 1-10,17; default 1-247, over TCP 0 and 255 too." },
    { .name = "timeout",
      .type = OPTION_INT,
      OPTION(timeout_ms),
      .dflt = "0",
      .min = 0,
      .max = 10000,
      .value = "MS",
      .help = "Patience with each unit; 0: more with likely ones, less with the rest." },
    { .name = "read",
      .type = OPTION_TEXTS,
      OPTION(reads),
      .value = "BLOCK",
      .help = "Read h:0+13 of what is found and show what it might mean; repeatable." },
    { .name = "frames",
      .letter = 'f',
      .type = OPTION_FLAG,
      OPTION(has_frames),
      .help = "Show every request and answer in hexadecimal." },
    { .name = "write",
      .letter = 'w',
      .type = OPTION_TEXT,
      OPTION(path),
      .value = "FILE",
      .help = "Write what was found as a file for conf.d." },
    { .name = "force",
      .type = OPTION_FLAG,
      OPTION(is_forced),
      .help = "Let --write replace a file." },
    { .name = "config",
      .letter = 'c',
      .type = OPTION_TEXT,
      OPTION(config),
      .value = "FILE",
      .help = "Choose names with regard to this configuration, and use its buses." },
    { .name = "take",
      .type = OPTION_FLAG,
      OPTION(is_taking),
      .help = "Scan a serial port that another program uses." },
    { .name = "profiles",
      .type = OPTION_TEXTS,
      OPTION(dirs),
      .value = "DIR",
      .help = "Look for profiles here besides the built-in ones." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Write the result as one JSON object." },
    { 0 },
};

struct target {
    const char *text;
    struct bus_place place;
    char host[TARGET_HOST_MAX];
    struct survey *survey;
    const struct survey_device *devices;
    size_t devices_n;
    struct survey_progress last;
};

struct job {
    const struct scan_options *o;
    struct profile **profiles;
    size_t profiles_n;
    struct survey_setting settings[SURVEY_SETTINGS_MAX];
    size_t settings_n;
    uint8_t units[SURVEY_UNITS_MAX];
    size_t units_n;
    struct survey_read reads[SURVEY_READS_MAX];
    struct target targets[TARGETS_MAX];
    size_t targets_n;
    struct config *config;
    struct scan_view view;
    uv_loop_t loop;
    struct clock clock;
    struct survey *running;
    bool is_cancelled;
};

static int wrong(const char *en, const char *zh, const char *text)
{
    fprintf(stderr, "sluice scan: %s%s%s\n", say(en, zh), text ? ": " : "", text ? text : ".");
    return EXIT_USAGE;
}

/* ---- what is to be done ---- */

static int parse_settings(struct job *j)
{
    struct survey_setting known[SURVEY_SETTINGS_MAX];
    size_t n =
        survey_settings((const struct profile *const *)j->profiles, j->profiles_n, known);

    if (scan_settings(j->o->bauds, j->o->formats, known, n, j->settings, &j->settings_n) != 0)
        return wrong(
            "--baud expects standard speeds as in 4800,9600 and --format eight data bits "
            "as in 8N1,8E1",
            "--baud 应为标准波特率，如 4800,9600；--format 应为 8 个数据位，如 8N1,8E1", NULL);
    return EXIT_DONE;
}

static int parse(struct job *j, int argc, char **argv)
{
    if (j->o->units && scan_units(j->o->units, j->units, &j->units_n) != 0)
        return wrong("--unit expects numbers from 0 to 255 as in 1-10,17",
                     "--unit 应为 0 到 255 的数，如 1-10,17", j->o->units);
    if (j->o->reads.n > SURVEY_READS_MAX)
        return wrong("--read is given too often", "--read 次数太多", NULL);
    for (size_t i = 0; i < j->o->reads.n; i++) {
        if (scan_read(j->o->reads.text[i], &j->reads[i]) != 0)
            return wrong(
                "--read expects a block such as h:0+13 of at most 125 registers, up to 65535",
                "--read 应为 h:0+13 这样的块，最多 125 个寄存器，地址不超过 65535",
                j->o->reads.text[i]);
    }
    for (int i = 0; i < argc; i++) {
        struct target *t = &j->targets[j->targets_n];
        t->text = argv[i];
        if (j->targets_n == TARGETS_MAX || scan_target(argv[i], &t->place, t->host) != 0)
            return wrong("a target is a serial port, tcp:host[:port] or rtu-tcp:host:port",
                         "目标应为串口、tcp:host[:port] 或 rtu-tcp:host:port", argv[i]);
        j->targets_n++;
    }
    return parse_settings(j);
}

static int load_library(struct job *j)
{
    struct diag *d;

    if (!cmd_has_folders("scan", &j->o->dirs))
        return EXIT_USAGE;
    if (diag_create(&d) < 0)
        return EXIT_FOUND;
    int rc = profile_load_all(j->o->dirs.text, j->o->dirs.n, d, &j->profiles, &j->profiles_n);
    if (diag_errors(d))
        diag_print(d, stderr);
    if (rc == 0 && j->o->config &&
        config_load(j->o->config, uplink_choices(), d, &j->config) < 0) {
        diag_print(d, stderr);
        rc = -EINVAL;
    }
    diag_destroy(d);
    return rc == 0 ? EXIT_DONE : EXIT_USAGE;
}

/* ---- one target ---- */

static void on_device(void *user, const struct survey_device *d)
{
    struct job *j = user;

    scan_print_device(&j->view, d);
}

static void on_read(void *user, const struct survey_device *d, const struct survey_read *r,
                    const struct bus_reply *reply)
{
    struct job *j = user;

    (void)d;
    scan_print_read(&j->view, r, reply);
}

static void on_hint(void *user, enum survey_hint what, const struct survey_setting *s,
                    uint8_t unit)
{
    struct job *j = user;

    scan_print_hint(&j->view, what, s, unit);
}

static void on_progress(void *user, const struct survey_progress *p)
{
    struct job *j = user;

    scan_print_progress(&j->view, p);
}

static void on_frame(void *user, const struct bus_frame *f)
{
    struct job *j = user;

    scan_print_frame(&j->view, f);
}

static void on_reply(void *user, const struct bus_request *q, const struct bus_reply *r)
{
    struct job *j = user;

    scan_print_reply(&j->view, q, r);
}

static size_t default_units(bool is_serial, uint8_t *ret)
{
    size_t n = 0;

    if (!is_serial)
        ret[n++] = 0;
    for (int u = 1; u <= 247; u++)
        ret[n++] = (uint8_t)u;
    if (!is_serial)
        ret[n++] = 255;
    return n;
}

static struct survey_options survey_options_of(struct job *j, struct target *t, uint8_t *room)
{
    static const struct survey_setting none = { 0 };
    bool is_serial = t->place.type == BUS_MODBUS_RTU;
    struct survey_options o = {
        .loop = &j->loop,
        .clock = &j->clock,
        .place = t->place,
        .settings = is_serial ? j->settings : &none,
        .settings_n = is_serial ? j->settings_n : 1,
        .units = j->units_n ? j->units : room,
        .timeout_ms = j->o->timeout_ms,
        .is_watched = j->o->has_frames,
        .reads = j->reads,
        .reads_n = j->o->reads.n,
        .profiles = (const struct profile *const *)j->profiles,
        .profiles_n = j->profiles_n,
        .on_device = on_device,
        .on_read = on_read,
        .on_hint = on_hint,
        .on_progress = on_progress,
        .on_frame = on_frame,
        .on_reply = on_reply,
        .user = j,
    };

    o.units_n = j->units_n ? j->units_n : default_units(is_serial, room);
    if (is_serial && port_is_pty(t->place.device))
        o.settings_n = 1; /* it has no speed: each would find the same devices */
    o.is_single = o.settings_n == 1 && o.units_n == 1;
    return o;
}

static size_t count_devices(const struct target *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->devices_n; i++)
        n += !t->devices[i].is_alias;
    return n;
}

static void tell_failure(const struct target *t, int rc)
{
    if (rc == -ENOTCONN)
        fprintf(stderr,
                say_zh()
                    ? "sluice scan：%s 打不开或连接不上。\n"
                    : "sluice scan: %s cannot be opened or does not accept a connection.\n",
                t->text);
    else if (rc != -ECANCELED)
        fprintf(stderr, "sluice scan: %s: %s.\n", t->text, strerror(-rc));
}

/* Nothing came from the one address that was asked. */
static void tell_silence(const struct target *t, const struct survey_options *o)
{
    char setting[SURVEY_SETTING_TEXT];

    survey_setting_text(&o->settings[0], setting);
    printf(say_zh()
               ? "%s%s%s 地址 %u 无应答：请检查波特率和校验、A/B 是否接反、设备地址\n"
               : "%s%s%s unit %u: no answer. Look at baud and parity, A and B swapped, the "
                 "unit number.\n",
           t->text, *setting ? " " : "", setting, o->units[0]);
}

static int scan_one(struct job *j, struct target *t)
{
    uint8_t room[SURVEY_UNITS_MAX];
    const struct survey_options o = survey_options_of(j, t, room);
    struct survey_progress estimate;
    int64_t begin_ms = mono_ms();

    if (o.place.type == BUS_MODBUS_RTU && !scan_port_is_there(o.place.device))
        return EXIT_FOUND;
    if (o.place.type == BUS_MODBUS_RTU &&
        port_is_taken("scan", o.place.device, j->o->is_taking) && !j->o->is_taking)
        return EXIT_FOUND;
    int rc = survey_create(&o, &t->survey);
    if (rc != 0) {
        tell_failure(t, rc);
        return EXIT_FOUND;
    }
    j->view.target = t->text;
    j->view.is_single = o.is_single;
    survey_estimate(t->survey, &estimate);
    j->view.last = estimate;
    scan_print_head(&j->view, &o, &estimate);
    j->running = t->survey;
    rc = j->is_cancelled ? -ECANCELED : survey_run(t->survey);
    j->running = NULL;
    t->devices = survey_devices(t->survey, &t->devices_n);
    t->last = j->view.last;
    scan_clear_bar(&j->view);
    if (rc != 0)
        tell_failure(t, rc);
    else if (o.is_single && t->devices_n == 0 && !j->o->is_json)
        tell_silence(t, &o);
    scan_print_summary(&j->view, count_devices(t), mono_ms() - begin_ms);
    return rc == 0 && count_devices(t) ? EXIT_DONE : EXIT_FOUND;
}

/* ---- all of them ---- */

static void on_signal(uv_signal_t *s, int number)
{
    struct job *j = s->data;

    (void)number;
    j->is_cancelled = true;
    if (j->running)
        survey_stop(j->running);
}

static int scan_all(struct job *j)
{
    static const int numbers[] = { SIGINT, SIGTERM };
    uv_signal_t signals[2];
    int status = EXIT_DONE;

    clock_init(&j->clock, 1, 0);
    if (uv_loop_init(&j->loop) != 0)
        return EXIT_FOUND;
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&j->loop, &signals[i]);
        signals[i].data = j;
        uv_signal_start(&signals[i], on_signal, numbers[i]);
        uv_unref((uv_handle_t *)&signals[i]);
    }
    for (size_t i = 0; i < j->targets_n && !j->is_cancelled; i++) {
        int one = scan_one(j, &j->targets[i]);
        status = one > status ? one : status;
    }
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&signals[i], NULL);
    uv_run(&j->loop, UV_RUN_DEFAULT);
    uv_loop_close(&j->loop);
    return status;
}

/* ---- results ---- */

static int write_result(struct job *j)
{
    struct stanza_place places[TARGETS_MAX];
    struct stanza_count count;

    for (size_t i = 0; i < j->targets_n; i++)
        places[i] = (struct stanza_place){ .place = j->targets[i].place,
                                           .devices = j->targets[i].devices,
                                           .devices_n = j->targets[i].devices_n };
    if (scan_write(j->o->path, j->o->is_forced, places, j->targets_n, j->config, &count) != 0)
        return EXIT_FOUND;
    FILE *out = j->o->is_json ? stderr : stdout;
    if (count.written && say_zh())
        fprintf(out, "%s：已写入 %zu 台仪器\n", j->o->path, count.written);
    else if (count.written)
        fprintf(out, "%s: %zu device%s written\n", j->o->path, count.written,
                count.written == 1 ? "" : "s");
    else
        fprintf(out,
                say_zh() ? "%s：没有可写的仪器，未生成文件\n"
                         : "%s: not written, no device is known well enough\n",
                j->o->path);
    if (count.disabled)
        fprintf(out,
                say_zh()
                    ? "其中 %zu 台不能确定型号，已停用：候选和判断方法见文件中的注释\n"
                    : "%zu of them not certain and so disabled: the file names the candidates "
                      "and how to decide\n",
                count.disabled);
    return count.written ? EXIT_DONE : EXIT_FOUND;
}

/* The file that the likeliest device would be in. */
static void advise(const struct job *j)
{
    for (size_t i = 0; i < j->targets_n; i++) {
        const struct target *t = &j->targets[i];
        for (size_t k = 0; k < t->devices_n; k++) {
            const struct survey_device *d = &t->devices[k];
            if (d->is_alias || !d->best_n || !match_is_likely(&d->best[0]))
                continue;
            printf("%s sluice scan … --write /etc/sluice/conf.d/10-%s.yaml\n",
                   say("write it with:", "写入配置："), stanza_model(d->best[0].profile));
            return;
        }
    }
}

static int print_json(const struct job *j)
{
    struct buf b = BUF_INIT(REPORT_MAX);

    buf_puts(&b, "{\"targets\":[");
    for (size_t i = 0; i < j->targets_n; i++) {
        const struct target *t = &j->targets[i];
        buf_puts(&b, i ? ",\n{\"target\":" : "\n{\"target\":");
        buf_json(&b, t->text);
        buf_printf(&b, ",\"combinations\":%zu,\"tried\":%zu,\"devices\":[", t->last.total,
                   t->last.done);
        for (size_t k = 0; k < t->devices_n; k++) {
            buf_puts(&b, k ? ",\n " : "\n ");
            scan_put_device(&b, &t->devices[k]);
        }
        buf_puts(&b, "]}");
    }
    buf_puts(&b, "]}\n");
    const char *text = buf_text(&b);
    if (text)
        fputs(text, stdout);
    buf_done(&b);
    return text ? EXIT_DONE : EXIT_FOUND;
}

static int finish(struct job *j, int status)
{
    if (j->o->is_json && print_json(j) != EXIT_DONE)
        status = EXIT_FOUND;
    if (j->o->path) {
        int one = write_result(j);
        status = one > status ? one : status;
    } else if (!j->o->is_json && j->view.is_single) {
        advise(j);
    }
    return fflush(stdout) == 0 ? status : EXIT_FOUND;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct scan_options *o = opt;

    if (argc == 0)
        return scan_ports_list(o->is_json);
    if (o->path && scan_write_check(o->path, o->is_forced) != 0)
        return EXIT_USAGE;
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return EXIT_FOUND;
    j->o = o;
    j->view = (struct scan_view){ .is_bar = isatty(STDOUT_FILENO),
                                  .is_quiet = o->is_json,
                                  .has_frames = o->has_frames };
    int status = load_library(j);
    if (status == EXIT_DONE)
        status = parse(j, argc, argv);
    if (status == EXIT_DONE)
        status = finish(j, scan_all(j));
    for (size_t i = 0; i < j->targets_n; i++)
        survey_destroy(j->targets[i].survey);
    config_destroy(j->config);
    profile_destroy_all(j->profiles, j->profiles_n);
    free(j);
    return status;
}

const struct cmd cmd_scan = {
    .name = "scan",
    .usage = "[TARGET...]",
    .summary = "Find instruments on a serial line or behind an address and configure them.",
    .details =
        "TARGET is a serial port, tcp:HOST[:PORT], HOST:PORT, or rtu-tcp:HOST:PORT for a "
        "serial\n"
        "device server in raw mode. Without one, the serial ports are listed. Every speed,\n"
        "format and unit is tried, factory settings of the library first; what answers is "
        "asked\n"
        "what it is. Reads only. A serial line bears one master: a port that another program\n"
        "has open is refused.\n\n"
        "  sluice scan /dev/ttyUSB0 --write /etc/sluice/conf.d/10-line.yaml\n"
        "  sluice scan /dev/ttyUSB0 --baud 9600 --unit 1-20\n"
        "  sluice scan /dev/ttyUSB0 --baud 9600 --format 8N1 --unit 1 --read h:0+13 --frames\n"
        "  sluice scan tcp:192.0.2.20\n\n"
        "Exit status: 0 something found, 1 nothing found, port in use or no connection, 2 "
        "wrong\n"
        "usage.",
    .options = options,
    .options_size = sizeof(struct scan_options),
    .args_max = -1,
    .run = run,
};
