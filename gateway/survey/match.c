/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/survey/match.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/profile/image.h"
#include "sensors/profile/type.h"

enum {
    OBJECT_PRODUCT = 1, /* Modbus protocol 6.21: vendor 0, product code 1, revision 2 */
    ILLEGAL_FUNCTION = 1,
    BITS_NEEDED = 40,
    BITS_OTHER = 8,
    BITS_FLOAT = 5, /* of a float that is in range and not 0 */
    BITS_INTEGER_MAX = 6,
    BITS_OUTSIDE = -8,
    BITS_NO_VALUE = -1,
    BITS_SERIAL = 3,
    BITS_UNIT = 3,
    BITS_TEMPLATE = -2,
    POINTS_WEIGHED = 16, /* further ones tell little more */
};

/* Floats nearer to 0 than this are integers read as floats. */
#define FLOAT_LEAST 1e-6

void match_init(struct match *m, const struct profile *const *profiles, size_t profiles_n)
{
    *m = (struct match){ .profiles = profiles, .profiles_n = profiles_n };
}

void match_done(struct match *m)
{
    for (size_t i = 0; i < m->facts_n; i++) {
        free(m->facts[i].words);
        free(m->facts[i].text);
    }
    m->facts_n = 0;
}

/* ---- what is known ---- */

enum known { UNKNOWN, REFUSED, ANSWERED };

static const struct match_fact *find_object(const struct match *m, int object)
{
    for (size_t i = 0; i < m->facts_n; i++) {
        if (m->facts[i].function == BUS_IDENTIFY && m->facts[i].first == object)
            return &m->facts[i];
    }
    return NULL;
}

/* A device without the function has no object at all. */
static bool has_objects(const struct match *m)
{
    for (size_t i = 0; i < m->facts_n; i++) {
        const struct match_fact *f = &m->facts[i];
        if (f->function == BUS_IDENTIFY &&
            (f->outcome != BUS_EXCEPTION || f->exception == ILLEGAL_FUNCTION) &&
            f->outcome != BUS_OK)
            return false;
    }
    return true;
}

static bool find_word(const struct match *m, uint8_t space, uint32_t address, uint16_t *ret)
{
    for (size_t i = 0; i < m->facts_n; i++) {
        const struct match_fact *f = &m->facts[i];
        if (f->function == space && f->words && address >= f->first &&
            address < (uint32_t)f->first + f->count) {
            *ret = f->words[address - f->first];
            return true;
        }
    }
    return false;
}

/* A request is refused when a part of it was. */
static enum known know(const struct match *m, uint8_t space, uint16_t first, uint16_t count)
{
    uint16_t word;

    for (size_t i = 0; i < m->facts_n; i++) {
        const struct match_fact *f = &m->facts[i];
        if (f->function == space && !f->words && f->first >= first &&
            f->first + f->count <= first + count)
            return REFUSED;
    }
    for (uint32_t a = first; a < (uint32_t)first + count; a++) {
        if (!find_word(m, space, a, &word))
            return UNKNOWN;
    }
    return ANSWERED;
}

static void answer_of(const struct match *m, const struct profile_identify *t,
                      struct identify_answer *ret, uint16_t words[BUS_WORDS_MAX])
{
    *ret = (struct identify_answer){ .kind = ANSWER_NONE };
    if (t->mei >= 0) {
        const struct match_fact *f = find_object(m, t->mei);
        if (f && f->text)
            *ret = (struct identify_answer){ .kind = ANSWER_TEXT, .text = f->text };
        else if (f || !has_objects(m))
            ret->kind = ANSWER_REFUSED;
        return;
    }
    enum known k =
        t->at.count <= BUS_WORDS_MAX ? know(m, t->at.space, t->at.first, t->at.count) : UNKNOWN;
    if (k == REFUSED)
        ret->kind = ANSWER_REFUSED;
    if (k != ANSWERED)
        return;
    for (int i = 0; i < t->at.count; i++)
        find_word(m, t->at.space, (uint32_t)(t->at.first + i), &words[i]);
    *ret = (struct identify_answer){ .kind = ANSWER_WORDS, .words = words };
}

