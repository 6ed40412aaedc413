/* SPDX-License-Identifier: Apache-2.0 */
/* Uplinks, answers and windows of the network server, in virtual time. */
#include "sensors/core/bytes.h"

#include "lorawan_device.h"

static void joins_takes_an_uplink_and_acknowledges_it_in_rx1(void **state)
{
    struct world w;
    struct device_model d = { 0 };
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    int64_t at = w.now_us;
    world_join(&w, &d, &w.devices[0]);
    assert_int_equal(w.joins, 1);
    assert_int_equal(w.tx[0].tmst, (uint32_t)(world_tmst(&w, 0, at) + 5u * SECOND));
    assert_int_equal(w.tx[0].freq_hz, 868100000);
    assert_int_equal(w.tx[0].rate.sf, 7);

    at = w.now_us;
    world_send(&w, &d,
               &(struct device_send){ .is_confirmed = true, .fport = 2, .text = "soil" }, phy);
    assert_int_equal(w.uplinks, 1);
    assert_string_equal((char *)w.text, "soil");
    assert_int_equal(w.up.fport, 2);
    assert_true(w.up.is_answered);
    assert_int_equal(w.tx_n, 2);
    assert_int_equal(world_tx(&w)->tmst, (uint32_t)(world_tmst(&w, 0, at) + 1u * SECOND));
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_true(heard.is_ack);
    world_done(&w);
}

/* ---- who and what ---- */

static void refuses_what_is_not_ours_genuine_or_new(void **state)
{
    struct world w;
    struct device_model d, stranger;
    uint8_t phy[FRAME_SIZE_MAX], first[FRAME_SIZE_MAX];
    struct network_device_state st;

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    size_t first_n = world_send(&w, &d, &(struct device_send){ .fport = 1 }, first);
    for (int i = 0; i < 5; i++)
        world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.uplinks, 6);

    world_hear(&w, (const uint8_t *)"\x40\x01", 2);
    assert_int_equal(w.why, NETWORK_FRAME);
    device_init_abp(&stranger, &w.devices[1]);
    stranger.dev_addr = 0x01FFFFFF;
    world_send(&w, &stranger, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.why, NETWORK_NOT_OURS);
    device_init_abp(&stranger, &w.devices[4]);
    stranger.keys.f_nwk_s_int.bytes[0] ^= 1;
    stranger.keys.s_nwk_s_int.bytes[0] ^= 1;
    world_send(&w, &stranger, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.why, NETWORK_MIC);
    assert_int_equal(w.why_device, 4);
    world_run(&w, 300 * (int64_t)SECOND); /* no copy any more: a replay */
    world_hear(&w, first, first_n);
    assert_int_equal(w.why, NETWORK_COUNTER);
    network_device_get(w.network, 1, &st);
    assert_int_equal(st.refused, NETWORK_COUNTER);
    size_t n = device_send(&d, w.crypto, &(struct device_send){ .fport = 1 }, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 923200000 });
    assert_int_equal(w.why, NETWORK_REGION);
    phy[0] = 0xE0;
    world_hear(&w, phy, n);
    assert_int_equal(w.why, NETWORK_TYPE);
    assert_int_equal(w.uplinks, 6);
    w.devices[1].is_enabled = w.devices[5].is_enabled = false;
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.why, NETWORK_DISABLED);
    world_done(&w);
}

static void a_device_that_counts_anew_is_let_in_by_its_operator_alone(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    for (int i = 0; i < 20; i++)
        world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    d.fcnt_up = 0;
    world_run(&w, 300 * (int64_t)SECOND);
    world_send(&w, &d, &(struct device_send){ .fport = 1, .text = "anew" }, phy);
    assert_int_equal(w.uplinks, 20);
    assert_int_equal(w.why, NETWORK_COUNTER);
    assert_int_equal(network_confirm(w.network, 1, 1), 0);
    world_send(&w, &d, &(struct device_send){ .fport = 1, .text = "anew" }, phy);
    assert_int_equal(w.uplinks, 21);
    world_done(&w);
}

static void counts_any_gap_as_lost_and_passes_16_bits(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX], old[FRAME_SIZE_MAX];
    struct network_device_state st;

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    d.fcnt_up = 5; /* it counted before it came here */
    size_t old_n = world_send(&w, &d, &(struct device_send){ .fport = 1 }, old);
    d.fcnt_up = 60000;
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.up.lost, 60000 - 6);
    d.fcnt_up = 0x10000;
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.up.fcnt, 0x10000);
    d.fcnt_up = 0x1FFFF;
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.up.fcnt, 0x20000);
    world_run(&w, 300 * (int64_t)SECOND);
    world_hear(&w, old, old_n);
    assert_int_equal(w.why, NETWORK_COUNTER);
    assert_int_equal(w.uplinks, 5);
    network_device_get(w.network, 1, &st);
    assert_int_equal(st.fcnt_up, 0x20001);
    world_done(&w);
}

static void the_mic_tells_devices_of_one_address_apart(void **state)
{
    struct world w;
    struct device_model a, b;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&a, &w.devices[1]);
    device_init_abp(&b, &w.devices[5]);
    for (int i = 0; i < 4; i++) {
        world_send(&w, &a, &(struct device_send){ .fport = 1 }, phy);
        assert_int_equal(w.up.device, 1);
        world_send(&w, &b, &(struct device_send){ .fport = 1 }, phy);
        assert_int_equal(w.up.device, 5);
    }
    assert_int_equal(w.uplinks, 8);
    world_done(&w);
}

