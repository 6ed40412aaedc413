/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/control/client.h"
#include "gateway/control/control.h"
#include "tests/unit/fake_station.h"
#include "tests/unit/folder.h"

enum {
    TURNS_MAX = 3000, /* of the loop, each with a wait of at most a millisecond */
    WAIT_MS = 10000
};

struct fixture {
    struct fake_station station;
    uv_loop_t loop;
    struct control *control;
    char folder[FOLDER_MAX], path[96];
    unsigned reloads;
};

static int reload(void *user, char *answer, size_t size)
{
    struct fixture *f = user;

    snprintf(answer, size, "The new \"configuration\" is wrong.");
    return f->reloads++ ? 0 : -EINVAL;
}

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){ 0 };
    *state = &f;
    if (!folder_make(f.folder) || fake_create(&f.station) || uv_loop_init(&f.loop))
        return -1;
    snprintf(f.path, sizeof f.path, "%s/control.sock", f.folder);
    return control_start(&f.loop, f.path, f.station.live, reload, &f, &f.control);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    control_stop(f->control);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    live_destroy(f->station.live);
    folder_remove(f->folder);
    return uv_loop_close(&f->loop);
}

static struct control_client *ask(struct fixture *f, const char *request)
{
    struct control_client *c = NULL;
    char error[256];

    assert_int_equal(control_client_open(f->path, request, &c, error, sizeof error), 0);
    return c;
}

/* The next line while the loop turns; NULL when the daemon hung up. */
static char *line_of(struct fixture *f, struct control_client *c)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        int err = 0;
        uv_run(&f->loop, UV_RUN_NOWAIT);
        char *line = control_client_line(c, 1, &err);
        if (line || err != -ETIMEDOUT)
            return line;
    }
    fail_msg("no line came");
    return NULL;
}

static void status_is_one_object(void **state)
{
    struct fixture *f = *state;
    struct control_client *c = ask(f, "status");
    const char *line = line_of(f, c);

    assert_non_null(strstr(line, "{\"station\":{\"id\":\"riverside-01\""));
    assert_non_null(strstr(line, "\"why\":\"no answer within the deadline\""));
    assert_null(strstr(line, "\"channels\""));
    control_client_close(c);
}

struct asked {
    uint64_t ticket;
    char json[64], who[32];
};

static void keep_command(void *user, uint64_t ticket, const char *json, const char *who)
{
    struct asked *a = user;

    a->ticket = ticket;
    snprintf(a->json, sizeof a->json, "%s", json);
    snprintf(a->who, sizeof a->who, "%s", who);
}

static void a_command_is_answered_later_and_tells_who_asked(void **state)
{
    struct fixture *f = *state;
    struct asked asked = { 0 };
    char me[32];

    control_take(f->control, "command", keep_command, &asked);
    struct control_client *gone = ask(f, "command {}"), *c;
    while (!asked.ticket)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    uint64_t nobody = asked.ticket;
    control_client_close(gone);
    c = ask(f, "command {\"device\":\"d\"}");
    while (asked.ticket == nobody)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    snprintf(me, sizeof me, "uid %u", (unsigned)getuid());
    assert_string_equal(asked.who, me);
    assert_string_equal(asked.json, "{\"device\":\"d\"}");
    control_answer(f->control, nobody, "for somebody else");
    control_answer(f->control, asked.ticket, "{\"ok\":true}");
    assert_string_equal(line_of(f, c), "{\"ok\":true}");
    control_client_close(c);
}

static void tail_begins_with_what_is_and_goes_on_with_what_changes(void **state)
{
    struct fixture *f = *state;
    struct control_client *c = ask(f, "tail");

    for (size_t i = 0; i < FAKE_CHANNELS; i++)
        assert_non_null(strstr(line_of(f, c), "{\"sample\":{\"channel\":\""));
    live_put_sample(f->station.live, &(struct sample){ .time_ms = FAKE_NOW_MS,
                                                       .channel = FAKE_OZONE,
                                                       .value = { 8450, 2 } });
    const char *line = line_of(f, c);
    assert_non_null(strstr(line, "\"channel\":\"roof-gas/ozone\",\"quantity\":\"ozone\","
                                 "\"unit\":\"µg/m³\",\"time\":\"2026-11-22T07:04:56.000Z\","
                                 "\"value\":84.50,\"decimals\":2"));
    control_client_close(c);
}

static void tail_brings_events(void **state)
{
    struct fixture *f = *state;
    struct control_client *c = ask(f, "tail");

    for (size_t i = 0; i < FAKE_CHANNELS; i++)
        line_of(f, c);
    live_put_event(f->station.live, "{\"kind\":\"notice\"}");
    assert_string_equal(line_of(f, c), "{\"event\":{\"kind\":\"notice\"}}");
    control_client_close(c);
}

