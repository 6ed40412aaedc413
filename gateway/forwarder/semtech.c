/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forwarder/semtech.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/forwarder/token.h"
#include "gateway/lorawan/region.h"

enum { HEADER_SIZE = 4, EUI_SIZE = 8 };

static size_t without_tail(const char *text, size_t n)
{
    while (n > 0 && (!text[n - 1] || strchr(" \t\r\n", text[n - 1])))
        n--;
    return n;
}

static uint64_t read_eui(const uint8_t *p)
{
    uint64_t eui = 0;

    for (int i = 0; i < EUI_SIZE; i++)
        eui = eui << 8 | p[i];
    return eui;
}

int semtech_parse(const void *data, size_t n, struct semtech_datagram *ret)
{
    const uint8_t *p = data;

    if (n < HEADER_SIZE + EUI_SIZE || p[0] < 1 || p[0] > 2)
        return -EINVAL;
    if (p[3] != SEMTECH_PUSH_DATA && p[3] != SEMTECH_PULL_DATA && p[3] != SEMTECH_TX_ACK)
        return -EINVAL;
    const char *json = (const char *)p + HEADER_SIZE + EUI_SIZE;
    *ret = (struct semtech_datagram){
        .version = p[0],
        .token = (uint16_t)(p[1] << 8 | p[2]),
        .type = (enum semtech_type)p[3],
        .eui = read_eui(p + HEADER_SIZE),
        .json = json,
        .json_n = without_tail(json, n - HEADER_SIZE - EUI_SIZE),
    };
    return 0;
}

static void print_header(uint8_t version, uint16_t token, enum semtech_type type, uint8_t *out)
{
    out[0] = version;
    out[1] = (uint8_t)(token >> 8);
    out[2] = (uint8_t)token;
    out[3] = (uint8_t)type;
}

void semtech_print_ack(const struct semtech_datagram *d, uint8_t ret[SEMTECH_ACK_SIZE])
{
    print_header(d->version, d->token,
                 d->type == SEMTECH_PULL_DATA ? SEMTECH_PULL_ACK : SEMTECH_PUSH_ACK, ret);
}

/* ---- TX_ACK ---- */

static enum radio_result result_of(const struct token *error)
{
    static const struct {
        const char *name;
        enum radio_result result;
    } results[] = {
        { "NONE", RADIO_ACCEPTED },
        { "TOO_LATE", RADIO_TOO_LATE },
        { "TOO_EARLY", RADIO_TOO_EARLY },
        { "COLLISION_PACKET", RADIO_COLLISION },
        { "COLLISION_BEACON", RADIO_COLLISION },
    };

    if (error->type == TOKEN_NONE || error->type == TOKEN_NULL)
        return RADIO_ACCEPTED;
    for (size_t i = 0; error->type == TOKEN_STRING && i < sizeof results / sizeof results[0];
         i++) {
        if (token_is_text(error, results[i].name))
            return results[i].result;
    }
    return RADIO_REFUSED;
}

int semtech_read_tx_ack(const char *json, size_t n, enum radio_result *ret)
{
    static const char *const names[] = { "error" };
    struct tokens t;
    struct token k, error = { .type = TOKEN_NONE };

    if (n == 0) {
        *ret = RADIO_ACCEPTED;
        return 0;
    }
    tokens_init(&t, json, n);
    if (tokens_next(&t).type != TOKEN_OBJECT)
        return -EINVAL;
    while ((k = tokens_next(&t)).type == TOKEN_KEY) {
        const struct token v = tokens_next(&t);
        const bool is_answer = token_is_text(&k, "txpk_ack");
        if (is_answer && v.type != TOKEN_OBJECT)
            return -EINVAL;
        if (!(is_answer ? tokens_object(&t, names, 1, &error) : tokens_skip(&t, v)))
            return -EINVAL;
    }
    if (k.type != TOKEN_OBJECT_END || tokens_next(&t).type != TOKEN_DONE)
        return -EINVAL;
    *ret = result_of(&error);
    return 0;
}

/* ---- PULL_RESP ---- */

/* "datr" and what belongs to the modulation. LoRa downlinks have inverted polarity and no CRC,
 * so that neighbouring concentrators do not take them for uplinks; FSK frames have a CRC in
 * both directions, and a deviation of half the bit rate. */
static int print_modulation(const struct radio_rate *rate, char *out, size_t size)
{
    char text[RADIO_RATE_TEXT_SIZE];

    if (rate->is_fsk)
        return snprintf(out, size,
                        "\"modu\":\"FSK\",\"datr\":%" PRIu32 ",\"fdev\":%" PRIu32
                        ",\"codr\":\"4/5\",\"ipol\":false,\"prea\":5,\"ncrc\":false",
                        rate->bits_s, rate->bits_s / 2);
    radio_rate_print(rate, text);
    return snprintf(out, size,
                    "\"modu\":\"LORA\",\"datr\":\"%s\",\"codr\":\"4/5\",\"ipol\":true,"
                    "\"prea\":8,\"ncrc\":true",
                    text);
}

static int print_when(const struct radio_tx *tx, char *out, size_t size)
{
    if (tx->is_immediate)
        return snprintf(out, size, "\"imme\":true");
    return snprintf(out, size, "\"imme\":false,\"tmst\":%" PRIu32, tx->tmst);
}

size_t semtech_print_tx(const struct radio_tx *tx, uint8_t version, uint16_t token,
                        char ret[SEMTECH_TX_MAX])
{
    char data[BASE64_SIZE(RADIO_SIZE_MAX) + 1], when[32], modulation[160];

    print_header(version, token, SEMTECH_PULL_RESP, (uint8_t *)ret);
    base64_encode(tx->phy, tx->n, data);
    print_when(tx, when, sizeof when);
    print_modulation(&tx->rate, modulation, sizeof modulation);
    /* The longest of each is below SEMTECH_TX_MAX; MHz from an integer: a float brings noise,
     * and the reference forwarder truncates. */
    const int n = snprintf(ret + HEADER_SIZE, SEMTECH_TX_MAX - HEADER_SIZE,
                           "{\"txpk\":{%s,\"freq\":%" PRIu32 ".%06" PRIu32
                           ",\"rfch\":0,\"powe\":%d,%s,\"size\":%u,\"data\":\"%s\"}}",
                           when, tx->freq_hz / 1000000, tx->freq_hz % 1000000, tx->power_dbm,
                           modulation, tx->n, data);
    return HEADER_SIZE + (size_t)n;
}
