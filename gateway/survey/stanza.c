/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/survey/stanza.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/survey/match.h"

enum {
    IDS_MAX = 1100,
    POLL_FAST_S = 10,
    POLL_SLOW_S = 60, /* on a line with many devices */
    FEW_DEVICES = 8,
};

struct writer {
    const struct stanza_options *o;
    struct buf *b;
    char ids[IDS_MAX][STANZA_ID_MAX];
    size_t ids_n;
    struct stanza_count count;
};

const char *stanza_model(const struct profile *p)
{
    const char *dash = strchr(p->id, '-');

    return dash && dash[1] ? dash + 1 : p->id;
}

/* ---- names ---- */

static bool is_used(const struct writer *w, const char *id)
{
    for (size_t i = 0; i < w->ids_n; i++) {
        if (strcmp(w->ids[i], id) == 0)
            return true;
    }
    return w->o->is_taken && w->o->is_taken(w->o->user, id);
}

/* `base`, or `base`-2, -3 ...: lives in the writer. */
static const char *new_id(struct writer *w, const char *base)
{
    char *id = w->ids[w->ids_n < IDS_MAX - 1 ? w->ids_n : IDS_MAX - 1];

    snprintf(id, STANZA_ID_MAX, "%s", base);
    for (int i = 2; is_used(w, id); i++)
        snprintf(id, STANZA_ID_MAX, "%.48s-%d", base, i);
    w->ids_n += w->ids_n < IDS_MAX - 1;
    return id;
}

/* "ttyusb0", "port0": letters, digits and dashes of the last part of a path or a host. */
static void base_of_place(const struct bus_place *p, char *ret, size_t size)
{
    const char *text = p->type == BUS_MODBUS_RTU ? p->device : p->host;
    const char *slash = p->type == BUS_MODBUS_RTU ? strrchr(text, '/') : NULL;
    size_t n = (size_t)snprintf(ret, size, "%s", p->type == BUS_MODBUS_RTU ? "line-" : "net-");

    for (text = slash ? slash + 1 : text; *text && n + 1 < size && n < 40; text++) {
        if (isalnum((unsigned char)*text))
            ret[n++] = (char)tolower((unsigned char)*text);
        else if (ret[n - 1] != '-')
            ret[n++] = '-';
    }
    while (n > 1 && ret[n - 1] == '-')
        n--;
    ret[n] = '\0';
}

/* ---- buses ---- */

