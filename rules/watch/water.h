/* SPDX-License-Identifier: Apache-2.0 */
/*
 * water - inside of the watch over water: its figures, what it knows of the quantities, what it
 * takes for a fault of the sensor, and what for an event. For water*.c alone.
 *
 * The yardstick of every relative threshold is the room: the distance from the baseline to the
 * nearest limit. What uses up a good part of it matters, whatever the quantity and its unit.
 */
#pragma once

#include "rules/detect/creep.h"
#include "rules/detect/frozen.h"
#include "rules/detect/hold.h"
#include "rules/detect/notice.h"
#include "rules/detect/settle.h"
#include "rules/detect/solution.h"
#include "rules/detect/turnback.h"
#include "rules/watch/kinds.h"

enum {
    WATER_DAY = 96,      /* values of the baseline: a day of quarter hours */
    WATER_REFERENCE = 9, /* values of the local reference */
    WATER_RECENT = 4     /* values of an event that begins, at most */
};

/* All figures; they are the same for every quantity of water. */
struct water_figures {
    int known, enough;
    int64_t sudden_ms;
    int sudden, slow_step_ms, on, on_fast;
    double away;
    double change, change_usual, change_day;
    double departure, departure_usual, departure_local;
    double usual;
    double steady;
    int doubtful;
    double clear, clear_inside;
    double slow_share, slow_local;
    int slow_hold;
    int undecided, ageing;
    double quiet, calm;
    double jump;
    int garbage_off, after_calibration, in_solution, off_solution, recognised;
    int repeats_away, repeats_away_most;
    double small_step, bottom_from;
    struct settle_config gap;
    struct frozen_config frozen;
    struct turnback_config scatter;
    struct creep_config creep;
};
extern const struct water_figures water_figures;

/* The lowest value of the range: that of a sensor without power, dry, or torn off. */
enum water_bottom {
    WATER_BOTTOM_REAL,    /* water may read so at any time */
    WATER_BOTTOM_GRADUAL, /* it may get there, but not in one step */
    WATER_BOTTOM_NEVER
};

/* What a quantity has of its own. */
struct water_quantity {
    const char *id;      /* of quantities.def; NULL: all others */
    double standards[5]; /* of its calibration solutions */
    size_t standards_n;
    double tolerance; /* of solution and sensor together */
    enum water_bottom bottom;
};
size_t water_quantity_row(const struct quantity *q);
const struct water_quantity *water_quantity_at(size_t row);

/* A value, and what it is compared with. */
struct water_now {
    double value; /* NaN: the sensor is calibrated and shows what means nothing */
    const struct water_quantity *quantity;
    double resolution;
    double day;   /* baseline: the median of the day; NaN: not known yet */
    double local; /* of shortly before; NaN: not known yet */
    double slow;  /* baseline of some days ago */
    double room;
    double usual_change;   /* learnt: from the local reference, without an event */
    double usual_distance; /* the same from the baseline */
    bool is_ready;         /* enough is known for the rules relative to it */
    bool is_lively;        /* the baseline moves by more than the resolution */
    bool is_drifting;
};

/* ---- faults of the sensor ---- */

struct water_faults {
    uint16_t bits; /* that stand, of enum watch_fault */
    double last;   /* possible value; NaN: none since a gap */
    struct notice garbage;
    struct settle gap;
    struct solution solution;
    struct hold calibration; /* and a sample or two behind it */
    struct frozen frozen;
    struct turnback scatter;
};

enum water_course {
    WATER_FREE,       /* nothing speaks against the value */
    WATER_IMPOSSIBLE, /* it is none */
    WATER_HELD,       /* it may be settling behind a gap */
    WATER_FAULTY      /* what was seen of late is the sensor, not the water */
};

void water_faults_start(struct water_faults *s, double resolution);
/* A slot without a value. How many in a row. */
int water_faults_miss(struct water_faults *s);
enum water_course water_faults_push(const struct watch_config *c, struct water_faults *s,
                                    struct water_now *now, enum watch_gate gate);

/* ---- events ---- */

enum { WATER_SIDES = 2 };

struct water_event {
    uint8_t on;                                    /* samples in a row that make one */
    uint16_t seen[WATER_SIDES], slow[WATER_SIDES]; /* samples in a row */
    struct hold creeping; /* notice of a slow way over the limit; passed by the user */
    uint8_t recent_n;
    double recent[WATER_RECENT]; /* oldest first */
    struct notice event;
    uint8_t side; /* of the event */
    uint16_t age;
    double clear;
    double level; /* what the value was compared with last; NaN: nothing yet */
};

void water_event_start(struct water_event *s, int on);
/* `is_doubtful`: values have been scattering. Whether an event has ended because it stands for
 * days inside the limit: its level is what is normal now. */
bool water_event_push(const struct watch_config *c, struct water_event *s,
                      const struct water_now *now, bool is_doubtful);
/* What has begun and is no event yet is forgotten. */
void water_event_forget(struct water_event *s);
bool water_event_is_pending(const struct water_event *s);
int water_event_sign(const struct water_event *s);

struct water_bound {
    double limit;
    int sign; /* 1: an upper one, -1: a lower one */
};

enum water_rule { WATER_NONE, WATER_SLOW, WATER_LIMIT, WATER_CHANGE, WATER_DEPARTURE };

/* What the value is with regard to one limit; *ret_level: what it had to pass for that, or has
 * to pass for the easiest rule. */
enum water_rule water_rule_of(const struct water_now *w, const struct water_bound *b,
                              double *ret_level);
/* The level behind which an event that begins now is over. */
double water_clear_level(const struct water_now *w, const struct water_bound *b);
