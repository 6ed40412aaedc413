/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write - a plan as files of ours: one profile for each kind of device, and one file of conf.d
 * with its buses and devices. What was not taken over stands in them as comments, each with the
 * line of the source. The texts pass `sluice profile lint` and `sluice check`.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/import/import.h"

/* Of a device with is_first_of_profile. lang: of the comments, "zh" or "en". */
void import_write_profile(const struct import_plan *p, const struct import_device *dev,
                          const char *lang, struct buf *b);
void import_write_stanza(const struct import_plan *p, const char *lang, struct buf *b);
