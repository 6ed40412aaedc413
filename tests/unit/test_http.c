/* SPDX-License-Identifier: Apache-2.0 */
/* SLUICE_SERVE=127.0.0.1:8390 tests/unit/test_http serves the fake station for looking at. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/http/bucket.h"
#include "gateway/http/guard.h"
#include "gateway/http/server.h"
#include "gateway/http/template.h"
#include "gateway/http/web.h"
#include "tests/unit/fake_station.h"
#include "tests/unit/folder.h"

enum { OZONE_ROWS = 600, OZONE_PERIOD_MS = 10000, GAS_COLUMNS = 6, ANSWER_MAX = 1 << 20 };

struct fixture {
    struct fake_station station;
    struct store *store;
    char folder[FOLDER_MAX];
    struct http *http;
    char body[ANSWER_MAX], head[8192];
    size_t body_size;
};

static struct fixture fixture;

/* ---- a log with two hours of ozone ---- */

static const char gas_dictionary[] =
    "{\"sf1\":1,\"station\":\"riverside-01\",\"period_ms\":10000,\"unit_ms\":1,\"channels\":["
    "{\"id\":\"roof-gas/ozone\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"},"
    "{\"id\":\"roof-gas/nitrogen_dioxide\",\"quantity\":\"nitrogen_dioxide\",\"unit\":\"ug/"
    "m3\"},"
    "{\"id\":\"roof-gas/sulfur_dioxide\",\"quantity\":\"sulfur_dioxide\",\"unit\":\"ug/m3\"},"
    "{\"id\":\"roof-gas/carbon_monoxide\",\"quantity\":\"carbon_monoxide\",\"unit\":\"mg/m3\"},"
    "{\"id\":\"x\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"},"
    "{\"id\":\"y\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"}]}";

static int open_log(struct fixture *f)
{
    char path[96], error[256];
    struct store_options o = {
        .path = path, .commit_ms = 1000, .seal_ms = 3600000, .seal_rows = 60, .speed = 1
    };

    snprintf(path, sizeof path, "%s/log.db", f->folder);
    return store_open(&o, NULL, NULL, &f->store, error, sizeof error);
}

static int64_t ozone_time(unsigned i)
{
    return FAKE_NOW_MS - (int64_t)(OZONE_ROWS - 1 - i) * OZONE_PERIOD_MS;
}

static int fill_log(struct fixture *f)
{
    struct series_cell cells[GAS_COLUMNS] = { 0 };
    struct store_batch *b;
    uint32_t stream;

    if (store_stream_open(f->store, "dev.roof-gas", GAS_COLUMNS, OZONE_PERIOD_MS, 1, NULL,
                          gas_dictionary, &stream) ||
        store_batch_begin(f->store, &b))
        return -1;
    for (unsigned i = 0; i < OZONE_ROWS; i++) {
        cells[0] = series_cell_of((struct decimal){ 500 + i, 1 }, 0);
        if (i == 3)
            cells[0].flag = verdict_to_flag((struct verdict){ STATUS_FAULT, GRADE_BAD, 0 });
        if (store_batch_row(b, stream, ozone_time(i), cells, GAS_COLUMNS))
            return -1;
    }
    f->station.channels[FAKE_OZONE].stream = stream;
    return store_batch_submit(b, STORE_AT_ONCE);
}

static int group_setup(void **state)
{
    struct fixture *f = &fixture;

    *state = f;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (!folder_make(f->folder) || fake_create(&f->station) || open_log(f) || fill_log(f))
        return -1;
    store_close(f->store); /* commits */
    return open_log(f);
}

static int group_teardown(void **state)
{
    struct fixture *f = *state;

    store_close(f->store);
    live_destroy(f->station.live);
    folder_remove(f->folder);
    curl_global_cleanup();
    return 0;
}

static int start(struct fixture *f, struct store *store)
{
    char error[256];

    return http_start("127.0.0.1:0", f->station.live, store, &f->http, error, sizeof error);
}

static int setup(void **state)
{
    struct fixture *f = *state;

    return start(f, f->store);
}

