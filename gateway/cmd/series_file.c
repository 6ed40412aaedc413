/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/series_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"

enum {
    MAGIC_SIZE = 4,
    VARINT_MAX = 10,
    STREAMS_MAX = 4096, /* that info tells apart */
    TIME_TEXT = 32,
};

static const char magic[MAGIC_SIZE + 1] = "SF1\n";

/* ---- writing ---- */

static int put(FILE *out, const void *data, size_t size)
{
    return fwrite(data, 1, size, out) == size ? 0 : -EIO;
}

int series_file_begin(FILE *out)
{
    return put(out, magic, MAGIC_SIZE);
}

int series_file_put(FILE *out, const uint8_t *frame, size_t size)
{
    struct buf length = BUF_INIT(VARINT_MAX);

    buf_varint(&length, size);
    int rc = length.has_failed ? -ENOMEM : put(out, length.data, length.size);
    buf_done(&length);
    return rc < 0 ? rc : put(out, frame, size);
}

/* ---- reading ---- */

int series_reader_begin(struct series_reader *r, FILE *in)
{
    char first[MAGIC_SIZE];

    *r = (struct series_reader){ .in = in, .frame = malloc(SERIES_FRAME_MAX) };
    if (!r->frame)
        return -ENOMEM;
    r->bytes = fread(first, 1, sizeof first, in);
    if (r->bytes == sizeof first && memcmp(first, magic, sizeof first) == 0)
        return 0;
    fputs("sluice series: this is no file of SF1 frames; one begins with \"SF1\" and a line "
          "feed.\n",
          stderr);
    return -EINVAL;
}

/* Length of the next frame. 1, 0 at the end, or -EINVAL. */
static int next_length(struct series_reader *r, uint64_t *ret)
{
    uint8_t bytes[VARINT_MAX];
    size_t n = 0;
    int c;

    do {
        c = fgetc(r->in);
        if (c == EOF)
            return n == 0 && !ferror(r->in) ? 0 : -EINVAL;
        bytes[n++] = (uint8_t)c;
    } while (c > 127 && n < sizeof bytes);
    r->bytes += n;
    return varint_get(bytes, n, ret) == n ? 1 : -EINVAL;
}

int series_reader_next(struct series_reader *r)
{
    uint64_t size;
    int rc = next_length(r, &size);

    if (rc == 0)
        return 0;
    r->n++;
    if (rc < 0 || size > SERIES_FRAME_MAX)
        return -EINVAL;
    r->size = fread(r->frame, 1, size, r->in);
    r->bytes += r->size;
    return r->size == size ? 1 : ferror(r->in) ? -EIO : -EINVAL;
}

void series_reader_end(struct series_reader *r)
{
    free(r->frame);
}

/* ---- info ---- */

struct stream_info {
    uint32_t number;
    unsigned columns;
    bool has_dense, has_plain;
    uint64_t frames, keys, rows, values, bytes;
    int64_t t_first, t_last;
    struct series_decoder *decoder;
};

struct file_info {
    struct stream_info *streams;
    size_t n;
    uint64_t unreadable; /* frames */
    int first_error;
};

static struct stream_info *find_stream(struct file_info *f, uint32_t number)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->streams[i].number == number)
            return &f->streams[i];
    if (f->n == STREAMS_MAX)
        return NULL;
    struct stream_info *s = &f->streams[f->n];
    *s = (struct stream_info){ .number = number };
    if (series_decoder_create(&s->decoder) < 0)
        return NULL;
    f->n++;
    return s;
}

static void note_times(struct stream_info *s, const struct series_frame *frame)
{
    for (unsigned i = 0; i < frame->info.rows; i++) {
        int64_t t = frame->time_ms[i];
        bool is_first = s->rows == 0 && i == 0;
        s->t_first = is_first || t < s->t_first ? t : s->t_first;
        s->t_last = is_first || t > s->t_last ? t : s->t_last;
    }
}

