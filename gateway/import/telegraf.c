/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telegraf, inputs.modbus in its three styles: "register" (one unit, lists by kind of
 * register), "request" and "metric". Addresses are those of the wire.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/import/formats.h"
#include "gateway/import/reader.h"

enum { INTERVAL_MS = 10000 }; /* Telegraf's own default */

struct plugin {
    struct tree *table;
    const char *name; /* NULL: not given */
    const struct import_bus *bus;
    int64_t poll_ms, timeout_ms, pause_ms, read_max;
    bool is_single, is_placed; /* is_placed: the address is known */
};

static const struct {
    const char *name;
    enum value_type type;
    size_t words; /* 0: any, the list of addresses decides */
    uint64_t mask;
    uint8_t shift;
} types[] = {
    { "INT16", TYPE_S16, 1, 0, 0 },        { "UINT16", TYPE_U16, 1, 0, 0 },
    { "INT32", TYPE_S32, 2, 0, 0 },        { "UINT32", TYPE_U32, 2, 0, 0 },
    { "INT64", TYPE_S64, 4, 0, 0 },        { "UINT64", TYPE_U64, 4, 0, 0 },
    { "FLOAT32", TYPE_F32, 2, 0, 0 },      { "FLOAT64", TYPE_F64, 4, 0, 0 },
    { "FLOAT32-IEEE", TYPE_F32, 2, 0, 0 }, { "FLOAT64-IEEE", TYPE_F64, 4, 0, 0 },
    { "UINT8L", TYPE_U16, 1, 0x00ff, 0 },  { "UINT8H", TYPE_U16, 1, 0xff00, 8 },
    { "BIT", TYPE_BIT, 1, 0, 0 },          { "STRING", TYPE_TEXT, 0, 0, 0 },
};

/* Fixed-point types of the "register" style: an integer as wide as its addresses. */
static const struct {
    const char *name;
    enum value_type by_words[5];
} fixed_types[] = {
    { "FIXED", { TYPE_TEXT, TYPE_S16, TYPE_S32, TYPE_TEXT, TYPE_S64 } },
    { "UFIXED", { TYPE_TEXT, TYPE_U16, TYPE_U32, TYPE_TEXT, TYPE_U64 } },
    { "FLOAT32", { TYPE_TEXT, TYPE_U16, TYPE_U32, TYPE_TEXT, TYPE_U64 } }, /* its old name */
};

static const struct {
    const char *name;
    enum word_order order;
} orders[] = {
    { "", ORDER_ABCD },         { "AB", ORDER_ABCD },       { "ABCD", ORDER_ABCD },
    { "ABCDEFGH", ORDER_ABCD }, { "MSW-BE", ORDER_ABCD },   { "BA", ORDER_DCBA },
    { "DCBA", ORDER_DCBA },     { "HGFEDCBA", ORDER_DCBA }, { "LSW-LE", ORDER_DCBA },
    { "BADC", ORDER_BADC },     { "BADCFEHG", ORDER_BADC }, { "MSW-LE", ORDER_BADC },
    { "CDAB", ORDER_CDAB },     { "GHEFCDAB", ORDER_CDAB }, { "LSW-BE", ORDER_CDAB },
};

static const struct {
    const char *name;
    uint8_t space;
} spaces[] = {
    { "coil", SPACE_COIL },
    { "discrete", SPACE_DISCRETE },
    { "holding", SPACE_HOLDING },
    { "input", SPACE_INPUT },
};

/* What only Telegraf itself needs: names and marks of its output, and how it asks. */
static const char *const harmless[] = { "name_override",
                                        "name_prefix",
                                        "name_suffix",
                                        "alias",
                                        "tags",
                                        "measurement",
                                        "output",
                                        "optimization",
                                        "optimization_max_register_fill",
                                        "debug_connection",
                                        "log_level",
                                        "precision",
                                        "collection_jitter",
                                        "collection_offset",
                                        "exclude_register_type_tag",
                                        "busy_retries",
                                        "busy_retries_wait",
                                        "max_bit_registers_per_request",
                                        "tagexclude",
                                        "taginclude",
                                        "fieldinclude",
                                        "fieldexclude",
                                        "fieldpass",
                                        "fielddrop",
                                        "namepass",
                                        "namedrop",
                                        NULL };

