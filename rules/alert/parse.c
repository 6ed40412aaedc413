/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a rule: delays, inputs, and the words for levels and transitions. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/alert/alert.h"
#include "sensors/core/words.h"

#define COUNT_MAX    32                  /* bits of the on and off histories */
#define DURATION_MAX INT64_C(2592000000) /* 30 days */

const char *const alert_direction_words[] = { "above", "below", "outside", "equal", NULL };

static const struct {
    const char *suffix;
    int64_t ms;
} time_units[] = {
    { "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};

/* Digits at *text; moves behind them and the blanks that follow. False when there are none. */
static bool take_number(const char **text, long *ret)
{
    char *end;

    if (!isdigit((unsigned char)**text))
        return false;
    errno = 0;
    long n = strtol(*text, &end, 10);
    if (errno)
        return false;
    *text = end + strspn(end, " ");
    *ret = n;
    return true;
}

static int parse_duration(long n, const char *suffix, int64_t *ret)
{
    for (size_t i = 0; i < sizeof time_units / sizeof time_units[0]; i++) {
        if (strcmp(suffix, time_units[i].suffix) != 0)
            continue;
        if (n > DURATION_MAX / time_units[i].ms)
            return -ERANGE;
        *ret = n * time_units[i].ms;
        return 0;
    }
    return -EINVAL;
}

static int parse_count(long m, long n, struct alert_delay *ret, char *why, size_t size)
{
    if (m < 1 || n < m || n > COUNT_MAX) {
        snprintf(why, size, "m of n needs 1 <= m <= n <= %d, got %ld of %ld", COUNT_MAX, m, n);
        return -EINVAL;
    }
    *ret = (struct alert_delay){ .m = (uint8_t)m, .n = (uint8_t)n };
    return 0;
}

int alert_delay_parse(const char *text, struct alert_delay *ret, char *why, size_t size)
{
    const char *at = text;
    long m = 0, n = 0;
    int64_t ms = 0;

    if (take_number(&at, &m)) {
        if (!*at)
            return parse_count(m, m, ret, why, size);
        if (strncmp(at, "of ", 3) == 0) {
            at += 3 + strspn(at + 3, " ");
            if (take_number(&at, &n) && !*at)
                return parse_count(m, n, ret, why, size);
        } else if (parse_duration(m, at, &ms) == 0) {
            /* No time at all is the first sample. */
            *ret = ms ? (struct alert_delay){ .duration_ms = ms }
                      : (struct alert_delay){ 1, 1, 0 };
            return 0;
        }
    }
    snprintf(why, size,
             "expected a count such as \"2 of 3\" or a duration such as 10min, got '%.32s'",
             text);
    return -EINVAL;
}

bool alert_delay_is_ok(const char *text, char *why, size_t size)
{
    struct alert_delay d;

    return alert_delay_parse(text, &d, why, size) == 0;
}

static const struct {
    const char *id, *en, *zh;
} levels[LEVEL_COUNT_] = {
    [LEVEL_NONE] = { "none", "none", "无" },
    [LEVEL_BLUE] = { "blue", "blue", "蓝色" },
    [LEVEL_YELLOW] = { "yellow", "yellow", "黄色" },
    [LEVEL_ORANGE] = { "orange", "orange", "橙色" },
    [LEVEL_RED] = { "red", "red", "红色" },
};

const char *alert_level_id(enum alert_level l)
{
    return (unsigned)l < LEVEL_COUNT_ ? levels[l].id : "";
}

const char *alert_level_name(enum alert_level l, const char *lang)
{
    if ((unsigned)l >= LEVEL_COUNT_)
        return "";
    return lang_is_zh(lang) ? levels[l].zh : levels[l].en;
}

const char *alert_transition_id(enum alert_transition t)
{
    static const char *const ids[] = {
        [ALERT_QUIET] = "quiet",
        [ALERT_RAISED] = "raised",
        [ALERT_UPGRADED] = "upgraded",
        [ALERT_DOWNGRADED] = "downgraded",
        [ALERT_CLEARED] = "cleared",
        [ALERT_CANNOT_JUDGE] = "cannot_judge",
        [ALERT_JUDGES_AGAIN] = "judges_again",
    };

    return (unsigned)t < sizeof ids / sizeof *ids ? ids[t] : "";
}
