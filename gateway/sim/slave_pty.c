/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   gateway <-> symbolic link -> slave side = line = master side <-> (modem.h <->) link.h
 *
 * A fault that hangs up pulls the adapter: the pseudo terminal goes and its link with it, and
 * after a while another one is there under the same link, as a USB adapter comes back under
 * another name.
 */
#include "gateway/sim/slave_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/sim/link.h"

enum {
    PULLED_MS = 500,
    NAME_MAX_BYTES = 64, /* "/dev/pts/N" */
};

struct slave_pty {
    uv_timer_t plug; /* the adapter comes back */
    struct slave_group *group;
    struct link *link;
    struct modem_setup setup; /* packet 0: there are none */
    struct modem *modem;
    int master, slave; /* our own slave side keeps the line up while the gateway is away */
    char *path;        /* of the symbolic link */
    bool is_linked;    /* it is there, and ours */
    bool is_stopping;
    int handles; /* timer and link, not yet closed */
};

static void close_line(struct slave_pty *p)
{
    if (p->is_linked)
        unlink(p->path);
    if (p->master >= 0)
        close(p->master);
    if (p->slave >= 0)
        close(p->slave);
    p->is_linked = false;
    p->master = p->slave = -1;
}

static void release(struct slave_pty *p)
{
    if (--p->handles > 0)
        return;
    free(p->path);
    free(p);
}

static int open_line(struct slave_pty *p, char name[NAME_MAX_BYTES])
{
    struct termios t;

    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (p->master < 0 || grantpt(p->master) < 0 || unlockpt(p->master) < 0)
        return -errno;
    int rc = ptsname_r(p->master, name, NAME_MAX_BYTES);
    if (rc != 0)
        return -rc;
    p->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p->slave < 0 || tcgetattr(p->slave, &t) < 0)
        return -errno;
    cfmakeraw(&t);
    return tcsetattr(p->slave, TCSANOW, &t) < 0 ? -errno : 0;
}

static int make_link(struct slave_pty *p, const char *name)
{
    struct stat st;

    if (lstat(p->path, &st) == 0) {
        if (!S_ISLNK(st.st_mode))
            return -EEXIST;
        if (unlink(p->path) < 0)
            return -errno;
    }
    if (symlink(name, p->path) < 0)
        return -errno;
    p->is_linked = true;
    return 0;
}

static void on_end(void *user, bool is_fault);
static void on_link_closed(void *user);
static void on_modem_closed(void *user);

static int put_modem(struct slave_pty *p, int *ret_fd)
{
    int rc =
        modem_open(p->plug.loop, &p->setup, p->master, on_modem_closed, p, &p->modem, ret_fd);

    p->handles += rc == 0;
    return rc;
}

/* The link is read as soon as it is there: it comes last. */
static int plug_in(struct slave_pty *p)
{
    char name[NAME_MAX_BYTES];
    int rc = open_line(p, name), fd = p->master;

    if (rc == 0)
        rc = make_link(p, name);
    if (rc == 0 && p->setup.packet > 0)
        rc = put_modem(p, &fd);
    if (rc == 0)
        rc = link_open(&(struct link_options){ .loop = p->plug.loop,
                                               .fd = fd,
                                               .group = p->group,
                                               .on_end = on_end,
                                               .on_closed = on_link_closed,
                                               .user = p },
                       &p->link);
    if (rc < 0 && p->modem)
        modem_close(p->modem);
    if (rc < 0)
        close_line(p);
    else
        p->handles++;
    return rc;
}

static void on_plug(uv_timer_t *timer)
{
    struct slave_pty *p = timer->data;

    if (plug_in(p) < 0)
        uv_timer_start(&p->plug, on_plug, PULLED_MS, 0);
}

/* All that stood on the line is gone. */
static void end_line(struct slave_pty *p)
{
    close_line(p);
    if (!p->is_stopping)
        uv_timer_start(&p->plug, on_plug, PULLED_MS, 0);
    release(p);
}

static void on_link_closed(void *user)
{
    struct slave_pty *p = user;

    if (p->modem) {
        modem_close(p->modem);
        release(p);
        return;
    }
    end_line(p);
}

static void on_modem_closed(void *user)
{
    struct slave_pty *p = user;

    p->modem = NULL;
    end_line(p);
}

static void on_end(void *user, bool is_fault)
{
    struct slave_pty *p = user;

    (void)is_fault;
    link_close(p->link);
    p->link = NULL;
}

int slave_pty_start(uv_loop_t *loop, const char *path, const struct modem_setup *modem,
                    struct slave_group *g, struct slave_pty **ret)
{
    struct slave_pty *p = calloc(1, sizeof *p);
    char *copy = p ? strdup(path) : NULL;

    if (!copy) {
        free(p);
        return -ENOMEM;
    }
    p->group = g;
    if (modem)
        p->setup = *modem;
    p->path = copy;
    p->master = p->slave = -1;
    p->handles = 1;
    uv_timer_init(loop, &p->plug);
    p->plug.data = p;
    int rc = plug_in(p);
    if (rc < 0) {
        slave_pty_stop(p);
        return rc;
    }
    *ret = p;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    release(handle->data);
}

void slave_pty_stop(struct slave_pty *p)
{
    if (!p)
        return;
    p->is_stopping = true;
    if (p->is_linked)
        unlink(p->path);
    p->is_linked = false;
    if (p->link)
        link_close(p->link);
    p->link = NULL;
    uv_close((uv_handle_t *)&p->plug, on_timer_closed);
}
