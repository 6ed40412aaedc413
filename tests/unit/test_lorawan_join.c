/* SPDX-License-Identifier: Apache-2.0 */
/* Joins: nonces, versions, copies, addresses, refusals. */
#include "lorawan_device.h"

static void hears_join(struct world *w, struct device_model *d)
{
    uint8_t phy[FRAME_SIZE_MAX];

    world_hear(w, phy, device_join(d, w->crypto, phy));
    world_run(w, 7 * (int64_t)SECOND);
}

static void joins_every_version(void **state)
{
    struct world w;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    const size_t which[] = { 0, 2, 3 };
    for (unsigned i = 0; i < 3; i++) {
        struct device_model d = { 0 };

        world_join(&w, &d, &w.devices[which[i]]);
        assert_int_equal(d.is_1_1, which[i] == 2);
        assert_int_equal(d.accept.join_nonce, 1);
        assert_true(d.dev_addr <= 0x01FFFFFF);
        world_send(&w, &d, &(struct device_send){ .fport = 1, .text = "hi", .dr = 5 }, phy);
        assert_int_equal(w.uplinks, i + 1);
        assert_string_equal((char *)w.text, "hi");
    }
    world_done(&w);
}

static void tells_windows_and_extra_channels(void **state)
{
    struct world w;
    struct device_model d = { 0 };

    (void)state;
    world_init(&w);
    w.o.rx1_delay_s = 5;
    w.o.rx1_dr_offset = 2;
    w.o.rx2_dr = 3;
    w.o.net_id = 0x000013;
    w.o.extra_hz[0] = 867100000;
    world_start(&w);
    world_join(&w, &d, &w.devices[0]);
    assert_int_equal(d.accept.rx_delay, 5);
    assert_int_equal(d.accept.rx1_dr_offset, 2);
    assert_int_equal(d.accept.rx2_dr, 3);
    assert_int_equal(d.accept.net_id, 0x13);
    assert_int_equal(d.dev_addr >> 25, 0x13);
    assert_true(d.accept.has_cf_list);
    assert_int_equal(d.accept.cf_list[0] | d.accept.cf_list[1] << 8 | d.accept.cf_list[2] << 16,
                     8671000);
    world_done(&w);
}

static void answers_the_same_request_through_several_concentrators_once(void **state)
{
    struct world w;
    struct device_model d = { .conf = NULL };
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.gateways_n = 3;
    world_start(&w);
    d.conf = &w.devices[0];
    size_t n = device_join(&d, w.crypto, phy);
    int64_t at = w.now_us;
    world_rx(&w, phy, n, &(struct world_rx){ .gateway = 0, .snr = 2 });
    world_run(&w, 30 * MS);
    world_rx(&w, phy, n, &(struct world_rx){ .gateway = 2, .snr = 9, .ago_us = 30 * MS });
    world_rx(&w, phy, n, &(struct world_rx){ .gateway = 1, .snr = 3, .ago_us = 30 * MS });
    world_rx(&w, phy, n, &(struct world_rx){ .gateway = 1, .snr = 1, .ago_us = 30 * MS });
    world_run(&w, 10 * (int64_t)SECOND);
    assert_int_equal(w.joins, 1);
    assert_int_equal(w.tx_n, 1);
    assert_int_equal(w.refused[NETWORK_COPY], 3);
    assert_int_equal(w.refused[NETWORK_NONCE], 0);
    assert_int_equal(world_tx(&w)->gateway, 2);
    assert_int_equal(world_tx(&w)->tmst, (uint32_t)(world_tmst(&w, 2, at) + 5u * SECOND));
    world_done(&w);
}

