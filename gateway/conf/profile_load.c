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
    return profile_read_remark(r, node, &r->p->notes, &r->p->notes_zh);
}

static bool read_setup(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_remark(r, node, &r->p->setup, &r->p->setup_zh);
}

static bool read_mode(struct profile_reader *r, struct fy_node *node)
{
    return profile_read_map(r, node, MAP_MODES, NULL, &r->p->mode);
}

/*
 * The keys of a profile in the order in which they are read: addresses need the bus, points the
 * block and the codes, flags and payload the points. `points`, `diagnostics` and `calibration`
 * are read together in place of the first, `variants` when the rest is in order.
 */
static const struct key {
    const char *name;
    bool (*read)(struct profile_reader *r, struct fy_node *node);
    bool is_needed;
    bool is_fixed; /* the same in every variant */
} keys_of_profile[] = {
    { "profile", read_version, true, true },
    { "id", read_id, true, true },
    { "names", read_names, true, true },
    { "vendor", read_vendor, true, true },
    { "models", read_models, true, true },
    { "medium", read_media, true, true },
    { "verified", read_verified, true, true },
    { "sources", read_sources, false, false },
    { "notes", read_notes, false, false },
    { "setup", read_setup, false, false },
    { "bus", profile_read_bus, false, false },
    { "identify", profile_read_identify, false, true },
    { "invalid", profile_read_invalid, false, false },
    { "block", profile_read_block, false, false },
    { "points", NULL, false, false },
    { "diagnostics", NULL, false, false },
    { "calibration", NULL, false, false },
    { "payload", profile_read_payload, false, true },
    { "flags", profile_read_flags, false, false },
    { "mode", read_mode, false, false },
    { "commands", profile_read_commands, false, false },
    { "variants", NULL, false, true },
};
enum { KEYS_N = sizeof keys_of_profile / sizeof keys_of_profile[0] };

static bool read_key(struct profile_reader *r, const struct key *k)
{
    struct fy_node *node =
        k->is_fixed ? yaml_find(r->root, k->name) : profile_find_key(r, k->name);

    if (!strcmp(k->name, "points")) {
        struct fy_node *const lists[3] = { node, profile_find_key(r, "diagnostics"),
                                           profile_find_key(r, "calibration") };
        return profile_read_points(r, lists);
    }
    if (node)
        return !k->read || k->read(r, node);
    if (k->is_needed)
        yaml_error(r->y, r->d, r->root, E_MISSING_KEY, "a profile needs '%s'", k->name);
    return !k->is_needed;
}

static bool check_whole(struct profile_reader *r)
{
    const struct profile *p = r->p;
    struct fy_node *points = profile_find_key(r, "points");
    bool has_points =
        points && !(fy_node_is_sequence(points) && fy_node_sequence_is_empty(points));
    bool is_ok = profile_check(r);

    if (p->has_lorawan && !p->payload && !yaml_find(r->root, "payload"))
        is_ok = missing(r, r->root, "a LoRaWAN device needs 'payload'");
    if (!has_points)
        is_ok = missing(r, r->root, "a profile needs 'points'");
    if (p->verified && strcmp(p->verified, "template") && !p->source)
        is_ok = missing(r, r->root, "a profile needs 'sources': where its addresses come from");
    return is_ok;
}

struct fy_node *profile_find_key(const struct profile_reader *r, const char *key)
{
    struct fy_node *node = yaml_find(r->variant, key);

    return node ? node : yaml_find(r->root, key);
}

bool profile_check_keys(struct profile_reader *r)
{
    const char *names[KEYS_N + 3] = { NULL };
    size_t n = 0;

    if (r->variant) {
        names[n++] = "id";
        names[n++] = "when";
    }
    for (size_t i = 0; i < KEYS_N; i++)
        if (!r->variant || !keys_of_profile[i].is_fixed)
            names[n++] = keys_of_profile[i].name;
    return profile_read_keys(r, r->variant ? r->variant : r->root,
                             r->variant ? "a variant" : "a profile", names);
}

bool profile_read_whole(struct profile_reader *r)
{
    bool is_ok = true;

    *r->p = (struct profile){ .has_rtu = true,
                              .has_tcp = true,
                              .timeout_ms = 1000,
                              .read_max = PROFILE_REQUEST_MAX,
                              .retries = 1 };
    for (size_t i = 0; i < KEYS_N; i++)
        is_ok = read_key(r, &keys_of_profile[i]) && is_ok;
    return check_whole(r) && is_ok;
}

static bool read_profile(struct profile_reader *r)
{
    struct fy_node *variants = yaml_find(r->root, "variants");
    bool is_ok = profile_check_keys(r);

    if (!is_ok && !(r->root && fy_node_is_mapping(r->root)))
        return false;
    is_ok = profile_read_whole(r) && is_ok;
    return (!is_ok || !variants || profile_read_variants(r, variants)) && is_ok;
}

static struct profile *load(struct yaml *y, bool is_file, struct diag *d, size_t errors_before)
{
    struct loaded *l = y ? calloc(1, sizeof *l) : NULL;

    if (!l) {
        yaml_destroy(y);
        return NULL;
    }
    struct profile_reader r = { .y = y,
                                .d = d,
                                .arena = &l->arena,
                                .p = &l->profile,
                                .root = yaml_root(y),
                                .is_file = is_file };
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

    return load(yaml_load_file(path, d), true, d, before);
}

struct profile *profile_load_text(const char *name, const char *text, size_t size,
                                  struct diag *d)
{
    size_t before = diag_errors(d);

    return load(yaml_load_text(name, text, size, d), false, d, before);
}

void profile_destroy(struct profile *p)
{
    if (!p)
        return;
    struct loaded *l = (struct loaded *)p;
    arena_done(&l->arena);
    free(l);
}
