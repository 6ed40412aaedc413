/* SPDX-License-Identifier: Apache-2.0 */
/* alert - what the duty officer does with alerts of the running gateway. */
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/alert_show.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"
#include "gateway/control/client.h"

enum { WAIT_MS = 20000 };

struct alert_options {
    const char *control, *note, *length, *rule, *channel, *device, *request;
    int64_t number;
    bool is_all, is_json;
};

#define OPTION(member) .offset = offsetof(struct alert_options, member)

static const struct cmd_option options[] = {
    { .name = "note",
      .letter = 'n',
      .type = OPTION_TEXT,
      OPTION(note),
      .value = "TEXT",
      .help = "Why, or what was found; goes into the log." },
    { .name = "for",
      .type = OPTION_TEXT,
      OPTION(length),
      .value = "DURATION",
      .help = "How long it is shelved or out of service, such as 2h." },
    { .name = "rule",
      .type = OPTION_TEXT,
      OPTION(rule),
      .value = "RULE",
      .help = "Shelve all alerts of this rule." },
    { .name = "channel",
      .type = OPTION_TEXT,
      OPTION(channel),
      .value = "CHANNEL",
      .help = "Shelve all alerts of this channel." },
    { .name = "device",
      .type = OPTION_TEXT,
      OPTION(device),
      .value = "DEVICE",
      .help = "Shelve all alerts of this device." },
    { .name = "number",
      .type = OPTION_INT,
      OPTION(number),
      .dflt = "0",
      .min = 0,
      .max = 4e9,
      .value = "N",
      .help = "The alert's newest change that you know of; with newer ones nothing is done." },
    { .name = "request",
      .type = OPTION_TEXT,
      OPTION(request),
      .value = "ID",
      .help = "Name of this request: it is done once, however often it comes." },
    { .name = "all",
      .letter = 'a',
      .type = OPTION_FLAG,
      OPTION(is_all),
      .help = "List those just closed, too." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Print the answer as a JSON object." },
    CMD_CONTROL_OPTION,
    { 0 },
};

/* What stands behind the alert. */
enum rest { REST_NONE, REST_NOTE, REST_VERDICT, REST_UNIT };
/* What it is done to. */
enum object { OF_NOTHING, OF_ALERT, OF_SHELF };

static const struct verb {
    const char *word, *request;
    enum object of;
    enum rest rest;
} verbs[] = {
    { "list", "list", OF_NOTHING, REST_NONE },
    { "figures", "figures", OF_NOTHING, REST_NONE },
    { "show", "show", OF_ALERT, REST_NONE },
    { "ack", "acknowledge", OF_ALERT, REST_NOTE },
    { "acknowledge", "acknowledge", OF_ALERT, REST_NOTE },
    { "triage", "triage", OF_ALERT, REST_VERDICT },
    { "comment", "comment", OF_ALERT, REST_NOTE },
    { "assign", "assign", OF_ALERT, REST_UNIT },
    { "handle", "handle", OF_ALERT, REST_NOTE },
    { "verify", "verify", OF_ALERT, REST_NOTE },
    { "close", "close", OF_ALERT, REST_NOTE },
    { "reopen", "reopen", OF_ALERT, REST_NOTE },
    { "withdraw", "withdraw", OF_ALERT, REST_NOTE },
    { "shelve", "shelve", OF_SHELF, REST_NOTE },
    { "unshelve", "unshelve", OF_SHELF, REST_NOTE },
    { "out-of-service", "out_of_service", OF_SHELF, REST_NOTE },
    { "in-service", "in_service", OF_SHELF, REST_NOTE },
};

static int wrong(const char *en, const char *zh)
{
    return control_wrong("alert", en, zh);
}

static const struct verb *verb_of(const char *word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].word, word) == 0)
            return &verbs[i];
    return NULL;
}

/* ---- the request ---- */

static void set(json_t *request, const char *key, const char *text)
{
    if (text)
        json_object_set_new(request, key, json_string(text));
}

static int add_length(const struct alert_options *o, json_t *request)
{
    if (control_put_duration(request, "for_ms", o->length) < 0)
        return wrong("--for takes a duration such as 30min, 2h or 1d.",
                     "--for 的值应为时长，例如 30min、2h 或 1d。");
    return EXIT_DONE;
}

static bool names_group(const struct alert_options *o)
{
    return o->rule || o->channel || o->device;
}

