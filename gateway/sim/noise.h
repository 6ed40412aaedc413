/* SPDX-License-Identifier: Apache-2.0 */
/*
 * noise - random numbers that are a function of a seed and an index, so that any instant of a
 * simulated signal can be computed on its own and again. Pure; any thread.
 */
#pragma once

#include <stdint.h>

/* 64 well mixed bits. */
uint64_t noise_bits(uint64_t seed, int64_t index);
/* The seed that belongs to a name under a seed. */
uint64_t noise_seed(uint64_t seed, const char *name);
/* In [0, 1). */
double noise_uniform(uint64_t seed, int64_t index);
/* Nearly normal, mean 0, standard deviation 1, within +-3.5. */
double noise_normal(uint64_t seed, int64_t index);
/* First-order autoregressive with coefficient phi (0 <= phi < 1), standard deviation 1. */
double noise_ar1(uint64_t seed, int64_t index, double phi);
