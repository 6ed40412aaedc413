/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate - checks of instruments against known values: begins them, shows what came of them.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/calibrate_show.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"
#include "gateway/conf/value.h"
#include "gateway/control/client.h"

enum {
    WAIT_MS = 20000,
    RUN_WAIT_MS = 24 * 3600 * 1000, /* eight steps that settle for hours */
};

struct calibrate_options {
    const char *control, *value, *unit, *settle, *measure, *certificate;
    int64_t n;
    bool is_json, is_waiting;
};

#define OPTION(member) .offset = offsetof(struct calibrate_options, member)

static const struct cmd_option options[] = {
    { .name = "value",
      .type = OPTION_TEXT,
      OPTION(value),
      .value = "V",
      .help = "The value that is on; default the configuration's, 0 at zero." },
    { .name = "unit",
      .type = OPTION_TEXT,
      OPTION(unit),
      .value = "UNIT",
      .help = "Its unit, such as ppb; default the configuration's, else the canonical one." },
    { .name = "settle",
      .type = OPTION_TEXT,
      OPTION(settle),
      .value = "DURATION",
      .help = "Until the reading counts; default the configuration's, 5min without one." },
    { .name = "measure",
      .type = OPTION_TEXT,
      OPTION(measure),
      .value = "DURATION",
      .help = "How long readings are taken; default the configuration's, 5min without one." },
    { .name = "certificate",
      .type = OPTION_TEXT,
      OPTION(certificate),
      .value = "TEXT",
      .help = "Bottle, buffer or calibrator that the value comes from; goes into the ledger." },
    { .name = "wait",
      .letter = 'w',
      .type = OPTION_FLAG,
      OPTION(is_waiting),
      .help = "Wait for the verdict; exit status 1 when a step was not passed." },
    { .name = "last",
      .type = OPTION_INT,
      OPTION(n),
      .dflt = "0",
      .min = 0,
      .max = 500,
      .value = "N",
      .help = "So many of the newest lines of the ledger; default all that are at hand." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Print the answer as a JSON object." },
    CMD_CONTROL_OPTION,
    { 0 },
};

static int wrong(const char *en, const char *zh)
{
    return control_wrong("calibrate", en, zh);
}

/* ---- the request ---- */

static int add_duration(const char *text, const char *key, json_t *request)
{
    if (control_put_duration(request, key, text) < 0)
        return wrong("--settle and --measure take a duration such as 90s or 5min.",
                     "--settle 和 --measure 的值应为时长，例如 90s 或 5min。");
    return EXIT_DONE;
}

static int add_options(const struct calibrate_options *o, json_t *request)
{
    double value;

    if (o->value && value_parse_double(o->value, &value) < 0)
        return wrong("--value takes a number.", "--value 的值应为数字。");
    if (o->value)
        json_object_set_new(request, "value", json_real(value));
    if (o->unit)
        json_object_set_new(request, "unit", json_string(o->unit));
    if (o->certificate)
        json_object_set_new(request, "certificate", json_string(o->certificate));
    if (o->is_waiting)
        json_object_set_new(request, "wait", json_true());
    int status = add_duration(o->settle, "settle_ms", request);
    return status == EXIT_DONE ? add_duration(o->measure, "measure_ms", request) : status;
}

/* "list", "ledger [CHANNEL]", "CHANNEL [CHECK | stop]" */
static json_t *make_request(const struct calibrate_options *o, int argc, char **argv)
{
    const char *first = argc > 0 ? argv[0] : "list";
    const bool is_ledger = strcmp(first, "ledger") == 0;

    if (strcmp(first, "list") == 0)
        return argc > 1 ? NULL : json_pack("{s:s}", "do", "list");
    if (is_ledger) {
        json_t *request = json_pack("{s:s}", "do", "ledger");
        if (argc > 1)
            json_object_set_new(request, "channel", json_string(argv[1]));
        if (o->n > 0)
            json_object_set_new(request, "n", json_integer(o->n));
        return request;
    }
    if (argc > 1 && strcmp(argv[1], "stop") == 0)
        return json_pack("{s:s,s:s}", "do", "stop", "channel", first);
    return json_pack("{s:s,s:s,s:s}", "do", "start", "channel", first, "check",
                     argc > 1 ? argv[1] : "sequence");
}

/* ---- the answer ---- */

static int show(const json_t *answer)
{
    const json_t *results = json_object_get(answer, "results");

    if (json_object_get(answer, "channels")) {
        calibrate_show_list(json_object_get(answer, "channels"));
        calibrate_show_revisions(json_object_get(answer, "revisions"));
    } else if (json_object_get(answer, "ledger"))
        calibrate_show_ledger(json_object_get(answer, "ledger"));
    else if (results)
        return calibrate_show_results(results);
    else
        puts(control_sentence(json_object_get(answer, "event")));
    return EXIT_DONE;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct calibrate_options *o = opt;
    json_t *request = make_request(o, argc, argv), *answer;

    if (!request)
        return wrong("list takes no channel.", "list 不需要通道。");
    int status = add_options(o, request);
    if (status != EXIT_DONE) {
        json_decref(request);
        return status;
    }
    const struct control_ask ask = { "calibrate", o->control, o->is_json,
                                     o->is_waiting ? RUN_WAIT_MS : WAIT_MS };
    status = control_ask(&ask, request, &answer);
    if (answer)
        status = show(answer);
    json_decref(answer);
    return status;
}

const struct cmd cmd_calibrate = {
    .name = "calibrate",
    .usage = "[list | ledger [CHANNEL] | CHANNEL [zero | span | point | sequence | stop]]",
    .summary = "Check an instrument against a known value, and keep the ledger of its drift.",
    .details =
        "list: channels that are checked, when last, when next, and which doubtful readings "
        "are\n"
        "being or were written again. ledger: what came of every\n"
        "check, of a channel, of a device or of all. CHANNEL begins a check: with zero, span "
        "or\n"
        "point of that value alone, else of all steps of its configuration. It settles,\n"
        "measures, is judged by its control limits and settles again; meanwhile readings of "
        "the\n"
        "device carry the status calibration. Begin, results and end are events in the log.\n\n"
        "Exit status: 0 done; 1 refused, or with --wait a step that was not passed; 2 wrong\n"
        "usage.\n\n"
        "Example: sluice calibrate roof-o3/ozone span --value 392 --wait\n"
        "         sluice calibrate ledger roof-o3 --json",
    .options = options,
    .options_size = sizeof(struct calibrate_options),
    .args_max = 2,
    .run = run,
};
