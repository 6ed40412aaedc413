/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an event of water: a few samples in a row that build up, until it is over. */
#include <math.h>
#include <string.h>

#include "rules/detect/count.h"
#include "rules/watch/water.h"

enum { HIGH, LOW };

static struct water_bound bound_of(const struct watch_config *c, int side)
{
    return side == HIGH ? (struct water_bound){ c->limit_high, 1 }
                        : (struct water_bound){ c->limit_low, -1 };
}

void water_event_start(struct water_event *s, int on)
{
    *s = (struct water_event){ .on = (uint8_t)on, .level = NAN };
}

void water_event_forget(struct water_event *s)
{
    memset(s->seen, 0, sizeof s->seen);
    memset(s->slow, 0, sizeof s->slow);
    s->recent_n = 0;
}

bool water_event_is_pending(const struct water_event *s)
{
    return s->seen[HIGH] || s->seen[LOW];
}

int water_event_sign(const struct water_event *s)
{
    return s->side == HIGH ? 1 : -1;
}

/* ---- it begins ---- */

static void remember(struct water_event *s, double x)
{
    if (s->recent_n == s->on)
        memmove(s->recent, s->recent + 1, (size_t)--s->recent_n * sizeof s->recent[0]);
    s->recent[s->recent_n++] = x;
}

/* Whether the newest values build up towards the limit: no large step back, not held. */
static bool is_building_up(const struct water_event *s, const struct water_now *now, int sign)
{
    double back = 0;
    bool moves = false;

    if (s->recent_n < s->on)
        return false;
    for (int i = 1; i < s->recent_n; i++) {
        back = fmax(back, (s->recent[i - 1] - s->recent[i]) * sign);
        moves = moves || s->recent[i] != s->recent[i - 1];
    }
    return moves &&
           (!now->is_ready || back <= water_figures.steady * fabs(now->value - now->local));
}

/* Of two sides, the level that is nearer. */
static void keep_level(struct water_event *s, double value, double level)
{
    if (!(fabs(s->level - value) <= fabs(level - value)))
        s->level = level;
}

/* Whether an event begins on this side. */
static bool judge_side(const struct watch_config *c, struct water_event *s,
                       const struct water_now *now, int side, int need)
{
    const struct water_bound b = bound_of(c, side);
    double level;

    if (isnan(b.limit))
        return false;
    const enum water_rule rule = water_rule_of(now, &b, &level);
    keep_level(s, now->value, level);
    s->slow[side] = count_while(s->slow[side], rule == WATER_SLOW);
    if (s->slow[side] >= s->on)
        hold_request(&s->creeping, water_figures.slow_hold);
    s->seen[side] = count_while(s->seen[side], rule > WATER_SLOW);
    if (s->seen[side] < need || !is_building_up(s, now, b.sign))
        return false;
    notice_raise(&s->event);
    s->side = (uint8_t)side;
    s->age = 0;
    s->clear = water_clear_level(now, &b);
    s->level = level;
    return true;
}

/* ---- it ends ---- */

/* Whether it has aged. */
static bool follow(const struct watch_config *c, struct water_event *s, double x)
{
    const struct water_bound b = bound_of(c, s->side);
    const bool is_inside = (x - b.limit) * b.sign < 0;
    const bool still = (x - s->clear) * b.sign >= 0;

    if (!is_inside)
        s->level = b.limit; /* it has grown: from a change to the limit */
    s->age = count_up(s->age);
    const bool has_aged = s->age > water_figures.ageing && is_inside;
    if (has_aged)
        notice_end(&s->event);
    if (!notice_pass(&s->event, still, 2 * s->on))
        water_event_forget(s);
    return has_aged;
}

bool water_event_push(const struct watch_config *c, struct water_event *s,
                      const struct water_now *now, bool is_doubtful)
{
    const int need = s->on + (is_doubtful ? water_figures.doubtful : 0);

    remember(s, now->value);
    if (s->event.is_up)
        return follow(c, s, now->value);
    s->level = NAN;
    if (!judge_side(c, s, now, HIGH, need))
        judge_side(c, s, now, LOW, need);
    return false;
}
