/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/rules_explain.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/app_alerts.h"
#include "gateway/app_view.h"
#include "gateway/cmd/replay_log.h"
#include "gateway/cmd/replay_play.h"
#include "gateway/cmd/replay_series.h"

enum {
    WINDOW_SAMPLES = 64, /* what a window of 32 may reach back, with gaps */
    STEPS_MAX = 20000,   /* shown with --all */
    NEAR_MS = 2000,      /* the second hand of the station and that of a replay */
};

#define HOUR_MS  INT64_C(3600000)
#define NEVER_MS (INT64_MAX / 2)

/* ---- how far back ---- */

static void raise_to(int64_t *ms, int64_t at_least_ms)
{
    if (*ms < at_least_ms)
        *ms = at_least_ms;
}

/* Before that nothing matters to the alert: windows, delays, what was learnt, the hold-off
 * between two raises, and what a watch remembers. */
static int64_t lookback_ms(const struct explanation *e)
{
    const struct alert_rule *r = e->rule;
    const struct channel *ch = &e->table->channel[r->channel];
    int64_t ms = 2 * HOUR_MS;

    raise_to(&ms, (WINDOW_SAMPLES + e->o->before) * ch->period_ms);
    raise_to(&ms, 2 * r->rearm_ms);
    raise_to(&ms, 2 * r->input.window_ms + WINDOW_SAMPLES * ch->period_ms);
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        raise_to(&ms, 2 * r->level[l].on.duration_ms);
    for (size_t i = 0; i < e->table->watches_n; i++)
        if (e->table->watch[i].channel == r->channel)
            raise_to(&ms, watch_lookback(&e->table->watch[i].config));
    return ms;
}

/* ---- what the rule saw ---- */

struct job {
    struct explanation e;
    struct replay_source source;
    struct replay_play *play;
    size_t rule; /* number of the table's */
    int64_t end_ms;
    bool has_failed;
};

static enum explain_fate fate_of(const struct alert_rule *r, const struct pipeline_judged *j)
{
    const struct alert_look *look = j->look;

    if (!look)
        return FATE_TIME;
    if (look->is_serviced && isnan(look->x))
        return FATE_SERVICED;
    if (isnan(look->x) && !look->is_held && !look->has_event)
        return r->input.kind >= ALERT_RATE && j->sample->verdict.grade < GRADE_BAD
                   ? FATE_NO_INPUT
                   : FATE_UNUSABLE;
    if (j->after->last_sample_ms != look->time_ms && j->after->last_sample_ms != 0)
        return FATE_REPEATED;
    if (look->is_suppressed)
        return FATE_SUPPRESSED;
    if (j->after->hold || j->before->hold != j->after->hold ||
        (isnan(look->x) && !look->has_event))
        return FATE_HELD;
    return look->is_refuted ? FATE_REFUTED : FATE_JUDGED;
}

static struct explain_step step_of(const struct job *job, const struct pipeline_judged *j)
{
    const struct alert_rule *r = job->e.rule;
    const struct pipeline *p = replay_play_pipeline(job->play);
    struct explain_step s = { .time_ms = j->time_ms,
                              .fate = fate_of(r, j),
                              .value = NAN,
                              .x = NAN,
                              .compared = NAN,
                              .before = *j->before,
                              .after = *j->after,
                              .change = *j->change };

    if (!j->sample)
        return s;
    s.value = decimal_to_double(j->sample->value);
    s.verdict = j->sample->verdict;
    s.x = j->look->x;
    s.is_event = j->look->is_event;
    if (j->look->has_event)
        s.compared = j->look->limit;
    if (r->when)
        pipeline_values(p, r->when, j->time_ms, s.when);
    if (r->suppress_when)
        pipeline_values(p, r->suppress_when, j->time_ms, s.suppress);
    return s;
}

/* Until it is raised the newest ones are kept. */
static void forget_oldest(struct explain_steps *steps, size_t keep)
{
    if (steps->n <= 2 * keep)
        return;
    memmove(steps->items, steps->items + steps->n - keep, keep * sizeof *steps->items);
    steps->n = keep;
}

