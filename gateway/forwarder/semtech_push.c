/* SPDX-License-Identifier: Apache-2.0 */
/* What a PUSH_DATA says: receptions and the forwarder's statistics. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/base/clock.h"
#include "gateway/forwarder/semtech.h"
#include "gateway/forwarder/token.h"
#include "gateway/lorawan/region.h"

enum {
    RX_TMST,
    RX_TIME,
    RX_FREQ,
    RX_STAT,
    RX_MODU,
    RX_DATR,
    RX_RSSI,
    RX_LSNR,
    RX_DATA,
    RX_FIELDS_
};
static const char *const rx_names[RX_FIELDS_] = {
    [RX_TMST] = "tmst", [RX_TIME] = "time", [RX_FREQ] = "freq",
    [RX_STAT] = "stat", [RX_MODU] = "modu", [RX_DATR] = "datr",
    [RX_RSSI] = "rssi", [RX_LSNR] = "lsnr", [RX_DATA] = "data",
};

/* LoRaWAN states frequencies in steps of 100 Hz; forwarders that compute in single precision
 * are up to 31 Hz off, others one below. */
enum { FREQ_STEP_HZ = 100 };

static double decibels(const struct token *k)
{
    int64_t v;

    if (token_number(k, 3, &v) < 0)
        return NAN;
    return (double)v / 1000;
}

static bool read_freq(const struct token *k, uint32_t *ret)
{
    int64_t hz;

    if (token_number(k, 6, &hz) < 0 || hz <= 0 || hz > UINT32_MAX - FREQ_STEP_HZ)
        return false;
    *ret = (uint32_t)((hz + FREQ_STEP_HZ / 2) / FREQ_STEP_HZ * FREQ_STEP_HZ);
    return true;
}

static bool read_fsk(const struct token *datr, struct radio_rate *ret)
{
    int64_t bits_s;

    if (token_number(datr, 0, &bits_s) < 0 || bits_s <= 0 || bits_s > UINT32_MAX)
        return false;
    *ret = (struct radio_rate){ .is_fsk = true, .bits_s = (uint32_t)bits_s };
    return true;
}

static bool read_rate(const struct token *modu, const struct token *datr,
                      struct radio_rate *ret)
{
    char text[RADIO_RATE_TEXT_SIZE];

    if (datr->type == TOKEN_NUMBER)
        return (modu->type == TOKEN_NONE || token_is_text(modu, "FSK")) && read_fsk(datr, ret);
    if (modu->type != TOKEN_NONE && !token_is_text(modu, "LORA") && !token_is_text(modu, "FSK"))
        return false;
    if (token_text(datr, text, sizeof text) <= 0)
        return false;
    if (!token_is_text(modu, "FSK"))
        return radio_rate_parse(text, ret) == 0 && !ret->is_fsk;
    const struct token number = { .type = TOKEN_NUMBER, .text = text, .n = strlen(text) };
    return strspn(text, "0123456789") == number.n && read_fsk(&number, ret);
}

static bool read_data(const struct token *k, struct semtech_rx *r)
{
    char plain[2 * BASE64_SIZE(RADIO_SIZE_MAX)];
    int n = (int)k->n;
    const char *text = k->text;

    if (k->type != TOKEN_STRING)
        return false;
    if (k->has_escapes) { /* some libraries write every '/' as "\/" */
        n = token_text(k, plain, sizeof plain);
        text = plain;
    }
    return n >= 0 && base64_decode(text, (size_t)n, r->bytes, RADIO_SIZE_MAX, &r->rx.n) == 0 &&
           r->rx.n > 0;
}

static bool read_tmst(const struct token *k, uint32_t *ret)
{
    int64_t v;

    if (token_number(k, 0, &v) < 0 || v < 0 || v > UINT32_MAX)
        return false;
    *ret = (uint32_t)v;
    return true;
}

/* Of a forwarder that does not say it: the frame's own MIC decides. */
static bool has_good_crc(const struct token *k)
{
    int64_t v;

    return k->type == TOKEN_NONE || (token_number(k, 0, &v) == 0 && v == 1);
}

static void take_rx(struct semtech_push *p, const struct token f[RX_FIELDS_])
{
    struct semtech_rx *r = &p->rx[p->n];

    if (!has_good_crc(&f[RX_STAT])) {
        p->crc_bad++;
        return;
    }
    r->rx = (struct radio_rx){ .phy = r->bytes };
    if (!read_tmst(&f[RX_TMST], &r->rx.tmst) || !read_freq(&f[RX_FREQ], &r->rx.freq_hz) ||
        !read_rate(&f[RX_MODU], &f[RX_DATR], &r->rx.rate) || !read_data(&f[RX_DATA], r)) {
        p->malformed++;
        return;
    }
    r->rx.rssi = (float)decibels(&f[RX_RSSI]);
    r->rx.snr = r->rx.rate.is_fsk ? NAN : (float)decibels(&f[RX_LSNR]);
    r->time = f[RX_TIME].type == TOKEN_STRING ? f[RX_TIME].text : NULL;
    r->time_n = r->time ? f[RX_TIME].n : 0;
    p->n++;
}

