/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/txpk.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/lorawan/region.h"

/* imme, tmst, tmms: the first of them counts. */
static int read_when(const json_t *o, struct jit_packet *p)
{
    const json_t *tmst = json_object_get(o, "tmst");

    if (json_is_true(json_object_get(o, "imme"))) {
        p->is_immediate = true;
        return 0;
    }
    if (json_is_number(tmst)) {
        p->tmst = (uint32_t)json_number_value(tmst);
        return 0;
    }
    return json_is_number(json_object_get(o, "tmms")) ? -ENOTSUP : -EINVAL;
}

static int read_lora(const json_t *o, struct air_frame *f)
{
    static const char *const rates[] = { "4/5", "4/6", "2/3", "4/7", "4/8", "2/4", "1/2" };
    const char *datr = json_string_value(json_object_get(o, "datr"));
    const char *codr = json_string_value(json_object_get(o, "codr"));
    size_t i = 0;

    if (!datr || !codr || radio_rate_parse(datr, &f->rate) < 0 || f->rate.is_fsk)
        return -EINVAL;
    while (i < sizeof rates / sizeof rates[0] && strcmp(rates[i], codr) != 0)
        i++;
    f->is_inverted = json_is_true(json_object_get(o, "ipol"));
    return i < sizeof rates / sizeof rates[0] ? 0 : -EINVAL;
}

static int read_fsk(const json_t *o, struct air_frame *f)
{
    const json_t *datr = json_object_get(o, "datr");

    if (!json_is_number(datr) || !json_is_number(json_object_get(o, "fdev")))
        return -EINVAL;
    f->rate =
        (struct radio_rate){ .is_fsk = true, .bits_s = (uint32_t)json_number_value(datr) };
    f->is_inverted = true; /* FSK has no polarity; it is a downlink all the same */
    return f->rate.bits_s > 0 ? 0 : -EINVAL;
}

static int read_modulation(const json_t *o, struct air_frame *f)
{
    const char *modu = json_string_value(json_object_get(o, "modu"));

    if (modu && strcmp(modu, "LORA") == 0)
        return read_lora(o, f);
    return modu && strcmp(modu, "FSK") == 0 ? read_fsk(o, f) : -EINVAL;
}

static int read_data(const json_t *o, struct air_frame *f)
{
    const char *data = json_string_value(json_object_get(o, "data"));

    if (!data || !json_is_number(json_object_get(o, "size")))
        return -EINVAL;
    return base64_decode(data, strlen(data), f->phy, sizeof f->phy, &f->n);
}

static int read_object(const json_t *o, struct jit_packet *p)
{
    const json_t *freq = json_object_get(o, "freq");

    if (!json_is_number(freq) || !json_is_number(json_object_get(o, "rfch")))
        return -EINVAL;
    /* It cuts, and may be 1 Hz low: nobody may depend on it. */
    p->frame.freq_hz = (uint32_t)(1e6 * json_number_value(freq) + 0.5);
    p->frame.has_crc = !json_is_true(json_object_get(o, "ncrc"));
    p->frame.power_dbm = (int)json_number_value(json_object_get(o, "powe"));
    return read_modulation(o, &p->frame) < 0 || read_data(o, &p->frame) < 0 ? -EINVAL : 0;
}

int txpk_read(const char *json, size_t n, struct jit_packet *ret)
{
    json_t *root = json_loadb(json, n, 0, NULL);
    const json_t *o = json_object_get(root, "txpk");
    struct jit_packet p = { .is_immediate = false };
    int rc = json_is_object(o) ? read_when(o, &p) : -EINVAL;

    if (rc == 0)
        rc = read_object(o, &p);
    json_decref(root);
    if (rc < 0)
        return rc;
    p.airtime_us = radio_airtime_us(&p.frame.rate, p.frame.n, p.frame.has_crc);
    *ret = p;
    return 0;
}
