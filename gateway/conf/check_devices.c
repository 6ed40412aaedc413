/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/baud.h"
#include "gateway/conf/config_internal.h"
#include "gateway/conf/utf8.h"
#include "gateway/conf/value.h"
#include "sensors/profile/command.h"

enum {
    BROADCAST = 0,         /* Modbus over serial line 1.02, 2.2: no slave answers it */
    UNIT_SERIAL_MAX = 247, /* the same: those above are reserved */
    UNIT_DEFAULT = 1,      /* when neither device nor profile says */
    MESSAGE_MAX = 512,
};

static void report(const struct check *k, bool is_warning, const void *item,
                   const void *address, enum diag_code code, const char *text)
{
    struct field_mark mark = bind_mark(k->b, address);
    int width = bind_width(k->b, address);

    if (mark.line == 0) {
        mark = bind_item_mark(k->b, item);
        width = 1;
    }
    if (is_warning)
        diag_warning(k->d, mark, width, code, "%s", text);
    else
        diag_error(k->d, mark, width, code, "%s", text);
}

void check_error(const struct check *k, const void *item, const void *address,
                 enum diag_code code, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    report(k, false, item, address, code, n < 0 ? "" : text);
}

void check_warning(const struct check *k, const void *item, const void *address,
                   enum diag_code code, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    report(k, true, item, address, code, n < 0 ? "" : text);
}

static bool is_kind(const struct bus_conf *bus, const char *name)
{
    return bus->type.kind && strcmp(bus->type.kind->name, name) == 0;
}

static const struct bus_rtu_conf *rtu_of(const struct bus_conf *bus)
{
    const struct bus_modem_conf *modem = lora_modem_of(bus);

    return modem ? &modem->line : is_kind(bus, "modbus-rtu") ? bus->type.options : NULL;
}

static const struct bus_tcp_conf *tcp_of(const struct bus_conf *bus)
{
    return is_kind(bus, "modbus-tcp") ? bus->type.options : NULL;
}

static const struct bus_rtu_tcp_conf *rtu_tcp_of(const struct bus_conf *bus)
{
    return is_kind(bus, "modbus-rtu-tcp") ? bus->type.options : NULL;
}

static bool is_serial(const struct bus_conf *bus)
{
    return rtu_of(bus) || rtu_tcp_of(bus);
}

/* Where a bus over TCP leads, NULL: it is a port of this machine. */
static const struct bus_tcp_conf *endpoint_of(const struct bus_conf *bus)
{
    const struct bus_rtu_tcp_conf *rtu_tcp = rtu_tcp_of(bus);

    return rtu_tcp ? &rtu_tcp->tcp : tcp_of(bus);
}

static void check_baud(const struct check *k, const struct bus_conf *bus,
                       const struct bus_rtu_conf *rtu)
{
    int64_t near = baud_nearest(rtu->baud);

    if (near != rtu->baud)
        check_error(
            k, bus, &rtu->baud, E_VALUE,
            "expected a standard rate such as 9600, 19200 or 115200, got '%lld', did you "
            "mean '%lld'?",
            (long long)rtu->baud, (long long)near);
}

static void check_rs485(const struct check *k, const struct bus_conf *bus,
                        const struct bus_rtu_conf *rtu)
{
    const struct bus_rs485_conf *c = &rtu->rs485;
    const int64_t *time = c->before_ms ? &c->before_ms : &c->after_ms;

    if (c->rts_on_send == 0 && *time != 0)
        check_error(k, bus, time, E_CONFLICT,
                    "this time counts only with 'rts_on_send: high' or 'low'");
}

/* One serial port is one line, however it is called. */
static void check_port(const struct check *k, const struct bus_conf *bus,
                       const struct bus_rtu_conf *rtu)
{
    const struct bus_conf *other = k->c->buses.items;

    for (; other < bus; other++) {
        const struct bus_rtu_conf *theirs = rtu_of(other);
        if (theirs && theirs->port && other->id && strcmp(theirs->port, rtu->port) == 0) {
            check_error(k, bus, &rtu->port, E_ADDRESS, "bus '%s' has this serial port already",
                        other->id);
            return;
        }
    }
}

static void check_bus(const struct check *k, const struct bus_conf *bus)
{
    const struct bus_rtu_conf *rtu = rtu_of(bus);

    if (!rtu)
        return;
    check_baud(k, bus, rtu);
    check_rs485(k, bus, rtu);
    if (rtu->port)
        check_port(k, bus, rtu);
}

