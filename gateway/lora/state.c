/* SPDX-License-Identifier: Apache-2.0 */
/* Who was heard, who is silent, whose messages cannot be read: what a person is told once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/lora/internal.h"

enum { TEXT_SIZE = 512 };

static void set_state(struct lora *l, uint32_t device, enum lora_state state)
{
    struct lora_seen *s = &l->seen[device];

    if (s->state == state)
        return;
    s->state = state;
    l->o.on_state(l->o.user, l->o.devices[device].number, state);
}

void state_heard(struct lora *l, uint32_t device, int64_t time_ms)
{
    struct lora_seen *s = &l->seen[device];

    s->heard_mono_ms = clock_mono_ms(l->o.clock);
    s->heard_ms = time_ms;
    set_state(l, device, LORA_ONLINE);
}

void state_decoded(struct lora *l, uint32_t device)
{
    struct lora_seen *s = &l->seen[device];

    s->decoded++;
    s->outcome = PAYLOAD_OK;
    s->is_told = false;
    free(s->trouble);
    s->trouble = NULL;
}

/* One notice for each kind of trouble: the frames are all in the log. */
void state_undecoded(struct lora *l, uint32_t device, enum payload_outcome why,
                     const char *trouble)
{
    struct lora_seen *s = &l->seen[device];
    const char *id = l->o.devices[device].id;
    char en[TEXT_SIZE], zh[TEXT_SIZE];

    s->undecoded++;
    if (s->is_told && s->outcome == why)
        return;
    s->outcome = why;
    s->is_told = true;
    free(s->trouble);
    s->trouble = trouble ? strdup(trouble) : NULL;
    snprintf(en, sizeof en,
             "A message of device %s cannot be decoded and is kept as it came: %s", id,
             trouble ? trouble : payload_outcome_text(why, "en"));
    snprintf(zh, sizeof zh, "设备 %s 的一条消息无法解码，已按原样保存：%s", id,
             trouble ? trouble : payload_outcome_text(why, "zh"));
    log_warning("device %s: %s device=%s", id,
                trouble ? trouble : payload_outcome_text(why, "en"), id);
    l->o.on_notice(l->o.user, "payload_undecoded", id, en, zh, NULL);
}

void state_tick(struct lora *l)
{
    int64_t now_ms = clock_mono_ms(l->o.clock);

    for (uint32_t i = 0; i < l->o.devices_n; i++) {
        const struct lora_device *d = &l->o.devices[i];
        if (d->is_enabled && d->every_ms > 0 && l->seen[i].state != LORA_SILENT &&
            now_ms - l->seen[i].heard_mono_ms > LORA_SILENT_AFTER * d->every_ms)
            set_state(l, i, LORA_SILENT);
    }
}

static void get_feed(const struct lora_seen *s, struct lora_device_view *ret)
{
    ret->net = s->net;
    ret->gateway = s->gateway[0] ? s->gateway : NULL;
}

static void get_network(const struct lora *l, const struct lora_device *d,
                        const struct lora_seen *s, struct lora_device_view *ret)
{
    const struct lora_bus *bus = &l->o.buses[d->bus];

    network_device_get(l->sides[d->bus].network, s->number, &ret->net);
    if (ret->net.heard_ms && ret->net.gateway < bus->concentrators_n)
        ret->gateway = bus->concentrators[ret->net.gateway].id;
}

void lora_device_get(const struct lora *l, size_t device, const char *lang,
                     struct lora_device_view *ret)
{
    const struct lora_device *d = &l->o.devices[device];
    const struct lora_seen *s = &l->seen[device];

    *ret = (struct lora_device_view){
        .state = s->state, .decoded = s->decoded, .undecoded = s->undecoded, .why = ""
    };
    if (s->outcome != PAYLOAD_OK)
        ret->why = s->trouble ? s->trouble : payload_outcome_text(s->outcome, lang);
    if (l->o.buses[d->bus].kind == LORA_FEED)
        get_feed(s, ret);
    else if (l->sides[d->bus].network)
        get_network(l, d, s, ret);
}
