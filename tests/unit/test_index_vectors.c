/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indices against vectors computed from the standards by other programs: sub-indices, whole
 * indices, what is published with a pollutant missing, bands, NowCasts and rounding. Where a
 * vector keeps what a public suite expects against the standard, the standard counts.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/index/index.h"

#include "tests/unit/unit.h"

static char path[4096];

static void check_unit(const struct index_column *c, const char *name)
{
    const char *const share = strstr(name, "_pp");

    if (share ? strncmp(share + 1, c->unit + 1, 3) != 0 : c->unit[0] == '[')
        fail_msg("%s is not in %s", name, c->unit);
}

/* "PM25_24h", "O3_8h_ppm", "NO2": the scheme's column, NULL when it has none; without a mean
 * the first one. */
static const struct index_column *column_named(const struct index_scheme *s, const char *name)
{
    static const struct {
        const char *name;
        enum index_pollutant p;
    } names[] = {
        { "SO2", INDEX_SO2 }, { "NO2", INDEX_NO2 },   { "CO", INDEX_CO },
        { "O3", INDEX_O3 },   { "PM10", INDEX_PM10 }, { "PM25", INDEX_PM2_5 },
    };
    size_t n = strcspn(name, "_");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) != n || memcmp(names[i].name, name, n) != 0)
            continue;
        for (enum index_mean m = INDEX_1H; m < INDEX_MEANS; m++) {
            const char *id = index_mean_id(m);
            const struct index_column *c = index_column_find(s, names[i].p, m);
            if (c && (!name[n] || strncmp(name + n + 1, id, strlen(id)) == 0)) {
                check_unit(c, name);
                return c;
            }
        }
        return NULL;
    }
    fail_msg("the pollutant %s is not known", name);
    return NULL;
}

static const struct index_scheme *scheme_named(const char *name)
{
    static const struct {
        const char *name, *id;
    } names[] = {
        { "CN_HJ633_2012", "hj633-2012" },         { "CN_HJ633_2026", "hj633-2026" },
        { "US_EPA_2024", "us-epa-2024" },          { "US_EPA_NOWCAST_PM", "us-epa-2024" },
        { "US_EPA_2012_OBSOLETE", "us-epa-2024" }, { "EU_EAQI_2024", "eaqi-2024" },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, name) == 0)
            return index_find(names[i].id);
    return NULL;
}

/* "0.35"; "1E-7" as well. */
static struct decimal decimal_of_text(const char *text)
{
    struct decimal d;
    char *end;

    if (decimal_parse(text, strlen(text), &d) == 0)
        return d;
    const double x = strtod(text, &end);
    if (end == text || *end)
        fail_msg("'%s' is no number", text);
    return decimal_from_double(x);
}

/* The shortest decimal of a JSON number, or the text as it stands. */
static struct decimal decimal_of(const json_t *v)
{
    struct decimal d = DECIMAL_MISSING;

    if (json_is_integer(v))
        d = (struct decimal){ json_integer_value(v), 0 };
    else if (json_is_real(v))
        d = decimal_from_double(json_real_value(v));
    else if (json_is_string(v))
        d = decimal_of_text(json_string_value(v));
    else if (v && !json_is_null(v))
        fail_msg("a concentration is neither a number nor text nor null");
    return d;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

static struct index_sub sub_of(const struct index_scheme *s, const json_t *v)
{
    const struct index_column *c = column_named(s, text_of(v, "pollutant"));

