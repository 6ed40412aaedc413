/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/codec_runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/cmd/cmd.h"

struct codec_runner {
    uv_loop_t loop;
    struct clock clock;
    struct codec_script script;
    struct codecs *codecs;
    struct codec_answer answer;
    struct buf json, message, log; /* what the answer points into */
    char *source;
    bool is_done;
};

/* free() it; NULL after telling why. */
static char *read_source(const char *path, size_t *ret_size)
{
    FILE *f = fopen(path, "re");
    char *text = malloc(CODEC_SOURCE_MAX + 1);
    size_t n = 0;

    if (f && text)
        n = fread(text, 1, CODEC_SOURCE_MAX + 1, f);
    const int err = !f || !text || ferror(f) ? errno : 0;
    if (f)
        fclose(f);
    if (err || n > CODEC_SOURCE_MAX) {
        if (err)
            fprintf(stderr, "sluice codec: %s: %s.\n", path, strerror(err));
        else
            fprintf(stderr,
                    say("sluice codec: %s: it is longer than %d KiB.\n",
                        "sluice codec：%s：超过 %d KiB。\n"),
                    path, CODEC_SOURCE_MAX >> 10);
        free(text);
        return NULL;
    }
    text[n] = '\0';
    *ret_size = n;
    return text;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

struct codec_runner *codec_runner_create(const char *path)
{
    struct codec_runner *r = calloc(1, sizeof *r);
    size_t size;

    if (!r || !(r->source = read_source(path, &size))) {
        free(r);
        return NULL;
    }
    clock_init(&r->clock, 1, 0);
    r->script = (struct codec_script){ base_name(path), r->source, size };
    r->json = BUF_INIT(2 * CODEC_RESULT_MAX);
    r->message = r->log = BUF_INIT(CODEC_RESULT_MAX);
    const struct codecs_options o = {
        .loop = &r->loop, .clock = &r->clock, .scripts = &r->script, .scripts_n = 1
    };
    uv_loop_init(&r->loop);
    const int err = codecs_create(&o, &r->codecs);
    if (err < 0) {
        fprintf(stderr, "sluice codec: %s.\n", strerror(-err));
        codec_runner_destroy(r);
        return NULL;
    }
    return r;
}

void codec_runner_destroy(struct codec_runner *r)
{
    if (!r)
        return;
    if (r->codecs)
        codecs_stop(r->codecs, NULL, NULL);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_loop_close(&r->loop);
    codecs_destroy(r->codecs);
    buf_done(&r->json);
    buf_done(&r->message);
    buf_done(&r->log);
    free(r->source);
    free(r);
}

static const char *keep(struct buf *b, const char *text)
{
    buf_clear(b);
    buf_puts(b, text ? text : "");
    return text ? buf_text(b) : NULL;
}

static void on_answer(void *user, const struct codec_answer *a)
{
    struct codec_runner *r = user;

    r->answer = *a;
    r->answer.json = keep(&r->json, a->json);
    r->answer.message = keep(&r->message, a->message);
    r->answer.log = keep(&r->log, a->log);
    r->is_done = true;
}

const struct codec_answer *codec_runner_call(struct codec_runner *r,
                                             const struct codec_input *in)
{
    r->is_done = false;
    r->answer = (struct codec_answer){ .outcome = CODEC_ERROR, .log = "" };
    const int err = codecs_run(r->codecs, 0, in, on_answer, r);
    if (err < 0)
        r->answer.message = keep(&r->message, strerror(-err));
    while (!err && !r->is_done)
        uv_run(&r->loop, UV_RUN_ONCE);
    return &r->answer;
}

const struct codec_script *codec_runner_script(const struct codec_runner *r)
{
    return &r->script;
}
