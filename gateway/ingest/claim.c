/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ingest/claim.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLAIM_MAX = 512 };

void claim_write(struct buf *b, const struct claim *c)
{
    buf_printf(b, "{\"id\":\"%016" PRIx64 "\",\"start\":%" PRId64 ",\"region\":", c->id,
               c->start_ms);
    buf_json(b, c->region);
    buf_printf(b, ",\"shards\":\"%016" PRIx64 "\"}", c->shards);
}

static bool read_hex(json_t *v, uint64_t *ret)
{
    const char *text = json_string_value(v);

    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    *ret = strtoull(text, NULL, 16);
    return true;
}

int claim_parse(const char *json, size_t size, struct claim *ret)
{
    json_t *root = size <= CLAIM_MAX ? json_loadb(json, size, 0, NULL) : NULL;
    const char *region = json_string_value(json_object_get(root, "region"));
    json_t *start = json_object_get(root, "start");
    struct claim c = { .start_ms = json_integer_value(start) };

    bool is_good = region && strlen(region) < sizeof c.region && json_is_integer(start) &&
                   read_hex(json_object_get(root, "id"), &c.id) &&
                   read_hex(json_object_get(root, "shards"), &c.shards);
    if (is_good)
        snprintf(c.region, sizeof c.region, "%s", region);
    json_decref(root);
    if (!is_good)
        return -EINVAL;
    *ret = c;
    return 0;
}

static bool has_region(const struct claim *a, const char *region)
{
    return !a->region[0] || strcmp(a->region, region) == 0;
}

enum claim_verdict claim_judge(const struct claim *ours, const struct claim *heard)
{
    bool covers = has_region(heard, ours->region) && !(ours->shards & ~heard->shards);
    bool meets = (has_region(heard, ours->region) || has_region(ours, heard->region)) &&
                 (ours->shards & heard->shards);
    bool is_later = heard->start_ms != ours->start_ms ? heard->start_ms > ours->start_ms
                                                      : heard->id > ours->id;

    if (heard->id == ours->id || !meets)
        return CLAIM_NONE;
    if (!is_later)
        return CLAIM_ASSERT;
    return covers ? CLAIM_YIELD : CLAIM_SHARED;
}
