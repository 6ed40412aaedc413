/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/scan_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/test_words.h"

enum { FILE_BYTES_MAX = 1 << 20, PATH_BYTES_MAX = 4096, FILE_MODE = 0644 };

static bool is_taken(void *user, const char *id)
{
    const struct config *c = user;
    const struct bus_conf *buses = c->buses.items;
    const struct device_conf *devices = c->devices.items;

    for (size_t i = 0; i < c->buses.n; i++) {
        if (strcmp(buses[i].id, id) == 0)
            return true;
    }
    for (size_t i = 0; i < c->devices.n; i++) {
        if (strcmp(devices[i].id, id) == 0)
            return true;
    }
    return false;
}

static bool leads_there(const struct bus_conf *b, const struct bus_place *p)
{
    const struct bus_modem_conf *modem = lora_modem_of(b);

    if (modem || strcmp(b->type.kind->name, "modbus-rtu") == 0) {
        const struct bus_rtu_conf *rtu = modem ? &modem->line : b->type.options;
        return p->type == BUS_MODBUS_RTU && strcmp(rtu->port, p->device) == 0;
    }
    const struct bus_tcp_conf *tcp = b->type.options;
    bool is_raw = strcmp(b->type.kind->name, "modbus-tcp") != 0;
    return p->type == (is_raw ? BUS_MODBUS_RTU_TCP : BUS_MODBUS_TCP) &&
           strcmp(tcp->host, p->host) == 0 && tcp->port == p->port;
}

/* A port has one bus: where the configuration has it, its devices join that one. */
static void find_buses(const struct config *c, struct stanza_place *places, size_t n)
{
    const struct bus_conf *buses = c->buses.items;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < c->buses.n; j++) {
            if (leads_there(&buses[j], &places[i].place))
                places[i].bus = buses[j].id;
        }
    }
}

static int write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);
        if (n < 0 && errno != EINTR)
            return -errno;
        text += n > 0 ? n : 0;
        size -= (size_t)(n > 0 ? n : 0);
    }
    return 0;
}

/* link() fails where a file is, which rename() would replace. */
static int put_in_place(const char *part, const char *path, bool is_forced)
{
    int rc = is_forced ? rename(part, path) : link(part, path);

    rc = rc == 0 ? 0 : -errno;
    if (!is_forced || rc != 0)
        unlink(part);
    return rc;
}

static int write_file(const char *path, bool is_forced, const char *text, size_t size)
{
    char part[PATH_BYTES_MAX];

    if (snprintf(part, sizeof part, "%s.%ld.part", path, (long)getpid()) >= (int)sizeof part)
        return -ENAMETOOLONG;
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return -errno;
    int rc = write_all(fd, text, size);
    if (rc == 0 && fsync(fd) != 0)
        rc = -errno;
    if (close(fd) != 0 && rc == 0)
        rc = -errno;
    if (rc != 0) {
        unlink(part);
        return rc;
    }
    return put_in_place(part, path, is_forced);
}

static int complain(const char *path, int rc)
{
    if (rc == -EEXIST)
        fprintf(stderr,
                say_zh() ? "sluice scan：%s 已存在；加 --force 才会覆盖。\n"
                         : "sluice scan: %s exists; --force replaces it.\n",
                path);
    else if (rc == -ENOENT)
        fprintf(stderr,
                say_zh()
                    ? "sluice scan：无法写 %s：没有该文件夹，请先建立。\n"
                    : "sluice scan: cannot write %s: there is no such folder, make it first.\n",
                path);
    else
        fprintf(stderr,
                say_zh() ? "sluice scan：无法写 %s：%s。\n"
                         : "sluice scan: cannot write %s: %s.\n",
                path, strerror(-rc));
    return rc;
}

int scan_write_check(const char *path, bool is_forced)
{
    char folder[PATH_BYTES_MAX] = ".";
    const char *slash = strrchr(path, '/');
    int stem = slash ? (int)(slash - path) + 1 : 0;

    if (!is_forced && access(path, F_OK) == 0)
        return complain(path, -EEXIST);
    if (slash && snprintf(folder, sizeof folder, "%.*s", stem, path) >= (int)sizeof folder)
        return complain(path, -ENAMETOOLONG);
    return access(folder, W_OK) == 0 ? 0 : complain(path, -errno);
}

int scan_write(const char *path, bool is_forced, struct stanza_place *places, size_t places_n,
               const struct config *config, struct stanza_count *ret)
{
    struct clock clock;
    struct buf b = BUF_INIT(FILE_BYTES_MAX);

    clock_init(&clock, 1, 0);
    if (config)
        find_buses(config, places, places_n);
    const struct stanza_options o = {
        .places = places,
        .places_n = places_n,
        .time_ms = clock_wall_ms(&clock),
        .is_zh = say_zh(),
        .is_taken = config ? is_taken : NULL,
        .user = (void *)(uintptr_t)config,
    };
    *ret = stanza_write(&o, &b);
    const char *text = buf_text(&b);
    int rc = !text ? -ENOMEM : ret->written ? write_file(path, is_forced, text, b.size) : 0;
    buf_done(&b);
    return rc == 0 ? 0 : complain(path, rc);
}
