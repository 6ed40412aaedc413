/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/cmd.h"

#include <stdlib.h>
#include <string.h>

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
