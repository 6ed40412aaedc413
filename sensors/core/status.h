/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - what the instrument and the checks say of a sample: one status, one grade, a set of
 * reasons; and their mappings to the vocabularies outside. Pure.
 */
#pragma once

#include <stdint.h>

enum status {
    STATUS_VALID,
    STATUS_CALIBRATION,
    STATUS_MAINTENANCE,
    STATUS_FAULT,
    STATUS_OVER_RANGE,
    STATUS_NO_COMMUNICATION,
    STATUS_STOPPED,
    STATUS_MANUAL,
    STATUS_COUNT_
};

enum grade {
    GRADE_GOOD,
    GRADE_NOT_EVALUATED,
    GRADE_SUSPECT,
    GRADE_BAD,
    GRADE_MISSING,
    GRADE_COUNT_
};

/*
 * Reasons. Bits 0..25 are stored in the SF1 flag at 6..31. Bits above are implied and take no
 * bit: MAINT by status maintenance, COMM by no_communication without FRAME, CAL by calibration
 * without a more precise one, ABOVE_RANGE by over_range, NO_VALUE by grade missing without
 * another cause; CONVERTED and CORRECTED belong to the layout.
 */
enum reason {
    REASON_FRAME = 1 << 0,
    REASON_POWER = 1 << 1,
    REASON_DISABLED = 1 << 2,
    REASON_UNIT = 1 << 3,
    REASON_CLK_UNSYNC = 1 << 4,
    REASON_CLK_DUP = 1 << 5,
    REASON_CLK_FUTURE = 1 << 6,
    REASON_INSTR = 1 << 7,
    REASON_WARMUP = 1 << 8,
    REASON_AFTER_GAP = 1 << 9,
    REASON_CAL_ZERO = 1 << 10,
    REASON_CAL_SPAN = 1 << 11,
    REASON_CAL_SETTLE = 1 << 12,
    REASON_CAL_OVERDUE = 1 << 13,
    REASON_CAL_DRIFT = 1 << 14,
    REASON_RANGE = 1 << 15,
    REASON_RANGE_SUSPECT = 1 << 16,
    REASON_BELOW_RANGE = 1 << 17,
    REASON_STUCK = 1 << 18,
    REASON_FLAT = 1 << 19,
    REASON_ATTENUATED = 1 << 20,
    REASON_SPIKE = 1 << 21,
    REASON_RATE = 1 << 22,
    REASON_MULTI = 1 << 23,
    REASON_REFERENCE = 1 << 24,
    REASON_CLIMATE = 1 << 25,
    REASON_COMM = 1 << 26,
    REASON_NO_VALUE = 1 << 27,
    REASON_CAL = 1 << 28,
    REASON_MAINT = 1 << 29,
    REASON_ABOVE_RANGE = 1 << 30,
};

/* The three parts of what is known of a sample. {0} is valid and good. */
struct verdict {
    uint8_t status;   /* enum status */
    uint8_t grade;    /* enum grade */
    uint32_t reasons; /* enum reason */
};

/* The SF1 flag: bits 0-2 status, 3-5 grade, 6-31 reasons. Never negative when read as int64. */
uint32_t verdict_to_flag(struct verdict v);
/* The inverse; implied reasons are filled in. Any 32 bits are accepted: a grade that this
 * version does not know is bad. */
struct verdict verdict_from_flag(uint32_t flag);

/* Both together, worst wins: status by maintenance > calibration > fault > over_range >
 * no_communication > stopped > manual > valid; grade by bad > suspect > good > not_evaluated,
 * missing above all; reasons are united. */
struct verdict verdict_merge(struct verdict a, struct verdict b);

/* `v` with a check's outcome added: the worse grade, the reason. Here and in merge, AFTER_GAP
 * and CLK_UNSYNC cap good to not_evaluated. */
struct verdict verdict_add(struct verdict v, enum grade g, uint32_t reasons);

/* Words of device profiles ("good", "invalid", "zero", "warmup", "missing" ...). 0 or -ENOENT.
 */
int verdict_from_word(const char *word, struct verdict *ret);

/* QARTOD 1, 2, 3, 4, 9 and the HJ 212-2017 letter (N D M C F T B S). */
int verdict_qartod(struct verdict v);
char verdict_hj212(struct verdict v);

/* Vocabularies of feeds: AQS null codes, WMO AWS and WaterML 2 quality, SensorThings. */
enum vocabulary {
    VOCABULARY_AQS,
    VOCABULARY_WMO,
    VOCABULARY_WATERML,
    VOCABULARY_SENSORTHINGS,
    VOCABULARY_COUNT_
};

/* The word of a vocabulary; NULL where it has none for this. */
const char *verdict_outside(struct verdict v, enum vocabulary vocabulary);

const char *status_id(enum status s);
const char *status_name(enum status s, const char *lang);
const char *grade_id(enum grade g);
const char *grade_name(enum grade g, const char *lang);
/* Of one bit; NULL for an unknown bit. */
const char *reason_id(uint32_t bit);
const char *reason_name(uint32_t bit, const char *lang);
