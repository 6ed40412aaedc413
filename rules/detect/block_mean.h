/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_mean - the mean of some hours of counts, kept as sums of blocks, and how well it is
 * known. The newest blocks lag: what begins weakly must not become its own background while it
 * is still being looked for. Changes only where a block ends. Pure, plain data.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { BLOCK_MEAN_MAX = 30 }; /* blocks kept, those that lag among them */

struct block_mean_config {
    int block;       /* values */
    int blocks, lag; /* used, and kept before they are used; together at most BLOCK_MEAN_MAX */
    int least;       /* blocks that make a mean, even those that lag */
};

struct block_mean {
    double mean, error; /* of the mean, one sigma, for counts; only while is_known */
    double sum, root;   /* of the block that is filled; of the mean */
    uint16_t in;        /* values in it */
    uint8_t n, head;    /* blocks; where the next one goes */
    bool is_known;
    float sums[BLOCK_MEAN_MAX];
};

/* `x`: finite, not negative. */
void block_mean_push(const struct block_mean_config *c, struct block_mean *b, double x);
