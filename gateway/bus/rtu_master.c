/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/rtu_master.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/bus/modbus_frame.h"
#include "gateway/bus/rtu_open.h"
#include "gateway/bus/rtu_short.h"

enum {
    UNITS = 256,
    QUIET_TIMEOUTS = 2, /* quiet after a timeout: the larger of these multiples */
    QUIET_ANSWERS = 3,
    QUIET_MAX_US = 10000000, /* more would lose samples and win nothing: order protects alone */
    RADIO_QUIET_US = 3000000, /* with a modem at least: it may hold a packet back for 2 s until
                               * the channel is free, and send it again for as long */
    SLOW_FADE = 64,           /* a slow day is forgotten after some hundred answers */
    INPUT_MAX = 2 * ADU_RTU_MAX,
    SHORT_READS_MAX = 2,   /* of a transaction: one finds the unit back, one proves the rest */
    FORGET_US = 300000000, /* no answer is so late: who buffers, buffers seconds */
    GLITCH_MAX = 2,        /* bytes that a transceiver makes up as it begins to send */
    COPIES_MAX = 4,        /* answers of a unit that the radio may bring once more */
};

struct answered {
    uint64_t key;
    int64_t at_us;
};

struct unit {
    struct rtu_open open;
    int64_t quiet_us;   /* not to be asked before */
    int64_t slowest_us; /* answer so far, late ones too; fades */
    struct rtu_knowledge knowledge;

    /* with a modem */
    struct lora_rtt rtt;
    struct answered answered[COPIES_MAX]; /* lately */
    size_t answered_at;                   /* the next one's place */
};

enum phase { PHASE_IDLE, PHASE_SETTLE, PHASE_SEND, PHASE_READ, PHASE_DONE };
enum echo { ECHO_UNKNOWN, ECHO_NO, ECHO_YES };

struct rtu_master {
    struct rtu_options opt;
    enum phase phase;
    enum echo echo;
    bool is_echo_told;
    struct bus_request request; /* of the caller */
    struct bus_request current; /* the same, or the short read that goes first */
    bool is_short_read;
    int short_reads;   /* in this transaction */
    struct unit *unit; /* of both */

    /* the exchange under way */
    int64_t pause_us, give_up_us, deadline_us, echo_until_us;
    int64_t timeout_us;
    bool must_drain; /* with a modem: more may come than was asked for */
    uint8_t sent[ADU_RTU_MAX];
    size_t sent_n;
    bool may_echo;   /* what was sent has not come back yet */
    bool has_noise;  /* something came that was not the answer */
    bool is_strange; /* what is in the buffer does not begin like the answer */

