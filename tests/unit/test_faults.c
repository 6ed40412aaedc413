/* SPDX-License-Identifier: Apache-2.0 */
/* What simulated instruments do wrong on purpose, and what they can be told to do. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gateway/sim/identity.h"
#include "gateway/sim/instrument.h"

enum { ANSWERS = 20000, FRAME = 9 };

static const int64_t DAY0 = INT64_C(1774828800000); /* 2026-03-30T00:00:00Z */
static const uint8_t two_words[FRAME] = { 7, 3, 4, 0x11, 0x22, 0x33, 0x44, 0xAA, 0xBB };

static struct fault parsed(const char *text)
{
    struct fault f;
    char why[300] = "";

    if (fault_parse(text, &f, why, sizeof why) < 0)
        fail_msg("%s", why);
    return f;
}

static struct fault_state state_of(const char *text)
{
    struct fault_state s;
    struct fault f = parsed(text);

    assert_int_equal(fault_state_init(&s, "roof", 1, &f, 1), 0);
    return s;
}

/* The next answer of a device, through both steps; the CRC stays as it is. */
static struct fault_answer next(struct fault_state *s, int64_t t_ms)
{
    struct fault_answer a = { .n = FRAME };

    memcpy(a.bytes, two_words, FRAME);
    fault_begin(s, t_ms);
    size_t n = FRAME - 2;
    if (fault_content(s, a.bytes, &n))
        a.n = n + 2;
    fault_shape(s, true, &a);
    return a;
}

static void reads_what_people_write(void **state)
{
    (void)state;
    struct fault f = parsed("roof-o3:late=0.8s/50");
    assert_string_equal(f.device, "roof-o3");
    assert_int_equal(f.kind, FAULT_LATE);
    assert_int_equal(f.ms, 800);
    assert_int_equal(f.every, 50);
    f = parsed("exception=2@h:0x40");
    assert_string_equal(f.device, "");
    assert_int_equal(f.code, 2);
    assert_int_equal(f.space, SPACE_HOLDING);
    assert_int_equal(f.address, 0x40);
    f = parsed("silent=10s..20s");
    assert_int_equal(f.from_ms, 10000);
    assert_int_equal(f.to_ms, 20000);
    assert_int_equal(parsed("disconnect=30").every, 30);
    assert_int_equal(parsed("order=DCBA").order, ORDER_DCBA);
    assert_int_equal(parsed("exception=4").address, -1);
}

static void refuses_what_means_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "late",
        "late=",
        "late=1",
        "late=-1s",
        "late=1s/",
        "late=1s/0",
        "noise=0",
        "noise=1.5",
        "noise=x",
        "order=ABC",
        "order=CDABx",
        "nan=1",
        "stuck/2",
        "disconnect=0",
        "silent=5s",
        "silent=5s..4s",
        "exception=",
        "exception=0",
        "exception=2@",
        "exception=2@x:4",
        "exception=2@70000",
        ":late=1s",
        "later=1s",
        "trickle=0ms",
        "late=1s/2/3",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:nan",
    };
    char why[300];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fault f = { .ms = 42 };
        why[0] = '\0';
        if (fault_parse(texts[i], &f, why, sizeof why) != -EINVAL)
            fail_msg("'%s' was taken", texts[i]);
        assert_true(strlen(why) > 0);
        assert_int_equal(f.ms, 42);
    }
}

static void every_nth_answer_is_late(void **state)
{
    (void)state;
    struct fault_state s = state_of("late=0.8s/50");
    int late = 0;

    for (int i = 1; i <= 500; i++) {
        struct fault_answer a = next(&s, 0);
        assert_int_equal(a.n, FRAME);
        assert_memory_equal(a.bytes, two_words, FRAME);
        assert_int_equal(a.late_ms, i % 50 ? 0 : 800);
        late += a.late_ms > 0;
    }
    assert_int_equal(late, 10);
}

