/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/bus/modbus_frame.h"
#include "gateway/conf/profile_load.h"
#include "gateway/survey/stanza.h"
#include "gateway/survey/steps.h"
#include "gateway/survey/survey.h"
#include "sensors/core/bytes.h"

/* ---- a small library ---- */

#define PROFILE(id_, unit_, rest_) \
    "profile: 1\nid: " id_ "\nnames: {en: One, zh: 一号}\nvendor: V\nmodels: [M]\n" \
    "medium: weather\nverified: datasheet\nsources: [\"none\"]\n" \
    "bus: {transports: [rtu, tcp], doc_base: 0, order: ABCD, serial: " unit_ "}\n" rest_

#define TEMPERATURE(at_) \
    "points:\n  - {id: air_temp, at: " at_ ", type: s16, scale: 0.1, unit: Cel, " \
    "quantity: air_temp, range: [-40, 60]}\n"

static const char *const library[] = {
    PROFILE("v-named", "{baud: 9600, format: 8N1, unit: 7}",
            "identify:\n  - {need: true, at: \"h:100\", type: u16, equals: 77}\n" TEMPERATURE(
                "h:0")),
    PROFILE("v-plain", "{baud: 4800, format: 8N1, unit: 1}", TEMPERATURE("h:0")),
    PROFILE("v-far", "{baud: 9600, format: 8N1, unit: 9}", TEMPERATURE("h:500")),
};

enum { LIBRARY_N = sizeof library / sizeof library[0] };

static struct profile *profiles[LIBRARY_N];

static int load_library(void **state)
{
    struct diag *d;

    (void)state;
    if (diag_create(&d) != 0)
        return -1;
    for (size_t i = 0; i < LIBRARY_N; i++) {
        profiles[i] = profile_load_text("test", library[i], strlen(library[i]), d);
        if (!profiles[i]) {
            diag_print(d, stderr);
            return -1;
        }
    }
    diag_destroy(d);
    return 0;
}

static int unload_library(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIBRARY_N; i++)
        profile_destroy(profiles[i]);
    return 0;
}

static const struct profile *const *all(void)
{
    return (const struct profile *const *)profiles;
}

/* ---- order ---- */

static const struct survey_setting settings[] = { { 4800, 'N', 8, 1 }, { 9600, 'N', 8, 1 } };

static struct survey_options serial_options(const uint8_t *list, size_t n)
{
    return (struct survey_options){
        .place = { .type = BUS_MODBUS_RTU, .device = "/dev/null" },
        .settings = settings,
        .settings_n = 2,
        .units = list,
        .units_n = n,
        .profiles = all(),
        .profiles_n = LIBRARY_N,
    };
}

static void begins_with_the_factory_settings_of_every_speed(void **state)
{
    uint8_t list[20];
    struct survey_step *steps;
    size_t n;

    (void)state;
    for (uint8_t i = 0; i < 20; i++)
        list[i] = (uint8_t)(i + 1);
    const struct survey_options o = serial_options(list, 20);
    assert_int_equal(survey_plan(&o, &steps, &n), 0);
    assert_int_equal(steps[0].setting, 0);
    assert_int_equal(steps[0].unit, 1); /* of v-plain */
    assert_int_equal(steps[1].question, 1);
    assert_int_equal(steps[2].setting, 1);
    assert_int_equal(steps[2].unit, 7);
    assert_int_equal(steps[3].unit, 9);
    assert_true(steps[3].is_likely);
    while (steps[n - 1].question > 0)
        n--;
    assert_false(steps[n - 1].is_likely);
    free(steps);
}

static void asks_every_unit_at_every_setting_once(void **state)
{
    uint8_t list[247];
    struct survey_step *steps;
    size_t n, count[2][256] = { { 0 } };

    (void)state;
    for (int i = 0; i < 247; i++)
        list[i] = (uint8_t)(i + 1);
    const struct survey_options o = serial_options(list, 247);
    assert_int_equal(survey_plan(&o, &steps, &n), 0);
    for (size_t i = 0; i < n; i++)
        count[steps[i].setting][steps[i].unit] += steps[i].question == 0;
    for (int s = 0; s < 2; s++) {
        for (int u = 1; u <= 247; u++)
            assert_int_equal(count[s][u], 1);
    }
    free(steps);
}

