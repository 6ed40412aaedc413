/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/identity.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    FUNCTION = 0x2B,
    MEI = 0x0E,
    CODE_BASIC = 1,
    CODE_EXTENDED = 3,
    CODE_ONE = 4,
    OBJECTS = 256,
    OBJECT_TEXT_MAX = 64, /* closed by 0; a basic stream of seven fits a PDU then */
    HEAD = 7,             /* function, MEI, code, conformity, more follows, next, count */
    EXCEPTION_FUNCTION = 1,
    EXCEPTION_ADDRESS = 2,
    EXCEPTION_VALUE = 3,
};

/* The text that a shell pattern such as "49iQ*" is the pattern of. */
static void text_from_pattern(const char *pattern, char *out, size_t size)
{
    size_t n = 0;

    for (; *pattern && n + 1 < size; pattern++) {
        if (*pattern == '[' && pattern[1] && strchr(pattern, ']')) {
            out[n++] = pattern[1];
            pattern = strchr(pattern, ']');
        } else if (*pattern != '*') {
            out[n++] = *pattern == '?' ? '0' : *pattern;
        }
    }
    out[n] = '\0';
}

/* Objects are ASCII. */
static void take_ascii(const char *text, char *out, size_t size)
{
    size_t n = 0;

    for (; *text && n + 1 < size; text++) {
        if (*text >= ' ' && *text <= '~')
            out[n++] = *text;
    }
    out[n] = '\0';
}

void identity_text(const struct profile_identify *test, char *out, size_t size)
{
    if (test->is_pattern)
        text_from_pattern(test->equals_text, out, size);
    else
        take_ascii(test->equals_text, out, size);
}

static const struct profile_identify *test_of(const struct profile *p, unsigned object)
{
    for (size_t i = 0; i < p->identify_n; i++) {
        if (p->identify[i].mei == (int)object && p->identify[i].equals_text)
            return &p->identify[i];
    }
    return NULL;
}

/* False when there is no such object. */
static bool object_text(const struct profile *p, unsigned object, char *out)
{
    const struct profile_identify *test = test_of(p, object);
    const char *const basic[] = { p->vendor, p->id, "1.0" };

    if (test)
        identity_text(test, out, OBJECT_TEXT_MAX);
    else if (object < sizeof basic / sizeof basic[0] && basic[object])
        take_ascii(basic[object], out, OBJECT_TEXT_MAX);
    else
        return false;
    return true;
}

static size_t add_object(unsigned object, const char *text, uint8_t *out)
{
    size_t n = strlen(text);

    out[0] = (uint8_t)object;
    out[1] = (uint8_t)n;
    memcpy(out + 2, text, n);
    return n + 2;
}

/* Objects from `first` on, below `end`; what does not fit any more follows later. */
static int stream(const struct profile *p, unsigned first, unsigned end, uint8_t *out)
{
    char text[OBJECT_TEXT_MAX];
    size_t n = HEAD;

    for (unsigned object = first; object < end; object++) {
        if (!object_text(p, object, text))
            continue;
        if (n + 2 + strlen(text) > IDENTITY_PDU_MAX) {
            out[4] = 0xFF; /* more follows */
            out[5] = (uint8_t)object;
            break;
        }
        n += add_object(object, text, out + n);
        out[6]++;
    }
    return (int)n;
}

int identity_answer(const struct profile *p, const uint8_t *pdu, size_t n, uint8_t *out)
{
    static const unsigned ends[] = { 0, 3, 0x80, OBJECTS }; /* of basic, regular, extended */
    char text[OBJECT_TEXT_MAX];

    if (n < 2 || pdu[1] != MEI)
        return -EXCEPTION_FUNCTION;
    if (n != 4 || pdu[2] < CODE_BASIC || pdu[2] > CODE_ONE)
        return -EXCEPTION_VALUE;
    memset(out, 0, HEAD);
    out[0] = FUNCTION;
    out[1] = MEI;
    out[2] = pdu[2];
    out[3] = 0x80 | CODE_EXTENDED; /* streams and single objects */
    if (pdu[2] == CODE_ONE) {
        if (!object_text(p, pdu[3], text))
            return -EXCEPTION_ADDRESS;
        out[6] = 1;
        return (int)(HEAD + add_object(pdu[3], text, out + HEAD));
    }
    unsigned end = ends[pdu[2]];
    /* an object that is not there means: from the start */
    return stream(p, pdu[3] < end && object_text(p, pdu[3], text) ? pdu[3] : 0, end, out);
}