    struct adu_content content;
    enum bus_outcome outcome;
    bool was_asked;   /* since the transaction began */
    int64_t asked_us; /* the last request; never twice the same */
    int64_t last_us;  /* last byte that came in or went out */
    int64_t now_us;
    size_t n;
    uint8_t in[INPUT_MAX];
    struct unit *units[UNITS]; /* NULL: never asked */
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void show(struct rtu_master *m, enum bus_fate fate, uint8_t unit, const uint8_t *p,
                 size_t n)
{
    const struct bus_frame f = {
        .fate = fate,
        .unit = unit,
        .since_us = m->asked_us ? larger(m->now_us - m->asked_us, 0) : -1,
        .bytes = p,
        .n = n,
    };

    if (m->opt.on_frame)
        m->opt.on_frame(m->opt.user, &f);
}

/* ---- the radio ---- */

static bool has_modem(const struct rtu_master *m)
{
    return m->opt.modem.packet > 0;
}

static struct lora_exchange exchange_of(const struct rtu_master *m)
{
    return lora_exchange_of(&m->opt.modem, m->opt.char_us, m->sent_n,
                            adu_rtu_answer_size(&m->current));
}

/* How long the answer to the request at hand is waited for. */
static int64_t timeout_of(const struct rtu_master *m)
{
    if (!has_modem(m))
        return m->current.timeout_ms * 1000;
    const struct lora_exchange x = exchange_of(m);
    return lora_rtt_timeout_us(&m->unit->rtt, &x);
}

static void learn_answer(struct rtu_master *m)
{
    const struct lora_exchange x = exchange_of(m);
    struct unit *u = m->unit;

    lora_rtt_answered(&u->rtt, &x, m->now_us - m->asked_us);
    u->answered[u->answered_at] = (struct answered){ adu_key(&m->current), m->now_us };
    u->answered_at = (u->answered_at + 1) % COPIES_MAX;
}

/* Modems and repeaters send twice what they hold for lost: until when an answer that was had
 * already could be taken for the one to this request. */
static int64_t copies_until(const struct rtu_master *m, const struct bus_request *r)
{
    int64_t until_us = 0;

    if (!has_modem(m))
        return 0;
    int64_t copy_us = lora_copy_us(&m->opt.modem, adu_rtu_answer_size(r));
    for (size_t i = 0; i < COPIES_MAX; i++) {
        const struct answered *a = &m->unit->answered[i];
        if (a->key == adu_key(r))
            until_us = larger(until_us, a->at_us + copy_us);
    }
    return until_us;
}

/* ---- what nobody asked for ---- */

static void drop_front(struct rtu_master *m, size_t n)
{
    m->n -= n;
    memmove(m->in, m->in + n, m->n);
}

/* Another master's request amid noise: its answer would look like one to us. */
static void note_hidden_requests(struct rtu_master *m, size_t n)
{
    for (size_t at = 0; at + ADU_RTU_EXCEPTION <= n; at++) {
        const uint8_t *p = m->in + at;
        struct unit *u = m->units[p[0]];
        size_t length = u ? adu_rtu_any(p, n - at) : 0;
        uint64_t asks = length ? adu_rtu_asks(p, length) : 0;
        if (asks)
            rtu_open_add(&u->open, asks, m->now_us, true);
    }
}

static void drop_noise(struct rtu_master *m, size_t n)
{
    note_hidden_requests(m, n);
    for (size_t at = 0, part; at < n; at += part) {
        part = n - at < ADU_RTU_MAX ? n - at : ADU_RTU_MAX;
        show(m, BUS_DAMAGED, m->current.unit, m->in + at, part);
    }
    drop_front(m, n);
}

static bool is_refusal_open(struct rtu_open *o, const uint8_t *p, size_t n)
{
    return adu_rtu_is_exception(p, n) && rtu_open_has_function(o, p[1] & 0x7F);
}

/* Karn's rule holds: no other request could have brought this answer of n bytes. */
static void learn_late(const struct rtu_master *m, struct unit *u, size_t n, int64_t took_us)
{
    const struct lora_exchange x =
        lora_exchange_of(&m->opt.modem, m->opt.char_us, ADU_RTU_REQUEST, n);

    lora_rtt_answered(&u->rtt, &x, took_us);
}

static void note_late(struct rtu_master *m, struct unit *u, uint8_t id,
                      const struct rtu_open_answer *a, size_t n)
{
    bool is_known = a && a->first_us == a->last_us;
    int64_t took_us = is_known ? m->now_us - a->first_us : -1;

    u->slowest_us = larger(u->slowest_us, took_us);
    if (is_known && has_modem(m))
        learn_late(m, u, n, took_us);
    m->opt.on_late(m->opt.user, id, took_us);
}

/* A sound frame that answers nothing under way: late, or of another master's dialogue. Its
 * request tells what answer will come. */
static void note_stray(struct rtu_master *m, const uint8_t *p, size_t n)
{
    struct unit *u = m->units[p[0]];
    uint64_t asks = adu_rtu_asks(p, n);
    struct rtu_open_answer *a = u ? rtu_open_find(&u->open, adu_rtu_key(p, n)) : NULL;
    bool is_late = u && ((a && !a->is_foreign) || is_refusal_open(&u->open, p, n));

    show(m, is_late ? BUS_LATE : BUS_FOREIGN, p[0], p, n);
    if (is_late)
        note_late(m, u, p[0], a, n);
    else if (a)
        rtu_open_foreign_answered(&u->open, a);
    else if (u && asks)
        rtu_open_add(&u->open, asks, m->now_us, true);
}

static void take_strays(struct rtu_master *m)
{
    for (size_t used; (used = adu_rtu_any(m->in, m->n)) > 0; drop_front(m, used))
        note_stray(m, m->in, used);
}

/* ---- a transaction ---- */

static void finish(struct rtu_master *m, enum bus_outcome outcome)
{
    m->outcome = outcome;
    m->phase = PHASE_DONE;
}

/* What is sent would pass for its own answer, as an adapter may hand it back. */
static bool is_its_own_answer(const struct bus_request *r)
{
    uint8_t adu[ADU_RTU_MAX];
    struct adu_content c;
    size_t used, n = adu_rtu_build(r, adu);

    return adu_rtu_check(r, adu, n, &used, &c) == ADU_ANSWER;
}

/* Whether an answer to the request could be mistaken as things are. */
static bool needs_short_read(struct rtu_master *m)
{
    struct rtu_open *o = &m->unit->open;

    return rtu_open_find(o, adu_key(&m->request)) || o->n >= RTU_OPEN_MAX - RTU_OPEN_SPARE ||
           (m->echo == ECHO_UNKNOWN && is_its_own_answer(&m->request));
}

static void begin_exchange(struct rtu_master *m)
{
    m->is_short_read = false;
    m->current = m->request;
    m->pause_us = larger(m->opt.gap_us, m->request.pause_ms * 1000);
    if (m->must_drain)
        m->pause_us = larger(m->pause_us, lora_drain_us(&m->opt.modem));
    m->give_up_us = m->now_us + m->pause_us +
                    (has_modem(m) ? LORA_TIMEOUT_MAX_US : m->request.timeout_ms * 1000);
    m->phase = PHASE_SETTLE;
}

/* The line is silent: what came until then has told what is outstanding. */
static void choose_request(struct rtu_master *m)
{
    rtu_open_forget(&m->unit->open, m->now_us - FORGET_US);
    m->is_short_read = needs_short_read(m);
    if (m->is_short_read && m->short_reads++ == SHORT_READS_MAX) {
        finish(m, BUS_BAD_FRAME);
        return;
    }
    if (m->is_short_read &&
        !rtu_short_read(&m->unit->open, &m->request, m->unit->knowledge, &m->current)) {
        finish(m, BUS_BAD_FRAME);
        return;
    }
    m->sent_n = adu_rtu_build(&m->current, m->sent);
    m->phase = PHASE_SEND;
}

static void note_answer_time(struct rtu_master *m)
{
    struct unit *u = m->unit;

    u->slowest_us -= u->slowest_us / SLOW_FADE;
    u->slowest_us = larger(u->slowest_us, m->now_us - m->asked_us);
    if (has_modem(m))
        learn_answer(m);
}

static void leave_alone(struct rtu_master *m)
{
    struct unit *u = m->unit;
    int64_t quiet_us = larger(m->timeout_us * QUIET_TIMEOUTS, u->slowest_us * QUIET_ANSWERS);
    int64_t most_us = has_modem(m) ? LORA_TIMEOUT_MAX_US : QUIET_MAX_US;

    if (has_modem(m))
        quiet_us = larger(quiet_us, RADIO_QUIET_US);
    u->quiet_us = m->now_us + (quiet_us < most_us ? quiet_us : most_us);
    lora_rtt_missed(&u->rtt);
    m->must_drain = has_modem(m);
    u->knowledge.is_heard = false;
    u->knowledge.has_doubt = false; /* the other function may be one that it never answers */
}

static void on_answer(struct rtu_master *m)
{
    bool is_certain = rtu_open_answered(&m->unit->open, adu_key(&m->current));

    m->must_drain = false;
    note_answer_time(m);
    if (is_certain)
        m->unit->knowledge.has_doubt = false;
    m->unit->knowledge.is_heard = true;
    if (m->is_short_read)
        begin_exchange(m);
    else
        finish(m, is_certain ? BUS_OK : BUS_BAD_FRAME); /* another master asked the same */
}

/* An exception has no length of its own: while other answers to this function are outstanding
 * it may belong to them. */
static void on_exception(struct rtu_master *m)
{
    struct unit *u = m->unit;
    bool is_certain = rtu_open_refused(&u->open, m->current.function, m->asked_us);

    u->knowledge.has_doubt = !is_certain;
    if (is_certain)
        note_answer_time(m);
    else
        u->quiet_us = m->now_us + m->timeout_us;
    u->knowledge.is_heard = true;
    m->must_drain = has_modem(m); /* a copy of it would refuse the next request, too */
    if (m->is_short_read)
        begin_exchange(m);
    else
        finish(m, is_certain ? BUS_EXCEPTION : BUS_BAD_FRAME);
}

/* ---- reading ---- */

/* What was sent comes back, or has begun to: at once, or it is another master asking the same.
 */
static bool is_echo_so_far(const struct rtu_master *m)
{
    size_t n = m->n < m->sent_n ? m->n : m->sent_n;

    return m->may_echo && m->now_us <= m->echo_until_us && memcmp(m->in, m->sent, n) == 0;
}

/* The request itself. One that would be its own answer counts so only where that is known. */
static bool take_echo(struct rtu_master *m)
{
    if (m->n < m->sent_n || !is_echo_so_far(m))
        return false;
    if (m->echo != ECHO_YES && is_its_own_answer(&m->current))
        return false;
    if (m->echo == ECHO_NO) {
        m->echo = ECHO_UNKNOWN; /* not to be believed this time */
        return false;
    }
    if (!m->is_echo_told && m->opt.on_echo)
        m->opt.on_echo(m->opt.user);
    m->is_echo_told = true;
    m->echo = ECHO_YES;
    m->may_echo = false;
    drop_front(m, m->sent_n);
    return true;
}

static void end_exchange(struct rtu_master *m, enum adu_verdict v, size_t used)
{
    show(m, v == ADU_ANSWER ? BUS_TAKEN : BUS_REFUSED, m->in[0], m->in, used);
    drop_front(m, used);
    if (m->may_echo && m->echo == ECHO_UNKNOWN)
        m->echo = ECHO_NO; /* one echo lost among noise proves nothing */
    if (v == ADU_ANSWER)
        on_answer(m);
    else
        on_exception(m);
}

/* Judges what is at the front. False: more must come first. */
static bool judge(struct rtu_master *m)
{
    size_t used;

    if (take_echo(m))
        return true;
    bool is_own = m->in[0] == m->current.unit;
    enum adu_verdict v = adu_rtu_check(&m->current, m->in, m->n, &used, &m->content);
    if (v == ADU_DAMAGED && m->n < m->sent_n && is_echo_so_far(m))
        v = ADU_STRANGE;
    m->is_strange = v == ADU_STRANGE;
    if (v == ADU_MORE || v == ADU_STRANGE)
        return false;
    if (v == ADU_ANSWER || v == ADU_EXCEPTION) {
        end_exchange(m, v, used);
        return true;
    }
    m->has_noise = true;
    if (v == ADU_FOREIGN) {
        note_stray(m, m->in, used);
        drop_front(m, used);
        return true;
    }
    drop_noise(m, used);
    if (is_own)
        finish(m, BUS_BAD_FRAME);
    return true;
}

static void judge_all(struct rtu_master *m)
{
    m->is_strange = false;
    while (m->phase == PHASE_READ && m->n > 0) {
        if (!judge(m))
            return;
    }
}

/* Bytes while the request is still leaving are never part of its answer: a glitch of the
 * transceiver, or somebody else who is speaking, and then this exchange is spoiled. */
static void take_early(struct rtu_master *m)
{
    size_t n = m->n;

    if (is_echo_so_far(m))
        return;
    drop_noise(m, n);
    if (n > GLITCH_MAX)
        finish(m, BUS_BAD_FRAME);
}

void rtu_master_take(struct rtu_master *m, const uint8_t *p, size_t n, bool is_leaving,
                     int64_t now_us)
{
    m->now_us = m->last_us = now_us;
    for (size_t at = 0, part; at < n; at += part) {
        if (m->n == sizeof m->in)
            drop_noise(m, m->n); /* babble: no frame is that long */
        part = n - at < sizeof m->in - m->n ? n - at : sizeof m->in - m->n;
        memcpy(m->in + m->n, p + at, part);
        m->n += part;
        if (m->phase == PHASE_READ && is_leaving)
            take_early(m);
        if (m->phase == PHASE_READ)
            judge_all(m);
        if (m->phase != PHASE_READ)
            take_strays(m);
    }
}

/* ---- what to do next ---- */

static enum rtu_need wait_until(struct rtu_step *ret, int64_t until_us)
{
    ret->until_us = until_us;
    return RTU_WAIT;
}

/* A strange beginning followed by silence was noise: what comes next is a frame of its own. */
static void end_strange(struct rtu_master *m)
{
    bool is_reading = m->phase == PHASE_READ;

    if (m->n == 0 || m->now_us < m->last_us + m->opt.strange_us ||
        (is_reading && !m->is_strange))
        return;
    drop_noise(m, m->n);
    m->is_strange = false;
    m->has_noise = true;
}

static enum rtu_need idle(const struct rtu_master *m, struct rtu_step *ret)
{
    return wait_until(ret, m->n > 0 ? m->last_us + m->opt.strange_us : INT64_MAX);
}

static enum rtu_need settle(struct rtu_master *m, struct rtu_step *ret)
{
    int64_t silent_us = m->last_us + m->pause_us, quiet_us = m->unit->quiet_us;

