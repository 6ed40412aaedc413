/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile with a payload as text, then, behind a NUL, the port and the bytes of a message.
 * What loads decodes any message into rows in order of their time, and what it read it can
 * write again and read back as a message of its own. The bytes are the result of a script too.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_load.h"
#include "sensors/payload/layout.h"
#include "sensors/payload/payload.h"
#include "tests/fuzz/fuzz.h"

enum { VALUES_MAX = 16, PATH_BYTES = 24 };

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

struct seen {
    const struct profile *p;
    size_t rows;
    int64_t last_ms; /* of the row before */
    double value[PROFILE_POINTS_MAX];
};

static void check_row(void *user, const struct payload_row *row)
{
    struct seen *s = user;
    bool has_any = false;
    char text[DECIMAL_TEXT_MAX];

    require(++s->rows <= PAYLOAD_ROWS_MAX + 1 && row->age_ms >= 0);
    for (size_t i = 0; i < s->p->points_n; i++) {
        const struct reading *r = &row->readings[i];
        require(decimal_print(r->value, text) < sizeof text);
        require(r->verdict.status < STATUS_COUNT_ && r->verdict.grade < GRADE_COUNT_);
        require((r->verdict.grade == GRADE_MISSING) == !decimal_has_value(r->value));
        has_any = has_any || row->has[i];
        if (row->has[i])
            s->value[i] = decimal_to_double(r->value);
    }
    require(has_any);
    if (row->time_ms != INT64_MIN && s->last_ms != INT64_MIN)
        require(row->time_ms >= s->last_ms);
    s->last_ms = row->time_ms;
}

static struct seen begin(const struct profile *p)
{
    struct seen s = { .p = p, .last_ms = INT64_MIN };

    for (size_t i = 0; i < PROFILE_POINTS_MAX; i++)
        s.value[i] = (double)NAN;
    return s;
}

static void decode_and_encode(const struct profile *p, uint8_t fport, const uint8_t *bytes,
                              size_t n)
{
    struct seen s = begin(p), again = begin(p);
    uint8_t out[PAYLOAD_BYTES_MAX], port;

    enum payload_outcome o = payload_decode(p, fport, bytes, n, check_row, &s);
    require(o <= PAYLOAD_SCRIPT && (o == PAYLOAD_SCRIPT) == (payload_script(p) != NULL));
    int size = payload_encode(p, s.value, &port, out, sizeof out);
    require(size <= PAYLOAD_BYTES_MAX);
    require(size >= 0 || size == -ENOTSUP || size == -ENOSPC);
    if (size >= 0)
        payload_decode(p, port, out, (size_t)size, check_row, &again);
}

/* Paths of the profile itself with indices in place of [], and values out of the bytes. */
static void map_script(const struct profile *p, const uint8_t *bytes, size_t n)
{
    static const char *const texts[] = { "on", "21.3", "2026-05-01T10:00:00Z", "", "true" };
    const struct payload_script *script = p->payload->script;
    struct payload_value values[VALUES_MAX];
    char path[VALUES_MAX][PATH_BYTES + 8];
    struct seen s = begin(p);
    size_t values_n = 0;

    for (size_t i = 0; i + 2 < n && values_n < VALUES_MAX; i += 3, values_n++) {
        bool is_time = script->times && bytes[i] & 1;
        const char *from =
            is_time ? script->times : script->paths[bytes[i] % script->paths_n].path;
        const char *at = strstr(from, "[]");
        size_t head = at ? (size_t)(at - from) : strlen(from);
        if (head > PATH_BYTES / 2)
            return;
        snprintf(path[values_n], sizeof path[0], "%.*s%s%.12s", (int)head, from,
                 at ? "[1]" : "", at ? at + 2 : "");
        struct decimal d = { bytes[i + 2] * 10000000, 0 };
        values[values_n] =
            (struct payload_value){ path[values_n], bytes[i + 1] % 3,
                                    bytes[i + 1] % 3 == PAYLOAD_BOOL ? 1 : decimal_to_double(d),
                                    d, texts[bytes[i + 2] % 5] };
    }
    payload_map(p, values, values_n, check_row, &s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    size_t text_n = nul ? (size_t)(nul - data) : size;
    struct diag *d;

    require(diag_create(&d) == 0);
    struct profile *p = profile_load_text("fuzz.yaml", (const char *)data, text_n, d);
    require(!p == (diag_errors(d) > 0));
    const uint8_t *bytes = nul ? nul + 1 : data;
    size_t n = nul ? size - text_n - 1 : 0;
    if (p && p->payload && n > 0)
        decode_and_encode(p, bytes[0], bytes + 1, n - 1);
    if (p && p->payload && payload_script(p))
        map_script(p, bytes, n);
    profile_destroy(p);
    diag_destroy(d);
    return 0;
}
