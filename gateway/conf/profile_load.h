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

/* Where the profile of an id comes from: a path, or a built-in file (then *path is empty).
 * False when there is none. `path` holds `size` bytes. */
bool profile_find(const char *id, const char *const *dirs, size_t dirs_n, char *path,
                  size_t size, const struct embedded_file **ret);

/* Every profile, by id: built-in ones and those of `dirs` and their folders, found as by
 * profile_load_by_id(). Those with errors are left out; the errors are in `d`. 0, or negative
 * errno when a folder cannot be read. *ret is destroyed with profile_destroy_all(). */
int profile_load_all(const char *const *dirs, size_t dirs_n, struct diag *d,
                     struct profile ***ret, size_t *ret_n);
void profile_destroy_all(struct profile **all, size_t n);

/* Paths or ids, owned; {0} is empty. */
struct profile_names {
    char **name;
    size_t n;
};
/* The .yaml files of a folder and its folders, sorted, after those in `to`. 0 or negative
 * errno. */
int profile_files_add(const char *dir, struct profile_names *to);
/* The ids of the built-in profiles and of those in `dirs`, sorted; an id may stand twice. */
int profile_ids_add(const char *const *dirs, size_t dirs_n, struct profile_names *ids);
void profile_names_done(struct profile_names *names);

/* The built-in library: sensors/profiles, embedded at build. */
extern const struct embedded_file profile_files[];
extern const size_t profile_files_n;
