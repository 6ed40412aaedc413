/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/conf/config.h"

/* A stand-in for the uplinks: conf knows none. */
struct stand_in {
    const char *url, *username, *password;
};

#define AT(member) .offset = offsetof(struct stand_in, member)

static const struct field stand_in_fields[] = {
    { .name = "url", .type = FIELD_TEXT, AT(url), .flags = FIELD_REQUIRED },
    { .name = "username", .type = FIELD_TEXT, AT(username) },
    { .name = "password", .type = FIELD_TEXT, AT(password), .flags = FIELD_SECRET },
    { 0 },
};

static const struct field_kind uplink_kinds[] = {
    { .name = "alertmanager", .fields = stand_in_fields, .size = sizeof(struct stand_in) },
    { .name = "file", .fields = stand_in_fields, .size = sizeof(struct stand_in) },
    { .name = "influx", .fields = stand_in_fields, .size = sizeof(struct stand_in) },
    { .name = "mqtt", .fields = stand_in_fields, .size = sizeof(struct stand_in) },
    { .name = "webhook", .fields = stand_in_fields, .size = sizeof(struct stand_in) },
    { 0 },
};

static const char station[] =
    "station: {id: s-1, names: {zh: 滨河站}, position: {lat: 31.2, lon: 121.5}, zone: "
    "\"-03:30\"}\n"
    "buses:\n"
    "  - {id: cabinet, type: modbus-tcp, host: 192.0.2.20}\n"
    "  - {id: line, type: modbus-rtu, port: /dev/ttyS9}\n"
    "devices:\n"
    "  - {id: o3, profile: teledyne-t400, bus: cabinet, unit: 1, poll: 5s,\n"
    "     channels: {ozone: {factor: 1.01, suspect: [0, 400]}}}\n"
    "  - {id: ph, profile: hamilton-ph-arc, bus: line, order: CDAB}\n"
    "rules:\n"
    "  - id: ozone-high\n"
    "    selector: {quantity: ozone}\n"
    "    unit: \"[ppb]\"\n"
    "    levels:\n"
    "      yellow: {set: 80}\n"
    "      red: {set: 150, clear: 120, on: 5min}\n"
    "uplinks:\n"
    "  - {id: centre, type: mqtt, url: \"mqtt://x\", password: \"it's #1: \\\"x\\\"\"}\n";

struct loaded {
    struct diag *d;
    struct config *c;
};

static struct loaded load(const char *text)
{
    struct loaded l = { 0 };

    assert_int_equal(diag_create(&l.d), 0);
    int err = config_load_text("t.yaml", text, strlen(text), uplink_kinds, l.d, &l.c);
    assert_int_equal(err == 0, diag_errors(l.d) == 0);
    return l;
}

static void unload(struct loaded *l)
{
    config_destroy(l->c);
    diag_destroy(l->d);
}

static char *printed(const struct config *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_int_equal(config_print(c, f), 0);
    fclose(f);
    return text;
}

static void loads_a_station(void **state)
{
    struct loaded l = load(station);

    (void)state;
    assert_non_null(l.c);
    const struct device_conf *dev = l.c->devices.items;
    assert_string_equal(l.c->station.id, "s-1");
    assert_true(l.c->station.zone_ms == -(3 * 60 + 30) * 60000);
    assert_true(isnan(l.c->station.alt));
    assert_string_equal(dev[0].bus_found->id, "cabinet");
    assert_string_equal(dev[0].profile_found->id, "teledyne-t400");
    assert_int_equal(dev[0].timeout_ms, -1);
    assert_int_equal(dev[1].unit, -1);
    assert_int_equal(dev[1].order, 2);
    assert_int_equal(dev[1].mark.line, 8);
    assert_int_equal(((const struct correction_conf *)dev[0].channels.items)->mark.line, 7);
    assert_true(config_channels(l.c) >= 2);
    unload(&l);
}