static bool is_exact(const struct profile_identify *t)
{
    return t->equals_text || (t->in_min == t->in_max && t->in_min != 0);
}

/* As identify_score(), test by test: the answers need not all be kept at once. */
static void score_identity(const struct match *m, const struct profile *p,
                           struct identify_score *ret, size_t *ret_exact_hits)
{
    *ret = (struct identify_score){ .is_possible = true };
    *ret_exact_hits = 0;
    for (size_t i = 0; i < p->identify_n; i++) {
        struct profile one = *p;
        struct identify_answer a;
        struct identify_score s;
        uint16_t words[BUS_WORDS_MAX];
        one.identify = &p->identify[i];
        one.identify_n = 1;
        answer_of(m, &p->identify[i], &a, words);
        identify_score(&one, &a, &s);
        ret->needed += s.needed;
        ret->needed_hits += s.needed_hits;
        ret->others += s.others;
        ret->other_hits += s.other_hits;
        ret->unknown += s.unknown;
        ret->is_possible = ret->is_possible && s.is_possible;
        *ret_exact_hits += is_exact(&p->identify[i]) && s.needed_hits + s.other_hits > 0;
    }
    ret->is_match = ret->needed > 0 && ret->needed_hits == ret->needed;
}

/* ---- what must be there ---- */

static bool is_weighable(const struct profile_point *pt)
{
    return pt->role != POINT_CALIBRATION && pt->type != TYPE_TEXT && pt->at.space;
}

/* A family of instruments, each with some of the points. */
static bool is_family(const struct profile *p)
{
    for (size_t i = 0; i < p->points_n; i++) {
        if (is_weighable(&p->points[i]) && !p->points[i].is_option)
            return false;
    }
    return true;
}

static bool is_required(const struct profile *p, const struct profile_point *pt)
{
    return is_weighable(pt) && (!pt->is_option || is_family(p));
}

static bool is_reachable(const struct match *m, const struct profile *p)
{
    if (!p->has_rtu && !p->has_tcp)
        return false;
    return p->has_rtu || m->is_tcp; /* serial ones stand behind gateways too */
}

/* One refused point rules a profile out, a family all of them. */
static bool is_refused(const struct match *m, const struct profile *p)
{
    size_t required = 0, refused = 0;

    for (size_t i = 0; i < p->points_n; i++) {
        const struct profile_point *pt = &p->points[i];
        if (!is_required(p, pt))
            continue;
        required++;
        refused += know(m, pt->at.space, pt->at.first, pt->at.count) == REFUSED;
    }
    return refused > 0 && (refused == required || !is_family(p));
}

static bool is_denied(const struct match *m, const struct profile *p)
{
    struct identify_answer a;
    uint16_t words[BUS_WORDS_MAX];

    for (size_t i = 0; i < p->identify_n; i++) {
        if (!p->identify[i].is_needed)
            continue;
        answer_of(m, &p->identify[i], &a, words);
        if (identify_test(p, &p->identify[i], &a) == 0)
            return true;
    }
    return false;
}

static bool is_possible(const struct match *m, const struct profile *p)
{
    return is_reachable(m, p) && !is_denied(m, p) && !is_refused(m, p);
}

static bool has_name_test(const struct profile *p)
{
    for (size_t i = 0; i < p->identify_n; i++) {
        if (p->identify[i].is_needed && p->identify[i].mei >= 0)
            return true;
    }
    return false;
}

/* It said its name, and the library knows it. */
static bool is_settled(const struct match *m)
{
    struct identify_score s;
    size_t exact_hits;

    for (size_t i = 0; i < m->profiles_n; i++) {
        if (!has_name_test(m->profiles[i]) || !is_reachable(m, m->profiles[i]))
            continue;
        score_identity(m, m->profiles[i], &s, &exact_hits);
        if (s.is_match)
            return true;
    }
    return false;
}

