/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring - the newest values up to a capacity, in the order they came and in the order of their
 * size: quantiles of a window without sorting it again. A value costs a search and two moves of
 * at most RING_MAX bytes, a quantile nothing.
 *
 * Plain data without pointers, so that whoever owns it can lay several behind each other in one
 * block: ring_size() bytes each, a multiple of 8. Values are kept as float: 7 digits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { RING_MAX = 96 }; /* a day of quarter hours; more would cost too much a value */

struct ring {
    uint8_t capacity;
    uint8_t n;      /* values in it */
    uint8_t head;   /* where the next one goes */
    float values[]; /* capacity of them, then as many bytes: places by rising value */
};

size_t ring_size(int capacity); /* 1 to RING_MAX */
void ring_init(struct ring *r, int capacity);
void ring_clear(struct ring *r);
/* The oldest value goes when it is full. Beyond what a float holds counts as its end. */
void ring_push(struct ring *r, double x);

/* The `back`-th newest, from 0; back < n. */
double ring_newest(const struct ring *r, int back);
/* The one with `i` values below it in order; i < n. */
double ring_ranked(const struct ring *r, int i);
/* Element floor(p n) of the values in order, the last one at most; n > 0, p >= 0. */
double ring_quantile(const struct ring *r, double p);
