/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/scan_target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/baud.h"

enum {
    MODBUS_PORT = 502,
    CONNECT_MS = 3000,
    BAUD_MIN = 300,
    BAUD_MAX = 4000000,
    UNIT_MAX = 255,
};

/* A whole number of `text`, *end behind it. */
static int number(const char *text, long min, long max, long *ret, const char **end)
{
    char *stop;

    if (*text < '0' || *text > '9')
        return -EINVAL;
    errno = 0;
    long n = strtol(text, &stop, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
    if (errno || n < min || n > max)
        return -EINVAL;
    *ret = n;
    *end = stop;
    return 0;
}

/* "host", "host:port", "[::1]:port"; port 0: there is none. */
static int split(const char *text, char host[TARGET_HOST_MAX], uint16_t *ret_port)
{
    const bool is_bracketed = text[0] == '[';
    const char *from = text + is_bracketed;
    size_t n = strcspn(from, is_bracketed ? "]" : ":");
    const char *rest = from + n + (is_bracketed && from[n] == ']');
    long port = 0;

    if (n == 0 || n >= TARGET_HOST_MAX || (is_bracketed && from[n] != ']'))
        return -EINVAL;
    if (*rest == ':') {
        if (number(rest + 1, 1, 65535, &port, &rest) != 0)
            return -EINVAL;
    }
    if (*rest)
        return -EINVAL;
    memcpy(host, from, n);
    host[n] = '\0';
    *ret_port = (uint16_t)port;
    return 0;
}

int scan_target(const char *text, struct bus_place *ret, char host[TARGET_HOST_MAX])
{
    bool is_tcp = strncmp(text, "tcp:", 4) == 0, is_raw = strncmp(text, "rtu-tcp:", 8) == 0;
    uint16_t port;

    if (!is_tcp && !is_raw && (strchr(text, '/') || !strchr(text, ':'))) {
        if (!*text)
            return -EINVAL;
        *ret = (struct bus_place){ .type = BUS_MODBUS_RTU, .device = text };
        return 0;
    }
    if (split(text + (is_tcp ? 4 : is_raw ? 8 : 0), host, &port) != 0 || (!port && !is_tcp))
        return -EINVAL;
    *ret = (struct bus_place){ .type = is_raw ? BUS_MODBUS_RTU_TCP : BUS_MODBUS_TCP,
                               .host = host,
                               .port = port ? port : MODBUS_PORT,
                               .connect_timeout_ms = CONNECT_MS };
    return 0;
}

int scan_units(const char *text, uint8_t *ret, size_t *ret_n)
{
    bool has[UNIT_MAX + 1] = { false };
    size_t n = 0;

    for (;; text++) {
        long from, to;
        if (number(text, 0, UNIT_MAX, &from, &text) != 0)
            return -EINVAL;
        to = from;
        if (*text == '-' && (number(text + 1, 0, UNIT_MAX, &to, &text) != 0 || to < from))
            return -EINVAL;
        for (long u = from; u <= to; u++) {
            if (!has[u])
                ret[n++] = (uint8_t)u;
            has[u] = true;
        }
        if (*text != ',')
            break;
    }
    *ret_n = n;
    return *text ? -EINVAL : 0;
}

static int read_bauds(const char *text, int *ret, size_t max, size_t *ret_n)
{
    *ret_n = 0;
    for (;; text++) {
        long baud;
        if (*ret_n == max || number(text, BAUD_MIN, BAUD_MAX, &baud, &text) != 0)
            return -EINVAL;
        if (baud_nearest(baud) != baud)
            return -EINVAL;
        ret[(*ret_n)++] = (int)baud;
        if (*text != ',')
            return *text ? -EINVAL : 0;
    }
}

static int read_formats(const char *text, struct survey_setting *ret, size_t max, size_t *ret_n)
{
    *ret_n = 0;
    for (;; text += 4) {
        char one[4];
        snprintf(one, sizeof one, "%.3s", text);
        if (*ret_n == max || survey_format(one, &ret[*ret_n]) != 0)
            return -EINVAL;
        (*ret_n)++;
        if (text[3] != ',')
            return text[3] ? -EINVAL : 0;
    }
}

static size_t add(struct survey_setting *list, size_t n, int baud,
                  const struct survey_setting *format)
{
    if (n < SURVEY_SETTINGS_MAX) {
        list[n] = *format;
        list[n++].baud = baud;
    }
    return n;
}

/* The formats of a speed that the library knows, else the commonest. */
static size_t add_known(struct survey_setting *list, size_t n, int baud,
                        const struct survey_setting *known, size_t known_n)
{
    static const struct survey_setting usual[] = { { 0, 'N', 8, 1 }, { 0, 'E', 8, 1 } };
    size_t before = n;

    for (size_t i = 0; i < known_n; i++) {
        if (known[i].baud == baud)
            n = add(list, n, baud, &known[i]);
    }
    for (size_t i = 0; i < 2 && n == before; i++)
        n = add(list, n, baud, &usual[i]);
    return n;
}

int scan_settings(const char *bauds, const char *formats, const struct survey_setting *known,
                  size_t known_n, struct survey_setting ret[SURVEY_SETTINGS_MAX], size_t *ret_n)
{
    struct survey_setting form[SURVEY_SETTINGS_MAX];
    int baud[SURVEY_SETTINGS_MAX];
    size_t baud_n = 0, form_n = 0, n = 0;

    if ((bauds && read_bauds(bauds, baud, SURVEY_SETTINGS_MAX, &baud_n) != 0) ||
        (formats && read_formats(formats, form, SURVEY_SETTINGS_MAX, &form_n) != 0))
        return -EINVAL;
    for (size_t i = 0; i < known_n && !bauds; i++) { /* each speed once, in their order */
        size_t j = 0;
        while (j < baud_n && baud[j] != known[i].baud)
            j++;
        if (j == baud_n)
            baud[baud_n++] = known[i].baud;
    }
    if (!bauds && !formats) {
        for (n = 0; n < known_n; n++)
            ret[n] = known[n];
    }
    for (size_t i = 0; i < baud_n && (bauds || formats); i++) {
        for (size_t j = 0; j < form_n; j++)
            n = add(ret, n, baud[i], &form[j]);
        if (!formats)
            n = add_known(ret, n, baud[i], known, known_n);
    }
    *ret_n = n;
    return n ? 0 : -EINVAL;
}

int scan_read(const char *text, struct survey_read *ret)
{
    static const char spaces[] = " cdhi";
    const char *space = *text && *text != ' ' ? strchr(spaces, *text) : NULL;
    long first, count = 1;

    if (!space || text[1] != ':' || number(text + 2, 0, 65535, &first, &text) != 0)
        return -EINVAL;
    if (*text == '+' && number(text + 1, 1, BUS_WORDS_MAX, &count, &text) != 0)
        return -EINVAL;
    if (*text || first + count > 65536)
        return -EINVAL;
    *ret = (struct survey_read){ (uint8_t)(space - spaces), (uint16_t)first, (uint16_t)count };
    return 0;
}
