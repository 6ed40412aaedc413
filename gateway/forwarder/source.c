/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forwarder/source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPED_BITS = 96, MAPPED_BYTES = MAPPED_BITS / 8 };

static void map(const void *v4, uint8_t ret[16])
{
    memset(ret, 0, MAPPED_BYTES - 2);
    memset(ret + MAPPED_BYTES - 2, 0xff, 2);
    memcpy(ret + MAPPED_BYTES, v4, 4);
}

/* Length of the prefix behind the '/', of an address of `all` bits; -1: it is none. */
static int prefix_of(const char *slash, int all)
{
    char *end;

    if (!slash)
        return all;
    if (slash[1] < '0' || slash[1] > '9')
        return -1;
    const long bits = strtol(slash + 1, &end, 10);
    return *end || bits > all ? -1 : (int)bits;
}

static bool has_host_bits(const struct source *s)
{
    for (unsigned i = s->bits; i < 128; i++) {
        if (s->address[i / 8] & 0x80 >> i % 8)
            return true;
    }
    return false;
}

int source_parse(const char *text, struct source *ret)
{
    const char *slash = strchr(text, '/');
    const size_t n = slash ? (size_t)(slash - text) : strlen(text);
    char host[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct source s = { .bits = 0 };

    if (n >= sizeof host)
        return -EINVAL;
    memcpy(host, text, n);
    host[n] = '\0';
    const bool is_v4 = inet_pton(AF_INET, host, &v4) == 1;
    if (!is_v4 && inet_pton(AF_INET6, host, s.address) != 1)
        return -EINVAL;
    if (is_v4)
        map(&v4, s.address);
    const int bits = prefix_of(slash, is_v4 ? 32 : 128);
    if (bits < 0)
        return -EINVAL;
    s.bits = (unsigned)bits + (is_v4 ? MAPPED_BITS : 0);
    if (has_host_bits(&s))
        return -EINVAL;
    *ret = s;
    return 0;
}

bool source_has(const struct source *s, const struct sockaddr *from)
{
    uint8_t a[16];

    if (from->sa_family == AF_INET6)
        memcpy(a, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, sizeof a);
    else
        map(&((const struct sockaddr_in *)(const void *)from)->sin_addr, a);
    const unsigned whole = s->bits / 8, rest = s->bits % 8;
    if (memcmp(a, s->address, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ s->address[whole]) >> (8 - rest) == 0;
}
