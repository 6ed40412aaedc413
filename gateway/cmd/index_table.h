/* SPDX-License-Identifier: Apache-2.0 */
/* index_table - reads the tables of `sluice index`: headings, times, cells. */
#pragma once

#include <stdio.h>

#include "gateway/cmd/index_kind.h"

/* "o3_8h (ppb)", "roof/ozone@8h": never fails; quantity is NULL where none is known. */
void index_heading_parse(const char *text, size_t n, struct index_heading *ret);

/* Reads everything and judges it. Returns an exit code; errors are told with their line. */
int index_table_run(struct index_job *j, FILE *in);
