/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Home Assistant, integration modbus: hubs with sensors and binary_sensors. What writes
 * (switches, climates ...) is noted. Addresses are those of the wire; value = scale * raw +
 * offset. Of a whole configuration.yaml only the part below `modbus:` is read; a file without
 * one is taken as what an !include of `modbus:` names.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/yaml.h"
#include "gateway/import/formats.h"
#include "gateway/import/reader.h"

enum { SCAN_MS = 15000, /* of an entity that names none */ TWINS_MAX = 100 };

static const struct {
    const char *name;
    enum value_type type;
} types[] = {
    { "int16", TYPE_S16 },   { "uint16", TYPE_U16 },  { "int32", TYPE_S32 },
    { "uint32", TYPE_U32 },  { "int64", TYPE_S64 },   { "uint64", TYPE_U64 },
    { "float32", TYPE_F32 }, { "float64", TYPE_F64 }, { "string", TYPE_TEXT },
};

/* Until 2022 a type had no width: `count` gave it. */
static const struct {
    const char *name;
    enum value_type by_words[5];
} wide_types[] = {
    { "int", { TYPE_S16, TYPE_S16, TYPE_S32, TYPE_BIT, TYPE_S64 } },
    { "uint", { TYPE_U16, TYPE_U16, TYPE_U32, TYPE_BIT, TYPE_U64 } },
    { "float", { TYPE_F32, TYPE_BIT, TYPE_F32, TYPE_BIT, TYPE_F64 } },
};

static const struct {
    const char *name;
    enum word_order order;
} swaps[] = {
    { "none", ORDER_ABCD },
    { "byte", ORDER_BADC },
    { "word", ORDER_CDAB },
    { "word_byte", ORDER_DCBA },
};

static const struct {
    const char *name;
    uint8_t space;
} inputs[] = {
    { "holding", SPACE_HOLDING },
    { "input", SPACE_INPUT },
    { "coil", SPACE_COIL },
    { "discrete_input", SPACE_DISCRETE },
};

/* How entities look and are named there. `precision` rounds what is shown; here a value keeps
 * the decimals of its scale. */
static const char *const harmless[] = {
    "unique_id",           "device_class",    "state_class", "icon",  "precision",
    "lazy_error_count",    "entity_category", "verify",      "count", "retries",
    "close_comm_on_error", "retry_on_empty",  "method",      NULL
};
static const char *const written[] = {
    "switches", "climates", "covers", "lights", "fans", NULL
};

struct hub {
    struct tree *table;
    const char *name;
    const struct import_bus *bus;
    int64_t timeout_ms, pause_ms;
    bool is_placed;
};

/* ---- YAML to a tree ---- */

static struct tree *convert(struct import_reader *r, const struct yaml *y, struct fy_node *node,
                            struct tree *parent, const char *key, int depth)
{
    enum tree_kind kind = fy_node_is_mapping(node)    ? TREE_TABLE
                          : fy_node_is_sequence(node) ? TREE_LIST
                                                      : TREE_WORD;
    struct field_mark mark = yaml_mark(y, node);
    struct tree *t = depth <= TREE_DEPTH_MAX ? tree_add(&r->maker, parent, kind, key) : NULL;
    struct fy_node_pair *pair;
    struct fy_node *item;
    void *state = NULL;

    if (!t)
        return NULL;
    t->line = mark.line;
    t->column = mark.column;
    t->width = yaml_width(node);
    if (kind == TREE_WORD)
        t->text = yaml_is_null(node) ? "" : import_copy(r, yaml_text(node));
    while (kind == TREE_TABLE && (pair = fy_node_mapping_iterate(node, &state))) {
        const char *name = import_copy(r, yaml_text(fy_node_pair_key(pair)));
        if (!convert(r, y, fy_node_pair_value(pair), t, name, depth + 1))
            return NULL;
    }
    while (kind == TREE_LIST && (item = fy_node_sequence_iterate(node, &state)))
        if (!convert(r, y, item, t, NULL, depth + 1))
            return NULL;
    return t;
}

/* Whether a line at column 1 begins the part that is read. */
static bool opens_part(const char *line, size_t n)
{
    return n >= 7 && memcmp(line, "modbus:", 7) == 0;
}

