/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, what is kept of them, nonces, copies, and replays after kills and restores. */
#include "gateway/lorawan/dedupe.h"
#include "gateway/lorawan/session.h"

#include "lorawan_device.h"

static void counts_as_the_table_of_the_facts_says(void **state)
{
    static const struct {
        uint32_t next;
        uint16_t wire;
        uint32_t full;
    } rows[] = {
        { 0, 0x0005, 5 },
        { 1, 0x0000, 0 },
        { 0xFFFF, 0xFFFF, 0xFFFF },
        { 0x10000, 0xFFFF, 0xFFFF },
        { 0x10000, 0x0000, 0x10000 },
        { 0x1FFFF, 0x0001, 0x20001 },
        { 0xA, 0x0005, 0x10005 },
        { 0xFFFFFFFE, 0xFFFE, 0xFFFFFFFE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t full = 0;

        assert_true(session_fcnt(rows[i].next, rows[i].wire, &full));
        assert_int_equal(full, rows[i].full);
    }
}

static void ends_before_the_counter_begins_again(void **state)
{
    uint32_t full;

    (void)state;
    assert_false(session_fcnt(0xFFFFFFFF, 0xFFFF, &full));
    assert_false(session_fcnt(0xFFFFFFF0, 0x0001, &full));
    assert_true(session_fcnt(0xFFFFFFFF, 0xFFFE, &full)); /* the last frame again */
}

static void takes_downlink_counters_ahead_and_waits_for_them_to_be_kept(void **state)
{
    struct session s = { .is_live = true };

    (void)state;
    session_reserve(&s, 7);
    assert_int_equal(s.reserved[SESSION_N_DOWN], SESSION_BLOCK);
    assert_false(session_may_send(&s, SESSION_N_DOWN, 6));
    assert_true(session_may_send(&s, SESSION_N_DOWN, 7));
    s.down[SESSION_N_DOWN] = SESSION_BLOCK / 2 + 1;
    session_reserve(&s, 9);
    assert_int_equal(s.reserved[SESSION_N_DOWN], SESSION_BLOCK / 2 + 1 + SESSION_BLOCK);
    s.down[SESSION_N_DOWN] = SESSION_BLOCK;
    assert_false(session_may_send(&s, SESSION_N_DOWN, 8));
    assert_true(session_may_send(&s, SESSION_N_DOWN, 9));
}

static struct session_record example(void)
{
    return (struct session_record){
        .current = { .is_live = true,
                     .is_heard = true,
                     .is_1_1 = true,
                     .dev_addr = 0x01020304,
                     .key_check = 0x1122334455667788,
                     .fcnt_up = 0x12345,
                     .reserved = { 64, 96 },
                     .rx2_hz = 869525000,
                     .rx1_delay_s = 5,
                     .join_channel = -1,
                     .nb_trans = 1 },
        .pending = { .is_live = true, .is_doubtful = true, .dev_nonce = 7, .join_nonce = 9 },
        .join_nonce = 9,
        .dev_nonce = 7,
        .joined_ms = 1790000000000,
        .battery = 254,
        .margin = -5,
    };
}

static void comes_back_behind_every_counter_that_may_have_been_used(void **state)
{
    struct session_record r = example(), back;
    uint8_t bytes[SESSION_RECORD_SIZE_MAX];
    size_t n = session_record_pack(&r, bytes);

    (void)state;
    assert_true(n <= sizeof bytes);
    assert_int_equal(session_record_unpack(bytes, n, &back), 0);
    assert_int_equal(back.current.fcnt_up, 0x12345);
    assert_int_equal(back.current.down[SESSION_N_DOWN], 64);
    assert_int_equal(back.current.down[SESSION_A_DOWN], 96);
    assert_true(back.current.is_1_1 && back.current.is_heard && !back.current.is_doubtful);
    assert_int_equal(back.current.join_channel, -1);
    assert_true(back.pending.is_live && back.pending.is_doubtful);
    assert_int_equal(back.dev_nonce, 7);
    assert_int_equal(back.margin, -5);
    assert_int_equal(back.battery, 254);
    uint8_t again[SESSION_RECORD_SIZE_MAX];
    assert_int_equal(session_record_pack(&back, again), n);
    assert_memory_equal(again, bytes, n);
}

static void refuses_every_damaged_byte_and_every_length(void **state)
{
    struct session_record r = example(), back;
    uint8_t bytes[SESSION_RECORD_SIZE_MAX];
    size_t n = session_record_pack(&r, bytes);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(session_record_unpack(bytes, i, &back), -EINVAL);
        bytes[i] ^= 0x10;
        assert_int_equal(session_record_unpack(bytes, n, &back), -EINVAL);
        bytes[i] ^= 0x10;
    }
}

