/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/status_clock.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"

#define SHOWN_S 1 /* smaller differences are no news */

static const struct {
    const char *id, *en, *zh;
} states[] = {
    { "waiting", "not believed yet, samples wait for their time", "尚不可信，数据等待对时" },
    { "guessed", "not synchronised, times are a guess", "未同步，时间为估计值" },
    { "unsynchronised", "the system's, which nobody synchronises: offset unknown",
      "采用系统时钟，无人同步，偏差未知" },
    { "holdover", "synchronised before, going on by itself", "曾同步，目前自行走时" },
    { "synchronised", "synchronised", "已同步" },
    { "fast", "fast, of a demonstration", "演示用快速时钟" },
};

static const char *state_name(const char *id)
{
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i].id, id) == 0)
            return say(states[i].en, states[i].zh);
    }
    return id;
}

static long long number_of(const json_t *clock, const char *key)
{
    return (long long)json_integer_value(json_object_get(clock, key));
}

void status_print_clock(const json_t *clock)
{
    const char *state = json_string_value(json_object_get(clock, "state"));

    if (!state)
        return;
    printf("%s: %s", say("Clock", "时钟"), state_name(state));
    double error_s = (double)number_of(clock, "error_ms") / 1000;
    double offset_s = (double)number_of(clock, "offset_ms") / 1000;
    if (json_is_integer(json_object_get(clock, "error_ms")))
        printf("%s %.3f s", say(", within", "，误差不超过"), error_s);
    if (json_is_true(json_object_get(clock, "refused")))
        printf("%s", say(", the system's clock cannot be right", "，系统时钟不可信"));
    if (offset_s < -SHOWN_S || offset_s > SHOWN_S)
        printf("%s %+.0f s", say(", the system's differs by", "，系统时钟相差"), offset_s);
    if (number_of(clock, "steps") > 0)
        printf("%s %lld", say(", steps:", "，跳变次数："), number_of(clock, "steps"));
    if (number_of(clock, "held") > 0)
        printf("%s %lld", say(", rows that wait:", "，等待的数据行："),
               number_of(clock, "held"));
    puts("");
}
