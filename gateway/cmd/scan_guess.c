/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/scan_guess.h"

#include <math.h>
#include <string.h>

#include "sensors/profile/type.h"

/* What lies outside is no measurement: integers read as floats are tiny, texts huge. */
#define FLOAT_LEAST 1e-6
#define FLOAT_MOST  1e9

static void print_float(const uint16_t *words, enum word_order order, FILE *out)
{
    char text[DECIMAL_TEXT_MAX] = "-";
    uint64_t raw = raw_from_words(words, 2, order);
    double x = type_number(TYPE_F32, raw);

    if (x == 0 || (fabs(x) >= FLOAT_LEAST && fabs(x) <= FLOAT_MOST)) /* false for NaN */
        decimal_print(type_decimal(TYPE_F32, raw), text);
    fprintf(out, "  %14s", text);
}

static void print_register(const struct survey_read *q, const uint16_t *words, int i, FILE *out)
{
    char place[16];
    const char bytes[] = { (char)(words[i] >> 8), (char)(words[i] & 0xFF) };
    bool is_text = bytes[0] >= ' ' && bytes[0] <= '~' && bytes[1] >= ' ' && bytes[1] <= '~';

    snprintf(place, sizeof place, "%c:%d", " cdhi"[q->function], q -> first + i);
    fprintf(out, "%-8s%04X  %6u  %6d", place, words[i], words[i], (int16_t)words[i]);
    for (int order = ORDER_ABCD; order <= ORDER_DCBA && i + 1 < q->count; order++)
        print_float(words + i, (enum word_order)order, out);
    if (i + 1 == q->count)
        fprintf(out, "%*s", 4 * 16, "");
    if (is_text)
        fprintf(out, "  %c%c", bytes[0], bytes[1]);
    fputc('\n', out);
}

void scan_guess_print(const struct survey_read *q, const uint16_t *words, FILE *out)
{
    bool is_bits = q->function <= SPACE_DISCRETE;

    if (!is_bits)
        fprintf(out, "%-8s%4s  %6s  %6s  %14s  %14s  %14s  %14s  %s\n", "", "hex", "u16", "s16",
                "f32 ABCD", "f32 CDAB", "f32 BADC", "f32 DCBA", "text");
    for (int i = 0; i < q->count; i++) {
        if (is_bits)
            fprintf(out, "%c:%d  %u\n", " cdhi"[q->function], q -> first + i, words[i]);
        else
            print_register(q, words, i, out);
    }
}
