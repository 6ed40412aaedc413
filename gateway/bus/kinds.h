/* SPDX-License-Identifier: Apache-2.0 */
/* kinds - how each type of bus is made; bus_create() chooses. Inside gateway/bus only. */
#pragma once

#include "gateway/bus/bus.h"

struct bus_options {
    uv_loop_t *loop;
    const struct clock *clock;
    struct bus_place place;
    struct bus_events on;
};

/* 0 or a negative errno. */
int modbus_tcp_create(const struct bus_options *o, struct bus **ret);
int modbus_rtu_create(const struct bus_options *o, struct bus **ret);
int modbus_rtu_tcp_create(const struct bus_options *o, struct bus **ret);
int modbus_carried_create(const struct bus_options *o, struct bus **ret);
int no_bus_create(const struct bus_options *o, struct bus **ret);
