/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cmd/csv_line.h"
#include "gateway/cmd/export_time.h"
#include "gateway/cmd/rules_explain.h"
#include "gateway/store/reader.h"

enum { ERROR_MAX = 320 };

struct search {
    const char *alert;
    int64_t no; /* what was asked for as a number; 0: as a key */
    struct explained *found;
    size_t others; /* further alerts whose key begins so */
    char other[BOOK_KEY_MAX];
    int64_t raises; /* of a file */
    bool is_newest_first;
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

static int64_t time_of(const json_t *o, const char *key)
{
    int64_t ms = 0;

    return export_time_parse(text_of(o, key), 0, &ms) == 0 ? ms : 0;
}

static bool is_transition(const json_t *o, const char *what)
{
    return strcmp(text_of(o, "transition"), what) == 0;
}

static int64_t no_of(const struct search *s, const json_t *o)
{
    return s->is_newest_first ? json_integer_value(json_object_get(o, "no")) : s->raises;
}

static bool is_asked_for(const struct search *s, const json_t *o, const char *key)
{
    if (s->no > 0)
        return no_of(s, o) == s->no;
    return strncmp(key, s->alert, strlen(s->alert)) == 0;
}

static void begin(struct search *s, const json_t *o, const char *key)
{
    struct explained *f = s->found;

    snprintf(f->key, sizeof f->key, "%s", key);
    snprintf(f->rule, sizeof f->rule, "%s", text_of(o, "rule"));
    snprintf(f->channel, sizeof f->channel, "%s", text_of(o, "channel"));
    f->raised_ms = time_of(o, "raised");
    f->no = no_of(s, o);
}

/* An event of an alert: transitions of the rule alone have a rule and a time of raise. */
static void take_event(struct search *s, const json_t *o)
{
    struct explained *f = s->found;
    const char *key = text_of(o, "key");

    if (!*key || !*text_of(o, "rule") || !*text_of(o, "channel") || !time_of(o, "raised"))
        return;
    s->raises += is_transition(o, "raised");
    const bool is_it = f->key[0] && strcmp(f->key, key) == 0;
    if (!is_it && !is_asked_for(s, o, key))
        return;
    if (!f->key[0])
        begin(s, o, key);
    else if (!is_it && strcmp(s->other, key) != 0 && s->no == 0) {
        s->others++;
        snprintf(s->other, sizeof s->other, "%s", key);
    }
    if (strcmp(f->key, key) != 0)
        return;
    if (is_transition(o, "cleared") && !f->cleared_ms)
        f->cleared_ms = time_of(o, "time");
    if (*text_of(o, "version"))
        snprintf(f->version, sizeof f->version, "%s", text_of(o, "version"));
}

/* ---- a log ---- */

static bool on_entry(void *user, const struct store_entry *e)
{
    json_t *o = json_loadb(e->data, e->size, 0, NULL);

    if (o)
        take_event(user, o);
    json_decref(o);
    return true;
}

static int search_log(struct search *s, const char *path)
{
    struct store_reader *reader = NULL;
    char error[ERROR_MAX] = "";
    int rc = access(path, R_OK) == 0
                 ? store_reader_open_file(path, &reader, error, sizeof error)
                 : -errno;

    if (rc == 0)
        rc = store_read_events(reader, "alert", UINT_MAX, on_entry, s);
    store_reader_close(reader);
    if (rc == 0)
        return EXIT_DONE;
    fprintf(stderr,
            say("sluice rules: the log %s cannot be read: %s\n",
                "sluice rules：无法读取日志 %s：%s\n"),
            path, *error ? error : strerror(-rc));
    return EXIT_USAGE;
}

/* ---- a replay ---- */

static int search_lines(struct search *s, FILE *in, const char *path)
{
    char *text = NULL;
    size_t cap = 0;
    uint64_t line = 0;
    ssize_t n;

    while ((n = csv_line_read(in, &text, &cap, &line)) >= 0) {
        json_t *o = json_loadb(text, (size_t)n, 0, NULL);
        if (!o) {
            n = -EINVAL;
            break;
        }
        take_event(s, o);
        json_decref(o);
    }
    free(text);
    if (n == -ENODATA)
        return EXIT_DONE;
    fprintf(stderr,
            say("sluice rules: %s: line %llu is no event.\n",
                "sluice rules：%s：第 %llu 行不是事件。\n"),
            path, (unsigned long long)line);
    return EXIT_USAGE;
}

static int search_replay(struct search *s, const char *folder)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/alerts.json", folder);
    FILE *in = fopen(path, "r");
    if (!in) {
        fprintf(stderr, "sluice rules: %s: %s\n", path, strerror(errno));
        return EXIT_USAGE;
    }
    const int status = search_lines(s, in, path);
    fclose(in);
    return status;
}

/* ---- */

static int64_t number_of(const char *text)
{
    char *end;
    const long long n = strtoll(text, &end, 10);

    return *text && *end == '\0' && n > 0 ? n : 0;
}

int explain_find(const char *log, const char *replay, const char *alert, struct explained *ret)
{
    struct explained found = { 0 };
    struct search s = {
        .alert = alert, .no = number_of(alert), .found = &found, .is_newest_first = !replay
    };
    const int status = replay ? search_replay(&s, replay) : search_log(&s, log);

    if (status != EXIT_DONE)
        return status;
    if (!found.key[0]) {
        fprintf(stderr,
                say("sluice rules: there is no alert '%s' in %s. `sluice alert list --all` "
                    "shows those of a running station.\n",
                    "sluice rules：没有警报“%s”（%s）。`sluice alert list --all` "
                    "可列出运行中站点的警报。\n"),
                alert, replay ? replay : log);
        return EXIT_FOUND;
    }
    if (s.others && strcmp(found.key, alert) != 0)
        fprintf(stderr,
                say("sluice rules: %zu other alerts begin with '%s', such as %s; this is %s.\n",
                    "sluice rules：另有 %zu 条警报以“%s”开头，例如 %s；以下为 %s。\n"),
                s.others, alert, s.other, found.key);
    *ret = found;
    return EXIT_DONE;
}
