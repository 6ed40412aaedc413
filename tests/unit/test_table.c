/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/table.h"

#include <string.h>

#include "gateway/app_view.h"
#include "unit.h"

static const char text[] =
    "station: {id: s-1, region: demo, names: {en: S, zh: 站}}\n"
    "buses:\n"
    "  - {id: a, type: modbus-tcp, host: 127.0.0.1, port: 1502}\n"
    "  - {id: b, type: modbus-rtu, port: /dev/ttyS9, baud: 19200, format: 8E1,\n"
    "     rs485: {rts_on_send: low, after: 1ms}}\n"
    "  - {id: c, type: modbus-rtu-tcp, host: 127.0.0.2, port: 4001, pause: 20ms}\n"
    "devices:\n"
    "  - id: o3\n"
    "    profile: teledyne-t400\n"
    "    bus: a\n"
    "    unit: 1\n"
    "    poll: 5s\n"
    "    channels: {ozone: {factor: 1.02, offset: -0.5, range: [0, 500], stuck: 7}}\n"
    "  - {id: soil, profile: generic-soil-4in1, bus: b, unit: 3, poll: 5min}\n"
    "  - id: pm\n"
    "    profile: delta-ohm-pmsense\n"
    "    bus: b\n"
    "    unit: 4\n"
    "    channels:\n"
    "      pm1: {relations: [{kind: at_most, of: pm10, share: 0.5}]}\n"
    "      pm10: {consistency: off, references: [{kind: neighbours, limit: 9,\n"
    "        of: [pm/pm10, pm2_5, o3/ozone]}]}\n"
    "rules:\n"
    "  - id: ozone-high\n"
    "    selector: {quantity: ozone}\n"
    "    input: mean(1min)\n"
    "    levels: {yellow: {set: 160, on: 2 of 3}, red: {set: 300, clear: 250, off: 10min}}\n"
    "  - {id: none, enabled: false, selector: {quantity: ozone}, levels: {red: {set: 1}}}\n"
    "log: {path: /nonexistent/log.db}\n";

struct fixture {
    struct diag *d;
    struct config *config;
    struct table *t;
};

