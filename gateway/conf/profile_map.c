/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_read.h"

/* By enum value_type; "bits" follows as one that the decoder does not know. */
const char *const profile_type_words_text[] = { "u16", "s16", "u32",  "s32",   "u64",
                                                "s64", "f32", "f64",  "bcd16", "bcd32",
                                                "bit", "str", "bits", NULL };
enum { TYPE_BITS = TYPE_TEXT + 1 };

const char *const profile_order_words[] = { "ABCD", "CDAB", "BADC", "DCBA", NULL };
const char *const profile_quality_words[] = {
    "good",   "uncertain", "invalid", "missing",     "below_range", "above_range", "fault",
    "warmup", "zero",      "span",    "calibration", "maintenance", NULL
};
const char *const profile_mode_words[] = { "measuring",   "zero",   "span",  "calibration",
                                           "maintenance", "warmup", "fault", NULL };

/* What "h:0x12.3/2" is made of, before the documentation base is taken off. */
struct address_text {
    uint8_t space;
    int64_t number, bit, count; /* -1: not written */
};

/* Unsigned decimal or 0x..., as far as it goes; NULL when there is none. */
static const char *scan_number(const char *s, int64_t *ret)
{
    bool is_hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    const char *digits = is_hex ? s + 2 : s;
    size_t n = strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789");

    if (n == 0 || n > 8)
        return NULL;
    *ret = strtoll(digits, NULL, is_hex ? 16 : 10);
    return digits + n;
}

static bool scan_address(const char *s, struct address_text *ret)
{
    static const char letters[] = "cdhi"; /* in the order of enum register_space, from 1 */
    struct address_text a = { .bit = -1, .count = -1 };
    const char *space = s && *s ? strchr(letters, *s) : NULL;

    if (!space || s[1] != ':')
        return false;
    a.space = (uint8_t)(space - letters + SPACE_COIL);
    s = scan_number(s + 2, &a.number);
    if (s && *s == '.')
        s = scan_number(s + 1, &a.bit);
    if (s && *s == '/')
        s = scan_number(s + 1, &a.count);
    if (!s || *s)
        return false;
    *ret = a;
    return true;
}

/* Addresses as the manual prints them -> PDU: from doc_base, and in Modicon notation (30001,
 * 40001) by the leading digit of the table. */
static int64_t pdu_address(const struct profile_reader *r, const struct address_text *a)
{
    static const int modicon[] = { [SPACE_COIL] = 1,
                                   [SPACE_DISCRETE] = 10001,
                                   [SPACE_HOLDING] = 40001,
                                   [SPACE_INPUT] = 30001 };
    int base = r->p->doc_base;

    if (base > 1 && a->number < base)
        base = modicon[a->space];
    return a->number - base;
}

static bool bad_address(struct profile_reader *r, struct fy_node *node, const char *why)
{
    char shown[DIAG_SHOWN_BYTES];

    yaml_error(r->y, r->d, node, E_ADDRESS, "%s, found %s", why, yaml_shown(node, shown));
    return false;
}

bool profile_read_address(struct profile_reader *r, struct fy_node *node,
                          struct register_address *ret)
{
    struct address_text a;

    if (!scan_address(yaml_text(node), &a))
        return bad_address(r, node,
                           "expected an address such as h:0, i:0x12, d:9, h:12.3 (bit 3) or "
                           "h:12/2 (two registers)");
    int64_t first = pdu_address(r, &a);
    if (a.number > 30000 && !r->has_doc_base)
        return bad_address(r, node,
                           "an address beyond 30000 needs bus.doc_base, which tells whether it "
                           "is a PDU address or the manual's 30001 or 40001 notation");
    if (first < 0)
        return bad_address(r, node, "the address lies before bus.doc_base");
    bool is_register = a.space >= SPACE_HOLDING;
    if (a.bit > 15 || (a.bit >= 0 && !is_register))
        return bad_address(r, node, "only registers have bits, 0 to 15");
    if (a.count == 0 || a.count > (is_register ? 64 : 1))
        return bad_address(r, node, "an address takes 1 to 64 registers, or one coil or input");
    if (first + (a.count > 0 ? a.count : 1) > 65536)
        return bad_address(r, node, "addresses end at 65535");
    *ret = (struct register_address){ a.space, (uint16_t)first,
                                      (uint8_t)(a.count > 0 ? a.count : 1), (int8_t)a.bit };
    return true;
}