static bool is_same_setting(const struct survey_setting *a, const struct survey_setting *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool is_writable(const struct survey_device *d)
{
    return !d->is_alias && d->best_n > 0 && match_is_likely(&d->best[0]);
}

/* A line has one speed: that of most of the devices that are known. */
static struct survey_setting main_setting(const struct stanza_place *p)
{
    struct survey_setting best =
        p->devices_n ? p->devices[0].setting : (struct survey_setting){ 0 };
    size_t most = 0;

    for (size_t i = 0; i < p->devices_n; i++) {
        size_t n = 0;
        for (size_t j = 0; j < p->devices_n; j++)
            n += is_writable(&p->devices[j]) &&
                 is_same_setting(&p->devices[i].setting, &p->devices[j].setting);
        if (n > most) {
            most = n;
            best = p->devices[i].setting;
        }
    }
    return best;
}

static void put_bus(struct writer *w, const struct stanza_place *p,
                    const struct survey_setting *s, const char *id)
{
    static const char *const types[] = { [BUS_MODBUS_TCP] = "modbus-tcp",
                                         [BUS_MODBUS_RTU] = "modbus-rtu",
                                         [BUS_MODBUS_RTU_TCP] = "modbus-rtu-tcp" };
    struct buf *b = w->b;

    buf_printf(b, "  - {id: %s, type: %s, ", id, types[p->place.type]);
    if (p->place.type == BUS_MODBUS_RTU) {
        buf_puts(b, "port: ");
        buf_json(b, p->place.device);
        buf_printf(b, ", baud: %d, format: %d%c%d}\n", s->baud, s->data_bits, s->parity,
                   s->stop_bits);
    } else {
        buf_puts(b, "host: ");
        buf_json(b, p->place.host);
        buf_printf(b, ", port: %u}\n", p->place.port);
    }
}

/* ---- devices ---- */

static void put_evidence(struct writer *w, const struct match_candidate *c)
{
    const bool is_zh = w->o->is_zh;

    if (c->identity.needed)
        buf_printf(w->b, is_zh ? "必要标识 %zu/%zu" : "%zu/%zu required tests",
                   c->identity.needed_hits, c->identity.needed);
    else
        buf_printf(w->b, is_zh ? "%zu/%zu 个测点合理" : "%zu of %zu points plausible",
                   c->fitting, c->required);
    buf_printf(w->b, is_zh ? "，可信度 %s\n" : ", trust: %s\n", c->profile->verified);
}

static void put_unknown(struct writer *w, const struct survey_device *d, const char *bus)
{
    char setting[SURVEY_SETTING_TEXT];

    buf_printf(w->b,
               w->o->is_zh ? "  # 地址 %u（%s）有应答，但没有合适的模板：\n"
                           : "  # unit %u (%s) answers, no profile fits for certain:\n",
               d->unit, survey_setting_text(&d->setting, setting));
    buf_printf(w->b, "  # - {id: unknown-%u, profile: %s, bus: %s, unit: %u, poll: 10s}\n",
               d->unit, d->best_n ? d->best[0].profile->id : "...", bus, d->unit);
}

/* Why it is disabled, and how to decide. */
static void put_doubt(struct writer *w, const struct survey_device *d, const char *id)
{
    const bool is_zh = w->o->is_zh;

    if (d->best_n > 1) {
        buf_puts(w->b, is_zh ? "  # 不能确定，暂停用。候选："
                             : "  # Not certain, so disabled. Candidates: ");
        for (size_t i = 0; i < d->best_n; i++)
            buf_printf(w->b, "%s%s", i == 0 ? "" : is_zh ? "、" : ", ", d->best[i].profile->id);
        buf_puts(w->b, is_zh ? "。\n" : ".\n");
    } else {
        buf_printf(
            w->b,
            is_zh ? "  # 不能确定，暂停用：只有一个寄存器像 %s，许多仪器都有。\n"
                  : "  # Not certain, so disabled: one register looks like %s, as those of "
                    "many do.\n",
            d->best[0].profile->id);
    }
    buf_printf(
        w->b,
        is_zh
            ? "  # 请查看铭牌，或运行 sluice test %s 与仪器显示的数值比较；改好 profile 后删去 "
              "enabled: false。\n"
            : "  # Look at the type plate, or compare what sluice test %s shows with the "
              "display;\n  # set the right profile, then remove enabled: false.\n",
        id);
}

static void put_device(struct writer *w, const struct survey_device *d, const char *bus,
                       bool is_on_line, int poll_s)
{
    const struct match_candidate *c = &d->best[0];
    char base[STANZA_ID_MAX], setting[SURVEY_SETTING_TEXT];

    snprintf(base, sizeof base, "%.40s-%u", stanza_model(c->profile), d->unit);
    buf_printf(w->b, "  # %s; ", w->o->is_zh ? c->profile->zh : c->profile->en);
    put_evidence(w, c);
    for (size_t i = 1; i < d->best_n; i++) {
        buf_printf(w->b, w->o->is_zh ? "  # 也可能是 %s：" : "  # perhaps %s: ",
                   d->best[i].profile->id);
        put_evidence(w, &d->best[i]);
    }
    if (!is_on_line)
        buf_printf(w->b,
                   w->o->is_zh ? "  # 工作在 %s：请改为与总线相同的设置，或另接一个串口\n"
                               : "  # speaks %s: set it as the others of this line, or give it "
                                 "a port of its own\n",
                   survey_setting_text(&d->setting, setting));
    const char *id = new_id(w, base);
    bool is_certain = match_is_certain(d->best, d->best_n);
    if (!is_certain)
        put_doubt(w, d, id);
    buf_printf(w->b, "  %s- {id: %s, profile: %s, bus: %s, unit: %u, poll: %ds%s}\n",
               is_on_line ? "" : "# ", id, c->profile->id, bus, d->unit, poll_s,
               is_certain ? "" : ", enabled: false");
    w->count.written += is_on_line;
    w->count.disabled += is_on_line && !is_certain;
}

static void put_devices(struct writer *w, const struct stanza_place *p, const char *bus)
{
    struct survey_setting s = main_setting(p);
    int poll_s = p->devices_n > FEW_DEVICES ? POLL_SLOW_S : POLL_FAST_S;

    for (size_t i = 0; i < p->devices_n; i++) {
        const struct survey_device *d = &p->devices[i];
        if (d->is_alias)
            continue;
        if (is_writable(d))
            put_device(w, d, bus, is_same_setting(&d->setting, &s), poll_s);
        else
            put_unknown(w, d, bus);
    }
}

static bool is_empty(const struct stanza_place *p)
{
    for (size_t i = 0; i < p->devices_n; i++) {
        if (is_writable(&p->devices[i]))
            return false;
    }
    return true;
}

static void put_all(struct writer *w, const char **bus_ids)
{
    const struct stanza_options *o = w->o;
    bool has_head = false;

    for (size_t i = 0; i < o->places_n; i++) {
        const struct stanza_place *p = &o->places[i];
        char base[STANZA_ID_MAX];
        base_of_place(&p->place, base, sizeof base);
        bus_ids[i] = p->bus ? p->bus : new_id(w, base);
        if (p->bus || is_empty(p))
            continue;
        struct survey_setting s = main_setting(p);
        buf_puts(w->b, has_head ? "" : "buses:\n");
        has_head = true;
        put_bus(w, p, &s, bus_ids[i]);
    }
    buf_puts(w->b, "devices:\n");
    for (size_t i = 0; i < o->places_n; i++)
        put_devices(w, &o->places[i], bus_ids[i]);
}

struct stanza_count stanza_write(const struct stanza_options *o, struct buf *b)
{
    struct writer *w = calloc(1, sizeof *w);
    const char **bus_ids = calloc(o->places_n + 1, sizeof *bus_ids);
    char time[TIME_TEXT_MAX];
    struct stanza_count count = { 0 };

    if (w && bus_ids) {
        w->o = o;
        w->b = b;
        time_print_utc(o->time_ms, time);
        buf_printf(b,
                   o->is_zh
                       ? "# sluice scan 于 %s 找到。检查：sluice check；试读：sluice test。\n"
                       : "# Found by sluice scan at %s. Check it with sluice check, try it "
                         "with sluice test.\n",
                   time);
        put_all(w, bus_ids);
        count = w->count;
    } else {
        b->has_failed = true;
    }
    free(bus_ids);
    free(w);
    return count;
}
