/* SPDX-License-Identifier: Apache-2.0 */
/* command - what instruments can be told to do, and telling them, through the running gateway.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/backoff.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"
#include "gateway/cmd/test_words.h"
#include "gateway/control/client.h"
#include "sensors/core/status.h"

enum {
    LIST_WAIT_MS = 10000,
    RUN_WAIT_MS = 3600000, /* profiles may wait for minutes between two steps */
    LINE_BYTES = 256,
};

struct command_options {
    const char *control, *request;
    bool is_json, is_sure;
};

#define OPTION(member) .offset = offsetof(struct command_options, member)

static const struct cmd_option options[] = {
    { .name = "yes",
      .letter = 'y',
      .type = OPTION_FLAG,
      OPTION(is_sure),
      .help = "Do not ask; without a terminal nothing is asked anyway." },
    { .name = "request",
      .type = OPTION_TEXT,
      OPTION(request),
      .value = "ID",
      .help = "Your name for this run: a second one of the same name is not carried out but "
              "answered by what became of the first." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Print the answer as a JSON object." },
    CMD_CONTROL_OPTION,
    { 0 },
};

static int fail(const char *text)
{
    fprintf(stderr, "sluice command: %s\n", text);
    return EXIT_USAGE;
}

/* ---- the request ---- */

/* "address=5" */
static int put_value(json_t *values, const char *argument)
{
    const char *equals = strchr(argument, '=');
    char name[64], line[LINE_BYTES], *end;

    if (!equals || equals == argument || (size_t)(equals - argument) >= sizeof name) {
        snprintf(line, sizeof line,
                 say_zh() ? "“%.80s” 应写作 参数=数值。" : "'%.80s' is not parameter=value.",
                 argument);
        return fail(line);
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - argument), argument);
    errno = 0;
    double x = strtod(equals + 1, &end);
    if (end == equals + 1 || *end || errno || !isfinite(x)) {
        snprintf(line, sizeof line,
                 say_zh() ? "%.40s 的值 “%.80s” 不是数字。" : "%.40s: '%.80s' is not a number.",
                 name, equals + 1);
        return fail(line);
    }
    if (json_object_get(values, name)) {
        snprintf(line, sizeof line, say_zh() ? "%.40s 给出了两次。" : "%.40s stands twice.",
                 name);
        return fail(line);
    }
    json_object_set_new(values, name, json_real(x));
    return EXIT_DONE;
}

/* A name that nobody else gives, so that a line sent twice runs once. */
static void set_request(json_t *root, const char *given)
{
    char id[40];

    snprintf(id, sizeof id, "cli-%08" PRIx32 "%08" PRIx32, random_u32(), random_u32());
    json_object_set_new(root, "request", json_string(given ? given : id));
}

/* Its line for the socket in *ret, freed by the caller. */
static int make_request(const struct command_options *o, int argc, char **argv, char **ret)
{
    json_t *root = json_object(), *values = json_object();
    int status = EXIT_DONE;

    if (argc > 0)
        json_object_set_new(root, "device", json_string(argv[0]));
    if (argc > 1) {
        json_object_set_new(root, "command", json_string(argv[1]));
        set_request(root, o->request);
    }
    for (int i = 2; i < argc && status == EXIT_DONE; i++)
        status = put_value(values, argv[i]);
    if (argc > 1)
        json_object_set(root, "values", values);
    char *text = status == EXIT_DONE ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(values);
    json_decref(root);
    if (!text)
        return status == EXIT_DONE ? fail("Out of memory.") : status;
    size_t size = strlen(text) + sizeof "command ";
    *ret = malloc(size);
    if (*ret)
        snprintf(*ret, size, "command %s", text);
    free(text);
    return *ret ? EXIT_DONE : fail("Out of memory.");
}

/* ---- the answer ---- */

static void print_number(const char *before, double x)
{
    printf("%s%.15g", before, x);
}

/* "    address  1 .. 247, whole: new address" */
static void print_parameter(const json_t *p)
{
    const json_t *dflt = json_object_get(p, "default");
    const char *unit = control_text(p, "unit");

    printf("      %s=", control_text(p, "id"));
    print_number("", json_number_value(json_object_get(p, "min")));
    print_number(" .. ", json_number_value(json_object_get(p, "max")));
    printf("%s%s", *unit ? " " : "", unit);
    if (json_is_true(json_object_get(p, "integer")))
        printf(say_zh() ? "，整数" : ", whole");
    if (dflt)
        print_number(say_zh() ? "，默认 " : ", default ", json_number_value(dflt));
    printf(say_zh() ? "：%s\n" : ": %s\n",
           control_text(json_object_get(p, "names"), cmd_lang()));
}

/* "calibration: zero check" in the user's language. */
static void print_mode(const json_t *mode)
{
    const char *word = control_text(mode, "set");
    long long seconds = (long long)(json_integer_value(json_object_get(mode, "ms")) / 1000);
    struct verdict v = { 0 };
    const char *name = verdict_from_word(word, &v) < 0 ? word
                       : v.reasons                     ? reason_name(v.reasons, cmd_lang())
                                                       : status_name(v.status, cmd_lang());

    printf(say_zh() ? "（其间 %lld 秒的读数标为：%s）" : " (for %lld s readings are: %s)",
           seconds, name ? name : word);
}

