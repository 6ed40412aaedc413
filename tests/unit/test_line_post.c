/* SPDX-License-Identifier: Apache-2.0 */
/* line_post against a scripted server on the loopback: who gets what, and that nothing is sent
 * before it is known who answers. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/uplink/line_post.h"

#include "http_script.h"

enum { REQUEST_MAX = 64 << 10, TRACE_MAX = 4096 };

#define VICTORIA                "X-Server-Hostname: db1\r\n"
#define INFLUX                  "X-Influxdb-Build: OSS\r\nX-Influxdb-Version: 1.8.0\r\n"
#define ANSWER(status, headers) "HTTP/1.1 " status "\r\n" headers "Content-Length: 0\r\n\r\n"
#define OK(headers)             "HTTP/1.1 204 No Content\r\n" headers "\r\n"

static const char lines[] = "m,a=1 v=1 5\nm,a=1 v=2 6\n";
#define JSON \
    "{\"metric\":{\"__name__\":\"m_v\",\"a\":\"1\"},\"values\":[1,2],\"timestamps\":[5,6]}\n"

struct server {
    int listener, connection;
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    /* to GET /write, POST /api/v1/import without and with a body, GET /flags, POST /write;
     * NULL: closes without one */
    const char *who, *import, *json, *flags, *write;
    bool closes;           /* the connection behind each answer */
    char trace[TRACE_MAX]; /* "GET /write", "POST /write BODY", "(connect)", a line each */
};

static void note(struct server *s, const char *what, const char *body)
{
    size_t n = strlen(s->trace);

    snprintf(s->trace + n, sizeof s->trace - n, "%s%s%s\n", what, *body ? " " : "", body);
}

static const char *answer_of(struct server *s, const char *request, const char *body)
{
    char first[64];

    snprintf(first, sizeof first, "%.*s", (int)strcspn(strchr(request, ' ') + 1, " ?"),
             strchr(request, ' ') + 1);
    bool is_post = strncmp(request, "POST", 4) == 0;
    char what[80];
    snprintf(what, sizeof what, "%s %s", is_post ? "POST" : "GET", first);
    note(s, what, body);
    if (strcmp(first, "/flags") == 0)
        return s->flags;
    if (strstr(first, "/api/v1/import"))
        return *body ? s->json : s->import;
    return is_post ? s->write : s->who;
}

static void talk(struct server *s, int fd)
{
    static char text[REQUEST_MAX]; /* one connection at a time */
    size_t head = 0;

    pthread_mutex_lock(&s->lock);
    note(s, "(connect)", "");
    s->connection = fd;
    pthread_mutex_unlock(&s->lock);
    while (script_read(fd, text, sizeof text, &head) > 0) {
        pthread_mutex_lock(&s->lock);
        const char *answer = answer_of(s, text, text + head);
        bool closes = s->closes || !answer;
        pthread_mutex_unlock(&s->lock);
        if (answer)
            send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        if (closes)
            return;
    }
}