    if (!c)
        return (struct index_sub){ INDEX_NONE, INDEX_NO_COLUMN, DECIMAL_MISSING };
    return index_sub(s, c, decimal_of(json_object_get(v, "input")), (struct exact_ratio){ 0 });
}

static bool is_sub(const json_t *expected, struct index_sub sub)
{
    return json_is_null(expected) ? sub.sub == INDEX_NONE
                                  : sub.sub == (int)json_integer_value(expected);
}

static bool iaqi_agrees(const struct index_scheme *s, const json_t *v)
{
    const struct index_sub sub = sub_of(s, v);
    const json_t *rounded = json_object_get(v, "rounded");
    int today;

    if (strstr(text_of(v, "scheme"), "OBSOLETE")) /* "(2024 gives 51)" */
        return sscanf(strstr(text_of(v, "note"), "2024 gives"), "2024 gives %d", &today) == 1 &&
               sub.sub == today;
    if (rounded && exact_compare(sub.rounded, decimal_of(rounded)) != 0)
        return false;
    return is_sub(json_object_get(v, "expected"), sub);
}

static bool band_agrees(const struct index_scheme *s, const json_t *v)
{
    const struct index_sub sub = sub_of(s, v);
    const json_t *expected = json_object_get(v, "expected");

    if (json_is_null(expected))
        return sub.sub == INDEX_NONE;
    return sub.sub != INDEX_NONE &&
           strcmp(index_level_of(s, sub.sub)->class_en, json_string_value(expected)) == 0;
}

static bool round_agrees(const json_t *v)
{
    const int digits = (int)json_integer_value(json_object_get(v, "digits"));
    const json_t *expected = json_object_get(v, "expected");
    struct decimal d;
    char text[DECIMAL_TEXT_MAX];

    assert_int_equal(exact_round(decimal_of(json_object_get(v, "input")),
                                 (struct exact_ratio){ 0 }, digits, EXACT_HALF_EVEN, &d),
                     0);
    decimal_print(d, text);
    /* "2E+3" and "-0" are the same values in another notation. */
    const char *want = text_of(v, "expected");
    return strcmp(text, want) == 0 ||
           ((json_is_number(expected) || strpbrk(want, "eE") || strncmp(want, "-0", 2) == 0) &&
            decimal_to_double(d) ==
                (json_is_number(expected) ? json_number_value(expected) : strtod(want, NULL)));
}

static bool nowcast_agrees(const struct index_scheme *s, const json_t *v)
{
    const json_t *in = json_object_get(v, "input_newest_first"),
                 *expected = json_object_get(v, "expected");
    const bool is_fine = strcmp(text_of(v, "pollutant"), "PM25") == 0;

    if (!is_fine && strcmp(text_of(v, "pollutant"), "PM10") != 0)
        fail_msg("no NowCast of %s", text_of(v, "pollutant"));
    struct decimal hours[NOWCAST_HOURS], cut = DECIMAL_MISSING;
    double raw;

    for (size_t i = 0; i < NOWCAST_HOURS; i++)
        hours[i] = decimal_of(json_array_get(in, i));
    if (index_nowcast(hours, is_fine ? 1 : 0, &raw, &cut) < 0)
        return json_is_null(expected);
    const json_t *want = json_object_get(expected, is_fine ? "truncated_0.1" : "truncated_1");
    const json_t *aqi = json_object_get(expected, "aqi");
    const struct index_column *c =
        index_column_find(s, is_fine ? INDEX_PM2_5 : INDEX_PM10, INDEX_24H);
    return json_is_object(expected) &&
           fabs(raw - json_number_value(json_object_get(expected, "raw"))) < 1e-6 &&
           (!want || exact_compare(cut, decimal_of(want)) == 0) &&
           (!aqi || is_sub(aqi, index_sub(s, c, cut, (struct exact_ratio){ 0 })));
}

/* ---- whole indices ---- */

static bool has_name(const json_t *list, const struct index_scheme *s,
                     const struct index_column *c)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (column_named(s, json_string_value(json_array_get(list, i))) == c)
            return true;
    return false;
}

/* The report that lists more of the means. */
static enum index_report report_of(const struct index_scheme *s, json_t *in)
{
    unsigned listed[INDEX_REPORTS] = { 0 };
    const char *name;
    json_t *value;

    json_object_foreach(in, name, value)
    {
        const struct index_column *c = column_named(s, name);
        for (unsigned r = 0; c && r < INDEX_REPORTS; r++)
            for (unsigned i = 0; i < s->lines_n[r]; i++)
                listed[r] +=
                    s->lines[r][i].pollutant == c->pollutant && s->lines[r][i].mean == c->mean;
    }
    return listed[INDEX_DAY] > listed[INDEX_HOUR] ? INDEX_DAY : INDEX_HOUR;
}

static struct index_inputs inputs_of(const struct index_scheme *s, const json_t *v)
{
    json_t *in = json_object_get(v, "input"), *value;
    const bool is_clean = json_is_true(json_object_get(v, "clean_3_years"));
    struct index_inputs x;
    const char *name;

    index_inputs_clear(&x);
    json_object_foreach(in, name, value)
    {
        const struct index_column *c = column_named(s, name);
        if (!c)
            continue;
        x.in[c->pollutant][c->mean].value = decimal_of(value);
        if (has_name(json_object_get(v, "not_in_plan"), s, c))
            x.plan[c->pollutant] = is_clean ? INDEX_UNPLANNED_CLEAN : INDEX_UNPLANNED_OTHER;
    }
    return x;
}

static bool number_agrees(const json_t *expected, int n)
{
    if (json_is_integer(expected))
        return json_integer_value(expected) == n;
    return n == INDEX_NONE; /* null or "NA" */
}

static bool names_agree(const struct index_scheme *s, const json_t *list,
                        const struct index_result *r)
{
    size_t n = 0;

    if (!json_is_array(list)) /* "NA" */
        return r->index == INDEX_NONE;
    for (unsigned i = 0; i < r->parts_n; i++) {
        const struct index_part *p = &r->parts[i];
        if (p->is_primary && !has_name(list, s, index_column_find(s, p->pollutant, p->mean)))
            return false;
        n += p->is_primary;
    }
    return n == json_array_size(list);
}

static const struct index_part *part_of(const struct index_result *r,
                                        const struct index_column *c)
{
    for (unsigned i = 0; c && i < r->parts_n; i++)
        if (r->parts[i].pollutant == c->pollutant && r->parts[i].mean == c->mean)
            return &r->parts[i];
    return NULL;
}