/* ---- one point ---- */

struct reading_of { /* what the three styles say of a field, in one form */
    const char *name, *type, *order;
    double scale;
    int64_t address, words, bit;
    uint8_t space;
    bool is_register_style;
};

static bool set_type(const struct reading_of *f, struct import_point *p)
{
    for (size_t i = 0; f->is_register_style && i < 3; i++) {
        if (strcmp(f->type, fixed_types[i].name) != 0)
            continue;
        p->type = f->words < 5 ? fixed_types[i].by_words[f->words] : TYPE_TEXT;
        return p->type != TYPE_TEXT;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(f->type, types[i].name) != 0)
            continue;
        p->type = types[i].type;
        p->mask = types[i].mask;
        p->shift = types[i].shift;
        p->count = (uint16_t)f->words;
        return !f->is_register_style || (int64_t)types[i].words == f->words;
    }
    return false;
}

static bool set_order(const char *name, struct import_point *p)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (strcmp(name, orders[i].name) != 0)
            continue;
        p->order = orders[i].order;
        return true;
    }
    return false;
}

static void add_point(struct import_reader *r, struct import_device *dev, struct tree *at,
                      const struct reading_of *f)
{
    struct import_point p = import_point_init(f->name, f->space, f->address, at->line);

    if (f->space == SPACE_COIL || f->space == SPACE_DISCRETE) {
        p.type = TYPE_BIT;
    } else if (!set_type(f, &p)) {
        import_note(r, IMPORT_TYPE, import_format_text(r, "%s: %s", f->name, f->type), at->line,
                    dev);
        return;
    } else if (!set_order(f->order, &p)) {
        import_note(r, IMPORT_ORDER, import_format_text(r, "%s: %s", f->name, f->order),
                    at->line, dev);
        return;
    }
    if (p.type == TYPE_BIT && f->space >= SPACE_HOLDING)
        p.bit = (int)f->bit;
    if (p.type != TYPE_BIT && p.type != TYPE_TEXT)
        p.scale = f->scale;
    import_add_point(r, dev, &p);
    import_note_rest(r, at, harmless, dev);
}

static int refuse_name(struct import_reader *r, const struct tree *at)
{
    tree_error(&r->maker, at, E_MISSING_KEY, "a field needs 'name' and 'address'");
    return -EINVAL;
}

/* ---- "register" ---- */

/* address = [3, 4]: neighbours, in order. */
static bool read_addresses(struct import_reader *r, struct tree *field, int64_t *ret_first,
                           int64_t *ret_n)
{
    struct tree *list = import_find(field, "address");
    int64_t v, n = 0;

    if (list && list->kind != TREE_LIST) {
        tree_error(&r->maker, list, E_KIND, "'address' should be a list such as [3, 4]");
        return false;
    }
    for (const struct tree *i = list ? list->first : NULL; i; i = i->next, n++) {
        if (i->kind != TREE_WORD || !import_scan_int(i->text, &v) || v < 0 || v > UINT16_MAX) {
            tree_error(&r->maker, i, E_VALUE, "an address is a whole number from 0 to 65535");
            return false;
        }
        if (n == 0)
            *ret_first = v;
        if (v == *ret_first + n)
            continue;
        tree_error(&r->maker, i, E_VALUE, "the addresses of one field follow each other");
        return false;
    }
    *ret_n = n;
    return true;
}

static int read_register_list(struct import_reader *r, struct plugin *p,
                              struct import_device *dev, const char *key, uint8_t space)
{
    struct tree *list;