static void hands_out_application_data_of_ports_1_to_223_alone(void **state)
{
    static const struct {
        int fport;
        size_t n;
    } rows[] = { { -1, 0 }, { 0, 0 }, { 1, 2 }, { 223, 2 }, { 224, 0 }, { 255, 0 } };
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct device_send u = { .fport = rows[i].fport,
                                 .text = rows[i].fport < 0 ? NULL : "\x07\x07" };

        world_send(&w, &d, &u, phy);
        assert_int_equal(w.up.fport, rows[i].fport);
        assert_int_equal(w.up.payload_n, rows[i].n);
    }
    world_done(&w);
}

static void takes_1_1_frames_by_data_rate_and_channel(void **state)
{
    static const uint8_t link_check[] = { MAC_LINK_CHECK };
    struct world w;
    struct device_model d = { 0 };
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.extra_hz[0] = 867100000;
    world_start(&w);
    world_join(&w, &d, &w.devices[2]);
    const uint8_t rekey[] = { MAC_REKEY, 1 };
    struct device_send u = { .fport = 1, .dr = 5, .fopts = rekey, .fopts_n = 2 };
    world_send(&w, &d, &u, phy);
    assert_int_equal(w.uplinks, 1);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_int_equal(heard.fopts[0], MAC_REKEY);
    assert_int_equal(heard.fopts[1], 1);

    u = (struct device_send){ .fport = 1,
                              .dr = 5,
                              .channel = 3,
                              .fopts = link_check,
                              .fopts_n = 1,
                              .is_confirmed = true };
    size_t n = device_send(&d, w.crypto, &u, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 867100000, .snr = 5 });
    world_run(&w, 3 * (int64_t)SECOND);
    assert_int_equal(w.uplinks, 2);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_true(heard.is_ack);
    /* The same bytes on another channel are not what was signed. */
    n = device_send(&d, w.crypto, &u, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 868300000 });
    assert_int_equal(w.uplinks, 2);
    world_done(&w);
}

/* ---- copies and repetitions ---- */

static void answers_a_repetition_anew_and_stores_it_once(void **state)
{
    struct world w;
    struct device_model d;
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    size_t n =
        world_send(&w, &d, &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_int_equal(heard.fcnt, 0);
    world_hear(&w, phy, n);
    world_run(&w, 3 * (int64_t)SECOND);
    assert_int_equal(w.uplinks, 1);
    assert_int_equal(w.refused[NETWORK_REPEATED], 1);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_int_equal(heard.fcnt, 1);
    assert_true(heard.is_ack);
    /* Unconfirmed ones (NbTrans) need no answer. */
    size_t sent = w.tx_n;
    n = world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    world_hear(&w, phy, n);
    world_run(&w, 3 * (int64_t)SECOND);
    assert_int_equal(w.tx_n, sent);
    assert_int_equal(w.refused[NETWORK_REPEATED], 2);
    /* After a kill it is still known for a repetition. */
    world_restart(&w);
    world_hear(&w, phy, n);
    assert_int_equal(w.uplinks, 2);
    assert_int_equal(w.refused[NETWORK_REPEATED], 3);
    world_done(&w);
}

static void late_copies_and_stuck_concentrators_are_not_answered(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.gateways_n = 2;
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    size_t n =
        world_send(&w, &d, &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    assert_int_equal(w.tx_n, 1);
    /* Through a slow link, 30 s later. */
    world_run(&w, 27 * (int64_t)SECOND);
    world_rx(&w, phy, n, &(struct world_rx){ .gateway = 1, .ago_us = 30 * (int64_t)SECOND });
    assert_int_equal(w.why, NETWORK_COPY);
    /* The same reception for ever. */
    for (int i = 0; i < 50; i++)
        world_rx(&w, phy, n,
                 &(struct world_rx){ .gateway = 0, .ago_us = 30 * (int64_t)SECOND });
    assert_int_equal(w.refused[NETWORK_COPY], 51);
    /* With times of its own making: as often as a device might send it, no more. */
    for (int i = 0; i < 50; i++) {
        world_hear(&w, phy, n);
        world_run(&w, 3 * (int64_t)SECOND);
    }
    assert_int_equal(w.uplinks, 1);
    assert_true(w.tx_n <= 1 + 15);
    world_done(&w);
}

static void a_frame_that_comes_late_is_stored_and_not_answered(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];
    struct network_counters c;

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    size_t n = device_send(&d, w.crypto,
                           &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .ago_us = 1950 * MS });
    assert_int_equal(w.uplinks, 1);
    assert_false(w.up.is_answered);
    assert_int_equal(w.tx_n, 0);
    network_counters_get(w.network, &c);
    assert_int_equal(c.missed, 1);
    world_done(&w);
}

/* ---- windows ---- */

