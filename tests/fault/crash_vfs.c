/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/crash_vfs.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SECTOR = 512,
    NODES_MAX = 32,
    NAME_MAX_ = 256,
    SHM_REGIONS_MAX = 64,
};

struct image {
    uint8_t *data;
    size_t size, cap; /* what lies between them is zero */
};

struct node { /* a file */
    char name[NAME_MAX_];
    bool exists;
    unsigned opened;
    struct image cache, disk;
    uint8_t *dirty; /* by sector */
    size_t dirty_n;
    /* locks of the database, and of the WAL's index */
    unsigned shared;
    const void *reserved, *pending, *exclusive;
    void *shm[SHM_REGIONS_MAX];
    unsigned shm_users;
    int shm_locks[SQLITE_SHM_NLOCK]; /* readers, or -1 */
};

struct crash_vfs {
    sqlite3_vfs base, *before;
    pthread_mutex_t lock;
    struct node nodes[NODES_MAX];
    uint64_t seed;
    bool is_off;
    uint64_t cut_in;
    void (*on_off)(void *user);
    void *user;
    struct crash_fault fault;
    bool has_failed;
    uint64_t limit;
    enum crash_sync sync;
    unsigned checkpoint_pages;
    struct crash_count count;
};

struct file {
    sqlite3_file base;
    struct crash_vfs *v;
    struct node *node;
    int lock;
    bool is_temporary, has_shm;
    unsigned shm_shared, shm_exclusive;
};

/* ---- images ---- */

