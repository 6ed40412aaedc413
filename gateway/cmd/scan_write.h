/* SPDX-License-Identifier: Apache-2.0 */
/* scan_write - the file that a scan leaves for conf.d. */
#pragma once

#include <stdbool.h>

#include "gateway/conf/config.h"
#include "gateway/survey/stanza.h"

/* Before a long scan: whether its file can be written. 0, or a negative errno with a sentence
 * on stderr. */
int scan_write_check(const char *path, bool is_forced);

/*
 * Writes the file whole or not at all, and never over another one unless forced. `config` may
 * be NULL: then names are chosen without regard to it. With 0 devices written there is no file.
 * 0, or a negative errno with a sentence on stderr.
 */
int scan_write(const char *path, bool is_forced, struct stanza_place *places, size_t places_n,
               const struct config *config, struct stanza_count *ret);
