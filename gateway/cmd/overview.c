/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/overview.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"

enum { DEVICE_COLUMNS = 20, STANDARD_COLUMNS = 18 };

/* "2026-11-22T07:09:30.125Z" as "2026-11-22 07:09 UTC" */
static void print_time(const char *text)
{
    printf("%.10s %.5s UTC", text, strlen(text) > 11 ? text + 11 : "");
}

static const char *named(const json_t *object, const char *key)
{
    return control_text(json_object_get(object, key), cmd_lang());
}

static void print_level(const json_t *x)
{
    const json_t *primary = json_object_get(x, "primary"), *p;
    const char *class = named(x, "class");
    size_t i;

    fputs(named(x, "level_names"), stdout);
    if (*class)
        printf(say(" (%s)", "（%s）"), class);
    json_array_foreach(primary, i, p)
        printf("%s%s", i ? ", " : say(", primary ", "，首要污染物 "), json_string_value(p));
    fputs(say(", ", "，"), stdout);
}

void overview_print_indices(const json_t *indices, const char *indent)
{
    const json_t *x;
    size_t i;

    json_array_foreach(indices, i, x)
    {
        const json_t *value = json_object_get(x, "value");
        const char *time = control_text(x, "time");
        char standard[64];

        snprintf(standard, sizeof standard, "%s %s", control_text(x, "standard"),
                 control_text(x, "period"));
        printf("%s%-*s  ", indent, STANDARD_COLUMNS, standard);
        if (json_is_integer(value)) {
            printf("%4lld  ", (long long)json_integer_value(value));
            print_level(x);
        } else {
            printf("%4s  %s%s", "NA", named(x, "reason"), *time ? say(", ", "，") : "");
        }
        if (*time)
            print_time(time);
        putchar('\n');
    }
}

void overview_print_maintenances(const json_t *list, const char *indent)
{
    const json_t *m;
    size_t i;

    json_array_foreach(list, i, m)
    {
        printf("%s%-*s  ", indent, DEVICE_COLUMNS, control_text(m, "device"));
        print_time(control_text(m, "since"));
        fputs(say(" to ", " 至 "), stdout);
        print_time(control_text(m, "until"));
        printf("  %s  %s\n", control_text(m, "who"), control_text(m, "why"));
    }
}
