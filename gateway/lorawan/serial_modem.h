/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial_modem - how long transparent serial LoRa modems (Ebyte E22, E32, E90-DTU and their
 * like) are on the air. Pure, any thread.
 *
 * Makers state an air rate and keep quiet about what is behind it. Spreading factor and
 * bandwidth are assumed, so the formula is a lower bound: 100 bytes at 2.4 kbit/s take half a
 * second by it and 1.5 s by the only figure that a maker gives (E220 manual, page 15).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum serial_modem_rate {
    SERIAL_MODEM_0K3,
    SERIAL_MODEM_1K2,
    SERIAL_MODEM_2K4, /* as they leave the factory */
    SERIAL_MODEM_4K8,
    SERIAL_MODEM_9K6,
    SERIAL_MODEM_19K2,
    SERIAL_MODEM_38K4,
    SERIAL_MODEM_62K5,
    SERIAL_MODEM_RATES
};

/* "0.3k", "1.2k" ... in the order of the enum, closed by NULL: words of the configuration. */
extern const char *const serial_modem_rate_names[SERIAL_MODEM_RATES + 1];

/* What makers' figures are, in tenths of the lower bound. */
enum { SERIAL_MODEM_USUAL_TENTHS = 32 };

/* Lower bound of the air time of n bytes, cut into packets of `packet` bytes. */
int64_t serial_modem_air_us(enum serial_modem_rate rate, size_t packet, size_t n);
