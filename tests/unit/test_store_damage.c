/* SPDX-License-Identifier: Apache-2.0 */
/* A log whose bytes were spoilt: it is set aside, the station goes on with a new one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/store/reader.h"
#include "gateway/store/store.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

enum { ROWS = 4000, PAGE = 4096 };

struct place {
    char folder[FOLDER_MAX], path[96];
    struct store *store;
    uint64_t epoch;
};

static int open_log(struct place *p, char *error, size_t size)
{
    const struct store_options o = { .path = p->path, .seal_rows = 10, .speed = 1 };

    return store_open(&o, NULL, NULL, &p->store, error, size);
}

static void close_log(struct place *p)
{
    store_close(p->store);
    p->store = NULL;
}

static uint32_t open_stream(struct place *p)
{
    uint32_t number = 0;

    assert_int_equal(
        store_stream_open(p->store, "dev.a", 1, 1000, 1, NULL, "{\"sf1\":1}", &number), 0);
    return number;
}

static void put_rows(struct place *p)
{
    uint32_t stream = open_stream(p);
    struct store_batch *b;

    assert_int_equal(store_batch_begin(p->store, &b), 0);
    for (int i = 0; i < ROWS; i++) {
        uint64_t noise = (uint64_t)i * UINT64_C(0x9E3779B97F4A7C15);
        const struct series_cell cell = { .v = (int64_t)(noise >> 4) };
        assert_int_equal(store_batch_row(b, stream, 1000000000000 + i * 1000, &cell, 1), 0);
    }
    assert_int_equal(store_batch_submit(b, STORE_AT_ONCE), 0);
}

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    char error[256] = "";

    if (!p)
        return -1;
    if (!folder_make(p->folder))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/log.db", p->folder);
    if (open_log(p, error, sizeof error) < 0)
        return -1;
    put_rows(p);
    p->epoch = store_epoch(p->store);
    close_log(p);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    close_log(p);
    folder_remove(p->folder);
    free(p);
    return 0;
}

static void spoil(const struct place *p, off_t from, off_t to)
{
    int fd = open(p->path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    for (off_t at = from; at < to; at += 8)
        assert_int_equal(pwrite(fd, "\xde\xad\xbe\xef\x01\x02\x03\x04", 8, at), 8);
    close(fd);
}

static off_t file_size(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_size : -1;
}

/* The name of the file that was set aside; "" when there is none. */
static void find_aside(const struct place *p, char *ret, size_t size)
{
    DIR *folder = opendir(p->folder);

    assert_non_null(folder);
    *ret = '\0';
    for (struct dirent *e; (e = readdir(folder));)
        if (strncmp(e->d_name, "log.db-damaged-", 15) == 0 && !strstr(e->d_name, "-wal"))
            snprintf(ret, size, "%s/%s", p->folder, e->d_name);
    closedir(folder);
}

static bool take_text(void *user, const struct store_entry *e)
{
    snprintf(user, 512, "%.*s", (int)e->size, (const char *)e->data);
    return false;
}

/* The new log works, has another epoch, and its first entry says why it is there. */
static void check_new_log(struct place *p)
{
    char error[256] = "", aside[512], event[512] = "";
    struct store_reader *r;

    assert_int_equal(open_log(p, error, sizeof error), 0);
    assert_int_not_equal(store_epoch(p->store), p->epoch);
    find_aside(p, aside, sizeof aside);
    assert_true(aside[0] != '\0');
    assert_int_equal(store_reader_open(p->store, &r), 0);
    assert_int_equal(store_read_events(r, "damage", 1, take_text, event), 0);
    assert_non_null(strstr(event, "\"file\":\"log.db-damaged-"));
    store_reader_close(r);
    put_rows(p);
    p->epoch = store_epoch(p->store);
    close_log(p);
    assert_int_equal(open_log(p, error, sizeof error), 0);
    assert_int_equal(store_epoch(p->store), p->epoch);
}

static void spoilt_tables_are_set_aside_with_every_byte(void **state)
{
    struct place *p = *state;
    off_t size = file_size(p->path);
    char aside[512];

    spoil(p, 3 * PAGE, size / 2);
    check_new_log(p);
    find_aside(p, aside, sizeof aside);
    assert_int_equal(file_size(aside), size);
}

static bool count_row(void *user, int64_t time_ms, const struct series_cell *cells, unsigned n,
                      uint32_t layout)
{
    (void)time_ms, (void)cells, (void)n, (void)layout;
    ++*(unsigned *)user;
    return true;
}

static void what_was_set_aside_can_still_be_read_where_it_is_whole(void **state)
{
    struct place *p = *state;
    char aside[512], error[256] = "";
    struct store_reader *r;
    unsigned rows = 0;

    spoil(p, file_size(p->path) - PAGE, file_size(p->path));
    check_new_log(p);
    find_aside(p, aside, sizeof aside);
    assert_int_equal(store_reader_open_file(aside, &r, error, sizeof error), 0);
    store_read_rows(r, 1, 0, INT64_MAX, count_row, &rows);
    store_reader_close(r);
    assert_true(rows > ROWS / 2);
}

static void a_spoilt_header_is_damage(void **state)
{
    struct place *p = *state;

    spoil(p, 0, 64);
    check_new_log(p);
}

static void a_file_that_was_cut_is_damage(void **state)
{
    struct place *p = *state;

    assert_int_equal(truncate(p->path, file_size(p->path) / 3 / PAGE * PAGE), 0);
    check_new_log(p);
}

static void a_file_that_never_was_a_log_is_left_alone(void **state)
{
    struct place *p = *state;
    char mark[128], aside[512], error[256] = "";

    snprintf(mark, sizeof mark, "%s-mark", p->path);
    unlink(mark);
    spoil(p, 0, 64);
    assert_true(open_log(p, error, sizeof error) < 0);
    assert_true(error[0] != '\0');
    find_aside(p, aside, sizeof aside);
    assert_string_equal(aside, "");
}

static void a_whole_log_is_opened_as_it_is(void **state)
{
    struct place *p = *state;
    char aside[512], error[256] = "";

    assert_int_equal(open_log(p, error, sizeof error), 0);
    assert_int_equal(store_epoch(p->store), p->epoch);
    find_aside(p, aside, sizeof aside);
    assert_string_equal(aside, "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(spoilt_tables_are_set_aside_with_every_byte),
        TEST(what_was_set_aside_can_still_be_read_where_it_is_whole),
        TEST(a_spoilt_header_is_damage),
        TEST(a_file_that_was_cut_is_damage),
        TEST(a_file_that_never_was_a_log_is_left_alone),
        TEST(a_whole_log_is_opened_as_it_is),
    };
#undef TEST
    log_set_level((enum log_level)(LOG_ERROR - 1));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
