/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "gateway/live/live.h"

enum { CHANNELS = 8 };
#define DAY_MS (24 * 3600 * 1000LL)

static const struct quantity ozone = { .id = "ozone", .unit = "ug/m3" };
static const struct live_station station = { .id = "t", .version = "0" };
static const struct live_device silent_one = { .id = "d", .state = 2, .why = "no answer" };

struct fixture {
    struct channel channels[CHANNELS];
    struct channel_table table;
    struct live *live;
};

static int setup(void **state)
{
    static struct fixture f;

    for (uint32_t i = 0; i < CHANNELS; i++)
        f.channels[i] = (struct channel){ .id = "d/p", .quantity = &ozone, .source = i };
    f.table = (struct channel_table){ .station = "t", .channels = f.channels, .n = CHANNELS };
    *state = &f;
    return live_create(&station, &f.table, &silent_one, 1, &f.live);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    live_destroy(f->live);
    return 0;
}

static void put(struct live *l, uint32_t channel, int64_t v)
{
    live_put_sample(l, &(struct sample){ .time_ms = v, .channel = channel, .value = { v, 0 } });
}

static void leaves_out_channels_without_a_sample(void **state)
{
    struct fixture *f = *state;
    struct sample s[CHANNELS];
    uint64_t version;

    put(f->live, 3, 30);
    put(f->live, 1, 10);
    assert_int_equal(live_samples(f->live, 0, s, CHANNELS, &version), 2);
    assert_int_equal(s[0].channel, 3);
    assert_int_equal(s[1].channel, 1);
}

static void hands_over_only_what_is_newer(void **state)
{
    struct fixture *f = *state;
    struct sample s[CHANNELS];
    uint64_t version;

    for (uint32_t i = 0; i < CHANNELS; i++)
        put(f->live, i, 1);
    live_samples(f->live, 0, s, CHANNELS, &version);
    assert_int_equal(live_samples(f->live, version, s, CHANNELS, &version), 0);
    put(f->live, 5, 2);
    put(f->live, 5, 3);
    assert_int_equal(live_samples(f->live, version, s, CHANNELS, &version), 1);
    assert_int_equal(s[0].value.v, 3);
    assert_int_equal(version, live_version(f->live));
}

static void continues_where_a_short_answer_ended(void **state)
{
    struct fixture *f = *state;
    struct sample s[3];
    uint64_t version = 0;
    unsigned seen = 0;

    for (uint32_t i = 0; i < CHANNELS; i++)
        put(f->live, i, i);
    for (size_t n; (n = live_samples(f->live, version, s, 3, &version)) > 0;)
        for (size_t i = 0; i < n; i++)
            seen |= 1u << s[i].channel;
    assert_int_equal(seen, (1u << CHANNELS) - 1);
}

static void an_answer_of_no_room_skips_nothing(void **state)
{
    struct fixture *f = *state;
    struct sample s[1];
    uint64_t version = 7;

    put(f->live, 0, 1);
    assert_int_equal(live_samples(f->live, 0, s, 0, &version), 0);
    assert_int_equal(version, 0);
}

static void ignores_a_channel_beyond_the_table(void **state)
{
    struct fixture *f = *state;

    put(f->live, CHANNELS, 1);
    assert_int_equal(live_version(f->live), 0);
}

static void a_device_is_news_when_its_state_changes(void **state)
{
    struct fixture *f = *state;
    struct live_device d = silent_one;
    struct live_versions before, after;

    live_versions_get(f->live, &before);
    d.polls = 5;
    live_put_device(f->live, 0, &d);
    live_versions_get(f->live, &after);
    assert_int_equal(before.devices, after.devices);
    d.state = 1;
    live_put_device(f->live, 0, &d);
    live_versions_get(f->live, &after);
    assert_true(after.devices > before.devices);
    live_devices(f->live, &d, 1);
    assert_int_equal(d.polls, 5);
}

static struct live_alert alert_of(unsigned i, int level, bool is_cleared)
{
    struct live_alert a = { .level = level, .peak = level, .is_cleared = is_cleared };

    snprintf(a.key, sizeof a.key, "rule/channel/%u", i);
    a.raised_ms = a.changed_ms = 1000 + i;
    a.cleared_ms = is_cleared ? 2000 + i : 0;
    return a;
}

static void put_alert(struct live *l, unsigned i, int level, bool is_cleared)
{
    struct live_alert a = alert_of(i, level, is_cleared);

    live_put_alert(l, &a);
}

static void an_alert_is_replaced_by_its_key(void **state)
{
    struct fixture *f = *state;
    struct live_alert a[4];

    put_alert(f->live, 1, 2, false);
    put_alert(f->live, 1, 4, false);
    assert_int_equal(live_alerts(f->live, a, 4), 1);
    assert_int_equal(a[0].level, 4);
}

