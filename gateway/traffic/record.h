/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - one frame of bus traffic as a line of text, the form of `sluice record`:
 *
 *     # sluice record 1
 *     2026-11-22T07:04:56.123Z line-1 17 roof-o3 rtu > 11 04 00 12 00 02 D3 5E
 *     2026-11-22T07:04:56.161Z line-1 17 roof-o3 rtu < 11 04 04 42 08 00 00 6E 8D
 *     2026-11-22T07:04:57.161Z line-1 17 - rtu <late 11 04 04 42 08 00 00 6E 8D
 *
 *     time (UTC) | bus | unit | device, "-": none | what stands around unit and function: tcp
 *     (MBAP header) or rtu (CRC) | > sent, < taken, <refused (an exception) <late <foreign
 *     <damaged (dropped) | bytes as on the wire, hexadecimal
 *
 * Other lines that begin with '#' are comments. Pure. Files are hostile: every part has a
 * limit.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/bus/bus.h"

#define RECORD_HEADER "# sluice record 1"

enum {
    RECORD_ID_MAX = 64,     /* of ids in a configuration */
    RECORD_FRAME_MAX = 260, /* bus_frame's own */
    RECORD_LINE_MAX = 2 * RECORD_ID_MAX + 3 * RECORD_FRAME_MAX + 128,
};

struct record_line {
    int64_t time_ms;
    char bus[RECORD_ID_MAX + 1], device[RECORD_ID_MAX + 1]; /* device "": none */
    uint8_t unit;
    bool is_tcp;
    enum bus_fate fate;
    uint8_t bytes[RECORD_FRAME_MAX];
    size_t n;
};

/* ">", "<", "<late" ... */
const char *record_arrow(enum bus_fate fate);

void record_print(const struct record_line *l, struct buf *b);

/* Without its end. 0; 1: a comment or an empty line; -EINVAL with a sentence in `error`. */
int record_parse(const char *text, struct record_line *ret, char *error, size_t error_size);

/* "2026-11-22T07:04:56.123Z". 0 or -EINVAL. */
int record_parse_time(const char *text, size_t n, int64_t *ret_ms);
