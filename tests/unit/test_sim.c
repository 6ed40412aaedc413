/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/sim/sim.h"
#include "sensors/core/bytes.h"
#include "tests/unit/folder.h"

enum { HOUR = 3600 * 1000 };

static const int64_t DAY0 = INT64_C(1774828800000); /* 2026-03-30T00:00:00Z */

/* A dust monitor: two floats, a scaled integer, and two status bits. */
struct monitor {
    struct profile profile;
    struct profile_point points[3];
    struct profile_span spans[3];
    struct profile_flag flags[2];
};

static struct profile_point point(const char *id, const char *quantity, uint16_t at,
                                  enum value_type type)
{
    return (struct profile_point){ .id = id,
                                   .quantity = quantity ? quantity_find(quantity) : NULL,
                                   .conversion = { 1, 0, true },
                                   .at = { SPACE_INPUT, at, type == TYPE_F32 ? 2 : 1, -1 },
                                   .type = type,
                                   .order = -1,
                                   .scale = 1,
                                   .range_min = NAN,
                                   .range_max = NAN,
                                   .sim_base = NAN,
                                   .sim_swing = NAN,
                                   .sim_noise = NAN };
}

static struct profile_flag flag(uint16_t at, const struct profile_choice *choice)
{
    return (struct profile_flag){
        .map = { .at = { SPACE_DISCRETE, at, 1, -1 }, .choice = choice, .n = 1 },
        .is_for_all = true,
    };
}

static const struct profile_choice zero = {
    .raw = 1, .word = "zero", .verdict = { STATUS_CALIBRATION, GRADE_GOOD, REASON_CAL_ZERO }
};
static const struct profile_choice fault = {
    .raw = 1, .word = "fault", .verdict = { STATUS_FAULT, GRADE_BAD, REASON_INSTR }
};

static void make_monitor(struct monitor *m)
{
    *m = (struct monitor){ 0 };
    m->points[0] = point("dust", "pm2_5", 10, TYPE_F32);
    m->points[1] = point("coarse", "pm10", 12, TYPE_F32);
    m->points[2] = point("inside", "air_temp", 16, TYPE_S16);
    m->points[2].scale = 0.1;
    m->flags[0] = flag(0, &zero);
    m->flags[1] = flag(1, &fault);
    m->spans[0] = (struct profile_span){ SPACE_DISCRETE, 0, 2, 0 };
    m->spans[1] = (struct profile_span){ SPACE_INPUT, 10, 4, 2 };
    m->spans[2] = (struct profile_span){ SPACE_INPUT, 16, 1, 6 };
    m->profile = (struct profile){ .id = "monitor",
                                   .read_max = 60,
                                   .read_gap = 2,
                                   .points = m->points,
                                   .points_n = 3,
                                   .flags = m->flags,
                                   .flags_n = 2,
                                   .spans = m->spans,
                                   .spans_n = 3,
                                   .words_n = 7,
                                   .order_from = { .at = { 0 } },
                                   .mode = { .at = { 0 } } };
}

static struct instrument_options options_of(const struct monitor *m)
{
    return (struct instrument_options){ .id = "roof-pm",
                                        .profile = &m->profile,
                                        .order = -1,
                                        .unit = 7,
                                        .seed = 1,
                                        .origin_ms = DAY0,
                                        .is_calm = true };
}

static float float_at(const struct instrument *in, unsigned address)
{
    uint16_t w[2];

    assert_int_equal(instrument_read(in, SPACE_INPUT, address, 2, w), 0);
    return float_from_bits((uint32_t)w[0] << 16 | w[1]);
}

/* ---- instruments ---- */

static void shows_its_signals_in_its_registers(void **state)
{
    (void)state;
    struct monitor m;
    struct instrument *in;
    struct instrument_options o;
    uint16_t inside;

    make_monitor(&m);
    o = options_of(&m);
    assert_int_equal(instrument_create(&o, &in), 0);
    instrument_advance(in, DAY0);
    assert_true(float_at(in, 10) == (float)instrument_value(in, 0));
    assert_true(instrument_value(in, 0) > 5 && instrument_value(in, 0) < 60);
    assert_int_equal(instrument_read(in, SPACE_INPUT, 16, 1, &inside), 0);
    assert_true(fabs((int16_t)inside * 0.1 - instrument_value(in, 2)) <= 0.05 + 1e-9);
    instrument_destroy(in);
}

static void moves_once_a_second(void **state)
{
    (void)state;
    struct monitor m;
    struct instrument *in;
    struct instrument_options o;

    make_monitor(&m);
    o = options_of(&m);
    assert_int_equal(instrument_create(&o, &in), 0);
    instrument_advance(in, DAY0);
    float first = float_at(in, 10);
    instrument_advance(in, DAY0 + 999);
    assert_true(float_at(in, 10) == first);
    instrument_advance(in, DAY0 + 1000);
    assert_true(float_at(in, 10) != first);
    instrument_destroy(in);
}

