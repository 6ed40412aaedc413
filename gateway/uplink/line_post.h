/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_post - lines to a database in the format that it cannot misread. Shared by the uplink
 * `influx` and by ingest.
 *
 * InfluxDB takes a request whole or not at all. VictoriaMetrics stores what has come before a
 * connection breaks, and the torn last line too where that is a line, with another value or at
 * another time: it gets JSON lines (line_json.h), of which no part is one. Which of the two
 * answers, is asked on every new connection before the first line goes out on it.
 *
 * One thread at a time; stop may come from any thread.
 */
#pragma once

#include <stddef.h>

#include "gateway/uplink/http_post.h"

enum line_post_format {
    LINE_POST_AUTO, /* JSON to VictoriaMetrics, lines to all others */
    LINE_POST_LINE,
    LINE_POST_JSON,
};

extern const char *const line_post_format_words[]; /* by their number, closed by NULL */

struct line_post_options {
    struct http_post_options http;
    enum line_post_format format;
    bool is_plain;   /* nothing is compressed; else all to servers that say what they are */
    const char *who; /* for the log: "uplink influx" */
};

struct line_post;

/* Does not connect. 0, -ENOMEM, -EINVAL (credentials no header can carry; LINE_POST_JSON with
 * an address beside which no import is known). */
int line_post_create(const struct line_post_options *o, struct line_post **ret);
void line_post_destroy(struct line_post *p);

/*
 * Lines as line_write_point() makes them; the same bytes on the wire for the same lines.
 * Verdicts as http_post_request(). Denied too when the server says that it is VictoriaMetrics
 * and does not take JSON: nothing is sent then.
 */
enum uplink_verdict line_post_send(struct line_post *p, const char *lines, size_t size,
                                   struct uplink_report *why);

/* For other questions to the same server. */
struct http_post *line_post_http(struct line_post *p);

void line_post_stop(struct line_post *p);

/* How the server says it was started, as far as it names series: the text of /flags, lines of
 * `-influxMeasurementFieldSeparator="_"`. What it does not tell is as by default. Pure. */
struct line_post_flags {
    char separator[16], database_label[64];
    bool skips_measurement, skips_single_field;
};

void line_post_read_flags(const char *text, struct line_post_flags *ret);
