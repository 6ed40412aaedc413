/* SPDX-License-Identifier: Apache-2.0 */
/* calibrate_show - the ledger and the list of checked channels, for people. */
#pragma once

#include <jansson.h>

void calibrate_show_revisions(const json_t *revisions);
void calibrate_show_list(const json_t *channels);
void calibrate_show_ledger(const json_t *ledger);
/* Of a sequence that is over: an exit status, EXIT_FOUND when a step was not passed. */
int calibrate_show_results(const json_t *results);