static struct explain_step *room(struct explain_steps *steps)
{
    if (steps->n == steps->cap) {
        const size_t cap = steps->cap ? 2 * steps->cap : 64;
        struct explain_step *more = realloc(steps->items, cap * sizeof *more);
        if (!more)
            return NULL;
        steps->items = more;
        steps->cap = cap;
    }
    return &steps->items[steps->n];
}

static bool is_the_raise(const struct job *job, const struct pipeline_judged *j)
{
    const int64_t period_ms = job->e.table->channel[job->e.rule->channel].period_ms,
                  near_ms = period_ms > NEAR_MS ? period_ms : NEAR_MS;

    return j->change->what == ALERT_RAISED &&
           llabs(j->change->raised_ms - job->e.alert->raised_ms) <= near_ms;
}

static void on_judged(void *user, const struct pipeline_judged *j)
{
    struct job *job = user;
    struct explain_steps *steps = &job->e.steps;
    const bool is_up = steps->raise != SIZE_MAX;

    if (j->rule != job->rule || (is_up && j->time_ms > job->end_ms))
        return;
    const bool is_new = j->change->what != ALERT_QUIET;
    if (is_up && !is_new && (!job->e.o->is_all || steps->n >= STEPS_MAX)) {
        steps->skipped++;
        return;
    }
    struct explain_step *s = room(steps);
    if (!s) {
        job->has_failed = true;
        return;
    }
    *s = step_of(job, j);
    if (!is_up && is_the_raise(job, j))
        steps->raise = steps->n;
    steps->n++;
    if (steps->raise == SIZE_MAX)
        forget_oldest(steps, (size_t)job->e.o->before + 1);
    if (is_up && j->change->what == ALERT_CLEARED)
        job->end_ms = j->time_ms; /* what follows is another alert */
}

/* ---- the replay ---- */

/* A statistic is told behind the end of the period that it is named by. */
static bool on_instant(void *user, int64_t time_ms)
{
    const struct job *job = user;
    const int64_t end_ms =
        job->e.steps.raise == SIZE_MAX ? job->e.alert->raised_ms : job->end_ms;

    return !job->has_failed &&
           time_ms <=
               end_ms + 2 * job->e.table->channel[job->e.rule->channel].period_ms + 2 * NEAR_MS;
}

static int open_source(struct job *job, const char *log)
{
    const struct explained *a = job->e.alert;
    const struct replay_log_options o = { .path = log,
                                          .from_ms = a->raised_ms - lookback_ms(&job->e),
                                          .to_ms = INT64_MAX,
                                          .command = "rules" };

    if (job->e.o->series)
        return replay_series_open(job->e.o->series, job->e.table, &job->source);
    return replay_log_open(&o, job->e.table, &job->source);
}

static int play(struct job *job)
{
    const struct replay_play_options po = {
        .table = job->e.table,
        .source = &job->source,
        .hooks = { .on_judged = on_judged, .user = job },
        .on_instant = on_instant,
        .user = job,
    };
    struct explain_steps *steps = &job->e.steps;
    int rc = replay_play_create(&po, &job->play);

    if (rc == 0)
        rc = replay_play_run(job->play);
    replay_play_destroy(job->play);
    if (rc < 0 || job->has_failed)
        return rc < 0 ? rc : -ENOMEM;
    if (steps->raise == SIZE_MAX)
        steps->raise = steps->n;
    return 0;
}

/* Only as many before the raise as were asked for. */
static void cut(struct explanation *e)
{
    struct explain_steps *steps = &e->steps;
    const size_t before = (size_t)e->o->before;

    if (steps->raise <= before)
        return;
    const size_t drop = steps->raise - before;
    memmove(steps->items, steps->items + drop, (steps->n - drop) * sizeof *steps->items);
    steps->n -= drop;
    steps->raise -= drop;
}

/* ---- the rule ---- */

