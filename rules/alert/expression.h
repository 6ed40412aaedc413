/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expression - a condition over several channels, as rules are written with it:
 *
 *     wind_speed > 5 m/s or rain/intensity > 0 mm/h
 *     median(north/pm2_5, south/pm2_5) > 75 ug/m3 and hour >= 6
 *     not valid(twin/counts)
 *
 * or, and, not; < <= > >= == !=; + - * /; min, max, mean, median, abs; valid, missing,
 * in_calibration, in_maintenance of a channel; hour (0 to 23), weekday (1 is Monday), month,
 * year of the station's time. A name holds a minus or a slash when a letter or digit follows it
 * at once; as operators they stand between blanks.
 *
 * Units are checked when it is parsed: a number beside a quantity has a unit that converts into
 * the quantity's, what is added or compared is of one unit, and a factor has none. A difference
 * of temperatures is not a temperature: 2 K are 2 Cel there.
 *
 * A value that is not known makes unknown what depends on it, and no more: "unknown or true" is
 * true. Pure, no allocation; evaluation is O(number of its parts).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensors/core/quantity.h"
#include "sensors/core/status.h"

enum {
    EXPRESSION_TEXT_MAX = 512, /* bytes; more is not read by people either */
    EXPRESSION_OPS_MAX = 64,
    EXPRESSION_CHANNELS_MAX = 16,
    EXPRESSION_NAME_MAX = 160
};

enum expression_op_kind {
    EXPR_NUMBER,
    EXPR_CHANNEL,
    EXPR_HOUR,
    EXPR_WEEKDAY,
    EXPR_MONTH,
    EXPR_YEAR,
    EXPR_VALID,
    EXPR_MISSING,
    EXPR_IN_CALIBRATION,
    EXPR_IN_MAINTENANCE,
    EXPR_NEGATE,
    EXPR_ABS,
    EXPR_ADD,
    EXPR_SUBTRACT,
    EXPR_MULTIPLY,
    EXPR_DIVIDE,
    EXPR_MIN,
    EXPR_MAX,
    EXPR_MEAN,
    EXPR_MEDIAN,
    EXPR_LESS,
    EXPR_LESS_EQUAL,
    EXPR_MORE,
    EXPR_MORE_EQUAL,
    EXPR_EQUAL,
    EXPR_UNEQUAL,
    EXPR_NOT,
    EXPR_AND,
    EXPR_OR
};

struct expression_op { /* in postfix order */
    uint8_t kind;      /* enum expression_op_kind */
    uint8_t channel;   /* which of the expression's; count of operands of EXPR_MIN to MEDIAN */
    double number;     /* canonical unit of what it stands beside */
};

struct expression {
    struct expression_op op[EXPRESSION_OPS_MAX];
    uint32_t channel[EXPRESSION_CHANNELS_MAX]; /* indices of the station's table */
    uint8_t ops_n, channels_n;
};

/* Who knows the channels: "device/point", "point" of the rule's own device, with or without a
 * statistic ("@1h"). Returns false when nothing is called that. */
struct expression_names {
    bool (*find)(void *user, const char *name, uint32_t *ret_channel,
                 const struct quantity **ret_quantity);
    void *user;
};

struct expression_error {
    int at, length; /* bytes of the text: what is wrong; at the end: length 0 */
    char why[256];  /* a full sentence */
};

/* A condition. 0 and *ret, or -EINVAL and *err. */
int expression_parse(const char *text, const struct expression_names *names,
                     struct expression *ret, struct expression_error *err);

struct expression_now {
    int hour, weekday, month, year;
};

/* The station's time: offset_min is its zone, minutes east of UTC. */
struct expression_now expression_now(int64_t time_ms, int offset_min);

struct expression_value { /* of one channel, as its newest sample is */
    double value;         /* NaN: none, or too old, or bad */
    struct verdict verdict;
    bool is_known; /* there is a sample that is not too old */
};

enum expression_truth { EXPRESSION_FALSE, EXPRESSION_TRUE, EXPRESSION_UNKNOWN };

/* values: one per channel of the expression, in their order. */
enum expression_truth expression_eval(const struct expression *e,
                                      const struct expression_value *values,
                                      struct expression_now now);
