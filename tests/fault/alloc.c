/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/alloc.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *p);

/* What the wrapped functions know: they have no argument to carry it. */
static atomic_uint_fast64_t left;
static atomic_bool is_for_good, has_failed;
static atomic_int_fast64_t blocks;
static sqlite3_mem_methods sqlite;

static bool fails(void)
{
    uint_fast64_t n = atomic_load(&left);

    while (n > 0) {
        bool stays = n == 1 && atomic_load(&is_for_good);
        if (!atomic_compare_exchange_weak(&left, &n, stays ? 1 : n - 1))
            continue;
        if (n == 1)
            atomic_store(&has_failed, true);
        return n == 1;
    }
    return false;
}

static void *counted(void *p)
{
    blocks += p != NULL;
    return p;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    if (fails())
        return NULL;
    void *grown = __real_realloc(p, size);
    return p ? grown : counted(grown);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : counted(__real_strdup(text));
}

void __wrap_free(void *p)
{
    blocks -= p != NULL;
    __real_free(p);
}

static void *sqlite_malloc(int size)
{
    return fails() ? NULL : sqlite.xMalloc(size);
}

static void *sqlite_realloc(void *p, int size)
{
    return fails() ? NULL : sqlite.xRealloc(p, size);
}

void alloc_install(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite);
    sqlite3_mem_methods failing = sqlite;
    failing.xMalloc = sqlite_malloc;
    failing.xRealloc = sqlite_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
    sqlite3_initialize();
    json_set_alloc_funcs(__wrap_malloc, __wrap_free);
}

void alloc_fail_at(uint64_t n, bool is_persistent)
{
    atomic_store(&has_failed, false);
    atomic_store(&is_for_good, is_persistent);
    atomic_store(&left, n);
}

bool alloc_has_failed(void)
{
    return atomic_load(&has_failed);
}

int64_t alloc_blocks(void)
{
    return atomic_load(&blocks);
}
