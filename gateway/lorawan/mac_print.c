/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of MAC commands in words: L2 1.0.4 and 1.1 section 5, class B sections 12 and 13. */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/lorawan/mac.h"

enum shape {
    SHAPE_NUMBER,
    SHAPE_DATA_RATE, /* "RX2 DR3" */
    SHAPE_SIGNED,
    SHAPE_MASK,
    SHAPE_FREQUENCY, /* of 100 Hz */
    SHAPE_OK,        /* "ok", "refused" */
    SHAPE_VERSION,   /* minor of LoRaWAN 1.x */
    SHAPE_CLASS,
    SHAPE_SHARE,   /* 1/2^n */
    SHAPE_POWER_2, /* 2^n */
    SHAPE_EIRP,
    SHAPE_DELAY, /* seconds; 0 means 1 */
    SHAPE_BATTERY,
    SHAPE_256TH, /* of a second */
};

enum direction { UP, DOWN };

/* `bits` bits from bit `bit` on of the payload as one little endian number. */
static const struct mac_field {
    uint8_t cid;
    enum direction direction;
    uint8_t bit, bits;
    enum shape shape;
    const char *name;
} fields[] = {
    { MAC_RESET, UP, 0, 4, SHAPE_VERSION, "LoRaWAN" },
    { MAC_RESET, DOWN, 0, 4, SHAPE_VERSION, "LoRaWAN" },
    { MAC_LINK_CHECK, DOWN, 0, 8, SHAPE_NUMBER, "Margin(dB)" },
    { MAC_LINK_CHECK, DOWN, 8, 8, SHAPE_NUMBER, "Gateways" },
    { MAC_LINK_ADR, UP, 2, 1, SHAPE_OK, "Power" },
    { MAC_LINK_ADR, UP, 1, 1, SHAPE_OK, "DataRate" },
    { MAC_LINK_ADR, UP, 0, 1, SHAPE_OK, "ChMask" },
    { MAC_LINK_ADR, DOWN, 4, 4, SHAPE_DATA_RATE, "" },
    { MAC_LINK_ADR, DOWN, 0, 4, SHAPE_NUMBER, "TXPower" },
    { MAC_LINK_ADR, DOWN, 8, 16, SHAPE_MASK, "ChMask" },
    { MAC_LINK_ADR, DOWN, 28, 3, SHAPE_NUMBER, "ChMaskCntl" },
    { MAC_LINK_ADR, DOWN, 24, 4, SHAPE_NUMBER, "NbTrans" },
    { MAC_DUTY_CYCLE, DOWN, 0, 4, SHAPE_SHARE, "MaxDutyCycle" },
    { MAC_RX_PARAM_SETUP, UP, 2, 1, SHAPE_OK, "RX1DROffset" },
    { MAC_RX_PARAM_SETUP, UP, 1, 1, SHAPE_OK, "RX2DataRate" },
    { MAC_RX_PARAM_SETUP, UP, 0, 1, SHAPE_OK, "Channel" },
    { MAC_RX_PARAM_SETUP, DOWN, 4, 3, SHAPE_NUMBER, "RX1DROffset" },
    { MAC_RX_PARAM_SETUP, DOWN, 0, 4, SHAPE_DATA_RATE, "RX2 " },
    { MAC_RX_PARAM_SETUP, DOWN, 8, 24, SHAPE_FREQUENCY, "" },
    { MAC_DEV_STATUS, UP, 0, 8, SHAPE_BATTERY, "Battery" },
    { MAC_DEV_STATUS, UP, 8, 6, SHAPE_SIGNED, "Margin(dB)" },
    { MAC_NEW_CHANNEL, UP, 1, 1, SHAPE_OK, "DataRates" },
    { MAC_NEW_CHANNEL, UP, 0, 1, SHAPE_OK, "Frequency" },
    { MAC_NEW_CHANNEL, DOWN, 0, 8, SHAPE_NUMBER, "Channel" },
    { MAC_NEW_CHANNEL, DOWN, 8, 24, SHAPE_FREQUENCY, "" },
    { MAC_NEW_CHANNEL, DOWN, 32, 4, SHAPE_DATA_RATE, "Min" },
    { MAC_NEW_CHANNEL, DOWN, 36, 4, SHAPE_DATA_RATE, "Max" },
    { MAC_RX_TIMING_SETUP, DOWN, 0, 4, SHAPE_DELAY, "RX1Delay(s)" },
    { MAC_TX_PARAM_SETUP, DOWN, 5, 1, SHAPE_NUMBER, "DownlinkDwellTime" },
    { MAC_TX_PARAM_SETUP, DOWN, 4, 1, SHAPE_NUMBER, "UplinkDwellTime" },
    { MAC_TX_PARAM_SETUP, DOWN, 0, 4, SHAPE_EIRP, "MaxEIRP(dBm)" },
    { MAC_DL_CHANNEL, UP, 1, 1, SHAPE_OK, "UplinkFrequency" },
    { MAC_DL_CHANNEL, UP, 0, 1, SHAPE_OK, "Frequency" },
    { MAC_DL_CHANNEL, DOWN, 0, 8, SHAPE_NUMBER, "Channel" },
    { MAC_DL_CHANNEL, DOWN, 8, 24, SHAPE_FREQUENCY, "" },
    { MAC_REKEY, UP, 0, 4, SHAPE_VERSION, "LoRaWAN" },
    { MAC_REKEY, DOWN, 0, 4, SHAPE_VERSION, "LoRaWAN" },
    { MAC_ADR_PARAM_SETUP, DOWN, 4, 4, SHAPE_POWER_2, "ADR_ACK_LIMIT" },
    { MAC_ADR_PARAM_SETUP, DOWN, 0, 4, SHAPE_POWER_2, "ADR_ACK_DELAY" },
    { MAC_DEVICE_TIME, DOWN, 0, 32, SHAPE_NUMBER, "GPS(s)" },
    { MAC_DEVICE_TIME, DOWN, 32, 8, SHAPE_256TH, "" },
    { MAC_FORCE_REJOIN, DOWN, 11, 3, SHAPE_NUMBER, "Period" },
    { MAC_FORCE_REJOIN, DOWN, 8, 3, SHAPE_NUMBER, "MaxRetries" },
    { MAC_FORCE_REJOIN, DOWN, 4, 3, SHAPE_NUMBER, "RejoinType" },
    { MAC_FORCE_REJOIN, DOWN, 0, 4, SHAPE_DATA_RATE, "" },
    { MAC_REJOIN_PARAM_SETUP, UP, 0, 1, SHAPE_OK, "Time" },
    { MAC_REJOIN_PARAM_SETUP, DOWN, 4, 4, SHAPE_NUMBER, "MaxTimeN" },
    { MAC_REJOIN_PARAM_SETUP, DOWN, 0, 4, SHAPE_NUMBER, "MaxCountN" },
    { MAC_PING_SLOT_INFO, UP, 0, 3, SHAPE_POWER_2, "Periodicity(s)" },
    { MAC_PING_SLOT_CHANNEL, UP, 1, 1, SHAPE_OK, "DataRate" },
    { MAC_PING_SLOT_CHANNEL, UP, 0, 1, SHAPE_OK, "Frequency" },
    { MAC_PING_SLOT_CHANNEL, DOWN, 0, 24, SHAPE_FREQUENCY, "" },
    { MAC_PING_SLOT_CHANNEL, DOWN, 24, 4, SHAPE_DATA_RATE, "" },
    { MAC_BEACON_TIMING, DOWN, 0, 16, SHAPE_NUMBER, "Delay(30ms)" },
    { MAC_BEACON_TIMING, DOWN, 16, 8, SHAPE_NUMBER, "Channel" },
    { MAC_BEACON_FREQ, UP, 0, 1, SHAPE_OK, "Frequency" },
    { MAC_BEACON_FREQ, DOWN, 0, 24, SHAPE_FREQUENCY, "" },
    { MAC_DEVICE_MODE, UP, 0, 8, SHAPE_CLASS, "Class" },
    { MAC_DEVICE_MODE, DOWN, 0, 8, SHAPE_CLASS, "Class" },
};

