/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_post - one body to one address, once, with a verdict. Shared by the uplinks over HTTP
 * and by ingest. Keeps the connection; follows no redirect; reads at most a few kilobytes of
 * the answer.
 *
 * One thread at a time; stop may come from any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/uplink/uplink.h"

struct http_post_options {
    const char *url;                 /* whole address, see http_post_write_url() */
    const char *username, *password; /* basic; NULL: none */
    const char *token;               /* "Authorization: Token ..."; NULL: none */
    const char *scheme;              /* another word than "Token"; NULL: that */
    const char *header;              /* one more, "Name: value"; NULL: none */
    const char *ca;                  /* file of trusted certificates; NULL: the system's */
    int64_t timeout_ms;              /* longest time one request may take */
};

struct http_post;

/* Copies the options; does not connect. 0, -ENOMEM, -EINVAL (credentials no header can carry).
 */
int http_post_create(const struct http_post_options *o, struct http_post **ret);
void http_post_destroy(struct http_post *p);

enum http_post_type {
    HTTP_POST_LINES,
    HTTP_POST_JSON,     /* one value a line */
    HTTP_POST_DOCUMENT, /* JSON, one value */
    HTTP_POST_CAP,
};

struct http_post_request {
    const char *url; /* NULL: the post's own */
    const void *body;
    size_t size;
    enum http_post_type type;
    const char *header;   /* of this request alone, "Name: value"; NULL: none */
    bool is_plain;        /* not compressed */
    bool may_not_connect; /* only on the connection that is there, see http_post_answer */
};

/* 2xx delivered; 400, 413, 422 refused; 401, 403, 404 and redirects denied; the rest later. A
 * request that timed out may still be applied: repeat the same bytes. `why` is always filled.
 */
enum uplink_verdict http_post_request(struct http_post *p, const struct http_post_request *r,
                                      struct uplink_report *why);

enum { HTTP_POST_HOST_MAX = 64, HTTP_POST_VERSION_MAX = 32 };

/* What the last request met with. */
struct http_post_answer {
    long status;        /* 0: none */
    int64_t date_ms;    /* the server's clock, to a second; 0: it does not say */
    bool would_connect; /* nothing was sent: it may_not_connect, and no connection was there */
    bool has_influx_build;                      /* X-Influxdb-Build: InfluxDB since 1.5 */
    char host[HTTP_POST_HOST_MAX];              /* X-Server-Hostname: VictoriaMetrics; cut */
    char influx_version[HTTP_POST_VERSION_MAX]; /* X-Influxdb-Version */
};

const struct http_post_answer *http_post_answer(const struct http_post *p);

/*
 * GET of another address of the same server, with the same credentials and verdicts. The body
 * goes into *ret, as far as its limit allows: `has_failed` says that it is cut.
 */
enum uplink_verdict http_post_fetch(struct http_post *p, const char *url, struct buf *ret,
                                    struct uplink_report *why);

/* A request in progress, and every later one, returns at once with UPLINK_LATER. Any thread. */
void http_post_stop(struct http_post *p);

struct write_target { /* what the address alone does not tell; each may be NULL */
    const char *database, *retention_policy; /* InfluxDB 1 */
    const char *org, *bucket;                /* InfluxDB 2 */
};

/*
 * The address that takes line protocol with milliseconds: "http://host:8428" becomes
 * ".../write?precision=ms", with a bucket ".../api/v2/write?...". An address that already has a
 * path keeps it and only gets what it lacks. free() the result. NULL, with a sentence in `why`,
 * when it is no http address, asks for another precision, or memory is short.
 */
char *http_post_write_url(const char *url, const struct write_target *t, char *why,
                          size_t size);

struct import_target { /* of a VictoriaMetrics whose write address is known */
    char *import;      /* the address that takes JSON lines */
    char *flags;       /* where it tells how it was started */
    char *database;    /* of the write address, which the other does not understand; or NULL */
};

/* Single node, vmagent, vmauth and vminsert have both side by side: "/write" and
 * "/api/v1/import", "/insert/0/influx/write" and "/insert/0/prometheus/api/v1/import"; what
 * else the address asks for ("extra_label") is kept. 0, -EINVAL when the path is none of them,
 * -ENOMEM. */
int import_target_of(const char *write_url, struct import_target *ret);
void import_target_done(struct import_target *t);
