/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts in a real worker: this program, started again. */
#include "gateway/codec/codec.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/codec/message.h"
#include "gateway/codec/result.h"
#include "tests/unit/unit.h"

enum { GOOD, LOOP, COUNTER, BROKEN, DEEP, THROWS, SCRIPTS };

static const struct {
    const char *name, *source;
} sources[SCRIPTS] = {
    [GOOD] = { "good.js",
               "function decodeUplink(i) { console.log('seen', i.fPort); return { data: { n: "
               "i.bytes.length, first: i.bytes[0], at: i.recvTime.getTime() } }; }\n"
               "function encodeDownlink(i) { return { bytes: [1, i.data.x], fPort: 7 }; }" },
    [LOOP] = { "loop.js", "function decodeUplink(i) { for (;;); }" },
    [COUNTER] = { "counter.js",
                  "var n = 0, seen = {a: []}; function decodeUplink(i) { n++; m = "
                  "typeof m === 'undefined' ? 1 : 2; seen.a.push(n); return { data: { n: n, m: "
                  "m, seen: seen.a.length } }; }" },
    [BROKEN] = { "broken.js", "\n\nfunction decodeUplink(i { }" },
    [DEEP] = { "deep.js", "function f() { return f() + 1; }\nfunction decodeUplink(i) { return "
                          "{ data: { x: f() } }; }" },
    [THROWS] = { "throws.js", "function decodeUplink(i) {\n  return i.a.b;\n}" },
};

struct rig {
    uv_loop_t loop;
    struct clock clock;
    struct codec_script scripts[SCRIPTS];
    struct codecs *c;
    enum codec_outcome outcome;
    char json[512], message[512], log[64], notices[1024];
    unsigned answers;
    bool is_closed;
};

static void on_notice(void *user, size_t script, const char *what, const char *en,
                      const char *zh)
{
    struct rig *r = user;
    const size_t n = strlen(r->notices);

    assert_true(strlen(en) > 10 && en[strlen(en) - 1] == '.');
    assert_true(strstr(zh, "。") != NULL);
    snprintf(r->notices + n, sizeof r->notices - n, "%s:%s ", r->scripts[script].name, what);
}

static void on_answer(void *user, const struct codec_answer *a)
{
    struct rig *r = user;

    assert_true((a->outcome == CODEC_OK) == (a->json != NULL));
    r->outcome = a->outcome;
    snprintf(r->json, sizeof r->json, "%s", a->json ? a->json : "");
    snprintf(r->message, sizeof r->message, "%s", a->message ? a->message : "");
    snprintf(r->log, sizeof r->log, "%s", a->log);
    r->answers++;
}

static void on_closed(void *user)
{
    ((struct rig *)user)->is_closed = true;
}

static void rig_begin(struct rig *r, double speed, const char *self)
{
    *r = (struct rig){ 0 };
    clock_init(&r->clock, speed, 1000);
    uv_loop_init(&r->loop);
    for (int i = 0; i < SCRIPTS; i++)
        r->scripts[i] = (struct codec_script){ sources[i].name, sources[i].source,
                                               strlen(sources[i].source) };
    const struct codecs_options o = { .loop = &r->loop,
                                      .clock = &r->clock,
                                      .self = self,
                                      .scripts = r->scripts,
                                      .scripts_n = SCRIPTS,
                                      .on_notice = on_notice,
                                      .user = r };
    assert_int_equal(codecs_create(&o, &r->c), 0);
}

static void rig_end(struct rig *r)
{
    codecs_stop(r->c, on_closed, r);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    assert_true(r->is_closed);
    assert_int_equal(uv_loop_close(&r->loop), 0);
    codecs_destroy(r->c);
}

static void wait_answers(struct rig *r, unsigned n)
{
    while (r->answers < n)
        uv_run(&r->loop, UV_RUN_ONCE);
}

