/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/backtest_labels.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/csv_line.h"
#include "gateway/cmd/export_time.h"

enum {
    WHY_MAX = 256,
    FIELD_MAX = 160, /* bytes of one value */
};

#define EARLY_MAX_S       31622400.0 /* a year */
#define MILLISECONDS_FROM 1e11       /* a number from there on is not seconds */

static const char *const kind_ids[LABEL_KINDS] = { "event", "fault", "benign", "ignore" };

enum key { START, END, KIND, DEADLINE, EARLY, RULE, CHANNEL, NAME, KEYS };

static const char *const keys[KEYS] = { "start",      "end",  "kind",    "must_alarm_by",
                                        "early_ok_s", "rule", "channel", "class" };

/* A label as text, key by key; NULL: not given. */
struct raw {
    const char *text[KEYS];
};

struct reading {
    const char *path;
    struct backtest_labels *labels;
    size_t cap;
    uint64_t at; /* line, or number of the label */
    const char *unit_en, *unit_zh;
};

const char *backtest_kind_id(enum backtest_kind k)
{
    return kind_ids[k];
}

__attribute__((format(printf, 2, 3))) static int wrong(const struct reading *r,
                                                       const char *format, ...)
{
    char why[WHY_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (r->at)
        fprintf(stderr,
                say("sluice replay: %s: %s %" PRIu64 ": %s\n",
                    "sluice replay：%s：%s %" PRIu64 "：%s\n"),
                r->path, say(r->unit_en, r->unit_zh), r->at, why);
    else
        fprintf(stderr, say("sluice replay: %s: %s\n", "sluice replay：%s：%s\n"), r->path,
                why);
    return -EINVAL;
}

/* ---- one label ---- */

static int take_time(const struct reading *r, enum key key, const char *text, int64_t *ret)
{
    const bool is_time = text && isdigit((unsigned char)text[0]) &&
                         export_time_parse(text, 0, ret) == 0 && *ret > 0;

    if (is_time)
        return 0;
    return wrong(r,
                 say("%s is a time, such as 2026-01-01T08:00:00+08:00 or Unix seconds, not "
                     "'%.40s'.",
                     "%s 应为时间，例如 2026-01-01T08:00:00+08:00 或 Unix 秒，实为“%.40s”。"),
                 keys[key], text ? text : "");
}

static int take_kind(const struct reading *r, const char *text, enum backtest_kind *ret)
{
    for (int k = 0; text && k < LABEL_KINDS; k++)
        if (strcmp(kind_ids[k], text) == 0) {
            *ret = (enum backtest_kind)k;
            return 0;
        }
    return wrong(r,
                 say("kind is event, fault, benign or ignore, not '%.40s'.",
                     "kind 应为 event、fault、benign 或 ignore，实为“%.40s”。"),
                 text ? text : "");
}

static int take_early(const struct reading *r, const char *text, int64_t *ret_ms)
{
    char *end = NULL;
    const double s = text ? strtod(text, &end) : 0;

    if (text && (end == text || *end || !(s >= 0) || s > EARLY_MAX_S))
        return wrong(r,
                     say("early_ok_s is a number of seconds, not '%.40s'.",
                         "early_ok_s 应为秒数，实为“%.40s”。"),
                     text);
    *ret_ms = (int64_t)(s * 1000);
    return 0;
}

static int check_order(const struct reading *r, const struct backtest_label *l)
{
    if (l->end_ms < l->start_ms)
        return wrong(r, "%s", say("it ends before it starts.", "结束早于开始。"));
    if (l->deadline_ms < l->start_ms)
        return wrong(r, "%s",
                     say("must_alarm_by is before its start.", "must_alarm_by 早于开始。"));
    return 0;
}

static bool copy(char **ret, const char *text)
{
    *ret = text ? strdup(text) : NULL;
    return *ret || !text;
}

static struct backtest_label *room(struct reading *r)
{
    struct backtest_labels *l = r->labels;

    if (l->n == r->cap) {
        const size_t cap = r->cap ? 2 * r->cap : 64;
        struct backtest_label *more = realloc(l->items, cap * sizeof *more);
        if (!more)
            return NULL;
        l->items = more;
        r->cap = cap;
    }
    return &l->items[l->n];
}

static int take(struct reading *r, const struct raw *raw)
{
    struct backtest_label l = { 0 };
    int rc = take_time(r, START, raw->text[START], &l.start_ms);

    if (rc == 0)
        rc = take_time(r, END, raw->text[END], &l.end_ms);
    if (rc == 0)
        rc = take_kind(r, raw->text[KIND], &l.kind);
    l.deadline_ms = l.end_ms;
    if (rc == 0 && raw->text[DEADLINE])
        rc = take_time(r, DEADLINE, raw->text[DEADLINE], &l.deadline_ms);
    if (rc == 0)
        rc = take_early(r, raw->text[EARLY], &l.early_ms);
    if (rc == 0)
        rc = check_order(r, &l);
    if (rc == 0 && r->labels->n == LABELS_MAX)
        rc = wrong(r, say("there are more than %d labels.", "标注超过 %d 条。"), LABELS_MAX);
    if (rc < 0)
        return rc;
    struct backtest_label *to = room(r);
    if (!to)
        return -ENOMEM;
    *to = l; /* without texts */
    r->labels->n++;
    if (!copy(&to->rule, raw->text[RULE]) || !copy(&to->channel, raw->text[CHANNEL]) ||
        !copy(&to->name, raw->text[NAME]))
        return -ENOMEM;
    return 0;
}

/* ---- a table ---- */

/* Cuts a line at its commas, in place. Returns how many cells there are. */
static size_t split(char *line, char **cells, size_t max)
{
    size_t n = 0;
    bool is_quoted = false;

    for (char *p = line, *from = line;; p++) {
        is_quoted ^= *p == '"';
        if (*p && (*p != ',' || is_quoted))
            continue;
        const bool is_end = *p == '\0';
        const struct csv_span s = csv_trim(from, (size_t)(p - from));
        if (n == max)
            return max + 1;
        cells[n] = from + (s.p - from);
        cells[n++][s.n] = '\0';
        from = p + 1;
        if (is_end)
            return n;
    }
}

static int find_key(const char *name)
{
    for (int k = 0; k < KEYS; k++)
        if (strcmp(keys[k], name) == 0)
            return k;
    return -1;
}

static int take_heading(const struct reading *r, char **cells, size_t n, int *key_of)
{
    unsigned seen = 0;

    for (size_t i = 0; i < n; i++) {
        key_of[i] = find_key(cells[i]);
        if (key_of[i] < 0)
            return wrong(r,
                         say("the heading has a column '%.40s'; it takes start, end, kind, "
                             "must_alarm_by, early_ok_s, rule, channel and class.",
                             "表头含未知列“%.40s”；可用的列为 start、end、kind、"
                             "must_alarm_by、early_ok_s、rule、channel 和 class。"),
                         cells[i]);
        if (seen & 1u << key_of[i])
            return wrong(r, say("the column %s comes twice.", "列 %s 重复。"), cells[i]);
        seen |= 1u << key_of[i];
    }
    if ((seen & 7u) == 7u)
        return 0;
    return wrong(r, "%s",
                 say("the heading needs the columns start, end and kind.",
                     "表头须含 start、end 和 kind 三列。"));
}

static int take_line(struct reading *r, char **cells, size_t n, const int *key_of,
                     size_t columns)
{
    struct raw raw = { 0 };

    if (n != columns)
        return wrong(
            r, say("it has %zu cells, the heading has %zu.", "有 %zu 格，表头有 %zu 格。"), n,
            columns);
    for (size_t i = 0; i < n; i++)
        if (cells[i][0])
            raw.text[key_of[i]] = cells[i];
    return take(r, &raw);
}

static int tell_line(const struct reading *r, ssize_t rc)
{
    return wrong(r, "%s",
                 rc == -EMSGSIZE ? say("the line is too long.", "该行过长。")
                 : rc == -EILSEQ ? say("this is not text.", "不是文本。")
                                 : say("it cannot be read.", "无法读取。"));
}

static int read_table(struct reading *r, FILE *in)
{
    char *text = NULL, *cells[KEYS];
    size_t cap = 0, columns = 0;
    int key_of[KEYS], rc = 0;

    r->unit_en = "line";
    r->unit_zh = "行";
    while (rc == 0) {
        const ssize_t length = csv_line_read(in, &text, &cap, &r->at);
        if (length == -ENODATA)
            break;
        if (length < 0) {
            rc = length == -ENOMEM ? -ENOMEM : tell_line(r, length);
            break;
        }
        const size_t n = split(text, cells, KEYS);
        if (n > KEYS)
            rc = wrong(r, "%s", say("it has too many cells.", "单元格过多。"));
        else if (columns == 0)
            rc = take_heading(r, cells, columns = n, key_of);
        else
            rc = take_line(r, cells, n, key_of, columns);
    }
    free(text);
    r->at = 0;
    if (rc == 0 && columns == 0)
        rc = wrong(r, "%s", say("it is empty.", "文件为空。"));
    return rc;
}

/* ---- JSON ---- */

static int text_of(const struct reading *r, const json_t *value, enum key key, char *room,
                   const char **ret)
{
    *ret = NULL;
    if (!value || json_is_null(value))
        return 0;
    if (json_is_string(value)) {
        *ret = json_string_value(value);
        return 0;
    }
    if (!json_is_number(value))
        return wrong(r, say("%s is neither a text nor a number.", "%s 既非文本也非数字。"),
                     keys[key]);
    const double x = json_number_value(value);
    if (!(x > -1e15 && x < 1e15))
        return wrong(r, say("%s is out of range.", "%s 超出范围。"), keys[key]);
    snprintf(room, FIELD_MAX, x >= MILLISECONDS_FROM || x == floor(x) ? "%.0f" : "%.3f", x);
    *ret = room;
    return 0;
}

/* The benchmark calls the class "cls", and its lists say the kind. */
static int take_object(struct reading *r, const json_t *o, const char *kind)
{
    char rooms[KEYS][FIELD_MAX];
    struct raw raw = { 0 };
    int rc = 0;

    if (!json_is_object(o))
        return wrong(r, "%s", say("it is no object.", "不是对象。"));
    for (int k = 0; rc == 0 && k < KEYS; k++)
        rc = text_of(r, json_object_get(o, keys[k]), (enum key)k, rooms[k], &raw.text[k]);
    if (rc < 0)
        return rc;
    if (kind)
        raw.text[KIND] = kind;
    if (!raw.text[NAME])
        raw.text[NAME] = json_string_value(json_object_get(o, "cls"));
    return take(r, &raw);
}

static int take_pair(struct reading *r, const json_t *pair)
{
    char rooms[2][FIELD_MAX];
    struct raw raw = { .text = { [KIND] = kind_ids[LABEL_IGNORE] } };
    int rc = json_array_size(pair) == 2
                 ? text_of(r, json_array_get(pair, 0), START, rooms[0], &raw.text[START])
                 : wrong(r, "%s", say("it is no pair of times.", "不是一对时间。"));

    if (rc == 0)
        rc = text_of(r, json_array_get(pair, 1), END, rooms[1], &raw.text[END]);
    return rc == 0 ? take(r, &raw) : rc;
}

static int take_array(struct reading *r, const json_t *array, const char *kind)
{
    const json_t *item;
    size_t i;
    int rc = 0;

    if (!json_is_array(array))
        return 0;
    json_array_foreach(array, i, item)
    {
        if (rc < 0)
            break;
        r->at++;
        rc = kind && json_is_array(item) ? take_pair(r, item) : take_object(r, item, kind);
    }
    return rc;
}

static int take_scenario(struct reading *r, const json_t *root)
{
    static const struct {
        const char *key;
        enum backtest_kind kind;
    } lists[] = { { "events", LABEL_EVENT },
                  { "faults", LABEL_FAULT },
                  { "benign", LABEL_BENIGN },
                  { "ignore", LABEL_IGNORE } };
    bool has_any = false;
    int rc = 0;

    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && rc == 0; i++) {
        const json_t *list = json_object_get(root, lists[i].key);
        has_any |= json_is_array(list);
        rc = take_array(r, list, kind_ids[lists[i].kind]);
    }
    r->at = 0;
    if (rc == 0 && !has_any)
        rc = wrong(r, "%s",
                   say("there are neither \"labels\" nor \"events\", \"faults\", \"benign\" or "
                       "\"ignore\". Of a file of many scenarios, give the object of one.",
                       "既无 \"labels\"，也无 \"events\"、\"faults\"、\"benign\" 或 "
                       "\"ignore\"。含多个场景的文件请只给出其中一个对象。"));
    return rc;
}

