/* SPDX-License-Identifier: Apache-2.0 */
/* maint - tells the running gateway that somebody works at an instrument. */
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"
#include "gateway/cmd/overview.h"
#include "gateway/control/client.h"

enum { WAIT_MS = 20000 };

struct maint_options {
    const char *control, *length, *why;
    bool is_json;
};

#define OPTION(member) .offset = offsetof(struct maint_options, member)

static const struct cmd_option options[] = {
    { .name = "for",
      .type = OPTION_TEXT,
      OPTION(length),
      .value = "DURATION",
      .help = "It ends by itself then, 1min to 7d; default 2h." },
    { .name = "why",
      .type = OPTION_TEXT,
      OPTION(why),
      .value = "TEXT",
      .help = "What is done; goes into the log." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Print the answer as a JSON object." },
    CMD_CONTROL_OPTION,
    { 0 },
};

static int wrong(const char *en, const char *zh)
{
    return control_wrong("maint", en, zh);
}

static void print_list(const json_t *list)
{
    if (json_array_size(list) == 0)
        puts(say("Nothing is under maintenance.", "没有设备处于维护状态。"));
    overview_print_maintenances(list, "");
}

static int add_length(const struct maint_options *o, json_t *request)
{
    if (control_put_duration(request, "for_ms", o->length) < 0)
        return wrong("--for takes a duration such as 30min, 2h or 1d.",
                     "--for 的值应为时长，例如 30min、2h 或 1d。");
    return EXIT_DONE;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct maint_options *o = opt;
    const char *verb = argc > 0 ? argv[0] : "list";
    const bool is_list = strcmp(verb, "list") == 0, is_start = strcmp(verb, "start") == 0;
    json_t *answer;

    if (!is_list && !is_start && strcmp(verb, "stop") != 0)
        return wrong("It is list, start DEVICE or stop DEVICE.",
                     "用法：list、start 设备 或 stop 设备。");
    if ((argc == 2) == is_list)
        return wrong("start and stop need one device, list none.",
                     "start 和 stop 需要一个设备，list 不需要。");
    json_t *request = json_pack("{s:s}", "do", verb);
    if (!is_list)
        json_object_set_new(request, "device", json_string(argv[1]));
    if (o->why)
        json_object_set_new(request, "why", json_string(o->why));
    int status = add_length(o, request);
    if (status != EXIT_DONE) {
        json_decref(request);
        return status;
    }
    const struct control_ask ask = { "maint", o->control, o->is_json, WAIT_MS };
    status = control_ask(&ask, request, &answer);
    if (answer && is_list)
        print_list(json_object_get(answer, "maintenance"));
    else if (answer)
        puts(control_sentence(json_object_get(answer, "event")));
    json_decref(answer);
    return status;
}

const struct cmd cmd_maint = {
    .name = "maint",
    .usage = "[list | start DEVICE | stop DEVICE]",
    .summary = "Tell the running gateway that somebody works at an instrument.",
    .details =
        "Meanwhile readings of the device carry the status maintenance: they are kept, and "
        "take\n"
        "no part in statistics, alerts and indices. It ends with stop, or by itself after "
        "--for;\n"
        "a notice says so ten minutes ahead. start once more sets a new end. Both ends are\n"
        "events in the log, with your user number, and a restart changes nothing.\n\n"
        "Example: sluice maint start roof-o3 --for 90min --why \"new sample filter\"",
    .options = options,
    .options_size = sizeof(struct maint_options),
    .args_max = 2,
    .run = run,
};
