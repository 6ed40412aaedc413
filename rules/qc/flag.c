/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/qc/flag.h"

static int rank(enum qc_flag f)
{
    switch (f) {
    case QC_FAIL:
        return 5;
    case QC_SUSPECT:
        return 4;
    case QC_GOOD:
        return 3;
    case QC_NOT_EVALUATED:
        return 2;
    case QC_MISSING:
        return 1;
    default:
        return 0;
    }
}

enum qc_flag qc_flag_merge(enum qc_flag a, enum qc_flag b)
{
    return rank(b) > rank(a) ? b : a;
}