static uint32_t value_of(const struct mac_command *m, const struct mac_field *f)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < m->n; i++)
        all |= (uint64_t)m->payload[i] << 8 * i;
    return (uint32_t)(all >> f->bit & (((uint64_t)1 << f->bits) - 1));
}

static int print_battery(uint32_t v, const char *name, char *out, size_t size)
{
    if (v == 0)
        return snprintf(out, size, "%s external", name);
    if (v == 255)
        return snprintf(out, size, "%s unknown", name);
    return snprintf(out, size, "%s %" PRIu32 "/254", name, v);
}

/* Values that a word or a table stands for; NULL: the number itself. */
static const char *word_of(enum shape s, uint32_t v)
{
    static const char *const eirp[] = { "8",  "10", "12", "13", "14", "16", "18", "20",
                                        "21", "24", "26", "27", "29", "30", "33", "36" };
    static const char *const classes[] = { "A", "B", "C" };

    if (s == SHAPE_OK)
        return v ? "ok" : "refused";
    if (s == SHAPE_EIRP)
        return eirp[v];
    return s == SHAPE_CLASS && v < 3 ? classes[v] : NULL;
}

static int print_field(const struct mac_field *f, uint32_t v, char *out, size_t size)
{
    const char *word = word_of(f->shape, v);

    if (word)
        return snprintf(out, size, "%s %s", f->name, word);
    switch (f->shape) {
    case SHAPE_DATA_RATE:
        return snprintf(out, size, "%sDR%" PRIu32, f->name, v);
    case SHAPE_SIGNED:
        return snprintf(out, size, "%s %d", f->name,
                        (int)v - (v >> (f->bits - 1) ? 1 << f->bits : 0));
    case SHAPE_MASK:
        return snprintf(out, size, "%s %04" PRIx32, f->name, v);
    case SHAPE_FREQUENCY:
        return snprintf(out, size, "%" PRIu32 ".%04" PRIu32 " MHz", v / 10000, v % 10000);
    case SHAPE_VERSION:
        return snprintf(out, size, "%s 1.%" PRIu32, f->name, v);
    case SHAPE_SHARE:
        return snprintf(out, size, "%s 1/%" PRIu32, f->name, (uint32_t)1 << v);
    case SHAPE_POWER_2:
        return snprintf(out, size, "%s %" PRIu32, f->name, (uint32_t)1 << v);
    case SHAPE_DELAY:
        return snprintf(out, size, "%s %" PRIu32, f->name, v ? v : 1);
    case SHAPE_BATTERY:
        return print_battery(v, f->name, out, size);
    case SHAPE_256TH:
        return snprintf(out, size, "+ %" PRIu32 "/256 s", v);
    default:
        return snprintf(out, size, "%s %" PRIu32, f->name, v);
    }
}

void mac_print(const struct mac_command *m, bool is_up, char *out, size_t size)
{
    enum direction direction = is_up ? UP : DOWN;
    size_t at = 0;

    if (size)
        out[0] = 0;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct mac_field *f = &fields[i];
        if (f->cid != m->cid || f->direction != direction || at + 1 >= size)
            continue;
        if (at)
            out[at++] = ' ';
        int n = print_field(f, value_of(m, f), out + at, size - at);
        at += n < 0 ? 0 : (size_t)n;
    }
}
