/* SPDX-License-Identifier: Apache-2.0 */
/* lora - the LoRa devices and concentrators of the running gateway, for the technician. */
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"
#include "gateway/cmd/lora_show.h"
#include "gateway/control/client.h"

enum { WAIT_MS = 20000 };

struct lora_command_options {
    const char *control;
    int64_t fcnt, fport;
    bool is_confirmed, is_json;
};

#define OPTION(member) .offset = offsetof(struct lora_command_options, member)

static const struct cmd_option options[] = {
    { .name = "fcnt",
      .type = OPTION_INT,
      OPTION(fcnt),
      .dflt = "-1",
      .min = -1,
      .max = 4294967295.0,
      .value = "N",
      .help = "confirm: the counter from which frames are good; without it the one behind the "
              "newest that was heard." },
    { .name = "fport",
      .type = OPTION_INT,
      OPTION(fport),
      .dflt = "1",
      .min = 1,
      .max = 223,
      .value = "N",
      .help = "send: the port." },
    { .name = "confirmed",
      .type = OPTION_FLAG,
      OPTION(is_confirmed),
      .help = "send: until the device acknowledges it." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Print the answer as a JSON object." },
    CMD_CONTROL_OPTION,
    { 0 },
};

/* words: behind the verb, at least and at most. */
static const struct verb {
    const char *word;
    int words_min, words_max;
} verbs[] = {
    { "devices", 0, 1 },       { "gateways", 0, 0 }, { "confirm", 1, 1 },
    { "forget-nonces", 1, 1 }, { "send", 2, 2 },
};

static const struct verb *verb_of(const char *word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].word, word) == 0)
            return &verbs[i];
    return NULL;
}

static json_t *make_request(const struct verb *v, const struct lora_command_options *o,
                            int argc, char **argv)
{
    json_t *r = json_pack("{s:s}", "do", v->word);

    if (argc > 0)
        json_object_set_new(r, "device", json_string(argv[0]));
    if (argc > 1) {
        json_object_set_new(r, "data", json_string(argv[1]));
        json_object_set_new(r, "fport", json_integer(o->fport));
        json_object_set_new(r, "confirmed", json_boolean(o->is_confirmed));
    }
    if (o->fcnt >= 0)
        json_object_set_new(r, "fcnt", json_integer(o->fcnt));
    return r;
}

static void show(const json_t *answer, bool is_detailed)
{
    const json_t *one = json_object_get(answer, "device");

    if (one)
        lora_show_device(one);
    else if (json_object_get(answer, "gateways"))
        lora_show_gateways(answer);
    else
        lora_show_devices(json_object_get(answer, "devices"), is_detailed);
}

static int run(const void *opt, int argc, char **argv)
{
    const struct lora_command_options *o = opt;
    const struct verb *v = verb_of(argc > 0 ? argv[0] : "devices");
    json_t *answer = NULL;

    argv += argc > 0;
    argc -= argc > 0;
    if (!v || argc < v->words_min || argc > v->words_max)
        return control_wrong("lora",
                             "It is devices [DEVICE], gateways, confirm DEVICE, forget-nonces "
                             "DEVICE or send DEVICE HEX.",
                             "用法：devices [设备]、gateways、confirm 设备、forget-nonces 设备 "
                             "或 send 设备 十六进制数据。");
    const struct control_ask ask = { "lora", o->control, o->is_json, WAIT_MS };
    int status = control_ask(&ask, make_request(v, o, argc, argv), &answer);
    if (answer)
        show(answer, argc > 0);
    json_decref(answer);
    return status;
}

const struct cmd cmd_lora = {
    .name = "lora",
    .usage = "[devices [DEVICE] | gateways | confirm DEVICE | forget-nonces DEVICE | "
             "send DEVICE HEX]",
    .summary = "LoRa devices and concentrators: last heard, signal, counters, why a frame was "
               "refused.",
    .details =
        "devices lists who was heard when, how well, through which concentrator, and what was\n"
        "wrong with the last frame that was refused: key, region, MIC, counter. gateways "
        "lists\n"
        "concentrators and what the network server did.\n"
        "\n"
        "confirm: after the log was restored from a backup nobody knows which frames were "
        "heard\n"
        "since. The sessions are doubtful and their frames are kept but not used, until the\n"
        "device joins again or you confirm it. forget-nonces lets a device join again whose\n"
        "nonces started anew. Both are events of the log, with your user number.\n"
        "\n"
        "send queues bytes for a device: class C gets them at once, class A behind its next\n"
        "uplink.\n\n"
        "Example: sluice lora devices\n"
        "         sluice lora confirm soil-1\n"
        "         sluice lora send valve-1 0301 --fport 10",
    .options = options,
    .options_size = sizeof(struct lora_command_options),
    .args_max = 3,
    .run = run,
};
