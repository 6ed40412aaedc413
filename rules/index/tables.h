/* SPDX-License-Identifier: Apache-2.0 */
/* tables - the schemes, one file a family; reached through index_find(). Constant data. */
#pragma once

#include "rules/index/index.h"

extern const struct index_scheme index_hj633_2012, index_hj633_2026, index_us_epa_2024,
    index_eaqi_2024;
