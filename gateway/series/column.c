/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/column.h"

void column_judge(const struct column_params *p, const struct column_view *view,
                  struct column_judged *ret)
{
    const struct series_cell *x = view->cells;
    unsigned any = 0, beside = 0;

    for (unsigned i = 0; i < view->rows; i++, x += view->stride) {
        enum cell_kind kind = lattice_kind(p, x, &ret->k[i]);
        if (view->is_literal && kind == CELL_NORMAL && x->e >= 0 && x->e != p->e)
            kind = CELL_DECIMAL;
        ret->kinds[i] = (uint8_t)kind;
        any |= kind;
        beside += kind >= CELL_DECIMAL;
    }
    ret->beside = beside;
    ret->has_kinds = any != CELL_NORMAL;
}
