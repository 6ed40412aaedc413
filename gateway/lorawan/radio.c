/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/radio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    SF_MIN = 5,
    SF_MAX = 12,
    PREAMBLE = 8,        /* symbols; LoRaWAN, all regions */
    HEADER = 8,          /* symbols that are always there */
    CODING_RATE = 1,     /* 4/5 */
    LOW_RATE_US = 16000, /* symbols from here on are sent with low data rate optimisation */
    FSK_PREAMBLE = 5,    /* bytes; with three of sync word and one of length */
    FSK_SYNC = 3,
    FSK_LENGTH = 1,
    FSK_CRC = 2,
    FSK_BITS_S_MAX = 300000, /* of the transceivers there are */
};

static int64_t fsk_airtime_us(const struct radio_rate *rate, size_t n, bool has_crc)
{
    int64_t bytes = FSK_PREAMBLE + FSK_SYNC + FSK_LENGTH + (int64_t)n + (has_crc ? FSK_CRC : 0);

    return rate->bits_s ? bytes * 8 * 1000000 / rate->bits_s : 0;
}

/* Symbols behind the preamble (SX1276 data sheet, 4.1.1.7: explicit header). */
static int64_t payload_symbols(int sf, bool is_low_rate, size_t n, bool has_crc)
{
    int64_t bits = 8 * (int64_t)n - 4 * sf + 28 + (has_crc ? 16 : 0);
    int64_t per_block = 4 * (sf - (is_low_rate ? 2 : 0));

    if (bits <= 0)
        return HEADER;
    return HEADER + (bits + per_block - 1) / per_block * (CODING_RATE + 4);
}

int64_t radio_airtime_us(const struct radio_rate *rate, size_t n, bool has_crc)
{
    if (rate->is_fsk)
        return fsk_airtime_us(rate, n, has_crc);
    if (rate->sf < SF_MIN || rate->sf > SF_MAX || !rate->bw_hz)
        return 0;

    int64_t chips = INT64_C(1000000) << rate->sf; /* microseconds of a symbol, times bw_hz */
    bool is_low_rate = chips / rate->bw_hz >= LOW_RATE_US;
    /* SF5 and SF6 have two more symbols of synchronisation (SX126x; not measured). */
    int64_t quarters = 4 * PREAMBLE + (rate->sf < 7 ? 25 : 17);

    quarters += 4 * payload_symbols(rate->sf, is_low_rate, n, has_crc);
    return chips * quarters / (4 * (int64_t)rate->bw_hz);
}

double radio_snr_min(unsigned sf)
{
    return 10.0 - 2.5 * (double)sf;
}

bool radio_rate_is_same(const struct radio_rate *a, const struct radio_rate *b)
{
    if (a->is_fsk != b->is_fsk)
        return false;
    return a->is_fsk ? a->bits_s == b->bits_s : a->sf == b->sf && a->bw_hz == b->bw_hz;
}

void radio_rate_print(const struct radio_rate *rate, char out[RADIO_RATE_TEXT_SIZE])
{
    if (rate->is_fsk)
        snprintf(out, RADIO_RATE_TEXT_SIZE, "FSK%lu", (unsigned long)rate->bits_s);
    else
        snprintf(out, RADIO_RATE_TEXT_SIZE, "SF%uBW%lu", (unsigned)rate->sf,
                 (unsigned long)(rate->bw_hz / 1000));
}

/* Decimal digits, at most max; moves *at behind them. */
static bool take_number(const char **at, unsigned long max, unsigned long *ret)
{
    unsigned long v = 0;
    const char *p = *at;

    for (; *p >= '0' && *p <= '9'; p++) {
        v = v * 10 + (unsigned long)(*p - '0');
        if (v > max)
            return false;
    }
    if (p == *at)
        return false;
    *at = p;
    *ret = v;
    return true;
}

static int parse_fsk(const char *at, struct radio_rate *ret)
{
    unsigned long bits_s;

    if (!take_number(&at, FSK_BITS_S_MAX, &bits_s) || *at || !bits_s)
        return -EINVAL;
    *ret = (struct radio_rate){ .is_fsk = true, .bits_s = (uint32_t)bits_s };
    return 0;
}

static bool is_bandwidth(unsigned long khz)
{
    return khz == 125 || khz == 250 || khz == 500;
}

int radio_rate_parse(const char *text, struct radio_rate *ret)
{
    unsigned long sf, khz;
    const char *at = text;

    if (strncmp(at, "FSK", 3) == 0)
        return parse_fsk(at + 3, ret);
    if (strncmp(at, "SF", 2) != 0)
        return -EINVAL;
    at += 2;
    if (!take_number(&at, SF_MAX, &sf) || sf < SF_MIN || strncmp(at, "BW", 2) != 0)
        return -EINVAL;
    at += 2;
    if (!take_number(&at, 500, &khz) || *at || !is_bandwidth(khz))
        return -EINVAL;
    *ret = (struct radio_rate){ .sf = (uint8_t)sf, .bw_hz = (uint32_t)khz * 1000 };
    return 0;
}