static void ask(struct rig *r, size_t script)
{
    const struct codec_input in = {
        .fport = 5, .bytes = (const uint8_t *)"\xd7\x01", .n = 2, .time_ms = 1767323045000
    };
    const unsigned before = r->answers;

    assert_int_equal(codecs_run(r->c, script, &in, on_answer, r), 0);
    assert_int_equal(r->answers, before); /* never before it returns */
    wait_answers(r, before + 1);
}

static void decodes_with_the_time_of_reception(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, 1, NULL);
    ask(&r, GOOD);
    assert_int_equal(r.outcome, CODEC_OK);
    assert_string_equal(r.json, "{\"data\":{\"n\":2,\"first\":215,\"at\":1767323045000}}");
    assert_string_equal(r.log, "seen 5\n");
    rig_end(&r);
}

static void encodes_a_downlink(void **state)
{
    struct rig r;
    const struct codec_input in = { .routine = CODEC_ENCODE_DOWNLINK, .data = "{\"x\":200}" };
    uint8_t bytes[8], fport;
    char error[RESULT_ERROR_MAX];

    (void)state;
    rig_begin(&r, 1, NULL);
    assert_int_equal(codecs_run(r.c, GOOD, &in, on_answer, &r), 0);
    wait_answers(&r, 1);
    assert_int_equal(codec_downlink_parse(r.json, bytes, sizeof bytes, &fport, error), 2);
    assert_int_equal(bytes[1], 200);
    assert_int_equal(fport, 7);
    rig_end(&r);
}

static void tells_the_line_of_an_error(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, 1, NULL);
    ask(&r, THROWS);
    assert_int_equal(r.outcome, CODEC_ERROR);
    assert_non_null(strstr(r.message, "throws.js:2: TypeError"));
    ask(&r, BROKEN);
    assert_int_equal(r.outcome, CODEC_REFUSED);
    assert_non_null(strstr(r.message, "broken.js:3"));
    ask(&r, GOOD);
    assert_int_equal(r.outcome, CODEC_OK);
    assert_string_equal(r.notices, "");
    rig_end(&r);
}

static void carries_nothing_from_one_message_to_the_next(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, 1, NULL);
    for (int i = 0; i < 3; i++) {
        ask(&r, COUNTER);
        assert_string_equal(r.json, "{\"data\":{\"n\":1,\"m\":1,\"seen\":1}}");
    }
    rig_end(&r);
}

static void ends_recursion_without_losing_the_worker(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, 1, NULL);
    ask(&r, DEEP);
    assert_int_equal(r.outcome, CODEC_ERROR);
    assert_string_equal(r.notices, "");
    rig_end(&r);
}

static void switches_off_for_an_hour_what_was_killed_three_times(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, 1, NULL);
    for (int i = 0; i < CODEC_KILLS_MAX; i++) {
        ask(&r, LOOP);
        assert_int_equal(r.outcome, CODEC_KILLED);
        assert_non_null(strstr(r.message, "200 ms of CPU time"));
    }
    assert_string_equal(r.notices, "loop.js:killed loop.js:killed loop.js:killed loop.js:off ");
    ask(&r, LOOP);
    assert_int_equal(r.outcome, CODEC_QUARANTINED);
    assert_non_null(strstr(r.message, "60 min"));
    ask(&r, GOOD);
    assert_int_equal(r.outcome, CODEC_OK);
    rig_end(&r);
}

static void tries_again_after_the_hour(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, 2, NULL); /* with a clock that the test may put on */
    for (int i = 0; i < CODEC_KILLS_MAX; i++)
        ask(&r, LOOP);
    r.clock.mono0_ms -= 1799 * 1000;
    ask(&r, LOOP);
    assert_int_equal(r.outcome, CODEC_QUARANTINED);
    assert_non_null(strstr(r.message, "another 1 min"));
    r.clock.mono0_ms -= 2 * 1000;
    ask(&r, LOOP);
    assert_int_equal(r.outcome, CODEC_KILLED);
    assert_non_null(strstr(r.notices, "loop.js:off loop.js:on loop.js:killed "));
    rig_end(&r);
}

