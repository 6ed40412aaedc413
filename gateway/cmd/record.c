/* SPDX-License-Identifier: Apache-2.0 */
/* record - the raw traffic of the running gateway's buses as a file, for replay and support. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/tail_frames.h"
#include "gateway/conf/value.h"
#include "gateway/control/client.h"

enum {
    WAIT_MS = 200, /* for a line, before a signal or the end is looked for */
    STATUS_MS = 5000,
    RECORD_DAY_MS = 86400000,
};

struct record_options {
    const char *output, *length, *control;
    bool is_forced;
};

#define OPTION(member) .offset = offsetof(struct record_options, member)

static const struct cmd_option options[] = {
    { .name = "output",
      .letter = 'o',
      .type = OPTION_TEXT,
      OPTION(output),
      .value = "FILE",
      .help = "Write to FILE instead of the standard output." },
    { .name = "force",
      .type = OPTION_FLAG,
      OPTION(is_forced),
      .help = "Let --output replace a file." },
    { .name = "for",
      .type = OPTION_TEXT,
      OPTION(length),
      .value = "DURATION",
      .help = "End by itself after so long, such as 10s or 5min; not given: at Ctrl-C." },
    CMD_CONTROL_OPTION,
    { 0 },
};

struct recording {
    const struct record_options *o;
    char **buses;
    int buses_n;    /* 0: all */
    int64_t end_ms; /* mono_ms(); 0: none */
    FILE *out;
    uint64_t frames, dropped;
};

static int wrong(const char *text)
{
    fprintf(stderr, "sluice record: %s\n", text);
    return EXIT_USAGE;
}

/* ---- which buses ---- */

static bool has_bus(const json_t *devices, const char *bus)
{
    const json_t *d;
    size_t i;

    json_array_foreach(devices, i, d)
    {
        const char *id = json_string_value(json_object_get(d, "bus"));
        if (id && strcmp(id, bus) == 0)
            return true;
    }
    return false;
}

