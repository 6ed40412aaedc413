/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/replay_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/words.h"

enum {
    FLUSH_SIZE = 1 << 18,          /* bytes of an output that are gathered */
    TEXT_MAX = FLUSH_SIZE + 65536, /* one more line fits */
    ENDS = 64,                     /* verdicts as text that are kept, by their flag */
    END_MAX = 640,                 /* all reasons there are */
};

struct end { /* ",valid,good,,1\n" */
    uint32_t flag;
    size_t size; /* 0: none yet */
    char text[END_MAX];
    struct verdict verdict;
};

struct output {
    FILE *out;
    struct buf text;
};

struct replay_writer {
    const char *folder;
    const struct channel_table *table;
    struct csv_form form;
    bool is_flagged_only;
    struct output output[REPLAY_OUTPUTS_COUNT_];
    struct end ends[ENDS];
    int64_t time_ms; /* of `time`: a row has many values */
    struct buf time;
    struct replay_counts counts;
    const char *failed; /* the name of an output */
    int error;
};

static const char *const names[REPLAY_OUTPUTS_COUNT_] = {
    [REPLAY_FLAGS] = "flags.csv",     [REPLAY_STATISTICS] = "statistics.csv",
    [REPLAY_INDICES] = "indices.csv", [REPLAY_INDEX_RESULTS] = "indices.json",
    [REPLAY_ALERTS] = "alerts.json",  [REPLAY_EVENTS] = "events.json",
};

const char *replay_output_name(enum replay_output o)
{
    return names[o];
}

/* ---- outputs ---- */

static void fail(struct replay_writer *w, enum replay_output o, int error)
{
    if (w->failed)
        return;
    w->failed = names[o];
    w->error = error;
}

static void flush(struct replay_writer *w, enum replay_output o)
{
    struct output *out = &w->output[o];

    if (out->text.has_failed)
        fail(w, o, ENOMEM);
    else if (!w->failed && out->text.size &&
             fwrite(out->text.data, 1, out->text.size, out->out) != out->text.size)
        fail(w, o, errno);
    buf_clear(&out->text);
}

static void end_line(struct replay_writer *w, enum replay_output o)
{
    w->counts.lines[o]++;
    if (w->output[o].text.size >= FLUSH_SIZE)
        flush(w, o);
}

static void open_output(struct replay_writer *w, enum replay_output o)
{
    struct output *out = &w->output[o];
    char *path = NULL;

    out->text = BUF_INIT(TEXT_MAX);
    if (asprintf(&path, "%s/%s", w->folder, names[o]) < 0) {
        fail(w, o, ENOMEM);
        return;
    }
    out->out = fopen(path, "w");
    if (!out->out)
        fail(w, o, errno);
    else
        setvbuf(out->out, NULL, _IONBF, 0);
    free(path);
    if (o <= REPLAY_INDICES)
        buf_puts(&out->text, "time,channel,value,status,grade,reasons,qartod\n");
}

static int tell_failure(const struct replay_writer *w)
{
    if (!w->failed)
        return 0;
    if (w->error == ENOMEM)
        return -ENOMEM;
    fprintf(stderr,
            say("sluice replay: %s/%s cannot be written: %s\n",
                "sluice replay：无法写入 %s/%s：%s\n"),
            w->folder, w->failed, strerror(w->error));
    return -EIO;
}

int replay_writer_open(const char *folder, const struct channel_table *t,
                       const struct csv_form *form, bool is_flagged_only, unsigned outputs,
                       struct replay_writer **ret)
{
    struct replay_writer *w = calloc(1, sizeof *w);

    if (!w)
        return -ENOMEM;
    w->folder = folder;
    w->table = t;
    w->form = *form;
    w->is_flagged_only = is_flagged_only;
    w->time = BUF_INIT(64);
    mkdir(folder, 0777); /* where it fails, so does the first file, and says why */
    for (int o = 0; o < REPLAY_OUTPUTS_COUNT_ && !w->failed; o++)
        if (outputs & 1u << o)
            open_output(w, (enum replay_output)o);
    if (w->failed)
        return replay_writer_close(w);
    *ret = w;
    return 0;
}

