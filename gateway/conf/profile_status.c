/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "gateway/conf/profile_read.h"

/* {at, when, set}: one code, one word. */
static bool read_when(struct profile_reader *r, struct fy_node *node, struct profile_map *map)
{
    struct fy_node *when = yaml_find(node, "when"), *set = yaml_find(node, "set");
    bool is_bit = map->at.bit >= 0 || map->at.space < SPACE_HOLDING;
    struct profile_choice *choice = arena_alloc(r->arena, sizeof *choice);
    int64_t code = 1;
    int word;

    if (!choice)
        return false;
    if (!when && !is_bit) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a flag of several bits needs 'when', the code, or 'map' or 'bits'");
        return false;
    }
    if ((when && !profile_read_int(r, when, 0, is_bit ? 1 : UINT32_MAX, &code)) ||
        !profile_read_word(r, set, profile_quality_words, &word))
        return false;
    if (!profile_code_fits(map, (uint64_t)code)) {
        yaml_error(r->y, r->d, when, E_RANGE, "%lld lies outside the bits that are read here",
                   (long long)code);
        return false;
    }
    choice->raw = code;
    choice->word = profile_quality_words[word];
    verdict_from_word(choice->word, &choice->verdict);
    map->choice = choice;
    map->n = 1;
    return true;
}

bool profile_read_flag_meaning(struct profile_reader *r, struct fy_node *node,
                               struct profile_flag *f)
{
    struct fy_node *set = yaml_find(node, "set"), *map = yaml_find(node, "map"),
                   *bits = yaml_find(node, "bits"), *help = yaml_find(node, "help");

    bool is_ok =
        profile_read_concerned(r, yaml_find(node, "points"), f->points, &f->is_for_all);
    is_ok = (!help || profile_read_remark(r, help, &f->help, &f->help_zh)) && is_ok;
    if (!set + !map + !bits != 2) {
        yaml_error(r->y, r->d, node, E_CONFLICT,
                   "a flag has one of 'set' (with 'when'), 'map' and 'bits'");
        return false;
    }
    f->map.is_bits = bits != NULL;
    if (set)
        return read_when(r, node, &f->map) && is_ok;
    return profile_read_choices(r, map ? map : bits, MAP_QUALITY, NULL, &f->map) && is_ok;
}

static bool read_flag(struct profile_reader *r, struct fy_node *node, struct profile_flag *f)
{
    static const char *const keys[] = { "at",   "when", "mask",   "shift", "map",
                                        "bits", "set",  "points", "help",  NULL };

    bool is_ok = profile_read_keys(r, node, "a flag", keys);
    if (!is_ok && !fy_node_is_mapping(node))
        return false;
    return profile_read_field(r, node, &f->map) && profile_read_flag_meaning(r, node, f) &&
           is_ok;
}

bool profile_read_flags(struct profile_reader *r, struct fy_node *node)
{
    struct profile *p = r->p;
    struct fy_node *item;
    void *state = NULL;
    bool is_ok = true;

    if (!profile_read_list(r, node, PROFILE_FLAGS_MAX))
        return false;
    p->flags = arena_alloc(r->arena,
                           ((size_t)fy_node_sequence_item_count(node) + 1) * sizeof *p->flags);
    if (!p->flags)
        return false;
    while ((item = fy_node_sequence_iterate(node, &state)))
        is_ok = read_flag(r, item, &p->flags[p->flags_n++]) && is_ok;
    return is_ok;
}

static bool read_expectation(struct profile_reader *r, struct fy_node *node,
                             struct profile_identify *t)
{
    struct fy_node *equals = yaml_find(node, "equals"), *matches = yaml_find(node, "matches"),
                   *in = yaml_find(node, "in");

    if (!equals + !matches + !in != 2) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a test needs one of 'equals', 'matches' and 'in'");
        return false;
    }
    bool is_text = t->type == TYPE_TEXT;
    if (is_text ? in != NULL : matches != NULL) {
        yaml_error(r->y, r->d, is_text ? in : matches, E_CONFLICT,
                   is_text ? "a text is compared by 'equals' or 'matches'"
                           : "a number is compared by 'equals' or 'in'");
        return false;
    }
    t->is_pattern = matches != NULL;
    if (is_text)
        return profile_read_text(r, equals ? equals : matches, &t->equals_text);
    if (in)
        return profile_read_range(r, in, &t->in_min, &t->in_max);
    int64_t code;
    const char *text = yaml_text(equals);
    if (text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        if (!profile_read_int(r, equals, 0, UINT32_MAX, &code))
            return false;
        t->in_min = (double)code;
    } else if (!profile_read_number(r, equals, &t->in_min)) {
        return false;
    }
    t->in_max = t->in_min;
    return true;
}

static bool read_test(struct profile_reader *r, struct fy_node *node,
                      struct profile_identify *t)
{
    static const char *const keys[] = { "need",   "mei",     "at", "type",
                                        "equals", "matches", "in", NULL };
    struct fy_node *need = yaml_find(node, "need"), *mei = yaml_find(node, "mei"),
                   *at = yaml_find(node, "at"), *type = yaml_find(node, "type");
    int64_t object;

    *t = (struct profile_identify){ .mei = -1, .in_min = (double)NAN, .in_max = (double)NAN };
    if (!profile_read_keys(r, node, "an identification test", keys))
        return false;
    if (!mei == !at) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY, "a test needs 'at' or 'mei', not both");
        return false;
    }
    if (need && !profile_read_bool(r, need, &t->is_needed))
        return false;
    if (mei) {
        t->type = TYPE_TEXT;
        if (!profile_read_int(r, mei, 0, 255, &object))
            return false;
        t->mei = (int)object;
        return read_expectation(r, node, t);
    }
    if (!profile_read_address(r, at, &t->at))
        return false;
    if (type && (!profile_read_type(r, type, &t->at, &t->type) ||
                 !profile_fit_type(r, at, &t->at, t->type)))
        return false;
    if (!type)
        t->type = t->at.bit >= 0 || t->at.space < SPACE_HOLDING ? TYPE_BIT : TYPE_U16;
    return read_expectation(r, node, t);
}

bool profile_read_tests(struct profile_reader *r, struct fy_node *list,
                        struct profile_identify **ret, size_t *ret_n)
{
    struct fy_node *item;
    void *state = NULL;
    size_t n = 0;
    bool is_ok = true;

    if (!profile_read_list(r, list, PROFILE_TESTS_MAX))
        return false;
    struct profile_identify *tests = arena_alloc(r->arena, PROFILE_TESTS_MAX * sizeof *tests);
    if (!tests)
        return false;
    while ((item = fy_node_sequence_iterate(list, &state)))
        is_ok = read_test(r, item, &tests[n++]) && is_ok;
    *ret = tests;
    *ret_n = n;
    return is_ok;
}

bool profile_read_identify(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_tests(r, node, &r->p->identify, &r->p->identify_n);
}