static bool is_tag(const char *p, size_t n)
{
    static const char *const tags[] = { "!secret ", "!include", "!env_var " };

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (n >= strlen(tags[i]) && memcmp(p, tags[i], strlen(tags[i])) == 0)
            return true;
    return false;
}

/* Everything outside the part becomes blanks, so that the places stay; "!secret x" becomes the
 * text "_secret x". */
static void blank_rest(char *text, size_t size)
{
    bool has_part = false, is_inside = false;

    for (size_t i = 0; i < size; i++)
        has_part |= (i == 0 || text[i - 1] == '\n') && opens_part(text + i, size - i);
    for (size_t i = 0; i < size;) {
        char *end = memchr(text + i, '\n', size - i);
        size_t next = end ? (size_t)(end - text) + 1 : size;
        if (!strchr(" \t#-\r\n", text[i]) || opens_part(text + i, size - i))
            is_inside = opens_part(text + i, size - i);
        for (; i < next; i++) {
            if (has_part && !is_inside && text[i] != '\n')
                text[i] = ' ';
            else if (is_tag(text + i, size - i) && i > 0 && text[i - 1] == ' ')
                text[i] = '_';
        }
    }
}

static struct tree *read_tree(struct import_reader *r, const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    size_t before = diag_errors(r->d);

    if (!copy) {
        r->has_failed = true;
        return NULL;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    blank_rest(copy, size);
    struct yaml *y = yaml_load_text(r->maker.file, copy, size, r->d);
    struct fy_node *root = y ? yaml_root(y) : NULL;
    struct tree *t = NULL;
    if (root && diag_errors(r->d) == before)
        t = convert(r, y, root, NULL, NULL, 1);
    if (!t && diag_errors(r->d) == before)
        tree_error(&r->maker, NULL, E_VALUE,
                   root ? "more than 32 levels of lists and groups" : "the file is empty");
    yaml_destroy(y);
    free(copy);
    return t;
}

/* ---- one entity ---- */

static const char *elsewhere(const char *text)
{
    return text && (strncmp(text, "_secret", 7) == 0 || strncmp(text, "_include", 8) == 0 ||
                    strncmp(text, "_env_var", 8) == 0)
               ? text
               : NULL;
}

static bool set_space(struct import_reader *r, struct tree *at, const char *name, uint8_t *ret)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        if (strcmp(inputs[i].name, name) != 0)
            continue;
        *ret = inputs[i].space;
        return true;
    }
    tree_error(&r->maker, tree_get(at, "input_type"), E_WORD,
               "'input_type' should be holding, input, coil or discrete_input, found '%s'",
               name);
    return false;
}

/* False: no type that is read here. */
static bool set_type(const char *name, int64_t count, struct import_point *p)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) != 0)
            continue;
        p->type = types[i].type;
        p->count = (uint16_t)count;
        return true;
    }
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(wide_types[i].name, name) != 0)
            continue;
        p->type = count < 5 ? wide_types[i].by_words[count] : TYPE_BIT;
        return p->type != TYPE_BIT;
    }
    return false;
}

static bool set_swap(struct import_reader *r, struct tree *at, struct import_point *p)
{
    const char *swap = "none";

    if (!import_text(r, at, "swap", &swap))
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(swaps[i].name, swap) != 0)
            continue;
        p->order = swaps[i].order;
        return true;
    }
    tree_error(&r->maker, tree_get(at, "swap"), E_WORD,
               "'swap' should be none, byte, word or word_byte, found '%s'", swap);
    return false;
}

/* nan_value: the number as it is before scale and offset, "0x8000" too; its negative counts as
 * well there. */
static void set_invalid(struct import_reader *r, struct tree *at, struct import_device *dev,
                        struct import_point *p)
{
    struct tree *t = import_find(at, "nan_value");
    size_t bits = 16 * profile_type_words(p->type);
    bool is_signed = p->type == TYPE_S16 || p->type == TYPE_S32 || p->type == TYPE_S64;
    int64_t v;