static void asks_instruments_silent_on_strange_registers_for_their_own(void **state)
{
    const uint8_t nine = 9;
    const struct survey_options o = serial_options(&nine, 1);
    const struct survey_step step = { .setting = 1, .unit = 9, .is_likely = true };
    struct survey_read q[SURVEY_QUESTIONS_MAX];

    (void)state;
    size_t n = survey_questions(&o, &step, q);
    assert_int_equal(n, 3);
    assert_int_equal(q[0].function, BUS_READ_HOLDING);
    assert_int_equal(q[1].function, BUS_READ_INPUT);
    assert_int_equal(q[2].first, 500);
}

static void takes_the_commonest_settings_of_the_library_first(void **state)
{
    struct survey_setting s[SURVEY_SETTINGS_MAX];
    char text[SURVEY_SETTING_TEXT];

    (void)state;
    size_t n = survey_settings(all(), LIBRARY_N, s);
    assert_true(n > 4);
    assert_string_equal(survey_setting_text(&s[0], text), "9600 8N1");
    assert_string_equal(survey_setting_text(&s[1], text), "4800 8N1");
}

static void counts_the_time_on_the_wire(void **state)
{
    (void)state;
    assert_int_equal(survey_wire_ms(&settings[1], 8), 9); /* 80 bits at 9600 */
    assert_int_equal(survey_wire_ms(&(struct survey_setting){ 0 }, 8), 0);
}

/* ---- match ---- */

struct memory { /* of a device: registers h:first.. */
    uint16_t first, count;
    uint16_t words[8];
};

/* Answers what match asks, from one block; everything else is refused, or not answered. */
static size_t converse(struct match *m, const struct memory *mem, enum bus_outcome other)
{
    struct bus_request q;
    size_t n = 0;

    while (match_next(m, &q)) {
        struct bus_reply r = { .outcome = other, .exception = 2 };
        bool is_inside = q.function == BUS_READ_HOLDING && q.first >= mem->first &&
                         q.first + q.count <= mem->first + mem->count;
        if (is_inside) {
            r.outcome = BUS_OK;
            r.n = q.count;
            memcpy(r.words, mem->words + (q.first - mem->first), q.count * sizeof r.words[0]);
        }
        assert_int_equal(match_take(m, &q, &r), 0);
        assert_true(++n <= MATCH_FACTS_MAX);
    }
    return n;
}

static void matches_by_the_identification_register(void **state)
{
    struct match m;
    struct match_candidate best[MATCH_BEST];
    const struct memory mem = { 100, 1, { 77 } };

    (void)state;
    match_init(&m, all(), LIBRARY_N);
    m.unit = 3;
    struct bus_request q = { .function = BUS_READ_HOLDING, .first = 0, .count = 1 };
    struct bus_reply r = { .outcome = BUS_OK, .n = 1, .words = { 215 } };
    assert_int_equal(match_take(&m, &q, &r), 0);
    converse(&m, &mem, BUS_EXCEPTION);
    assert_int_equal(match_best(&m, best), 1);
    assert_string_equal(best[0].profile->id, "v-named");
    assert_true(best[0].identity.is_match);
    assert_true(match_is_likely(&best[0]));
    match_done(&m);
}

static void rules_out_a_profile_whose_needed_test_fails(void **state)
{
    struct match m;
    struct match_candidate best[MATCH_BEST];
    const struct memory mem = { 0, 1, { 215 } };

    (void)state;
    match_init(&m, all(), LIBRARY_N);
    converse(&m, &mem, BUS_EXCEPTION);
    assert_int_equal(match_best(&m, best), 1);
    assert_string_equal(best[0].profile->id, "v-plain");
    assert_false(best[0].identity.is_match);
    assert_int_equal(best[0].fitting, 1);
    match_done(&m);
}

static void believes_no_value_outside_its_range(void **state)
{
    struct match m;
    struct match_candidate best[MATCH_BEST];
    const struct memory mem = { 0, 1, { 20000 } };

    (void)state;
    match_init(&m, all(), LIBRARY_N);
    converse(&m, &mem, BUS_EXCEPTION);
    assert_int_equal(match_best(&m, best), 0);
    match_done(&m);
}

static void prefers_what_comes_with_these_settings(void **state)
{
    struct match m;
    struct match_candidate best[MATCH_BEST];
    const struct memory mem = { 0, 1, { 215 } };

    (void)state;
    match_init(&m, all(), LIBRARY_N);
    m.unit = 1;
    m.serial = (struct match_serial){ 4800, "8N1" };
    converse(&m, &mem, BUS_EXCEPTION);
    assert_int_equal(match_best(&m, best), 1);
    assert_true(best[0].is_default);
    match_done(&m);
}

