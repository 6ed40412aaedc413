/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What failed checks make doubtful, kept with the result that says so until the sequence is
 * over: only then zero and factor of the closing checks are known. State "figures": {"zero":
 * [time, deviation], "span": [time, factor]} of the last check of each kind, passed or not;
 * state "doubt": the bracket, with the figures from before the sequence.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/calibration/internal.h"

/* ---- noting ---- */

static void put_figure(json_t *state, const char *kind, int64_t time_ms, double x)
{
    if (!json_object_get(state, "figures"))
        json_object_set_new(state, "figures", json_object());
    json_object_set_new(json_object_get(state, "figures"), kind,
                        json_pack("[I,f]", (json_int_t)time_ms, x));
}

static void note_figure(json_t *state, const struct calibration_result *x)
{
    const enum calibration_kind kind = x->reading.kind;
    const double figure = kind == CALIBRATION_ZERO ? x->deviation : x->factor;
    const bool is_usable = calibration_is_passed(x->verdict) || x->verdict == CALIBRATION_FAIL;

    if (is_usable && kind != CALIBRATION_POINT && isfinite(figure))
        put_figure(state, calibration_kind_id(kind), x->reading.end_ms, figure);
}

/* Several failed checks of a sequence make one bracket: the longest. */
static void note_doubt(json_t *state, const struct run *r, const struct calibration_result *x,
                       int64_t passed_ms)
{
    const json_t *before = json_object_get(state, "doubt");

    if (!before) {
        json_object_set_new(state, "doubt",
                            json_pack("{s:s,s:I,s:I,s:O?}", "check",
                                      calibration_kind_id(x->reading.kind), "from",
                                      (json_int_t)passed_ms, "to",
                                      (json_int_t)x->reading.start_ms, "figures", r->figures));
    } else if (passed_ms < kept_time(before, NULL, "from")) {
        json_object_set_new((json_t *)before, "from", json_integer(passed_ms));
    }
}

void doubt_note_result(struct calibrations *c, const struct run *r,
                       const struct calibration_result *x, int64_t passed_ms)
{
    json_t *state = kept_state(c, r->channel_id);

    note_figure(state, x);
    if (x->verdict == CALIBRATION_FAIL &&
        c->station.setups[r->channel].revise != CALIBRATION_REVISE_OFF)
        note_doubt(state, r, x, passed_ms);
}

void doubt_note_correction(struct calibrations *c, const struct run *r, int64_t now_ms)
{
    json_t *state = kept_state(c, r->channel_id);

    put_figure(state, calibration_kind_id(CALIBRATION_ZERO), now_ms, 0);
    if (r->policy == CALIBRATION_CORRECT_ZERO_SPAN)
        put_figure(state, calibration_kind_id(CALIBRATION_SPAN), now_ms, 1);
}

/* ---- telling ---- */

static double figure_of(const json_t *figures, enum calibration_kind kind, int64_t *ret_time_ms)
{
    const json_t *pair = json_object_get(figures, calibration_kind_id(kind));

    *ret_time_ms = json_integer_value(json_array_get(pair, 0));
    return pair ? json_number_value(json_array_get(pair, 1)) : (double)NAN;
}

/* Known where the kind was checked before, and in the sequence once more. */
static struct calibration_course course_of(const json_t *before, const json_t *after,
                                           enum calibration_kind kind)
{
    struct calibration_course c;

    c.from = figure_of(before, kind, &c.from_ms);
    c.to = figure_of(after, kind, &c.to_ms);
    return c;
}

static int put_doubt(struct calibrations *c, struct store_batch *b, uint32_t channel,
                     const json_t *state, const json_t *doubt)
{
    const char *check = json_string_value(json_object_get(doubt, "check"));
    const json_t *before = json_object_get(doubt, "figures"),
                 *after = json_object_get(state, "figures");
    const struct calibrations_doubt d = {
        .channel = c->station.table->channels[channel].id,
        .check = check ? check : "",
        .from_ms = kept_time(doubt, NULL, "from"),
        .to_ms = kept_time(doubt, NULL, "to"),
        .revise = c->station.setups[channel].revise,
        .drift = { course_of(before, after, CALIBRATION_ZERO),
                   course_of(before, after, CALIBRATION_SPAN) },
    };

    int rc =
        d.revise == CALIBRATION_REVISE_OFF ? 0 : c->station.on_doubt(c->station.user, b, &d);
    return rc == 0 ? kept_put_channel(c, b, d.channel) : rc;
}

/* Out of the state, and into the hands of who revises, in one change. */
void doubt_tell(struct calibrations *c, uint32_t channel)
{
    if (channel == NOWHERE || !c->station.on_doubt)
        return;
    json_t *state = kept_state(c, c->station.table->channels[channel].id);
    json_t *doubt = json_incref(json_object_get(state, "doubt"));
    struct store_batch *b = NULL;
    if (!doubt)
        return;
    json_object_del(state, "doubt");
    int rc = store_batch_begin(c->store, &b);
    if (rc == 0)
        rc = put_doubt(c, b, channel, state, doubt);
    if (rc == 0)
        rc = store_batch_submit(b, STORE_AT_ONCE);
    else if (b)
        store_batch_drop(b);
    if (rc < 0) {
        json_object_set(state, "doubt", doubt);
        log_error("doubtful readings of %s are not revised yet: %s",
                  c->station.table->channels[channel].id, strerror(-rc));
    }
    json_decref(doubt);
}