static void *serve(void *user)
{
    struct server *s = user;

    for (int fd; (fd = accept(s->listener, NULL, NULL)) >= 0;) {
        talk(s, fd);
        pthread_mutex_lock(&s->lock);
        s->connection = -1;
        close(fd);
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

static int set_up(void **state)
{
    struct server *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->listener = script_listen(&s->port);
    s->connection = -1;
    s->who = s->import = s->json = s->write = OK(VICTORIA);
    s->flags = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    pthread_mutex_init(&s->lock, NULL);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct server *s = *state;

    shutdown(s->listener, SHUT_RDWR);
    pthread_mutex_lock(&s->lock);
    if (s->connection >= 0) /* left open by a test that failed */
        shutdown(s->connection, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    close(s->listener);
    pthread_mutex_destroy(&s->lock);
    free(s);
    return 0;
}

static struct line_post *open_at(const struct server *s, const char *path,
                                 enum line_post_format format)
{
    struct line_post *p = NULL;
    char url[128];

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", s->port, path);
    assert_int_equal(
        line_post_create(
            &(struct line_post_options){
                .http = { .url = url, .timeout_ms = 20000 }, .format = format, .who = "test" },
            &p),
        0);
    return p;
}

static struct line_post *open_post(const struct server *s)
{
    return open_at(s, "/write?precision=ms", LINE_POST_AUTO);
}

static void assert_sends(struct server *s, struct line_post *p, enum uplink_verdict verdict,
                         const char *trace)
{
    struct uplink_report why;

    pthread_mutex_lock(&s->lock);
    s->trace[0] = '\0';
    pthread_mutex_unlock(&s->lock);
    assert_int_equal(line_post_send(p, lines, sizeof lines - 1, &why), verdict);
    pthread_mutex_lock(&s->lock);
    assert_string_equal(s->trace, trace);
    pthread_mutex_unlock(&s->lock);
}

static void writes_json_to_victoria_metrics(void **state)
{
    struct server *s = *state;
    struct line_post *p = open_post(s);

    assert_sends(s, p, UPLINK_DELIVERED,
                 "(connect)\nGET /write\nPOST /api/v1/import\nGET /flags\n"
                 "POST /api/v1/import " JSON "\n");
    assert_sends(s, p, UPLINK_DELIVERED, "POST /api/v1/import " JSON "\n");
    line_post_destroy(p);
}

static void knows_one_that_hides_its_host_by_its_version(void **state)
{
    struct server *s = *state;
    struct line_post *p = open_post(s);

    s->who = OK("X-Influxdb-Version: 1.8.0\r\n");
    assert_sends(s, p, UPLINK_DELIVERED,
                 "(connect)\nGET /write\nPOST /api/v1/import\nGET /flags\n"
                 "POST /api/v1/import " JSON "\n");
    line_post_destroy(p);
}

static void writes_lines_to_influxdb_and_to_strangers(void **state)
{
    static const char *const answers[] = {
        ANSWER("405 Method Not Allowed", INFLUX),
        ANSWER("404 Not Found", ""),
        ANSWER("501 Unsupported", "Server: other\r\n"),
        OK(""),
    };
    struct server *s = *state;

    s->write = OK("");
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct line_post *p = open_post(s);
        s->who = answers[i];
        assert_sends(s, p, UPLINK_DELIVERED,
                     "(connect)\nGET /write\nPOST /write m,a=1 v=1 5\nm,a=1 v=2 6\n\n");
        assert_sends(s, p, UPLINK_DELIVERED, "POST /write m,a=1 v=1 5\nm,a=1 v=2 6\n\n");
        line_post_destroy(p);
    }
}

static void sends_nothing_before_it_is_known_who_answers(void **state)
{
    static const char *const answers[] = {
        NULL,
        ANSWER("502 Bad Gateway", ""),
        ANSWER("503 Busy", VICTORIA "Retry-After: 3\r\n"),
        ANSWER("429 Slow", ""),
    };
    struct server *s = *state;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct line_post *p = open_post(s);
        struct uplink_report why;
        s->who = answers[i];
        s->trace[0] = '\0';
        assert_int_equal(line_post_send(p, lines, sizeof lines - 1, &why), UPLINK_LATER);
        assert_null(strstr(s->trace, "POST"));
        assert_true(strlen(why.text) > 0);
        assert_int_equal(why.retry_after_ms, i == 2 ? 3000 : 0);
        line_post_destroy(p);
    }
}

static void sends_nothing_when_the_import_is_not_there(void **state)
{
    static const char *const answers[] = { ANSWER("404 Not Found", ""),
                                           ANSWER("400 Bad Request", VICTORIA),
                                           ANSWER("401 Who", VICTORIA) };
    struct server *s = *state;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct line_post *p = open_post(s);
        s->import = answers[i];
        assert_sends(s, p, UPLINK_DENIED, "(connect)\nGET /write\nPOST /api/v1/import\n");
        line_post_destroy(p);
    }
    struct line_post *p = open_at(s, "/some/place", LINE_POST_AUTO);
    assert_sends(s, p, UPLINK_DENIED, "(connect)\nGET /some/place\n");
    line_post_destroy(p);
}