static void forgives_kills_that_are_an_hour_apart(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, 2, NULL);
    for (int i = 0; i < CODEC_KILLS_MAX + 1; i++) {
        ask(&r, LOOP);
        assert_int_equal(r.outcome, CODEC_KILLED);
        r.clock.mono0_ms -= 1000 * 1000;
    }
    assert_null(strstr(r.notices, "off"));
    rig_end(&r);
}

static pid_t worker_of_this_process(void)
{
    char path[64], child[64] = "";

    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    assert_non_null(fgets(child, sizeof child, f));
    fclose(f);
    return (pid_t)strtol(child, NULL, 10);
}

static void replaces_a_worker_that_is_ended_from_outside(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, 1, NULL);
    ask(&r, GOOD);
    assert_int_equal(kill(worker_of_this_process(), SIGKILL), 0);
    ask(&r, GOOD);
    assert_int_equal(r.outcome, CODEC_OK);
    assert_string_equal(r.notices, ""); /* not the script's fault */
    rig_end(&r);
}

static void ends_a_worker_that_gives_no_answer(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, 1, NULL);
    ask(&r, GOOD);
    assert_int_equal(kill(worker_of_this_process(), SIGSTOP), 0);
    ask(&r, GOOD);
    assert_int_equal(r.outcome, CODEC_KILLED);
    assert_non_null(strstr(r.message, "no answer within 2 s"));
    assert_string_equal(r.notices, "good.js:killed ");
    ask(&r, GOOD);
    assert_int_equal(r.outcome, CODEC_OK);
    rig_end(&r);
}

static void says_when_no_worker_is_to_be_had(void **state)
{
    static const char *const selves[] = { "/nowhere/sluice", "/bin/false" };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct rig r;
        rig_begin(&r, 1, selves[i]);
        ask(&r, GOOD);
        assert_int_equal(r.outcome, CODEC_BROKEN);
        assert_non_null(strstr(r.message, "no codec worker"));
        rig_end(&r);
    }
}

static void keeps_the_queue_bounded_and_answers_all_at_the_end(void **state)
{
    struct rig r;
    const struct codec_input in = { .fport = 1 };

    (void)state;
    rig_begin(&r, 1, NULL);
    for (int i = 0; i < CODEC_WAITING_MAX; i++)
        assert_int_equal(codecs_run(r.c, GOOD, &in, on_answer, &r), 0);
    assert_int_equal(codecs_run(r.c, GOOD, &in, on_answer, &r), -EBUSY);
    wait_answers(&r, 3);
    rig_end(&r);
    assert_int_equal(r.answers, CODEC_WAITING_MAX);
    assert_int_equal(r.outcome, CODEC_BROKEN);
}

static void flattens_a_result(void **state)
{
    struct codec_result r;
    char error[RESULT_ERROR_MAX], text[DECIMAL_TEXT_MAX];

    (void)state;
    assert_int_equal(
        codec_result_parse("{\"data\":{\"t\":21.30,\"c\":[{\"v\":1e21},{\"v\":true}],"
                           "\"s\":\"x\",\"z\":null},\"warnings\":[\"low\"],"
                           "\"errors\":[]}",
                           &r, error),
        0);
    assert_int_equal(r.n, 4);
    assert_string_equal(r.values[0].path, "t");
    decimal_print(r.values[0].decimal, text);
    assert_string_equal(text, "21.3");
    assert_string_equal(r.values[1].path, "c[0].v");
    assert_true(r.values[1].number == 1e21);
    assert_int_equal(r.values[2].type, PAYLOAD_BOOL);
    assert_string_equal(r.values[3].text, "x");
    assert_int_equal(r.warnings_n, 1);
    assert_int_equal(r.errors_n, 0);
    codec_result_done(&r);
}

