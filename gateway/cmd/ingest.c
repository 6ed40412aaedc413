/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/ingest.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/cmd/cmd.h"
#include "gateway/uplink/mqtt_address.h"

enum {
    SECRET_MAX = 1024,
    POST_TIMEOUT_MS = 30000,
};

struct ingest_arguments {
    const char *broker, *db, *database, *org, *bucket, *token_file, *db_username,
        *db_password_file, *region, *shards, *username, *password_file, *ca, *cert, *key,
        *format, *proof, *listen, *clock;
    double ack_interval_s, retention_days;
    bool is_verbose;
};

#define OPTION(member) .offset = offsetof(struct ingest_arguments, member)

static const struct cmd_option options[] = {
    { .name = "broker",
      .letter = 'b',
      .type = OPTION_TEXT,
      OPTION(broker),
      .value = "URL",
      .help = "Broker: mqtt://host:1883 or mqtts://host:8883." },
    { .name = "db",
      .letter = 'd',
      .type = OPTION_TEXT,
      OPTION(db),
      .value = "URL",
      .help = "Time-series database: http://host:8428; a path of its own is kept." },
    { .name = "database",
      .type = OPTION_TEXT,
      OPTION(database),
      .value = "NAME",
      .help = "Database of InfluxDB 1; VictoriaMetrics makes it a label." },
    { .name = "org",
      .type = OPTION_TEXT,
      OPTION(org),
      .value = "NAME",
      .help = "Organisation of InfluxDB 2." },
    { .name = "bucket",
      .type = OPTION_TEXT,
      OPTION(bucket),
      .value = "NAME",
      .help = "Bucket of InfluxDB 2." },
    { .name = "token-file",
      .type = OPTION_TEXT,
      OPTION(token_file),
      .value = "FILE",
      .help = "File with the token of InfluxDB 2." },
    { .name = "db-username",
      .type = OPTION_TEXT,
      OPTION(db_username),
      .value = "NAME",
      .help = "User at the database." },
    { .name = "db-password-file",
      .type = OPTION_TEXT,
      OPTION(db_password_file),
      .value = "FILE",
      .help = "File with the password at the database." },
    { .name = "format",
      .type = OPTION_TEXT,
      OPTION(format),
      .dflt = "auto",
      .value = "KIND",
      .help = "What the database gets: \"line\" protocol, \"json\" lines of VictoriaMetrics, "
              "\"auto\": what it says it is." },
    { .name = "proof",
      .type = OPTION_TEXT,
      OPTION(proof),
      .dflt = "auto",
      .value = "KIND",
      .help = "When an entry counts as stored: \"answer\" to the write, \"snapshot\" "
              "made by VictoriaMetrics, \"auto\"." },
    { .name = "retention",
      .type = OPTION_DOUBLE,
      OPTION(retention_days),
      .dflt = "0",
      .min = 0,
      .max = 400000,
      .value = "DAYS",
      .help = "The database keeps so much: older rows are refused; 0: what it says itself." },
    { .name = "region",
      .letter = 'r',
      .type = OPTION_TEXT,
      OPTION(region),
      .value = "NAME",
      .help = "Only the stations of this region." },
    { .name = "shards",
      .type = OPTION_TEXT,
      OPTION(shards),
      .dflt = "00-3f",
      .value = "SET",
      .help = "Only these shards: \"00-1f\", \"00,07,20-2f\". Each shard has one ingest." },
    { .name = "ack-interval",
      .type = OPTION_DOUBLE,
      OPTION(ack_interval_s),
      .dflt = "1",
      .min = 0.01,
      .max = 3600,
      .value = "SECONDS",
      .help =
          "Acknowledge at the latest after so long; stations send again after twice theirs." },
    { .name = "listen",
      .letter = 'l',
      .type = OPTION_TEXT,
      OPTION(listen),
      .value = "HOST:PORT",
      .help = "Serve /metrics for Prometheus and /healthz there." },
    { .name = "username",
      .letter = 'u',
      .type = OPTION_TEXT,
      OPTION(username),
      .value = "NAME",
      .help = "User at the broker." },
    { .name = "password-file",
      .type = OPTION_TEXT,
      OPTION(password_file),
      .value = "FILE",
      .help = "File with the password at the broker." },
    { .name = "ca",
      .type = OPTION_TEXT,
      OPTION(ca),
      .value = "FILE",
      .help = "Certificates to trust instead of the system's." },
    { .name = "cert",
      .type = OPTION_TEXT,
      OPTION(cert),
      .value = "FILE",
      .help = "Own certificate for the broker." },
    { .name = "key",
      .type = OPTION_TEXT,
      OPTION(key),
      .value = "FILE",
      .help = "Its private key." },
    { .name = "clock",
      .type = OPTION_TEXT,
      OPTION(clock),
      .value = "TEXT",
      .help = "Fast station clock of a demonstration, as sluice demo hands it over." },
    { .name = "verbose",
      .letter = 'v',
      .type = OPTION_FLAG,
      OPTION(is_verbose),
      .help = "Log every detail." },
    { 0 },
};

