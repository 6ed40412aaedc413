/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message is first taken apart into slices: bytes, the group that describes them and their
 * time. Slices of one time make one row.
 */
#include <string.h>

#include "sensors/payload/field.h"
#include "sensors/payload/lpp.h"
#include "sensors/payload/message.h"
#include "sensors/payload/number.h"
#include "sensors/payload/payload.h"

enum {
    SLICES_MAX = PAYLOAD_BYTES_MAX + 1
}; /* each takes a byte or more, and the message's own */

struct slice {
    const struct payload_group *group;
    const uint8_t *bytes;
    uint16_t n;
    int64_t age_ms, time_ms; /* as in struct payload_row */
};

struct slices {
    const struct payload_message *message;
    const uint8_t *bytes;
    size_t bytes_n;
    enum payload_outcome outcome;
    size_t n;
    struct slice slice[SLICES_MAX];
};

const char *payload_outcome_text(enum payload_outcome o, const char *lang)
{
    static const struct {
        const char *en, *zh;
    } texts[] = {
        [PAYLOAD_OK] = { "The message was decoded.", "报文已解码。" },
        [PAYLOAD_IGNORED] = { "The message carries no measurements.", "报文不含监测数据。" },
        [PAYLOAD_UNKNOWN] = { "The message, or a part of it, is none that the profile knows.",
                              "报文或其中一部分不在模板定义之内。" },
        [PAYLOAD_TRUNCATED] = { "The message ends before its values do.",
                                "报文不完整，末尾数据缺失。" },
        [PAYLOAD_INVALID] = { "The message contradicts the layout of its kind.",
                              "报文与模板定义的格式不符。" },
        [PAYLOAD_SCRIPT] = { "The message is decoded by a script.", "报文由脚本解码。" },
    };

    return !strcmp(lang, "zh") ? texts[o].zh : texts[o].en;
}

static void note(struct slices *s, enum payload_outcome o)
{
    s->outcome = s->outcome == PAYLOAD_OK ? o : s->outcome;
}

/* Unix seconds; a clock never set and an unwritten slot have no time. */
static bool read_time(const struct payload_group *g, const uint8_t *bytes, size_t n,
                      int64_t *ret_ms)
{
    uint64_t raw;

    if (!place_read(&g->time, bytes, n, &raw) || raw == 0 || raw == place_bits(&g->time) ||
        raw > UINT32_MAX)
        return false;
    *ret_ms = (int64_t)raw * 1000;
    return true;
}

static void add(struct slices *s, const struct payload_group *g, size_t at, size_t n,
                int64_t age_ms)
{
    struct slice slice = { g, s->bytes + at, (uint16_t)n, age_ms, INT64_MIN };

    if (g->has_time && !read_time(g, slice.bytes, n, &slice.time_ms))
        return;
    if (s->n < SLICES_MAX)
        s->slice[s->n++] = slice;
}

/* A value that is cut off, and all behind it, is left out. */
static bool is_whole(struct slices *s, size_t at, size_t n)
{
    if (at <= s->bytes_n && n <= s->bytes_n - at)
        return true;
    note(s, PAYLOAD_TRUNCATED);
    return false;
}

static void slice_blocks(struct slices *s)
{
    const struct payload_message *m = s->message;
    size_t at = m->start;
    uint64_t bits;

    if (!place_read(&m->bitmap, s->bytes, s->bytes_n, &bits)) {
        note(s, PAYLOAD_TRUNCATED);
        return;
    }
    if (m->groups_n < 64 && bits >> m->groups_n)
        note(s, PAYLOAD_UNKNOWN);
    for (size_t i = 0; i < m->groups_n; i++) {
        if (!(bits >> i & 1))
            continue;
        if (!is_whole(s, at, m->groups[i].size))
            return;
        add(s, &m->groups[i], at, m->groups[i].size, 0);
        at += m->groups[i].size;
    }
}

