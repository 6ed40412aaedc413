/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/serial_modem.h"

#include "gateway/lorawan/radio.h"

enum { HEADER_BYTES = 3 }; /* address and channel, in front of every packet */

const char *const serial_modem_rate_names[SERIAL_MODEM_RATES + 1] = { "0.3k",  "1.2k",  "2.4k",
                                                                      "4.8k",  "9.6k",  "19.2k",
                                                                      "38.4k", "62.5k", NULL };

static const struct radio_rate rates[SERIAL_MODEM_RATES] = {
    [SERIAL_MODEM_0K3] = { .sf = 12, .bw_hz = 125000 },
    [SERIAL_MODEM_1K2] = { .sf = 11, .bw_hz = 250000 },
    [SERIAL_MODEM_2K4] = { .sf = 11, .bw_hz = 500000 },
    [SERIAL_MODEM_4K8] = { .sf = 10, .bw_hz = 500000 },
    [SERIAL_MODEM_9K6] = { .sf = 9, .bw_hz = 500000 },
    [SERIAL_MODEM_19K2] = { .sf = 8, .bw_hz = 500000 },
    [SERIAL_MODEM_38K4] = { .sf = 7, .bw_hz = 500000 },
    [SERIAL_MODEM_62K5] = { .sf = 5, .bw_hz = 500000 },
};

int64_t serial_modem_air_us(enum serial_modem_rate rate, size_t packet, size_t n)
{
    size_t rest = n % packet;
    int64_t whole = (int64_t)(n / packet);
    int64_t air_us = 0;

    if (whole > 0)
        air_us = whole * radio_airtime_us(&rates[rate], packet + HEADER_BYTES, true);
    if (rest > 0)
        air_us += radio_airtime_us(&rates[rate], rest + HEADER_BYTES, true);
    return air_us;
}
