/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/demo_fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT_TIMEOUT_MS = 500 };

struct fetch {
    CURL *curl;
};

int fetch_create(struct fetch **ret)
{
    struct fetch *f = calloc(1, sizeof *f);

    if (!f)
        return -ENOMEM;
    f->curl = curl_easy_init();
    if (!f->curl) {
        free(f);
        return -ENOMEM;
    }
    curl_easy_setopt(f->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(f->curl, CURLOPT_PROXY, ""); /* loopback: never through a proxy */
    curl_easy_setopt(f->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    *ret = f;
    return 0;
}

void fetch_destroy(struct fetch *f)
{
    if (!f)
        return;
    curl_easy_cleanup(f->curl);
    free(f);
}

static size_t keep(char *data, size_t size, size_t n, void *user)
{
    struct buf *b = user;

    buf_put(b, data, size * n);
    return b->has_failed ? 0 : size * n;
}

static size_t count(char *data, size_t size, size_t n, void *user)
{
    uint64_t *lines = user;

    for (size_t i = 0; i < size * n; i++)
        *lines += data[i] == '\n';
    return size * n;
}

static long perform(struct fetch *f, const char *url, int timeout_ms, curl_write_callback take,
                    void *user)
{
    long status = 0;

    curl_easy_setopt(f->curl, CURLOPT_URL, url);
    curl_easy_setopt(f->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, user);
    if (curl_easy_perform(f->curl) != CURLE_OK)
        return 0;
    curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

long fetch_get(struct fetch *f, const char *url, int timeout_ms, struct buf *b)
{
    buf_clear(b);
    return perform(f, url, timeout_ms, keep, b);
}

long fetch_count_lines(struct fetch *f, const char *url, int timeout_ms, uint64_t *ret)
{
    uint64_t lines = 0;
    long status = perform(f, url, timeout_ms, count, &lines);

    if (status == 200)
        *ret = lines;
    return status;
}

bool port_answers(unsigned port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_there = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;

    if (fd >= 0)
        close(fd);
    return is_there;
}
