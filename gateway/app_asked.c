/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/app_asked.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

/* ---- the uplink's thread ---- */

static bool take(void *user, const char *json, size_t size)
{
    struct asked_box *box = user;
    char *copy = malloc(size + 1);

    if (!copy)
        return false;
    memcpy(copy, json, size);
    copy[size] = '\0';
    if (!queue_push(box->in, &copy)) {
        free(copy);
        return false;
    }
    uv_async_send(&box->owner->wake);
    return true;
}

static char *next_reply(void *user)
{
    struct asked_box *box = user;
    char *text = NULL;

    return queue_pop(box->out, &text, 0) ? text : NULL;
}

/* ---- replies ---- */

static json_t *refusal(const char *reason, const char *en, const char *zh)
{
    return json_pack("{s:b,s:s,s:b,s:{s:s,s:s}}", "ok", 0, "reason", reason, "usage", 1, "text",
                     "en", en, "zh", zh);
}

static char *reply_text(const struct app_asked *a, const char *id, json_t *answer)
{
    char now[TIME_TEXT_MAX];

    time_print_utc(clock_wall_ms(a->clock), now);
    json_object_set_new(answer, "id", json_string(id));
    json_object_set_new(answer, "station", json_string(a->station));
    json_object_set_new(answer, "time", json_string(now));
    return json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(9));
}

/* Takes the answer over. */
static void reply(struct asked_box *box, const char *id, json_t *answer)
{
    const struct app_asked *a = box->owner;
    char *text = reply_text(a, id, answer);

    if (text && strlen(text) > ASKED_REPLY_MAX) {
        json_t *instead = refusal("too_large", "There is too much to tell: ask for one alert.",
                                  "内容过多，请逐条查询报警。");
        free(text);
        text = reply_text(a, id, instead);
        json_decref(instead);
    }
    json_decref(answer);
    if (!text || !queue_push(box->out, &text)) {
        log_warning("uplink %s: a reply found no room, the request is to be sent again",
                    box->uplink);
        free(text);
        return;
    }
    a->on_reply(a->user);
}

static void on_answer(void *user, uint64_t ticket, const char *json)
{
    struct app_asked *a = user;

    for (size_t i = 0; i < ASKED_PENDING_MAX; i++) {
        struct asked_pending *p = &a->pending[i];
        if (p->ticket != ticket)
            continue;
        json_t *answer = json_loads(json, 0, NULL);
        p->ticket = 0;
        reply(p->box, p->id, answer ? answer : json_pack("{s:b}", "ok", 0));
        return;
    }
}

/* ---- requests ---- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

static struct asked_pending *free_place(struct app_asked *a)
{
    for (size_t i = 0; i < ASKED_PENDING_MAX; i++)
        if (a->pending[i].ticket == 0)
            return &a->pending[i];
    return NULL;
}

/* Times are all written alike, so their texts compare as they do. */
static bool is_expired(const struct app_asked *a, const char *expires)
{
    char now[TIME_TEXT_MAX];

    time_print_utc(clock_wall_ms(a->clock), now);
    return *expires && strcmp(expires, now) < 0;
}

/* NULL: it can be carried out. */
static json_t *fault_of(const struct app_asked *a, const json_t *root)
{
    const char *station = text_of(root, "station");

    if (strlen(text_of(root, "id")) >= ASKED_ID_MAX || !*text_of(root, "id"))
        return refusal("bad_id", "A request has an id of 1 to 63 bytes.",
                       "请求须有 1 至 63 字节的 id。");
    if (strlen(text_of(root, "by")) >= ASKED_ID_MAX)
        return refusal("bad_name", "\"by\" has at most 63 bytes.", "\"by\" 最多 63 字节。");
    if (*station && strcmp(station, a->station) != 0)
        return refusal("other_station", "The request is for another station.",
                       "该请求属于其他站点。");
    if (is_expired(a, text_of(root, "expires")))
        return refusal("expired", "The request came too late: it has expired.", "请求已过期。");
    if (strcmp(text_of(root, "kind"), "alert") != 0 ||
        !json_is_object(json_object_get(root, "body")))
        return refusal("bad_request",
                       "A request is {\"id\", \"kind\": \"alert\", \"body\": {\"do\": ...}}.",
                       "请求格式为 {\"id\", \"kind\": \"alert\", \"body\": {\"do\": ...}}。");
    return NULL;
}