    if (!t)
        return;
    bool is_integer =
        is_signed || p->type == TYPE_U16 || p->type == TYPE_U32 || p->type == TYPE_U64;
    bool is_number = t->kind == TREE_WORD && import_scan_int(t->text, &v);
    bool fits = is_number && bits && (bits == 64 || (v < 1LL << bits && v >= -(1LL << bits)));
    if (!is_integer || !fits) {
        import_note(r, IMPORT_NO_VALUE, p->name, t->line, dev);
        return;
    }
    uint64_t all = bits == 64 ? UINT64_MAX : (1ULL << bits) - 1;
    p->invalid[p->invalid_n++] = (uint64_t)v & all;
    if (is_signed && ((uint64_t)-v & all) != p->invalid[0])
        p->invalid[p->invalid_n++] = (uint64_t)-v & all;
}

struct entity {
    struct tree *table;
    struct import_device *dev;
    struct import_point point;
    int64_t twins; /* further values of the same form behind this one */
};

static int read_who(struct import_reader *r, struct hub *hub, struct tree *t, struct entity *e,
                    uint8_t space)
{
    const char *name = NULL, *input = inputs[0].name;
    int64_t address = -1, unit = -1, scan_ms = SCAN_MS;

    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (inputs[i].space == space)
            input = inputs[i].name;
    if (!import_text(r, t, "name", &name) ||
        !import_int(r, t, "address", 0, UINT16_MAX, &address) ||
        !import_int(r, t, "slave", 0, 255, &unit) ||
        !import_int(r, t, "device_address", 0, 255, &unit) ||
        !import_int(r, t, "slave_count", 0, TWINS_MAX, &e->twins) ||
        !import_int(r, t, "virtual_count", 0, TWINS_MAX, &e->twins) ||
        !import_duration(r, t, "scan_interval", 1000, &scan_ms) ||
        !import_text(r, t, "input_type", &input) || !set_space(r, t, input, &space))
        return -EINVAL;
    if (!name || address < 0) {
        tree_error(&r->maker, t, E_MISSING_KEY, "an entity needs 'name' and 'address'");
        return -EINVAL;
    }
    bool is_missing = unit < 0;
    if (is_missing)
        unit = 1;
    scan_ms = scan_ms < 100 ? SCAN_MS : scan_ms; /* 0: on request only */
    e->dev = import_add_device(r, hub->bus, (int)unit, scan_ms,
                               import_format_text(r, "%s-%d", hub->name, (int)unit), t->line);
    if (!e->dev)
        return -ENOMEM;
    if (is_missing)
        import_note(r, IMPORT_UNIT_MISSING, name, t->line, e->dev);
    e->dev->timeout_ms = hub->timeout_ms;
    e->dev->pause_ms = hub->pause_ms;
    e->dev->is_enabled = hub->is_placed;
    e->table = t;
    e->point = import_point_init(name, space, address, t->line);
    return 0;
}

/* The values one after another: of `twins` more of them the number stands in the name. */
static void add_points(struct import_reader *r, struct entity *e, size_t step)
{
    struct import_point p = e->point;
    char name[256];

    for (int64_t i = 0; i <= e->twins; i++) {
        if (i > 0) {
            snprintf(name, sizeof name, "%s %d", e->point.name, (int)i);
            p.name = name;
        }
        size_t first = e->point.first + (size_t)i * step;
        p.first = (uint16_t)first;
        if (first > UINT16_MAX)
            import_note(r, IMPORT_ADDRESS, p.name, p.line, e->dev);
        else
            import_add_point(r, e->dev, &p);
    }
    import_note_rest(r, e->table, harmless, e->dev);
}

