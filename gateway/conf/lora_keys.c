/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/lora_conf.h"

enum {
    WORD_MAX = 96,
    EUI_DIGITS_MAX = 23, /* with a separator between bytes */
};

struct key_word {
    const char *word;
    unsigned keys; /* 1 << enum lora_key_name: those that it stands for */
};

static const struct key_word key_words[] = {
    { "app_key", 1u << LORA_APP_KEY },
    { "nwk_key", 1u << LORA_NWK_KEY },
    { "app_s_key", 1u << LORA_APP_S_KEY },
    /* 1.0 has one network key where 1.1 has three */
    { "nwk_s_key",
      1u << LORA_F_NWK_S_INT_KEY | 1u << LORA_S_NWK_S_INT_KEY | 1u << LORA_NWK_S_ENC_KEY },
    { "f_nwk_s_int_key", 1u << LORA_F_NWK_S_INT_KEY },
    { "s_nwk_s_int_key", 1u << LORA_S_NWK_S_INT_KEY },
    { "nwk_s_enc_key", 1u << LORA_NWK_S_ENC_KEY },
};

/* The next word of a line into `word`; 0: there is none, -EMSGSIZE: it is longer than any that
 * could be right. */
static int next_word(const char **at, const char *end, char word[WORD_MAX])
{
    while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r'))
        (*at)++;
    const char *from = *at;
    while (*at < end && **at != ' ' && **at != '\t' && **at != '\r')
        (*at)++;
    size_t n = (size_t)(*at - from);
    if (n >= WORD_MAX)
        return -EMSGSIZE;
    memcpy(word, from, n);
    word[n] = '\0';
    return n > 0;
}

static int refuse(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return -EINVAL;
}

static int take_key(struct lora_keys *k, const char *word, char *why, size_t size)
{
    const char *value = strchr(word, '=');
    struct lorawan_key key;

    for (size_t i = 0; value && i < sizeof key_words / sizeof key_words[0]; i++) {
        const struct key_word *w = &key_words[i];
        if (strlen(w->word) != (size_t)(value - word) ||
            strncmp(word, w->word, strlen(w->word)) != 0)
            continue;
        if (lorawan_key_parse(value + 1, &key) < 0) {
            snprintf(why, size, "The %s has not 32 hexadecimal digits.", w->word);
            return -EINVAL;
        }
        if (k->has & w->keys) {
            snprintf(why, size, "The %s is given twice.", w->word);
            return -EINVAL;
        }
        for (int n = 0; n < LORA_KEY_NAMES; n++)
            if (w->keys & 1u << n)
                k->key[n] = key;
        k->has |= w->keys;
        return 0;
    }
    return refuse(why, size,
                  "Expected NAME=KEY with one of app_key, nwk_key, app_s_key, nwk_s_key, "
                  "f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key.");
}

static int take_line(const char *at, const char *end, struct lora_keys *k, char *why,
                     size_t size)
{
    char word[WORD_MAX];
    int rc = next_word(&at, end, word);

    if (rc == 0 || (rc > 0 && word[0] == '#'))
        return 0;
    if (rc < 0 || strlen(word) > EUI_DIGITS_MAX || lorawan_eui_parse(word, &k->dev_eui) < 0)
        return refuse(why, size,
                      "Expected a DevEUI of 16 hexadecimal digits at the beginning.");
    while ((rc = next_word(&at, end, word)) > 0) {
        rc = take_key(k, word, why, size);
        if (rc < 0)
            break;
    }
    explicit_bzero(word, sizeof word);
    if (rc == -EMSGSIZE)
        return refuse(why, size, "A word of the line is too long for a key.");
    if (rc == 0 && k->has == 0)
        return refuse(why, size, "No key follows the DevEUI.");
    return rc < 0 ? rc : 1;
}

int lora_keys_parse(const char *text, void (*each)(void *user, const struct lora_keys *k),
                    void *user, char *why, size_t size)
{
    int line = 1;

    for (; *text; line++) {
        const char *end = strchr(text, '\n');
        struct lora_keys k = { 0 };
        if (!end)
            end = text + strlen(text);
        int rc = take_line(text, end, &k, why, size);
        if (rc > 0)
            each(user, &k);
        explicit_bzero(&k, sizeof k);
        if (rc < 0)
            return line;
        text = *end ? end + 1 : end;
    }
    return 0;
}

static int next_number(const char **at, unsigned max, unsigned *ret)
{
    char *end;

    if (**at < '0' || **at > '9')
        return -EINVAL;
    unsigned long x = strtoul(*at, &end, 10);
    if (x >= max)
        return -EINVAL;
    *at = end;
    *ret = (unsigned)x;
    return 0;
}

int lora_channels_parse(const char *text, unsigned channels_n, uint8_t *mask)
{
    unsigned from, to;

    memset(mask, 0, (channels_n + 7) / 8);
    for (;;) {
        if (next_number(&text, channels_n, &from) < 0)
            return -EINVAL;
        to = from;
        if (*text == '-') {
            text++;
            if (next_number(&text, channels_n, &to) < 0 || to < from)
                return -EINVAL;
        }
        for (; from <= to; from++)
            mask[from / 8] |= (uint8_t)(1u << from % 8);
        if (*text == '\0')
            return 0;
        if (*text++ != ',')
            return -EINVAL;
        while (*text == ' ')
            text++;
    }
}