static void answers_in_rx2_what_is_late_for_rx1(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];
    struct network_counters c;

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    w.is_slow = true;
    size_t n = device_send(&d, w.crypto,
                           &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    int64_t at = w.now_us;
    world_hear(&w, phy, n);
    world_run(&w, 901 * MS); /* a slow commit */
    network_kept(w.network, w.ticket, w.now_us);
    assert_int_equal(w.tx_n, 1);
    assert_int_equal(world_tx(&w)->tmst, (uint32_t)(world_tmst(&w, 0, at) + 2u * SECOND));
    assert_int_equal(world_tx(&w)->freq_hz, 869525000);
    assert_int_equal(world_tx(&w)->rate.sf, 12);

    world_run(&w, 5 * (int64_t)SECOND);
    n = device_send(&d, w.crypto, &(struct device_send){ .is_confirmed = true, .fport = 1 },
                    phy);
    world_hear(&w, phy, n);
    world_run(&w, 1901 * MS);
    network_kept(w.network, w.ticket, w.now_us);
    assert_int_equal(w.tx_n, 1);
    network_counters_get(w.network, &c);
    assert_int_equal(c.missed, 1);
    assert_int_equal(c.tx_rx2, 1);
    assert_true(c.lead_us_min >= 100 * MS);
    world_done(&w);
}