static int setup_without_log(void **state)
{
    struct fixture *f = *state;

    return start(f, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    http_stop(f->http);
    f->http = NULL;
    return 0;
}

/* ---- asking ---- */

static size_t take_body(char *data, size_t size, size_t n, void *user)
{
    struct fixture *f = user;

    if (f->body_size + size * n >= sizeof f->body)
        return 0;
    memcpy(f->body + f->body_size, data, size * n);
    f->body_size += size * n;
    f->body[f->body_size] = '\0';
    return size * n;
}

static size_t take_head(char *data, size_t size, size_t n, void *user)
{
    struct fixture *f = user;
    size_t have = strlen(f->head);

    snprintf(f->head + have, sizeof f->head - have, "%.*s", (int)(size * n), data);
    return size * n;
}

static CURL *prepare(struct fixture *f, const char *path)
{
    char url[2200];
    CURL *c = curl_easy_init();

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", http_port(f->http), path);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    f->body_size = 0;
    f->body[0] = f->head[0] = '\0';
    return c;
}

static long perform(CURL *c)
{
    long status = 0;

    if (curl_easy_perform(c) == CURLE_OK)
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(c);
    return status;
}

static long get(struct fixture *f, const char *path)
{
    return perform(prepare(f, path));
}

static json_t *get_json(struct fixture *f, const char *path)
{
    assert_int_equal(get(f, path), 200);
    json_t *root = json_loads(f->body, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

static int raw_connect(struct fixture *f)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_port(f->http)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = { .tv_sec = 5 };

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* The status of the answer to these bytes; 0 when the server hangs up without one. */
static int raw_status(struct fixture *f, const char *request)
{
    char answer[512] = "";
    int status = 0;
    int fd = raw_connect(f);

    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL),
                     (ssize_t)strlen(request));
    if (recv(fd, answer, sizeof answer - 1, 0) > 0)
        sscanf(answer, "HTTP/1.1 %d", &status);
    close(fd);
    return status;
}

/* ---- the page ---- */

static void the_page_has_names_and_values_without_a_script(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/"), 200);
    assert_non_null(strstr(f->body, "<h1>Riverside</h1>"));
    assert_non_null(strstr(f->body, "data-channel=\"roof-gas/ozone\" data-state=\"good\""));
    assert_non_null(
        strstr(f->body, "<span class=\"value\">0.2</span> <span class=\"unit\">mm"));
    assert_non_null(strstr(f->body, "Night noise over the limit"));
    assert_null(strstr(f->body, "{{"));
}

static void the_page_is_in_the_language_asked_for(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/?lang=zh"), 200);
    assert_non_null(strstr(f->body, "<html lang=\"zh-CN\">"));
    assert_non_null(strstr(f->body, "<h1>滨河站</h1>"));
    assert_non_null(strstr(f->body, "夜间噪声超标"));
    assert_null(strstr(f->body, "Station log"));
}

static void the_browser_s_language_decides_when_none_is_asked_for(void **state)
{
    struct fixture *f = *state;
    CURL *c = prepare(f, "/");
    struct curl_slist *h =
        curl_slist_append(NULL, "Accept-Language: fr, en;q=0.3, zh-CN;q=0.8");

    curl_easy_setopt(c, CURLOPT_HTTPHEADER, h);
    assert_int_equal(perform(c), 200);
    curl_slist_free_all(h);
    assert_non_null(strstr(f->body, "<html lang=\"zh-CN\">"));
}

static void names_are_escaped(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/"), 200);
    assert_null(strstr(f->body, "<after>"));
    assert_non_null(strstr(f->body, "River turbid &lt;after&gt; rain"));
    assert_non_null(strstr(f->body, "Spare &lt;probe&gt; &amp; &quot;case&quot;"));
}

static void every_answer_forbids_foreign_content(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = { "/", "/api/v1/now", "/assets/app.js", "/nothing",
                                         "/healthz" };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        get(f, paths[i]);
        assert_non_null(strstr(f->head, "Content-Security-Policy: default-src 'self'"));
        assert_non_null(strstr(f->head, "X-Content-Type-Options: nosniff"));
        assert_null(strstr(f->head, "Set-Cookie"));
    }
}

static void the_page_names_no_other_host(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/"), 200);
    assert_null(strstr(f->body, "src=\"http"));
    assert_null(strstr(f->body, "href=\"http"));
    assert_null(strstr(f->body, "style=\""));
    assert_null(strstr(f->body, "onclick"));
}

static void a_part_is_rendered_alone(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/part/devices?lang=zh"), 200);
    assert_non_null(strstr(f->body, "氨氮在线分析仪"));
    assert_null(strstr(f->body, "<html"));
    assert_int_equal(get(f, "/part/secrets"), 404);
}

static void indices_and_maintenance_are_shown_where_there_are_any(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/part/overview"), 200);
    assert_string_equal(f->body, "");
    fake_overview(&f->station);
    assert_int_equal(get(f, "/part/overview?lang=en"), 200);
    assert_non_null(strstr(f->body, "fill=\"#FFFF00\""));
    assert_non_null(strstr(f->body, "<b class=\"n\">74</b><span class=\"word\">Level II"));
    assert_non_null(strstr(f->body, "primary pollutant <b>PM10, PM2.5</b>"));
    assert_non_null(
        strstr(f->body, "HJ 633-2026, hour from <time datetime=\"2026-11-22T06:00"));
    assert_non_null(strstr(f->body, "NA</b><span class=\"word\">the first day is not over<"));
    assert_non_null(strstr(f->body, "<b>Gas analyser, roof</b>: under maintenance since"));
    assert_non_null(strstr(f->body, "16:54:56</time> · uid 1000 <span class=\"why\">new "
                                    "&lt;filter&gt;</span>"));
    assert_int_equal(get(f, "/part/overview?lang=zh"), 200);
    assert_non_null(strstr(f->body, "屋顶气体分析仪</b>: 维护中"));
    assert_non_null(strstr(f->body, "首要污染物 <b>PM10, PM2.5</b>"));
    assert_non_null(strstr(f->body, "首日尚未结束"));
    assert_int_equal(get(f, "/api/v1/now"), 200);
    assert_non_null(strstr(f->body, "\"maintenance\":[{\"device\":\"roof-gas\",\"names\":"));
    assert_non_null(strstr(f->body, "\"who\":\"uid 1000\",\"why\":\"new <filter>\"}]"));
}

static void assets_come_gzipped_and_revalidate(void **state)
{
    struct fixture *f = *state;
    char etag[64] = "", header[96];
    CURL *c = prepare(f, "/assets/app.js");

    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
    assert_int_equal(perform(c), 200);
    assert_non_null(strstr(f->head, "Content-Encoding: gzip"));
    assert_non_null(strstr(f->body, "EventSource"));
    assert_int_equal(sscanf(strstr(f->head, "ETag: "), "ETag: %63s", etag), 1);
    snprintf(header, sizeof header, "If-None-Match: %s", etag);
    struct curl_slist *h = curl_slist_append(NULL, header);
    c = prepare(f, "/assets/app.js");
    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, h);
    assert_int_equal(perform(c), 304);
    curl_slist_free_all(h);
    assert_int_equal(f->body_size, 0);
}

