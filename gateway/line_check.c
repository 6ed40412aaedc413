/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/line_check.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/cmd/cmd.h"
#include "gateway/lora_check.h"
#include "gateway/poll/load.h"
#include "gateway/table.h"

enum {
    NAMED_MAX = 4, /* devices in a message, the greediest ones */
    TEXT_MAX = 900,
};

/* What one bus is asked for; of several with one radio channel the first stands for all. */
struct bus_use {
    const struct table *table;
    const struct bus_conf *conf;
    uint32_t bus;
    struct load_bus load;     /* its share is that of the air's allowance where that is less */
    struct load_device *each; /* per device of the table; the same */
    double cycle_s;           /* of one poll of each device, one after the other */
};

typedef int use_fn(const struct bus_use *u, void *arg);

static bool is_radio(const struct bus_use *u)
{
    return u->table->bus[u->bus].place.type == BUS_LORA_SERIAL;
}

/* Whether what is asked of bus number `other` is asked of this one. */
static bool is_of(const struct bus_use *u, uint32_t other)
{
    const struct bus_place *mine = &u->table->bus[u->bus].place,
                           *theirs = &u->table->bus[other].place;

    return other == u->bus || (is_radio(u) && theirs->type == BUS_LORA_SERIAL &&
                               strcmp(mine->radio, theirs->radio) == 0);
}

static void add_load(struct load_bus *sum, const struct load_bus *l)
{
    sum->devices_n += l->devices_n;
    sum->requests_hz += l->requests_hz;
    sum->share += l->share;
    sum->air += l->air;
}

/* The air's allowance may be used up long before the time is: then it is what counts. */
static void count_air(struct bus_use *u, double air_share)
{
    bool is_less = u->load.air / air_share > u->load.share;

    u->cycle_s = 0;
    for (size_t i = 0; i < u->table->config->devices.n; i++) {
        const struct poll_device *d = &u->table->poll_device[i];
        if (!is_of(u, d->bus) || !d->is_enabled)
            continue;
        u->cycle_s += (double)u->each[i].scan_us / 1e6;
        if (is_less)
            u->each[i].scan_us = (int64_t)((double)u->each[i].air_us / air_share);
        u->each[i].share = (double)u->each[i].scan_us / 1000 / (double)d->interval_ms;
    }
    if (is_less)
        u->load.share = u->load.air / air_share;
}

/* As if its place were this one. */
static int use_of(struct bus_use *u, const struct bus_place *place)
{
    struct load_bus sum = { 0 }, one;
    double air_share = 1;

    for (size_t i = 0; i < u->table->config->buses.n; i++) {
        struct bus_place at = i == u->bus ? *place : u->table->bus[i].place;
        if (!is_of(u, (uint32_t)i))
            continue;
        at.modem.rate = place->modem.rate;
        int rc = load_bus_of(&at, (uint32_t)i, u->table->poll_device,
                             u->table->config->devices.n, u->each, &one);
        if (rc != 0)
            return rc;
        add_load(&sum, &one);
        sum.line = i == u->bus ? one.line : sum.line;
        if (is_radio(u) && at.air_share < air_share)
            air_share = at.air_share;
    }
    u->load = sum;
    if (is_radio(u))
        count_air(u, air_share);
    return 0;
}

/* A device that reads nothing has no load; the poller tells what is wrong with it. */
static int each_bus(const struct config *c, use_fn *fn, void *arg)
{
    struct table *t;
    int rc = table_create(c, &t);

    if (rc != 0)
        return rc;
    struct bus_use u = { .table = t, .each = calloc(c->devices.n + 1, sizeof *u.each) };
    rc = u.each ? 0 : -ENOMEM;
    for (size_t i = 0; i < c->buses.n && rc == 0; i++) {
        u.conf = (const struct bus_conf *)c->buses.items + i;
        u.bus = (uint32_t)i;
        rc = use_of(&u, &t->bus[i].place);
        rc = rc == 0 ? fn(&u, arg) : rc == -EINVAL ? 0 : rc;
    }
    free(u.each);
    table_destroy(t);
    return rc;
}

/* ---- the check ---- */

/* The greediest device of the bus that takes less than `below`; equal ones by number. */
static bool next_greedy(const struct bus_use *u, double below, size_t after, size_t *ret)
{
    double most = 0;

    for (size_t i = 0; i < u->table->config->devices.n; i++) {
        double share = u->each[i].share;
        bool is_next = share < below || (share == below && i > after);
        if (!is_of(u, u->table->poll_device[i].bus) || !is_next || share <= most)
            continue;
        most = share;
        *ret = i;
    }
    return most > 0;
}

