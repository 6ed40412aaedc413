/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/qc.h"

#include <string.h>

/* What a sample is judged with: the arguments of each step of the chain. */
struct job {
    const struct qc_config *c;
    struct qc_state *st;
    const struct qc_input *in;
    struct sample *s;
    double x;
    bool is_gap;
};

/* What a flag of a test adds to the verdict. */
static const struct {
    uint32_t suspect, fail, not_evaluated; /* reasons; 0: adds nothing */
    enum grade fail_grade;
} meanings[QC_TEST_COUNT_] = {
    [QC_TEST_TIME] = { REASON_CLK_DUP, REASON_CLK_FUTURE, 0, GRADE_BAD },
    [QC_TEST_RANGE] = { REASON_RANGE_SUSPECT, REASON_RANGE, 0, GRADE_BAD },
    [QC_TEST_HOLD] = { 0, REASON_WARMUP, REASON_AFTER_GAP, GRADE_BAD },
    [QC_TEST_STUCK] = { 0, REASON_STUCK, 0, GRADE_BAD },
    /* A real spill looks like a spike or a jump at first: suspect, never bad. */
    [QC_TEST_SPIKE] = { REASON_SPIKE, REASON_SPIKE, 0, GRADE_SUSPECT },
    [QC_TEST_RATE] = { REASON_RATE, REASON_RATE, 0, GRADE_SUSPECT },
    [QC_TEST_FLAT] = { REASON_FLAT, REASON_FLAT, 0, GRADE_BAD },
    [QC_TEST_ATTENUATED] = { REASON_ATTENUATED, REASON_ATTENUATED, 0, GRADE_BAD },
    [QC_TEST_MULTI] = { REASON_MULTI, 0, 0, GRADE_BAD },
    [QC_TEST_REFERENCE] = { REASON_REFERENCE, 0, 0, GRADE_BAD },
    /* outside the usual range of the season, and outside what it can be */
    [QC_TEST_CLIMATE] = { REASON_CLIMATE, REASON_CLIMATE, 0, GRADE_BAD },
};

static struct verdict verdict_with(struct verdict v, enum qc_test t, enum qc_flag f)
{
    if (f == QC_SUSPECT && meanings[t].suspect)
        return verdict_add(v, GRADE_SUSPECT, meanings[t].suspect);
    if (f == QC_FAIL && meanings[t].fail)
        return verdict_add(v, meanings[t].fail_grade, meanings[t].fail);
    if (f == QC_NOT_EVALUATED && meanings[t].not_evaluated)
        return verdict_add(v, GRADE_NOT_EVALUATED, meanings[t].not_evaluated);
    return v;
}

static void note(const struct job *j, enum qc_test t, enum qc_flag f)
{
    j->st->now.flag[t] = (uint8_t)f;
    j->s->verdict = verdict_with(j->s->verdict, t, f);
}

static void check_time(const struct job *j)
{
    const int64_t now_ms = j->in->now_ms ? j->in->now_ms : QC_NO_TIME;
    enum qc_flag f = qc_time_check(&j->c->time, j->s->time_ms, now_ms);

    if (f == QC_GOOD && j->s->time_ms == j->st->hold.last_ms)
        f = QC_SUSPECT;
    note(j, QC_TEST_TIME, f);
}

/* Late samples (read again, replayed) go through the range alone: they are no news of the
 * instrument. A clock that went back further than a gap starts afresh. */
static bool is_late(const struct job *j)
{
    const unsigned gap = j->c->hold.gap_intervals;
    const int64_t last_ms = j->st->hold.last_ms;

    return j->s->time_ms <= last_ms &&
           last_ms - j->s->time_ms <= (gap ? gap : 1) * j->c->interval_ms;
}

static void check_hold(struct job *j)
{
    if (j->s->time_ms < j->st->hold.last_ms)
        j->st->hold.last_ms = 0;
    note(j, QC_TEST_HOLD,
         qc_hold_step(&j->c->hold, j->c->interval_ms, &j->st->hold, j->s->time_ms, &j->is_gap));
}

static enum qc_service told_service(const struct job *j)
{
    const struct verdict v = j->s->verdict;

    if (v.status == STATUS_MAINTENANCE || j->in->told == QC_MAINTENANCE)
        return QC_MAINTENANCE;
    if (v.status != STATUS_CALIBRATION)
        return j->in->told;
    return v.reasons & REASON_CAL_ZERO     ? QC_ZERO
           : v.reasons & REASON_CAL_SPAN   ? QC_SPAN
           : v.reasons & REASON_CAL_SETTLE ? QC_SETTLING
                                           : QC_CALIBRATION;
}

