/* SPDX-License-Identifier: Apache-2.0 */
/*
 * levels - sound levels of a period: percentiles, day and night.
 *
 * LN is the smallest of the levels of the loudest N % of the time (GB 3096-2008 3.4): of n
 * equal samples in falling order the one at place ceil(n N / 100). LN cannot be formed of
 * shorter LN, so the samples are counted, in bins of 0.1 dB: exact for levels of one decimal,
 * else within 0.05 dB. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LEVELS_LOW = 100,   /* 10.0 dB, in tenths: below the floor of any instrument */
    LEVELS_HIGH = 1500, /* 150.0 dB; what lies outside counts at the end */
    LEVELS_BINS = LEVELS_HIGH - LEVELS_LOW + 1
};

struct levels_histogram {
    uint32_t n;
    uint32_t count[LEVELS_BINS];
};

/* Where a level counts. */
int levels_bin(double level);
void levels_put(struct levels_histogram *h, double level);
/* Counts of a part of the period. */
void levels_add(struct levels_histogram *h, const uint16_t count[LEVELS_BINS]);
/* NaN when nothing was put in. `percent` of the time: 0..100. */
double levels_exceeded(const struct levels_histogram *h, double percent);

/* The same of n levels in rising order, exactly. */
double levels_exceeded_of(const double *rising, size_t n, double percent);

/* Day and night: night from `begin` to `end` o'clock, over midnight. */
struct levels_night {
    int begin, end;
};
/* "22-6" or "22:00-06:00": full hours. False: it is none; *ret is as it was. */
bool levels_night_parse(const char *text, struct levels_night *ret);
bool levels_is_night(struct levels_night night, int hour);
int levels_night_hours(struct levels_night night);

/* 10 lg((Td 10^(Ld/10) + Tn 10^((Ln + 10)/10)) / (Td + Tn)) with the real lengths. */
double levels_day_night(double day, double day_hours, double night, double night_hours);

/* Sound exposure level of a period. */
double levels_exposure(double leq, double seconds);
