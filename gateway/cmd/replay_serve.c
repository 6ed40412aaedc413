/* SPDX-License-Identifier: Apache-2.0 */
/* The recording behind a port or a pseudo terminal of the simulator: `answers` in the place of
 * its instruments. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/replay.h"
#include "gateway/sim/slave_pty.h"
#include "gateway/sim/slave_tcp.h"
#include "gateway/traffic/answers.h"

struct serving {
    struct answers *answers;
    uint64_t frames;
    uv_loop_t loop;
    uv_signal_t on_int, on_term;
    struct clock clock;
    struct exchange *exchange;
    struct slave_group group;
    struct slave_tcp *tcp;
    struct slave_pty *pty;
};

static int fail(const char *where, int err)
{
    fprintf(stderr, "sluice replay: %s: %s.\n", where, strerror(-err));
    return EXIT_FOUND;
}

/* ---- what is answered ---- */

static int take_exchange(void *user, const struct traffic_exchange *e)
{
    struct serving *s = user;

    return answers_add(s->answers, e);
}

static size_t answer(void *user, const uint8_t *unit_pdu, size_t n, uint8_t *out)
{
    struct serving *s = user;
    size_t answer_n = 0;
    const uint8_t *bytes = answers_next(s->answers, unit_pdu, n, &answer_n);

    if (!bytes || answer_n > EXCHANGE_FRAME_MAX)
        return 0;
    memcpy(out, bytes, answer_n);
    return answer_n;
}

/* ---- serving ---- */

static void on_signal(uv_signal_t *handle, int signal)
{
    struct serving *s = handle->data;

    (void)signal;
    slave_tcp_stop(s->tcp);
    slave_pty_stop(s->pty);
    uv_close((uv_handle_t *)&s->on_int, NULL);
    uv_close((uv_handle_t *)&s->on_term, NULL);
}

/* "PORT" or "HOST:PORT"; without a host the loopback interface alone. */
static int start_tcp(struct serving *s, const char *place)
{
    const char *colon = strrchr(place, ':');
    char host[256] = "127.0.0.1";

    if (colon)
        snprintf(host, sizeof host, "%.*s", (int)(colon - place), place);
    return slave_tcp_start(&s->loop, host, colon ? colon + 1 : place, &s->group, &s->tcp);
}

static int start(struct serving *s, const char *where)
{
    bool is_tcp = strncmp(where, "tcp:", 4) == 0;

    clock_init(&s->clock, 1, 0);
    int rc = exchange_create(is_tcp ? SLAVE_TCP : SLAVE_RTU, &s->exchange);
    if (rc < 0)
        return rc;
    s->group = (struct slave_group){ .clock = &s->clock,
                                     .exchange = s->exchange,
                                     .line = is_tcp ? SLAVE_TCP : SLAVE_RTU,
                                     .start_ms = mono_ms(),
                                     .answer = answer,
                                     .user = s };
    return is_tcp ? start_tcp(s, where + 4)
                  : slave_pty_start(&s->loop, where + 4, NULL, &s->group, &s->pty);
}

static void announce(const struct serving *s, const char *where)
{
    char place[300];

    snprintf(place, sizeof place, "%s", where);
    if (s->tcp)
        snprintf(place, sizeof place, "tcp:%u", slave_tcp_port(s->tcp));
    printf(say_zh() ? "%s：%zu 种请求，%zu 个应答，Ctrl-C 结束\n"
                    : "%s: requests: %zu, answers: %zu; Ctrl-C ends\n",
           place, answers_requests(s->answers), answers_total(s->answers));
    fflush(stdout);
}

static int serve(struct serving *s, const char *where)
{
    int rc = uv_loop_init(&s->loop);

    if (rc < 0)
        return fail(where, rc);
    rc = start(s, where);
    if (rc == 0) {
        uv_signal_init(&s->loop, &s->on_int);
        uv_signal_init(&s->loop, &s->on_term);
        s->on_int.data = s->on_term.data = s;
        uv_signal_start(&s->on_int, on_signal, SIGINT);
        uv_signal_start(&s->on_term, on_signal, SIGTERM);
        announce(s, where);
    }
    uv_run(&s->loop, UV_RUN_DEFAULT);
    exchange_destroy(s->exchange);
    uv_loop_close(&s->loop);
    return rc < 0 ? fail(where, rc) : EXIT_DONE;
}

static bool is_place(const char *where)
{
    const char *colon = strrchr(where, ':');

    if (strncmp(where, "tcp:", 4) == 0)
        return colon > where && slave_tcp_port_is_ok(colon + 1);
    return strncmp(where, "pty:", 4) == 0 && where[4];
}

int replay_serve(const char *path, const char *where)
{
    struct serving s = { 0 };
    int status = EXIT_FOUND;

    if (!is_place(where)) {
        fprintf(stderr,
                say_zh()
                    ? "sluice replay：--serve 应为 tcp:PORT（0 到 65535）或 "
                      "pty:PATH，而不是“%s”。\n"
                    : "sluice replay: --serve takes tcp:PORT, 0 to 65535, or pty:PATH, found "
                      "'%s'.\n",
                where);
        return EXIT_USAGE;
    }
    if (answers_create(&s.answers) == 0)
        status = replay_read(path, take_exchange, &s, &s.frames);
    if (status == EXIT_DONE) {
        answers_sort(s.answers);
        status = serve(&s, where);
    }
    answers_destroy(s.answers);
    return status;
}
