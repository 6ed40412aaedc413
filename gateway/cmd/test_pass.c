/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/test_pass.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct run;

struct line {
    struct run *run;
    uint32_t number;
    struct bus *bus;
    uv_timer_t timer; /* rests between two requests */
    size_t at;        /* device under test */
    bool is_begun;
    bool is_identifying;
    size_t test; /* question of the identification under way */
    struct bus_request request;
    int64_t begin_ms;
};

struct run {
    struct test_pass *pass;
    uv_loop_t loop;
    struct clock clock;
    struct line *lines;
};

static void next_device(struct line *l);
static void ask(struct line *l);

const struct profile *test_profile(const struct test_result *r)
{
    return r->device.profile;
}

static struct test_result *result_of(struct line *l)
{
    return &l->run->pass->results[l->at];
}

/* ---- what is it? ---- */

static const struct identify_answer nothing = { .kind = ANSWER_NONE };

static size_t tests_of(const struct profile *p)
{
    return p->identify_n < TEST_ANSWERS_MAX ? p->identify_n : TEST_ANSWERS_MAX;
}

/* Texts are not polled: a question of its own for each. */
static bool is_asked_apart(const struct profile_point *pt)
{
    return pt->has_mei || pt->type == TYPE_TEXT;
}

/* The point that the nth of these questions is about; points_n when there is none. */
static size_t point_asked_apart(const struct profile *p, size_t n)
{
    size_t i = 0;

    for (; i < p->points_n; i++) {
        if (is_asked_apart(&p->points[i]) && n-- == 0)
            break;
    }
    return i;
}

const struct identify_answer *test_answer(const struct test_result *r, size_t test)
{
    return test < tests_of(test_profile(r)) ? &r->answers[test] : &nothing;
}

const struct identify_answer *test_text(const struct test_result *r, size_t point)
{
    const struct profile *p = test_profile(r);
    size_t at = tests_of(p);

    for (size_t i = 0; i < point; i++)
        at += is_asked_apart(&p->points[i]);
    return is_asked_apart(&p->points[point]) && at < TEST_ANSWERS_MAX ? &r->answers[at]
                                                                      : &nothing;
}

/* False when there is no further question. */
static bool identify_request(const struct test_result *r, size_t n, struct bus_request *ret)
{
    const struct profile *p = test_profile(r);
    size_t tests = tests_of(p);
    size_t point = n < tests ? p->points_n : point_asked_apart(p, n - tests);

    if (n == TEST_ANSWERS_MAX || (n >= tests && point == p->points_n))
        return false;
    const struct profile_identify *t = n < tests ? &p->identify[n] : NULL;
    const struct profile_point *pt = t ? NULL : &p->points[point];
    int object = t ? t->mei : pt->has_mei ? pt->mei : -1;
    struct register_address at = t ? t->at : pt->at;
    *ret = (struct bus_request){
        .unit = r->conf->unit,
        .function = object >= 0 ? BUS_IDENTIFY : at.space,
        .first = object >= 0 ? (uint16_t)object : at.first,
        .count = object >= 0 ? 1 : at.count,
        .timeout_ms = r->conf->timeout_ms > 0 ? r->conf->timeout_ms : DEVICE_TIMEOUT_MS,
    };
    return true;
}

static void end_device(struct line *l)
{
    struct test_pass *p = l->run->pass;
    size_t device = l->at;

    p->results[device].is_done = true;
    if (p->on_done)
        p->on_done(p->user, device);
    l->at++;
    next_device(l);
}

static void on_identify(uv_timer_t *timer);

static void identify_next(struct line *l)
{
    l->is_identifying = true;
    for (; identify_request(result_of(l), l->test, &l->request); l->test++) {
        if (bus_send(l->bus, &l->request) == 0)
            return;
    }
    end_device(l);
}

static void on_identify(uv_timer_t *timer)
{
    identify_next(timer->data);
}

static void keep_answer(struct test_result *r, size_t n, uint8_t function,
                        const struct bus_reply *reply)
{
    struct identify_answer *a = &r->answers[n];

    if (reply->outcome == BUS_EXCEPTION)
        a->kind = ANSWER_REFUSED;
    r->kept[n] = reply->outcome == BUS_OK ? malloc(sizeof *reply) : NULL;
    if (!r->kept[n])
        return;
    *r->kept[n] = *reply;
    a->kind = function == BUS_IDENTIFY ? ANSWER_TEXT : ANSWER_WORDS;
    a->words = r->kept[n]->words;
    a->text = r->kept[n]->text;
}

