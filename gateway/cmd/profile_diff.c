/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both profiles become lists of facts (group, key, text); the lists are compared. What is no
 * fact here is not compared, so every member of a profile that the decoder uses must be one.
 */
#include "gateway/cmd/profile_diff.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/profile_layout.h"
#include "gateway/cmd/profile_show.h"
#include "gateway/cmd/profile_text.h"
#include "gateway/conf/arena.h"
#include "sensors/profile/type.h"

enum { FACTS_MAX = 100000, TEXT_MAX = 8192 };

struct fact {
    const char *group, *key, *text;
};

struct facts {
    struct arena arena;
    struct fact *fact;
    size_t n, cap;
    const char *group; /* of the facts that come next */
    bool has_failed;
};

static const char *keep(struct facts *f, const char *text)
{
    const char *copy = text ? arena_text(&f->arena, text, strlen(text)) : NULL;

    f->has_failed = f->has_failed || !copy;
    return copy;
}

static bool grow(struct facts *f)
{
    if (f->n < f->cap)
        return true;
    size_t cap = f->cap ? 2 * f->cap : 256;
    struct fact *more = cap <= FACTS_MAX ? realloc(f->fact, cap * sizeof *more) : NULL;
    if (!more)
        return false;
    f->fact = more;
    f->cap = cap;
    return true;
}

static void add(struct facts *f, const char *key, const char *text)
{
    if (!grow(f)) {
        f->has_failed = true;
        return;
    }
    f->fact[f->n++] = (struct fact){ f->group, key, keep(f, text ? text : "-") };
}

/* Takes what stands in the buffer. */
static void add_buf(struct facts *f, const char *key, struct buf *b)
{
    const char *text = buf_text(b);

    f->has_failed = f->has_failed || !text;
    add(f, key, text && *text ? text : "-");
    buf_clear(b);
}

static void add_number(struct facts *f, const char *key, double x)
{
    char text[32];

    snprintf(text, sizeof text, "%.10g", x);
    add(f, key, isnan(x) ? "-" : text);
}

static void add_address(struct facts *f, const char *key, struct register_address at)
{
    char address[PROFILE_ADDRESS_BYTES];

    add(f, key, profile_address(at, address));
}

static void begin(struct facts *f, const char *what, const char *id)
{
    char group[256];

    snprintf(group, sizeof group, "%s%s%s", what, *id ? " " : "", id);
    f->group = keep(f, group);
}

static void add_head(struct facts *f, const struct profile *p, struct buf *b)
{
    char media[160];

    begin(f, "profile", "");
    add(f, "name", p->en);
    add(f, "name (zh)", p->zh);
    add(f, "vendor", p->vendor);
    add(f, "models", p->models);
    add(f, "medium", profile_media(p, NULL, media, sizeof media));
    add(f, "verified", p->verified);
    add(f, "evidence", p->evidence);
    add(f, "sources", p->source);
    add(f, "notes", p->notes);
    add(f, "setup", p->setup);
    begin(f, "bus", "");
    buf_printf(b, "%s%s%s", p->has_rtu ? "rtu" : "", p->has_rtu && p->has_tcp ? " " : "",
               p->has_tcp       ? "tcp"
               : p->has_lorawan ? "lorawan"
                                : "");
    add_buf(f, "transports", b);
    add_number(f, "baud", p->serial.baud ? p->serial.baud : (double)NAN);
    add(f, "format", p->serial.format);
    add_number(f, "unit", p->serial.unit ? p->serial.unit : (double)NAN);
    add_number(f, "doc_base", p->doc_base);
    add(f, "order", profile_orders[p->order]);
    put_map(b, &p->order_from);
    add_buf(f, "order_from", b);
}

static void add_limits(struct facts *f, const struct profile *p)
{
    add_number(f, "read.max", p->read_max);
    add_number(f, "read.gap", p->read_gap);
    add(f, "read.atomic", p->read_atomic ? "true" : "false");
    add(f, "read.single", p->read_single ? "true" : "false");
    add_number(f, "read.pause_ms", (double)p->read_pause_ms);
    add_number(f, "read.timeout_ms", (double)p->timeout_ms);
    add_number(f, "read.retries", p->retries);
}

static void put_scale_from(struct buf *b, const struct profile_point *pt)
{
    static const char *const rules[] = { "factor", "pow10", "pow10_neg" };
    char address[PROFILE_ADDRESS_BYTES];

    if (pt->scale_from.space)
        buf_printf(b, "%s %s %s", profile_address(pt->scale_from, address),
                   type_name(pt->scale_type), rules[pt->scale_rule]);
}

