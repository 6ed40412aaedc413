/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app_alerts.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

enum { SHOW_MS = 3000 }; /* figures of a day are not worth more of the processor */

/* ---- how alerts are to be answered ---- */

static enum alert_level level_of(const char *id)
{
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        if (strcmp(alert_level_id((enum alert_level)l), id) == 0)
            return (enum alert_level)l;
    return LEVEL_NONE;
}

static void apply_response(const struct response_conf *c, struct life_response *r)
{
    const int64_t said[LIFE_DUE_COUNT_] = {
        [LIFE_DUE_NONE] = -1,
        [LIFE_DUE_ACKNOWLEDGE] = c->ack_ms,
        [LIFE_DUE_TRIAGE] = c->triage_ms,
        [LIFE_DUE_ROUTE] = c->route_ms,
        [LIFE_DUE_HANDLE] = c->handle_ms,
        [LIFE_DUE_VERIFY] = c->verify_ms,
    };

    for (int d = 0; d < LIFE_DUE_COUNT_; d++)
        if (said[d] >= 0)
            r->within_ms[d] = said[d];
    r->route = c->route ? c->route : r->route;
    r->escalate_to = c->escalate_to ? c->escalate_to : r->escalate_to;
}

static void apply_responses(const struct field_array *list, struct book_plan *plan)
{
    const struct response_conf *c = list->items;

    for (size_t i = 0; i < list->n; i++)
        apply_response(&c[i], &plan->response[level_of(c[i].id)]);
}

/* FNV-1a of what decides: 16 digits tell two versions apart, and no more is asked of them. */
int app_alerts_version(const struct rule_conf *r, char *out)
{
    uint64_t h = UINT64_C(14695981039346656037);
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return -ENOMEM;
    int rc = config_print_rule(r, f);
    if (fclose(f) != 0 || rc < 0) {
        free(text);
        return -ENOMEM;
    }
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    free(text);
    snprintf(out, BOOK_VERSION_MAX, "%016" PRIx64, h);
    return 0;
}

static int make_plan(const struct config *c, const struct rule_conf *r, struct book_plan *plan)
{
    for (int l = LEVEL_BLUE; l < LEVEL_COUNT_; l++)
        plan->response[l] = life_response_default((enum alert_level)l);
    apply_responses(&c->alerts.responses, plan);
    apply_responses(&r->responses, plan);
    plan->flap = (unsigned)(r->flap >= 0 ? r->flap : c->alerts.flap);
    return app_alerts_version(r, plan->version);
}

static int make_plans(struct app_alerts *a, const struct table *t)
{
    const struct rule_conf *rules = t->config->rules.items;
    const size_t n = t->config->rules.n;
    int rc = 0;

    a->plans = calloc(n + 1, sizeof *a->plans);
    a->plan_of = calloc(t->rules_n + 1, sizeof(struct book_plan *));
    if (!a->plans || !a->plan_of)
        return -ENOMEM;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = make_plan(t->config, &rules[i], &a->plans[i]);
    for (size_t i = 0; i < t->rules_n; i++)
        for (size_t k = 0; k < n; k++)
            if (strcmp(t->rule[i].id, rules[k].id) == 0)
                a->plan_of[i] = &a->plans[k];
    return rc;
}

/* ---- what the book tells ---- */

static void on_withdrawn(void *user, size_t rule, struct store_batch *batch)
{
    const struct app_alerts *a = user;

    if (a->pipeline)
        pipeline_withdraw(a->pipeline, rule, batch);
}

static void on_event(void *user, const char *json)
{
    const struct app_alerts *a = user;

    a->on_event(a->user, json);
}

static bool is_pending(void *user, size_t rule)
{
    const struct app_alerts *a = user;

    return a->pipeline && pipeline_is_pending(a->pipeline, rule);
}

/* ---- what callers want ---- */

static void on_answer(void *user, uint64_t ticket, const char *json)
{
    const struct app_alerts *a = user;

    control_answer(a->control, ticket, json);
}

static void on_request(void *user, uint64_t ticket, const char *json, const char *who)
{
    struct app_alerts *a = user;

    app_alerts_ask(a, json, who, on_answer, a, ticket);
}

