/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/qc_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/csv_table.h"
#include "gateway/cmd/words.h"

enum { OUT_MAX = 1 << 20 /* text of one row */ };

struct table {
    const struct qc_job *job;
    struct csv_table csv;
    struct qc_column *column;
    struct qc_state *state;
    struct qc_judged *last; /* of the row before, as it was judged at its step */
    void *windows;
    uint64_t count[GRADE_COUNT_];
    uint64_t reason_count[32];
};

/* ---- configuring ---- */

struct beside { /* where another quantity of the same device is looked for */
    const struct table *t;
    unsigned column;
};

static size_t device_length(const char *name)
{
    const char *slash = strchr(name, '/');

    return slash ? (size_t)(slash - name) : 0;
}

static int find_beside(void *user, const char *quantity)
{
    const struct beside *at = user;
    const char *mine = at->t->column[at->column].name;

    for (unsigned i = 0; i < at->t->csv.columns; i++) {
        const struct qc_column *c = &at->t->column[i];
        if (strcmp(c->quantity->id, quantity) == 0 &&
            device_length(c->name) == device_length(mine) &&
            strncmp(c->name, mine, device_length(mine)) == 0)
            return (int)i;
    }
    return -1;
}

/* The column of a channel of the configuration. */
static bool find_peer(const struct table *t, unsigned *peer)
{
    const char *name = t->job->peer_name(t->job->user, *peer);

    for (unsigned i = 0; i < t->csv.columns; i++) {
        if (strcmp(t->column[i].name, name) != 0)
            continue;
        *peer = i;
        return true;
    }
    return false;
}

/* What the table has no column of compares nothing. */
static unsigned keep_relations(const struct table *t, struct qc_column *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->config.relations_n; i++) {
        struct qc_relation *r = &c->relations[n];
        *r = c->config.relations[i];
        n += find_peer(t, &r->a) && find_peer(t, &r->b);
    }
    return n;
}

static unsigned keep_references(const struct table *t, struct qc_column *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->config.references_n && n < QC_REFERENCES_MAX; i++) {
        struct qc_reference *r = &c->references[n];
        unsigned found = 0;
        *r = c->config.references[i];
        for (unsigned k = 0; k < r->n; k++) {
            unsigned peer = r->peer[k];
            if (find_peer(t, &peer))
                r->peer[found++] = peer;
        }
        r->n = found;
        n += found > 0;
    }
    return n;
}

static void relate(struct table *t)
{
    for (unsigned i = 0; i < t->csv.columns; i++) {
        struct qc_column *c = &t->column[i];
        struct beside at = { t, i };
        c->config.relations_n =
            c->is_configured
                ? keep_relations(t, c)
                : qc_default_relations(c->quantity, find_beside, &at, c->relations);
        c->config.relations = c->relations;
        c->config.references_n = keep_references(t, c);
        c->config.references = c->references;
    }
}

static int start(struct table *t)
{
    size_t size = 0;

    for (unsigned i = 0; i < t->csv.columns; i++)
        size += qc_memory(&t->column[i].config);
    char *at = t->windows = calloc(1, size + 1);
    if (!at)
        return -ENOMEM;
    for (unsigned i = 0; i < t->csv.columns; i++) {
        qc_start(&t->column[i].config, &t->state[i], at);
        at += qc_memory(&t->column[i].config);
    }
    return 0;
}

static int configure(struct table *t)
{
    const int64_t interval_ms = csv_table_interval(&t->csv);

    if (interval_ms < 0)
        return (int)interval_ms;
    for (unsigned i = 0; i < t->csv.columns; i++) {
        struct qc_column *c = &t->column[i];
        if (!t->job->find(t->job->user, interval_ms, c))
            return csv_table_complain(&t->csv, i + 2,
                                      "expected a channel of the configuration or a quantity",
                                      "应为配置中的通道或要素的名称", c->name, strlen(c->name));
        const char *error = qc_config_error(&c->config);
        if (error)
            return csv_table_complain(&t->csv, i + 2, error, error, NULL, 0);
    }
    relate(t);
    return start(t);
}

/* ---- judging ---- */

/* What other columns are compared with. */
static void gather(const struct table *t, size_t row, double *ret)
{
    for (unsigned i = 0; i < t->csv.columns; i++) {
        const struct series_cell *cell = &t->csv.cells[row * t->csv.columns + i];
        ret[i] = qc_as_peer(&t->column[i].config, verdict_from_flag(cell->flag),
                            decimal_to_double(series_value(cell)));
    }
}

static void judge(struct table *t, size_t row)
{
    double peers[QC_COLUMNS_MAX];

    gather(t, row, peers);
    for (unsigned i = 0; i < t->csv.columns; i++) {
        const struct series_cell *cell = &t->csv.cells[row * t->csv.columns + i];
        struct sample s = { .time_ms = t->csv.time_ms[row],
                            .channel = i,
                            .value = series_value(cell),
                            .verdict = verdict_from_flag(cell->flag) };
        const struct qc_input in = { .raw = s.value,
                                     .peers = peers,
                                     .peers_n = t->csv.columns };
        qc_judge(&t->column[i].config, &t->state[i], &in, &s);
        if (s.verdict.grade >= GRADE_BAD)
            peers[i] = NAN;
    }
}

