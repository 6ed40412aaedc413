/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/conf/profile_read.h"

enum { TEXT_MAX = 4096 }; /* joined sources of one profile */

static bool expected(struct profile_reader *r, struct fy_node *node, enum diag_code code,
                     const char *what)
{
    char shown[DIAG_SHOWN_BYTES];

    yaml_error(r->y, r->d, node, code, "expected %s, found %s", what, yaml_shown(node, shown));
    return false;
}

static bool is_listed(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (!strcmp(*words, word))
            return true;
    return false;
}

bool profile_read_keys(struct profile_reader *r, struct fy_node *node, const char *what,
                       const char *const *allowed)
{
    struct fy_node_pair *pair;
    void *state = NULL;

    if (!node || !fy_node_is_mapping(node))
        return expected(r, node, E_KIND, "a mapping");
    bool is_ok = true;
    while ((pair = fy_node_mapping_iterate(node, &state))) {
        struct fy_node *key = fy_node_pair_key(pair);
        const char *text = yaml_text(key);
        char shown[DIAG_SHOWN_BYTES];
        if (text && is_listed(text, allowed))
            continue;
        const char *near = text ? nearest_word(text, allowed) : NULL;
        yaml_error(r->y, r->d, key, E_UNKNOWN_KEY, "unknown key %s of %s%s%s%s",
                   yaml_shown(key, shown), what, near ? ", did you mean '" : "",
                   near ? near : "", near ? "'?" : "");
        is_ok = false;
    }
    return is_ok;
}

bool profile_read_list(struct profile_reader *r, struct fy_node *node, size_t max)
{
    if (!node || !fy_node_is_sequence(node))
        return expected(r, node, E_KIND, "a list");
    if ((size_t)fy_node_sequence_item_count(node) <= max)
        return true;
    yaml_error(r->y, r->d, node, E_RANGE, "more than %zu entries in this list", max);
    return false;
}

bool profile_read_text(struct profile_reader *r, struct fy_node *node, const char **ret)
{
    const char *text = yaml_text(node);
    char *copy;

    if (!text || !*text)
        return expected(r, node, E_KIND, "a text");
    copy = arena_text(r->arena, text, strlen(text));
    if (!copy) {
        yaml_error(r->y, r->d, node, E_FILE, "no memory to read the profile");
        return false;
    }
    *ret = copy;
    return true;
}

bool profile_read_id(struct profile_reader *r, struct fy_node *node, bool has_dash,
                     const char **ret)
{
    const char *text = yaml_text(node);
    const char *more = has_dash ? "-" : "_";
    size_t n = text ? strlen(text) : 0;
    bool is_ok =
        n > 0 && n <= 64 &&
        (islower((unsigned char)text[0]) || (has_dash && isdigit((unsigned char)text[0])));

    for (size_t i = 0; is_ok && i < n; i++)
        is_ok = islower((unsigned char)text[i]) || isdigit((unsigned char)text[i]) ||
                text[i] == *more;
    if (!is_ok)
        return expected(r, node, E_VALUE,
                        has_dash ? "an id of small letters, digits and '-', at most 64"
                                 : "an id of small letters, digits and '_' that begins with a "
                                   "letter, at most 64");
    return profile_read_text(r, node, ret);
}

bool profile_read_texts(struct profile_reader *r, struct fy_node *node, const char *joint,
                        const char **ret)
{
    struct fy_node *item;
    void *state = NULL;
    const char *text;

    if (node && !fy_node_is_sequence(node))
        return profile_read_text(r, node, ret);
    if (!profile_read_list(r, node, 64))
        return false;
    struct buf b = BUF_INIT(TEXT_MAX);
    bool is_ok = true;
    while ((item = fy_node_sequence_iterate(node, &state))) {
        if (!profile_read_text(r, item, &text)) {
            is_ok = false;
            continue;
        }
        buf_puts(&b, b.size ? joint : "");
        buf_puts(&b, text);
    }
    const char *joined = buf_text(&b);
    if (is_ok && (!joined || !*joined))
        is_ok = expected(r, node, E_VALUE, "one text or more, 4096 characters in all");
    if (is_ok)
        *ret = arena_text(r->arena, joined, b.size);
    buf_done(&b);
    return is_ok && *ret;
}

bool profile_read_bool(struct profile_reader *r, struct fy_node *node, bool *ret)
{
    const char *text = yaml_text(node);

    if (!text || (strcmp(text, "true") && strcmp(text, "false")))
        return expected(r, node, E_VALUE, "true or false");
    *ret = !strcmp(text, "true");
    return true;
}

/* Decimal or 0x..., the whole text. */
static bool scan_int(const char *text, int64_t *ret)
{
    const char *digits = text && *text == '-' ? text + 1 : text;
    bool is_hex = digits && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    char *end;

    if (!digits || !isxdigit((unsigned char)digits[is_hex ? 2 : 0]))
        return false;
    errno = 0;
    long long v = strtoll(text, &end, is_hex ? 16 : 10);
    if (errno || *end)
        return false;
    *ret = v;
    return true;
}

bool profile_read_int(struct profile_reader *r, struct fy_node *node, int64_t min, int64_t max,
                      int64_t *ret)
{
    int64_t v;
    char shown[DIAG_SHOWN_BYTES];

    if (!scan_int(yaml_text(node), &v))
        return expected(r, node, E_VALUE, "a whole number");
    if (v < min || v > max) {
        yaml_error(r->y, r->d, node, E_RANGE, "expected %lld to %lld, found %s", (long long)min,
                   (long long)max, yaml_shown(node, shown));
        return false;
    }
    *ret = v;
    return true;
}