static void holds_a_point_and_a_flag_as_told(void **state)
{
    (void)state;
    const struct instrument_set sets[] = { { NULL, "dust", 12.5 },
                                           { "elsewhere", "coarse", 1 },
                                           { "roof-pm", "inside", -3.2 } };
    struct monitor m;
    struct instrument *in;
    struct instrument_options o;
    uint16_t w[2];

    make_monitor(&m);
    o = options_of(&m);
    o.sets = sets;
    o.sets_n = 3;
    o.flag = "fault";
    assert_int_equal(instrument_create(&o, &in), 0);
    instrument_advance(in, DAY0);
    assert_true(float_at(in, 10) == 12.5f);
    assert_true(float_at(in, 12) > 10);
    assert_int_equal(instrument_read(in, SPACE_INPUT, 16, 1, w), 0);
    assert_int_equal((int16_t)w[0], -32);
    assert_int_equal(instrument_read(in, SPACE_DISCRETE, 0, 2, w), 0);
    assert_int_equal(w[0], 0);
    assert_int_equal(w[1], 1);
    instrument_destroy(in);
    o.flag = "span";
    assert_int_equal(instrument_create(&o, &in), -ENOENT);
}

static void an_episode_climbs_to_its_peak_where_it_is_meant(void **state)
{
    (void)state;
    const struct signal_episode e[] = { { "pm2_5", 190, { HOUR, HOUR, 0 } },
                                        { "roof-pm/inside", 40, { HOUR, HOUR, 0 } },
                                        { "roof/coarse", 900, { HOUR, HOUR, 0 } } };
    struct monitor m;
    struct instrument *in;
    struct instrument_options o;

    make_monitor(&m);
    o = options_of(&m);
    o.episodes = e;
    o.episodes_n = 3;
    assert_int_equal(instrument_create(&o, &in), 0);
    instrument_advance(in, DAY0 + HOUR / 2);
    assert_true(instrument_value(in, 0) < 60);
    instrument_advance(in, DAY0 + HOUR + HOUR / 2);
    assert_true(fabs(instrument_value(in, 0) - 190) < 12);
    assert_true(fabs(instrument_value(in, 2) - 40) < 3);
    assert_true(instrument_value(in, 1) < 100);
    instrument_destroy(in);
}

static void a_disturbance_strikes_where_it_is_meant(void **state)
{
    (void)state;
    const struct disturbance d[] = {
        { "pm10", DISTURB_SHOW, 9999, { HOUR, HOUR, 0 } },
        { "roof-pm/inside", DISTURB_STUCK, 0, { HOUR, HOUR, 0 } },
        { "other/dust", DISTURB_SHOW, 7, { HOUR, HOUR, 0 } },
    };
    struct monitor m;
    struct instrument *in;
    struct instrument_options o;

    make_monitor(&m);
    o = options_of(&m);
    o.disturbances = d;
    o.disturbances_n = 3;
    assert_int_equal(instrument_create(&o, &in), 0);
    instrument_advance(in, DAY0 + HOUR);
    double stuck = instrument_value(in, 2);
    instrument_advance(in, DAY0 + HOUR + HOUR / 2);
    assert_true(float_at(in, 12) == 9999.0F);
    assert_true(instrument_value(in, 2) == stuck);
    assert_true(instrument_value(in, 0) != 7);
    instrument_advance(in, DAY0 + 2 * HOUR);
    assert_true(float_at(in, 12) < 100);
    assert_true(instrument_value(in, 2) != stuck);
    instrument_destroy(in);
}

static void zero_checks_are_flagged_and_show_nothing(void **state)
{
    (void)state;
    struct monitor m;
    struct instrument *in;
    struct instrument_options o;
    int zeros = 0;

    make_monitor(&m);
    o = options_of(&m);
    o.calibration_ms = HOUR;
    assert_int_equal(instrument_create(&o, &in), 0);
    for (int i = 0; i < 240; i++) {
        uint16_t bit;
        instrument_advance(in, DAY0 + (int64_t)i * 60000);
        bool is_zero = strcmp(instrument_word(in), "zero") == 0;
        assert_int_equal(instrument_read(in, SPACE_DISCRETE, 0, 1, &bit), 0);
        assert_int_equal(bit, is_zero);
        assert_true(is_zero ? fabs(instrument_value(in, 0)) < 10
                            : instrument_value(in, 0) > 10);
        assert_true(instrument_value(in, 2) > 5); /* the cabin is no gas */
        zeros += is_zero;
    }
    assert_int_equal(zeros, 16); /* 4 minutes of each hour */
    instrument_destroy(in);
}

