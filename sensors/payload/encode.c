/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "sensors/payload/field.h"
#include "sensors/payload/message.h"
#include "sensors/payload/number.h"
#include "sensors/payload/payload.h"
#include "sensors/profile/image.h"

struct writer {
    const struct profile *p;
    const struct payload_message *message;
    const double *value;
    uint8_t *out;
    size_t n, size;
};

static bool has_value(const struct writer *w, const struct payload_group *g)
{
    for (size_t i = 0; i < g->fields_n; i++)
        if (isfinite(w->value[g->fields[i].point]))
            return true;
    return false;
}

/* `n` more bytes, 0; NULL when there is no room. */
static uint8_t *extend(struct writer *w, size_t n)
{
    uint8_t *at = w->out + w->n;

    if (n > w->size - w->n)
        return NULL;
    memset(at, 0, n);
    w->n += n;
    return at;
}

static void write_fields(const struct writer *w, const struct payload_group *g, uint8_t *bytes,
                         size_t n)
{
    for (size_t i = 0; i < g->flags_n; i++)
        place_write(&g->flags[i].at, bytes, n, profile_map_quiet(&g->flags[i].flag.map));
    for (size_t i = 0; i < g->fields_n; i++)
        field_write(w->p, &g->fields[i], w->value[g->fields[i].point], bytes, n);
}

static int append_group(struct writer *w, const struct payload_group *g)
{
    uint8_t *bytes = extend(w, g->size);

    if (!bytes)
        return -ENOSPC;
    write_fields(w, g, bytes, g->size);
    return 0;
}

static int append_key(struct writer *w, const struct payload_group *g)
{
    const struct payload_message *m = w->message;
    size_t head = m->key_bytes + (m->has_length ? 1u : 0u);
    uint8_t *to = extend(w, head);

    if (!to)
        return -ENOSPC;
    for (size_t i = 0; i < m->key_bytes; i++)
        to[i] = (uint8_t)(g->key >> 8 * (m->key_bytes - 1 - i));
    if (m->has_length)
        to[m->key_bytes] = (uint8_t)g->size;
    return 0;
}

/* Groups that have something to say; values of the past are not invented. */
static int append_groups(struct writer *w)
{
    const struct payload_message *m = w->message;
    uint64_t bits = 0;

    for (size_t i = 0; i < m->groups_n; i++) {
        const struct payload_group *g = &m->groups[i];
        int err = 0;
        if (g->has_time || !has_value(w, g))
            continue;
        if (m->form == FORM_TLV || m->form == FORM_LPP)
            err = append_key(w, g);
        err = err ? err : append_group(w, g);
        if (err)
            return err;
        bits |= i < 64 ? UINT64_C(1) << i : 0;
    }
    if (m->form == FORM_BLOCKS)
        place_write(&m->bitmap, w->out, w->n, bits);
    if (m->form == FORM_RECORDS && m->has_count)
        place_write(&m->count, w->out, w->n, bits);
    if (m->form == FORM_RECORDS && m->has_step)
        place_write(&m->step, w->out, w->n, 1);
    return 0;
}

static size_t end_of(const struct payload_place *at)
{
    size_t bytes = number_bytes((enum number_type)at->type);

    return at->off < 0 ? (size_t)-at->off : (size_t)at->off + bytes;
}

static size_t furthest(size_t end, const struct payload_place *at)
{
    return end_of(at) > end ? end_of(at) : end;
}

/* The bytes of the message's own fields, tests and flags; what is optional and has no value is
 * left out. */
static size_t body_bytes(const struct writer *w)
{
    const struct payload_message *m = w->message;
    const struct payload_group *g = &m->body;
    size_t end = m->form == FORM_FIXED ? m->length_min : m->start;

    for (size_t i = 0; i < m->test_n; i++)
        end = furthest(end, &m->test[i].at);
    for (size_t i = 0; i < g->flags_n; i++)
        end = furthest(end, &g->flags[i].at);
    for (size_t i = 0; i < g->fields_n; i++) {
        const struct payload_field *f = &g->fields[i];
        if (f->is_option && !isfinite(w->value[f->point]))
            continue;
        end = furthest(end, &f->at);
        if (f->formula.has_y)
            end = furthest(end, &f->formula.y);
        if (f->quality.map.n)
            end = furthest(end, &f->quality.at);
    }
    return m->form == FORM_FIXED ? end : m->start;
}

/* Fields of now; those of the past are not written. */
static size_t count_fields(const struct payload_message *m)
{
    size_t n = m->body.fields_n;

    for (size_t i = 0; i < m->groups_n; i++)
        n += m->groups[i].has_time ? 0 : m->groups[i].fields_n;
    return n;
}

/* The one that says most; of several the first. */
static const struct payload_message *usual_message(const struct payload *payload)
{
    const struct payload_message *usual = NULL;
    size_t most = 0;

    for (size_t i = 0; i < payload->messages_n; i++) {
        size_t n = count_fields(&payload->messages[i]);
        if (n <= most)
            continue;
        most = n;
        usual = &payload->messages[i];
    }
    return usual;
}

static int write_message(struct writer *w)
{
    const struct payload_message *m = w->message;

    if (!extend(w, body_bytes(w)))
        return -ENOSPC;
    int err = append_groups(w);
    if (err)
        return err;
    if (w->n < m->length_min && !extend(w, m->length_min - w->n))
        return -ENOSPC;
    write_fields(w, &m->body, w->out, w->n);
    for (size_t i = 0; i < m->test_n; i++)
        place_write(&m->test[i].at, w->out, w->n, m->test[i].equals[0]);
    return w->n <= m->length_max ? (int)w->n : -ENOSPC;
}

int payload_encode(const struct profile *p, const double *value, uint8_t *ret_fport,
                   uint8_t *out, size_t size)
{
    uint8_t bytes[PAYLOAD_BYTES_MAX];
    struct writer w = {
        .p = p, .value = value, .out = bytes, .size = size < sizeof bytes ? size : sizeof bytes
    };

    w.message = p->payload ? usual_message(p->payload) : NULL;
    if (!w.message)
        return -ENOTSUP;
    int n = write_message(&w);
    if (n < 0)
        return n;
    memcpy(out, bytes, (size_t)n);
    *ret_fport = w.message->first_fport ? w.message->first_fport : 1;
    return n;
}
