/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/adr.h"

#include <math.h>

#include "unit.h"

/* n uplinks of one SNR from a counter on, step apart. */
static void hear(struct adr *a, double snr, uint32_t fcnt, int n, uint32_t step)
{
    for (int i = 0; i < n; i++)
        adr_note(a, &(struct adr_uplink){
                        .snr = snr, .fcnt = fcnt + step * (uint32_t)i, .payload_n = 12 });
}

static struct adr_question eu868(unsigned dr)
{
    return (struct adr_question){
        .region = region_find("eu868"),
        .now = { .dr = dr, .nb_trans = 1 },
        .margin_db = 10,
        .now_ms = 1000,
    };
}

static void assert_setting(const struct adr *a, struct adr_question q, unsigned dr,
                           unsigned tx_power, unsigned nb_trans)
{
    struct adr_setting s;

    assert_true(adr_decide(a, &q, &s));
    assert_int_equal(s.dr, dr);
    assert_int_equal(s.tx_power, tx_power);
    assert_int_equal(s.nb_trans, nb_trans);
}

static void assert_no_change(const struct adr *a, struct adr_question q)
{
    struct adr_setting s = { .dr = 77 };

    assert_false(adr_decide(a, &q, &s));
    assert_int_equal(s.dr, 77);
}

static void is_small_enough_for_thousands_of_devices(void **state)
{
    (void)state;
    assert_true(sizeof(struct adr) <= 96);
}

