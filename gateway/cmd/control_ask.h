/* SPDX-License-Identifier: Apache-2.0 */
/* control_ask - one request in JSON to the running gateway, one object back. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct control_ask {
    const char *word;    /* "calibrate": of the request, and of the command in messages */
    const char *control; /* socket as given; NULL: the usual one */
    bool is_json;        /* the answer is printed as it came */
    int wait_ms;
};

/*
 * Takes `request` over. Returns an exit status, with *ret_answer (json_decref it) when it is
 * EXIT_DONE and nothing was printed yet, else NULL. A refusal was told, in the user's language.
 */
int control_ask(const struct control_ask *a, json_t *request, json_t **ret_answer);

/* What is wrong with the command line, told in the user's language. Returns EXIT_USAGE. */
int control_wrong(const char *command, const char *en, const char *zh);

/* request.KEY in milliseconds of a text such as "90s", nothing for NULL. 0, or -EINVAL: it is
 * no duration. */
int control_put_duration(json_t *request, const char *key, const char *text);

/* The text of an event, a member's text ...; "" without one. */
const char *control_text(const json_t *object, const char *key);
/* object.text in the user's language. */
const char *control_sentence(const json_t *object);