struct secrets {
    char token[SECRET_MAX], db_password[SECRET_MAX], password[SECRET_MAX];
};

static int wrong(const char *what, const char *detail)
{
    fprintf(stderr, "sluice ingest: %s%s%s\n", what, detail ? ": " : ".", detail ? detail : "");
    return EXIT_USAGE;
}

/* The first line of a file; *ret_text stays NULL without a file. */
static int read_secret(const char *path, char *text, const char **ret_text)
{
    if (!path)
        return EXIT_DONE;
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, SECRET_MAX - 1, f) : 0;
    bool is_read = f && !ferror(f) && feof(f);
    if (f)
        fclose(f);
    if (!is_read)
        return wrong("a secret's file cannot be read or is too long", path);
    text[n] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    *ret_text = text;
    return EXIT_DONE;
}

static int read_secrets(const struct ingest_arguments *o, struct secrets *s,
                        struct ingest_options *g)
{
    int rc = read_secret(o->token_file, s->token, &g->database.http.token);

    if (rc == EXIT_DONE)
        rc = read_secret(o->db_password_file, s->db_password, &g->database.http.password);
    if (rc == EXIT_DONE)
        rc = read_secret(o->password_file, s->password, &g->subscriber.password);
    return rc;
}

/* The place of `word` in a list that NULL closes. */
static int read_word(const char *option, const char *word, const char *const *words, int *ret)
{
    char known[64] = "";

    for (int i = 0; words[i]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret = i;
            return EXIT_DONE;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", words[i]);
    }
    fprintf(stderr, "sluice ingest: --%s is none of %s: %s\n", option, known, word);
    return EXIT_USAGE;
}

static int read_words(const struct ingest_arguments *o, struct database_options *d)
{
    static const char *const proofs[] = { "auto", "answer", "snapshot", NULL };
    int proof = 0, format = 0;

    int rc = read_word("proof", o->proof, proofs, &proof);
    if (rc == EXIT_DONE)
        rc = read_word("format", o->format, line_post_format_words, &format);
    d->proof = (enum database_proof)proof;
    d->format = (enum line_post_format)format;
    return rc;
}

static int check(const struct ingest_arguments *o, struct ingest_options *g)
{
    struct mqtt_address address;
    char why[160];

    if (!o->broker || !o->db)
        return wrong("--broker and --db must be given", NULL);
    if (mqtt_address_parse(o->broker, &address, why, sizeof why) < 0)
        return wrong("--broker", why);
    if (shards_parse(o->shards, &g->subscriber.shards) < 0)
        return wrong("--shards is no set of shards like 00-3f or 00,07,20-2f", o->shards);
    if (o->region && !*o->region)
        return wrong("--region is empty", NULL);
    if (o->region && (strlen(o->region) > 64 ||
                      o->region[strspn(o->region, "abcdefghijklmnopqrstuvwxyz0123456789_-")]))
        return wrong("--region is no region's id, 1 to 64 of a-z 0-9 _ -", o->region);
    if (o->clock && clock_parse(o->clock, &g->clock) < 0)
        return wrong("--clock is not a clock's text", o->clock);
    return read_words(o, &g->database);
}

