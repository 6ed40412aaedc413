/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/line_post.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/uplink/line_json.h"

enum {
    ANSWER_MAX = 64 << 10, /* of the flags of a server; it tells those alone that were set */
    BODY_MAX = 64 << 20, /* 8 MiB of lines, each field of each with the labels of its series */
};

const char *const line_post_format_words[] = { "auto", "line", "json", NULL };

enum server {
    SERVER_UNKNOWN, /* says nothing of itself: gets lines, not compressed */
    SERVER_WHOLE,   /* reads a request whole before it stores any of it */
    SERVER_VICTORIA,
};

struct line_post {
    struct http_post *http;
    enum line_post_format format;
    bool is_plain;
    const char *who;
    char *url;
    struct import_target import; /* without addresses when none is known */
    struct line_json *json;
    struct buf body;
    struct line_post_flags flags;
    char flags_host[HTTP_POST_HOST_MAX]; /* whose they are; empty: not asked yet */
    enum server server;
    bool is_asked; /* `server` is the one that answers now */
    bool
        was_victoria; /* as it said where lines were written; a proxy may keep us from asking */
    bool was_told, was_warned;
};

/* ---- life ---- */

int line_post_create(const struct line_post_options *o, struct line_post **ret)
{
    struct line_post *p = calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    p->format = o->format;
    p->is_plain = o->is_plain;
    p->who = o->who;
    p->body = BUF_INIT(BODY_MAX);
    line_post_read_flags("", &p->flags);
    p->url = strdup(o->http.url);
    p->json = line_json_create();
    int rc = p->url && p->json ? import_target_of(p->url, &p->import) : -ENOMEM;
    if (rc == -EINVAL && o->format != LINE_POST_JSON)
        rc = 0;
    if (rc == 0)
        rc = http_post_create(&o->http, &p->http);
    if (rc < 0) {
        line_post_destroy(p);
        return rc;
    }
    *ret = p;
    return 0;
}

void line_post_destroy(struct line_post *p)
{
    if (!p)
        return;
    http_post_destroy(p->http);
    import_target_done(&p->import);
    line_json_destroy(p->json);
    buf_done(&p->body);
    free(p->url);
    free(p);
}

struct http_post *line_post_http(struct line_post *p)
{
    return p->http;
}

void line_post_stop(struct line_post *p)
{
    http_post_stop(p->http);
}

/* ---- how VictoriaMetrics names series ---- */

/* The value of -NAME="VALUE" at the beginning of a line, when it has room in `ret`. */
static bool read_flag(const char *text, const char *name, char *ret, size_t size)
{
    size_t n = strlen(name);

    for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        if (*p != '-' || strncmp(p + 1, name, n) != 0 || strncmp(p + 1 + n, "=\"", 2) != 0)
            continue;
        const char *value = p + n + 3;
        size_t value_n = strcspn(value, "\"\n");
        if (value_n >= size)
            return false;
        memcpy(ret, value, value_n);
        ret[value_n] = '\0';
        return true;
    }
    return false;
}

static bool is_set(const char *text, const char *name)
{
    char value[8];

    return read_flag(text, name, value, sizeof value) && strcmp(value, "true") == 0;
}

void line_post_read_flags(const char *text, struct line_post_flags *ret)
{
    *ret = (struct line_post_flags){
        .separator = "_",
        .database_label = "db",
        .skips_measurement = is_set(text, "influxSkipMeasurement"),
        .skips_single_field = is_set(text, "influxSkipSingleField"),
    };
    read_flag(text, "influxMeasurementFieldSeparator", ret->separator, sizeof ret->separator);
    read_flag(text, "influxDBLabel", ret->database_label, sizeof ret->database_label);
}

/* Once for each server: one that is started with others later would go on under new names. */
static enum uplink_verdict ask_flags(struct line_post *p, const char *host,
                                     struct uplink_report *why)
{
    struct buf text = BUF_INIT(ANSWER_MAX);

