/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/alert/life.h"

#include <string.h>

/* ---- what an act leads to ---- */

/* A place of the table: a state to go to, or one of these. */
enum {
    KEEP = LIFE_STATE_COUNT_, /* done, the state stays */
    SAME,                     /* nothing to do: it is so already, or further on */
    AGAIN,                    /* to TRIAGED with another verdict, else SAME */
    UNIT,                     /* to ROUTED with another unit, else SAME */
    DISPATCH,                 /* to ROUTED when it is worth handling */
    TAKE,                     /* to HANDLING when it is worth handling */
    END,                      /* to CLOSED when nothing stands against it */
    EARLY,                    /* refused: there is no alert yet */
    UNJUDGED,                 /* refused: triage comes first */
    UNHANDLED,                /* refused: somebody has to take it in hand first */
    FINISHED,                 /* refused: it is verified */
    OVER,                     /* refused: it is closed */
};

#define R LIFE_RECEIVED
#define A LIFE_ACKNOWLEDGED
#define T LIFE_TRIAGED
#define H LIFE_HANDLING
#define V LIFE_VERIFIED
#define C LIFE_CLOSED

/* clang-format off */
static const uint8_t steps[LIFE_ACT_COUNT_][LIFE_STATE_COUNT_] = {
    /*                     pending raised   received  acknowl.  triaged    routed     handling  verified  closed */
    [LIFE_RECEIVE]     = { EARLY,  R,        SAME,     SAME,     SAME,      SAME,      SAME,     SAME,     SAME },
    [LIFE_ACKNOWLEDGE] = { EARLY,  A,        A,        SAME,     SAME,      SAME,      SAME,     SAME,     SAME },
    [LIFE_TRIAGE]      = { EARLY,  T,        T,        T,        AGAIN,     AGAIN,     AGAIN,    AGAIN,    OVER },
    [LIFE_COMMENT]     = { EARLY,  KEEP,     KEEP,     KEEP,     KEEP,      KEEP,      KEEP,     KEEP,     KEEP },
    [LIFE_ASSIGN]      = { EARLY,  UNJUDGED, UNJUDGED, UNJUDGED, DISPATCH,  UNIT,      UNIT,     FINISHED, OVER },
    [LIFE_HANDLE]      = { EARLY,  UNJUDGED, UNJUDGED, UNJUDGED, TAKE,      H,         SAME,     SAME,     SAME },
    [LIFE_VERIFY]      = { EARLY,  UNJUDGED, UNJUDGED, UNJUDGED, UNHANDLED, UNHANDLED, V,        SAME,     SAME },
    [LIFE_CLOSE]       = { EARLY,  UNJUDGED, UNJUDGED, UNJUDGED, END,       END,       END,      END,      SAME },
    [LIFE_REOPEN]      = { EARLY,  SAME,     SAME,     SAME,     SAME,      SAME,      SAME,     SAME,     A },
    [LIFE_WITHDRAW]    = { EARLY,  C,        C,        C,        C,         C,         C,        C,        SAME },
    [LIFE_SUPERSEDE]   = { EARLY,  C,        C,        C,        C,         C,         C,        C,        SAME },
};
/* clang-format on */

#undef R
#undef A
#undef T
#undef H
#undef V
#undef C

static const struct {
    const char *id, *en, *zh;
} refusals[] = {
    { "not_raised",
      "The condition has not lasted long enough yet: there is no alert to act on.",
      "条件持续时间尚未达到要求，报警还未发布。" },
    { "not_triaged",
      "The alert has not been judged yet: triage it first as true, false, sensor_fault or "
      "duplicate.",
      "报警尚未研判，请先判定为 true、false、sensor_fault 或 duplicate。" },
    { "nothing_to_do",
      "An alert that was judged false or a duplicate is not handled: close it, or triage it "
      "anew.",
      "已判定为误报或重复的报警无需处置，请关闭或重新研判。" },
    { "not_handled", "Nobody has taken the alert in hand yet: assign and handle it first.",
      "报警尚未处置，请先派单并开始处置。" },
    { "not_verified", "A true alert is closed after its end was verified: verify it first.",
      "真实报警须核实后才能关闭，请先核实。" },
    { "not_cleared",
      "The condition still stands: a true alert is closed when it has cleared. If the rule is "
      "wrong, withdraw the alert.",
      "条件仍然存在，真实报警须在解除后才能关闭；若规则有误，请撤回报警。" },
    { "verified", "The alert is verified already: close it, or triage it anew.",
      "报警已核实，请关闭或重新研判。" },
    { "closed", "The alert is closed: reopen it first.", "报警已关闭，请先重新打开。" },
};
enum {
    NOT_RAISED,
    NOT_TRIAGED,
    NOTHING_TO_DO,
    NOT_HANDLED,
    NOT_VERIFIED,
    NOT_CLEARED,
    IS_VERIFIED,
    IS_CLOSED
};

