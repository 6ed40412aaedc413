/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pass - one scan of chosen devices, by the poller's own plans and state machines, with
 * everything kept that explains a value or its absence. Reads only.
 *
 * Runs a loop of its own until every chosen device is done: buses side by side, the devices of
 * one bus one after another.
 */
#pragma once

#include "gateway/base/buf.h"
#include "gateway/poll/device.h"
#include "gateway/table.h"
#include "sensors/profile/identify.h"

enum {
    TEST_FAILURES_MAX = 64, /* failed requests remembered per device: more are the same tale */
    TEST_ANSWERS_MAX = 32,  /* identification tests of one profile */
    TEST_FRAMES_MAX = 1 << 20, /* bytes of the frames' text of one device */
};

struct test_failure { /* one request that brought nothing */
    uint8_t space;
    uint16_t first, count;
    enum bus_outcome outcome;
    uint8_t exception;
};

struct test_result {
    const struct poll_device *conf;
    bool is_wanted, is_done;
    bool is_named; /* by the caller: asked even when it is disabled */
    enum scan_outcome outcome;
    int64_t took_ms; /* of the scan, without the identification */
    int late;        /* answers that came after their deadline */
    struct device device;
    struct load_line line;
    struct reading *readings; /* one per point of the profile */
    struct test_failure failures[TEST_FAILURES_MAX];
    size_t failures_n;
    struct identify_answer answers[TEST_ANSWERS_MAX]; /* tests first, then texts */
    struct bus_reply *kept[TEST_ANSWERS_MAX];         /* what the answers point to */
    struct buf frames;                                /* "> 01 03 ...\n< ..." */
};

struct test_pass {
    const struct table *table;
    struct test_result *results; /* one per device of the configuration */
    bool has_frames;
    /* Main thread, after each device, in the order in which they end. */
    void (*on_done)(void *user, size_t device);
    void *user;
};

/* One result per device of the table, none of them wanted. 0 or a negative errno. */
int test_pass_init(struct test_pass *t, const struct table *table);
void test_pass_done(struct test_pass *t);

/* 0 or a negative errno. */
int test_pass_run(struct test_pass *t);

/* Whether the device is asked at all: a disabled one only by name. */
bool test_is_asked(const struct test_result *r);

/* What the device says of one identification test, and as the text of a point. */
const struct identify_answer *test_answer(const struct test_result *r, size_t test);
const struct identify_answer *test_text(const struct test_result *r, size_t point);

/* The profile whose layout the device has. */
const struct profile *test_profile(const struct test_result *r);
