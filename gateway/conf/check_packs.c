/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs become rules and watches of the station: those that fit one of its channels, behind its
 * own, which go before. What is wrong with them is told at the entry in `packs`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "gateway/conf/packs.h"

enum {
    ID_MAX = 64,
    PREFIX_MAX = 40, /* the longest id in a pack has 23 */
    SLOW_MS = 60000
};

/* A growing array of structs of the arena. */
struct heap {
    char *items;
    size_t n, cap, size;
};

/* Room for one more; NULL without memory. */
static void *push(struct arena *arena, struct heap *h)
{
    if (h->n == h->cap) {
        const size_t cap = h->cap ? 2 * h->cap : 64;
        char *more = arena_alloc(arena, cap * h->size);
        if (!more)
            return NULL;
        if (h->n)
            memcpy(more, h->items, h->n * h->size);
        h->items = more;
        h->cap = cap;
    }
    return h->items + h->n++ * h->size;
}

struct job {
    const struct check *k;
    struct levels_night night;
    struct heap rules, watches, absent;
};

/* ---- options ---- */

/* Packs ask what it was like in the last hour, too. */
static bool has_hour(const struct device_conf *d, const struct profile_point *p)
{
    const struct statistics_conf all = config_statistics(d, p);

    for (size_t i = 0; i < all.n; i++)
        if (all.w[i].period == AGG_1H && all.w[i].figure == AGG_VALUE)
            return true;
    return false;
}

static void check_channel(const struct check *k, const struct pack_conf *p,
                          const struct field *f)
{
    const struct pack_options *o = p->pack.options;
    const char *const *text = (const char *const *)((const char *)o + f->offset);
    const char *quantity = pack_option_quantity(f->name);
    const struct device_conf *device;
    const struct profile_point *point;

    if (!quantity || !*text || strcmp(*text, "none") == 0)
        return;
    if (!strchr(*text, '/') || !config_peer(k->c, NULL, *text, &device, &point) ||
        !check_is_channel(device, point))
        check_error(k, p, text, E_REFERENCE,
                    "no channel is called '%s', expected DEVICE/POINT, or none", *text);
    else if (point->quantity != quantity_find(quantity))
        check_error(k, p, text, E_CONFLICT, "'%s' is %s, expected a channel of %s", *text,
                    point->quantity->id, quantity);
    else if (!has_hour(device, point))
        check_error(k, p, text, E_CONFLICT,
                    "'%s' has no mean of an hour, which the pack looks at, too", *text);
}

/* The first channel of a quantity, as "device/point". */
static const char *first_channel(const struct check *k, const char *quantity)
{
    const struct device_conf *d = k->c->devices.items;
    char name[2 * ID_MAX + 2];

    for (size_t i = 0; i < k->c->devices.n; i++)
        for (size_t n = 0; d[i].id && d[i].profile_found && n < d[i].profile_found->points_n;
             n++) {
            const struct profile_point *p = &d[i].profile_found->points[n];
            if (!check_is_channel(&d[i], p) || p->quantity != quantity_find(quantity) ||
                !has_hour(&d[i], p))
                continue;
            const int size = snprintf(name, sizeof name, "%s/%s", d[i].id, p->id);
            if (size > 0 && (size_t)size < sizeof name)
                return arena_text(k->arena, name, (size_t)size);
        }
    return NULL;
}

/* Weather is the same for the whole station: what is not named is found. */
static void find_weather(const struct check *k, struct pack_options *o)
{
    if (!o->wind)
        o->wind = first_channel(k, pack_option_quantity("wind"));
    if (!o->rain)
        o->rain = first_channel(k, pack_option_quantity("rain"));
}

/* ---- rules ---- */

static const struct rule_conf *own_rule(const struct check *k, const char *id)
{
    const struct rule_conf *r = k->c->rules.items;

    for (size_t i = 0; i < k->c->rules.n; i++)
        if (r[i].id && strcmp(r[i].id, id) == 0)
            return &r[i];
    return NULL;
}

static bool is_switched_off(const struct pack_conf *p, const char *id)
{
    const struct pack_rule_conf *r = p->rules.items;

    for (size_t i = 0; i < p->rules.n; i++)
        if (r[i].id && strcmp(r[i].id, id) == 0)
            return !r[i].is_enabled;
    return false;
}

static const char *prefixed(const struct check *k, const struct pack_conf *p, const char *id)
{
    char name[2 * ID_MAX + 2];
    const int n = snprintf(name, sizeof name, "%s-%s", p->id, id);

    return n < (int)sizeof name ? arena_text(k->arena, name, (size_t)n) : NULL;
}