int replay_writer_close(struct replay_writer *w)
{
    if (!w)
        return 0;
    for (int o = 0; o < REPLAY_OUTPUTS_COUNT_; o++) {
        if (!w->output[o].out)
            continue;
        flush(w, (enum replay_output)o);
        if (fclose(w->output[o].out) != 0)
            fail(w, (enum replay_output)o, errno);
        buf_done(&w->output[o].text);
    }
    const int rc = tell_failure(w);
    buf_done(&w->time);
    free(w);
    return rc;
}

bool replay_writer_has_failed(const struct replay_writer *w)
{
    return w->failed != NULL;
}

const struct replay_counts *replay_writer_counts(const struct replay_writer *w)
{
    return &w->counts;
}

/* ---- values ---- */

static const struct end *end_of(struct replay_writer *w, uint32_t flag)
{
    struct end *e = &w->ends[(flag * UINT32_C(2654435769)) >> 26];
    struct buf b = BUF_INIT(END_MAX);

    if (e->size && e->flag == flag)
        return e;
    e->flag = flag;
    e->verdict = verdict_from_flag(flag);
    buf_printf(&b, ",%s,%s,", status_id((enum status)e->verdict.status),
               grade_id((enum grade)e->verdict.grade));
    put_reason_ids(&b, e->verdict.reasons, "", " ");
    buf_printf(&b, ",%d\n", verdict_qartod(e->verdict));
    e->size = b.has_failed ? 0 : b.size;
    if (e->size)
        memcpy(e->text, b.data, b.size);
    buf_done(&b);
    return e;
}

static void count(struct replay_writer *w, struct verdict v)
{
    w->counts.grades[v.grade]++;
    for (uint32_t left = v.reasons; left; left &= left - 1)
        w->counts.reasons[__builtin_ctz(left)]++;
}

static void put_time(struct replay_writer *w, int64_t time_ms, struct buf *b)
{
    if (w->time.size == 0 || time_ms != w->time_ms) {
        buf_clear(&w->time);
        csv_time_print(&w->form, time_ms, &w->time);
        buf_puts(&w->time, ",");
        w->time_ms = time_ms;
    }
    buf_put(b, w->time.data, w->time.size);
}

void replay_write_value(struct replay_writer *w, enum replay_output output, uint32_t channel,
                        int64_t time_ms, const struct series_cell *cell)
{
    const struct end *e = end_of(w, cell->flag);
    struct buf *b = &w->output[output].text;

    if (output == REPLAY_FLAGS)
        count(w, e->verdict);
    if (output == REPLAY_FLAGS && w->is_flagged_only && e->verdict.grade == GRADE_GOOD)
        return;
    put_time(w, time_ms, b);
    buf_puts(b, w->table->channels[channel].id);
    buf_puts(b, ",");
    csv_cell_print(&(struct series_cell){ .v = cell->v, .e = cell->e }, false, b);
    buf_put(b, e->text, e->size);
    end_line(w, output);
}

/* ---- objects ---- */

void replay_write_index(struct replay_writer *w, const struct index_json *as, int64_t time_ms,
                        const struct index_result *r)
{
    struct buf *b = &w->output[REPLAY_INDEX_RESULTS].text;
    struct buf time = BUF_INIT(64);

    csv_time_print(&w->form, time_ms, &time);
    buf_printf(b, "{\"time\":\"%.*s\",\"standard\":\"%s\"", (int)time.size,
               (const char *)time.data, as->scheme->standard);
    index_json_result(as, r, b);
    buf_done(&time);
    end_line(w, REPLAY_INDEX_RESULTS);
}

void replay_write_event(struct replay_writer *w, const char *json)
{
    static const char alert[] = "{\"kind\":\"alert\"";
    const enum replay_output o =
        strncmp(json, alert, sizeof alert - 1) == 0 ? REPLAY_ALERTS : REPLAY_EVENTS;

    buf_puts(&w->output[o].text, json);
    buf_puts(&w->output[o].text, "\n");
    end_line(w, o);
}
