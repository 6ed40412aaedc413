/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/series_file.h"
#include "gateway/cmd/series_table.h"

struct series_options {
    const char *codec;
    int64_t rows, stream;
    bool is_json, is_quiet;
};

#define OPTION(member) .offset = offsetof(struct series_options, member)

static const struct cmd_option options[] = {
    { .name = "codec",
      .type = OPTION_TEXT,
      OPTION(codec),
      .dflt = "dense",
      .value = "dense|plain",
      .help = "encode: dense is half the size, plain is fast and simple to read." },
    { .name = "rows",
      .type = OPTION_INT,
      OPTION(rows),
      .dflt = "1000",
      .min = 1,
      .max = SERIES_ROWS_MAX,
      .value = "N",
      .help = "encode: rows of a frame." },
    { .name = "stream",
      .type = OPTION_INT,
      OPTION(stream),
      .dflt = "-1",
      .min = -1,
      .max = UINT32_MAX,
      .value = "N",
      .help = "decode: the stream to write when a file holds several; the first one." },
    { .name = "json", .type = OPTION_FLAG, OPTION(is_json), .help = "info: write JSON." },
    { .name = "quiet",
      .letter = 'q',
      .type = OPTION_FLAG,
      OPTION(is_quiet),
      .help = "No summary on standard error." },
    { 0 },
};

static int encode(const struct series_options *o, FILE *in)
{
    struct series_summary sum;

    if (strcmp(o->codec, "dense") && strcmp(o->codec, "plain")) {
        fprintf(stderr, "sluice series: --codec is dense or plain, not '%s'.\n", o->codec);
        return EXIT_USAGE;
    }
    const struct table_encode job = {
        .in = in,
        .out = stdout,
        .codec = strcmp(o->codec, "plain") ? SERIES_DENSE : SERIES_PLAIN,
        .rows = (unsigned)o->rows,
    };
    int status = series_table_encode(&job, &sum);
    if (status == EXIT_DONE && !o->is_quiet)
        series_summary_print(&sum, stderr);
    return status;
}

static int dispatch(const struct series_options *o, const char *what, FILE *in)
{
    if (!strcmp(what, "encode"))
        return encode(o, in);
    if (!strcmp(what, "decode"))
        return series_table_decode(in, stdout, o->stream);
    if (!strcmp(what, "info"))
        return series_file_info(in, stdout, o->is_json);
    fprintf(stderr, "sluice series: expected encode, decode or info, found '%s'.\n", what);
    return EXIT_USAGE;
}

static int run(const void *opt, int argc, char **argv)
{
    bool is_stdin = argc < 2 || !strcmp(argv[1], "-");
    FILE *in = is_stdin ? stdin : fopen(argv[1], "rb");

    if (!in) {
        fprintf(stderr, "sluice series: %s cannot be read: %s.\n", argv[1], strerror(errno));
        return EXIT_USAGE;
    }
    int status = dispatch(opt, argv[0], in);
    if (!is_stdin)
        fclose(in);
    if (fflush(stdout) != 0 && status == EXIT_DONE) {
        fprintf(stderr, "sluice series: the output cannot be written: %s.\n", strerror(errno));
        status = EXIT_FOUND;
    }
    return status;
}

const struct cmd cmd_series = {
    .name = "series",
    .usage = "encode | decode | info [FILE]",
    .summary = "Turn tables of timed values into SF1 frames and back.",
    .details =
        "A table has a time and one value per channel on each line, separated by commas: Unix\n"
        "seconds, milliseconds or ISO 8601 UTC, then numbers; an empty cell is a missing "
        "value.\n"
        "Decoding writes the same text again. Without FILE the table is read from standard\n"
        "input; frames and tables go to standard output.\n\n"
        "  sluice series encode < hour.csv > hour.sf1\n"
        "  sluice series decode < hour.sf1\n"
        "  sluice series info hour.sf1\n\n"
        "Exit status: 0 done, 1 the output cannot be written, 2 the input is not what it "
        "should be.",
    .options = options,
    .options_size = sizeof(struct series_options),
    .args_min = 1,
    .args_max = 2,
    .run = run,
};