static bool read_receptions(struct tokens *t, struct semtech_push *p)
{
    struct token fields[RX_FIELDS_], k;

    while ((k = tokens_next(t)).type != TOKEN_ARRAY_END) {
        if (k.type == TOKEN_OBJECT) {
            if (!tokens_object(t, rx_names, RX_FIELDS_, fields))
                return false;
        } else if (!tokens_skip(t, k)) {
            return false;
        }
        if (k.type == TOKEN_OBJECT && p->n < SEMTECH_RX_MAX)
            take_rx(p, fields);
        else
            p->malformed++;
    }
    return true;
}

enum {
    STAT_RXNB,
    STAT_RXOK,
    STAT_RXFW,
    STAT_ACKR,
    STAT_DWNB,
    STAT_TXNB,
    STAT_TEMP,
    STAT_LATI,
    STAT_LONG,
    STAT_ALTI,
    STAT_FIELDS_
};
static const char *const stat_names[STAT_FIELDS_] = {
    [STAT_RXNB] = "rxnb", [STAT_RXOK] = "rxok", [STAT_RXFW] = "rxfw", [STAT_ACKR] = "ackr",
    [STAT_DWNB] = "dwnb", [STAT_TXNB] = "txnb", [STAT_TEMP] = "temp", [STAT_LATI] = "lati",
    [STAT_LONG] = "long", [STAT_ALTI] = "alti",
};

static int64_t count_of(const struct token *k)
{
    int64_t v;

    return token_number(k, 0, &v) == 0 && v > 0 ? v : 0;
}

static double real_of(const struct token *k)
{
    int64_t v;

    return token_number(k, 6, &v) == 0 ? (double)v / 1e6 : NAN;
}

static bool read_stat(struct tokens *t, struct semtech_stat *ret)
{
    struct token f[STAT_FIELDS_];

    if (!tokens_object(t, stat_names, STAT_FIELDS_, f))
        return false;
    *ret = (struct semtech_stat){
        .rxnb = count_of(&f[STAT_RXNB]),
        .rxok = count_of(&f[STAT_RXOK]),
        .rxfw = count_of(&f[STAT_RXFW]),
        .dwnb = count_of(&f[STAT_DWNB]),
        .txnb = count_of(&f[STAT_TXNB]),
        .ackr = real_of(&f[STAT_ACKR]),
        .temp = real_of(&f[STAT_TEMP]),
        .lat = real_of(&f[STAT_LATI]),
        .lon = real_of(&f[STAT_LONG]),
        .alt = real_of(&f[STAT_ALTI]),
    };
    return true;
}

static void forget(struct semtech_push *p)
{
    p->n = 0;
    p->crc_bad = 0;
    p->malformed = 0;
    p->has_stat = false;
}

static bool read_member(struct tokens *t, const struct token *name, struct semtech_push *p)
{
    const struct token v = tokens_next(t);

    if (v.type == TOKEN_ARRAY && token_is_text(name, "rxpk"))
        return read_receptions(t, p);
    if (v.type == TOKEN_OBJECT && token_is_text(name, "stat"))
        return p->has_stat = read_stat(t, &p->stat);
    return tokens_skip(t, v);
}

int semtech_read_push(const char *json, size_t n, struct semtech_push *ret)
{
    struct tokens t;
    struct token k;

    forget(ret);
    tokens_init(&t, json, n);
    if (tokens_next(&t).type != TOKEN_OBJECT)
        return -EINVAL;
    while ((k = tokens_next(&t)).type == TOKEN_KEY) {
        if (!read_member(&t, &k, ret)) {
            forget(ret);
            return -EINVAL;
        }
    }
    if (k.type == TOKEN_OBJECT_END && tokens_next(&t).type == TOKEN_DONE)
        return 0;
    forget(ret);
    return -EINVAL;
}

/* "2013-03-31T16:21:17.528002Z": the milliseconds of it, whatever its number of digits. */
int64_t semtech_utc_ms(const struct semtech_rx *rx)
{
    char text[TIME_TEXT_MAX] = "0000-00-00T00:00:00.000Z";
    const size_t seconds = strlen("0000-00-00T00:00:00"), at_ms = seconds + 1;

    if (!rx->time || rx->time_n <= seconds || rx->time[rx->time_n - 1] != 'Z')
        return INT64_MIN;
    const size_t broken = rx->time_n - at_ms; /* ".528002" without the 'Z' */
    if (broken > 0 && rx->time[seconds] != '.')
        return INT64_MIN;
    memcpy(text, rx->time, seconds);
    if (broken > 1)
        memcpy(text + at_ms, rx->time + at_ms, broken - 1 < 3 ? broken - 1 : 3);
    const int64_t ms = time_read_utc(text);
    return ms != 0 ? ms : INT64_MIN;
}