void app_alerts_ask(struct app_alerts *a, const char *json, const char *who,
                    book_answer *on_answered, void *user, uint64_t ticket)
{
    const struct book_request q = { json,        who,  clock_wall_ms(a->clock),
                                    on_answered, user, ticket };

    if (a->book)
        book_request(a->book, &q);
    else
        on_answered(user, ticket,
                    "{\"ok\":false,\"reason\":\"no_book\",\"text\":{\"en\":\"This gateway "
                    "keeps no book of alerts.\",\"zh\":\"本网关未启用报警簿。\"}}");
}

/* ---- life ---- */

void app_alerts_start(struct app_alerts *a, struct store *store)
{
    int rc = book_create(store, &a->book);

    if (rc < 0)
        log_error("alerts cannot be answered, they are only raised: %s", strerror(-rc));
}

void app_alerts_attach(struct app_alerts *a, const struct table *t,
                       const struct timeline *timeline)
{
    if (!a->book)
        return;
    int rc = make_plans(a, t);
    const struct book_station s = {
        .table = &t->channels,
        .rules = t->rule,
        .plans = a->plan_of,
        .rules_n = t->rules_n,
        .timeline = timeline,
        .shelve_max_ms = t->config->alerts.shelve_max_ms,
        .flood = (unsigned)t->config->alerts.flood,
        .reopen_ms = t->config->alerts.reopen_ms,
        .on_withdrawn = on_withdrawn,
        .is_pending = is_pending,
        .on_event = on_event,
        .user = a,
    };
    if (rc == 0)
        rc = book_attach(a->book, &s, clock_wall_ms(a->clock));
    if (rc < 0)
        log_error("alerts cannot be answered, they are only raised: %s", strerror(-rc));
}

void app_alerts_detach(struct app_alerts *a)
{
    a->pipeline = NULL;
    a->centres_n = 0;
    if (a->book)
        book_detach(a->book);
    free(a->plan_of);
    free(a->plans);
    a->plan_of = NULL;
    a->plans = NULL;
}

void app_alerts_done(struct app_alerts *a)
{
    book_destroy(a->book);
    a->book = NULL;
}

void app_alerts_listen(struct app_alerts *a, struct control *c)
{
    a->control = c;
    if (a->book)
        control_take(c, "alert", on_request, a);
}

void app_alerts_tick(struct app_alerts *a)
{
    if (a->book)
        book_tick(a->book, clock_wall_ms(a->clock));
}

void app_alerts_centre(struct app_alerts *a, const char *uplink)
{
    if (a->centres_n < LIVE_UPLINKS_MAX)
        a->centres[a->centres_n++] = uplink;
}

void app_alerts_committed(struct app_alerts *a)
{
    if (a->book)
        book_committed(a->book);
}

static void look_at_uplinks(struct app_alerts *a, struct live *live)
{
    struct live_uplink uplinks[LIVE_UPLINKS_MAX];
    const size_t n = live_uplinks(live, uplinks, LIVE_UPLINKS_MAX);
    bool is_up = n == 0; /* nobody is waited for */

    for (size_t i = 0; i < n; i++)
        is_up |= uplinks[i].is_connected;
    book_link(a->book, is_up);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < a->centres_n; k++)
            if (strcmp(uplinks[i].id, a->centres[k]) == 0)
                book_received(a->book, uplinks[i].id, uplinks[i].acked_seq);
}

void app_alerts_show(struct app_alerts *a, struct live *live)
{
    struct book_figures f;

    if (!a->book)
        return;
    look_at_uplinks(a, live);
    const int64_t now_ms = clock_wall_ms(a->clock);
    if (now_ms >= a->shown_ms && now_ms - a->shown_ms < SHOW_MS)
        return;
    a->shown_ms = now_ms;
    book_figures_get(a->book, now_ms, &f);
    const struct live_duty d = {
        .open = f.open,
        .unacknowledged = f.unacknowledged,
        .overdue = f.overdue,
        .shelved = f.shelved,
        .unstable = f.unstable,
        .standing_day = f.standing_day,
        .raised_10min = f.raised_10min,
        .raised_day = f.raised_day,
        .worst_10min = f.worst_10min,
        .dropped = f.dropped,
    };
    live_put_duty(live, &d);
}

void app_alerts_hear(struct app_alerts *a, const char *json)
{
    if (!a->book || !strstr(json, "\"doubtful\""))
        return;
    json_t *event = json_loads(json, 0, NULL);
    const char *transition = json_string_value(json_object_get(event, "transition")),
               *key = json_string_value(json_object_get(event, "key"));
    if (transition && key && strcmp(transition, "doubtful") == 0)
        book_doubt(a->book, key);
    json_decref(event);
}
