/* SPDX-License-Identifier: Apache-2.0 */
/* http_post and the uplink `influx` against a scripted server on the loopback. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "gateway/uplink/http_post.h"
#include "gateway/uplink/uplink.h"

#include "http_script.h"

enum { REQUEST_MAX = 1 << 20 };

#define OK_204 "HTTP/1.1 204 No Content\r\n\r\n"

struct server {
    int listener;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock;       /* of all below */
    const char *answer;         /* NULL: closes without one */
    struct http_post *to_stop;  /* stopped when a request has come, instead of an answer */
    bool is_endless;            /* goes on answering until the other end closes */
    char arriving[REQUEST_MAX]; /* the server's own */
    char request[REQUEST_MAX];  /* the last one, head and body */
    char body[REQUEST_MAX];     /* uncompressed */
    size_t requests;            /* with a body */
};

struct script {
    const char *answer;
    struct http_post *to_stop;
    bool is_endless;
};

/* Keeps the request for the test and takes what it wants said. What is to stop is stopped under
 * the lock: once the test has settled, it may be destroyed. */
static struct script keep_request(struct server *s, size_t head, size_t n)
{
    pthread_mutex_lock(&s->lock);
    s->requests += n > head;
    memcpy(s->request, s->arriving, n + 1);
    memset(s->body, 0, sizeof s->body);
    if (strcasestr(s->request, "Content-Encoding: gzip")) {
        z_stream z = { .next_in = (Bytef *)s->arriving + head, .avail_in = (uInt)(n - head) };
        z.next_out = (Bytef *)s->body;
        z.avail_out = sizeof s->body - 1;
        assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        inflateEnd(&z);
    } else {
        memcpy(s->body, s->request + head, n - head);
    }
    struct script script = { s->answer, s->to_stop, s->is_endless };
    if (script.to_stop)
        http_post_stop(script.to_stop);
    pthread_mutex_unlock(&s->lock);
    return script;
}

static void answer(const struct script *script, int fd)
{
    static const char more[4096];
    char byte;

    while (script->to_stop && read(fd, &byte, 1) > 0)
        ;
    if (script->answer)
        send(fd, script->answer, strlen(script->answer), MSG_NOSIGNAL);
    while (script->is_endless && send(fd, more, sizeof more, MSG_NOSIGNAL) > 0)
        ;
}

static void *serve(void *user)
{
    struct server *s = user;

    for (int fd; (fd = accept(s->listener, NULL, NULL)) >= 0; close(fd)) {
        size_t head = 0, n;
        while ((n = script_read(fd, s->arriving, sizeof s->arriving, &head)) > 0) {
            struct script script = keep_request(s, head, n);
            answer(&script, fd);
            if (!script.answer || script.is_endless)
                break;
        }
    }
    return NULL;
}

static int set_up(void **state)
{
    struct server *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->listener = script_listen(&s->port);
    s->answer = OK_204;
    pthread_mutex_init(&s->lock, NULL);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct server *s = *state;

    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return 0;
}

static void will_answer(struct server *s, const char *text)
{
    pthread_mutex_lock(&s->lock);
    s->answer = text;
    pthread_mutex_unlock(&s->lock);
}

/* What the server kept may be read from here on: nothing is under way. */
static void settle(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    pthread_mutex_unlock(&s->lock);
}

static struct http_post *open_post(const struct server *s)
{
    char url[128];
    struct http_post *p = NULL;

    snprintf(url, sizeof url, "http://127.0.0.1:%u/write?precision=ms", s->port);
    assert_int_equal(
        http_post_create(&(struct http_post_options){ .url = url, .timeout_ms = 20000 }, &p),
        0);
    return p;
}

static enum uplink_verdict post(struct http_post *p, const void *body, size_t size,
                                struct uplink_report *why)
{
    return http_post_request(
        p, &(struct http_post_request){ .body = body, .size = size, .type = HTTP_POST_LINES },
        why);
}

