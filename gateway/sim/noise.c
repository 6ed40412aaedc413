/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/noise.h"

#include <math.h>

/* Innovations that one value of the AR(1) process remembers: 0.93^48 = 3 % of the oldest. */
enum { TERMS = 48 };

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t noise_bits(uint64_t seed, int64_t index)
{
    return mix(mix(seed) ^ (uint64_t)index);
}

uint64_t noise_seed(uint64_t seed, const char *name)
{
    while (*name)
        seed = mix(seed ^ (unsigned char)*name++);
    return seed;
}

double noise_uniform(uint64_t seed, int64_t index)
{
    return (double)(noise_bits(seed, index) >> 11) * 0x1p-53;
}

/* Four uniform numbers add up to nearly a normal one, of variance 4/12. */
double noise_normal(uint64_t seed, int64_t index)
{
    uint64_t bits = noise_bits(seed, index);
    double sum = 0;

    for (int i = 0; i < 4; i++, bits >>= 16)
        sum += ((double)(bits & 0xffff) + 0.5) / 65536;
    return (sum - 2) * sqrt(3);
}

/* x(k) = phi x(k-1) + e(k), written as the sum of its last innovations: no state to carry. */
double noise_ar1(uint64_t seed, int64_t index, double phi)
{
    double sum = 0;
    double weight = 1;
    double variance = 0;

    for (int64_t i = 0; i < TERMS; i++) {
        sum += weight * noise_normal(seed, index - i);
        variance += weight * weight;
        weight *= phi;
    }
    return sum / sqrt(variance);
}