static uint64_t next_random(struct crash_vfs *v)
{
    v->seed += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = v->seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void reserve(struct image *m, size_t size)
{
    size_t cap = m->cap ? m->cap : 1 << 16;

    if (size <= m->cap)
        return;
    while (cap < size)
        cap *= 2;
    m->data = realloc(m->data, cap);
    if (!m->data)
        abort();
    memset(m->data + m->cap, 0, cap - m->cap);
    m->cap = cap;
}

static void cut_image(struct image *m, size_t size)
{
    if (size < m->size)
        memset(m->data + size, 0, m->size - size);
    m->size = size;
}

static void write_image(struct image *m, size_t at, const void *data, size_t n)
{
    reserve(m, at + n);
    memcpy(m->data + at, data, n);
    if (at + n > m->size)
        m->size = at + n;
}

static void mark_dirty(struct node *f, size_t at, size_t n)
{
    size_t end = (at + n + SECTOR - 1) / SECTOR;

    if (end > f->dirty_n) {
        size_t more = end * 2;
        f->dirty = realloc(f->dirty, more);
        if (!f->dirty)
            abort();
        memset(f->dirty + f->dirty_n, 0, more - f->dirty_n);
        f->dirty_n = more;
    }
    if (n > 0)
        memset(f->dirty + at / SECTOR, 1, end - at / SECTOR);
}

static void keep_sector(struct node *f, size_t i)
{
    size_t at = i * SECTOR;

    if (at >= f->cache.size)
        return;
    size_t n = f->cache.size - at < SECTOR ? f->cache.size - at : SECTOR;
    write_image(&f->disk, at, f->cache.data + at, n);
}

static void sync_node(struct node *f)
{
    if (f->disk.size > f->cache.size)
        cut_image(&f->disk, f->cache.size);
    for (size_t i = 0; i < f->dirty_n; i++)
        if (f->dirty[i])
            keep_sector(f, i);
    if (f->dirty_n)
        memset(f->dirty, 0, f->dirty_n);
}

static void tear_node(struct crash_vfs *v, struct node *f)
{
    if (f->disk.size > f->cache.size && next_random(v) & 1)
        cut_image(&f->disk, f->cache.size);
    for (size_t i = 0; i < f->dirty_n; i++)
        if (f->dirty[i] && next_random(v) & 1)
            keep_sector(f, i);
    if (f->dirty_n)
        memset(f->dirty, 0, f->dirty_n);
}

static void free_shm(struct node *f)
{
    for (size_t i = 0; i < SHM_REGIONS_MAX; i++) {
        free(f->shm[i]);
        f->shm[i] = NULL;
    }
}

static void remove_node(struct node *f)
{
    free(f->cache.data);
    free(f->disk.data);
    free(f->dirty);
    free_shm(f);
    *f = (struct node){ 0 };
}

static struct node *find_node(struct crash_vfs *v, const char *name)
{
    for (size_t i = 0; i < NODES_MAX; i++)
        if (v->nodes[i].exists && strcmp(v->nodes[i].name, name) == 0)
            return &v->nodes[i];
    return NULL;
}

static struct node *make_node(struct crash_vfs *v, const char *name)
{
    for (size_t i = 0; i < NODES_MAX; i++)
        if (!v->nodes[i].exists) {
            snprintf(v->nodes[i].name, NAME_MAX_, "%s", name);
            v->nodes[i].exists = true;
            return &v->nodes[i];
        }
    return NULL;
}

static uint64_t used(const struct crash_vfs *v)
{
    uint64_t n = 0;

    for (size_t i = 0; i < NODES_MAX; i++)
        n += v->nodes[i].cache.size;
    return n;
}

/* ---- power and faults; under the lock ---- */

static void power_off(struct crash_vfs *v)
{
    v->is_off = true;
    for (size_t i = 0; i < NODES_MAX; i++)
        if (v->nodes[i].exists)
            tear_node(v, &v->nodes[i]);
    if (v->on_off)
        v->on_off(v->user);
}

/* Whether the power goes with this operation. */
static bool is_cut(struct crash_vfs *v)
{
    if (v->cut_in == 0 || --v->cut_in > 0)
        return false;
    power_off(v);
    return true;
}

static bool is_faulty(struct crash_vfs *v, enum crash_op op)
{
    struct crash_fault *f = &v->fault;

    if (!(f->ops & (unsigned)op) || f->at == 0)
        return false;
    if (f->at > 1) {
        f->at--;
        return false;
    }
    if (!f->is_persistent)
        f->at = 0;
    v->has_failed = true;
    return true;
}

/* ---- files ---- */

static int file_close(sqlite3_file *base)
{
    struct file *f = (struct file *)base;

    pthread_mutex_lock(&f->v->lock);
    f->node->opened--;
    if (f->is_temporary)
        remove_node(f->node);
    pthread_mutex_unlock(&f->v->lock);
    return SQLITE_OK;
}

static int read_node(struct file *f, void *out, size_t n, size_t at)
{
    const struct image *m = &f->node->cache;
    size_t there = at < m->size ? m->size - at : 0;

    if (is_faulty(f->v, CRASH_READ))
        return SQLITE_IOERR_READ;
    if (there > n)
        there = n;
    if (there > 0)
        memcpy(out, m->data + at, there);
    if (there < n)
        memset((char *)out + there, 0, n - there);
    return there < n ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *out, int n, sqlite3_int64 at)
{
    struct file *f = (struct file *)base;

    pthread_mutex_lock(&f->v->lock);
    int rc = f->v->is_off ? SQLITE_IOERR_READ : read_node(f, out, (size_t)n, (size_t)at);
    pthread_mutex_unlock(&f->v->lock);
    return rc;
}

static void put_bytes(struct file *f, const void *data, size_t n, size_t at)
{
    write_image(&f->node->cache, at, data, n);
    mark_dirty(f->node, at, n);
    f->v->count.writes++;
    f->v->count.write_bytes += n;
}

static bool has_room(const struct file *f, size_t end)
{
    const struct crash_vfs *v = f->v;
    size_t size = f->node->cache.size;

    return v->limit == 0 || end <= size || used(v) + (end - size) <= v->limit;
}

static int write_node(struct file *f, const void *data, size_t n, size_t at)
{
    struct crash_vfs *v = f->v;

    if (is_faulty(v, CRASH_WRITE)) {
        if (v->fault.is_short)
            put_bytes(f, data, n / 2, at);
        return v->fault.is_full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    if (!has_room(f, at + n))
        return SQLITE_FULL;
    put_bytes(f, data, n, at);
    return is_cut(v) ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int file_write(sqlite3_file *base, const void *data, int n, sqlite3_int64 at)
{
    struct file *f = (struct file *)base;

    pthread_mutex_lock(&f->v->lock);
    int rc = f->v->is_off ? SQLITE_IOERR_WRITE : write_node(f, data, (size_t)n, (size_t)at);
    pthread_mutex_unlock(&f->v->lock);
    return rc;
}

static int truncate_node(struct file *f, size_t size)
{
    if (is_faulty(f->v, CRASH_TRUNCATE))
        return SQLITE_IOERR_TRUNCATE;
    cut_image(&f->node->cache, size);
    return is_cut(f->v) ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *f = (struct file *)base;

    pthread_mutex_lock(&f->v->lock);
    int rc = f->v->is_off ? SQLITE_IOERR_TRUNCATE : truncate_node(f, (size_t)size);
    pthread_mutex_unlock(&f->v->lock);
    return rc;
}

/* A sync that fails leaves what was to be written marked clean and lost, as the kernel does:
 * the next one would succeed. */
static int sync_file(struct file *f)
{
    f->v->count.syncs++;
    if (is_faulty(f->v, CRASH_SYNC)) {
        tear_node(f->v, f->node);
        return SQLITE_IOERR_FSYNC;
    }
    if (is_cut(f->v))
        return SQLITE_IOERR_FSYNC;
    sync_node(f->node);
    return SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct file *f = (struct file *)base;

    (void)flags;
    pthread_mutex_lock(&f->v->lock);
    int rc = f->v->is_off ? SQLITE_IOERR_FSYNC : sync_file(f);
    pthread_mutex_unlock(&f->v->lock);
    return rc;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret)
{
    struct file *f = (struct file *)base;

    pthread_mutex_lock(&f->v->lock);
    *ret = (sqlite3_int64)f->node->cache.size;
    int rc = f->v->is_off ? SQLITE_IOERR_FSTAT : SQLITE_OK;
    pthread_mutex_unlock(&f->v->lock);
    return rc;
}

/* ---- locks of the database ---- */

static bool is_free_of(const void *owner, const struct file *f)
{
    return !owner || owner == f;
}

static int take_lock(struct file *f, int level)
{
    struct node *n = f->node;

    if (!is_free_of(n->exclusive, f))
        return SQLITE_BUSY;
    if (level == SQLITE_LOCK_SHARED) {
        if (n->pending)
            return SQLITE_BUSY;
        n->shared++;
    } else if (level == SQLITE_LOCK_RESERVED) {
        if (!is_free_of(n->reserved, f))
            return SQLITE_BUSY;
        n->reserved = f;
    } else {
        if (!is_free_of(n->pending, f) || !is_free_of(n->reserved, f))
            return SQLITE_BUSY;
        n->pending = f;
        f->lock = SQLITE_LOCK_PENDING;
        if (n->shared > 1)
            return SQLITE_BUSY;
        n->exclusive = f;
    }
    f->lock = level;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
    struct file *f = (struct file *)base;

    if (f->lock >= level)
        return SQLITE_OK;
    pthread_mutex_lock(&f->v->lock);
    int rc = take_lock(f, level);
    pthread_mutex_unlock(&f->v->lock);
    return rc;
}

static int file_unlock(sqlite3_file *base, int level)
{
    struct file *f = (struct file *)base;
    struct node *n = f->node;

    if (f->lock <= level)
        return SQLITE_OK;
    pthread_mutex_lock(&f->v->lock);
    if (n->exclusive == f)
        n->exclusive = NULL;
    if (n->pending == f)
        n->pending = NULL;
    if (n->reserved == f)
        n->reserved = NULL;
    if (level == SQLITE_LOCK_NONE)
        n->shared--;
    f->lock = level;
    pthread_mutex_unlock(&f->v->lock);
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *base, int *ret)
{
    struct file *f = (struct file *)base;

    pthread_mutex_lock(&f->v->lock);
    *ret = f->node->reserved != NULL;
    pthread_mutex_unlock(&f->v->lock);
    return SQLITE_OK;
}

/* ---- the WAL's index: memory that connections share ---- */

static int shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **ret)
{
    struct file *f = (struct file *)base;
    int rc = SQLITE_OK;

    *ret = NULL;
    if (region < 0 || region >= SHM_REGIONS_MAX)
        return SQLITE_FULL;
    pthread_mutex_lock(&f->v->lock);
    void **at = &f->node->shm[region];
    if (!f->has_shm) {
        f->has_shm = true;
        f->node->shm_users++;
    }
    if (!*at && extend)
        *at = calloc(1, (size_t)size);
    if (!*at && extend)
        rc = SQLITE_NOMEM;
    *ret = *at;
    pthread_mutex_unlock(&f->v->lock);
    return rc;
}

static bool shm_may_lock(const struct file *f, unsigned mask, bool is_shared)
{
    for (unsigned i = 0; i < SQLITE_SHM_NLOCK; i++) {
        int n = f->node->shm_locks[i];
        unsigned bit = 1u << i;
        if (!(mask & bit))
            continue;
        if (is_shared ? n < 0 : n > (f->shm_shared & bit ? 1 : 0) || n < 0)
            return false;
    }
    return true;
}

static void shm_set(struct file *f, unsigned mask, int flags)
{
    for (unsigned i = 0; i < SQLITE_SHM_NLOCK; i++) {
        unsigned bit = 1u << i;
        int *n = &f->node->shm_locks[i];
        if (!(mask & bit))
            continue;
        if (flags & SQLITE_SHM_UNLOCK) {
            if (f->shm_exclusive & bit)
                *n = 0;
            else if (f->shm_shared & bit)
                --*n;
            f->shm_exclusive &= ~bit;
            f->shm_shared &= ~bit;
        } else if (flags & SQLITE_SHM_SHARED) {
            if (!(f->shm_shared & bit))
                ++*n;
            f->shm_shared |= bit;
        } else {
            *n = -1;
            f->shm_exclusive |= bit;
        }
    }
}

static int shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
    struct file *f = (struct file *)base;
    unsigned mask = ((1u << n) - 1) << offset;
    int rc = SQLITE_OK;

    pthread_mutex_lock(&f->v->lock);
    if (flags & SQLITE_SHM_LOCK && !shm_may_lock(f, mask, flags & SQLITE_SHM_SHARED))
        rc = SQLITE_BUSY;
    else
        shm_set(f, mask, flags);
    pthread_mutex_unlock(&f->v->lock);
    return rc;
}

static void shm_barrier(sqlite3_file *base)
{
    (void)base;
    __sync_synchronize();
}

static int shm_unmap(sqlite3_file *base, int is_removed)
{
    struct file *f = (struct file *)base;

    pthread_mutex_lock(&f->v->lock);
    if (f->has_shm) {
        f->has_shm = false;
        if (--f->node->shm_users == 0 || is_removed)
            free_shm(f->node);
    }
    pthread_mutex_unlock(&f->v->lock);
    return SQLITE_OK;
}

/* ---- what SQLite is told ---- */

static int on_pragma(struct crash_vfs *v, char **args)
{
    if (v->sync == CRASH_SYNC_HONEST || sqlite3_stricmp(args[1], "synchronous") != 0)
        return SQLITE_NOTFOUND;
    if (args[2])
        return sqlite3_stricmp(args[2], "FULL") == 0 ? SQLITE_OK : SQLITE_NOTFOUND;
    if (v->sync != CRASH_SYNC_LIES)
        return SQLITE_NOTFOUND;
    args[0] = sqlite3_mprintf("2");
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg)
{
    struct file *f = (struct file *)base;

    return op == SQLITE_FCNTL_PRAGMA ? on_pragma(f->v, arg) : SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR;
}

static int characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const struct sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---- the file system ---- */

static int open_node(struct crash_vfs *v, const char *name, int flags, struct node **ret)
{
    struct node *n = name ? find_node(v, name) : NULL;

    if (v->is_off || is_faulty(v, CRASH_OPEN))
        return SQLITE_CANTOPEN;
    if (!n && !(flags & SQLITE_OPEN_CREATE))
        return SQLITE_CANTOPEN;
    if (!n)
        n = make_node(v, name ? name : "");
    if (!n)
        return SQLITE_CANTOPEN;
    n->opened++;
    *ret = n;
    return SQLITE_OK;
}

static int vfs_open(sqlite3_vfs *base, const char *name, sqlite3_file *out, int flags,
                    int *ret_flags)
{
    struct crash_vfs *v = base->pAppData;
    struct file *f = (struct file *)out;

    *f = (struct file){ .v = v, .is_temporary = !name };
    pthread_mutex_lock(&v->lock);
    int rc = open_node(v, name, flags, &f->node);
    pthread_mutex_unlock(&v->lock);
    if (rc != SQLITE_OK)
        return rc;
    f->base.pMethods = &methods;
    if (ret_flags)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int delete_node(struct crash_vfs *v, const char *name)
{
    struct node *n = find_node(v, name);

    if (v->is_off || is_faulty(v, CRASH_DELETE))
        return SQLITE_IOERR_DELETE;
    if (!n)
        return SQLITE_IOERR_DELETE_NOENT;
    if (is_cut(v))
        return SQLITE_IOERR_DELETE;
    remove_node(n);
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *name, int sync_folder)
{
    struct crash_vfs *v = base->pAppData;

    (void)sync_folder;
    pthread_mutex_lock(&v->lock);
    int rc = delete_node(v, name);
    pthread_mutex_unlock(&v->lock);
    return rc;
}

static int vfs_access(sqlite3_vfs *base, const char *name, int flags, int *ret)
{
    struct crash_vfs *v = base->pAppData;

    pthread_mutex_lock(&v->lock);
    const struct node *n = find_node(v, name);
    *ret = n && (flags != SQLITE_ACCESS_EXISTS || n->cache.size > 0);
    pthread_mutex_unlock(&v->lock);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *base, const char *name, int size, char *out)
{
    (void)base;
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *base, int n, char *out)
{
    struct crash_vfs *v = base->pAppData;

    pthread_mutex_lock(&v->lock);
    for (int i = 0; i < n; i++)
        out[i] = (char)next_random(v);
    pthread_mutex_unlock(&v->lock);
    return n;
}

static int vfs_sleep(sqlite3_vfs *base, int us)
{
    struct timespec pause = { .tv_nsec = 100000 };

    (void)base;
    nanosleep(&pause, NULL);
    return us;
}

static int vfs_time(sqlite3_vfs *base, sqlite3_int64 *ret)
{
    (void)base;
    *ret = INT64_C(212464000000000); /* some day of 2020, in ms of the Julian calendar */
    return SQLITE_OK;
}

static int vfs_error(sqlite3_vfs *base, int size, char *out)
{
    (void)base, (void)size, (void)out;
    return 0;
}

/* Called for every new connection. */
static int prepare_connection(sqlite3 *db, char **error, const struct sqlite3_api_routines *api)
{
    const struct crash_vfs *v = sqlite3_vfs_find("crash")->pAppData;

    (void)error, (void)api;
    if (v->checkpoint_pages)
        sqlite3_wal_autocheckpoint(db, (int)v->checkpoint_pages);
    if (v->sync != CRASH_SYNC_HONEST)
        sqlite3_exec(db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    return SQLITE_OK;
}

static void on_connections(int (*install)(void (*)(void)))
{
    install((void (*)(void))prepare_connection);
}

/* ---- for tests ---- */

int crash_vfs_create(struct crash_vfs **ret)
{
    struct crash_vfs *v = calloc(1, sizeof *v);

    if (!v)
        return -ENOMEM;
    v->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct file),
        .mxPathname = NAME_MAX_ - 1,
        .zName = "crash",
        .pAppData = v,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xGetLastError = vfs_error,
        .xCurrentTimeInt64 = vfs_time,
    };
    pthread_mutex_init(&v->lock, NULL);
    if (sqlite3_vfs_register(&v->base, 1) != SQLITE_OK) {
        free(v);
        return -EIO;
    }
    on_connections(sqlite3_auto_extension);
    *ret = v;
    return 0;
}

void crash_vfs_destroy(struct crash_vfs *v)
{
    if (!v)
        return;
    crash_vfs_format(v, 0);
    on_connections(sqlite3_cancel_auto_extension);
    sqlite3_vfs_unregister(&v->base);
    pthread_mutex_destroy(&v->lock);
    free(v);
}

void crash_vfs_format(struct crash_vfs *v, uint64_t seed)
{
    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < NODES_MAX; i++)
        remove_node(&v->nodes[i]);
    v->seed = seed;
    v->is_off = v->has_failed = false;
    v->cut_in = v->limit = 0;
    v->fault = (struct crash_fault){ 0 };
    v->count = (struct crash_count){ 0 };
    pthread_mutex_unlock(&v->lock);
}

