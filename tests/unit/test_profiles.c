/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every profile of the library: it loads without a word, what the simulator writes the poller
 * reads, and its golden vectors hold. A profile without vectors fails.
 *
 * Vectors, tests/vectors/profiles/<id>.txt: blocks of
 *     case TITLE
 *     i:18 4296 999A                    registers from a PDU address; what is not given is not
 * read ozone = 147.74 ug/m3 valid good [reason...]      every point, "-" for no value, no unit
 * A line "variant NAME" after the case's first one: the registers are those of that variant.
 * Those of LoRaWAN devices are described in payload_vectors.h.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_load.h"
#include "tests/unit/payload_vectors.h"
#include "tests/unit/unit.h"

enum { LINE_BYTES = 1024, PATH_BYTES = 512 };

struct image {
    const struct profile *p;
    uint16_t words[PROFILE_WORDS_MAX];
    uint8_t have[PROFILE_WORDS_MAX];
    struct reading out[PROFILE_POINTS_MAX];
};

static struct profile *load(const struct embedded_file *f)
{
    struct diag *d;

    assert_int_equal(diag_create(&d), 0);
    struct profile *p = profile_load_text(f->path, (const char *)f->data, f->size, d);
    diag_print(d, stderr);
    assert_int_equal(diag_errors(d), 0);
    assert_int_equal(diag_warnings(d), 0);
    assert_non_null(p);
    diag_destroy(d);
    return p;
}

static void for_every_profile(void (*check)(const struct profile *p))
{
    for (size_t i = 0; i < profile_files_n; i++) {
        struct profile *p = load(&profile_files[i]);
        check(p);
        for (size_t v = 0; v < p->variants_n; v++)
            check(p->variants[v]);
        profile_destroy(p);
    }
}

static void for_every_modbus_profile(void (*check)(const struct profile *p))
{
    for (size_t i = 0; i < profile_files_n; i++) {
        struct profile *p = load(&profile_files[i]);
        if (!p->payload)
            check(p);
        for (size_t v = 0; v < p->variants_n; v++)
            check(p->variants[v]);
        profile_destroy(p);
    }
}

static struct image *image_of(const struct profile *p)
{
    struct image *im = calloc(1, sizeof *im);

    assert_non_null(im);
    im->p = p;
    memset(im->have, 1, sizeof im->have);
    return im;
}

static void decode(struct image *im, int order)
{
    profile_decode(im->p, order, im->words, im->have, im->out);
}

static void has_its_name_for_a_file_name(void **state)
{
    for (size_t i = 0; i < profile_files_n; i++) {
        struct profile *p = load(&profile_files[i]);
        char name[PATH_BYTES];
        snprintf(name, sizeof name, "%s.yaml", p->id);
        assert_string_equal(profile_files[i].name, name);
        profile_destroy(p);
    }
    (void)state;
}

static void covers_every_medium(void **state)
{
    unsigned media = 0;

    for (size_t i = 0; i < profile_files_n; i++) {
        struct profile *p = load(&profile_files[i]);
        media |= p->media;
        profile_destroy(p);
    }
    assert_int_equal(media & ((1u << MEDIUM_STATION) - 1), (1u << MEDIUM_STATION) - 1);
    (void)state;
}

static double level_of(const struct profile_point *pt)
{
    if (!isnan(pt->sim_base))
        return pt->sim_base;
    return isnan(pt->range_min) ? 1 : (pt->range_min + pt->range_max) / 2;
}

/* Half a step of the register in the unit of the reading. */
static double tolerance(const struct profile_point *pt, double value)
{
    double factor = fabs(pt->conversion.factor) > 0 ? fabs(pt->conversion.factor) : 1;

    if (pt->type == TYPE_F32)
        return 2e-7 * fabs(value) + 2e-5;
    return 0.501 * fabs(pt->scale) * factor + 1e-9;
}

static void check_round_trip(const struct profile *p)
{
    double value[PROFILE_POINTS_MAX];

    for (int order = -1; order < 4; order++) {
        struct image *im = image_of(p);
        for (size_t i = 0; i < p->points_n; i++)
            value[i] = level_of(&p->points[i]);
        assert_int_equal(profile_encode_word(p, "good", im->words), 0);
        profile_encode(p, order, value, im->words);
        decode(im, order);
        for (size_t i = 0; i < p->points_n; i++) {
            const struct profile_point *pt = &p->points[i];
            if (!pt->at.space || pt->type == TYPE_TEXT)
                continue;
            double back = decimal_to_double(im->out[i].value);
            if (!(fabs(back - value[i]) <= tolerance(pt, value[i])))
                fail_msg("%s %s: wrote %g, read %g", p->id, pt->id, value[i], back);
            if (im->out[i].verdict.grade != GRADE_GOOD)
                fail_msg("%s %s is not good after \"good\"", p->id, pt->id);
        }
        free(im);
    }
}