const char *life_refusal_text(const char *why, const char *lang)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (strcmp(refusals[i].id, why) == 0)
            return lang[0] == 'z' ? refusals[i].zh : refusals[i].en;
    return "";
}

static bool is_worth_handling(const struct life *l)
{
    return l->verdict == LIFE_TRUE || l->verdict == LIFE_SENSOR_FAULT;
}

/* A state to go to, KEEP or SAME; else -1 and *ret_why. */
static int end_of(const struct life *l, int *ret_why)
{
    if (l->verdict != LIFE_TRUE)
        return LIFE_CLOSED;
    *ret_why = l->state != LIFE_VERIFIED ? NOT_VERIFIED : NOT_CLEARED;
    return l->state == LIFE_VERIFIED && l->marks & LIFE_CLEARED ? LIFE_CLOSED : -1;
}

static int target(const struct life *l, const struct life_doing *d, int *ret_why)
{
    static const int whys[] = {
        [EARLY] = NOT_RAISED,     [UNJUDGED] = NOT_TRIAGED, [UNHANDLED] = NOT_HANDLED,
        [FINISHED] = IS_VERIFIED, [OVER] = IS_CLOSED,       [DISPATCH] = NOTHING_TO_DO,
        [TAKE] = NOTHING_TO_DO
    };
    const int step = steps[d->act][l->state];

    if (step <= SAME)
        return step;
    *ret_why = whys[step];
    switch (step) {
    case AGAIN:
        return d->verdict != l->verdict ? LIFE_TRIAGED : SAME;
    case UNIT:
        return d->is_other_unit ? LIFE_ROUTED : SAME;
    case DISPATCH:
        return is_worth_handling(l) ? LIFE_ROUTED : -1;
    case TAKE:
        return is_worth_handling(l) ? LIFE_HANDLING : -1;
    case END:
        return end_of(l, ret_why);
    default:
        return -1;
    }
}

/* ---- limits of time ---- */

static enum life_due due_of(const struct life *l)
{
    static const uint8_t dues[LIFE_STATE_COUNT_] = {
        [LIFE_RAISED] = LIFE_DUE_ACKNOWLEDGE,  [LIFE_RECEIVED] = LIFE_DUE_ACKNOWLEDGE,
        [LIFE_ACKNOWLEDGED] = LIFE_DUE_TRIAGE, [LIFE_TRIAGED] = LIFE_DUE_ROUTE,
        [LIFE_ROUTED] = LIFE_DUE_HANDLE,       [LIFE_HANDLING] = LIFE_DUE_VERIFY,
    };
    const enum life_due due = (enum life_due)dues[l->state];

    return due == LIFE_DUE_ROUTE && !is_worth_handling(l) ? LIFE_DUE_NONE : due;
}

static int64_t within(const struct life *l, const struct life_response *r)
{
    const uint8_t level = l->level != LEVEL_NONE ? l->level : l->peak;

    return l->due == LIFE_DUE_NONE ? 0 : r[level].within_ms[l->due];
}

static void set_due(struct life *l, int64_t from_ms, const struct life_response *r)
{
    l->due = (uint8_t)due_of(l);
    l->escalations = 0;
    l->marks &= ~(uint32_t)LIFE_OVERDUE;
    const int64_t ms = within(l, r);
    l->due_ms = ms > 0 ? from_ms + ms : 0;
}

static void enter(struct life *l, enum life_state to, int64_t now_ms,
                  const struct life_response *r)
{
    const enum life_due before = (enum life_due)l->due;

    l->state = (uint8_t)to;
    l->entered_ms = now_ms;
    /* receipt by the centre is no answer of a person: his limit runs on */
    if (before == LIFE_DUE_NONE || before != due_of(l))
        set_due(l, now_ms, r);
}

bool life_tick(struct life *l, int64_t now_ms, const struct life_response *r)
{
    if (l->due_ms == 0 || now_ms < l->due_ms || l->marks & (LIFE_SHELVED | LIFE_OUT_OF_SERVICE))
        return false;
    l->escalations++;
    l->marks |= LIFE_OVERDUE;
    l->number++;
    const int64_t ms = within(l, r);
    l->due_ms = ms > 0 && l->escalations < LIFE_ESCALATIONS_MAX ? now_ms + ms : 0;
    return true;
}

