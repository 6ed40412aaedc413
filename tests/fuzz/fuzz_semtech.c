/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams of packet forwarders. The first byte chooses: 0 a PUSH_DATA's JSON, 1 a TX_ACK's, 2
 * a datagram with its header. What Jansson reads in JSON must be what we read; what it refuses
 * we may take only for what we do not check (UTF-8, the size of numbers).
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/forwarder/semtech.h"
#include "gateway/forwarder/token.h"
#include "gateway/lorawan/region.h"
#include "tests/fuzz/fuzz.h"

static struct semtech_push push;

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

/* Jansson keeps a tree, we keep a limit: deeper documents are ours to refuse. So are those with
 * a NUL behind a number, which Jansson 2.14 passes over. */
static bool is_ours_to_refuse(const uint8_t *data, size_t size)
{
    unsigned open = 0;

    if (size > 0 && memchr(data, 0, size))
        return true;
    for (size_t i = 0; i < size; i++)
        open += data[i] == '{' || data[i] == '[';
    return open >= TOKEN_DEPTH_MAX;
}

static bool is_plain(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] >= 0x80 || data[i] == '\\')
            return false;
    }
    return true;
}

/* Numbers that a double or an int64_t does not hold exactly enough to compare. */
static bool has_large_numbers(const uint8_t *data, size_t size)
{
    size_t digits = 0, exponents = 0;

    for (size_t i = 0; i < size; i++) {
        digits = data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
        exponents +=
            i > 0 && (data[i] | 0x20) == 'e' && data[i - 1] >= '0' && data[i - 1] <= '9';
        if (digits > 14 || exponents > 0)
            return true;
    }
    return false;
}

static bool is_string(const json_t *o, const char *name, const char *text)
{
    const char *s = json_string_value(json_object_get(o, name));

    return s && strcmp(s, text) == 0;
}

static bool oracle_rate(const json_t *o, struct radio_rate *ret)
{
    const json_t *datr = json_object_get(o, "datr"), *modu = json_object_get(o, "modu");
    const char *text = json_string_value(datr);
    const bool is_fsk = is_string(o, "modu", "FSK");

    if (modu && !is_fsk && !is_string(o, "modu", "LORA"))
        return false;
    if (text && !is_fsk)
        return radio_rate_parse(text, ret) == 0 && !ret->is_fsk;
    if (!is_fsk && modu)
        return false;
    double v = json_number_value(datr);
    if (text && (strlen(text) > 15 || strspn(text, "0123456789") != strlen(text)))
        return false;
    if (text)
        v = strtod(text, NULL);
    if (round(v) < 1 || round(v) > UINT32_MAX || (!text && !json_is_number(datr)))
        return false;
    *ret = (struct radio_rate){ .is_fsk = true, .bits_s = (uint32_t)round(v) };
    return true;
}

/* The reception an rxpk stands for, by its tree. False: it is none. */
static bool oracle_rx(const json_t *o, struct semtech_rx *r)
{
    const json_t *tmst = json_object_get(o, "tmst"), *freq = json_object_get(o, "freq");
    const char *data = json_string_value(json_object_get(o, "data"));
    const double hz = round(json_number_value(freq) * 1e6);

    if (!json_is_number(tmst) || !json_is_number(freq) || !data || hz <= 0 || hz > 4294967195.0)
        return false;
    if (round(json_number_value(tmst)) < 0 || round(json_number_value(tmst)) > UINT32_MAX)
        return false;
    r->rx.tmst = (uint32_t)round(json_number_value(tmst));
    r->rx.freq_hz = (uint32_t)((int64_t)(hz + 50) / 100 * 100);
    return oracle_rate(o, &r->rx.rate) &&
           base64_decode(data, strlen(data), r->bytes, sizeof r->bytes, &r->rx.n) == 0 &&
           r->rx.n > 0;
}

static bool has_good_crc(const json_t *o)
{
    const json_t *stat = json_object_get(o, "stat");

    return !stat || (json_is_number(stat) && round(json_number_value(stat)) == 1);
}

static bool is_same(const struct semtech_rx *a, const struct semtech_rx *b)
{
    return a->rx.tmst == b->rx.tmst && llabs((int64_t)a->rx.freq_hz - b->rx.freq_hz) <= 100 &&
           a->rx.rate.is_fsk == b->rx.rate.is_fsk && a->rx.rate.sf == b->rx.rate.sf &&
           a->rx.rate.bw_hz == b->rx.rate.bw_hz && a->rx.rate.bits_s == b->rx.rate.bits_s &&
           a->rx.n == b->rx.n && memcmp(a->bytes, b->bytes, a->rx.n) == 0;
}

static void compare(const json_t *root)
{
    const json_t *list = json_object_get(root, "rxpk"), *o;
    size_t good = 0, bad = 0, i;

    json_array_foreach(list, i, o)
    {
        static struct semtech_rx r;
        if (good < SEMTECH_RX_MAX && json_is_object(o) && !has_good_crc(o))
            bad++;
        else if (good < SEMTECH_RX_MAX && json_is_object(o) && oracle_rx(o, &r))
            require(good < push.n && is_same(&r, &push.rx[good++]));
    }
    require(push.n == good && push.crc_bad == bad);
    require(push.malformed == json_array_size(list) - good - bad);
    require(push.has_stat == json_is_object(json_object_get(root, "stat")));
}

/* A member given twice: of containers each one is read, of a tree the last is left. */
static bool repeats(const uint8_t *data, size_t size)
{
    json_t *root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

    json_decref(root);
    return !root;
}

static void fuzz_push(const uint8_t *data, size_t size)
{
    const int rc = semtech_read_push((const char *)data, size, &push);
    json_t *root = json_loadb((const char *)data, size, 0, NULL);

    require(rc == 0 || (push.n == 0 && push.crc_bad == 0 && push.malformed == 0));
    for (size_t i = 0; i < push.n; i++) {
        require(push.rx[i].rx.phy == push.rx[i].bytes && push.rx[i].rx.n > 0);
        semtech_utc_ms(&push.rx[i]);
    }
    if (root && json_is_object(root) && !is_ours_to_refuse(data, size))
        require(rc == 0);
    if (rc == 0 && is_plain(data, size) && !has_large_numbers(data, size))
        require(root);
    if (rc == 0 && root && is_plain(data, size) && !has_large_numbers(data, size) &&
        !repeats(data, size))
        compare(root);
    json_decref(root);
}

static void fuzz_tx_ack(const uint8_t *data, size_t size)
{
    enum radio_result r = RADIO_RESULT_COUNT_;

    if (semtech_read_tx_ack((const char *)data, size, &r) == 0)
        require(r == RADIO_ACCEPTED || (r >= RADIO_TOO_LATE && r <= RADIO_REFUSED));
    else
        require(r == RADIO_RESULT_COUNT_);
}

static void fuzz_datagram(const uint8_t *data, size_t size)
{
    struct semtech_datagram d;

    if (semtech_parse(data, size, &d) < 0)
        return;
    require(d.version == data[0] && (unsigned)d.type == data[3]);
    require((const uint8_t *)d.json + d.json_n <= data + size);
    if (d.type == SEMTECH_PUSH_DATA)
        fuzz_push((const uint8_t *)d.json, d.json_n);
    else
        fuzz_tx_ack((const uint8_t *)d.json, d.json_n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(const uint8_t *, size_t) = { fuzz_push, fuzz_tx_ack,
                                                              fuzz_datagram };

    if (size > 0)
        parts[data[0] % (sizeof parts / sizeof parts[0])](data + 1, size - 1);
    return 0;
}