static int64_t unit_of(const struct device_conf *dev)
{
    if (dev->unit >= 0)
        return dev->unit;
    return dev->profile_found && dev->profile_found->serial.unit > 0
               ? dev->profile_found->serial.unit
               : UNIT_DEFAULT;
}

/* A device's address on the wire; two buses may lead to one TCP endpoint, or to the same air.
 */
struct wire {
    const struct device_conf *dev;
    const char *host; /* or name of a radio, port -1; NULL: the bus itself is the line */
    int64_t port, unit;
};

static int compare_wires(const void *a, const void *b)
{
    const struct wire *x = a, *y = b;

    if (!x->host != !y->host)
        return x->host ? 1 : -1;
    if (x->host) {
        int order = strcmp(x->host, y->host);
        if (order || x->port != y->port)
            return order ? order : x->port < y->port ? -1 : 1;
    } else if (x->dev->bus_found != y->dev->bus_found) {
        return x->dev->bus_found < y->dev->bus_found ? -1 : 1;
    }
    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return (x->dev > y->dev) - (x->dev < y->dev);
}

static bool is_same_wire(const struct wire *x, const struct wire *y)
{
    struct wire same = *y;

    same.dev = x->dev;
    return (x->host || x->dev->bus_found == y->dev->bus_found) && compare_wires(x, &same) == 0;
}

static void report_address(const struct check *k, const struct wire *first,
                           const struct wire *w)
{
    const struct device_conf *dev = w->dev, *other = first->dev;

    check_error(k, dev, &dev->unit, E_ADDRESS,
                "device '%s' has the address of '%s' (bus '%s', unit %lld), see %s:%d",
                dev->id ? dev->id : "", other->id ? other->id : "", dev->bus,
                (long long)w->unit, other->mark.file, other->mark.line);
}

static void check_addresses(const struct check *k)
{
    const struct device_conf *dev = k->c->devices.items;
    struct wire *wires = calloc(k->c->devices.n + 1, sizeof *wires);
    size_t n = 0;

    if (!wires)
        return;
    for (size_t i = 0; i < k->c->devices.n; i++) {
        if (!dev[i].bus_found || !dev[i].is_enabled || !dev[i].bus_found->type.kind ||
            lora_bus_is(dev[i].bus_found))
            continue;
        const struct bus_tcp_conf *tcp = endpoint_of(dev[i].bus_found);
        const struct bus_modem_conf *modem = lora_modem_of(dev[i].bus_found);
        wires[n++] = (struct wire){ .dev = &dev[i],
                                    .host = tcp     ? tcp->host
                                            : modem ? modem->radio
                                                    : NULL,
                                    .port = tcp     ? tcp->port
                                            : modem ? -1
                                                    : 0,
                                    .unit = unit_of(&dev[i]) };
    }
    qsort(wires, n, sizeof *wires, compare_wires);
    size_t first = 0;
    for (size_t i = 1; i < n; i++) {
        if (is_same_wire(&wires[first], &wires[i]))
            report_address(k, &wires[first], &wires[i]);
        else
            first = i;
    }
    free(wires);
}

static void check_transport(const struct check *k, const struct device_conf *dev)
{
    const struct profile *p = dev->profile_found;
    const struct bus_conf *bus = dev->bus_found;

    if (is_serial(bus) && dev->unit == BROADCAST)
        check_error(k, dev, &dev->unit, E_ADDRESS,
                    "unit 0 is the broadcast address of a serial line, expected 1 to 247");
    bool is_factory_unit = p && p->serial.unit == dev->unit; /* some do leave the factory so */
    if (is_serial(bus) && dev->unit > UNIT_SERIAL_MAX && dev->unit <= UINT8_MAX &&
        !is_factory_unit)
        check_error(k, dev, &dev->unit, E_ADDRESS,
                    "unit %lld is a reserved address of a serial line, expected 1 to 247",
                    (long long)dev->unit);
    if (!p || !bus->type.kind || p->payload) /* of those check_lora() speaks */
        return;
    if (is_serial(bus) && !p->has_rtu)
        check_error(k, dev, &dev->bus, E_CONFLICT,
                    "profile '%s' does not work on a serial line, it speaks Modbus TCP alone",
                    p->id);
    if (tcp_of(bus) && !p->has_tcp) /* a serial server in Modbus TCP mode makes it right */
        check_warning(
            k, dev, &dev->bus, E_CONFLICT,
            "profile '%s' speaks Modbus RTU alone, a modbus-tcp bus reaches it through "
            "a gateway only",
            p->id);
}

