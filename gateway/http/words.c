/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/words.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/http/web.h"

static const char *const ids[LANG_COUNT_] = { "en", "zh" };
static const char *const files[LANG_COUNT_] = { "en.json", "zh.json" };

struct words {
    json_t *lang[LANG_COUNT_];
};

static json_t *load(const char *name)
{
    const struct embedded_file *f = web_find(web_texts, web_texts_n, name);
    const char *key;
    json_t *value;

    json_t *root =
        f ? json_loadb((const char *)f->data, f->size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_object_foreach(root, key, value)
    {
        if (!json_is_string(value)) {
            json_decref(root);
            return NULL;
        }
    }
    return root;
}

int words_create(struct words **ret)
{
    struct words *w = calloc(1, sizeof *w);

    if (!w)
        return -ENOMEM;
    for (int i = 0; i < LANG_COUNT_; i++) {
        w->lang[i] = load(files[i]);
        if (!w->lang[i]) {
            words_destroy(w);
            return -EINVAL;
        }
    }
    *ret = w;
    return 0;
}

void words_destroy(struct words *w)
{
    if (!w)
        return;
    for (int i = 0; i < LANG_COUNT_; i++)
        json_decref(w->lang[i]);
    free(w);
}

const char *words_get(const struct words *w, enum lang lang, const char *key)
{
    const char *text = json_string_value(json_object_get(w->lang[lang], key));

    return text ? text : key;
}

const char *lang_id(enum lang lang)
{
    return ids[lang];
}

/* "q=0.8" of one item of Accept-Language in thousandths; 1000 when it has none. */
static int weight(const char *item, size_t size)
{
    const char *q = memmem(item, size, "q=", 2);
    int w = 0, unit = 1000;

    if (!q)
        return 1000;
    for (q += 2; q < item + size && (isdigit((unsigned char)*q) || *q == '.'); q++) {
        if (*q == '.')
            continue;
        w += (*q - '0') * unit;
        unit /= 10;
    }
    return w > 1000 ? 1000 : w;
}

enum lang lang_choose(const char *query, const char *accept_language)
{
    enum lang best = LANG_EN;
    int best_weight = 0;

    for (enum lang i = 0; query && i < LANG_COUNT_; i++)
        if (strcmp(query, ids[i]) == 0)
            return i;
    for (const char *p = accept_language; p && *p;) {
        p += strspn(p, " \t,");
        size_t size = strcspn(p, ",");
        for (enum lang i = 0; i < LANG_COUNT_; i++) {
            bool is_it =
                size >= 2 && strncasecmp(p, ids[i], 2) == 0 && !isalnum((unsigned char)p[2]);
            if (is_it && weight(p, size) > best_weight) {
                best_weight = weight(p, size);
                best = i;
            }
        }
        p += size;
    }
    return best;
}
