/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script - one script in its own heap: lowered and compiled once, called for every message, and
 * built anew after whatever threw. Worker only.
 */
#pragma once

#include "gateway/codec/codec.h"

struct script;

struct script_answer { /* texts live until the next call of the script */
    enum codec_outcome outcome;
    const char *json;
    size_t json_n;
    const char *message;
    const char *log;
    size_t log_n;
};

/* A script that cannot be compiled is made, too: every call says why. 0 or -ENOMEM. */
int script_create(const char *name, const char *source, size_t size, struct script **ret);
void script_destroy(struct script *s); /* takes NULL */

/* Under CODEC_CPU_MS for building the heap, where it has to be, and again for the call. */
void script_call(struct script *s, const struct codec_input *in, struct script_answer *ret);

size_t script_bytes(const struct script *s); /* that its heap holds now */
void script_rest(struct script *s);          /* gives the heap back until the next call */
