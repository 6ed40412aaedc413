/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/lorawan_cmd.h"

enum { LINE_SIZE = 256 };

static const char *const names[KEY_KINDS] = {
    [KEY_NWK_S] = "nwk-skey",
    [KEY_APP_S] = "app-skey",
    [KEY_APP] = "app-key",
    [KEY_NWK] = "nwk-key",
    [KEY_F_NWK_S_INT] = "f-nwk-s-int-key",
    [KEY_S_NWK_S_INT] = "s-nwk-s-int-key",
    [KEY_NWK_S_ENC] = "nwk-s-enc-key",
};

int lorawan_wrong(const char *what, const char *en, const char *zh)
{
    fprintf(stderr, "sluice lorawan: %s: %s\n", what, say(en, zh));
    return EXIT_USAGE;
}

static int add_key(const char *name, const char *text, struct lorawan_keys *k)
{
    for (int i = 0; i < KEY_KINDS; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        if (lorawan_key_parse(text, &k->key[i]) < 0)
            return lorawan_wrong(name, "a key is 32 hexadecimal digits.",
                                 "密钥应为 32 位十六进制数字。");
        k->has[i] = true;
        return 0;
    }
    return lorawan_wrong(name, "this is not the name of a key.", "这不是密钥的名称。");
}

/* Without the blanks at either end, which are cut off. */
static char *trim(char *text)
{
    static const char blanks[] = " \t\r\n";
    size_t n;

    text += strspn(text, blanks);
    for (n = strlen(text); n && strchr(blanks, text[n - 1]); n--)
        text[n - 1] = '\0';
    return text;
}

static int add_line(char *line, struct lorawan_keys *k)
{
    char *comment = strchr(line, '#');

    if (comment)
        *comment = '\0';
    char *name = trim(line), *value = strchr(name, '=');
    if (!*name)
        return 0;
    if (!value)
        return lorawan_wrong(name, "a line of --keys is name=value.",
                             "--keys 文件的每一行应为 名称=值。");
    *value++ = '\0';
    return add_key(trim(name), trim(value), k);
}

static int read_file(const char *path, struct lorawan_keys *k)
{
    char line[LINE_SIZE];
    int status = 0;
    FILE *f = fopen(path, "re");

    if (!f) {
        fprintf(stderr, "sluice lorawan: %s: %s.\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    while (status == 0 && fgets(line, sizeof line, f))
        status = add_line(line, k);
    fclose(f);
    return status;
}

/* 1.0: one key stands in all three places. */
static void make_session(struct lorawan_keys *k)
{
    const struct lorawan_key *all = &k->key[KEY_NWK_S];

    k->session = (struct session_keys){
        .app = k->key[KEY_APP_S],
        .f_nwk_s_int = k->is_1_1 ? k->key[KEY_F_NWK_S_INT] : *all,
        .s_nwk_s_int = k->is_1_1 ? k->key[KEY_S_NWK_S_INT] : *all,
        .nwk_s_enc = k->is_1_1 ? k->key[KEY_NWK_S_ENC] : *all,
    };
}

int lorawan_keys_read(const struct lorawan_options *o, struct lorawan_keys *ret)
{
    struct lorawan_keys k = { 0 };
    int status = o->keys ? read_file(o->keys, &k) : 0;

    for (int i = 0; i < KEY_KINDS && status == 0; i++)
        if (o->key[i])
            status = add_key(names[i], o->key[i], &k);
    if (status != 0)
        return status;
    k.is_1_1 = k.has[KEY_F_NWK_S_INT] || k.has[KEY_S_NWK_S_INT] || k.has[KEY_NWK_S_ENC];
    if (k.is_1_1 && k.has[KEY_NWK_S])
        return lorawan_wrong(names[KEY_NWK_S],
                             "a session has this key (1.0) or the three of 1.1, not both.",
                             "一个会话要么使用此密钥（1.0），要么使用 1.1 的三个密钥。");
    make_session(&k);
    *ret = k;
    return 0;
}

bool lorawan_can_sign(const struct lorawan_keys *k, bool is_up)
{
    if (!k->is_1_1)
        return k->has[KEY_NWK_S];
    return k->has[KEY_S_NWK_S_INT] && (!is_up || k->has[KEY_F_NWK_S_INT]);
}

bool lorawan_can_crypt(const struct lorawan_keys *k, int fport)
{
    return k->has[fport != 0 ? KEY_APP_S : k->is_1_1 ? KEY_NWK_S_ENC : KEY_NWK_S];
}

const struct lorawan_key *lorawan_root(const struct lorawan_keys *k)
{
    return k->has[KEY_NWK] ? &k->key[KEY_NWK] : k->has[KEY_APP] ? &k->key[KEY_APP] : NULL;
}

int lorawan_number(const char *option, const char *text, uint32_t max, uint32_t *ret)
{
    char *end;

    if (!text)
        return 0;
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    errno = 0;
    unsigned long long x = strtoull(text, &end, is_hex ? 16 : 10);
    if (*text < '0' || *text > '9' || *end || errno || x > max) {
        fprintf(stderr,
                say("sluice lorawan: --%s takes a number from 0 to %u, decimal or 0x..., not "
                    "'%s'.\n",
                    "sluice lorawan：--%s 的值应为 0 到 %u 的十进制数或 0x…，而不是“%s”。\n"),
                option, max, text);
        return EXIT_USAGE;
    }
    *ret = (uint32_t)x;
    return 0;
}

int lorawan_request(const struct lorawan_options *o, struct join_request *ret)
{
    struct join_request j = { 0 };
    uint32_t nonce = 0;

    if ((o->join_eui && lorawan_eui_parse(o->join_eui, &j.join_eui) < 0) ||
        (o->dev_eui && lorawan_eui_parse(o->dev_eui, &j.dev_eui) < 0))
        return lorawan_wrong("--join-eui, --dev-eui", "an EUI is 16 hexadecimal digits.",
                             "EUI 应为 16 位十六进制数字。");
    int status = lorawan_number("dev-nonce", o->dev_nonce, UINT16_MAX, &nonce);
    j.dev_nonce = (uint16_t)nonce;
    if (status == 0)
        *ret = j;
    return status;
}
