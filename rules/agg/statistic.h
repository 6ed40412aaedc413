/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statistic - one accumulation with all its figures: what the station and `sluice aggregate`
 * form periods by. Pure; memory beyond the struct is the caller's.
 */
#pragma once

#include "rules/agg/agg.h"
#include "rules/agg/levels.h"
#include "rules/agg/plan.h"
#include "rules/agg/running.h"
#include "rules/agg/wind.h"

enum { AGG_PERCENTILES = 5 };

struct agg_figures {
    struct agg_result main;                /* of the day, where day and night are told apart */
    struct agg_result night;               /* AGG_KIND_DAYNIGHT */
    double percent[AGG_PERCENTILES];       /* levels: L5 L10 L50 L90 L95 */
    double vector_speed, vector_direction; /* winds */
};

/* What one kind needs besides, and running.h; all zero at the start. */
struct agg_levels {
    struct levels_histogram histogram;
    double closed[AGG_PERCENTILES];
};
struct agg_winds {
    struct wind wind; /* first, as of all that join speeds */
    double closed_speed, closed_direction;
};
struct agg_running { /* the newest hours */
    struct agg_input hours[AGG_RUNNING_HOURS];
};
struct agg_nights {
    struct agg_config config;
    struct agg_state state;
    struct agg_result closed;
    struct levels_night night;
};

struct agg_statistic {
    const struct agg_config *config;
    enum agg_kind kind;
    bool has_closed;
    void *extra; /* struct agg_levels ... by the kind; NULL */
    struct agg_state state;
    struct agg_result closed; /* the period that a later input closed before anybody asked */
};

/* Bytes of `extra`; 0: none. */
size_t agg_extra_size(enum agg_kind k);

/* `extra` is zeroed memory of that size. `config` must outlive the statistic. */
void agg_statistic_init(struct agg_statistic *s, enum agg_kind k,
                        const struct agg_config *config, struct levels_night night,
                        void *extra);

void agg_statistic_put(struct agg_statistic *s, const struct agg_input *in);
/* Winds: the speed beside a direction, in any order. */
void agg_statistic_put_speed(struct agg_statistic *s, int64_t time_ms, double speed);

/* The period that began at start_ms and is over by now_ms. False: nothing came in for it. */
bool agg_statistic_close(struct agg_statistic *s, int64_t start_ms, int64_t now_ms,
                         struct agg_figures *ret);

/* As agg_shift(). */
void agg_statistic_shift(struct agg_statistic *s, int64_t by_ms, bool is_same_period);

/* One figure as a value and what is known of it. */
struct agg_value {
    struct decimal value;
    struct verdict verdict;
};
struct agg_value agg_figure_of(const struct agg_figures *f, enum agg_figure which,
                               int decimals);