    if (p->flags_host[0] && strcmp(p->flags_host, host) == 0)
        return UPLINK_DELIVERED;
    enum uplink_verdict v = http_post_fetch(p->http, p->import.flags, &text, why);
    if (v == UPLINK_DELIVERED && buf_text(&text))
        line_post_read_flags(text.data, &p->flags);
    else if (v != UPLINK_LATER)
        log_notice("%s: VictoriaMetrics does not tell its flags at %s (%s); series get the "
                   "names that it gives by default",
                   p->who, p->import.flags, why->text);
    buf_done(&text);
    if (v == UPLINK_LATER)
        return v;
    snprintf(p->flags_host, sizeof p->flags_host, "%s", *host ? host : "-");
    return UPLINK_DELIVERED;
}

/* ---- who answers ---- */

/* It answers an import of nothing with yes. Something that only passes its headers on, or its
 * write address alone, does not: what it would do to lines is not found out by trying. */
static enum uplink_verdict check_import(struct line_post *p, struct uplink_report *why)
{
    const struct http_post_request nothing = { .url = p->import.import,
                                               .body = "",
                                               .type = HTTP_POST_JSON };
    char text[sizeof why->text];

    if (!p->import.import) {
        snprintf(why->text, sizeof why->text, "%s",
                 "it is VictoriaMetrics, and its import is not known beside this address: let "
                 "it end in /write, or give the address of /api/v1/import");
        return UPLINK_DENIED;
    }
    enum uplink_verdict v = http_post_request(p->http, &nothing, why);
    if (v == UPLINK_DELIVERED || v == UPLINK_LATER)
        return v;
    snprintf(text, sizeof text, "it is VictoriaMetrics, and %.55s does not take JSON: %.50s",
             p->import.import, why->text);
    memcpy(why->text, text, sizeof text);
    return UPLINK_DENIED;
}

/* VictoriaMetrics names its host in every answer, unless told not to, and calls itself 1.8.0
 * where lines are written; InfluxDB 1.8.0 names its build too. */
static bool is_victoria(const struct http_post_answer *a)
{
    return a->host[0] || (strcmp(a->influx_version, "1.8.0") == 0 && !a->has_influx_build);
}

/* A proxy that cannot reach the server answers in its place. */
static bool is_from_server(const struct http_post_answer *a)
{
    return a->status != 0 && a->status != 429 && (a->status < 500 || a->status == 501);
}

static void tell_server(struct line_post *p)
{
    if (p->was_told || p->server != SERVER_VICTORIA)
        return;
    p->was_told = true;
    log_notice("%s writes to VictoriaMetrics as JSON lines, at %s", p->who, p->import.import);
}

/* A request of nothing at the write address: all that may stand in front of the server passes
 * it on, and what it says is what lines will meet. */
static enum uplink_verdict ask_server(struct line_post *p, struct uplink_report *why)
{
    struct buf text = BUF_INIT(ANSWER_MAX);
    enum uplink_verdict v = http_post_fetch(p->http, p->url, &text, why);
    struct http_post_answer a = *http_post_answer(p->http);

    buf_done(&text);
    p->server = SERVER_UNKNOWN;
    if (a.has_influx_build)
        p->server = SERVER_WHOLE;
    else if (is_victoria(&a) || p->was_victoria)
        p->server = SERVER_VICTORIA;
    if (!is_from_server(&a))
        return UPLINK_LATER;
    if (p->server != SERVER_VICTORIA)
        return UPLINK_DELIVERED;
    v = check_import(p, why);
    return v == UPLINK_DELIVERED ? ask_flags(p, a.host, why) : v;
}

/* Delivered: what answers is known as well as it can be. */
static enum uplink_verdict ask(struct line_post *p, struct uplink_report *why)
{
    enum uplink_verdict v = UPLINK_DELIVERED;

    if (p->is_asked)
        return v;
    if (p->format == LINE_POST_AUTO) {
        v = ask_server(p, why);
    } else if (p->format == LINE_POST_JSON) {
        p->server = SERVER_VICTORIA;
        v = check_import(p, why);
        if (v == UPLINK_DELIVERED)
            v = ask_flags(p, http_post_answer(p->http)->host, why);
    }
    p->is_asked = v == UPLINK_DELIVERED;
    if (p->is_asked)
        tell_server(p);
    return v;
}

/* ---- sending ---- */

