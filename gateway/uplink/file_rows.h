/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_rows - decoded frames as CSV, a line for each sample: "time,channel,value,unit,flag"
 * with the time in ISO 8601 UTC, the value with its published decimals (empty: missing), the
 * flag as the series format has it. Pure.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/series/series.h"

struct file_columns; /* names and units of one layout */

/* From a dictionary (series format, section 9). 0, -EINVAL, -ENOMEM. */
int file_columns_create(const char *dictionary, struct file_columns **ret);
void file_columns_destroy(struct file_columns *c);

void file_rows_head(struct buf *b);
/* -EINVAL when the columns do not fit, -ENOSPC when `b` is full. */
int file_rows_write(struct buf *b, const struct file_columns *c, const struct series_frame *f);
