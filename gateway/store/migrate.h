/* SPDX-License-Identifier: Apache-2.0 */
/* migrate - brings the tables of a database to the version that this program writes. */
#pragma once

#include "gateway/store/db.h"

/* Creates or updates in one transaction. 0 or a negative errno with a full sentence: not a log,
 * or written by a newer version. */
int migrate_run(struct db *db, char *error, size_t size);

/* Whether a database that is only read is a log that this program understands. 0 or a negative
 * errno with a full sentence. */
int migrate_check(struct db *db, char *error, size_t size);