static void put_devices(const struct bus_use *u, struct buf *b)
{
    double below = 1e9;
    size_t at = 0, named = 0;

    for (; named < NAMED_MAX && next_greedy(u, below, at, &at); named++) {
        const struct poll_device *d = &u->table->poll_device[at];
        below = u->each[at].share;
        if (is_radio(u)) { /* its times are of the allowance, not of the clock */
            buf_printf(b, "%s%s %.0f %% (%zu request%s every %g s)", named ? ", " : "", d->id,
                       below * 100, u->each[at].requests, u->each[at].requests == 1 ? "" : "s",
                       (double)d->interval_ms / 1000);
            continue;
        }
        buf_printf(b, "%s%s %.2f s (%zu request%s in %.0f ms every %g s)", named ? ", " : "",
                   d->id, below, u->each[at].requests, u->each[at].requests == 1 ? "" : "s",
                   (double)u->each[at].scan_us / 1000, (double)d->interval_ms / 1000);
    }
    if (u->load.devices_n > named)
        buf_printf(b, " and %zu more", u->load.devices_n - named);
}

/* What the line would be asked for if one device (or all: SIZE_MAX) were polled so rarely. */
static double share_at(const struct bus_use *u, size_t device, int seconds)
{
    double sum = 0;

    for (size_t i = 0; i < u->table->config->devices.n; i++) {
        double slower = (double)u->each[i].scan_us / 1e6 / seconds;
        bool is_meant = device == SIZE_MAX || device == i;
        if (is_of(u, u->table->poll_device[i].bus))
            sum += is_meant && slower < u->each[i].share ? slower : u->each[i].share;
    }
    return sum;
}

static int interval_that_fits(const struct bus_use *u, size_t device)
{
    static const int seconds[] = { 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1800, 3600 };

    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        if (share_at(u, device, seconds[i]) <= LINE_CHECK_WARN)
            return seconds[i];
    }
    return 0;
}

/* Of the greediest device alone when that is enough, else of all. */
static bool put_interval(const struct bus_use *u, struct buf *b)
{
    size_t at = 0;
    bool has_any = next_greedy(u, 1e9, 0, &at);
    int one = has_any ? interval_that_fits(u, at) : 0, all = interval_that_fits(u, SIZE_MAX);

    if (one)
        buf_printf(b, "poll %s every %d s", u->table->poll_device[at].id, one);
    else if (all)
        buf_printf(b, "poll its devices every %d s", all);
    return one || all;
}

static bool put_baud(const struct bus_use *u, struct buf *b)
{
    static const int bauds[] = { 9600, 19200, 38400, 57600, 115200 };
    struct bus_place place = u->table->bus[u->bus].place;
    struct bus_use faster = *u;
    bool is_found = false;

    faster.each = calloc(u->table->config->devices.n + 1, sizeof *faster.each);
    for (size_t i = 0; faster.each && !is_found && i < sizeof bauds / sizeof bauds[0]; i++) {
        if (bauds[i] <= u->table->bus[u->bus].place.baud)
            continue;
        place.baud = bauds[i];
        is_found = use_of(&faster, &place) == 0 && faster.load.share <= LINE_CHECK_WARN;
    }
    free(faster.each);
    if (is_found)
        buf_printf(b, "run the line at %d baud", place.baud);
    return is_found;
}

static bool put_air_rate(const struct bus_use *u, struct buf *b)
{
    struct bus_place place = u->table->bus[u->bus].place;
    struct bus_use faster = *u;
    bool is_found = false;

    faster.each = calloc(u->table->config->devices.n + 1, sizeof *faster.each);
    while (faster.each && !is_found && place.modem.rate + 1 < SERIAL_MODEM_RATES) {
        place.modem.rate++;
        is_found = use_of(&faster, &place) == 0 && faster.load.share <= LINE_CHECK_WARN;
    }
    free(faster.each);
    if (is_found)
        buf_printf(b, "set the modems to air rate %s",
                   serial_modem_rate_names[place.modem.rate]);
    return is_found;
}

static void put_remedy(const struct bus_use *u, struct buf *b)
{
    struct buf baud = BUF_INIT(TEXT_MAX);
    bool has_baud = is_radio(u) ? put_air_rate(u, &baud) : put_baud(u, &baud);

    buf_puts(b, "; ");
    bool has_interval = put_interval(u, b);
    if (has_baud)
        buf_printf(b, "%s%s", has_interval ? " or " : "", buf_text(&baud));
    if (is_radio(u))
        buf_printf(b, "%smove devices to another channel, or read fewer values of them",
                   has_baud || has_interval ? ", " : "");
    else if (!has_baud && !has_interval)
        buf_puts(b, "move devices to another line");
    buf_done(&baud);
}