static void fills_and_converts_the_levels_of_a_rule(void **state)
{
    struct loaded l = load(station);

    (void)state;
    assert_non_null(l.c);
    const struct rule_conf *r = l.c->rules.items;
    const struct level_conf *level = r->levels.items;
    assert_string_equal(r->unit, "ug/m3");
    /* GB 3095-2012 amendment, 298.15 K: 1 ppb ozone is 47.998 / 24.465 ug/m3 */
    assert_true(fabs(level[0].set - 80 * 47.998 / 24.465) < 0.05);
    assert_true(fabs(level[0].clear / level[0].set - 0.95) < 1e-9);
    assert_string_equal(level[0].on, "3 of 3");
    assert_string_equal(level[0].off, "6 of 6");
    assert_string_equal(level[1].off, "10min");
    unload(&l);
}

static void prints_what_loads_to_the_same(void **state)
{
    struct loaded first = load(station), second;

    (void)state;
    assert_non_null(first.c);
    char *a = printed(first.c);
    second = load(a);
    assert_non_null(second.c);
    char *b = printed(second.c);
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "zh: \"滨河站\""));
    free(a);
    free(b);
    unload(&first);
    unload(&second);
}

/* Every check of a sample, as a channel has it and as all of a quantity do. */
static const char checks[] =
    "station: {id: s}\n"
    "buses:\n"
    "  - {id: a, type: modbus-tcp, host: 192.0.2.20}\n"
    "qc:\n"
    "  ozone: {range: [0, 600], stuck: 9, hold: {samples: 5}, consistency: off,\n"
    "    references: [{kind: neighbours, of: [a/ozone, b/ozone], least: 1, limit: 20}]}\n"
    "devices:\n"
    "  - id: a\n"
    "    profile: teledyne-t400\n"
    "    bus: a\n"
    "    unit: 1\n"
    "    poll: 10s\n"
    "    channels:\n"
    "      ozone: {range: [0, 500], missing: [-999, 1e6], hold: {gap: 4}, depth: -3,\n"
    "        relations: [{kind: moves_with, of: b/ozone, limit: 30, rest: 2}],\n"
    "        seasons: [{from: 6, to: 8, usual: [10, 300]}, {calendar: hour, from: 0, to: 5,\n"
    "          usual: [0, 200], range: [0, 400], depth: [-5, 0]}]}\n"
    "  - {id: b, profile: teledyne-t400, bus: a, unit: 2, poll: 10s}\n";

static void takes_the_checks_of_a_channel_over_those_of_its_quantity(void **state)
{
    struct loaded l = load(checks);

    (void)state;
    assert_non_null(l.c);
    const struct device_conf *dev = l.c->devices.items;
    const struct profile_point *ozone = NULL;
    const struct device_conf *at = NULL;
    assert_true(config_peer(l.c, &dev[1], "ozone", &at, &ozone));
    assert_ptr_equal(at, &dev[1]);
    assert_false(config_peer(l.c, &dev[1], "c/ozone", &at, &ozone));
    struct qc_config a = config_quality(l.c, &dev[0], ozone);
    struct qc_config b = config_quality(l.c, &dev[1], ozone);
    assert_null(qc_config_error(&a));
    assert_true(a.range.fail.max == 500 && b.range.fail.max == 600);
    assert_int_equal(a.stuck.n, 9);
    assert_int_equal(a.hold.gap_intervals, 4);
    assert_int_equal(b.hold.gap_intervals, 3);
    assert_int_equal(a.hold.gap_samples, 5);
    assert_int_equal(a.sentinels.n, 2);
    assert_true(a.sentinels.value[0] == -999 && a.depth == -3);
    assert_int_equal(a.seasons_n, 2);
    assert_int_equal(a.seasons[1].calendar, QC_HOUR);
    assert_true(a.seasons[0].time.max == 8 && isnan(a.seasons[0].fail.min));
    const struct quality_peers p = config_quality_peers(l.c, &dev[0], ozone);
    assert_int_equal(p.relations_n, 1);
    assert_int_equal(p.references_n, 1);
    assert_false(p.has_usual);
    unload(&l);
}

