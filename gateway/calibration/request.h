/* SPDX-License-Identifier: Apache-2.0 */
/* request - what the verbs of callers share. Nobody outside this folder includes it. */
#pragma once

#include "gateway/calibration/internal.h"

struct job {
    struct calibrations *c;
    const struct calibrations_request *q;
    json_t *root; /* of the request */
};

/* ---- request.c: every refusal says what would be right ---- */

void job_refuse(const struct job *j, const char *reason, const char *en, const char *zh);
/* "There is no channel x." */
void job_refuse_id(const struct job *j, const char *reason, const char *en, const char *zh,
                   const char *id);
const char *job_text(const struct job *j, const char *key); /* "" without one */
/* A number of the request, NaN without one; false: it is none, or out of range. */
bool job_number(const struct job *j, const char *key, double min, double max, double *ret);
/* False: there is no such channel or device, and the caller was told. */
bool job_channel(const struct job *j, uint32_t *ret);
bool job_device(const struct job *j, uint32_t *ret);

/* ---- the verbs ---- */

void job_list(const struct job *j); /* request_list.c */
void job_ledger(const struct job *j);
void job_check_start(const struct job *j); /* request_check.c */
void job_check_stop(const struct job *j);
void job_maint_list(const struct job *j); /* request_maint.c */
void job_maint_start(const struct job *j);
void job_maint_stop(const struct job *j);