static void assets_are_inflated_for_those_who_need_it(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/assets/style.css"), 200);
    assert_null(strstr(f->head, "Content-Encoding"));
    assert_non_null(strstr(f->body, "prefers-color-scheme"));
}

static void the_chart_library_is_inside(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/assets/dygraph.min.js"), 200);
    assert_non_null(strstr(f->body, "Dygraph"));
    assert_int_equal(get(f, "/assets/dygraph.min.css"), 200);
}

static void the_web_files_stay_small(void **state)
{
    size_t size = 0;

    (void)state;
    for (size_t i = 0; i < web_files_n; i++)
        size += web_files[i].size;
    for (size_t i = 0; i < web_library_n; i++)
        size += web_library[i].size;
    for (size_t i = 0; i < web_texts_n; i++)
        size += web_texts[i].size;
    assert_true(size < 150000);
}

/* ---- the interfaces ---- */

static json_t *channel_of(json_t *now, const char *id)
{
    size_t i;
    json_t *c;

    json_array_foreach(json_object_get(now, "channels"), i,
                       c) if (strcmp(json_string_value(json_object_get(c, "id")), id) ==
                              0) return c;
    return NULL;
}

static void now_tells_everything_in_both_languages(void **state)
{
    struct fixture *f = *state;
    json_t *now = get_json(f, "/api/v1/now");
    json_t *c = channel_of(now, "roof-gas/sulfur_dioxide");

    assert_string_equal(json_string_value(json_object_get(c, "status")), "calibration");
    assert_string_equal(json_string_value(json_object_get(c, "unit")), "µg/m³");
    json_t *names = json_object_get(c, "names");
    assert_string_equal(json_string_value(json_object_get(names, "zh")), "二氧化硫");
    json_t *reason = json_array_get(json_object_get(c, "reasons"), 0);
    assert_non_null(json_string_value(json_object_get(reason, "zh")));
    assert_int_equal(json_array_size(json_object_get(now, "devices")), FAKE_DEVICES);
    assert_int_equal(json_array_size(json_object_get(now, "alerts")), 3);
    assert_int_equal(json_array_size(json_object_get(now, "uplinks")), 1);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(now, "log"), "samples")), 1284310);
    json_decref(now);
}

static void now_prints_values_digit_by_digit(void **state)
{
    struct fixture *f = *state;

    live_put_sample(
        f->station.live,
        &(struct sample){ .time_ms = FAKE_NOW_MS, .channel = 10, .value = { 1420, 2 } });
    assert_int_equal(get(f, "/api/v1/now"), 200);
    assert_non_null(strstr(f->body, "\"value\":14.20,\"decimals\":2"));
}

static void a_missing_value_is_null_with_its_reason(void **state)
{
    struct fixture *f = *state;
    json_t *now = get_json(f, "/api/v1/now");
    json_t *c = channel_of(now, "river-nh4/ammonia_nitrogen");

    assert_true(json_is_null(json_object_get(c, "value")));
    assert_string_equal(json_string_value(json_object_get(c, "grade")), "missing");
    assert_int_equal(json_array_size(json_object_get(c, "reasons")), 1);
    json_decref(now);
}

static void alerts_have_their_own_address(void **state)
{
    struct fixture *f = *state;
    json_t *root = get_json(f, "/api/v1/alerts");
    json_t *first = json_array_get(json_object_get(root, "alerts"), 0);

    assert_string_equal(json_string_value(json_object_get(first, "level")), "red");
    json_decref(root);
}

static void metrics_are_in_the_format_of_prometheus(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/metrics"), 200);
    assert_non_null(strstr(f->head, "text/plain; version=0.0.4"));
    assert_non_null(strstr(f->body, "# TYPE sluice_samples_total counter\n"
                                    "sluice_samples_total 1284310\n"));
    assert_non_null(strstr(f->body,
                           "sluice_device_up{device=\"river-nh4\",profile=\"hach-amtax\","
                           "bus=\"quay\"} 0\n"));
    assert_non_null(strstr(f->body, "sluice_uplink_backlog_entries{uplink=\"centre\","
                                    "kind=\"mqtt\"} 12\n"));
    assert_non_null(strstr(f->body, "sluice_log_commits_total "));
    assert_non_null(strstr(f->body, "sluice_alerts{level=\"red\"} 1\n"));
}

static void tells_how_busy_buses_are_and_how_evenly_polls_go_out(void **state)
{
    struct fixture *f = *state;
    const struct live_bus buses[] = { { "quay", 0.25, 61.5, 1230 },
                                      { "roof", (double)NAN, 0, 0 } };
    const struct live_polling polling = { .slot_mean = 0.5, .interval_max = 4 };

    assert_int_equal(live_put_polling(f->station.live, &polling, buses, 2), 0);
    assert_int_equal(get(f, "/metrics"), 200);
    assert_non_null(strstr(f->body, "sluice_bus_busy_ratio{bus=\"quay\"} 0.25\n"));
    assert_non_null(strstr(f->body, "sluice_bus_busy_ratio{bus=\"roof\"} NaN\n"));
    assert_non_null(strstr(f->body, "sluice_bus_requests_total{bus=\"quay\"} 1230\n"));
    assert_non_null(strstr(f->body, "sluice_poll_jitter_seconds_mean 0.0005\n"));
    json_t *now = get_json(f, "/api/v1/now");
    const json_t *bus = json_array_get(json_object_get(now, "buses"), 1);
    assert_true(json_is_null(json_object_get(bus, "busy")));
    const json_t *interval = json_object_get(json_object_get(now, "polling"), "interval_ms");
    assert_int_equal((int)json_number_value(json_object_get(interval, "max")), 4);
    json_decref(now);
}

