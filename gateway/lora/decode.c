/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a device into readings. A layout decodes at once; a script in its worker, later: the
 * frame is in the log before that, with a mark that goes in the transaction of its readings.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/codec/result.h"
#include "gateway/lora/internal.h"

enum {
    KEY_SIZE = 64,
    MARK_VERSION = 1,
};

/* A history that is older is a clock that is wrong. */
#define PAST_MAX_MS (31 * INT64_C(86400000))

/* ---- rows ---- */

/* A message on its way through its rows: what belongs to it goes with the present one. */
struct taking {
    struct lora *l;
    const struct lora_message *m;
    bool is_kept;
    int rc; /* of what was kept */
};

static int keep_rest(struct taking *t, const struct scan *row)
{
    struct scan s = *row;

    s.states = t->m->states;
    s.states_n = t->m->states_n;
    s.note = t->m->note;
    s.is_urgent = t->m->is_urgent;
    t->is_kept = true;
    t->rc = t->l->o.on_scan(t->l->o.user, &s);
    return t->rc;
}

static struct scan scan_of(const struct taking *t, const struct payload_row *row)
{
    const struct lora_device *d = &t->l->o.devices[t->m->device];
    int64_t age_ms = row->time_ms == INT64_MIN ? row->age_ms : t->m->time_ms - row->time_ms;

    if (age_ms < 0)
        age_ms = 0;
    return (struct scan){ .device = d->number,
                          .time_ms = t->m->time_ms - age_ms,
                          .boot_ms = t->m->boot_ms - age_ms,
                          .start_ms = t->m->time_ms - age_ms,
                          .readings = row->readings,
                          .n = d->profile->points_n,
                          .has = row->has };
}

/* A row of the past fills a gap; where the log goes on already it is late. One beside a row
 * that is there is that row again. */
static void take_past(struct taking *t, struct scan *s)
{
    const struct lora_device *d = &t->l->o.devices[t->m->device];
    int64_t newest_ms = t->l->o.newest_ms(t->l->o.user, d->number);
    int64_t beside_ms = d->every_ms / 2;

    if (t->m->time_ms - s->time_ms > PAST_MAX_MS || llabs(s->time_ms - newest_ms) < beside_ms)
        return;
    s->is_late = s->time_ms <= newest_ms;
    t->l->o.on_scan(t->l->o.user, s);
}

static void on_row(void *user, const struct payload_row *row)
{
    struct taking *t = user;
    struct scan s = scan_of(t, row);

    if (s.time_ms != t->m->time_ms) {
        take_past(t, &s);
        return;
    }
    s.is_late = t->m->is_late;
    keep_rest(t, &s);
}

/* Whatever became of the rows, what belongs to the message is kept. */
static int end_rows(struct taking *t)
{
    const struct scan none = { .device = t->l->o.devices[t->m->device].number,
                               .time_ms = t->m->time_ms,
                               .boot_ms = t->m->boot_ms };

    return t->is_kept ? t->rc : keep_rest(t, &none);
}

static void tell_outcome(struct lora *l, uint32_t device, enum payload_outcome outcome)
{
    if (outcome == PAYLOAD_OK || outcome == PAYLOAD_IGNORED)
        state_decoded(l, device);
    else
        state_undecoded(l, device, outcome, NULL);
}

/* ---- scripts ---- */

/* A frame whose script has not run yet, as a state of the log. */
struct mark {
    uint32_t version;
    uint32_t fcnt;
    int64_t boot_ms, time_ms;
    char boot_id[CLOCK_BOOT_ID_MAX]; /* boot_ms counts in this boot alone */
    uint8_t is_late, fport, n;
    uint8_t payload[FEED_PAYLOAD_MAX];
};

struct job {
    struct lora *l;
    uint32_t device;
    char key[KEY_SIZE];
    struct mark mark;
};

static void end_job(struct job *j, const struct payload_value *values, size_t n,
                    enum payload_outcome *ret)
{
    const struct scan_state over = { .key = j->key };
    const struct lora_message m = { .device = j->device,
                                    .boot_ms = j->mark.boot_ms,
                                    .time_ms = j->mark.time_ms,
                                    .is_late = j->mark.is_late,
                                    .states = &over,
                                    .states_n = 1 };
    struct taking t = { .l = j->l, .m = &m };