bool profile_read_type(struct profile_reader *r, struct fy_node *node,
                       const struct register_address *at, enum value_type *ret)
{
    bool is_bit = at->bit >= 0 || at->space == SPACE_COIL || at->space == SPACE_DISCRETE;
    int type = TYPE_BIT;

    if (!is_bit && !node)
        return false;
    if (node && !profile_read_word(r, node, profile_type_words_text, &type))
        return false;
    if (type == TYPE_BITS)
        type = at->count >= 4 ? TYPE_U64 : at->count >= 2 ? TYPE_U32 : TYPE_U16;
    if (is_bit != (type == TYPE_BIT)) {
        yaml_error(r->y, r->d, node, E_CONFLICT,
                   is_bit ? "a single bit, a coil and a discrete input are of type bit"
                          : "type bit needs a bit address such as h:12.3, or a coil or input");
        return false;
    }
    *ret = (enum value_type)type;
    return true;
}

bool profile_fit_type(struct profile_reader *r, struct fy_node *node,
                      struct register_address *at, enum value_type type)
{
    uint8_t n = (uint8_t)profile_type_words(type);

    if (n == 0)
        return true;
    if (at->count > 1 && at->count != n) {
        yaml_error(r->y, r->d, node, E_CONFLICT,
                   "type %s takes %d registers, the address says %d",
                   profile_type_words_text[type], n, at->count);
        return false;
    }
    if (at->first + n > 65536)
        return bad_address(r, node, "addresses end at 65535");
    at->count = n;
    return true;
}

bool profile_read_unit(struct profile_reader *r, struct fy_node *node, const struct quantity *q,
                       const struct unit **ret, struct unit_conversion *ret_conversion)
{
    const char *text = yaml_text(node);
    const struct unit *u = text ? unit_find_ucum(text) : NULL;
    const struct unit *alias = text ? unit_find(text) : NULL;
    char shown[DIAG_SHOWN_BYTES];

    if (!u) {
        yaml_error(r->y, r->d, node, E_UNIT, "expected a UCUM unit, found %s%s%s%s",
                   yaml_shown(node, shown), alias ? ", write \"" : "", alias ? alias->code : "",
                   alias ? "\"" : "");
        return false;
    }
    *ret = u;
    *ret_conversion = (struct unit_conversion){ 1, 0, true };
    if (!q || unit_conversion_for(u, q, ret_conversion) == 0)
        return true;
    *ret_conversion = (struct unit_conversion){ 0, 0, false };
    return true;
}

static bool read_choice(struct profile_reader *r, struct fy_node *node, enum map_kind kind,
                        const struct quantity *q, struct profile_choice *ret)
{
    const char *const *words = kind == MAP_ORDERS  ? profile_order_words
                               : kind == MAP_MODES ? profile_mode_words
                                                   : profile_quality_words;
    int i;

    if (kind == MAP_UNITS) {
        if (!profile_read_unit(r, node, q, &ret->unit, &ret->conversion))
            return false;
        ret->word = ret->unit->code;
        return true;
    }
    if (!profile_read_word(r, node, words, &i))
        return false;
    ret->word = words[i];
    if (kind == MAP_ORDERS)
        ret->verdict.status = (uint8_t)i;
    else
        verdict_from_word(words[i], &ret->verdict);
    return true;
}

bool profile_code_fits(const struct profile_map *map, uint64_t code)
{
    unsigned bits = map->at.bit >= 0 || map->at.space < SPACE_HOLDING ? 1
                    : map->at.count >= 4                              ? 64
                                                                      : 16 * map->at.count;
    uint64_t all = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;

    if (map->mask)
        all &= map->mask;
    all >>= map->shift;
    return (code & ~all) == 0;
}

static bool read_code(struct profile_reader *r, struct fy_node *node, enum map_kind kind,
                      const struct profile_map *map, int64_t *ret)
{
    uint64_t code;
    char shown[DIAG_SHOWN_BYTES];

    if (!profile_read_bits(r, node, &code))
        return false;
    if (map->is_bits && kind != MAP_UNITS && code < 64)
        code = UINT64_C(1) << code; /* units give masks, status words give numbers of bits */
    else if (map->is_bits && kind != MAP_UNITS)
        code = 0;
    if (!profile_code_fits(map, code) || (map->is_bits && !code)) {
        yaml_error(r->y, r->d, node, E_RANGE, "%s lies outside the bits that are read here",
                   yaml_shown(node, shown));
        return false;
    }
    *ret = (int64_t)code;
    return true;
}

/* 1 and 0x1 are one code. */
static bool is_code_twice(struct profile_reader *r, struct fy_node *node,
                          const struct profile_choice *choice, size_t i)
{
    char shown[DIAG_SHOWN_BYTES];

    for (size_t j = 0; j < i; j++)
        if (choice[j].raw == choice[i].raw) {
            yaml_error(r->y, r->d, node, E_DUPLICATE_KEY,
                       "the code %s stands twice in this map", yaml_shown(node, shown));
            return true;
        }
    return false;
}