static void spends_the_margin_on_data_rate_then_on_power(void **state)
{
    /* SNR at DR0, which needs -20 dB and 10 dB of margin; steps of 3 dB */
    static const struct {
        double snr;
        unsigned dr, tx_power;
    } rows[] = { { -7, 1, 0 },  { -4.5, 1, 0 }, { -4, 2, 0 }, { 5, 5, 0 },
                 { 7.5, 5, 0 }, { 8, 5, 1 },    { 14, 5, 3 }, { 60, 5, 7 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct adr a = { 0 };

        hear(&a, rows[i].snr, 0, 20, 1);
        assert_setting(&a, eu868(0), rows[i].dr, rows[i].tx_power, 1);
    }
}

static void changes_nothing_within_a_step(void **state)
{
    struct adr a = { 0 };

    (void)state;
    hear(&a, -7.5, 0, 20, 1);
    assert_no_change(&a, eu868(0));
    assert_no_change(&(struct adr){ 0 }, eu868(0));
}

static void goes_by_the_best_uplink_and_forgets_it_after_twenty(void **state)
{
    struct adr a = { 0 };

    (void)state;
    hear(&a, 5, 0, 1, 1);
    hear(&a, -10, 1, 19, 1);
    assert_setting(&a, eu868(0), 5, 0, 1);
    hear(&a, -10, 20, 1, 1);
    assert_no_change(&a, eu868(0));
}

static void takes_power_back_only_with_a_full_history(void **state)
{
    struct adr a = { 0 };
    struct adr_question q = eu868(5);

    (void)state;
    q.now.tx_power = 3;
    for (uint32_t i = 0; i < 19; i++)
        adr_note(&a, &(struct adr_uplink){ .snr = -4, .fcnt = i, .tx_power = 3 });
    assert_no_change(&a, q);
    adr_note(&a, &(struct adr_uplink){ .snr = -4, .fcnt = 19, .tx_power = 3 });
    /* -4 + 7.5 - 10 = -6.5: two steps; the data rate stays */
    assert_setting(&a, q, 5, 1, 1);
    q.now.tx_power = 0;
    assert_no_change(&a, q);
}

static void ignores_what_was_heard_at_another_power(void **state)
{
    struct adr a = { 0 };
    struct adr_question q = eu868(5);

    (void)state;
    hear(&a, 20, 0, 10, 1); /* at full power */
    for (uint32_t i = 10; i < 20; i++)
        adr_note(&a, &(struct adr_uplink){ .snr = 2.5, .fcnt = i, .tx_power = 2 });
    q.now.tx_power = 2;
    assert_no_change(&a, q);
}

static void repeats_more_when_frames_get_lost(void **state)
{
    /* twenty heard of `sent`; NbTrans from 1, 2 and 3 */
    static const struct {
        uint32_t sent;
        unsigned from[3];
    } rows[] = {
        { 20, { 1, 1, 2 } }, { 21, { 1, 1, 2 } }, { 22, { 1, 2, 3 } },  { 25, { 2, 3, 3 } },
        { 28, { 2, 3, 3 } }, { 29, { 3, 3, 3 } }, { 200, { 3, 3, 3 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned from = 1; from <= 3; from++) {
            struct adr a = { 0 };
            struct adr_question q = eu868(5);

            hear(&a, 2.5, 65530, 19, 1); /* across the wrap of the counter's half */
            hear(&a, 2.5, 65530 + rows[i].sent - 1, 1, 1);
            q.now.nb_trans = from;
            if (rows[i].from[from - 1] == from)
                assert_no_change(&a, q);
            else
                assert_setting(&a, q, 5, 0, rows[i].from[from - 1]);
        }
}

static void counts_no_loss_before_the_history_is_full(void **state)
{
    struct adr a = { 0 };

    (void)state;
    hear(&a, 2.5, 0, 19, 10);
    assert_no_change(&a, eu868(5));
    hear(&a, 2.5, 190, 1, 10);
    assert_setting(&a, eu868(5), 5, 0, 3);
}

static void changes_once_in_twenty_uplinks(void **state)
{
    struct adr a = { 0 };

    (void)state;
    hear(&a, 5, 0, 3, 1);
    assert_setting(&a, eu868(0), 5, 0, 1); /* asked again until it is sent */
    assert_setting(&a, eu868(0), 5, 0, 1);
    adr_sent(&a);
    hear(&a, 5, 3, 19, 1);
    assert_no_change(&a, eu868(0));
    hear(&a, 5, 22, 1, 1);
    assert_setting(&a, eu868(0), 5, 0, 1);
}

static void leaves_a_device_that_refused_alone_for_a_day(void **state)
{
    const int64_t day_ms = 86400000;
    struct adr a = { 0 };
    struct adr_question q = eu868(0);

    (void)state;
    hear(&a, 5, 0, 20, 1);
    adr_refused(&a, 5000);
    q.now_ms = 5000 + day_ms - 1;
    assert_no_change(&a, q);
    adr_forget(&a);
    hear(&a, 5, 0, 20, 1);
    assert_no_change(&a, q);
    q.now_ms++;
    assert_setting(&a, q, 5, 0, 1);
}

static void forgets_the_history_of_an_old_session(void **state)
{
    struct adr a = { 0 };

    (void)state;
    hear(&a, 20, 500, 20, 1);
    adr_sent(&a);
    adr_forget(&a);
    assert_no_change(&a, eu868(0));
    hear(&a, -4, 0, 1, 1);
    assert_setting(&a, eu868(0), 2, 0, 1);
}

static void never_chooses_a_data_rate_too_small_for_the_payload(void **state)
{
    struct adr a = { 0 };
    struct adr_question q = eu868(0);

    (void)state;
    /* with a dwell limit: nothing at DR0 and DR1, 11 bytes at DR2, 53 at DR3 */
    q.region = region_find("as923-1");
    q.is_up_dwell = true;
    hear(&a, -7, 0, 20, 1);
    assert_setting(&a, q, 3, 0, 1);
    a.payload_max = 54;
    assert_setting(&a, q, 4, 0, 1);
    a.payload_max = 223;
    q.now.dr = 4;
    hear(&a, 5, 20, 1, 1);
    assert_setting(&a, q, 4, 1, 1); /* 5 + 10 - 10: one step, else to DR5 */
}

static void stays_below_500_khz(void **state)
{
    struct adr a = { 0 };
    struct adr_question q = eu868(0);

    (void)state;
    q.region = region_find("us915");
    hear(&a, 30, 0, 20, 1);
    /* SF10 needs -15: 35 dB are eleven steps, three to DR3 */
    assert_setting(&a, q, 3, 8, 1);
    q.now.dr = 4;
    assert_no_change(&a, q);
    q.now.dr = 99;
    assert_no_change(&a, q);
}

static void survives_signals_that_are_none(void **state)
{
    struct adr a = { 0 };

    (void)state;
    hear(&a, NAN, 0, 20, 1);
    assert_no_change(&a, eu868(0));
    hear(&a, INFINITY, 20, 1, 1);
    assert_setting(&a, eu868(0), 5, 7, 1);
    hear(&a, -INFINITY, 21, 20, 1);
    assert_no_change(&a, eu868(0));
}

static void takes_no_repetition_for_one(void **state)
{
    struct adr a = { 0 };
    struct adr_question q = eu868(5);

    (void)state;
    q.now.nb_trans = 0;
    hear(&a, 2.5, 0, 20, 1);
    assert_no_change(&a, q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_small_enough_for_thousands_of_devices),
        cmocka_unit_test(spends_the_margin_on_data_rate_then_on_power),
        cmocka_unit_test(changes_nothing_within_a_step),
        cmocka_unit_test(goes_by_the_best_uplink_and_forgets_it_after_twenty),
        cmocka_unit_test(takes_power_back_only_with_a_full_history),
        cmocka_unit_test(ignores_what_was_heard_at_another_power),
        cmocka_unit_test(repeats_more_when_frames_get_lost),
        cmocka_unit_test(counts_no_loss_before_the_history_is_full),
        cmocka_unit_test(changes_once_in_twenty_uplinks),
        cmocka_unit_test(leaves_a_device_that_refused_alone_for_a_day),
        cmocka_unit_test(forgets_the_history_of_an_old_session),
        cmocka_unit_test(never_chooses_a_data_rate_too_small_for_the_payload),
        cmocka_unit_test(stays_below_500_khz),
        cmocka_unit_test(survives_signals_that_are_none),
        cmocka_unit_test(takes_no_repetition_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