const struct payload_group *message_group(const struct payload_message *m, uint32_t key)
{
    for (size_t i = 0; i < m->groups_n; i++)
        if (m->groups[i].key == key)
            return &m->groups[i];
    return NULL;
}

/* The length of a value behind its key; false when nothing tells it. */
static bool value_length(const struct slices *s, const struct payload_group *g, uint32_t key,
                         size_t *at, size_t *ret)
{
    const struct lpp_type *t = s->message->form == FORM_LPP ? lpp_find((uint8_t)key) : NULL;

    if (s->message->has_length)
        *ret = s->bytes[(*at)++];
    else if (g)
        *ret = g->size;
    else if (t)
        *ret = lpp_bytes(t);
    else
        return false;
    return true;
}

static void slice_values(struct slices *s)
{
    const struct payload_message *m = s->message;
    size_t head = m->key_bytes + (m->has_length ? 1u : 0u), n;

    for (size_t at = m->start; at < s->bytes_n; at += n) {
        if (!is_whole(s, at, head))
            return;
        uint32_t key = 0;
        for (size_t i = 0; i < m->key_bytes; i++)
            key = key << 8 | s->bytes[at++];
        const struct payload_group *g = message_group(m, key);
        if (!value_length(s, g, key, &at, &n)) {
            note(s, PAYLOAD_UNKNOWN);
            return;
        }
        if (!is_whole(s, at, n))
            return;
        if (g)
            add(s, g, at, n, 0);
    }
}

/* How many records there are; fewer than announced are no more than those. */
static size_t count_records(struct slices *s)
{
    const struct payload_message *m = s->message;
    size_t size = m->groups[0].size;
    size_t rest = s->bytes_n > m->start ? s->bytes_n - m->start : 0;
    uint64_t n = rest / size;

    if (!m->has_count) {
        if (rest % size)
            note(s, PAYLOAD_TRUNCATED);
        return (size_t)n;
    }
    if (!place_read(&m->count, s->bytes, s->bytes_n, &n) || n > rest / size) {
        note(s, PAYLOAD_TRUNCATED);
        n = rest / size;
    }
    return (size_t)n;
}

static void slice_records(struct slices *s)
{
    const struct payload_message *m = s->message;
    size_t n = count_records(s), size = m->groups[0].size;
    int64_t step_ms = m->step_ms;
    uint64_t raw;

    if (m->has_step) {
        if (!place_read(&m->step, s->bytes, s->bytes_n, &raw)) {
            note(s, PAYLOAD_TRUNCATED);
            return;
        }
        /* 255 records of 2^16 days stay within 64 bits */
        step_ms *= (int64_t)(raw < UINT16_MAX ? raw : UINT16_MAX);
    }
    for (size_t i = 0; i < n; i++) {
        size_t from_newest = m->is_oldest_first ? n - 1 - i : i;
        add(s, &m->groups[0], m->start + i * size, size,
            (int64_t)(from_newest + !m->is_present) * step_ms);
    }
}

static void take_apart(struct slices *s)
{
    static void (*const take[])(struct slices * s) = { [FORM_BLOCKS] = slice_blocks,
                                                       [FORM_TLV] = slice_values,
                                                       [FORM_LPP] = slice_values,
                                                       [FORM_RECORDS] = slice_records };

    add(s, &s->message->body, 0, s->bytes_n, 0);
    if (take[s->message->form])
        take[s->message->form](s);
}

static bool is_now(const struct slice *s)
{
    return s->age_ms == 0 && s->time_ms == INT64_MIN;
}

static bool is_before(const struct slice *a, const struct slice *b)
{
    if (is_now(a) || is_now(b))
        return !is_now(a) && is_now(b);
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->age_ms > b->age_ms;
}

static bool is_same_moment(const struct slice *a, const struct slice *b)
{
    return a->time_ms == b->time_ms && a->age_ms == b->age_ms;
}

