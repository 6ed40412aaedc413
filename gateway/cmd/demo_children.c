/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/demo_children.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/clock.h"

enum {
    TAIL_BYTES = 3000,     /* of a log shown when a child is lost */
    HEAD_BYTES = 16 << 10, /* of a log searched for a word of readiness */
    STEP_MS = 50,
};

int children_init(struct children *c)
{
    sigset_t mask;

    *c = (struct children){ 0 };
    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, &c->mask_before);
    c->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return c->signals < 0 ? -errno : 0;
}

static int status_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void reap(struct children *c)
{
    int wait_status;

    for (size_t i = 0; i < c->n; i++) {
        struct child *child = &c->child[i];
        if (child->pid == 0 || waitpid(child->pid, &wait_status, WNOHANG) != child->pid)
            continue;
        child->pid = 0;
        child->status = status_of(wait_status);
        if (!child->is_leaving && !c->lost)
            c->lost = child;
    }
}

static void take_signals(struct children *c)
{
    struct signalfd_siginfo info;

    while (read(c->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGCHLD)
            c->is_asked_to_end = true;
    }
    reap(c);
}

/* In the child: nothing of ours but its output, its own group (Ctrl-C is for the demonstration
 * alone), and no life beyond ours. */
static void become(const struct children *c, int log, pid_t parent, const char *const *argv)
{
    int null = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(127);
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &c->mask_before, NULL);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

struct child *children_start(struct children *c, const char *name, const char *dir,
                             const char *const *argv)
{
    if (c->n == CHILDREN_MAX)
        return NULL;
    struct child *child = &c->child[c->n];
    *child = (struct child){ .name = name };
    int n = snprintf(child->log, sizeof child->log, "%s/%s.log", dir, name);
    if (n < 0 || (size_t)n >= sizeof child->log)
        return NULL;
    int log = open(child->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        return NULL;
    pid_t parent = getpid();
    child->pid = fork();
    if (child->pid == 0)
        become(c, log, parent, argv);
    close(log);
    if (child->pid < 0)
        return NULL;
    c->n++;
    return child;
}

bool children_wait(struct children *c, int ms)
{
    struct pollfd p = { .fd = c->signals, .events = POLLIN };

    if (poll(&p, 1, ms) > 0)
        take_signals(c);
    return !c->is_asked_to_end && !c->lost;
}

int children_join(struct children *c, struct child *child, int ms)
{
    int64_t end = mono_ms() + ms;

    child->is_leaving = true;
    while (child->pid && mono_ms() < end)
        children_wait(c, STEP_MS);
    return child->pid ? -1 : child->status;
}

int children_stop(struct children *c, struct child *child, int ms)
{
    if (!child || child->pid == 0)
        return child ? child->status : 0;
    child->is_leaving = true;
    kill(child->pid, SIGTERM);
    if (children_join(c, child, ms) < 0) {
        fprintf(stderr, "%s does not end, killing it\n", child->name);
        kill(child->pid, SIGKILL);
        children_join(c, child, ms);
    }
    return child->status;
}

void children_done(struct children *c)
{
    for (size_t i = c->n; i-- > 0;)
        children_stop(c, &c->child[i], 2000);
    if (c->signals >= 0)
        close(c->signals);
    sigprocmask(SIG_SETMASK, &c->mask_before, NULL);
}

void child_print_tail(const struct child *child)
{
    char text[TAIL_BYTES + 1];
    FILE *f = fopen(child->log, "re");

    if (!f)
        return;
    if (fseek(f, -TAIL_BYTES, SEEK_END) < 0)
        rewind(f);
    size_t n = fread(text, 1, TAIL_BYTES, f);
    fclose(f);
    text[n] = '\0';
    for (char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        fprintf(stderr, "  %s | %.*s\n", child->name, (int)len, line);
        line += len + (line[len] == '\n');
    }
}

bool child_has_said(const struct child *child, const char *text)
{
    char head[HEAD_BYTES + 1];
    FILE *f = fopen(child->log, "re");

    if (!f)
        return false;
    size_t n = fread(head, 1, HEAD_BYTES, f);
    fclose(f);
    head[n] = '\0';
    return strstr(head, text) != NULL;
}
