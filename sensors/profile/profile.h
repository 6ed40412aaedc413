/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile - one Modbus instrument model as data, and its pure decoder.
 *
 * The loader (gateway/conf/profile_load) makes a `struct profile` from YAML; the poller reads
 * the registers named by `spans` into a word image and calls profile_decode(); the simulator
 * fills the same image with profile_encode(). Constant after loading, any thread; no allocation
 * here.
 *
 * The word image: `words[words_n]` holds the registers of all spans one after another, in host
 * byte order; a coil or discrete input takes one word, 0 or 1. `have[words_n]` is 1 where the
 * word was really read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/quantity.h"
#include "sensors/core/sample.h"
#include "sensors/core/unit.h"

enum {
    PROFILE_POINTS_MAX = 256,  /* points of one instrument; the largest known map has 60 */
    PROFILE_CHOICES_MAX = 32,  /* entries of one map: {} */
    PROFILE_WORDS_MAX = 4096,  /* words of one image */
    PROFILE_REQUEST_MAX = 125, /* registers of one request: Modbus application protocol 6.3 */
};

/* The Modbus table, numbered by its read function. */
enum register_space { SPACE_COIL = 1, SPACE_DISCRETE = 2, SPACE_HOLDING = 3, SPACE_INPUT = 4 };

enum value_type {
    TYPE_U16,
    TYPE_S16,
    TYPE_U32,
    TYPE_S32,
    TYPE_U64,
    TYPE_S64,
    TYPE_F32,
    TYPE_F64,
    TYPE_BCD16, /* four decimal digits; a nibble beyond 9 is "no value" */
    TYPE_BCD32, /* eight, in the word order */
    TYPE_BIT,
    TYPE_TEXT
};

/*
 * A: most significant byte. "CDAB" = low word first. For 64 bits the same rule over four words,
 * for a point of 16 bits over one (BADC and DCBA swap its bytes). A map in one register
 * (status, unit, quality, scale) is as Modbus has it, whatever the order: devices that offer a
 * choice of orders mean their floats.
 */
enum word_order { ORDER_ABCD, ORDER_CDAB, ORDER_BADC, ORDER_DCBA };

struct register_address {
    uint8_t space;  /* enum register_space; 0: not given */
    uint16_t first; /* PDU address, 0-based: what goes on the wire */
    uint8_t count;  /* registers */
    int8_t bit;     /* 0..15; -1: the whole register */
};

/* Registers that one scan needs; sorted by space, then address; never overlapping. */
struct profile_span {
    uint8_t space;
    uint16_t first, count;
    uint16_t offset; /* of its first word in the image */
};

struct profile_choice { /* one entry of a map: raw value -> unit, word or quality */
    int64_t raw;
    const char *word;                  /* "zero", "invalid", a unit code ... */
    const struct unit *unit;           /* in a unit map */
    struct unit_conversion conversion; /* of that unit to the quantity's; factor 0: none */
    struct verdict verdict;            /* in quality, flags and mode maps */
};

/* Codes that a map does not list: of a unit, scale or order they make the value missing
 * (REASON_UNIT: never guessed), of a quality uncertain, of flags and mode they say nothing. */
struct profile_map {
    struct register_address at; /* at.space 0: no such map */
    uint64_t mask;              /* 0: all bits */
    uint8_t shift;
    bool is_bits; /* choice[].raw are masks; every one that is set counts */
    const struct profile_choice *choice;
    size_t n; /* 0..PROFILE_CHOICES_MAX */
};

enum point_role { POINT_MEASUREMENT, POINT_DIAGNOSTIC, POINT_CALIBRATION };