static void is_silent_between_two_times(void **state)
{
    (void)state;
    struct fault_state s = state_of("silent=10s..20s");

    assert_int_equal(next(&s, 9999).n, FRAME);
    assert_int_equal(next(&s, 10000).n, 0);
    assert_int_equal(next(&s, 19999).n, 0);
    assert_int_equal(next(&s, 20000).n, FRAME);
}

static void a_foreign_answer_has_another_unit_and_other_data(void **state)
{
    (void)state;
    struct fault_state s = state_of("foreign/2");

    assert_memory_equal(next(&s, 0).bytes, two_words, FRAME);
    struct fault_answer a = next(&s, 0);
    assert_int_equal(a.n, FRAME);
    assert_int_equal(a.bytes[0], 8);
    assert_int_equal(a.bytes[2], 4);
    assert_int_equal(a.bytes[3], 0xEE);
}

static void short_and_long_answers_take_turns(void **state)
{
    (void)state;
    struct fault_state s = state_of("short");
    struct fault_answer a = next(&s, 0);

    assert_int_equal(a.n, FRAME - 2);
    assert_int_equal(a.bytes[2], 2);
    assert_int_equal(next(&s, 0).n, FRAME / 2);
    s = state_of("long");
    a = next(&s, 0);
    assert_int_equal(a.n, FRAME + 2);
    assert_int_equal(a.bytes[2], 6);
    assert_int_equal(next(&s, 0).n, FRAME + 3);
}

static void noise_hits_as_many_bytes_as_it_was_told(void **state)
{
    (void)state;
    struct fault_state s = state_of("noise=1e-2"), again = state_of("noise=1e-2");
    unsigned hits = 0;

    for (int i = 0; i < ANSWERS; i++) {
        struct fault_answer a = next(&s, 0);
        assert_memory_equal(a.bytes, next(&again, 0).bytes, FRAME); /* the same seed */
        for (size_t k = 0; k < FRAME; k++)
            hits += a.bytes[k] != two_words[k];
    }
    assert_in_range(hits, 1650, 1950); /* 1800 +- 3.5 standard deviations */
}

static void noise_spares_frames_without_a_checksum(void **state)
{
    (void)state;
    struct fault_state s = state_of("noise=1");
    struct fault_answer a = { .n = FRAME };

    memcpy(a.bytes, two_words, FRAME);
    fault_begin(&s, 0);
    fault_shape(&s, false, &a);
    assert_memory_equal(a.bytes, two_words, FRAME);
}

static void refuses_the_register_it_was_told(void **state)
{
    (void)state;
    struct fault_state s = state_of("exception=2@h:40");

    fault_begin(&s, 0);
    assert_int_equal(fault_exception(&s, &(struct fault_request){ 3, 30, 11 }), 2);
    assert_int_equal(fault_exception(&s, &(struct fault_request){ 3, 30, 10 }), 0);
    assert_int_equal(fault_exception(&s, &(struct fault_request){ 3, 41, 10 }), 0);
    assert_int_equal(fault_exception(&s, &(struct fault_request){ 4, 40, 1 }), 0);
}

static void a_device_takes_its_own_faults_only(void **state)
{
    (void)state;
    const struct fault all[] = { parsed("roof:nan"), parsed("cellar:stuck"), parsed("short") };
    struct fault many[FAULTS_MAX + 1];
    struct fault_state s;

    assert_int_equal(fault_state_init(&s, "roof", 1, all, 3), 0);
    assert_non_null(fault_find(&s, FAULT_NAN));
    assert_null(fault_find(&s, FAULT_STUCK));
    assert_non_null(fault_find(&s, FAULT_SHORT));
    for (size_t i = 0; i < FAULTS_MAX + 1; i++)
        many[i] = all[2];
    assert_int_equal(fault_state_init(&s, "roof", 1, many, FAULTS_MAX + 1), -E2BIG);
}

/* ---- instruments with them ---- */

