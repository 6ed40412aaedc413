/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collectd, plugin modbus: <Data> tells a register, <Host> and <Slave> who is asked for which.
 * Names of settings do not mind capitals. Addresses are those of the wire; serial lines are
 * 8N1; value = register * Scale + Shift.
 */
#include <errno.h>
#include <string.h>

#include "gateway/import/formats.h"
#include "gateway/import/reader.h"

enum { INTERVAL_MS = 10000, DATA_MAX = 2000 /* looked for by name, one by one */ };

static const struct {
    const char *name;
    enum value_type type;
    enum word_order order;
} types[] = {
    { "Int16", TYPE_S16, ORDER_ABCD },  { "Uint16", TYPE_U16, ORDER_ABCD },
    { "Int32", TYPE_S32, ORDER_ABCD },  { "Int32LE", TYPE_S32, ORDER_CDAB },
    { "Uint32", TYPE_U32, ORDER_ABCD }, { "Uint32LE", TYPE_U32, ORDER_CDAB },
    { "Float", TYPE_F32, ORDER_ABCD },  { "FloatLE", TYPE_F32, ORDER_CDAB },
    { "Int64", TYPE_S64, ORDER_ABCD },  { "Uint64", TYPE_U64, ORDER_ABCD },
};

/* Names of collectd's output. */
static const char *const harmless[] = { "Type",  "Instance", "Metric",      "MetricPrefix",
                                        "Label", "Help",     "ModelSocket", NULL };

/* As import_find(), whatever the capitals. */
static struct tree *find(struct tree *block, const char *key)
{
    for (struct tree *t = block->first; t; t = t->next) {
        if (!t->key || strcasecmp(t->key, key) != 0)
            continue;
        t->is_used = true;
        return t;
    }
    return NULL;
}

static bool expected(struct import_reader *r, const struct tree *at, const char *what)
{
    tree_error(&r->maker, at, E_VALUE, "'%s' should be %s, found '%s'", at->key, what,
               at->text);
    return false;
}

static bool read_text(struct import_reader *r, struct tree *block, const char *key,
                      const char **ret)
{
    struct tree *t = find(block, key);

    if (t && t->n != 1)
        return expected(r, t, "one value");
    if (t)
        *ret = t->first->text;
    return true;
}

static bool read_int(struct import_reader *r, struct tree *block, const char *key, int64_t min,
                     int64_t max, int64_t *ret)
{
    struct tree *t = find(block, key);
    int64_t v;

    if (!t)
        return true;
    if (t->n != 1 || !import_scan_int(t->text, &v) || v < min || v > max)
        return expected(r, t, max > UINT16_MAX ? "a whole number" : "a number up to 65535");
    *ret = v;
    return true;
}

static bool read_number(struct import_reader *r, struct tree *block, const char *key,
                        double *ret)
{
    struct tree *t = find(block, key);

    if (t && (t->n != 1 || !import_scan_number(t->text, ret)))
        return expected(r, t, "a number");
    return true;
}

static bool read_seconds(struct import_reader *r, struct tree *block, int64_t *ret_ms)
{
    double s = (double)*ret_ms / 1000;
    struct tree *t = find(block, "Interval");

    if (!read_number(r, block, "Interval", &s))
        return false;
    if (s < 0.1 || s > 86400)
        return expected(r, t, "seconds from 0.1 to 86400");
    *ret_ms = (int64_t)(s * 1000 + 0.5);
    return true;
}

/* Settings that nobody asked for; unlike Telegraf's their names do not mind capitals. */
static void note_rest(struct import_reader *r, const struct tree *block,
                      const struct import_device *dev)
{
    for (struct tree *t = block->first; t; t = t->next)
        for (size_t i = 0; t->key && harmless[i]; i++)
            t->is_used |= strcasecmp(t->key, harmless[i]) == 0;
    import_note_rest(r, block, NULL, dev);
}

/* ---- what is read ---- */

static struct tree *find_data(struct tree *plugin, const char *name)
{
    for (struct tree *t = plugin->first; t; t = t->next)
        if (t->key && strcasecmp(t->key, "Data") == 0 && strcasecmp(t->text, name) == 0)
            return t;
    return NULL;
}

static bool set_type(const char *name, struct import_point *p)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcasecmp(types[i].name, name) != 0)
            continue;
        p->type = types[i].type;
        p->order = types[i].order;
        return true;
    }
    return false;
}

static int add_point(struct import_reader *r, struct import_device *dev, struct tree *data)
{
    const char *type = "Uint16", *command = "ReadHolding";
    int64_t base = -1;
    struct import_point p = import_point_init(data->text, SPACE_HOLDING, 0, data->line);

    if (!read_text(r, data, "RegisterType", &type) ||
        !read_text(r, data, "RegisterCmd", &command) ||
        !read_int(r, data, "RegisterBase", 0, UINT16_MAX, &base) ||
        !read_number(r, data, "Scale", &p.scale) || !read_number(r, data, "Shift", &p.offset))
        return -EINVAL;
    if (base < 0) {
        tree_error(&r->maker, data, E_MISSING_KEY, "<Data> needs RegisterBase");
        return -EINVAL;
    }
    bool is_input = strcasecmp(command, "ReadInput") == 0;
    if (!is_input && strcasecmp(command, "ReadHolding") != 0) {
        expected(r, find(data, "RegisterCmd"), "ReadHolding or ReadInput");
        return -EINVAL;
    }
    p.first = (uint16_t)base;
    p.space = is_input ? SPACE_INPUT : SPACE_HOLDING;
    if (set_type(type, &p))
        import_add_point(r, dev, &p);
    else
        import_note(r, IMPORT_TYPE, import_format_text(r, "%s: %s", data->text, type),
                    data->line, dev);
    note_rest(r, data, dev);
    return 0;
}

