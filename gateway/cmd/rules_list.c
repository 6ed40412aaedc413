/* SPDX-License-Identifier: Apache-2.0 */
/* rules list: the ready-made packs, and the rules of a station, with what they judge by. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/app_view.h"
#include "gateway/base/buf.h"
#include "gateway/cmd/rules.h"
#include "gateway/conf/packs.h"
#include "gateway/conf/value.h"
#include "gateway/line_check.h"
#include "sensors/core/words.h"

enum { REPORT_MAX = 8 << 20 };

static const char *absence_id(enum pack_absence why)
{
    static const char *const ids[] = { "no_channel", "switched_off", "replaced" };

    return ids[why];
}

static const char *absence_text(enum pack_absence why)
{
    switch (why) {
    case PACK_SWITCHED_OFF:
        return say("switched off", "已关闭");
    case PACK_REPLACED:
        return say("replaced by a rule of the station", "被本站同名规则取代");
    default:
        return say("no channel fits", "没有适用的通道");
    }
}

/* ---- one rule ---- */

static const char *unit_of(const struct rule_conf *r)
{
    const struct quantity *q = r->quantity ? quantity_find(r->quantity) : NULL;

    return r->unit ? r->unit : q ? q->unit : "";
}

static const char *sign_of(const struct rule_conf *r)
{
    static const char *const signs[][2] = {
        [ALERT_ABOVE] = { ">=", ">" },
        [ALERT_BELOW] = { "<=", "<" },
        [ALERT_OUTSIDE] = { "+/- >=", "+/- >" },
        [ALERT_EQUAL] = { "=", "=" },
    };

    return signs[r->direction][r->at_limit != 0];
}

static const char *title_of(const struct names *n)
{
    const char *title = say_zh() ? n->zh : n->en;

    return title ? title : "";
}

static void put_levels(const struct rule_conf *r, struct buf *b)
{
    const struct level_conf *l = r->levels.items;
    char set[VALUE_TEXT_MAX];

    for (size_t i = 0; i < r->levels.n; i++) {
        value_double_text(l[i].set, set);
        buf_printf(b, "%s%s %s %s", i ? ", " : "", l[i].id, sign_of(r), set);
        if (l[i].on)
            buf_printf(b, " (%s)", l[i].on);
    }
    buf_printf(b, " %s", unit_of(r));
}

static void put_rule(const char *prefix, const struct rule_conf *r, struct buf *b)
{
    buf_printf(b, "  %s%s%s  %s\n", prefix, *prefix ? "-" : "", r->id, title_of(&r->title));
    buf_printf(b, "      %s %s: ",
               r->quantity ? r->quantity
               : r->medium ? r->medium
                           : r->device,
               r->input ? r->input : "raw");
    put_levels(r, b);
    buf_puts(b, "\n");
    if (r->when)
        buf_printf(b, "      %s %s\n", say("when", "条件："), r->when);
    if (r->suppress_when)
        buf_printf(b, "      %s %s\n", say("not while", "不判定："), r->suppress_when);
    if (r->source)
        buf_printf(b, "      [%s]\n", r->source);
}

static void put_number(struct buf *b, const char *key, double x)
{
    char text[VALUE_TEXT_MAX];

    value_double_text(x, text);
    buf_printf(b, ",\"%s\":%s", key, isnan(x) ? "null" : text);
}

static void put_text(struct buf *b, const char *key, const char *text)
{
    if (!text)
        return;
    buf_printf(b, ",\"%s\":", key);
    buf_json(b, text);
}

static void put_json_levels(const struct rule_conf *r, struct buf *b)
{
    const struct level_conf *l = r->levels.items;

    buf_puts(b, ",\"levels\":[");
    for (size_t i = 0; i < r->levels.n; i++) {
        buf_printf(b, "%s{\"level\":\"%s\"", i ? "," : "", l[i].id);
        put_number(b, "set", l[i].set);
        put_number(b, "clear", l[i].clear);
        put_text(b, "on", l[i].on);
        put_text(b, "off", l[i].off);
        buf_puts(b, "}");
    }
    buf_puts(b, "]");
}

static void put_json_rule(const char *prefix, const struct rule_conf *r, struct buf *b)
{
    buf_printf(b, "{\"id\":\"%s%s%s\"", prefix, *prefix ? "-" : "", r->id);
    put_text(b, "title_en", r->title.en);
    put_text(b, "title_zh", r->title.zh);
    put_text(b, "quantity", r->quantity);
    put_text(b, "medium", r->medium);
    put_text(b, "device", r->device);
    put_text(b, "input", r->input ? r->input : "raw");
    put_text(b, "direction", alert_direction_words[r->direction]);
    put_text(b, "at_limit", r->at_limit ? "kept" : "exceeded");
    if (r->decimals >= 0)
        put_number(b, "decimals", (double)r->decimals);
    put_text(b, "unit", unit_of(r));
    put_json_levels(r, b);
    put_text(b, "when", r->when);
    put_text(b, "suppress_when", r->suppress_when);
    put_text(b, "source", r->source);
    buf_printf(b, ",\"enabled\":%s}", r->is_enabled ? "true" : "false");
}

