/* SPDX-License-Identifier: Apache-2.0 */
/* counts - rates of a counting tube: dead time, Poisson uncertainty, decision limits. Pure. */
#pragma once

/* Beyond this share of the time dead the non-paralysable formula is not to be trusted. */
#define COUNTS_DEAD_MAX 0.3

struct counts_rate {
    double rate;     /* true counts a minute */
    double variance; /* of the rate, by the counts that were registered */
};

/*
 * One reading of `per_minute` registered counts a minute, counted over `minutes`: the true rate
 * n = m / (1 - m dead_s), its variance by error propagation, (m / t) / (1 - m dead_s)^4.
 * 0, or -ERANGE for a negative rate or where the tube was dead for more than COUNTS_DEAD_MAX.
 */
int counts_correct(double per_minute, double dead_s, double minutes, struct counts_rate *ret);

/* Net rate g - b and its standard uncertainty, sqrt(g / tg + b / tb). */
struct counts_net {
    double rate, uncertainty;
};
struct counts_net counts_net_of(double gross, double gross_minutes, double background,
                                double background_minutes);

/* Currie, 95 %, equal times: counts above `background_counts` that tell something is there, and
 * those that are surely told. */
double counts_decision_limit(double background_counts);
double counts_detection_limit(double background_counts);
