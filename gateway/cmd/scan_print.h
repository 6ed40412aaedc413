/* SPDX-License-Identifier: Apache-2.0 */
/* scan_print - what a scan shows while it runs and when it ends. */
#pragma once

#include <stdio.h>

#include "gateway/base/buf.h"
#include "gateway/survey/survey.h"

struct scan_view {
    const char *target;
    bool is_bar;    /* progress on a terminal */
    bool has_bar;   /* there is one on the screen */
    bool is_single; /* one known address: what it is, nothing else */
    bool is_quiet;  /* for JSON */
    bool has_frames;
    struct survey_progress last;
    char frame[1024]; /* the last frame that came in, until its meaning is known */
};

/* "7 min 40 s". Returns buf. */
enum { SCAN_TIME_TEXT = 48 };
const char *scan_time(int64_t ms, char *buf);

/* "1-247", "1, 255, 0". Returns buf. */
const char *scan_units_text(const uint8_t *list, size_t n, char *buf, size_t size);

/* What will be done; and on stderr, what it means for the line. */
void scan_print_head(const struct scan_view *v, const struct survey_options *o,
                     const struct survey_progress *estimate);

void scan_print_device(struct scan_view *v, const struct survey_device *d);
void scan_print_hint(struct scan_view *v, enum survey_hint hint, const struct survey_setting *s,
                     uint8_t unit);
void scan_print_progress(struct scan_view *v, const struct survey_progress *p);
void scan_print_frame(struct scan_view *v, const struct bus_frame *f);
void scan_print_reply(struct scan_view *v, const struct bus_request *q,
                      const struct bus_reply *r);
void scan_print_read(struct scan_view *v, const struct survey_read *q,
                     const struct bus_reply *r);
void scan_print_summary(struct scan_view *v, size_t devices_n, int64_t took_ms);

void scan_clear_bar(struct scan_view *v);

void scan_put_device(struct buf *b, const struct survey_device *d);
