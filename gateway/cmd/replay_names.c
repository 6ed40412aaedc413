/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/replay_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/conf/diag.h"

enum { NAMES_SHOWN = 40 }; /* in a list of what would be right */

static const struct device_conf *device_at(const struct table *t, size_t i)
{
    return &((const struct device_conf *)t->config->devices.items)[i];
}

bool replay_find_device(const struct table *t, const char *name, size_t n, size_t *ret)
{
    for (size_t i = 0; i < t->config->devices.n; i++) {
        const char *id = device_at(t, i)->id;
        if (strlen(id) != n || memcmp(id, name, n) != 0)
            continue;
        *ret = i;
        return true;
    }
    return false;
}

bool replay_find_point(const struct table *t, size_t device, const char *name, int32_t *ret)
{
    const struct profile *p = device_at(t, device)->profile_found;
    const int32_t *channel_of = t->device[device].channel_of;
    const struct quantity *q = quantity_find(name);
    unsigned found = 0;

    for (size_t i = 0; i < p->points_n; i++) {
        if (channel_of[i] == PIPELINE_NO_CHANNEL || strcmp(p->points[i].id, name) != 0)
            continue;
        *ret = (int32_t)i;
        return true;
    }
    for (size_t i = 0; q && i < p->points_n; i++) {
        if (channel_of[i] == PIPELINE_NO_CHANNEL || p->points[i].quantity != q)
            continue;
        *ret = (int32_t)i;
        found++;
    }
    return found == 1;
}

bool replay_find_by_file(const struct table *t, const char *stem, size_t *ret,
                         const char **ret_point)
{
    const char *name = stem + (strncmp(stem, "dev.", 4) == 0 ? 4 : 0);

    *ret_point = NULL;
    if (replay_find_device(t, name, strlen(name), ret))
        return true;
    const char *dot = strrchr(name, '.');
    if (!dot || !replay_find_device(t, name, (size_t)(dot - name), ret))
        return false;
    *ret_point = dot + 1;
    return true;
}

void replay_list_channels(const struct table *t, const char *device, const char *wrong)
{
    const char **words = calloc(t->channels.n + 1, sizeof *words);
    size_t n = 0, shown = 0;

    if (!words)
        return;
    for (size_t i = 0; i < t->channels.n; i++)
        if (!t->channel[i].statistic && (!device || strcmp(t->channel[i].device, device) == 0))
            words[n++] = device ? t->channel[i].point : t->channel[i].id;
    const char *near = nearest_word(wrong, words);
    if (near)
        fprintf(stderr, say("  Did you mean %s?\n", "  是否指 %s？\n"), near);
    fputs(say("  There are: ", "  可用的有："), stderr);
    for (; shown < n && shown < NAMES_SHOWN; shown++)
        fprintf(stderr, "%s%s", shown ? ", " : "", words[shown]);
    fputs(n > shown ? ", ...\n" : "\n", stderr);
    free(words);
}

void replay_list_devices(const struct table *t)
{
    fputs(say("  Devices are: ", "  仪器有："), stderr);
    for (size_t i = 0; i < t->config->devices.n; i++)
        fprintf(stderr, "%s%s", i ? ", " : "", device_at(t, i)->id);
    fputc('\n', stderr);
}
