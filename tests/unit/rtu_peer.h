/* SPDX-License-Identifier: Apache-2.0 */
/* rtu_peer - what peers that speak RTU frames do, on a line as behind a serial device server.
 */
#pragma once

#include "tests/unit/bus_rig.h"

/* The bus may flush a request that nobody has read yet: finds the beginning of the next one.
 * False at the end of the peer. */
static inline bool rtu_get_request(struct rig *rig, uint8_t adu[ADU_RTU_REQUEST])
{
    if (!peer_read(rig, adu, ADU_RTU_REQUEST))
        return false;
    while (adu_rtu_any(adu, ADU_RTU_REQUEST) != ADU_RTU_REQUEST) {
        memmove(adu, adu + 1, ADU_RTU_REQUEST - 1);
        if (!peer_read(rig, adu + ADU_RTU_REQUEST - 1, 1))
            return false;
    }
    return true;
}

static inline void rtu_answer(struct rig *rig, const uint8_t *adu)
{
    uint8_t out[ADU_RTU_MAX];

    peer_write(rig, out, rig_rtu_answer(adu, out));
}

static inline void rtu_serve_all(struct rig *rig)
{
    uint8_t adu[ADU_RTU_REQUEST];

    while (rtu_get_request(rig, adu))
        rtu_answer(rig, adu);
}

static inline void rtu_be_late_once(struct rig *rig, int ms)
{
    uint8_t adu[ADU_RTU_REQUEST];

    rtu_get_request(rig, adu);
    peer_pause(ms);
    rtu_answer(rig, adu);
    rtu_serve_all(rig);
}

/* The first answer comes in front of the second one, long after every quiet time. */
static inline void rtu_be_one_behind(struct rig *rig)
{
    uint8_t first[ADU_RTU_REQUEST], second[ADU_RTU_REQUEST];

    if (!rtu_get_request(rig, first) || !rtu_get_request(rig, second))
        return;
    rtu_answer(rig, first);
    rtu_answer(rig, second);
    rtu_serve_all(rig);
}

static inline void rtu_be_silent(struct rig *rig)
{
    uint8_t adu[ADU_RTU_REQUEST];

    while (rtu_get_request(rig, adu))
        ;
}

static inline void rtu_echo_all(struct rig *rig)
{
    uint8_t adu[ADU_RTU_REQUEST];

    while (rtu_get_request(rig, adu)) {
        peer_write(rig, adu, sizeof adu);
        if (adu[1] == BUS_READ_HOLDING)
            rtu_answer(rig, adu);
    }
}