static void reads_what_the_simulator_writes(void **state)
{
    for_every_modbus_profile(check_round_trip);
    (void)state;
}

static bool has_code(const struct profile_point *pt)
{
    return pt->at.space && (pt->invalid_n || pt->type == TYPE_F32 || pt->type == TYPE_F64);
}

static void check_missing(const struct profile *p)
{
    double value[PROFILE_POINTS_MAX];
    struct image *im = image_of(p);

    for (size_t i = 0; i < p->points_n; i++)
        value[i] = (double)NAN;
    profile_encode_word(p, "good", im->words);
    profile_encode(p, -1, value, im->words);
    decode(im, -1);
    for (size_t i = 0; i < p->points_n; i++)
        if (has_code(&p->points[i]))
            assert_int_equal(im->out[i].verdict.grade, GRADE_MISSING);
    free(im);
}

static void has_no_value_where_the_simulator_writes_none(void **state)
{
    for_every_modbus_profile(check_missing);
    (void)state;
}

/* The word is in force on some measurement. */
static bool is_in_force(const struct image *im, const char *word)
{
    struct verdict v;

    assert_int_equal(verdict_from_word(word, &v), 0);
    for (size_t i = 0; i < im->p->points_n; i++) {
        struct verdict is = im->out[i].verdict;
        if (is.status == v.status && is.grade == v.grade &&
            (is.reasons & v.reasons) == v.reasons)
            return true;
    }
    return false;
}

static void check_map_words(struct image *im, const struct profile_map *map)
{
    for (size_t i = 0; i < map->n; i++) {
        assert_int_equal(profile_encode_word(im->p, map->choice[i].word, im->words), 0);
        decode(im, -1);
        if (!is_in_force(im, map->choice[i].word))
            fail_msg("%s: \"%s\" was set and is not seen", im->p->id, map->choice[i].word);
    }
    assert_int_equal(profile_encode_word(im->p, "good", im->words), 0);
    decode(im, -1);
    assert_true(is_in_force(im, "good"));
}

static void check_words(const struct profile *p)
{
    struct image *im = image_of(p);
    double value[PROFILE_POINTS_MAX];

    for (size_t i = 0; i < p->points_n; i++)
        value[i] = level_of(&p->points[i]);
    profile_encode(p, -1, value, im->words);
    check_map_words(im, &p->mode);
    for (size_t i = 0; i < p->flags_n; i++)
        check_map_words(im, &p->flags[i].map);
    for (size_t i = 0; i < p->points_n; i++)
        if (p->points[i].quality.at.space)
            check_map_words(im, &p->points[i].quality);
    free(im);
}

static void sees_every_status_that_the_simulator_sets(void **state)
{
    for_every_modbus_profile(check_words);
    (void)state;
}

/* What the encoder writes is one message that the decoder reads as meant, with no flag up. */
static void check_payload_round_trip(const struct profile *p)
{
    struct kept_rows *rows = calloc(1, sizeof *rows);
    double value[PROFILE_POINTS_MAX];
    uint8_t bytes[PAYLOAD_BYTES_MAX], fport;
    size_t read = 0;

    if (!p->payload || p->payload->script) {
        free(rows);
        return;
    }
    assert_non_null(rows);
    rows->p = p;
    for (size_t i = 0; i < p->points_n; i++)
        value[i] = level_of(&p->points[i]);
    int n = payload_encode(p, value, &fport, bytes, sizeof bytes);
    assert_true(n > 0);
    assert_int_equal(payload_decode(p, fport, bytes, (size_t)n, keep_row, rows), PAYLOAD_OK);
    assert_true(rows->n >= 1);
    const struct kept_row *now = &rows->row[rows->n - 1];
    for (size_t i = 0; i < p->points_n; i++) {
        double back = decimal_to_double(now->readings[i].value);
        if (!now->has[i])
            continue;
        read++;
        if (!(fabs(back - value[i]) <= 0.02 * fabs(value[i]) + 0.6))
            fail_msg("%s %s: wrote %g, read %g", p->id, p->points[i].id, value[i], back);
        if (now->readings[i].verdict.grade != GRADE_GOOD)
            fail_msg("%s %s is not good", p->id, p->points[i].id);
    }
    assert_true(read > 0);
    free(rows);
}

static void reads_the_payload_that_the_simulator_writes(void **state)
{
    for_every_profile(check_payload_round_trip);
    (void)state;
}

struct vectors {
    const struct profile *base, *p; /* p: the layout of this case */
    const char *path;
    int line;
    struct image *im;
    bool seen[PROFILE_POINTS_MAX];
    size_t cases, checked;
    bool is_decoded;
};

