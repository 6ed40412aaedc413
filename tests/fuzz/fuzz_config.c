/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A station's configuration as text. What loads prints, and what was printed loads to the same;
 * what does not load says why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/config.h"
#include "tests/fuzz/fuzz.h"

struct options {
    const char *url, *password;
    int64_t timeout_ms;
};

#define AT(member) .offset = offsetof(struct options, member)

static const struct field fields[] = {
    { .name = "url", .type = FIELD_TEXT, AT(url), .flags = FIELD_REQUIRED },
    { .name = "password", .type = FIELD_TEXT, AT(password), .flags = FIELD_SECRET },
    { .name = "timeout", .type = FIELD_DURATION, AT(timeout_ms), .dflt = "5s", .max = 60000 },
    { 0 },
};

static const struct field_kind kinds[] = {
    { .name = "mqtt", .fields = fields, .size = sizeof(struct options) },
    { 0 },
};

/* The effective configuration of a text; NULL when it has errors. free() it. */
static char *effective(const char *text, size_t size)
{
    struct config *c = NULL;
    struct diag *d = NULL;
    char *printed = NULL, *report = NULL;
    size_t printed_size, report_size;

    if (diag_create(&d))
        abort();
    int err = config_load_text("fuzz.yaml", text, size, kinds, d, &c);
    if ((err == 0) != (diag_errors(d) == 0) || (err == 0) != (c != NULL))
        abort();
    FILE *f = open_memstream(&report, &report_size);
    diag_print(d, f);
    fclose(f);
    if (err == 0) {
        f = open_memstream(&printed, &printed_size);
        if (config_print(c, f))
            abort();
        fclose(f);
    } else if (report_size == 0) {
        abort();
    }
    free(report);
    config_destroy(c);
    diag_destroy(d);
    return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *first = effective((const char *)data, size);

    if (!first)
        return 0;
    char *second = effective(first, strlen(first));
    if (!second || strcmp(first, second) != 0)
        abort();
    free(first);
    free(second);
    return 0;
}
