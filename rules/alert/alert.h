/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert - graded threshold rules with set and clear levels, on- and off-delay (facts:
 * alerting).
 *
 * Pure: time is the sample's. One `struct alert_rule` is one rule on one channel; its state is
 * plain data that the caller keeps in the log, so that a restart neither repeats nor forgets.
 * Missing data never clears an alert. Unusable samples neither count nor reset.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/alert/expression.h"
#include "rules/alert/input.h"
#include "sensors/core/sample.h"

enum alert_level {
    LEVEL_NONE,
    LEVEL_BLUE,
    LEVEL_YELLOW,
    LEVEL_ORANGE,
    LEVEL_RED,
    LEVEL_COUNT_
};

/* m of the last n usable samples, or a duration; n at most 32. */
struct alert_delay {
    uint8_t m, n; /* n 0: duration */
    int64_t duration_ms;
};

/* "2 of 3", "3", "10min". Returns 0, or -EINVAL with a sentence in `why`. */
int alert_delay_parse(const char *text, struct alert_delay *ret, char *why, size_t size);
bool alert_delay_is_ok(const char *text, char *why, size_t size); /* for field tables */
enum alert_direction {
    ALERT_ABOVE,
    ALERT_BELOW,
    ALERT_OUTSIDE, /* further from zero than set, on either side: residuals, differences */
    ALERT_EQUAL    /* codes; clear is set */
};

extern const char *const alert_direction_words[]; /* closed by NULL */

struct alert_threshold {
    bool is_set;
    double set, clear;
    struct alert_delay on, off;
    int64_t min_ms; /* shortest time the level stays */
};

struct alert_gate { /* all zero: as usual */
    uint8_t grades; /* bits 1 << enum grade that count; 0: good and suspect */
    bool
        ignores_saturation; /* above the instrument's range is no value, not at least a limit */
    bool is_rounded;        /* half to even to `decimals` before anything is compared */
    int8_t decimals;
};

struct alert_rule {
    const char *id, *title_en, *title_zh;
    /* Rules (numbers of the caller's list) that mute this one while they stand, and whether a
     * fault that a watch knows of does. */
    const uint32_t *inhibitors;
    uint32_t inhibitors_n;
    bool yields_to_faults;
    bool is_notice;   /* to maintenance: no colour, no life of its own */
    uint32_t channel; /* whose samples it judges */
    enum alert_direction direction;
    struct alert_threshold level[LEVEL_COUNT_];
    struct alert_input input;
    struct alert_gate gate;
    /* At set is no exceedance, and at clear it is over: a limit that is kept at equality, as
     * those of GB standards are. */
    bool is_kept_at_limit;
    /* The caller evaluates them: where `when` is false a sample is refuted, while suppress_when
     * is true none counts. Unknown: as if they were not there. NULL: none. */
    const struct expression *when, *suppress_when;
    /* With ALERT_EVENT the lowest level stands for what a watch finds, without delays of its
     * own; its set is the limit that the watch knows, too. */
    unsigned hold_samples; /* samples ignored after a gap of stale_ms or more, and behind
                              calibration, maintenance and a power failure */
    int64_t stale_ms;      /* no usable sample for so long: cannot judge */
    int64_t rearm_ms;      /* shortest time between two raises of one episode */
};

/* Fills what was not configured: on (n and duration 0) 3 of 3, off twice on, clear (NaN) set
 * less a dead band to the quiet side. */
#define ALERT_DEAD_BAND 0.05 /* of set */
void alert_threshold_default(enum alert_direction direction, struct alert_threshold *t);

/* Whether what needs `a` has lasted longer than what needs `b`: levels with one set are told
 * apart by it. */
bool alert_delay_is_longer(const struct alert_delay *a, const struct alert_delay *b);

/* Checks order of levels and clear against set. NULL, or a sentence. */
const char *alert_rule_error(const struct alert_rule *r);

struct alert_crossing { /* of a forecast */
    int64_t time_ms, plus_minus_ms;
};

/*
 * Plain values without addresses. Times are those of samples. peak and last_raise_ms outlive
 * the episode: within rearm_ms of a raise only a higher level than its peak is raised again.
 */
