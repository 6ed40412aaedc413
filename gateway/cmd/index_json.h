/* SPDX-License-Identifier: Apache-2.0 */
/* index_json - an air quality index as an object: of `sluice index` and of a replay alike. */
#pragma once

#include "gateway/base/buf.h"
#include "rules/index/index.h"

struct index_json {
    const struct index_scheme *scheme;
    enum index_report report;
    unsigned
        nowcasts; /* pollutants whose mean of 24 h is a NowCast: 1 << enum index_pollutant */
};

/* What follows the time and the standard, to the end of the line. */
void index_json_result(const struct index_json *as, const struct index_result *r,
                       struct buf *b);

/* "/" outside the plan, else "NA": what a published table has where there is no sub-index. */
const char *index_json_cell(const struct index_part *p);

/* ,"name":null or a number. */
void index_json_decimal(struct buf *b, const char *name, struct decimal d);
/* ,"name":{"en":...,"zh":...} */
void index_json_words(struct buf *b, const char *name, const char *en, const char *zh);