/* From the service's thread: the main one waits for signals. */
static void end_replaced(void *user)
{
    atomic_store((atomic_bool *)user, true);
    kill(getpid(), SIGTERM);
}

static void say_ready(void *user)
{
    (void)user;
    printf("ready\n");
    fflush(stdout);
}

static void fill(const struct ingest_arguments *o, struct ingest_options *g)
{
    g->subscriber.broker = o->broker;
    g->subscriber.region = o->region;
    g->listen = o->listen;
    g->subscriber.username = o->username;
    g->subscriber.ca = o->ca;
    g->subscriber.cert = o->cert;
    g->subscriber.key = o->key;
    g->database.http.username = o->db_username;
    g->database.http.ca = o->ca;
    g->database.http.timeout_ms = POST_TIMEOUT_MS;
    g->database.is_plain = true; /* the centre and its database are near each other */
    g->ack_interval_ms = (int64_t)(o->ack_interval_s * 1000);
    g->retention_ms = (int64_t)(o->retention_days * 86400000.0);
    g->on_ready = say_ready;
}

/* Signals are blocked before the first thread is made: only sigwait() sees them. */
static int serve(struct ingest_options *g)
{
    atomic_bool is_replaced = false;
    struct ingest *service;
    sigset_t ends;
    int number;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    g->on_replaced = end_replaced;
    g->user = &is_replaced;
    int rc = ingest_start(g, &service);
    if (rc < 0) {
        fprintf(stderr, "sluice ingest: cannot start: %s.\n", strerror(-rc));
        return rc == -EINVAL ? EXIT_USAGE : EXIT_FOUND;
    }
    do
        sigwait(&ends, &number);
    while (number == SIGHUP); /* nothing to reload, and no reason to end */
    ingest_stop(service);
    if (!atomic_load(&is_replaced))
        return EXIT_DONE;
    log_error("another ingest has taken over these shards: ended");
    return EXIT_FOUND;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct ingest_arguments *o = opt;
    const struct write_target target = { .database = o->database,
                                         .org = o->org,
                                         .bucket = o->bucket };
    struct ingest_options g = { .user = NULL };
    struct secrets secrets;
    char why[160];

    (void)argc, (void)argv;
    clock_init(&g.clock, 1, 0);
    int rc = check(o, &g);
    if (rc == EXIT_DONE)
        rc = read_secrets(o, &secrets, &g);
    if (rc != EXIT_DONE)
        return rc;
    char *url = http_post_write_url(o->db, &target, why, sizeof why);
    if (!url)
        return wrong("--db", why);
    if (o->is_verbose)
        log_set_level(LOG_DEBUG);
    fill(o, &g);
    g.database.http.url = url;
    rc = serve(&g);
    free(url);
    return rc;
}

const struct cmd cmd_ingest = {
    .name = "ingest",
    .usage = "",
    .summary = "The regional centre's side: from the broker into the time-series database.",
    .details =
        "Subscribes to what stations publish, decodes it, writes points to InfluxDB or\n"
        "VictoriaMetrics, and acknowledges entries to their stations once the database has\n"
        "taken them. Keeps nothing: what was not acknowledged is sent again by the station.\n"
        "Lines that the database refuses one by one are logged with station and entry, and\n"
        "acknowledged then, so that a station is not held up for ever. Frames that can never "
        "be\n"
        "decoded are refused: their station sets them aside and goes on.\n"
        "VictoriaMetrics answers before anything is on its disk: entries are acknowledged "
        "after\n"
        "a snapshot, made and removed, has put them there. Start it with\n"
        "-dedup.minScrapeInterval=1ms -snapshotsMaxAge=1d.\n"
        "Prints \"ready\" once it is subscribed; SIGTERM or Ctrl-C ends it within two "
        "seconds.\n\n"
        "Examples:\n"
        "  sluice ingest --broker mqtt://127.0.0.1:1883 --db http://127.0.0.1:8428\n"
        "  sluice ingest --broker mqtts://broker:8883 --db http://influx:8086 --database env "
        "\\\n"
        "    --region north --shards 00-1f",
    .options = options,
    .options_size = sizeof(struct ingest_arguments),
    .run = run,
};
