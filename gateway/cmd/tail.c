/* SPDX-License-Identifier: Apache-2.0 */
/* tail - live values and events of the running gateway, line by line or as a table. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"
#include "gateway/cmd/overview.h"
#include "gateway/cmd/tail_frames.h"
#include "gateway/cmd/tail_row.h"
#include "gateway/cmd/words.h"
#include "gateway/control/client.h"
#include "sensors/core/decimal.h"

enum {
    ROWS_MAX = 4000, /* of the table: more channels than any screen */
    REDRAW_MS = 500,
};

struct tail_options {
    const char *control, *color;
    bool is_json, is_table, is_frames;
};

#define OPTION(member) .offset = offsetof(struct tail_options, member)

static const struct cmd_option options[] = {
    { .name = "table",
      .letter = 't',
      .type = OPTION_FLAG,
      OPTION(is_table),
      .help = "Redraw a table of the newest values instead of adding lines." },
    { .name = "frames",
      .letter = 'f',
      .type = OPTION_FLAG,
      OPTION(is_frames),
      .help = "Show the frames of the buses instead of values." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Print each sample, event or frame as a JSON object." },
    { .name = "color",
      .type = OPTION_TEXT,
      OPTION(color),
      .dflt = "auto",
      .value = "auto|never",
      .help = "Colour states; auto: only on a terminal." },
    CMD_CONTROL_OPTION,
    { 0 },
};

struct tail {
    const struct tail_options *options;
    const char *filter; /* "" takes everything */
    bool has_color;
    struct tail_row *rows;
    size_t n;
    int64_t drawn_ms;
    json_t *overview; /* of the table; NULL: none */
};

/* The value with the decimals it was measured with, which a JSON number does not keep. */
static void value_text(const json_t *sample, char *buf)
{
    const json_t *value = json_object_get(sample, "value");
    const json_t *decimals = json_object_get(sample, "decimals");

    snprintf(buf, TAIL_VALUE_MAX, "-");
    if (!json_is_number(value))
        return;
    if (json_is_integer(decimals))
        decimal_print(
            decimal_round(json_number_value(value), (int)json_integer_value(decimals)), buf);
    else
        snprintf(buf, TAIL_VALUE_MAX, "%.17g", json_number_value(value));
}

static enum tail_tone tone_of(const json_t *sample)
{
    const char *grade = control_text(sample, "grade");

    if (strcmp(control_text(sample, "status"), "valid") != 0 || strcmp(grade, "bad") == 0 ||
        strcmp(grade, "missing") == 0)
        return TONE_BAD;
    if (strcmp(grade, "suspect") == 0)
        return TONE_DOUBT;
    return strcmp(grade, "good") == 0 ? TONE_GOOD : TONE_PLAIN;
}

/* "valid good", "fault bad: stuck". */
static void state_text(const json_t *sample, char *buf, size_t size)
{
    const json_t *reasons = json_object_get(sample, "reasons");
    const json_t *reason;
    size_t i;

    size_t n =
        (size_t)snprintf(buf, size, "%s %s", word_of_status(control_text(sample, "status")),
                         word_of_grade(control_text(sample, "grade")));
    json_array_foreach(reasons, i, reason)
    {
        const char *name = control_text(reason, cmd_lang());
        if (n < size)
            n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : ": ", name);
    }
}

static void fill_row(struct tail_row *r, const json_t *sample)
{
    const char *time = control_text(sample, "time");
    char state[TAIL_REST_MAX];

    snprintf(r->id, sizeof r->id, "%s", control_text(sample, "channel"));
    snprintf(r->time, sizeof r->time, "%.12s", strlen(time) > 11 ? time + 11 : "");
    value_text(sample, r->value);
    state_text(sample, state, sizeof state);
    if (snprintf(r->rest, sizeof r->rest, "%-8s %s", control_text(sample, "unit"), state) < 0)
        r->rest[0] = '\0';
    r->tone = tone_of(sample);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct tail_row *)a)->id, ((const struct tail_row *)b)->id);
}

static struct tail_row *row_of(struct tail *t, const char *id)
{
    struct tail_row key;

    snprintf(key.id, sizeof key.id, "%s", id);
    struct tail_row *found = t->n ? bsearch(&key, t->rows, t->n, sizeof key, by_id) : NULL;
    if (found || t->n == ROWS_MAX)
        return found;
    size_t at = 0;
    while (at < t->n && strcmp(t->rows[at].id, key.id) < 0)
        at++;
    memmove(&t->rows[at + 1], &t->rows[at], (t->n - at) * sizeof *t->rows);
    t->n++;
    return &t->rows[at];
}

static void print_overview(const json_t *overview)
{
    overview_print_indices(json_object_get(overview, "indices"), "");
    overview_print_maintenances(json_object_get(overview, "maintenance"),
                                say("maintenance  ", "维护  "));
}

static void draw(struct tail *t)
{
    static const char home_and_clear[] = "\033[H\033[2J";

    fputs(home_and_clear, stdout);
    print_overview(t->overview);
    for (size_t i = 0; i < t->n; i++)
        tail_row_print(&t->rows[i], t->has_color);
    fflush(stdout);
    t->drawn_ms = mono_ms();
}

static void take_sample(struct tail *t, const json_t *sample)
{
    struct tail_row line;

    if (!strstr(control_text(sample, "channel"), t->filter))
        return;
    if (t->options->is_table) {
        struct tail_row *r = row_of(t, control_text(sample, "channel"));
        if (r)
            fill_row(r, sample);
        return;
    }
    fill_row(&line, sample);
    tail_row_print(&line, t->has_color);
}

