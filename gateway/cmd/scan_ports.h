/* SPDX-License-Identifier: Apache-2.0 */
/* scan_ports - the serial ports of this machine, and why one of them cannot be scanned. */
#pragma once

#include <stdbool.h>

/* Prints them; an exit status. */
int scan_ports_list(bool is_json);
/* False, with a sentence on stderr, for what is no serial port that this user may use. */
bool scan_port_is_there(const char *path);
