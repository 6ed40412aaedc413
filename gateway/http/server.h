/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - what the parts of the listener share: one struct http, one struct request per
 * exchange.
 *
 * Everything here runs on libmicrohttpd's one thread unless it says otherwise. That thread
 * never waits: history is read by its own thread, streams are suspended between events, and the
 * ticker (one thread, four times a second at most) wakes and ends connections.
 */
#pragma once

#include <microhttpd.h>
#include <stdatomic.h>

#include "gateway/base/buf.h"
#include "gateway/http/http.h"
#include "gateway/http/words.h"

enum {
    CONNECTIONS_MAX = 96,    /* each may hold CONNECTION_MEMORY */
    CONNECTIONS_PER_IP = 16, /* but for loopback, where a proxy may stand for everybody */
    STREAMS_MAX = 40,        /* live streams, leaving room for requests */
    CONNECTION_MEMORY = 32 << 10,
    IDLE_MAX_S = 10,        /* no byte in or out */
    REQUEST_MAX_MS = 30000, /* one exchange in all, against clients that dribble */
    PAGE_MAX = 4 << 20,     /* bytes of any answer made in memory */
    STALE_MS = 10000,       /* the main loop has not moved for so long: not healthy */
};

struct guard;
struct streams;
struct history;
struct history_job;

enum status_class { CLASS_2XX, CLASS_3XX, CLASS_4XX, CLASS_5XX, CLASS_COUNT_ };

struct http {
    struct MHD_Daemon *daemon;
    struct live *live;
    struct store *store; /* NULL: no history */
    struct words *words;
    struct guard *guard;
    struct streams *streams;
    struct history *history; /* NULL without a store */
    int64_t zone_ms;         /* station's zone, east of UTC */
    atomic_ullong answers[CLASS_COUNT_];
    atomic_llong moved_ms; /* real time when the main loop was last seen to move */
    int64_t now_seen_ms;   /* ticker */
};

struct request {
    struct http *http;
    struct MHD_Connection *connection;
    bool accepts_gzip;
    enum lang lang;
    struct history_job *job;
};

typedef enum MHD_Result handler(struct request *r);

/* reply.c: each queues one answer and says whether libmicrohttpd took it. `body` is taken over.
 */
enum reply_cache { REPLY_NO_STORE, REPLY_REVALIDATE };
enum MHD_Result reply_buf(struct request *r, unsigned status, const char *type,
                          struct buf *body);
/* The same as it is, never squeezed; with a header of its own unless `name` is NULL. */
enum MHD_Result reply_bytes(struct request *r, const char *type, struct buf *body,
                            const char *name, const char *value);
enum MHD_Result reply_text(struct request *r, unsigned status, const char *text);
enum MHD_Result reply_error(struct request *r, unsigned status, const char *sentence);
/* A constant gzipped file under its strong ETag; inflated for the few who do not take gzip. */
enum MHD_Result reply_file(struct request *r, const char *type, const unsigned char *gz,
                           size_t size);
enum MHD_Result reply_queue(struct request *r, unsigned status, struct MHD_Response *response);
/* A response with the headers that every answer has. NULL without memory. */
struct MHD_Response *reply_dress(struct MHD_Response *response, const char *type,
                                 enum reply_cache cache);

/* page.c */
enum MHD_Result page_serve(struct request *r);
enum MHD_Result page_part_serve(struct request *r, const char *part);
void page_zone_parse(const char *zone, int64_t *ret_ms);

/* api.c */
enum MHD_Result api_now_serve(struct request *r);
enum MHD_Result api_alerts_serve(struct request *r);
enum MHD_Result health_serve(struct request *r);
/* NULL when all is well, else one word. Any thread. */
const char *health_trouble(struct http *h);

/* metrics.c */
enum MHD_Result metrics_serve(struct request *r);