static enum uplink_verdict post_once(const struct server *s, struct uplink_report *why)
{
    struct http_post *p = open_post(s);
    enum uplink_verdict v = post(p, "m v=1 1\n", 8, why);

    http_post_destroy(p);
    return v;
}

static void knows_what_every_answer_means(void **state)
{
    static const struct {
        const char *answer;
        enum uplink_verdict verdict;
    } cases[] = {
        { OK_204, UPLINK_DELIVERED },
        { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", UPLINK_DELIVERED },
        { "HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nbad", UPLINK_REFUSED },
        { "HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n", UPLINK_REFUSED },
        { "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n", UPLINK_REFUSED },
        { "HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", UPLINK_DENIED },
        { "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", UPLINK_DENIED },
        { "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", UPLINK_DENIED },
        { "HTTP/1.1 302 There\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
          UPLINK_DENIED },
        { "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", UPLINK_LATER },
        { "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", UPLINK_LATER },
        { "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", UPLINK_LATER },
        { "garbage\r\n\r\n", UPLINK_LATER },
        { NULL, UPLINK_LATER },
    };
    struct server *s = *state;
    struct uplink_report why;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        will_answer(s, cases[i].answer);
        assert_int_equal(post_once(s, &why), cases[i].verdict);
        assert_true(strlen(why.text) > 0);
    }
}

static void tells_what_the_server_said(void **state)
{
    struct server *s = *state;
    struct uplink_report why;

    will_answer(s,
                "HTTP/1.1 400 Bad\r\nContent-Length: 22\r\n\r\nunable\tto \033[31m parse\r\n");
    assert_int_equal(post_once(s, &why), UPLINK_REFUSED);
    assert_string_equal(why.text, "HTTP 400: unable to  [31m parse");
}

