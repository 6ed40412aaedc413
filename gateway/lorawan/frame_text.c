/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, EUIs and addresses as people write them. */
#include <errno.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/lorawan/frame.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ':' or '-' may stand between two bytes. 0, -EINVAL, or -EMSGSIZE: hexadecimal throughout, but
 * more than max bytes. */
static int read_hex(const char *text, uint8_t *out, size_t max, size_t *ret_n)
{
    size_t n = 0;

    for (; *text; text += 2, n++) {
        if (n > 0 && (*text == ':' || *text == '-'))
            text++;
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0)
            return -EINVAL;
        if (n < max)
            out[n] = (uint8_t)(high << 4 | low);
    }
    *ret_n = n;
    return n > max ? -EMSGSIZE : 0;
}

static int read_bytes(const char *text, uint8_t *out, size_t size)
{
    size_t n;

    return read_hex(text, out, size, &n) == 0 && n == size ? 0 : -EINVAL;
}

static int read_number(const char *text, size_t bytes, uint64_t *ret)
{
    uint8_t b[8];
    int rc = read_bytes(text, b, bytes);

    if (rc < 0)
        return rc;
    uint64_t x = 0;
    for (size_t i = 0; i < bytes; i++)
        x = x << 8 | b[i];
    *ret = x;
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

int lorawan_bytes_parse(const char *text, uint8_t *ret, size_t max, size_t *ret_n)
{
    int rc = read_hex(text, ret, max, ret_n);

    return rc == -EINVAL ? base64_decode(text, strlen(text), ret, max, ret_n) : rc;
}