static void gives_up_on_a_device_that_is_silent_on_what_it_does_not_know(void **state)
{
    struct match m;
    const struct memory nothing = { 0, 0, { 0 } };

    (void)state;
    match_init(&m, all(), LIBRARY_N);
    assert_int_equal(converse(&m, &nothing, BUS_NO_ANSWER), MATCH_SILENT_MAX);
    match_done(&m);
}

static void shows_a_product_name_without_control_characters(void **state)
{
    struct match m;
    char text[MATCH_TEXT_MAX];
    struct bus_request q = { .function = BUS_IDENTIFY, .first = 1, .count = 1 };
    struct bus_reply r = { .outcome = BUS_OK };

    (void)state;
    memcpy(r.text, "AQ\033[2J", 7);
    match_init(&m, all(), LIBRARY_N);
    assert_int_equal(match_take(&m, &q, &r), 0);
    match_product(&m, text, sizeof text);
    assert_string_equal(text, "AQ?[2J");
    match_done(&m);
}

/* ---- was the peer as quick as the test wants? ---- */

enum { PATIENCE_MS = 30, PATIENCE_MAX_MS = 10000 };

/* Silence is told from an answer by time alone, and a loaded machine delays a peer's thread as
 * it likes. What both sides saw tells whether it did: then the test is repeated with more
 * patience. */
struct pace {
    int64_t patience_ms;
    _Atomic int64_t sent_ms; /* the survey's last request */
    atomic_int sent, taken, asked, answered;
    atomic_bool is_late;
};

static void pace_begin(struct pace *p, int64_t patience_ms)
{
    p->patience_ms = patience_ms;
    atomic_store(&p->sent_ms, mono_ms());
    atomic_store(&p->sent, 0);
    atomic_store(&p->taken, 0);
    atomic_store(&p->asked, 0);
    atomic_store(&p->answered, 0);
    atomic_store(&p->is_late, false);
}

/* The survey's side. */
static void pace_frame(struct pace *p, enum bus_fate fate)
{
    if (fate == BUS_SENT) {
        atomic_store(&p->sent_ms, mono_ms());
        atomic_fetch_add(&p->sent, 1);
    } else if (fate == BUS_TAKEN || fate == BUS_REFUSED) {
        atomic_fetch_add(&p->taken, 1);
    }
}

/* The peer's side, when it has decided about a request; n: bytes of its answer. The survey may
 * not have noted yet that it was sent: then it has just been. */
static void pace_answer(struct pace *p, size_t n)
{
    int asked = atomic_fetch_add(&p->asked, 1) + 1;
    int sent = atomic_load(&p->sent);

    atomic_fetch_add(&p->answered, n > 0);
    if (sent > asked ||
        (sent == asked && mono_ms() - atomic_load(&p->sent_ms) > p->patience_ms / 2))
        atomic_store(&p->is_late, true);
}

/* After the peer's thread has ended: every request reached it and every answer was in time. */
static bool pace_was_kept(struct pace *p)
{
    return !atomic_load(&p->is_late) && atomic_load(&p->sent) == atomic_load(&p->asked) &&
           atomic_load(&p->taken) == atomic_load(&p->answered);
}

/* ---- the whole, over TCP, against a peer thread ---- */

enum { MBAP = 7, REQUEST = 12, DATA = 1, SILENT = 0, REFUSE_2 = 2, REFUSE_4 = 4, ABSENT = 11 };

struct peer {
    int listener;
    uint16_t port;
    uint8_t answers[256]; /* by unit: DATA, SILENT or an exception code */
    pthread_t thread;
    struct pace pace;
};

static size_t answer(const struct peer *p, const uint8_t *q, uint8_t *a)
{
    uint8_t code = p->answers[q[6]];
    uint16_t first = get_be16(q + 8), count = get_be16(q + 10);

    if (code == SILENT)
        return 0;
    if (q[7] == BUS_IDENTIFY)
        code = code == DATA ? 1 : code;
    memcpy(a, q, 8);
    if (code == DATA && q[7] == BUS_READ_HOLDING && first == 0 && count == 1) {
        memcpy(a + 4, (const uint8_t[]){ 0, 5, q[6], q[7], 2, 0, 215 }, 7);
        return 11;
    }
    if (code == DATA)
        code = REFUSE_2;
    memcpy(a + 4, (const uint8_t[]){ 0, 3, q[6], (uint8_t)(q[7] | 0x80), code }, 5);
    return 9;
}