void life_resume(struct life *l, int64_t now_ms, const struct life_response *r)
{
    set_due(l, now_ms, r);
}

static void shift(int64_t *time_ms, int64_t by_ms)
{
    if (*time_ms != 0)
        *time_ms += by_ms;
}

void life_shift(struct life *l, int64_t by_ms)
{
    shift(&l->entered_ms, by_ms);
    shift(&l->cleared_ms, by_ms);
    shift(&l->due_ms, by_ms);
}

/* ---- acts ---- */

static void take_effect(struct life *l, const struct life_doing *d)
{
    if (d->act == LIFE_TRIAGE)
        l->verdict = (uint8_t)d->verdict;
    if (d->act == LIFE_REOPEN) {
        l->verdict = LIFE_NOT_JUDGED;
        l->marks &= ~(uint32_t)(LIFE_WITHDRAWN | LIFE_SUPERSEDED);
        l->marks |= LIFE_REOPENED;
    }
    if (d->act == LIFE_WITHDRAW)
        l->marks |= LIFE_WITHDRAWN;
    if (d->act == LIFE_SUPERSEDE) {
        l->marks |= LIFE_SUPERSEDED;
        l->verdict = LIFE_SENSOR_FAULT;
    }
}

enum life_answer life_do(struct life *l, const struct life_doing *d,
                         const struct life_response *r, const char **ret_why)
{
    int why = NOT_RAISED;
    const int to = target(l, d, &why);

    if (to == SAME)
        return LIFE_SAME;
    if (to < 0) {
        *ret_why = refusals[why].id;
        return LIFE_REFUSED;
    }
    take_effect(l, d);
    l->number++;
    if (to != KEEP) {
        if (d->act == LIFE_TRIAGE) /* of another verdict, other things are due */
            l->due = LIFE_DUE_NONE;
        enter(l, (enum life_state)to, d->now_ms, r);
    }
    return LIFE_DONE;
}

/* ---- what the rule says ---- */

static void rise(struct life *l, enum alert_level level)
{
    l->level = (uint8_t)level;
    if (level > l->peak)
        l->peak = (uint8_t)level;
    l->marks &= ~(uint32_t)(LIFE_CLEARED | LIFE_CANNOT_JUDGE);
    l->cleared_ms = 0;
    l->number++;
}

void life_raise(struct life *l, enum alert_level level, int64_t now_ms,
                const struct life_response *r)
{
    rise(l, level);
    if (l->state == LIFE_PENDING)
        l->raised_ms = now_ms;
    if (l->state == LIFE_PENDING || l->state == LIFE_CLOSED) {
        l->marks |= l->state == LIFE_CLOSED ? LIFE_REOPENED : 0;
        l->verdict = LIFE_NOT_JUDGED;
        enter(l, LIFE_RAISED, now_ms, r);
    }
}

/* Whoever has seen yellow has not seen red. Once it is judged, those at work are told. */
void life_upgrade(struct life *l, enum alert_level level, int64_t now_ms,
                  const struct life_response *r)
{
    const int64_t before_ms = l->due_ms;

    rise(l, level);
    if (l->state == LIFE_CLOSED) {
        l->marks |= LIFE_REOPENED;
        l->verdict = LIFE_NOT_JUDGED;
    }
    if (l->state <= LIFE_ACKNOWLEDGED || l->state == LIFE_CLOSED) {
        l->state = LIFE_RAISED;
        l->entered_ms = now_ms;
    }
    set_due(l, now_ms, r);
    if (before_ms != 0 && l->due_ms != 0 && before_ms < l->due_ms &&
        l->due != LIFE_DUE_ACKNOWLEDGE)
        l->due_ms = before_ms;
}

void life_downgrade(struct life *l, enum alert_level level)
{
    l->level = (uint8_t)level;
    l->marks &= ~(uint32_t)LIFE_CANNOT_JUDGE;
    l->number++;
}

void life_clear(struct life *l, int64_t now_ms)
{
    l->level = LEVEL_NONE;
    l->marks = (l->marks | LIFE_CLEARED) & ~(uint32_t)LIFE_CANNOT_JUDGE;
    l->cleared_ms = now_ms;
    l->number++;
}

bool life_mark(struct life *l, enum life_mark mark, bool is_on)
{
    if (((l->marks & (uint32_t)mark) != 0) == is_on)
        return false;
    l->marks ^= (uint32_t)mark;
    l->number++;
    return true;
}