static void health_is_one_word(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/healthz"), 200);
    assert_string_equal(f->body, "ok\n");
}

static void a_failing_log_is_not_healthy(void **state)
{
    struct fixture *f = *state;

    live_put_log(f->station.live, &(struct live_log){ .error = "disk full" });
    assert_int_equal(get(f, "/healthz"), 503);
    assert_string_equal(f->body, "log\n");
    fake_delivery(&f->station, 1284310);
}

static void a_main_loop_that_stands_still_is_not_healthy(void **state)
{
    struct fixture *f = *state;

    live_set_now(f->station.live, FAKE_NOW_MS);
    atomic_store(&f->http->moved_ms, mono_ms() - STALE_MS - 1);
    assert_int_equal(get(f, "/healthz"), 503);
    assert_string_equal(f->body, "stalled\n");
}

/* ---- history ---- */

static json_t *rows_of(json_t *history)
{
    return json_object_get(history, "rows");
}

static void history_gives_the_rows_as_stored(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/api/v1/history?channel=roof-gas/ozone&hours=2"), 200);
    assert_non_null(strstr(f->body, "\"columns\":[\"ms\",\"value\",\"grade\"]"));
    char first[64];
    snprintf(first, sizeof first, "[[%lld,50.0,\"good\"]", (long long)ozone_time(0));
    assert_non_null(strstr(f->body, first));
    json_t *root = json_loads(f->body, 0, NULL);
    assert_int_equal(json_array_size(rows_of(root)), OZONE_ROWS);
    assert_string_equal(json_string_value(json_array_get(json_array_get(rows_of(root), 3), 2)),
                        "bad");
    json_decref(root);
}

static void history_keeps_to_the_span(void **state)
{
    struct fixture *f = *state;
    json_t *root = get_json(f, "/api/v1/history?channel=roof-gas/ozone&hours=1");

    assert_int_equal(json_array_size(rows_of(root)), 361);
    json_decref(root);
}

static void history_is_thinned_by_mean_min_and_max(void **state)
{
    struct fixture *f = *state;
    json_t *root = get_json(f, "/api/v1/history?channel=roof-gas/ozone&hours=2&points=12");
    json_t *row = json_array_get(rows_of(root), 3);

    assert_in_range(json_array_size(rows_of(root)), 10, 12);
    assert_int_equal(json_array_size(row), 5);
    double mean = json_number_value(json_array_get(row, 1));
    assert_true(json_number_value(json_array_get(row, 2)) < mean);
    assert_true(json_number_value(json_array_get(row, 3)) > mean);
    json_decref(root);
}

static void history_refuses_what_it_does_not_know(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/api/v1/history"), 404);
    assert_int_equal(get(f, "/api/v1/history?channel=no/such"), 404);
    assert_int_equal(get(f, "/api/v1/history?channel=roof-gas/ozone&hours=0"), 400);
    assert_int_equal(get(f, "/api/v1/history?channel=roof-gas/ozone&hours=9999999999999"), 400);
    assert_int_equal(get(f, "/api/v1/history?channel=roof-gas/ozone&points=-1"), 400);
    assert_int_equal(get(f, "/api/v1/history?channel=roof-gas/ozone&points="), 400);
}

static void history_is_empty_without_a_log(void **state)
{
    struct fixture *f = *state;
    json_t *root = get_json(f, "/api/v1/history?channel=roof-gas/ozone");

    assert_int_equal(json_array_size(rows_of(root)), 0);
    json_decref(root);
}

static void history_takes_a_span_in_milliseconds(void **state)
{
    struct fixture *f = *state;
    char path[160];

    snprintf(path, sizeof path, "/api/v1/history?channel=roof-gas/ozone&from=%lld&to=%lld",
             (long long)ozone_time(10), (long long)ozone_time(20));
    json_t *root = get_json(f, path);
    assert_int_equal(json_array_size(rows_of(root)), 10);
    json_decref(root);
    assert_int_equal(get(f, "/api/v1/history?channel=roof-gas/ozone&from=x"), 400);
}

static void histories_of_several_channels_are_those_of_each(void **state)
{
    struct fixture *f = *state;
    json_t *one = get_json(f, "/api/v1/history?channel=roof-gas/ozone&hours=1&points=50");
    json_t *many = get_json(f, "/api/v1/histories?channel=roof-gas/ozone&channel=river/ph"
                               "&channel=roof-gas/ozone&hours=1&points=50");
    json_t *list = json_object_get(many, "histories");

    assert_int_equal(json_array_size(list), 3);
    assert_true(json_array_size(rows_of(one)) > 40);
    assert_true(json_equal(rows_of(json_array_get(list, 0)), rows_of(one)));
    assert_true(json_equal(rows_of(json_array_get(list, 2)), rows_of(one)));
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "channel")),
                        "river/ph");
    json_decref(one);
    json_decref(many);
}