static void *peer_main(void *arg)
{
    struct peer *p = arg;
    uint8_t q[REQUEST], a[16];

    for (;;) {
        int fd = accept(p->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        for (;;) {
            /* Identification requests are one byte shorter than reads. */
            if (recv(fd, q, MBAP, MSG_WAITALL) != MBAP)
                break;
            size_t rest = (size_t)get_be16(q + 4) - 1;
            if (rest > sizeof q - MBAP ||
                recv(fd, q + MBAP, rest, MSG_WAITALL) != (ssize_t)rest)
                break;
            size_t n = answer(p, q, a);
            pace_answer(&p->pace, n);
            if (n && send(fd, a, n, MSG_NOSIGNAL) != (ssize_t)n)
                break;
        }
        close(fd);
    }
}

/* A port that is the test's alone and accepts no connection yet. */
static void peer_bind(struct peer *p)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof at;

    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&at, &size), 0);
    p->port = ntohs(at.sin_port);
}

static void peer_start(struct peer *p)
{
    peer_bind(p);
    assert_int_equal(listen(p->listener, 4), 0);
    assert_int_equal(pthread_create(&p->thread, NULL, peer_main, p), 0);
}

static void peer_stop(struct peer *p)
{
    shutdown(p->listener, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->listener);
}

enum { DEVICES_KEPT = 8 }; /* devices_n may be more: the tests expect fewer */

struct outcome {
    int rc, hints[4], asked;
    struct pace *pace;
    size_t devices_n;
    struct survey_device devices[DEVICES_KEPT];
    struct survey_progress last;
};

static void on_hint(void *user, enum survey_hint what, const struct survey_setting *s,
                    uint8_t unit)
{
    (void)s, (void)unit;
    ((struct outcome *)user)->hints[what]++;
}

static void on_progress(void *user, const struct survey_progress *p)
{
    ((struct outcome *)user)->last = *p;
}

static void on_frame(void *user, const struct bus_frame *f)
{
    pace_frame(((struct outcome *)user)->pace, f->fate);
}

static void look(struct pace *pace, uint16_t port, const uint8_t *list, size_t n,
                 struct outcome *ret)
{
    static const struct survey_setting none = { 0 };
    uv_loop_t loop;
    struct clock clock;
    struct survey *s;
    const struct survey_device *found;

    *ret = (struct outcome){ .pace = pace };
    clock_init(&clock, 1, 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    const struct survey_options o = {
        .loop = &loop,
        .clock = &clock,
        .place = { .type = BUS_MODBUS_TCP,
                   .host = "127.0.0.1",
                   .port = port,
                   .connect_timeout_ms = 500 },
        .settings = &none,
        .settings_n = 1,
        .units = list,
        .units_n = n,
        .timeout_ms = pace->patience_ms,
        .is_watched = true,
        .profiles = all(),
        .profiles_n = LIBRARY_N,
        .on_hint = on_hint,
        .on_progress = on_progress,
        .on_frame = on_frame,
        .user = ret,
    };
    assert_int_equal(survey_create(&o, &s), 0);
    ret->rc = survey_run(s);
    found = survey_devices(s, &ret->devices_n);
    for (size_t i = 0; i < ret->devices_n && i < DEVICES_KEPT; i++)
        ret->devices[i] = found[i];
    survey_destroy(s);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void look_at(struct peer *p, const uint8_t *list, size_t n, struct outcome *ret)
{
    int64_t patience_ms = PATIENCE_MS;

    do {
        assert_true(patience_ms < PATIENCE_MAX_MS);
        pace_begin(&p->pace, patience_ms);
        peer_start(p);
        look(&p->pace, p->port, list, n, ret);
        peer_stop(p);
        patience_ms *= 2;
    } while (!pace_was_kept(&p->pace));
    ret->asked = atomic_load(&p->pace.asked);
}

static size_t everything(uint8_t list[256])
{
    for (int i = 0; i < 256; i++)
        list[i] = (uint8_t)i;
    return 256;
}

static void finds_the_units_behind_a_gateway(void **state)
{
    struct peer p = { 0 };
    struct outcome o;
    uint8_t list[256];

    (void)state;
    memset(p.answers, ABSENT, sizeof p.answers);
    p.answers[3] = DATA;
    p.answers[171] = REFUSE_2; /* a decoy may be a device */
    look_at(&p, list, everything(list), &o);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.hints[HINT_GATEWAY], 1);
    assert_int_equal(o.devices_n, 2);
    assert_int_equal(o.devices[0].unit, 171);
    assert_int_equal(o.devices[0].outcome, BUS_EXCEPTION);
    assert_int_equal(o.devices[1].unit, 3);
    assert_string_equal(o.devices[1].best[0].profile->id, "v-plain");
    assert_int_equal(o.last.done, 256);
}

static void lists_a_device_that_ignores_the_unit_once(void **state)
{
    struct peer p = { 0 };
    struct outcome o;
    uint8_t list[256];

    (void)state;
    memset(p.answers, DATA, sizeof p.answers);
    look_at(&p, list, everything(list), &o);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.devices_n, 1);
    assert_true(o.devices[0].ignores_unit);
    assert_int_equal(o.hints[HINT_ALL_UNITS], 1);
    assert_in_range(o.asked, 1, 40);
}

