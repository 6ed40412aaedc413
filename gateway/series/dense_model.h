/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dense_model - predicts the next integer of a series and codes what it is (section 7.4 of the
 * series format).
 *
 * Seven experts guess a distribution of the difference to the last value, six contexts remember
 * how decisions like this one went, and a mixer that learns weighs them. Every number is an
 * integer of stated width: writer and reader, in any language, come to the same.
 */
#pragma once

#include <stdint.h>

#include "gateway/series/range_coder.h"

enum {
    MODEL_DIFFERENCES = 8,               /* of the past that the linear predictor sees */
    MODEL_TERMS = MODEL_DIFFERENCES + 2, /* and two running means */
    MODEL_EXPERTS = 7,
    MODEL_CONTEXTS = 6,
    MODEL_INPUTS = 16, /* of the mixer: experts, contexts, a constant; the last two are 0 */
    MODEL_SETS = 16,   /* of weights */
    MODEL_SLOTS = 256, /* of a context */
    MODEL_ERROR_COLUMN = 1024, /* start of the experts' mean errors, in 1/256 */
    MODEL_ERROR_TIMES = 16,
};

struct dense_model {
    int64_t last;
    int64_t ema[2];               /* means (1/4, 1/16) less the last value, in 1/16 */
    int64_t error[MODEL_EXPERTS]; /* mean of the absolute error, in 1/256 */
    int32_t d[MODEL_DIFFERENCES]; /* last differences, newest first, within +-2^28 */
    int32_t lms[MODEL_TERMS];     /* weights of the linear predictor, within +-2^17 */
    uint8_t seen;                 /* values coded, to 46 */
    uint8_t run;                  /* equal values in a row, to 255 */
    int8_t sign;                  /* of the last change */
    int32_t weight[MODEL_SETS][MODEL_INPUTS]; /* within +-2^24 */
    uint16_t p[MODEL_CONTEXTS][MODEL_SLOTS];  /* adaptive probabilities and ... */
    uint8_t n[MODEL_CONTEXTS][MODEL_SLOTS];   /* ... how often each was used */
};

void dense_model_reset(struct dense_model *m, int error);

/* Codes k as the successor of m->last and learns from it. When reading, k is ignored. Returns
 * the value; |value| beyond 2^51 or a difference beyond 52 doublings sets r->is_bad. */
int64_t dense_model_code(struct dense_model *m, struct range_coder *r, int64_t k);