static void histories_refuse_what_they_do_not_know(void **state)
{
    struct fixture *f = *state;
    char path[2048] = "/api/v1/histories?hours=1";

    assert_int_equal(get(f, "/api/v1/histories"), 404);
    assert_int_equal(get(f, "/api/v1/histories?channel=roof-gas/ozone&channel=no/such"), 404);
    assert_int_equal(get(f, "/api/v1/histories?channel=roof-gas/ozone&points=0"), 400);
    for (int i = 0; i < 33; i++)
        strncat(path, "&channel=river/ph", sizeof path - strlen(path) - 1);
    assert_true(get(f, path) >= 400);
}

/* ---- frames ---- */

/* Decodes what came; the times of its rows go to `times`. */
static size_t decode_frames(struct fixture *f, int64_t *times, size_t max, uint32_t *ret_layout)
{
    const uint8_t *p = (const uint8_t *)f->body, *end = p + f->body_size;
    struct series_decoder *d;
    struct series_frame frame;
    uint64_t size;
    size_t n = 0;

    assert_true(f->body_size >= 4);
    assert_memory_equal(p, "SF1\n", 4);
    assert_int_equal(series_decoder_create(&d), 0);
    for (p += 4; p < end; p += size) {
        size_t head = varint_get(p, (size_t)(end - p), &size);
        assert_true(head > 0 && size <= (size_t)(end - p) - head);
        p += head;
        assert_int_equal(series_decode(d, p, size, &frame), 0);
        *ret_layout = frame.info.layout;
        for (unsigned i = 0; i < frame.info.rows && n < max; i++)
            times[n++] = frame.time_ms[i];
    }
    series_decoder_destroy(d);
    return n;
}

static void frames_hold_the_rows_of_the_span_and_decode(void **state)
{
    struct fixture *f = *state;
    int64_t times[OZONE_ROWS];
    uint32_t layout = 0;
    char path[160];

    assert_int_equal(get(f, "/api/v1/frames?channel=roof-gas/ozone&hours=2"), 200);
    assert_non_null(strstr(f->head, "application/octet-stream"));
    assert_null(strstr(f->head, "Sluice-Next-From"));
    assert_int_equal(decode_frames(f, times, OZONE_ROWS, &layout), OZONE_ROWS);
    assert_int_equal(times[0], ozone_time(0));

    snprintf(path, sizeof path, "/api/v1/frames?channel=roof-gas/ozone&from=%lld&to=%lld",
             (long long)ozone_time(100), (long long)ozone_time(200));
    assert_int_equal(get(f, path), 200);
    size_t n = decode_frames(f, times, OZONE_ROWS, &layout);
    assert_in_range(n, 200, 300); /* from the key frame to the last that matters */

    snprintf(path, sizeof path, "/api/v1/layout?id=%08x", layout);
    json_t *root = get_json(f, path);
    assert_int_equal(json_array_size(json_object_get(root, "channels")), GAS_COLUMNS);
    json_decref(root);
}

static void frames_of_an_empty_span_are_an_empty_file(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/api/v1/frames?channel=roof-gas/ozone&from=1&to=2"), 200);
    assert_int_equal(f->body_size, 4);
}

static void frames_refuse_what_they_do_not_know(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/api/v1/frames"), 404);
    assert_int_equal(get(f, "/api/v1/frames?stream=no.such"), 404);
    assert_int_equal(get(f, "/api/v1/frames?channel=no/such"), 404);
    assert_int_equal(get(f, "/api/v1/frames?channel=roof-gas/ozone&hours=0"), 400);
    assert_int_equal(get(f, "/api/v1/frames?channel=roof-gas/ozone&from=-1"), 400);
    assert_int_equal(get(f, "/api/v1/frames?channel=roof-gas/ozone&to=99999999999999999999"),
                     400);
    assert_int_equal(get(f, "/api/v1/layout"), 400);
    assert_int_equal(get(f, "/api/v1/layout?id=1234567"), 400);
    assert_int_equal(get(f, "/api/v1/layout?id=1234567G"), 400);
    assert_int_equal(get(f, "/api/v1/layout?id=00000000"), 404);
}

static void frames_need_a_log(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/api/v1/frames?channel=roof-gas/ozone"), 404);
    assert_int_equal(get(f, "/api/v1/layout?id=00000000"), 404);
}

static void the_decoder_of_frames_is_served(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(get(f, "/sf1.js"), 200);
    assert_non_null(strstr(f->head, "text/javascript"));
    assert_non_null(strstr(f->body, "export class Decoder"));
}

static void a_bucket_without_usable_values_is_null(void **state)
{
    const struct row rows[] = { { 0, { 10, 1 }, GRADE_GOOD },
                                { 10, { 30, 1 }, GRADE_SUSPECT },
                                { 60, { 99, 1 }, GRADE_BAD } };
    struct buf b = BUF_INIT(4096);

    (void)state;
    buckets_put(&b, rows, 3, 0, 100, 2, 2);
    assert_string_equal(buf_text(&b),
                        "[25,2.00,1.0,3.0,\"suspect\"],[75,null,null,null,\"bad\"]");
    buf_done(&b);
}

/* ---- refusals ---- */

static void head_has_no_body(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = { "/",
                                         "/api/v1/now",
                                         "/metrics",
                                         "/api/v1/live",
                                         "/assets/app.js",
                                         "/api/v1/history?channel=roof-gas/ozone" };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        CURL *c = prepare(f, paths[i]);
        curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
        assert_int_equal(perform(c), 200);
        assert_int_equal(f->body_size, 0);
    }
}