static void take_identity(struct line *l, const struct bus_reply *reply)
{
    keep_answer(result_of(l), l->test, l->request.function, reply);
    l->test++;
    if (reply->quiet_ms > 0)
        uv_timer_start(&l->timer, on_identify, (uint64_t)reply->quiet_ms, 0);
    else
        identify_next(l);
}

/* ---- one scan ---- */

static void end_scan(struct line *l)
{
    struct test_result *r = result_of(l);
    enum health_change change;

    r->outcome = device_end(&r->device, r->readings, &change);
    r->took_ms = mono_ms() - l->begin_ms;
    l->test = 0;
    if (r->outcome == SCAN_OK)
        identify_next(l);
    else
        end_device(l);
}

static void remember_failure(struct test_result *r, const struct bus_request *q,
                             const struct bus_reply *reply)
{
    if (r->failures_n == TEST_FAILURES_MAX)
        return;
    r->failures[r->failures_n++] = (struct test_failure){
        q->function, q->first, q->count, reply->outcome, reply->exception,
    };
}

static void on_rested(uv_timer_t *timer)
{
    ask(timer->data);
}

static void take_scan(struct line *l, const struct bus_reply *reply)
{
    struct test_result *r = result_of(l);
    struct plan_piece left_out;
    struct bus_request q = device_ask(&r->device);

    if (reply->outcome != BUS_OK)
        remember_failure(r, &q, reply);
    switch (device_take(&r->device, reply, clock_mono_ms(&l->run->clock), &left_out)) {
    case DEVICE_ASK:
        ask(l);
        break;
    case DEVICE_REST:
        uv_timer_start(&l->timer, on_rested, (uint64_t)r->device.rest_ms, 0);
        break;
    case DEVICE_DONE:
        end_scan(l);
        break;
    }
}

static void on_reply(void *user, const struct bus_reply *reply)
{
    struct line *l = user;

    if (l->is_identifying)
        take_identity(l, reply);
    else
        take_scan(l, reply);
}

static void on_late(void *user, uint8_t unit, int64_t took_ms)
{
    struct line *l = user;
    const struct test_pass *p = l->run->pass;

    for (size_t i = 0; i < p->table->config->devices.n; i++) {
        struct test_result *r = &p->results[i];
        if (!r->is_wanted || r->conf->bus != l->number || r->conf->unit != unit)
            continue;
        r->late++;
        device_late(&r->device, took_ms);
    }
}

static void on_frame(void *user, const struct bus_frame *f)
{
    struct line *l = user;
    struct buf *b = &result_of(l)->frames;

    buf_puts(b, f->fate == BUS_SENT ? ">" : "<");
    for (size_t i = 0; i < f->n; i++)
        buf_printf(b, " %02X", f->bytes[i]);
    if (f->fate == BUS_LATE || f->fate == BUS_FOREIGN || f->fate == BUS_DAMAGED)
        buf_printf(b, "      %s", bus_fate_name(f->fate));
    buf_puts(b, "\n");
}

static void ask(struct line *l)
{
    struct test_result *r = result_of(l);
    struct bus_request q = device_ask(&r->device);

    if (bus_send(l->bus, &q) == 0)
        return;
    device_lost(&r->device, clock_wall_ms(&l->run->clock));
    end_scan(l);
}

static void begin(struct line *l)
{
    struct test_result *r = result_of(l);
    const struct clock *c = &l->run->clock;

    l->is_identifying = false;
    l->begin_ms = mono_ms();
    device_begin(&r->device, clock_mono_ms(c), clock_mono_ms(c), clock_wall_ms(c));
    ask(l);
}

/* ---- lines ---- */

bool test_is_asked(const struct test_result *r)
{
    return r->is_named || (r->is_wanted && r->conf->is_enabled);
}

static void on_bus_closed(void *user)
{
    (void)user;
}

static bool is_on_line(const struct line *l, const struct test_result *r)
{
    return test_is_asked(r) && r->conf->bus == l->number;
}

