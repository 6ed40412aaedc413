/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/import/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/utf8.h"
#include "gateway/import/formats.h"
#include "gateway/import/reader.h"

static const struct {
    const char *name;
    bool is_left;
    const char *en, *zh;
} reasons[] = {
#define REASON(name, is_left, en, zh) { #name, is_left, en, zh },
#include "gateway/import/reasons.def"
#undef REASON
};

const struct import_format import_formats[] = {
    { "telegraf", "Telegraf", telegraf_read },
    { "collectd", "collectd", collectd_read },
    { "homeassistant", "Home Assistant", homeassistant_read },
    { "neuron-csv", "Neuron", neuron_read },
    { NULL, NULL, NULL },
};

const char *import_reason_name(enum import_reason r)
{
    return reasons[r].name;
}

bool import_reason_is_left(enum import_reason r)
{
    return reasons[r].is_left;
}

/* The one %s of a sentence, without trusting the table as a format. */
void import_note_text(const struct import_note *n, const char *lang, char *out, size_t size)
{
    const char *text = strcmp(lang, "zh") == 0 ? reasons[n->reason].zh : reasons[n->reason].en;
    const char *gap = strstr(text, "%s");
    char about[4 * 80 + 4];

    utf8_shown(n->about, 80, about, sizeof about);
    if (gap)
        snprintf(out, size, "%.*s%s%s", (int)(gap - text), text, about, gap + 2);
    else
        snprintf(out, size, "%s", text);
}