static int set_up(void **state)
{
    static struct fixture f;

    assert_int_equal(diag_create(&f.d), 0);
    int rc = config_load_text("station.yaml", text, sizeof text - 1, uplink_choices(), f.d,
                              &f.config);
    if (rc < 0)
        diag_print(f.d, stderr);
    assert_int_equal(rc, 0);
    assert_int_equal(table_create(f.config, &f.t), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    table_destroy(f->t);
    config_destroy(f->config);
    diag_destroy(f->d);
    return 0;
}

static const struct channel *find(const struct table *t, const char *id)
{
    for (size_t i = 0; i < t->channels.n; i++) {
        if (strcmp(t->channel[i].id, id) == 0)
            return &t->channel[i];
    }
    return NULL;
}

static void readings_and_statistics_are_channels(void **state)
{
    const struct table *t = ((struct fixture *)*state)->t;
    const struct channel *ozone = find(t, "o3/ozone"), *hour = find(t, "o3/ozone@1h");

    assert_non_null(ozone);
    assert_non_null(find(t, "o3/ozone@1min"));
    assert_non_null(hour);
    assert_ptr_equal(&t->channel[hour->source], ozone);
    assert_int_equal(hour->period_ms, 3600000);
    assert_non_null(find(t, "soil/soil_moisture@1h"));
    assert_null(find(t, "soil/soil_moisture@1min")); /* polled every five minutes */
    assert_null(find(t, "o3/box_temp"));             /* a diagnostic is no channel */
}

static void a_quantity_has_the_statistics_of_its_standard(void **state)
{
    const struct table *t = ((struct fixture *)*state)->t;
    const struct channel *eight = find(t, "o3/ozone@8h");

    assert_non_null(eight);
    assert_int_equal(eight->period_ms, 8 * 3600000);
    assert_int_equal(eight->decimals, 2); /* published without */
    assert_string_equal(eight->statistic, "8h");
    assert_non_null(find(t, "o3/ozone@day.max8h"));
    assert_non_null(find(t, "pm/pm2_5@day"));
    assert_null(find(t, "pm/pm2_5@8h"));
    assert_null(find(t, "soil/soil_moisture@day"));
    assert_null(find(t, "o3/ozone@1h.max"));
}

static void streams_hold_their_channels_in_column_order(void **state)
{
    const struct table *t = ((struct fixture *)*state)->t;
    size_t seen = 0;

    for (size_t i = 0; i < t->channels.streams_n; i++) {
        const struct channel_stream *s = &t->stream[i];
        for (uint32_t k = 0; k < s->n; k++) {
            assert_int_equal(t->channel[s->first + k].column, k);
            if (strstr(s->name, "8h")) /* a row each hour */
                assert_int_equal(s->period_ms, 3600000);
            else
                assert_int_equal(t->channel[s->first + k].period_ms, s->period_ms);
        }
        seen += s->n;
    }
    assert_int_equal(seen, t->channels.n);
    assert_string_equal(t->stream[0].name, "dev.o3");
}

static void corrections_and_ranges_reach_the_checks(void **state)
{
    const struct table *t = ((struct fixture *)*state)->t;
    const struct pipeline_channel *c = &t->treatment[find(t, "o3/ozone") - t->channel];

    assert_true(c->factor == 1.02 && c->offset == -0.5);
    assert_true(c->qc.range.fail.min == 0 && c->qc.range.fail.max == 500);
    assert_int_equal(c->qc.stuck.n, 7);
}

static unsigned number(const struct table *t, const char *id)
{
    return (unsigned)(find(t, id) - t->channel);
}

static void channels_are_compared_with_those_of_their_device(void **state)
{
    const struct table *t = ((struct fixture *)*state)->t;
    const struct qc_config *pm1 = &t->treatment[number(t, "pm/pm1")].qc;
    const struct qc_config *pm2_5 = &t->treatment[number(t, "pm/pm2_5")].qc;
    const struct qc_config *pm10 = &t->treatment[number(t, "pm/pm10")].qc;

    assert_int_equal(pm1->relations_n, 2); /* its own, and the usual one */
    assert_int_equal(pm1->relations[0].a, number(t, "pm/pm10"));
    assert_true(pm1->relations[0].share == 0.5);
    assert_int_equal(pm1->relations[1].a, number(t, "pm/pm2_5"));
    assert_int_equal(pm2_5->relations_n, 1);
    assert_int_equal(pm2_5->relations[0].kind, QC_AT_MOST);
    assert_int_equal(pm10->relations_n, 0);
    assert_int_equal(pm10->references_n, 1);
    assert_int_equal(pm10->references[0].n, 2); /* not itself */
    assert_int_equal(pm10->references[0].peer[1], number(t, "o3/ozone"));
    assert_int_equal(t->treatment[number(t, "o3/ozone")].qc.relations_n, 0);
}

static void what_does_not_stay_as_read_is_kept_raw(void **state)
{
    const struct table *t = ((struct fixture *)*state)->t;
    const struct profile *p = t->poll_device[0].profile;

    assert_true(t->device[0].raw_n >= 1);
    assert_string_equal(p->points[t->device[0].raw_points[0]].id, "ozone");
    assert_int_equal(t->device[1].raw_n,
                     0); /* moisture in %, temperature in Cel: as they are */
}

static void rules_are_bound_to_the_statistic_they_name(void **state)
{
    const struct table *t = ((struct fixture *)*state)->t;

    assert_int_equal(t->rules_n, 1);
    assert_ptr_equal(&t->channel[t->rule[0].channel], find(t, "o3/ozone@1min"));
    const struct alert_threshold *yellow = &t->rule[0].level[LEVEL_YELLOW];
    const struct alert_threshold *red = &t->rule[0].level[LEVEL_RED];
    assert_true(yellow->is_set && yellow->set == 160 && yellow->clear == 152);
    assert_int_equal(yellow->on.m, 2);
    assert_int_equal(yellow->off.m, 4); /* twice as long */
    assert_int_equal(red->off.duration_ms, 600000);
    assert_false(t->rule[0].level[LEVEL_ORANGE].is_set);
    assert_null(alert_rule_error(&t->rule[0]));
}

static void buses_and_devices_are_described_to_the_poller(void **state)
{
    const struct table *t = ((struct fixture *)*state)->t;

    assert_int_equal(t->bus[0].place.type, BUS_MODBUS_TCP);
    assert_int_equal(t->bus[0].place.port, 1502);
    assert_int_equal(t->bus[1].place.type, BUS_MODBUS_RTU);
    assert_int_equal(t->bus[1].place.parity, 'E');
    assert_int_equal(t->bus[1].place.baud, 19200);
    assert_true(t->bus[1].place.rs485.is_on && t->bus[1].place.rs485.is_rts_low_on_send);
    assert_int_equal(t->bus[1].place.rs485.after_ms, 1);
    assert_int_equal(t->bus[2].place.type, BUS_MODBUS_RTU_TCP);
    assert_int_equal(t->bus[2].place.port, 4001);
    assert_int_equal(t->bus[2].place.pause_ms, 20);
    assert_int_equal(t->poll_device[1].bus, 1);
    assert_int_equal(t->poll_device[1].unit, 3);
    assert_int_equal(t->poll_device[0].order, -1);
    assert_int_equal(t->live_device[1].medium, MEDIUM_SOIL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(readings_and_statistics_are_channels),
        TEST(a_quantity_has_the_statistics_of_its_standard),
        TEST(streams_hold_their_channels_in_column_order),
        TEST(corrections_and_ranges_reach_the_checks),
        TEST(channels_are_compared_with_those_of_their_device),
        TEST(what_does_not_stay_as_read_is_kept_raw),
        TEST(rules_are_bound_to_the_statistic_they_name),
        TEST(buses_and_devices_are_described_to_the_poller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
