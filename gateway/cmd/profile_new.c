/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/profile_new.h"

#include <stdbool.h>
#include <string.h>

static const char form[] =
    "names: {en: \"Name for people\", zh: \"仪器名称\"}\n"
    "vendor: Maker\n"
    "models: [Model]\n"
    "medium: air                     # air, weather, water, soil, noise, radiation; or a list\n"
    "verified: template              # datasheet once 'sources' names the document\n"
    "#sources: [\"manual, revision, page\"]\n"
    "bus:\n"
    "  transports: [rtu, tcp]        # leave out what the instrument does not have\n"
    "  #serial: {baud: 9600, format: 8N1, unit: 1}   # as it leaves the factory\n"
    "  doc_base: 0                   # 0: addresses below are PDU addresses; 1, 30001 or "
    "40001:\n"
    "                                # they stand here as the manual prints them\n"
    "  order: ABCD                   # words of 32-bit values: ABCD high word first, CDAB low\n"
    "  read: {max: 60, gap: 4, timeout: 1s, retries: 2}\n"
    "#identify:                      # what tells this model from others; used by scan\n"
    "#  - {need: true, at: h:0, equals: 1234}\n"
    "#invalid: {s16: [0x7FFF]}       # codes that mean \"no value\"\n"
    "points:                         # h: holding, i: input register, c: coil, d: discrete "
    "input\n"
    "  - id: air_temp\n"
    "    at: i:0\n"
    "    type: s16                   # u16 s16 u32 s32 u64 s64 f32 f64 bcd16 bcd32 bit str\n"
    "    scale: 0.1                  # value = register * scale + offset\n"
    "    unit: Cel                   # UCUM, as the instrument writes it\n"
    "    quantity: air_temp          # what is measured; without one it is shown, not stored\n"
    "    range: [-60, 60]            # physical, in the unit of the quantity\n"
    "#diagnostics:                   # outside its range, it makes the points uncertain\n"
    "#  - {id: sample_flow, at: i:10, type: u16, unit: cm3/min, range: [700, 900]}\n"
    "#flags:                         # status of the whole instrument\n"
    "#  - {at: d:0, when: 1, set: fault, help: {en: lamp failure, zh: 灯故障}}\n"
    "#mode: {at: h:2, map: {0: measuring, 1: zero, 2: span}}\n"
    "#commands:                      # what an operator may tell it to do\n"
    "#  - id: start_zero\n"
    "#    names: {en: Start zero, zh: 零点校准}\n"
    "#    mode: {set: zero, for: 10min}\n"
    "#    steps: [{write: \"c:0\", value: 1}]\n"
    "#setup: {en: \"What to press on the instrument.\", zh: \"仪器上的操作。\"}\n"
    "#notes: {en: \"What else one must know.\", zh: \"其他说明。\"}\n";

void profile_put_template(struct buf *b, const char *id)
{
    buf_puts(b, "# SPDX-License-Identifier: Apache-2.0\n"
                "# Fill in from the instrument's document, then: sluice profile lint FILE\n"
                "profile: 1\n");
    buf_printf(b, "id: %s\n", id);
    buf_puts(b, form);
}

/* The end of the value of a key at the margin: of its line and of those that are indented. */
static const char *value_end(const char *line, const char *end)
{
    do {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        line = newline ? newline + 1 : end;
    } while (line < end && (*line == ' ' || *line == '\t'));
    return line;
}

static bool begins(const char *line, const char *end, const char *key)
{
    size_t n = strlen(key);

    return (size_t)(end - line) > n && !memcmp(line, key, n);
}

void profile_put_copy(struct buf *b, const char *id, const char *like, const char *text,
                      size_t size)
{
    const char *end = text + size, *next;

    buf_printf(b,
               "# Begun as a copy of %s: check every line against the document of the\n"
               "# new instrument, name it in 'sources', then set 'verified: datasheet'.\n",
               like);
    for (const char *line = text; line < end; line = next) {
        next = value_end(line, end);
        if (begins(line, end, "id:"))
            buf_printf(b, "id: %s\n", id);
        else if (begins(line, end, "verified:"))
            buf_puts(b, "verified: template\n");
        else
            buf_put(b, line, (size_t)(next - line));
    }
}