static void carry_out(struct asked_box *box, struct asked_pending *p, json_t *root)
{
    struct app_asked *a = box->owner;
    json_t *body = json_object_get(root, "body");
    const char *by = text_of(root, "by");
    char who[2 * ASKED_ID_MAX + 8];

    if (!json_object_get(body, "request"))
        json_object_set(body, "request", json_object_get(root, "id"));
    snprintf(who, sizeof who, "%s%s%s", *by ? by : "centre", *by ? " via " : " ", box->uplink);
    char *text = json_dumps(body, JSON_COMPACT);
    p->ticket = ++a->ticket;
    p->box = box;
    snprintf(p->id, sizeof p->id, "%s", text_of(root, "id"));
    app_alerts_ask(a->alerts, text ? text : "", who, on_answer, a, p->ticket);
    free(text);
}

static void serve(struct asked_box *box, const char *json)
{
    struct app_asked *a = box->owner;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL), *fault = fault_of(a, root);
    struct asked_pending *p = fault ? NULL : free_place(a);

    if (fault)
        reply(box, strlen(text_of(root, "id")) < ASKED_ID_MAX ? text_of(root, "id") : "",
              fault);
    else if (!p)
        reply(box, text_of(root, "id"),
              refusal("busy", "Too many requests wait for the log: send it again.",
                      "等待中的请求过多，请重发。"));
    else
        carry_out(box, p, root);
    json_decref(root);
}

static void on_wake(uv_async_t *handle)
{
    struct app_asked *a = handle->data;
    char *text = NULL;

    app_alerts_committed(a->alerts);
    for (size_t i = 0; i < a->boxes_n; i++) {
        for (int n = 0; n < ASKED_LETTERS_MAX && queue_pop(a->boxes[i]->in, &text, 0); n++) {
            serve(a->boxes[i], text);
            free(text);
        }
    }
}

/* ---- life ---- */

int app_asked_start(struct app_asked *a, uv_loop_t *loop)
{
    int rc = uv_async_init(loop, &a->wake, on_wake);

    if (rc < 0)
        return rc;
    a->wake.data = a;
    uv_unref((uv_handle_t *)&a->wake); /* waiting for questions keeps no gateway running */
    a->is_open = true;
    return 0;
}

void app_asked_committed(struct app_asked *a)
{
    if (a->is_open)
        uv_async_send(&a->wake);
}

static void free_box(struct asked_box *box)
{
    struct queue *const queues[] = { box->in, box->out };
    char *text = NULL;

    for (size_t i = 0; i < 2; i++) {
        while (queues[i] && queue_pop(queues[i], &text, 0))
            free(text);
        queue_destroy(queues[i]);
    }
    free(box);
}

void app_asked_stop(struct app_asked *a)
{
    if (a->is_open)
        uv_close((uv_handle_t *)&a->wake, NULL);
    a->is_open = false;
    for (size_t i = 0; i < a->boxes_n; i++)
        free_box(a->boxes[i]);
    a->boxes_n = 0;
}

static struct asked_box *make_box(struct app_asked *a, const char *uplink)
{
    struct asked_box *box = calloc(1, sizeof *box);

    if (!box)
        return NULL;
    if (queue_create(sizeof(char *), ASKED_LETTERS_MAX, &box->in) < 0 ||
        queue_create(sizeof(char *), ASKED_LETTERS_MAX, &box->out) < 0) {
        free_box(box);
        return NULL;
    }
    box->asking = (struct uplink_asking){ take, next_reply, box };
    box->owner = a;
    snprintf(box->uplink, sizeof box->uplink, "%s", uplink);
    return box;
}

const struct uplink_asking *app_asked_box(struct app_asked *a, const char *uplink)
{
    for (size_t i = 0; i < a->boxes_n; i++)
        if (strcmp(a->boxes[i]->uplink, uplink) == 0)
            return &a->boxes[i]->asking;
    struct asked_box *box =
        a->is_open && a->boxes_n < ASKED_BOXES_MAX ? make_box(a, uplink) : NULL;
    if (!box)
        return NULL;
    a->boxes[a->boxes_n++] = box;
    return &box->asking;
}