static void tail_brings_indices_and_maintenance_when_they_change(void **state)
{
    struct fixture *f = *state;
    struct control_client *c = ask(f, "tail");

    for (size_t i = 0; i < FAKE_CHANNELS; i++) /* and nothing where there are none */
        assert_non_null(strstr(line_of(f, c), "{\"sample\""));
    fake_overview(&f->station);
    const char *line = line_of(f, c);
    assert_non_null(strstr(line, "{\"overview\":{\"indices\":[{\"standard\":\"HJ 633-2026\""));
    assert_non_null(strstr(line, "\"value\":74,"));
    assert_non_null(strstr(line, "\"maintenance\":[{\"device\":\"roof-gas\""));
    live_put_maintenances(f->station.live, NULL, 0);
    assert_non_null(strstr(line_of(f, c), "\"maintenance\":[]}}"));
    control_client_close(c);
}

static void on_watch(void *user, bool is_on)
{
    int *changes = user;

    *changes = *changes * 10 + (is_on ? 1 : 2);
}

static void put_frame(struct fixture *f, const char *fate, size_t n)
{
    static const uint8_t bytes[260] = { 0x11, 0x04, 0x00, 0xAB };

    control_put_frame(f->control, &(struct control_frame){ .bus = "line-1",
                                                           .device = n > 4 ? NULL : "roof-gas",
                                                           .framing = "rtu",
                                                           .fate = fate,
                                                           .unit = 17,
                                                           .time_ms = FAKE_NOW_MS,
                                                           .since_us = -1,
                                                           .bytes = bytes,
                                                           .n = n });
}

static void on_deadline(uv_timer_t *t)
{
    *(bool *)t->data = true;
}

