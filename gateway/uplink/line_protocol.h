/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_protocol - text lines for InfluxDB and VictoriaMetrics. Pure; an object belongs to one
 * thread at a time.
 *
 * Two writers: line_write_point() for any point, and the fast one for series frames, which
 * keeps measurement and tags of every column ready. Both only write what every server reads
 * alike: tags sorted, no empty tag, no NaN, no line without a field.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/series/series.h"

enum {
    LINE_TAGS_MAX = 256,  /* of one point; we write at most 4 */
    LINE_FIELDS_MAX = 64, /* of one point; we write at most 6 */
    LINE_NAME_MAX = 128,  /* bytes of an id in a dictionary: the series format's section 9 */
};

struct line_text { /* not NUL-terminated */
    const char *p;
    size_t n;
};

struct line_tag {
    struct line_text key, value;
};

enum line_type { LINE_FLOAT, LINE_INT, LINE_UINT, LINE_BOOL, LINE_STRING };

struct line_field {
    struct line_text key;
    enum line_type type;
    union {
        double number;
        int64_t integer;
        uint64_t natural;
        bool truth;
        struct line_text text;
    };
};

struct line_point {
    struct line_text measurement;
    const struct line_tag *tags; /* sorted by key by whoever makes the point */
    size_t tags_n;
    const struct line_field *fields;
    size_t fields_n;
    bool has_time;
    int64_t time; /* in the unit that the request names */
};

struct line_text line_text(const char *text);

/*
 * One line with its newline at the end of `b`. -EINVAL, and nothing written, when the point
 * cannot be said in line protocol: empty names or tag values, a name that ends in a backslash
 * or holds control characters, invalid UTF-8, tags out of order or doubled, no field, a number
 * that is not finite. -ENOSPC when `b` is full.
 */
int line_write_point(struct buf *b, const struct line_point *p);

/* Measurement and tags of every column of one layout, ready to be copied. */
struct line_layout;

/*
 * From a dictionary (series format, section 9). `station` becomes the tag: whoever sends the
 * dictionary cannot write under another station's name. A channel whose id ends in "@rev" is a
 * revision: its lines are those of the channel without it, with the tag lvl=rev. -EINVAL when
 * it is no dictionary or names something that line protocol cannot carry unharmed; `why` gets a
 * sentence. -ENOMEM.
 */
int line_layout_create(const char *dictionary, size_t size, const char *station,
                       struct line_layout **ret, char *why, size_t why_size);
void line_layout_destroy(struct line_layout *l);
unsigned line_layout_columns(const struct line_layout *l);

struct line_counts {
    size_t lines;
    size_t rows_refused; /* earlier than 1970, or later than `latest_ms` */
};

/*
 * A line for each cell of the rows first..last of `f`: "ozone,dev=roof-o3,station=s v=41.2,f=0i
 * T". A missing value leaves `v` out. Rows with a time that databases drop are left out and
 * counted. -EINVAL when the columns do not fit, -ENOSPC when `b` is full: `b` is then as
 * before.
 */
int line_write_rows(struct buf *b, const struct line_layout *l, const struct series_frame *f,
                    uint32_t first, uint32_t last, int64_t latest_ms, struct line_counts *ret);

/*
 * An event as integers, so that alerts can be seen beside the series: "alert,ch=..,rule=..,
 * station=.. level=3i,from=2i,v=181.2 T", other kinds "event,kind=..,station=.. n=1i T".
 * Nothing is written, and 0 returned, for an event without a usable time or kind. -ENOSPC.
 */
int line_write_event(struct buf *b, const char *json, size_t size, const char *station,
                     int64_t latest_ms, struct line_counts *ret);
