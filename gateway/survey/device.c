/* SPDX-License-Identifier: Apache-2.0 */
/* One device that was found: what is it, and what stands in the blocks that were asked for? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/survey/internal.h"

static bool is_same_kind(const struct survey_device *a, const struct survey_device *b)
{
    const struct profile *pa = a->best_n ? a->best[0].profile : NULL;
    const struct profile *pb = b->best_n ? b->best[0].profile : NULL;

    return pa == pb && a->outcome == b->outcome && a->exception == b->exception &&
           strcmp(a->product, b->product) == 0;
}

static bool is_whole_device(uint8_t unit)
{
    return unit == 0 || unit == 255;
}

/* One receiver hears 8N1 and 8N2 alike; behind an address 0 and 255 mean the device itself. */
static void find_alias(struct survey *s, struct survey_device *d)
{
    for (size_t i = 0; i < s->devices_n; i++) {
        struct survey_device *e = &s->devices[i];
        if (e->is_alias || !is_same_kind(d, e))
            continue;
        if (s->opt.place.type == BUS_MODBUS_RTU) {
            d->is_alias =
                d->is_alias || (e->unit == d->unit && e->setting.baud == d->setting.baud);
        } else if (is_whole_device(d->unit)) {
            d->is_alias = true;
        } else if (is_whole_device(e->unit)) {
            e->is_alias = true;
        }
    }
}

static void end_device(struct survey *s)
{
    match_done(&s->match);
    if (s->devices_n < DEVICES_MAX) {
        struct survey_device *more =
            realloc(s->devices, (s->devices_n + 1) * sizeof *s->devices);
        if (!more) {
            survey_finish(s, -ENOMEM);
            return;
        }
        s->devices = more;
        find_alias(s, &s->device);
        s->devices[s->devices_n++] = s->device;
        if (s->opt.on_device)
            s->opt.on_device(s->opt.user, &s->device);
    }
    survey_end_step(s);
}

static void read_next(struct survey *s)
{
    s->mode = READING;
    if (s->read == s->opt.reads_n) {
        end_device(s);
        return;
    }
    const struct survey_read *r = &s->opt.reads[s->read];
    survey_set_request(s, r->function, r->first, r->count,
                       IDENTIFY_MS + survey_wire_ms(survey_setting_of(s), 2 * r->count));
    survey_ask_on(s);
}

void survey_take_read(struct survey *s, const struct bus_reply *r)
{
    if (s->opt.on_read)
        s->opt.on_read(s->opt.user, &s->device, &s->opt.reads[s->read], r);
    match_take(&s->match, &s->request, r);
    s->read++;
    read_next(s);
}

static void describe_device(struct survey *s)
{
    s->device.best_n = match_best(&s->match, s->device.best);
    match_product(&s->match, s->device.product, sizeof s->device.product);
}

static void identify_next(struct survey *s)
{
    struct bus_request q;

    if (!match_next(&s->match, &q)) {
        describe_device(s);
        s->read = 0;
        read_next(s);
        return;
    }
    int64_t timeout_ms = s->opt.timeout_ms > IDENTIFY_MS ? s->opt.timeout_ms : IDENTIFY_MS;
    survey_set_request(s, q.function, q.first, q.count,
                       timeout_ms + survey_wire_ms(survey_setting_of(s), 2 * q.count));
    survey_ask_on(s);
}

void survey_take_identity(struct survey *s, const struct bus_reply *r)
{
    if (r->outcome == BUS_BAD_FRAME && ++s->damaged <= DAMAGED_MAX) {
        survey_ask_on(s);
        return;
    }
    s->damaged = 0;
    if (match_take(&s->match, &s->request, r) != 0) {
        survey_finish(s, -ENOMEM);
        return;
    }
    identify_next(s);
}

void survey_begin_device(struct survey *s, const struct bus_reply *r)
{
    const struct survey_setting *at = survey_setting_of(s);

    s->device = (struct survey_device){ .setting = *at,
                                        .unit = s->step.unit,
                                        .function = s->request.function,
                                        .outcome = r->outcome,
                                        .exception = r->exception,
                                        .n = r->n,
                                        .took_ms = r->took_ms };
    match_init(&s->match, s->opt.profiles, s->opt.profiles_n);
    s->match.unit = s->step.unit;
    s->match.is_tcp = s->opt.place.type != BUS_MODBUS_RTU;
    s->match.serial.baud = at->baud;
    s->match.serial.format[0] = (char)('0' + at->data_bits);
    s->match.serial.format[1] = at->parity;
    s->match.serial.format[2] = (char)('0' + at->stop_bits);
    s->mode = IDENTIFYING;
    s->damaged = 0;
    if (match_take(&s->match, &s->request, r) != 0)
        survey_finish(s, -ENOMEM);
    else
        identify_next(s);
}