static void passes_on_how_long_to_wait(void **state)
{
    struct server *s = *state;
    struct uplink_report why;

    will_answer(s, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(post_once(s, &why), UPLINK_LATER);
    assert_int_equal(why.retry_after_ms, 7000);
    will_answer(s, "HTTP/1.1 503 Busy\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(post_once(s, &why), UPLINK_LATER);
    assert_int_equal(why.retry_after_ms, 3600000);
}

static void passes_on_until_when_to_wait(void **state)
{
    struct server *s = *state;
    struct uplink_report why;
    static char text[160]; /* the server's thread may read it to the end of the test */
    char when[64];
    time_t then = time(NULL) + 90;
    struct tm utc;

    assert_non_null(gmtime_r(&then, &utc));
    strftime(when, sizeof when, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    snprintf(text, sizeof text,
             "HTTP/1.1 429 Slow\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", when);
    will_answer(s, text);
    assert_int_equal(post_once(s, &why), UPLINK_LATER);
    assert_in_range(why.retry_after_ms, 80000, 90000);
}

static void does_not_read_an_endless_answer(void **state)
{
    struct server *s = *state;
    struct uplink_report why;

    will_answer(s, "HTTP/1.1 400 Bad\r\n\r\nbecause ");
    pthread_mutex_lock(&s->lock);
    s->is_endless = true;
    pthread_mutex_unlock(&s->lock);
    assert_int_equal(post_once(s, &why), UPLINK_REFUSED);
}

static void stops_in_the_middle_of_a_request(void **state)
{
    struct server *s = *state;
    struct http_post *p = open_post(s);
    struct uplink_report why;

    pthread_mutex_lock(&s->lock);
    s->to_stop = p;
    pthread_mutex_unlock(&s->lock);
    assert_int_equal(post(p, "m v=1 1\n", 8, &why), UPLINK_LATER);
    assert_int_equal(post(p, "m v=1 1\n", 8, &why), UPLINK_LATER);
    settle(s);
    http_post_destroy(p);
}

static void says_later_when_nobody_listens(void **state)
{
    struct server *s = *state;
    struct server nobody = { .port = s->port };
    struct uplink_report why;

    shutdown(s->listener, SHUT_RDWR);
    assert_int_equal(post_once(&nobody, &why), UPLINK_LATER);
    assert_non_null(strstr(why.text, "connect"));
}

static void keeps_one_connection_and_compresses_what_is_large(void **state)
{
    struct server *s = *state;
    struct http_post *p = open_post(s);
    struct uplink_report why;
    static char body[20000];

    for (size_t i = 0; i < sizeof body; i += 8)
        memcpy(body + i, "m v=1 1\n", 8);
    assert_int_equal(post(p, body, 8, &why), UPLINK_DELIVERED);
    settle(s);
    assert_null(strcasestr(s->request, "gzip"));
    assert_int_equal(post(p, body, sizeof body, &why), UPLINK_DELIVERED);
    settle(s);
    assert_non_null(strcasestr(s->request, "Content-Encoding: gzip"));
    assert_memory_equal(s->body, body, sizeof body);
    assert_int_equal(s->requests, 2);
    http_post_destroy(p);
}

static void refuses_credentials_that_would_split_the_header(void **state)
{
    struct http_post *p = NULL;

    (void)state;
    assert_int_equal(http_post_create(&(struct http_post_options){ .url = "http://127.0.0.1/",
                                                                   .token = "a\r\nHost: b" },
                                      &p),
                     -EINVAL);
}

static void makes_the_address_of_every_server(void **state)
{
    static const struct {
        const char *url;
        struct write_target t;
        const char *expected; /* NULL: refused */
    } cases[] = {
        { "http://h:8428", { NULL, NULL, NULL, NULL }, "http://h:8428/write?precision=ms" },
        { "http://h:8428/", { NULL, NULL, NULL, NULL }, "http://h:8428/write?precision=ms" },
        { "http://h", { "a b", "r", NULL, NULL }, "http://h/write?db=a%20b&rp=r&precision=ms" },
        { "https://h/",
          { NULL, NULL, "o", "b/c" },
          "https://h/api/v2/write?org=o&bucket=b%2Fc&precision=ms" },
        { "http://h/influx/write?db=x",
          { "y", NULL, NULL, NULL },
          "http://h/influx/write?db=x&precision=ms" },
        { "http://h/write?precision=ms",
          { NULL, NULL, NULL, NULL },
          "http://h/write?precision=ms" },
        { "http://h/write?precision=s", { NULL, NULL, NULL, NULL }, NULL },
        { "http://h/write?precision=msx", { NULL, NULL, NULL, NULL }, NULL },
        { "ftp://h", { NULL, NULL, NULL, NULL }, NULL },
        { "http://", { NULL, NULL, NULL, NULL }, NULL },
        { "http://h/a b", { NULL, NULL, NULL, NULL }, NULL },
        { "", { NULL, NULL, NULL, NULL }, NULL },
    };
    char why[160];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *url = http_post_write_url(cases[i].url, &cases[i].t, why, sizeof why);
        if (cases[i].expected) {
            assert_non_null(url);
            assert_string_equal(url, cases[i].expected);
        } else {
            assert_null(url);
        }
        free(url);
    }
}

/* ---- the uplink: options as the configuration would bind them ---- */

/* Binds texts by the kind's own table, so that the test does not know the struct. */
static void *options_of(const struct uplink_kind *kind, const char *url)
{
    char *o = calloc(1, kind->options_size);

    assert_non_null(o);
    for (const struct field *f = kind->options; f->name; f++)
        if (strcmp(f->name, "url") == 0)
            memcpy(o + f->offset, &url, sizeof url);
    return o;
}

static char *known_layout(void *user, uint32_t layout)
{
    (void)user;
    return layout == 1
               ? strdup("{\"channels\":[{\"id\":\"roof/ozone\",\"quantity\":\"ozone\"}]}")
               : NULL;
}

static enum uplink_verdict send_entry(struct server *s, const struct uplink_entry *e,
                                      struct uplink_report *why)
{
    const struct uplink_kind *kind = uplink_kind_find("influx");
    const struct uplink_station station = { .id = "riverside-01",
                                            .region = "demo",
                                            .layout_json = known_layout };
    struct uplink *u = NULL;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u", s->port);
    void *options = options_of(kind, url);
    assert_int_equal(kind->create(options, &station, &u), 0);
    enum uplink_verdict v = kind->send(u, &(struct uplink_batch){ e, 1 }, why);
    kind->destroy(u);
    free(options);
    settle(s);
    return v;
}

static void writes_frames_as_lines(void **state)
{
    struct server *s = *state;
    struct uplink_report why;
    const int64_t times[] = { 1763795370125, 1763795371125 };
    const struct series_cell cells[] = { { 412, 0, 1 }, { 413, 0, 1 } };
    struct series_frame frame = { .time_ms = times, .cells = cells };
    frame.info.rows = 2;
    frame.info.columns = 1;
    const struct uplink_entry e = { .seq = 9, .frame = &frame, .layout = 1 };

    assert_int_equal(send_entry(s, &e, &why), UPLINK_DELIVERED);
    assert_non_null(strstr(s->request, "POST /write?precision=ms HTTP/1.1"));
    assert_string_equal(s->body,
                        "ozone,dev=roof,station=riverside-01 v=41.2,f=0i 1763795370125\n"
                        "ozone,dev=roof,station=riverside-01 v=41.3,f=0i 1763795371125\n");
}

static void cuts_a_long_frame_into_requests(void **state)
{
    enum { ROWS = 12000 };
    struct server *s = *state;
    struct uplink_report why;
    static int64_t times[ROWS];
    static struct series_cell cells[ROWS];
    for (int i = 0; i < ROWS; i++)
        times[i] = 1763795370125 + i;
    struct series_frame frame = { .time_ms = times, .cells = cells };
    frame.info.rows = ROWS;
    frame.info.columns = 1;
    const struct uplink_entry e = { .seq = 9, .frame = &frame, .layout = 1 };

    assert_int_equal(send_entry(s, &e, &why), UPLINK_DELIVERED);
    assert_int_equal(s->requests, 3);
}

static void refuses_a_frame_whose_dictionary_is_not_known(void **state)
{
    struct server *s = *state;
    struct uplink_report why;
    const struct series_frame frame = { .time_ms = NULL };
    const struct uplink_entry e = { .seq = 9, .frame = &frame, .layout = 7 };

    assert_int_equal(send_entry(s, &e, &why), UPLINK_REFUSED);
    assert_string_equal(why.text, "The dictionary of layout 00000007 is not known.");
    assert_int_equal(s->requests, 0);
}

static void has_nothing_to_send_for_an_event_without_time(void **state)
{
    struct server *s = *state;
    struct uplink_report why;
    const struct uplink_entry e = {
        .seq = 1, .is_event = true, .data = (const uint8_t *)"{}", .size = 2
    };

    assert_int_equal(send_entry(s, &e, &why), UPLINK_DELIVERED);
    assert_int_equal(s->requests, 0);
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(knows_what_every_answer_means),
        SERVED(tells_what_the_server_said),
        SERVED(passes_on_how_long_to_wait),
        SERVED(passes_on_until_when_to_wait),
        SERVED(does_not_read_an_endless_answer),
        SERVED(stops_in_the_middle_of_a_request),
        SERVED(says_later_when_nobody_listens),
        SERVED(keeps_one_connection_and_compresses_what_is_large),
        cmocka_unit_test(refuses_credentials_that_would_split_the_header),
        cmocka_unit_test(makes_the_address_of_every_server),
        SERVED(writes_frames_as_lines),
        SERVED(cuts_a_long_frame_into_requests),
        SERVED(refuses_a_frame_whose_dictionary_is_not_known),
        SERVED(has_nothing_to_send_for_an_event_without_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