static void print_command(const json_t *c)
{
    const json_t *mode = json_object_get(c, "mode"), *p;
    size_t i;

    printf("   %-22s %s", control_text(c, "id"),
           control_text(json_object_get(c, "names"), cmd_lang()));
    if (mode)
        print_mode(mode);
    puts("");
    json_array_foreach(json_object_get(c, "parameters"), i, p) print_parameter(p);
}

/* Without a device given, only those that can be told anything. */
static void print_list(const json_t *devices)
{
    const json_t *d, *c;
    size_t i, k, n = 0;

    json_array_foreach(devices, i, d)
    {
        const json_t *commands = json_object_get(d, "commands");
        if (json_array_size(commands) == 0 && json_array_size(devices) > 1)
            continue;
        printf("%s  %s, %s\n", control_text(d, "id"), control_text(d, "profile"),
               control_text(json_object_get(d, "names"), cmd_lang()));
        json_array_foreach(commands, k, c) print_command(c);
        n += json_array_size(commands);
    }
    if (n == 0)
        puts(say_zh() ? "没有可用命令。" : "There are no commands.");
}

/* What the caller can mend, before anything was sent. */
static bool is_usage(const char *reason)
{
    static const char *const reasons[] = {
        "bad_request",       "unknown_device", "disabled",     "unknown_command", "bad_value",
        "unknown_parameter", "missing_value",  "out_of_range", "not_whole",       "request_used"
    };

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(reasons[i], reason) == 0)
            return true;
    }
    return false;
}

static void print_sentence(const json_t *root, FILE *out)
{
    const json_t *event = json_object_get(root, "event");
    const json_t *text = json_object_get(event ? event : root, "text");
    const char *said =
        json_is_string(text) ? json_string_value(text) : control_text(text, cmd_lang());

    if (json_is_true(json_object_get(root, "again")))
        fputs(say_zh() ? "此前已执行，未重复：" : "Not done again; of the first time: ", out);
    fprintf(out, "%s%s\n",
            event ? "" : "sluice command: ", *said ? said : "The daemon gave no reason.");
}

static int print_answer(const char *line, bool is_json)
{
    json_t *root = json_loads(line, 0, NULL);
    bool is_ok = json_is_true(json_object_get(root, "ok"));
    int status = is_ok                                    ? EXIT_DONE
                 : is_usage(control_text(root, "reason")) ? EXIT_USAGE
                                                          : EXIT_FOUND;

    if (is_json)
        puts(line);
    else if (json_object_get(root, "devices"))
        print_list(json_object_get(root, "devices"));
    else
        print_sentence(root, is_ok ? stdout : stderr);
    json_decref(root);
    return status;
}

/* ---- running ---- */

static bool is_confirmed(const struct command_options *o, int argc, char **argv)
{
    char answer[16] = "";

    if (o->is_sure || argc < 2 || !isatty(STDIN_FILENO))
        return true;
    fprintf(stderr, say_zh() ? "向 %s 发送 %s" : "Tell %s to %s", argv[0], argv[1]);
    for (int i = 2; i < argc; i++)
        fprintf(stderr, " %s", argv[i]);
    fputs(say_zh() ? "？[y/N] " : "? [y/N] ", stderr);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int ask(const struct command_options *o, const char *request, int wait_ms)
{
    struct control_client *client;
    char error[256];
    int err = 0;

    if (control_client_open(control_path(o->control), request, &client, error, sizeof error)) {
        fprintf(stderr, "sluice command: %s\n", error);
        return EXIT_FOUND;
    }
    const char *line = control_client_line(client, wait_ms, &err);
    int status = EXIT_FOUND;
    if (line)
        status = print_answer(line, o->is_json);
    else
        fprintf(stderr, "sluice command: %s\n",
                say_zh() ? "守护进程没有回答，结果请查看日志事件。"
                         : "The daemon gave no answer; what became of it is among its events.");
    control_client_close(client);
    return status;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct command_options *o = opt;
    char *request = NULL;
    int status = make_request(o, argc, argv, &request);

    if (status == EXIT_DONE && !is_confirmed(o, argc, argv)) {
        fprintf(stderr, "%s\n", say_zh() ? "未发送。" : "Nothing was sent.");
        status = EXIT_FOUND;
    } else if (status == EXIT_DONE) {
        status = ask(o, request, argc > 1 ? RUN_WAIT_MS : LIST_WAIT_MS);
    }
    free(request);
    return status;
}

const struct cmd cmd_command = {
    .name = "command",
    .usage = "[DEVICE [NAME [PARAMETER=VALUE ...]]]",
    .summary = "Tell an instrument to do something that its profile names.",
    .details =
        "Without NAME: what the devices of the running gateway can be told, with parameters\n"
        "and ranges. With NAME: does it, waits for the end and says what became of it. Every\n"
        "command is an event in the log before it is sent, and another one after it. A write "
        "is\n"
        "never sent twice: where an answer stays away, that is said and nothing more is "
        "done.\n\n"
        "Example: sluice command roof-o3 set_clock        sluice command soil-1 set_address "
        "address=5",
    .options = options,
    .options_size = sizeof(struct command_options),
    .args_max = -1,
    .run = run,
};