static void check_service(const struct job *j)
{
    static const struct verdict verdicts[] = {
        [QC_MEASURING] = { STATUS_VALID, GRADE_GOOD, 0 },
        [QC_ZERO] = { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO },
        [QC_SPAN] = { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_SPAN },
        [QC_CALIBRATION] = { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL },
        [QC_SETTLING] = { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_SETTLE },
        [QC_MAINTENANCE] = { STATUS_MAINTENANCE, GRADE_BAD, REASON_MAINT },
    };
    const enum qc_service is =
        qc_service_step(&j->c->service, &j->st->service, j->s->time_ms, j->x, told_service(j));

    j->st->now.flag[QC_TEST_SERVICE] = is == QC_MEASURING ? QC_GOOD : QC_FAIL;
    if (is != QC_MEASURING)
        j->s->verdict = verdict_merge(j->s->verdict, verdicts[is]);
}

static void check_stuck(const struct job *j)
{
    if (j->is_gap)
        j->st->stuck.equal = 0;
    note(j, QC_TEST_STUCK,
         qc_stuck_step(&j->c->stuck, &j->st->stuck, j->in->raw.v, j->in->raw.e, j->x));
}

static bool has_spike(const struct qc_config *c)
{
    return c->spike.suspect > 0 || c->spike.fail > 0;
}

static bool has_rate(const struct qc_config *c)
{
    return c->rate.suspect > 0 || c->rate.fail > 0 || c->rate.n_dev > 0;
}

/* The verdict of the sample before is final now; QC_NOT_EVALUATED adds nothing to it. */
static void finish_before(struct qc_state *st, enum qc_flag spike)
{
    struct qc_judged *b = &st->before;

    if (b->is_final || spike == QC_NONE)
        return;
    const struct verdict v = verdict_with(b->sample.verdict, QC_TEST_SPIKE, spike);
    st->is_revised =
        v.grade != b->sample.verdict.grade || v.reasons != b->sample.verdict.reasons;
    b->sample.verdict = v;
    b->flag[QC_TEST_SPIKE] = (uint8_t)spike;
    b->is_final = true;
}

/* `x` is NaN for a sample that nothing can be compared with. */
static void check_spike(const struct job *j, double x)
{
    if (!has_spike(j->c))
        return;
    if (j->is_gap) {
        finish_before(j->st, qc_spike_end(&j->st->spike));
        j->st->spike.n = 0;
    }
    finish_before(j->st, qc_spike_step(&j->c->spike, &j->st->spike, x));
    /* A first sample is final: it has nothing before it. So is one that is no neighbour. */
    j->st->now.is_final = !isfinite(x) || j->st->spike.n < 2;
    j->st->now.flag[QC_TEST_SPIKE] = QC_NOT_EVALUATED;
}

static void check_rate(const struct job *j, double x)
{
    if (!has_rate(j->c))
        return;
    if (j->is_gap)
        qc_rate_restart(&j->st->rate);
    const enum qc_flag f = qc_rate_step(&j->c->rate, &j->st->rate, j->s->time_ms, x);
    note(j, QC_TEST_RATE, f == QC_MISSING ? QC_NOT_EVALUATED : f);
}

static void check_windows(const struct job *j, double x)
{
    enum qc_flag f;

    if (j->c->flat.tolerance > 0 && j->st->flat.suspect.cap) {
        if (j->is_gap)
            qc_flat_restart(&j->st->flat);
        f = qc_flat_step(&j->c->flat, &j->st->flat, x);
        note(j, QC_TEST_FLAT, f == QC_MISSING ? QC_NOT_EVALUATED : f);
    }
    if (j->c->attenuated.period_ms > 0 && j->st->attenuated.window.cap) {
        if (j->is_gap)
            qc_attenuated_restart(&j->st->attenuated);
        f = qc_attenuated_step(&j->c->attenuated, &j->st->attenuated, j->s->time_ms, x);
        note(j, QC_TEST_ATTENUATED, f == QC_MISSING ? QC_NOT_EVALUATED : f);
    }
}

static double peer(const struct job *j, unsigned i)
{
    return j->in->peers && i < j->in->peers_n ? j->in->peers[i] : NAN;
}

static void check_relations(const struct job *j)
{
    enum qc_flag f = QC_NONE;

    for (unsigned i = 0; i < j->c->relations_n && i < QC_RELATIONS_MAX; i++) {
        const struct qc_relation *r = &j->c->relations[i];
        const double a = peer(j, r->a), b = peer(j, r->b);
        f = qc_flag_merge(f, r->kind == QC_MOVES_WITH
                                 ? qc_moves_step(r, &j->st->moves[i], j->x, a)
                                 : qc_relation_check(r, j->x, a, b));
    }
    note(j, QC_TEST_MULTI, f);
}