/* ---- what to ask ---- */

static bool ask(struct bus_request *ret, uint8_t function, uint16_t first, uint16_t count)
{
    ret->function = function;
    ret->first = first;
    ret->count = count;
    return true;
}

static bool next_test(const struct match *m, const struct profile *p, bool is_object,
                      struct bus_request *ret)
{
    for (size_t i = 0; i < p->identify_n; i++) {
        const struct profile_identify *t = &p->identify[i];
        if (is_object != (t->mei >= 0))
            continue;
        if (t->mei >= 0 && has_objects(m) && !find_object(m, t->mei))
            return ask(ret, BUS_IDENTIFY, (uint16_t)t->mei, 1);
        if (t->mei < 0 && t->at.count <= BUS_WORDS_MAX &&
            know(m, t->at.space, t->at.first, t->at.count) == UNKNOWN)
            return ask(ret, t->at.space, t->at.first, t->at.count);
    }
    return false;
}

static uint16_t read_max(const struct profile *p)
{
    return (uint16_t)(p->read_max > 0 && p->read_max < BUS_WORDS_MAX ? p->read_max
                                                                     : BUS_WORDS_MAX);
}

/* Points of a chunk that came back refused, one by one. */
static bool next_point(const struct match *m, const struct profile *p, uint8_t space,
                       uint16_t first, uint16_t count, struct bus_request *ret)
{
    for (size_t i = 0; i < p->points_n; i++) {
        const struct profile_point *pt = &p->points[i];
        if (is_required(p, pt) && pt->at.space == space && pt->at.first >= first &&
            pt->at.first < first + count &&
            know(m, space, pt->at.first, pt->at.count) == UNKNOWN)
            return ask(ret, space, pt->at.first, pt->at.count);
    }
    return false;
}

static bool next_register(const struct match *m, const struct profile *p,
                          struct bus_request *ret)
{
    uint16_t max = read_max(p);

    for (size_t i = 0; i < p->spans_n; i++) {
        const struct profile_span *s = &p->spans[i];
        for (uint16_t at = 0; at < s->count; at = (uint16_t)(at + max)) {
            uint16_t n = s->count - at < max ? (uint16_t)(s->count - at) : max;
            uint16_t first = (uint16_t)(s->first + at);
            enum known k = know(m, s->space, first, n);
            if (k == UNKNOWN)
                return ask(ret, s->space, first, n);
            if (k == REFUSED && next_point(m, p, s->space, first, n, ret))
                return true;
        }
    }
    return false;
}

static bool is_at_defaults(const struct match *m, const struct profile *p)
{
    return m->serial.baud && p->serial.baud == m->serial.baud && p->serial.format &&
           strcmp(p->serial.format, m->serial.format) == 0;
}

/* Likely ones first: the device may not live to hear all questions. */
static bool next_of_library(const struct match *m,
                            bool (*next)(const struct match *, const struct profile *,
                                         struct bus_request *),
                            struct bus_request *ret)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < m->profiles_n; i++) {
            const struct profile *p = m->profiles[i];
            if (is_at_defaults(m, p) == (pass == 0) && is_possible(m, p) && next(m, p, ret))
                return true;
        }
    }
    return false;
}

static bool next_object_test(const struct match *m, const struct profile *p,
                             struct bus_request *ret)
{
    return next_test(m, p, true, ret);
}

static bool next_register_test(const struct match *m, const struct profile *p,
                               struct bus_request *ret)
{
    return next_test(m, p, false, ret);
}

bool match_next(const struct match *m, struct bus_request *ret)
{
    *ret = (struct bus_request){ .unit = m->unit };
    if (m->facts_n == MATCH_FACTS_MAX || m->silent >= MATCH_SILENT_MAX || is_settled(m))
        return false;
    if (has_objects(m) && !find_object(m, OBJECT_PRODUCT))
        return ask(ret, BUS_IDENTIFY, OBJECT_PRODUCT, 1);
    return next_of_library(m, next_object_test, ret) ||
           next_of_library(m, next_register_test, ret) ||
           next_of_library(m, next_register, ret);
}

