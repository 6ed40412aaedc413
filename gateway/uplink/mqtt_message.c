/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/mqtt_message.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/series/series.h"

/* ---- series ---- */

void mqtt_series_begin(struct buf *b, uint64_t epoch)
{
    uint8_t head[MQTT_SERIES_HEAD] = { MQTT_SERIES_FIRST };

    for (int i = 0; i < 8; i++)
        head[1 + i] = (uint8_t)(epoch >> 8 * i);
    buf_put(b, head, sizeof head);
}

void mqtt_series_add(struct buf *b, uint64_t seq, const uint8_t *frame, size_t size)
{
    buf_varint(b, seq);
    buf_varint(b, size);
    buf_put(b, frame, size);
}

int mqtt_series_open(const uint8_t *data, size_t size, struct mqtt_series_reader *ret)
{
    uint64_t epoch = 0;

    if (size < MQTT_SERIES_HEAD || data[0] != MQTT_SERIES_FIRST)
        return -EINVAL;
    for (int i = 0; i < 8; i++)
        epoch |= (uint64_t)data[1 + i] << 8 * i;
    *ret = (struct mqtt_series_reader){ data + MQTT_SERIES_HEAD, data + size, epoch };
    return 0;
}

int mqtt_series_next(struct mqtt_series_reader *r, struct mqtt_series_entry *ret)
{
    uint64_t seq, size;

    if (r->p == r->end)
        return 0;
    size_t seq_n = varint_get(r->p, (size_t)(r->end - r->p), &seq);
    if (seq_n == 0 || seq == 0)
        return -EINVAL;
    size_t size_n = varint_get(r->p + seq_n, (size_t)(r->end - r->p) - seq_n, &size);
    if (size_n == 0)
        return -EINVAL;
    const uint8_t *frame = r->p + seq_n + size_n;
    if (size > SERIES_FRAME_MAX || size > (size_t)(r->end - frame))
        return -EINVAL;
    *ret = (struct mqtt_series_entry){ seq, frame, (size_t)size };
    r->p = frame + size;
    return 1;
}

/* ---- acknowledgement ---- */

static void write_refused(struct buf *b, const struct mqtt_refused *list, size_t n)
{
    for (size_t i = 0; i < n && i < MQTT_ACK_REFUSED; i++) {
        buf_printf(b, "%s{\"seq\":%" PRIu64 ",\"why\":", i ? "," : ",\"refused\":[",
                   list[i].seq);
        buf_json(b, list[i].why);
        buf_puts(b, "}");
    }
    if (n > 0)
        buf_puts(b, "]");
}

void mqtt_ack_write(struct buf *b, const struct mqtt_ack *a)
{
    buf_printf(b, "{\"epoch\":\"%016" PRIx64 "\",\"seq\":[", a->epoch);
    for (size_t i = 0; i < a->acked_n && i < MQTT_ACK_RANGES; i++)
        buf_printf(b, "%s[%" PRIu64 ",%" PRIu64 "]", i ? "," : "", a->acked[i].from,
                   a->acked[i].to);
    buf_puts(b, "],\"need\":[");
    for (size_t i = 0; i < a->need_n && i < MQTT_ACK_NEEDS; i++)
        buf_printf(b, "%s{\"stream\":%" PRIu32 ",\"segment\":%" PRIu32 ",\"from\":%" PRIu32 "}",
                   i ? "," : "", a->need[i].stream, a->need[i].segment,
                   a->need[i].from_frame_seq);
    buf_puts(b, "]");
    write_refused(b, a->refused, a->refused_n);
    buf_puts(b, "}");
}

/* "<16 hex>", lower case as everywhere in the contract. */
static bool read_epoch(json_t *v, uint64_t *ret)
{
    uint64_t epoch = 0;

    if (!json_is_string(v) || json_string_length(v) != 16)
        return false;
    for (const char *p = json_string_value(v); *p; p++) {
        static const char digits[] = "0123456789abcdef";
        const char *found = strchr(digits, *p);
        if (!found)
            return false;
        epoch = epoch << 4 | (uint64_t)(found - digits);
    }
    *ret = epoch;
    return true;
}

static bool read_number(json_t *v, uint64_t least, uint64_t most, uint64_t *ret)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    uint64_t n = (uint64_t)json_integer_value(v);
    if (n < least || n > most)
        return false;
    *ret = n;
    return true;
}

