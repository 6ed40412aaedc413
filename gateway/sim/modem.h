/* SPDX-License-Identifier: Apache-2.0 */
/*
 * modem - a pair of transparent LoRa modems between the gateway's port and the instruments: it
 * cuts at three characters of silence and at full sub-packets, one packet is on the air at a
 * time, and each takes as long as on the real one. Loop thread only.
 */
#pragma once

#include <uv.h>

#include "gateway/lorawan/serial_modem.h"

struct modem_setup {
    enum serial_modem_rate rate;
    int packet; /* bytes of a sub-packet; 0: no modem */
    int repeaters;
    int64_t char_us;   /* of a character on both serial sides */
    double air_factor; /* how many times the lower bound the air takes */
};

struct modem;

/* Between near_fd, which stays the caller's, and a new one for the instruments' end, *ret_fd,
 * which is the modem's. near_fd must be open until on_closed. 0 or a negative errno. */
int modem_open(uv_loop_t *loop, const struct modem_setup *setup, int near_fd,
               void (*on_closed)(void *user), void *user, struct modem **ret, int *ret_fd);
void modem_close(struct modem *m);
