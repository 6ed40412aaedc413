/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/forwarder/concentrator.h"

#include <math.h>
#include <netinet/in.h>
#include <string.h>
#include <uv.h>

#include "gateway/lorawan/region.h"

enum {
    KEEPALIVE_MS = 10000, /* usual, where the configuration says nothing */
    KEEPALIVES = 3,
    LATE_LEAD_US = 300 * 1000,
    GPS_AGREE_MS = 2000,
    MINUTE_US = 60 * 1000 * 1000,
    RATE_MINUTES = 5,
};

int concentrator_init(struct concentrator *c, const struct concentrator_conf *conf,
                      int64_t now_us)
{
    *c = (struct concentrator){ .conf = conf, .start_us = now_us };
    c->counters.ackr = c->counters.temp = NAN;
    c->counters.lat = c->counters.lon = c->counters.alt = NAN;
    return conf->from ? source_parse(conf->from, &c->source) : 0;
}

static int64_t patience_us(const struct concentrator *c)
{
    const int64_t ms = c->conf->keepalive_ms > 0 ? c->conf->keepalive_ms : KEEPALIVE_MS;

    return ms * KEEPALIVES * 1000;
}

static size_t address_size(const struct sockaddr *a)
{
    return a->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void take_address(struct concentrator *c, const struct sockaddr *from)
{
    char host[48] = "";

    if (memcmp(&c->address, from, address_size(from)) == 0 && c->counters.address[0])
        return;
    memcpy(&c->address, from, address_size(from));
    uv_ip_name(from, host, sizeof host);
    const bool is_v6 = from->sa_family == AF_INET6;
    const unsigned port =
        ntohs(is_v6 ? ((const struct sockaddr_in6 *)(const void *)from)->sin6_port
                    : ((const struct sockaddr_in *)(const void *)from)->sin_port);
    snprintf(c->counters.address, sizeof c->counters.address, is_v6 ? "[%s]:%u" : "%s:%u", host,
             port);
}

bool concentrator_pulled(struct concentrator *c, const struct semtech_datagram *d,
                         const struct sockaddr *from, int64_t now_us, int64_t utc_ms)
{
    const bool was_up = c->state == CONCENTRATOR_UP;

    take_address(c, from);
    c->version = d->version;
    c->pull_us = now_us;
    c->counters.pull++;
    c->counters.pull_ms = utc_ms;
    c->state = CONCENTRATOR_UP;
    return !was_up;
}

static void take_stat(struct concentrator *c, const struct semtech_stat *s)
{
    struct concentrator_counters *k = &c->counters;
    const bool is_same = (uint64_t)s->rxnb == k->rxnb && !c->has_rx;

    k->rxnb_same = is_same ? k->rxnb_same + 1 : 0;
    c->has_rx = false;
    k->rxnb = (uint64_t)s->rxnb;
    k->rxok = (uint64_t)s->rxok;
    k->rxfw = (uint64_t)s->rxfw;
    k->dwnb = (uint64_t)s->dwnb;
    k->txnb = (uint64_t)s->txnb;
    k->ackr = s->ackr;
    k->temp = s->temp;
    if (!isnan(s->lat) && !isnan(s->lon)) { /* the last fix counts while there is none */
        k->lat = s->lat;
        k->lon = s->lon;
        k->alt = s->alt;
    }
}

/* The account of the minute of now_us, cleared if it was another's. */
static size_t minute_of(struct concentrator *c, int64_t now_us)
{
    const int64_t minute = now_us / MINUTE_US;
    const size_t i = (size_t)(minute % CONCENTRATOR_MINUTES);

    if (c->minutes[i].minute != minute) {
        memset(&c->minutes[i], 0, sizeof c->minutes[i]);
        c->minutes[i].minute = minute;
    }
    return i;
}

void concentrator_pushed(struct concentrator *c, const struct semtech_push *p, int64_t now_us,
                         int64_t utc_ms)
{
    const size_t heard = p->n + p->crc_bad + p->malformed;

    c->push_us = now_us;
    c->counters.push_ms = utc_ms;
    c->counters.push++;
    c->counters.rx += p->n;
    c->counters.rx_crc_bad += p->crc_bad;
    c->counters.rx_malformed += p->malformed;
    c->has_rx |= heard > 0;
    c->minutes[minute_of(c, now_us)].rx += (uint32_t)p->n;
    if (p->has_stat)
        take_stat(c, &p->stat);
}

bool concentrator_date(struct concentrator *c, struct semtech_rx *r, int64_t now_us,
                       int64_t boot_ms, int64_t utc_ms)
{
    int64_t age_us;
    const enum counter_step step = counter_take(&c->counter, r->rx.tmst, now_us, &age_us);

    c->counters.restarts += step == COUNTER_RESTARTED;
    c->counters.tmst_stuck += step == COUNTER_STUCK;
    r->rx.mono_us = now_us - age_us;
    r->rx.boot_ms = boot_ms - age_us / 1000;
    r->rx.time_ms = utc_ms - age_us / 1000;
    if (c->conf->is_gps_locked) {
        const int64_t own_ms = semtech_utc_ms(r);
        if (own_ms >= r->rx.time_ms - GPS_AGREE_MS && own_ms <= r->rx.time_ms + GPS_AGREE_MS)
            r->rx.time_ms = own_ms;
    }
    return step == COUNTER_RESTARTED;
}

void concentrator_sent(struct concentrator *c, const struct radio_tx *tx, enum radio_result r,
                       int64_t now_us)
{
    struct concentrator_counters *k = &c->counters;

    if (r == RADIO_NO_PATH)
        return;
    k->tx_accepted += r == RADIO_ACCEPTED;
    k->tx_no_answer += r == RADIO_NO_ANSWER;
    k->tx_refused += r != RADIO_ACCEPTED && r != RADIO_NO_ANSWER;
    if (r == RADIO_ACCEPTED || r == RADIO_NO_ANSWER)
        c->minutes[minute_of(c, now_us)].tx_us +=
            radio_airtime_us(&tx->rate, tx->n, tx->rate.is_fsk);
}

int64_t concentrator_silent_us(const struct concentrator *c)
{
    if (c->state == CONCENTRATOR_SILENT)
        return INT64_MAX;
    return (c->pull_us > 0 ? c->pull_us : c->start_us) + patience_us(c);
}

/* Where a NAT stood between, the way back is closed by now. */
void concentrator_fall_silent(struct concentrator *c)
{
    c->state = CONCENTRATOR_SILENT;
    c->counters.address[0] = '\0';
}

int64_t concentrator_hand_over_us(const struct concentrator *c, const struct radio_tx *tx,
                                  int64_t now_us)
{
    if (!c->conf->is_late || tx->is_immediate)
        return now_us;
    const int64_t at_us = counter_mono_us(&c->counter, tx->tmst, now_us) - LATE_LEAD_US;
    return at_us > now_us ? at_us : now_us;
}

/* Minutes the accounts cover, of `n` at most. */
static double covered(const struct concentrator *c, int64_t now_us, int n)
{
    const double since_start = (double)(now_us - c->start_us) / MINUTE_US;

    return since_start < 1 ? 1 : since_start < n ? since_start : n;
}

void concentrator_get(const struct concentrator *c, int64_t now_us,
                      struct concentrator_counters *ret)
{
    const int64_t minute = now_us / MINUTE_US;
    uint64_t rx = 0;
    int64_t tx_us = 0;

    *ret = c->counters;
    for (size_t i = 0; i < CONCENTRATOR_MINUTES; i++) {
        const int64_t back = minute - c->minutes[i].minute;
        tx_us += back < CONCENTRATOR_MINUTES ? c->minutes[i].tx_us : 0;
        rx += back < RATE_MINUTES ? c->minutes[i].rx : 0;
    }
    ret->rx_per_min = (double)rx / covered(c, now_us, RATE_MINUTES);
    ret->tx_share = (double)tx_us / MINUTE_US / covered(c, now_us, CONCENTRATOR_MINUTES);
    ret->has_no_pull = c->state == CONCENTRATOR_SILENT && c->push_us > 0 &&
                       now_us - c->push_us < patience_us(c);
}
