/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - recorded traffic once more: decoded with the configuration's profiles, or answered
 * to whoever asks; or series through a station's pipeline.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/app_view.h"
#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/replay.h"
#include "gateway/cmd/replay_station.h"
#include "gateway/cmd/tail_row.h"
#include "gateway/cmd/words.h"
#include "gateway/conf/config.h"
#include "gateway/traffic/reader.h"

struct replay_options {
    const char *config, *serve, *color;
    bool is_json;
    struct replay_station_options station;
};

#define OPTION(member) .offset = offsetof(struct replay_options, member)

static const struct cmd_option options[] = {
    { .name = "config",
      .letter = 'c',
      .type = OPTION_TEXT,
      OPTION(config),
      .dflt = "/etc/sluice/sluice.yaml",
      .value = "FILE",
      .help = "Configuration that names the devices of the recording." },
    { .name = "serve",
      .type = OPTION_TEXT,
      OPTION(serve),
      .value = "tcp:PORT|pty:PATH",
      .help = "Answer requests as recorded, until Ctrl-C, instead of decoding." },
    { .name = "json",
      .type = OPTION_FLAG,
      OPTION(is_json),
      .help = "Print each reading as a JSON object; with --station: the summary." },
    { .name = "station",
      .type = OPTION_TEXT,
      OPTION(station.station),
      .value = "FILE",
      .help = "Configuration of the station whose pipeline judges the series." },
    { .name = "series",
      .type = OPTION_TEXT,
      OPTION(station.series),
      .value = "DIR",
      .help = "With --station: folder of tables, DEVICE.csv each." },
    { .name = "log",
      .type = OPTION_TEXT,
      OPTION(station.log),
      .value = "LOG",
      .help = "With --station: a station's log, running or copied, instead of --series." },
    { .name = "from",
      .type = OPTION_TEXT,
      OPTION(station.from),
      .value = "TIME",
      .help = "With --log: first time, as sluice export takes it." },
    { .name = "to",
      .type = OPTION_TEXT,
      OPTION(station.to),
      .value = "TIME",
      .help = "With --log: end, itself not included." },
    { .name = "rules-only",
      .type = OPTION_FLAG,
      OPTION(station.is_rules_only),
      .help = "With --station: count what the rules raise; of files alerts, events and "
              "backtest.json alone, and none without --out." },
    { .name = "rule",
      .type = OPTION_TEXTS,
      OPTION(station.rules),
      .value = "RULE",
      .help = "With --station: judge by this rule alone, even if it is switched off; may be "
              "repeated." },
    { .name = "labels",
      .type = OPTION_TEXT,
      OPTION(station.labels),
      .value = "FILE",
      .help = "With --station: what is known to have happened (start,end,kind,... as CSV or "
              "JSON); what was raised is counted against it." },
    { .name = "out",
      .type = OPTION_TEXT,
      OPTION(station.out),
      .value = "DIR",
      .help = "With --station: folder for flags, statistics, indices, alerts and events." },
    { .name = "calibrated",
      .type = OPTION_FLAG,
      OPTION(station.is_calibrated),
      .help = "With --station: factor and offset are in the values already." },
    { .name = "flagged",
      .type = OPTION_FLAG,
      OPTION(station.is_flagged),
      .help = "With --station: leave samples that are good out of flags.csv." },
    { .name = "times",
      .type = OPTION_TEXT,
      OPTION(station.times),
      .dflt = "iso",
      .value = "iso|s|ms",
      .help = "With --station: times as ISO 8601 UTC, Unix seconds or milliseconds." },
    { .name = "color",
      .type = OPTION_TEXT,
      OPTION(color),
      .dflt = "auto",
      .value = "auto|never",
      .help = "Colour states; auto: only on a terminal." },
    { 0 },
};

struct replay {
    const struct replay_options *o;
    const struct config *config;
    struct traffic_reader **readers; /* per device of the configuration */
    bool has_color;
    uint64_t frames, exchanges, readings, unknown;
};

/* ---- one reading ---- */

