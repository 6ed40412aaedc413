/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/database.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

enum {
    METRICS_MAX = 4 << 20, /* of a node with many flags and series kinds: some 100 KiB */
    SNAPSHOT_MAX = 4096,
    NAME_MAX_BYTES = 64,
    URL_MAX = 1024,
    YOUNG_S = 2, /* a process so young may have the start second of the one before it */
    YOUNG_WAIT_MS = 500,
};

struct database {
    struct line_post *post;
    struct http_post *http; /* its */
    enum database_proof proof;
    char base[URL_MAX]; /* scheme, host, port */
    struct database_facts facts;
    bool is_known; /* facts are of the process that got all writes since */
    bool was_told;
};

/* ---- life ---- */

static int take_base(struct database *d, const char *url)
{
    const char *host = strstr(url, "://");
    size_t n = host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;

    if (n == 0 || n >= sizeof d->base)
        return -EINVAL;
    memcpy(d->base, url, n);
    d->base[n] = '\0';
    return 0;
}

int database_create(const struct database_options *o, struct database **ret)
{
    struct database *d = calloc(1, sizeof *d);

    if (!d)
        return -ENOMEM;
    d->proof = o->proof;
    int rc = take_base(d, o->http.url);
    if (rc == 0)
        rc = line_post_create(&(struct line_post_options){ .http = o->http,
                                                           .format = o->format,
                                                           .is_plain = o->is_plain,
                                                           .who = "database" },
                              &d->post);
    if (rc < 0) {
        database_destroy(d);
        return rc;
    }
    d->http = line_post_http(d->post);
    *ret = d;
    return 0;
}

void database_destroy(struct database *d)
{
    if (!d)
        return;
    line_post_destroy(d->post);
    free(d);
}

const struct database_facts *database_facts(const struct database *d)
{
    return &d->facts;
}

void database_stop(struct database *d)
{
    line_post_stop(d->post);
}

/* ---- what it is ---- */

/* The value behind `name` at the beginning of a line; NULL when there is none. */
static const char *find_line(const char *text, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        if (strncmp(p, name, n) == 0)
            return p + n;
    return NULL;
}

static int64_t read_number(const char *text, const char *name, int64_t dflt)
{
    const char *at = find_line(text, name);

    return at ? strtoll(at, NULL, 10) : dflt;
}

static const char *find_flag(const char *text, const char *name)
{
    char line[64];

    snprintf(line, sizeof line, "flag{name=\"%s\", value=\"", name);
    return find_line(text, line);
}

/* "1", "13" are months of 31 days, "30d", "100y", as its -retentionPeriod. 0: not understood.
 */
static int64_t read_retention(const char *text)
{
    static const struct {
        char unit;
        int64_t hours;
    } units[] = {
        { 'h', 1 }, { 'd', 24 }, { 'w', 168 }, { 'y', 8760 }, { 'M', 744 }, { '"', 744 },
    };
    char *end;

    if (!text)
        return 0;
    double n = strtod(text, &end);
    for (size_t i = 0; n > 0 && n < 1e6 && i < sizeof units / sizeof units[0]; i++)
        if (*end == units[i].unit)
            return (int64_t)(n * (double)units[i].hours * 3600000.0);
    return 0;
}

bool database_read_metrics(const char *text, struct database_facts *ret)
{
    const char *dedup = find_flag(text, "dedup.minScrapeInterval");

    *ret = (struct database_facts){
        .is_victoria = find_line(text, "vm_app_version") != NULL,
        .start_s = read_number(text, "process_start_time_seconds ", 0),
        .up_s = read_number(text, "vm_app_uptime_seconds ", YOUNG_S),
        .retention_ms = read_retention(find_flag(text, "retentionPeriod")),
        .lacks_dedup = dedup && strncmp(dedup, "0s\"", 3) == 0,
    };
    return ret->is_victoria;
}

static enum uplink_verdict ask(struct database *d, struct database_facts *ret,
                               struct uplink_report *why)
{
    struct buf text = BUF_INIT(METRICS_MAX);
    char url[URL_MAX + 16];

    *ret = (struct database_facts){ .start_s = 0 };
    snprintf(url, sizeof url, "%s/metrics", d->base);
    enum uplink_verdict v = http_post_fetch(d->http, url, &text, why);
    if (v == UPLINK_DELIVERED && buf_text(&text))
        database_read_metrics(text.data, ret);
    buf_done(&text);
    return v;
}

static void tell_facts(struct database *d, const struct database_facts *f, bool could_ask)
{
    if (d->was_told)
        return;
    d->was_told = true;
    if (f->needs_proof)
        log_notice("database is VictoriaMetrics: entries are acknowledged after a snapshot has "
                   "put them on its disk");
    else if (!could_ask && d->proof == DATABASE_AUTO)
        log_warning("database does not say what it is at /metrics: its answers count; should "
                    "it be VictoriaMetrics, use --proof snapshot");
    if (f->lacks_dedup)
        log_warning("VictoriaMetrics runs without -dedup.minScrapeInterval=1ms: an entry that "
                    "is written again would count twice");
    if (f->retention_ms)
        log_notice("database keeps %" PRId64 " days; older rows are refused",
                   f->retention_ms / 86400000);
}

