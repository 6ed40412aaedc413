/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paced_slave - a Modbus RTU slave on a pseudo terminal that takes as long as a wire would.
 *
 *   paced_slave LINK BAUD SECONDS
 *
 * Eight data bits, no parity, one stop bit: ten bits a character. A request that arrives at
 * once on a pseudo terminal is taken to end as many characters later as it has; then 3.5
 * characters of silence, then the answer, character by character. A request that begins less
 * than 3.5 characters after the last one of an answer is not understood, as on a real line
 * (Modbus over Serial Line V1.02, 2.5.1.1). Function 3, every unit, up to 125 registers. Prints
 * how many requests it answered and how many came too early.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUEST = 8,
    BITS_OF_CHARACTER = 10,
    REGISTERS_MAX = 125,
    UNIT_MAX = 247,
    TOLERANCE_NS = 100 * 1000, /* how exactly a user process can tell */
};

struct line {
    int master, slave;
    int64_t character_ns;
    int64_t end_ns; /* when the last answer ended */
    unsigned long answered, early;
};

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(int64_t ns)
{
    const struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR && !is_over)
        continue;
}

static uint16_t crc_of(const uint8_t *p, size_t n)
{
    unsigned crc = 0xFFFF;

    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
    }
    return (uint16_t)crc;
}

static void close_frame(uint8_t *p, size_t n)
{
    uint16_t crc = crc_of(p, n);

    p[n] = (uint8_t)crc;
    p[n + 1] = (uint8_t)(crc >> 8);
}

/* Registers hold their own number. */
static size_t make_answer(const uint8_t *q, uint8_t *a)
{
    unsigned first = (unsigned)q[2] << 8 | q[3], count = (unsigned)q[4] << 8 | q[5];

    if (q[0] < 1 || q[0] > UNIT_MAX || q[1] != 3 || count < 1 || count > REGISTERS_MAX ||
        crc_of(q, REQUEST) != 0)
        return 0;
    a[0] = q[0];
    a[1] = q[1];
    a[2] = (uint8_t)(2 * count);
    for (unsigned i = 0; i < count; i++) {
        a[3 + 2 * i] = (uint8_t)((first + i) >> 8);
        a[4 + 2 * i] = (uint8_t)(first + i);
    }
    close_frame(a, 3 + 2 * (size_t)count);
    return 5 + 2 * (size_t)count;
}

static void send_paced(struct line *l, const uint8_t *a, size_t n, int64_t begin_ns)
{
    for (size_t i = 0; i < n && !is_over; i++) {
        l->end_ns = begin_ns + (int64_t)(i + 1) * l->character_ns;
        sleep_until(l->end_ns);
        if (write(l->master, a + i, 1) != 1)
            return;
    }
    l->answered++;
}

static void serve_one(struct line *l, const uint8_t *q, int64_t begin_ns)
{
    uint8_t a[5 + 2 * REGISTERS_MAX];
    int64_t silence_ns = l->character_ns * 7 / 2;
    size_t n = make_answer(q, a);

    if (begin_ns < l->end_ns + silence_ns - TOLERANCE_NS) {
        l->early++;
        l->end_ns = begin_ns + REQUEST * l->character_ns;
        return;
    }
    if (n > 0)
        send_paced(l, a, n, begin_ns + REQUEST * l->character_ns + silence_ns);
}

static void serve(struct line *l, int64_t until_ns)
{
    uint8_t q[REQUEST];
    size_t n = 0;
    int64_t begin_ns = 0;
    struct pollfd p = { .fd = l->master, .events = POLLIN };

    while (!is_over && now_ns() < until_ns) {
        if (poll(&p, 1, 200) < 1)
            continue;
        ssize_t got = read(l->master, q + n, sizeof q - n);
        if (got <= 0)
            continue;
        begin_ns = n == 0 ? now_ns() : begin_ns;
        n += (size_t)got;
        if (n == sizeof q) {
            serve_one(l, q, begin_ns);
            n = 0;
        }
    }
}

static int open_line(struct line *l, const char *path)
{
    struct termios t;

    l->master = posix_openpt(O_RDWR | O_NOCTTY);
    if (l->master < 0 || grantpt(l->master) < 0 || unlockpt(l->master) < 0)
        return -1;
    const char *name = ptsname(l->master);
    l->slave = name ? open(name, O_RDWR | O_NOCTTY) : -1; /* keeps the line up */
    if (l->slave < 0 || tcgetattr(l->slave, &t) < 0)
        return -1;
    cfmakeraw(&t);
    if (tcsetattr(l->slave, TCSANOW, &t) < 0)
        return -1;
    unlink(path);
    return symlink(name, path);
}

int main(int argc, char **argv)
{
    struct line l = { 0 };
    long baud = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    long seconds = argc == 4 ? strtol(argv[3], NULL, 10) : 0;

    if (baud < 300 || seconds < 1) {
        fprintf(stderr, "usage: %s LINK BAUD SECONDS\n", argv[0]);
        return 2;
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    l.character_ns = INT64_C(1000000000) * BITS_OF_CHARACTER / baud;
    if (open_line(&l, argv[1]) < 0) {
        perror(argv[1]);
        return 1;
    }
    printf("ready\n");
    fflush(stdout);
    serve(&l, now_ns() + seconds * INT64_C(1000000000));
    unlink(argv[1]);
    printf("answered=%lu early=%lu\n", l.answered, l.early);
    return 0;
}