static void other_methods_are_not_allowed(void **state)
{
    struct fixture *f = *state;
    static const char *const methods[] = {
        "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"
    };

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        CURL *c = prepare(f, "/api/v1/now");
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, methods[i]);
        assert_int_equal(perform(c), 405);
        assert_non_null(strstr(f->head, "Allow: GET, HEAD"));
    }
}

static void hostile_paths_find_nothing(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {
        "/nothing",
        "/assets/",
        "/assets/../http.c",
        "/assets/..%2f..%2fetc/passwd",
        "/assets/%2e%2e/en.json",
        "//",
        "/api/v1/now/",
        "/part/../",
        "/assets/page.html",
        "/assets/app.js%00.css/x",
        "/%ff%fe",
        "/api/v1/live/x",
    };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strcmp(paths[i], "/assets/app.js%00.css/x") != 0)
            assert_int_equal(get(f, paths[i]), 404);
        else
            assert_in_range(get(f, paths[i]), 200, 404);
}

static void ambiguous_lengths_are_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(raw_status(f, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
                                   "Content-Length: 5\r\n\r\nhello"),
                     400);
    assert_int_equal(raw_status(f, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                     400);
}

static void a_body_is_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        raw_status(f, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), 400);
    assert_int_equal(raw_status(f, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
                     200);
}

static void noise_does_not_hurt(void **state)
{
    struct fixture *f = *state;
    static char long_header[64 << 10];
    const char *const noises[] = { "\x16\x03\x01\x02\x01\x01 hello tls\r\n\r\n", "GET\r\n\r\n",
                                   "\r\n\r\n\r\n", " / HTTP/9.9\r\n:\r\n\r\n", long_header };

    int n = snprintf(long_header, sizeof long_header, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    memset(long_header + n, 'x', sizeof long_header - (size_t)n - 1);
    for (size_t i = 0; i < sizeof noises / sizeof *noises; i++) {
        int fd = raw_connect(f);
        (void)!send(fd, noises[i], strlen(noises[i]), MSG_NOSIGNAL);
        close(fd);
    }
    assert_int_equal(get(f, "/healthz"), 200);
}

static void an_exchange_that_never_ends_is_ended(void **state)
{
    struct fixture *f = *state;
    char byte;
    int fd = raw_connect(f);

    assert_int_equal(send(fd, "GET / HTTP/1.1\r\nHo", 18, MSG_NOSIGNAL), 18);
    while (guard_connections(f->http->guard) == 0)
        poll(NULL, 0, 1);
    guard_sweep(f->http->guard, -1);
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

/* ---- many, and streams ---- */

static void many_clients_are_served_at_once(void **state)
{
    struct fixture *f = *state;
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    int fds[60];
    char answer[16];

    for (size_t i = 0; i < 60; i++)
        fds[i] = raw_connect(f);
    for (size_t i = 0; i < 60; i++)
        assert_int_equal(send(fds[i], request, strlen(request), MSG_NOSIGNAL), strlen(request));
    for (size_t i = 0; i < 60; i++) {
        assert_int_equal(recv(fds[i], answer, 12, MSG_WAITALL), 12);
        assert_memory_equal(answer, "HTTP/1.1 200", 12);
        close(fds[i]);
    }
}

static int open_stream(struct fixture *f)
{
    static const char request[] = "GET /api/v1/live HTTP/1.1\r\nHost: a\r\n\r\n";
    int fd = raw_connect(f);

    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return fd;
}

static int status_of(int fd)
{
    char answer[16] = "";
    int status = 0;

    assert_int_equal(recv(fd, answer, 12, MSG_WAITALL), 12);
    sscanf(answer, "HTTP/1.1 %d", &status);
    return status;
}

static void streams_beyond_the_limit_are_told_to_come_back(void **state)
{
    struct fixture *f = *state;
    int fds[STREAMS_MAX];

    for (size_t i = 0; i < STREAMS_MAX; i++) {
        fds[i] = open_stream(f);
        assert_int_equal(status_of(fds[i]), 200);
    }
    int one_more = open_stream(f);
    assert_int_equal(status_of(one_more), 503);
    assert_int_equal(get(f, "/healthz"), 200);
    close(one_more);
    for (size_t i = 0; i < STREAMS_MAX; i++)
        close(fds[i]);
}

struct listener {
    struct fixture *fixture;
    bool has_put;
};

/* Puts a sample once the stream has said hello and ends the transfer when it has come. */
static size_t listen_for_sample(char *data, size_t size, size_t n, void *user)
{
    struct listener *l = user;
    struct fixture *f = l->fixture;

    size_t taken = take_body(data, size, n, f);
    if (!l->has_put && strstr(f->body, "event: samples")) {
        l->has_put = true;
        live_put_sample(f->station.live, &(struct sample){ .time_ms = FAKE_NOW_MS + 1,
                                                           .channel = FAKE_OZONE,
                                                           .value = { 123456, 2 } });
    }
    return strstr(f->body, "\"value\":1234.56") ? 0 : taken;
}

static void a_stream_brings_what_changes(void **state)
{
    struct fixture *f = *state;
    struct listener l = { .fixture = f };
    CURL *c = prepare(f, "/api/v1/live");

    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, listen_for_sample);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &l);
    assert_int_equal(curl_easy_perform(c), CURLE_WRITE_ERROR);
    curl_easy_cleanup(c);
    assert_non_null(strstr(f->head, "text/event-stream"));
    assert_non_null(strstr(f->body, "event: hello\n"));
    assert_non_null(strstr(f->body, "event: alerts\n"));
    assert_non_null(strstr(f->body, "event: devices\n"));
    assert_non_null(strstr(f->body, "event: delivery\n"));
    const char *news = strstr(f->body, "\"value\":1234.56");
    assert_null(strstr(news, "roof-gas/carbon_monoxide"));
    live_put_sample(
        f->station.live,
        &(struct sample){ .time_ms = FAKE_NOW_MS, .channel = FAKE_OZONE, .value = { 84, 0 } });
}

