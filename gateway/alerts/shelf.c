/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts that nobody is told of for a while, by a person's will: shelved until an hour, or out
 * of service until they are put back. They are judged and logged as ever, and always listed;
 * no limit of theirs lapses meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "gateway/alerts/internal.h"
#include "gateway/base/log.h"

#define PREFIX "shelf/"

static const char *const of_ids[SHELF_OF_COUNT_] = { "alert", "rule", "channel", "device" };
static const char *const of_names_zh[SHELF_OF_COUNT_] = { "报警", "规则", "通道", "设备" };
static const char *const kind_ids[] = { "shelved", "out_of_service" };

const char *shelf_of_id(enum shelf_of of)
{
    return of_ids[of];
}

const char *shelf_of_name_zh(enum shelf_of of)
{
    return of_names_zh[of];
}

static uint32_t mark_of(const struct shelf *s)
{
    return s->kind == SHELVED ? LIFE_SHELVED : LIFE_OUT_OF_SERVICE;
}

static bool is_of(const struct shelf *s, const struct episode *e)
{
    static const char *const members[] = { NULL, "rule", "channel", "device" };

    return strcmp(s->of == OF_ALERT ? e->key : episode_text(e, members[s->of]), s->id) == 0;
}

static uint32_t marks_of(const struct book *b, const struct episode *e)
{
    uint32_t marks = 0;

    for (size_t i = 0; i < b->shelves_n; i++)
        marks |= is_of(&b->shelves[i], e) ? mark_of(&b->shelves[i]) : 0;
    return marks;
}

void shelves_apply(const struct book *b, struct episode *e)
{
    e->life.marks |= marks_of(b, e);
}

/* ---- the log ---- */

json_t *shelf_json(const struct shelf *s)
{
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:s}", "kind", kind_ids[s->kind], "of",
                     of_ids[s->of], "id", s->id, "since", when_json(s->since_ms), "until",
                     when_json(s->until_ms), "who", s->who, "note", s->note);
}

static int put_state(struct store_batch *batch, const struct shelf *s, const void *data,
                     size_t size)
{
    char key[STORE_NAME_MAX + 32];

    snprintf(key, sizeof key, PREFIX "%s/%s/%s", kind_ids[s->kind], of_ids[s->of], s->id);
    return batch && strlen(key) < STORE_NAME_MAX ? store_batch_state(batch, key, data, size)
                                                 : -1;
}

/* Plain values: stored as they are. */
static void keep(const struct book *b, struct store_batch *batch, const struct shelf *s)
{
    if (b->store && put_state(batch, s, s, sizeof *s) < 0)
        log_error("what is shelved is not in the log: there is no memory");
}

static bool is_terminated(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void take_state(void *user, const char *key, const void *data, size_t size)
{
    struct book *b = user;
    struct shelf s;

    if (size != sizeof s || b->shelves_n == BOOK_SHELVES_MAX)
        return;
    memcpy(&s, data, sizeof s);
    if (s.kind > OUT_OF_SERVICE || s.of >= SHELF_OF_COUNT_ ||
        !is_terminated(s.id, sizeof s.id) || !is_terminated(s.who, sizeof s.who) ||
        !is_terminated(s.note, sizeof s.note)) {
        log_warning("%s of the log is not understood, and not taken up", key);
        return;
    }
    s.is_restored = true;
    b->shelves[b->shelves_n++] = s;
}

int shelves_restore(struct book *b)
{
    return store_state_each(b->store, PREFIX, take_state, b);
}

/* ---- changes ---- */

struct shelf *shelf_find(struct book *b, enum shelf_kind kind, enum shelf_of of, const char *id)
{
    for (size_t i = 0; i < b->shelves_n; i++) {
        struct shelf *s = &b->shelves[i];
        if (s->kind == kind && s->of == of && strcmp(s->id, id) == 0)
            return s;
    }
    return NULL;
}

/* Those whom it concerns learn of it, and their limits begin anew when nothing hides them. */
static void tell_episodes(struct book_change *c, const struct shelf *s, const char *who)
{
    static const char *const words[][4] = {
        { "unshelved", "taken off the shelf", "取消搁置", "" },
        { "in_service", "back in service", "恢复使用", "" },
        { "shelved", "shelved", "搁置", "" },
        { "out_of_service", "taken out of service", "停用", "" },
    };
    struct book *b = c->book;

    for (size_t i = 0; i < b->episodes_n; i++) {
        struct episode *e = b->episodes[i];
        if (!is_of(s, e) || episode_is_over(e))
            continue;
        const bool is_on = marks_of(b, e) & mark_of(s);
        if (!life_mark(&e->life, (enum life_mark)mark_of(s), is_on))
            continue;
        if (!(e->life.marks & (LIFE_SHELVED | LIFE_OUT_OF_SERVICE)))
            life_resume(&e->life, c->now_ms, episode_response(b, e));
        snprintf(e->actor, sizeof e->actor, "%s", who);
        snprintf(e->note, sizeof e->note, "%s", s->note);
        const char *const *w = words[2 * is_on + s->kind];
        book_changed(c, e, w[0], w[1], w[2]);
    }
}

bool shelf_put(struct book_change *c, const struct shelf *s)
{
    struct book *b = c->book;
    struct shelf *mine = shelf_find(b, (enum shelf_kind)s->kind, (enum shelf_of)s->of, s->id);

    if (!mine && b->shelves_n == BOOK_SHELVES_MAX)
        return false;
    if (!mine)
        mine = &b->shelves[b->shelves_n++];
    memcpy(mine, s, sizeof *mine);
    keep(b, c->batch, mine);
    book_event(c, shelf_event(b, mine, "begun", s->who, c->now_ms));
    tell_episodes(c, mine, s->who);
    return true;
}

void shelf_take(struct book_change *c, struct shelf *s, const char *who)
{
    struct book *b = c->book;
    const struct shelf gone = *s;

    if (b->store && put_state(c->batch, s, NULL, 0) < 0)
        return; /* it stays until a batch can be had */
    *s = b->shelves[--b->shelves_n];
    book_event(c, shelf_event(b, &gone, "ended", who, c->now_ms));
    tell_episodes(c, &gone, who);
}

void shelves_tick(struct book *b, int64_t now_ms)
{
    for (size_t i = b->shelves_n; i-- > 0;) {
        struct shelf *s = &b->shelves[i];
        if (s->until_ms == 0 || now_ms < s->until_ms)
            continue;
        struct book_change c = book_begin(b, now_ms);
        shelf_take(&c, s, "gateway");
        book_end(&c);
    }
}

void shelves_shift(struct book *b, struct store_batch *batch, int64_t by_ms, bool is_first)
{
    for (size_t i = 0; i < b->shelves_n; i++) {
        struct shelf *s = &b->shelves[i];
        if (s->until_ms == 0 || (is_first && s->is_restored))
            continue;
        s->until_ms += by_ms;
        keep(b, batch, s);
    }
}