static void takes_a_gateway_that_says_failure_of_absent_units_for_what_it_is(void **state)
{
    struct peer p = { 0 };
    struct outcome o;
    uint8_t list[256];

    (void)state;
    memset(p.answers, REFUSE_4, sizeof p.answers);
    p.answers[1] = DATA;
    look_at(&p, list, everything(list), &o);
    assert_int_equal(o.devices_n, 1);
    assert_int_equal(o.devices[0].unit, 1);
    assert_int_equal(o.hints[HINT_GATEWAY], 1);
}

static void takes_255_for_the_device_itself(void **state)
{
    struct peer p = { 0 };
    struct outcome o;
    const uint8_t list[] = { 0, 1, 2, 3, 4, 255 };

    (void)state;
    memset(p.answers, ABSENT, sizeof p.answers);
    p.answers[0] = p.answers[2] = p.answers[255] = DATA;
    look_at(&p, list, sizeof list, &o);
    assert_int_equal(o.devices_n, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(o.devices[i].is_alias, o.devices[i].unit != 2);
}

static void passes_silent_units_by(void **state)
{
    struct peer p = { 0 };
    struct outcome o;
    const uint8_t list[] = { 1, 2, 3, 4, 5, 6 };

    (void)state;
    p.answers[6] = REFUSE_2;
    look_at(&p, list, sizeof list, &o);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.devices_n, 1);
    assert_int_equal(o.devices[0].unit, 6);
    assert_int_equal(o.last.done, 6);
}

static void says_when_there_is_no_connection(void **state)
{
    struct peer p = { 0 };
    struct outcome o;
    const uint8_t list[] = { 1, 2 };

    (void)state;
    peer_bind(&p);
    pace_begin(&p.pace, PATIENCE_MS);
    look(&p.pace, p.port, list, sizeof list, &o);
    close(p.listener);
    assert_int_equal(o.rc, -ENOTCONN);
    assert_int_equal(o.devices_n, 0);
}

/* ---- the whole, on a line whose devices speak at different speeds ---- */

enum { RTU_REQUEST = 8, RTU_IDENTIFY = 7 };

struct line_peer {
    int master, slave;
    char path[64];
    speed_t speeds[256]; /* by unit: when it listens; 0: never */
    pthread_t thread;
    atomic_bool is_over;
    struct pace pace;
};

static void line_answer(struct line_peer *p, const uint8_t *q)
{
    struct termios t;
    uint8_t a[8] = { q[0], q[1], 2, 0, 215 };
    size_t n = 5;

    bool is_heard = tcgetattr(p->slave, &t) == 0 && p->speeds[q[0]] != 0 &&
                    cfgetospeed(&t) == p->speeds[q[0]];
    pace_answer(&p->pace, is_heard);
    if (!is_heard)
        return;
    if (q[1] != BUS_READ_HOLDING || get_be16(q + 2) != 0 || get_be16(q + 4) != 1) {
        a[1] = (uint8_t)(q[1] | 0x80);
        a[2] = q[1] == BUS_IDENTIFY ? 1 : REFUSE_2;
        n = 3;
    }
    uint16_t crc = adu_crc(a, n);
    a[n] = (uint8_t)(crc & 0xFF);
    a[n + 1] = (uint8_t)(crc >> 8);
    assert_int_equal(write(p->master, a, n + 2), (ssize_t)(n + 2));
}