static void refuses_results_beyond_the_limits(void **state)
{
    static const char *const wrong[] = { "", "[]", "{\"data\":5}", "{" };
    struct codec_result r;
    char error[RESULT_ERROR_MAX], deep[200] = "{\"data\":", many[8000] = "{\"data\":[0";

    (void)state;
    for (int i = 0; i < RESULT_DEPTH_MAX + 2; i++)
        strncat(deep, "[", sizeof deep - strlen(deep) - 1);
    for (int i = 0; i < RESULT_DEPTH_MAX + 2; i++)
        strncat(deep, "]", sizeof deep - strlen(deep) - 1);
    strncat(deep, "}", sizeof deep - strlen(deep) - 1);
    for (int i = 0; i < RESULT_VALUES_MAX; i++)
        strncat(many, ",0", sizeof many - strlen(many) - 1);
    strncat(many, "]}", sizeof many - strlen(many) - 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(codec_result_parse(wrong[i], &r, error), -EINVAL);
    assert_int_equal(codec_result_parse(deep, &r, error), -E2BIG);
    assert_int_equal(codec_result_parse(many, &r, error), -E2BIG);
}

static void refuses_downlinks_that_cannot_be_sent(void **state)
{
    static const char *const wrong[] = {
        "{\"bytes\":[1],\"fPort\":0}",
        "{\"bytes\":[1],\"fPort\":224}",
        "{\"bytes\":[256],\"fPort\":1}",
        "{\"bytes\":[1.5],\"fPort\":1}",
        "{\"bytes\":[null],\"fPort\":1}",
        "{\"fPort\":1}",
        "{\"bytes\":[1,2,3,4,5],\"fPort\":1}",
        "{\"bytes\":[1],\"fPort\":1,\"errors\":[\"no\"]}",
    };
    uint8_t bytes[4], fport;
    char error[RESULT_ERROR_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(codec_downlink_parse(wrong[i], bytes, sizeof bytes, &fport, error),
                         -EINVAL);
}

static void reads_messages_back_and_refuses_contradictions(void **state)
{
    struct buf b = BUF_INIT(CODEC_MESSAGE_MAX);
    struct codec_message in = { .kind = CODEC_CALL,
                                .code = 1,
                                .fport = 2,
                                .script = 3,
                                .time_ms = -4,
                                .blob = { { "ab", 2 }, { "", 0 }, { "c", 1 } } },
                         out;

    (void)state;
    codec_message_put(&b, &in);
    for (size_t n = 0; n < b.size; n++)
        assert_int_equal(codec_message_get(b.data, n, &out), 0);
    assert_int_equal(codec_message_get(b.data, b.size, &out), b.size);
    assert_int_equal(out.time_ms, -4);
    assert_int_equal(out.blob[0].size, 2);
    assert_string_equal(out.blob[2].data, "c");
    b.data[b.size - 1] = 'x'; /* no 0 behind a blob */
    assert_int_equal(codec_message_get(b.data, b.size, &out), -EPROTO);
    b.data[0]--;
    assert_int_equal(codec_message_get(b.data, b.size, &out), -EPROTO);
    buf_done(&b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_with_the_time_of_reception),
        cmocka_unit_test(encodes_a_downlink),
        cmocka_unit_test(tells_the_line_of_an_error),
        cmocka_unit_test(carries_nothing_from_one_message_to_the_next),
        cmocka_unit_test(ends_recursion_without_losing_the_worker),
        cmocka_unit_test(switches_off_for_an_hour_what_was_killed_three_times),
        cmocka_unit_test(tries_again_after_the_hour),
        cmocka_unit_test(forgives_kills_that_are_an_hour_apart),
        cmocka_unit_test(replaces_a_worker_that_is_ended_from_outside),
        cmocka_unit_test(ends_a_worker_that_gives_no_answer),
        cmocka_unit_test(says_when_no_worker_is_to_be_had),
        cmocka_unit_test(keeps_the_queue_bounded_and_answers_all_at_the_end),
        cmocka_unit_test(flattens_a_result),
        cmocka_unit_test(refuses_results_beyond_the_limits),
        cmocka_unit_test(refuses_downlinks_that_cannot_be_sent),
        cmocka_unit_test(reads_messages_back_and_refuses_contradictions),
    };

    if (argc == 2 && strcmp(argv[1], CODEC_WORKER_COMMAND) == 0)
        return codec_worker_main();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
