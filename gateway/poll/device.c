/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/poll/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/profile/identify.h"

static size_t image_words(const struct profile *p)
{
    size_t n = p->words_n;

    for (size_t i = 0; i < p->variants_n; i++)
        n = p->variants[i]->words_n > n ? p->variants[i]->words_n : n;
    return n;
}

static int make_plan(struct device *d, const struct profile *p)
{
    struct plan plan;
    int64_t turnaround_us = d->counters.answers >= DEVICE_LEARN_ANSWERS ? d->turnaround_us : -1;
    int rc = plan_init(&plan, p,
                       d->line ? load_cost(d->line, turnaround_us) : (struct plan_cost){ 0 });

    if (rc != 0)
        return rc;
    plan_done(&d->plan);
    d->plan = plan;
    d->profile = p;
    return 0;
}

int device_init(struct device *d, const struct poll_device *conf, uint32_t number)
{
    size_t words_n = image_words(conf->profile);

    *d = (struct device){ .conf = conf,
                          .number = number,
                          .retry_wait_ms = DEVICE_RETRY_FIRST_MS };
    int rc = make_plan(d, conf->profile);
    if (rc != 0)
        return rc;
    d->words = calloc(words_n, sizeof d->words[0]);
    d->have = calloc(words_n, sizeof d->have[0]);
    if (d->words && d->have)
        return 0;
    device_done(d);
    return -ENOMEM;
}

void device_know_line(struct device *d, const struct load_line *line)
{
    d->line = line;
    if (make_plan(d, d->profile) != 0)
        plan_merge(&d->plan); /* no memory: as it was */
}

void device_done(struct device *d)
{
    plan_done(&d->plan);
    free(d->words);
    free(d->have);
    *d = (struct device){ 0 };
}

int64_t device_timeout_ms(const struct device *d)
{
    int64_t timeout_ms = d->conf->timeout_ms > 0 ? d->conf->timeout_ms : d->profile->timeout_ms;

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
    return 1 + (d->health.is_silent || d->profile->retries < 0 ? 0 : d->profile->retries);
}

/* Left-out registers and cuts whose time has come get another chance. */
static void reconsider(struct device *d, int64_t station_ms)
{
    bool is_day = d->cuts_at_ms != 0 && station_ms >= d->cuts_at_ms;
    bool is_due = d->retry_at_ms != 0 && station_ms >= d->retry_at_ms;

    if (d->plan.requests_n == 0)
        plan_reset(&d->plan);
    else if (is_day || is_due)
        plan_try(&d->plan, is_day);
    else
        return;
    d->retry_at_ms = 0;
    if (is_day)
        d->cuts_at_ms = 0;
}

/* After a scan that came to its end: what refusals have taught. */
static void settle(struct device *d, int64_t station_ms)
{
    plan_merge(&d->plan);
    d->counters.left_out = plan_left_out(&d->plan);
    if (d->counters.left_out == 0) {
        d->retry_at_ms = 0;
        d->retry_wait_ms = DEVICE_RETRY_FIRST_MS;
    }
    if (!plan_has_cuts(&d->plan))
        d->cuts_at_ms = 0;
    else if (d->cuts_at_ms == 0)
        d->cuts_at_ms = station_ms + DEVICE_RETRY_MAX_MS;
}

/* The first variant from `from` on that tells how to know it. */
static bool find_variant(struct device *d, size_t from)
{
    const struct profile *base = d->conf->profile;

    while (from < base->variants_n && base->variants[from]->when_n == 0)
        from++;
    d->variant = from;
    d->test = 0;
    return from < base->variants_n;
}

void device_begin(struct device *d, int64_t slot_ms, int64_t station_ms, int64_t utc_ms)
{
    reconsider(d, station_ms);
    d->is_scanning = true;
    d->is_slow = device_is_in_trouble(d);
    d->has_answer = d->is_asked = false;
    d->is_choosing = find_variant(d, 0) && (!d->is_chosen || d->health.is_silent);
    d->request = 0;
    d->tries_left = tries_of(d);
    d->refusals = 0;
    d->failure = SCAN_NO_ANSWER;
    d->slot_ms = slot_ms;
    d->start_ms = d->time_ms = utc_ms;
    d->counters.polls++;
    memset(d->have, 0, d->profile->words_n);
}

static const struct profile_identify *test_at_hand(const struct device *d)
{
    return &d->conf->profile->variants[d->variant]->when[d->test];
}

static struct bus_request ask_identity(const struct profile_identify *test)
{
    if (test->mei >= 0)
        return (struct bus_request){ .function = BUS_IDENTIFY,
                                     .first = (uint16_t)test->mei,
                                     .count = 1 };
    return (struct bus_request){ .function = test->at.space,
                                 .first = test->at.first,
                                 .count = test->at.count };
}