static void standing_alerts_come_first_by_colour(void **state)
{
    struct fixture *f = *state;
    struct live_alert a[4];

    put_alert(f->live, 1, 4, true);
    put_alert(f->live, 2, 1, false);
    put_alert(f->live, 3, 3, false);
    assert_int_equal(live_alerts(f->live, a, 4), 3);
    assert_int_equal(a[0].level, 3);
    assert_int_equal(a[1].level, 1);
    assert_true(a[2].is_cleared);
}

static void a_cleared_alert_is_kept_a_day(void **state)
{
    struct fixture *f = *state;
    struct live_alert a[4];

    put_alert(f->live, 1, 2, true);
    live_set_now(f->live, 2001 + DAY_MS);
    assert_int_equal(live_alerts(f->live, a, 4), 1);
    live_set_now(f->live, 2002 + DAY_MS);
    assert_int_equal(live_alerts(f->live, a, 4), 0);
}

static void a_full_table_gives_up_the_alert_cleared_longest_ago(void **state)
{
    struct fixture *f = *state;
    static struct live_alert a[LIVE_ALERTS_MAX];

    for (unsigned i = 0; i < LIVE_ALERTS_MAX; i++)
        put_alert(f->live, i, 1, i == 7 || i == 9);
    put_alert(f->live, 1000, 4, false);
    assert_int_equal(live_alerts(f->live, a, LIVE_ALERTS_MAX), LIVE_ALERTS_MAX);
    assert_string_equal(a[0].key, "rule/channel/1000");
    assert_string_equal(a[LIVE_ALERTS_MAX - 1].key, "rule/channel/9");
    assert_int_equal(live_alerts_dropped(f->live), 1);
}

static void a_table_full_of_standing_alerts_counts_what_it_cannot_show(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < LIVE_ALERTS_MAX + 3; i++)
        put_alert(f->live, i, 1, false);
    assert_int_equal(live_alerts_dropped(f->live), 3);
}

static void an_uplink_is_replaced_by_its_id(void **state)
{
    struct fixture *f = *state;
    struct live_uplink u[LIVE_UPLINKS_MAX];

    live_put_uplink(f->live, &(struct live_uplink){ .id = "centre", .backlog = 9 });
    live_put_uplink(f->live, &(struct live_uplink){ .id = "other", .backlog = 1 });
    live_put_uplink(f->live, &(struct live_uplink){ .id = "centre", .backlog = 3 });
    assert_int_equal(live_uplinks(f->live, u, LIVE_UPLINKS_MAX), 2);
    assert_int_equal(u[0].backlog, 3);
}

static void maintenance_is_news_when_it_changes(void **state)
{
    struct fixture *f = *state;
    struct live_maintenance m[] = { { .device = "a", .until_ms = 5, .who = "uid 0" },
                                    { .device = "b", .until_ms = 6, .who = "uid 0" } },
                            out[2];
    struct live_versions before, after;

    live_put_maintenances(f->live, m, 2);
    live_versions_get(f->live, &before);
    assert_true(before.overview > 0);
    live_put_maintenances(f->live, m, 2);
    live_versions_get(f->live, &after);
    assert_int_equal(after.all, before.all);
    m[1].until_ms = 7;
    live_put_maintenances(f->live, m, 2);
    live_versions_get(f->live, &after);
    assert_true(after.overview > before.overview);
    assert_int_equal(live_maintenances(f->live, out, 1), 1);
    assert_int_equal(live_maintenances(f->live, out, 2), 2);
    assert_string_equal(out[1].device, "b");
    assert_int_equal(out[1].until_ms, 7);
    live_put_maintenances(f->live, m, 1);
    live_versions_get(f->live, &before);
    assert_true(before.overview > after.overview);
    assert_int_equal(live_maintenances(f->live, out, 2), 1);
}

static void more_uplinks_than_fit_are_not_shown(void **state)
{
    struct fixture *f = *state;
    struct live_uplink u[LIVE_UPLINKS_MAX + 2];
    static char ids[LIVE_UPLINKS_MAX + 2][8];

    for (unsigned i = 0; i < LIVE_UPLINKS_MAX + 2; i++) {
        snprintf(ids[i], sizeof ids[i], "u%u", i);
        live_put_uplink(f->live, &(struct live_uplink){ .id = ids[i] });
    }
    assert_int_equal(live_uplinks(f->live, u, LIVE_UPLINKS_MAX + 2), LIVE_UPLINKS_MAX);
}

struct heard {
    unsigned n;
    char first[LIVE_EVENT_MAX], last[LIVE_EVENT_MAX];
};

static void hear(void *user, const char *json)
{
    struct heard *h = user;

    if (h->n++ == 0)
        snprintf(h->first, sizeof h->first, "%s", json);
    snprintf(h->last, sizeof h->last, "%s", json);
}

