/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/lns/seen.h"

#include "unit.h"

#define EUI UINT64_C(0xa84041ffff1834a2)

static struct seen *s;

static int begin(void **state)
{
    (void)state;
    return seen_create(&s);
}

static int end(void **state)
{
    (void)state;
    seen_destroy(s);
    return 0;
}

/* As a server's event has it: `id` its own, the second key made of the rest. */
static struct feed_message uplink(uint32_t addr, uint32_t fcnt, const char *id, int64_t time_ms)
{
    struct feed_message m = {
        .kind = FEED_UPLINK, .dev_eui = EUI, .dev_addr = addr, .fcnt = fcnt, .time_ms = time_ms
    };

    snprintf(m.key[0], sizeof m.key[0], "%s", id);
    snprintf(m.key[1], sizeof m.key[1], "%x/%u", (unsigned)addr, (unsigned)fcnt);
    return m;
}

static struct seen_found take(uint32_t fcnt, const char *id, int64_t time_ms)
{
    struct feed_message m = uplink(1, fcnt, id, time_ms);

    return seen_take(s, &m);
}

static void lets_each_uplink_through_once(void **state)
{
    (void)state;
    assert_int_equal(take(1, "a", 1000).answer, SEEN_NEW);
    assert_int_equal(take(1, "a", 1000).answer, SEEN_AGAIN);
    assert_int_equal(take(2, "b", 2000).answer, SEEN_NEW);
    assert_int_equal(take(1, "a", 1000).answer, SEEN_AGAIN);
}

static void the_servers_id_counts_whatever_the_time(void **state)
{
    (void)state;
    take(1, "a", 0);
    assert_int_equal(take(1, "a", INT64_C(30) * 86400000).answer, SEEN_AGAIN);
}

/* Two regions of one server, or a retransmission that it took for new. */
static void knows_the_same_frame_under_another_id(void **state)
{
    (void)state;
    take(1, "a", 1000);
    assert_int_equal(take(1, "b", 1000 + SEEN_AGAIN_MS).answer, SEEN_AGAIN);
}

static void a_device_that_begins_anew_with_the_same_bytes_is_not_silenced(void **state)
{
    (void)state;
    take(0, "a", 1000);
    struct seen_found f = take(0, "b", 1001 + SEEN_AGAIN_MS);
    assert_int_equal(f.answer, SEEN_NEW);
    assert_true(f.is_reset && !f.is_late);
}

static void an_uplink_without_any_id_is_known_by_its_content(void **state)
{
    (void)state;
    assert_int_equal(take(1, "", INT64_MIN).answer, SEEN_NEW);
    assert_int_equal(take(2, "", INT64_MIN).answer, SEEN_NEW);
    assert_int_equal(take(1, "", INT64_MIN).answer, SEEN_AGAIN);
}

static void devices_do_not_share_their_uplinks(void **state)
{
    struct feed_message m = uplink(1, 1, "a", 1000);

    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        m.dev_eui = (i * 7919) % 100;
        assert_int_equal(seen_take(s, &m).answer, SEEN_NEW);
    }
    for (m.dev_eui = 0; m.dev_eui < 100; m.dev_eui++)
        assert_int_equal(seen_take(s, &m).answer, SEEN_AGAIN);
}

static void counts_what_was_missed(void **state)
{
    (void)state;
    assert_int_equal(take(10, "a", 1000).missed, 0);
    assert_int_equal(take(11, "b", 2000).missed, 0);
    assert_int_equal(take(15, "c", 3000).missed, 3);
    struct seen_found f = take(13, "d", 2500); /* fetched later on */
    assert_true(f.answer == SEEN_NEW && f.is_late && !f.is_reset && f.missed == 0);
    assert_int_equal(take(16, "e", 4000).missed, 0);
    assert_int_equal(take(1000000, "f", 5000).missed, 0); /* no loss is that long */
}

