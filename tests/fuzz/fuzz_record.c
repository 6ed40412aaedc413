/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a recording: what is taken prints as the same frame again, and may be paired, judged
 * and answered with whatever its bytes are. */
#include <stdlib.h>
#include <string.h>

#include "gateway/traffic/answers.h"
#include "tests/fuzz/fuzz.h"

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void round_trip(const struct record_line *l)
{
    struct buf b = BUF_INIT(RECORD_LINE_MAX);
    struct record_line again;
    char error[160];

    record_print(l, &b);
    require(buf_text(&b) != NULL);
    b.data[b.size - 1] = '\0';
    require(record_parse(b.data, &again, error, sizeof error) == 0);
    require(again.n == l->n && memcmp(again.bytes, l->bytes, l->n) == 0 &&
            again.time_ms == l->time_ms && again.fate == l->fate && again.unit == l->unit);
    buf_done(&b);
}

static void use(struct traffic_pairing *p, struct answers *a, const struct record_line *l)
{
    struct traffic_exchange e;
    bool is_again = true;

    while (is_again && traffic_feed(p, l, &e, &is_again))
        require(answers_add(a, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct traffic_pairing p = { 0 };
    struct record_line l;
    struct answers *a;
    char line[RECORD_LINE_MAX], error[160];
    size_t n = 0;

    require(answers_create(&a) == 0);
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n' && n + 1 < sizeof line)
            line[n++] = (char)data[i];
        if (data[i] != '\n')
            continue;
        line[n] = '\0';
        n = 0;
        if (record_parse(line, &l, error, sizeof error) != 0)
            continue;
        round_trip(&l);
        use(&p, a, &l);
    }
    answers_sort(a);
    answers_next(a, data, size < 260 ? size : 260, &n);
    answers_destroy(a);
    return 0;
}
