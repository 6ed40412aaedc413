/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/survey/steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REQUEST_BYTES = 8, /* of a read: Modbus over Serial Line V1.02, 2.5.1 */
    ANSWER_BYTES = 7,  /* to one register */
    MARGIN_MS = 5,     /* thread, USB adapter, silence between frames */
    LOW_UNITS = 10,    /* where people put what they set themselves */
};

const uint8_t survey_decoys[SURVEY_DECOYS] = { 213, 171, 94 };

const char *survey_setting_text(const struct survey_setting *s, char *buf)
{
    buf[0] = '\0';
    if (s->baud)
        snprintf(buf, SURVEY_SETTING_TEXT, "%d %d%c%d", s->baud % 10000000, s->data_bits % 10,
                 s->parity, s->stop_bits % 10);
    return buf;
}

int survey_format(const char *text, struct survey_setting *ret)
{
    /* Modbus over serial line 1.02, 2.5.1: RTU has eight data bits, always. */
    if (strlen(text) != 3 || text[0] != '8' || !strchr("NEO", text[1]) ||
        (text[2] != '1' && text[2] != '2'))
        return -EINVAL;
    ret->data_bits = text[0] - '0';
    ret->parity = text[1];
    ret->stop_bits = text[2] - '0';
    return 0;
}

bool survey_setting_is_same(const struct survey_setting *a, const struct survey_setting *b)
{
    return a->baud == b->baud && a->parity == b->parity && a->data_bits == b->data_bits &&
           a->stop_bits == b->stop_bits;
}

/* ---- settings ---- */

static size_t count_defaults(const struct profile *const *profiles, size_t n,
                             const struct survey_setting *s)
{
    struct survey_setting d = { 0 };
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        const struct profile_serial *p = &profiles[i]->serial;
        d.baud = p->baud;
        if (p->baud && p->format && survey_format(p->format, &d) == 0)
            count += survey_setting_is_same(&d, s);
    }
    return count;
}

static size_t add_setting(struct survey_setting *list, size_t n, const struct survey_setting *s)
{
    for (size_t i = 0; i < n; i++) {
        if (survey_setting_is_same(&list[i], s))
            return n;
    }
    if (n < SURVEY_SETTINGS_MAX)
        list[n++] = *s;
    return n;
}

size_t survey_settings(const struct profile *const *profiles, size_t profiles_n,
                       struct survey_setting ret[SURVEY_SETTINGS_MAX])
{
    static const struct survey_setting usual[] = {
        { 9600, 'N', 8, 1 },  { 19200, 'E', 8, 1 }, { 4800, 'N', 8, 1 },
        { 19200, 'N', 8, 1 }, { 9600, 'E', 8, 1 },  { 115200, 'N', 8, 1 },
    };
    size_t n = 0, counts[SURVEY_SETTINGS_MAX];