static int read_ranges(json_t *list, struct uplink_acks *acks)
{
    size_t n = json_array_size(list);

    if (n > MQTT_ACK_RANGES)
        return -EINVAL;
    if (n > sizeof acks->acked / sizeof acks->acked[0] - acks->acked_n)
        return -ENOSPC;
    for (size_t i = 0; i < n; i++) {
        json_t *pair = json_array_get(list, i);
        struct uplink_range r;
        if (json_array_size(pair) != 2 ||
            !read_number(json_array_get(pair, 0), 1, INT64_MAX, &r.from) ||
            !read_number(json_array_get(pair, 1), r.from, INT64_MAX, &r.to))
            return -EINVAL;
        acks->acked[acks->acked_n++] = r;
    }
    return 0;
}

static int read_needs(json_t *list, struct uplink_acks *acks)
{
    size_t n = json_array_size(list);

    if (n > MQTT_ACK_NEEDS)
        return -EINVAL;
    if (n > sizeof acks->need / sizeof acks->need[0] - acks->need_n)
        return -ENOSPC;
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_array_get(list, i);
        uint64_t stream, segment, from;
        if (!read_number(json_object_get(o, "stream"), 0, UINT32_MAX, &stream) ||
            !read_number(json_object_get(o, "segment"), 0, UINT32_MAX, &segment) ||
            !read_number(json_object_get(o, "from"), 0, SERIES_SEQ_MAX, &from))
            return -EINVAL;
        acks->need[acks->need_n++] =
            (struct uplink_need){ (uint32_t)stream, (uint32_t)segment, (uint32_t)from };
    }
    return 0;
}

static int read_refused(json_t *list, struct uplink_acks *acks)
{
    size_t n = json_array_size(list);

    if (n > MQTT_ACK_REFUSED)
        return -EINVAL;
    if (n > sizeof acks->refused / sizeof acks->refused[0] - acks->refused_n)
        return -ENOSPC;
    for (size_t i = 0; i < n; i++) {
        json_t *o = json_array_get(list, i);
        const char *why = json_string_value(json_object_get(o, "why"));
        struct uplink_refusal *r = &acks->refused[acks->refused_n];
        *r = (struct uplink_refusal){ .verdict = UPLINK_REFUSED };
        if (!why || !read_number(json_object_get(o, "seq"), 1, INT64_MAX, &r->entries.from))
            return -EINVAL;
        r->entries.to = r->entries.from;
        snprintf(r->text, sizeof r->text, "the centre refuses it: %s", why);
        acks->refused_n++;
    }
    return 0;
}

static int read_ack(json_t *root, uint64_t epoch, struct uplink_acks *acks)
{
    uint64_t of;

    if (!read_epoch(json_object_get(root, "epoch"), &of))
        return -EINVAL;
    if (of != epoch)
        return -ESTALE;
    size_t acked_n = acks->acked_n, need_n = acks->need_n, refused_n = acks->refused_n;
    int rc = read_ranges(json_object_get(root, "seq"), acks);
    if (rc == 0)
        rc = read_needs(json_object_get(root, "need"), acks);
    if (rc == 0)
        rc = read_refused(json_object_get(root, "refused"), acks);
    if (rc < 0) {
        acks->acked_n = acked_n;
        acks->need_n = need_n;
        acks->refused_n = refused_n;
    }
    return rc;
}

int mqtt_ack_parse(const char *json, size_t size, uint64_t epoch, struct uplink_acks *acks)
{
    json_error_t error;

    if (size > MQTT_ACK_MAX)
        return -EINVAL;
    json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return -EINVAL;
    int rc = read_ack(root, epoch, acks);
    json_decref(root);
    return rc;
}

/* ---- event, status ---- */

int mqtt_event_parse(const char *json, size_t size, uint64_t *ret_epoch, uint64_t *ret_seq)
{
    json_error_t error;
    json_t *root = json_loadb(json, size, 0, &error);
    uint64_t epoch, seq;

    bool is_good = root && read_epoch(json_object_get(root, "epoch"), &epoch) &&
                   read_number(json_object_get(root, "seq"), 1, INT64_MAX, &seq);
    json_decref(root);
    if (!is_good)
        return -EINVAL;
    *ret_epoch = epoch;
    *ret_seq = seq;
    return 0;
}

void mqtt_status_write(struct buf *b, const char *state, uint64_t epoch)
{
    buf_printf(b, "{\"state\":\"%s\",\"epoch\":\"%016" PRIx64 "\",\"software\":\"sluice\"}",
               state, epoch);
}
