/* SPDX-License-Identifier: Apache-2.0 */
/* How an instrument is reached: "bus:". */
#include "gateway/conf/profile_read.h"

static bool read_transports(struct profile_reader *r, struct fy_node *node)
{
    static const char *const words[] = { "rtu", "tcp", "ascii", "lorawan", NULL };
    struct fy_node *item;
    void *state = NULL;
    int i;
    bool is_ok = true;

    if (!profile_read_list(r, node, 4))
        return false;
    r->p->has_rtu = r->p->has_tcp = false;
    while ((item = fy_node_sequence_iterate(node, &state))) {
        if (!profile_read_word(r, item, words, &i)) {
            is_ok = false;
            continue;
        }
        r->p->has_rtu |= i == 0;
        r->p->has_tcp |= i == 1;
        r->p->has_lorawan |= i == 3;
    }
    if (r->p->has_lorawan && fy_node_sequence_item_count(node) > 1) {
        yaml_error(r->y, r->d, node, E_CONFLICT,
                   "'lorawan' stands alone: such a device has a payload, the others registers");
        r->p->has_lorawan = false;
        is_ok = false;
    }
    return is_ok;
}

static bool read_serial(struct profile_reader *r, struct fy_node *node)
{
    static const char *const keys[] = { "baud", "format", "unit", NULL };
    static const char *const formats[] = { "8N1", "8E1", "8O1", "8N2", "7E1", "7O1", NULL };
    struct fy_node *baud = yaml_find(node, "baud"), *format = yaml_find(node, "format"),
                   *unit = yaml_find(node, "unit");
    struct profile_serial *s = &r->p->serial;
    int64_t n = 0;
    int i;
    bool is_ok = profile_read_keys(r, node, "bus.serial", keys);

    if (baud && (is_ok = profile_read_int(r, baud, 300, 921600, &n) && is_ok))
        s->baud = (int)n;
    if (unit && (is_ok = profile_read_int(r, unit, 0, 255, &n) && is_ok))
        s->unit = (int)n;
    if (format && (is_ok = profile_read_word(r, format, formats, &i) && is_ok))
        s->format = formats[i];
    return is_ok;
}

static bool read_request_limits(struct profile_reader *r, struct fy_node *node)
{
    static const char *const keys[] = { "max",   "gap",     "atomic",  "single",
                                        "pause", "timeout", "retries", NULL };
    struct profile *p = r->p;
    struct fy_node *n[7];
    int64_t max = p->read_max, gap = p->read_gap, retries = p->retries;
    bool is_ok = profile_read_keys(r, node, "bus.read", keys);

    for (size_t i = 0; i < 7; i++)
        n[i] = yaml_find(node, keys[i]);
    is_ok = (!n[0] || profile_read_int(r, n[0], 1, PROFILE_REQUEST_MAX, &max)) && is_ok;
    is_ok = (!n[1] || profile_read_int(r, n[1], 0, PROFILE_REQUEST_MAX, &gap)) && is_ok;
    is_ok = (!n[2] || profile_read_bool(r, n[2], &p->read_atomic)) && is_ok;
    is_ok = (!n[3] || profile_read_bool(r, n[3], &p->read_single)) && is_ok;
    is_ok = (!n[4] || profile_read_duration(r, n[4], 0, 10000, &p->read_pause_ms)) && is_ok;
    is_ok = (!n[5] || profile_read_duration(r, n[5], 10, 60000, &p->timeout_ms)) && is_ok;
    is_ok = (!n[6] || profile_read_int(r, n[6], 0, 10, &retries)) && is_ok;
    if (p->read_atomic && p->read_single) {
        yaml_error(r->y, r->d, node, E_CONFLICT, "'atomic' and 'single' exclude each other");
        is_ok = false;
    }
    p->read_max = (int)max;
    p->read_gap = (int)gap;
    p->retries = (int)retries;
    return is_ok;
}

static bool read_doc_base(struct profile_reader *r, struct fy_node *node)
{
    int64_t n;

    if (!profile_read_int(r, node, 0, UINT16_MAX, &n))
        return false;
    if (n != 0 && n != 1 && n != 30001 && n != 40001) {
        yaml_error(r->y, r->d, node, E_VALUE,
                   "expected 0 (PDU addresses), 1, 30001 or 40001, found %lld", (long long)n);
        return false;
    }
    r->p->doc_base = (int)n;
    r->has_doc_base = true;
    return true;
}

bool profile_read_bus(struct profile_reader *r, struct fy_node *node)
{
    static const char *const keys[] = { "transports", "serial", "doc_base", "order",
                                        "order_from", "read",   NULL };
    struct fy_node *n[6];
    int order = ORDER_ABCD;
    bool is_ok = profile_read_keys(r, node, "bus", keys);

    for (size_t i = 0; i < 6; i++)
        n[i] = yaml_find(node, keys[i]);
    is_ok = (!n[0] || read_transports(r, n[0])) && is_ok;
    is_ok = (!n[1] || read_serial(r, n[1])) && is_ok;
    is_ok = (!n[2] || read_doc_base(r, n[2])) && is_ok;
    is_ok = (!n[3] || profile_read_word(r, n[3], profile_order_words, &order)) && is_ok;
    r->p->order = (enum word_order)order;
    is_ok = (!n[4] || profile_read_map(r, n[4], MAP_ORDERS, NULL, &r->p->order_from)) && is_ok;
    return (!n[5] || read_request_limits(r, n[5])) && is_ok;
}
