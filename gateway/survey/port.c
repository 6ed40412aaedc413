/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/survey/port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <linux/serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    PTY_MAJOR_FIRST = 136, /* Documentation/admin-guide/devices.txt: Unix98 slaves */
    PTY_MAJOR_LAST = 143,
    PTMX_MINOR = 2, /* of major 5 */
    TTY_AUX_MAJOR = 5,
    MEM_MAJOR = 1, /* null, zero, random */
};

static bool is_pty(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && major(st->st_rdev) >= PTY_MAJOR_FIRST &&
           major(st->st_rdev) <= PTY_MAJOR_LAST;
}

static bool is_master(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && major(st->st_rdev) == TTY_AUX_MAJOR &&
           minor(st->st_rdev) == PTMX_MINOR;
}

int port_check(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return -errno;
    if (!S_ISCHR(st.st_mode) || major(st.st_rdev) == MEM_MAJOR)
        return -ENOTTY;
    return access(path, R_OK | W_OK) == 0 ? 0 : -errno;
}

bool port_is_pty(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && is_pty(&st);
}

/* Whether one process holds the device, and no master of a pseudo terminal with it. */
static bool has_open(const char *pid, dev_t device)
{
    char path[64];
    const struct dirent *e;
    struct stat st;
    bool is_found = false, has_master = false;

    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    DIR *dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        if (fstatat(dirfd(dir), e->d_name, &st, 0) != 0)
            continue;
        is_found = is_found || (S_ISCHR(st.st_mode) && st.st_rdev == device);
        has_master = has_master || is_master(&st);
    }
    if (dir)
        closedir(dir);
    return is_found && !has_master;
}

static void read_name(const char *pid, char *name, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    FILE *f = fopen(path, "re");
    name[0] = '\0';
    if (f && fgets(name, (int)size, f))
        name[strcspn(name, "\n")] = '\0';
    if (f)
        fclose(f);
}

bool port_owner(const char *path, struct port_owner *ret)
{
    const struct dirent *e;
    struct stat st;
    bool is_found = false;

    if (stat(path, &st) != 0 || !S_ISCHR(st.st_mode))
        return false;
    DIR *proc = opendir("/proc");
    while (proc && !is_found && (e = readdir(proc))) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid <= 0 || pid == (long)getpid() || !has_open(e->d_name, st.st_rdev))
            continue;
        is_found = true;
        ret->pid = pid;
        read_name(e->d_name, ret->name, sizeof ret->name);
    }
    if (proc)
        closedir(proc);
    return is_found;
}

/* ---- which there are ---- */

static bool is_known(const struct port_entry *ports, size_t n, const char *device)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(ports[i].device, device) == 0)
            return true;
    }
    return false;
}

/* The kernel makes ttyS0..3 whether or not there is a chip. */
static bool is_empty_slot(const char *path)
{
    struct serial_struct s;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return false; /* not to be opened by us: that it is none is not known */
    bool is_empty = ioctl(fd, TIOCGSERIAL, &s) == 0 ? s.type == PORT_UNKNOWN : true;
    close(fd);
    return is_empty;
}

static size_t list_folder(const char *folder, const char *pattern, struct port_entry *ports,
                          size_t n)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char path[PORT_PATH_MAX], real[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        bool is_meant = length > 0 && (size_t)length < sizeof path &&
                        fnmatch(pattern, entries[i]->d_name, FNM_PERIOD) == 0;
        free(entries[i]);
        if (!is_meant || n == PORTS_MAX || !realpath(path, real) ||
            strlen(real) >= PORT_PATH_MAX || is_known(ports, n, real))
            continue;
        if (strcmp(pattern, "ttyS*") == 0 && is_empty_slot(path))
            continue;
        snprintf(ports[n].path, PORT_PATH_MAX, "%s", path);
        snprintf(ports[n].device, PORT_PATH_MAX, "%.*s", PORT_PATH_MAX - 1, real);
        n++;
    }
    free(entries);
    return n;
}

size_t port_list(const char *dev, struct port_entry ports[PORTS_MAX])
{
    static const char *const patterns[] = { "ttyUSB*", "ttyACM*",   "ttyAMA*",
                                            "ttymxc*", "ttyO*",     "ttyTHS*",
                                            "ttySC*",  "ttyRS485*", "ttyS*" };
    char by_id[PORT_PATH_MAX];

    snprintf(by_id, sizeof by_id, "%s/serial/by-id", dev);
    size_t n = list_folder(by_id, "*", ports, 0);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        n = list_folder(dev, patterns[i], ports, n);
    return n;
}