/* Oldest first, the present last; those of one time in the order of the message. */
static void sort(struct slices *s)
{
    for (size_t i = 1; i < s->n; i++) {
        struct slice one = s->slice[i];
        size_t k = i;
        for (; k > 0 && is_before(&one, &s->slice[k - 1]); k--)
            s->slice[k] = s->slice[k - 1];
        s->slice[k] = one;
    }
}

/* The first slice of the newest PAYLOAD_ROWS_MAX moments. */
static size_t first_of_rows(struct slices *s)
{
    size_t i = s->n, rows = 0;

    while (i > 0) {
        rows += i == s->n || !is_same_moment(&s->slice[i - 1], &s->slice[i]);
        if (rows > PAYLOAD_ROWS_MAX) {
            note(s, PAYLOAD_TRUNCATED);
            break;
        }
        i--;
    }
    return i;
}

/* One row out of the slices first..end; fields before flags, whose verdicts are for them. */
static void make_row(struct slices *s, struct payload_moment *m, size_t first, size_t end)
{
    bool is_read = true;

    moment_clear(m);
    for (size_t i = first; i < end; i++)
        is_read =
            moment_read(m, s->slice[i].group, s->slice[i].bytes, s->slice[i].n) && is_read;
    for (size_t i = first; i < end; i++)
        is_read =
            moment_judge(m, s->slice[i].group, s->slice[i].bytes, s->slice[i].n) && is_read;
    moment_finish(m);
    if (!is_read)
        note(s, PAYLOAD_TRUNCATED);
}

static void hand_over(const struct profile *p, struct slices *s,
                      void (*on_row)(void *user, const struct payload_row *row), void *user)
{
    struct reading readings[PROFILE_POINTS_MAX];
    uint8_t has[PROFILE_POINTS_MAX];
    struct payload_moment m = { .p = p, .readings = readings, .has = has };

    for (size_t first = first_of_rows(s), end; first < s->n; first = end) {
        const struct slice *one = &s->slice[first];
        for (end = first + 1; end < s->n && is_same_moment(one, &s->slice[end]);)
            end++;
        make_row(s, &m, first, end);
        struct payload_row row = { one->age_ms, one->time_ms, readings, has };
        if (m.has_any)
            on_row(user, &row);
    }
}

static bool holds(const struct payload_test *t, const uint8_t *bytes, size_t n)
{
    uint64_t raw;

    if (!place_read(&t->at, bytes, n, &raw))
        return false;
    for (size_t i = 0; i < t->equals_n; i++)
        if (t->equals[i] == raw)
            return true;
    return false;
}

static bool is_like(const struct payload_message *m, uint8_t fport, const uint8_t *bytes,
                    size_t n)
{
    if (m->first_fport && !(m->fport[fport / 8] >> fport % 8 & 1))
        return false;
    if (n < m->length_min || n > m->length_max)
        return false;
    for (size_t i = 0; i < m->test_n; i++)
        if (!holds(&m->test[i], bytes, n))
            return false;
    return true;
}

const struct payload_message *message_find(const struct payload *payload, uint8_t fport,
                                           const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < payload->messages_n; i++)
        if (is_like(&payload->messages[i], fport, bytes, n))
            return &payload->messages[i];
    return NULL;
}

enum payload_outcome payload_decode(const struct profile *p, uint8_t fport,
                                    const uint8_t *bytes, size_t n,
                                    void (*on_row)(void *user, const struct payload_row *row),
                                    void *user)
{
    struct slices s = { .bytes = bytes, .bytes_n = n };

    if (!p->payload)
        return PAYLOAD_UNKNOWN;
    if (p->payload->script)
        return PAYLOAD_SCRIPT;
    if (n > PAYLOAD_BYTES_MAX)
        return PAYLOAD_INVALID;
    s.message = message_find(p->payload, fport, bytes, n);
    if (!s.message || s.message->is_ignored)
        return s.message ? PAYLOAD_IGNORED : PAYLOAD_UNKNOWN;
    take_apart(&s);
    sort(&s);
    hand_over(p, &s, on_row, user);
    return s.outcome;
}