static bool is_first(const struct bus_use *u)
{
    uint32_t i = 0;

    while (!is_of(u, i))
        i++;
    return i == u->bus;
}

static void report_radio(const struct bus_use *u, struct diag *d, const char *text)
{
    const struct bus_place *p = &u->table->bus[u->bus].place;
    bool is_alone = strcmp(p->radio, p->device) == 0;
    bool is_over = u->load.share > 1;

    if (!text)
        text = "too many devices to name";
    (is_over ? diag_error : diag_warning)(
        d, u->conf->mark, 0, E_SCHEDULE,
        "radio %s is asked for %.0f %% of the air time allowed (%.0f %% of the time on the "
        "air, "
        "a cycle of all its devices takes %.1f s)%s: %s",
        is_alone ? u->conf->id : p->radio, u->load.share * 100, u->load.air * 100, u->cycle_s,
        is_over ? "" : ", one lost answer makes others late", text);
}

static int check_bus(const struct bus_use *u, void *arg)
{
    struct buf b = BUF_INIT(TEXT_MAX);
    struct diag *d = arg;

    if (!u->load.line.is_known || u->load.share <= LINE_CHECK_WARN || !is_first(u))
        return 0;
    put_devices(u, &b);
    put_remedy(u, &b);
    const char *text = buf_text(&b);
    if (is_radio(u))
        report_radio(u, d, text);
    else if (u->load.share > 1)
        diag_error(d, u->conf->mark, 0, E_SCHEDULE,
                   "line %s is asked for %.2f s of traffic each second: %s", u->conf->id,
                   u->load.share, text ? text : "too many devices to name");
    else
        diag_warning(d, u->conf->mark, 0, E_SCHEDULE,
                     "line %s is busy for %.2f s of each second, one late answer makes others "
                     "late: %s",
                     u->conf->id, u->load.share, text ? text : "too many devices to name");
    buf_done(&b);
    return 0;
}

int line_check(const struct config *c, struct diag *d)
{
    return each_bus(c, check_bus, d);
}

int line_check_load(const char *path, const struct field_kind *uplink_kinds, struct diag *d,
                    struct config **ret)
{
    struct config *c;
    int rc = config_load(path, uplink_kinds, d, &c);

    if (rc < 0)
        return rc;
    rc = line_check(c, d);
    if (rc == 0)
        rc = lora_check(c, d);
    if (rc == 0 && diag_errors(d))
        rc = -EINVAL;
    if (rc < 0) {
        config_destroy(c);
        return rc;
    }
    *ret = c;
    return 0;
}

/* ---- for people ---- */

/* "9600 8N1"; what is reached over TCP is named by its protocol. */
static void print_kind(const struct bus_use *u, FILE *out)
{
    const struct bus_place *p = &u->table->bus[u->bus].place;

    if (p->type == BUS_LORA_SERIAL)
        fprintf(out, say("%s air rate", "空中速率 %s"), serial_modem_rate_names[p->modem.rate]);
    else if (p->type == BUS_MODBUS_RTU)
        fprintf(out, "%d %d%c%d", p->baud, p->data_bits, p->parity, p->stop_bits);
    else
        fputs(u->conf->type.kind->name, out);
}

static int print_bus(const struct bus_use *u, void *arg)
{
    FILE *out = arg;

    fprintf(out, say("bus %s: ", "总线 %s："), u->conf->id);
    print_kind(u, out);
    if (say_zh())
        fprintf(out, "，%zu 台仪器，", u->load.devices_n);
    else
        fprintf(out, ", %zu device%s, ", u->load.devices_n, u->load.devices_n == 1 ? "" : "s");
    if (is_radio(u))
        fprintf(out,
                say("%.0f %% of the air time allowed, a cycle takes %.1f s\n",
                    "占用允许空中时间的 %.0f %%，轮询一遍 %.1f 秒\n"),
                u->load.share * 100, u->cycle_s);
    else if (u->load.line.is_known)
        fprintf(out, say_zh() ? "占用线路 %.0f %%\n" : "%.0f %% of the line\n",
                u->load.share * 100);
    else
        fprintf(out, say_zh() ? "每秒 %.3g 次请求\n" : "%.3g request%s a second\n",
                u->load.requests_hz, u->load.requests_hz == 1 ? "" : "s");
    return 0;
}

int line_check_print(const struct config *c, FILE *out)
{
    return each_bus(c, print_bus, out);
}