static const struct device_conf *device_at(const struct replay *r, size_t i)
{
    return &((const struct device_conf *)r->config->devices.items)[i];
}

static enum tail_tone tone_of(struct verdict v)
{
    if (v.status != STATUS_VALID || v.grade == GRADE_BAD || v.grade == GRADE_MISSING)
        return TONE_BAD;
    return v.grade == GRADE_SUSPECT ? TONE_DOUBT
           : v.grade == GRADE_GOOD  ? TONE_GOOD
                                    : TONE_PLAIN;
}

/* "valid good", "fault bad: instrument fault". */
static void state_text(struct verdict v, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s %s", word_of_status(status_id(v.status)),
                                word_of_grade(grade_id(v.grade)));
    const char *joint = ": ";

    for (int i = 0; i < 31 && n < size; i++) {
        const char *name = v.reasons >> i & 1 ? reason_name(1u << i, cmd_lang()) : NULL;
        if (!name)
            continue;
        n += (size_t)snprintf(out + n, size - n, "%s%s", joint, name);
        joint = ", ";
    }
}

static void print_json(const struct device_conf *dev, const struct profile_point *pt,
                       const struct reading *reading, const char *time)
{
    struct buf b = BUF_INIT(4096);
    char value[DECIMAL_TEXT_MAX];

    decimal_print(reading->value, value);
    buf_printf(&b, "{\"reading\":{\"time\":\"%s\",\"device\":", time);
    buf_json(&b, dev->id);
    buf_printf(&b, ",\"point\":\"%s\",\"quantity\":", pt->id);
    buf_json(&b, pt->quantity ? pt->quantity->id : NULL);
    buf_puts(&b, ",\"unit\":");
    buf_json(&b, pt->quantity ? pt->quantity->unit : pt->unit ? pt->unit->code : NULL);
    buf_printf(&b, ",\"value\":%s,\"status\":\"%s\",\"grade\":\"%s\"}}",
               value[0] ? value : "null", status_id(reading->verdict.status),
               grade_id(reading->verdict.grade));
    const char *text = buf_text(&b);
    if (text)
        puts(text);
    buf_done(&b);
}

static const char *unit_of(const struct profile_point *pt)
{
    const struct unit *u = pt->quantity ? unit_find_ucum(pt->quantity->unit) : pt->unit;

    return u ? u->display : "";
}

static void print_reading(struct replay *r, const struct device_conf *dev,
                          const struct profile_point *pt, const struct reading *reading,
                          int64_t time_ms)
{
    char time[TIME_TEXT_MAX], state[TAIL_REST_MAX];
    struct tail_row row = { .tone = tone_of(reading->verdict) };

    if (pt->type == TYPE_TEXT)
        return;
    r->readings++;
    time_print_utc(time_ms, time);
    if (r->o->is_json) {
        print_json(dev, pt, reading, time);
        return;
    }
    snprintf(row.id, sizeof row.id, "%s/%s", dev->id, pt->id);
    snprintf(row.time, sizeof row.time, "%.12s", time + 11);
    if (decimal_has_value(reading->value))
        decimal_print(reading->value, row.value);
    else
        snprintf(row.value, sizeof row.value, "-");
    state_text(reading->verdict, state, sizeof state);
    if (snprintf(row.rest, sizeof row.rest, "%-8s %s", unit_of(pt), state) < 0)
        row.rest[0] = '\0';
    tail_row_print(&row, r->has_color);
}

static void print_scan(struct replay *r, size_t device, int64_t time_ms)
{
    const struct device_conf *dev = device_at(r, device);
    const struct profile *p = dev->profile_found;
    const struct reading *readings = traffic_reader_readings(r->readers[device]);

    for (size_t i = 0; i < p->points_n; i++)
        print_reading(r, dev, &p->points[i], &readings[i], time_ms);
}

/* ---- exchanges ---- */