static void prints_checks_that_load_to_the_same(void **state)
{
    struct loaded first = load(checks), second;

    (void)state;
    char *a = printed(first.c);
    second = load(a);
    assert_non_null(second.c);
    char *b = printed(second.c);
    assert_string_equal(a, b);
    free(a);
    free(b);
    unload(&first);
    unload(&second);
}

static void prints_no_secret(void **state)
{
    struct loaded l = load(station);

    (void)state;
    assert_non_null(l.c);
    const struct uplink_conf *u = l.c->uplinks.items;
    assert_string_equal(((const struct stand_in *)u->type.options)->password, "it's #1: \"x\"");
    char *text = printed(l.c);
    assert_null(strstr(text, "#1"));
    assert_non_null(strstr(text, "password: \"***\""));
    free(text);
    unload(&l);
}

static void takes_the_smallest_station(void **state)
{
    struct loaded l = load("station: {id: s}\n");

    (void)state;
    assert_non_null(l.c);
    assert_int_equal(l.c->devices.n, 0);
    assert_string_equal(l.c->http.listen, "127.0.0.1:8080");
    assert_int_equal(l.c->log.commit_ms, 1000);
    unload(&l);
}

static void warns_of_rules_that_do_nothing(void **state)
{
    struct loaded l =
        load("station: {id: s}\n"
             "rules:\n  - {id: r, selector: {quantity: ozone}, levels: {red: {set: 1}}}\n");

    (void)state;
    assert_non_null(l.c);
    assert_int_equal(diag_warnings(l.d), 1);
    assert_non_null(strstr(diag_get(l.d, 0).text, "no channel of this station fits"));
    unload(&l);
}

/* The whole of a file; free() it. */
static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 1 << 16);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    return text;
}

static void assert_says(const char *path, const char *name)
{
    char expected_path[300], *text = NULL;
    struct loaded l = { 0 };
    size_t size = 0;

    assert_int_equal(diag_create(&l.d), 0);
    assert_true(config_load(path, uplink_kinds, l.d, &l.c) < 0);
    assert_null(l.c);
    FILE *f = open_memstream(&text, &size);
    diag_print(l.d, f);
    fclose(f);
    snprintf(expected_path, sizeof expected_path, "%s.txt", name);
    char *expected = read_file(expected_path);
    assert_string_equal(text, expected);
    free(text);
    free(expected);
    unload(&l);
}

/* The same files and texts as tests/integration/10_check, which runs the program on them. What
   only a real uplink finds wrong lies in folders there. */
static void says_what_is_wrong_in_bad_configurations(void **state)
{
    const char *root = getenv("SLUICE_SOURCE");
    char dir[4096], name[256];
    struct dirent *e;
    int n = 0;

    (void)state;
    snprintf(dir, sizeof dir, "%s/tests/integration/10_check/bad", root ? root : ".");
    assert_int_equal(chdir(dir), 0);
    DIR *folder = opendir(".");
    assert_non_null(folder);
    while ((e = readdir(folder))) {
        const char *dot = strrchr(e->d_name, '.');
        if (!dot || strcmp(dot, ".yaml") != 0)
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(dot - e->d_name), e->d_name);
        assert_says(e->d_name, name);
        n++;
    }
    closedir(folder);
    assert_says("several_files/main.yaml", "several_files");
    assert_true(n >= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_a_station),
        cmocka_unit_test(fills_and_converts_the_levels_of_a_rule),
        cmocka_unit_test(prints_what_loads_to_the_same),
        cmocka_unit_test(takes_the_checks_of_a_channel_over_those_of_its_quantity),
        cmocka_unit_test(prints_checks_that_load_to_the_same),
        cmocka_unit_test(prints_no_secret),
        cmocka_unit_test(takes_the_smallest_station),
        cmocka_unit_test(warns_of_rules_that_do_nothing),
        cmocka_unit_test(says_what_is_wrong_in_bad_configurations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
