/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crash_vfs - a disk in memory for SQLite on which power cuts, errors and want of room happen
 * when a test wants them. While it exists it is SQLite's default VFS. Any thread.
 *
 * What is written stays in a cache until the file is synced. At a power cut every sector of 512
 * bytes that was not synced is kept or dropped with probability 1/2, and so is a truncation;
 * from then on every operation fails, until the power comes back and the files are what
 * survived. As with the kernel's: no write crosses a sync, a sector is written whole or not
 * (IOCAP_POWERSAFE_OVERWRITE), the disk does not lie about a sync.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct crash_vfs;

/* 0 or a negative errno. */
int crash_vfs_create(struct crash_vfs **ret);
void crash_vfs_destroy(struct crash_vfs *v); /* no file may be open; takes NULL */

/* Removes all files, faults and limits; what happens next depends on `seed` only. */
void crash_vfs_format(struct crash_vfs *v, uint64_t seed);

/* ---- power ---- */

/* The power goes at the n-th (1..) write, sync, truncation or removal from now; 0: never.
 * on_off is called once then, by the thread that writes. */
void crash_vfs_cut_at(struct crash_vfs *v, uint64_t n);
void crash_vfs_on_off(struct crash_vfs *v, void (*on_off)(void *user), void *user);
bool crash_vfs_is_off(struct crash_vfs *v);
/* Every file must have been closed. */
void crash_vfs_power_on(struct crash_vfs *v);

/* ---- faults ---- */

enum crash_op { /* may be combined */
                CRASH_READ = 1,
                CRASH_WRITE = 2,
                CRASH_SYNC = 4,
                CRASH_TRUNCATE = 8,
                CRASH_OPEN = 16,
                CRASH_DELETE = 32,
                CRASH_ANY = 63,
};

struct crash_fault {
    unsigned ops;       /* which operations fail */
    uint64_t at;        /* the n-th of them from now; 0: none */
    bool is_persistent; /* and all after it */
    bool is_short;      /* half of a write is done */
    bool is_full;       /* writes say SQLITE_FULL, others SQLITE_IOERR */
};
void crash_vfs_fail(struct crash_vfs *v, struct crash_fault f);
bool crash_vfs_has_failed(struct crash_vfs *v); /* a fault came since crash_vfs_fail() */

/* The disk takes so many bytes in all files; 0: any number. */
void crash_vfs_limit(struct crash_vfs *v, uint64_t bytes);
uint64_t crash_vfs_used(struct crash_vfs *v);

/* ---- what SQLite is told ---- */

enum crash_sync {
    CRASH_SYNC_HONEST,
    CRASH_SYNC_NORMAL, /* synchronous stays NORMAL whatever is set, and that is told */
    CRASH_SYNC_LIES,   /* the same, but FULL is told */
};
void crash_vfs_synchronous(struct crash_vfs *v, enum crash_sync s);

/* Pages of the WAL that make a checkpoint, so that small logs have many; 0: as SQLite does. */
void crash_vfs_checkpoint_pages(struct crash_vfs *v, unsigned pages);

/* ---- what it counted since the last format ---- */

struct crash_count {
    uint64_t writes, write_bytes, syncs;
};
void crash_vfs_count(struct crash_vfs *v, struct crash_count *ret);
