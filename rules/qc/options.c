/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/options.h"

#define AT(type, member) .offset = offsetof(struct type, member)

#define DAY              (24.0 * 3600 * 1000)

static const char *const methods[] = { "differential", "average", NULL };
static const char *const statistics[] = { "deviation", "range", NULL };

const struct field qc_spike_fields[] = {
    { .name = "method",
      .type = FIELD_ENUM,
      AT(qc_spike_conf, method),
      .dflt = "differential",
      .help = "The smaller of two opposite steps, or the distance from both neighbours' mean.",
      .words = methods },
    { .name = "suspect",
      .type = FIELD_DOUBLE,
      AT(qc_spike_conf, suspect),
      .min = 0,
      .max = 1e12,
      .help = "A higher spike is suspect; 0: never." },
    { .name = "fail",
      .type = FIELD_DOUBLE,
      AT(qc_spike_conf, fail),
      .min = 0,
      .max = 1e12,
      .help = "A higher spike fails the test; it stays suspect, as an event begins like one." },
    { 0 },
};

const struct field qc_rate_fields[] = {
    { .name = "per",
      .type = FIELD_DURATION,
      AT(qc_rate_conf, per_ms),
      .dflt = "1min",
      .min = 1,
      .max = DAY,
      .help = "The time in which a change is allowed; shorter intervals may use all of it." },
    { .name = "suspect",
      .type = FIELD_DOUBLE,
      AT(qc_rate_conf, suspect),
      .min = 0,
      .max = 1e12,
      .help = "A larger change within `per` is suspect; 0: never." },
    { .name = "fail",
      .type = FIELD_DOUBLE,
      AT(qc_rate_conf, fail),
      .min = 0,
      .max = 1e12,
      .help =
          "A larger change fails the test; it stays suspect, as an event begins like one." },
    { .name = "deviations",
      .type = FIELD_DOUBLE,
      AT(qc_rate_conf, deviations),
      .min = 0,
      .max = 1000,
      .help =
          "Suspect, too, from so many standard deviations of the values before; 0: never." },
    { .name = "over",
      .type = FIELD_DURATION,
      AT(qc_rate_conf, over_ms),
      .dflt = "1h",
      .min = 1000,
      .max = 30 * DAY,
      .help = "The time over which deviations are formed." },
    { 0 },
};

const struct field qc_flat_fields[] = {
    { .name = "tolerance",
      .type = FIELD_DOUBLE,
      AT(qc_flat_conf, tolerance),
      .min = 0,
      .max = 1e12,
      .help = "Values that move by less are flat; it should be above the resolution." },
    { .name = "suspect",
      .type = FIELD_DURATION,
      AT(qc_flat_conf, suspect_ms),
      .dflt = "0s",
      .min = 0,
      .max = 30 * DAY,
      .help = "Flat for so long is suspect; 0: never." },
    { .name = "fail",
      .type = FIELD_DURATION,
      AT(qc_flat_conf, fail_ms),
      .dflt = "0s",
      .min = 0,
      .max = 30 * DAY,
      .help = "Flat for so long is bad; 0: never." },
    { 0 },
};

const struct field qc_attenuated_fields[] = {
    { .name = "over",
      .type = FIELD_DURATION,
      AT(qc_attenuated_conf, over_ms),
      .dflt = "-1ms",
      .min = 1000,
      .max = 30 * DAY,
      .help = "The time over which the statistic is formed." },
    { .name = "statistic",
      .type = FIELD_ENUM,
      AT(qc_attenuated_conf, statistic),
      .dflt = "deviation",
      .help = "The standard deviation, or largest minus smallest value.",
      .words = statistics },
    { .name = "suspect",
      .type = FIELD_DOUBLE,
      AT(qc_attenuated_conf, suspect),
      .min = 0,
      .max = 1e12,
      .help = "A smaller statistic is suspect." },
    { .name = "fail",
      .type = FIELD_DOUBLE,
      AT(qc_attenuated_conf, fail),
      .min = 0,
      .max = 1e12,
      .help = "A smaller statistic is bad." },
    { .name = "least",
      .type = FIELD_INT,
      AT(qc_attenuated_conf, least),
      .dflt = "3",
      .min = 1,
      .max = 10000,
      .help = "With fewer values in that time nothing is said." },
    { 0 },
};

static void configure_rate(const struct qc_rate_conf *o, struct qc_rate *c)
{
    const double seconds = (double)o->per_ms / 1000;

    if (!isnan(o->suspect) || !isnan(o->fail)) {
        c->tick_ms = o->per_ms;
        c->share = 0;
        c->suspect = o->suspect > 0 ? o->suspect / seconds : NAN;
        c->fail = o->fail > 0 ? o->fail / seconds : NAN;
        c->n_dev = 0; /* whoever knows the limit needs no guess from the last hour */
    }
    if (isnan(o->deviations))
        return;
    c->n_dev = o->deviations;
    c->dev_ms = o->over_ms;
    c->dev_least = 0;
}

static unsigned intervals_in(int64_t ms, const struct qc_config *c)
{
    return ms > 0 && c->interval_ms > 0
               ? qc_flat_count((double)ms / 1000, (double)c->interval_ms / 1000)
               : QC_FLAT_OFF;
}

void qc_configure(const struct qc_options *o, struct qc_config *c)
{
    if (!isnan(o->spike.suspect) || !isnan(o->spike.fail))
        c->spike = (struct qc_spike){ (enum qc_spike_method)o->spike.method, o->spike.suspect,
                                      o->spike.fail };
    configure_rate(&o->rate, &c->rate);
    if (o->flat.tolerance > 0)
        c->flat = (struct qc_flat){ intervals_in(o->flat.suspect_ms, c),
                                    intervals_in(o->flat.fail_ms, c), o->flat.tolerance };
    if (o->attenuated.over_ms > 0)
        c->attenuated = (struct qc_attenuated){
            .kind = (enum qc_attenuated_kind)o->attenuated.statistic,
            .suspect = o->attenuated.suspect,
            .fail = o->attenuated.fail,
            .period_ms = o->attenuated.over_ms,
            .min_n = (unsigned)o->attenuated.least,
        };
    if (o->settle_ms >= 0)
        c->service.settle_ms = o->settle_ms;
    if (o->warmup_ms >= 0)
        c->hold.warmup_ms = o->warmup_ms;
}