    if (values)
        *ret = payload_map(j->l->o.devices[j->device].profile, values, n, on_row, &t);
    end_rows(&t);
}

/* Its fields into rows; what is wrong with them in `why`. */
static enum payload_outcome take_result(struct job *j, const char *json,
                                        char why[RESULT_ERROR_MAX])
{
    enum payload_outcome outcome = PAYLOAD_SCRIPT;
    struct codec_result r;

    if (codec_result_parse(json, &r, why) < 0) {
        end_job(j, NULL, 0, &outcome);
        return outcome;
    }
    if (r.errors_n > 0) { /* it says itself that the message is not to be trusted */
        snprintf(why, RESULT_ERROR_MAX, "%s", r.errors[0]);
        end_job(j, NULL, 0, &outcome);
    } else {
        end_job(j, r.values, r.n, &outcome);
    }
    codec_result_done(&r);
    return outcome;
}

static void on_answer(void *user, const struct codec_answer *a)
{
    struct job *j = user;
    enum payload_outcome outcome = PAYLOAD_SCRIPT;
    char why[RESULT_ERROR_MAX] = "";

    if (a->outcome == CODEC_BROKEN && j->l->is_stopping) { /* the next run takes the mark up */
        free(j);
        return;
    }
    if (a->outcome == CODEC_OK)
        outcome = take_result(j, a->json, why);
    else if (a->outcome != CODEC_BROKEN) /* then the mark stays: the next run tries again */
        end_job(j, NULL, 0, &outcome);
    if (outcome == PAYLOAD_SCRIPT)
        state_undecoded(j->l, j->device, outcome, why[0] ? why : a->message);
    else
        tell_outcome(j->l, j->device, outcome);
    free(j);
}

static void run(struct job *j)
{
    struct lora *l = j->l;
    const struct codec_input in = {
        .routine = CODEC_DECODE_UPLINK,
        .fport = j->mark.fport,
        .bytes = j->mark.payload,
        .n = j->mark.n,
        .time_ms = j->mark.time_ms,
        .variables = l->o.devices[j->device].variables,
    };
    enum payload_outcome outcome;

    if (codecs_run(l->codecs, (size_t)l->seen[j->device].script, &in, on_answer, j) == 0)
        return;
    state_undecoded(l, j->device, PAYLOAD_SCRIPT,
                    "More messages wait for their scripts than there is room for.");
    end_job(j, NULL, 0, &outcome);
    free(j);
}

/* The frame with its mark into the log, then to the worker. */
static int begin_script(struct lora *l, const struct lora_message *m)
{
    const struct lora_device *d = &l->o.devices[m->device];
    struct job *j = calloc(1, sizeof *j); /* padding goes to disk */
    struct scan_state states[2];
    size_t n = 0;

    if (!j)
        return -ENOMEM;
    j->l = l;
    j->device = m->device;
    j->mark = (struct mark){ .version = MARK_VERSION,
                             .fcnt = m->fcnt,
                             .boot_ms = m->boot_ms,
                             .time_ms = m->time_ms,
                             .is_late = m->is_late,
                             .fport = m->fport,
                             .n = (uint8_t)m->n };
    clock_boot_id(j->mark.boot_id);
    memcpy(j->mark.payload, m->payload, m->n);
    snprintf(j->key, sizeof j->key, DECODE_PREFIX "%016" PRIx64 "/%08" PRIx32,
             d->network.dev_eui, m->fcnt);
    if (m->states_n == 1)
        states[n++] = m->states[0];
    states[n++] = (struct scan_state){ j->key, &j->mark, sizeof j->mark };
    struct lora_message kept = *m;
    kept.states = states;
    kept.states_n = n;
    struct taking t = { .l = l, .m = &kept };
    int rc = end_rows(&t);
    if (rc < 0) {
        free(j);
        return rc;
    }
    run(j);
    return 0;
}

static int find_device(const struct lora *l, uint64_t dev_eui)
{
    for (size_t i = 0; i < l->o.devices_n; i++)
        if (l->o.devices[i].network.dev_eui == dev_eui)
            return (int)i;
    return -1;
}

