/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/control/control.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/live/live_json.h"

enum {
    CLIENTS_MAX = 16,
    LINE_MAX_SIZE = 8192, /* of a request: a command with its values */
    OUT_MAX = 4 << 20,    /* bytes waiting for one client: 1,000 devices fit twice */
    FOLLOW_MS = 250,
    FOLLOW_SAMPLES_MAX = 4000, /* in one turn; the others come in the next */
    LISTEN_BACKLOG = 16,
    ANSWER_MAX = 512,
};

/* Whoever answers requests of one word followed by a JSON object. */
struct taker {
    const char *word;
    control_command *take;
    void *user;
};

struct client {
    uv_pipe_t pipe;
    struct control *control; /* NULL: being closed */
    uint64_t ticket;
    char line[LINE_MAX_SIZE];
    size_t line_size;
    bool is_following, is_watching;
    uint64_t samples_seen, events_seen, overview_seen;
};

struct control {
    uv_pipe_t server;
    uv_timer_t timer;
    unsigned handles; /* open ones of the two above */
    struct live *live;
    control_reload *reload;
    void *user;
    struct taker takers[CONTROL_TAKERS_MAX];
    size_t takers_n;
    uint64_t ticket; /* of the newest client */
    control_watch *watch;
    void *watch_user;
    struct buf frames; /* since the last turn of the timer */
    uint64_t dropped;
    bool is_watched; /* by one client at least */
    struct client *clients[CLIENTS_MAX];
    struct sample *samples; /* FOLLOW_SAMPLES_MAX */
    bool is_stopping;
};

struct outgoing {
    uv_write_t request;
    char *data;
};

/* ---- clients ---- */

static void free_client(uv_handle_t *handle)
{
    free(handle->data);
}

static void look_for_watchers(struct control *c)
{
    bool is_watched = false;

    for (size_t i = 0; i < CLIENTS_MAX; i++)
        is_watched |= c->clients[i] && c->clients[i]->is_watching;
    if (is_watched == c->is_watched)
        return;
    c->is_watched = is_watched;
    buf_clear(&c->frames);
    c->dropped = 0;
    if (c->watch)
        c->watch(c->watch_user, is_watched);
}

static void drop(struct client *cl)
{
    struct control *c = cl->control;

    if (!c)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (c->clients[i] == cl)
            c->clients[i] = NULL;
    cl->control = NULL;
    uv_close((uv_handle_t *)&cl->pipe, free_client);
    look_for_watchers(c);
}

static void on_written(uv_write_t *request, int status)
{
    struct outgoing *o = (struct outgoing *)request;
    struct client *cl = request->handle->data;

    free(o->data);
    free(o);
    if (status < 0)
        drop(cl);
}

/* Takes the buffer's bytes over. A client whose output piles up is dropped. */
static void send_buf(struct client *cl, struct buf *b)
{
    uv_stream_t *stream = (uv_stream_t *)&cl->pipe;
    size_t waiting = uv_stream_get_write_queue_size(stream);

    if (b->size == 0 && !b->has_failed) {
        buf_done(b);
        return;
    }
    struct outgoing *o = malloc(sizeof *o);
    if (!o || b->has_failed || waiting > OUT_MAX - b->size) {
        free(o);
        buf_done(b);
        drop(cl);
        return;
    }
    o->data = b->data;
    uv_buf_t data = uv_buf_init(b->data, (unsigned)b->size);
    if (uv_write(&o->request, stream, &data, 1, on_written)) {
        free(o->data);
        free(o);
        drop(cl);
    }
}

static void send_answer(struct client *cl, bool is_ok, const char *text)
{
    struct buf b = BUF_INIT(OUT_MAX);

    buf_printf(&b, "{\"ok\":%s,\"text\":", is_ok ? "true" : "false");
    buf_json(&b, text);
    buf_puts(&b, "}\n");
    send_buf(cl, &b);
}

/* ---- following ---- */

