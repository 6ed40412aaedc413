/* SPDX-License-Identifier: Apache-2.0 */
/* `payload:` as a whole: its messages, and what only all of them show. */
#include "gateway/conf/profile_payload.h"

#include <string.h>

#include "sensors/payload/number.h"

static bool refuse(struct profile_reader *r, struct fy_node *node, enum diag_code code,
                   const char *why)
{
    yaml_error(r->y, r->d, node, code, "%s", why);
    return false;
}

static bool add_port(struct profile_reader *r, struct fy_node *node, struct payload_message *m)
{
    int64_t n;

    if (!profile_read_int(r, node, 1, 223, &n)) /* 0 and 224 are those of the network */
        return false;
    m->fport[n / 8] |= (uint8_t)(1u << n % 8);
    m->first_fport = m->first_fport ? m->first_fport : (uint8_t)n;
    return true;
}

static bool read_ports(struct profile_reader *r, struct fy_node *node,
                       struct payload_message *m)
{
    struct fy_node *item;
    void *state = NULL;
    bool is_ok = true;

    if (!node)
        return true;
    if (!fy_node_is_sequence(node))
        return add_port(r, node, m);
    if (!profile_read_list(r, node, 223))
        return false;
    while ((item = fy_node_sequence_iterate(node, &state)))
        is_ok = add_port(r, item, m) && is_ok;
    return is_ok;
}

static bool read_length(struct profile_reader *r, struct fy_node *node,
                        struct payload_message *m)
{
    int64_t min, max;

    m->length_min = 0;
    m->length_max = PAYLOAD_BYTES_MAX;
    if (!node)
        return true;
    bool is_range = fy_node_is_sequence(node);
    if (is_range && fy_node_sequence_item_count(node) != 2)
        return refuse(r, node, E_KIND, "expected a length, or [shortest, longest]");
    struct fy_node *low = is_range ? fy_node_sequence_get_by_index(node, 0) : node;
    struct fy_node *high = is_range ? fy_node_sequence_get_by_index(node, 1) : node;
    if (!profile_read_int(r, low, 0, PAYLOAD_BYTES_MAX, &min) ||
        !profile_read_int(r, high, min, PAYLOAD_BYTES_MAX, &max))
        return false;
    m->length_min = (uint8_t)min;
    m->length_max = (uint8_t)max;
    return true;
}

static bool read_equals(struct profile_reader *r, struct fy_node *node, struct payload_test *t)
{
    bool is_list = fy_node_is_sequence(node), is_ok = true;
    struct fy_node *item = node;
    void *state = NULL;

    if (is_list && !profile_read_list(r, node, PAYLOAD_EQUALS_MAX))
        return false;
    while ((item = is_list ? fy_node_sequence_iterate(node, &state) : item)) {
        is_ok = payload_read_code(r, item, &t->at, &t->equals[t->equals_n++]) && is_ok;
        if (!is_list)
            break;
    }
    return t->equals_n ? is_ok : refuse(r, node, E_VALUE, "expected one code or several");
}

static bool read_tests(struct profile_reader *r, struct fy_node *list, enum endian endian,
                       struct payload_message *m)
{
    static const char *const keys[] = {
        "off", "type", "endian", "mask", "shift", "equals", NULL
    };
    struct fy_node *node;
    void *state = NULL;
    bool is_ok = true;

    if (!list)
        return true;
    if (!profile_read_list(r, list, PAYLOAD_TESTS_MAX))
        return false;
    while ((node = fy_node_sequence_iterate(list, &state))) {
        struct payload_test *t = &m->test[m->test_n++];
        struct payload_cursor c = { .endian = endian };
        if (!profile_read_keys(r, node, "a test of a message", keys)) {
            is_ok = false;
            continue;
        }
        if (!yaml_find(node, "off") || !yaml_find(node, "equals")) {
            is_ok = refuse(r, node, E_MISSING_KEY, "a test needs 'off' and 'equals'");
            continue;
        }
        is_ok = payload_read_place(r, node, NUMBER_U8, &c, &t->at) &&
                read_equals(r, yaml_find(node, "equals"), t) && is_ok;
    }
    return is_ok;
}

static bool has_measurements(const struct payload_message *m)
{
    return m->body.fields_n || m->groups_n;
}

static bool read_content(struct profile_reader *r, struct fy_node *node, enum endian endian,
                         struct payload_message *m)
{
    struct fy_node *ignore = yaml_find(node, "ignore");

    if (ignore && !profile_read_bool(r, ignore, &m->is_ignored))
        return false;
    if (!payload_read_group(r, node, endian, &m->body) ||
        !payload_read_forms(r, node, endian, m))
        return false;
    if (m->is_ignored == !has_measurements(m))
        return true;
    return refuse(r, node, m->is_ignored ? E_CONFLICT : E_MISSING_KEY,
                  m->is_ignored
                      ? "an ignored message has no fields"
                      : "a message has 'fields', 'blocks', 'tlv', 'lpp' or 'records', "
                        "or 'ignore: true'");
}

static bool read_message(struct profile_reader *r, struct fy_node *node, enum endian endian,
                         struct payload_message *m)
{
    static const char *const keys[] = { "id",     "fport",   "match", "length", "endian",
                                        "ignore", "fields",  "flags", "blocks", "tlv",
                                        "lpp",    "records", NULL };
    struct fy_node *id = yaml_find(node, "id"), *order = yaml_find(node, "endian");
    int e = (int)endian;