static void a_client_that_does_not_read_delays_nobody(void **state)
{
    struct fixture *f = *state;
    int mute = open_stream(f);
    int64_t before = mono_ms();

    for (int i = 0; i < 20; i++) {
        fake_samples(&f->station, FAKE_NOW_MS + i);
        assert_int_equal(get(f, "/api/v1/now"), 200);
    }
    assert_true(mono_ms() - before < 3000);
    close(mute);
}

static void stops_within_a_second_with_open_streams(void **state)
{
    struct fixture *f = *state;
    int fds[8];

    for (size_t i = 0; i < 8; i++) {
        fds[i] = open_stream(f);
        assert_int_equal(status_of(fds[i]), 200);
    }
    int64_t before = mono_ms();
    http_stop(f->http);
    f->http = NULL;
    assert_true(mono_ms() - before < 1000);
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
}

static void stops_while_history_is_asked_for(void **state)
{
    struct fixture *f = *state;
    static const char request[] =
        "GET /api/v1/history?channel=roof-gas/ozone&hours=2 HTTP/1.1\r\nHost: a\r\n\r\n";
    int fds[20];

    for (size_t i = 0; i < 20; i++) {
        fds[i] = raw_connect(f);
        assert_int_equal(send(fds[i], request, strlen(request), MSG_NOSIGNAL), strlen(request));
    }
    int64_t before = mono_ms();
    http_stop(f->http);
    f->http = NULL;
    assert_true(mono_ms() - before < 1000);
    for (size_t i = 0; i < 20; i++)
        close(fds[i]);
}

static void a_wrong_address_is_explained(void **state)
{
    struct fixture *f = *state;
    static const char *const wrong[] = { "",
                                         "8080",
                                         "127.0.0.1",
                                         "127.0.0.1:",
                                         "127.0.0.1:99999",
                                         "::1:80",
                                         "no.such.host:80",
                                         "127.0.0.1:80x" };
    struct http *h = NULL;
    char error[256];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error[0] = '\0';
        assert_true(http_start(wrong[i], f->station.live, NULL, &h, error, sizeof error) < 0);
        assert_non_null(strstr(error, "cannot listen on"));
        assert_null(h);
    }
}

static void a_taken_port_is_explained(void **state)
{
    struct fixture *f = *state;
    struct http *h = NULL;
    char listen[32], error[256];

    snprintf(listen, sizeof listen, "127.0.0.1:%u", http_port(f->http));
    assert_int_equal(http_start(listen, f->station.live, NULL, &h, error, sizeof error),
                     -EADDRINUSE);
    assert_non_null(strstr(error, "in use"));
}

/* ---- words and templates ---- */

static void both_languages_have_the_same_words(void **state)
{
    json_t *lang[2];
    static const char *const files[] = { "en.json", "zh.json" };
    const char *key;
    json_t *value;

    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct embedded_file *e = web_find(web_texts, web_texts_n, files[i]);
        lang[i] = json_loadb((const char *)e->data, e->size, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(lang[i]);
    }
    for (int i = 0; i < 2; i++)
        json_object_foreach(lang[i], key, value)
        {
            if (!json_object_get(lang[1 - i], key))
                fail_msg("%s lacks \"%s\"", files[1 - i], key);
            assert_true(strlen(json_string_value(value)) > 0);
        }
    json_decref(lang[0]);
    json_decref(lang[1]);
}

/* Every word that starts with `before` and ends with `after` in the text. */
static void check_words(const struct words *w, const char *file, const char *text,
                        const char *before, const char *after)
{
    char key[64];

    for (const char *p = text; (p = strstr(p, before));) {
        p += strlen(before);
        size_t n = strcspn(p, after);
        snprintf(key, sizeof key, "%.*s", (int)n, p);
        if (p[n] == *after && words_get(w, LANG_ZH, key) == key)
            fail_msg("%s uses the unknown word \"%s\"", file, key);
    }
}