static void remembers_the_latest_nonces_and_forgets_the_oldest(void **state)
{
    struct nonces s = { 0 }, back = { 0 };
    uint8_t bytes[NONCES_SIZE_MAX];

    (void)state;
    for (unsigned i = 0; i < NONCES_MAX + 5; i++)
        assert_int_equal(nonces_add(&s, (uint16_t)(i * 7)), 0);
    assert_false(nonces_has(&s, 4 * 7));
    assert_true(nonces_has(&s, 5 * 7));
    size_t n = nonces_pack(&s, bytes);
    assert_int_equal(nonces_unpack(bytes, n, &back), 0);
    assert_true(nonces_has(&back, 5 * 7) && nonces_has(&back, (NONCES_MAX + 4) * 7));
    assert_int_equal(nonces_add(&back, 3), 0); /* the oldest goes, as before */
    assert_false(nonces_has(&back, 5 * 7));
    bytes[3] ^= 1;
    assert_int_equal(nonces_unpack(bytes, n, &back), -EINVAL);
    nonces_done(&s);
    nonces_done(&back);
}

static void knows_copies_for_a_minute_within_a_fixed_size(void **state)
{
    struct dedupe d;
    uint32_t device = 0;
    int64_t age;

    (void)state;
    assert_int_equal(dedupe_init(&d, DEDUPE_FRAMES_MAX * 2), 0);
    assert_true(d.sets * 8 <= DEDUPE_FRAMES_MAX);
    unsigned known = 0;
    for (uint32_t i = 0; i < 120000; i++) { /* 2,000 a second for a minute */
        uint64_t tag = dedupe_tag((uint8_t *)&i, sizeof i);

        dedupe_put(&d, tag, (int64_t)i * 500, i);
    }
    for (uint32_t i = 0; i < 120000; i++) {
        uint64_t tag = dedupe_tag((uint8_t *)&i, sizeof i);

        known += dedupe_find(&d, tag, 60 * (int64_t)SECOND, &device, &age) && device == i;
    }
    assert_true(known > 100000); /* full sets forget their oldest */
    uint32_t last = 119999;
    uint64_t tag = dedupe_tag((uint8_t *)&last, sizeof last);
    assert_false(dedupe_find(&d, tag, 200 * (int64_t)SECOND, &device, &age));
    dedupe_done(&d);
}

/* ---- replays ---- */

enum { FRAMES = 1500 };

struct tape {
    uint8_t phy[FRAMES][64];
    size_t n[FRAMES];
};

static void record(struct world *w, struct device_model *d, struct tape *t, size_t from,
                   size_t to)
{
    for (size_t i = from; i < to; i++) {
        char text[32];

        snprintf(text, sizeof text, "frame %zu", i);
        struct device_send u = { .fport = 1, .text = text, .is_confirmed = i % 3 == 0 };
        t->n[i] = world_send(w, d, &u, t->phy[i]);
    }
}

static unsigned replay(struct world *w, const struct tape *t, size_t n)
{
    unsigned before = w->uplinks;

    for (size_t i = 0; i < n; i++) {
        world_hear(w, t->phy[i], t->n[i]);
        world_run(w, 10 * MS);
    }
    return w->uplinks - before;
}

