/* SPDX-License-Identifier: Apache-2.0 */
/* Work at an instrument: begun and ended by a person, and by itself when it was forgotten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/calibration/internal.h"

enum {
    WARN_MS = 10 * 60 * 1000, /* ahead of the end */
    WARN_PARTS = 4,           /* or at the last quarter of a short one */
};

struct maintenance *maintenance_find(const struct calibrations *c, const char *device)
{
    struct maintenance *m = c->maintenances;

    while (m && strcmp(m->device_id, device) != 0)
        m = m->next;
    return m;
}

struct maintenance *maintenance_add(struct calibrations *c, const char *device)
{
    struct maintenance *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    snprintf(m->device_id, sizeof m->device_id, "%s", device);
    m->device = c->station.table ? device_number(c, device) : NOWHERE;
    m->next = c->maintenances;
    c->maintenances = m;
    return m;
}

void maintenance_end(struct calibrations *c, struct maintenance *m, const char *who,
                     int64_t now_ms)
{
    struct maintenance **at = &c->maintenances;

    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    kept_device(c, m->device_id, NULL, event_maintenance(m, "ended", who, now_ms));
    if (m->device != NOWHERE) {
        c->devices[m->device].maintenance = NULL;
        tell_services(c, m->device);
    }
    free(m);
}

static bool is_warning_due(const struct maintenance *m, int64_t now_ms)
{
    const int64_t quarter_ms = (m->until_ms - m->since_ms) / WARN_PARTS;

    return !m->is_warned &&
           now_ms >= m->until_ms - (quarter_ms < WARN_MS ? quarter_ms : WARN_MS);
}

static void warn(struct calibrations *c, struct maintenance *m, int64_t now_ms)
{
    json_t *event = event_maintenance(m, "ending", m->who, now_ms);

    m->is_warned = true;
    json_object_set_new(event, "kind", json_string("notice"));
    json_object_set_new(event, "what", json_string("maintenance_ending"));
    json_object_set_new(event, "subject", json_string(m->device_id));
    kept_device(c, m->device_id, m, event);
}

void maintenances_tick(struct calibrations *c, int64_t now_ms)
{
    struct maintenance *next;

    for (struct maintenance *m = c->maintenances; m; m = next) {
        next = m->next;
        if (now_ms >= m->until_ms)
            maintenance_end(c, m, "time", now_ms);
        else if (is_warning_due(m, now_ms))
            warn(c, m, now_ms);
    }
}

size_t calibrations_maintenances(const struct calibrations *c,
                                 struct calibrations_maintenance *out, size_t max)
{
    size_t n = 0;

    for (const struct maintenance *m = c->maintenances; m && n < max; m = m->next) {
        if (m->device != NOWHERE)
            out[n++] = (struct calibrations_maintenance){ m->device, m->since_ms, m->until_ms,
                                                          m->who, m->why };
    }
    return n;
}
