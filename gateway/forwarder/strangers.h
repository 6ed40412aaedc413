/* SPDX-License-Identifier: Apache-2.0 */
/* strangers - who was refused lately, so that each is told once a minute. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A flood of invented EUIs is told that often a minute and no more. */
enum { STRANGERS_MAX = 16 };

struct strangers { /* all zero at first */
    struct {
        uint64_t eui;
        int64_t told_us; /* 0: nobody */
    } who[STRANGERS_MAX];
};

/* Whether it is to be told now; then it counts as told. */
bool strangers_tell(struct strangers *s, uint64_t eui, int64_t now_us);
