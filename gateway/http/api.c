/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/clock.h"
#include "gateway/http/server.h"
#include "gateway/live/live_json.h"

static enum MHD_Result reply_json(struct request *r, struct buf *b, int err)
{
    if (err)
        b->has_failed = true;
    buf_puts(b, "\n");
    return reply_buf(r, MHD_HTTP_OK, "application/json", b);
}

enum MHD_Result api_now_serve(struct request *r)
{
    struct buf b = BUF_INIT(PAGE_MAX);
    int err = live_json_now(&b, r->http->live, LIVE_FULL);

    return reply_json(r, &b, err);
}

enum MHD_Result api_alerts_serve(struct request *r)
{
    struct buf b = BUF_INIT(PAGE_MAX);

    buf_puts(&b, "{\"time\":");
    live_json_time(&b, live_now(r->http->live));
    buf_puts(&b, ",\"alerts\":");
    int err = live_json_alerts(&b, r->http->live);
    buf_puts(&b, "}");
    return reply_json(r, &b, err);
}

const char *health_trouble(struct http *h)
{
    struct live_log log;

    live_log_get(h->live, &log);
    if (log.error[0])
        return "log";
    if (mono_ms() - atomic_load(&h->moved_ms) > STALE_MS)
        return "stalled";
    return NULL;
}

enum MHD_Result health_serve(struct request *r)
{
    const char *trouble = health_trouble(r->http);

    return reply_text(r, trouble ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
                      trouble ? trouble : "ok");
}