struct profile_point {
    const char *id;      /* [a-z][a-z0-9_]*; part of the channel's name */
    const char *en, *zh; /* NULL: the quantity's */
    enum point_role role;
    const struct quantity *quantity;   /* NULL: shown, never a channel */
    const struct unit *unit;           /* as read; NULL with unit_from, and without a unit */
    struct unit_conversion conversion; /* of that unit to the quantity's */
    struct register_address at;        /* at.space 0: no register but an MEI object */
    bool has_mei; /* 0x2B/0x0E object `mei`: text, read on request, never polled */
    uint8_t mei;
    enum value_type type;
    uint64_t mask; /* bit field of an unsigned type: (raw & mask) >> shift; 0: all bits */
    uint8_t shift;
    int order;            /* enum word_order, -1: the profile's */
    double scale, offset; /* unit value = raw * scale + offset */
    int scale_decimals;   /* decimals that scale and offset add to an integer */
    struct register_address scale_from;
    enum value_type scale_type;
    enum { SCALE_FACTOR, SCALE_POW10, SCALE_POW10_NEG } scale_rule;
    struct profile_map unit_from, quality;
    double range_min, range_max; /* physical, canonical unit; NaN when not given */
    uint64_t invalid[8];         /* raw codes (of a bit field: its own) that mean "no value" */
    size_t invalid_n;
    struct register_address invalid_from; /* holds one more such code, same type and order */
    bool is_option;                       /* may be absent from the instrument */
    const char *stat;                     /* "avg", "max" ...; NULL: the instantaneous value */
    double sim_base, sim_swing,
        sim_noise; /* simulator: level, diurnal swing, noise; NaN: from range */
    /* A diagnostic outside its range makes these measurements uncertain. */
    uint8_t concerns[PROFILE_POINTS_MAX / 8];
    bool is_for_all;
};

/* A status bit or field of the whole device. */
struct profile_flag {
    struct profile_map map;
    uint8_t points[PROFILE_POINTS_MAX / 8]; /* bit set of the points concerned */
    bool is_for_all;                        /* every measurement instead */
    const char *help, *help_zh;             /* what the manual calls it; NULL */
};

struct profile_identify {
    bool is_needed;
    int mei; /* 0x2B/0x0E object, -1: registers */
    struct register_address at;
    enum value_type type;
    const char *equals_text; /* NULL: number */
    bool is_pattern;         /* the text is a shell pattern: "49iQ*" */
    double in_min, in_max;   /* equals: both the same */
};

/* A value that the caller of a command gives, "interval=60". */
struct profile_parameter {
    const char *id;
    const char *en, *zh;
    const struct unit *unit; /* NULL: a bare number */
    double min, max;         /* inclusive, in the unit; always given */
    double dflt;             /* NaN: must be given */
    bool is_integer;
};

enum step_kind {
    STEP_WRITE,  /* one value to at */
    STEP_WAIT,   /* wait_ms */
    STEP_EXPECT, /* read at; another value than expected ends the command with an error */
};

/* Where the value of a write or an expectation comes from. Clock values are the station's local
 * time (fixed offset) at the moment of the command. */
enum step_source {
    FROM_CONSTANT,  /* value */
    FROM_PARAMETER, /* parameters[parameter] */
    FROM_YEAR,      /* 2026 */
    FROM_YEAR2,     /* 26 */
    FROM_MONTH,
    FROM_DAY,
    FROM_HOUR,
    FROM_MINUTE,
    FROM_SECOND,
    FROM_WEEKDAY, /* 1 Monday .. 7 Sunday */
    FROM_UNIX,    /* seconds UTC */
};

struct profile_step {
    enum step_kind kind;
    struct register_address at; /* holding register(s) or coil; expect: any space */
    enum value_type type;
    int order;        /* enum word_order, -1: the profile's */
    bool is_multiple; /* writes with function 15 or 16 even where 5 or 6 would do */
    bool is_joined;   /* goes into the same request as the write before it: next address */
    enum step_source source;
    double value;
    size_t parameter;
    double scale, offset; /* raw = (value - offset) / scale, rounded for integers */
    int64_t wait_ms;
};

/* Something that the instrument can be told to do: "set_clock", "start_zero" ... Never run by
 * polling, never a bare register from outside. */