static void read_registers(struct vectors *v, char *text)
{
    static const char letters[] = "cdhi";
    const char *letter = strchr(letters, text[0]);
    char *next = strchr(text, ' ');
    unsigned long address = strtoul(text + 2, NULL, 10);

    assert_non_null(letter);
    assert_non_null(next);
    for (char *end; *next; next = end, address++) {
        unsigned long w = strtoul(next, &end, 16);
        if (end == next)
            break;
        int offset = profile_offset(v->p, (uint8_t)(letter - letters + 1), (uint16_t)address);
        if (offset < 0) {
            fail_msg("%s:%d: register %c:%lu is not read by the profile", v->path, v->line,
                     text[0], address);
            return;
        }
        v->im->words[offset] = (uint16_t)w;
        v->im->have[offset] = 1;
    }
}

/* Where the unit comes from a register and nothing converts it, the vector names it for people.
 */
static void drop_unit(const struct profile_point *pt, char *expected)
{
    char *unit = strchr(expected, ' '), *rest = unit ? strchr(unit + 1, ' ') : NULL;

    if (pt->quantity || pt->unit || !rest)
        return;
    unit[1] = '-';
    memmove(unit + 2, rest, strlen(rest) + 1);
}

static void check_reading(struct vectors *v, char *id, char *expected)
{
    char found[LINE_BYTES];
    size_t i = 0;

    if (!v->is_decoded)
        decode(v->im, -1);
    v->is_decoded = true;
    while (i < v->p->points_n && strcmp(v->p->points[i].id, id))
        i++;
    if (i == v->p->points_n)
        fail_msg("%s:%d: no point is called %s", v->path, v->line, id);
    drop_unit(&v->p->points[i], expected);
    print_reading(&v->p->points[i], v->im->out[i], found, sizeof found);
    if (strcmp(found, expected))
        fail_msg("%s:%d: %s = %s, the profile reads %s", v->path, v->line, id, expected, found);
    v->seen[i] = true;
    v->checked++;
}

static const struct profile *find_variant(const struct vectors *v, const char *name)
{
    for (size_t i = 0; i < v->base->variants_n; i++)
        if (!strcmp(v->base->variants[i]->variant, name))
            return v->base->variants[i];
    fail_msg("%s:%d: no variant is called %s", v->path, v->line, name);
    return v->base;
}

static void take_layout(struct vectors *v, const struct profile *p)
{
    v->p = v->im->p = p;
}

static void read_line(struct vectors *v, char *line)
{
    char *equals = strstr(line, " = ");

    line[strcspn(line, "\n")] = 0;
    if (*line == 0 || *line == '#')
        return;
    if (!strncmp(line, "case ", 5)) {
        memset(v->im->have, 0, sizeof v->im->have);
        memset(v->im->words, 0, sizeof v->im->words);
        v->is_decoded = false;
        v->cases++;
        take_layout(v, v->base);
    } else if (!strncmp(line, "variant ", 8)) {
        take_layout(v, find_variant(v, line + 8));
    } else if (equals) {
        *equals = 0;
        check_reading(v, line, equals + 3);
    } else {
        read_registers(v, line);
    }
}

static void check_file(const struct profile *p)
{
    const char *root = getenv("SLUICE_SOURCE");
    char path[PATH_BYTES], line[LINE_BYTES];
    struct vectors v = { .base = p, .p = p, .path = path, .im = image_of(p) };

    snprintf(path, sizeof path, "%s/tests/vectors/profiles/%s.txt", root ? root : ".", p->id);
    FILE *f = fopen(path, "re");
    if (!f)
        fail_msg("%s has no vectors: %s: %s", p->id, path, strerror(errno));
    if (p->payload) {
        check_payload_file(p, path, f);
        fclose(f);
        free(v.im);
        return;
    }
    for (v.line = 1; fgets(line, sizeof line, f); v.line++)
        read_line(&v, line);
    fclose(f);
    free(v.im);
    assert_true(v.cases >= 2 && v.checked >= v.cases);
    for (size_t i = 0; i < p->points_n; i++)
        if (!v.seen[i])
            fail_msg("%s: no vector for point %s", path, p->points[i].id);
}

/* The file of a profile has its variants too. */
static void check_vectors(const struct profile *p)
{
    if (!p->variant)
        check_file(p);
}

static void holds_its_vectors(void **state)
{
    for_every_profile(check_vectors);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_its_name_for_a_file_name),
        cmocka_unit_test(covers_every_medium),
        cmocka_unit_test(reads_what_the_simulator_writes),
        cmocka_unit_test(has_no_value_where_the_simulator_writes_none),
        cmocka_unit_test(sees_every_status_that_the_simulator_sets),
        cmocka_unit_test(reads_the_payload_that_the_simulator_writes),
        cmocka_unit_test(holds_its_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
