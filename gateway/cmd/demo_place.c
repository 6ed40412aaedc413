/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/demo_place.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/embedded.h"

/* packaging/demo, embedded at build */
extern const struct embedded_file demo_files[];
extern const size_t demo_files_n;

enum {
    PORTS_MAX = 64, /* instruments of the demonstration's station, and three servers */
    FILE_BYTES_MAX = 256 << 10,
    WALK_DESCRIPTORS = 16,
};

/* Held open until all are known, so that no two are the same. */
struct ports {
    int fd[PORTS_MAX];
    size_t n;
};

static int bind_port(unsigned port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

/* A free port, or 0. */
static unsigned ports_take(struct ports *p, unsigned wanted)
{
    struct sockaddr_in a = { 0 };
    socklen_t size = sizeof a;

    if (p->n == PORTS_MAX)
        return 0;
    int fd = bind_port(wanted);
    if (fd < 0)
        return 0;
    p->fd[p->n++] = fd;
    return getsockname(fd, (struct sockaddr *)&a, &size) < 0 ? 0 : ntohs(a.sin_port);
}

static void ports_release(struct ports *p)
{
    while (p->n > 0)
        close(p->fd[--p->n]);
}

const char *place_path(const struct place *p, const char *name, char *buf)
{
    snprintf(buf, PLACE_PATH_MAX, "%s/%s", p->dir, name);
    return buf;
}

static const struct embedded_file *template_find(const char *name)
{
    for (size_t i = 0; i < demo_files_n; i++) {
        if (strcmp(demo_files[i].name, name) == 0)
            return &demo_files[i];
    }
    return NULL;
}

/* What @word@ stands for; @tcp@ is another port each time. */
static void put_word(struct buf *b, const char *word, const struct place *p,
                     struct ports *ports)
{
    if (strcmp(word, "dir") == 0)
        buf_puts(b, p->dir);
    else if (strcmp(word, "page") == 0)
        buf_printf(b, "%u", p->page);
    else if (strcmp(word, "broker") == 0)
        buf_printf(b, "%u", p->broker);
    else if (strcmp(word, "database") == 0)
        buf_printf(b, "%u", p->database);
    else if (strcmp(word, "tcp") == 0 || strcmp(word, "udp") == 0)
        buf_printf(b, "%u", ports_take(ports, 0)); /* what is free for TCP mostly is for UDP */
    else
        b->has_failed = true;
}

static void fill_in(struct buf *b, const char *text, const struct place *p, struct ports *ports)
{
    for (const char *at = strchr(text, '@'); at; at = strchr(text, '@')) {
        char word[16];
        size_t len = strcspn(at + 1, "@\n");
        buf_put(b, text, (size_t)(at - text));
        snprintf(word, sizeof word, "%.*s", (int)len, at + 1);
        put_word(b, word, p, ports);
        text = at + 1 + len + (at[1 + len] == '@');
    }
    buf_puts(b, text);
}

static int write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    if (!f)
        return -errno;
    int rc = fputs(text, f) < 0 ? -EIO : 0;
    if (fclose(f) != 0)
        rc = -errno;
    return rc;
}

static int write_from_template(const struct place *p, struct ports *ports, const char *name,
                               const char *target)
{
    char path[PLACE_PATH_MAX];
    const struct embedded_file *t = template_find(name);
    struct buf b = BUF_INIT(FILE_BYTES_MAX);

    if (!t)
        return -ENOENT;
    fill_in(&b, (const char *)t->data, p, ports);
    const char *text = buf_text(&b);
    int rc = text ? write_file(place_path(p, target, path), text) : -ENOMEM;
    buf_done(&b);
    return rc;
}

static int make_dir(struct place *p, const char *dir)
{
    const char *tmp = getenv("TMPDIR");
    char link[PLACE_DIR_MAX], *real;
    int n =
        dir ? snprintf(link, sizeof link, "%s", dir)
            : snprintf(link, sizeof link, "%s/sluice-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");

    if (n < 0 || (size_t)n >= sizeof link)
        return -ENAMETOOLONG;
    if (dir ? mkdir(link, 0700) < 0 && errno != EEXIST : !mkdtemp(link))
        return -errno;
    real = realpath(link, NULL); /* the configuration wants paths from the root */
    if (!real)
        return -errno;
    n = snprintf(p->dir, sizeof p->dir, "%s", real);
    free(real);
    p->is_ours = !dir;
    return n < 0 || (size_t)n >= sizeof p->dir ? -ENAMETOOLONG : 0;
}

static int take_ports(struct place *p, struct ports *ports, unsigned page)
{
    p->page = ports_take(ports, page);
    p->broker = ports_take(ports, 0);
    p->database = ports_take(ports, 0);
    return p->page && p->broker && p->database ? 0 : -EADDRINUSE;
}

/* Nobody else may read keys. */
static int write_keys(const struct place *p, struct ports *ports)
{
    char path[PLACE_PATH_MAX];
    int rc = write_from_template(p, ports, "lora.keys", "lora.keys");

    if (rc == 0 && chmod(place_path(p, "lora.keys", path), 0600) < 0)
        rc = -errno;
    return rc;
}

static int write_files(const struct place *p, struct ports *ports, bool has_centre)
{
    char path[PLACE_PATH_MAX];
    int rc = write_from_template(p, ports, "station.yaml", "station.yaml");

    if (rc == 0)
        rc = write_keys(p, ports);
    if (rc < 0 || !has_centre)
        return rc;
    if (mkdir(place_path(p, "conf.d", path), 0700) < 0 && errno != EEXIST)
        return -errno;
    rc = write_from_template(p, ports, "centre.yaml", "conf.d/centre.yaml");
    return rc < 0 ? rc : write_from_template(p, ports, "mosquitto.conf", "mosquitto.conf");
}

static bool has_log(const struct place *p)
{
    char path[PLACE_PATH_MAX];

    return access(place_path(p, "station.db", path), F_OK) == 0;
}

int place_create(struct place *p, const char *dir, unsigned page, bool has_centre, char *error,
                 size_t size)
{
    struct ports ports = { .n = 0 };
    int rc;

    *p = (struct place){ .page = 0 };
    rc = make_dir(p, dir);
    if (rc < 0) {
        snprintf(error, size, "cannot make the folder %s: %s",
                 dir ? dir : "for the demonstration", strerror(-rc));
        return rc;
    }
    if (has_log(p)) { /* whose times may lie before those of a fast clock */
        snprintf(error, size, "%s holds an earlier demonstration; name an empty folder",
                 p->dir);
        return -EEXIST;
    }
    rc = take_ports(p, &ports, page);
    if (rc < 0)
        snprintf(error, size, "port %u on 127.0.0.1 is taken; name another with --port", page);
    if (rc == 0) {
        rc = write_files(p, &ports, has_centre);
        if (rc < 0)
            snprintf(error, size, "cannot write into %s: %s", p->dir, strerror(-rc));
    }
    ports_release(&ports);
    if (rc < 0)
        place_remove(p);
    return rc;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void place_remove(struct place *p)
{
    if (p->is_ours && p->dir[0])
        nftw(p->dir, remove_one, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    p->is_ours = false;
}
