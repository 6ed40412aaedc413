/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantity - what can be measured: one vocabulary, one canonical unit each.
 *
 * Everything stored, judged and sent inside is in the canonical unit. The table is
 * quantities.def; outside codes (CF, HJ 212, AQS) are columns of it. Constant data, any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum medium {
    MEDIUM_AIR,
    MEDIUM_WEATHER,
    MEDIUM_WATER,
    MEDIUM_SOIL,
    MEDIUM_NOISE,
    MEDIUM_RADIATION,
    MEDIUM_STATION,
    MEDIUM_COUNT_
};

enum aggregate {
    AGG_MEAN,   /* A: arithmetic */
    AGG_VECTOR, /* V: direction */
    AGG_ENERGY, /* E: levels, 10 lg mean 10^(L/10) */
    AGG_COUNTS, /* C: mean rate of counts */
    AGG_SUM,    /* S */
    AGG_DIFF,   /* D: difference of a counter */
    AGG_LAST,   /* L */
    AGG_MAX,
    AGG_MIN
};

struct quantity {
    const char *id;      /* "pm2_5": appears in configuration and stored data */
    const char *zh, *en; /* names for people */
    const char *unit;    /* UCUM code of the canonical unit */
    enum medium medium;
    enum aggregate agg;
    uint8_t decimals;            /* for display and statistics */
    double range_min, range_max; /* default of the gross range test, canonical unit */
    double molar_mass;           /* g/mol; 0: ppb and mass concentration do not convert */
    const char *cf, *hj212, *aqs,
        *aliases; /* outside codes, NULL where none; aliases by blanks */
};

/* Every quantity, in the order of the table. */
extern const struct quantity quantities[];
extern const size_t quantities_n;

/* By id or alias; NULL when unknown. */
const struct quantity *quantity_find(const char *name);

/* "air", "noise" ... and their names for people; lang is "zh" or "en". */
const char *medium_id(enum medium m);
const char *medium_name(enum medium m, const char *lang);
/* Returns 0 or -ENOENT. */
int medium_find(const char *id, enum medium *ret);
