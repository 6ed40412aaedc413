/* SPDX-License-Identifier: Apache-2.0 */
/* Work at a device, with a limit of time. */
#include <math.h>
#include <stdio.h>

#include "gateway/calibration/request.h"

enum {
    MINUTE_MS = 60000,
    HOUR_MS = 60 * MINUTE_MS,
    MAINTENANCE_MS = 2 * HOUR_MS, /* when nothing is said */
};

void job_maint_list(const struct job *j)
{
    json_t *list = json_array();

    for (const struct maintenance *m = j->c->maintenances; m; m = m->next)
        json_array_append_new(list,
                              json_pack("{s:s,s:o,s:o,s:s,s:s}", "device", m->device_id,
                                        "since", time_json(m->since_ms), "until",
                                        time_json(m->until_ms), "who", m->who, "why", m->why));
    answer_now(j->q, json_pack("{s:b,s:o}", "ok", 1, "maintenance", list));
}

void job_maint_start(const struct job *j)
{
    const double most_ms = 24.0 * HOUR_MS * MAINTENANCE_MAX_DAYS;
    double for_ms;
    uint32_t device;

    if (!job_device(j, &device))
        return;
    if (!job_number(j, "for_ms", MINUTE_MS, most_ms, &for_ms)) {
        job_refuse(j, "bad_request", "Maintenance lasts from one minute to 7 days.",
                   "维护时长为一分钟到七天。");
        return;
    }
    struct maintenance *m = j->c->devices[device].maintenance;
    const bool is_again = m != NULL;
    m = is_again ? m : maintenance_add(j->c, j->c->station.devices[device]);
    if (!m) {
        job_refuse(j, "busy", "Out of memory.", "内存不足。");
        return;
    }
    m->since_ms = is_again ? m->since_ms : j->q->now_ms;
    m->until_ms = j->q->now_ms + (isnan(for_ms) ? MAINTENANCE_MS : (int64_t)for_ms);
    m->is_warned = m->is_restored = false;
    snprintf(m->who, sizeof m->who, "%s", j->q->who);
    if (!is_again || *job_text(j, "why"))
        snprintf(m->why, sizeof m->why, "%s", job_text(j, "why"));
    j->c->devices[device].maintenance = m;
    json_t *event = event_maintenance(m, is_again ? "extended" : "begun", m->who, j->q->now_ms);
    kept_device(j->c, m->device_id, m, json_incref(event));
    tell_services(j->c, device);
    answer_committed(j->c, j->q, json_pack("{s:b,s:o}", "ok", 1, "event", event));
}

void job_maint_stop(const struct job *j)
{
    struct maintenance *m = maintenance_find(j->c, job_text(j, "device"));
    uint32_t device;

    if (!m && job_device(j, &device))
        job_refuse_id(j, "not_running", "There is no maintenance of", "没有正在进行的维护：",
                      job_text(j, "device"));
    if (!m)
        return;
    json_t *event = event_maintenance(m, "ended", j->q->who, j->q->now_ms);
    maintenance_end(j->c, m, j->q->who, j->q->now_ms);
    answer_committed(j->c, j->q, json_pack("{s:b,s:o}", "ok", 1, "event", event));
}
