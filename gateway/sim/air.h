/* SPDX-License-Identifier: Apache-2.0 */
/*
 * air - the radio channel between simulated concentrators and devices, in real time: what one
 * sends reaches all ears of the other polarity when it ends. Loop thread only.
 *
 * A device joins as an ear that hears inverted frames, sends frames that are not, and judges by
 * start_us, frequency and data rate whether a window of its was open.
 *
 * It knows distance (the link function), loss, noise and frames that meet. What a receiver does
 * with it - deaf while it sends, a window that is not open - is the receiver's.
 */
#pragma once

#include <uv.h>

#include "gateway/lorawan/radio.h"

enum {
    AIR_EARS_MAX = 256,  /* a simulated station with its devices */
    AIR_FRAMES_MAX = 64, /* at once */
};

struct air_frame {
    int64_t start_us, end_us; /* uv_hrtime() / 1000; end_us: set by air_send() */
    uint32_t freq_hz;
    struct radio_rate rate;
    int power_dbm;
    bool is_inverted; /* polarity of downlinks: devices hear it, concentrators do not */
    bool has_crc;
    size_t n;
    uint8_t phy[RADIO_SIZE_MAX];
};

struct air_ear {
    bool hears_inverted; /* a device; otherwise a concentrator */
    void (*hear)(void *user, const struct air_frame *f, float rssi, float snr);
    void *user;
};

struct air_options {
    uv_loop_t *loop;
    uint64_t seed;
    double loss;       /* share of frames that an ear misses, 0..1 */
    bool is_colliding; /* frames of one channel and data rate that meet are both lost */
    /* What `to` makes of a frame of `from`; NULL: -70 dBm and 9 dB. Below the SNR a spreading
     * factor needs nothing is heard. */
    void (*link)(void *user, unsigned from, unsigned to, float *rssi, float *snr);
    void *user;
};

struct air;

/* 0 or -ENOMEM. */
int air_create(const struct air_options *o, struct air **ret);
/* Frames on the way are lost; memory goes when the loop has run the close callback. Takes
 * NULL. */
void air_destroy(struct air *a);

/* The number of an ear, for air_send() and the link function; -ENOBUFS: no room. */
int air_join(struct air *a, const struct air_ear *e);
void air_leave(struct air *a, unsigned ear);

/* The frame is copied. It lasts from start_us (about now) for its time on air. 0 or -ENOBUFS.
 */
int air_send(struct air *a, unsigned from, const struct air_frame *f);
