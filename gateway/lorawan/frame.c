/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/frame.h"

#include <string.h>

#include "gateway/lorawan/wire.h"

enum {
    MHDR_TYPE_SHIFT = 5,
    MHDR_MAJOR_MASK = 3,
    FCTRL_FOPTS_MASK = 0x0F,
    DATA_MIN = 12, /* MHDR, FHDR without FOpts, MIC */
    JOIN_ACCEPT_SHORT = 17,
    JOIN_ACCEPT_LONG = 33,
    REJOIN_SHORT = 19,
    REJOIN_LONG = 24,
};

bool frame_is_data(enum frame_type t)
{
    return t == FRAME_UP || t == FRAME_DOWN || t == FRAME_UP_CONFIRMED ||
           t == FRAME_DOWN_CONFIRMED;
}

bool frame_is_up(enum frame_type t)
{
    return t == FRAME_UP || t == FRAME_UP_CONFIRMED || t == FRAME_JOIN_REQUEST ||
           t == FRAME_REJOIN_REQUEST;
}

static bool is_length(enum frame_type t, size_t n)
{
    switch (t) {
    case FRAME_JOIN_REQUEST:
        return n == JOIN_REQUEST_SIZE;
    case FRAME_JOIN_ACCEPT:
        return n == JOIN_ACCEPT_SHORT || n == JOIN_ACCEPT_LONG;
    case FRAME_REJOIN_REQUEST:
        return n == REJOIN_SHORT || n == REJOIN_LONG;
    case FRAME_UP:
    case FRAME_DOWN:
    case FRAME_UP_CONFIRMED:
    case FRAME_DOWN_CONFIRMED:
        return n >= DATA_MIN;
    case FRAME_PROPRIETARY:
        break;
    }
    return true;
}

static enum frame_fault parse_data(const uint8_t *p, size_t n, struct frame *f)
{
    size_t end = n - LORAWAN_MIC_SIZE, at = 8;

    f->dev_addr = get_le32(p + 1);
    f->fctrl = p[5] & (uint8_t)~FCTRL_FOPTS_MASK;
    f->fopts_n = p[5] & FCTRL_FOPTS_MASK;
    f->fcnt = get_le16(p + 6);
    f->fopts = p + at;
    at += f->fopts_n;
    if (at > end)
        return FRAME_FOPTS;
    f->fport = at < end ? p[at++] : -1;
    f->payload = p + at;
    f->payload_n = end - at;
    return f->fport == 0 && f->fopts_n > 0 ? FRAME_FOPTS_PORT_0 : FRAME_OK;
}

enum frame_fault frame_parse(const uint8_t *bytes, size_t n, struct frame *ret)
{
    struct frame f = { .fport = -1, .bytes = bytes, .n = n };
    enum frame_fault fault = FRAME_OK;

    if (n < 1 + LORAWAN_MIC_SIZE)
        return FRAME_TOO_SHORT;
    if (n > FRAME_SIZE_MAX)
        return FRAME_TOO_LONG;
    f.type = (enum frame_type)(bytes[0] >> MHDR_TYPE_SHIFT);
    if (f.type != FRAME_PROPRIETARY && bytes[0] & MHDR_MAJOR_MASK)
        return FRAME_MAJOR;
    if (!is_length(f.type, n))
        return n < DATA_MIN ? FRAME_TOO_SHORT : FRAME_LENGTH;
    if (f.type != FRAME_PROPRIETARY)
        memcpy(f.mic, bytes + n - LORAWAN_MIC_SIZE, LORAWAN_MIC_SIZE);
    if (frame_is_data(f.type)) {
        fault = parse_data(bytes, n, &f);
    } else if (f.type == FRAME_JOIN_REQUEST) {
        f.join_eui = get_le64(bytes + 1);
        f.dev_eui = get_le64(bytes + 9);
        f.dev_nonce = get_le16(bytes + 17);
    }
    if (fault == FRAME_OK)
        *ret = f;
    return fault;
}

const char *frame_fault_text(enum frame_fault f, const char *lang)
{
    static const char *const texts[FRAME_FAULT_COUNT_][2] = {
        [FRAME_OK] = { "The frame is sound.", "帧格式正确。" },
        [FRAME_TOO_SHORT] = { "The frame is too short for its type.",
                              "帧过短，与其类型不符。" },
        [FRAME_TOO_LONG] = { "The frame is longer than 255 bytes.", "帧超过 255 字节。" },
        [FRAME_MAJOR] = { "The frame has another major version than LoRaWAN R1.",
                          "帧的主版本不是 LoRaWAN R1。" },
        [FRAME_LENGTH] = { "The frame has not the length of its type.",
                           "帧长度与其类型不符。" },
        [FRAME_FOPTS] = { "FOptsLen reaches beyond the end of the frame.",
                          "FOptsLen 超出帧尾。" },
        [FRAME_FOPTS_PORT_0] = { "MAC commands stand in FOpts and on port 0 at once.",
                                 "FOpts 与端口 0 同时携带 MAC 命令。" },
    };

    return texts[f < FRAME_FAULT_COUNT_ ? f : FRAME_LENGTH][strcmp(lang, "zh") == 0];
}

const char *frame_type_name(enum frame_type t)
{
    static const char *const names[] = {
        "Join Request",          "Join Accept",       "Unconfirmed Data Up",
        "Unconfirmed Data Down", "Confirmed Data Up", "Confirmed Data Down",
        "Rejoin Request",        "Proprietary",
    };

    return names[t & 7];
}
