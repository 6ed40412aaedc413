/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "rules/qc/qc.h"

/* Samples that a window holds at most: 10 000 are 240 kB. */
enum { WINDOW_MAX = 10000 };

static const struct {
    const char *id, *zh, *en;
} tests[QC_TEST_COUNT_] = {
    [QC_TEST_TIME] = { "time", "时间", "time" },
    [QC_TEST_INSTRUMENT] = { "instrument", "仪器状态", "instrument status" },
    [QC_TEST_SENTINEL] = { "no_value", "无效编码", "code for no value" },
    [QC_TEST_RANGE] = { "range", "范围", "gross range" },
    [QC_TEST_HOLD] = { "hold", "中断与预热", "gap and warm-up" },
    [QC_TEST_SERVICE] = { "service", "校准与维护", "calibration and maintenance" },
    [QC_TEST_STUCK] = { "stuck", "数值不变", "stuck" },
    [QC_TEST_SPIKE] = { "spike", "尖峰", "spike" },
    [QC_TEST_RATE] = { "rate", "变化率", "rate of change" },
    [QC_TEST_FLAT] = { "flat", "平直线", "flat line" },
    [QC_TEST_ATTENUATED] = { "attenuated", "波动减弱", "attenuated signal" },
    [QC_TEST_MULTI] = { "multi", "参数间一致性", "consistency" },
    [QC_TEST_REFERENCE] = { "reference", "参考比对", "reference" },
    [QC_TEST_CLIMATE] = { "climate", "季节范围", "climatology" },
};

const char *qc_test_id(enum qc_test t)
{
    return tests[t].id;
}

const char *qc_test_name(enum qc_test t, const char *lang)
{
    return strcmp(lang, "zh") == 0 ? tests[t].zh : tests[t].en;
}

static const char *window_error(const struct qc_config *c)
{
    const bool has_flat = c->flat.tolerance > 0;

    if ((has_flat && c->flat.suspect != QC_FLAT_OFF && c->flat.suspect > WINDOW_MAX) ||
        (has_flat && c->flat.fail != QC_FLAT_OFF && c->flat.fail > WINDOW_MAX))
        return "The time of a flat line holds more than 10000 samples.";
    if (c->attenuated.period_ms > 0 && c->interval_ms <= 0)
        return "An attenuated signal is tested over time: the interval must be known.";
    if (c->attenuated.period_ms > 0 && c->attenuated.period_ms / c->interval_ms > WINDOW_MAX)
        return "The period of an attenuated signal holds more than 10000 samples.";
    return c->relations_n > QC_RELATIONS_MAX ? "A channel has 4 relations at most." : NULL;
}

static const char *season_error(const struct qc_config *c)
{
    for (unsigned i = 0; i < c->seasons_n; i++) {
        const struct qc_season *s = &c->seasons[i];
        if (s->time.min > s->time.max || s->usual.min > s->usual.max ||
            s->fail.min > s->fail.max || s->depth.min > s->depth.max)
            return "A season has a span that ends below its start; one over the turn of the "
                   "year is two.";
    }
    return NULL;
}

static const char *reference_error(const struct qc_config *c)
{
    const char *error = NULL;

    for (unsigned i = 0; i < c->references_n && !error; i++)
        error = qc_reference_error(&c->references[i]);
    return error;
}

const char *qc_config_error(const struct qc_config *c)
{
    const char *const found[] = {
        qc_range_error(&c->range),
        qc_service_error(&c->service),
        qc_stuck_error(&c->stuck),
        qc_spike_error(&c->spike),
        qc_rate_error(&c->rate),
        qc_flat_error(&c->flat),
        qc_attenuated_error(&c->attenuated),
        window_error(c),
        reference_error(c),
        season_error(c),
    };

    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++)
        if (found[i])
            return found[i];
    return NULL;
}

/* Samples that the windows hold: of flat line suspect and fail, of the attenuated signal. */
static void capacities(const struct qc_config *c, unsigned cap[3])
{
    const bool has_flat = c->flat.tolerance > 0;

    cap[0] = has_flat ? (c->flat.suspect == QC_FLAT_OFF ? 1 : c->flat.suspect + 1) : 0;
    cap[1] = has_flat && c->flat.fail != QC_FLAT_OFF ? c->flat.fail + 1 : 0;
    /* one more for a sample that came a little early */
    cap[2] = c->attenuated.period_ms > 0 && c->interval_ms > 0
                 ? (unsigned)(c->attenuated.period_ms / c->interval_ms) + 2
                 : 0;
}

int64_t qc_lookback(const struct qc_config *c)
{
    enum { NEIGHBOURS = 4 }; /* of spike and rate, behind those that a gap holds */
    const bool has_flat = c->flat.tolerance > 0;
    const int64_t spans[] = {
        (c->hold.gap_samples + NEIGHBOURS) * c->interval_ms,
        c->hold.warmup_ms,
        c->service.settle_ms,
        c->stuck.n * c->interval_ms,
        has_flat && c->flat.suspect != QC_FLAT_OFF ? c->flat.suspect * c->interval_ms : 0,
        has_flat && c->flat.fail != QC_FLAT_OFF ? c->flat.fail * c->interval_ms : 0,
        c->attenuated.period_ms,
        c->rate.n_dev > 0 ? c->rate.dev_ms : 0,
    };
    int64_t longest = 0;

    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        if (spans[i] > longest)
            longest = spans[i];
    return longest;
}

size_t qc_memory(const struct qc_config *c)
{
    unsigned cap[3];

    capacities(c, cap);
    return qc_window_size(cap[0]) + qc_window_size(cap[1]) + qc_window_size(cap[2]);
}

void qc_start(const struct qc_config *c, struct qc_state *st, void *memory)
{
    struct qc_window *const window[] = { &st->flat.suspect, &st->flat.fail,
                                         &st->attenuated.window };
    char *at = memory;
    unsigned cap[3];

    memset(st, 0, sizeof *st);
    capacities(c, cap);
    for (size_t i = 0; i < sizeof cap / sizeof cap[0]; i++) {
        if (!cap[i])
            continue;
        qc_window_init(window[i], at, cap[i]);
        at += qc_window_size(cap[i]);
    }
}
