/* SPDX-License-Identifier: Apache-2.0 */
/* Rule packs: what options put into them, and their thresholds against the tables of
 * rules/index. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/packs.h"
#include "gateway/conf/value.h"
#include "rules/index/dose.h"
#include "rules/index/gb3095.h"
#include "rules/index/gb3096.h"
#include "rules/index/gb3838.h"
#include "sensors/core/unit.h"
#include "tests/unit/unit.h"

enum { ID_LENGTH_MAX = 23 }; /* beside a prefix of 40 characters: ids have 64 */

struct loaded {
    struct pack_items items;
    struct arena arena;
    struct diag *d;
};

static const struct field_kind *kind_of(const char *name)
{
    const struct field_kind *k = pack_kinds;

    while (k->name && strcmp(k->name, name) != 0)
        k++;
    assert_non_null(k->name);
    return k;
}

static struct loaded load(const char *pack, const struct pack_options *o)
{
    const struct pack_source source = { .kind = kind_of(pack),
                                        .options = o,
                                        .night = { 22, 6 } };
    struct loaded l = { .d = NULL };

    assert_int_equal(diag_create(&l.d), 0);
    const int rc = pack_load(&source, &l.arena, l.d, &l.items);
    diag_print(l.d, stderr);
    assert_int_equal(rc, 0);
    assert_int_equal(diag_count(l.d), 0);
    return l;
}

static void unload(struct loaded *l)
{
    arena_done(&l->arena);
    diag_destroy(l->d);
}

static const struct rule_conf *rule_of(const struct loaded *l, const char *id)
{
    const struct rule_conf *r = l->items.rules.items;

    for (size_t i = 0; i < l->items.rules.n; i++)
        if (strcmp(r[i].id, id) == 0)
            return &r[i];
    return NULL;
}

static double set_of(const struct loaded *l, const char *id)
{
    const struct rule_conf *r = rule_of(l, id);

    return r ? ((const struct level_conf *)r->levels.items)[0].set : NAN;
}

/* The one with that quantity, input and condition (NULL: none). */
static const struct rule_conf *rule_by(const struct loaded *l, const char *quantity,
                                       const char *input, const char *when)
{
    const struct rule_conf *r = l->items.rules.items, *found = NULL;

    for (size_t i = 0; i < l->items.rules.n; i++) {
        if (strcmp(r[i].quantity, quantity) != 0 || strcmp(r[i].input, input) != 0 ||
            (when != NULL) != (r[i].when != NULL) || (when && strcmp(r[i].when, when) != 0))
            continue;
        assert_null(found);
        found = &r[i];
    }
    return found;
}

/* ---- all packs ---- */

static void check_rule(const struct rule_conf *r)
{
    const struct quantity *q = quantity_find(r->quantity);
    const struct level_conf *l = r->levels.items;

    assert_true(strlen(r->id) <= ID_LENGTH_MAX);
    assert_true(r->title.en && *r->title.en && r->title.zh && *r->title.zh);
    assert_true(r->source && *r->source);
    assert_non_null(q);
    if (r->unit) {
        struct unit_conversion c;
        assert_non_null(unit_find(r->unit));
        assert_int_equal(unit_conversion_for(unit_find(r->unit), q, &c), 0);
    }
    assert_true(r->levels.n > 0);
    for (size_t i = 0; i < r->levels.n; i++)
        assert_true(isfinite(l[i].set));
}

/* Every word of every option, the others as they are by default. */
static void check_word(const struct field_kind *kind, const struct field *f, const char *word)
{
    struct pack_options o = pack_defaults(kind);

    if (f)
        *(const char **)((char *)&o + f->offset) = word;
    struct loaded l = load(kind->name, &o);
    const struct rule_conf *r = l.items.rules.items;
    assert_true(l.items.rules.n > 0);
    assert_true(l.items.title.en && l.items.title.zh && l.items.standard);
    for (size_t i = 0; i < l.items.rules.n; i++) {
        check_rule(&r[i]);
        assert_ptr_equal(rule_of(&l, r[i].id), &r[i]);
    }
    unload(&l);
}

static void every_pack_loads_with_every_option(void **state)
{
    (void)state;
    for (const struct field_kind *k = pack_kinds; k->name; k++) {
        check_word(k, NULL, NULL);
        for (const struct field *f = k->fields; f->name; f++)
            for (const char *const *w = f->words; w && *w; w++)
                check_word(k, f, *w);
    }
}

/* ---- thresholds ---- */

static double limit_of(const struct gb3095_limit *l, int grade, int year)
{
    const struct gb3095_date d = { year, 6, 1 };

    return decimal_to_double(gb3095_limit_on(l, grade, d));
}

