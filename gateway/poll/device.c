/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int device_init(struct device *d, const struct poll_device *conf, uint32_t number)
{
    size_t words_n = conf->profile->words_n;

    *d = (struct device){ .conf = conf,
                          .number = number,
                          .retry_wait_ms = DEVICE_RETRY_FIRST_MS };
    int rc = plan_init(&d->plan, conf->profile);
    if (rc != 0)
        return rc;
    d->words = calloc(words_n, sizeof d->words[0]);
    d->have = calloc(words_n, sizeof d->have[0]);
    if (d->words && d->have)
        return 0;
    device_done(d);
    return -ENOMEM;
}

void device_done(struct device *d)
{
    plan_done(&d->plan);
    free(d->words);
    free(d->have);
    *d = (struct device){ 0 };
}

static int64_t timeout_of(const struct device *d)
{
    int64_t timeout_ms =
        d->conf->timeout_ms > 0 ? d->conf->timeout_ms : d->conf->profile->timeout_ms;

    if (timeout_ms <= 0)
        timeout_ms = DEVICE_TIMEOUT_MS;
    int64_t wanted = d->slowest_ms + d->slowest_ms / 4;
    if (wanted <= timeout_ms)
        return timeout_ms;
    return wanted < timeout_ms * DEVICE_STRETCH_MAX ? wanted : timeout_ms * DEVICE_STRETCH_MAX;
}

/* A probe of a silent device is one request and no more. */
static int tries_of(const struct device *d)
{
    return 1 + (d->health.is_silent || d->conf->profile->retries < 0
                    ? 0
                    : d->conf->profile->retries);
}

/* Take left-out registers back in when their time has come, or when nothing else is left. */
static void reconsider(struct device *d, int64_t station_ms)
{
    if (d->plan.requests_n > 0 && (d->retry_at_ms == 0 || station_ms < d->retry_at_ms))
        return;
    plan_reset(&d->plan);
    d->retry_at_ms = 0;
    d->counters.left_out = 0;
}

void device_begin(struct device *d, int64_t slot_ms, int64_t station_ms, int64_t utc_ms)
{
    reconsider(d, station_ms);
    d->is_scanning = true;
    d->is_slow = d->health.is_silent || d->health.failures > 0;
    d->has_answer = false;
    d->request = 0;
    d->tries_left = tries_of(d);
    d->refusals = 0;
    d->failure = SCAN_NO_ANSWER;
    d->slot_ms = slot_ms;
    d->start_ms = d->time_ms = utc_ms;
    d->counters.polls++;
    memset(d->have, 0, d->conf->profile->words_n);
}

struct bus_request device_ask(const struct device *d)
{
    struct plan_read read = plan_read_of(&d->plan, d->request);

    return (struct bus_request){
        .unit = d->conf->unit,
        .function = read.space,
        .first = read.first,
        .count = read.count,
        .timeout_ms = timeout_of(d),
    };
}

/* The request at hand is settled one way or the other: on to what stands at d->request. */
static enum device_step go_on(struct device *d)
{
    d->tries_left = tries_of(d);
    d->rest_ms = d->conf->profile->read_pause_ms;
    if (d->request >= d->plan.requests_n)
        return DEVICE_DONE;
    return d->rest_ms > 0 ? DEVICE_REST : DEVICE_ASK;
}

/* Again after a rest, as often as the profile says. A device that has not answered anything in
 * this scan is given up; one that has may just be unable to read this block. */
static enum device_step try_again(struct device *d, enum scan_outcome failure, int64_t rest_ms)
{
    d->failure = failure;
    d->is_slow = true;
    if (--d->tries_left > 0) {
        d->rest_ms = rest_ms;
        return rest_ms > 0 ? DEVICE_REST : DEVICE_ASK;
    }
    if (!d->has_answer)
        return DEVICE_DONE;
    d->request++;
    return go_on(d);
}

static void note_answer(struct device *d, const struct bus_reply *r)
{
    struct poll_counters *c = &d->counters;

    c->answers++;
    c->last_answer_ms = r->time_ms;
    d->answer_ms_sum += (uint64_t)r->took_ms;
    if (r->took_ms > c->answer_ms_max)
        c->answer_ms_max = r->took_ms;
}

static void plan_retry(struct device *d, int64_t station_ms)
{
    if (d->retry_at_ms != 0)
        return;
    d->retry_at_ms = station_ms + d->retry_wait_ms;
    d->retry_wait_ms *= DEVICE_RETRY_FACTOR;
    if (d->retry_wait_ms > DEVICE_RETRY_MAX_MS)
        d->retry_wait_ms = DEVICE_RETRY_MAX_MS;
}