static void put_field(struct buf *b, const struct profile_point *pt)
{
    if (pt->mask || pt->shift)
        buf_printf(b, "& 0x%llX >> %d", (unsigned long long)pt->mask, pt->shift);
}

static void add_place(struct facts *f, const struct profile_point *pt, struct buf *b)
{
    if (pt->has_mei)
        buf_printf(b, "object 0x%02X", pt->mei);
    add(f, "list", profile_roles[pt->role]);
    add_address(f, "at", pt->at);
    add_buf(f, "mei", b);
    add(f, "type", type_name(pt->type));
    put_field(b, pt);
    add_buf(f, "bits", b);
    add(f, "order", pt->order < 0 ? "-" : profile_orders[pt->order]);
    add_number(f, "scale", pt->scale);
    add_number(f, "offset", pt->offset);
    put_scale_from(b, pt);
    add_buf(f, "scale_from", b);
}

static void add_point(struct facts *f, const struct profile *p, const struct profile_point *pt,
                      struct buf *b)
{
    add_place(f, pt, b);
    add(f, "unit", pt->unit ? pt->unit->code : "-");
    put_map(b, &pt->unit_from);
    add_buf(f, "unit_from", b);
    add(f, "quantity", pt->quantity ? pt->quantity->id : "-");
    put_span(b, pt->range_min, pt->range_max);
    add_buf(f, "range", b);
    put_map(b, &pt->quality);
    add_buf(f, "quality", b);
    put_codes(b, pt);
    add_buf(f, "invalid", b);
    add(f, "stat", pt->stat);
    add(f, "option", pt->is_option ? "true" : "false");
    if (pt->role == POINT_DIAGNOSTIC)
        put_concerned(b, p, pt->is_for_all, pt->concerns);
    add_buf(f, "points", b);
    add(f, "name", pt->en);
    add(f, "name (zh)", pt->zh);
}

/* Flags have no name: their place is one, and a number where several share it. */
static void add_flag(struct facts *f, const struct profile *p, size_t i, struct buf *b)
{
    const struct profile_flag *flag = &p->flags[i];
    char address[PROFILE_ADDRESS_BYTES], other[PROFILE_ADDRESS_BYTES], id[64];
    unsigned same = 0;

    profile_address(flag->map.at, address);
    for (size_t k = 0; k < i; k++)
        same += !strcmp(profile_address(p->flags[k].map.at, other), address);
    snprintf(id, sizeof id, same ? "%s (%u)" : "%s", address, same + 1);
    begin(f, "flag", id);
    put_map(b, &flag->map);
    add_buf(f, "codes", b);
    put_concerned(b, p, flag->is_for_all, flag->points);
    add_buf(f, "points", b);
    add(f, "help", flag->help);
}

static void add_command(struct facts *f, const struct profile_command *c, struct buf *b)
{
    add(f, "name", c->en);
    add(f, "name (zh)", c->zh);
    add(f, "mode", c->mode);
    add_number(f, "mode_ms", (double)c->mode_ms);
    for (size_t i = 0; i < c->parameters_n; i++) {
        const struct profile_parameter *param = &c->parameters[i];
        buf_printf(b, "%s%s %s %.10g..%.10g %.10g%s", i ? "; " : "", param->id,
                   param->unit ? param->unit->code : "1", param->min, param->max, param->dflt,
                   param->is_integer ? " whole" : "");
    }
    add_buf(f, "parameters", b);
    for (size_t i = 0; i < c->steps_n; i++) {
        buf_puts(b, i ? "; " : "");
        put_step(b, c, &c->steps[i]);
    }
    add_buf(f, "steps", b);
}

static void put_tests(struct buf *b, const struct profile_identify *tests, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_puts(b, i ? "; " : "");
        put_test(b, &tests[i]);
    }
}

static void add_body(struct facts *f, const struct profile *p, struct buf *b)
{
    add_head(f, p, b);
    add_limits(f, p);
    begin(f, "identify", "");
    put_tests(b, p->identify, p->identify_n);
    add_buf(f, "tests", b);
    put_map(b, &p->mode);
    begin(f, "mode", "");
    add_buf(f, "codes", b);
    for (size_t i = 0; i < p->points_n; i++) {
        begin(f, "point", p->points[i].id);
        add_point(f, p, &p->points[i], b);
    }
    for (size_t i = 0; i < p->flags_n; i++)
        add_flag(f, p, i, b);
    for (size_t i = 0; i < p->commands_n; i++) {
        begin(f, "command", p->commands[i].id);
        add_command(f, &p->commands[i], b);
    }
}

struct layout_lines {
    struct buf *b;
    const char *joint;
};