static void replays_nothing_after_a_kill(void **state)
{
    static struct tape t;
    struct world w;
    struct device_model d = { 0 };

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[0]);
    record(&w, &d, &t, 0, FRAMES);
    assert_int_equal(w.uplinks, FRAMES);
    world_restart(&w);
    assert_int_equal(replay(&w, &t, FRAMES), 0);
    /* Its own next frame is taken. */
    uint8_t phy[FRAME_SIZE_MAX];
    world_send(&w, &d, &(struct device_send){ .fport = 1, .text = "next" }, phy);
    assert_int_equal(w.uplinks, FRAMES + 1);
    world_done(&w);
}

static void takes_again_only_what_was_lost_with_its_state(void **state)
{
    static struct tape t;
    struct world w;
    struct device_model d = { 0 };

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[0]);
    record(&w, &d, &t, 0, 100);
    w.is_deaf = true; /* the power goes before these are committed */
    record(&w, &d, &t, 100, 110);
    size_t sent = w.tx_n;
    world_restart(&w);
    assert_int_equal(replay(&w, &t, 110), 10);
    assert_true(w.tx_n >= sent);
    world_done(&w);
}

static void transmits_nothing_before_the_state_is_kept(void **state)
{
    struct world w;
    struct device_model d = { 0 };
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[0]);
    size_t sent = w.tx_n;
    w.is_slow = true;
    size_t n = device_send(&d, w.crypto,
                           &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    world_hear(&w, phy, n);
    world_run(&w, 300 * MS);
    assert_int_equal(w.tx_n, sent);
    network_kept(w.network, w.ticket, w.now_us);
    assert_int_equal(w.tx_n, sent + 1);
    world_done(&w);
}

static void never_uses_a_downlink_counter_twice_over_kills(void **state)
{
    struct world w;
    struct device_model d = { 0 };
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];
    uint32_t next = 0;

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[0]);
    for (int i = 0; i < 200; i++) {
        struct device_send u = { .is_confirmed = true, .fport = 1 };

        world_send(&w, &d, &u, phy);
        assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
        assert_true(heard.fcnt >= next && heard.fcnt < next + 2 * SESSION_BLOCK);
        next = heard.fcnt + 1;
        if (i % 7 == 6)
            world_restart(&w);
    }
    world_done(&w);
}

static void doubts_its_sessions_after_a_restore(void **state)
{
    static struct tape t;
    static struct world_kept backup[WORLD_KEPT];
    struct world w;
    struct device_model d = { 0 }, abp;
    struct network_device_state st;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[0]);
    record(&w, &d, &t, 0, 50);
    memcpy(backup, w.kept, sizeof backup);
    size_t backup_n = w.kept_n;
    record(&w, &d, &t, 50, 1000);

    memcpy(w.kept, backup, sizeof backup);
    w.kept_n = backup_n;
    w.o.is_restored = true;
    world_restart(&w);
    assert_int_equal(replay(&w, &t, 1000), 0);
    assert_int_equal(w.refused[NETWORK_DOUBTFUL] > 900, 1);
    network_device_get(w.network, 0, &st);
    assert_true(st.is_doubtful);
    assert_int_equal(st.doubt_fcnt, 1000);
    assert_true(st.fcnt_down >= SESSION_SKIP);

    /* ABP without a state is doubtful likewise, and stays so over a normal start. */
    w.o.is_restored = false;
    world_restart(&w);
    device_init_abp(&abp, &w.devices[1]);
    unsigned before = w.uplinks;
    world_send(&w, &abp, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.uplinks, before);
    assert_int_equal(w.why, NETWORK_DOUBTFUL);

    /* The operator confirms from what was seen; what is older stays out. */
    assert_int_equal(network_confirm(w.network, 0, st.doubt_fcnt), 0);
    assert_int_equal(replay(&w, &t, 1000), 0);
    world_send(&w, &d, &(struct device_send){ .fport = 1, .is_confirmed = true }, phy);
    assert_int_equal(w.uplinks, before + 1);
    world_restart(&w);
    network_device_get(w.network, 0, &st);
    assert_false(st.is_doubtful);

    /* Joining again ends all doubt. */
    assert_int_equal(network_confirm(w.network, 1, 0), 0);
    world_done(&w);
}