static void put_event(void *user, const char *json)
{
    buf_printf(user, "{\"event\":%s}\n", json);
}

static void put_samples(struct buf *b, struct control *c, struct client *cl)
{
    const struct channel_table *table = live_channels(c->live);
    size_t n = live_samples(c->live, cl->samples_seen, c->samples, FOLLOW_SAMPLES_MAX,
                            &cl->samples_seen);

    for (size_t i = 0; i < n; i++) {
        buf_puts(b, "{\"sample\":");
        live_json_sample(b, &table->channels[c->samples[i].channel], &c->samples[i], LIVE_FULL);
        buf_puts(b, "}\n");
    }
}

/* A station without indices where nobody works has nothing to say. */
static void put_overview(struct buf *b, struct control *c, struct client *cl)
{
    struct live_versions now;

    live_versions_get(c->live, &now);
    if (now.overview == cl->overview_seen)
        return;
    cl->overview_seen = now.overview;
    buf_puts(b, "{\"overview\":{\"indices\":");
    live_json_indices(b, c->live);
    buf_puts(b, ",\"maintenance\":");
    live_json_maintenances(b, c->live);
    buf_puts(b, "}}\n");
}

static void follow(struct control *c, struct client *cl)
{
    struct buf b = BUF_INIT(OUT_MAX);

    put_samples(&b, c, cl);
    put_overview(&b, c, cl);
    cl->events_seen = live_events(c->live, cl->events_seen, put_event, &b);
    send_buf(cl, &b);
}

/* ---- frames ---- */

void control_on_watch(struct control *c, control_watch *watch, void *user)
{
    if (!c)
        return;
    c->watch = watch;
    c->watch_user = user;
}

bool control_is_watched(const struct control *c)
{
    return c && c->is_watched;
}

static void put_hex(struct buf *b, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < n; i++) {
        const char text[3] = { ' ', digits[bytes[i] >> 4], digits[bytes[i] & 15] };
        buf_put(b, text + (i == 0), sizeof text - (i == 0));
    }
}

void control_put_frame(struct control *c, const struct control_frame *f)
{
    char time[TIME_TEXT_MAX];

    if (!control_is_watched(c))
        return;
    struct buf *b = &c->frames;
    size_t before = b->size;
    time_print_utc(f->time_ms, time);
    buf_printf(b, "{\"frame\":{\"time\":\"%s\",\"bus\":", time);
    buf_json(b, f->bus);
    buf_puts(b, ",\"device\":");
    buf_json(b, f->device);
    buf_printf(b,
               ",\"unit\":%u,\"framing\":\"%s\",\"fate\":\"%s\",\"since_us\":%lld,\"hex\":\"",
               f->unit, f->framing, f->fate, (long long)f->since_us);
    put_hex(b, f->bytes, f->n);
    buf_puts(b, "\"}}\n");
    if (!b->has_failed)
        return;
    b->has_failed = false; /* the line goes whole, or not at all */
    b->size = before;
    c->dropped++;
}

static void send_frames(struct control *c, struct client *cl)
{
    struct buf b = BUF_INIT(OUT_MAX);

    if (c->frames.size)
        buf_put(&b, c->frames.data, c->frames.size);
    if (c->dropped)
        buf_printf(&b, "{\"dropped\":%llu}\n", (unsigned long long)c->dropped);
    send_buf(cl, &b);
}

static void on_timer(uv_timer_t *timer)
{
    struct control *c = timer->data;
    bool has_followers = false;

    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *cl = c->clients[i];
        if (cl && cl->is_following && c->live)
            follow(c, cl);
        if (cl && cl->control && cl->is_watching)
            send_frames(c, cl);
        has_followers |= c->clients[i] && (cl->is_following || cl->is_watching);
    }
    buf_clear(&c->frames);
    c->dropped = 0;
    if (!has_followers)
        uv_timer_stop(timer);
}

/* ---- requests ---- */

