/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "gateway/conf/config_internal.h"
#include "rules/index/index.h"

static const char *text_at(const struct field_array *a, size_t i)
{
    return ((const char *const *)a->items)[i];
}

static void check_standards(const struct check *k)
{
    const struct field_array *a = &k->c->index.standards;

    for (size_t i = 0; i < a->n; i++) {
        const struct index_scheme *s = text_at(a, i) ? index_find(text_at(a, i)) : NULL;
        if (!s && text_at(a, i))
            check_error(k, &k->c->index, a, E_WORD,
                        "index: '%s' is none of hj633-2026, hj633-2012, us-epa-2024, "
                        "eaqi-2024",
                        text_at(a, i));
        for (size_t n = 0; s && n < i; n++)
            if (text_at(a, n) && index_find(text_at(a, n)) == s)
                check_error(k, &k->c->index, a, E_DUPLICATE_ID,
                            "index: the standard '%s' stands twice", s->id);
    }
}

static bool pollutant_find(const char *id, enum index_pollutant *ret)
{
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++)
        if (strcmp(index_pollutant_id(p), id) == 0) {
            *ret = p;
            return true;
        }
    return false;
}

static void check_pollutants(const struct check *k, const struct field_array *a)
{
    enum index_pollutant p;

    for (size_t i = 0; i < a->n; i++)
        if (text_at(a, i) && !pollutant_find(text_at(a, i), &p))
            check_error(k, &k->c->index, a, E_WORD,
                        "index: '%s' is none of so2, no2, co, o3, pm10, pm2_5", text_at(a, i));
}

static bool is_pollutant(const struct quantity *q)
{
    for (unsigned p = 0; q && p < INDEX_POLLUTANTS; p++)
        if (strcmp(index_pollutant_quantity(p), q->id) == 0)
            return true;
    return false;
}

static void check_from(const struct check *k)
{
    const struct field_array *a = &k->c->index.from;
    const struct quantity *seen[INDEX_POLLUTANTS];
    const struct device_conf *d;
    const struct profile_point *p;
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++) {
        const char *name = text_at(a, i);
        if (!name)
            continue;
        if (!strchr(name, '/') || !config_peer(k->c, NULL, name, &d, &p) ||
            !check_is_channel(d, p)) {
            check_error(k, &k->c->index, a, E_REFERENCE,
                        "index: there is no channel '%s' (DEVICE/POINT)", name);
            continue;
        }
        if (!is_pollutant(p->quantity)) {
            check_error(k, &k->c->index, a, E_CONFLICT, "index: '%s' is no pollutant of it",
                        name);
            continue;
        }
        for (size_t s = 0; s < n; s++)
            if (seen[s] == p->quantity)
                check_error(k, &k->c->index, a, E_CONFLICT,
                            "index: '%s' is the second channel of %s", name, p->quantity->id);
        if (n < INDEX_POLLUTANTS)
            seen[n++] = p->quantity;
    }
}

static bool is_measured(const struct config *c, enum index_pollutant p)
{
    const struct device_conf *d = c->devices.items;
    const char *quantity = index_pollutant_quantity(p);

    for (size_t i = 0; i < c->devices.n; i++)
        for (size_t n = 0; d[i].profile_found && n < d[i].profile_found->points_n; n++) {
            const struct profile_point *point = &d[i].profile_found->points[n];
            if (check_is_channel(&d[i], point) && strcmp(point->quantity->id, quantity) == 0)
                return true;
        }
    return false;
}

static bool is_listed(const struct field_array *a, enum index_pollutant p)
{
    for (size_t i = 0; i < a->n; i++)
        if (text_at(a, i) && strcmp(text_at(a, i), index_pollutant_id(p)) == 0)
            return true;
    return false;
}

const struct quantity *config_index_quantity(const struct index_scheme *s)
{
    if (strncmp(s->id, "hj633", 5) == 0)
        return quantity_find("aqi_cn");
    return quantity_find(s->is_nowcast ? "aqi_us" : "eaqi");
}

bool config_has_index(const struct config *c, const struct quantity *q)
{
    const struct field_array *a = &c->index.standards;

    for (size_t i = 0; q && i < a->n; i++) {
        const struct index_scheme *s = text_at(a, i) ? index_find(text_at(a, i)) : NULL;
        if (s && config_index_quantity(s) == q)
            return true;
    }
    return false;
}

static bool is_withheld(const struct index_conf *x)
{
    for (size_t i = 0; i < x->standards.n; i++) {
        const char *name = text_at(&x->standards, i);
        const struct index_scheme *s = name ? index_find(name) : NULL;
        if (s && s->is_withheld)
            return true;
    }
    return false;
}

/* A device whose profile is wrong is told already. */
static bool has_all_profiles(const struct config *c)
{
    const struct device_conf *d = c->devices.items;

    for (size_t i = 0; i < c->devices.n; i++)
        if (!d[i].profile_found)
            return false;
    return true;
}

/* HJ 633-2026 5.3.1: else it is found out when there is never an index. */
static void warn_of_gaps(const struct check *k)
{
    const struct index_conf *x = &k->c->index;
    char list[64] = "";
    size_t n = 0;

    if (!is_withheld(x) || !has_all_profiles(k->c))
        return;
    for (unsigned p = 0; p < INDEX_POLLUTANTS; p++)
        if (!is_measured(k->c, p) && !is_listed(&x->clean, p))
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "",
                                  index_pollutant_label(p));
    if (n)
        check_warning(k, x, &x->standards, E_CONFLICT,
                      "index: no device measures %s, so the index of HJ 633-2026 is NA unless "
                      "the others give more than 100; see not_in_plan_clean",
                      list);
}

void check_index(const struct check *k)
{
    const struct device_conf *d = k->c->devices.items;

    if (k->c->index.standards.n == 0)
        return;
    check_standards(k);
    check_from(k);
    check_pollutants(k, &k->c->index.unplanned);
    check_pollutants(k, &k->c->index.clean);
    warn_of_gaps(k);
    for (size_t i = 0; i < k->c->devices.n; i++)
        if (d[i].id && strcmp(d[i].id, "station") == 0)
            check_error(k, &d[i], &d[i].id, E_CONFLICT,
                        "the channels of indices are called station/...: the device needs "
                        "another id");
}