static void refuses_a_nonce_twice_also_after_a_kill(void **state)
{
    struct world w;
    struct device_model d = { 0 };
    uint8_t phy[3][FRAME_SIZE_MAX];

    (void)state;
    for (unsigned which = 0; which < 3; which++) {
        world_init(&w);
        world_start(&w);
        d = (struct device_model){ .conf = &w.devices[which == 1 ? 2 : which == 2 ? 3 : 0] };
        for (int i = 0; i < 3; i++) {
            world_hear(&w, phy[i], device_join(&d, w.crypto, phy[i]));
            world_run(&w, 10 * (int64_t)SECOND);
        }
        assert_int_equal(w.joins, 3);
        for (int again = 0; again < 2; again++) {
            for (int i = 0; i < 3; i++)
                world_hear(&w, phy[i], JOIN_REQUEST_SIZE);
            world_restart(&w);
        }
        assert_int_equal(w.joins, 3);
        assert_int_equal(w.refused[NETWORK_NONCE], 6);
        assert_int_equal(w.tx_n, 3);
        world_done(&w);
    }
}

static void takes_random_nonces_in_any_order_and_counted_ones_upwards_alone(void **state)
{
    struct world w;
    struct device_model d = { 0 };

    (void)state;
    world_init(&w);
    world_start(&w);
    d = (struct device_model){ .conf = &w.devices[0], .dev_nonce = 500 };
    hears_join(&w, &d);
    d.dev_nonce = 99;
    hears_join(&w, &d);
    assert_int_equal(w.joins, 2);

    d = (struct device_model){ .conf = &w.devices[3], .dev_nonce = 500 };
    hears_join(&w, &d);
    d.dev_nonce = 99;
    hears_join(&w, &d);
    assert_int_equal(w.joins, 3);
    assert_int_equal(w.why, NETWORK_NONCE);
    /* A device that lost its counter is let in by its operator. */
    assert_int_equal(network_forget_nonces(w.network, 3), 0);
    hears_join(&w, &d);
    assert_int_equal(w.joins, 4);
    world_done(&w);
}

static void counts_join_nonces_upwards_over_kills(void **state)
{
    struct world w;
    struct device_model d = { 0 };

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[2]);
    world_restart(&w);
    world_join(&w, &d, &w.devices[2]);
    assert_int_equal(d.accept.join_nonce, 2);
    w.o.is_restored = true;
    world_restart(&w);
    world_join(&w, &d, &w.devices[2]);
    assert_true(d.accept.join_nonce > 1000);
    world_done(&w);
}

static void says_why_it_refuses(void **state)
{
    struct world w;
    struct device_model d = { 0 };
    uint8_t phy[FRAME_SIZE_MAX];
    struct network_device other;
    struct network_device_state st;

    (void)state;
    world_init(&w);
    world_start(&w);

    other = w.devices[0];
    other.dev_eui = 42;
    d.conf = &other;
    hears_join(&w, &d);
    assert_int_equal(w.why, NETWORK_UNKNOWN_EUI);
    assert_int_equal(w.why_device, UINT32_MAX);

    other = w.devices[0];
    other.join_eui = 42;
    hears_join(&w, &d);
    assert_int_equal(w.why, NETWORK_JOIN_EUI);

    other = w.devices[0];
    other.app_key.bytes[3] ^= 1;
    hears_join(&w, &d);
    assert_int_equal(w.why, NETWORK_KEY);
    network_device_get(w.network, 0, &st);
    assert_int_equal(st.refused, NETWORK_KEY);
    assert_int_equal(st.refusals[NETWORK_KEY], 1);
    assert_int_equal(st.refused_hz, 868100000);

    d.conf = &w.devices[0];
    size_t n = device_join(&d, w.crypto, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 915000000 });
    assert_int_equal(w.why, NETWORK_REGION);

    w.devices[0].has_keys = false;
    hears_join(&w, &d);
    assert_int_equal(w.why, NETWORK_NO_KEYS);
    w.devices[0].is_enabled = false;
    hears_join(&w, &d);
    assert_int_equal(w.why, NETWORK_DISABLED);
    assert_int_equal(w.joins, 0);
    assert_int_equal(w.tx_n, 0);
    for (unsigned i = 0; i < NETWORK_REFUSAL_COUNT_; i++) {
        assert_non_null(network_refusal_text((enum network_refusal)i, "zh"));
        assert_non_null(network_refusal_text((enum network_refusal)i, "en"));
        assert_non_null(network_refusal_id((enum network_refusal)i));
    }
    world_done(&w);
}