static void serve_status(struct control *c, struct client *cl)
{
    struct buf b = BUF_INIT(OUT_MAX);

    if (!c->live) {
        send_answer(cl, false, "The configuration is being reloaded, ask again.");
        return;
    }
    if (live_json_now(&b, c->live, LIVE_BRIEF))
        b.has_failed = true;
    buf_puts(&b, "\n");
    send_buf(cl, &b);
}

static void start_timer(struct control *c)
{
    if (!uv_is_active((uv_handle_t *)&c->timer))
        uv_timer_start(&c->timer, on_timer, 0, FOLLOW_MS);
}

static void serve_tail(struct control *c, struct client *cl)
{
    cl->is_following = true;
    cl->events_seen = c->live ? live_events_last(c->live) : 0;
    start_timer(c);
}

static void serve_frames(struct control *c, struct client *cl)
{
    cl->is_watching = true;
    look_for_watchers(c);
    start_timer(c);
}

static void serve_reload(struct control *c, struct client *cl)
{
    char answer[ANSWER_MAX] = "";

    if (!c->reload) {
        send_answer(cl, false, "This daemon does not reload.");
        return;
    }
    int err = c->reload(c->user, answer, sizeof answer);
    send_answer(cl, err == 0, answer);
}

/* Who is at the other end, as the kernel says. */
static void put_who(const struct client *cl, char *who, size_t size)
{
    struct ucred peer;
    socklen_t n = sizeof peer;
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)&cl->pipe, &fd) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0)
        snprintf(who, size, "uid %u", (unsigned)peer.uid);
    else
        snprintf(who, size, "unknown");
}

/* "command {...}"; false: nobody takes such a word. */
static bool is_taken(struct control *c, const struct client *cl, const char *line)
{
    char who[32];

    for (size_t i = 0; i < c->takers_n; i++) {
        const struct taker *t = &c->takers[i];
        const size_t n = strlen(t->word);
        if (strncmp(line, t->word, n) != 0 || line[n] != ' ')
            continue;
        put_who(cl, who, sizeof who);
        t->take(t->user, cl->ticket, line + n + 1, who);
        return true;
    }
    return false;
}

static const struct {
    const char *word;
    void (*serve)(struct control *c, struct client *cl);
} requests[] = { { "status", serve_status },
                 { "tail", serve_tail },
                 { "frames", serve_frames },
                 { "reload", serve_reload } };

static void serve_line(struct client *cl, char *line)
{
    struct control *c = cl->control;

    line[strcspn(line, "\r")] = '\0';
    if (is_taken(c, cl, line))
        return;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (strcmp(line, requests[i].word) == 0) {
            requests[i].serve(c, cl);
            return;
        }
    }
    send_answer(cl, false,
                "Unknown request; known are status, tail, frames, reload, command, "
                "calibrate, maint, alert.");
}

static void give_line(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct client *cl = handle->data;

    (void)suggested;
    *ret = uv_buf_init(cl->line + cl->line_size, (unsigned)(LINE_MAX_SIZE - cl->line_size));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *data)
{
    struct client *cl = stream->data;
    char *end;

    (void)data;
    if (n < 0) {
        drop(cl);
        return;
    }
    cl->line_size += (size_t)n;
    while (cl->control && (end = memchr(cl->line, '\n', cl->line_size))) {
        *end = '\0';
        serve_line(cl, cl->line);
        cl->line_size -= (size_t)(end + 1 - cl->line);
        memmove(cl->line, end + 1, cl->line_size);
    }
    if (cl->line_size == LINE_MAX_SIZE)
        drop(cl);
}

static struct client **free_place(struct control *c)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (!c->clients[i])
            return &c->clients[i];
    return NULL;
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control *c = server->data;
    struct client *cl = status == 0 ? calloc(1, sizeof *cl) : NULL;

    if (!cl)
        return;
    if (uv_pipe_init(server->loop, &cl->pipe, 0)) {
        free(cl);
        return;
    }
    cl->pipe.data = cl;
    int err = uv_accept(server, (uv_stream_t *)&cl->pipe);
    struct client **place = free_place(c);
    if (err || !place || uv_read_start((uv_stream_t *)&cl->pipe, give_line, on_read)) {
        uv_close((uv_handle_t *)&cl->pipe, free_client);
        return;
    }
    cl->control = c;
    cl->ticket = ++c->ticket;
    *place = cl;
}