    if (m->now_us < larger(silent_us, quiet_us)) {
        if (m->now_us < larger(m->give_up_us, quiet_us))
            return wait_until(ret, larger(silent_us, quiet_us));
        finish(m, BUS_BAD_FRAME); /* never silent */
        return RTU_DONE;
    }
    drop_noise(m, m->n);
    choose_request(m);
    if (m->phase == PHASE_SEND && m->now_us < copies_until(m, &m->current)) {
        m->phase = PHASE_SETTLE;
        m->short_reads -= m->is_short_read;
        return wait_until(ret, copies_until(m, &m->current));
    }
    return RTU_SEND;
}

static enum rtu_need read_on(struct rtu_master *m, struct rtu_step *ret)
{
    int64_t silent_us = m->last_us + m->opt.strange_us;

    if (m->now_us >= m->deadline_us) {
        leave_alone(m);
        finish(m, m->has_noise || m->n > 0 ? BUS_BAD_FRAME : BUS_NO_ANSWER);
        return RTU_DONE;
    }
    return wait_until(ret,
                      m->is_strange && silent_us < m->deadline_us ? silent_us : m->deadline_us);
}

static enum rtu_need hand_out(struct rtu_master *m, struct rtu_step *ret)
{
    struct bus_reply *r = &ret->reply;
    int64_t quiet_us = m->unit->quiet_us - m->now_us;

