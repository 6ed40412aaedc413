/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_explain - why an alert was raised: the readings around it through the pipeline once
 * more, and what its rule saw of each (rules_explain_find.c, rules_explain_show.c).
 */
#pragma once

#include <jansson.h>

#include "gateway/alerts/book.h"
#include "gateway/cmd/rules.h"
#include "gateway/table.h"

int rules_explain(const struct rules_options *o, int argc, char **argv);

/* ---- which alert ---- */

struct explained {
    char key[BOOK_KEY_MAX], rule[BOOK_NAME_MAX], channel[BOOK_KEY_MAX];
    char version[BOOK_VERSION_MAX]; /* of the rule that raised it; "": not told */
    int64_t no;                     /* in the book; 0: none */
    int64_t raised_ms, cleared_ms;  /* the latter 0: it stands */
};

/* In the events of a log, or the alerts.json of a replay (the other one NULL). An exit status;
 * told on standard error. */
int explain_find(const char *log, const char *replay, const char *alert, struct explained *ret);

/* ---- what the rule saw ---- */

enum explain_fate {
    FATE_JUDGED,
    FATE_UNUSABLE,   /* its flag says so */
    FATE_NO_INPUT,   /* not enough seen for the rule's input */
    FATE_HELD,       /* first behind a gap, or behind calibration, maintenance, power */
    FATE_SERVICED,   /* somebody works at the instrument */
    FATE_SUPPRESSED, /* suppress_when */
    FATE_REFUTED,    /* when is not true: counts as at rest */
    FATE_REPEATED,   /* not newer than the one before */
    FATE_TIME,       /* no sample: time passed */
    FATE_COUNT_
};

const char *explain_fate_id(enum explain_fate f);

struct explain_step {
    int64_t time_ms;
    enum explain_fate fate;
    double value, x; /* of the sample, and what of it was compared */
    struct verdict verdict;
    struct alert_state before, after;
    struct alert_change change;
    bool is_event;   /* a watch said so */
    double compared; /* what the watch compared it with */
    struct expression_value when[EXPRESSION_CHANNELS_MAX], suppress[EXPRESSION_CHANNELS_MAX];
};

struct explain_steps { /* oldest first */
    struct explain_step *items;
    size_t n, cap;
    size_t raise;     /* which of them raised it; n: none did */
    uint64_t skipped; /* behind the raise, where nothing changed */
};

struct explanation {
    const struct rules_options *o;
    const struct explained *alert;
    const struct table *table;
    const struct rule_conf *conf;
    const struct alert_rule *rule;
    char version[BOOK_VERSION_MAX]; /* of the present rule */
    struct explain_steps steps;
};

void explain_print(const struct explanation *e);
void explain_print_json(const struct explanation *e);

/* ---- what the printed parts share; texts in the user's language, `out` as each needs ---- */

void explain_print_why(const struct explanation *e); /* rules_explain_why.c */
const char *explain_fate_text(enum explain_fate f);
const char *explain_time_text(int64_t ms, char *out); /* TIME_TEXT_MAX */
const char *explain_number_text(double x, char *out); /* DECIMAL_TEXT_MAX */
const char *explain_level_text(int level);
const char *explain_delay_text(const struct alert_delay *d, char *out, size_t size);
const char *explain_unit(const struct explanation *e);
void explain_change_text(const struct alert_change *c, char *out, size_t size);
/* How far the delay that is being waited for has got: "2/3", "4min/10min". */
void explain_progress_text(const struct explain_step *s, const struct alert_threshold *t, int l,
                           char *out, size_t size);
void explain_print_values(const struct explanation *e, const struct expression *x,
                          const struct expression_value *values);
enum expression_truth explain_truth(const struct explanation *e, const struct expression *x,
                                    const struct expression_value *values, int64_t time_ms);
int explain_count(uint32_t bits, const struct alert_delay *d);
bool explain_is_sample(const struct explain_step *s); /* else time passed */
