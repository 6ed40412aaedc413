/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_bench LOG URL PACE_MS ACK_MS - a row of standard input every PACE_MS into a log with a
 * frame for each, delivered by the uplink `mqtt` as on a metered link (topic alias, rare
 * acknowledgements). A line: time in ms, then the values. Ends when all is acknowledged; says
 * on standard output how many rows have been delivered, once a row.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/forward/forward.h"

enum { COLUMNS_MAX = 64, LINE_MAX_BYTES = 4096, DRAIN_MS = 30000 };

static struct forward *forward; /* the callback of the log has no other way to it */

static void on_commit(void *user, const struct store_commit *c)
{
    (void)user;
    if (forward)
        forward_wake(forward, c->seq_last);
}

static void on_status(void *user, const struct forward_status *s)
{
    *(volatile uint64_t *)user = s->acked_seq;
}

static unsigned read_row(char *line, int64_t *time_ms, struct series_cell *cells)
{
    unsigned n = 0;
    char *save = NULL;
    char *word = strtok_r(line, " \n", &save);

    *time_ms = word ? strtoll(word, NULL, 10) : 0;
    while ((word = strtok_r(NULL, " \n", &save)) && n < COLUMNS_MAX) {
        struct decimal d;
        if (decimal_parse(word, strlen(word), &d) < 0)
            return 0;
        cells[n++] = series_cell_of(d, 0);
    }
    return n;
}

static int open_stream(struct store *s, unsigned columns, uint32_t *ret)
{
    struct buf b = BUF_INIT(64 << 10);

    buf_puts(&b, "{\"sf1\":1,\"station\":\"load-01\",\"period_ms\":60000,\"unit_ms\":1000,"
                 "\"channels\":[");
    for (unsigned i = 0; i < columns; i++)
        buf_printf(&b, "%s{\"id\":\"dev/c%u\",\"quantity\":\"ozone\",\"unit\":\"ug/m3\"}",
                   i ? "," : "", i);
    buf_puts(&b, "]}");
    int rc = store_stream_open(s, "dev", columns, 60000, 1000, NULL, buf_text(&b), ret);
    buf_done(&b);
    return rc;
}

static void *options_of(const struct uplink_kind *kind, const char *url, int64_t ack_ms)
{
    char *o = calloc(1, kind->options_size);

    for (const struct field *f = kind->options; o && f->name; f++) {
        if (strcmp(f->name, "url") == 0)
            *(const char **)(o + f->offset) = url;
        else if (strcmp(f->name, "ack_interval") == 0)
            *(int64_t *)(o + f->offset) = ack_ms;
        else if (strcmp(f->name, "keepalive") == 0)
            *(int64_t *)(o + f->offset) = 3600000;
        else if (strcmp(f->name, "topic_alias") == 0)
            *(bool *)(o + f->offset) = true;
    }
    return o;
}

static int put_row(struct store *s, uint32_t stream, int64_t time_ms,
                   const struct series_cell *cells, unsigned columns)
{
    struct store_batch *b;
    int rc = store_batch_begin(s, &b);

    if (rc == 0)
        rc = store_batch_row(b, stream, time_ms, cells, columns);
    return rc == 0 ? store_batch_submit(b, STORE_AT_ONCE) : rc;
}

int main(int argc, char **argv)
{
    char line[LINE_MAX_BYTES], error[256];
    struct series_cell cells[COLUMNS_MAX];
    volatile uint64_t acked = 0;
    uint32_t stream = 0;
    uint64_t rows = 0;
    int64_t time_ms;

    if (argc != 5) {
        fprintf(stderr, "wire_bench LOG URL PACE_MS ACK_MS\n");
        return 2;
    }
    const struct store_options so = { .path = argv[1],
                                      .commit_ms = 50,
                                      .seal_ms = 3600000,
                                      .seal_rows = 1,
                                      .dense_columns_max = COLUMNS_MAX,
                                      .speed = 1 };
    struct store *store;
    if (store_open(&so, on_commit, NULL, &store, error, sizeof error) < 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    const struct uplink_kind *mqtt = uplink_kind_find("mqtt");
    const struct forward_uplink fu = { .id = "centre",
                                       .kind = mqtt,
                                       .options = options_of(mqtt, argv[2],
                                                             strtoll(argv[4], NULL, 10)) };
    const struct forward_options fo = {
        .store = store,
        .station = { .id = "load-01", .region = "demo", .epoch = store_epoch(store) },
        .uplinks = &fu,
        .uplinks_n = 1,
        .on_status = on_status,
        .user = (void *)(uintptr_t)&acked,
    };
    int rc = forward_create(&fo, &forward);
    while (rc == 0 && fgets(line, sizeof line, stdin)) {
        unsigned columns = read_row(line, &time_ms, cells);
        if (columns > 0 && stream == 0)
            rc = open_stream(store, columns, &stream);
        if (rc == 0 && columns > 0)
            rc = put_row(store, stream, time_ms, cells, columns);
        printf("%" PRIu64 "\n", ++rows);
        fflush(stdout);
        usleep((useconds_t)strtoll(argv[3], NULL, 10) * 1000);
    }
    int64_t until = mono_ms() + DRAIN_MS;
    while (rc == 0 && acked < rows && mono_ms() < until)
        usleep(50000);
    printf("acked %" PRIu64 " of %" PRIu64 "\n", (uint64_t)acked, rows);
    forward_destroy(forward);
    forward = NULL;
    store_close(store);
    free((void *)(uintptr_t)fu.options);
    return rc == 0 && acked >= rows ? 0 : 1;
}
