/* SPDX-License-Identifier: Apache-2.0 */
/* A script of the site, and which field of its result is which point. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "gateway/conf/path.h"
#include "gateway/conf/profile_payload.h"

enum { PATH_MAX_BYTES = 128, FILE_MAX_BYTES = 128 };

static bool refuse(struct profile_reader *r, struct fy_node *node, const char *why)
{
    char shown[DIAG_SHOWN_BYTES];

    yaml_error(r->y, r->d, node, E_VALUE, "%s, found %s", why, yaml_shown(node, shown));
    return false;
}

static bool read_file(struct profile_reader *r, struct fy_node *node, const char **ret)
{
    const char *text = yaml_text(node);
    size_t n = text ? strlen(text) : 0;
    bool is_name = n > 3 && n <= FILE_MAX_BYTES && text[0] != '.' &&
                   strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._-") == n;

    if (!is_name || strcmp(text + n - 3, ".js"))
        return refuse(r, node,
                      "expected the name of a script without a folder, such as node.js");
    return profile_read_text(r, node, ret);
}

/* Where it lies: beside the profile. One built into the program has no folder. */
static bool find_file(struct profile_reader *r, struct fy_node *node, struct payload_script *s)
{
    char path[PATH_MAX];

    s->path = s->file;
    if (!r->is_file)
        return true;
    int err = path_beside(yaml_mark(r->y, node).file, s->file, path, sizeof path);
    if (!err && access(path, R_OK) != 0)
        err = -errno;
    if (err) {
        yaml_error(r->y, r->d, node, E_FILE,
                   "the script '%s' cannot be read in the folder of the profile: %s", s->file,
                   strerror(-err));
        return false;
    }
    s->path = arena_text(r->arena, path, strlen(path));
    return s->path;
}

static bool read_path(struct profile_reader *r, struct fy_node *node, const char **ret)
{
    const char *text = yaml_text(node);

    if (!text || !*text || strlen(text) > PATH_MAX_BYTES)
        return refuse(r, node,
                      "expected a path of the result such as temperature, channels[0].value "
                      "or log[].pm");
    return profile_read_text(r, node, ret);
}

static bool read_target(struct profile_reader *r, struct fy_node *node, struct payload_path *p)
{
    static const char *const keys[] = { "point", "scale", "offset", "map", NULL };
    struct fy_node *map;
    size_t i;

    if (!fy_node_is_mapping(node)) {
        if (!profile_read_reference(r, node, &i))
            return false;
        p->point = (uint8_t)i;
    } else if (!profile_read_keys(r, node, "a field of the result", keys) ||
               !payload_read_point(r, node, &p->point)) {
        return false;
    }
    const struct profile_point *pt = &r->p->points[p->point];
    p->scale = pt->scale;
    p->offset = pt->offset;
    p->scale_decimals = pt->scale_decimals;
    map = fy_node_is_mapping(node) ? yaml_find(node, "map") : NULL;
    if (map && (yaml_find(node, "scale") || yaml_find(node, "offset"))) {
        yaml_error(r->y, r->d, map, E_CONFLICT,
                   "'map' and 'scale' or 'offset' exclude each other");
        return false;
    }
    if (map)
        return payload_read_table(r, map, NULL, &p->words);
    return profile_read_scale(r, node, &p->scale, &p->offset, &p->scale_decimals);
}

static bool read_paths(struct profile_reader *r, struct fy_node *node, struct payload_script *s)
{
    int n = node && fy_node_is_mapping(node) ? fy_node_mapping_item_count(node) : 0;
    struct fy_node_pair *pair;
    void *state = NULL;
    bool is_ok = true;

    if (n < 1 || n > PAYLOAD_PATHS_MAX) {
        yaml_error(r->y, r->d, node, E_KIND, "expected a mapping of 1 to %d paths",
                   PAYLOAD_PATHS_MAX);
        return false;
    }
    struct payload_path *paths = arena_alloc(r->arena, (size_t)n * sizeof *paths);
    if (!paths)
        return false;
    for (size_t i = 0; (pair = fy_node_mapping_iterate(node, &state)); i++)
        is_ok = read_path(r, fy_node_pair_key(pair), &paths[i].path) &&
                read_target(r, fy_node_pair_value(pair), &paths[i]) && is_ok;
    s->paths = paths;
    s->paths_n = (size_t)n;
    return is_ok;
}

static bool is_of_elements(const char *path)
{
    return path && strstr(path, "[]");
}

/* Elements of an array without times could not be told apart. */
static bool check_times(struct profile_reader *r, struct fy_node *map,
                        const struct payload_script *s)
{
    for (size_t i = 0; i < s->paths_n; i++)
        if (is_of_elements(s->paths[i].path) && !is_of_elements(s->times)) {
            yaml_error(r->y, r->d, map, E_MISSING_KEY,
                       "'%s' is one value for each element: key 'times' must tell their times, "
                       "with [] too",
                       s->paths[i].path);
            return false;
        }
    return true;
}

bool payload_read_script(struct profile_reader *r, struct fy_node *node, struct payload *ret)
{
    static const char *const keys[] = { "codec", "map", "times", NULL };
    struct fy_node *map = yaml_find(node, "map"), *times = yaml_find(node, "times");
    struct payload_script *s = arena_alloc(r->arena, sizeof *s);

    if (!s || !profile_read_keys(r, node, "a payload with a script", keys))
        return false;
    if (!map) {
        yaml_error(r->y, r->d, node, E_MISSING_KEY,
                   "a payload with a script needs 'map': path of the result to point");
        return false;
    }
    struct fy_node *codec = yaml_find(node, "codec");
    bool is_ok = read_file(r, codec, &s->file) && find_file(r, codec, s);
    is_ok = (!times || read_path(r, times, &s->times)) && is_ok;
    is_ok = read_paths(r, map, s) && is_ok;
    if (!is_ok || !check_times(r, map, s))
        return false;
    ret->script = s;
    return true;
}
