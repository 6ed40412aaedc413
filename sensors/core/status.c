/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/core/status.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sensors/core/words.h"

enum {
    FLAG_GRADE_SHIFT = 3,
    FLAG_REASON_SHIFT = 6,
    FLAG_PART_MASK = 7, /* of status and of grade */
    REASONS_STORED = (1 << 26) - 1,
    /* What makes a good value one that nobody has judged yet. */
    REASONS_CAPPING = REASON_AFTER_GAP | REASON_CLK_UNSYNC,
    REASONS_CAL_KIND = REASON_CAL_ZERO | REASON_CAL_SPAN | REASON_CAL_SETTLE,
    REASONS_NO_DATA = REASON_FRAME | REASON_POWER | REASON_DISABLED | REASON_COMM
};

struct term {
    const char *id, *zh, *en;
};

static const struct {
    struct term term;
    int rank; /* the higher one wins */
} statuses[STATUS_COUNT_] = {
    [STATUS_VALID] = { { "valid", "有效", "valid" }, 0 },
    [STATUS_CALIBRATION] = { { "calibration", "校准", "calibration" }, 6 },
    [STATUS_MAINTENANCE] = { { "maintenance", "维护", "maintenance" }, 7 },
    [STATUS_FAULT] = { { "fault", "故障", "fault" }, 5 },
    [STATUS_OVER_RANGE] = { { "over_range", "超量程", "over range" }, 4 },
    [STATUS_NO_COMMUNICATION] = { { "no_communication", "通信中断", "no communication" }, 3 },
    [STATUS_STOPPED] = { { "stopped", "停运", "stopped" }, 2 },
    [STATUS_MANUAL] = { { "manual", "手工录入", "manual" }, 1 },
};

static const struct {
    struct term term;
    int rank;
} grades[GRADE_COUNT_] = {
    [GRADE_GOOD] = { { "good", "良好", "good" }, 1 },
    [GRADE_NOT_EVALUATED] = { { "not_evaluated", "未评价", "not evaluated" }, 0 },
    [GRADE_SUSPECT] = { { "suspect", "可疑", "suspect" }, 2 },
    [GRADE_BAD] = { { "bad", "无效", "bad" }, 3 },
    [GRADE_MISSING] = { { "missing", "缺失", "missing" }, 4 },
};

/* In the order of their bits. */
static const struct term reasons[] = {
    { "frame", "通信帧错误", "damaged frame" },
    { "power", "断电", "no power" },
    { "disabled", "已停用", "switched off" },
    { "unit", "单位未知", "unknown unit" },
    { "clock_unsynced", "时钟未同步", "clock not synchronised" },
    { "time_duplicate", "时间重复", "time already used" },
    { "time_future", "时间超前", "time in the future" },
    { "instrument", "仪器报告异常", "reported by the instrument" },
    { "warmup", "预热", "warming up" },
    { "after_gap", "中断后恢复", "first samples after a gap" },
    { "calibration_zero", "零点校准", "zero calibration" },
    { "calibration_span", "跨度校准", "span calibration" },
    { "calibration_settle", "校准后稳定中", "settling after calibration" },
    { "calibration_overdue", "校准超期", "calibration overdue" },
    { "calibration_drift", "校准漂移", "failed calibration check" },
    { "range", "超出合理范围", "outside the plausible range" },
    { "range_suspect", "超出常见范围", "outside the usual range" },
    { "below_range", "低于量程", "below the measuring range" },
    { "stuck", "数值不变", "stuck" },
    { "flat", "变化过小", "hardly moving" },
    { "attenuated", "波动减弱", "attenuated" },
    { "spike", "尖峰", "spike" },
    { "rate", "变化过快", "changing too fast" },
    { "multi", "参数间矛盾", "contradicts another quantity" },
    { "reference", "与参考不符", "differs from the reference" },
    { "climate", "超出季节范围", "outside the range of the season" },
    { "communication", "通信中断", "no communication" },
    { "no_value", "仪器无数值", "no value from the instrument" },
    { "calibration", "校准", "calibration" },
    { "maintenance", "维护", "maintenance" },
    { "above_range", "高于量程", "above the measuring range" },
};

enum { REASONS_N = sizeof reasons / sizeof *reasons };