static void check_gb3095(const struct loaded *l, const struct gb3095_limit *limit, int grade)
{
    static const char *const inputs[] = { "mean(1h)", "mean(8h)", "mean(day)" };
    const char *input = inputs[limit->mean];
    const double until = limit_of(limit, grade, 2030), from = limit_of(limit, grade, 2031);
    const struct rule_conf *always = rule_by(l, limit->quantity, input, NULL);
    const struct rule_conf *first = rule_by(l, limit->quantity, input, "year <= 2030");
    const struct rule_conf *later = rule_by(l, limit->quantity, input, "year >= 2031");

    const struct rule_conf *a = always ? always : first, *b = always ? always : later;
    assert_true(a && b && (always == NULL) == (first != NULL));
    assert_true(((const struct level_conf *)a->levels.items)->set == until);
    assert_true(((const struct level_conf *)b->levels.items)->set == from);
    assert_int_equal(a->decimals, limit->digits);
    assert_true(a->at_limit && b->at_limit);
    assert_string_equal(quantity_find(limit->quantity)->unit, limit->unit);
}

static void limits_of_air_are_those_of_gb_3095(void **state)
{
    (void)state;
    for (int grade = 1; grade <= 2; grade++) {
        struct pack_options o = pack_defaults(kind_of("gb3095"));
        size_t n = 0;
        o.grade = grade == 1 ? "1" : "2";
        o.other = "applied";
        struct loaded l = load("gb3095", &o);
        for (size_t i = 0; i < gb3095_limits_n; i++) {
            const struct gb3095_limit *limit = &gb3095_limits[i];
            if (!limit->quantity || limit->mean > GB3095_DAY || limit->kind == GB3095_REFERENCE)
                continue;
            check_gb3095(&l, limit, grade);
            n++;
        }
        assert_int_equal(n, 13);
        assert_int_equal(l.items.rules.n, 13 + 6); /* with other limits from 2031 */
        unload(&l);
    }
}

static void final_limits_can_be_chosen_at_once(void **state)
{
    struct pack_options o = pack_defaults(kind_of("gb3095"));

    (void)state;
    o.limits = "final";
    struct loaded l = load("gb3095", &o);
    assert_null(rule_of(&l, "pm2-5-day"));
    assert_true(set_of(&l, "pm2-5-day-2031") == 50);
    assert_string_equal(rule_of(&l, "pm2-5-day-2031")->when, "year >= 2026");
    assert_null(rule_of(&l, "nox-1h"));
    unload(&l);
}

static void limits_of_noise_are_those_of_gb_3096(void **state)
{
    static const char *const suffixes[] = { "", "-level" };
    char id[32];

    (void)state;
    for (int z = 0; z < gb3096_zones_n; z++) {
        const struct gb3096_zone *zone = &gb3096_zones[z];
        struct pack_options o = pack_defaults(kind_of("gb3096"));
        o.zone = zone->id;
        struct loaded l = load("gb3096", &o);
        for (size_t i = 0; i < 2; i++) {
            const struct {
                const char *id;
                enum gb3096_what what;
            } wanted[] = { { "day", GB3096_DAY },
                           { "night", GB3096_NIGHT },
                           { "ld", GB3096_DAY },
                           { "ln", GB3096_NIGHT },
                           { "sudden", GB3096_NIGHT_MAX } };
            for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
                snprintf(id, sizeof id, "%s%s", wanted[w].id, suffixes[i]);
                assert_true(set_of(&l, id) == gb3096_limit(zone, wanted[w].what));
                assert_true(rule_of(&l, id)->at_limit);
            }
        }
        assert_int_equal(l.items.rules.n, 10);
        unload(&l);
    }
}

static double canonical(const struct rule_conf *r, double x)
{
    struct unit_conversion c = { .factor = 1 };

    if (r->unit)
        assert_int_equal(
            unit_conversion_for(unit_find(r->unit), quantity_find(r->quantity), &c), 0);
    return x * c.factor + c.offset;
}

static void check_gb3838(const struct loaded *l, const struct gb3838_item *item, int32_t limit)
{
    const struct rule_conf *r = rule_by(l, item->quantity, "mean(1h)", NULL);
    const struct decimal d = { limit, item->digits };

    if (limit < 0) {
        assert_null(r);
        return;
    }
    assert_non_null(r);
    assert_true(((const struct level_conf *)r->levels.items)->set == decimal_to_double(d));
    assert_string_equal(r->unit ? r->unit : quantity_find(item->quantity)->unit, item->unit);
    assert_int_equal(r->direction, item->is_least ? ALERT_BELOW : ALERT_ABOVE);
    assert_true(r->at_limit && r->decimals < 0);
    /* a limit that is no exact double beside its unit would not be kept at equality */
    assert_true(fabs(canonical(r, decimal_to_double(d)) * 1e6 -
                     round(canonical(r, decimal_to_double(d)) * 1e6)) < 1e-6);
}