bool profile_read_bits(struct profile_reader *r, struct fy_node *node, uint64_t *ret)
{
    const char *text = yaml_text(node);
    bool is_hex = text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *end;

    if (!text || !isxdigit((unsigned char)text[is_hex ? 2 : 0]))
        return expected(r, node, E_VALUE, "a whole number such as 7 or 0x7FFF");
    errno = 0;
    unsigned long long v = strtoull(text, &end, is_hex ? 16 : 10);
    if (errno || *end)
        return expected(r, node, E_VALUE, "a whole number such as 7 or 0x7FFF");
    *ret = v;
    return true;
}

bool profile_read_number(struct profile_reader *r, struct fy_node *node, double *ret)
{
    const char *text = yaml_text(node);
    size_t n = text ? strspn(text, "+-.0123456789eE") : 0;
    char *end;

    if (!n || text[n])
        return expected(r, node, E_VALUE, "a number");
    double x = strtod(text, &end);
    if (end == text || *end || !isfinite(x))
        return expected(r, node, E_VALUE, "a number");
    *ret = x;
    return true;
}

bool profile_read_range(struct profile_reader *r, struct fy_node *node, double *ret_min,
                        double *ret_max)
{
    double min, max;

    if (!node || !fy_node_is_sequence(node) || fy_node_sequence_item_count(node) != 2)
        return expected(r, node, E_KIND, "a range [lowest, highest]");
    if (!profile_read_number(r, fy_node_sequence_get_by_index(node, 0), &min) ||
        !profile_read_number(r, fy_node_sequence_get_by_index(node, 1), &max))
        return false;
    if (min >= max) {
        yaml_error(r->y, r->d, node, E_RANGE,
                   "a range runs from the lowest to the highest, found [%g, %g]", min, max);
        return false;
    }
    *ret_min = min;
    *ret_max = max;
    return true;
}

bool profile_read_duration(struct profile_reader *r, struct fy_node *node, int64_t min_ms,
                           int64_t max_ms, int64_t *ret)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units_of_time[] = { { "ms", 1 }, { "s", 1000 }, { "min", 60000 } };
    const char *text = yaml_text(node);
    size_t n = text ? strspn(text, "0123456789") : 0;

    if (n == 0 || n > 9)
        return expected(r, node, E_VALUE, "a duration such as 500ms or 2s");
    int64_t v = strtoll(text, NULL, 10);
    for (size_t i = 0; i < sizeof units_of_time / sizeof units_of_time[0]; i++) {
        if (strcmp(text + n, units_of_time[i].unit))
            continue;
        v *= units_of_time[i].ms;
        if (v < min_ms || v > max_ms) {
            yaml_error(r->y, r->d, node, E_RANGE, "expected %lldms to %lldms, found '%s'",
                       (long long)min_ms, (long long)max_ms, text);
            return false;
        }
        *ret = v;
        return true;
    }
    return expected(r, node, E_VALUE, "a duration such as 500ms or 2s");
}

static bool refuse_word(struct profile_reader *r, struct fy_node *node,
                        const char *const *words)
{
    struct buf b = BUF_INIT(DIAG_TEXT_MAX);
    const char *text = yaml_text(node), *near = text ? nearest_word(text, words) : NULL;
    char shown[DIAG_SHOWN_BYTES];

    for (size_t i = 0; words[i]; i++)
        buf_printf(&b, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    const char *all = buf_text(&b);
    yaml_error(r->y, r->d, node, E_WORD, "expected %s, found %s%s%s%s", all ? all : "a word",
               yaml_shown(node, shown), near ? ", did you mean '" : "", near ? near : "",
               near ? "'?" : "");
    buf_done(&b);
    return false;
}

bool profile_read_word(struct profile_reader *r, struct fy_node *node, const char *const *words,
                       int *ret)
{
    const char *text = yaml_text(node);

    for (int i = 0; text && words[i]; i++)
        if (!strcmp(text, words[i])) {
            *ret = i;
            return true;
        }
    return refuse_word(r, node, words);
}

bool profile_read_names(struct profile_reader *r, struct fy_node *node, const char **en,
                        const char **zh)
{
    static const char *const keys[] = { "en", "zh", NULL };
    static const char *const sentence[] = { "the English text", "the Chinese text" };
    const char **ret[] = { en, zh };
    bool is_ok = profile_read_keys(r, node, "names", keys);

    if (!node || !fy_node_is_mapping(node))
        return false;
    for (size_t i = 0; i < 2; i++) {
        struct fy_node *text = yaml_find(node, keys[i]);
        if (!text)
            yaml_error(r->y, r->d, node, E_MISSING_KEY, "%s is missing: key '%s'", sentence[i],
                       keys[i]);
        is_ok = text && profile_read_text(r, text, ret[i]) && is_ok;
    }
    return is_ok;
}

bool profile_read_remark(struct profile_reader *r, struct fy_node *node, const char **en,
                         const char **zh)
{
    if (node && fy_node_is_mapping(node))
        return profile_read_names(r, node, en, zh);
    if (!profile_read_text(r, node, en))
        return false;
    *zh = *en;
    return true;
}
