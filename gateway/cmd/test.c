/* SPDX-License-Identifier: Apache-2.0 */
/* test - one live pass over the configured devices: what they say, and why they do not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/app_view.h"
#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/test_pass.h"
#include "gateway/cmd/test_report.h"
#include "gateway/cmd/test_words.h"
#include "gateway/conf/config.h"
#include "gateway/control/client.h"

enum { REPORT_MAX = 64 << 20 };

struct test_options {
    const char *config;
    bool has_frames, is_json, is_taking;
};

#define OPTION(member) .offset = offsetof(struct test_options, member)

static const struct cmd_option options[] = {
    { .name = "config",
      .letter = 'c',
      .type = OPTION_TEXT,
      OPTION(config),
      .dflt = "/etc/sluice/sluice.yaml",
      .value = "FILE",
      .help = "The station's configuration." },
    { .name = "frames",
      .letter = 'f',
      .type = OPTION_FLAG,
      OPTION(has_frames),
      .help = "Show every request and answer in hexadecimal." },
    { .name = "take",
      .type = OPTION_FLAG,
      OPTION(is_taking),
      .help = "Ask on a serial port that another program uses." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Write the result as one JSON object." },
    { 0 },
};

struct job {
    const struct test_options *o;
    struct config *config;
    struct table *table;
    struct test_pass pass;
    struct test_tally tally;
    size_t printed; /* devices before this one are told */
    struct buf json;
};

static size_t devices_n(const struct job *j)
{
    return j->config->devices.n;
}

static const struct device_conf *devices_of(const struct job *j)
{
    return j->config->devices.items;
}

/* ---- what is to be tested ---- */

static int refuse_name(const struct job *j, const char *name)
{
    const char **ids = calloc(devices_n(j) + 1, sizeof *ids);

    for (size_t i = 0; ids && i < devices_n(j); i++)
        ids[i] = devices_of(j)[i].id;
    const char *near = ids ? nearest_word(name, ids) : NULL;
    fprintf(stderr,
            say_zh() ? "sluice test：没有名为“%s”的仪器"
                     : "sluice test: no device is called '%s'",
            name);
    if (near)
        fprintf(stderr, say_zh() ? "，是否指“%s”？\n" : ", did you mean '%s'?\n", near);
    else
        fputs(say(".\n", "。\n"), stderr);
    free(ids);
    return EXIT_USAGE;
}

static int choose(struct job *j, int argc, char **argv)
{
    for (size_t i = 0; i < devices_n(j); i++)
        j->pass.results[i].is_wanted = argc == 0;
    for (int a = 0; a < argc; a++) {
        bool is_found = false;
        for (size_t i = 0; i < devices_n(j); i++) {
            if (strcmp(devices_of(j)[i].id, argv[a]) == 0)
                is_found = j->pass.results[i].is_wanted = j->pass.results[i].is_named = true;
        }
        if (!is_found)
            return refuse_name(j, argv[a]);
    }
    return EXIT_DONE;
}

static bool is_bus_wanted(const struct job *j, uint32_t bus)
{
    for (size_t i = 0; i < devices_n(j); i++) {
        const struct test_result *r = &j->pass.results[i];
        if (test_is_asked(r) && r->conf->bus == bus)
            return true;
    }
    return false;
}

/* ---- does somebody poll there already? ---- */

static bool has_daemon(const struct job *j)
{
    struct control_client *client;
    char error[256];

    if (control_client_open(j->config->control, "status", &client, error, sizeof error) != 0)
        return false;
    control_client_close(client);
    return true;
}

/* Serial lines bear one master. A TCP device may serve two; one that does not shows as no
 * connection, and then this was why. */
static int check_free(const struct job *j)
{
    bool is_running = has_daemon(j), is_taken = false;

    for (uint32_t i = 0; i < j->config->buses.n; i++) {
        const struct bus_place *p = &j->table->bus[i].place;
        if (bus_has_port(p) && is_bus_wanted(j, i))
            is_taken = port_is_taken("test", p->device, j->o->is_taking) || is_taken;
    }
    if (is_running && !is_taken && !j->o->is_json)
        fputs(
            say("The daemon is running: devices that take one connection only will not answer "
                "here.\n",
                "守护进程正在运行：只接受一个连接的仪器在此不会应答。\n"),
            stderr);
    return is_taken && !j->o->is_taking ? EXIT_FOUND : EXIT_DONE;
}