static void limits_of_water_are_those_of_gb_3838(void **state)
{
    static const char *const classes[] = { "I", "II", "III", "IV", "V" };
    static const char *const waters[] = { "river", "lake" };

    (void)state;
    for (int c = 0; c < GB3838_CLASSES; c++)
        for (int w = 0; w < GB3838_BODIES; w++) {
            struct pack_options o = pack_defaults(kind_of("gb3838"));
            o.class = classes[c];
            o.water = waters[w];
            struct loaded l = load("gb3838", &o);
            for (size_t i = 0; i < gb3838_items_n; i++)
                if (quantity_find(gb3838_items[i].quantity) &&
                    strcmp(gb3838_items[i].quantity, "ph") != 0)
                    check_gb3838(&l, &gb3838_items[i], gb3838_items[i].limit[w][c]);
            assert_true(set_of(&l, "ph-low") == 6 && set_of(&l, "ph-high") == 9);
            unload(&l);
        }
}

static void oxygen_of_class_i_may_be_kept_by_saturation(void **state)
{
    struct pack_options o = pack_defaults(kind_of("gb3838"));

    (void)state;
    o.saturation = "river/do_sat";
    struct loaded l = load("gb3838", &o);
    assert_null(rule_of(&l, "oxygen")->suppress_when);
    unload(&l);
    o.class = "I";
    l = load("gb3838", &o);
    assert_string_equal(rule_of(&l, "oxygen")->suppress_when, "river/do_sat >= 90 %");
    assert_string_equal(rule_of(&l, "oxygen")->title.en, "Dissolved oxygen below class I");
    unload(&l);
}

static void figures_of_radiation_are_those_of_the_index(void **state)
{
    struct pack_options o = pack_defaults(kind_of("radiation"));

    (void)state;
    struct loaded l = load("radiation", &o);
    assert_true(set_of(&l, "high") == dose_default.high);
    assert_true(set_of(&l, "net") == dose_default.net_alarm);
    assert_true(rule_of(&l, "notice")->k == dose_default.deviations);
    assert_null(rule_of(&l, "double"));
    assert_int_equal(l.items.watches.n, 0);
    unload(&l);
    o.background = 82;
    o.counts = 60;
    l = load("radiation", &o);
    assert_null(rule_of(&l, "net"));
    assert_true(set_of(&l, "net-known") == 82 + dose_default.net_alarm);
    assert_true(set_of(&l, "double") == 82 * dose_default.factor_alarm);
    assert_int_equal(l.items.watches.n, 1);
    unload(&l);
}

/* GB 12348-2008 table 1, GB 14554-93 table 1, GB 16297-1996 table 2, GB 3838-2002 table 2: no
 * tables of rules/index. */