/* Words of device profiles. */
static const struct {
    const char *word;
    struct verdict verdict;
} words[] = {
    { "good", { STATUS_VALID, GRADE_GOOD, 0 } },
    { "measuring", { STATUS_VALID, GRADE_GOOD, 0 } },
    { "uncertain", { STATUS_VALID, GRADE_SUSPECT, REASON_INSTR } },
    { "invalid", { STATUS_FAULT, GRADE_BAD, REASON_INSTR } },
    { "fault", { STATUS_FAULT, GRADE_BAD, REASON_INSTR } },
    { "maintenance", { STATUS_MAINTENANCE, GRADE_BAD, REASON_MAINT } },
    { "zero", { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_ZERO } },
    { "span", { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL_SPAN } },
    { "calibration", { STATUS_CALIBRATION, GRADE_BAD, REASON_CAL } },
    { "warmup", { STATUS_STOPPED, GRADE_BAD, REASON_WARMUP } },
    { "missing", { STATUS_STOPPED, GRADE_MISSING, REASON_NO_VALUE } },
    { "below_range", { STATUS_FAULT, GRADE_SUSPECT, REASON_BELOW_RANGE } },
    { "above_range", { STATUS_OVER_RANGE, GRADE_SUSPECT, REASON_ABOVE_RANGE } },
};

enum { ANY = -1 };

/*
 * The vocabularies outside; the first line that fits counts. AQS codes and the WMO and WaterML
 * words are secondary sources: of several codes the least specific one.
 */
static const struct {
    int status, grade;
    uint32_t reasons; /* all of them; 0: whatever they are */
    int qartod;
    char hj212;
    const char *outside[VOCABULARY_COUNT_]; /* AQS, WMO, WaterML 2, SensorThings */
} outside[] = {
    { STATUS_NO_COMMUNICATION, ANY, 0, 9, 'B', { "AQ", "missing", "missing", "missing:comm" } },
    { ANY,
      GRADE_MISSING,
      REASON_POWER,
      9,
      'F',
      { "AV", "missing", "missing", "missing:power" } },
    { STATUS_STOPPED,
      ANY,
      REASON_WARMUP,
      4,
      'F',
      { "AU", "missing", "missing", "missing:stopped" } },
    { STATUS_STOPPED, ANY, 0, 9, 'F', { "AU", "missing", "missing", "missing:stopped" } },
    { STATUS_MAINTENANCE, ANY, 0, 4, 'M', { "BA", "erroneous", "poor", "bad:maintenance" } },
    { STATUS_CALIBRATION, ANY, 0, 4, 'C', { "AT", "erroneous", "poor", "bad:calibration" } },
    { STATUS_OVER_RANGE,
      ANY,
      0,
      3,
      'T',
      { "DA", "doubtful", "suspect", "suspect:over_range" } },
    { STATUS_FAULT, ANY, 0, 4, 'D', { "AN", "erroneous", "poor", "bad:fault" } },
    { STATUS_MANUAL, ANY, 0, 2, 'S', { NULL, NULL, "estimate", "unchecked:manual" } },
    /* Not in the table of the field: a valid instrument whose value never arrived whole. */
    { STATUS_VALID,
      GRADE_MISSING,
      REASON_FRAME,
      9,
      'B',
      { "AQ", "missing", "missing", "missing:comm" } },
    { STATUS_VALID,
      GRADE_MISSING,
      0,
      9,
      'F',
      { "AU", "missing", "missing", "missing:stopped" } },
    { STATUS_VALID, GRADE_BAD, 0, 4, 'D', { "DA", "erroneous", "poor", "bad" } },
    { STATUS_VALID, GRADE_SUSPECT, 0, 3, 'N', { NULL, "doubtful", "suspect", "suspect" } },
    { STATUS_VALID, GRADE_NOT_EVALUATED, 0, 2, 'N', { NULL, NULL, "unchecked", "unchecked" } },
    { STATUS_VALID, GRADE_GOOD, 0, 1, 'N', { "V", "good", "good", "good" } },
};