static enum uplink_verdict write_json(struct line_post *p, const char *lines, size_t size,
                                      struct uplink_report *why)
{
    const struct line_json_names names = {
        .separator = p->flags.separator,
        .database_label = p->flags.database_label,
        .database = p->import.database,
        .skips_measurement = p->flags.skips_measurement,
        .skips_single_field = p->flags.skips_single_field,
    };

    buf_clear(&p->body);
    int rc = line_json_write(p->json, lines, size, &names, &p->body);
    if (rc == 0)
        return UPLINK_DELIVERED;
    snprintf(why->text, sizeof why->text, "%s",
             rc == -ENOMEM ? "memory is short" : "a line cannot be written as JSON");
    return rc == -ENOMEM ? UPLINK_LATER : UPLINK_REFUSED;
}

/* A server that refuses, or denies us, may no longer be what it was: its path of import leads
 * elsewhere, and what is no word on the lines would set them aside. */
static enum uplink_verdict doubt(struct line_post *p, enum uplink_verdict v,
                                 struct uplink_report *why)
{
    struct uplink_report said = *why;

    p->is_asked = false;
    if (v == UPLINK_LATER)
        return v;
    enum uplink_verdict now = ask(p, why);
    if (now != UPLINK_DELIVERED)
        return now;
    *why = said;
    return p->server == SERVER_VICTORIA ? v : UPLINK_LATER;
}

static enum uplink_verdict send_json(struct line_post *p, const char *lines, size_t size,
                                     struct uplink_report *why)
{
    enum uplink_verdict v = write_json(p, lines, size, why);

    if (v != UPLINK_DELIVERED)
        return v;
    v = http_post_request(p->http,
                          &(struct http_post_request){ .url = p->import.import,
                                                       .body = p->body.data,
                                                       .size = p->body.size,
                                                       .type = HTTP_POST_JSON,
                                                       .is_plain = p->is_plain },
                          why);
    return v == UPLINK_DELIVERED ? v : doubt(p, v, why);
}

static void warn_of_unknown(struct line_post *p)
{
    if (p->was_warned || p->format != LINE_POST_AUTO || p->server != SERVER_UNKNOWN)
        return;
    p->was_warned = true;
    log_warning("%s: the server does not say what it is and gets line protocol; should it be "
                "VictoriaMetrics, say so with format json: it stores torn lines",
                p->who);
}

/* What the answer says of the server holds from the next request on. */
static void look_at_answer(struct line_post *p, enum uplink_verdict v)
{
    const struct http_post_answer *a = http_post_answer(p->http);

    if (a->has_influx_build)
        p->server = SERVER_WHOLE;
    p->was_victoria = is_victoria(a);
    if (v == UPLINK_LATER || (p->format == LINE_POST_AUTO && p->was_victoria))
        p->is_asked = false;
    else if (v == UPLINK_DELIVERED)
        warn_of_unknown(p);
}

static enum uplink_verdict send_lines(struct line_post *p, const char *lines, size_t size,
                                      bool may_not_connect, struct uplink_report *why)
{
    bool is_safe = p->server == SERVER_WHOLE || p->format == LINE_POST_LINE;
    enum uplink_verdict v =
        http_post_request(p->http,
                          &(struct http_post_request){ .body = lines,
                                                       .size = size,
                                                       .type = HTTP_POST_LINES,
                                                       .is_plain = p->is_plain || !is_safe,
                                                       .may_not_connect = may_not_connect },
                          why);

    look_at_answer(p, v);
    return v;
}

enum uplink_verdict line_post_send(struct line_post *p, const char *lines, size_t size,
                                   struct uplink_report *why)
{
    bool was_asked = p->is_asked;
    enum uplink_verdict v = ask(p, why);

    if (v != UPLINK_DELIVERED)
        return v;
    if (p->server == SERVER_VICTORIA)
        return send_json(p, lines, size, why);
    v = send_lines(p, lines, size, was_asked && p->format == LINE_POST_AUTO, why);
    if (!http_post_answer(p->http)->would_connect)
        return v;
    v = ask(p, why); /* the connection is a new one: who answers there? */
    if (v != UPLINK_DELIVERED)
        return v;
    return p->server == SERVER_VICTORIA ? send_json(p, lines, size, why)
                                        : send_lines(p, lines, size, false, why);
}