/* ---- start and stop ---- */

static int address_of(const char *path, struct sockaddr_un *ret)
{
    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (!*path)
        return -EINVAL;
    if (strlen(path) >= sizeof ret->sun_path)
        return -ENAMETOOLONG;
    memcpy(ret->sun_path, path, strlen(path) + 1);
    return 0;
}

/* 0 when nobody answers at the address. */
static int probe(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    int err = connect(fd, (const struct sockaddr *)address, sizeof *address) ? errno : 0;
    close(fd);
    return err == ECONNREFUSED || err == ENOENT ? 0 : -EADDRINUSE;
}

static int make_room(const char *path)
{
    struct sockaddr_un address;
    struct stat st;

    int err = address_of(path, &address);
    if (err)
        return err;
    if (lstat(path, &st))
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    err = probe(&address);
    if (err)
        return err;
    return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* Nobody can connect before the mode is set: the socket does not listen yet. */
static int listen_at(struct control *c, const char *path)
{
    int err = make_room(path);

    if (!err)
        err = uv_pipe_bind(&c->server, path);
    if (!err && chmod(path, 0660))
        err = -errno;
    if (!err)
        err = uv_listen((uv_stream_t *)&c->server, LISTEN_BACKLOG, on_connection);
    return err;
}

static void on_closed(uv_handle_t *handle)
{
    struct control *c = handle->data;

    if (--c->handles == 0) {
        buf_done(&c->frames);
        free(c->samples);
        free(c);
    }
}

int control_start(uv_loop_t *loop, const char *path, struct live *live, control_reload *reload,
                  void *user, struct control **ret)
{
    struct control *c = calloc(1, sizeof *c);

    if (!c)
        return -ENOMEM;
    c->samples = calloc(FOLLOW_SAMPLES_MAX, sizeof *c->samples);
    if (!c->samples || uv_pipe_init(loop, &c->server, 0)) {
        free(c->samples);
        free(c);
        return -ENOMEM;
    }
    uv_timer_init(loop, &c->timer);
    c->handles = 2;
    c->frames = BUF_INIT(CONTROL_FRAMES_MAX);
    c->server.data = c->timer.data = c;
    c->live = live;
    c->reload = reload;
    c->user = user;
    int err = listen_at(c, path);
    if (err) {
        control_stop(c);
        return err;
    }
    *ret = c;
    return 0;
}

void control_take(struct control *c, const char *word, control_command *take, void *user)
{
    if (!c)
        return;
    assert(c->takers_n < CONTROL_TAKERS_MAX);
    c->takers[c->takers_n++] = (struct taker){ word, take, user };
}

void control_answer(struct control *c, uint64_t ticket, const char *line)
{
    struct buf b = BUF_INIT(OUT_MAX);

    for (size_t i = 0; c && i < CLIENTS_MAX; i++) {
        if (!c->clients[i] || c->clients[i]->ticket != ticket)
            continue;
        buf_puts(&b, line);
        buf_puts(&b, "\n");
        send_buf(c->clients[i], &b);
        return;
    }
}

void control_set_live(struct control *c, struct live *live)
{
    if (!c)
        return;
    c->live = live;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *cl = c->clients[i];
        if (!cl)
            continue;
        cl->samples_seen = cl->overview_seen = 0;
        cl->events_seen = 0;
    }
}

void control_stop(struct control *c)
{
    if (!c || c->is_stopping)
        return;
    c->is_stopping = true;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (c->clients[i])
            drop(c->clients[i]);
    uv_close((uv_handle_t *)&c->timer, on_closed);
    uv_close((uv_handle_t *)&c->server, on_closed);
}
