/* SPDX-License-Identifier: Apache-2.0 */
/* scan_target - what the command line says about where and what to look for. Pure. */
#pragma once

#include "gateway/survey/survey.h"

enum { TARGET_HOST_MAX = 256 };

/* "/dev/ttyUSB0", "tcp:host[:port]", "host:port", "rtu-tcp:host:port". `host` keeps the name
 * that *ret points to. 0 or -EINVAL. */
int scan_target(const char *text, struct bus_place *ret, char host[TARGET_HOST_MAX]);

/* "1-10,17": into ret[SURVEY_UNITS_MAX], every unit once, in the order given. 0 or -EINVAL. */
int scan_units(const char *text, uint8_t *ret, size_t *ret_n);

/* Lists of speeds and formats, "4800,9600" and "8N1,8E1"; NULL: as in `known`. Every speed with
 * every format; without a list, the formats that `known` has for the speed. 0 or -EINVAL. */
int scan_settings(const char *bauds, const char *formats, const struct survey_setting *known,
                  size_t known_n, struct survey_setting ret[SURVEY_SETTINGS_MAX],
                  size_t *ret_n);

/* "h:0+13", "i:0x10+2", "c:5". 0 or -EINVAL. */
int scan_read(const char *text, struct survey_read *ret);