static void a_new_session_counts_from_its_own_beginning(void **state)
{
    struct feed_message m = uplink(2, 0, "b", 2000);

    (void)state;
    take(500, "a", 1000);
    struct seen_found f = seen_take(s, &m);
    assert_true(f.answer == SEEN_NEW && f.missed == 0 && !f.is_reset);
    seen_join(s, EUI, 2);
    m = uplink(2, 0, "c", 2000 + 2 * SEEN_AGAIN_MS);
    f = seen_take(s, &m);
    assert_true(f.answer == SEEN_NEW && !f.is_reset);
}

static void a_restart_does_not_make_a_repetition_new(void **state)
{
    uint8_t bytes[SEEN_STATE_MAX];
    char id[16];

    (void)state;
    for (uint32_t i = 0; i < SEEN_RING + 5; i++) {
        snprintf(id, sizeof id, "%u", (unsigned)i);
        take(i, id, i * INT64_C(10000));
    }
    size_t n = seen_save(s, EUI, bytes);
    assert_int_equal(n, SEEN_STATE_MAX);
    seen_destroy(s);
    assert_int_equal(seen_create(&s), 0);
    assert_int_equal(seen_restore(s, EUI, bytes, n), 0);
    for (uint32_t i = 5; i < SEEN_RING + 5; i++) {
        snprintf(id, sizeof id, "%u", (unsigned)i);
        assert_int_equal(take(i, id, i * INT64_C(10000)).answer, SEEN_AGAIN);
    }
    assert_int_equal(take(SEEN_RING + 7, "next", 9999999).missed, 2);
}

static void a_state_survives_as_it_is(void **state)
{
    uint8_t one[SEEN_STATE_MAX], two[SEEN_STATE_MAX];

    (void)state;
    assert_int_equal(seen_save(s, EUI, one), 0);
    take(7, "a", -5);
    take(8, "", INT64_MIN);
    size_t n = seen_save(s, EUI, one);
    assert_int_equal(n, 24 + 2 * 24);
    assert_int_equal(seen_restore(s, EUI, one, n), 0);
    assert_int_equal(seen_save(s, EUI, two), n);
    assert_memory_equal(one, two, n);
}

static void refuses_bytes_that_are_no_state(void **state)
{
    uint8_t bytes[SEEN_STATE_MAX + 24];

    (void)state;
    take(7, "a", 1000);
    size_t n = seen_save(s, EUI, bytes);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(seen_restore(s, EUI, bytes, cut), -EBADMSG);
    bytes[0] = 2;
    assert_int_equal(seen_restore(s, EUI, bytes, n), -EBADMSG);
    bytes[0] = 1;
    bytes[1] = SEEN_RING + 1;
    assert_int_equal(seen_restore(s, EUI, bytes, sizeof bytes), -EBADMSG);
    assert_int_equal(take(7, "a", 1000).answer, SEEN_NEW);
}

static void forgets_who_was_silent_longest_when_there_are_too_many(void **state)
{
    struct feed_message m = uplink(1, 1, "a", 1000);

    (void)state;
    for (m.dev_eui = 1; m.dev_eui <= SEEN_DEVICES_MAX; m.dev_eui++)
        seen_take(s, &m);
    m.dev_eui = 1;
    assert_int_equal(seen_take(s, &m).answer, SEEN_AGAIN); /* speaks again */
    m.dev_eui = SEEN_DEVICES_MAX + 1;
    assert_int_equal(seen_take(s, &m).answer, SEEN_NEW);
    m.dev_eui = 1;
    assert_int_equal(seen_take(s, &m).answer, SEEN_AGAIN);
    m.dev_eui = 2;
    assert_int_equal(seen_take(s, &m).answer, SEEN_NEW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lets_each_uplink_through_once),
        TEST(the_servers_id_counts_whatever_the_time),
        TEST(knows_the_same_frame_under_another_id),
        TEST(a_device_that_begins_anew_with_the_same_bytes_is_not_silenced),
        TEST(an_uplink_without_any_id_is_known_by_its_content),
        TEST(devices_do_not_share_their_uplinks),
        TEST(counts_what_was_missed),
        TEST(a_new_session_counts_from_its_own_beginning),
        TEST(a_restart_does_not_make_a_repetition_new),
        TEST(a_state_survives_as_it_is),
        TEST(refuses_bytes_that_are_no_state),
        TEST(forgets_who_was_silent_longest_when_there_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
