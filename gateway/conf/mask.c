/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/mask.h"

#include <stdbool.h>
#include <string.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Masks text[from, to) and closes the gap; returns the new size. */
static size_t mask_bytes(char *text, size_t size, size_t from, size_t to)
{
    size_t out = from;

    for (size_t i = from; i < to; i++) {
        if (!is_continuation(text[i]))
            text[out++] = '*';
    }
    if (out != to)
        memmove(text + out, text + to, size - to);
    return size - (to - out);
}

/* Where the value behind a "key:" ends. */
static size_t value_end(const char *text, size_t size, size_t i)
{
    char quote = i < size && (text[i] == '"' || text[i] == '\'') ? text[i] : '\0';

    if (quote)
        i++;
    while (i < size && text[i] != '\n' && text[i] != '\r' &&
           (quote ? text[i] != quote : text[i] != ',' && text[i] != '}'))
        i++;
    return i;
}

/* Bytes of "password:", "token" : ... at i up to the value; 0 when no such key stands there. */
static size_t key_length(const char *text, size_t size, size_t i)
{
    static const char *const keys[] = { "password", "passwd", "passphrase", "secret", "token" };

    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        size_t n = strlen(keys[k]), end = i + n;
        if (size - i < n || memcmp(text + i, keys[k], n) != 0)
            continue;
        while (end < size && (text[end] == '"' || text[end] == '\'' || text[end] == ' '))
            end++;
        if (end == size || text[end] != ':')
            continue;
        for (end++; end < size && text[end] == ' ';)
            end++;
        return end - i;
    }
    return 0;
}

/* Where the "user:password" of an address whose "://" stands at i ends; 0 when it has none. */
static size_t userinfo_end(const char *text, size_t size, size_t i)
{
    size_t end = 0;

    if (size - i < 3 || memcmp(text + i, "://", 3) != 0)
        return 0;
    for (size_t at = i + 3; at < size && !strchr(" \t\r\n\"'/?#", text[at]); at++) {
        if (text[at] == '@')
            end = at;
    }
    return end;
}

size_t mask_secrets(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        size_t n = key_length(text, size, i), user_end = userinfo_end(text, size, i);
        if (n == 0 && user_end == 0)
            continue;
        size_t from = n ? i + n : i + 3, to = n ? value_end(text, size, from) : user_end;
        size_t less = mask_bytes(text, size, from, to);
        i = to - (size - less) > i ? to - (size - less) - 1 : i;
        size = less;
    }
    return size;
}

/* Byte of the n-th character from `i`, or where the line ends. */
static size_t skip_chars(const char *text, size_t size, size_t i, int n)
{
    while (n-- > 0 && i < size && text[i] != '\n') {
        for (i++; i < size && is_continuation(text[i]);)
            i++;
    }
    return i;
}

size_t mask_span(char *text, size_t size, size_t line, int column, int width)
{
    size_t from = skip_chars(text, size, line, column - 1);

    return mask_bytes(text, size, from, skip_chars(text, size, from, width));
}