static void keeps_the_old_session_until_the_new_one_speaks(void **state)
{
    struct world w;
    struct device_model old = { 0 }, new;
    uint8_t phy[FRAME_SIZE_MAX], old_phy[FRAME_SIZE_MAX];
    struct network_device_state st;

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &old, &w.devices[0]);
    world_send(&w, &old, &(struct device_send){ .fport = 1, .text = "a" }, phy);
    new = old;
    world_join(&w, &new, &w.devices[0]);
    assert_int_equal(new.dev_addr, old.dev_addr); /* the MIC tells them apart */
    world_send(&w, &old, &(struct device_send){ .fport = 1, .text = "b" }, phy);
    assert_string_equal((char *)w.text, "b");
    size_t n = device_send(&old, w.crypto, &(struct device_send){ .fport = 1 }, old_phy);
    world_restart(&w);
    world_send(&w, &new, &(struct device_send){ .fport = 1, .text = "c" }, phy);
    assert_string_equal((char *)w.text, "c");
    assert_int_equal(w.uplinks, 3);
    world_hear(&w, old_phy, n);
    assert_int_equal(w.uplinks, 3);
    assert_int_equal(w.why, NETWORK_MIC);
    network_device_get(w.network, 0, &st);
    assert_int_equal(st.fcnt_up, 1);
    world_done(&w);
}

static void falls_back_to_rx2_of_the_region(void **state)
{
    struct world w;
    struct device_model d = { 0 };
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.rx2_dr = 3; /* which the device does not know yet */
    world_start(&w);
    d.conf = &w.devices[0];
    w.result = RADIO_TOO_LATE;
    int64_t at = w.now_us;
    world_hear(&w, phy, device_join(&d, w.crypto, phy));
    assert_int_equal(w.tx_n, 2);
    assert_int_equal(w.tx[1].freq_hz, 869525000);
    assert_int_equal(w.tx[1].rate.sf, 12);
    assert_int_equal(w.tx[1].tmst, (uint32_t)(world_tmst(&w, 0, at) + 6u * SECOND));
    assert_memory_equal(w.tx[0].phy, w.tx[1].phy, w.tx[0].n);
    world_run(&w, 10 * (int64_t)SECOND);
    struct network_counters c;
    network_counters_get(w.network, &c);
    assert_int_equal(c.missed, 1);
    world_done(&w);
}

static void joins_on_every_plan_of_cn470(void **state)
{
    static const struct {
        const char *region;
        uint32_t hz, rx1_hz;
    } rows[] = {
        { "cn470", 486300000, 506700000 },     { "cn470-20a", 470900000, 484500000 },
        { "cn470-20b", 479900000, 479900000 }, { "cn470-26a", 470300000, 492500000 },
        { "cn470-26b", 480300000, 502500000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world w;
        struct device_model d = { 0 };
        uint8_t phy[FRAME_SIZE_MAX];

        world_init(&w);
        w.o.region = region_find(rows[i].region);
        world_start(&w);
        d.conf = &w.devices[0];
        size_t n = device_join(&d, w.crypto, phy);
        world_rx(&w, phy, n, &(struct world_rx){ .hz = rows[i].hz, .sf = 9 });
        world_run(&w, 7 * (int64_t)SECOND);
        assert_int_equal(w.tx_n, 1);
        assert_int_equal(world_tx(&w)->freq_hz, rows[i].rx1_hz);
        assert_true(device_accept(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n));
        world_done(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_every_version),
        cmocka_unit_test(tells_windows_and_extra_channels),
        cmocka_unit_test(answers_the_same_request_through_several_concentrators_once),
        cmocka_unit_test(refuses_a_nonce_twice_also_after_a_kill),
        cmocka_unit_test(takes_random_nonces_in_any_order_and_counted_ones_upwards_alone),
        cmocka_unit_test(counts_join_nonces_upwards_over_kills),
        cmocka_unit_test(says_why_it_refuses),
        cmocka_unit_test(keeps_the_old_session_until_the_new_one_speaks),
        cmocka_unit_test(falls_back_to_rx2_of_the_region),
        cmocka_unit_test(joins_on_every_plan_of_cn470),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
