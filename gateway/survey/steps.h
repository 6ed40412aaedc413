/* SPDX-License-Identifier: Apache-2.0 */
/* steps - in which order a survey tries settings and units. Pure. */
#pragma once

#include "gateway/survey/survey.h"

struct survey_step {
    uint8_t setting, unit;
    uint8_t question; /* which of survey_questions() */
    bool is_likely;   /* worth more patience and a second question */
    bool is_again;    /* something came late or damaged */
    bool is_decoy;
};

/* Unlikely units: a device that answers at all of them does not look at the unit. */
extern const uint8_t survey_decoys[SURVEY_DECOYS];

/* Every setting with every unit: first the factory settings of the library, setting by setting,
 * then units 1 to 10, then the rest. Likely ones are asked their further questions (question >
 * 0) after the others of their setting, so that a slow one is left in peace meanwhile. 0 or
 * -ENOMEM; *ret is the caller's to free. */
int survey_plan(const struct survey_options *o, struct survey_step **ret, size_t *ret_n);

/* Time on the wire of `bytes` characters; 0 without a speed. */
int64_t survey_wire_ms(const struct survey_setting *s, int bytes);

/* The deadline of a question. */
int64_t survey_timeout_ms(const struct survey_options *o, const struct survey_step *step);

/* What a silent unit costs. */
int64_t survey_cost_ms(const struct survey_options *o, const struct survey_step *step);

/* The settings that the library's instruments come with, commonest first, then usual ones.
 * Returns how many. */
size_t survey_settings(const struct profile *const *profiles, size_t profiles_n,
                       struct survey_setting ret[SURVEY_SETTINGS_MAX]);

enum { SURVEY_QUESTIONS_MAX = 4 };

/* What a unit is asked; all sane devices answer the first, with a value or an exception.
 * Returns how many questions. */
size_t survey_questions(const struct survey_options *o, const struct survey_step *step,
                        struct survey_read ret[SURVEY_QUESTIONS_MAX]);