/* ---- writing ---- */

static void count(struct table *t, struct verdict v)
{
    t->count[v.grade]++;
    for (unsigned i = 0; i < 31; i++)
        t->reason_count[i] += v.reasons >> i & 1;
}

static void put_sample(struct table *t, struct buf *b, const struct qc_judged *j,
                       const struct series_cell *cell)
{
    const struct verdict v = j->sample.verdict;

    count(t, v);
    if (t->job->is_flagged_only && v.grade == GRADE_GOOD)
        return;
    csv_time_print(&t->csv.form, j->sample.time_ms, b);
    buf_printf(b, ",%s,", t->column[j->sample.channel].name);
    csv_cell_print(&(struct series_cell){ .v = cell->v, .e = cell->e }, false, b);
    buf_printf(b, ",%d,%s,", verdict_qartod(v), grade_id((enum grade)v.grade));
    put_reason_ids(b, v.reasons, "", " ");
    for (int k = 0; k < QC_TEST_COUNT_; k++) {
        if (j->flag[k] == QC_NONE)
            buf_puts(b, ",");
        else
            buf_printf(b, ",%d", j->flag[k]);
    }
    buf_puts(b, "\n");
}

/* What is known of a sample of the row before, now that the next one is judged. */
static const struct qc_judged *final_of(const struct table *t, unsigned column)
{
    const struct qc_judged *last = &t->last[column], *before = &t->state[column].before;

    return !last->is_final && before->sample.time_ms == last->sample.time_ms ? before : last;
}

static int write_last(struct table *t, struct buf *b, size_t row, FILE *out)
{
    buf_clear(b);
    for (unsigned i = 0; i < t->csv.columns; i++)
        put_sample(t, b, final_of(t, i), &t->csv.cells[row * t->csv.columns + i]);
    if (b->has_failed)
        return -ENOMEM;
    return fwrite(b->data, 1, b->size, out) == b->size ? 0 : -EIO;
}

static void remember(struct table *t)
{
    for (unsigned i = 0; i < t->csv.columns; i++)
        t->last[i] = t->state[i].now;
}

static int write_heading(FILE *out)
{
    fputs("time,channel,value,flag,grade,reasons", out);
    for (int k = 0; k < QC_TEST_COUNT_; k++)
        fprintf(out, ",qc_%s", qc_test_id((enum qc_test)k));
    return fputc('\n', out) == EOF ? -EIO : 0;
}

static void write_summary(const struct table *t)
{
    const char *between = say_zh() ? "：" : ": ";

    fprintf(stderr, say_zh() ? "%zu 行，%u 个通道" : "%zu rows of %u channels", t->csv.rows,
            t->csv.columns);
    for (int g = 0; g < GRADE_COUNT_; g++) {
        if (t->count[g] == 0)
            continue;
        fprintf(stderr, "%s%s %" PRIu64, between, grade_name((enum grade)g, cmd_lang()),
                t->count[g]);
        between = say_zh() ? "，" : ", ";
    }
    between = say_zh() ? "；原因：" : "; reasons: ";
    for (unsigned i = 0; i < 31; i++) {
        if (t->reason_count[i] == 0)
            continue;
        fprintf(stderr, "%s%s %" PRIu64, between, reason_name(UINT32_C(1) << i, cmd_lang()),
                t->reason_count[i]);
        between = say_zh() ? "，" : ", ";
    }
    fputc('\n', stderr);
}

/* A row is written when the next one has made it final. */
static int judge_all(struct table *t, FILE *out)
{
    struct buf b = BUF_INIT(OUT_MAX);
    int rc = write_heading(out);

    for (size_t row = 0; rc == 0 && row < t->csv.rows; row++) {
        judge(t, row);
        if (row > 0)
            rc = write_last(t, &b, row - 1, out);
        remember(t);
    }
    if (rc == 0 && t->csv.rows)
        rc = write_last(t, &b, t->csv.rows - 1, out);
    buf_done(&b);
    if (rc == 0 && fflush(out) != 0)
        rc = -EIO;
    return rc;
}

/* The names of the columns; memory for what is remembered of them. */
static int prepare(struct table *t)
{
    const unsigned n = t->csv.columns;

    t->column = calloc(n, sizeof *t->column);
    t->state = calloc(n, sizeof *t->state);
    t->last = calloc(n, sizeof *t->last);
    if (!t->column || !t->state || !t->last)
        return -ENOMEM;
    for (unsigned i = 0; i < n; i++)
        memcpy(t->column[i].name, t->csv.names[i], QC_NAME_MAX);
    return configure(t);
}

int qc_table_run(const struct qc_job *job, FILE *in, FILE *out)
{
    struct table t = { .job = job, .csv = { .command = "qc", .in = in } };
    int rc = csv_table_read(&t.csv, job->names, job->names_n);

    if (rc == 0)
        rc = prepare(&t);
    if (rc == 0)
        rc = judge_all(&t, out);
    if (rc == 0)
        write_summary(&t);
    free(t.windows);
    free(t.last);
    free(t.state);
    free(t.column);
    csv_table_done(&t.csv);
    return csv_table_exit_code(&t.csv, rc);
}