static void has_only_the_registers_of_its_profile(void **state)
{
    (void)state;
    struct monitor m;
    struct instrument *in;
    struct instrument_options o;
    uint16_t w[8];

    make_monitor(&m);
    o = options_of(&m);
    assert_int_equal(instrument_create(&o, &in), 0);
    instrument_advance(in, DAY0);
    assert_int_equal(instrument_read(in, SPACE_INPUT, 10, 7, w), 0); /* bridges 14 and 15 */
    assert_int_equal(w[4], 0);
    assert_int_equal(instrument_read(in, SPACE_INPUT, 9, 2, w), -EFAULT);
    assert_int_equal(instrument_read(in, SPACE_INPUT, 16, 2, w), -EFAULT);
    assert_int_equal(instrument_read(in, SPACE_HOLDING, 10, 2, w), -EFAULT);
    assert_int_equal(instrument_read(in, SPACE_INPUT, 10, 0, w), -EFAULT);
    assert_int_equal(instrument_read(in, SPACE_INPUT, 65535, 2, w), -EFAULT);
    m.profile.read_gap = 1;
    assert_int_equal(instrument_read(in, SPACE_INPUT, 10, 7, w), -EFAULT);
    instrument_destroy(in);
}

/* ---- the instruments on their ports, asked by libmodbus from a thread of its own ---- */

struct bench {
    struct monitor m;
    struct clock clock;
    struct sim *sim;
    uv_loop_t loop;
    uv_async_t done;
    uv_thread_t thread;
    char address[128];
    char folder[FOLDER_MAX], link[96];
};

static void take_address(void *user, const char *address, const struct instrument *const *in,
                         size_t n)
{
    struct bench *b = user;

    (void)in, (void)n;
    snprintf(b->address, sizeof b->address, "%s", address);
}

static void on_done(uv_async_t *a)
{
    uv_close((uv_handle_t *)a, NULL);
    sim_stop(a->data);
}

/* Serves until client() has returned and said so by b->done. */
static void serve(struct bench *b, const struct sim_place *where, void (*client)(void *))
{
    const struct instrument_set sets[] = { { "roof-pm", "dust", 12.5 }, { "two", "dust", 99 } };
    struct instrument_options o;
    char error[200] = "";

    make_monitor(&b->m);
    clock_init(&b->clock, 1, 0);
    o = options_of(&b->m);
    o.sets = sets;
    o.sets_n = 2;
    assert_int_equal(sim_create(&b->clock, &b->sim), 0);
    assert_int_equal(sim_add(b->sim, &o, where), 0);
    assert_int_equal(sim_add(b->sim, &o, where), strcmp(where->port, "0") ? -EEXIST : 0);
    o.id = "two";
    o.unit = 8;
    assert_int_equal(sim_add(b->sim, &o, where), 0);
    assert_int_equal(uv_loop_init(&b->loop), 0);
    assert_int_equal(sim_start(b->sim, &b->loop, error, sizeof error), 0);
    sim_each_place(b->sim, take_address, b);
    uv_async_init(&b->loop, &b->done, on_done);
    b->done.data = b->sim;
    assert_int_equal(uv_thread_create(&b->thread, client, b), 0);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    uv_thread_join(&b->thread);
    assert_int_equal(uv_loop_close(&b->loop), 0); /* nothing left open */
    sim_destroy(b->sim);
}

static int read_dust(modbus_t *ctx, int unit, double *ret)
{
    uint16_t w[2];

    modbus_set_slave(ctx, unit);
    int n = modbus_read_input_registers(ctx, 10, 2, w);
    if (n == 2)
        *ret = float_from_bits((uint32_t)w[0] << 16 | w[1]);
    return n == 2 ? 0 : -errno;
}

struct answers { /* of a client, judged afterwards by the test */
    int rc[8];
    double value[8];
};

static struct answers got; /* the client thread's only way back; joined before it is read */

static void tcp_client(void *user)
{
    struct bench *b = user;
    uint8_t bits[2];
    uint16_t word;
    modbus_t *ctx =
        modbus_new_tcp("127.0.0.1", (int)strtol(strrchr(b->address, ':') + 1, NULL, 10));

    memset(&got, 0, sizeof got);
    got.rc[0] = modbus_connect(ctx);
    got.rc[1] = read_dust(ctx, 8, &got.value[1]);
    modbus_set_slave(ctx, 8);
    got.rc[2] = modbus_read_input_bits(ctx, 0, 2, bits);
    got.rc[3] = modbus_read_input_registers(ctx, 11, 9, &word) < 0 ? errno : 0;
    got.rc[4] = modbus_write_register(ctx, 10, 1) < 0 ? errno : 0;
    got.rc[5] = read_dust(ctx, 9, &got.value[5]);
    got.rc[6] = read_dust(ctx, 8, &got.value[6]);
    modbus_close(ctx);
    modbus_free(ctx);
    uv_async_send(&b->done);
}

