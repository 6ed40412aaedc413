/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule - what is due when: a heap of (time, number), and the slots that polls keep to.
 *
 * Pure: time is an argument, in whatever milliseconds the owner counts. Numbers are below the
 * capacity; each is in the heap at most once. Equal times come out in the order of the numbers,
 * so that devices keep their order within a slot.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule_entry {
    int64_t due_ms;
    uint32_t id;
};

struct schedule {
    struct schedule_entry *heap;
    uint32_t *place; /* of a number in the heap, from 1; 0: not there */
    size_t n, capacity;
};

/* 0 or -ENOMEM. */
int schedule_init(struct schedule *s, size_t capacity);
void schedule_done(struct schedule *s);

/* Put a number in, or move it to another time. */
void schedule_put(struct schedule *s, uint32_t id, int64_t due_ms);
void schedule_remove(struct schedule *s, uint32_t id);
bool schedule_has(const struct schedule *s, uint32_t id);

/* When a number is due; false when it is not in the heap. */
bool schedule_due(const struct schedule *s, uint32_t id, int64_t *ret_due_ms);

/* Take out one that is due at `now_ms` or before. */
bool schedule_pop(struct schedule *s, int64_t now_ms, struct schedule_entry *ret);

/* The earliest time; false when nothing is waiting. */
bool schedule_next(const struct schedule *s, int64_t *ret_due_ms);

/* The first slot origin + k * interval at `from_ms` or after it. */
int64_t schedule_slot(int64_t origin_ms, int64_t interval_ms, int64_t from_ms);