/* ---- telling ---- */

static void tell(struct job *j, size_t device)
{
    if (!j->o->is_json) {
        test_report_print(&j->pass, device, &j->tally, stdout);
        fflush(stdout);
        return;
    }
    buf_puts(&j->json, j->tally.devices ? ",\n " : "\n ");
    test_report_json(&j->pass, device, &j->tally, &j->json);
}

/* In the order of the configuration, each as soon as those before it are done. */
static void on_done(void *user, size_t device)
{
    struct job *j = user;

    (void)device;
    for (; j->printed < devices_n(j); j->printed++) {
        const struct test_result *r = &j->pass.results[j->printed];
        if (r->is_wanted && !r->is_done)
            return;
        if (r->is_wanted)
            tell(j, j->printed);
    }
}

static int finish(struct job *j)
{
    if (!j->o->is_json) {
        test_report_summary(&j->tally, stdout);
    } else {
        buf_puts(&j->json, "\n],");
        test_report_summary_json(&j->tally, &j->json);
        buf_puts(&j->json, "}\n");
        if (!buf_text(&j->json))
            return EXIT_FOUND;
        fputs(buf_text(&j->json), stdout);
    }
    if (fflush(stdout) != 0)
        return EXIT_FOUND;
    return test_report_is_well(&j->tally) ? EXIT_DONE : EXIT_FOUND;
}

static int fail(const char *en, const char *zh)
{
    fprintf(stderr, "sluice test: %s\n", say(en, zh));
    return EXIT_FOUND;
}

static int run_pass(struct job *j, int argc, char **argv)
{
    if (devices_n(j) == 0)
        return fail("The configuration has no devices.", "配置中没有仪器。");
    if (table_create(j->config, &j->table) != 0 || test_pass_init(&j->pass, j->table) != 0)
        return fail("out of memory.", "内存不足。");
    int status = choose(j, argc, argv);
    if (status == EXIT_DONE)
        status = check_free(j);
    if (status != EXIT_DONE)
        return status;
    j->pass.has_frames = j->o->has_frames;
    j->pass.on_done = on_done;
    j->pass.user = j;
    j->json = BUF_INIT(REPORT_MAX);
    buf_puts(&j->json, "{\"devices\":[");
    int rc = test_pass_run(&j->pass);
    if (rc != 0) {
        fprintf(stderr, "sluice test: %s.\n", strerror(-rc));
        return EXIT_FOUND;
    }
    return finish(j);
}

static int run(const void *opt, int argc, char **argv)
{
    struct job j = { .o = opt };
    struct diag *d;

    if (diag_create(&d) < 0)
        return fail("out of memory.", "内存不足。");
    log_set_level(LOG_ERROR); /* what the poller would log is in the report */
    if (config_load(j.o->config, uplink_choices(), d, &j.config) < 0) {
        diag_print(d, stderr);
        diag_destroy(d);
        return EXIT_USAGE;
    }
    int status = run_pass(&j, argc, argv);
    test_pass_done(&j.pass);
    buf_done(&j.json);
    table_destroy(j.table);
    config_destroy(j.config);
    diag_destroy(d);
    return status;
}

const struct cmd cmd_test = {
    .name = "test",
    .usage = "[DEVICE...]",
    .summary = "Ask the configured devices once and tell what they say, or why they do not.",
    .details =
        "One pass over all devices, or over those named, with the very requests that the\n"
        "gateway would send; reads only. Per point: register as in the profile, raw words,\n"
        "value and unit as the instrument has them, verdict, and the reason when there is no\n"
        "good value. A device with enabled: false is asked only by its name. Refuses a serial\n"
        "port that another program has open.\n\n"
        "  sluice test\n"
        "  sluice test roof-o3 --frames --config station.yaml\n\n"
        "Exit status: 0 all good, 1 something is missing, doubtful or silent, 2 wrong usage "
        "or\n"
        "configuration.",
    .options = options,
    .options_size = sizeof(struct test_options),
    .args_max = -1,
    .run = run,
};
