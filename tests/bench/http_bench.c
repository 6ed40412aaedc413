/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_bench [DAYS] - the page's interfaces over a log with one-minute means of 20 channels,
 * each codec once: all channels thinned to 700 points in one answer, one channel, and the
 * stored frames with decoding them.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/http/http.h"

enum { CHANNELS = 20, DAY_ROWS = 1440, SEAL_ROWS = 60, DAYS_MAX = 31, ID_MAX = 32 };

#define T0 INT64_C(1700006400000)

struct bench {
    char ids[CHANNELS][ID_MAX];
    struct channel channels[CHANNELS];
    struct channel_stream stream;
    struct channel_table table;
    struct live_station station;
    struct store *store;
    struct live *live;
    struct http *http;
    struct buf body;
    unsigned days;
};

static void die(const char *what)
{
    fprintf(stderr, "http_bench: %s\n", what);
    exit(1);
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

/* A slow drift with noise in the last digits, as means have. */
static void fill(struct bench *b)
{
    struct timespec pause = { .tv_nsec = 1000000 };
    int64_t level[CHANNELS] = { 0 };
    uint64_t seed = 1;

    for (unsigned m = 0; m < b->days * DAY_ROWS; m++) {
        struct series_cell cells[CHANNELS];
        struct store_batch *batch;
        for (unsigned c = 0; c < CHANNELS; c++) {
            level[c] += (int64_t)(next_random(&seed) % 9) - 4;
            cells[c] = (struct series_cell){ .v = 20000 + level[c], .e = (int8_t)(c % 3 + 1) };
        }
        do {
            if (store_batch_begin(b->store, &batch) < 0 ||
                store_batch_row(batch, b->stream.number, T0 + m * INT64_C(60000), cells,
                                CHANNELS) < 0)
                die("no memory");
        } while (store_batch_submit(batch, STORE_WITH_INTERVAL) < 0 &&
                 nanosleep(&pause, NULL) == 0);
    }
}

static void describe(struct bench *b)
{
    struct buf dictionary = BUF_INIT(1 << 16);

    buf_puts(&dictionary, "{\"sf1\":1,\"station\":\"bench\",\"channels\":[");
    for (unsigned c = 0; c < CHANNELS; c++) {
        snprintf(b->ids[c], ID_MAX, "bench/x%u@1min", c);
        b->channels[c] = (struct channel){ .id = b->ids[c],
                                           .device = "bench",
                                           .point = "x",
                                           .statistic = "1min",
                                           .quantity = quantity_find("ozone"),
                                           .period_ms = 60000,
                                           .decimals = -1,
                                           .column = c,
                                           .source = c };
        buf_printf(&dictionary, "%s{\"id\":\"%s\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"}",
                   c ? "," : "", b->ids[c]);
    }
    buf_puts(&dictionary, "]}");
    if (store_stream_open(b->store, "stat.1min.0", CHANNELS, 60000, 60000, NULL,
                          buf_text(&dictionary), &b->stream.number) < 0)
        die("the stream does not open");
    for (unsigned c = 0; c < CHANNELS; c++)
        b->channels[c].stream = b->stream.number;
    buf_done(&dictionary);
}

static size_t take(char *data, size_t size, size_t n, void *user)
{
    buf_put(user, data, size * n);
    return size * n;
}

static void get(struct bench *b, CURL *c, const char *path)
{
    char url[2048];
    long status = 0;

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", http_port(b->http), path);
    buf_clear(&b->body);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &b->body);
    if (curl_easy_perform(c) != CURLE_OK)
        die("no answer");
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        die(buf_text(&b->body));
}

