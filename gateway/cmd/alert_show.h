/* SPDX-License-Identifier: Apache-2.0 */
/* alert_show - open alerts for people: lists, one with all that is known, figures. */
#pragma once

#include <jansson.h>

/* The answer to "list": alerts, what is shelved, and how much it is. */
void alert_show_list(const json_t *answer);
void alert_show_one(const json_t *alert);
void alert_show_figures(const json_t *figures);
void alert_show_shelf(const json_t *shelf);
