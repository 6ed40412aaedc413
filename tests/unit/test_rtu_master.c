/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "gateway/bus/rtu_master.h"
#include "tests/unit/rtu_world.h"

enum {
    TIMEOUT_MS = 200,
    LINE_TRANSACTIONS = 2000, /* then another line, with everything forgotten */
    TRANSACTIONS = 20000,     /* SLUICE_TRANSACTIONS: for patience */
    BUFFER_MAX = 512,
};

struct run {
    struct world world;
    struct rtu_master *master; /* NULL: the naive one */
    struct bus_reply reply;
    uint16_t words[BUS_WRITE_MAX];
    int64_t quiet_us[WORLD_UNITS + 1];
    int64_t arriving, taken; /* serials of the piece that comes in, of the answer taken */
    bool is_garbled;         /* the answer taken */
    int64_t leaving_until_us;
    long asked, ok, refused, silent, bad;
    long late, foreign, damaged;
    long wrong, wrong_noise;
    double bound; /* damaged frames that a CRC of 16 bits lets pass */
};

/* ---- the master under test ---- */

static void on_late(void *user, uint8_t unit, int64_t took_us)
{
    struct run *r = user;

    assert_in_range(unit, 1, WORLD_UNITS);
    assert_true(took_us >= -1);
    r->late++;
}

static void on_frame(void *user, const struct bus_frame *f)
{
    struct run *r = user;

    assert_in_range(f->n, 1, ADU_RTU_MAX);
    r->foreign += f->fate == BUS_FOREIGN;
    r->damaged += f->fate == BUS_DAMAGED;
    if (f->fate == BUS_TAKEN || f->fate == BUS_REFUSED)
        r->taken = r->arriving;
}

static void create_master(struct run *r)
{
    const struct rtu_options o = {
        .char_us = WORLD_CHAR_US,
        .gap_us = WORLD_GAP_US,
        .strange_us = WORLD_STRANGE_US,
        .on_late = on_late,
        .on_frame = on_frame,
        .user = r,
    };

    assert_int_equal(rtu_master_create(&o, &r->master), 0);
    rtu_master_open(r->master, r->world.now_us);
}

static void pass(struct run *r, int64_t until_us)
{
    struct world_piece p;

    if (!world_pass(&r->world, until_us, &p))
        return;
    r->arriving = p.serial;
    rtu_master_take(r->master, p.bytes, p.n, r->world.now_us < r->leaving_until_us,
                    r->world.now_us);
}

static void transact(struct run *r, const struct bus_request *q)
{
    struct rtu_step step;

    assert_int_equal(rtu_master_ask(r->master, q, r->world.now_us), 0);
    for (;;) {
        enum rtu_need need = rtu_master_next(r->master, r->world.now_us, &step);
        if (need == RTU_DONE)
            break;
        if (need == RTU_SEND) {
            r->leaving_until_us = r->world.now_us + (int64_t)step.n * WORLD_CHAR_US;
            rtu_master_sent(r->master, r->world.now_us);
            world_send(&r->world, step.bytes, step.n);
        } else {
            assert_true(step.until_us > r->world.now_us && step.until_us < INT64_MAX);
            pass(r, step.until_us);
        }
    }
    r->reply = step.reply;
}

static void let_pass(struct run *r, int64_t us)
{
    struct rtu_step step;
    int64_t until_us = r->world.now_us + us;

    while (r->world.now_us < until_us) {
        assert_int_equal(rtu_master_next(r->master, r->world.now_us, &step), RTU_WAIT);
        pass(r, step.until_us < until_us ? step.until_us : until_us);
    }
}

/* ---- a master without protection ---- */

