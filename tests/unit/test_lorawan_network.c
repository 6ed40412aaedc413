/* SPDX-License-Identifier: Apache-2.0 */
/* Uplinks, answers and windows of the network server, in virtual time. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_takes_an_uplink_and_acknowledges_it_in_rx1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