/* What status and grade say without a bit of their own. */
static uint32_t implied_reasons(struct verdict v)
{
    uint32_t r = 0;

    if (v.status == STATUS_MAINTENANCE)
        r |= REASON_MAINT;
    if (v.status == STATUS_OVER_RANGE)
        r |= REASON_ABOVE_RANGE;
    if (v.status == STATUS_NO_COMMUNICATION && !(v.reasons & REASON_FRAME))
        r |= REASON_COMM;
    if (v.status == STATUS_CALIBRATION && !(v.reasons & REASONS_CAL_KIND))
        r |= REASON_CAL;
    if (v.grade == GRADE_MISSING && !((v.reasons | r) & REASONS_NO_DATA))
        r |= REASON_NO_VALUE;
    return r;
}

uint32_t verdict_to_flag(struct verdict v)
{
    return v.status | (uint32_t)v.grade << FLAG_GRADE_SHIFT |
           (v.reasons & REASONS_STORED) << FLAG_REASON_SHIFT;
}

struct verdict verdict_from_flag(uint32_t flag)
{
    struct verdict v = { .status = flag & FLAG_PART_MASK,
                         .grade = flag >> FLAG_GRADE_SHIFT & FLAG_PART_MASK,
                         .reasons = flag >> FLAG_REASON_SHIFT };

    if (v.grade >= GRADE_COUNT_) /* of a later version: certainly nothing to trust */
        v.grade = GRADE_BAD;
    v.reasons |= implied_reasons(v);
    return v;
}

static struct verdict capped(struct verdict v)
{
    if (v.grade == GRADE_GOOD && v.reasons & REASONS_CAPPING)
        v.grade = GRADE_NOT_EVALUATED;
    return v;
}

struct verdict verdict_merge(struct verdict a, struct verdict b)
{
    const bool is_status_of_b = statuses[b.status].rank > statuses[a.status].rank;
    const bool is_grade_of_b = grades[b.grade].rank > grades[a.grade].rank;

    return capped((struct verdict){ is_status_of_b ? b.status : a.status,
                                    is_grade_of_b ? b.grade : a.grade, a.reasons | b.reasons });
}

struct verdict verdict_add(struct verdict v, enum grade g, uint32_t reason_bits)
{
    return verdict_merge(v, (struct verdict){ v.status, (uint8_t)g, reason_bits });
}

int verdict_from_word(const char *word, struct verdict *ret)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, word) == 0) {
            *ret = words[i].verdict;
            return 0;
        }
    return -ENOENT;
}

/* Index of the line that fits; the last lines leave no status and grade without one. */
static size_t outside_line(struct verdict v)
{
    size_t i = 0;

    for (; i + 1 < sizeof outside / sizeof *outside; i++)
        if ((outside[i].status == ANY || outside[i].status == v.status) &&
            (outside[i].grade == ANY || outside[i].grade == v.grade) &&
            (v.reasons & outside[i].reasons) == outside[i].reasons)
            break;
    return i;
}

int verdict_qartod(struct verdict v)
{
    return outside[outside_line(v)].qartod;
}

char verdict_hj212(struct verdict v)
{
    return outside[outside_line(v)].hj212;
}

const char *verdict_outside(struct verdict v, enum vocabulary vocabulary)
{
    return outside[outside_line(v)].outside[vocabulary];
}

static const char *name_of(const struct term *t, const char *lang)
{
    return lang_is_zh(lang) ? t->zh : t->en;
}

const char *status_id(enum status s)
{
    return (unsigned)s < STATUS_COUNT_ ? statuses[s].term.id : "";
}

const char *status_name(enum status s, const char *lang)
{
    return (unsigned)s < STATUS_COUNT_ ? name_of(&statuses[s].term, lang) : "";
}

const char *grade_id(enum grade g)
{
    return (unsigned)g < GRADE_COUNT_ ? grades[g].term.id : "";
}

const char *grade_name(enum grade g, const char *lang)
{
    return (unsigned)g < GRADE_COUNT_ ? name_of(&grades[g].term, lang) : "";
}

static const struct term *reason_term(uint32_t bit)
{
    for (unsigned i = 0; i < REASONS_N; i++)
        if (bit == UINT32_C(1) << i)
            return &reasons[i];
    return NULL;
}

const char *reason_id(uint32_t bit)
{
    const struct term *t = reason_term(bit);

    return t ? t->id : NULL;
}

const char *reason_name(uint32_t bit, const char *lang)
{
    const struct term *t = reason_term(bit);

    return t ? name_of(t, lang) : NULL;
}