static int note_frame(struct file_info *f, const struct series_reader *r)
{
    struct series_info info;
    struct series_frame frame;
    int rc = series_peek(r->frame, r->size, &info);
    struct stream_info *s = rc == 0 ? find_stream(f, info.stream) : NULL;

    if (rc < 0 || !s)
        return rc < 0 ? rc : -ENOMEM;
    rc = series_decode(s->decoder, r->frame, r->size, &frame);
    if (rc < 0)
        return rc;
    note_times(s, &frame);
    s->frames++;
    s->keys += info.is_key;
    s->has_dense |= info.is_dense;
    s->has_plain |= !info.is_dense;
    s->columns = frame.info.columns;
    s->rows += info.rows;
    s->values += (uint64_t)info.rows * frame.info.columns;
    s->bytes += r->size;
    return 0;
}

static const char *codec_name(const struct stream_info *s)
{
    return s->has_dense && s->has_plain ? "both" : s->has_dense ? "dense" : "plain";
}

static void print_stream(const struct stream_info *s, FILE *out)
{
    char from[TIME_TEXT], to[TIME_TEXT];

    time_print_utc(s->t_first, from);
    time_print_utc(s->t_last, to);
    fprintf(out,
            "stream %" PRIu32 "  %s  %u columns  %" PRIu64 " rows  %s to %s  %" PRIu64
            " frames, %" PRIu64 " of them keys  %" PRIu64 " bytes, %.3f a value\n",
            s->number, codec_name(s), s->columns, s->rows, from, to, s->frames, s->keys,
            s->bytes, s->values ? (double)s->bytes / (double)s->values : 0);
}

static void print_stream_json(const struct stream_info *s, FILE *out)
{
    fprintf(out,
            "{\"stream\":%" PRIu32 ",\"codec\":\"%s\",\"columns\":%u,\"rows\":%" PRIu64
            ",\"first_ms\":%" PRId64 ",\"last_ms\":%" PRId64 ",\"frames\":%" PRIu64
            ",\"keys\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
            s->number, codec_name(s), s->columns, s->rows, s->t_first, s->t_last, s->frames,
            s->keys, s->bytes);
}

static void print_info(const struct file_info *f, const struct series_reader *r, bool is_json,
                       FILE *out)
{
    if (is_json)
        fprintf(out, "{\"bytes\":%" PRIu64 ",\"unreadable\":%" PRIu64 ",\"streams\":[",
                r->bytes, f->unreadable);
    for (size_t i = 0; i < f->n; i++) {
        if (is_json && i > 0)
            fputc(',', out);
        if (is_json)
            print_stream_json(&f->streams[i], out);
        else
            print_stream(&f->streams[i], out);
    }
    if (is_json)
        fputs("]}\n", out);
    else
        fprintf(out, "%zu streams, %" PRIu64 " frames, %" PRIu64 " bytes\n", f->n, r->n,
                r->bytes);
}

static int read_info(struct file_info *f, struct series_reader *r)
{
    int rc;

    while ((rc = series_reader_next(r)) > 0) {
        int bad = note_frame(f, r);
        if (bad == -ENOMEM)
            return bad;
        if (bad < 0 && f->unreadable++ == 0)
            fprintf(stderr, "sluice series: frame %" PRIu64 ": %s\n", r->n,
                    series_error_text(bad));
    }
    return rc;
}

int series_file_info(FILE *in, FILE *out, bool is_json)
{
    struct file_info f = { .streams = calloc(STREAMS_MAX, sizeof *f.streams) };
    struct series_reader r;
    int rc = series_reader_begin(&r, in);

    if (!f.streams || rc == -ENOMEM)
        fputs("sluice series: no memory.\n", stderr);
    if (f.streams && rc == 0) {
        rc = read_info(&f, &r);
        if (rc < 0)
            fprintf(stderr, "sluice series: the file ends inside frame %" PRIu64 ".\n", r.n);
        print_info(&f, &r, is_json, out);
    }
    for (size_t i = 0; i < f.n; i++)
        series_decoder_destroy(f.streams[i].decoder);
    int status = !f.streams || rc < 0 || f.unreadable ? EXIT_USAGE : EXIT_DONE;
    free(f.streams);
    series_reader_end(&r);
    return status;
}