static void tries_rx2_with_the_same_bytes_when_rx1_is_refused(void **state)
{
    struct world w;
    struct device_model d;
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    w.is_silent = true;
    size_t n = device_send(&d, w.crypto,
                           &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    world_hear(&w, phy, n);
    assert_int_equal(w.tx_n, 1);
    world_run(&w, 40 * MS);
    network_result(w.network, w.tx[0].id, RADIO_COLLISION, w.now_us);
    assert_int_equal(w.tx_n, 2);
    assert_int_equal(w.tx[1].tmst - w.tx[0].tmst, SECOND);
    assert_memory_equal(w.tx[0].phy, w.tx[1].phy, w.tx[0].n);
    network_result(w.network, w.tx[1].id, RADIO_ACCEPTED, w.now_us);
    world_run(&w, 3 * (int64_t)SECOND);
    /* The next one has the next counter. */
    w.is_silent = false;
    world_send(&w, &d, &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_int_equal(heard.fcnt, 1);
    world_done(&w);
}

static void counts_microseconds_over_the_wrap(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    w.tmst_ahead = (uint32_t)(0xFFFFFFFFu - (uint32_t)w.now_us - 300 * MS);
    size_t n = device_send(&d, w.crypto,
                           &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    world_hear(&w, phy, n);
    assert_int_equal(world_tx(&w)->tmst, 700 * MS - 1);
    world_run(&w, 3 * (int64_t)SECOND);
    world_send(&w, &d, &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    assert_int_equal(w.tx_n, 2);
    world_done(&w);
}

static void keeps_50_ms_between_downlinks_and_takes_the_next_concentrator(void **state)
{
    struct world w;
    struct device_model a, b, c;
    uint8_t phy[FRAME_SIZE_MAX];
    size_t n;

    (void)state;
    world_init(&w);
    w.o.gateways_n = 2;
    world_start(&w);
    device_init_abp(&a, &w.devices[1]);
    device_init_abp(&b, &w.devices[5]);
    device_init_abp(&c, &w.devices[4]);
    struct device_send u = { .is_confirmed = true, .fport = 1 };
    struct device_model *all[] = { &a, &b, &c };
    for (int i = 0; i < 3; i++) {
        n = device_send(all[i], w.crypto, &u, phy);
        world_rx(&w, phy, n, &(struct world_rx){ .gateway = 0, .snr = 9 });
        world_rx(&w, phy, n, &(struct world_rx){ .gateway = 1, .snr = 1 });
    }
    world_run(&w, 3 * (int64_t)SECOND);
    assert_int_equal(w.tx_n, 3);
    unsigned used[2] = { 0 }, rx2 = 0;
    for (int i = 0; i < 3; i++) {
        used[w.tx[i].gateway]++;
        rx2 += w.tx[i].freq_hz == 869525000;
    }
    assert_true(used[0] && used[1]);
    assert_int_equal(rx2, 1);
    world_done(&w);
}

static void chooses_the_concentrator_that_heard_best_and_is_there(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.gateways_n = 3;
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    struct device_send u = { .is_confirmed = true, .fport = 1 };
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            network_gateway_up(w.network, 2, i == 2);
        if (i == 2)
            w.result = RADIO_NO_PATH;
        size_t n = device_send(&d, w.crypto, &u, phy);
        for (uint32_t g = 0; g < 3; g++)
            world_rx(&w, phy, n, &(struct world_rx){ .gateway = g, .snr = (float)g });
        world_run(&w, 3 * (int64_t)SECOND);
    }
    assert_int_equal(w.tx[0].gateway, 2);
    assert_int_equal(w.tx[1].gateway, 1);
    /* Not connected: all in RX1, then all in RX2. */
    assert_int_equal(w.tx_n, 2 + 6);
    assert_int_equal(w.tx[2].gateway, 2);
    assert_int_equal(w.tx[4].gateway, 0);
    assert_int_equal(w.tx[5].freq_hz, 869525000);
    world_done(&w);
}

static void what_a_concentrator_lost_is_sent_by_another(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.gateways_n = 2;
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    size_t n = device_send(&d, w.crypto,
                           &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .gateway = 0, .snr = 9 });
    world_rx(&w, phy, n, &(struct world_rx){ .gateway = 1, .snr = 1 });
    world_run(&w, 300 * MS);
    assert_int_equal(w.tx_n, 1);
    network_gateway_lost(w.network, 0, w.now_us);
    assert_int_equal(w.tx_n, 2);
    assert_int_equal(w.tx[1].gateway, 1);
    assert_int_equal(w.tx[1].freq_hz, 868100000);
    world_run(&w, 3 * (int64_t)SECOND);
    network_gateway_lost(w.network, 1, w.now_us); /* its windows are over */
    assert_int_equal(w.tx_n, 2);
    world_done(&w);
}

static void keeps_the_last_of_a_band_for_acknowledgements(void **state)
{
    struct world w;
    struct device_model d;
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX], big[51] = { 0 };
    struct network_counters c;
    unsigned acks = 0, last_data = 0;

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    for (unsigned i = 0; i < 700; i++) {
        struct network_downlink m = {
            .id = i, .fport = 5, .bytes = big, .n = sizeof big, .deadline_us = INT64_MAX
        };
        network_send(w.network, 1, &m, w.now_us);
        size_t before = w.tx_n;
        size_t n = device_send(&d, w.crypto,
                               &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
        world_hear(&w, phy, n);
        world_run(&w, 3 * (int64_t)SECOND);
        if (w.tx_n == before)
            continue;
        assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
        if (heard.fport == 5)
            last_data = i;
        acks++;
    }
    network_counters_get(w.network, &c);
    assert_true(c.band_refused > 0);
    assert_true(last_data < 600 && acks > last_data + 20);
    world_done(&w);
}

/* ---- commands ---- */

static size_t find_command(const struct device_heard *h, uint8_t cid, struct mac_command *ret)
{
    struct mac_command m;
    size_t at = 0, found = 0;
    const uint8_t *bytes = h->fport == 0 ? h->payload : h->fopts;
    size_t n = h->fport == 0 ? h->n : h->fopts_n;

    while (mac_next(bytes, n, false, &at, &m) == 1) {
        if (m.cid == cid && !found++)
            *ret = m;
    }
    return found;
}

static void answers_link_checks_and_tells_gps_time_when_it_is_believed(void **state)
{
    static const uint8_t ask[] = { MAC_LINK_CHECK, MAC_DEVICE_TIME };
    struct world w;
    struct device_model d;
    struct device_heard heard;
    struct mac_command m;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.gateways_n = 2;
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    struct device_send u = { .fport = 0, .bytes = ask, .n = 2 };
    for (int is_trusted = 0; is_trusted < 2; is_trusted++) {
        w.gps_ms = is_trusted ? 1400000000000 : INT64_MIN;
        int64_t at = w.now_us;
        size_t n = device_send(&d, w.crypto, &u, phy);
        world_rx(&w, phy, n, &(struct world_rx){ .gateway = 0, .snr = 1 });
        world_rx(&w, phy, n, &(struct world_rx){ .gateway = 1, .snr = 4 });
        world_rx(&w, phy, n, &(struct world_rx){ .gateway = 1, .snr = 2, .hz = 868300000 });
        world_run(&w, 3 * (int64_t)SECOND);
        assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
        assert_int_equal(find_command(&heard, MAC_LINK_CHECK, &m), 1);
        assert_int_equal(m.payload[0], 11); /* 4 dB above -7.5 */
        assert_int_equal(m.payload[1], 2);
        assert_int_equal(find_command(&heard, MAC_DEVICE_TIME, &m), is_trusted);
        if (is_trusted) {
            uint32_t s = get_le32(m.payload);
            assert_int_equal(s, 1400000000 + at / SECOND);
        }
    }
    world_done(&w);
}

static void answers_what_1_1_devices_go_on_saying(void **state)
{
    static const uint8_t says[] = { MAC_RESET, 1, MAC_DEVICE_MODE, 2, MAC_DL_CHANNEL, 3, 0x7F };
    struct world w;
    struct device_model d;
    struct device_heard heard;
    struct mac_command m;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.devices[1].version = LORAWAN_1_1;
    w.devices[1].keys.s_nwk_s_int = key_of(0x91);
    w.devices[1].keys.nwk_s_enc = key_of(0x92);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    struct device_send u = { .fport = 3, .text = "x", .dr = 5, .fopts = says, .fopts_n = 7 };
    world_send(&w, &d, &u, phy);
    assert_int_equal(w.uplinks, 1); /* the unknown command costs no data */
    assert_string_equal((char *)w.text, "x");
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_int_equal(find_command(&heard, MAC_RESET, &m), 1);
    assert_int_equal(m.payload[0], 1);
    assert_int_equal(find_command(&heard, MAC_DEVICE_MODE, &m), 1);
    assert_int_equal(m.payload[0], 2);
    world_send(&w, &d, &(struct device_send){ .fport = 3, .dr = 5 }, phy);
    assert_int_equal(w.tx_n, 1);
    world_done(&w);
}

static void asks_for_the_battery_once_a_day(void **state)
{
    static const uint8_t answer[] = { MAC_DEV_STATUS, 200, 0x3B };
    struct world w;
    struct device_model d = { 0 };
    struct device_heard heard;
    struct mac_command m;
    struct network_device_state st;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[0]);
    network_device_get(w.network, 0, &st);
    assert_int_equal(st.battery, -1);
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_int_equal(find_command(&heard, MAC_DEV_STATUS, &m), 1);
    world_send(&w, &d, &(struct device_send){ .fport = 1, .fopts = answer, .fopts_n = 3 }, phy);
    network_device_get(w.network, 0, &st);
    assert_int_equal(st.battery, 200);
    assert_int_equal(st.margin, -5);
    size_t sent = w.tx_n;
    for (int hour = 0; hour < 23; hour++) {
        world_run(&w, 3600 * (int64_t)SECOND);
        world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    }
    assert_int_equal(w.tx_n, sent);
    world_run(&w, 2 * 3600 * (int64_t)SECOND);
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.tx_n, sent + 1);
    world_restart(&w);
    network_device_get(w.network, 0, &st);
    assert_int_equal(st.battery, 200);
    world_done(&w);
}

