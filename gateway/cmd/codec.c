/* SPDX-License-Identifier: Apache-2.0 */
/* codec - payload scripts tried at the desk: one message, or a file of examples. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/codec_cmd.h"
#include "gateway/cmd/codec_runner.h"
#include "gateway/cmd/export_time.h"
#include "gateway/codec/result.h"

enum { BYTES_MAX = 4096 }; /* far beyond a LoRaWAN frame, for messages put together */

#define OPTION(member) .offset = offsetof(struct codec_options, member)

static const struct cmd_option options[] = {
    { .name = "fport",
      .letter = 'p',
      .type = OPTION_INT,
      OPTION(fport),
      .dflt = "1",
      .min = 0,
      .max = 255,
      .value = "N",
      .help = "run: the port of the message." },
    { .name = "hex",
      .letter = 'x',
      .type = OPTION_TEXT,
      OPTION(hex),
      .value = "BYTES",
      .help = "run: the message; blanks, colons and 0x are skipped." },
    { .name = "time",
      .letter = 't',
      .type = OPTION_TEXT,
      OPTION(time),
      .value = "TIME",
      .help = "run: when it was received, which is the script's present; now." },
    { .name = "variables",
      .type = OPTION_TEXT,
      OPTION(variables),
      .value = "JSON",
      .help = "run: the object input.variables." },
    { .name = "routine",
      .letter = 'r',
      .type = OPTION_TEXT,
      OPTION(routine),
      .dflt = "decodeUplink",
      .value = "NAME",
      .help = "run: decodeUplink, decodeDownlink or encodeDownlink." },
    { .name = "data",
      .type = OPTION_TEXT,
      OPTION(data),
      .value = "JSON",
      .help = "run: what encodeDownlink is to encode." },
    { .name = "examples",
      .letter = 'e',
      .type = OPTION_TEXT,
      OPTION(examples),
      .value = "FILE",
      .help = "Run these instead: a JSON list of {routine, input, expected}; check runs each "
              "twice." },
    { .name = "json", .type = OPTION_FLAG, OPTION(is_json), .help = "Write JSON." },
    { 0 },
};

static int wrong(const char *en, const char *zh)
{
    if (say_zh())
        fprintf(stderr, "sluice codec：%s。\n", zh);
    else
        fprintf(stderr, "sluice codec: %s.\n", en);
    return EXIT_USAGE;
}

int codec_routine_find(const char *name)
{
    static const char *const names[] = { [CODEC_DECODE_UPLINK] = "decodeUplink",
                                         [CODEC_ENCODE_DOWNLINK] = "encodeDownlink",
                                         [CODEC_DECODE_DOWNLINK] = "decodeDownlink" };

    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The number of bytes, or -EINVAL. */
static int parse_hex(const char *text, uint8_t *bytes, int size)
{
    int n = 0;

    while (*text) {
        if (strchr(" :,-\t\n", *text)) {
            text++;
        } else if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
            text += 2;
        } else {
            const int high = digit_of(text[0]), low = high < 0 ? -1 : digit_of(text[1]);
            if (low < 0 || n == size)
                return -EINVAL;
            bytes[n++] = (uint8_t)(high << 4 | low);
            text += 2;
        }
    }
    return n;
}

static bool is_json_text(const char *text, bool must_be_object)
{
    json_t *x = json_loads(text, JSON_DECODE_ANY, NULL);
    const bool is_good = x && (!must_be_object || json_is_object(x));

    json_decref(x);
    return is_good;
}

static int input_from(const struct codec_options *o, uint8_t *bytes, struct codec_input *ret)
{
    struct clock clock;
    struct codec_input in = {
        .fport = (uint8_t)o->fport, .bytes = bytes, .variables = o->variables, .data = o->data
    };
    const int routine = codec_routine_find(o->routine);

    clock_init(&clock, 1, 0);
    in.time_ms = clock_wall_ms(&clock);
    if (routine < 0)
        return wrong("--routine is decodeUplink, decodeDownlink or encodeDownlink",
                     "--routine 应为 decodeUplink、decodeDownlink 或 encodeDownlink");
    in.routine = (enum codec_routine)routine;
    if (routine == CODEC_ENCODE_DOWNLINK && !o->data)
        return wrong("encodeDownlink needs --data", "encodeDownlink 需要 --data");
    if (routine != CODEC_ENCODE_DOWNLINK && !o->hex)
        return wrong("--hex gives the message to decode", "请用 --hex 给出要解码的报文");
    const int n = o->hex ? parse_hex(o->hex, bytes, BYTES_MAX) : 0;
    if (n < 0)
        return wrong("--hex is up to 4096 bytes of two digits each",
                     "--hex 应为每字节两位的十六进制，最多 4096 字节");
    in.n = (size_t)n;
    if (o->time && export_time_parse(o->time, in.time_ms, &in.time_ms) < 0)
        return wrong("--time is a time such as 2026-11-22T10:00:00Z",
                     "--time 应为时间，如 2026-11-22T10:00:00Z");
    if (o->variables && !is_json_text(o->variables, true))
        return wrong("--variables is a JSON object", "--variables 应为 JSON 对象");
    if (o->data && !is_json_text(o->data, false))
        return wrong("--data is JSON", "--data 应为 JSON");
    *ret = in;
    return 0;
}