static void *line_main(void *arg)
{
    struct line_peer *p = arg;
    struct pollfd fd = { .fd = p->master, .events = POLLIN };
    uint8_t q[64];
    size_t n = 0;

    while (!atomic_load(&p->is_over)) {
        if (poll(&fd, 1, 20) <= 0)
            continue;
        ssize_t got = read(p->master, q + n, sizeof q - n);
        n = got > 0 ? n + (size_t)got : 0;
        size_t whole = n > 1 && q[1] == BUS_IDENTIFY ? RTU_IDENTIFY : RTU_REQUEST;
        if (n < whole)
            continue;
        line_answer(p, q);
        n = 0;
    }
    return NULL;
}

static void line_start(struct line_peer *p)
{
    struct termios t;

    atomic_store(&p->is_over, false);
    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(p->master >= 0 && grantpt(p->master) == 0 && unlockpt(p->master) == 0);
    assert_int_equal(ptsname_r(p->master, p->path, sizeof p->path), 0);
    p->slave = open(p->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(tcgetattr(p->slave, &t), 0);
    cfmakeraw(&t);
    assert_int_equal(tcsetattr(p->slave, TCSANOW, &t), 0);
    assert_int_equal(pthread_create(&p->thread, NULL, line_main, p), 0);
}

static void line_stop(struct line_peer *p)
{
    atomic_store(&p->is_over, true);
    pthread_join(p->thread, NULL);
    close(p->slave);
    close(p->master);
}

static void look_once(struct line_peer *p, const struct survey_setting *list, size_t list_n,
                      struct outcome *ret)
{
    static const uint8_t some[] = { 1, 2, 7, 8 };
    uv_loop_t loop;
    struct clock clock;
    struct survey *s;

    *ret = (struct outcome){ .pace = &p->pace };
    clock_init(&clock, 1, 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    struct survey_options o = serial_options(some, sizeof some);
    o.loop = &loop;
    o.clock = &clock;
    o.place.device = p->path;
    o.settings = list;
    o.settings_n = list_n;
    o.timeout_ms = p->pace.patience_ms;
    o.is_watched = true;
    o.on_frame = on_frame;
    o.on_hint = on_hint;
    o.on_progress = on_progress;
    o.user = ret;
    assert_int_equal(survey_create(&o, &s), 0);
    ret->rc = survey_run(s);
    const struct survey_device *found = survey_devices(s, &ret->devices_n);
    for (size_t i = 0; i < ret->devices_n && i < DEVICES_KEPT; i++)
        ret->devices[i] = found[i];
    survey_destroy(s);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void look_on_line(struct line_peer *p, const struct survey_setting *list, size_t list_n,
                         struct outcome *ret)
{
    int64_t patience_ms = PATIENCE_MS;

    do {
        assert_true(patience_ms < PATIENCE_MAX_MS);
        pace_begin(&p->pace, patience_ms);
        line_start(p);
        look_once(p, list, list_n, ret);
        line_stop(p);
        patience_ms *= 2;
    } while (!pace_was_kept(&p->pace));
}

static void finds_devices_of_different_speeds_on_one_line(void **state)
{
    struct line_peer p = { 0 };
    struct outcome o;

    (void)state;
    p.speeds[1] = B4800;
    p.speeds[8] = B9600;
    look_on_line(&p, settings, 2, &o);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.devices_n, 2);
    assert_int_equal(o.devices[0].unit, 1);
    assert_int_equal(o.devices[0].setting.baud, 4800);
    assert_true(o.devices[0].best[0].is_default);
    assert_int_equal(o.devices[1].unit, 8);
    assert_int_equal(o.devices[1].setting.baud, 9600);
    assert_int_equal(o.last.done, 8);
    assert_int_equal(o.last.total, 8);
}

static void takes_one_and_two_stop_bits_for_the_same_device(void **state)
{
    static const struct survey_setting alike[] = { { 9600, 'N', 8, 1 }, { 9600, 'N', 8, 2 } };
    struct line_peer p = { 0 };
    struct outcome o;

    (void)state;
    p.speeds[2] = B9600;
    look_on_line(&p, alike, 2, &o);
    assert_int_equal(o.devices_n, 2);
    assert_false(o.devices[0].is_alias);
    assert_true(o.devices[1].is_alias);
}

/* ---- the file ---- */

static struct survey_device device_of(size_t profile, uint8_t unit, int baud)
{
    return (struct survey_device){
        .setting = { baud, 'N', 8, 1 },
        .unit = unit,
        .outcome = BUS_OK,
        .best_n = 1,
        .best = { { .profile = profiles[profile], .bits = 20, .fitting = 2, .required = 2 } },
    };
}

static bool is_line_taken(void *user, const char *id)
{
    (void)user;
    return strcmp(id, "line-ttyusb0") == 0;
}

static void write_file(struct stanza_place *places, size_t n, struct buf *b, size_t written,
                       size_t disabled)
{
    const struct stanza_options o = { .places = places,
                                      .places_n = n,
                                      .is_taken = is_line_taken };

    const struct stanza_count count = stanza_write(&o, b);
    assert_int_equal(count.written, written);
    assert_int_equal(count.disabled, disabled);
    assert_non_null(buf_text(b));
}

static void writes_one_bus_and_its_devices(void **state)
{
    const struct survey_device devices[] = { device_of(1, 1, 9600), device_of(1, 2, 9600) };
    struct stanza_place place = { .place = { .type = BUS_MODBUS_RTU, .device = "/dev/ttyUSB0" },
                                  .devices = devices,
                                  .devices_n = 2 };
    struct buf b = BUF_INIT(1 << 16);

    (void)state;
    write_file(&place, 1, &b, 2, 0);
    assert_non_null(strstr(buf_text(&b), "  - {id: line-ttyusb0-2, type: modbus-rtu, port: "
                                         "\"/dev/ttyUSB0\", baud: 9600, format: 8N1}\n"));
    assert_non_null(strstr(buf_text(&b), "\n  - {id: plain-1, profile: v-plain, bus: "
                                         "line-ttyusb0-2, unit: 1, poll: 10s}\n"));
    assert_non_null(strstr(buf_text(&b), "\n  - {id: plain-2,"));
    buf_done(&b);
}

static void leaves_what_is_uncertain_as_comments(void **state)
{
    struct survey_device devices[] = { device_of(1, 1, 9600), device_of(1, 2, 9600),
                                       device_of(1, 3, 4800), device_of(1, 4, 9600) };
    struct stanza_place place = { .place = { .type = BUS_MODBUS_RTU, .device = "/dev/ttyUSB0" },
                                  .devices = devices,
                                  .devices_n = 4 };
    struct buf b = BUF_INIT(1 << 16);

    (void)state;
    devices[3].best_n = 0;
    write_file(&place, 1, &b, 2, 0);
    assert_non_null(strstr(buf_text(&b), "\n  # - {id: plain-3,"));
    assert_non_null(strstr(buf_text(&b), "\n  # - {id: unknown-4,"));
    assert_null(strstr(buf_text(&b), "\n  - {id: plain-3,"));
    buf_done(&b);
}

static void takes_no_tie_for_certain(void **state)
{
    struct match_candidate best[2] = { { .bits = 20, .fitting = 3 }, { .bits = 14 } };

    (void)state;
    assert_true(match_is_certain(best, 1));
    assert_false(match_is_certain(best, 2));
    best[1].bits = 20 - MATCH_CLEAR_BITS;
    assert_true(match_is_certain(best, 2));
    best[0].line_bits = 1; /* where it was found is no answer of its own */
    assert_false(match_is_certain(best, 2));
    best[0].line_bits = 0;
    best[0].identity.is_match = best[1].identity.is_match = true;
    best[1].bits = 20;
    assert_false(match_is_certain(best, 2));
}

static void takes_one_register_of_many_instruments_for_no_proof(void **state)
{
    struct match_candidate one = { .bits = 30, .fitting = 1, .required = 1 };

    (void)state;
    one.identity.other_hits = 1;
    assert_false(match_is_certain(&one, 1));
    one.exact_hits = 1;
    assert_true(match_is_certain(&one, 1));
    one.exact_hits = 0;
    one.identity.is_match = true;
    assert_true(match_is_certain(&one, 1));
}

static void counts_tests_for_one_number_as_exact(void **state)
{
    struct match m;
    struct match_candidate best[MATCH_BEST];
    const struct memory mem = { 0, 1, { 215 } };

    (void)state;
    match_init(&m, all(), LIBRARY_N);
    struct bus_request q = { .function = BUS_READ_HOLDING, .first = 100, .count = 1 };
    struct bus_reply r = { .outcome = BUS_OK, .n = 1, .words = { 77 } };
    assert_int_equal(match_take(&m, &q, &r), 0);
    converse(&m, &mem, BUS_EXCEPTION);
    assert_int_equal(match_best(&m, best), 1);
    assert_int_equal(best[0].exact_hits, 1);
    match_done(&m);
}

static void disables_what_might_be_another_instrument(void **state)
{
    struct survey_device devices[] = { device_of(1, 1, 9600), device_of(1, 2, 9600),
                                       device_of(1, 3, 9600) };
    struct stanza_place place = { .place = { .type = BUS_MODBUS_RTU, .device = "/dev/ttyUSB0" },
                                  .devices = devices,
                                  .devices_n = 3 };
    struct buf b = BUF_INIT(1 << 16);

    (void)state;
    devices[1].best_n = 2;
    devices[1].best[1] = devices[1].best[0];
    devices[1].best[1].profile = profiles[2];
    devices[2].best[0].fitting = devices[2].best[0].required = 1;
    write_file(&place, 1, &b, 3, 2);
    assert_non_null(strstr(buf_text(&b), "{id: plain-1, profile: v-plain, bus: line-ttyusb0-2, "
                                         "unit: 1, poll: 10s}\n"));
    assert_non_null(strstr(buf_text(&b), "Candidates: v-plain, v-far.\n"));
    assert_non_null(strstr(buf_text(&b), "sluice test plain-2 "));
    assert_non_null(strstr(buf_text(&b), "unit: 2, poll: 10s, enabled: false}\n"));
    assert_non_null(strstr(buf_text(&b), "one register looks like v-plain"));
    assert_non_null(strstr(buf_text(&b), "unit: 3, poll: 10s, enabled: false}\n"));
    buf_done(&b);
}

static void joins_a_bus_that_the_configuration_has(void **state)
{
    const struct survey_device devices[] = { device_of(1, 1, 9600) };
    struct stanza_place place = { .place = { .type = BUS_MODBUS_RTU, .device = "/dev/ttyUSB0" },
                                  .bus = "roof",
                                  .devices = devices,
                                  .devices_n = 1 };
    struct buf b = BUF_INIT(1 << 16);

    (void)state;
    write_file(&place, 1, &b, 1, 0);
    assert_null(strstr(buf_text(&b), "buses:"));
    assert_non_null(strstr(buf_text(&b), "bus: roof,"));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_the_factory_settings_of_every_speed),
        cmocka_unit_test(asks_every_unit_at_every_setting_once),
        cmocka_unit_test(asks_instruments_silent_on_strange_registers_for_their_own),
        cmocka_unit_test(takes_the_commonest_settings_of_the_library_first),
        cmocka_unit_test(counts_the_time_on_the_wire),
        cmocka_unit_test(matches_by_the_identification_register),
        cmocka_unit_test(rules_out_a_profile_whose_needed_test_fails),
        cmocka_unit_test(believes_no_value_outside_its_range),
        cmocka_unit_test(prefers_what_comes_with_these_settings),
        cmocka_unit_test(gives_up_on_a_device_that_is_silent_on_what_it_does_not_know),
        cmocka_unit_test(shows_a_product_name_without_control_characters),
        cmocka_unit_test(takes_no_tie_for_certain),
        cmocka_unit_test(takes_one_register_of_many_instruments_for_no_proof),
        cmocka_unit_test(counts_tests_for_one_number_as_exact),
        cmocka_unit_test(finds_the_units_behind_a_gateway),
        cmocka_unit_test(lists_a_device_that_ignores_the_unit_once),
        cmocka_unit_test(takes_a_gateway_that_says_failure_of_absent_units_for_what_it_is),
        cmocka_unit_test(takes_255_for_the_device_itself),
        cmocka_unit_test(passes_silent_units_by),
        cmocka_unit_test(says_when_there_is_no_connection),
        cmocka_unit_test(finds_devices_of_different_speeds_on_one_line),
        cmocka_unit_test(takes_one_and_two_stop_bits_for_the_same_device),
        cmocka_unit_test(writes_one_bus_and_its_devices),
        cmocka_unit_test(leaves_what_is_uncertain_as_comments),
        cmocka_unit_test(disables_what_might_be_another_instrument),
        cmocka_unit_test(joins_a_bus_that_the_configuration_has),
    };
    return cmocka_run_group_tests(tests, load_library, unload_library);
}
