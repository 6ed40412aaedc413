/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/queue.h"

#include <pthread.h>

#include "unit.h"

enum { WRITERS = 3, PER_WRITER = 2000 };

static void refuses_and_counts_when_full(void **state)
{
    struct queue *q = NULL;
    int in[] = { 1, 2, 3 }, out = 0;

    (void)state;
    assert_int_equal(queue_create(sizeof in[0], 2, &q), 0);
    assert_true(queue_push(q, &in[0]));
    assert_true(queue_push(q, &in[1]));
    assert_false(queue_push(q, &in[2]));
    assert_int_equal(queue_refused(q), 1);
    assert_true(queue_pop(q, &out, 0));
    assert_int_equal(out, 1);
    assert_true(queue_push(q, &in[2]));
    assert_true(queue_pop(q, &out, 0) && out == 2);
    assert_true(queue_pop(q, &out, 0) && out == 3);
    assert_false(queue_pop(q, &out, 0));
    queue_destroy(q);
}

static void gives_what_is_inside_after_closing(void **state)
{
    struct queue *q = NULL;
    int in = 5, out = 0;

    (void)state;
    assert_int_equal(queue_create(sizeof in, 4, &q), 0);
    assert_true(queue_push(q, &in));
    queue_close(q);
    assert_false(queue_push(q, &in));
    assert_true(queue_pop(q, &out, -1));
    assert_int_equal(out, 5);
    assert_false(queue_pop(q, &out, -1));
    queue_destroy(q);
}

static void *write_many(void *user)
{
    struct queue *q = user;

    for (int i = 1; i <= PER_WRITER; i++) {
        while (!queue_push(q, &i))
            ;
    }
    return NULL;
}

static void keeps_every_value_of_many_threads(void **state)
{
    pthread_t threads[WRITERS];
    struct queue *q = NULL;
    long sum = 0;
    int out = 0;

    (void)state;
    assert_int_equal(queue_create(sizeof out, 16, &q), 0);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, q), 0);
    for (int i = 0; i < WRITERS * PER_WRITER; i++) {
        assert_true(queue_pop(q, &out, 10000));
        sum += out;
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(sum, (long)WRITERS * PER_WRITER * (PER_WRITER + 1) / 2);
    assert_int_equal(queue_length(q), 0);
    queue_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_and_counts_when_full),
        cmocka_unit_test(gives_what_is_inside_after_closing),
        cmocka_unit_test(keeps_every_value_of_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