int match_take(struct match *m, const struct bus_request *q, const struct bus_reply *r)
{
    struct match_fact f = { .function = q->function,
                            .first = q->first,
                            .count = q->count,
                            .outcome = r->outcome,
                            .exception = r->exception };

    if (m->facts_n == MATCH_FACTS_MAX)
        return -ENOMEM;
    if (r->outcome == BUS_OK && q->function == BUS_IDENTIFY) {
        f.text = strdup(r->text);
        if (!f.text)
            return -ENOMEM;
    } else if (r->outcome == BUS_OK) {
        f.words = malloc(q->count * sizeof *f.words);
        if (!f.words)
            return -ENOMEM;
        memcpy(f.words, r->words, q->count * sizeof *f.words);
    }
    if (r->outcome == BUS_NO_ANSWER || r->outcome == BUS_NO_LINK)
        m->silent++;
    m->facts[m->facts_n++] = f;
    return 0;
}

/* ---- how well does it fit? ---- */

struct image {
    uint16_t words[PROFILE_WORDS_MAX];
    uint8_t have[PROFILE_WORDS_MAX];
    struct reading readings[PROFILE_POINTS_MAX];
};

static void fill_image(const struct match *m, const struct profile *p, struct image *im)
{
    memset(im->have, 0, sizeof im->have);
    for (size_t i = 0; i < p->spans_n; i++) {
        const struct profile_span *s = &p->spans[i];
        for (uint16_t j = 0; j < s->count; j++) {
            size_t at = (size_t)s->offset + j;
            im->have[at] = find_word(m, s->space, (uint32_t)s->first + j, &im->words[at]);
        }
    }
    profile_decode(p, -1, im->words, im->have, im->readings);
}

/* How improbable it is that any 16 or 32 bits would lie in the range. */
static int integer_bits(const struct profile_point *pt, double low, double high)
{
    double factor = pt->quantity && pt->conversion.factor != 0 ? pt->conversion.factor : 1;
    double step = fabs(pt->scale * factor);
    double all = (double)type_bits(pt->type), inside = step > 0 ? (high - low) / step : all;
    double bits = inside > 0 && inside < all ? log2(all / inside) : 0;

    return bits < BITS_INTEGER_MAX ? (int)bits : BITS_INTEGER_MAX;
}

static int weigh_point(const struct profile *p, const struct image *im, size_t i,
                       bool *ret_fits)
{
    const struct profile_point *pt = &p->points[i];
    const struct reading *r = &im->readings[i];
    double x = decimal_to_double(r->value), raw = decimal_to_double(r->raw);
    double low = pt->range_min, high = pt->range_max;

    *ret_fits = false;
    if (isnan(low) && pt->quantity) {
        low = pt->quantity->range_min;
        high = pt->quantity->range_max;
    }
    if (isnan(x))
        return r->verdict.reasons & REASON_UNIT ? BITS_OUTSIDE : BITS_NO_VALUE;
    bool is_tiny = type_is_float(pt->type) && raw != 0 && fabs(raw) < FLOAT_LEAST;
    if (is_tiny || x < low || x > high)
        return BITS_OUTSIDE;
    *ret_fits = true;
    if (raw == 0 || isnan(low))
        return 0;
    return type_is_float(pt->type) ? BITS_FLOAT : integer_bits(pt, low, high);
}

static void weigh(const struct match *m, struct image *im, struct match_candidate *c)
{
    const struct profile *p = c->profile;
    size_t weighed = 0;

    fill_image(m, p, im);
    for (size_t i = 0; i < p->points_n; i++) {
        bool fits;
        if (!is_required(p, &p->points[i]))
            continue;
        int offset = profile_offset(p, p->points[i].at.space, p->points[i].at.first);
        bool has_words = offset >= 0 && im->have[offset];
        c->required += has_words || !is_family(p);
        if (!has_words)
            continue;
        int bits = weigh_point(p, im, i, &fits);
        c->fitting += fits;
        if (bits < 0 || weighed++ < POINTS_WEIGHED)
            c->bits += bits;
    }
}