struct meter { /* a float at i:10, an integer at h:2, zeroed by h:100 = 1, stopped by 0 */
    struct profile profile;
    struct profile_point points[2];
    struct profile_span spans[2];
    struct profile_command commands[3];
    struct profile_step zero[3], stop[1], interval[2];
    struct profile_identify identify[2];
};

static struct profile_step write_step(uint16_t at, enum step_source source, double value)
{
    return (struct profile_step){ .kind = STEP_WRITE,
                                  .at = { SPACE_HOLDING, at, 1, -1 },
                                  .type = TYPE_U16,
                                  .order = -1,
                                  .source = source,
                                  .value = value,
                                  .scale = 1 };
}

static struct profile_point point(const char *id, struct register_address at,
                                  enum value_type type)
{
    return (struct profile_point){ .id = id,
                                   .quantity = quantity_find("ozone"),
                                   .conversion = { 1, 0, true },
                                   .at = at,
                                   .type = type,
                                   .order = -1,
                                   .scale = 1,
                                   .range_min = (double)NAN,
                                   .range_max = (double)NAN,
                                   .sim_base = 80,
                                   .sim_swing = 0,
                                   .sim_noise = 0.5 };
}

static void make_meter(struct meter *m)
{
    *m = (struct meter){ 0 };
    m->points[0] =
        point("ozone", (struct register_address){ SPACE_INPUT, 10, 2, -1 }, TYPE_F32);
    m->points[1] =
        point("whole", (struct register_address){ SPACE_HOLDING, 2, 1, -1 }, TYPE_U16);
    m->spans[0] = (struct profile_span){ SPACE_HOLDING, 2, 1, 0 };
    m->spans[1] = (struct profile_span){ SPACE_INPUT, 10, 2, 1 };
    m->zero[0] = write_step(100, FROM_CONSTANT, 1);
    m->zero[1] = (struct profile_step){ .kind = STEP_WAIT, .wait_ms = 10 };
    m->zero[2] = write_step(101, FROM_CONSTANT, 7);
    m->zero[2].kind = STEP_EXPECT;
    m->stop[0] = write_step(100, FROM_CONSTANT, 0);
    m->interval[0] = write_step(102, FROM_PARAMETER, 0);
    m->interval[1] = write_step(103, FROM_PARAMETER, 0);
    m->commands[0] = (struct profile_command){
        .id = "start_zero", .mode = "zero", .mode_ms = 60000, .steps = m->zero, .steps_n = 3
    };
    m->commands[1] = (struct profile_command){ .id = "stop", .steps = m->stop, .steps_n = 1 };
    m->commands[2] =
        (struct profile_command){ .id = "set_interval", .steps = m->interval, .steps_n = 2 };
    m->identify[0] =
        (struct profile_identify){ .mei = 1, .equals_text = "49iQ*?", .is_pattern = true };
    m->identify[1] = (struct profile_identify){
        .mei = -1, .at = { SPACE_HOLDING, 500, 3, -1 }, .type = TYPE_TEXT, .equals_text = "AQM"
    };
    m->profile = (struct profile){ .id = "meter",
                                   .vendor = "Maker \xe4\xb8\xad",
                                   .points = m->points,
                                   .points_n = 2,
                                   .spans = m->spans,
                                   .spans_n = 2,
                                   .words_n = 3,
                                   .commands = m->commands,
                                   .commands_n = 3,
                                   .identify = m->identify,
                                   .identify_n = 2 };
}

static struct instrument *meter_with(struct meter *m, const char *fault)
{
    struct fault f = fault ? parsed(fault) : (struct fault){ 0 };
    struct instrument_options o = { .id = "meter",
                                    .profile = &m->profile,
                                    .order = -1,
                                    .unit = 1,
                                    .seed = 1,
                                    .is_calm = true,
                                    .faults = &f,
                                    .faults_n = fault != NULL };
    struct instrument *in;

