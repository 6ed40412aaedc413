/* SPDX-License-Identifier: Apache-2.0 */
/* Channels that are checked, the ledger, what was revised because of it. */
#include <math.h>
#include <string.h>

#include "gateway/calibration/request.h"

static json_t *last_results(const struct calibrations *c, const char *channel)
{
    json_t *last = json_object(), *result;
    char key[CHECK_KEY_MAX];
    size_t i;

    json_array_foreach(c->ledger, i, result)
    {
        const char *its = json_string_value(json_object_get(result, "channel"));
        const char *check = json_string_value(json_object_get(result, "check"));
        enum calibration_kind kind;
        if (!its || !check || strcmp(its, channel) != 0 ||
            calibration_kind_find(check, &kind) < 0)
            continue;
        check_key(kind, json_number_value(json_object_get(result, "reference")), key);
        json_object_set(last, key, result);
    }
    return last;
}

static json_t *passed_times(const json_t *state)
{
    const json_t *passed = json_object_get(state, "passed");
    json_t *times = json_object(), *ms;
    const char *kind;

    json_object_foreach((json_t *)passed, kind, ms)
    {
        json_object_set_new(times, kind, time_json(json_integer_value(ms)));
    }
    return times;
}

static json_t *next_json(const struct calibrations *c, uint32_t channel)
{
    const struct calibration_setup *s = &c->station.setups[channel];
    const struct calibration_schedule when = { s->every_ms, s->at_ms, c->station.zone_ms };

    if (s->at_ms < 0 || s->every_ms <= 0)
        return json_null();
    return time_json(calibration_slot_ms(&when, calibration_slot(&when, c->now_ms) + 1));
}

static const char *state_word(const struct calibrations *c, uint32_t channel)
{
    static const char *const words[] = {
        [QC_MEASURING] = "measuring", [QC_ZERO] = "zero",
        [QC_SPAN] = "span",           [QC_CALIBRATION] = "calibration",
        [QC_SETTLING] = "settling",   [QC_MAINTENANCE] = "maintenance",
    };
    const struct member *m = &c->members[channel];

    if (c->devices[m->device].maintenance)
        return words[QC_MAINTENANCE];
    if (m->run)
        return words[calibration_run_service(&m->run->course)];
    return words[c->devices[m->device].told];
}

static json_t *describe(const struct calibrations *c, uint32_t i)
{
    const struct channel *ch = &c->station.table->channels[i];
    const struct calibration_setup *s = &c->station.setups[i];
    const struct member *m = &c->members[i];
    json_t *o =
        json_pack("{s:s,s:s,s:s,s:s,s:I,s:o,s:o,s:o}", "channel", ch->id, "quantity",
                  ch->quantity->id, "unit", ch->quantity->unit, "state", state_word(c, i),
                  "every_ms", (json_int_t)s->every_ms, "next", next_json(c, i), "passed",
                  passed_times(m->state), "last", last_results(c, ch->id));

    if (m->correction.zero != 0 || m->correction.factor != 1)
        json_object_set_new(
            o, "correction",
            json_pack("{s:f,s:f}", "zero", m->correction.zero, "factor", m->correction.factor));
    return o;
}

/* Those that are checked: by their configuration, or ever. */
void job_list(const struct job *j)
{
    const struct channel_table *t = j->c->station.table;
    json_t *list = json_array();

    for (uint32_t i = 0; i < t->n; i++) {
        const bool is_checked = !t->channels[i].statistic &&
                                (j->c->station.setups[i].plan.n > 0 || j->c->members[i].run ||
                                 json_object_get(j->c->members[i].state, "usual"));
        if (is_checked)
            json_array_append_new(list, describe(j->c, i));
    }
    json_t *revisions =
        j->c->station.on_revisions ? j->c->station.on_revisions(j->c->station.user) : NULL;
    answer_now(j->q, json_pack("{s:b,s:o,s:o}", "ok", 1, "channels", list, "revisions",
                               revisions ? revisions : json_array()));
}

static bool is_wanted(const json_t *result, const char *channel)
{
    const char *its = json_string_value(json_object_get(result, "channel"));
    const size_t n = strlen(channel);

    /* a channel, or a device with all of its own */
    return n == 0 ||
           (its && strncmp(its, channel, n) == 0 && (its[n] == '\0' || its[n] == '/'));
}

void job_ledger(const struct job *j)
{
    const char *channel = job_text(j, "channel");
    json_t *list = json_array(), *result;
    double n;
    size_t i;

    if (!job_number(j, "n", 1, CALIBRATIONS_LEDGER_MAX, &n)) {
        job_refuse(j, "bad_request", "n must be from 1 to 500.", "n 的范围是 1 到 500。");
        json_decref(list);
        return;
    }
    json_array_foreach(j->c->ledger, i, result)
    {
        if (is_wanted(result, channel))
            json_array_append(list, result);
    }
    while (!isnan(n) && json_array_size(list) > (size_t)n)
        json_array_remove(list, 0);
    answer_now(j->q, json_pack("{s:b,s:o}", "ok", 1, "ledger", list));
}