static void judge(const struct match *m, struct image *im, struct match_candidate *c)
{
    const struct profile *p = c->profile;

    score_identity(m, p, &c->identity, &c->exact_hits);
    weigh(m, im, c);
    c->bits += (int)c->identity.needed_hits * BITS_NEEDED;
    c->bits += (int)c->identity.other_hits * BITS_OTHER;
    c->bits -= (int)(c->identity.others + c->identity.needed - c->identity.unknown -
                     c->identity.needed_hits - c->identity.other_hits) *
               BITS_OTHER;
    bool is_serial = is_at_defaults(m, p), is_unit = p->serial.unit == m->unit;
    c->is_default = is_serial && is_unit;
    c->line_bits = is_serial ? BITS_SERIAL : 0;
    c->line_bits += is_unit && m->unit > 1 ? BITS_UNIT : is_unit;
    c->bits += c->line_bits;
    c->bits += strcmp(p->verified, "template") == 0 ? BITS_TEMPLATE : 0;
}

static bool is_better(const struct match_candidate *a, const struct match_candidate *b)
{
    if (a->identity.is_match != b->identity.is_match)
        return a->identity.is_match;
    return a->bits > b->bits;
}

bool match_is_likely(const struct match_candidate *c)
{
    if (c->identity.is_match)
        return true;
    return c->required > 0 && c->fitting * 2 >= c->required && c->bits >= MATCH_LIKELY_BITS;
}

static bool is_ahead(const struct match_candidate *a, const struct match_candidate *b)
{
    return a->identity.is_match != b->identity.is_match ||
           a->bits - a->line_bits >= b->bits - b->line_bits + MATCH_CLEAR_BITS;
}

bool match_is_certain(const struct match_candidate *best, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (!is_ahead(&best[0], &best[i]))
            return false;
    }
    return best[0].identity.is_match || best[0].exact_hits > 0 || best[0].fitting > 1;
}

/* Worth showing at all: it says so, or some of its values make sense. */
static bool is_candidate(const struct match_candidate *c)
{
    return c->identity.is_match || (c->fitting > 0 && c->bits > 0);
}

/* Not worth a reader's time beside the first. */
static bool is_beaten(const struct match_candidate *c, const struct match_candidate *first)
{
    return c->identity.is_match != first->identity.is_match || c->bits * 4 < first->bits;
}

size_t match_best(const struct match *m, struct match_candidate best[MATCH_BEST])
{
    struct image *im = calloc(1, sizeof *im);
    size_t n = 0;

    for (size_t i = 0; im && i < m->profiles_n; i++) {
        struct match_candidate c = { .profile = m->profiles[i] };
        if (!is_possible(m, c.profile))
            continue;
        judge(m, im, &c);
        if (!is_candidate(&c))
            continue;
        size_t at = n < MATCH_BEST ? n : MATCH_BEST - 1;
        if (n == MATCH_BEST && !is_better(&c, &best[at]))
            continue;
        for (; at > 0 && is_better(&c, &best[at - 1]); at--)
            best[at] = best[at - 1];
        best[at] = c;
        n += n < MATCH_BEST;
    }
    free(im);
    while (n > 1 && is_beaten(&best[n - 1], &best[0]))
        n--;
    return n;
}

void match_product(const struct match *m, char *buf, size_t size)
{
    const struct match_fact *f = find_object(m, OBJECT_PRODUCT);
    size_t n = 0;

    for (const char *c = f && f->text ? f->text : ""; *c && n + 1 < size; c++)
        buf[n++] = *c >= ' ' && *c <= '~' ? *c : '?';
    buf[n] = '\0';
}
