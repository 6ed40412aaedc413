/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/message.h"

#include <errno.h>
#include <string.h>

#include "sensors/core/bytes.h"

void codec_message_put(struct buf *b, const struct codec_message *m)
{
    uint8_t head[CODEC_PREFIX_SIZE + CODEC_HEAD_SIZE] = { 0 };
    size_t length = CODEC_HEAD_SIZE;

    for (int i = 0; i < CODEC_BLOBS; i++) {
        if (m->blob[i].size >= CODEC_MESSAGE_MAX) {
            b->has_failed = true;
            return;
        }
        length += m->blob[i].size + 1;
        put_le32(head + CODEC_PREFIX_SIZE + 16 + 4 * i, (uint32_t)m->blob[i].size);
    }
    if (length > CODEC_MESSAGE_MAX) {
        b->has_failed = true;
        return;
    }
    put_le32(head, (uint32_t)length);
    head[CODEC_PREFIX_SIZE] = (uint8_t)m->kind;
    head[CODEC_PREFIX_SIZE + 1] = m->code;
    head[CODEC_PREFIX_SIZE + 2] = m->fport;
    put_le32(head + CODEC_PREFIX_SIZE + 4, m->script);
    put_le64(head + CODEC_PREFIX_SIZE + 8, (uint64_t)m->time_ms);
    buf_put(b, head, sizeof head);
    for (int i = 0; i < CODEC_BLOBS; i++) {
        if (m->blob[i].size > 0)
            buf_put(b, m->blob[i].data, m->blob[i].size);
        buf_put(b, "", 1);
    }
}

/* The blobs fill the rest of the message exactly. */
static int get_blobs(const uint8_t *head, const uint8_t *end, struct codec_message *m)
{
    const uint8_t *p = head + CODEC_HEAD_SIZE;

    for (int i = 0; i < CODEC_BLOBS; i++) {
        const size_t n = get_le32(head + 16 + 4 * i);
        if ((size_t)(end - p) <= n || p[n] != 0)
            return -EPROTO;
        m->blob[i] = (struct codec_blob){ .data = (const char *)p, .size = n };
        p += n + 1;
    }
    return p == end ? 0 : -EPROTO;
}

int64_t codec_message_get(const void *data, size_t size, struct codec_message *ret)
{
    const uint8_t *p = data;

    if (size < CODEC_PREFIX_SIZE)
        return 0;
    const size_t length = get_le32(p);
    if (length < CODEC_HEAD_SIZE + CODEC_BLOBS || length > CODEC_MESSAGE_MAX)
        return -EPROTO;
    if (size - CODEC_PREFIX_SIZE < length)
        return 0;
    const uint8_t *head = p + CODEC_PREFIX_SIZE;
    struct codec_message m = {
        .kind = head[0],
        .code = head[1],
        .fport = head[2],
        .script = get_le32(head + 4),
        .time_ms = (int64_t)get_le64(head + 8),
    };
    if (head[0] >= CODEC_KINDS_ || head[3] != 0 || get_blobs(head, head + length, &m) < 0)
        return -EPROTO;
    *ret = m;
    return (int64_t)(CODEC_PREFIX_SIZE + length);
}
