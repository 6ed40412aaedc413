/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/replay.h"

enum { BUSES_MAX = 256 /* of one file; the largest station has a tenth */ };

struct recorded_bus {
    char id[RECORD_ID_MAX + 1];
    struct traffic_pairing pairing;
};

struct job {
    struct recorded_bus *buses; /* BUSES_MAX */
    size_t buses_n;
    int (*take)(void *user, const struct traffic_exchange *e);
    void *user;
    uint64_t frames;
};

static int refuse(const char *path, unsigned line, const char *text)
{
    fprintf(stderr, "%s:%u: error: %s\n", path, line, text);
    return EXIT_USAGE;
}

/* The next line without its end. 1; 0 at the end of the file; -E2BIG. */
static int next_line(FILE *f, char *line, size_t size)
{
    if (!fgets(line, (int)size, f))
        return 0;
    size_t n = strlen(line);
    if (n + 1 == size && line[n - 1] != '\n')
        return -E2BIG;
    while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
        line[--n] = '\0';
    return 1;
}

static struct recorded_bus *bus_of(struct job *j, const char *id)
{
    for (size_t i = 0; i < j->buses_n; i++)
        if (strcmp(j->buses[i].id, id) == 0)
            return &j->buses[i];
    if (j->buses_n == BUSES_MAX)
        return NULL;
    struct recorded_bus *b = &j->buses[j->buses_n++];
    snprintf(b->id, sizeof b->id, "%s", id);
    return b;
}

static int take_line(struct job *j, const struct record_line *l)
{
    struct recorded_bus *b = bus_of(j, l->bus);
    struct traffic_exchange e;
    bool is_again = true;
    int rc = b ? 0 : -E2BIG;

    j->frames++;
    while (rc == 0 && is_again && traffic_feed(&b->pairing, l, &e, &is_again))
        rc = j->take(j->user, &e);
    return rc;
}

static int read_lines(struct job *j, const char *path, FILE *f)
{
    char line[RECORD_LINE_MAX], error[160];
    struct record_line l;
    unsigned n = 0;
    int got;

    while ((got = next_line(f, line, sizeof line)) > 0) {
        n++;
        if (n == 1 && strcmp(line, RECORD_HEADER) != 0)
            return refuse(path, n,
                          "this is no recording: '" RECORD_HEADER
                          "' should stand in the first line");
        int rc = record_parse(line, &l, error, sizeof error);
        if (rc < 0)
            return refuse(path, n, error);
        rc = rc == 0 ? take_line(j, &l) : 0;
        if (rc < 0)
            return refuse(path, n, rc == -E2BIG ? "too much for one recording" : strerror(-rc));
    }
    if (got < 0)
        return refuse(path, n + 1, "a line is longer than any frame");
    if (ferror(f))
        return refuse(path, n + 1, "the file cannot be read");
    return n ? EXIT_DONE : refuse(path, 1, "the file is empty");
}

int replay_read(const char *path, int (*take)(void *user, const struct traffic_exchange *e),
                void *user, uint64_t *ret_frames)
{
    struct job j = { .take = take, .user = user };
    FILE *f = fopen(path, "re");

    if (!f) {
        fprintf(stderr, "sluice replay: %s: %s.\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    j.buses = calloc(BUSES_MAX, sizeof *j.buses);
    int status = j.buses ? read_lines(&j, path, f) : EXIT_FOUND;
    free(j.buses);
    fclose(f);
    *ret_frames = j.frames;
    return status;
}
