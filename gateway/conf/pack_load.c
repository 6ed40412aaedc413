/* SPDX-License-Identifier: Apache-2.0 */
/* A pack from the binary: its text with the options put in, bound by the station's tables. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/embedded.h"
#include "gateway/conf/bind.h"
#include "gateway/conf/packs.h"
#include "gateway/conf/yaml.h"

enum { TEXT_MAX = 256 << 10, NAME_BYTES = 64 };

extern const struct embedded_file pack_files[];
extern const size_t pack_files_n;

static const struct embedded_file *file_of(const struct field_kind *kind)
{
    const size_t n = strlen(kind->name);

    for (size_t i = 0; i < pack_files_n; i++)
        if (strncmp(pack_files[i].name, kind->name, n) == 0 &&
            strcmp(pack_files[i].name + n, ".yaml") == 0)
            return &pack_files[i];
    return NULL;
}

static struct field field_named(const char *name, size_t offset)
{
    const struct field *f = config_fields;

    while (strcmp(f->name, name) != 0)
        f++;
    struct field ret = *f;
    ret.offset = offset;
    return ret;
}

static int bind_items(struct yaml *y, struct arena *arena, struct diag *d,
                      struct pack_items *ret)
{
    const struct field fields[] = {
        field_named("rules", offsetof(struct pack_items, rules)),
        field_named("watch", offsetof(struct pack_items, watches)),
        { .name = NULL },
    };
    const struct bind_input in = {
        .files = &y, .n = 1, .fields = fields, .arena = arena, .d = d
    };
    const size_t errors = diag_errors(d);
    struct bind *b = NULL;

    int rc = bind_create(&in, ret, &b);
    if (rc < 0)
        return rc;
    bind_destroy(b);
    return diag_errors(d) > errors ? -EINVAL : 0;
}

static const char *copy(struct arena *arena, struct fy_node *node)
{
    const char *text = yaml_text(node);

    return text ? arena_text(arena, text, strlen(text)) : NULL;
}

static int load_filled(const struct pack_source *source, const char *path, struct yaml *raw,
                       const char *text, struct arena *arena, struct diag *d,
                       struct pack_items *ret)
{
    struct buf filled = BUF_INIT(TEXT_MAX);
    struct pack_items items = { 0 };
    struct fy_node *root = yaml_root(raw), *title = yaml_find(root, "title");

    int rc = pack_fill(source, root, text, &filled);
    const char *is = rc == 0 ? buf_text(&filled) : NULL;
    struct yaml *y = is ? yaml_load_text(path, is, filled.size, d) : NULL;
    if (rc == 0)
        rc = y ? bind_items(y, arena, d, &items) : -EINVAL;
    yaml_destroy(y);
    buf_done(&filled);
    if (rc < 0)
        return rc;
    items.title = (struct names){ copy(arena, yaml_find(title, "en")),
                                  copy(arena, yaml_find(title, "zh")) };
    items.standard = copy(arena, yaml_find(root, "standard"));
    *ret = items;
    return 0;
}

int pack_load(const struct pack_source *source, struct arena *arena, struct diag *d,
              struct pack_items *ret)
{
    const struct embedded_file *file = file_of(source->kind);
    const char *text = file ? (const char *)file->data : NULL;
    struct yaml *raw = file ? yaml_load_text(file->path, text, file->size, d) : NULL;

    if (!raw)
        return -EINVAL;
    int rc = load_filled(source, file->path, raw, text, arena, d, ret);
    yaml_destroy(raw);
    return rc;
}