struct bus_request device_ask(const struct device *d)
{
    struct bus_request r;

    if (d->is_choosing) {
        r = ask_identity(test_at_hand(d));
    } else {
        struct plan_read read = plan_read_of(&d->plan, d->request);
        r = (struct bus_request){ .function = read.space,
                                  .first = read.first,
                                  .count = read.count };
    }
    r.unit = d->conf->unit;
    r.pause_ms = d->profile->read_pause_ms;
    r.timeout_ms = device_timeout_ms(d);
    return r;
}

static int64_t wire_us(const struct device *d)
{
    struct bus_request r = device_ask(d);
    const struct plan_read read = { r.function, r.first, r.count };

    return d->line ? load_wire_us(d->line, &read, 0) : 0;
}

bool device_is_in_trouble(const struct device *d)
{
    return d->health.is_silent || d->health.failures > 0;
}

int64_t device_need_ms(const struct device *d)
{
    int64_t known_ms =
        d->answer_us / 1000 > d->slowest_ms ? d->answer_us / 1000 : d->slowest_ms;
    int64_t need_ms = d->answer_us == 0 ? DEVICE_FIRST_NEED_MS + wire_us(d) / 1000
                                        : known_ms + known_ms / 8 + 1;
    int64_t timeout_ms = device_timeout_ms(d);

    return need_ms < timeout_ms ? need_ms : timeout_ms;
}