static uint64_t decode(const struct bench *b)
{
    const uint8_t *p = (const uint8_t *)b->body.data + 4;
    const uint8_t *end = (const uint8_t *)b->body.data + b->body.size;
    struct series_decoder *d;
    struct series_frame f;
    uint64_t size, cells = 0;

    if (series_decoder_create(&d) < 0)
        die("no memory");
    for (; p < end; p += size) {
        p += varint_get(p, (size_t)(end - p), &size);
        if (series_decode(d, p, size, &f) < 0)
            die("a frame does not decode");
        cells += (uint64_t)f.info.rows * f.info.columns;
    }
    series_decoder_destroy(d);
    return cells;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void measure(struct bench *b, const char *codec)
{
    char many[2048], one[256], frames[256];
    size_t n = (size_t)snprintf(many, sizeof many, "/api/v1/histories?hours=%u", b->days * 24);
    CURL *c = curl_easy_init();

    for (unsigned i = 0; i < CHANNELS; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "&channel=%s", b->ids[i]);
    snprintf(one, sizeof one, "/api/v1/histories?hours=%u&channel=%s", b->days * 24, b->ids[0]);
    snprintf(frames, sizeof frames, "/api/v1/frames?hours=%u&channel=%s", b->days * 24,
             b->ids[0]);
    double t = seconds();
    get(b, c, many);
    printf("%s: %u channels, %u days of minutes: %.3f s, %zu kB of JSON\n", codec, CHANNELS,
           b->days, seconds() - t, b->body.size >> 10);
    t = seconds();
    get(b, c, one);
    printf("  one channel: %.3f s\n", seconds() - t);
    t = seconds();
    get(b, c, frames);
    double got = seconds() - t;
    uint64_t cells = decode(b);
    printf("  frames: %.3f s for %zu kB; with decoding %" PRIu64 " values %.3f s\n", got,
           b->body.size >> 10, cells, seconds() - t);
    curl_easy_cleanup(c);
}

static void run(struct bench *b, const char *folder, const char *codec, unsigned dense)
{
    static const char *const ends[] = { "", "-mark", "-wal", "-shm", "-ballast" };
    char path[300], other[320], error[256] = "";

    snprintf(path, sizeof path, "%s/%s.db", folder, codec);
    const struct store_options o = { .path = path,
                                     .commit_ms = 1000,
                                     .seal_ms = 3600000,
                                     .seal_rows = SEAL_ROWS,
                                     .dense_columns_max = dense,
                                     .speed = 1 };
    if (store_open(&o, NULL, NULL, &b->store, error, sizeof error) < 0)
        die(error);
    describe(b);
    fill(b);
    store_close(b->store);
    if (store_open(&o, NULL, NULL, &b->store, error, sizeof error) < 0 ||
        http_start("127.0.0.1:0", b->live, b->store, &b->http, error, sizeof error) < 0)
        die(error);
    measure(b, codec);
    http_stop(b->http);
    store_close(b->store);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(other, sizeof other, "%s%s", path, ends[i]);
        unlink(other);
    }
}

int main(int argc, char **argv)
{
    static struct bench b;
    char folder[] = "/tmp/sluice-bench-XXXXXX";
    unsigned long days = argc > 1 ? strtoul(argv[1], NULL, 10) : 30;

    b.days = days < 1 || days > DAYS_MAX ? DAYS_MAX : (unsigned)days;
    b.body = BUF_INIT(64 << 20);
    b.station = (struct live_station){
        .id = "bench", .en = "", .zh = "", .region = "", .zone = "", .version = ""
    };
    b.stream =
        (struct channel_stream){ .name = "stat.1min.0", .n = CHANNELS, .period_ms = 60000 };
    b.table = (struct channel_table){ .station = "bench",
                                      .channels = b.channels,
                                      .n = CHANNELS,
                                      .streams = &b.stream,
                                      .streams_n = 1 };
    if (!mkdtemp(folder) || live_create(&b.station, &b.table, NULL, 0, &b.live) < 0)
        die("no memory");
    live_set_now(b.live, T0 + (int64_t)b.days * 86400000);
    run(&b, folder, "dense", UINT32_MAX);
    run(&b, folder, "plain", 0);
    rmdir(folder);
    live_destroy(b.live);
    buf_done(&b.body);
    return 0;
}