/* Drops what is there, sends, takes the first frame that fits. */
static void transact_naively(struct run *r, const struct bus_request *q)
{
    uint8_t buf[BUFFER_MAX], adu[ADU_RTU_MAX];
    struct adu_content c;
    struct world_piece p;
    size_t used, n = 0;
    int64_t until_us = r->world.now_us + WORLD_GAP_US;

    while (world_pass(&r->world, until_us, &p))
        ;
    world_send(&r->world, adu, adu_rtu_build(q, adu));
    until_us = r->world.now_us + TIMEOUT_MS * 1000;
    r->reply = (struct bus_reply){ .outcome = BUS_NO_ANSWER };
    while (r->reply.outcome == BUS_NO_ANSWER && world_pass(&r->world, until_us, &p)) {
        if (n + p.n > sizeof buf)
            n = 0;
        memcpy(buf + n, p.bytes, p.n);
        n += p.n;
        enum adu_verdict v = adu_rtu_check(q, buf, n, &used, &c);
        memmove(buf, buf + used, n - used);
        n -= used;
        r->taken = p.serial;
        if (v == ADU_ANSWER || v == ADU_EXCEPTION)
            adu_fill_reply(v, &c, &r->reply);
    }
}

/* ---- what is asked, and whether the answer is right ---- */

static struct bus_request pick_request(struct run *r)
{
    static const uint8_t functions[] = { 1, 3, 3, 3, 3, 3, 3, 3, 4, 5, 6, 15, 16, 0x2B };
    static const uint16_t counts[] = { 1, 2, 2, 2, 2, 4, 4, 60 };
    struct world *w = &r->world;
    struct bus_request q = {
        .unit = (uint8_t)world_between(w, 1, WORLD_UNITS),
        .function = functions[world_between(w, 0, sizeof functions - 1)],
        .first = (uint16_t)world_between(w, 0, 100),
        .count = counts[world_between(w, 0, sizeof counts / sizeof counts[0] - 1)],
        .timeout_ms = TIMEOUT_MS,
    };

    if (q.function == BUS_WRITE_COIL || q.function == BUS_WRITE_REGISTER ||
        q.function == BUS_IDENTIFY)
        q.count = 1;
    if (q.function <= BUS_READ_DISCRETE)
        q.count = 60;
    if (q.function == BUS_IDENTIFY)
        q.first %= 4;
    if (adu_is_write(q.function)) {
        q.first %= 4;
        q.words = r->words;
    }
    return q;
}

static bool is_right(const struct run *r, const struct bus_request *q)
{
    const struct bus_reply *a = &r->reply;
    int64_t serial = r->world.serial;

    if (r->taken != serial)
        return false;
    if (a->outcome == BUS_EXCEPTION)
        return a->exception == 2;
    if (q->function == BUS_IDENTIFY)
        return get_be16((const uint8_t *)a->text) ==
               (world_value(q->unit, (uint8_t)q->first, serial) | 0x0101);
    if (adu_is_write(q->function))
        return r->world.unit[q->unit].executed == serial;
    for (uint16_t i = 0; i < q->count; i++) {
        uint16_t v = world_value(q->unit, (uint16_t)(q->first + i), serial);
        if (q->function <= BUS_READ_DISCRETE) {
            v = world_value(q->unit, (uint16_t)(q->first + i / 16), serial);
            v = (i / 8 % 2 ? v : v >> 8) >> i % 8 & 1;
        }
        if (a->words[i] != v)
            return false;
    }
    return true;
}

static void judge(struct run *r, const struct bus_request *q)
{
    bool is_taken = r->reply.outcome == BUS_OK || r->reply.outcome == BUS_EXCEPTION;

    r->asked++;
    r->ok += r->reply.outcome == BUS_OK;
    r->refused += r->reply.outcome == BUS_EXCEPTION;
    r->silent += r->reply.outcome == BUS_NO_ANSWER;
    r->bad += r->reply.outcome == BUS_BAD_FRAME;
    if (!is_taken || is_right(r, q))
        return;
    /* Of this very request, but not what the unit has sent, or not to what it was sent. */
    if (r->taken == r->world.serial)
        r->wrong_noise++;
    else
        r->wrong++;
}