static void check_references(const struct job *j)
{
    double value[QC_REFERENCE_PEERS_MAX];
    enum qc_flag f = QC_NONE;

    for (unsigned i = 0; i < j->c->references_n; i++) {
        const struct qc_reference *r = &j->c->references[i];
        for (unsigned k = 0; k < r->n && k < QC_REFERENCE_PEERS_MAX; k++)
            value[k] = peer(j, r->peer[k]);
        f = qc_flag_merge(f, qc_reference_check(r, j->x, value));
    }
    note(j, QC_TEST_REFERENCE, f);
}

static void check_climate(const struct job *j)
{
    if (j->c->seasons_n)
        note(
            j, QC_TEST_CLIMATE,
            qc_climate_check(j->c->seasons, j->c->seasons_n, j->s->time_ms, j->x, j->c->depth));
}

/* Whoever is compared with a sample that is bad already, or still held, would be accused in its
 * place: such a sample is no neighbour. */
static bool is_neighbour(const struct job *j)
{
    return j->s->verdict.grade != GRADE_BAD && j->st->now.flag[QC_TEST_HOLD] == QC_GOOD;
}

static void check_series(struct job *j)
{
    check_hold(j);
    check_service(j);
    check_stuck(j);
    const double x = is_neighbour(j) ? j->x : NAN;
    check_spike(j, x);
    check_rate(j, x);
    check_windows(j, x);
    check_relations(j);
    check_references(j);
    check_climate(j);
}

/* A sample without a value: only what comes before and after it changes. */
static void pass_missing(const struct job *j)
{
    const struct verdict v = j->s->verdict;

    j->s->value = DECIMAL_MISSING;
    j->s->verdict =
        verdict_add(v, GRADE_MISSING, v.grade == GRADE_MISSING ? 0 : REASON_NO_VALUE);
    j->st->now.flag[QC_TEST_SENTINEL] = QC_MISSING;
    if (v.reasons & REASON_POWER)
        j->st->hold.had_power_loss = true;
    if (!j->st->is_late) {
        check_spike(j, NAN);
        check_rate(j, NAN);
        check_windows(j, NAN);
    }
    for (int t = 0; t < QC_TEST_COUNT_; t++)
        if (j->st->now.flag[t] != QC_NONE)
            j->st->now.flag[t] = QC_MISSING;
}

static void begin(const struct job *j)
{
    struct qc_state *st = j->st;

    st->is_revised = false;
    /* A late sample stands beside the sequence: who waits for the next one goes on waiting. */
    if (!st->is_late)
        st->before = st->now;
    st->is_late = is_late(j);
    memset(st->now.flag, QC_NONE, sizeof st->now.flag);
    st->now.is_final = true;
    /* What instrument and bus said, before any check has added to it. */
    if (j->s->verdict.status != STATUS_VALID || j->s->verdict.grade != GRADE_GOOD)
        st->now.flag[QC_TEST_INSTRUMENT] = (uint8_t)verdict_qartod(j->s->verdict);
}

void qc_judge(const struct qc_config *c, struct qc_state *st, const struct qc_input *in,
              struct sample *s)
{
    struct job j = { c, st, in, s, decimal_to_double(s->value), false };

    begin(&j);
    if (qc_is_sentinel(&c->sentinels, j.x)) {
        pass_missing(&j);
    } else {
        check_time(&j);
        note(&j, QC_TEST_RANGE, qc_range_check(&c->range, j.x));
        if (!st->is_late)
            check_series(&j);
    }
    st->now.sample = *s;
}

void qc_step(const struct qc_config *c, struct qc_state *st, struct decimal raw,
             struct sample *s)
{
    const struct qc_input in = { .raw = raw };

    qc_judge(c, st, &in, s);
}

double qc_as_peer(const struct qc_config *c, struct verdict v, double x)
{
    return v.grade < GRADE_BAD && !qc_is_sentinel(&c->sentinels, x) &&
                   qc_range_check(&c->range, x) != QC_FAIL
               ? x
               : NAN;
}

enum qc_flag qc_judged_flag(const struct qc_judged *j)
{
    enum qc_flag all = QC_NONE;

    for (int t = 0; t < QC_TEST_COUNT_; t++)
        all = qc_flag_merge(all, (enum qc_flag)j->flag[t]);
    return all == QC_NONE ? QC_NOT_EVALUATED : all;
}

void qc_shift(struct qc_state *st, int64_t by_ms)
{
    if (st->hold.last_ms != 0)
        st->hold.last_ms += by_ms;
    if (st->hold.power_ms != 0)
        st->hold.power_ms += by_ms;
    if (st->service.since_ms != 0)
        st->service.since_ms += by_ms;
    if (st->service.settle_to_ms != 0)
        st->service.settle_to_ms += by_ms;
    st->rate.last_ms += by_ms;
    if (st->rate.since_ms != 0)
        st->rate.since_ms += by_ms;
    /* The times in the window are of the old clock. */
    qc_attenuated_restart(&st->attenuated);
}
