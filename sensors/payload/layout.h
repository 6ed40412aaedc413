/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout - what `payload:` of a profile says, as the loader (gateway/conf/profile_payload) made
 * it: messages by port and discriminating bytes, and in each where every point stands. Constant
 * after loading, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensors/core/decimal.h"
#include "sensors/profile/profile.h"

enum {
    PAYLOAD_BYTES_MAX = 255, /* of one uplink: 242 by any regional parameters, 255 in a frame */
    PAYLOAD_MESSAGES_MAX = 32, /* of one device; the richest known has 20 kinds */
    PAYLOAD_TESTS_MAX = 8,     /* bytes that tell one kind of message from the others */
    PAYLOAD_EQUALS_MAX = 8,    /* codes that one such byte may have */
    PAYLOAD_GROUPS_MAX = 128,  /* TLV keys or blocks of one message */
    PAYLOAD_FIELDS_MAX = 128,  /* of one group of bytes */
    PAYLOAD_FLAGS_MAX = 32,    /* status words of one group of bytes */
    PAYLOAD_TABLE_MAX = 32,    /* codes of one field, texts of one path */
    PAYLOAD_PATHS_MAX = 256,   /* of a script's result */
    PAYLOAD_OPS_MAX = 48,      /* of one formula */
    PAYLOAD_STACK_MAX = 16     /* values that a formula keeps at once */
};

enum number_type {
    NUMBER_U8,
    NUMBER_S8,
    NUMBER_U16,
    NUMBER_S16,
    NUMBER_U24,
    NUMBER_S24,
    NUMBER_U32,
    NUMBER_S32,
    NUMBER_U64,
    NUMBER_S64,
    NUMBER_F32,
    NUMBER_F64,
    NUMBER_TYPES_
};

/* MIXED: big-endian words of 16 bits, the low word first. */
enum endian { ENDIAN_BIG, ENDIAN_LITTLE, ENDIAN_MIXED };

/* Some bits of a message. */
struct payload_place {
    int16_t off;    /* byte, from the start of the group; negative: from its end */
    uint8_t type;   /* enum number_type */
    uint8_t endian; /* enum endian */
    uint8_t shift;  /* raw = (bits & mask) >> shift */
    uint64_t mask;  /* 0: all bits */
    uint64_t sign;  /* this bit set: the rest of the bits is a negative number; 0: none */
};

/* In postfix order: operands before what works on them. */
enum payload_op_kind {
    OP_NUMBER, /* value */
    OP_X,      /* the field */
    OP_Y,      /* the field beside it: `with` */
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_POWER,
    OP_NEGATE,
    OP_SQRT,
    OP_EXP,
    OP_LN,
    OP_LOG10,
    OP_ABS,
    OP_MIN,
    OP_MAX
};
struct payload_op {
    enum payload_op_kind kind;
    double value;
};
struct payload_formula {
    const char *text;            /* as the profile writes it */
    const struct payload_op *op; /* the loader has checked that it leaves one value */
    size_t n;                    /* 0: no formula */
    bool has_y;
    struct payload_place y;
};

struct payload_entry { /* a code, or with `text` a word, and the number that it means */
    const char *text;
    int64_t raw;
    struct decimal value;
};
struct payload_table {
    const struct payload_entry *entry; /* what is not listed has no value */
    size_t n;                          /* 0: no table */
};

/* What a code says of the value, or of the device. */
struct payload_status {
    struct payload_place at;
    struct profile_map map; /* at.space 0: no such status; the register is not used */
};

struct payload_field {
    uint8_t point; /* of the profile; its unit and range hold */
    struct payload_place at;
    double scale,
        offset; /* unit value = raw * scale + offset; 1, 0 with a formula or a table */
    int scale_decimals;
    struct payload_formula formula;
    struct payload_table table;
    uint64_t invalid[8]; /* raw codes that mean "no value" */
    size_t invalid_n;
    bool is_option; /* the message may end before it */
    struct payload_status quality;
};

struct payload_flag {
    struct payload_place at;
    struct profile_flag flag; /* flag.map.at is not used */
};

/* Bytes that stand together: a message's own, one record, the value of one key. */
struct payload_group {
    uint32_t key;  /* of a TLV */
    uint16_t size; /* bytes; of a message: all that are left */
    const struct payload_field *fields;
    size_t fields_n;
    const struct payload_flag *flags;
    size_t flags_n;
    bool has_time; /* a row of its own, measured at `time`, Unix seconds */
    struct payload_place time;
};

struct payload_test { /* the raw value is one of `equals` */
    struct payload_place at;
    uint64_t equals[PAYLOAD_EQUALS_MAX];
    size_t equals_n;
};

enum payload_form {
    FORM_FIXED,   /* the message's own fields alone */
    FORM_BLOCKS,  /* groups follow one another; a bit tells of each whether it is there */
    FORM_TLV,     /* key, value, key, value ... */
    FORM_LPP,     /* the same with Cayenne's types: the length of any known type is known */
    FORM_RECORDS, /* groups[0] again and again: a history */
};

struct payload_message {
    const char *id;
    uint8_t fport[32]; /* bit set; none: any */
    uint8_t first_fport;
    uint8_t length_min, length_max;
    struct payload_test test[PAYLOAD_TESTS_MAX];
    size_t test_n;
    bool is_ignored; /* carries no measurements */
    struct payload_group body;

    enum payload_form form;
    uint8_t start; /* where the groups begin */
    const struct payload_group *groups;
    size_t groups_n;
    struct payload_place bitmap; /* BLOCKS: bit 0 is that of groups[0] */
    uint8_t key_bytes;           /* TLV: 1 or 2, most significant first */
    bool has_length;             /* TLV: a byte after the key tells the length */
    bool has_count;              /* RECORDS: how many; otherwise to the end */
    struct payload_place count;
    int64_t step_ms; /* RECORDS without a time: age from one to the next */
    bool has_step;   /* it is told by the message, in units of step_ms */
    struct payload_place step;
    bool is_oldest_first;
    bool is_present; /* RECORDS: the newest is of now; otherwise one step old */
};

struct payload_path { /* "channels[0].value", or "log[].pm" for each of an array */
    const char *path;
    uint8_t point;
    double scale, offset;
    int scale_decimals;
    struct payload_table words; /* of texts and booleans */
};
struct payload_script {
    const char *file; /* its name */
    const char *path; /* where it lies */
    const struct payload_path *paths;
    size_t paths_n;
    const char *times; /* the path of each element's time: Unix s or ms, RFC 3339; NULL */
};

struct payload {
    const struct payload_message *messages; /* the first one that is like it */
    size_t messages_n;
    const struct payload_script *script; /* NULL: messages */
};