    make_meter(m);
    assert_int_equal(instrument_create(&o, &in), 0);
    instrument_advance(in, DAY0);
    return in;
}

static void read_words(const struct instrument *in, uint8_t space, unsigned first, unsigned n,
                       uint16_t *ret)
{
    assert_int_equal(instrument_read(in, space, first, n, ret), 0);
}

static void the_wrong_order_is_in_the_registers(void **state)
{
    (void)state;
    struct meter m;
    uint16_t right[2], wrong[2];
    struct instrument *in = meter_with(&m, NULL);

    read_words(in, SPACE_INPUT, 10, 2, right);
    instrument_destroy(in);
    in = meter_with(&m, "order=CDAB");
    read_words(in, SPACE_INPUT, 10, 2, wrong);
    assert_int_equal(wrong[0], right[1]);
    assert_int_equal(wrong[1], right[0]);
    instrument_destroy(in);
}

static void stuck_values_stand_still(void **state)
{
    (void)state;
    struct meter m;
    uint16_t first[2], later[2];
    struct instrument *in = meter_with(&m, "stuck");

    read_words(in, SPACE_INPUT, 10, 2, first);
    instrument_advance(in, DAY0 + 3600 * 1000);
    read_words(in, SPACE_INPUT, 10, 2, later);
    assert_memory_equal(first, later, sizeof first);
    instrument_destroy(in);
}

static void nan_is_told_by_those_that_can(void **state)
{
    (void)state;
    struct meter m;
    uint16_t w[2];
    struct instrument *in = meter_with(&m, "nan");

    read_words(in, SPACE_INPUT, 10, 2, w);
    assert_int_equal(w[0] & 0x7FC0, 0x7FC0);
    read_words(in, SPACE_HOLDING, 2, 1, w);
    assert_in_range(w[0], 70, 90); /* an integer without a code for it goes on */
    instrument_destroy(in);
}

/* ---- commands ---- */

static void a_command_brings_its_mode_and_another_value_ends_it(void **state)
{
    (void)state;
    struct meter m;
    struct instrument *in = meter_with(&m, NULL);
    const uint16_t on = 1, off = 0;
    uint16_t w;

    assert_int_equal(instrument_write(in, SPACE_HOLDING, 100, 1, &on, DAY0), 0);
    instrument_advance(in, DAY0 + 1000);
    assert_string_equal(instrument_word(in), "zero");
    assert_true(instrument_value(in, 0) < 10);
    read_words(in, SPACE_HOLDING, 101, 1, &w);
    assert_int_equal(w, 7); /* as the command expects it */
    assert_int_equal(instrument_write(in, SPACE_HOLDING, 100, 1, &off, DAY0), 0);
    instrument_advance(in, DAY0 + 2000);
    assert_string_equal(instrument_word(in), "good");
    assert_int_equal(instrument_write(in, SPACE_HOLDING, 100, 1, &on, DAY0 + 2000), 0);
    instrument_advance(in, DAY0 + 61000);
    assert_string_equal(instrument_word(in), "zero");
    instrument_advance(in, DAY0 + 62000); /* it is over by itself */
    assert_string_equal(instrument_word(in), "good");
    instrument_destroy(in);
}

static void takes_no_writes_but_those_of_its_commands(void **state)
{
    (void)state;
    struct meter m;
    struct instrument *in = meter_with(&m, NULL);
    const uint16_t two[2] = { 60, 5 };
    uint16_t w[2];

    assert_int_equal(instrument_write(in, SPACE_HOLDING, 2, 1, two, DAY0), -EFAULT);
    assert_int_equal(instrument_write(in, SPACE_HOLDING, 103, 2, two, DAY0), -EFAULT);
    assert_int_equal(instrument_write(in, SPACE_COIL, 100, 1, two, DAY0), -EFAULT);
    assert_int_equal(instrument_write(in, SPACE_HOLDING, 101, 1, two, DAY0), -EFAULT);
    assert_int_equal(instrument_write(in, SPACE_HOLDING, 102, 2, two, DAY0), 0);
    read_words(in, SPACE_HOLDING, 102, 2, w);
    assert_memory_equal(w, two, sizeof two);
    assert_string_equal(instrument_word(in), "good");
    instrument_destroy(in);
}