void decode_take_up(struct lora *l, const char *key, const void *data, size_t size)
{
    int device = find_device(l, strtoull(key + strlen(DECODE_PREFIX), NULL, 16));
    struct job *j = calloc(1, sizeof *j);
    char boot_id[CLOCK_BOOT_ID_MAX];

    if (!j || size != sizeof j->mark || device < 0 ||
        l->seen[device].script == LORA_NO_SCRIPT || strlen(key) >= KEY_SIZE) {
        free(j);
        return;
    }
    j->l = l;
    j->device = (uint32_t)device;
    memcpy(&j->mark, data, size);
    snprintf(j->key, sizeof j->key, "%s", key);
    clock_boot_id(boot_id);
    if (j->mark.version != MARK_VERSION || !memchr(j->mark.boot_id, '\0', CLOCK_BOOT_ID_MAX)) {
        free(j);
        return;
    }
    if (strcmp(boot_id, j->mark.boot_id) != 0) /* the same UTC in this boot */
        j->mark.boot_ms =
            clock_boot_ms(l->o.clock) - (clock_wall_ms(l->o.clock) - j->mark.time_ms);
    j->mark.is_late |= j->mark.time_ms < l->o.newest_ms(l->o.user, l->o.devices[device].number);
    run(j);
}

int decode_message(struct lora *l, const struct lora_message *m)
{
    struct taking t = { .l = l, .m = m };

    if (m->fport == 0)
        return end_rows(&t);
    if (l->seen[m->device].script != LORA_NO_SCRIPT)
        return begin_script(l, m);
    tell_outcome(l, m->device,
                 payload_decode(l->o.devices[m->device].profile, m->fport, m->payload, m->n,
                                on_row, &t));
    return end_rows(&t);
}

/* ---- the scripts' files ---- */

static char *read_file(const char *path, size_t *ret_size)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(CODEC_SOURCE_MAX + 1) : NULL;

    *ret_size = text ? fread(text, 1, CODEC_SOURCE_MAX + 1, f) : 0;
    if (text && (ferror(f) || *ret_size > CODEC_SOURCE_MAX)) {
        errno = ferror(f) ? EIO : EFBIG;
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    return text;
}

/* The number of a script; the same file is one script. */
static int add_script(struct lora *l, const char *path, char *error, size_t size)
{
    struct codec_script s = { .name = path };

    for (size_t i = 0; i < l->scripts_n; i++)
        if (strcmp(l->scripts[i].name, path) == 0)
            return (int)i;
    s.source = read_file(path, &s.size);
    if (!s.source) {
        int rc = errno ? -errno : -EIO;
        snprintf(error, size, "The codec %s cannot be read: %s.", path, strerror(-rc));
        return rc;
    }
    l->scripts[l->scripts_n] = s;
    return (int)l->scripts_n++;
}

static void on_codec_notice(void *user, size_t script, const char *what, const char *en,
                            const char *zh)
{
    struct lora *l = user;
    char kind[32];

    snprintf(kind, sizeof kind, "codec_%s", what);
    log_warning("%s", en);
    l->o.on_notice(l->o.user, kind, l->scripts[script].name, en, zh, NULL);
}

int decode_create(struct lora *l, char *error, size_t size)
{
    l->scripts = calloc(l->o.devices_n + 1, sizeof *l->scripts);
    if (!l->scripts)
        return -ENOMEM;
    for (size_t i = 0; i < l->o.devices_n; i++) {
        const char *path = l->o.devices[i].script;
        l->seen[i].script = path ? add_script(l, path, error, size) : LORA_NO_SCRIPT;
        if (path && l->seen[i].script < 0)
            return l->seen[i].script;
    }
    if (l->scripts_n == 0)
        return 0;
    const struct codecs_options o = { .loop = l->o.loop,
                                      .clock = l->o.clock,
                                      .scripts = l->scripts,
                                      .scripts_n = l->scripts_n,
                                      .on_notice = on_codec_notice,
                                      .user = l };
    int rc = codecs_create(&o, &l->codecs);
    if (rc < 0)
        snprintf(error, size, "Codecs cannot be run: %s.", strerror(-rc));
    return rc;
}

void decode_destroy(struct lora *l)
{
    codecs_destroy(l->codecs);
    for (size_t i = 0; i < l->scripts_n; i++)
        free((char *)l->scripts[i].source);
    free(l->scripts);
}