/* "09:13:50.001  yellow raised: Ozone, roof-o3/ozone 171 µg/m³ (limit 160)" */
static void print_event(const json_t *event)
{
    const char *time = control_text(event, "time");
    const char *notice = control_text(json_object_get(event, "text"), cmd_lang());

    printf("%.12s  ", strlen(time) > 11 ? time + 11 : "");
    if (*notice) {
        puts(notice);
        return;
    }
    bool is_cleared = strcmp(control_text(event, "transition"), "cleared") == 0;
    printf("%s %s: %s, %s %g %s (%s %g)\n",
           word_of_level(control_text(event, is_cleared ? "peak" : "level")),
           word_of_transition(control_text(event, "transition")),
           control_text(json_object_get(event, "title"), cmd_lang()),
           control_text(event, "channel"), json_number_value(json_object_get(event, "value")),
           control_text(event, "unit"), say("limit", "限值"),
           json_number_value(json_object_get(event, "limit")));
}

/* Does its JSON contain the filter? */
static bool holds_filter(const struct tail *t, const json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    const bool is_found = text && strstr(text, t->filter);

    free(text);
    return is_found;
}

static void take_event(const struct tail *t, const json_t *event)
{
    if (!t->options->is_table && holds_filter(t, event))
        print_event(event);
}

static void take_overview(struct tail *t, json_t *overview)
{
    if (t->options->is_table) {
        json_decref(t->overview);
        t->overview = json_incref(overview);
    } else if (holds_filter(t, overview)) {
        print_overview(overview);
    }
}

static bool is_wanted(const struct tail *t, const json_t *root)
{
    const json_t *sample = json_object_get(root, "sample");

    return !sample || strstr(control_text(sample, "channel"), t->filter);
}

static void take_line(struct tail *t, const char *line)
{
    json_t *root = json_loads(line, 0, NULL);
    const json_t *sample = json_object_get(root, "sample");
    const json_t *event = json_object_get(root, "event");
    json_t *overview = json_object_get(root, "overview");

    if (t->options->is_json && is_wanted(t, root))
        puts(line);
    else if (!t->options->is_json && sample)
        take_sample(t, sample);
    else if (!t->options->is_json && event)
        take_event(t, event);
    else if (!t->options->is_json && overview)
        take_overview(t, overview);
    json_decref(root);
}

/* Until the daemon hangs up; SIGINT ends the program as it ends any other. */
static int follow(struct tail *t, struct control_client *client)
{
    int err = 0;

    for (;;) {
        const char *line = control_client_line(client, REDRAW_MS, &err);
        if (line)
            take_line(t, line);
        else if (err != -ETIMEDOUT)
            break;
        bool is_due = mono_ms() - t->drawn_ms >= REDRAW_MS;
        if (t->options->is_table && is_due)
            draw(t);
        if (ferror(stdout))
            return EXIT_FOUND;
    }
    fflush(stdout);
    fprintf(stderr, "sluice tail: the daemon hung up.\n");
    return EXIT_FOUND;
}

static int follow_frames(const struct tail_options *o, const char *filter)
{
    if (o->is_table) {
        fprintf(stderr, "sluice tail: --frames and --table exclude each other.\n");
        return EXIT_USAGE;
    }
    return tail_frames(control_path(o->control), filter, o->is_json);
}

static int run(const void *opt, int argc, char **argv)
{
    const struct tail_options *o = opt;
    struct tail t = { .options = o, .filter = argc ? argv[0] : "" };
    struct control_client *client;
    char error[256];

    if (o->is_frames)
        return follow_frames(o, t.filter);
    t.has_color = isatty(STDOUT_FILENO) && strcmp(o->color, "never") != 0;
    t.rows = o->is_table ? calloc(ROWS_MAX, sizeof *t.rows) : NULL;
    if (o->is_table && !t.rows) {
        fprintf(stderr, "sluice tail: Out of memory.\n");
        return EXIT_FOUND;
    }
    if (control_client_open(control_path(o->control), "tail", &client, error, sizeof error)) {
        fprintf(stderr, "sluice tail: %s\n", error);
        free(t.rows);
        return EXIT_FOUND;
    }
    setvbuf(stdout, NULL, o->is_table ? _IOFBF : _IOLBF,
            BUFSIZ); /* a reader of the pipe is live */
    int status = follow(&t, client);
    control_client_close(client);
    json_decref(t.overview);
    free(t.rows);
    return status;
}

const struct cmd cmd_tail = {
    .name = "tail",
    .usage = "[FILTER]",
    .summary = "Follow live values and events of the running gateway.",
    .details =
        "One line per sample: time (UTC), channel, value, unit, status and grade with the\n"
        "reasons. FILTER keeps the channels whose id contains it. The newest value of every\n"
        "channel comes first, then indices and devices under maintenance, again whenever they\n"
        "change. Ends with Ctrl-C or with the daemon.\n\n"
        "With --frames one line per frame: time, bus, unit, device, > for a request and < for\n"
        "an answer, the bytes as on the wire, and what became of it when it was not taken.\n"
        "FILTER then keeps the buses and devices whose id contains it.\n\n"
        "Example: sluice tail roof-        sluice tail --table        sluice tail --frames",
    .options = options,
    .options_size = sizeof(struct tail_options),
    .args_max = 1,
    .run = run,
};