static int add_rule(struct job *j, const struct pack_conf *p, const struct rule_conf *from)
{
    struct rule_conf r = *from;
    enum pack_absence why = PACK_SWITCHED_OFF;

    r.id = prefixed(j->k, p, from->id);
    r.mark = p->mark;
    if (p->device)
        r.device = p->device;
    if (!r.id)
        return -ENOMEM;
    bool is_absent = is_switched_off(p, from->id);
    if (!is_absent && own_rule(j->k, r.id)) {
        is_absent = true;
        why = PACK_REPLACED;
    }
    if (!is_absent && !check_rule_fits(j->k, &r)) {
        is_absent = true;
        why = PACK_NO_CHANNEL;
    }
    void *to = push(j->k->arena, is_absent ? &j->absent : &j->rules);
    if (!to)
        return -ENOMEM;
    if (is_absent)
        *(struct pack_absent *)to = (struct pack_absent){ r.id, why };
    else
        *(struct rule_conf *)to = r;
    return 0;
}

/* Every word of `rules:` must be a rule that the pack has, with whatever options. */
static void check_overrides(const struct check *k, const struct pack_conf *p,
                            const struct pack_items *items)
{
    const struct pack_rule_conf *wanted = p->rules.items;
    const struct rule_conf *rules = items->rules.items;
    const char *words[256];
    size_t n = 0;

    for (; n < items->rules.n && n + 1 < sizeof words / sizeof *words; n++)
        words[n] = rules[n].id;
    words[n] = NULL;
    for (size_t i = 0; i < p->rules.n; i++) {
        bool is_known = !wanted[i].id;
        for (size_t w = 0; w < n && !is_known; w++)
            is_known = strcmp(words[w], wanted[i].id) == 0;
        if (is_known)
            continue;
        const char *near = nearest_word(wanted[i].id, words);
        check_error(k, p, &wanted[i].id, E_REFERENCE,
                    "pack '%s' has no rule '%s' with these options%s%s%s", p->pack.kind->name,
                    wanted[i].id, near ? ", did you mean '" : "", near ? near : "",
                    near ? "'?" : "");
    }
}

/* ---- watches ---- */

/* What is beside at a device is left out where that device has it not, or is the watched one.
 */
static void drop_asides(const struct check *k, const struct device_conf *d,
                        struct watch_conf *w)
{
    const char **single[] = { &w->wind, &w->rain, &w->twin };
    const struct device_conf *peer;
    const struct profile_point *point;

    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
        if (*single[i] && (!config_peer(k->c, d, *single[i], &peer, &point) ||
                           !check_is_channel(peer, point) || peer == d))
            *single[i] = NULL;
}

static bool is_watched_by_pack(const struct job *j, const char *device, const char *quantity)
{
    const struct watch_conf *w = (const void *)j->watches.items;

    for (size_t i = 0; i < j->watches.n; i++)
        if (strcmp(w[i].device, device) == 0 && strcmp(w[i].quantity, quantity) == 0)
            return true;
    return false;
}

/* Read every few seconds, a value that an instrument forms more slowly would repeat itself. */
static bool is_too_fast(const struct device_conf *d, const struct quantity *q)
{
    const enum watch_kind kind = watch_kind_of(q);

    return (kind == WATCH_WATER || kind == WATCH_AIR) && d->poll_ms < SLOW_MS;
}

static bool is_watchable(const struct job *j, const struct watch_conf *w,
                         const struct device_conf *d)
{
    const struct profile *profile = d->profile_found;
    const struct check *k = j->k;
    struct watch_config made;

    if (!d->id || is_too_fast(d, quantity_find(w->quantity)) ||
        is_watched_by_pack(j, d->id, w->quantity))
        return false;

    for (size_t i = 0; profile && i < profile->points_n; i++) {
        const struct profile_point *p = &profile->points[i];
        if (check_is_channel(d, p) && p->quantity == quantity_find(w->quantity))
            return !config_watch(k->c, d, p, &made);
    }
    return false;
}

/* One for each device: a watch of the station's own goes before. */
static int add_watch(struct job *j, const struct pack_conf *p, const struct watch_conf *from)
{
    const struct device_conf *d = j->k->c->devices.items;

    for (size_t i = 0; i < j->k->c->devices.n; i++) {
        if ((p->device && (!d[i].id || strcmp(d[i].id, p->device) != 0)) ||
            !is_watchable(j, from, &d[i]))
            continue;
        struct watch_conf *w = push(j->k->arena, &j->watches);
        if (!w)
            return -ENOMEM;
        *w = *from;
        w->device = d[i].id;
        w->mark = p->mark;
        drop_asides(j->k, &d[i], w);
    }
    return 0;
}

/* ---- all of them ---- */

