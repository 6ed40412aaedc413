/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/store/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { TEXT_SIZE = 64 }; /* one write of one size: never longer or shorter than before */

int mark_open(struct mark *m, const char *database)
{
    char path[PATH_MAX], text[TEXT_SIZE + 1] = "";
    int n = snprintf(path, sizeof path, "%s-mark", database);

    m->fd = -1;
    if (n < 0 || (size_t)n >= sizeof path)
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int err = errno;
        close(fd);
        return err == EWOULDBLOCK ? -EBUSY : -err;
    }
    *m = (struct mark){ .fd = fd };
    if (pread(fd, text, TEXT_SIZE, 0) < 0 ||
        sscanf(text, "epoch %" SCNx64 " seq %" SCNu64, &m->epoch, &m->seq) != 2)
        m->epoch = m->seq = 0;
    return 0;
}

void mark_close(struct mark *m)
{
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
}

void mark_write(struct mark *m, uint64_t epoch, uint64_t seq)
{
    char text[TEXT_SIZE + 1];

    if (m->fd < 0 || (m->epoch == epoch && m->seq == seq))
        return;
    snprintf(text, sizeof text, "epoch %016" PRIx64 " seq %" PRIu64, epoch, seq);
    size_t n = strlen(text);
    memset(text + n, ' ', TEXT_SIZE - n);
    text[TEXT_SIZE - 1] = '\n';
    if (pwrite(m->fd, text, TEXT_SIZE, 0) != TEXT_SIZE)
        return;
    if (m->epoch !=
        epoch) /* without the first one a power cut would look like a restored log */
        fsync(m->fd);
    m->epoch = epoch;
    m->seq = seq;
}