static void put_layout_line(void *user, const struct layout_row *row)
{
    struct layout_lines *l = user;

    buf_printf(l->b, "%s%s %s %s%s%s%s%s", l->joint, row->where, row->type, row->point,
               *row->how ? " " : "", row->how, *row->none ? " - " : "", row->none);
    l->joint = "; ";
}

static void add_payload(struct facts *f, const struct profile *p, struct buf *b)
{
    const struct payload *payload = p->payload;
    struct layout_lines script = { b, "" };

    if (payload->script) {
        begin(f, "script", payload->script->file);
        layout_rows(p, NULL, false, put_layout_line, &script);
        add_buf(f, "map", b);
    }
    for (size_t i = 0; i < payload->messages_n; i++) {
        struct layout_lines lines = { b, "" };
        begin(f, "message", payload->messages[i].id);
        layout_put_when(b, &payload->messages[i], false);
        add_buf(f, "when", b);
        layout_put_form(b, &payload->messages[i], false);
        add_buf(f, "form", b);
        layout_rows(p, &payload->messages[i], false, put_layout_line, &lines);
        add_buf(f, "fields", b);
    }
}

static void collect(struct facts *f, const struct profile *p)
{
    struct buf b = BUF_INIT(TEXT_MAX);

    add_body(f, p, &b);
    if (p->payload)
        add_payload(f, p, &b);
    for (size_t i = 0; i < p->variants_n; i++) {
        begin(f, "variant", p->variants[i]->variant);
        put_tests(&b, p->variants[i]->when, p->variants[i]->when_n);
        add_buf(f, "when", &b);
    }
    buf_done(&b);
}

static void facts_done(struct facts *f)
{
    arena_done(&f->arena);
    free(f->fact);
}

static bool has_group(const struct facts *f, const char *group)
{
    for (size_t i = 0; i < f->n; i++)
        if (!strcmp(f->fact[i].group, group))
            return true;
    return false;
}

static const char *find_text(const struct facts *f, const struct fact *like)
{
    for (size_t i = 0; i < f->n; i++)
        if (!strcmp(f->fact[i].group, like->group) && !strcmp(f->fact[i].key, like->key))
            return f->fact[i].text;
    return "-";
}

struct report {
    const char *a, *b; /* ids */
    const char *prefix;
    bool is_zh;
    FILE *out;
};

/* Groups that the other one lacks, each once. */
static int tell_missing(const struct facts *f, const struct facts *other, const char *id,
                        const struct report *r)
{
    const char *last = "";
    int n = 0;

    for (size_t i = 0; i < f->n; i++) {
        const char *group = f->fact[i].group;
        if (!strcmp(group, last))
            continue;
        last = group;
        if (has_group(other, group))
            continue;
        fprintf(r->out, r->is_zh ? "%s%s：仅在 %s 中\n" : "%s%s: only in %s\n", r->prefix,
                group, id);
        n++;
    }
    return n;
}

static int tell_changes(const struct facts *a, const struct facts *b, const struct report *r)
{
    int n = 0;

    for (size_t i = 0; i < a->n; i++) {
        const struct fact *fact = &a->fact[i];
        const char *other = find_text(b, fact);
        if (!has_group(b, fact->group) || !strcmp(fact->text, other))
            continue;
        fprintf(r->out, "%s%s: %s: %s -> %s\n", r->prefix, fact->group, fact->key, fact->text,
                other);
        n++;
    }
    return n;
}

static int compare(const struct profile *a, const struct profile *b, const struct report *r)
{
    struct facts fa = { 0 }, fb = { 0 };
    int n = -ENOMEM;

    collect(&fa, a);
    collect(&fb, b);
    if (!fa.has_failed && !fb.has_failed)
        n = tell_changes(&fa, &fb, r) + tell_missing(&fa, &fb, r->a, r) +
            tell_missing(&fb, &fa, r->b, r);
    facts_done(&fa);
    facts_done(&fb);
    return n;
}

int profile_diff(const struct profile *a, const struct profile *b, const char *lang, FILE *out)
{
    struct report r = {
        .a = a->id, .b = b->id, .prefix = "", .is_zh = !strcmp(lang, "zh"), .out = out
    };
    char prefix[128];
    int n = compare(a, b, &r);

    for (size_t i = 0; n >= 0 && i < a->variants_n; i++)
        for (size_t k = 0; n >= 0 && k < b->variants_n; k++) {
            const char *name = a->variants[i]->variant;
            if (strcmp(name, b->variants[k]->variant))
                continue;
            snprintf(prefix, sizeof prefix, "variant %s: ", name);
            r.prefix = prefix;
            int more = compare(a->variants[i], b->variants[k], &r);
            n = more < 0 ? more : n + more;
        }
    return n;
}
