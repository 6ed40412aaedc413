/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, EUIs and addresses as people write them. */
#include <errno.h>
#include <string.h>

#include "gateway/lorawan/frame.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Exactly n bytes; ':' or '-' may stand between two of them. */
static int read_bytes(const char *text, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (*text == ':' || *text == '-'))
            text++;
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0)
            return -EINVAL;
        out[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text ? -EINVAL : 0;
}

static int read_number(const char *text, size_t bytes, uint64_t *ret)
{
    uint8_t b[8];
    int rc = read_bytes(text, b, bytes);

    if (rc < 0)
        return rc;
    *ret = 0;
    for (size_t i = 0; i < bytes; i++)
        *ret = *ret << 8 | b[i];
    return 0;
}

int lorawan_key_parse(const char *text, struct lorawan_key *ret)
{
    struct lorawan_key k;
    int rc = read_bytes(text, k.bytes, sizeof k.bytes);

    if (rc == 0)
        *ret = k;
    return rc;
}

int lorawan_eui_parse(const char *text, uint64_t *ret)
{
    return read_number(text, 8, ret);
}

int lorawan_addr_parse(const char *text, uint32_t *ret)
{
    uint64_t x;
    int rc = read_number(text, 4, &x);

    if (rc == 0)
        *ret = (uint32_t)x;
    return rc;
}