static int read_json(struct reading *r, FILE *in)
{
    json_error_t error;
    json_t *root = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
    int rc;

    r->unit_en = "line";
    r->unit_zh = "行";
    if (!root) {
        r->at = error.line > 0 ? (uint64_t)error.line : 1;
        return wrong(r, say("it is no JSON: %.120s.", "不是 JSON：%.120s。"), error.text);
    }
    r->unit_en = "label";
    r->unit_zh = "标注";
    if (json_is_array(root))
        rc = take_array(r, root, NULL);
    else if (json_is_array(json_object_get(root, "labels")))
        rc = take_array(r, json_object_get(root, "labels"), NULL);
    else
        rc = take_scenario(r, root);
    json_decref(root);
    return rc;
}

/* ---- */

static int by_start(const void *a, const void *b)
{
    const struct backtest_label *x = a, *y = b;

    return (x->start_ms > y->start_ms) - (x->start_ms < y->start_ms);
}

static bool is_json(FILE *in)
{
    int c = fgetc(in);

    while (c == ' ' || c == '\n' || c == '\r' || c == '\t')
        c = fgetc(in);
    rewind(in);
    return c == '{' || c == '[';
}

int backtest_labels_read(const char *path, struct backtest_labels *ret)
{
    struct reading r = { .path = path, .labels = ret };
    FILE *in = fopen(path, "r");

    *ret = (struct backtest_labels){ 0 };
    if (!in)
        return wrong(&r, "%s", strerror(errno));
    const int rc = is_json(in) ? read_json(&r, in) : read_table(&r, in);
    fclose(in);
    if (rc < 0) {
        backtest_labels_done(ret);
        return rc;
    }
    if (ret->n)
        qsort(ret->items, ret->n, sizeof *ret->items, by_start);
    return 0;
}

void backtest_labels_done(struct backtest_labels *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->items[i].rule);
        free(l->items[i].channel);
        free(l->items[i].name);
    }
    free(l->items);
    *l = (struct backtest_labels){ 0 };
}
