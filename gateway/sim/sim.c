/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sim/slave_pty.h"
#include "gateway/sim/slave_tcp.h"

struct place {
    struct sim_place where;
    struct slave_group group;
    struct slave_tcp *tcp;
    struct slave_pty *pty;
};

struct sim {
    const struct clock *clock;
    struct exchange *exchanges[2]; /* by enum slave_line */
    struct place *places;
    size_t places_n;
    size_t instruments_n;
};

int sim_create(const struct clock *clock, struct sim **ret)
{
    struct sim *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    s->clock = clock;
    s->places = calloc(SIM_PLACES_MAX, sizeof *s->places);
    int rc = s->places ? exchange_create(SLAVE_TCP, &s->exchanges[SLAVE_TCP]) : -ENOMEM;
    if (rc == 0)
        rc = exchange_create(SLAVE_RTU, &s->exchanges[SLAVE_RTU]);
    if (rc < 0) {
        sim_destroy(s);
        return rc;
    }
    *ret = s;
    return 0;
}

/* Port 0 is never the same place twice: each gets a port of its own. */
static bool is_same_place(const struct sim_place *a, const struct sim_place *b)
{
    if (a->path || b->path)
        return a->path && b->path && strcmp(a->path, b->path) == 0;
    return strcmp(a->port, "0") != 0 && strcmp(a->port, b->port) == 0 &&
           strcmp(a->host, b->host) == 0;
}

static struct place *place_for(struct sim *s, const struct sim_place *where)
{
    for (size_t i = 0; i < s->places_n; i++) {
        if (is_same_place(&s->places[i].where, where))
            return &s->places[i];
    }
    if (s->places_n == SIM_PLACES_MAX)
        return NULL;
    struct place *p = &s->places[s->places_n++];
    p->where = *where;
    p->group.clock = s->clock;
    p->group.line = where->path || where->is_rtu ? SLAVE_RTU : SLAVE_TCP;
    p->group.exchange = s->exchanges[p->group.line];
    return p;
}

static bool is_unit_taken(const struct slave_group *g, uint8_t unit)
{
    for (size_t i = 0; i < g->n; i++) {
        if (instrument_options_of(g->instruments[i])->unit == unit)
            return true;
    }
    return false;
}

int sim_add(struct sim *s, const struct instrument_options *o, const struct sim_place *where)
{
    struct place *p = place_for(s, where);
    struct instrument *in;

    if (p && p->group.line != (where->path || where->is_rtu ? SLAVE_RTU : SLAVE_TCP))
        return -EEXIST;
    if (!p || s->instruments_n == SIM_INSTRUMENTS_MAX)
        return -E2BIG;
    if (is_unit_taken(&p->group, o->unit))
        return -EEXIST;
    struct instrument **more = realloc(p->group.instruments, (p->group.n + 1) * sizeof(void *));
    if (!more)
        return -ENOMEM;
    p->group.instruments = more;
    int rc = instrument_create(o, &in);
    if (rc < 0)
        return rc;
    p->group.instruments[p->group.n++] = in;
    s->instruments_n++;
    return 0;
}

int sim_start(struct sim *s, uv_loop_t *loop, char *error, size_t error_size)
{
    for (size_t i = 0; i < s->places_n; i++) {
        struct place *p = &s->places[i];
        const struct sim_place *w = &p->where;
        p->group.start_ms = mono_ms();
        int rc = w->path ? slave_pty_start(loop, w->path, w->modem.packet ? &w->modem : NULL,
                                           &p->group, &p->pty)
                         : slave_tcp_start(loop, w->host, w->port, &p->group, &p->tcp);
        if (rc < 0) {
            snprintf(error, error_size, "cannot serve at %s%s%s: %s",
                     w->path ? w->path : w->host, w->path ? "" : ":", w->path ? "" : w->port,
                     strerror(-rc));
            return rc;
        }
    }
    return 0;
}

void sim_counters_get(const struct sim *s, struct sim_counters *ret)
{
    *ret = (struct sim_counters){ 0 };
    for (size_t i = 0; i < s->places_n; i++) {
        ret->answers += s->places[i].group.answers;
        ret->exceptions += s->places[i].group.exceptions;
        ret->silent += s->places[i].group.silent;
    }
}

void sim_each_place(const struct sim *s,
                    void (*each)(void *user, const char *address,
                                 const struct instrument *const *in, size_t n),
                    void *user)
{
    for (size_t i = 0; i < s->places_n; i++) {
        const struct place *p = &s->places[i];
        char address[300]; /* a host name has at most 253 bytes */
        bool is_v6 = !p->where.path && strchr(p->where.host, ':');

        if (p->tcp)
            snprintf(address, sizeof address, "%s%s%s:%u", is_v6 ? "[" : "", p->where.host,
                     is_v6 ? "]" : "", slave_tcp_port(p->tcp));
        each(user, p->tcp ? address : p->where.path,
             (const struct instrument *const *)p->group.instruments, p->group.n);
    }
}

void sim_stop(struct sim *s)
{
    for (size_t i = 0; i < s->places_n; i++) {
        slave_tcp_stop(s->places[i].tcp);
        slave_pty_stop(s->places[i].pty);
        s->places[i].tcp = NULL;
        s->places[i].pty = NULL;
    }
}

void sim_destroy(struct sim *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->places_n; i++) {
        for (size_t k = 0; k < s->places[i].group.n; k++)
            instrument_destroy(s->places[i].group.instruments[k]);
        free(s->places[i].group.instruments);
    }
    free(s->places);
    exchange_destroy(s->exchanges[SLAVE_TCP]);
    exchange_destroy(s->exchanges[SLAVE_RTU]);
    free(s);
}
