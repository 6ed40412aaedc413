/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/control_ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/conf/value.h"
#include "gateway/control/client.h"

const char *control_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

const char *control_sentence(const json_t *object)
{
    const json_t *text = json_object_get(object, "text");

    return json_is_string(text) ? json_string_value(text) : control_text(text, cmd_lang());
}

int control_wrong(const char *command, const char *en, const char *zh)
{
    fprintf(stderr, "sluice %s: %s\n", command, say(en, zh));
    return EXIT_USAGE;
}

int control_put_duration(json_t *request, const char *key, const char *text)
{
    int64_t ms = 0;

    if (!text)
        return 0;
    if (value_parse_duration(text, &ms) < 0)
        return -EINVAL;
    json_object_set_new(request, key, json_integer(ms));
    return 0;
}

static int fail(const struct control_ask *a, int status, const char *sentence)
{
    fprintf(stderr, "sluice %s: %s\n", a->word, sentence);
    return status;
}

static int take(const struct control_ask *a, const char *line, json_t **ret_answer)
{
    json_t *root = json_loads(line, 0, NULL);
    const bool is_ok = json_is_true(json_object_get(root, "ok"));
    const char *said = control_sentence(root);
    int status = is_ok                                          ? EXIT_DONE
                 : json_is_true(json_object_get(root, "usage")) ? EXIT_USAGE
                                                                : EXIT_FOUND;

    if (a->is_json)
        puts(line);
    else if (!is_ok)
        fail(a, status,
             *said ? said
                   : say("The daemon's answer is not understood.", "无法理解守护进程的回答。"));
    if (is_ok && !a->is_json)
        *ret_answer = json_incref(root);
    json_decref(root);
    return status;
}

static int ask(const struct control_ask *a, const char *request, json_t **ret_answer)
{
    struct control_client *client;
    char error[256];
    int err = 0;

    if (control_client_open(control_path(a->control), request, &client, error, sizeof error))
        return fail(a, EXIT_FOUND, error);
    const char *line = control_client_line(client, a->wait_ms, &err);
    int status = line ? take(a, line, ret_answer)
                      : fail(a, EXIT_FOUND,
                             say("The daemon gave no answer; what became of it is among its "
                                 "events.",
                                 "守护进程没有回答，结果请查看日志事件。"));
    control_client_close(client);
    return status;
}

int control_ask(const struct control_ask *a, json_t *request, json_t **ret_answer)
{
    char *text = json_dumps(request, JSON_COMPACT);
    const size_t size = text ? strlen(a->word) + strlen(text) + 2 : 0;
    char *line = text ? malloc(size) : NULL;

    *ret_answer = NULL;
    json_decref(request);
    if (!line) {
        free(text);
        return fail(a, EXIT_FOUND, "Out of memory.");
    }
    snprintf(line, size, "%s %s", a->word, text);
    int status = ask(a, line, ret_answer);
    free(line);
    free(text);
    return status;
}
