/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader - what the readers of the programs share: typed settings out of a tree, and the plan
 * they fill. A setting of the wrong kind is an error with its place; what has no counterpart
 * here is a note.
 */
#pragma once

#include "gateway/import/import.h"
#include "gateway/import/tree.h"

struct import_reader {
    struct import_plan *plan;
    struct diag *d;
    struct tree_maker maker;
    struct import_bus *last_bus;
    struct import_device *last_device;
    struct import_note *last_note;
    bool has_failed; /* no memory */
};

/* ---- settings: marked as used; false after an error; outputs untouched when not given ---- */

struct tree *import_find(struct tree *table, const char *key); /* the spelling as it is */
bool import_text(struct import_reader *r, struct tree *table, const char *key,
                 const char **ret);
bool import_int(struct import_reader *r, struct tree *table, const char *key, int64_t min,
                int64_t max, int64_t *ret);
bool import_number(struct import_reader *r, struct tree *table, const char *key, double *ret);
bool import_bool(struct import_reader *r, struct tree *table, const char *key, bool *ret);
/* A list of tables; *ret NULL when not given. */
bool import_list(struct import_reader *r, struct tree *table, const char *key,
                 struct tree **ret);
/* "10s", "1m30s", "500ms"; a bare number is in units of `bare_ms`. */
bool import_duration(struct import_reader *r, struct tree *table, const char *key,
                     int64_t bare_ms, int64_t *ret_ms);
bool import_scan_int(const char *text, int64_t *ret); /* decimal, 0x, 0o, 0b; all of it */
bool import_scan_number(const char *text, double *ret);

/* Notes every setting of the table that nobody asked for. `harmless` (closed by NULL): what
 * only the other program needs. */
void import_note_rest(struct import_reader *r, const struct tree *table,
                      const char *const *harmless, const struct import_device *device);

/* ---- the plan ---- */

const char *import_copy(struct import_reader *r, const char *text);
const char *import_format_text(struct import_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void import_note(struct import_reader *r, enum import_reason reason, const char *about,
                 int line, const struct import_device *device);

/* "8E1" of its parts; a format that no bus of ours has is noted, and 8N1 in its place. */
const char *import_serial_format(struct import_reader *r, int64_t data, const char *parity,
                                 int64_t stop, int line);

/* A bus with this place, an old one where two settings name the same; NULL: no memory. */
struct import_bus *import_add_bus(struct import_reader *r, const struct import_bus *place,
                                  const char *name);
/* The device at this address, made when missing; the shorter interval counts. */
struct import_device *import_add_device(struct import_reader *r, const struct import_bus *bus,
                                        int unit, int64_t poll_ms, const char *name, int line);
/* Notes and drops what does not fit a profile. */
void import_add_point(struct import_reader *r, struct import_device *dev,
                      const struct import_point *point);
/* With all points known: their quantities and ids. */
void import_finish_device(struct import_reader *r, struct import_device *dev);

/* A point with the defaults of all programs: factor 1, no limits. */
struct import_point import_point_init(const char *name, uint8_t space, int64_t first, int line);
