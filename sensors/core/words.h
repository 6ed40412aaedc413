/* SPDX-License-Identifier: Apache-2.0 */
/* words - lists of words separated by single blanks, as the tables of this folder hold them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* True when `word` stands in `list`; NULL is the empty list. */
static inline bool words_have(const char *list, const char *word)
{
    const size_t len = strlen(word);

    for (const char *p = list; p && *p && len; p += *p == ' ') {
        const size_t n = strcspn(p, " ");
        if (n == len && memcmp(p, word, n) == 0)
            return true;
        p += n;
    }
    return false;
}

/* True for "zh", "zh-CN", "zh_CN.UTF-8"; everything else, NULL too, is served in English. */
static inline bool lang_is_zh(const char *lang)
{
    return lang && strncmp(lang, "zh", 2) == 0;
}