    *r = (struct bus_reply){ .outcome = m->outcome };
    if (m->outcome == BUS_OK || m->outcome == BUS_EXCEPTION)
        adu_fill_reply(m->outcome == BUS_OK ? ADU_ANSWER : ADU_EXCEPTION, &m->content, r);
    r->took_ms = m->was_asked ? (m->now_us - m->asked_us) / 1000 : 0;
    r->quiet_ms = quiet_us > 0 ? (quiet_us + 999) / 1000 : 0;
    m->phase = PHASE_IDLE;
    return RTU_DONE;
}

enum rtu_need rtu_master_next(struct rtu_master *m, int64_t now_us, struct rtu_step *ret)
{
    enum rtu_need need = RTU_DONE;

    m->now_us = now_us;
    end_strange(m);
    if (m->phase == PHASE_IDLE)
        return idle(m, ret);
    if (m->phase == PHASE_SETTLE)
        need = settle(m, ret);
    else if (m->phase == PHASE_READ)
        need = read_on(m, ret);
    if (m->phase == PHASE_DONE)
        return hand_out(m, ret);
    if (m->phase == PHASE_SEND) {
        ret->bytes = m->sent;
        ret->n = m->sent_n;
        return RTU_SEND;
    }
    return need;
}

/* ---- life ---- */

void rtu_master_sent(struct rtu_master *m, int64_t now_us)
{
    int64_t wire_us = (int64_t)m->sent_n * m->opt.char_us;

    m->now_us = now_us;
    m->asked_us = larger(now_us, m->asked_us + 1);
    m->was_asked = true;
    m->last_us = now_us + wire_us;
    m->echo_until_us = m->last_us + m->opt.strange_us;
    m->timeout_us = timeout_of(m);
    m->deadline_us = (has_modem(m) ? m->asked_us : m->last_us) + m->timeout_us;
    m->has_noise = m->is_strange = false;
    m->may_echo = true;
    m->phase = PHASE_READ;
    rtu_open_add(&m->unit->open, adu_key(&m->current), m->asked_us, false);
    show(m, BUS_SENT, m->current.unit, m->sent, m->sent_n);
}

int rtu_master_ask(struct rtu_master *m, const struct bus_request *r, int64_t now_us)
{
    struct unit **u = &m->units[r->unit];

    if (m->phase != PHASE_IDLE)
        return -EBUSY;
    if (!*u && !(*u = calloc(1, sizeof **u)))
        return -ENOMEM;
    m->now_us = now_us;
    m->unit = *u;
    m->request = *r;
    m->was_asked = false;
    m->short_reads = 0;
    begin_exchange(m);
    return 0;
}

void rtu_master_open(struct rtu_master *m, int64_t now_us)
{
    m->now_us = m->last_us = now_us;
    m->n = 0;
    m->is_strange = false;
    m->echo = ECHO_UNKNOWN; /* it may be another adapter */
}

void rtu_master_lose(struct rtu_master *m, int64_t now_us)
{
    rtu_master_open(m, now_us);
    if (m->phase != PHASE_IDLE)
        finish(m, BUS_NO_LINK);
}

int rtu_master_create(const struct rtu_options *o, struct rtu_master **ret)
{
    struct rtu_master *m = calloc(1, sizeof *m);

    if (!m)
        return -ENOMEM;
    m->opt = *o;
    *ret = m;
    return 0;
}

void rtu_master_destroy(struct rtu_master *m)
{
    for (size_t i = 0; m && i < UNITS; i++)
        free(m->units[i]);
    free(m);
}
