/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/extras.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "gateway/sim/identity.h"
#include "sensors/profile/image.h"

/* ---- values as words ---- */

/* The encoder of the profiles on a profile of one point: one way to make registers. */
static size_t encode(struct register_address at, enum value_type type, int order, double scale,
                     double offset, double value, uint16_t *out)
{
    struct profile_point point = { .at = at,
                                   .type = type,
                                   .order = -1,
                                   .scale = scale,
                                   .offset = offset,
                                   .conversion = { 1, 0, true } };
    size_t n = profile_type_words(type);
    struct profile_span span = { at.space, at.first, (uint16_t)n, 0 };
    const struct profile p = { .order = order < 0 ? ORDER_ABCD : (enum word_order)order,
                               .points = &point,
                               .points_n = 1,
                               .spans = &span,
                               .spans_n = 1,
                               .words_n = n };

    memset(out, 0, n * sizeof *out);
    profile_encode(&p, (int)p.order, &value, out);
    return n;
}

size_t extras_words(struct register_address at, enum value_type type, int order, double value,
                    uint16_t *out)
{
    return encode(at, type, order, 1, 0, value, out);
}

size_t extras_text_words(struct register_address at, const char *text, uint16_t *out)
{
    size_t n = at.count < EXTRA_WORDS_MAX ? at.count : EXTRA_WORDS_MAX;
    size_t len = strlen(text);

    for (size_t i = 0; i < n; i++) {
        unsigned high = 2 * i < len ? (unsigned char)text[2 * i] : 0;
        unsigned low = 2 * i + 1 < len ? (unsigned char)text[2 * i + 1] : 0;
        out[i] = (uint16_t)(high << 8 | low);
    }
    return n;
}

static size_t step_words(const struct extras *e, const struct profile_step *s, uint16_t *out)
{
    int order = s->order >= 0 ? s->order : e->order >= 0 ? e->order : (int)e->profile->order;

    return encode(s->at, s->type, order, s->scale != 0 ? s->scale : 1, s->offset, s->value,
                  out);
}

/* ---- which there are ---- */

static struct extra *find(struct extras *e, uint8_t space, unsigned address)
{
    for (size_t i = 0; i < e->n; i++) {
        if (e->items[i].space == space && e->items[i].address == address)
            return &e->items[i];
    }
    return NULL;
}

const struct extra *extras_find(const struct extras *e, uint8_t space, uint16_t address)
{
    return find((struct extras *)e, space, address);
}

static struct extra *make(struct extras *e, uint8_t space, unsigned address)
{
    struct extra *x = find(e, space, address);

    if (x || e->n == EXTRAS_MAX || address > UINT16_MAX)
        return x;
    x = &e->items[e->n++];
    *x = (struct extra){ .space = space, .address = (uint16_t)address };
    return x;
}

static void show(struct extras *e, struct register_address at, const uint16_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct extra *x = make(e, at.space, at.first + (unsigned)i);
        if (x)
            x->word = words[i];
    }
}

static void add_test(struct extras *e, const struct profile_identify *test)
{
    char text[2 * EXTRA_WORDS_MAX + 1];
    uint16_t words[EXTRA_WORDS_MAX];
    size_t n;

    if (test->mei >= 0 || profile_offset(e->profile, test->at.space, test->at.first) >= 0)
        return;
    if (test->type == TYPE_TEXT) {
        identity_text(test, text, sizeof text);
        n = extras_text_words(test->at, text, words);
    } else {
        double value = ceil((test->in_min + test->in_max) / 2);
        n = extras_words(test->at, test->type, e->profile->order,
                         value > test->in_max ? test->in_min : value, words);
    }
    show(e, test->at, words, n);
}

static void add_step(struct extras *e, const struct profile_step *s)
{
    uint16_t words[EXTRA_WORDS_MAX];
    size_t n = s->kind == STEP_WAIT ? 0 : profile_type_words(s->type);

    if (s->kind == STEP_EXPECT && s->source == FROM_CONSTANT &&
        profile_offset(e->profile, s->at.space, s->at.first) < 0)
        show(e, s->at, words, step_words(e, s, words));
    for (size_t i = 0; i < n && s->kind == STEP_WRITE; i++) {
        struct extra *x = make(e, s->at.space, s->at.first + (unsigned)i);
        if (x)
            x->is_writable = true;
    }
}

void extras_init(struct extras *e, const struct profile *p, int order)
{
    *e = (struct extras){ .profile = p, .order = order };
    for (size_t i = 0; i < p->identify_n; i++)
        add_test(e, &p->identify[i]);
    for (size_t i = 0; i < p->commands_n; i++) {
        for (size_t k = 0; k < p->commands[i].steps_n; k++)
            add_step(e, &p->commands[i].steps[k]);
    }
}

/* ---- writing ---- */

const struct profile_step *extras_last_write(const struct profile_command *c)
{
    for (size_t i = c->steps_n; i-- > 0;) {
        if (c->steps[i].kind == STEP_WRITE)
            return &c->steps[i];
    }
    return NULL;
}

static bool holds(struct extras *e, const struct profile_step *s)
{
    uint16_t words[EXTRA_WORDS_MAX];
    size_t n = s->source == FROM_CONSTANT ? step_words(e, s, words) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct extra *x = find(e, s->at.space, s->at.first + (unsigned)i);
        if (!x || !x->is_written || x->word != words[i])
            return false;
    }
    return true;
}

static bool is_complete(struct extras *e, const struct profile_command *c)
{
    for (size_t i = 0; i < c->steps_n; i++) {
        if (c->steps[i].kind == STEP_WRITE && !holds(e, &c->steps[i]))
            return false;
    }
    return true;
}

/* What the command waits for happens at once. */
static void fulfil(struct extras *e, const struct profile_command *c)
{
    uint16_t words[EXTRA_WORDS_MAX];

    for (size_t i = 0; i < c->steps_n; i++) {
        const struct profile_step *s = &c->steps[i];
        if (s->kind == STEP_EXPECT && s->source == FROM_CONSTANT &&
            find(e, s->at.space, s->at.first))
            show(e, s->at, words, step_words(e, s, words));
    }
}

static const struct profile_command *completed(struct extras *e, uint8_t space, unsigned first,
                                               unsigned count)
{
    for (size_t i = 0; i < e->profile->commands_n; i++) {
        const struct profile_command *c = &e->profile->commands[i];
        const struct profile_step *last = extras_last_write(c);
        if (last && last->at.space == space && last->at.first >= first &&
            last->at.first < first + count && is_complete(e, c))
            return c;
    }
    return NULL;
}

int extras_write(struct extras *e, uint8_t space, unsigned first, unsigned count,
                 const uint16_t *words, const struct profile_command **ret_command)
{
    for (unsigned i = 0; i < count; i++) {
        const struct extra *x = find(e, space, first + i);
        if (!x || !x->is_writable)
            return -EFAULT;
    }
    for (unsigned i = 0; i < count; i++) {
        struct extra *x = find(e, space, first + i);
        x->word = words[i];
        x->is_written = true;
    }
    *ret_command = completed(e, space, first, count);
    if (*ret_command)
        fulfil(e, *ret_command);
    return 0;
}