    if (!profile_read_keys(r, node, "a message", keys))
        return false;
    if (!id)
        return refuse(r, node, E_MISSING_KEY, "a message needs 'id'");
    if (!profile_read_id(r, id, false, &m->id) ||
        (order && !profile_read_word(r, order, endian_names, &e)))
        return false;
    bool is_ok = read_ports(r, yaml_find(node, "fport"), m);
    is_ok = read_length(r, yaml_find(node, "length"), m) && is_ok;
    is_ok = read_tests(r, yaml_find(node, "match"), (enum endian)e, m) && is_ok;
    return read_content(r, node, (enum endian)e, m) && is_ok;
}

/* Nothing after a message that takes everything is ever asked. */
static bool takes_all(const struct payload_message *m)
{
    return !m->first_fport && !m->test_n && m->length_min == 0 &&
           m->length_max == PAYLOAD_BYTES_MAX;
}

static bool check_order(struct profile_reader *r, struct fy_node *node,
                        const struct payload_message *messages, const struct payload_message *m)
{
    for (const struct payload_message *before = messages; before < m; before++) {
        if (before->id && m->id && !strcmp(before->id, m->id)) {
            yaml_error(r->y, r->d, yaml_find(node, "id"), E_DUPLICATE_ID,
                       "the message '%s' stands twice", m->id);
            return false;
        }
        if (takes_all(before)) {
            yaml_error(r->y, r->d, node, E_CONFLICT,
                       "'%s' before it takes every message: it needs 'fport', 'match' or "
                       "'length'",
                       before->id ? before->id : "?");
            return false;
        }
    }
    return true;
}

static bool read_messages(struct profile_reader *r, struct fy_node *list, enum endian endian,
                          struct payload *ret)
{
    struct fy_node *node;
    void *state = NULL;
    bool is_ok = true;

    if (!profile_read_list(r, list, PAYLOAD_MESSAGES_MAX))
        return false;
    struct payload_message *messages = arena_alloc(
        r->arena, ((size_t)fy_node_sequence_item_count(list) + 1) * sizeof *messages);
    if (!messages)
        return false;
    while ((node = fy_node_sequence_iterate(list, &state))) {
        struct payload_message *m = &messages[ret->messages_n++];
        is_ok = read_message(r, node, endian, m) && is_ok;
        is_ok = check_order(r, node, messages, m) && is_ok;
    }
    ret->messages = messages;
    return is_ok;
}

static void mark_group(const struct payload_group *g, bool *is_placed)
{
    for (size_t i = 0; i < g->fields_n; i++)
        is_placed[g->fields[i].point] = true;
}

static bool check_every_point(struct profile_reader *r, const struct payload *payload)
{
    bool is_placed[PROFILE_POINTS_MAX] = { false }, is_ok = true;

    for (size_t i = 0; i < payload->messages_n; i++) {
        const struct payload_message *m = &payload->messages[i];
        mark_group(&m->body, is_placed);
        for (size_t k = 0; k < m->groups_n; k++)
            mark_group(&m->groups[k], is_placed);
    }
    for (size_t i = 0; payload->script && i < payload->script->paths_n; i++)
        is_placed[payload->script->paths[i].point] = true;
    for (size_t i = 0; i < r->p->points_n; i++)
        if (!is_placed[i]) {
            yaml_error(r->y, r->d, r->nodes[i], E_REFERENCE, "nothing in 'payload' is '%s'",
                       r->p->points[i].id);
            is_ok = false;
        }
    return is_ok;
}

/* Keys that speak of registers. */
static bool check_strangers(struct profile_reader *r)
{
    static const char *const keys[] = { "invalid", "block",    "identify", "flags",
                                        "mode",    "commands", "variants" };
    bool is_ok = true;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct fy_node *node = yaml_find(r->root, keys[i]);
        if (!node)
            continue;
        yaml_error(r->y, r->d, node, E_CONFLICT,
                   "'%s' is for registers: a profile with 'payload' has none", keys[i]);
        is_ok = false;
    }
    if (!r->p->has_lorawan)
        is_ok = refuse(r, yaml_find(r->root, "payload"), E_CONFLICT,
                       "a payload needs bus: {transports: [lorawan]}");
    return is_ok;
}

bool profile_read_payload(struct profile_reader *r, struct fy_node *node)
{
    static const char *const keys[] = { "endian", "messages", NULL };
    struct fy_node *endian = yaml_find(node, "endian"), *list = yaml_find(node, "messages");
    struct payload *payload = arena_alloc(r->arena, sizeof *payload);
    bool is_ok = check_strangers(r);
    int e = ENDIAN_BIG;

    if (!payload)
        return false;
    if (yaml_find(node, "codec")) {
        is_ok = payload_read_script(r, node, payload) && is_ok;
    } else {
        if (!profile_read_keys(r, node, "payload", keys))
            return false;
        if (!list)
            return refuse(r, node, E_MISSING_KEY, "a payload needs 'messages' or 'codec'");
        if (endian && !profile_read_word(r, endian, endian_names, &e))
            return false;
        is_ok = read_messages(r, list, (enum endian)e, payload) && is_ok;
    }
    is_ok = is_ok && check_every_point(r, payload);
    r->p->payload = payload;
    return is_ok;
}
