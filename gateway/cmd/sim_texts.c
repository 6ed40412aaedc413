/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/sim_texts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY_MAX = 300 };

static int wrong(const char *option, const char *text, const char *why)
{
    fprintf(stderr, "sluice sim: %s %s: %s.\n", option, text, why);
    return EXIT_USAGE;
}

/* ---- reading ---- */

/* "point=value" or "device/point=value" */
static int parse_set(struct sim_texts *t, const char *text, char *why)
{
    char *name = t->set_names[t->sets_n];
    size_t len = strcspn(text, "=");
    char *end;

    snprintf(why, WHY_MAX, "expects POINT=VALUE: %s", text);
    if (!text[len] || len == 0 || len >= sizeof t->set_names[0])
        return -EINVAL;
    memcpy(name, text, len);
    double x = strtod(text + len + 1, &end);
    if (end == text + len + 1 || *end)
        return -EINVAL;
    char *slash = strchr(name, '/');
    if (slash)
        *slash = '\0';
    t->sets[t->sets_n++] = (struct instrument_set){ .device = slash ? name : NULL,
                                                    .point = slash ? slash + 1 : name,
                                                    .value = isfinite(x) ? x : (double)NAN };
    return 0;
}

static int parse_episode(struct sim_texts *t, const char *text, char *why)
{
    int rc = signal_episode_parse(text, &t->episodes[t->episodes_n], why, WHY_MAX);

    t->episodes_n += rc == 0;
    return rc;
}

static int parse_disturbance(struct sim_texts *t, const char *text, char *why)
{
    int rc = disturbance_parse(text, &t->disturbances[t->disturbances_n], why, WHY_MAX);

    t->disturbances_n += rc == 0;
    return rc;
}

static int parse_fault(struct sim_texts *t, const char *text, char *why)
{
    int rc = fault_parse(text, &t->faults[t->faults_n], why, WHY_MAX);

    t->faults_n += rc == 0;
    return rc;
}

int sim_texts_parse(struct sim_texts *t, const struct option_texts *sets,
                    const struct option_texts *episodes,
                    const struct option_texts *disturbances, const struct option_texts *faults)
{
    const struct {
        const char *option;
        const struct option_texts *texts;
        int (*parse)(struct sim_texts *t, const char *text, char *why);
    } all[] = { { "--set", sets, parse_set },
                { "--episode:", episodes, parse_episode },
                { "--disturb:", disturbances, parse_disturbance },
                { "--fault:", faults, parse_fault } };
    char why[WHY_MAX];

    t->set_texts = sets;
    t->episode_texts = episodes;
    t->disturb_texts = disturbances;
    t->fault_texts = faults;
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        for (size_t i = 0; i < all[k].texts->n; i++) {
            if (all[k].parse(t, all[k].texts->text[i], why) < 0) {
                fprintf(stderr, "sluice sim: %s %s.\n", all[k].option, why);
                return EXIT_USAGE;
            }
        }
    }
    return EXIT_DONE;
}

/* ---- do they name what there is? ---- */

static bool names_point(const struct profile *p, const char *id)
{
    for (size_t i = 0; i < p->points_n; i++) {
        if (strcmp(p->points[i].id, id) == 0)
            return true;
    }
    return false;
}

static bool names_quantity(const struct profile *p, const char *id)
{
    for (size_t i = 0; i < p->points_n; i++) {
        if (p->points[i].quantity && strcmp(p->points[i].quantity->id, id) == 0)
            return true;
    }
    return false;
}

static bool is_device(const struct sim_device *d, const char *id, size_t len)
{
    return strlen(d->id) == len && strncmp(d->id, id, len) == 0;
}

/* A device NULL means any. */
static bool has_point(const struct sim_device *devices, size_t n, const char *device,
                      size_t device_len, const char *point)
{
    for (size_t i = 0; i < n; i++) {
        const struct profile *p = devices[i].profile;
        if (device && !is_device(&devices[i], device, device_len))
            continue;
        if (names_point(p, point) || (!device && names_quantity(p, point)))
            return true;
    }
    return false;
}

static int check_set(const struct sim_texts *t, size_t i, const struct sim_device *devices,
                     size_t n)
{
    const struct instrument_set *s = &t->sets[i];
    char why[WHY_MAX];

    if (has_point(devices, n, s->device, s->device ? strlen(s->device) : 0, s->point))
        return EXIT_DONE;
    snprintf(why, sizeof why, "there is no point '%.128s'", s->point);
    return wrong("--set", t->set_texts->text[i], why);
}

static int check_episode(const struct sim_texts *t, size_t i, const struct sim_device *devices,
                         size_t n)
{
    const char *target = t->episodes[i].target;
    const char *slash = strchr(target, '/');

    if (has_point(devices, n, slash ? target : NULL, slash ? (size_t)(slash - target) : 0,
                  slash ? slash + 1 : target))
        return EXIT_DONE;
    return wrong("--episode", t->episode_texts->text[i], "there is no such quantity or point");
}

/* A quantity may be measured by a point that can say that it has no value, or by one that
 * cannot: one that can will do. */
static int check_disturbance(const struct sim_texts *t, size_t i,
                             const struct sim_device *devices, size_t n)
{
    const struct disturbance *d = &t->disturbances[i];
    bool is_known = false, can_be_missing = false;

    for (size_t k = 0; k < n; k++) {
        for (size_t j = 0; j < devices[k].profile->points_n; j++) {
            const struct profile_point *pt = &devices[k].profile->points[j];
            bool is_meant = instrument_is_target(devices[k].id, pt, d->target);
            is_known |= is_meant;
            can_be_missing |= is_meant && instrument_can_be_missing(pt);
        }
    }
    if (!is_known)
        return wrong("--disturb", t->disturb_texts->text[i],
                     "there is no such quantity or point");
    if (d->kind == DISTURB_DROPOUT && !can_be_missing)
        return wrong("--disturb", t->disturb_texts->text[i],
                     "the instrument has no code by which this could have no value");
    return EXIT_DONE;
}

static int check_fault(const struct sim_texts *t, size_t i, const struct sim_device *devices,
                       size_t n)
{
    const struct fault *f = &t->faults[i];
    bool is_known = false, has_checksum = false;

    for (size_t k = 0; k < n; k++) {
        bool is_meant = !f->device[0] || is_device(&devices[k], f->device, strlen(f->device));
        is_known |= is_meant;
        has_checksum |= is_meant && devices[k].has_checksum;
    }
    if (!is_known)
        return wrong("--fault", t->fault_texts->text[i], "there is no such device");
    if (f->kind == FAULT_NOISE && !has_checksum)
        return wrong("--fault", t->fault_texts->text[i],
                     "Modbus TCP has no checksum that could tell noise; it goes with RTU "
                     "frames, on a pseudo terminal or over TCP");
    return EXIT_DONE;
}

int sim_texts_check(const struct sim_texts *t, const struct sim_device *devices, size_t n)
{
    int rc = EXIT_DONE;

    for (size_t i = 0; i < t->sets_n && rc == EXIT_DONE; i++)
        rc = check_set(t, i, devices, n);
    for (size_t i = 0; i < t->episodes_n && rc == EXIT_DONE; i++)
        rc = check_episode(t, i, devices, n);
    for (size_t i = 0; i < t->disturbances_n && rc == EXIT_DONE; i++)
        rc = check_disturbance(t, i, devices, n);
    for (size_t i = 0; i < t->faults_n && rc == EXIT_DONE; i++)
        rc = check_fault(t, i, devices, n);
    return rc;
}
