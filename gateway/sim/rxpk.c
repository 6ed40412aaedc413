/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/rxpk.h"

#include <inttypes.h>

#include "gateway/base/base64.h"

static void put_rate(struct buf *b, const struct radio_rate *r)
{
    if (r->is_fsk)
        buf_printf(b, "\"modu\":\"FSK\",\"datr\":%" PRIu32, r->bits_s);
    else
        buf_printf(b, "\"modu\":\"LORA\",\"datr\":\"SF%uBW%" PRIu32 "\",\"codr\":\"4/5\"",
                   (unsigned)r->sf, r->bw_hz / 1000);
}

void rxpk_print(struct buf *b, const struct rxpk *r)
{
    char data[BASE64_SIZE(RADIO_SIZE_MAX) + 1];
    const uint32_t hz = r->frame.freq_hz;

    base64_encode(r->frame.phy, r->frame.n, data);
    buf_printf(b,
               "{\"jver\":1,\"tmst\":%" PRIu32 ",\"chan\":0,\"rfch\":0,\"freq\":%" PRIu32
               ".%06" PRIu32 ",\"mid\":0,\"stat\":%d,",
               r->tmst, hz / 1000000, hz % 1000000, r->is_garbled ? -1 : 1);
    put_rate(b, &r->frame.rate);
    if (!r->frame.rate.is_fsk)
        buf_printf(b, ",\"lsnr\":%.1f", (double)r->snr);
    buf_printf(b, ",\"rssi\":%.0f,\"size\":%zu,\"data\":\"%s\"}", (double)r->rssi, r->frame.n,
               data);
}
