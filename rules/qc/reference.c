/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/detect/known.h"
#include "rules/qc/checks.h"

const char *qc_reference_error(const struct qc_reference *c)
{
    if (c->n == 0 || c->n > QC_REFERENCE_PEERS_MAX)
        return "A reference names 1 to 8 other channels.";
    if (c->least > c->n)
        return "A reference cannot need more channels than it names.";
    if (c->share < 0 || (c->kind != QC_WHILE_ABOVE && !(c->limit > 0) && !(c->share > 0)))
        return "A reference needs a difference above 0, or a share of the value.";
    return NULL;
}

static double mean(const double *value, unsigned n)
{
    double sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += value[i];
    return sum / n;
}

enum qc_flag qc_reference_check(const struct qc_reference *c, double x, const double *value)
{
    double known[QC_REFERENCE_PEERS_MAX];
    const unsigned asked = c->n < QC_REFERENCE_PEERS_MAX ? c->n : QC_REFERENCE_PEERS_MAX;
    const unsigned n = known_sort(value, asked, known);

    if (!isfinite(x))
        return QC_MISSING;
    if (n == 0 || n < c->least)
        return QC_NOT_EVALUATED;
    if (c->kind == QC_WHILE_ABOVE)
        return known[n - 1] > c->limit ? QC_SUSPECT : QC_GOOD;
    const double other = c->kind == QC_TWIN ? mean(known, n) : known_median(known, n);
    const double most = c->limit + c->share * fmax(fabs(x), fabs(other));
    return fabs(x - other) > most ? QC_SUSPECT : QC_GOOD;
}