static const struct profile_point *point_find(const struct profile *p, const char *id)
{
    for (size_t i = 0; i < p->points_n; i++) {
        if (strcmp(p->points[i].id, id) == 0)
            return &p->points[i];
    }
    return NULL;
}

static void report_point(const struct check *k, const struct profile *p,
                         const struct correction_conf *c)
{
    const char *ids[PROFILE_POINTS_MAX + 1];
    char shown[DIAG_SHOWN_BYTES];
    size_t n = 0;

    for (; n < p->points_n && n < PROFILE_POINTS_MAX; n++)
        ids[n] = p->points[n].id;
    ids[n] = NULL;
    const char *near = nearest_word(c->id, ids);
    utf8_shown(c->id, DIAG_SHOWN_MAX, shown, sizeof shown);
    check_error(k, c, &c->id, E_REFERENCE, "profile '%s' has no point '%s'%s%s%s", p->id, shown,
                near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

const struct correction_conf *check_correction_of(const struct device_conf *dev,
                                                  const char *point)
{
    const struct correction_conf *c = dev->channels.items;

    for (size_t i = 0; i < dev->channels.n; i++) {
        if (c[i].id && strcmp(c[i].id, point) == 0)
            return &c[i];
    }
    return NULL;
}

bool check_is_channel(const struct device_conf *dev, const struct profile_point *p)
{
    const struct correction_conf *c = check_correction_of(dev, p->id);

    return dev->is_enabled && p->quantity && p->role == POINT_MEASUREMENT &&
           !(c && !c->is_enabled);
}

/* The station gives no values to a command that it runs by itself. */
static void check_gas_command(const struct check *k, const struct correction_conf *c,
                              const struct profile *p, const char *const *command)
{
    const struct profile_command *found = *command ? command_find(p, *command) : NULL;

    if (!*command)
        return;
    if (!found)
        check_error(k, c, command, E_REFERENCE, "profile '%s' has no command '%s'", p->id,
                    *command);
    for (size_t i = 0; found && i < found->parameters_n; i++) {
        if (isnan(found->parameters[i].dflt))
            check_error(k, c, command, E_CONFLICT,
                        "command '%s' needs '%s', which a calibration cannot give it", *command,
                        found->parameters[i].id);
    }
}

static void check_calibration(const struct check *k, const struct device_conf *dev,
                              const struct correction_conf *c, const struct profile_point *p)
{
    const struct calibration_step_conf *steps = c->calibration.steps.items;

    if (!p->quantity)
        return;
    const struct calibration_setup setup = calibration_setup_of(&c->calibration, p->quantity);
    const char *error = calibration_setup_error(&setup);
    if (error)
        check_error(k, c, &c->id, E_RANGE, "the calibration of '%s' cannot work: %s", c->id,
                    error);
    for (size_t i = 0; i < c->calibration.steps.n; i++)
        check_gas_command(k, c, dev->profile_found, &steps[i].command);
    check_gas_command(k, c, dev->profile_found, &c->calibration.end);
}

static void check_channel(const struct check *k, const struct device_conf *dev,
                          const struct correction_conf *c)
{
    const struct profile *p = dev->profile_found;
    const struct profile_point *point = c->id ? point_find(p, c->id) : NULL;

    if (c->id && !point) {
        report_point(k, p, c);
        return;
    }
    if (c->factor == 0)
        check_error(k, c, &c->factor, E_RANGE,
                    "a factor of 0 would make every value the offset");
    if (point)
        check_calibration(k, dev, c, point);
    if (point && !point->quantity && point->role != POINT_MEASUREMENT)
        check_warning(k, c, &c->id, E_CONFLICT,
                      "point '%s' is no channel of profile '%s', nothing here has an effect",
                      c->id, p->id);
}

static void check_device(const struct check *k, const struct device_conf *dev)
{
    const struct correction_conf *channels = dev->channels.items;

    if (dev->bus_found)
        check_transport(k, dev);
    if (dev->poll_ms > 0 && dev->timeout_ms > dev->poll_ms)
        check_warning(k, dev, &dev->timeout_ms, E_CONFLICT,
                      "the timeout is longer than the poll interval");
    for (size_t i = 0; dev->profile_found && i < dev->channels.n; i++)
        check_channel(k, dev, &channels[i]);
}

void check_devices(const struct check *k)
{
    const struct bus_conf *buses = k->c->buses.items;
    const struct device_conf *devices = k->c->devices.items;

    for (size_t i = 0; i < k->c->buses.n; i++)
        check_bus(k, &buses[i]);
    for (size_t i = 0; i < k->c->devices.n; i++)
        check_device(k, &devices[i]);
    check_addresses(k);
}
