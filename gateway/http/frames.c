/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/frames.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/history_job.h"

enum {
    ANSWER_BYTES = 4 << 20, /* an answer ends here, millions of points; the client goes on */
    ANSWER_MAX = 16 << 20,  /* a segment that must be sent before its first row of the span */
    LAYOUT_MAX = 1 << 20,
    LAYOUT_DIGITS = 8,
};

static const char magic[] = "SF1\n";

/* ---- frames ---- */

struct collecting {
    struct history_job *job;
    const struct log_access *access;
    bool has_some; /* a frame of the span is in the answer */
};

/* The answer may end before this frame: the next one, from there on, gets further. */
static bool may_end(const struct collecting *c, const struct store_entry *e)
{
    return c->has_some && e->t_first > c->job->from;
}

static bool take_frame(void *user, const struct store_entry *e)
{
    struct collecting *c = user;
    struct history_job *job = c->job;
    bool is_full =
        log_access_is_late(c->access) || job->out.size + e->size > (size_t)ANSWER_BYTES;

    if (is_full && may_end(c, e)) {
        job->is_cut = true;
        job->next_ms = e->t_first;
        return false;
    }
    buf_varint(&job->out, e->size);
    buf_put(&job->out, e->data, e->size);
    c->has_some |= e->t_last >= job->from && e->t_first < job->to;
    return !job->out.has_failed && !atomic_load(c->access->is_stopping);
}

static unsigned answer_frames(struct history_job *job, struct log_access *a)
{
    struct collecting c = { .job = job, .access = a };

    buf_put(&job->out, magic, strlen(magic));
    int rc = store_read_frames(a->reader, job->stream, job->from, job->to, UINT64_MAX,
                               take_frame, &c);
    if (rc < 0 || job->out.has_failed || atomic_load(a->is_stopping))
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    return MHD_HTTP_OK;
}

static enum MHD_Result reply_frames(struct request *r)
{
    struct history_job *job = r->job;
    char next[32];

    snprintf(next, sizeof next, "%lld", (long long)job->next_ms);
    return reply_bytes(r, "application/octet-stream", &job->out,
                       job->is_cut ? "Sluice-Next-From" : NULL, next);
}

/* stream=NAME or the stream of channel=ID; false when there is neither. */
static bool find_stream(struct request *r, uint32_t *ret)
{
    const char *name =
        MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, "stream");
    const struct channel_table *t = live_channels(r->http->live);
    uint32_t channel;

    for (size_t i = 0; name && i < t->streams_n; i++) {
        if (strcmp(t->streams[i].name, name) == 0) {
            *ret = t->streams[i].number;
            return true;
        }
    }
    if (name || !parameter_channel(r, &channel))
        return false;
    *ret = t->channels[channel].stream;
    return true;
}

enum MHD_Result frames_serve(struct request *r)
{
    enum MHD_Result result;
    int64_t from, to;
    uint32_t stream;

    if (history_job_replies(r, &result))
        return result;
    if (!r->http->history || !find_stream(r, &stream))
        return reply_error(r, MHD_HTTP_NOT_FOUND,
                           "No stream or channel of this name; see /api/v1/now.");
    if (!parameter_span(r, &from, &to))
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "hours is a whole number of 1..8784, from and to are Unix "
                           "milliseconds.");
    struct history_job *job = history_job_create(r, ANSWER_MAX);
    if (!job)
        return MHD_NO;
    job->answer = answer_frames;
    job->reply = reply_frames;
    job->stream = stream;
    job->from = from;
    job->to = to;
    return history_job_submit(r);
}

/* ---- layouts ---- */

static unsigned answer_layout(struct history_job *job, struct log_access *a)
{
    char *dictionary = store_read_layout(a->reader, job->layout);

    if (!dictionary)
        return MHD_HTTP_NOT_FOUND;
    buf_puts(&job->out, dictionary);
    buf_puts(&job->out, "\n");
    free(dictionary);
    return MHD_HTTP_OK;
}

static enum MHD_Result reply_layout(struct request *r)
{
    struct history_job *job = r->job;

    if (job->status != MHD_HTTP_OK)
        return reply_error(r, job->status, "The log has no layout of this number.");
    return reply_buf(r, MHD_HTTP_OK, "application/json", &job->out);
}

static bool parse_layout(const char *text, uint32_t *ret)
{
    if (!text || strlen(text) != LAYOUT_DIGITS ||
        strspn(text, "0123456789abcdef") != LAYOUT_DIGITS)
        return false;
    *ret = (uint32_t)strtoul(text, NULL, 16);
    return true;
}

enum MHD_Result layout_serve(struct request *r)
{
    enum MHD_Result result;
    uint32_t layout;

    if (history_job_replies(r, &result))
        return result;
    if (!parse_layout(MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, "id"),
                      &layout))
        return reply_error(r, MHD_HTTP_BAD_REQUEST,
                           "id is a layout number: 8 digits of 0..9 and a..f.");
    if (!r->http->history)
        return reply_error(r, MHD_HTTP_NOT_FOUND, "The log has no layout of this number.");
    struct history_job *job = history_job_create(r, LAYOUT_MAX);
    if (!job)
        return MHD_NO;
    job->answer = answer_layout;
    job->reply = reply_layout;
    job->layout = layout;
    return history_job_submit(r);
}