    if (!import_list(r, p->table, key, &list))
        return -EINVAL;
    for (struct tree *t = list ? list->first : NULL; t; t = t->next) {
        struct reading_of f = {
            .type = "", .order = "", .scale = 1, .space = space, .is_register_style = true
        };
        if (!import_text(r, t, "name", &f.name) || !import_text(r, t, "data_type", &f.type) ||
            !import_text(r, t, "byte_order", &f.order) ||
            !import_number(r, t, "scale", &f.scale) ||
            !read_addresses(r, t, &f.address, &f.words))
            return -EINVAL;
        if (!f.name || f.words == 0)
            return refuse_name(r, t);
        add_point(r, dev, t, &f);
    }
    return 0;
}

static struct import_device *add_device(struct import_reader *r, const struct plugin *p,
                                        int64_t unit, bool is_only, int line)
{
    char name[200];

    snprintf(name, sizeof name, is_only && p->name ? "%s" : "%s-%d",
             p->name ? p->name : r->plan->base, (int)unit);
    struct import_device *d = import_add_device(r, p->bus, (int)unit, p->poll_ms, name, line);
    if (!d)
        return NULL;
    if (unit == 0 && p->bus->kind != IMPORT_TCP && !d->points)
        import_note(r, IMPORT_ZERO_UNIT, d->id, line, d);
    d->timeout_ms = p->timeout_ms;
    d->pause_ms = p->pause_ms;
    d->read_max = p->read_max;
    d->is_single = p->is_single;
    d->is_enabled = p->is_placed;
    return d;
}

static int read_registers(struct import_reader *r, struct plugin *p)
{
    static const struct {
        const char *key;
        uint8_t space;
    } lists[] = { { "discrete_inputs", SPACE_DISCRETE },
                  { "coils", SPACE_COIL },
                  { "holding_registers", SPACE_HOLDING },
                  { "input_registers", SPACE_INPUT } };
    int64_t unit = 0;

    if (!import_int(r, p->table, "slave_id", 0, 255, &unit))
        return -EINVAL;
    struct import_device *dev = add_device(r, p, unit, true, p->table->line);
    for (size_t i = 0; dev && i < 4; i++)
        if (read_register_list(r, p, dev, lists[i].key, lists[i].space) < 0)
            return -EINVAL;
    return dev ? 0 : -ENOMEM;
}

/* ---- "request" and "metric" ---- */

static bool set_space(struct import_reader *r, struct tree *at, const char *name, uint8_t *ret)
{
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(name, spaces[i].name) != 0)
            continue;
        *ret = spaces[i].space;
        return true;
    }
    tree_error(&r->maker, tree_get(at, "register"), E_WORD,
               "'register' should be coil, discrete, holding or input, found '%s'", name);
    return false;
}

static int read_field(struct import_reader *r, struct import_device *dev, struct tree *t,
                      const char *order, const char *space)
{
    struct reading_of f = { .type = "", .order = order, .scale = 1, .address = -1, .words = 1 };
    bool is_omitted = false;

    if (!import_text(r, t, "name", &f.name) || !import_text(r, t, "type", &f.type) ||
        !import_text(r, t, "register", &space) ||
        !import_int(r, t, "address", 0, UINT16_MAX, &f.address) ||
        !import_int(r, t, "length", 1, 125, &f.words) ||
        !import_int(r, t, "bit", 0, 15, &f.bit) || !import_number(r, t, "scale", &f.scale) ||
        !import_bool(r, t, "omit", &is_omitted) || !set_space(r, t, space, &f.space))
        return -EINVAL;
    if (is_omitted) /* only fills a hole of a request */
        return 0;
    if (!f.name || f.address < 0)
        return refuse_name(r, t);
    if (f.scale == 0) /* as if not given, as Telegraf has it */
        f.scale = 1;
    add_point(r, dev, t, &f);
    return 0;
}

static int read_request(struct import_reader *r, struct plugin *p, struct tree *t, bool is_only)
{
    const char *order = "", *space = "holding";
    int64_t unit = 0;
    struct tree *fields;

    if (!import_int(r, t, "slave_id", 0, 255, &unit) ||
        !import_text(r, t, "byte_order", &order) || !import_text(r, t, "register", &space) ||
        !import_list(r, t, "fields", &fields))
        return -EINVAL;
    struct import_device *dev = add_device(r, p, unit, is_only, t->line);
    if (!dev)
        return -ENOMEM;
    for (struct tree *f = fields ? fields->first : NULL; f; f = f->next)
        if (read_field(r, dev, f, order, space) < 0)
            return -EINVAL;
    import_note_rest(r, t, harmless, dev);
    return 0;
}