static int read_sensor(struct import_reader *r, struct hub *hub, struct tree *t)
{
    struct entity e = { 0 };
    const char *type = "int16";
    int64_t count = 0;
    int err = read_who(r, hub, t, &e, SPACE_HOLDING);

    if (err < 0)
        return err;
    if (!import_text(r, t, "data_type", &type) || !import_int(r, t, "count", 1, 125, &count) ||
        !import_text(r, t, "unit_of_measurement", &e.point.unit_text) ||
        !import_number(r, t, "scale", &e.point.scale) ||
        !import_number(r, t, "offset", &e.point.offset) ||
        !import_number(r, t, "min_value", &e.point.min) ||
        !import_number(r, t, "max_value", &e.point.max) || !set_swap(r, t, &e.point))
        return -EINVAL;
    bool is_custom = strcmp(type, "custom") == 0 || tree_get(t, "structure");
    if (is_custom || !set_type(type, count, &e.point)) {
        import_note(r, is_custom ? IMPORT_CUSTOM : IMPORT_TYPE,
                    is_custom ? e.point.name
                              : import_format_text(r, "%s: %s", e.point.name, type),
                    t->line, e.dev);
        return 0;
    }
    set_invalid(r, t, e.dev, &e.point);
    if (e.point.type == TYPE_TEXT && e.point.order == ORDER_ABCD)
        e.point.scale = 1;
    size_t words = e.point.type == TYPE_TEXT ? e.point.count : profile_type_words(e.point.type);
    add_points(r, &e, words);
    return 0;
}

static int read_binary(struct import_reader *r, struct hub *hub, struct tree *t)
{
    struct entity e = { 0 };
    int err = read_who(r, hub, t, &e, SPACE_COIL);

    if (err < 0)
        return err;
    e.point.type = TYPE_BIT;
    if (e.point.space >= SPACE_HOLDING)
        e.point.bit = 0;
    add_points(r, &e, 1);
    return 0;
}

/* ---- hubs ---- */

static int place_serial(struct import_reader *r, struct hub *hub, struct import_bus *bus)
{
    const char *parity = "N", *port = NULL, *method = "rtu";
    int64_t data = 8, stop = 1;
    struct tree *t = hub->table;

    bus->kind = IMPORT_RTU;
    bus->baud = 9600;
    if (!import_text(r, t, "port", &port) || !import_text(r, t, "method", &method) ||
        !import_text(r, t, "parity", &parity) ||
        !import_int(r, t, "baudrate", 300, 921600, &bus->baud) ||
        !import_int(r, t, "bytesize", 5, 8, &data) ||
        !import_int(r, t, "stopbits", 1, 2, &stop))
        return -EINVAL;
    if (strcmp(method, "ascii") == 0) {
        import_note(r, IMPORT_ASCII, hub->name, t->line, NULL);
        return 1;
    }
    bus->format = import_serial_format(r, data, parity, stop, t->line);
    hub->is_placed = port && !elsewhere(port);
    bus->device = hub->is_placed ? port : "/dev/ttyUSB0";
    if (elsewhere(port))
        import_note(r, IMPORT_VARIABLE, port + 1, tree_get(t, "port")->line, NULL);
    if (port && (port[0] == '/' || elsewhere(port)))
        return 0;
    tree_error(&r->maker, port ? tree_get(t, "port") : t, E_VALUE,
               "a serial hub needs 'port' with the path of a device");
    return -EINVAL;
}

static int place_tcp(struct import_reader *r, struct hub *hub, struct import_bus *bus)
{
    const char *host = NULL, *port = "502";
    struct tree *t = hub->table;

    if (!import_text(r, t, "host", &host) || !import_text(r, t, "port", &port))
        return -EINVAL;
    if (!host || !*host) {
        tree_error(&r->maker, t, E_MISSING_KEY, "a hub of this type needs 'host'");
        return -EINVAL;
    }
    hub->is_placed = !elsewhere(host) && !elsewhere(port);
    if (elsewhere(host))
        import_note(r, IMPORT_VARIABLE, host + 1, tree_get(t, "host")->line, NULL);
    if (elsewhere(port))
        import_note(r, IMPORT_VARIABLE, port + 1, tree_get(t, "port")->line, NULL);
    bus->host = elsewhere(host) ? "192.0.2.1" : host; /* nobody's: RFC 5737 */
    bus->port = 502;
    bool is_host = strlen(bus->host) <= 253 && !strpbrk(bus->host, " \t/@?#");
    if (is_host && (elsewhere(port) || (import_scan_int(port, &bus->port) && bus->port > 0 &&
                                        bus->port <= UINT16_MAX)))
        return 0;
    tree_error(&r->maker, tree_get(t, is_host ? "port" : "host"), E_VALUE,
               is_host ? "'port' should be a number from 1 to 65535"
                       : "'host' should be a name or an address");
    return -EINVAL;
}