static void run_line(struct run *r, const struct world_habits *h, uint64_t seed, long n,
                     bool is_protected)
{
    world_init(&r->world, h, seed);
    memset(r->quiet_us, 0, sizeof r->quiet_us);
    if (is_protected)
        create_master(r);
    for (long i = 0; i < n;) {
        struct bus_request q = pick_request(r);
        bool is_patient = world_share(&r->world) < 0.7;
        if (is_patient && r->world.now_us < r->quiet_us[q.unit]) {
            if (r->master)
                let_pass(r, 5000);
            else
                r->world.now_us += 5000;
            continue;
        }
        if (r->master)
            transact(r, &q);
        else
            transact_naively(r, &q);
        judge(r, &q);
        r->quiet_us[q.unit] = r->world.now_us + r->reply.quiet_ms * 1000;
        i++;
    }
    assert_int_equal(r->world.dropped, 0);
    r->bound += (double)r->world.damaged / 65536;
}

static void run_protected(struct run *r, const struct world_habits *h, uint64_t seed, long n)
{
    memset(r, 0, sizeof *r);
    for (long done = 0; done < n; done += LINE_TRANSACTIONS) {
        long now = n - done < LINE_TRANSACTIONS ? n - done : LINE_TRANSACTIONS;
        run_line(r, h, seed + (uint64_t)done, now, true);
        rtu_master_destroy(r->master);
    }
}

static void report(const char *what, const struct run *r)
{
    print_message("%s: %ld transactions, %ld ok, %ld exceptions, %ld without answer, %ld bad; "
                  "frames: %ld late, %ld foreign, %ld damaged; wrong: %ld late or foreign, %ld "
                  "by noise (CRC-16 bound %.2f)\n",
                  what, r->asked, r->ok, r->refused, r->silent, r->bad, r->late, r->foreign,
                  r->damaged, r->wrong, r->wrong_noise, r->bound);
}

static const struct scenario {
    const char *what;
    struct world_habits habits;
    double ok_min; /* share of all */
} scenarios[] = {
    { "late", { .late = 0.1, .silent = 0.01 }, 0.5 },
    { "late, silent, refusing, short, long, repeated",
      { .late = 0.05,
        .silent = 0.05,
        .refuse = 0.05,
        .shortened = 0.03,
        .lengthened = 0.03,
        .twice = 0.05 },
      0.4 },
    { "foreign", { .late = 0.02, .foreign = 0.5, .has_shared_units = true }, 0.3 },
    { "noise of 0.1 % of bytes", { .noise = 0.001 }, 0.9 },
    { "noise of 2 % of bytes", { .noise = 0.02, .refuse = 0.05 }, 0.3 },
    { "echo", { .late = 0.03, .refuse = 0.03, .has_echo = true }, 0.5 },
    { "everything",
      { .late = 0.03,
        .silent = 0.03,
        .refuse = 0.03,
        .shortened = 0.02,
        .lengthened = 0.02,
        .twice = 0.02,
        .noise = 0.005,
        .foreign = 0.2 },
      0.2 },
};
enum { SCENARIOS_N = sizeof scenarios / sizeof scenarios[0] };

static long transactions(void)
{
    const char *text = getenv("SLUICE_TRANSACTIONS");

    return text ? strtol(text, NULL, 10) : TRANSACTIONS;
}

static void takes_no_wrong_answer_on_a_hostile_line(void **state)
{
    struct run *r = malloc(sizeof *r);
    long n = transactions() / SCENARIOS_N + 1, wrong_noise = 0, asked = 0, wrong = 0;
    double bound = 0;

    (void)state;
    assert_non_null(r);
    for (size_t i = 0; i < SCENARIOS_N; i++) {
        run_protected(r, &scenarios[i].habits, 1000000u * (i + 1), n);
        report(scenarios[i].what, r);
        wrong += r->wrong;
        wrong_noise += r->wrong_noise;
        bound += r->bound;
        asked += r->asked;
        assert_true((double)r->ok >= scenarios[i].ok_min * (double)r->asked);
    }
    print_message("%ld transactions: %ld wrong by late or foreign answers, %ld by noise, bound "
                  "%.2f\n",
                  asked, wrong, wrong_noise, bound);
    assert_int_equal(wrong, 0);
    assert_true((double)wrong_noise <= bound);
    free(r);
}

/* ---- single cases ---- */

