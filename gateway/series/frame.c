/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/frame.h"

#include <errno.h>

#include "gateway/series/wire.h"
#include "sensors/core/crc.h"

static const struct {
    int code;
    const char *text;
} errors[] = {
    { SERIES_EFORMAT, "not a frame of this version, or a malformed one" },
    { SERIES_ECRC, "the frame's checksum differs: it was damaged or cut" },
    { SERIES_ECHAIN, "the frame does not follow the last one decoded: its segment is needed" },
    { -ENOTSUP, "the frame uses the codec DENSE, which this version does not read" },
    { -ENOMEM, "no memory for the frame" },
    { -EINVAL, "a number of rows, columns, a time or an exponent is out of range" },
    { -EFBIG, "the rows do not fit one frame of 1 MiB" },
    { -ENOSPC, "the buffer is smaller than the frame" },
};

const char *series_error_text(int err)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].code == err)
            return errors[i].text;
    return err == 0 ? "no error" : "an unknown error of the series format";
}

size_t frame_payload_max(unsigned rows, unsigned columns)
{
    return 128 + (size_t)24 * rows + (size_t)40 * columns + (size_t)32 * rows * columns;
}

size_t series_frame_bound(unsigned rows, unsigned columns)
{
    size_t n = FRAME_HEADER_MAX + frame_payload_max(rows, columns) + FRAME_CRC_SIZE;

    return n < SERIES_FRAME_MAX ? n : SERIES_FRAME_MAX;
}

uint32_t series_layout_id(const char *canonical_json, size_t size)
{
    return crc32c(0, canonical_json, size);
}

size_t frame_put_header(const struct series_info *info, uint8_t *out)
{
    uint8_t *p = out;

    *p++ = (uint8_t)(FRAME_HEAD | (info->is_key ? FRAME_KEY : 0) |
                     (info->is_dense ? FRAME_DENSE : 0) |
                     (info->is_deflated ? FRAME_DEFLATED : 0));
    p = wire_put_varint(p, info->stream);
    p = wire_put_varint(p, info->segment);
    if (!info->is_key) {
        p = wire_put_varint(p, info->seq);
        *p++ = (uint8_t)info->chain;
        *p++ = (uint8_t)(info->chain >> 8);
        return (size_t)(wire_put_varint(p, info->rows) - out);
    }
    p = wire_put_varint(p, info->rows);
    p = wire_put_varint(p, info->columns);
    put_le32(p, info->layout);
    p = wire_put_zigzag(p + 4, info->period_ms);
    p = wire_put_varint(p, info->unit_ms);
    return (size_t)(wire_put_zigzag(p, info->t0) - out);
}

static void get_key_fields(struct wire_in *in, struct series_info *info)
{
    info->columns = (uint32_t)wire_get_between(in, 1, SERIES_COLUMNS_MAX);
    const uint8_t *layout = wire_get_bytes(in, 4);
    info->layout = layout ? get_le32(layout) : 0;
    info->period_ms = wire_get_zigzag(in);
    info->unit_ms = (uint32_t)wire_get_between(in, 1, FRAME_UNIT_MAX);
    info->t0 = wire_get_zigzag(in);
    if (info->period_ms > INT32_MAX || info->period_ms < -INT32_MAX ||
        info->t0 > FRAME_TIME_MAX || info->t0 < -FRAME_TIME_MAX ||
        (uint64_t)info->rows * info->columns > SERIES_CELLS_MAX)
        in->is_bad = true;
}

static void get_header(struct wire_in *in, struct series_info *info)
{
    uint8_t head = wire_get_byte(in);

    info->is_key = head & FRAME_KEY;
    info->is_dense = head & FRAME_DENSE;
    info->is_deflated = head & FRAME_DEFLATED;
    info->stream = (uint32_t)wire_get_between(in, 0, UINT32_MAX);
    info->segment = (uint32_t)wire_get_between(in, 0, UINT32_MAX);
    if (!info->is_key) {
        info->seq = (uint32_t)wire_get_between(in, 1, SERIES_SEQ_MAX);
        const uint8_t *chain = wire_get_bytes(in, 2);
        if (chain)
            info->chain = (uint16_t)(chain[0] | chain[1] << 8);
    }
    info->rows = (uint32_t)wire_get_between(in, 1, SERIES_ROWS_MAX);
    if (info->is_key)
        get_key_fields(in, info);
}

int series_peek(const uint8_t *frame, size_t size, struct series_info *ret)
{
    struct series_info info = { 0 };

    if (size < FRAME_SIZE_MIN || size > SERIES_FRAME_MAX || frame[0] < FRAME_HEAD ||
        (frame[0] & (FRAME_DENSE | FRAME_DEFLATED)) == (FRAME_DENSE | FRAME_DEFLATED))
        return SERIES_EFORMAT;
    info.crc = crc32c(0, frame, size - FRAME_CRC_SIZE);
    if (info.crc != get_le32(frame + size - FRAME_CRC_SIZE))
        return SERIES_ECRC;

    struct wire_in in = { frame, frame + size - FRAME_CRC_SIZE, false };
    get_header(&in, &info);
    if (in.is_bad)
        return SERIES_EFORMAT;
    info.payload = (size_t)(in.p - frame);
    *ret = info;
    return 0;
}