static void a_rejoin_ends_the_doubt(void **state)
{
    struct world w;
    struct device_model d = { 0 };
    struct network_device_state st;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[0]);
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    w.o.is_restored = true;
    world_restart(&w);
    world_join(&w, &d, &w.devices[0]);
    world_send(&w, &d, &(struct device_send){ .fport = 1, .text = "new" }, phy);
    assert_string_equal((char *)w.text, "new");
    network_device_get(w.network, 0, &st);
    assert_false(st.is_doubtful);
    world_done(&w);
}

static void keeps_no_key(void **state)
{
    struct world w;
    struct device_model d = { 0 };

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[2]);
    const struct lorawan_key *keys[] = { &d.keys.app, &d.keys.f_nwk_s_int, &d.keys.s_nwk_s_int,
                                         &d.keys.nwk_s_enc };
    for (size_t i = 0; i < w.kept_n; i++) {
        for (size_t k = 0; k < 4; k++)
            assert_null(memmem(w.kept[i].data, w.kept[i].size, keys[k]->bytes, 4));
    }
    /* Another root key: the session is not believed. */
    w.devices[2].app_key.bytes[0] ^= 1;
    network_destroy(w.network);
    world_start(&w);
    unsigned bad = 0;
    for (size_t i = 0; i < w.kept_n; i++)
        bad += network_restore(w.network, w.kept[i].key, w.kept[i].data, w.kept[i].size) ==
               -EINVAL;
    assert_int_equal(bad, 1);
    world_done(&w);
}

static void refuses_states_that_are_not_its_own(void **state)
{
    struct world w;
    uint8_t junk[64] = { 1 };

    (void)state;
    world_init(&w);
    world_start(&w);
    const char *own = "lorawan/70b3d57ed0000000";
    assert_int_equal(network_restore(w.network, own, junk, sizeof junk), -EINVAL);
    assert_int_equal(network_restore(w.network, own, junk, 0), -EINVAL);
    assert_int_equal(network_restore(w.network, "lorawan/", junk, 4), -EINVAL);
    assert_int_equal(network_restore(w.network, "other", junk, 4), -EINVAL);
    assert_int_equal(network_restore(w.network, "lorawan/70b3d57ed0000000/x", junk, 4),
                     -EINVAL);
    assert_int_equal(network_restore(w.network, "lorawan/ffffffffffffffff", junk, 4), -ENOENT);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_as_the_table_of_the_facts_says),
        cmocka_unit_test(ends_before_the_counter_begins_again),
        cmocka_unit_test(takes_downlink_counters_ahead_and_waits_for_them_to_be_kept),
        cmocka_unit_test(comes_back_behind_every_counter_that_may_have_been_used),
        cmocka_unit_test(refuses_every_damaged_byte_and_every_length),
        cmocka_unit_test(remembers_the_latest_nonces_and_forgets_the_oldest),
        cmocka_unit_test(knows_copies_for_a_minute_within_a_fixed_size),
        cmocka_unit_test(replays_nothing_after_a_kill),
        cmocka_unit_test(takes_again_only_what_was_lost_with_its_state),
        cmocka_unit_test(transmits_nothing_before_the_state_is_kept),
        cmocka_unit_test(never_uses_a_downlink_counter_twice_over_kills),
        cmocka_unit_test(doubts_its_sessions_after_a_restore),
        cmocka_unit_test(a_rejoin_ends_the_doubt),
        cmocka_unit_test(keeps_no_key),
        cmocka_unit_test(refuses_states_that_are_not_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