struct alert_state { /* all zero: quiet */
    uint8_t level, peak;
    bool is_stale;
    int64_t raised_ms;                     /* start of the episode: part of its key */
    int64_t last_raise_ms, last_sample_ms; /* the latter 0: none since it became quiet */
    int64_t level_ms;                      /* since when it has its level */
    uint32_t on_bits[LEVEL_COUNT_], off_bits[LEVEL_COUNT_]; /* newest usable sample in bit 0 */
    int64_t on_since_ms[LEVEL_COUNT_], off_since_ms[LEVEL_COUNT_]; /* 0: condition not met */
    double extreme, last_value;
    struct alert_crossing crossing;
    double event_limit; /* what a watch compared the value with */
    struct verdict last_verdict;
    uint32_t hold; /* samples still ignored */
};

enum alert_transition {
    ALERT_QUIET, /* nothing to tell */
    ALERT_RAISED,
    ALERT_UPGRADED,
    ALERT_DOWNGRADED,
    ALERT_CLEARED,
    ALERT_CANNOT_JUDGE, /* no usable sample for stale_ms: the alert stays as it is */
    ALERT_JUDGES_AGAIN
};

struct alert_change {
    enum alert_transition what;
    int64_t time_ms, raised_ms;
    uint8_t level, from_level, peak;
    struct alert_crossing crossing; /* of a forecast; time 0: none */
    double value, limit, extreme;   /* limit: the level's set, or clear when going down */
    struct verdict verdict;         /* of the sample that decided */
};

/* What a sample is to a rule, before the levels are asked. */
/* When the lowest level's set is reached; false: not within any time worth telling. */
bool alert_crossing(const struct alert_rule *r, int64_t now_ms, double value,
                    const struct alert_score *s, struct alert_crossing *ret);

struct alert_look {
    int64_t time_ms;
    struct verdict verdict;
    double x;         /* what the levels are compared with; NaN: neither counts nor resets */
    bool is_held;     /* first behind a gap: counts into the hold-off alone */
    bool is_serviced; /* somebody works at the instrument: the hold-off begins behind it */
    bool has_event, is_event;       /* a watch says so; for rules that judge events */
    double limit;                   /* what it compared x with */
    struct alert_crossing crossing; /* time 0: none is foreseen */
    bool is_inhibited;              /* something else says it already: raises nothing */
    bool is_suppressed;             /* seen, not judged: the alert stays as it is */
    bool is_refuted; /* conditions or references speak against it: as if behind clear */
};

/* The gate: x is the value of a sample that may be judged. */
struct alert_look alert_look_at(const struct alert_rule *r, const struct sample *s);

/* alert_step() of a sample that was looked at. */
void alert_judge(const struct alert_rule *r, struct alert_state *st,
                 const struct alert_look *look, struct alert_change *ret, bool *ret_touched);

/*
 * One sample of the rule's channel. *ret->what is ALERT_QUIET when nothing changed;
 * *ret_touched tells whether the state must be stored anew (never for the ordinary samples of a
 * quiet rule).
 *
 * Good and suspect samples of a valid instrument count, not evaluated ones when only the clock
 * is unsynchronised. Above the range of the instrument counts as at least every limit. At set
 * is an exceedance; clear must be passed (but see is_kept_at_limit). A sample that is not newer
 * than the last one is ignored, unless the clock went back. A change of level tells by itself
 * that the rule judges again.
 */
void alert_step(const struct alert_rule *r, struct alert_state *st, const struct sample *s,
                struct alert_change *ret, bool *ret_touched);

/* Time passes without samples: staleness, and on-delays that are durations. Off-delays end with
 * a sample only. */
void alert_tick(const struct alert_rule *r, struct alert_state *st, int64_t now_ms,
                struct alert_change *ret, bool *ret_touched);

/* The clock moved by that much: what the state measures from goes with it, so that delays and
 * staleness last as long as they should. The start of an episode is a name and stays. */
void alert_shift(struct alert_state *st, int64_t by_ms);

const char *alert_level_id(enum alert_level l); /* "yellow" */
const char *alert_level_name(enum alert_level l, const char *lang);
const char *alert_transition_id(enum alert_transition t); /* "raised" */
