/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue - a bounded queue of fixed-size values between threads: the only thing that passes
 * there. A full queue refuses and counts. Any number of writers; readers wait on it or poll.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

/* Room for `capacity` values of `item_size` bytes. 0 or -ENOMEM. */
int queue_create(size_t item_size, size_t capacity, struct queue **ret);
void queue_destroy(struct queue *q);

/* Copies the value in. False when full (counted) or closed. */
bool queue_push(struct queue *q, const void *item);

/* Copies the oldest value out. Waits at most timeout_ms real time (0: not at all, < 0: until
 * closed). False when nothing came, or closed and empty. */
bool queue_pop(struct queue *q, void *item, int64_t timeout_ms);

/* Wakes all waiting readers for good; what is inside can still be popped. */
void queue_close(struct queue *q);

size_t queue_length(struct queue *q);
uint64_t queue_refused(struct queue *q); /* pushes that found it full */