/* ---- who is asked ---- */

static int read_slave(struct import_reader *r, struct tree *plugin, struct tree *host,
                      struct tree *slave, const struct import_bus *bus, int64_t poll_ms)
{
    int64_t unit;

    if (slave->n == 0 || !import_scan_int(slave->text, &unit) || unit < 0 || unit > 255) {
        expected(r, slave, "a number from 0 to 255");
        return -EINVAL;
    }
    struct import_device *dev =
        import_add_device(r, bus, (int)unit, poll_ms,
                          import_format_text(r, "%s-%d", host->text, (int)unit), slave->line);
    if (!dev)
        return -ENOMEM;
    if (unit == 0 && bus->kind == IMPORT_RTU)
        import_note(r, IMPORT_ZERO_UNIT, dev->id, slave->line, dev);
    for (struct tree *t = slave->first; t; t = t->next) {
        if (!t->key || strcasecmp(t->key, "Collect") != 0)
            continue;
        t->is_used = true;
        for (const struct tree *name = t->first; name; name = name->next) {
            struct tree *data = find_data(plugin, name->text);
            if (!data)
                import_note(r, IMPORT_UNKNOWN_DATA, name->text, t->line, dev);
            else if (add_point(r, dev, data) < 0)
                return -EINVAL;
        }
    }
    note_rest(r, slave, dev);
    return 0;
}

static int read_place(struct import_reader *r, struct tree *host, struct import_bus *bus)
{
    const char *uart = "";

    bus->port = 502;
    bus->baud = 0;
    if (!read_text(r, host, "Address", &bus->host) ||
        !read_text(r, host, "Device", &bus->device) || !read_text(r, host, "UARTType", &uart) ||
        !read_int(r, host, "Port", 1, UINT16_MAX, &bus->port) ||
        !read_int(r, host, "Baudrate", 300, 921600, &bus->baud))
        return -EINVAL;
    if (!bus->host == !bus->device) {
        tree_error(&r->maker, host, E_MISSING_KEY,
                   "<Host> needs either Address or Device with Baudrate");
        return -EINVAL;
    }
    bus->kind = bus->device ? IMPORT_RTU : IMPORT_TCP;
    if (bus->device && (bus->baud == 0 || bus->device[0] != '/')) {
        tree_error(&r->maker, host, E_MISSING_KEY,
                   "a serial <Host> needs Device with a path and Baudrate");
        return -EINVAL;
    }
    if (strncasecmp(uart, "RS485", 5) == 0)
        bus->rts = "high"; /* what the driver does where nothing else is said */
    return 0;
}

static int read_host(struct import_reader *r, struct tree *plugin, struct tree *host,
                     int64_t interval_ms)
{
    struct import_bus place = { .line = host->line };

    if (!*host->text) {
        tree_error(&r->maker, host, E_MISSING_KEY, "<Host> needs a name");
        return -EINVAL;
    }
    if (!read_seconds(r, host, &interval_ms) || read_place(r, host, &place) < 0)
        return -EINVAL;
    const struct import_bus *bus = import_add_bus(r, &place, host->text);
    int err = bus ? 0 : -ENOMEM;
    for (struct tree *t = host->first; err == 0 && t; t = t->next) {
        if (!t->key || strcasecmp(t->key, "Slave") != 0)
            continue;
        t->is_used = true;
        err = read_slave(r, plugin, host, t, bus, interval_ms);
    }
    if (err == 0)
        note_rest(r, host, NULL);
    return err;
}

static bool is_modbus(const struct tree *t)
{
    return t->key && strcasecmp(t->key, "Plugin") == 0 && strcasecmp(t->text, "modbus") == 0;
}

static size_t count_data(const struct tree *plugin)
{
    size_t n = 0;

    for (const struct tree *t = plugin->first; t; t = t->next)
        n += t->key && strcasecmp(t->key, "Data") == 0;
    return n;
}

static int read_plugin(struct import_reader *r, struct tree *plugin, int64_t interval_ms)
{
    if (count_data(plugin) > DATA_MAX) {
        tree_error(&r->maker, plugin, E_FILE, "more than %d <Data> blocks", DATA_MAX);
        return -EINVAL;
    }
    for (struct tree *t = plugin->first; t; t = t->next) {
        if (!t->key)
            continue;
        t->is_used = strcasecmp(t->key, "Data") == 0 || strcasecmp(t->key, "Host") == 0;
        int err = strcasecmp(t->key, "Host") == 0 ? read_host(r, plugin, t, interval_ms) : 0;
        if (err < 0)
            return err;
    }
    import_note_rest(r, plugin, NULL, NULL);
    return 0;
}

int collectd_read(struct import_reader *r, const char *text, size_t size)
{
    struct tree *root = blocks_read(&r->maker, text, size);
    int64_t interval_ms = INTERVAL_MS;
    bool is_found = false;

    if (!root || !read_seconds(r, root, &interval_ms))
        return -EINVAL;
    for (struct tree *t = root->first; t; t = t->next) {
        if (!is_modbus(t))
            continue;
        is_found = true;
        int err = read_plugin(r, t, interval_ms);
        if (err < 0)
            return err;
    }
    if (!is_found)
        tree_error(&r->maker, NULL, E_MISSING_KEY, "no <Plugin modbus> stands in the file");
    return is_found ? 0 : -EINVAL;
}
