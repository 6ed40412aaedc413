/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import - another program's Modbus configuration as a plan: buses, devices, points, and what
 * could not be taken over, each with the line it stands in. The plan is then written as
 * profiles and one file of conf.d (write.h).
 *
 * Main thread of a subcommand; opens nothing. Files are hostile: UTF-8, at most 1 MiB, all
 * errors with their place in `d`. A plan lives until it is destroyed and owns its texts.
 */
#pragma once

#include "gateway/conf/arena.h"
#include "gateway/conf/diag.h"
#include "sensors/profile/profile.h"

enum {
    IMPORT_DEVICES_MAX = 1000, /* twice the largest station */
    IMPORT_NOTES_MAX = 5000,   /* further ones are counted, not kept */
};

enum import_reason {
#define REASON(name, is_left, en, zh) IMPORT_##name,
#include "gateway/import/reasons.def"
#undef REASON
    IMPORT_REASON_COUNT_
};

struct import_note {
    enum import_reason reason;
    const char *about; /* the text concerned */
    int line;
    const struct import_device *device; /* NULL: of a bus or of the whole file */
    struct import_note *next;
};

struct import_point {
    const char *id, *name; /* name: as the other program has it; id: by
                            * import_finish_device() */
    uint8_t space;
    uint16_t first, count;
    int bit; /* of a register; -1: none */
    enum value_type type;
    enum word_order order;
    double scale, offset;
    uint64_t mask; /* 0: none */
    uint8_t shift;
    uint64_t invalid[2]; /* raw codes that mean no value */
    size_t invalid_n;
    const char *unit_text; /* as written; NULL: none */
    const struct unit *unit;
    const struct quantity *quantity;
    bool is_bare;    /* of the quantity: taken from a name as short as "temperature" */
    double min, max; /* in the unit; NaN: none given */
    int line;
    struct import_point *next;
};

struct import_bus {
    const char *id;
    enum { IMPORT_TCP, IMPORT_RTU, IMPORT_RTU_TCP } kind;
    const char *host;   /* TCP kinds */
    const char *device; /* RTU */
    int64_t port, baud;
    const char *format; /* "8N1" */
    const char *rts;    /* "high", "low": the driver switches the direction; NULL: not */
    int64_t rts_before_ms, rts_after_ms;
    int line;
    struct import_bus *next;
};

struct import_device {
    const char *id, *name, *profile;
    const struct import_bus *bus;
    int unit;
    int64_t poll_ms, timeout_ms; /* timeout 0: not given */
    int64_t pause_ms, read_max;  /* 0: not given */
    bool is_single, is_enabled;
    bool has_intervals; /* several were given, which was noted */
    struct import_point *points, *last;
    size_t points_n, words_n;
    bool is_first_of_profile; /* the one whose points its profile is written from */
    int line;
    struct import_device *next;
};

struct import_plan {
    struct arena arena;
    const char *program, *file; /* "Telegraf", "telegraf.conf" */
    const char *base;           /* of ids, from the file's name: "telegraf" */
    struct import_bus *buses;
    struct import_device *devices;
    struct import_note *notes;
    size_t buses_n, devices_n, points_n, profiles_n, quantities_n;
    size_t notes_n, left_n; /* left_n: notes of what was not taken over */
};

struct import_reader; /* reader.h */

struct import_format {
    const char *name;    /* "telegraf": on the command line */
    const char *program; /* "Telegraf": for people */
    int (*read)(struct import_reader *r, const char *text, size_t size);
};

/* Closed by one without a name. */
extern const struct import_format import_formats[];
const struct import_format *import_format_find(const char *name); /* NULL: none */

/* `name` is the file's, for messages and ids. 0; -EINVAL with errors in `d`; -ENOMEM. */
int import_read(const struct import_format *f, const char *name, const char *text, size_t size,
                struct diag *d, struct import_plan **ret);
void import_destroy(struct import_plan *p); /* takes NULL */

/* "SETTING": for JSON; and the sentence; lang is "zh" or "en". */
const char *import_reason_name(enum import_reason r);
bool import_reason_is_left(enum import_reason r);
void import_note_text(const struct import_note *n, const char *lang, char *out, size_t size);
