/* SPDX-License-Identifier: Apache-2.0 */
#include "sensors/payload/lpp.h"

#include <string.h>

#include "sensors/payload/number.h"

/* payload-codecs section 7; the types are IPSO objects less 3200. */
const struct lpp_type lpp_types[] = {
    { 0, "digital_in", NULL, 1, NUMBER_U8, 1, 0 },
    { 1, "digital_out", NULL, 1, NUMBER_U8, 1, 0 },
    { 2, "analog_in", NULL, 1, NUMBER_S16, 0.01, 0 },
    { 3, "analog_out", NULL, 1, NUMBER_S16, 0.01, 0 },
    { 100, "generic", NULL, 1, NUMBER_U32, 1, 0 },
    { 101, "illuminance", "lx", 1, NUMBER_U16, 1, 0 },
    { 102, "presence", NULL, 1, NUMBER_U8, 1, 0 },
    { 103, "temperature", "Cel", 1, NUMBER_S16, 0.1, 0 },
    { 104, "humidity", "%", 1, NUMBER_U8, 0.5, 0 },
    { 113, "accelerometer", NULL, 3, NUMBER_S16, 0.001, 0 },
    { 115, "barometer", "hPa", 1, NUMBER_U16, 0.1, 0 },
    { 116, "voltage", "V", 1, NUMBER_U16, 0.01, 0 },
    { 117, "current", "A", 1, NUMBER_U16, 0.001, 0 },
    { 118, "frequency", "Hz", 1, NUMBER_U32, 1, 0 },
    { 120, "percentage", "%", 1, NUMBER_U8, 1, 0 },
    { 121, "altitude", "m", 1, NUMBER_S16, 1, 0 },
    { 125, "concentration", "[ppm]", 1, NUMBER_U16, 1, 0 },
    { 128, "power", "W", 1, NUMBER_U16, 1, 0 },
    { 130, "distance", "m", 1, NUMBER_U32, 0.001, 0 },
    { 131, "energy", "kW.h", 1, NUMBER_U32, 0.001, 0 },
    { 132, "direction", "deg", 1, NUMBER_U16, 1, 0 },
    { 133, "unix_time", "s", 1, NUMBER_U32, 1, 0 },
    { 134, "gyrometer", NULL, 3, NUMBER_S16, 0.01, 0 },
    { 135, "colour", NULL, 3, NUMBER_U8, 1, 0 },
    { 136, "gps", NULL, 3, NUMBER_S24, 0.0001, 0.01 },
    { 142, "switch", NULL, 1, NUMBER_U8, 1, 0 },
};
const size_t lpp_types_n = sizeof lpp_types / sizeof lpp_types[0];

const struct lpp_type *lpp_find(uint8_t type)
{
    for (size_t i = 0; i < lpp_types_n; i++)
        if (lpp_types[i].type == type)
            return &lpp_types[i];
    return NULL;
}

const struct lpp_type *lpp_find_name(const char *name)
{
    for (size_t i = 0; i < lpp_types_n; i++)
        if (!strcmp(lpp_types[i].name, name))
            return &lpp_types[i];
    return NULL;
}

size_t lpp_bytes(const struct lpp_type *t)
{
    return t->parts * number_bytes(t->number);
}