/* By bus and unit; else by the id that the recording gateway knew it by. */
static bool find_device(const struct replay *r, const struct record_line *l, size_t *ret)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < r->config->devices.n; i++) {
            const struct device_conf *d = device_at(r, i);
            int64_t unit = d->unit >= 0 ? d->unit : d->profile_found->serial.unit;
            bool is_it = pass == 0 ? strcmp(d->bus, l->bus) == 0 && unit == l->unit
                                   : strcmp(d->id, l->device) == 0;
            if (!is_it)
                continue;
            *ret = i;
            return true;
        }
    return false;
}

/* "07:04:57.161  roof-o3: no answer to 04 12+2" */
static void tell_failure(const struct replay *r, const struct device_conf *dev,
                         const struct traffic_exchange *e)
{
    char time[TIME_TEXT_MAX];

    if (r->o->is_json || e->reply.outcome == BUS_OK)
        return;
    time_print_utc(e->reply.time_ms, time);
    printf("%.12s  %s: ", time + 11, dev->id);
    if (e->reply.outcome == BUS_EXCEPTION)
        printf(say_zh() ? "异常码 %u" : "exception %u", e->reply.exception);
    else if (e->reply.outcome == BUS_BAD_FRAME)
        fputs(say_zh() ? "应答与请求不符" : "the answer does not fit the request", stdout);
    else
        fputs(say_zh() ? "无应答" : "no answer", stdout);
    printf(" (%c:%u+%u)\n", " cdhi"[e->asked.function], e -> asked.first, e->asked.count);
}

static int take_exchange(void *user, const struct traffic_exchange *e)
{
    struct replay *r = user;
    size_t i;
    int64_t time_ms;

    r->exchanges++;
    if (!find_device(r, e->request, &i)) {
        r->unknown++;
        return 0;
    }
    const struct device_conf *dev = device_at(r, i);
    if (!r->readers[i]) {
        int rc = traffic_reader_create(dev->profile_found, dev->order - 1, &r->readers[i]);
        if (rc < 0)
            return rc;
    }
    if (traffic_reader_take(r->readers[i], e, &time_ms))
        print_scan(r, i, time_ms);
    if (e->asked.function >= BUS_READ_COILS && e->asked.function <= BUS_READ_INPUT)
        tell_failure(r, dev, e);
    return 0;
}

static void finish(struct replay *r)
{
    int64_t time_ms;

    for (size_t i = 0; i < r->config->devices.n; i++)
        if (r->readers[i] && traffic_reader_end(r->readers[i], &time_ms))
            print_scan(r, i, time_ms);
}

/* ---- the command ---- */

static void print_count(uint64_t n, const char *one, const char *end)
{
    fprintf(stderr, "%llu %s%s%s", (unsigned long long)n, one, n == 1 ? "" : "s", end);
}

static void print_counts(const struct replay *r)
{
    if (say_zh()) {
        fprintf(stderr, "%llu 帧，%llu 次问答，%llu 个读数，%llu 次问答的仪器不在配置中\n",
                (unsigned long long)r->frames, (unsigned long long)r->exchanges,
                (unsigned long long)r->readings, (unsigned long long)r->unknown);
        return;
    }
    print_count(r->frames, "frame", ", ");
    print_count(r->exchanges, "exchange", ", ");
    print_count(r->readings, "reading", ", ");
    print_count(r->unknown, "exchange", " with devices that are not configured\n");
}

static int decode(struct replay *r, const char *path)
{
    r->readers = calloc(r->config->devices.n + 1, sizeof(void *));
    int status = r->readers ? replay_read(path, take_exchange, r, &r->frames) : EXIT_FOUND;
    if (status == EXIT_DONE)
        finish(r);
    for (size_t i = 0; r->readers && i < r->config->devices.n; i++)
        traffic_reader_destroy(r->readers[i]);
    free(r->readers);
    if (status != EXIT_DONE || fflush(stdout))
        return status != EXIT_DONE ? status : EXIT_FOUND;
    print_counts(r);
    return EXIT_DONE;
}

