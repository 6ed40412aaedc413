/* SPDX-License-Identifier: Apache-2.0 */
/* What was told of an episode before: an update that goes out to others names what it updates.
 */
#include "gateway/alerts/internal.h"

enum { TOLD_MAX = 32 }; /* of one episode; then the oldest but the first are forgotten */

static const char *level_id(uint8_t level)
{
    return alert_level_id((enum alert_level)level);
}

void episode_told(struct episode *e, const char *what, int64_t time_ms)
{
    const struct life *l = &e->life;
    const char *quiet = episode_quiet(e);

    if (!e->told)
        e->told = json_array();
    if (json_array_size(e->told) == TOLD_MAX)
        json_array_remove(e->told, 1);
    /* without memory a reference is missing, and nothing else */
    json_array_append_new(
        e->told, json_pack("[I,I,s,s,s,s,s]", (json_int_t)l->number, (json_int_t)time_ms, what,
                           level_id(l->level), level_id(l->peak),
                           life_verdict_id((enum life_verdict)l->verdict), quiet ? quiet : ""));
}

json_t *episode_earlier(const struct episode *e)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(e->told); i++) {
        json_t *one = json_array_get(e->told, i);
        if (json_integer_value(json_array_get(one, 0)) < (json_int_t)e->life.number)
            json_array_append(list, one);
    }
    return list;
}
