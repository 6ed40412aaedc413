/* SPDX-License-Identifier: Apache-2.0 */
/* replay - runs a fuzz target over every file of a folder: `fuzz_series corpus/series`. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 4 << 20 }; /* larger than anything that comes from outside in one piece */

/* A copy of exactly the input's size: reading past its end is then seen by the sanitizers. */
static int replay_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    int rc = -1;

    if (!f || fstat(fileno(f), &st) != 0 || st.st_size > INPUT_MAX)
        goto out;
    data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    if (!data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
        goto out;
    rc = LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
out:
    if (rc != 0)
        fprintf(stderr, "%s: not run or refused\n", path);
    free(data);
    if (f)
        fclose(f);
    return rc;
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    unsigned n = 0, bad = 0;

    if (!dir) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    for (struct dirent *e; (e = readdir(dir));) {
        char path[PATH_MAX];
        if (e->d_name[0] == '.')
            continue;
        int len = snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        bad += len < 0 || (size_t)len >= sizeof path || replay_file(path) != 0;
        n++;
    }
    closedir(dir);
    printf("%u inputs, %u not run\n", n, bad);
    return n == 0 || bad > 0; /* a target without a corpus tests nothing */
}