static int find_rule(struct job *job)
{
    const struct table *t = job->e.table;
    const struct explained *a = job->e.alert;
    const struct rule_conf *rules = t->config->rules.items;

    for (size_t i = 0; i < t->rules_n; i++) {
        if (strcmp(t->rule[i].id, a->rule) != 0 ||
            strcmp(t->channel[t->rule[i].channel].id, a->channel) != 0)
            continue;
        job->rule = i;
        job->e.rule = &t->rule[i];
    }
    for (size_t i = 0; i < t->config->rules.n; i++)
        if (strcmp(rules[i].id, a->rule) == 0)
            job->e.conf = &rules[i];
    if (job->e.rule && job->e.conf)
        return app_alerts_version(job->e.conf, job->e.version);
    fprintf(stderr,
            say("sluice rules: the configuration has no rule %s that judges %s any more, so "
                "the alert cannot be judged once more.\n",
                "sluice rules：配置中已没有规则 %s 判断 %s，无法重新判断该警报。\n"),
            a->rule, a->channel);
    return -EINVAL;
}

static int run_job(struct job *job, const char *log)
{
    int rc = find_rule(job);

    if (rc == 0)
        rc = open_source(job, log);
    if (rc == 0)
        rc = play(job);
    if (job->source.close)
        job->source.close(job->source.self);
    if (rc == 0) {
        cut(&job->e);
        if (job->e.o->is_json)
            explain_print_json(&job->e);
        else
            explain_print(&job->e);
    }
    return rc;
}

/* Other rules need not judge; a rule that was switched off since does. */
static void choose_rule(const struct config *c, const char *id)
{
    struct rule_conf *rules = c->rules.items;

    for (size_t i = 0; i < c->rules.n; i++)
        rules[i].is_enabled = strcmp(rules[i].id, id) == 0;
}

static int explain(const struct rules_options *o, const struct config *c, const char *alert)
{
    const char *log = o->log ? o->log : c->log.path;
    struct explained found;
    struct table *table = NULL;
    int status = explain_find(log, o->replay, alert, &found);

    if (status != EXIT_DONE)
        return status;
    choose_rule(c, found.rule);
    int rc = table_create(c, &table);
    struct job job = { .e = { .o = o, .alert = &found, .table = table } };
    job.e.steps.raise = SIZE_MAX;
    job.end_ms = found.cleared_ms ? found.cleared_ms : NEVER_MS;
    if (rc == 0 && !o->series)
        replay_play_calibrated(table);
    if (rc == 0)
        rc = run_job(&job, log);
    const bool is_raised = rc == 0 && job.e.steps.raise < job.e.steps.n;
    free(job.e.steps.items);
    table_destroy(table);
    if (rc == -ENOMEM)
        fputs(say("sluice rules: no memory.\n", "sluice rules：内存不足。\n"), stderr);
    return rc == -ENOMEM || (rc == 0 && !is_raised) ? EXIT_FOUND
           : rc < 0                                 ? EXIT_USAGE
                                                    : EXIT_DONE;
}

int rules_explain(const struct rules_options *o, int argc, char **argv)
{
    struct config *config = NULL;
    struct diag *d;

    if (argc != 1)
        return rules_wrong(say("Which alert? `sluice alert list` shows their numbers.",
                               "哪一条警报？`sluice alert list` 可列出编号。"));
    if ((o->replay != NULL) != (o->series != NULL) && !o->log)
        return rules_wrong(
            say("--replay needs the tables, --series, or --log; --series belongs to --replay.",
                "--replay 须与 --series 或 --log 同用；--series 须与 --replay 同用。"));
    if (diag_create(&d) < 0)
        return EXIT_FOUND;
    const int rc = config_load(o->config, uplink_choices(), d, &config);
    if (rc < 0)
        diag_print(d, stderr);
    diag_destroy(d);
    if (rc < 0)
        return EXIT_USAGE;
    const int status = explain(o, config, argv[0]);
    config_destroy(config);
    return status;
}