/* The request at hand is settled one way or the other: on to what stands at d->request. */
static enum device_step go_on(struct device *d)
{
    d->tries_left = tries_of(d);
    d->rest_ms = 0;
    return d->is_choosing || d->request < d->plan.requests_n ? DEVICE_ASK : DEVICE_DONE;
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

static int64_t smooth(int64_t old, int64_t fresh)
{
    return old ? old + (fresh - old) / 8 : fresh;
}

static void note_answer(struct device *d, const struct bus_reply *r)
{
    struct poll_counters *c = &d->counters;
    int64_t took_us = r->took_ms * 1000 + 500; /* it was counted in whole milliseconds */
    int64_t turnaround_us = took_us - wire_us(d);

    c->answers++;
    c->last_answer_ms = r->time_ms;
    d->answer_ms_sum += (uint64_t)r->took_ms;
    if (r->took_ms > c->answer_ms_max)
        c->answer_ms_max = r->took_ms;
    d->answer_us = smooth(d->answer_us, took_us);
    d->turnaround_us = smooth(d->turnaround_us, turnaround_us > 0 ? turnaround_us : 0);
    if (c->answers == DEVICE_LEARN_ANSWERS && d->line) {
        d->plan.cost = load_cost(d->line, d->turnaround_us);
        d->plan.is_stale = true;
    }
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
    d->is_slow = true; /* finding the cause takes many requests */
    if (what == PLAN_LEFT_OUT)
        *ret_left_out = piece;
    if (what != PLAN_SPLIT)
        plan_retry(d, station_ms);
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

/* The gateway has waited for the device: asking again would only make it wait again. */
static enum device_step take_no_target(struct device *d)
{
    d->counters.timeouts++;
    d->tries_left = 1;
    return try_again(d, SCAN_NO_TARGET, 0);
}

static enum device_step take_exception(struct device *d, const struct bus_reply *r,
                                       int64_t station_ms, struct plan_piece *ret_left_out)
{
    if (r->exception == GATEWAY_TARGET)
        return take_no_target(d);
    if (r->exception == GATEWAY_PATH) { /* overloaded, or not set up for this unit */
        d->counters.link_errors++;
        return try_again(d, SCAN_NO_PATH, DEVICE_BUSY_REST_MS);
    }
    d->counters.exceptions++;
    switch (r->exception) {
    case ILLEGAL_FUNCTION:
    case ILLEGAL_ADDRESS:
    case ILLEGAL_VALUE:
        return take_refusal(d, station_ms, ret_left_out);
    case ACKNOWLEDGE:
    case BUSY:
        return try_again(d, SCAN_EXCEPTION, DEVICE_BUSY_REST_MS);
    default:
        d->failure = SCAN_EXCEPTION;
        d->request++;
        return go_on(d);
    }
}

/* ---- variants ---- */

/* Busy devices and gateways say nothing of what the device is, nor does silence: but where the
 * function itself may be what it does not know, its registers are asked next. */
static bool is_about_identity(const struct device *d, const struct bus_reply *r)
{
    if (r->outcome == BUS_EXCEPTION)
        return r->exception != ACKNOWLEDGE && r->exception != BUSY &&
               r->exception != GATEWAY_PATH && r->exception != GATEWAY_TARGET;
    return r->outcome == BUS_OK ||
           (r->outcome == BUS_NO_ANSWER && d->tries_left == 1 && test_at_hand(d)->mei >= 0);
}

static bool holds(const struct device *d, const struct bus_reply *r)
{
    struct identify_answer a = { .kind = ANSWER_REFUSED };
    const struct profile_identify *test = test_at_hand(d);

    if (r->outcome == BUS_OK && test->mei >= 0)
        a = (struct identify_answer){ .kind = ANSWER_TEXT, .text = r->text };
    else if (r->outcome == BUS_NO_ANSWER)
        a.kind = ANSWER_NONE;
    else if (r->outcome == BUS_OK)
        a = (struct identify_answer){ .kind = ANSWER_WORDS, .words = r->words };
    return identify_test(d->conf->profile->variants[d->variant], test, &a) == 1;
}

/* The device is this; a plan that cannot be made leaves the one in force. */
static enum device_step choose(struct device *d, const struct profile *p)
{
    d->is_choosing = false;
    d->is_chosen = true;
    if (p != d->profile && make_plan(d, p) == 0) {
        d->retry_at_ms = d->cuts_at_ms = 0;
        memset(d->have, 0, p->words_n);
    }
    return go_on(d);
}

static enum device_step take_identity(struct device *d, const struct bus_reply *r)
{
    const struct profile *base = d->conf->profile;

    if (!holds(d, r))
        return find_variant(d, d->variant + 1) ? go_on(d) : choose(d, base);
    if (++d->test < base->variants[d->variant]->when_n)
        return go_on(d);
    return choose(d, base->variants[d->variant]);
}

/* ---- answers ---- */

static enum device_step take_answer(struct device *d, const struct bus_reply *r)
{
    note_answer(d, r);
    plan_store(&d->plan, d->request, r->words, d->words, d->have);
    d->has_answer = true;
    d->request++;
    return go_on(d);
}

static enum device_step take_failure(struct device *d, const struct bus_reply *r)
{
    switch (r->outcome) {
    case BUS_BAD_FRAME:
        d->counters.bad_frames++;
        return try_again(d, SCAN_BAD_FRAME, r->quiet_ms);
    case BUS_NO_LINK:
        d->counters.link_errors++;
        return try_again(d, SCAN_NO_LINK, r->quiet_ms);
    default:
        d->counters.timeouts++;
        return try_again(d, SCAN_NO_ANSWER, r->quiet_ms);
    }
}

enum device_step device_take(struct device *d, const struct bus_reply *r, int64_t station_ms,
                             struct plan_piece *ret_left_out)
{
    ret_left_out->count = 0;
    d->time_ms = r->time_ms;
    d->boot_ms = r->boot_ms;
    if (d->is_choosing && is_about_identity(d, r))
        return take_identity(d, r);
    if (r->outcome == BUS_OK)
        return take_answer(d, r);
    if (r->outcome == BUS_EXCEPTION)
        return take_exception(d, r, station_ms, ret_left_out);
    return take_failure(d, r);
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
    [SCAN_NO_TARGET] = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM },
    [SCAN_NO_PATH] = { STATUS_NO_COMMUNICATION, GRADE_MISSING, REASON_COMM },
};

static void mark_mode(const struct device *d, struct reading *readings)
{
    for (size_t i = 0; d->time_ms < d->mode_until_ms && i < d->profile->points_n; i++) {
        if (d->profile->points[i].role == POINT_MEASUREMENT)
            readings[i].verdict = verdict_merge(readings[i].verdict, d->mode);
    }
}

enum scan_outcome device_end(struct device *d, struct reading *readings,
                             enum health_change *ret_change)
{
    const struct profile *p = d->profile;
    enum scan_outcome outcome = d->has_answer ? SCAN_OK : d->failure;

    d->is_scanning = false;
    *ret_change = health_note(&d->health, outcome == SCAN_OK);
    if (outcome == SCAN_OK) {
        if (d->plan.is_stale && d->request >= d->plan.requests_n)
            settle(d, d->slot_ms);
        profile_decode(p, d->conf->order, d->words, d->have, readings);
        mark_mode(d, readings);
        return outcome;
    }
    plan_rotate(&d->plan); /* perhaps it is only this block that it cannot read */
    for (size_t i = 0; i < p->points_n; i++)
        readings[i] = (struct reading){ DECIMAL_MISSING, verdicts[outcome], DECIMAL_MISSING };
    mark_mode(d, readings);
    return outcome;
}