static void serves_tcp_with_exceptions_for_what_it_is_not(void **state)
{
    (void)state;
    struct bench b = { 0 };
    const struct sim_place where = { .host = "127.0.0.1", .port = "0" };

    serve(&b, &where, tcp_client); /* three ports of their own; the last is asked */
    assert_int_equal(got.rc[0], 0);
    assert_int_equal(got.rc[1], 0);
    assert_true(got.value[1] == 99);
    assert_int_equal(got.rc[2], 2);
    assert_int_equal(got.rc[3], EMBXILADD);
    assert_int_equal(got.rc[4], EMBXILFUN);
    assert_int_equal(got.rc[5], -EMBXGTAR);
    assert_int_equal(got.rc[6], 0);
}

static void line_client(void *user)
{
    struct bench *b = user;
    uint16_t word;
    modbus_t *ctx = modbus_new_rtu(b->link, 9600, 'N', 8, 1);

    memset(&got, 0, sizeof got);
    modbus_set_response_timeout(ctx, 0, 300000);
    got.rc[0] = modbus_connect(ctx);
    got.rc[1] = read_dust(ctx, 7, &got.value[1]);
    got.rc[2] = read_dust(ctx, 8, &got.value[2]);
    got.rc[3] = read_dust(ctx, 9, &got.value[3]);
    modbus_set_slave(ctx, 7);
    got.rc[4] = modbus_read_registers(ctx, 10, 1, &word) < 0 ? errno : 0;
    got.rc[5] = write(modbus_get_socket(ctx), "\x07\x04\x00\x0a\x00\x02\x00\x00", 8) == 8;
    modbus_flush(ctx);
    got.rc[6] = modbus_write_registers(ctx, 10, 1, &word) < 0 ? errno : 0;
    got.rc[7] = read_dust(ctx, 7, &got.value[7]);
    modbus_close(ctx);
    modbus_free(ctx);
    uv_async_send(&b->done);
}

static void serves_several_units_on_a_line(void **state)
{
    (void)state;
    struct bench b = { 0 };
    struct stat st;

    assert_true(folder_make(b.folder));
    snprintf(b.link, sizeof b.link, "%s/line", b.folder);
    assert_int_equal(symlink("/nowhere", b.link), 0); /* left by a killed run */
    const struct sim_place where = { .port = "", .path = b.link };
    serve(&b, &where, line_client);
    assert_int_equal(got.rc[0], 0);
    assert_int_equal(got.rc[1], 0);
    assert_true(got.value[1] == 12.5);
    assert_int_equal(got.rc[2], 0);
    assert_true(got.value[2] == 99);
    assert_int_equal(got.rc[3], -ETIMEDOUT); /* nobody answers for unit 9 */
    assert_int_equal(got.rc[4], EMBXILADD);
    assert_int_equal(got.rc[6], EMBXILFUN);
    assert_int_equal(got.rc[7], 0);
    assert_true(got.value[7] == 12.5);
    assert_int_equal(lstat(b.link, &st), -1); /* the link is gone */
    assert_int_equal(rmdir(b.folder), 0);
}

static void leaves_a_file_in_the_links_place_alone(void **state)
{
    (void)state;
    struct monitor m;
    struct clock clock;
    struct sim *sim;
    struct instrument_options o;
    char path[] = "/tmp/sluice-sim-XXXXXX";
    char error[200] = "";
    uv_loop_t loop;

    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    make_monitor(&m);
    clock_init(&clock, 1, 0);
    o = options_of(&m);
    const struct sim_place where = { .path = path };
    assert_int_equal(sim_create(&clock, &sim), 0);
    assert_int_equal(sim_add(sim, &o, &where), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(sim_start(sim, &loop, error, sizeof error), -EEXIST);
    assert_non_null(strstr(error, path));
    assert_int_equal(access(path, F_OK), 0);
    sim_stop(sim);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    sim_destroy(sim);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_its_signals_in_its_registers),
        cmocka_unit_test(moves_once_a_second),
        cmocka_unit_test(holds_a_point_and_a_flag_as_told),
        cmocka_unit_test(an_episode_climbs_to_its_peak_where_it_is_meant),
        cmocka_unit_test(a_disturbance_strikes_where_it_is_meant),
        cmocka_unit_test(zero_checks_are_flagged_and_show_nothing),
        cmocka_unit_test(has_only_the_registers_of_its_profile),
        cmocka_unit_test(serves_tcp_with_exceptions_for_what_it_is_not),
        cmocka_unit_test(serves_several_units_on_a_line),
        cmocka_unit_test(leaves_a_file_in_the_links_place_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