struct profile_command {
    const char *id;
    const char *en, *zh;
    const char *mode; /* the readings' status while it lasts: "zero", "span", "calibration",
                       * "maintenance"; NULL: none */
    int64_t mode_ms;  /* for so long */
    const struct profile_parameter *parameters;
    size_t parameters_n;
    const struct profile_step *steps;
    size_t steps_n;
};

struct profile_serial {
    int baud;           /* 0: not stated */
    const char *format; /* "8N1" */
    int unit;           /* 0: not stated */
};

struct payload; /* sensors/payload/layout.h */

struct profile {
    const char *id;
    const char *en, *zh;
    const char *vendor, *source;
    const char *notes, *notes_zh; /* for the instrument's page; NULL */
    const char *setup, *setup_zh; /* what to press or set on the instrument; NULL */
    const char *verified;         /* "template", "datasheet", "interop" or "hardware" */
    const char *evidence;         /* who tried it with what; NULL */
    const char *models;           /* joined by ", " */
    unsigned media;               /* bit 1 << enum medium */
    bool has_rtu, has_tcp, has_lorawan;
    const struct payload *payload; /* LoRaWAN: what the bytes mean; NULL: registers */
    struct profile_serial serial;
    enum word_order order;
    struct profile_map
        order_from;         /* choice[].raw -> enum word_order in choice[].verdict.status */
    int doc_base;           /* 0, 1, 30001, 40001: only for people */
    int read_max, read_gap; /* registers of a request; unused registers bridged */
    bool read_atomic, read_single;
    int64_t read_pause_ms, timeout_ms;
    int retries;

    struct profile_point *points;
    size_t points_n;
    struct profile_flag *flags;
    size_t flags_n;
    struct profile_map mode;
    struct profile_identify *identify;
    size_t identify_n;

    struct profile_command *commands;
    size_t commands_n;

    /* Other layouts of the same model: whole profiles with the same points in the same order,
     * owned by this one. The first one whose `when` holds is the device's; none: this one. */
    struct profile **variants;
    size_t variants_n;
    const char *variant;           /* its name; NULL in the base profile */
    struct profile_identify *when; /* all must hold */
    size_t when_n;

    struct profile_span *spans;
    size_t spans_n;
    size_t words_n;
};

/* Offset of a register in the word image, or -1 when the profile does not read it. */
int profile_offset(const struct profile *p, uint8_t space, uint16_t address);

/*
 * Decode an image into out[p->points_n], every point, in the unit of the point's quantity (of
 * the point itself when it has none). order < 0: the profile's own (order_from counts first).
 * A word not read gives a missing value (REASON_FRAME); sentinels, NaN, unknown unit or scale,
 * quality, flags and mode set the verdict by device-profile words. Flags or a mode that could
 * not be read leave no measurement better than "not evaluated". Text has no value. Never fails.
 */
void profile_decode(const struct profile *p, int order, const uint16_t *words,
                    const uint8_t *have, struct reading *out);

/*
 * The inverse for the simulator: writes value[i] (canonical unit as above; NaN: the point's
 * first invalid code) of every point into the image and leaves status words as they are. Values
 * beyond the register's type are limited to it. A unit, scale or order register that says
 * nothing known is set to what the values are written in.
 */
void profile_encode(const struct profile *p, int order, const double *value, uint16_t *words);

/*
 * Set the device's flags or mode in the image so that decoding gives the word ("zero",
 * "maintenance", "fault", "good" = none). Returns 0, or -ENOENT when the profile has no such
 * word.
 */
int profile_encode_word(const struct profile *p, const char *word, uint16_t *words);

/* Words that a value of this type takes; 1 for TYPE_BIT, 0 for TYPE_TEXT. */
size_t profile_type_words(enum value_type type);

/* The raw value of one address, most significant first; bits and coils give 0 or 1. */
uint64_t profile_raw(const struct profile *p, struct register_address at, enum value_type type,
                     enum word_order order, const uint16_t *words);
