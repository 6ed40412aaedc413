/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener - the thread of a feed: holds the connection to the broker, fetches what was missed,
 * parses, and publishes commands. What it has to say goes into a bounded queue of notes; when
 * nobody takes them, it stops taking messages, and the link's inbox is the next bound.
 */
#pragma once

#include <stdatomic.h>

#include "gateway/base/queue.h"
#include "gateway/lns/command.h"
#include "gateway/lns/feed.h"

#define LISTENER_CONNECTED "Connected." /* the state without trouble */

enum { LISTENER_NOTES_MAX = 256, LISTENER_COMMANDS_MAX = 16 };

enum listener_note_kind {
    LISTENER_MESSAGE,
    LISTENER_STATE,
    LISTENER_BAD, /* a message that is none; text says why */
    LISTENER_ENDED,
};

struct listener_note {
    enum listener_note_kind kind;
    bool is_up;
    struct feed_message message; /* object: the taker's */
    char text[FEED_TEXT_MAX];
};

struct listener_command {
    uint64_t dev_eui;
    char id[FEED_NAME_MAX]; /* "": nobody asks */
    char topic[FEED_TOPIC_MAX];
    char json[FEED_COMMAND_MAX];
    size_t n;
};

struct listener_options {
    const struct feed_conf *conf; /* outlives the listener */
    const struct clock *clock;
    int64_t since_ms;
    void (*wake)(void *user); /* there are notes; from the thread */
    void *user;
};

struct listener;

/* Begins to connect. 0, -ENOMEM, -EINVAL. */
int listener_create(const struct listener_options *o, struct listener **ret);
/* Asks the thread to end; the last note is LISTENER_ENDED. Any thread. */
void listener_stop(struct listener *l);
/* Waits for the thread; at once after LISTENER_ENDED. */
void listener_destroy(struct listener *l);

/* The next note, without waiting. */
bool listener_take(struct listener *l, struct listener_note *ret);
/* 0 or -EAGAIN. */
int listener_send(struct listener *l, const struct listener_command *c);
uint64_t listener_dropped(const struct listener *l);