static const struct bus_request two_words = {
    .unit = 1, .function = BUS_READ_HOLDING, .first = 10, .count = 2, .timeout_ms = TIMEOUT_MS
};

static struct run *quiet_line(const struct world_habits *h)
{
    struct run *r = calloc(1, sizeof *r);

    assert_non_null(r);
    world_init(&r->world, h, 1);
    create_master(r);
    return r;
}

static void destroy_line(struct run *r)
{
    rtu_master_destroy(r->master);
    free(r);
}

static enum bus_outcome ask(struct run *r, const struct bus_request *q)
{
    transact(r, q);
    judge(r, q);
    return r->reply.outcome;
}

/* However long it was away, and whatever it was asked meanwhile. */
static void believes_a_unit_that_comes_back_at_once(void **state)
{
    for (int lost = 1; lost <= 200; lost += lost < 20 ? 1 : 30) {
        struct run *r = quiet_line(&(struct world_habits){ .silent = 1 });
        for (int i = 0; i < lost; i++) {
            struct bus_request q = pick_request(r);
            q.unit = 1;
            assert_int_equal(ask(r, i % 3 == 0 ? &two_words : &q), BUS_NO_ANSWER);
        }
        r->world.habit.silent = 0;
        assert_int_equal(ask(r, &two_words), BUS_OK);
        assert_int_equal(r->wrong, 0);
        destroy_line(r);
    }
    (void)state;
}

/* All that it ever says are exceptions: they are believed again after a lost answer. */
static void believes_exceptions_again(void **state)
{
    struct run *r = quiet_line(&(struct world_habits){ .refuse = 1, .silent = 1 });
    int tries = 1;

    (void)state;
    assert_int_equal(ask(r, &two_words), BUS_NO_ANSWER);
    r->world.habit.silent = 0;
    while (ask(r, &two_words) != BUS_EXCEPTION)
        assert_true(++tries <= 3);
    assert_int_equal(r->wrong, 0);
    destroy_line(r);
}

static void keeps_the_pause_that_a_request_wants(void **state)
{
    struct run *r = quiet_line(&(struct world_habits){ 0 });
    struct bus_request q = two_words;

    (void)state;
    assert_int_equal(ask(r, &q), BUS_OK);
    int64_t start_us = r->world.now_us;
    q.pause_ms = 300;
    assert_int_equal(ask(r, &q), BUS_OK);
    assert_in_range(r->world.now_us - start_us, 300000, 300000 + TIMEOUT_MS * 1000);
    destroy_line(r);
}

static void ends_with_no_link_when_the_line_goes(void **state)
{
    struct run *r = quiet_line(&(struct world_habits){ .silent = 1 });
    struct rtu_step step;

    (void)state;
    assert_int_equal(rtu_master_ask(r->master, &two_words, r->world.now_us), 0);
    assert_int_equal(rtu_master_ask(r->master, &two_words, r->world.now_us), -EBUSY);
    rtu_master_lose(r->master, r->world.now_us);
    assert_int_equal(rtu_master_next(r->master, r->world.now_us, &step), RTU_DONE);
    assert_int_equal(step.reply.outcome, BUS_NO_LINK);
    assert_int_equal(rtu_master_next(r->master, r->world.now_us, &step), RTU_WAIT);
    destroy_line(r);
}

static void would_see_wrong_answers(void **state)
{
    struct run *r = calloc(1, sizeof *r);

    (void)state;
    assert_non_null(r);
    for (size_t i = 0; i < 3; i++) {
        memset(r, 0, sizeof *r);
        run_line(r, &scenarios[i].habits, 1, LINE_TRANSACTIONS, false);
        report("naive master", r);
        assert_true(r->wrong > 0);
    }
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_no_wrong_answer_on_a_hostile_line),
        cmocka_unit_test(believes_a_unit_that_comes_back_at_once),
        cmocka_unit_test(believes_exceptions_again),
        cmocka_unit_test(keeps_the_pause_that_a_request_wants),
        cmocka_unit_test(ends_with_no_link_when_the_line_goes),
        cmocka_unit_test(would_see_wrong_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