/* Whether all name the same unit: then the plugin's name is the device's. */
static bool is_one_unit(const struct tree *list)
{
    const char *first = NULL;

    for (const struct tree *t = list->first; t; t = t->next) {
        const struct tree *unit = tree_get(t, "slave_id");
        const char *text = unit ? unit->text : "0";
        if (first && strcmp(first, text) != 0)
            return false;
        first = text;
    }
    return true;
}

static int read_requests(struct import_reader *r, struct plugin *p, const char *key)
{
    struct tree *list;

    if (!import_list(r, p->table, key, &list))
        return -EINVAL;
    for (struct tree *t = list ? list->first : NULL; t; t = t->next) {
        int err = read_request(r, p, t, is_one_unit(list));
        if (err < 0)
            return err;
    }
    return 0;
}

/* ---- where ---- */

static int refuse_controller(struct import_reader *r, const struct tree *at)
{
    tree_error(&r->maker, at, E_VALUE,
               "'controller' should be tcp://HOST:PORT or file:///dev/PORT");
    return -EINVAL;
}

static bool has_variable(const char *text)
{
    return strchr(text, '$') || strstr(text, "@{");
}

/* tcp://host:port */
static int place_tcp(struct import_reader *r, const struct tree *at, struct import_bus *bus)
{
    const char *from = strstr(at->text, "://") + 3, *colon = strrchr(from, ':');
    char host[256];

    if (!colon || colon == from || !import_scan_int(colon + 1, &bus->port) || bus->port < 1 ||
        bus->port > UINT16_MAX)
        return refuse_controller(r, at);
    bool is_v6 = from[0] == '[' && colon[-1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(colon - from - 2 * is_v6), from + is_v6);
    if (!host[0] || strlen(host) > 253 || strpbrk(host, " \t/@?#"))
        return refuse_controller(r, at);
    bus->host = import_copy(r, host);
    return 0;
}

/* Its presence switches the driver's direction control on. */
static int read_rs485(struct import_reader *r, struct tree *t, struct import_bus *bus)
{
    bool is_high = false;

    if (!t)
        return 0;
    if (!import_bool(r, t, "rts_high_during_send", &is_high) ||
        !import_duration(r, t, "delay_rts_before_send", 1, &bus->rts_before_ms) ||
        !import_duration(r, t, "delay_rts_after_send", 1, &bus->rts_after_ms))
        return -EINVAL;
    bus->rts = is_high ? "high" : "low";
    import_note_rest(r, t, (const char *const[]){ "rts_high_after_send", NULL }, NULL);
    return 0;
}

static int place_serial(struct import_reader *r, struct tree *table, const struct tree *at,
                        struct import_bus *bus)
{
    const char *parity = "N";
    int64_t data = 8, stop = 1;

    bus->kind = IMPORT_RTU;
    bus->baud = 9600;
    bus->device = at->text + strlen("file://");
    if (bus->device[0] != '/')
        return refuse_controller(r, at);
    if (!import_int(r, table, "baud_rate", 300, 921600, &bus->baud) ||
        !import_int(r, table, "data_bits", 5, 8, &data) ||
        !import_int(r, table, "stop_bits", 1, 2, &stop) ||
        !import_text(r, table, "parity", &parity))
        return -EINVAL;
    bus->format = import_serial_format(r, data, parity, stop, at->line);
    return read_rs485(r, import_find(table, "rs485"), bus);
}

