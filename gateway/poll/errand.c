/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/errand.h"

#include <errno.h>
#include <string.h>

/* Modbus Application Protocol V1.1b3, section 7. */
enum { ACKNOWLEDGE = 5, BUSY = 6, GATEWAY_TARGET = 11 };

static const struct command_step *step_at_hand(const struct errand *e)
{
    return &e->plan.steps[e->step];
}

static bool is_write(const struct errand *e)
{
    return step_at_hand(e)->kind == STEP_WRITE;
}

static bool can_be_sent(const struct command_step *s)
{
    if (s->kind == STEP_WAIT)
        return true;
    if (s->n == 0 || s->n > COMMAND_WORDS_MAX)
        return false;
    return s->kind == STEP_EXPECT || s->at.space == SPACE_HOLDING || s->at.space == SPACE_COIL;
}

int errand_begin(struct errand *e, const struct command_plan *plan, uint8_t unit,
                 int64_t pause_ms, int64_t timeout_ms)
{
    if (plan->n == 0 || plan->n > COMMAND_STEPS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < plan->n; i++) {
        if (!can_be_sent(&plan->steps[i]))
            return -EINVAL;
    }
    *e = (struct errand){ .plan = *plan,
                          .unit = unit,
                          .pause_ms = pause_ms,
                          .timeout_ms = timeout_ms,
                          .reads_left = ERRAND_READS_MAX };
    return 0;
}

enum errand_next errand_next(struct errand *e)
{
    e->rest_ms = 0;
    while (e->step < e->plan.n && step_at_hand(e)->kind == STEP_WAIT)
        e->rest_ms += e->plan.steps[e->step++].wait_ms;
    if (e->rest_ms > 0)
        return ERRAND_REST;
    if (e->step < e->plan.n)
        return ERRAND_ASK;
    e->result.outcome = ERRAND_DONE;
    e->result.step = e->plan.n - 1;
    return ERRAND_END;
}

static uint8_t write_function(const struct command_step *s)
{
    bool is_one = s->n == 1 && !s->is_multiple;

    if (s->at.space == SPACE_COIL)
        return is_one ? BUS_WRITE_COIL : BUS_WRITE_COILS;
    return is_one ? BUS_WRITE_REGISTER : BUS_WRITE_REGISTERS;
}

struct bus_request errand_ask(const struct errand *e)
{
    const struct command_step *s = step_at_hand(e);
    bool is_to_write = s->kind == STEP_WRITE;
    int64_t least_ms = is_to_write ? ERRAND_WRITE_MS : 0;

    return (struct bus_request){
        .unit = e->unit,
        .function = is_to_write ? write_function(s) : s->at.space,
        .first = s->at.first,
        .count = s->n,
        .words = is_to_write ? s->words : NULL,
        .pause_ms = e->pause_ms,
        .timeout_ms = e->timeout_ms > least_ms ? e->timeout_ms : least_ms,
    };
}

static enum errand_next end(struct errand *e, enum errand_outcome outcome)
{
    e->result.outcome = outcome;
    e->result.step = e->step;
    return ERRAND_END;
}

void errand_break(struct errand *e, enum errand_outcome why, bool was_sent)
{
    if (e->step == e->plan.n) /* a wait at the end is all that was left */
        e->step--;
    e->result.is_unknown = was_sent && is_write(e);
    end(e, why);
}

static enum errand_next go_on(struct errand *e)
{
    e->result.written += is_write(e);
    e->reads_left = ERRAND_READS_MAX;
    e->step++;
    return errand_next(e);
}

static bool holds(const struct command_step *s, const uint16_t *found)
{
    if (s->at.bit >= 0)
        return (found[0] >> s->at.bit & 1) == s->words[0];
    return memcmp(found, s->words, s->n * sizeof found[0]) == 0;
}

static enum errand_next take_words(struct errand *e, const struct bus_reply *r)
{
    const struct command_step *s = step_at_hand(e);

    if (r->n == s->n && holds(s, r->words))
        return go_on(e);
    e->result.n = r->n < s->n ? r->n : s->n;
    memcpy(e->result.found, r->words, e->result.n * sizeof r->words[0]);
    return end(e, ERRAND_UNEXPECTED);
}

static enum errand_next read_again(struct errand *e, int64_t rest_ms)
{
    e->rest_ms = rest_ms;
    return rest_ms > 0 ? ERRAND_REST : ERRAND_ASK;
}

/* To a write, "acknowledge" says that it is being done and takes its time. */
static enum errand_next take_exception(struct errand *e, const struct bus_reply *r)
{
    bool is_busy = r->exception == ACKNOWLEDGE || r->exception == BUSY;

    if (is_write(e) && r->exception == ACKNOWLEDGE)
        return go_on(e);
    if (!is_write(e) && is_busy && --e->reads_left > 0)
        return read_again(e, ERRAND_BUSY_MS);
    e->result.exception = r->exception;
    if (r->exception != GATEWAY_TARGET)
        return end(e, ERRAND_REFUSED);
    e->result.is_unknown = is_write(e);
    return end(e, ERRAND_NO_ANSWER);
}

enum errand_next errand_take(struct errand *e, const struct bus_reply *r)
{
    if (r->outcome == BUS_OK)
        return is_write(e) ? go_on(e) : take_words(e, r);
    if (r->outcome == BUS_EXCEPTION)
        return take_exception(e, r);
    if (!is_write(e) && r->outcome != BUS_NO_LINK && --e->reads_left > 0)
        return read_again(e, r->quiet_ms);
    e->result.is_unknown = is_write(e);
    e->result.is_damaged = r->outcome == BUS_BAD_FRAME;
    return end(e, ERRAND_NO_ANSWER);
}
