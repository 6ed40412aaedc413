/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/profile/identify.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sensors/core/decimal.h"
#include "sensors/core/sample.h"
#include "sensors/profile/type.h"

enum { WORDS_MAX = 255 }; /* what register_address.count can say */

/* The number in an answer, by the decoder itself: a profile of this one point. */
static struct decimal number_of(const struct profile *p, const struct profile_identify *test,
                                const uint16_t *words)
{
    uint8_t have[WORDS_MAX];
    struct reading reading;
    struct profile_span span = { test->at.space, test->at.first, test->at.count, 0 };
    struct profile_point point = { .id = "identify",
                                   .at = test->at,
                                   .type = test->type,
                                   .order = -1,
                                   .scale = 1,
                                   .range_min = (double)NAN,
                                   .range_max = (double)NAN };
    struct profile one = { .order = p->order,
                           .points = &point,
                           .points_n = 1,
                           .spans = &span,
                           .spans_n = 1,
                           .words_n = test->at.count };

    memset(have, 1, sizeof have);
    profile_decode(&one, p->order, words, have, &reading);
    return reading.value;
}

/* Devices pad their names with blanks. */
static void trim(char *text)
{
    size_t n = strlen(text);

    while (n > 0 && text[n - 1] == ' ')
        text[--n] = '\0';
}

static bool read_text(const struct profile_identify *test, const struct identify_answer *a,
                      char *buf, size_t size)
{
    if (a->kind == ANSWER_TEXT)
        snprintf(buf, size, "%s", a->text);
    else if (a->kind == ANSWER_WORDS && test->type == TYPE_TEXT)
        text_from_words(a->words, test->at.count, ORDER_ABCD, buf, size);
    else
        return false;
    trim(buf);
    return true;
}

int identify_test(const struct profile *p, const struct profile_identify *test,
                  const struct identify_answer *a)
{
    char text[2 * WORDS_MAX + 1];

    if (a->kind == ANSWER_NONE)
        return -1;
    if (a->kind == ANSWER_REFUSED)
        return 0;
    if (test->equals_text) {
        if (!read_text(test, a, text, sizeof text))
            return 0;
        return test->is_pattern ? fnmatch(test->equals_text, text, 0) == 0
                                : strcmp(test->equals_text, text) == 0;
    }
    if (a->kind != ANSWER_WORDS)
        return 0;
    double value = decimal_to_double(number_of(p, test, a->words)); /* NaN compares false */
    return value >= test->in_min && value <= test->in_max;
}

void identify_score(const struct profile *p, const struct identify_answer *answers,
                    struct identify_score *ret)
{
    struct identify_score s = { .is_possible = true };

    for (size_t i = 0; i < p->identify_n; i++) {
        const struct profile_identify *test = &p->identify[i];
        int hit = identify_test(p, test, &answers[i]);
        *(test->is_needed ? &s.needed : &s.others) += 1;
        if (hit < 0)
            s.unknown++;
        else if (hit == 0)
            s.is_possible = false;
        else
            *(test->is_needed ? &s.needed_hits : &s.other_hits) += 1;
    }
    s.is_match = s.needed > 0 && s.needed_hits == s.needed;
    *ret = s;
}

/* What a device says may hold anything: nothing that moves a terminal's cursor. */
static void make_printable(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            *text = '?';
    }
}

void identify_print(const struct profile *p, const struct profile_identify *test,
                    const struct identify_answer *a, char *buf, size_t size)
{
    char text[2 * WORDS_MAX + 1];

    buf[0] = '\0';
    if (read_text(test, a, text, sizeof text)) {
        make_printable(text);
        snprintf(buf, size, "%s", text);
    } else if (a->kind == ANSWER_WORDS) {
        char number[DECIMAL_TEXT_MAX];
        decimal_print(number_of(p, test, a->words), number);
        snprintf(buf, size, "%s", number);
    }
}
