/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Payloads and topics from a broker. The first byte chooses: 0 series message, 1
 * acknowledgement, 2 event, 3 topic. What is taken is written again and must be the same, or
 * say the same.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/uplink/line_parse.h"
#include "gateway/uplink/line_protocol.h"
#include "gateway/uplink/mqtt_message.h"
#include "gateway/uplink/mqtt_topic.h"
#include "tests/fuzz/fuzz.h"

#define EPOCH UINT64_C(0x0123456789abcdef)

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void fuzz_series(const uint8_t *data, size_t size)
{
    struct mqtt_series_reader r;
    struct mqtt_series_entry e;
    struct buf b = BUF_INIT(2 * size + 64);
    size_t taken = 0;
    int rc = mqtt_series_open(data, size, &r);

    if (rc < 0)
        return;
    mqtt_series_begin(&b, r.epoch);
    while ((rc = mqtt_series_next(&r, &e)) == 1) {
        require(e.frame >= data && e.frame + e.size <= data + size);
        mqtt_series_add(&b, e.seq, e.frame, e.size);
        taken++;
    }
    struct mqtt_series_reader again;
    struct mqtt_series_entry f;
    require(mqtt_series_open((uint8_t *)b.data, b.size, &again) == 0 && again.epoch == r.epoch);
    while (mqtt_series_next(&again, &f) == 1)
        taken--;
    require(taken == 0);
    buf_done(&b);
}

static bool is_sane(const struct uplink_acks *a)
{
    if (a->acked_n > MQTT_ACK_RANGES || a->need_n > MQTT_ACK_NEEDS)
        return false;
    for (size_t i = 0; i < a->acked_n; i++)
        if (a->acked[i].from == 0 || a->acked[i].from > a->acked[i].to)
            return false;
    return true;
}

static void fuzz_ack(const uint8_t *data, size_t size)
{
    struct uplink_acks a = { .acked_n = 0 }, same = { .acked_n = 0 };
    struct buf b = BUF_INIT(MQTT_ACK_MAX);

    if (mqtt_ack_parse((const char *)data, size, EPOCH, &a) < 0) {
        require(a.acked_n == 0 && a.need_n == 0);
        return;
    }
    require(is_sane(&a));
    const struct mqtt_ack again = { .epoch = EPOCH,
                                    .acked = a.acked,
                                    .acked_n = a.acked_n,
                                    .need = a.need,
                                    .need_n = a.need_n };
    mqtt_ack_write(&b, &again);
    require(!b.has_failed && mqtt_ack_parse(b.data, b.size, EPOCH, &same) == 0);
    require(a.acked_n == same.acked_n && a.need_n == same.need_n);
    require(memcmp(a.acked, same.acked, a.acked_n * sizeof a.acked[0]) == 0);
    require(memcmp(a.need, same.need, a.need_n * sizeof a.need[0]) == 0);
    buf_done(&b);
}

/* Whatever an event says, our lines of it can be read. */
static void fuzz_event(const uint8_t *data, size_t size)
{
    uint64_t epoch, seq;
    struct line_counts c;
    struct line_parser q;
    struct line_point p;
    struct buf b = BUF_INIT(1 << 16);

    mqtt_event_parse((const char *)data, size, &epoch, &seq);
    require(line_write_event(&b, (const char *)data, size, "station", INT64_MAX, &c) == 0);
    require((c.lines == 0) == (b.size == 0));
    if (b.size > 0) {
        require(line_parser_init(&q, b.data, b.size) == 0);
        require(line_parse_next(&q, &p) == 1 && p.has_time && p.fields_n > 0);
        require(line_parse_next(&q, &p) == 0);
        line_parser_done(&q);
    }
    buf_done(&b);
}

static void fuzz_topic(const uint8_t *data, size_t size)
{
    struct mqtt_topic t;
    char text[MQTT_TOPIC_MAX];

    if (mqtt_topic_parse((const char *)data, size, &t) < 0)
        return;
    require(mqtt_topic_print(&t, text) == 0);
    require(strlen(text) == size && memcmp(text, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(const uint8_t *, size_t) = { fuzz_series, fuzz_ack, fuzz_event,
                                                              fuzz_topic };

    if (size > 0)
        parts[data[0] % (sizeof parts / sizeof parts[0])](data + 1, size - 1);
    return 0;
}
