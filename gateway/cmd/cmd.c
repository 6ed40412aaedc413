/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/app_view.h"
#include "gateway/conf/config.h"

const char sluice_version[] = SLUICE_VERSION;

#define CMD(name) extern const struct cmd cmd_##name;
#include "gateway/cmd/cmd.def"
#undef CMD

const struct cmd *const cmds[] = {
#define CMD(name) &cmd_##name,
#include "gateway/cmd/cmd.def"
#undef CMD
    NULL,
};

/* The order POSIX gives the locale variables; an empty one does not count. */
const char *cmd_lang(void)
{
    static const char *const names[] = { "SLUICE_LANG", "LC_ALL", "LC_MESSAGES", "LANG" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strncmp(value, "zh", 2) == 0 ? "zh" : "en";
    }
    return "en";
}

bool say_zh(void)
{
    return strcmp(cmd_lang(), "zh") == 0;
}

const char *say(const char *en, const char *zh)
{
    return say_zh() ? zh : en;
}

bool cmd_has_folders(const char *command, const struct option_texts *folders)
{
    struct stat st;

    for (size_t i = 0; i < folders->n; i++) {
        const char *path = folders->text[i];
        int err = stat(path, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
        if (err == 0)
            continue;
        if (err == ENOENT)
            fprintf(stderr,
                    say_zh() ? "sluice %s：文件夹 %s 不存在。\n"
                             : "sluice %s: the folder %s does not exist.\n",
                    command, path);
        else if (err == ENOTDIR)
            fprintf(stderr,
                    say_zh() ? "sluice %s：%s 不是文件夹。\n"
                             : "sluice %s: %s is not a folder.\n",
                    command, path);
        else
            fprintf(stderr,
                    say_zh() ? "sluice %s：无法读取文件夹 %s：%s。\n"
                             : "sluice %s: the folder %s cannot be read: %s.\n",
                    command, path, strerror(err));
        return false;
    }
    return true;
}

char *cmd_log_path(const char *config)
{
    struct config *c = NULL;
    struct diag *d;
    char *path = NULL;

    if (diag_create(&d) < 0)
        return NULL;
    if (config_load(config, uplink_choices(), d, &c) < 0)
        diag_print(d, stderr);
    else
        path = strdup(c->log.path);
    config_destroy(c);
    diag_destroy(d);
    return path;
}