/* 0; 1: told and left out; -EINVAL. */
static int read_place(struct import_reader *r, struct plugin *p)
{
    struct tree *at = import_find(p->table, "controller");
    struct import_bus bus = { .line = p->table->line };
    const char *mode = "";
    int err = 0;

    if (!at || at->kind != TREE_TEXT)
        return refuse_controller(r, at ? at : p->table);
    if (!import_text(r, p->table, "transmission_mode", &mode))
        return -EINVAL;
    if (strncmp(mode, "ASCII", 5) == 0) {
        import_note(r, IMPORT_ASCII, at->text, at->line, NULL);
        return 1;
    }
    if (strstr(mode, "UDP") || strncmp(at->text, "udp://", 6) == 0) {
        import_note(r, IMPORT_UDP, at->text, at->line, NULL);
        return 1;
    }
    p->is_placed = !has_variable(at->text);
    bus.kind = strcmp(mode, "RTUoverTCP") == 0 ? IMPORT_RTU_TCP : IMPORT_TCP;
    if (!p->is_placed) {
        import_note(r, IMPORT_VARIABLE, at->text, at->line, NULL);
        bus.host = "192.0.2.1"; /* an address that belongs to nobody: RFC 5737 */
        bus.port = 502;
    } else if (strncmp(at->text, "tcp://", 6) == 0) {
        err = place_tcp(r, at, &bus);
    } else if (strncmp(at->text, "file://", 7) == 0) {
        err = place_serial(r, p->table, at, &bus);
    } else {
        err = refuse_controller(r, at);
    }
    if (err == 0)
        p->bus = import_add_bus(r, &bus, p->name ? p->name : r->plan->base);
    return err ? err : p->bus ? 0 : -ENOMEM;
}

static int read_workarounds(struct import_reader *r, struct plugin *p)
{
    struct tree *t = import_find(p->table, "workarounds");

    if (!t)
        return 0;
    if (!import_duration(r, t, "pause_between_requests", 1, &p->pause_ms) ||
        !import_bool(r, t, "one_request_per_field", &p->is_single) ||
        !import_int(r, t, "max_word_registers_per_request", 1, 125, &p->read_max))
        return -EINVAL;
    import_note_rest(r, t, harmless, NULL);
    return 0;
}

static int read_plugin(struct import_reader *r, struct tree *table, int64_t interval_ms)
{
    struct plugin p = { .table = table, .poll_ms = interval_ms };
    const char *style = "register";

    if (!import_text(r, table, "name", &p.name) ||
        !import_text(r, table, "configuration_type", &style) ||
        !import_duration(r, table, "interval", 1000, &p.poll_ms) ||
        !import_duration(r, table, "timeout", 1000, &p.timeout_ms))
        return -EINVAL;
    int err = read_place(r, &p);
    if (err)
        return err < 0 ? err : 0;
    err = read_workarounds(r, &p);
    if (err == 0 && strcmp(style, "register") == 0)
        err = read_registers(r, &p);
    else if (err == 0 && (strcmp(style, "request") == 0 || strcmp(style, "metric") == 0))
        err = read_requests(r, &p, style);
    else if (err == 0) {
        tree_error(&r->maker, tree_get(table, "configuration_type"), E_WORD,
                   "'configuration_type' should be register, request or metric, found '%s'",
                   style);
        err = -EINVAL;
    }
    if (err == 0)
        import_note_rest(r, table, harmless, NULL);
    return err;
}

int telegraf_read(struct import_reader *r, const char *text, size_t size)
{
    struct tree *root = toml_read(&r->maker, text, size), *list;
    struct tree *agent = tree_get(root, "agent"), *inputs = tree_get(root, "inputs");
    int64_t interval_ms = INTERVAL_MS;

    if (!root)
        return -EINVAL;
    if (agent && !import_duration(r, agent, "interval", 1000, &interval_ms))
        return -EINVAL;
    if (!inputs || !import_list(r, inputs, "modbus", &list) || !list) {
        if (diag_errors(r->d) == 0)
            tree_error(&r->maker, NULL, E_MISSING_KEY,
                       "no [[inputs.modbus]] stands in the file");
        return -EINVAL;
    }
    for (struct tree *t = list->first; t; t = t->next) {
        int err = read_plugin(r, t, interval_ms);
        if (err < 0)
            return err;
    }
    return 0;
}