static void events_come_in_order_and_once(void **state)
{
    struct fixture *f = *state;
    struct heard h = { 0 };

    live_put_event(f->live, "{\"a\":1}");
    live_put_event(f->live, "{\"a\":2}");
    uint64_t at = live_events(f->live, 0, hear, &h);
    assert_int_equal(h.n, 2);
    assert_string_equal(h.first, "{\"a\":1}");
    assert_int_equal(live_events(f->live, at, hear, &h), at);
    assert_int_equal(h.n, 2);
}

static void a_late_follower_gets_the_newest_events(void **state)
{
    struct fixture *f = *state;
    struct heard h = { 0 };
    char text[32];

    for (unsigned i = 0; i < LIVE_EVENTS_KEPT + 10; i++) {
        snprintf(text, sizeof text, "{\"a\":%u}", i);
        live_put_event(f->live, text);
    }
    live_events(f->live, 0, hear, &h);
    assert_int_equal(h.n, LIVE_EVENTS_KEPT);
    assert_string_equal(h.first, "{\"a\":10}");
    assert_string_equal(h.last, text);
}

static void an_event_too_long_is_not_followed(void **state)
{
    struct fixture *f = *state;
    char text[LIVE_EVENT_MAX + 1];

    memset(text, 'x', sizeof text);
    text[LIVE_EVENT_MAX] = '\0';
    live_put_event(f->live, text);
    assert_int_equal(live_events_last(f->live), 0);
    text[LIVE_EVENT_MAX - 1] = '\0';
    live_put_event(f->live, text);
    assert_int_equal(live_events_last(f->live), 1);
}

struct follower {
    struct live *live;
    atomic_bool *is_over;
    uint64_t torn, backwards;
};

static void ignore(void *user, const char *json)
{
    (void)user;
    (void)json;
}

/* A sample whose parts disagree was copied while it was written. */
static void *follow(void *user)
{
    struct follower *f = user;
    struct sample s[CHANNELS];
    struct live_alert a[4];
    struct live_uplink u[LIVE_UPLINKS_MAX];
    struct live_log g;
    int64_t seen[CHANNELS] = { 0 };
    uint64_t version = 0, events = 0;

    while (!atomic_load(f->is_over)) {
        size_t n = live_samples(f->live, version, s, CHANNELS, &version);
        for (size_t i = 0; i < n; i++) {
            f->torn += s[i].time_ms != s[i].value.v;
            f->backwards += s[i].time_ms < seen[s[i].channel];
            seen[s[i].channel] = s[i].time_ms;
        }
        live_alerts(f->live, a, 4);
        live_uplinks(f->live, u, LIVE_UPLINKS_MAX);
        live_log_get(f->live, &g);
        events = live_events(f->live, events, ignore, NULL);
    }
    return NULL;
}

static void followers_see_whole_samples_while_others_write(void **state)
{
    struct fixture *f = *state;
    atomic_bool is_over = false;
    struct follower followers[2];
    pthread_t threads[2];

    for (int i = 0; i < 2; i++) {
        followers[i] = (struct follower){ .live = f->live, .is_over = &is_over };
        assert_int_equal(pthread_create(&threads[i], NULL, follow, &followers[i]), 0);
    }
    for (int64_t i = 1; i <= 20000; i++) {
        put(f->live, (uint32_t)(i * 7 % CHANNELS), i);
        if (i % 64 == 0) {
            put_alert(f->live, (unsigned)i, 1, true);
            live_put_event(f->live, "{}");
            live_put_uplink(f->live, &(struct live_uplink){ .id = "centre" });
            live_put_log(f->live, &(struct live_log){ .seq = (uint64_t)i });
            live_set_now(f->live, i);
        }
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(followers[i].torn, 0);
        assert_int_equal(followers[i].backwards, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leaves_out_channels_without_a_sample),
        TEST(hands_over_only_what_is_newer),
        TEST(continues_where_a_short_answer_ended),
        TEST(an_answer_of_no_room_skips_nothing),
        TEST(ignores_a_channel_beyond_the_table),
        TEST(a_device_is_news_when_its_state_changes),
        TEST(an_alert_is_replaced_by_its_key),
        TEST(standing_alerts_come_first_by_colour),
        TEST(a_cleared_alert_is_kept_a_day),
        TEST(a_full_table_gives_up_the_alert_cleared_longest_ago),
        TEST(a_table_full_of_standing_alerts_counts_what_it_cannot_show),
        TEST(an_uplink_is_replaced_by_its_id),
        TEST(maintenance_is_news_when_it_changes),
        TEST(more_uplinks_than_fit_are_not_shown),
        TEST(events_come_in_order_and_once),
        TEST(a_late_follower_gets_the_newest_events),
        TEST(an_event_too_long_is_not_followed),
        TEST(followers_see_whole_samples_while_others_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
