/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_children - the processes of the demonstration: started with their output in a file,
 * watched, stopped in order, and gone with us whatever happens. Main thread only.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CHILDREN_MAX = 8, CHILD_PATH_MAX = 512 };

struct child {
    const char *name;
    pid_t pid;       /* 0: not running */
    int status;      /* exit status, 128 + signal */
    bool is_leaving; /* its end is expected */
    char log[CHILD_PATH_MAX];
};

struct children {
    struct child child[CHILDREN_MAX];
    size_t n;
    int signals; /* signalfd of SIGINT, SIGTERM, SIGHUP, SIGCHLD */
    sigset_t mask_before;
    bool is_asked_to_end;     /* Ctrl-C or SIGTERM came */
    const struct child *lost; /* ended without being asked; NULL: none */
};

/* Takes SIGINT, SIGTERM, SIGHUP and SIGCHLD over for the process. 0 or a negative errno. */
int children_init(struct children *c);
/* Kills what is left, gives the signals back. */
void children_done(struct children *c);

/* Starts argv (closed by NULL) with its output in dir/name.log. NULL when it cannot be started.
 */
struct child *children_start(struct children *c, const char *name, const char *dir,
                             const char *const *argv);

/* Sleeps for at most `ms`, less when a signal comes. False when it is time to end: asked for,
 * or because a child was lost. */
bool children_wait(struct children *c, int ms);

/* SIGTERM, and SIGKILL when that does not help within `ms`. Returns the exit status; 0 for a
 * child that never ran. Takes NULL. */
int children_stop(struct children *c, struct child *child, int ms);
/* Waits for a child that ends by itself. -1 when it did not within `ms`. */
int children_join(struct children *c, struct child *child, int ms);

/* The last lines of what a child said, indented, on stderr. */
void child_print_tail(const struct child *child);
/* The line of its output that begins with `prefix`; false when there is none yet. */
bool child_has_said(const struct child *child, const char *text);