static enum uplink_verdict wait_until_older(struct uplink_report *why)
{
    snprintf(why->text, sizeof why->text, "%s", "the database has only just started");
    why->retry_after_ms = YOUNG_WAIT_MS;
    return UPLINK_LATER;
}

/* Delivered: known, and every later process can be told from this one. */
static enum uplink_verdict identify(struct database *d, struct uplink_report *why)
{
    struct database_facts f;

    if (d->is_known)
        return UPLINK_DELIVERED;
    if (d->proof == DATABASE_ANSWER) {
        d->is_known = true;
        return UPLINK_DELIVERED;
    }
    enum uplink_verdict v = ask(d, &f, why);
    if (v == UPLINK_LATER || (v != UPLINK_DELIVERED && d->proof == DATABASE_SNAPSHOT))
        return v;
    f.needs_proof = d->proof == DATABASE_SNAPSHOT || f.is_victoria;
    if (f.needs_proof && f.start_s == 0) {
        snprintf(why->text, sizeof why->text, "%s",
                 "the database does not tell process_start_time_seconds at /metrics");
        return UPLINK_DENIED;
    }
    if (f.needs_proof && f.up_s < YOUNG_S)
        return wait_until_older(why);
    tell_facts(d, &f, v == UPLINK_DELIVERED);
    d->facts = f;
    d->is_known = true;
    return UPLINK_DELIVERED;
}

/* ---- writing and proving ---- */

enum uplink_verdict database_write(struct database *d, const void *body, size_t size,
                                   struct uplink_report *why)
{
    enum uplink_verdict v = identify(d, why);

    return v == UPLINK_DELIVERED ? line_post_send(d->post, body, size, why) : v;
}

/* {"status":"ok","snapshot":"20261122111828-18EA59F488E3B320"} */
static bool read_snapshot(const struct buf *text, char *name)
{
    json_t *root = json_loadb(text->data ? text->data : "", text->size, 0, NULL);
    const char *found = json_string_value(json_object_get(root, "snapshot"));
    bool is_good = found && *found && strlen(found) < NAME_MAX_BYTES;

    for (const char *p = found; is_good && *p; p++)
        is_good = isalnum((unsigned char)*p) || *p == '-';
    if (is_good)
        memcpy(name, found, strlen(found) + 1);
    json_decref(root);
    return is_good;
}

static enum uplink_verdict make_snapshot(struct database *d, char *name,
                                         struct uplink_report *why)
{
    struct buf text = BUF_INIT(SNAPSHOT_MAX);
    char url[URL_MAX + 32];

    snprintf(url, sizeof url, "%s/snapshot/create", d->base);
    enum uplink_verdict v = http_post_fetch(d->http, url, &text, why);
    if (v == UPLINK_DELIVERED && !read_snapshot(&text, name)) {
        snprintf(why->text, sizeof why->text, "/snapshot/create answers: %.100s",
                 buf_text(&text) ? text.data : "");
        v = UPLINK_LATER;
    }
    buf_done(&text);
    return v;
}

/* One that stays costs disk until -snapshotsMaxAge: told, and no reason to write again. */
static void remove_snapshot(struct database *d, const char *name)
{
    struct buf text = BUF_INIT(SNAPSHOT_MAX);
    char url[URL_MAX + 128];
    struct uplink_report why;

    snprintf(url, sizeof url, "%s/snapshot/delete?snapshot=%s", d->base, name);
    if (http_post_fetch(d->http, url, &text, &why) != UPLINK_DELIVERED)
        log_warning("database keeps snapshot %s: %s", name, why.text);
    buf_done(&text);
}

static enum uplink_verdict prove(struct database *d, struct uplink_report *why)
{
    char name[NAME_MAX_BYTES];
    struct database_facts f;
    enum uplink_verdict v = make_snapshot(d, name, why);

    if (v != UPLINK_DELIVERED)
        return v;
    remove_snapshot(d, name);
    v = ask(d, &f, why);
    if (v == UPLINK_DELIVERED && f.start_s != d->facts.start_s) {
        snprintf(why->text, sizeof why->text, "%s", "the database was restarted");
        v = UPLINK_LATER;
    }
    return v;
}

enum uplink_verdict database_prove(struct database *d, struct uplink_report *why)
{
    *why = (struct uplink_report){ .retry_after_ms = 0 };
    if (!d->facts.needs_proof)
        return UPLINK_DELIVERED;
    enum uplink_verdict v = prove(d, why);
    if (v != UPLINK_DELIVERED)
        d->is_known = false;
    return v;
}
