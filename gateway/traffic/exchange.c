/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/traffic/exchange.h"

#include "gateway/bus/modbus_frame.h"
#include "sensors/core/bytes.h"

enum { REQUEST_BYTES = 6 /* unit, function and four of data: reads and single writes */ };

const uint8_t *traffic_content(const struct record_line *l, size_t *ret_n)
{
    size_t head = l->is_tcp ? ADU_TCP_HEADER - 1 : 0, tail = l->is_tcp ? 0 : ADU_CRC;

    if (l->n < head + tail + 2)
        return NULL;
    *ret_n = l->n - head - tail;
    return l->bytes + head;
}

/* What the bytes of a request ask for. Writes are not told apart: nothing is decoded of them.
 */
static struct bus_request request_of(const struct record_line *l)
{
    struct bus_request r = { 0 };
    size_t n = 0;
    const uint8_t *p = traffic_content(l, &n);

    if (!p)
        return r;
    r.unit = p[0];
    if (p[1] == BUS_IDENTIFY && n == 5 && p[2] == 0x0E && p[3] == 4) {
        r.function = p[1];
        r.first = p[4];
        r.count = 1;
    } else if (p[1] >= BUS_READ_COILS && p[1] <= BUS_READ_INPUT && n == REQUEST_BYTES) {
        r.function = p[1];
        r.first = get_be16(p + 2);
        r.count = get_be16(p + 4);
    }
    if (r.function && !adu_is_request(&r))
        r.function = 0;
    return r;
}

/* Judged as the bus judges: by the whole frame. */
static void judge(const struct traffic_exchange *e, struct bus_reply *ret)
{
    struct adu_content content;
    const struct record_line *a = e->answer;
    size_t used;

    *ret = (struct bus_reply){ .outcome = BUS_NO_ANSWER, .time_ms = e->request->time_ms };
    if (!a || !e->asked.function)
        return;
    ret->time_ms = a->time_ms;
    ret->took_ms = a->time_ms - e->request->time_ms;
    bool is_whole = !a->is_tcp || adu_tcp_length(a->bytes, a->n) == (int)a->n;
    enum adu_verdict v = !is_whole ? ADU_DAMAGED
                         : a->is_tcp
                             ? adu_tcp_check(&e->asked, adu_tcp_transaction(e->request->bytes),
                                             a->bytes, a->n, &content)
                             : adu_rtu_check(&e->asked, a->bytes, a->n, &used, &content);
    if (v == ADU_ANSWER || v == ADU_EXCEPTION)
        adu_fill_reply(v, &content, ret);
    else
        ret->outcome = BUS_BAD_FRAME;
}

static void complete(const struct traffic_pairing *p, const struct record_line *answer,
                     struct traffic_exchange *ret)
{
    *ret = (struct traffic_exchange){ .request = &p->request,
                                      .answer = answer,
                                      .asked = request_of(&p->request) };
    judge(ret, &ret->reply);
}

bool traffic_feed(struct traffic_pairing *p, const struct record_line *l,
                  struct traffic_exchange *ret, bool *ret_again)
{
    *ret_again = false;
    if (l->fate == BUS_SENT && p->has_request) {
        p->has_request = false;
        complete(p, NULL, ret);
        *ret_again = true;
        return true;
    }
    if (l->fate == BUS_SENT) {
        p->request = *l;
        p->has_request = true;
        return false;
    }
    if (!p->has_request || (l->fate != BUS_TAKEN && l->fate != BUS_REFUSED))
        return false;
    p->has_request = false;
    complete(p, l, ret);
    return true;
}

bool traffic_end(struct traffic_pairing *p, struct traffic_exchange *ret)
{
    if (!p->has_request)
        return false;
    p->has_request = false;
    complete(p, NULL, ret);
    return true;
}
