/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile as text, then, behind a NUL, the words that its instrument answers. What loads
 * decodes any words, takes any values back and can be told every status word it has. Its
 * commands can be planned at both ends of every range, in every layout.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_load.h"
#include "sensors/profile/command.h"
#include "tests/fuzz/fuzz.h"

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

/* As many words as there are bytes for, the rest by a rule. */
static void fill(uint16_t *words, uint8_t *have, size_t n, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t hi = 2 * i < size ? data[2 * i] : (uint8_t)(i * 37);
        uint8_t lo = 2 * i + 1 < size ? data[2 * i + 1] : (uint8_t)(i * 101);
        words[i] = (uint16_t)(hi << 8 | lo);
        have[i] = (hi ^ lo) != 0xFF;
    }
}

static void check_reading(struct reading r)
{
    char text[DECIMAL_TEXT_MAX];

    require(decimal_print(r.value, text) < sizeof text);
    require(r.verdict.status < STATUS_COUNT_ && r.verdict.grade < GRADE_COUNT_);
    require((r.verdict.grade == GRADE_MISSING) == !decimal_has_value(r.value));
}

static void say_words(const struct profile *p, const struct profile_map *map, uint16_t *words)
{
    for (size_t i = 0; map->at.space && i < map->n; i++)
        require(profile_encode_word(p, map->choice[i].word, words) == 0);
}

static void use(const struct profile *p, const uint8_t *data, size_t size)
{
    uint16_t *words = calloc(p->words_n + 1, sizeof *words);
    uint8_t *have = calloc(p->words_n + 1, 1);
    struct reading *out = calloc(p->points_n + 1, sizeof *out);
    double *value = calloc(p->points_n + 1, sizeof *value);

    require(words && have && out && value);
    fill(words, have, p->words_n, data, size);
    for (int order = -1; order < 4; order++) {
        profile_decode(p, order, words, have, out);
        for (size_t i = 0; i < p->points_n; i++) {
            check_reading(out[i]);
            value[i] = decimal_to_double(out[i].value);
        }
        profile_encode(p, order, value, words);
    }
    say_words(p, &p->mode, words);
    for (size_t i = 0; i < p->flags_n; i++)
        say_words(p, &p->flags[i].map, words);
    require(profile_encode_word(p, "good", words) == 0);
    free(words);
    free(have);
    free(out);
    free(value);
}

/* What the linter let through fits its registers. */
static void plan(const struct profile *p, const struct profile_command *c, bool is_max)
{
    const int64_t local_ms = INT64_C(1767225599) * 1000; /* 2025-12-31 23:59:59 */
    struct command_plan ret;
    double value[COMMAND_PARAMETERS_MAX];
    size_t which;

    require(command_find(p, c->id) != NULL);
    for (size_t i = 0; i < c->parameters_n; i++) {
        double x = is_max ? c->parameters[i].max : c->parameters[i].min;
        value[i] = c->parameters[i].is_integer ? (is_max ? floor(x) : ceil(x)) : x;
        if (value[i] < c->parameters[i].min || value[i] > c->parameters[i].max)
            return; /* no whole number in the range */
    }
    for (int order = -1; order < 4; order++) {
        require(command_plan(p, c, value, order, local_ms, local_ms, &ret, &which) == 0);
        require(ret.n > 0 && ret.n <= c->steps_n);
    }
}

static void use_layout(const struct profile *p, const uint8_t *data, size_t size)
{
    use(p, data, size);
    for (size_t i = 0; i < p->commands_n; i++)
        for (int is_max = 0; is_max < 2; is_max++)
            plan(p, &p->commands[i], is_max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    size_t text_n = nul ? (size_t)(nul - data) : size;
    struct diag *d;

    require(diag_create(&d) == 0);
    struct profile *p = profile_load_text("fuzz.yaml", (const char *)data, text_n, d);
    require(!p == (diag_errors(d) > 0));
    const uint8_t *words = nul ? nul + 1 : data;
    size_t words_n = nul ? size - text_n - 1 : size;
    if (p)
        use_layout(p, words, words_n);
    for (size_t i = 0; p && i < p->variants_n; i++) {
        require(p->variants[i]->points_n == p->points_n);
        use_layout(p->variants[i], words, words_n);
    }
    profile_destroy(p);
    diag_destroy(d);
    return 0;
}
