/* SPDX-License-Identifier: Apache-2.0 */
/* formats - the readers of the programs' files, one each. 0 or a negative errno; what is wrong
 * in the file is told in r->d. */
#pragma once

#include <stddef.h>

struct import_reader;

int telegraf_read(struct import_reader *r, const char *text, size_t size);
int collectd_read(struct import_reader *r, const char *text, size_t size);
int homeassistant_read(struct import_reader *r, const char *text, size_t size);
int neuron_read(struct import_reader *r, const char *text, size_t size);