void crash_vfs_cut_at(struct crash_vfs *v, uint64_t n)
{
    pthread_mutex_lock(&v->lock);
    v->cut_in = n;
    pthread_mutex_unlock(&v->lock);
}

void crash_vfs_on_off(struct crash_vfs *v, void (*on_off)(void *user), void *user)
{
    v->on_off = on_off;
    v->user = user;
}

bool crash_vfs_is_off(struct crash_vfs *v)
{
    pthread_mutex_lock(&v->lock);
    bool is_off = v->is_off;
    pthread_mutex_unlock(&v->lock);
    return is_off;
}

static void restart_node(struct node *f)
{
    cut_image(&f->cache, 0);
    write_image(&f->cache, 0, f->disk.data, f->disk.size);
    free_shm(f);
}

void crash_vfs_power_on(struct crash_vfs *v)
{
    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < NODES_MAX; i++) {
        struct node *f = &v->nodes[i];
        if (f->opened)
            abort();
        if (f->exists && f->disk.size > 0)
            restart_node(f);
        else
            remove_node(f);
    }
    v->is_off = false;
    v->cut_in = 0;
    pthread_mutex_unlock(&v->lock);
}

void crash_vfs_fail(struct crash_vfs *v, struct crash_fault f)
{
    pthread_mutex_lock(&v->lock);
    v->fault = f;
    v->has_failed = false;
    pthread_mutex_unlock(&v->lock);
}

bool crash_vfs_has_failed(struct crash_vfs *v)
{
    pthread_mutex_lock(&v->lock);
    bool has_failed = v->has_failed;
    pthread_mutex_unlock(&v->lock);
    return has_failed;
}

void crash_vfs_limit(struct crash_vfs *v, uint64_t bytes)
{
    pthread_mutex_lock(&v->lock);
    v->limit = bytes;
    pthread_mutex_unlock(&v->lock);
}

uint64_t crash_vfs_used(struct crash_vfs *v)
{
    pthread_mutex_lock(&v->lock);
    uint64_t n = used(v);
    pthread_mutex_unlock(&v->lock);
    return n;
}

void crash_vfs_synchronous(struct crash_vfs *v, enum crash_sync s)
{
    v->sync = s;
}

void crash_vfs_checkpoint_pages(struct crash_vfs *v, unsigned pages)
{
    v->checkpoint_pages = pages;
}

void crash_vfs_count(struct crash_vfs *v, struct crash_count *ret)
{
    pthread_mutex_lock(&v->lock);
    *ret = v->count;
    pthread_mutex_unlock(&v->lock);
}
