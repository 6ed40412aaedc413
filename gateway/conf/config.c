/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/conf/config_internal.h"
#include "gateway/conf/utf8.h"

enum { FILES_MAX = 256 }; /* of one configuration: all are held while it is checked */

/* Documents of one load. */
struct files {
    struct yaml *y[FILES_MAX];
    size_t n;
    bool is_partial; /* one could not be read */
};

int config_zone_parse(const char *text, int64_t *ret_ms)
{
    int hours = 0, minutes = 0, end = 0;
    char sign = '+';

    if (strcmp(text, "Z") != 0) {
        if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &end) != 3 || end != 6 ||
            text[6] || strspn(text + 1, "0123456789:") != 5)
            return -EINVAL;
    }
    int total = hours * 60 + minutes;
    if ((sign != '+' && sign != '-') || minutes > 59 || total > (sign == '+' ? 14 : 12) * 60)
        return -EINVAL;
    *ret_ms = (sign == '-' ? -1 : 1) * (int64_t)total * 60000;
    return 0;
}

static void files_add(struct files *f, const char *path, struct diag *d)
{
    if (f->n == FILES_MAX) {
        diag_error(d, (struct field_mark){ .file = path }, 0, E_FILE,
                   "more than %d files in one configuration", FILES_MAX);
        return;
    }
    struct yaml *y = yaml_load_file(path, d);
    if (y)
        f->y[f->n++] = y;
    else
        f->is_partial = true;
}

static void files_done(struct files *f)
{
    for (size_t i = 0; i < f->n; i++)
        yaml_destroy(f->y[i]);
}

static int is_yaml(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".yaml") == 0;
}

/* strcmp, not alphasort: the order must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* conf.d beside the main file, when there is one. */
static void files_add_folder(struct files *f, const char *main_path, struct diag *d)
{
    char folder[PATH_MAX], path[PATH_MAX];
    const char *slash = strrchr(main_path, '/');
    int stem = slash ? (int)(slash - main_path + 1) : 0;
    int len = snprintf(folder, sizeof folder, "%.*sconf.d", stem, main_path);
    struct dirent **entries = NULL;

    if (len < 0 || (size_t)len >= sizeof folder)
        return;
    int n = scandir(folder, &entries, is_yaml, by_name);
    if (n < 0 && errno != ENOENT && errno != ENOTDIR)
        diag_error(d, (struct field_mark){ .file = folder }, 0, E_FILE,
                   "cannot read the folder: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        len = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (len > 0 && (size_t)len < sizeof path)
            files_add(f, path, d);
        free(entries[i]);
    }
    free(entries);
}

/* Relative folders start at the main file's, so that a configuration can be moved as a whole.
 */
static int resolve_dirs(struct config_owner *o)
{
    struct field_array *a = &o->config.profile_dirs;
    const char *main_path = o->config.path, *slash = strrchr(main_path, '/');
    size_t stem = slash ? (size_t)(slash - main_path + 1) : 0;

    for (size_t i = 0; i < a->n; i++) {
        const char **dir = (const char **)a->items + i;
        if (!*dir)
            *dir = "/";
        if (**dir == '/' || stem == 0)
            continue;
        char *full = arena_alloc(&o->arena, stem + strlen(*dir) + 1);
        if (!full)
            return -ENOMEM;
        memcpy(full, main_path, stem);
        memcpy(full + stem, *dir, strlen(*dir));
        *dir = full;
    }
    return 0;
}

static void add_profile_id(struct profile_ids *ids, struct arena *a, const char *file)
{
    size_t n = strlen(file);

    if (n <= 5 || strcmp(file + n - 5, ".yaml") != 0 || ids->n + 1 >= ids->cap)
        return;
    char *id = arena_text(a, file, n - 5);
    if (id)
        ids->id[ids->n++] = id;
}

static void add_profile_folder(struct profile_ids *ids, struct arena *a, const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;

    if (!dir)
        return;
    while ((e = readdir(dir)))
        add_profile_id(ids, a, e->d_name);
    closedir(dir);
}