static void every_word_used_is_known(void **state)
{
    struct words *w;
    static char text[64 << 10];
    static const char *const scripts[] = { "app.js", "chart.js" };
    const char *source = getenv("SLUICE_SOURCE");
    char path[512];

    (void)state;
    assert_int_equal(words_create(&w), 0);
    for (size_t i = 0; i < web_texts_n; i++)
        check_words(w, web_texts[i].name, (const char *)web_texts[i].data, "{{w.", "}");
    for (size_t i = 0; i < 2 && source; i++) {
        snprintf(path, sizeof path, "%s/gateway/http/web/%s", source, scripts[i]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        check_words(w, scripts[i], text, "word(\"", "\"");
    }
    words_destroy(w);
}

static void every_state_has_a_word(void **state)
{
    struct words *w;
    char key[64];

    (void)state;
    assert_int_equal(words_create(&w), 0);
    for (enum status s = STATUS_VALID + 1; s < STATUS_COUNT_; s++) {
        snprintf(key, sizeof key, "state.%s", status_id(s));
        assert_ptr_not_equal(words_get(w, LANG_EN, key), key);
    }
    for (enum grade g = 0; g < GRADE_COUNT_; g++) {
        snprintf(key, sizeof key, "state.%s", grade_id(g));
        assert_ptr_not_equal(words_get(w, LANG_EN, key), key);
    }
    words_destroy(w);
}

static void a_template_escapes_and_forgives(void **state)
{
    struct words *w;
    struct buf b = BUF_INIT(4096);
    const struct template_value values[] = { { "a", "<\"'&>" }, { "h", "<b>" }, { 0 } };

    (void)state;
    assert_int_equal(words_create(&w), 0);
    template_put(&b, "[{{a}}][{{{h}}}][{{none}}][{{w.level.red}}]{{open", values, w, LANG_EN);
    assert_string_equal(buf_text(&b), "[&lt;&quot;&#39;&amp;&gt;][<b>][][Red]{{open");
    buf_done(&b);
    words_destroy(w);
}

static void languages_are_chosen_by_weight(void **state)
{
    (void)state;
    assert_int_equal(lang_choose(NULL, NULL), LANG_EN);
    assert_int_equal(lang_choose("zh", "en"), LANG_ZH);
    assert_int_equal(lang_choose("xx", "zh-TW,zh;q=0.9,en;q=0.8"), LANG_ZH);
    assert_int_equal(lang_choose(NULL, "zh;q=0.5, en-GB;q=0.9"), LANG_EN);
    assert_int_equal(lang_choose(NULL, "zhx, , ;q=, en;q=9999999999"), LANG_EN);
    assert_int_equal(lang_choose(NULL, "zh;q=0"), LANG_EN);
}

/* ---- by hand ---- */

static int serve_for_people(const char *listen)
{
    struct fixture *f = &fixture;
    void *state;
    char error[256];

    if (group_setup(&state) ||
        http_start(listen, f->station.live, f->store, &f->http, error, sizeof error))
        return 1;
    for (int64_t i = 1;; i++) {
        poll(NULL, 0, 1000);
        live_set_now(f->station.live, FAKE_NOW_MS + i * 1000);
        fake_samples(&f->station, FAKE_NOW_MS + i * 1000);
        fake_delivery(&f->station, 1284310 + (uint64_t)i * 24);
    }
}

#define SERVED(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define LOGLESS(name) cmocka_unit_test_setup_teardown(name, setup_without_log, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(the_page_has_names_and_values_without_a_script),
        SERVED(the_page_is_in_the_language_asked_for),
        SERVED(the_browser_s_language_decides_when_none_is_asked_for),
        SERVED(names_are_escaped),
        SERVED(every_answer_forbids_foreign_content),
        SERVED(the_page_names_no_other_host),
        SERVED(a_part_is_rendered_alone),
        SERVED(indices_and_maintenance_are_shown_where_there_are_any),
        SERVED(assets_come_gzipped_and_revalidate),
        SERVED(assets_are_inflated_for_those_who_need_it),
        SERVED(the_chart_library_is_inside),
        cmocka_unit_test(the_web_files_stay_small),
        SERVED(now_tells_everything_in_both_languages),
        SERVED(now_prints_values_digit_by_digit),
        SERVED(a_missing_value_is_null_with_its_reason),
        SERVED(alerts_have_their_own_address),
        SERVED(metrics_are_in_the_format_of_prometheus),
        SERVED(tells_how_busy_buses_are_and_how_evenly_polls_go_out),
        SERVED(health_is_one_word),
        SERVED(a_failing_log_is_not_healthy),
        SERVED(a_main_loop_that_stands_still_is_not_healthy),
        SERVED(history_gives_the_rows_as_stored),
        SERVED(history_keeps_to_the_span),
        SERVED(history_is_thinned_by_mean_min_and_max),
        SERVED(history_refuses_what_it_does_not_know),
        LOGLESS(history_is_empty_without_a_log),
        SERVED(history_takes_a_span_in_milliseconds),
        SERVED(histories_of_several_channels_are_those_of_each),
        SERVED(histories_refuse_what_they_do_not_know),
        SERVED(frames_hold_the_rows_of_the_span_and_decode),
        SERVED(frames_of_an_empty_span_are_an_empty_file),
        SERVED(frames_refuse_what_they_do_not_know),
        LOGLESS(frames_need_a_log),
        SERVED(the_decoder_of_frames_is_served),
        cmocka_unit_test(a_bucket_without_usable_values_is_null),
        SERVED(head_has_no_body),
        SERVED(other_methods_are_not_allowed),
        SERVED(hostile_paths_find_nothing),
        SERVED(ambiguous_lengths_are_refused),
        SERVED(a_body_is_refused),
        SERVED(noise_does_not_hurt),
        SERVED(an_exchange_that_never_ends_is_ended),
        SERVED(many_clients_are_served_at_once),
        SERVED(streams_beyond_the_limit_are_told_to_come_back),
        SERVED(a_stream_brings_what_changes),
        SERVED(a_client_that_does_not_read_delays_nobody),
        SERVED(stops_within_a_second_with_open_streams),
        SERVED(stops_while_history_is_asked_for),
        SERVED(a_wrong_address_is_explained),
        SERVED(a_taken_port_is_explained),
        cmocka_unit_test(both_languages_have_the_same_words),
        cmocka_unit_test(every_word_used_is_known),
        cmocka_unit_test(every_state_has_a_word),
        cmocka_unit_test(a_template_escapes_and_forgives),
        cmocka_unit_test(languages_are_chosen_by_weight),
    };
    const char *listen = getenv("SLUICE_SERVE");

    if (listen)
        return serve_for_people(listen);
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