static void an_instrument_without_commands_takes_no_writes_at_all(void **state)
{
    (void)state;
    struct meter m;
    struct instrument *in = meter_with(&m, NULL);
    const uint16_t on = 1;

    m.profile.commands_n = 0;
    assert_int_equal(instrument_write(in, SPACE_HOLDING, 100, 1, &on, DAY0), -ENOTSUP);
    instrument_destroy(in);
}

/* ---- identification ---- */

static void shows_the_registers_it_is_identified_by(void **state)
{
    (void)state;
    struct meter m;
    struct instrument *in = meter_with(&m, NULL);
    uint16_t w[3];

    read_words(in, SPACE_HOLDING, 500, 3, w);
    assert_int_equal(w[0], 'A' << 8 | 'Q');
    assert_int_equal(w[1], 'M' << 8);
    assert_int_equal(w[2], 0);
    instrument_destroy(in);
}

static void tells_vendor_and_model(void **state)
{
    (void)state;
    static const uint8_t all[] = { 0x2B, 0x0E, 1, 0 }, one[] = { 0x2B, 0x0E, 4, 1 },
                         none[] = { 0x2B, 0x0E, 4, 9 }, can[] = { 0x2B, 0x0D, 0, 0 },
                         odd[] = { 0x2B, 0x0E, 5, 0 };
    static const char basic[] = "\x2B\x0E\x01\x83\x00\x00\x03\x00\x06Maker \x01\x05"
                                "49iQ0\x02\x03"
                                "1.0";
    uint8_t out[IDENTITY_PDU_MAX];
    struct meter m;

    make_meter(&m);
    assert_int_equal(identity_answer(&m.profile, all, 4, out), sizeof basic - 1);
    assert_memory_equal(out, basic, sizeof basic - 1);
    assert_int_equal(identity_answer(&m.profile, one, 4, out), 7 + 2 + 5);
    assert_memory_equal(out + 7,
                        "\x01\x05"
                        "49iQ0",
                        7);
    assert_int_equal(identity_answer(&m.profile, none, 4, out), -2);
    assert_int_equal(identity_answer(&m.profile, can, 4, out), -1);
    assert_int_equal(identity_answer(&m.profile, odd, 4, out), -3);
    assert_int_equal(identity_answer(&m.profile, one, 3, out), -3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_people_write),
        cmocka_unit_test(refuses_what_means_nothing),
        cmocka_unit_test(every_nth_answer_is_late),
        cmocka_unit_test(is_silent_between_two_times),
        cmocka_unit_test(a_foreign_answer_has_another_unit_and_other_data),
        cmocka_unit_test(short_and_long_answers_take_turns),
        cmocka_unit_test(noise_hits_as_many_bytes_as_it_was_told),
        cmocka_unit_test(noise_spares_frames_without_a_checksum),
        cmocka_unit_test(refuses_the_register_it_was_told),
        cmocka_unit_test(a_device_takes_its_own_faults_only),
        cmocka_unit_test(the_wrong_order_is_in_the_registers),
        cmocka_unit_test(stuck_values_stand_still),
        cmocka_unit_test(nan_is_told_by_those_that_can),
        cmocka_unit_test(a_command_brings_its_mode_and_another_value_ends_it),
        cmocka_unit_test(takes_no_writes_but_those_of_its_commands),
        cmocka_unit_test(an_instrument_without_commands_takes_no_writes_at_all),
        cmocka_unit_test(shows_the_registers_it_is_identified_by),
        cmocka_unit_test(tells_vendor_and_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
