/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message - what the daemon and its codec worker say to each other over the socket pair: a
 * length, a fixed head, four blobs each closed by 0. Pure. Either side takes the other for
 * hostile: a message that contradicts itself ends the worker.
 *
 *      u32 length of what follows
 *      u8 kind | u8 code | u8 fport | u8 0 | u32 script | i64 time_ms | u32 size of each blob
 *      the blobs, each with a 0 behind it
 * Little endian.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"

enum codec_kind {
    CODEC_HELLO,  /* worker: code 0 ready, else why not in blob 0 */
    CODEC_LOAD,   /* daemon: keep a script: name, source */
    CODEC_CALL,   /* daemon: code is the routine; bytes, variables, data, more */
    CODEC_RESULT, /* worker: code is the outcome; json, message, log */
    CODEC_KINDS_
};

enum {
    CODEC_BLOBS = 4,
    CODEC_PREFIX_SIZE = 4,
    CODEC_HEAD_SIZE = 32,
    CODEC_MESSAGE_MAX = 512 << 10, /* a script of the largest size, and room */
};

struct codec_blob {
    const char *data; /* closed by 0, NULL: empty */
    size_t size;
};

struct codec_message {
    enum codec_kind kind;
    uint8_t code;
    uint8_t fport;
    uint32_t script;
    int64_t time_ms;
    struct codec_blob blob[CODEC_BLOBS];
};

/* Appends it; a message beyond CODEC_MESSAGE_MAX makes `b` fail. */
void codec_message_put(struct buf *b, const struct codec_message *m);
/* The first message of the stream: bytes taken, 0 when it is not there as a whole, or -EPROTO.
 * Blobs point into `data`. */
int64_t codec_message_get(const void *data, size_t size, struct codec_message *ret);
