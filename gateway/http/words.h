/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words - the page's texts in zh and en, from web/zh.json and web/en.json as embedded at build.
 * Constant after loading; any thread.
 */
#pragma once

#include <stddef.h>

enum lang { LANG_EN, LANG_ZH, LANG_COUNT_ };

struct words;

/* 0, -ENOMEM, or -EINVAL when a dictionary is not a flat JSON object of texts. */
int words_create(struct words **ret);
void words_destroy(struct words *w);

/* The key itself when the dictionary lacks it. */
const char *words_get(const struct words *w, enum lang lang, const char *key);

const char *lang_id(enum lang lang); /* "en", "zh" */

/* ?lang= wins, then Accept-Language by its weights; English when nothing fits. Both may be
 * NULL. */
enum lang lang_choose(const char *query, const char *accept_language);