/* Closed by NULL; NULL without memory. Made when first asked for. */
static const char *const *profile_ids(struct config_owner *o)
{
    enum { ON_DISK_MAX = 1000 };
    struct profile_ids *ids = &o->profile_ids;

    if (ids->id)
        return ids->id;
    ids->cap = profile_files_n + ON_DISK_MAX;
    ids->id = arena_alloc(&o->arena, ids->cap * sizeof *ids->id);
    for (size_t i = 0; ids->id && i < profile_files_n; i++)
        add_profile_id(ids, &o->arena, profile_files[i].name);
    for (size_t i = 0; ids->id && i < o->config.profile_dirs.n; i++)
        add_profile_folder(ids, &o->arena, ((const char **)o->config.profile_dirs.items)[i]);
    return ids->id;
}

static void report_profile(struct config_owner *o, const struct check *k,
                           const struct device_conf *dev)
{
    const char *const *ids = profile_ids(o);
    const char *near = ids ? nearest_word(dev->profile, ids) : NULL;

    if (near)
        check_error(k, dev, &dev->profile, E_PROFILE,
                    "no profile is called '%s', did you mean '%s'?", dev->profile, near);
    else
        check_error(k, dev, &dev->profile, E_PROFILE,
                    "no profile is called '%s', `sluice profile list` shows them all",
                    dev->profile);
}

static struct config_profile *profile_of(struct config_owner *o, const char *id)
{
    for (size_t i = 0; i < o->profiles_n; i++) {
        if (strcmp(o->profiles[i].id, id) == 0)
            return &o->profiles[i];
    }
    return NULL;
}

/* Loads what a device names, once; an unknown one is told at every device. */
static int find_profile(struct config_owner *o, const struct check *k, struct device_conf *dev)
{
    const struct field_array *dirs = &o->config.profile_dirs;
    struct config_profile *found = profile_of(o, dev->profile);
    bool is_known = false;

    if (!found) {
        struct profile *p =
            profile_load_by_id(dev->profile, dirs->items, dirs->n, k->d, &is_known);
        if (!p && !is_known) {
            report_profile(o, k, dev);
            return 0;
        }
        struct config_profile *more =
            realloc(o->profiles, (o->profiles_n + 1) * sizeof *o->profiles);
        if (!more) {
            profile_destroy(p);
            return -ENOMEM;
        }
        o->profiles = more;
        found = &more[o->profiles_n++];
        *found = (struct config_profile){ dev->profile, p };
    }
    if (!found->profile)
        check_error(k, dev, &dev->profile, E_PROFILE, "profile '%s' has errors", dev->profile);
    dev->profile_found = found->profile;
    return 0;
}

static const struct bus_conf *find_bus(const struct config *c, const char *id)
{
    const struct bus_conf *buses = c->buses.items;

    for (size_t i = 0; id && i < c->buses.n; i++) {
        if (buses[i].id && strcmp(buses[i].id, id) == 0)
            return &buses[i];
    }
    return NULL;
}

static int resolve_references(struct config_owner *o, const struct check *k)
{
    struct device_conf *devices = o->config.devices.items;
    int err = 0;

    for (size_t i = 0; i < o->config.devices.n && !err; i++) {
        devices[i].bus_found = find_bus(&o->config, devices[i].bus);
        if (devices[i].profile)
            err = find_profile(o, k, &devices[i]);
    }
    return err;
}

/* Every mark that a struct carries: places live on when the binder is gone. */
static void fill_marks(struct config *c, const struct bind *b)
{
    struct bus_conf *buses = c->buses.items;
    struct device_conf *devices = c->devices.items;
    struct rule_conf *rules = c->rules.items;
    struct uplink_conf *uplinks = c->uplinks.items;
    struct pack_conf *packs = c->packs.items;

    for (size_t i = 0; i < c->packs.n; i++)
        packs[i].mark = bind_item_mark(b, &packs[i]);
    for (size_t i = 0; i < c->buses.n; i++)
        buses[i].mark = bind_item_mark(b, &buses[i]);
    for (size_t i = 0; i < c->devices.n; i++) {
        struct correction_conf *channels = devices[i].channels.items;
        devices[i].mark = bind_item_mark(b, &devices[i]);
        for (size_t j = 0; j < devices[i].channels.n; j++)
            channels[j].mark = bind_mark(b, &channels[j].id);
    }
    for (size_t i = 0; i < c->rules.n; i++) {
        struct level_conf *levels = rules[i].levels.items;
        rules[i].mark = bind_item_mark(b, &rules[i]);
        for (size_t j = 0; j < rules[i].levels.n; j++)
            levels[j].mark = bind_mark(b, &levels[j].id);
    }
    for (size_t i = 0; i < c->uplinks.n; i++)
        uplinks[i].mark = bind_item_mark(b, &uplinks[i]);
}