static void asks_again_on_a_new_connection(void **state)
{
    struct server *s = *state;
    struct line_post *p = open_post(s);

    s->who = ANSWER("405 Method Not Allowed", INFLUX);
    s->write = "HTTP/1.1 204 No Content\r\n" INFLUX "Connection: close\r\n\r\n";
    s->closes = false;
    assert_sends(s, p, UPLINK_DELIVERED,
                 "(connect)\nGET /write\nPOST /write m,a=1 v=1 5\nm,a=1 v=2 6\n\n");
    s->who = OK(VICTORIA); /* another server at this address */
    assert_sends(s, p, UPLINK_DELIVERED,
                 "(connect)\nGET /write\nPOST /api/v1/import\nGET /flags\n"
                 "POST /api/v1/import " JSON "\n");
    line_post_destroy(p);
}

static void goes_on_with_a_server_that_closes_after_each_answer(void **state)
{
    struct server *s = *state;
    struct line_post *p = open_post(s);

    s->closes = true;
    s->who = ANSWER("404 Not Found", "Connection: close\r\n");
    s->write = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    for (int i = 0; i < 3; i++)
        assert_sends(s, p, UPLINK_DELIVERED,
                     "(connect)\nGET /write\n(connect)\n"
                     "POST /write m,a=1 v=1 5\nm,a=1 v=2 6\n\n");
    line_post_destroy(p);
}

static void learns_from_the_answer_to_lines(void **state)
{
    struct server *s = *state;
    struct line_post *p = open_post(s);

    s->who = ANSWER("403 GET is not allowed here", ""); /* by a proxy */
    assert_sends(s, p, UPLINK_DELIVERED,
                 "(connect)\nGET /write\nPOST /write m,a=1 v=1 5\nm,a=1 v=2 6\n\n");
    assert_sends(s, p, UPLINK_DELIVERED,
                 "GET /write\nPOST /api/v1/import\nGET /flags\nPOST /api/v1/import " JSON "\n");
    line_post_destroy(p);
}

static void does_not_take_a_lost_import_for_a_word_on_the_lines(void **state)
{
    struct server *s = *state;
    struct line_post *p = open_post(s);
    struct uplink_report why;

    assert_int_equal(line_post_send(p, lines, sizeof lines - 1, &why), UPLINK_DELIVERED);
    s->json = ANSWER("400 Bad Request", VICTORIA);
    assert_sends(s, p, UPLINK_REFUSED,
                 "POST /api/v1/import " JSON "\nGET /write\nPOST /api/v1/import\n");
    s->import = s->json; /* the path leads nowhere any more */
    assert_sends(s, p, UPLINK_DENIED,
                 "POST /api/v1/import " JSON "\nGET /write\nPOST /api/v1/import\n");
    s->json = s->import = OK(VICTORIA);
    assert_sends(s, p, UPLINK_DELIVERED,
                 "GET /write\nPOST /api/v1/import\nPOST /api/v1/import " JSON "\n");
    s->json = ANSWER("404 Not Found", INFLUX); /* no longer VictoriaMetrics */
    s->who = ANSWER("405 Method Not Allowed", INFLUX);
    assert_sends(s, p, UPLINK_LATER, "POST /api/v1/import " JSON "\nGET /write\n");
    assert_sends(s, p, UPLINK_DELIVERED, "POST /write m,a=1 v=1 5\nm,a=1 v=2 6\n\n");
    line_post_destroy(p);
}

static void obeys_a_format_that_is_given(void **state)
{
    struct server *s = *state;
    struct line_post *p = open_at(s, "/write?precision=ms", LINE_POST_LINE);

    assert_sends(s, p, UPLINK_DELIVERED, "(connect)\nPOST /write m,a=1 v=1 5\nm,a=1 v=2 6\n\n");
    line_post_destroy(p);
    s->import = s->json = OK("");
    p = open_at(s, "/api/v1/import", LINE_POST_JSON);
    assert_sends(s, p, UPLINK_DELIVERED,
                 "(connect)\nPOST /api/v1/import\nGET /flags\nPOST /api/v1/import " JSON "\n");
    line_post_destroy(p);
    assert_int_equal(
        line_post_create(&(struct line_post_options){ .http.url = "http://127.0.0.1/some/place",
                                                      .format = LINE_POST_JSON },
                         &p),
        -EINVAL);
}