static void raises_the_data_rate_of_a_device_that_is_heard_well(void **state)
{
    static const uint8_t refuse[] = { MAC_LINK_ADR, 0x06 };
    struct world w;
    struct device_model d;
    struct device_heard heard;
    struct mac_command m;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.devices[1].adr = ADR_ON;
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    for (int i = 0; i < 30 && !w.tx_n; i++) {
        size_t n = device_send(&d, w.crypto,
                               &(struct device_send){ .fport = 1, .fctrl = FCTRL_ADR }, phy);
        world_rx(&w, phy, n, &(struct world_rx){ .sf = 12, .snr = 8 });
        world_run(&w, 60 * (int64_t)SECOND);
    }
    assert_int_equal(w.tx_n, 1);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_true(heard.is_adr);
    assert_int_equal(find_command(&heard, MAC_LINK_ADR, &m), 1);
    assert_true(m.payload[0] >> 4 > 2);
    assert_int_equal(m.payload[1] | m.payload[2] << 8, 0x0007); /* the three it has */
    /* It refuses, and is left alone for a day. */
    world_rx(&w, phy,
             device_send(&d, w.crypto,
                         &(struct device_send){
                             .fport = 1, .fctrl = FCTRL_ADR, .fopts = refuse, .fopts_n = 2 },
                         phy),
             &(struct world_rx){ .sf = 12, .snr = 8 });
    for (int i = 0; i < 100; i++) {
        size_t n = device_send(&d, w.crypto,
                               &(struct device_send){ .fport = 1, .fctrl = FCTRL_ADR }, phy);
        world_rx(&w, phy, n, &(struct world_rx){ .sf = 12, .snr = 8 });
        world_run(&w, 20 * (int64_t)SECOND);
    }
    assert_int_equal(w.tx_n, 1);
    world_done(&w);
}

static void answers_whoever_fears_to_be_unheard(void **state)
{
    struct world w;
    struct device_model d;
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    world_send(&w, &d, &(struct device_send){ .fport = 1, .fctrl = FCTRL_ADR }, phy);
    assert_int_equal(w.tx_n, 0);
    world_send(&w, &d,
               &(struct device_send){ .fport = 1, .fctrl = FCTRL_ADR | FCTRL_ADR_ACK_REQ },
               phy);
    assert_int_equal(w.tx_n, 1);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_false(heard.is_ack);
    world_done(&w);
}

static void tells_an_abp_device_what_differs_from_the_defaults(void **state)
{
    static const uint8_t take[] = { MAC_RX_PARAM_SETUP, 7, MAC_RX_TIMING_SETUP, MAC_NEW_CHANNEL,
                                    3 };
    struct world w;
    struct device_model d;
    struct device_heard heard;
    struct mac_command m;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.rx2_dr = 3;
    w.o.rx1_delay_s = 2;
    w.o.extra_hz[0] = 867100000;
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    int64_t at = w.now_us;
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(world_tx(&w)->tmst, (uint32_t)(world_tmst(&w, 0, at) + 1u * SECOND));
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_int_equal(find_command(&heard, MAC_RX_PARAM_SETUP, &m), 1);
    assert_int_equal(m.payload[0], 3);
    assert_int_equal(find_command(&heard, MAC_RX_TIMING_SETUP, &m), 1);
    assert_int_equal(find_command(&heard, MAC_NEW_CHANNEL, &m), 1);
    assert_int_equal(m.payload[0], 3);
    /* Its answer is answered, in the new windows. */
    at = w.now_us;
    world_send(&w, &d, &(struct device_send){ .fport = 1, .fopts = take, .fopts_n = 5 }, phy);
    assert_int_equal(w.tx_n, 2);
    assert_int_equal(world_tx(&w)->tmst, (uint32_t)(world_tmst(&w, 0, at) + 2u * SECOND));
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.tx_n, 2);
    world_done(&w);
}

static void stops_asking_a_device_that_never_answers(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.rx2_dr = 3;
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    for (int i = 0; i < 20; i++)
        world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.tx_n, 3);
    world_done(&w);
}