static enum device_step take_refusal(struct device *d, int64_t station_ms,
                                     struct plan_piece *ret_left_out)
{
    struct plan_piece piece;
    enum plan_refusal what = plan_refuse(&d->plan, d->request, &piece);

    d->failure = SCAN_EXCEPTION;
    if (what == PLAN_LEFT_OUT)
        *ret_left_out = piece;
    if (what != PLAN_SPLIT) {
        d->counters.left_out++;
        plan_retry(d, station_ms);
    }
    if (++d->refusals >= DEVICE_REFUSALS_MAX && !d->has_answer)
        return DEVICE_DONE;
    return go_on(d);
}

/* Modbus Application Protocol V1.1b3, section 7. */
enum exception_code {
    ILLEGAL_FUNCTION = 1,
    ILLEGAL_ADDRESS = 2,
    ILLEGAL_VALUE = 3,
    ACKNOWLEDGE = 5,
    BUSY = 6,
    GATEWAY_PATH = 10,
    GATEWAY_TARGET = 11,
};

static enum device_step take_exception(struct device *d, const struct bus_reply *r,
                                       int64_t station_ms, struct plan_piece *ret_left_out)
{
    d->counters.exceptions++;
    switch (r->exception) {
    case ILLEGAL_FUNCTION:
    case ILLEGAL_ADDRESS:
    case ILLEGAL_VALUE:
        return take_refusal(d, station_ms, ret_left_out);
    case ACKNOWLEDGE:
    case BUSY:
        return try_again(d, SCAN_EXCEPTION, DEVICE_BUSY_REST_MS);
    case GATEWAY_PATH:
    case GATEWAY_TARGET: /* the gateway answers; the device behind it does not */
        return try_again(d, SCAN_NO_ANSWER, 0);
    default:
        d->failure = SCAN_EXCEPTION;
        d->request++;
        return go_on(d);
    }
}

enum device_step device_take(struct device *d, const struct bus_reply *r, int64_t station_ms,
                             struct plan_piece *ret_left_out)
{
    ret_left_out->count = 0;
    d->time_ms = r->time_ms;
    switch (r->outcome) {
    case BUS_OK:
        note_answer(d, r);
        plan_store(&d->plan, d->request, r->words, d->words, d->have);
        d->has_answer = true;
        d->request++;
        return go_on(d);
    case BUS_EXCEPTION:
        return take_exception(d, r, station_ms, ret_left_out);
    case BUS_BAD_FRAME:
        d->counters.bad_frames++;
        return try_again(d, SCAN_BAD_FRAME, r->quiet_ms);
    case BUS_NO_LINK:
        d->counters.link_errors++;
        return try_again(d, SCAN_NO_LINK, r->quiet_ms);
    case BUS_NO_ANSWER:
        break;
    }
    d->counters.timeouts++;
    return try_again(d, SCAN_NO_ANSWER, r->quiet_ms);
}

void device_lost(struct device *d, int64_t utc_ms)
{
    d->counters.link_errors++;
    d->failure = SCAN_NO_LINK;
    d->time_ms = utc_ms;
}

void device_late(struct device *d, int64_t took_ms)
{
    d->counters.late_answers++;
    if (took_ms > d->slowest_ms)
        d->slowest_ms = took_ms;
}

static const struct verdict verdicts[SCAN_OUTCOME_COUNT_] = {
    [SCAN_NO_ANSWER] = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM },
    [SCAN_NO_LINK] = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM },
    [SCAN_BAD_FRAME] = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_FRAME },
    [SCAN_EXCEPTION] = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_FRAME },
};

enum scan_outcome device_end(struct device *d, struct reading *readings,
                             enum health_change *ret_change)
{
    const struct profile *p = d->conf->profile;
    enum scan_outcome outcome = d->has_answer ? SCAN_OK : d->failure;

    d->is_scanning = false;
    *ret_change = health_note(&d->health, outcome == SCAN_OK);
    if (outcome == SCAN_OK) {
        if (d->retry_at_ms == 0) /* nothing left out any more */
            d->retry_wait_ms = DEVICE_RETRY_FIRST_MS;
        profile_decode(p, d->conf->order, d->words, d->have, readings);
        return outcome;
    }
    plan_rotate(&d->plan); /* perhaps it is only this block that it cannot read */
    for (size_t i = 0; i < p->points_n; i++)
        readings[i] = (struct reading){ DECIMAL_MISSING, verdicts[outcome], DECIMAL_MISSING };
    return outcome;
}
