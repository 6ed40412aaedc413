/* SPDX-License-Identifier: Apache-2.0 */
/* web - the files of web/ inside the binary. Constant data, any thread. */
#pragma once

#include "gateway/base/embedded.h"

extern const struct embedded_file web_files[]; /* gzipped; served below /assets/ */
extern const size_t web_files_n;
extern const struct embedded_file web_library[]; /* likewise: dygraphs, from the distribution */
extern const size_t web_library_n;
extern const struct embedded_file web_texts[]; /* plain: templates and dictionaries */
extern const size_t web_texts_n;

/* By base name; NULL when there is none. */
const struct embedded_file *web_find(const struct embedded_file *files, size_t n,
                                     const char *name);