static void on_begin(uv_timer_t *timer)
{
    begin(timer->data);
}

/* From a timer, so that a line of dead devices does not pile up calls. */
static void next_device(struct line *l)
{
    const struct test_pass *p = l->run->pass;
    size_t n = p->table->config->devices.n;

    while (l->at < n && !is_on_line(l, &p->results[l->at]))
        l->at++;
    if (l->at < n) {
        uv_timer_start(&l->timer, on_begin, 0, 0);
        return;
    }
    uv_close((uv_handle_t *)&l->timer, NULL);
    bus_stop(l->bus, on_bus_closed, l);
}

static int start_line(struct run *run, uint32_t i)
{
    struct test_pass *p = run->pass;
    struct line *l = &run->lines[i];
    const struct bus_events on = { on_reply, on_late, NULL, on_frame, l };

    *l = (struct line){ .run = run, .number = i };
    int rc = bus_create(&run->loop, &run->clock, &p->table->bus[i].place, &on, &l->bus);
    if (rc != 0)
        return rc;
    uv_timer_init(&run->loop, &l->timer);
    l->timer.data = l;
    bus_watch(l->bus, p->has_frames);
    rc = bus_start(l->bus);
    if (rc == 0)
        next_device(l);
    else
        uv_close((uv_handle_t *)&l->timer, NULL);
    return rc;
}

static bool is_line_wanted(const struct test_pass *p, uint32_t line)
{
    for (size_t i = 0; i < p->table->config->devices.n; i++) {
        const struct test_result *r = &p->results[i];
        if (test_is_asked(r) && r->conf->bus == line)
            return true;
    }
    return false;
}

static int run_lines(struct run *run)
{
    struct test_pass *p = run->pass;
    size_t n = p->table->config->buses.n;
    int rc = 0;

    run->lines = calloc(n + 1, sizeof *run->lines);
    if (!run->lines)
        return -ENOMEM;
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        if (is_line_wanted(p, i))
            rc = start_line(run, i);
    }
    if (rc == 0)
        uv_run(&run->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < n; i++)
        bus_destroy(run->lines[i].bus);
    free(run->lines);
    return rc;
}

int test_pass_run(struct test_pass *p)
{
    struct run run = { .pass = p };

    for (size_t i = 0; i < p->table->config->devices.n; i++) {
        struct test_result *r = &p->results[i];
        if (r->is_wanted && !test_is_asked(r)) {
            r->is_done = true;
            if (p->on_done)
                p->on_done(p->user, i);
        }
    }
    clock_init(&run.clock, 1, 0);
    int rc = uv_loop_init(&run.loop);
    if (rc != 0)
        return rc;
    rc = run_lines(&run);
    uv_loop_close(&run.loop);
    return rc;
}

/* ---- life ---- */

static int init_result(struct test_result *r, const struct table *table, size_t number)
{
    const struct poll_device *conf = &table->poll_device[number];

    *r = (struct test_result){ .conf = conf,
                               .outcome = SCAN_NO_ANSWER,
                               .frames = BUF_INIT(TEST_FRAMES_MAX) };
    int rc = device_init(&r->device, conf, (uint32_t)number);
    if (rc != 0)
        return rc;
    load_line_of(&table->bus[conf->bus].place, &r->line);
    device_know_line(&r->device, &r->line);
    r->readings = calloc(conf->profile->points_n + 1, sizeof *r->readings);
    return r->readings ? 0 : -ENOMEM;
}

int test_pass_init(struct test_pass *t, const struct table *table)
{
    size_t n = table->config->devices.n;
    int rc = 0;

    *t = (struct test_pass){ .table = table };
    t->results = calloc(n + 1, sizeof *t->results);
    if (!t->results)
        return -ENOMEM;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = init_result(&t->results[i], table, i);
    if (rc != 0)
        test_pass_done(t);
    return rc;
}

void test_pass_done(struct test_pass *t)
{
    for (size_t i = 0; t->results && i < t->table->config->devices.n; i++) {
        struct test_result *r = &t->results[i];
        device_done(&r->device);
        buf_done(&r->frames);
        free(r->readings);
        for (size_t j = 0; j < TEST_ANSWERS_MAX; j++)
            free(r->kept[j]);
    }
    free(t->results);
    t->results = NULL;
}
