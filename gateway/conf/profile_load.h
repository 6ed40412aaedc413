/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_load - YAML -> struct profile, with the linter of facts/device-profiles section 7.
 *
 * Profiles are found by id in the directories given, then among those built into the program.
 */
#pragma once

#include <stdbool.h>

#include "gateway/base/embedded.h"
#include "gateway/conf/diag.h"
#include "sensors/profile/profile.h"

/* Parse and lint one profile. NULL after errors, which are in `d`. Destroy it with
 * profile_destroy(), which takes its variants too. */
struct profile *profile_load_file(const char *path, struct diag *d);
struct profile *profile_load_text(const char *name, const char *text, size_t size,
                                  struct diag *d);
void profile_destroy(struct profile *p);

/* By id: dirs/<id>.yaml and dirs/<medium>/<id>.yaml in order, then the built-in library. NULL
 * with *is_known false when no such profile exists, with true when it has errors (in `d`). */
struct profile *profile_load_by_id(const char *id, const char *const *dirs, size_t dirs_n,
                                   struct diag *d, bool *is_known);

/* The built-in library: sensors/profiles, embedded at build. */
extern const struct embedded_file profile_files[];
extern const size_t profile_files_n;