    for (size_t i = 0; i < profiles_n; i++) {
        struct survey_setting s = { .baud = profiles[i]->serial.baud };
        if (s.baud && profiles[i]->serial.format &&
            survey_format(profiles[i]->serial.format, &s) == 0)
            n = add_setting(ret, n, &s);
    }
    for (size_t i = 0; i < n; i++)
        counts[i] = count_defaults(profiles, profiles_n, &ret[i]);
    for (size_t i = 1; i < n; i++) {
        for (size_t j = i; j > 0 && counts[j] > counts[j - 1]; j--) {
            struct survey_setting s = ret[j];
            size_t c = counts[j];
            ret[j] = ret[j - 1];
            counts[j] = counts[j - 1];
            ret[j - 1] = s;
            counts[j - 1] = c;
        }
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        n = add_setting(ret, n, &usual[i]);
    return n;
}

/* ---- order ---- */

static bool is_default(const struct profile *p, const struct survey_setting *s, uint8_t unit)
{
    struct survey_setting d = { .baud = p->serial.baud };

    if ((p->serial.unit ? p->serial.unit : 1) != unit)
        return false;
    if (s->baud == 0)
        return true;
    return p->serial.baud && p->serial.format && survey_format(p->serial.format, &d) == 0 &&
           survey_setting_is_same(&d, s);
}

static bool has_default(const struct survey_options *o, const struct survey_setting *s,
                        uint8_t unit)
{
    for (size_t i = 0; i < o->profiles_n; i++) {
        if (is_default(o->profiles[i], s, unit))
            return true;
    }
    return false;
}

static bool is_decoy(const struct survey_options *o, uint8_t unit)
{
    return o->place.type != BUS_MODBUS_RTU && o->units_n > SURVEY_DECOYS &&
           memchr(survey_decoys, unit, sizeof survey_decoys) != NULL;
}

/* Lower is earlier. Behind an address the decoys come right after unit 1, then the units that
 * mean "the device itself". */
static int rank(const struct survey_options *o, const struct survey_setting *s, uint8_t unit)
{
    if (o->place.type != BUS_MODBUS_RTU) {
        if (unit == 1)
            return 0;
        if (is_decoy(o, unit))
            return 1;
        if (unit == 255 || unit == 0)
            return 2;
    }
    if (has_default(o, s, unit))
        return 3;
    return unit >= 1 && unit <= LOW_UNITS ? 4 : 5;
}

enum { RANKS = 6, RANK_LIKELY = 4 };

/* The units of one rank, each asked its first question, or all their further ones. */
static size_t add_steps(const struct survey_options *o, size_t setting, int wanted,
                        bool is_further, struct survey_step *list, size_t n)
{
    struct survey_read q[SURVEY_QUESTIONS_MAX];

    for (size_t u = 0; u < o->units_n; u++) {
        uint8_t unit = o->units[u];
        struct survey_step step = { .setting = (uint8_t)setting, .unit = unit };
        if (rank(o, &o->settings[setting], unit) != wanted)
            continue;
        step.is_decoy = is_decoy(o, unit);
        step.is_likely = wanted <= RANK_LIKELY && !step.is_decoy;
        if (!is_further) {
            list[n++] = step;
            continue;
        }
        size_t questions_n = survey_questions(o, &step, q);
        for (step.question = 1; step.question < questions_n; step.question++)
            list[n++] = step;
    }
    return n;
}

/* Factory settings of every setting before the rest of the first. */
int survey_plan(const struct survey_options *o, struct survey_step **ret, size_t *ret_n)
{
    struct survey_step *list =
        calloc(o->settings_n * o->units_n * SURVEY_QUESTIONS_MAX + 1, sizeof *list);
    size_t n = 0;

    if (!list)
        return -ENOMEM;
    for (int phase = 0; phase < 2; phase++) {
        int from = phase == 0 ? 0 : RANK_LIKELY, to = phase == 0 ? RANK_LIKELY : RANKS;
        for (size_t s = 0; s < o->settings_n; s++) {
            for (int r = from; r < to; r++)
                n = add_steps(o, s, r, false, list, n);
            for (int r = from; r < to; r++)
                n = add_steps(o, s, r, true, list, n);
        }
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

/* ---- time ---- */

int64_t survey_wire_ms(const struct survey_setting *s, int bytes)
{
    int bits = 1 + s->data_bits + (s->parity != 'N') + s->stop_bits;

    return s->baud ? (INT64_C(1000) * bits * bytes + s->baud - 1) / s->baud : 0;
}

int64_t survey_timeout_ms(const struct survey_options *o, const struct survey_step *step)
{
    const struct survey_setting *s = &o->settings[step->setting];
    int64_t patience_ms = step->is_again    ? SURVEY_AGAIN_MS
                          : step->is_likely ? SURVEY_LIKELY_MS
                                            : SURVEY_OTHER_MS;

    if (o->place.type != BUS_MODBUS_RTU)
        patience_ms = step->is_again ? SURVEY_AGAIN_MS : SURVEY_TCP_MS;
    if (o->timeout_ms && (!step->is_again || o->timeout_ms > patience_ms))
        patience_ms = o->timeout_ms;
    return patience_ms + survey_wire_ms(s, ANSWER_BYTES);
}

int64_t survey_cost_ms(const struct survey_options *o, const struct survey_step *step)
{
    return survey_timeout_ms(o, step) +
           survey_wire_ms(&o->settings[step->setting], REQUEST_BYTES) + MARGIN_MS;
}

/* ---- questions ---- */

static size_t add_question(struct survey_read *list, size_t n, uint8_t function, uint16_t first,
                           uint16_t count)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].function == function && list[i].first == first)
            return n;
    }
    if (n < SURVEY_QUESTIONS_MAX)
        list[n++] = (struct survey_read){ function, first, count };
    return n;
}

/* Some instruments are silent on registers that they do not have: those of the profiles that
 * come like this are asked for what they do have. */
size_t survey_questions(const struct survey_options *o, const struct survey_step *step,
                        struct survey_read ret[SURVEY_QUESTIONS_MAX])
{
    const struct survey_setting *s = &o->settings[step->setting];
    size_t n = o->is_single ? add_question(ret, 0, BUS_IDENTIFY, 1, 1) : 0;

    n = add_question(ret, n, BUS_READ_HOLDING, 0, 1);
    if (o->is_single)
        return add_question(ret, n, BUS_READ_INPUT, 0, 1);
    if (!step->is_likely || o->place.type != BUS_MODBUS_RTU || !s->baud)
        return n;
    n = add_question(ret, n, BUS_READ_INPUT, 0, 1);
    for (size_t i = 0; i < o->profiles_n; i++) {
        const struct profile *p = o->profiles[i];
        if (p->spans_n && p->points_n && is_default(p, s, step->unit) && step->unit != 1)
            n = add_question(ret, n, p->points[0].at.space, p->points[0].at.first,
                             p->points[0].at.count);
    }
    return n;
}
