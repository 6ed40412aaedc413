/* SPDX-License-Identifier: Apache-2.0 */
/*
 * info - what a log holds, added up: for tools. Reads beside a running station, in short
 * transactions. A number of the log as a whole is as of the call's begin or a little later.
 */
#pragma once

#include "gateway/store/reader.h"

struct info_log {
    uint64_t epoch, seq_first, seq_last; /* seq_first: above seq_last when there is no entry */
    uint64_t samples, rows, events;      /* accepted since the log was created */
    int version;                         /* of the tables */
    int64_t used_bytes, file_bytes;      /* file_bytes: with the pages that are free */
};

struct info_stream {
    uint32_t number;
    const char *name;
    unsigned columns;
    bool is_local;
    char codec;               /* 'd', 'p' of the newest frame; 0 without frames */
    uint64_t frames, samples; /* kept in frames */
    uint64_t bytes;           /* of the frames */
    int64_t t_first, t_last;  /* of the frames */
};

struct info_events {
    uint64_t n, bytes;
};

struct info_cursor {
    const char *uplink;
    uint64_t acked_to, waiting; /* entries kept that are not acknowledged and not local */
    uint64_t waiting_bytes, set_aside;
    int64_t waiting_since; /* time of the oldest of them; 0: none */
};

/* 0 or a negative errno. */
int info_read_log(struct store_reader *r, struct info_log *ret);
int info_read_streams(struct store_reader *r,
                      void (*each)(void *user, const struct info_stream *s), void *user,
                      struct info_events *ret_events);
int info_read_cursors(struct store_reader *r,
                      void (*each)(void *user, const struct info_cursor *c), void *user);
