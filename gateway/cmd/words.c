/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "rules/alert/alert.h"
#include "sensors/core/status.h"

const char *word_of_status(const char *id)
{
    for (enum status s = 0; say_zh() && s < STATUS_COUNT_; s++) {
        if (strcmp(status_id(s), id) == 0)
            return status_name(s, "zh");
    }
    return id;
}

const char *word_of_grade(const char *id)
{
    for (enum grade g = 0; say_zh() && g < GRADE_COUNT_; g++) {
        if (strcmp(grade_id(g), id) == 0)
            return grade_name(g, "zh");
    }
    return id;
}

const char *word_of_level(const char *id)
{
    for (enum alert_level l = LEVEL_NONE; say_zh() && l < LEVEL_COUNT_; l++) {
        if (strcmp(alert_level_id(l), id) == 0)
            return alert_level_name(l, "zh");
    }
    return id;
}

const char *word_of_transition(const char *id)
{
    static const struct {
        enum alert_transition t;
        const char *zh;
    } words[] = {
        { ALERT_RAISED, "发布" },           { ALERT_UPGRADED, "升级" },
        { ALERT_DOWNGRADED, "降级" },       { ALERT_CLEARED, "解除" },
        { ALERT_CANNOT_JUDGE, "无法判断" }, { ALERT_JUDGES_AGAIN, "恢复判断" },
    };

    for (size_t i = 0; say_zh() && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(alert_transition_id(words[i].t), id) == 0)
            return words[i].zh;
    }
    return id;
}

void put_reason_ids(struct buf *b, uint32_t reasons, const char *quote, const char *comma)
{
    const char *between = "";

    for (uint32_t bit = 1; bit && bit <= reasons; bit <<= 1) {
        if (!(reasons & bit) || !reason_id(bit))
            continue;
        buf_printf(b, "%s%s%s%s", between, quote, reason_id(bit), quote);
        between = comma;
    }
}