/* ---- packs ---- */

static void put_option(const struct field *f, struct buf *b)
{
    buf_printf(b, "  %s: ", f->name);
    for (const char *const *w = f->words; w && *w; w++)
        buf_printf(b, "%s%s", w == f->words ? "" : ", ", *w);
    if (f->dflt)
        buf_printf(b, f->words ? " [%s]" : "[%s]", f->dflt);
    buf_printf(b, "  %s\n", f->help);
}

static void put_pack(const struct field_kind *kind, const struct pack_items *items,
                     struct buf *b)
{
    const struct rule_conf *r = items->rules.items;

    buf_printf(b, "%s  %s\n", kind->name, title_of(&items->title));
    for (const struct field *f = kind->fields; f->name; f++)
        put_option(f, b);
    buf_puts(b, "\n");
    for (size_t i = 0; i < items->rules.n; i++)
        put_rule(kind->name, &r[i], b);
    buf_puts(b, "\n");
}

static void put_json_option(const struct field *f, struct buf *b)
{
    buf_printf(b, "{\"name\":\"%s\"", f->name);
    put_text(b, "default", f->dflt);
    buf_puts(b, ",\"values\":[");
    for (const char *const *w = f->words; w && *w; w++) {
        buf_puts(b, w == f->words ? "" : ",");
        buf_json(b, *w);
    }
    buf_puts(b, "]");
    put_text(b, "help", f->help);
    buf_puts(b, "}");
}

static void put_json_pack(const struct field_kind *kind, const struct pack_items *items,
                          struct buf *b)
{
    const struct rule_conf *r = items->rules.items;

    buf_printf(b, "{\"pack\":\"%s\"", kind->name);
    put_text(b, "title_en", items->title.en);
    put_text(b, "title_zh", items->title.zh);
    put_text(b, "standard", items->standard);
    buf_puts(b, ",\"options\":[");
    for (const struct field *f = kind->fields; f->name; f++) {
        buf_puts(b, f == kind->fields ? "" : ",");
        put_json_option(f, b);
    }
    buf_puts(b, "],\"rules\":[\n");
    for (size_t i = 0; i < items->rules.n; i++) {
        buf_puts(b, i ? ",\n" : "");
        put_json_rule(kind->name, &r[i], b);
    }
    buf_puts(b, "]}");
}

static bool is_asked(const struct rules_options *o, const struct field_kind *kind)
{
    return !o->pack || strcmp(o->pack, kind->name) == 0;
}

/* ---- options of packs ---- */

static const struct field *option_named(const struct field_kind *kind, const char *text)
{
    const size_t n = strcspn(text, "=");

    for (const struct field *f = kind->fields; f->name; f++)
        if (strlen(f->name) == n && strncmp(f->name, text, n) == 0)
            return f;
    return NULL;
}

static bool is_word_of(const struct field *f, const char *word)
{
    for (const char *const *w = f->words; w && *w; w++)
        if (strcmp(*w, word) == 0)
            return true;
    return !f->words;
}

/* False where the value is none of the option's. */
static bool set_option(const struct field *f, const char *value, struct pack_options *o)
{
    void *member = (char *)o + f->offset;
    double number;

    if (f->type != FIELD_DOUBLE) {
        if (is_word_of(f, value))
            *(const char **)member = value;
        return is_word_of(f, value);
    }
    if (value_parse_double(value, &number) < 0 || number < f->min || number > f->max)
        return false;
    *(double *)member = number;
    return true;
}