static void tells_a_fixed_plan_its_channels_on_port_0(void **state)
{
    struct world w;
    struct device_model d;
    struct device_heard heard;
    struct mac_command m;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.region = region_find("cn470");
    w.o.enabled[10] = 0xFF; /* channels 80 to 87 */
    w.devices[1].adr = ADR_STATIC;
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    size_t n = device_send(&d, w.crypto, &(struct device_send){ .fport = 1 }, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 486300000, .snr = 5 });
    world_run(&w, 3 * (int64_t)SECOND);
    assert_int_equal(w.tx_n, 1);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_int_equal(heard.fport, 0);
    assert_int_equal(find_command(&heard, MAC_LINK_ADR, &m), 6);
    const uint8_t ok[] = { 3, 7, 3, 7, 3, 7, 3, 7, 3, 7, 3, 7 };
    n = device_send(&d, w.crypto,
                    &(struct device_send){ .fport = 0, .bytes = ok, .n = sizeof ok }, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 486300000, .snr = 5 });
    world_run(&w, 3 * (int64_t)SECOND);
    assert_int_equal(w.tx_n, 1);
    world_done(&w);
}

/* ---- application downlinks ---- */

static struct network_downlink downlink(const struct world *w, uint64_t id, const char *text)
{
    return (struct network_downlink){
        .id = id,
        .fport = 10,
        .bytes = (const uint8_t *)text,
        .n = strlen(text),
        .deadline_us = w->now_us + 600 * (int64_t)SECOND,
    };
}

static void sends_class_a_data_behind_uplinks(void **state)
{
    struct world w;
    struct device_model d;
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[1]);
    struct network_downlink one = downlink(&w, 1, "one"), two = downlink(&w, 2, "two");
    assert_int_equal(network_send(w.network, 1, &one, w.now_us), 0);
    assert_int_equal(network_send(w.network, 1, &two, w.now_us), 0);
    world_run(&w, 60 * (int64_t)SECOND);
    assert_int_equal(w.tx_n, 0);
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_memory_equal(heard.payload, "one", 3);
    assert_true(heard.is_pending);
    assert_int_equal(w.sent[0].id, 1);
    assert_int_equal(w.sent[0].result, 0);
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_memory_equal(heard.payload, "two", 3);
    assert_false(heard.is_pending);
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    assert_int_equal(w.tx_n, 2);
    world_done(&w);
}

static void bounds_its_queue_and_its_waiting(void **state)
{
    struct world w;
    uint8_t big[60] = { 0 };

    (void)state;
    world_init(&w);
    world_start(&w);
    struct network_downlink m = downlink(&w, 1, "x");
    for (unsigned i = 0; i < NETWORK_QUEUE_MAX; i++)
        assert_int_equal(network_send(w.network, 1, &m, w.now_us), 0);
    assert_int_equal(network_send(w.network, 1, &m, w.now_us), -EBUSY);
    assert_int_equal(network_send(w.network, 0, &m, w.now_us), -ENOENT); /* not joined */
    assert_int_equal(network_send(w.network, 99, &m, w.now_us), -EINVAL);
    m.fport = 0;
    assert_int_equal(network_send(w.network, 5, &m, w.now_us), -EINVAL);
    m.fport = 1;
    m.bytes = big;
    m.n = sizeof big;
    assert_int_equal(network_send(w.network, 5, &m, w.now_us), -EMSGSIZE); /* RX2 is DR0 */
    world_run(&w, 700 * (int64_t)SECOND);
    assert_int_equal(w.sent_n, NETWORK_QUEUE_MAX);
    assert_int_equal(w.sent[0].result, -ETIMEDOUT);
    assert_int_equal(network_due(w.network), INT64_MAX);
    world_done(&w);
}

static void repeats_confirmed_data_until_it_is_acknowledged(void **state)
{
    struct world w;
    struct device_model d = { 0 };
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    for (int which = 0; which < 3; which += 2) {
        world_init(&w);
        world_start(&w);
        world_join(&w, &d, &w.devices[which]);
        struct network_downlink m = downlink(&w, 7, "valve");
        m.is_confirmed = true;
        assert_int_equal(network_send(w.network, (uint32_t)which, &m, w.now_us), 0);
        struct device_send u = { .fport = 1, .dr = 5 };
        world_send(&w, &d, &u, phy);
        assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
        assert_true(heard.is_confirmed);
        uint32_t first = heard.fcnt;
        world_send(&w, &d, &u, phy); /* no ACK: it was not heard */
        assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
        assert_memory_equal(heard.payload, "valve", 5);
        assert_int_equal(heard.fcnt, first + 1);
        assert_int_equal(w.sent_n, 0);
        u.is_ack = true;
        world_send(&w, &d, &u, phy);
        assert_int_equal(w.sent_n, 1);
        assert_int_equal(w.sent[0].result, 0);
        assert_int_equal(w.uplinks, 3);
        world_done(&w);
    }
}

static void knows_an_acknowledgement_of_1_1_after_a_kill(void **state)
{
    struct world w;
    struct device_model d = { 0 };
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    world_join(&w, &d, &w.devices[2]);
    for (int i = 0; i < 3; i++) {
        struct network_downlink m = downlink(&w, 7, "x");
        m.is_confirmed = true;
        network_send(w.network, 2, &m, w.now_us);
        world_send(&w, &d, &(struct device_send){ .fport = 1, .dr = 5, .is_ack = i > 0 }, phy);
        assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
        assert_true(heard.is_confirmed);
    }
    world_restart(&w);
    world_send(&w, &d,
               &(struct device_send){ .fport = 1, .dr = 5, .is_ack = true, .text = "ok" }, phy);
    assert_string_equal((char *)w.text, "ok");
    world_done(&w);
}

