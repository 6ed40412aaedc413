/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leap seconds, from the system's table (tzdata's copy of the list of the IERS): what a device
 * is told when it asks for the time (DeviceTimeReq) counts them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/lora/internal.h"

#define LEAP_TABLE    "/usr/share/zoneinfo/leap-seconds.list"
#define NTP_TO_UNIX_S INT64_C(2208988800) /* 1900-01-01 to 1970-01-01 */
#define GPS_EPOCH_S   INT64_C(315964800)  /* 1980-01-06 */

enum {
    TAI_LESS_GPS_S = 19, /* TAI-UTC when GPS time began */
    LINE_SIZE = 256,
};

/* TAI-UTC at an instant; 0: the table is not there, or begins later. A table that is out of
 * date says the last that it knows: the next leap second is announced half a year ahead. */
static int tai_less_utc_s(int64_t utc_s)
{
    FILE *f = fopen(LEAP_TABLE, "re");
    char line[LINE_SIZE];
    int offset_s = 0;

    while (f && fgets(line, sizeof line, f)) {
        char *end;
        int64_t from_s = strtoll(line, &end, 10) - NTP_TO_UNIX_S;
        if (line[0] == '#' || end == line)
            continue;
        if (from_s > utc_s)
            break;
        offset_s = (int)strtol(end, NULL, 10);
    }
    if (f)
        fclose(f);
    return offset_s;
}

int64_t gps_time_ms(int64_t utc_ms)
{
    int offset_s = tai_less_utc_s(utc_ms / 1000);

    if (offset_s < TAI_LESS_GPS_S)
        return INT64_MIN;
    return utc_ms - GPS_EPOCH_S * 1000 + (int64_t)(offset_s - TAI_LESS_GPS_S) * 1000;
}