static int set_options(const struct rules_options *o, const struct field_kind *kind,
                       struct pack_options *ret)
{
    for (size_t i = 0; i < o->set.n; i++) {
        const struct field *f = option_named(kind, o->set.text[i]);
        const char *equals = strchr(o->set.text[i], '=');
        if (!f || (equals && set_option(f, equals + 1, ret)))
            continue;
        fprintf(stderr,
                say("sluice rules: --set %s: pack '%s' has no such value of '%s'.\n",
                    "sluice rules：--set %s：规则包 '%s' 的选项 '%s' 没有这个值。\n"),
                o->set.text[i], kind->name, f->name);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

/* An option that none of the packs shown has is a slip of the pen. */
static int check_options(const struct rules_options *o)
{
    for (size_t i = 0; i < o->set.n; i++) {
        bool is_known = false;
        for (const struct field_kind *k = pack_kinds; k->name; k++)
            is_known |= is_asked(o, k) && option_named(k, o->set.text[i]);
        if (is_known)
            continue;
        fprintf(stderr,
                say("sluice rules: --set %s: no pack that is shown has this option.\n",
                    "sluice rules：--set %s：所列规则包没有这个选项。\n"),
                o->set.text[i]);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static int list_packs(const struct rules_options *o, struct diag *d, struct buf *b)
{
    struct arena arena = { 0 };
    size_t n = 0;
    int rc = 0, status = EXIT_DONE;

    buf_puts(b, o->is_json ? "{\"packs\":[" : "");
    for (const struct field_kind *kind = pack_kinds; rc == 0 && kind->name; kind++) {
        struct pack_options set = pack_defaults(kind);
        const struct pack_source source = { .kind = kind, .options = &set, .night = AGG_NIGHT };
        struct pack_items items = { .standard = NULL };
        if (!is_asked(o, kind))
            continue;
        n++;
        status = set_options(o, kind, &set);
        if (status != EXIT_DONE)
            break;
        rc = pack_load(&source, &arena, d, &items);
        if (rc == 0 && o->is_json) {
            buf_puts(b, n > 1 ? ",\n" : "\n");
            put_json_pack(kind, &items, b);
        } else if (rc == 0) {
            put_pack(kind, &items, b);
        }
    }
    buf_puts(b, o->is_json ? "]}\n" : "");
    arena_done(&arena);
    if (rc < 0)
        return EXIT_FOUND;
    if (n > 0)
        return status != EXIT_DONE ? status : check_options(o);
    fprintf(stderr,
            say("sluice rules: there is no pack '%s'; `sluice rules list` shows all.\n",
                "sluice rules：没有规则包 '%s'；`sluice rules list` 可列出全部。\n"),
            o->pack);
    return EXIT_USAGE;
}

/* ---- a station ---- */

/* Of that pack's entries: their ids begin the rules'. */
static bool is_of_pack(const struct config *c, const char *pack, const char *id)
{
    const struct pack_conf *p = c->packs.items;

    for (size_t i = 0; i < c->packs.n; i++) {
        const size_t n = strlen(p[i].id);
        if (strcmp(p[i].pack.kind->name, pack) == 0 && strncmp(id, p[i].id, n) == 0 &&
            id[n] == '-')
            return true;
    }
    return false;
}

static void put_station(const struct rules_options *o, const struct config *c, struct buf *b)
{
    const struct rule_conf *r = c->rules.items;
    const struct pack_absent *a = c->absent.items;

    for (size_t i = 0; i < c->rules.n; i++)
        if (r[i].is_enabled && (!o->pack || is_of_pack(c, o->pack, r[i].id)))
            put_rule("", &r[i], b);
    if (c->absent.n)
        buf_printf(b, "%s\n", say("Not in force:", "未启用："));
    for (size_t i = 0; i < c->absent.n; i++)
        if (!o->pack || is_of_pack(c, o->pack, a[i].id))
            buf_printf(b, "  %s  %s\n", a[i].id, absence_text(a[i].why));
}

static void put_json_station(const struct rules_options *o, const struct config *c,
                             struct buf *b)
{
    const struct rule_conf *r = c->rules.items;
    const struct pack_absent *a = c->absent.items;
    size_t n = 0;

    buf_puts(b, "{\"rules\":[\n");
    for (size_t i = 0; i < c->rules.n; i++) {
        if (o->pack && !is_of_pack(c, o->pack, r[i].id))
            continue;
        buf_puts(b, n++ ? ",\n" : "");
        put_json_rule("", &r[i], b);
    }
    buf_puts(b, "],\"absent\":[");
    n = 0;
    for (size_t i = 0; i < c->absent.n; i++) {
        if (o->pack && !is_of_pack(c, o->pack, a[i].id))
            continue;
        buf_printf(b, "%s\n{\"id\":\"%s\",\"why\":\"%s\"}", n++ ? "," : "", a[i].id,
                   absence_id(a[i].why));
    }
    buf_puts(b, "]}\n");
}

static int list_station(const struct rules_options *o, const char *path, struct diag *d,
                        struct buf *b)
{
    struct config *c = NULL;

    if (line_check_load(path, uplink_choices(), d, &c) < 0)
        return EXIT_USAGE;
    if (o->is_json)
        put_json_station(o, c, b);
    else
        put_station(o, c, b);
    config_destroy(c);
    return EXIT_DONE;
}

int rules_list(const struct rules_options *o, int argc, char **argv)
{
    struct buf b = BUF_INIT(REPORT_MAX);
    struct diag *d;

    if (argc > 1)
        return rules_wrong(
            say("It is `sluice rules list [FILE]`.", "用法为 `sluice rules list [FILE]`。"));
    if (diag_create(&d) < 0)
        return EXIT_FOUND;
    int status = argc > 0 ? list_station(o, argv[0], d, &b) : list_packs(o, d, &b);
    if (status != EXIT_DONE)
        diag_print(d, stderr);
    const char *text = buf_text(&b);
    if (status == EXIT_DONE && (!text || fputs(text, stdout) < 0 || fflush(stdout) != 0))
        status = EXIT_FOUND;
    buf_done(&b);
    diag_destroy(d);
    return status;
}