/* ---- class C ---- */

static void speaks_to_class_c_at_once_but_after_its_first_uplink(void **state)
{
    struct world w;
    struct device_model d;
    struct device_heard heard;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[4]);
    struct network_downlink m = downlink(&w, 1, "poll");
    assert_int_equal(network_send(w.network, 4, &m, w.now_us), 0);
    world_run(&w, 10 * (int64_t)SECOND);
    assert_int_equal(w.tx_n, 0);
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    world_run(&w, 10 * (int64_t)SECOND);
    assert_int_equal(w.tx_n, 1);
    assert_true(world_tx(&w)->is_immediate);
    assert_int_equal(world_tx(&w)->freq_hz, 869525000);
    assert_int_equal(world_tx(&w)->rate.sf, 12);
    assert_true(device_hear(&d, w.crypto, world_tx(&w)->phy, world_tx(&w)->n, &heard));
    assert_memory_equal(heard.payload, "poll", 4);
    assert_int_equal(w.sent[0].result, 0);
    world_done(&w);
}

static void class_c_keeps_clear_of_the_windows_of_its_device(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.rx2_dr = 5;
    world_start(&w);
    device_init_abp(&d, &w.devices[4]);
    /* Its RX2 is still SF12: that does not fit before RX1. */
    size_t n = device_send(&d, w.crypto, &(struct device_send){ .fport = 1 }, phy);
    int64_t at = w.now_us;
    world_hear(&w, phy, n);
    size_t before = w.tx_n;
    struct network_downlink m = downlink(&w, 1, "poll");
    network_send(w.network, 4, &m, w.now_us);
    for (int i = 0; i < 300 && w.tx_n == before; i++)
        world_run(&w, 10 * MS);
    assert_int_equal(w.tx_n, before + 1);
    assert_true(w.now_us >= at + 2 * (int64_t)SECOND);
    world_done(&w);
}

static void class_c_waits_for_the_reply_and_never_meets_another_downlink(void **state)
{
    struct world w;
    struct device_model a, c;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.region = region_find("cn470"); /* no bands that would be used up */
    world_start(&w);
    device_init_abp(&a, &w.devices[1]);
    device_init_abp(&c, &w.devices[4]);
    size_t n = device_send(&c, w.crypto, &(struct device_send){ .fport = 1 }, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 486300000, .snr = 5 });
    world_run(&w, 5 * (int64_t)SECOND);
    struct network_downlink m = downlink(&w, 1, "poll");
    m.reply_us = 3 * SECOND;
    int64_t first = w.now_us;
    network_send(w.network, 4, &m, w.now_us);
    network_send(w.network, 4, &m, w.now_us);
    assert_int_equal(w.tx_n, 1);
    int64_t air = radio_airtime_us(&w.tx[0].rate, w.tx[0].n, false);
    world_run(&w, air + 3 * SECOND);
    assert_int_equal(w.tx_n, 1);
    world_run(&w, 400 * MS);
    assert_int_equal(w.tx_n, 2);
    assert_true(w.now_us > first + 3 * SECOND);

    /* An acknowledgement of another device is scheduled: the poll waits until it is over. */
    world_run(&w, 20 * (int64_t)SECOND);
    n = device_send(&a, w.crypto, &(struct device_send){ .fport = 1, .is_confirmed = true },
                    phy);
    int64_t at = w.now_us;
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 486300000, .snr = 5 });
    assert_int_equal(w.tx_n, 3);
    world_run(&w, 800 * MS);
    network_send(w.network, 4, &m, w.now_us);
    assert_int_equal(w.tx_n, 3);
    while (w.tx_n == 3)
        world_run(&w, 1 * MS);
    int64_t ack = radio_airtime_us(&w.tx[2].rate, w.tx[2].n, false);
    assert_true(w.now_us + 80 * MS >= at + SECOND + ack + 50 * MS);
    world_done(&w);
}

static void class_c_leaves_rx1_to_an_answer_that_is_not_made_yet(void **state)
{
    struct world w;
    struct device_model a, c;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    w.o.region = region_find("cn470");
    world_start(&w);
    device_init_abp(&a, &w.devices[1]);
    device_init_abp(&c, &w.devices[4]);
    size_t n = device_send(&c, w.crypto,
                           &(struct device_send){ .fport = 1, .is_confirmed = true }, phy);
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 486300000, .snr = 5 });
    world_run(&w, 5 * (int64_t)SECOND);
    size_t before = w.tx_n; /* its downlink counters are kept */
    w.is_slow = true;
    n = device_send(&a, w.crypto, &(struct device_send){ .fport = 1, .is_confirmed = true },
                    phy);
    int64_t at = w.now_us;
    world_rx(&w, phy, n, &(struct world_rx){ .hz = 486300000, .snr = 5 });
    struct network_downlink m = downlink(&w, 1, "poll");
    network_send(w.network, 4, &m, w.now_us); /* SF12: longer than until RX1 */
    assert_int_equal(w.tx_n, before);
    world_run(&w, 500 * MS);
    assert_int_equal(w.tx_n, before);
    network_kept(w.network, w.ticket, w.now_us);
    assert_int_equal(w.tx_n, before + 1);
    assert_int_equal(world_tx(&w)->tmst, (uint32_t)(world_tmst(&w, 0, at) + 1u * SECOND));
    world_run(&w, 2 * (int64_t)SECOND);
    assert_int_equal(w.tx_n, before + 2);
    assert_true(world_tx(&w)->is_immediate);
    world_done(&w);
}