static int bind_files(struct config_owner *o, const struct files *f,
                      const struct field_kind *uplink_kinds, struct diag *d)
{
    const struct bind_kinds kinds[] = { { "uplinks", uplink_kinds }, { 0 } };
    const struct bind_input in = { .files = f->y,
                                   .n = f->n,
                                   .fields = config_fields,
                                   .kinds = kinds,
                                   .arena = &o->arena,
                                   .is_partial = f->is_partial,
                                   .d = d };
    struct bind *b = NULL;
    int err = bind_create(&in, &o->config, &b);

    if (err)
        return err;
    struct check k = { .c = &o->config, .b = b, .d = d, .arena = &o->arena };
    fill_marks(&o->config, b);
    if (o->config.station.zone)
        config_zone_parse(o->config.station.zone, &o->config.station.zone_ms);
    err = resolve_dirs(o);
    if (!err)
        err = resolve_references(o, &k);
    if (!err) {
        check_devices(&k);
        check_lora(&k);
        check_qualities(&k);
        check_statistics(&k);
        check_index(&k);
        err = check_packs(&k);
    }
    if (!err) {
        check_watches(&k);
        check_rules(&k);
        check_uplinks(&k);
    }
    bind_destroy(b);
    return err;
}

static int load_files(const char *path, const struct files *f,
                      const struct field_kind *uplink_kinds, struct diag *d,
                      struct config **ret)
{
    struct config_owner *o = calloc(1, sizeof *o);
    int err = -ENOMEM;

    if (!o)
        return -ENOMEM;
    o->config.path = arena_text(&o->arena, path, strlen(path));
    if (o->config.path)
        err = f->n ? bind_files(o, f, uplink_kinds, d) : -EINVAL;
    if (err == -ENOMEM)
        diag_error(d, (struct field_mark){ .file = path }, 0, E_FILE,
                   "no memory for the configuration");
    if (err || diag_errors(d)) {
        config_destroy(&o->config);
        return -EINVAL;
    }
    *ret = &o->config;
    return 0;
}

int config_load(const char *path, const struct field_kind *uplink_kinds, struct diag *d,
                struct config **ret)
{
    struct files *f = calloc(1, sizeof *f);

    if (!f)
        return -EINVAL;
    files_add(f, path, d);
    files_add_folder(f, path, d);
    int err = load_files(path, f, uplink_kinds, d, ret);
    files_done(f);
    free(f);
    return err;
}

int config_load_text(const char *name, const char *text, size_t size,
                     const struct field_kind *uplink_kinds, struct diag *d, struct config **ret)
{
    struct files *f = calloc(1, sizeof *f);

    if (!f)
        return -EINVAL;
    diag_note_file(d, name);
    f->y[0] = yaml_load_text(name, text, size, d);
    f->n = f->y[0] != NULL;
    int err = load_files(name, f, uplink_kinds, d, ret);
    files_done(f);
    free(f);
    return err;
}

size_t config_channels(const struct config *c)
{
    const struct device_conf *dev = c->devices.items;
    size_t n = 0;

    for (size_t i = 0; i < c->devices.n; i++) {
        for (size_t j = 0; dev[i].profile_found && j < dev[i].profile_found->points_n; j++)
            n += check_is_channel(&dev[i], &dev[i].profile_found->points[j]);
    }
    return n;
}

void config_destroy(struct config *c)
{
    if (!c)
        return;
    struct config_owner *o = (struct config_owner *)c;
    for (size_t i = 0; i < o->profiles_n; i++)
        profile_destroy(o->profiles[i].profile);
    free(o->profiles);
    arena_done(&o->arena);
    free(o);
}