static void names_series_by_the_servers_flags(void **state)
{
    struct server *s = *state;
    struct line_post *p = open_at(s, "/write?db=e%20v&precision=ms", LINE_POST_AUTO);

    s->flags = "HTTP/1.1 200 OK\r\nContent-Length: 59\r\n\r\n"
               "-influxDBLabel=\"base\"\n-influxMeasurementFieldSeparator=\".\"\n";
    assert_sends(s, p, UPLINK_DELIVERED,
                 "(connect)\nGET /write\nPOST /api/v1/import\nGET /flags\nPOST /api/v1/import "
                 "{\"metric\":{\"__name__\":\"m.v\",\"a\":\"1\",\"base\":\"e v\"},"
                 "\"values\":[1,2],\"timestamps\":[5,6]}\n\n");
    line_post_destroy(p);
}

static void reads_flags_and_does_without(void **state)
{
    struct line_post_flags f;

    (void)state;
    line_post_read_flags("", &f);
    assert_string_equal(f.separator, "_");
    assert_string_equal(f.database_label, "db");
    assert_false(f.skips_measurement || f.skips_single_field);
    line_post_read_flags("-a=\"b\"\n-influxSkipMeasurement=\"true\"\n"
                         "-influxSkipSingleField=\"true\"\n"
                         "-influxMeasurementFieldSeparator=\"\"\n-influxDBLabel=\"base\"",
                         &f);
    assert_string_equal(f.separator, "");
    assert_string_equal(f.database_label, "base");
    assert_true(f.skips_measurement && f.skips_single_field);
    line_post_read_flags("-xinfluxSkipMeasurement=\"true\"\n-influxSkipSingleField=\"false\"\n"
                         "-influxMeasurementFieldSeparator=\"0123456789012345\"\n",
                         &f);
    assert_string_equal(f.separator, "_");
    assert_false(f.skips_measurement || f.skips_single_field);
}

static void finds_the_import_beside_every_write_address(void **state)
{
    static const struct {
        const char *url, *import, *flags, *database;
    } cases[] = {
        { "http://h:8428/write?precision=ms", "http://h:8428/api/v1/import",
          "http://h:8428/flags", NULL },
        { "http://h/write?db=a%2Bb%zz+c&precision=ms", "http://h/api/v1/import",
          "http://h/flags", "a+b%zz c" },
        { "https://h/p/api/v2/write?org=o&bucket=b&precision=ms", "https://h/p/api/v1/import",
          "https://h/p/flags", NULL },
        { "http://h/influx/write?extra_label=a=b&db=x&authKey=k",
          "http://h/prometheus/api/v1/import?extra_label=a=b&authKey=k", "http://h/flags",
          "x" },
        { "http://h/x/insert/0/influx/api/v2/write?precision=ms",
          "http://h/x/insert/0/prometheus/api/v1/import", "http://h/x/flags", NULL },
        { "http://h/api/v1/import?dbx=1", "http://h/api/v1/import?dbx=1", "http://h/flags",
          NULL },
        { "http://h/writes", NULL, NULL, NULL },
        { "http://h", NULL, NULL, NULL },
        { "h/write", NULL, NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct import_target t;
        int rc = import_target_of(cases[i].url, &t);
        assert_int_equal(rc, cases[i].import ? 0 : -EINVAL);
        if (rc < 0)
            continue;
        assert_string_equal(t.import, cases[i].import);
        assert_string_equal(t.flags, cases[i].flags);
        if (cases[i].database)
            assert_string_equal(t.database, cases[i].database);
        else
            assert_null(t.database);
        import_target_done(&t);
    }
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(writes_json_to_victoria_metrics),
        SERVED(knows_one_that_hides_its_host_by_its_version),
        SERVED(writes_lines_to_influxdb_and_to_strangers),
        SERVED(sends_nothing_before_it_is_known_who_answers),
        SERVED(sends_nothing_when_the_import_is_not_there),
        SERVED(asks_again_on_a_new_connection),
        SERVED(goes_on_with_a_server_that_closes_after_each_answer),
        SERVED(learns_from_the_answer_to_lines),
        SERVED(does_not_take_a_lost_import_for_a_word_on_the_lines),
        SERVED(obeys_a_format_that_is_given),
        SERVED(names_series_by_the_servers_flags),
        cmocka_unit_test(reads_flags_and_does_without),
        cmocka_unit_test(finds_the_import_beside_every_write_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