static int decode_with_config(const struct replay_options *o, const char *path)
{
    struct replay r = { .o = o };
    struct config *config = NULL;
    struct diag *d;

    if (diag_create(&d) < 0)
        return EXIT_FOUND;
    int rc = config_load(o->config, uplink_choices(), d, &config);
    if (rc < 0)
        diag_print(d, stderr);
    diag_destroy(d);
    if (rc < 0)
        return EXIT_USAGE;
    r.config = config;
    r.has_color = isatty(STDOUT_FILENO) && strcmp(o->color, "never") != 0;
    int status = decode(&r, path);
    config_destroy(config);
    return status;
}

static int wrong(const char *sentence)
{
    fprintf(stderr, say("sluice replay: %s.\n", "sluice replay：%s。\n"), sentence);
    return EXIT_USAGE;
}

static int run_station(const struct replay_options *o, int argc)
{
    struct replay_station_options station = o->station;

    if (!station.station || !(station.series || station.log) ||
        !(station.out || station.is_rules_only))
        return wrong(say("--station needs --series or --log, and --out or --rules-only",
                         "--station 须与 --series 或 --log、以及 --out 或 --rules-only 同用"));
    if (station.series && station.log)
        return wrong(
            say("--series and --log exclude each other", "--series 与 --log 只能选一个"));
    if (!station.log && (station.from || station.to))
        return wrong(say("--from and --to belong to --log", "--from 和 --to 须与 --log 同用"));
    if (argc > 0 || o->serve)
        return wrong(say("--station takes no recording and no --serve",
                         "--station 不能与录制文件或 --serve 同用"));
    station.is_json = o->is_json;
    return replay_station(&station);
}

static int run(const void *opt, int argc, char **argv)
{
    const struct replay_options *o = opt;

    const struct replay_station_options *s = &o->station;

    if (s->station || s->series || s->log || s->out || s->labels || s->is_rules_only ||
        s->rules.n)
        return run_station(o, argc);
    if (argc == 0)
        return wrong(say("name the FILE that was recorded, or --station with --series or --log",
                         "请指定录制文件 FILE，或 --station 及 --series 或 --log"));
    return o->serve ? replay_serve(argv[0], o->serve) : decode_with_config(o, argv[0]);
}

const struct cmd cmd_replay = {
    .name = "replay",
    .usage = "[FILE]",
    .summary = "Decode recorded bus traffic, answer as the devices did, or judge whole series.",
    .details =
        "FILE is what sluice record wrote. Every scan of a device is decoded with its profile\n"
        "as the running gateway decodes it, and printed as sluice tail prints values, with "
        "the\n"
        "times of the recording. Checks that look at earlier values are not run.\n\n"
        "With --serve the recording answers: an equal request gets the recorded answers one\n"
        "after another, over and over; what was never asked gets silence.\n\n"
        "With --station tables of measurements take the place of the instruments: all that "
        "the\n"
        "station does to readings is done in virtual time. --series is a folder of tables\n"
        "(time,value,value...) in the form of sluice series, in canonical units: roof.csv with "
        "a\n"
        "column for each point or quantity of the device roof, roof.ozone.csv with a single "
        "one,\n"
        "or any name and columns named roof/ozone. --out gets flags.csv, statistics.csv,\n"
        "indices.csv, alerts.json and events.json, the same bytes at each run.\n\n"
        "  sluice replay --config station.yaml roof.traffic\n"
        "  sluice replay --serve tcp:1502 roof.traffic\n"
        "  sluice replay --station station.yaml --series week/ --out judged/\n\n"
        "--log takes the readings of a station's log instead. With --rules-only, or with "
        "--labels,\n"
        "what the rules raised is counted: how often, how long, and against the labels what "
        "was\n"
        "right, false and missed, with a line to paste beside the rule.\n\n"
        "  sluice replay --station station.yaml --log log.db --rules-only --labels year.csv\n\n"
        "Exit status: 0 done, 1 cannot serve or write, 2 errors in FILE, series or the\n"
        "configuration.",
    .options = options,
    .options_size = sizeof(struct replay_options),
    .args_min = 0,
    .args_max = 1,
    .run = run,
};
