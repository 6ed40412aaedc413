/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim - a station's simulated instruments on their ports and lines. Everything on one loop,
 * whose thread makes every call.
 */
#pragma once

#include <uv.h>

#include "gateway/base/clock.h"
#include "gateway/sim/instrument.h"
#include "gateway/sim/modem.h"

enum { SIM_INSTRUMENTS_MAX = 1024, SIM_PLACES_MAX = 512 };

/* Where an instrument is reached: a TCP port, or a pseudo terminal when `path` is given. */
struct sim_place {
    const char *host, *port; /* port "0": any free one */
    const char *path;
    struct modem_setup modem; /* with `path`: LoRa modems stand between; packet 0: none */
    bool is_rtu; /* on TCP: RTU frames, as a serial device server in raw mode hands them on */
};

struct sim;

int sim_create(const struct clock *clock, struct sim **ret);

/* The options' texts and the place's must outlive it. Instruments at the same place share it.
 * 0, -ENOENT (no such flag word), -EEXIST (unit taken there, or other frames), -E2BIG (places,
 * instruments, faults of one instrument), -ENOMEM. */
int sim_add(struct sim *s, const struct instrument_options *o, const struct sim_place *where);

/* Opens every place. 0, or a negative errno with a sentence in `error`; then stop it. */
int sim_start(struct sim *s, uv_loop_t *loop, char *error, size_t error_size);

struct sim_counters {
    uint64_t answers, exceptions, silent;
};
void sim_counters_get(const struct sim *s, struct sim_counters *ret);

/* "127.0.0.1:1502" or the path, with its instruments, to `each`, place by place. */
void sim_each_place(const struct sim *s,
                    void (*each)(void *user, const char *address,
                                 const struct instrument *const *in, size_t n),
                    void *user);

/* Closes every place; run the loop until it is empty, then destroy. */
void sim_stop(struct sim *s);
void sim_destroy(struct sim *s);