/* 0; 1: told and left out; -EINVAL. */
static int read_place(struct import_reader *r, struct hub *hub)
{
    struct import_bus bus = { .line = hub->table->line };
    const char *type = NULL;
    int err;

    if (!import_text(r, hub->table, "type", &type))
        return -EINVAL;
    if (type && strcmp(type, "udp") == 0) {
        import_note(r, IMPORT_UDP, hub->name, hub->table->line, NULL);
        return 1;
    }
    if (type && strcmp(type, "serial") == 0) {
        err = place_serial(r, hub, &bus);
    } else if (type && (strcmp(type, "tcp") == 0 || strcmp(type, "rtuovertcp") == 0)) {
        bus.kind = type[0] == 't' ? IMPORT_TCP : IMPORT_RTU_TCP;
        err = place_tcp(r, hub, &bus);
    } else {
        tree_error(&r->maker, type ? tree_get(hub->table, "type") : hub->table, E_WORD,
                   "'type' of a hub should be tcp, rtuovertcp, udp or serial%s%s%s",
                   type ? ", found '" : "", type ? type : "", type ? "'" : "");
        return -EINVAL;
    }
    if (err == 0)
        hub->bus = import_add_bus(r, &bus, hub->name);
    return err ? err : hub->bus ? 0 : -ENOMEM;
}

static void note_written(struct import_reader *r, struct tree *hub)
{
    for (size_t i = 0; written[i]; i++) {
        struct tree *list = import_find(hub, written[i]);
        if (!list || list->kind != TREE_LIST)
            continue;
        for (const struct tree *t = list->first; t; t = t->next) {
            const struct tree *name = tree_get(t, "name");
            import_note(r, IMPORT_WRITTEN,
                        import_format_text(r, "%s: %s", written[i], name ? name->text : "?"),
                        t->line, NULL);
        }
    }
}

static int read_hub(struct import_reader *r, struct tree *table)
{
    struct hub hub = { .table = table, .name = r->plan->base };
    struct tree *sensors, *binaries;

    if (!import_text(r, table, "name", &hub.name) ||
        !import_duration(r, table, "timeout", 1000, &hub.timeout_ms) ||
        !import_duration(r, table, "message_wait_milliseconds", 1, &hub.pause_ms))
        return -EINVAL;
    int err = read_place(r, &hub);
    if (err)
        return err < 0 ? err : 0;
    if (!import_list(r, table, "sensors", &sensors) ||
        !import_list(r, table, "binary_sensors", &binaries))
        return -EINVAL;
    for (struct tree *t = sensors ? sensors->first : NULL; err == 0 && t; t = t->next)
        err = read_sensor(r, &hub, t);
    for (struct tree *t = binaries ? binaries->first : NULL; err == 0 && t; t = t->next)
        err = read_binary(r, &hub, t);
    if (err < 0)
        return err;
    note_written(r, table);
    import_note_rest(r, table, harmless, NULL);
    return 0;
}

int homeassistant_read(struct import_reader *r, const char *text, size_t size)
{
    struct tree *root = read_tree(r, text, size);
    struct tree *hubs = root;

    if (!root)
        return -EINVAL;
    if (root->kind == TREE_TABLE && tree_get(root, "modbus"))
        hubs = tree_get(root, "modbus");
    if (hubs->kind == TREE_TABLE && tree_get(hubs, "type"))
        return read_hub(r, hubs);
    if (hubs->kind != TREE_LIST) {
        tree_error(&r->maker, hubs, E_KIND,
                   "expected 'modbus:' with a list of hubs; where it says !include, import the "
                   "included file");
        return -EINVAL;
    }
    for (struct tree *t = hubs->first; t; t = t->next) {
        if (t->kind != TREE_TABLE) {
            tree_error(&r->maker, t, E_KIND, "a hub should be a group of settings");
            return -EINVAL;
        }
        int err = read_hub(r, t);
        if (err < 0)
            return err;
    }
    return 0;
}
