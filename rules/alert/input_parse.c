/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rules/agg/plan.h"
#include "rules/alert/alert.h"
#include "rules/alert/input.h"

#define WINDOW_MAX_MS INT64_C(604800000) /* a week */

static const struct {
    const char *word;
    enum alert_input_kind kind;
} windows[] = {
    { "rate", ALERT_RATE },
    { "residual", ALERT_RESIDUAL },
    { "cusum", ALERT_CUSUM },
    { "forecast", ALERT_FORECAST },
};

static int refuse(const char *text, char *why, size_t size)
{
    snprintf(why, size,
             "expected raw, event, a statistic such as mean(1h), max(1h) or l10(1h), or "
             "rate(10min), residual(24h), cusum(24h) or forecast(2h), got '%.32s'",
             text);
    return -EINVAL;
}

static int parse_window(const char *inside, struct alert_input *ret, char *why, size_t size)
{
    struct alert_delay d;

    if (alert_delay_parse(inside, &d, why, size) < 0 || d.n != 0) {
        snprintf(why, size, "expected a duration such as 10min, got '%.32s'", inside);
        return -EINVAL;
    }
    if (d.duration_ms > WINDOW_MAX_MS) {
        snprintf(why, size, "expected a week at most, got '%.32s'", inside);
        return -ERANGE;
    }
    ret->window_ms = d.duration_ms;
    return 0;
}

/* "mean(1h)" is "1h", "max(1h)" "1h.max". */
static int parse_statistic(const char *figure, const char *period, struct alert_input *ret,
                           char *why, size_t size)
{
    const bool is_plain = strcmp(figure, "mean") == 0;
    char text[64];
    struct agg_want w;

    snprintf(text, sizeof text, "%.20s%s%.20s", period, is_plain ? "" : ".",
             is_plain ? "" : figure);
    if (agg_want_parse(text, &w, why, size) < 0)
        return -EINVAL;
    ret->kind = ALERT_STATISTIC;
    ret->window_ms = agg_periods[w.period].ms;
    agg_want_name(w, ret->statistic);
    return 0;
}

int alert_input_parse(const char *text, struct alert_input *ret, char *why, size_t size)
{
    const char *open = strchr(text, '(');
    const size_t n = strlen(text);
    char word[16], inside[32];
    struct alert_input in = *ret;

    in.kind = strcmp(text, "event") == 0 ? ALERT_EVENT : ALERT_RAW;
    in.window_ms = 0;
    in.statistic[0] = '\0';
    if (in.kind == ALERT_EVENT || strcmp(text, "raw") == 0) {
        *ret = in;
        return 0;
    }
    if (!open || text[n - 1] != ')' || open - text >= (int)sizeof word ||
        n - (size_t)(open - text) - 2 >= sizeof inside)
        return refuse(text, why, size);
    snprintf(word, sizeof word, "%.*s", (int)(open - text), text);
    snprintf(inside, sizeof inside, "%.*s", (int)(n - (size_t)(open - text) - 2), open + 1);
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        if (strcmp(word, windows[i].word) == 0)
            in.kind = windows[i].kind;
    const int rc = in.kind == ALERT_RAW ? parse_statistic(word, inside, &in, why, size)
                                        : parse_window(inside, &in, why, size);
    if (rc < 0)
        return in.kind == ALERT_RAW ? refuse(text, why, size) : rc;
    *ret = in;
    return 0;
}

bool alert_input_is_ok(const char *text, char *why, size_t size)
{
    struct alert_input in = { .k = NAN };

    return alert_input_parse(text, &in, why, size) == 0;
}
