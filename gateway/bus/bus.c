/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus/bus.h"

#include <errno.h>
#include <string.h>

#include "gateway/bus/kinds.h"
#include "gateway/bus/modbus_frame.h"

bool bus_has_port(const struct bus_place *p)
{
    return p->type == BUS_MODBUS_RTU || p->type == BUS_LORA_SERIAL;
}

int bus_create(uv_loop_t *loop, const struct clock *clock, const struct bus_place *place,
               const struct bus_events *on, struct bus **ret)
{
    const struct bus_options o = { loop, clock, *place, *on };

    switch (place->type) {
    case BUS_MODBUS_TCP:
        return modbus_tcp_create(&o, ret);
    case BUS_MODBUS_RTU:
    case BUS_LORA_SERIAL:
        return modbus_rtu_create(&o, ret);
    case BUS_MODBUS_RTU_TCP:
        return modbus_rtu_tcp_create(&o, ret);
    case BUS_MODBUS_CARRIED:
        return modbus_carried_create(&o, ret);
    case BUS_NONE:
        return no_bus_create(&o, ret);
    }
    return -EINVAL;
}

int bus_start(struct bus *b)
{
    return b->kind->start(b);
}

int bus_send(struct bus *b, const struct bus_request *r)
{
    if (!adu_is_request(r) || r->timeout_ms <= 0 || r->pause_ms < 0)
        return -EINVAL;
    if (b->is_stopping)
        return -ENOTCONN;
    return b->kind->send(b, r);
}

void bus_watch(struct bus *b, bool is_on)
{
    atomic_store(&b->is_watched, is_on && b->on.on_frame && !b->is_stopping);
}

void bus_stop(struct bus *b, void (*on_closed)(void *user), void *user)
{
    b->on_closed = on_closed;
    b->closed_user = user;
    b->is_stopping = true;
    atomic_store(&b->is_watched, false);
    b->kind->stop(b);
}

void bus_destroy(struct bus *b)
{
    if (b)
        b->kind->destroy(b);
}

void bus_tell_reply(struct bus *b, const struct bus_reply *r)
{
    if (!b->is_stopping)
        b->on.on_reply(b->on.user, r);
}

void bus_tell_late(struct bus *b, uint8_t unit, int64_t took_ms)
{
    if (!b->is_stopping && b->on.on_late)
        b->on.on_late(b->on.user, unit, took_ms);
}

void bus_tell_link(struct bus *b, bool is_up)
{
    if (!b->is_stopping && b->on.on_link)
        b->on.on_link(b->on.user, is_up);
}

bool bus_is_watched(const struct bus *b)
{
    return atomic_load(&b->is_watched);
}

void bus_tell_frame(struct bus *b, const struct bus_frame *f)
{
    if (bus_is_watched(b))
        b->on.on_frame(b->on.user, f);
}

const char *bus_fate_name(enum bus_fate fate)
{
    static const char *const names[BUS_FATE_COUNT_] = {
        [BUS_SENT] = "sent", [BUS_TAKEN] = "taken",     [BUS_REFUSED] = "refused",
        [BUS_LATE] = "late", [BUS_FOREIGN] = "foreign", [BUS_DAMAGED] = "damaged",
    };

    return names[fate];
}

/* Modbus Application Protocol V1.1b3, section 7. */
const char *bus_exception_text(uint8_t code, const char *lang)
{
    static const struct {
        const char *en, *zh;
    } words[] = {
        [1] = { "illegal function", "不支持的功能码" },
        [2] = { "illegal data address", "非法数据地址" },
        [3] = { "illegal data value", "非法数据值" },
        [4] = { "device failure", "从站故障" },
        [5] = { "acknowledged, not ready yet", "已确认，尚未完成" },
        [6] = { "device busy", "从站忙" },
        [8] = { "memory parity error", "存储奇偶校验错" },
        [10] = { "gateway has no path", "网关路径不可用" },
        [11] = { "no answer behind the gateway", "网关后的设备无应答" },
    };

    bool is_zh = lang && strncmp(lang, "zh", 2) == 0;

    if (code >= sizeof words / sizeof words[0] || !words[code].en)
        return is_zh ? "未定义的代码" : "unknown code";
    return is_zh ? words[code].zh : words[code].en;
}