static int add_words(const struct verb *v, const struct alert_options *o, int argc, char **argv,
                     json_t *request)
{
    static const char *const keys[] = { NULL, "note", "verdict", "to" };
    const bool has_alert =
        v->of == OF_ALERT || (v->of == OF_SHELF && !names_group(o) && argc > 0);
    const int words = has_alert ? 1 : 0;

    if (argc < words || (v->of == OF_SHELF && !has_alert && !names_group(o)))
        return wrong("Which alert? `sluice alert list` shows their numbers.",
                     "哪一条报警？`sluice alert list` 可列出编号。");
    if (argc > words + (v->rest != REST_NONE))
        return wrong("There is a word too many; a note stands in quotes.",
                     "参数过多；备注请加引号。");
    if (has_alert)
        set(request, "alert", argv[0]);
    if (argc > words)
        set(request, keys[v->rest], argv[words]);
    return EXIT_DONE;
}

static int make_request(const struct verb *v, const struct alert_options *o, int argc,
                        char **argv, json_t *request)
{
    int status = add_words(v, o, argc, argv, request);

    set(request, "note", o->note);
    set(request, "rule", o->rule);
    set(request, "channel", o->channel);
    set(request, "device", o->device);
    set(request, "request", o->request);
    if (o->number > 0)
        json_object_set_new(request, "number", json_integer(o->number));
    if (o->is_all)
        json_object_set_new(request, "all", json_true());
    return status == EXIT_DONE ? add_length(o, request) : status;
}

/* ---- the answer ---- */

static void show(const json_t *answer)
{
    const json_t *alert = json_object_get(answer, "alert");

    if (json_is_false(json_object_get(answer, "changed")))
        puts(say("Nothing was to be done; it is so already:", "无需操作，当前状态："));
    if (json_object_get(answer, "alerts"))
        alert_show_list(answer);
    else if (alert)
        alert_show_one(alert);
    else if (json_object_get(answer, "figures"))
        alert_show_figures(json_object_get(answer, "figures"));
    else if (json_object_get(answer, "shelf"))
        alert_show_shelf(json_object_get(answer, "shelf"));
    else if (json_is_true(json_object_get(answer, "changed")))
        puts(say("Done.", "完成。"));
}

static int run(const void *opt, int argc, char **argv)
{
    const struct alert_options *o = opt;
    const struct verb *v = verb_of(argc > 0 ? argv[0] : "list");
    json_t *answer = NULL;

    if (!v)
        return wrong(
            "It is list, show, figures, ack, triage, comment, assign, handle, verify, "
            "close, reopen, withdraw, shelve, unshelve, out-of-service or in-service.",
            "用法：list、show、figures、ack、triage、comment、assign、handle、verify、"
            "close、reopen、withdraw、shelve、unshelve、out-of-service 或 in-service。");
    json_t *request = json_pack("{s:s}", "do", v->request);
    int status = make_request(v, o, argc > 0 ? argc - 1 : 0, argv + (argc > 0), request);
    if (status != EXIT_DONE) {
        json_decref(request);
        return status;
    }
    const struct control_ask ask = { "alert", o->control, o->is_json, WAIT_MS };
    status = control_ask(&ask, request, &answer);
    if (answer)
        show(answer);
    json_decref(answer);
    return status;
}

const struct cmd cmd_alert = {
    .name = "alert",
    .usage = "[list | figures | show ALERT | ack ALERT | triage ALERT VERDICT | "
             "assign ALERT [UNIT] | close ALERT NOTE | shelve ALERT NOTE --for DURATION | ...]",
    .summary =
        "List open alerts, and acknowledge, judge, assign, verify, close or shelve them.",
    .details =
        "ALERT is the number that list shows, the key, or its beginning. In order: ack says\n"
        "that somebody has seen it; triage judges it as true, false, sensor_fault or "
        "duplicate;\n"
        "assign gives it to a unit; handle says that the unit has it in hand; verify that its\n"
        "end was checked; close ends it, with a reason. A false alert is closed after triage.\n"
        "comment adds a note, reopen takes up a closed one, withdraw ends one whose rule is\n"
        "wrong. None of them clears an alert: that its condition is gone is found by the "
        "rule.\n"
        "\n"
        "shelve hides an alert, or those of --rule, --channel or --device, until --for is "
        "over;\n"
        "out-of-service does until in-service. They are judged and logged all the same.\n\n"
        "Each is an event in the log, with your user number. One that is done already changes\n"
        "nothing and says so. Exit status: 0 done; 1 refused; 2 wrong usage.\n\n"
        "Example: sluice alert ack 12\n"
        "         sluice alert triage 12 true --note \"smoke from the west\"\n"
        "         sluice alert shelve --channel roof-o3/ozone --for 2h --note \"new pump\"",
    .options = options,
    .options_size = sizeof(struct alert_options),
    .args_max = 3,
    .run = run,
};