static void class_c_says_when_no_concentrator_is_there(void **state)
{
    struct world w;
    struct device_model d;
    uint8_t phy[FRAME_SIZE_MAX];

    (void)state;
    world_init(&w);
    world_start(&w);
    device_init_abp(&d, &w.devices[4]);
    world_send(&w, &d, &(struct device_send){ .fport = 1 }, phy);
    network_gateway_up(w.network, 0, false);
    struct network_downlink m = downlink(&w, 1, "poll");
    network_send(w.network, 4, &m, w.now_us);
    assert_int_equal(w.sent[0].result, -ENOTCONN);
    world_done(&w);
}

static void answers_many_at_once_within_its_pool(void **state)
{
    enum { MANY = 700 };
    static struct network_device many[MANY];
    static struct device_model models[MANY];
    struct world w;
    uint8_t phy[FRAME_SIZE_MAX];
    struct network_counters c;

    (void)state;
    world_init(&w);
    for (uint32_t i = 0; i < MANY; i++) {
        many[i] = w.devices[1];
        many[i].dev_eui = 1000 + i;
        many[i].dev_addr = 0x01000000 + i;
    }
    w.o.devices = many;
    w.o.devices_n = MANY;
    w.o.gateways_n = 3;
    world_start(&w);
    w.is_deaf = true;
    for (uint32_t i = 0; i < MANY; i++) {
        device_init_abp(&models[i], &many[i]);
        size_t n = device_send(&models[i], w.crypto,
                               &(struct device_send){ .is_confirmed = true, .fport = 1 }, phy);
        world_hear(&w, phy, n);
    }
    assert_int_equal(w.uplinks, MANY);
    network_kept(w.network, UINT64_MAX / 2, w.now_us);
    world_run(&w, 5 * (int64_t)SECOND);
    network_counters_get(w.network, &c);
    assert_int_equal(c.missed + c.tx_rx1 + c.tx_rx2, MANY);
    assert_true(c.tx_rx1 >= 1 && c.tx_rx2 >= 1);
    assert_int_equal(network_due(w.network), INT64_MAX);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_takes_an_uplink_and_acknowledges_it_in_rx1),
        cmocka_unit_test(refuses_what_is_not_ours_genuine_or_new),
        cmocka_unit_test(a_device_that_counts_anew_is_let_in_by_its_operator_alone),
        cmocka_unit_test(counts_any_gap_as_lost_and_passes_16_bits),
        cmocka_unit_test(the_mic_tells_devices_of_one_address_apart),
        cmocka_unit_test(hands_out_application_data_of_ports_1_to_223_alone),
        cmocka_unit_test(takes_1_1_frames_by_data_rate_and_channel),
        cmocka_unit_test(answers_a_repetition_anew_and_stores_it_once),
        cmocka_unit_test(late_copies_and_stuck_concentrators_are_not_answered),
        cmocka_unit_test(a_frame_that_comes_late_is_stored_and_not_answered),
        cmocka_unit_test(answers_in_rx2_what_is_late_for_rx1),
        cmocka_unit_test(tries_rx2_with_the_same_bytes_when_rx1_is_refused),
        cmocka_unit_test(counts_microseconds_over_the_wrap),
        cmocka_unit_test(keeps_50_ms_between_downlinks_and_takes_the_next_concentrator),
        cmocka_unit_test(chooses_the_concentrator_that_heard_best_and_is_there),
        cmocka_unit_test(what_a_concentrator_lost_is_sent_by_another),
        cmocka_unit_test(keeps_the_last_of_a_band_for_acknowledgements),
        cmocka_unit_test(answers_link_checks_and_tells_gps_time_when_it_is_believed),
        cmocka_unit_test(answers_what_1_1_devices_go_on_saying),
        cmocka_unit_test(asks_for_the_battery_once_a_day),
        cmocka_unit_test(raises_the_data_rate_of_a_device_that_is_heard_well),
        cmocka_unit_test(answers_whoever_fears_to_be_unheard),
        cmocka_unit_test(tells_an_abp_device_what_differs_from_the_defaults),
        cmocka_unit_test(stops_asking_a_device_that_never_answers),
        cmocka_unit_test(tells_a_fixed_plan_its_channels_on_port_0),
        cmocka_unit_test(sends_class_a_data_behind_uplinks),
        cmocka_unit_test(bounds_its_queue_and_its_waiting),
        cmocka_unit_test(repeats_confirmed_data_until_it_is_acknowledged),
        cmocka_unit_test(knows_an_acknowledgement_of_1_1_after_a_kill),
        cmocka_unit_test(speaks_to_class_c_at_once_but_after_its_first_uplink),
        cmocka_unit_test(class_c_keeps_clear_of_the_windows_of_its_device),
        cmocka_unit_test(class_c_waits_for_the_reply_and_never_meets_another_downlink),
        cmocka_unit_test(class_c_leaves_rx1_to_an_answer_that_is_not_made_yet),
        cmocka_unit_test(class_c_says_when_no_concentrator_is_there),
        cmocka_unit_test(answers_many_at_once_within_its_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