static void other_limits_are_as_written_here(void **state)
{
    static const struct {
        const char *pack, *id, *unit;
        double set;
    } limits[] = {
        { "fence-line", "day", NULL, 65 },
        { "fence-line", "night", NULL, 55 },
        { "fence-line", "sudden", NULL, 70 },
        { "fence-line", "ammonia", "mg/m3", 1.5 },
        { "fence-line", "h2s", "mg/m3", 0.06 },
        { "fence-line", "styrene", "mg/m3", 5 },
        { "fence-line", "tsp", "mg/m3", 1 },
        { "fence-line", "so2", "mg/m3", 0.4 },
        { "fence-line", "nox", "mg/m3", 0.12 },
        { "fence-line", "nmhc", "mg/m3", 4 },
        { "fence-line", "benzene", "mg/m3", 0.4 },
        { "fence-line", "toluene", "mg/m3", 2.4 },
        { "fence-line", "xylenes", "mg/m3", 1.2 },
        { "fence-line", "hcl", "mg/m3", 0.2 },
        { "fence-line", "chlorine", "mg/m3", 0.4 },
        { "fence-line", "formaldehyde", "mg/m3", 0.2 },
        { "drinking-water-intake", "sulfate", NULL, 250 },
        { "drinking-water-intake", "chloride", NULL, 250 },
        { "drinking-water-intake", "nitrate", NULL, 10 },
        { "drinking-water-intake", "iron", NULL, 0.3 },
        { "drinking-water-intake", "manganese", NULL, 0.1 },
        { "heavy-pollution", "days", NULL, 200 },
        { "heavy-pollution", "severe", NULL, 300 },
        { "heavy-pollution", "top", NULL, 500 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const struct pack_options o = pack_defaults(kind_of(limits[i].pack));
        struct loaded l = load(limits[i].pack, &o);
        const struct rule_conf *r = rule_of(&l, limits[i].id);
        assert_non_null(r);
        assert_true(set_of(&l, limits[i].id) == limits[i].set);
        assert_true(!limits[i].unit || strcmp(r->unit, limits[i].unit) == 0);
        unload(&l);
    }
}

static void intake_keeps_the_class_of_its_zone(void **state)
{
    static const char *const classes[] = { "II", "III" };

    (void)state;
    for (int c = 0; c < 2; c++) {
        struct pack_options o = pack_defaults(kind_of("drinking-water-intake"));
        o.class = classes[c];
        struct loaded l = load("drinking-water-intake", &o);
        const struct {
            const char *id, *quantity;
        } wanted[] = { { "ammonia-ahead", "ammonia_nitrogen" },
                       { "oxygen-ahead", "dissolved_oxygen" },
                       { "codmn-event", "codmn" } };
        for (size_t i = 0; i < 3; i++) {
            const struct gb3838_item *item = gb3838_find(wanted[i].quantity);
            const struct decimal d = { item->limit[GB3838_RIVER][c + 1], item->digits };
            assert_true(set_of(&l, wanted[i].id) == decimal_to_double(d));
        }
        unload(&l);
    }
}

static void levels_of_a_city_are_told_apart_by_days(void **state)
{
    struct pack_options o = pack_defaults(kind_of("heavy-pollution"));

    (void)state;
    struct loaded l = load("heavy-pollution", &o);
    assert_int_equal(rule_of(&l, "days")->levels.n, 3);
    unload(&l);
    o.plan = "three";
    l = load("heavy-pollution", &o);
    assert_int_equal(rule_of(&l, "days")->levels.n, 2);
    assert_string_equal(((const struct level_conf *)rule_of(&l, "days")->levels.items)->id,
                        "yellow");
    unload(&l);
}

/* ---- what is beside ---- */

static void bad_weather_is_what_the_station_measures(void **state)
{
    struct pack_options o = pack_defaults(kind_of("gb3096"));

    (void)state;
    struct loaded l = load("gb3096", &o);
    assert_null(rule_of(&l, "sudden")->suppress_when);
    unload(&l);
    o.rain = "mast/rain";
    l = load("gb3096", &o);
    assert_string_equal(rule_of(&l, "sudden")->suppress_when, "mast/rain > 0 mm/h");
    unload(&l);
    o.wind = "mast/wind";
    l = load("gb3096", &o);
    assert_string_equal(rule_of(&l, "sudden")->suppress_when,
                        "mast/wind > 5 m/s or mast/rain > 0 mm/h");
    assert_string_equal(rule_of(&l, "day")->suppress_when,
                        "mast/wind@1h > 5 m/s or mast/rain@1h > 0 mm/h");
    unload(&l);
    o.rain = "none";
    l = load("gb3096", &o);
    assert_string_equal(rule_of(&l, "sudden")->suppress_when, "mast/wind > 5 m/s");
    unload(&l);
}

static void hours_of_the_night_are_the_stations(void **state)
{
    const struct pack_options o = pack_defaults(kind_of("gb3096"));
    const struct pack_source source = { .kind = kind_of("gb3096"),
                                        .options = &o,
                                        .night = { 0, 6 } };
    struct loaded l = { .d = NULL };

    (void)state;
    assert_int_equal(diag_create(&l.d), 0);
    assert_int_equal(pack_load(&source, &l.arena, l.d, &l.items), 0);
    assert_string_equal(rule_of(&l, "night")->when, "hour >= 0 and hour < 6");
    assert_string_equal(rule_of(&l, "day")->when, "hour >= 6 or hour < 0");
    unload(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pack_loads_with_every_option),
        cmocka_unit_test(limits_of_air_are_those_of_gb_3095),
        cmocka_unit_test(final_limits_can_be_chosen_at_once),
        cmocka_unit_test(limits_of_noise_are_those_of_gb_3096),
        cmocka_unit_test(limits_of_water_are_those_of_gb_3838),
        cmocka_unit_test(oxygen_of_class_i_may_be_kept_by_saturation),
        cmocka_unit_test(figures_of_radiation_are_those_of_the_index),
        cmocka_unit_test(other_limits_are_as_written_here),
        cmocka_unit_test(intake_keeps_the_class_of_its_zone),
        cmocka_unit_test(levels_of_a_city_are_told_apart_by_days),
        cmocka_unit_test(bad_weather_is_what_the_station_measures),
        cmocka_unit_test(hours_of_the_night_are_the_stations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