/* The daemon tells its devices and their buses: a bus of another name never says anything. */
static int check_buses(const struct recording *r, const json_t *status)
{
    const json_t *devices = json_object_get(status, "devices");

    for (int i = 0; i < r->buses_n; i++) {
        if (has_bus(devices, r->buses[i]))
            continue;
        fprintf(stderr,
                say_zh() ? "sluice record: 总线“%s”上没有仪器，sluice status 可查看\n"
                         : "sluice record: no device is on a bus '%s', see sluice status\n",
                r->buses[i]);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static int ask_status(const struct recording *r, json_t **ret)
{
    struct control_client *client;
    char error[256];
    int err = 0;

    if (control_client_open(control_path(r->o->control), "status", &client, error,
                            sizeof error)) {
        fprintf(stderr, "sluice record: %s\n", error);
        return EXIT_FOUND;
    }
    const char *line = control_client_line(client, STATUS_MS, &err);
    *ret = line ? json_loads(line, 0, NULL) : NULL;
    control_client_close(client);
    if (*ret)
        return EXIT_DONE;
    fprintf(stderr, "sluice record: the daemon does not tell its state.\n");
    return EXIT_FOUND;
}

/* ---- recording ---- */

static bool is_wanted(const struct recording *r, const struct record_line *l)
{
    for (int i = 0; i < r->buses_n; i++)
        if (strcmp(r->buses[i], l->bus) == 0)
            return true;
    return r->buses_n == 0;
}

static void take_line(struct recording *r, const char *line)
{
    struct buf b = BUF_INIT(RECORD_LINE_MAX);
    struct record_line l;
    uint64_t dropped = 0;

    if (tail_frame_read(line, &l, &dropped) == 0 && is_wanted(r, &l)) {
        record_print(&l, &b);
        const char *text = buf_text(&b);
        if (text)
            fputs(text, r->out);
        r->frames++;
    }
    if (dropped)
        fprintf(r->out, "# %llu frames lost here\n", (unsigned long long)dropped);
    r->dropped += dropped;
    buf_done(&b);
}

/* A signal ends the recording as the time does: with all lines written. */
static bool is_told_to_end(const sigset_t *signals)
{
    static const struct timespec now = { 0, 0 };

    return sigtimedwait(signals, NULL, &now) > 0;
}

static int follow(struct recording *r, struct control_client *client)
{
    sigset_t signals;
    int err = -ETIMEDOUT;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    while (err == -ETIMEDOUT) {
        int64_t left = r->end_ms ? r->end_ms - mono_ms() : WAIT_MS;
        if (left <= 0 || ferror(r->out) || is_told_to_end(&signals))
            return EXIT_DONE;
        const char *line =
            control_client_line(client, left < WAIT_MS ? (int)left : WAIT_MS, &err);
        if (line) {
            take_line(r, line);
            err = -ETIMEDOUT;
        } else {
            fflush(r->out);
        }
    }
    fprintf(stderr, "sluice record: the daemon hung up.\n");
    return EXIT_FOUND;
}

static void tell_no_output(const char *path, int err)
{
    if (err == EEXIST)
        fprintf(stderr,
                say_zh() ? "sluice record：%s 已存在：请换一个文件名，或加 --force 覆盖。\n"
                         : "sluice record: %s exists: give another name, or --force to replace "
                           "it.\n",
                path);
    else
        fprintf(stderr,
                say_zh() ? "sluice record：无法写 %s：%s。\n"
                         : "sluice record: cannot write %s: %s.\n",
                path, strerror(err));
}

static int start_output(struct recording *r, const json_t *status)
{
    const char *station =
        json_string_value(json_object_get(json_object_get(status, "station"), "id"));

    r->out = r->o->output ? fopen(r->o->output, r->o->is_forced ? "we" : "wxe") : stdout;
    if (!r->out) {
        tell_no_output(r->o->output, errno);
        return EXIT_USAGE;
    }
    fprintf(r->out, "%s\n# station %s, sluice %s\n", RECORD_HEADER, station ? station : "?",
            sluice_version);
    fflush(r->out);
    return EXIT_DONE;
}

static int end_output(const struct recording *r, int status)
{
    bool is_bad = fflush(r->out) || ferror(r->out);

    if (r->o->output && fclose(r->out))
        is_bad = true;
    if (is_bad) {
        fprintf(stderr, "sluice record: cannot write: %s.\n", strerror(errno));
        return EXIT_FOUND;
    }
    fprintf(stderr,
            say_zh()         ? "已记录 %llu 帧，丢失 %llu 帧\n"
            : r->frames == 1 ? "%llu frame recorded, %llu lost\n"
                             : "%llu frames recorded, %llu lost\n",
            (unsigned long long)r->frames, (unsigned long long)r->dropped);
    return status;
}

static int record(struct recording *r, const json_t *status)
{
    struct control_client *client;
    char error[256];
    int rc = start_output(r, status);

    if (rc != EXIT_DONE)
        return rc;
    if (control_client_open(control_path(r->o->control), "frames", &client, error,
                            sizeof error)) {
        fprintf(stderr, "sluice record: %s\n", error);
        return end_output(r, EXIT_FOUND);
    }
    rc = follow(r, client);
    control_client_close(client);
    return end_output(r, rc);
}

static int run(const void *opt, int argc, char **argv)
{
    struct recording r = { .o = opt, .buses = argv, .buses_n = argc };
    json_t *status = NULL;
    int64_t ms = 0;

    if (r.o->length &&
        (value_parse_duration(r.o->length, &ms) || ms < 100 || ms > RECORD_DAY_MS))
        return wrong("--for takes a duration from 100ms to 24h, such as 10s.");
    int rc = ask_status(&r, &status);
    if (rc == EXIT_DONE)
        rc = check_buses(&r, status);
    r.end_ms = ms ? mono_ms() + ms : 0;
    if (rc == EXIT_DONE)
        rc = record(&r, status);
    json_decref(status);
    return rc;
}

const struct cmd cmd_record = {
    .name = "record",
    .usage = "[BUS...]",
    .summary = "Record the raw traffic of the running gateway's buses.",
    .details =
        "Writes every frame of all buses, or of those named, as a line of text: time (UTC),\n"
        "bus, unit, device, tcp or rtu, > for a request and < for an answer, and the bytes as\n"
        "on the wire. What was dropped is marked <late, <foreign or <damaged. The buses are\n"
        "not disturbed. sluice replay reads the file.\n\n"
        "  sluice record --for 60s --output roof.traffic\n"
        "  sluice record rs485-1 > line.traffic\n\n"
        "Exit status: 0 done, 1 no daemon answers or it hung up, 2 no such bus, or FILE "
        "cannot\n"
        "be written.",
    .options = options,
    .options_size = sizeof(struct record_options),
    .args_max = -1,
    .run = run,
};