/* "iaqi" has those that could be computed, "missing" those that could not, "cells" how the
 * published table shows them. */
static bool parts_agree(const struct index_scheme *s, const json_t *expected,
                        const struct index_result *r)
{
    json_t *iaqi = json_object_get(expected, "iaqi"), *value;
    const char *name;
    size_t n = 0;

    for (unsigned i = 0; i < r->parts_n; i++)
        n += r->parts[i].sub != INDEX_NONE;
    json_object_foreach(iaqi, name, value)
    {
        const struct index_part *p = part_of(r, column_named(s, name));
        if (json_is_null(value) ? p && p->sub != INDEX_NONE
                                : !p || p->sub != json_integer_value(value))
            return false;
        n -= json_is_integer(value);
    }
    json_object_foreach(json_object_get(expected, "cells"), name, value)
    {
        const struct index_part *p = part_of(r, column_named(s, name));
        const char *cell = p && p->cause == INDEX_UNPLANNED ? "/" : "NA";
        if (json_is_string(value) && strcmp(cell, json_string_value(value)) != 0)
            return false;
    }
    json_t *missing = json_object_get(expected, "missing");
    for (size_t i = 0; i < json_array_size(missing); i++) {
        const char *of = json_string_value(json_array_get(missing, i));
        const struct index_part *p = part_of(r, column_named(s, of));
        if (p && p->sub != INDEX_NONE)
            return false;
    }
    return n == 0;
}

/* Nothing that a vector expects is passed over. */
static void check_names(json_t *expected)
{
    static const char known[] = " aqi iaqi primary missing publish_aqi publish_primary cells ";
    const char *key;
    json_t *value;
    char name[64];

    json_object_foreach(expected, key, value)
    {
        snprintf(name, sizeof name, " %s ", key);
        if (!strstr(known, name))
            fail_msg("a vector expects something unknown, %s", key);
    }
}

static bool aqi_agrees(const struct index_scheme *s, const json_t *v)
{
    json_t *expected = json_object_get(v, "expected");
    const struct index_inputs x = inputs_of(s, v);
    struct index_result r;

    check_names(expected);
    index_judge(s, report_of(s, json_object_get(v, "input")), &x, &r);
    const json_t *aqi = json_object_get(expected, "aqi"),
                 *publish = json_object_get(expected, "publish_aqi"),
                 *primary = json_object_get(expected, "primary"),
                 *publish_primary = json_object_get(expected, "publish_primary");
    return (!aqi || number_agrees(aqi, r.largest)) &&
           (!publish || number_agrees(publish, r.index)) &&
           (!primary || names_agree(s, primary, &r)) &&
           (!publish_primary || names_agree(s, publish_primary, &r)) &&
           parts_agree(s, expected, &r);
}

static bool agrees(const json_t *v)
{
    const char *kind = text_of(v, "kind");
    const struct index_scheme *s = scheme_named(text_of(v, "scheme"));

    if (strcmp(kind, "round") == 0)
        return round_agrees(v);
    if (!s)
        fail_msg("a vector of the unknown scheme %s", text_of(v, "scheme"));
    if (strcmp(kind, "iaqi") == 0 || strcmp(kind, "iaqi_with_rounding") == 0)
        return iaqi_agrees(s, v);
    if (strcmp(kind, "band") == 0)
        return band_agrees(s, v);
    if (strcmp(kind, "nowcast") == 0)
        return nowcast_agrees(s, v);
    if (strcmp(kind, "aqi") == 0 || strcmp(kind, "aqi_publish") == 0)
        return aqi_agrees(s, v);
    fail_msg("a vector of the unknown kind %s", kind);
    return false;
}

static void agrees_with_every_vector(void **state)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    const json_t *all = json_object_get(root, "vectors");
    int failed = 0;

    (void)state;
    if (!root)
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    assert_true(json_array_size(all) > 0);
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *v = json_array_get(all, i);
        if (agrees(v))
            continue;
        char *text = json_dumps(v, JSON_COMPACT);
        print_message("vector %zu: %s\n", i, text ? text : "");
        free(text);
        failed++;
    }
    print_message("%zu vectors\n", json_array_size(all));
    assert_int_equal(failed, 0);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_every_vector),
    };
    const char *shared = getenv("SLUICE_SHARED"), *source = getenv("SLUICE_SOURCE");
    FILE *f;

    if (shared)
        snprintf(path, sizeof path, "%s/vectors/aqi_vectors.json", shared);
    else
        snprintf(path, sizeof path, "%s/../shared/vectors/aqi_vectors.json",
                 source ? source : ".");
    f = fopen(path, "r");
    if (!f) {
        printf("skipped: %s is not there; SLUICE_SHARED names the folder with the vectors\n",
               path);
        return 77; /* what the test runner takes as skipped */
    }
    fclose(f);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
