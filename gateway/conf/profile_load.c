/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/profile_load.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_read.h"

/* What profile_destroy() takes back: the profile lies in its own arena's frame. */
struct loaded {
    struct profile profile; /* first: the pointer handed out points here */
    struct arena arena;
};

static const char *const level_words[] = { "template", "datasheet", "interop", "hardware",
                                           NULL };

static bool missing(struct profile_reader *r, struct fy_node *node, const char *what)
{
    yaml_error(r->y, r->d, node, E_MISSING_KEY, "%s", what);
    return false;
}

static bool read_transports(struct profile_reader *r, struct fy_node *node)
{
    static const char *const words[] = { "rtu", "tcp", "ascii", NULL };
    struct fy_node *item;
    void *state = NULL;
    int i;
    bool is_ok = true;

    if (!profile_read_list(r, node, 3))
        return false;
    r->p->has_rtu = r->p->has_tcp = false;
    while ((item = fy_node_sequence_iterate(node, &state))) {
        if (!profile_read_word(r, item, words, &i)) {
            is_ok = false;
            continue;
        }
        r->p->has_rtu |= i == 0;
        r->p->has_tcp |= i == 1;
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

static bool read_bus(struct profile_reader *r, struct fy_node *node)
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

static bool read_media(struct profile_reader *r, struct fy_node *node)
{
    const char *words[MEDIUM_COUNT_ + 1] = { NULL };
    struct fy_node *item = node;
    void *state = NULL;
    bool is_list = node && fy_node_is_sequence(node), is_ok = true;
    int i;

    for (int m = 0; m < MEDIUM_COUNT_; m++)
        words[m] = medium_id((enum medium)m);
    if (is_list && !profile_read_list(r, node, MEDIUM_COUNT_))
        return false;
    while ((item = is_list ? fy_node_sequence_iterate(node, &state) : item)) {
        is_ok = profile_read_word(r, item, words, &i) && is_ok;
        if (is_ok)
            r->p->media |= 1u << i;
        if (!is_list)
            break;
    }
    return is_ok && r->p->media;
}

/* Who tried it, when, with what firmware; or with which other program it agrees (section 6). */
static bool read_evidence(struct profile_reader *r, struct fy_node *node, const char *level)
{
    static const char *const parts[] = { "by", "date", "firmware", "with" };
    const char *text[4] = { NULL };
    bool is_hardware = !strcmp(level, "hardware");
    bool is_ok = true;
    char line[512];

    for (size_t i = 0; i < 4; i++) {
        struct fy_node *n = yaml_find(node, parts[i]);
        bool is_needed = is_hardware ? i < 3 : !strcmp(level, "interop") && i == 3;
        if (n)
            is_ok = profile_read_text(r, n, &text[i]) && is_ok;
        else if (is_needed)
            yaml_error(r->y, r->d, node, E_MISSING_KEY, "verified: %s needs its evidence: '%s'",
                       level, parts[i]);
        is_ok = is_ok && (n || !is_needed);
    }
    if (!is_ok || !(text[0] || text[3]))
        return is_ok;
    int n = text[3] ? snprintf(line, sizeof line, "%s", text[3])
                    : snprintf(line, sizeof line, "%s, %s%s%s", text[0], text[1] ? text[1] : "",
                               text[2] ? ", firmware " : "", text[2] ? text[2] : "");
    size_t size = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    r->p->evidence = arena_text(r->arena, line, size);
    return r->p->evidence;
}

static bool read_verified(struct profile_reader *r, struct fy_node *node)
{
    static const char *const keys[] = { "level", "by", "date", "firmware", "with", NULL };
    struct fy_node *level = node;
    int i;

    if (node && fy_node_is_mapping(node)) {
        if (!profile_read_keys(r, node, "verified", keys))
            return false;
        level = yaml_find(node, "level");
        if (!level)
            return missing(r, node, "verified needs 'level'");
    }
    if (!profile_read_word(r, level, level_words, &i))
        return false;
    r->p->verified = level_words[i];
    return read_evidence(r, node, level_words[i]);
}

static bool read_version(struct profile_reader *r, struct fy_node *node)
{
    const char *text = yaml_text(node);
    char shown[DIAG_SHOWN_BYTES];

    if (text && !strcmp(text, "1"))
        return true;
    yaml_error(r->y, r->d, node, E_VALUE, "expected format version 1, found %s",
               yaml_shown(node, shown));
    return false;
}

static bool read_id(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_id(r, node, true, &r->p->id);
}

static bool read_names(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_names(r, node, &r->p->en, &r->p->zh);
}

static bool read_vendor(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_text(r, node, &r->p->vendor);
}

static bool read_models(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_texts(r, node, ", ", &r->p->models);
}

static bool read_sources(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_texts(r, node, "; ", &r->p->source);
}

static bool read_notes(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_text(r, node, &r->p->notes);
}

static bool read_mode(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_map(r, node, MAP_MODES, NULL, &r->p->mode);
}

static bool check_mapping(struct profile_reader *r, struct fy_node *node)
{
    if (fy_node_is_mapping(node))
        return true;
    yaml_error(r->y, r->d, node, E_KIND, "expected a mapping");
    return false;
}

static bool check_list(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_list(r, node, 64);
}

/*
 * The keys of a profile in the order in which they are read: addresses need the bus, points the
 * block and the codes, flags the points. `points`, `diagnostics` and `calibration` are read
 * together in place of the first. `commands`, `variants` and `payload` are reserved.
 */
static const struct key {
    const char *name;
    bool (*read)(struct profile_reader *r, struct fy_node *node);
    bool is_needed;
} keys_of_profile[] = {
    { "profile", read_version, true },
    { "id", read_id, true },
    { "names", read_names, true },
    { "vendor", read_vendor, true },
    { "models", read_models, true },
    { "medium", read_media, true },
    { "verified", read_verified, true },
    { "sources", read_sources, false },
    { "notes", read_notes, false },
    { "bus", read_bus, false },
    { "identify", profile_read_identify, false },
    { "invalid", profile_read_invalid, false },
    { "block", profile_read_block, false },
    { "payload", check_mapping, false },
    { "commands", profile_read_commands, false },
    { "variants", check_list, false },
    { "points", NULL, false },
    { "diagnostics", NULL, false },
    { "calibration", NULL, false },
    { "flags", profile_read_flags, false },
    { "mode", read_mode, false },
};
enum { KEYS_N = sizeof keys_of_profile / sizeof keys_of_profile[0] };

static bool read_key(struct profile_reader *r, struct fy_node *root, const struct key *k)
{
    struct fy_node *node = yaml_find(root, k->name);

    if (!strcmp(k->name, "points")) {
        struct fy_node *const lists[3] = { node, yaml_find(root, "diagnostics"),
                                           yaml_find(root, "calibration") };
        return profile_read_points(r, lists);
    }
    if (node)
        return !k->read || k->read(r, node);
    if (k->is_needed)
        yaml_error(r->y, r->d, root, E_MISSING_KEY, "a profile needs '%s'", k->name);
    return !k->is_needed;
}

static bool check_whole(struct profile_reader *r, struct fy_node *root)
{
    const struct profile *p = r->p;
    struct fy_node *points = yaml_find(root, "points");
    bool has_points =
        points && !(fy_node_is_sequence(points) && fy_node_sequence_is_empty(points));
    bool is_ok = profile_check(r);

    if (!has_points && !yaml_find(root, "payload"))
        is_ok = missing(r, root, "a profile needs 'points'");
    if (p->verified && strcmp(p->verified, "template") && !p->source)
        is_ok = missing(r, root, "a profile needs 'sources': where its addresses come from");
    return is_ok;
}

static bool read_profile(struct profile_reader *r)
{
    const char *names[KEYS_N + 1] = { NULL };
    struct fy_node *root = yaml_root(r->y);

    for (size_t i = 0; i < KEYS_N; i++)
        names[i] = keys_of_profile[i].name;
    bool is_ok = profile_read_keys(r, root, "a profile", names);
    if (!is_ok && !(root && fy_node_is_mapping(root)))
        return false;
    for (size_t i = 0; i < KEYS_N; i++)
        is_ok = read_key(r, root, &keys_of_profile[i]) && is_ok;
    return check_whole(r, root) && is_ok;
}

static struct profile *load(struct yaml *y, struct diag *d, size_t errors_before)
{
    struct loaded *l = y ? calloc(1, sizeof *l) : NULL;

    if (!l) {
        yaml_destroy(y);
        return NULL;
    }
    l->profile = (struct profile){ .has_rtu = true,
                                   .has_tcp = true,
                                   .timeout_ms = 1000,
                                   .read_max = PROFILE_REQUEST_MAX,
                                   .retries = 1 };
    struct profile_reader r = { .y = y, .d = d, .arena = &l->arena, .p = &l->profile };
    bool is_ok = read_profile(&r);
    if (!is_ok && diag_errors(d) == errors_before)
        yaml_error(y, d, yaml_root(y), E_FILE, "no memory to read the profile");
    yaml_destroy(y);
    if (diag_errors(d) == errors_before)
        return &l->profile;
    profile_destroy(&l->profile);
    return NULL;
}

struct profile *profile_load_file(const char *path, struct diag *d)
{
    size_t before = diag_errors(d);

    return load(yaml_load_file(path, d), d, before);
}

struct profile *profile_load_text(const char *name, const char *text, size_t size,
                                  struct diag *d)
{
    size_t before = diag_errors(d);

    return load(yaml_load_text(name, text, size, d), d, before);
}

void profile_destroy(struct profile *p)
{
    if (!p)
        return;
    struct loaded *l = (struct loaded *)p;
    arena_done(&l->arena);
    free(l);
}