bool profile_read_choices(struct profile_reader *r, struct fy_node *node, enum map_kind kind,
                          const struct quantity *q, struct profile_map *ret)
{
    struct fy_node_pair *pair;
    void *state = NULL;
    int n = node && fy_node_is_mapping(node) ? fy_node_mapping_item_count(node) : 0;

    if (n < 1 || n > PROFILE_CHOICES_MAX) {
        yaml_error(r->y, r->d, node, E_KIND, "expected a mapping of 1 to %d codes",
                   PROFILE_CHOICES_MAX);
        return false;
    }
    struct profile_choice *choice = arena_alloc(r->arena, (size_t)n * sizeof *choice);
    if (!choice)
        return false;
    bool is_ok = true;
    for (size_t i = 0; (pair = fy_node_mapping_iterate(node, &state)); i++) {
        struct fy_node *key = fy_node_pair_key(pair);
        is_ok = read_code(r, key, kind, ret, &choice[i].raw) &&
                !is_code_twice(r, key, choice, i) && is_ok;
        is_ok = read_choice(r, fy_node_pair_value(pair), kind, q, &choice[i]) && is_ok;
    }
    ret->choice = choice;
    ret->n = (size_t)n;
    return is_ok;
}

static bool check_some_unit_serves(struct profile_reader *r, struct fy_node *node,
                                   const struct quantity *q, const struct profile_map *map)
{
    for (size_t i = 0; i < map->n; i++)
        if (map->choice[i].conversion.factor != 0)
            return true;
    yaml_error(r->y, r->d, node, E_UNIT,
               "no unit of this map fits the quantity '%s', which is in %s", q->id, q->unit);
    return false;
}

bool profile_read_mask(struct profile_reader *r, struct fy_node *node,
                       struct register_address at, uint64_t *ret_mask, uint8_t *ret_shift)
{
    struct fy_node *mask = yaml_find(node, "mask"), *shift = yaml_find(node, "shift");
    struct profile_map m = { .at = at };
    int64_t n = 0;
    char shown[DIAG_SHOWN_BYTES];

    if (mask && !profile_read_bits(r, mask, &m.mask))
        return false;
    if (mask && (!m.mask || !profile_code_fits(&(struct profile_map){ .at = at }, m.mask))) {
        yaml_error(r->y, r->d, mask, E_RANGE, "the mask %s does not lie in the register",
                   yaml_shown(mask, shown));
        return false;
    }
    if (shift && !profile_read_int(r, shift, 0, 16 * at.count - 1, &n))
        return false;
    if (m.mask & ((UINT64_C(1) << n) - 1)) {
        yaml_error(r->y, r->d, shift, E_CONFLICT,
                   "a shift of %lld drops bits of the mask, which counts before it",
                   (long long)n);
        return false;
    }
    *ret_mask = m.mask;
    *ret_shift = (uint8_t)n;
    return true;
}

bool profile_read_field(struct profile_reader *r, struct fy_node *node, struct profile_map *ret)
{
    struct fy_node *at = yaml_find(node, "at");
    char shown[DIAG_SHOWN_BYTES];

    if (!at && !ret->at.space) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "the register is missing: key 'at'");
        return false;
    }
    if (at && !profile_read_address(r, at, &ret->at))
        return false;
    if (ret->at.count != 1 && ret->at.count != 2 && ret->at.count != 4) {
        yaml_error(r->y, r->d, at, E_ADDRESS, "a code takes 1, 2 or 4 registers, found %s",
                   yaml_shown(at, shown));
        return false;
    }
    return profile_read_mask(r, node, ret->at, &ret->mask, &ret->shift);
}

bool profile_read_map(struct profile_reader *r, struct fy_node *node, enum map_kind kind,
                      const struct quantity *q, struct profile_map *ret)
{
    static const char *const keys[] = { "at", "mask", "shift", "map", "bits", NULL };
    struct profile_map m = { .at = ret->at };

    if (!profile_read_keys(r, node, "a map", keys) || !profile_read_field(r, node, &m))
        return false;
    struct fy_node *map = yaml_find(node, "map"), *bits = yaml_find(node, "bits");
    if (!map == !bits) {
        yaml_error(r->y, r->d, node, map ? E_CONFLICT : E_MISSING_KEY,
                   map ? "'map' and 'bits' exclude each other"
                       : "the codes are missing: key 'map' or 'bits'");
        return false;
    }
    m.is_bits = bits != NULL;
    if (!profile_read_choices(r, map ? map : bits, kind, q, &m))
        return false;
    if (kind == MAP_UNITS && q && !check_some_unit_serves(r, node, q, &m))
        return false;
    *ret = m;
    return true;
}