static int append(const struct check *k, struct field_array *to, const struct heap *more)
{
    const size_t n = to->n + more->n, size = more->size;
    struct field_mark *marks = NULL;
    int rc = 0;

    if (more->n == 0)
        return 0;
    char *items = arena_alloc(k->arena, n * size);
    marks = calloc(more->n, sizeof *marks);
    if (items && marks) {
        if (to->n) {
            memcpy(items, to->items, to->n * size);
            bind_move(k->b, to->items, to->n * size, items);
        }
        memcpy(items + to->n * size, more->items, more->n * size);
        for (size_t i = 0; i < more->n; i++)
            marks[i] = size == sizeof(struct rule_conf)
                           ? ((const struct rule_conf *)(const void *)more->items)[i].mark
                           : ((const struct watch_conf *)(const void *)more->items)[i].mark;
        rc = bind_note_items(k->b, items + to->n * size, size, more->n, marks);
    }
    free(marks);
    if (!items || rc < 0)
        return -ENOMEM;
    *to = (struct field_array){ items, n };
    return 0;
}

struct place { /* what a pack looks at */
    const struct check *k;
    const char *device; /* NULL: any */
};

static bool measures(void *user, const char *quantity)
{
    const struct place *place = user;
    const struct device_conf *d = place->k->c->devices.items;

    for (size_t i = 0; i < place->k->c->devices.n; i++) {
        const struct profile *profile = d[i].profile_found;
        if (!d[i].id || (place->device && strcmp(d[i].id, place->device) != 0))
            continue;
        for (size_t n = 0; profile && n < profile->points_n; n++)
            if (check_is_channel(&d[i], &profile->points[n]) &&
                profile->points[n].quantity == quantity_find(quantity))
                return true;
    }
    return false;
}

static int load(struct job *j, const struct pack_conf *p, struct pack_items *ret)
{
    struct place place = { j->k, p->device };
    const struct pack_source source = { .kind = p->pack.kind,
                                        .options = p->pack.options,
                                        .night = j->night,
                                        .measures = measures,
                                        .user = &place };

    return pack_load(&source, j->k->arena, j->k->d, ret);
}

static void check_pack(const struct check *k, struct pack_conf *p)
{
    const struct pack_conf *other = k->c->packs.items;

    if (!p->id)
        p->id = p->pack.kind->name;
    while (other < p && !(other->id && strcmp(other->id, p->id) == 0))
        other++;
    if (other < p)
        check_error(k, p, &p->id, E_DUPLICATE_ID,
                    "two packs are called '%s', one needs an 'id' of its own", p->id);
    if (strlen(p->id) > PREFIX_MAX)
        check_error(k, p, &p->id, E_RANGE,
                    "the id of a pack begins those of its rules: at most %d characters",
                    PREFIX_MAX);
    for (const struct field *f = p->pack.kind->fields; f->name; f++)
        check_channel(k, p, f);
    find_weather(k, p->pack.options);
}

int check_packs(const struct check *k)
{
    struct pack_conf *p = k->c->packs.items;
    struct job j = { .k = k,
                     .night = AGG_NIGHT,
                     .rules.size = sizeof(struct rule_conf),
                     .watches.size = sizeof(struct watch_conf),
                     .absent.size = sizeof(struct pack_absent) };
    struct pack_items *items = arena_alloc(k->arena, (k->c->packs.n + 1) * sizeof *items);
    int rc = items ? 0 : -ENOMEM;

    if (k->c->station.night)
        levels_night_parse(k->c->station.night, &j.night);
    for (size_t i = 0; i < k->c->packs.n; i++)
        if (p[i].pack.kind)
            check_pack(k, &p[i]);
    for (size_t i = 0; rc == 0 && diag_errors(k->d) == 0 && i < k->c->packs.n; i++) {
        rc = p[i].pack.kind ? load(&j, &p[i], &items[i]) : 0;
        const struct watch_conf *w = items[i].watches.items;
        for (size_t n = 0; rc == 0 && n < items[i].watches.n; n++)
            rc = add_watch(&j, &p[i], &w[n]);
    }
    if (rc == 0)
        rc = append(k, &k->c->watches, &j.watches);
    for (size_t i = 0; rc == 0 && i < k->c->packs.n; i++) {
        const struct rule_conf *r = items[i].rules.items;
        if (items[i].rules.n)
            check_overrides(k, &p[i], &items[i]);
        for (size_t n = 0; rc == 0 && n < items[i].rules.n; n++)
            rc = add_rule(&j, &p[i], &r[n]);
    }
    if (rc == 0)
        rc = append(k, &k->c->rules, &j.rules);
    k->c->absent = (struct field_array){ j.absent.items, j.absent.n };
    return rc == -EINVAL ? 0 : rc; /* told already */
}