/* ---- one message ---- */

static void print_value(const struct payload_value *v)
{
    char text[DECIMAL_TEXT_MAX];

    decimal_print(v->decimal, text);
    printf("%s = %s\n", v->path,
           v->type == PAYLOAD_TEXT   ? v->text
           : v->type == PAYLOAD_BOOL ? (v->number > 0 ? "true" : "false")
                                     : text);
}

static int print_decoded(const char *json)
{
    struct codec_result r;
    char error[RESULT_ERROR_MAX];

    if (codec_result_parse(json, &r, error) < 0) {
        fprintf(stderr, "sluice codec: %s\n", error);
        return EXIT_FOUND;
    }
    for (size_t i = 0; i < r.n; i++)
        print_value(&r.values[i]);
    for (size_t i = 0; i < r.warnings_n; i++)
        printf(say("warning: %s\n", "警告：%s\n"), r.warnings[i]);
    for (size_t i = 0; i < r.errors_n; i++)
        printf(say("error: %s\n", "错误：%s\n"), r.errors[i]);
    const int status = r.errors_n ? EXIT_FOUND : EXIT_DONE;
    codec_result_done(&r);
    return status;
}

static int print_downlink(const char *json)
{
    uint8_t bytes[BYTES_MAX], fport;
    char error[RESULT_ERROR_MAX];
    const int n = codec_downlink_parse(json, bytes, sizeof bytes, &fport, error);

    if (n < 0) {
        fprintf(stderr, "sluice codec: %s\n", error);
        return EXIT_FOUND;
    }
    printf("fPort %u:", fport);
    for (int i = 0; i < n; i++)
        printf(" %02x", bytes[i]);
    putchar('\n');
    return EXIT_DONE;
}

static int run_one(struct codec_runner *r, const struct codec_options *o)
{
    uint8_t bytes[BYTES_MAX];
    struct codec_input in;
    const int err = input_from(o, bytes, &in);

    if (err)
        return err;
    const struct codec_answer *a = codec_runner_call(r, &in);
    if (a->log && *a->log)
        fputs(a->log, stderr);
    if (a->outcome != CODEC_OK) {
        fprintf(stderr, "sluice codec: %s\n", a->message);
        return EXIT_FOUND;
    }
    if (!o->is_json)
        return in.routine == CODEC_ENCODE_DOWNLINK ? print_downlink(a->json)
                                                   : print_decoded(a->json);
    puts(a->json);
    return EXIT_DONE;
}

static int codec_main(const void *opts, int argc, char **argv)
{
    const struct codec_options *o = opts;
    const bool is_run = strcmp(argv[0], "run") == 0;

    (void)argc;
    if (!is_run && strcmp(argv[0], "check") != 0)
        return wrong("it is run or check", "应为 run 或 check");
    struct codec_runner *r = codec_runner_create(argv[1]);
    if (!r)
        return EXIT_USAGE;
    const int status = !is_run       ? codec_check(r, o)
                       : o->examples ? codec_run_examples(r, o->examples, 1, o->is_json)
                                     : run_one(r, o);
    codec_runner_destroy(r);
    return status;
}

const struct cmd cmd_codec = {
    .name = "codec",
    .usage = "run|check SCRIPT",
    .summary = "Run or check a payload codec in JavaScript (TS013).",
    .details = "run hands one message to the script, as the station does, and prints what it "
               "returns.\ncheck tells which parts of newer JavaScript it uses, whether they "
               "can be run, and which\nfunctions it has.\n\n"
               "  sluice codec run river.js --fport 10 --hex '10 0e 1c 01 08 56'\n"
               "  sluice codec run river.js --routine encodeDownlink --data '{\"interval\": "
               "600}'\n"
               "  sluice codec check river.js --examples examples.json\n",
    .options = options,
    .options_size = sizeof(struct codec_options),
    .args_min = 2,
    .args_max = 2,
    .run = codec_main,
};