static void turn_until_watched(struct fixture *f, bool is_on)
{
    bool is_late = false;
    uv_timer_t deadline = { .data = &is_late };

    uv_timer_init(&f->loop, &deadline);
    uv_timer_start(&deadline, on_deadline, WAIT_MS, 0);
    while (control_is_watched(f->control) != is_on && !is_late)
        uv_run(&f->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&deadline, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(control_is_watched(f->control), is_on);
}

static void frames_are_wanted_only_while_somebody_looks(void **state)
{
    struct fixture *f = *state;
    int changes = 0;

    control_on_watch(f->control, on_watch, &changes);
    put_frame(f, "sent", 4); /* nobody looks: dropped */
    struct control_client *c = ask(f, "frames"), *second = ask(f, "frames");
    turn_until_watched(f, true);
    put_frame(f, "sent", 4);
    assert_string_equal(
        line_of(f, c),
        "{\"frame\":{\"time\":\"2026-11-22T07:04:56.000Z\",\"bus\":\"line-1\","
        "\"device\":\"roof-gas\",\"unit\":17,\"framing\":\"rtu\",\"fate\":\"sent\","
        "\"since_us\":-1,\"hex\":\"11 04 00 AB\"}}");
    put_frame(f, "damaged", 5);
    assert_non_null(strstr(line_of(f, c), "\"device\":null"));
    control_client_close(c);
    for (int i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_true(control_is_watched(f->control));
    control_client_close(second);
    turn_until_watched(f, false);
    assert_int_equal(changes, 12);
}

static void frames_beyond_the_limit_are_counted_and_told(void **state)
{
    struct fixture *f = *state;
    struct control_client *c = ask(f, "frames");
    const char *line;
    int n = 0;

    turn_until_watched(f, true);
    for (int i = 0; i < 2000; i++) /* 900 bytes each: the limit is 1 MiB */
        put_frame(f, "taken", 260);
    while ((line = line_of(f, c)) && strstr(line, "\"frame\""))
        n++;
    assert_in_range(n, 1000, 1300);
    char told[64];
    snprintf(told, sizeof told, "{\"dropped\":%d}", 2000 - n);
    assert_string_equal(line, told);
    control_client_close(c);
}

static void reload_tells_why_it_did_not(void **state)
{
    struct fixture *f = *state;
    struct control_client *c = ask(f, "reload");

    assert_string_equal(line_of(f, c),
                        "{\"ok\":false,\"text\":\"The new \\\"configuration\\\" is wrong.\"}");
    control_client_close(c);
    c = ask(f, "reload");
    assert_non_null(strstr(line_of(f, c), "{\"ok\":true"));
    assert_int_equal(f->reloads, 2);
    control_client_close(c);
}

static void several_requests_on_one_line_each(void **state)
{
    struct fixture *f = *state;
    struct control_client *c = ask(f, "nonsense\nreload\r");

    assert_non_null(strstr(line_of(f, c), "known are status, tail, frames, reload"));
    assert_non_null(strstr(line_of(f, c), "\"ok\":false"));
    control_client_close(c);
}

static void a_reload_starts_followers_anew(void **state)
{
    struct fixture *f = *state;
    struct control_client *c = ask(f, "tail");

    for (size_t i = 0; i < FAKE_CHANNELS; i++)
        line_of(f, c);
    control_set_live(f->control, NULL);
    struct control_client *s = ask(f, "status");
    assert_non_null(strstr(line_of(f, s), "being reloaded"));
    control_client_close(s);
    control_set_live(f->control, f->station.live);
    for (size_t i = 0; i < FAKE_CHANNELS; i++)
        assert_non_null(strstr(line_of(f, c), "\"sample\""));
    control_client_close(c);
}

static void the_socket_is_for_owner_and_group(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
}

static void a_second_daemon_is_refused(void **state)
{
    struct fixture *f = *state;
    struct control *second = NULL;

    assert_int_equal(control_start(&f->loop, f->path, f->station.live, NULL, NULL, &second),
                     -EADDRINUSE);
    assert_null(second);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    struct control_client *c = ask(f, "status");
    assert_non_null(line_of(f, c));
    control_client_close(c);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct control *second = NULL;

    snprintf(a.sun_path, sizeof a.sun_path, "%.60s/stale.sock", f->folder);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
    assert_int_equal(control_start(&f->loop, a.sun_path, f->station.live, NULL, NULL, &second),
                     0);
    control_stop(second);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    unlink(a.sun_path);
}

static void a_file_in_its_place_is_not_removed(void **state)
{
    struct fixture *f = *state;
    struct control *second = NULL;
    char path[128];

    snprintf(path, sizeof path, "%s/file", f->folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_int_equal(control_start(&f->loop, path, f->station.live, NULL, NULL, &second),
                     -EEXIST);
    assert_int_equal(unlink(path), 0);
}

static void a_path_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    struct control *second = NULL;
    char path[256];

    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(control_start(&f->loop, path, f->station.live, NULL, NULL, &second),
                     -ENAMETOOLONG);
}

static void a_line_without_an_end_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char noise[9000], byte;
    ssize_t n = 1;

    snprintf(a.sun_path, sizeof a.sun_path, "%s", f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    memset(noise, 'x', sizeof noise);
    assert_int_equal(send(fd, noise, sizeof noise, MSG_NOSIGNAL), sizeof noise);
    for (int i = 0; i < TURNS_MAX && n != 0; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        n = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (n < 0 && errno == ECONNRESET)
            n = 0;
    }
    assert_int_equal(n, 0);
    close(fd);
}

static void a_client_that_does_not_read_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int sent = 0;

    snprintf(a.sun_path, sizeof a.sun_path, "%s", f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    for (int i = 0; i < 20 * TURNS_MAX; i++) {
        if (send(fd, "status\n", 7, MSG_NOSIGNAL | MSG_DONTWAIT) == 7)
            sent++;
        else if (errno != EAGAIN)
            break;
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(errno, EPIPE);
    assert_true(sent > 100);
    close(fd);
}

static void more_clients_than_fit_are_hung_up_on(void **state)
{
    struct fixture *f = *state;
    struct control_client *c[20];
    unsigned served = 0;

    for (size_t i = 0; i < 20; i++) {
        c[i] = ask(f, "status");
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    for (size_t i = 0; i < 20; i++)
        served += line_of(f, c[i]) != NULL;
    assert_int_equal(served, 16);
    for (size_t i = 0; i < 20; i++)
        control_client_close(c[i]);
}

static void a_daemon_that_is_not_there_is_explained(void **state)
{
    struct fixture *f = *state;
    struct control_client *c = NULL;
    char error[256], path[128];

    snprintf(path, sizeof path, "%s/none", f->folder);
    assert_int_equal(control_client_open(path, "status", &c, error, sizeof error), -ENOENT);
    assert_non_null(strstr(error, "is `sluice run` running?"));
    assert_null(c);
}

static void option_wins_over_environment_over_default(void **state)
{
    (void)state;
    unsetenv("SLUICE_CONTROL");
    assert_string_equal(control_path(NULL), CONTROL_PATH);
    setenv("SLUICE_CONTROL", "/env", 1);
    assert_string_equal(control_path(NULL), "/env");
    assert_string_equal(control_path("/option"), "/option");
    unsetenv("SLUICE_CONTROL");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_is_one_object),
        TEST(a_command_is_answered_later_and_tells_who_asked),
        TEST(tail_begins_with_what_is_and_goes_on_with_what_changes),
        TEST(tail_brings_events),
        TEST(tail_brings_indices_and_maintenance_when_they_change),
        TEST(frames_are_wanted_only_while_somebody_looks),
        TEST(frames_beyond_the_limit_are_counted_and_told),
        TEST(reload_tells_why_it_did_not),
        TEST(several_requests_on_one_line_each),
        TEST(a_reload_starts_followers_anew),
        TEST(the_socket_is_for_owner_and_group),
        TEST(a_second_daemon_is_refused),
        TEST(a_stale_socket_is_replaced),
        TEST(a_file_in_its_place_is_not_removed),
        TEST(a_path_too_long_is_refused),
        TEST(a_line_without_an_end_is_dropped),
        TEST(a_client_that_does_not_read_is_dropped),
        TEST(more_clients_than_fit_are_hung_up_on),
        TEST(a_daemon_that_is_not_there_is_explained),
        cmocka_unit_test(option_wins_over_environment_over_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