const struct import_format *import_format_find(const char *name)
{
    for (const struct import_format *f = import_formats; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

/* UTF-8 without controls: what follows may look at bytes. */
static bool is_clean(const char *name, const char *text, size_t size, struct diag *d)
{
    struct field_mark mark = { name, 1, 1 };
    int32_t c;

    for (size_t i = 0, step; i < size; i += step) {
        step = utf8_next(text + i, size - i, &c);
        bool is_control =
            (c >= 0 && c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
        if (c < 0 || is_control) {
            diag_error(d, mark, 1, E_SYNTAX,
                       c < 0 ? "the file is not UTF-8 text, found byte 0x%02x"
                             : "a control character (code 0x%02x) stands in the file",
                       (unsigned)(unsigned char)text[i]);
            return false;
        }
        mark.line += c == '\n';
        mark.column = c == '\n' ? 1 : mark.column + 1;
    }
    return true;
}

/* "telegraf" of "/etc/telegraf/telegraf.conf". */
static const char *base_of(struct import_plan *p, const char *path)
{
    const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
    const char *dot = strrchr(from, '.');
    size_t n = dot && dot > from ? (size_t)(dot - from) : strlen(from);
    char out[40];
    size_t used = 0;

    for (size_t i = 0; i < n && used + 1 < sizeof out; i++) {
        char c = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] + 32) : from[i];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[used++] = c;
        else if (used && out[used - 1] != '-')
            out[used++] = '-';
    }
    while (used && out[used - 1] == '-')
        used--;
    return used ? arena_text(&p->arena, out, used) : "import";
}

static bool is_same_map(const struct import_device *a, const struct import_device *b)
{
    const struct import_point *p = a->points, *q = b->points;

    if (a->points_n != b->points_n || a->is_single != b->is_single ||
        a->read_max != b->read_max || a->pause_ms != b->pause_ms)
        return false;
    for (; p; p = p->next, q = q->next)
        if (strcmp(p->id, q->id) != 0 || strcmp(p->name, q->name) != 0 ||
            p->space != q->space || p->first != q->first || p->count != q->count ||
            p->type != q->type || p->order != q->order || p->bit != q->bit ||
            p->mask != q->mask || p->shift != q->shift || p->scale != q->scale ||
            p->offset != q->offset || p->unit != q->unit || p->quantity != q->quantity ||
            p->invalid_n != q->invalid_n || p->invalid[0] != q->invalid[0])
            return false;
    return true;
}

/* Devices with the same registers share one profile, named after the first. */
static int name_profiles(struct import_plan *p)
{
    for (struct import_device *d = p->devices; d; d = d->next) {
        if (!d->points)
            continue;
        for (struct import_device *o = p->devices; o != d && !d->profile; o = o->next)
            if (o->is_first_of_profile && is_same_map(o, d))
                d->profile = o->profile;
        if (d->profile)
            continue;
        char id[80];
        snprintf(id, sizeof id, "imported-%s", d->id);
        d->profile = arena_text(&p->arena, id, strlen(id));
        d->is_first_of_profile = true;
        p->profiles_n++;
        if (!d->profile)
            return -ENOMEM;
    }
    return 0;
}

/* A profile needs points: a device without any is told and left out. */
static void drop_empty(struct import_reader *r)
{
    struct import_plan *p = r->plan;
    struct import_device **link = &p->devices;

    while (*link) {
        struct import_device *d = *link;
        if (d->points) {
            link = &d->next;
            continue;
        }
        import_note(r, IMPORT_NO_POINTS, d->name, d->line, NULL);
        *link = d->next;
        p->devices_n--;
        for (struct import_note *n = p->notes; n; n = n->next)
            if (n->device == d)
                n->device = NULL;
    }
}

static int by_line(const void *a, const void *b)
{
    const struct import_note *x = *(struct import_note *const *)a,
                             *y = *(struct import_note *const *)b;

    return x->line != y->line ? (x->line > y->line) - (x->line < y->line)
                              : (x->reason > y->reason) - (x->reason < y->reason);
}

static int sort_notes(struct import_plan *p)
{
    size_t n = 0;

    for (const struct import_note *i = p->notes; i; i = i->next)
        n++;
    struct import_note **all = calloc(n + 1, sizeof *all);
    if (!all)
        return -ENOMEM;
    n = 0;
    for (struct import_note *i = p->notes; i; i = i->next)
        all[n++] = i;
    qsort(all, n, sizeof *all, by_line);
    for (size_t i = 0; i < n; i++)
        all[i]->next = all[i + 1];
    p->notes = all[0];
    free(all);
    return 0;
}

static int read_all(struct import_reader *r, const struct import_format *f, const char *text,
                    size_t size)
{
    size_t before = diag_errors(r->d);
    int err = f->read(r, text, size);

    if (diag_errors(r->d) > before)
        return -EINVAL;
    if (err || r->has_failed)
        return err ? err : -ENOMEM;
    drop_empty(r);
    if (r->plan->devices_n == 0) {
        diag_error(r->d, (struct field_mark){ .file = r->maker.file }, 0, E_VALUE,
                   "no Modbus device that could be taken over stands in the file");
        return -EINVAL;
    }
    for (struct import_device *d = r->plan->devices; d; d = d->next)
        import_finish_device(r, d);
    err = name_profiles(r->plan);
    if (!err)
        err = sort_notes(r->plan);
    return err ? err : r->has_failed ? -ENOMEM : 0;
}

int import_read(const struct import_format *f, const char *name, const char *text, size_t size,
                struct diag *d, struct import_plan **ret)
{
    struct import_plan *p = calloc(1, sizeof *p);

    if (!p)
        return -ENOMEM;
    struct import_reader r = { .plan = p, .d = d, .maker = { name, d, &p->arena, 0 } };
    p->program = f->program;
    p->file = arena_text(&p->arena, name, strlen(name));
    p->base = base_of(p, name);
    diag_note_file(d, name);
    diag_add_source(d, name, text, size < TREE_FILE_MAX ? size : 0);
    int err = p->file && p->base ? 0 : -ENOMEM;
    if (!err && size > TREE_FILE_MAX) {
        diag_error(d, (struct field_mark){ .file = name }, 0, E_FILE,
                   "the file is larger than 1 MiB");
        err = -EINVAL;
    }
    if (!err && size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (!err && !is_clean(name, text, size, d))
        err = -EINVAL;
    if (!err)
        err = read_all(&r, f, text, size);
    if (err) {
        import_destroy(p);
        return err;
    }
    *ret = p;
    return 0;
}

void import_destroy(struct import_plan *p)
{
    if (!p)
        return;
    arena_done(&p->arena);
    free(p);
}
