/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/adr.h"

#include <math.h>

enum {
    STEP_DB = 3, /* what one data rate is worth (2.5 dB), and one step of power (2 dB) */
    NB_TRANS_MAX = 3,
    SNR_HALF_DB_MAX = INT8_MAX,
};

/* ---- history ---- */

static int8_t half_db(double snr)
{
    double half = floor(snr * 2.0);

    if (half > SNR_HALF_DB_MAX)
        return SNR_HALF_DB_MAX;
    return half < -SNR_HALF_DB_MAX ? -SNR_HALF_DB_MAX : (int8_t)half;
}

void adr_note(struct adr *a, const struct adr_uplink *u)
{
    if (u->payload_n > a->payload_max)
        a->payload_max = u->payload_n < UINT8_MAX ? (uint8_t)u->payload_n : UINT8_MAX;
    if (a->wait)
        a->wait--;
    a->notes[a->next] = (struct adr_note){
        .snr = isnan(u->snr) ? INT8_MIN : half_db(u->snr),
        .tx_power = (uint8_t)u->tx_power,
        .fcnt = (uint16_t)u->fcnt,
    };
    a->next = (uint8_t)((a->next + 1) % ADR_NOTES);
    if (a->n < ADR_NOTES)
        a->n++;
}

void adr_forget(struct adr *a)
{
    *a = (struct adr){ .payload_max = a->payload_max, .refused_until_ms = a->refused_until_ms };
}

void adr_sent(struct adr *a)
{
    a->wait = ADR_CHANGE_EVERY;
}

void adr_refused(struct adr *a, int64_t now_ms)
{
    a->refused_until_ms = now_ms + ADR_REFUSED_MS;
}

/* Best SNR heard at the power now in force: at another one it says nothing of this. NaN: none.
 */
static double best_snr(const struct adr *a, unsigned tx_power)
{
    int best = INT8_MIN;

    for (int i = 0; i < a->n; i++)
        if (a->notes[i].tx_power == tx_power && a->notes[i].snr > best)
            best = a->notes[i].snr;
    return best == INT8_MIN ? NAN : best / 2.0;
}

/* Per cent of a full history that is missing. */
static unsigned loss_pct(const struct adr *a)
{
    const struct adr_note *first = &a->notes[a->next];
    const struct adr_note *last = &a->notes[(a->next + ADR_NOTES - 1) % ADR_NOTES];
    unsigned sent = (uint16_t)(last->fcnt - first->fcnt) + 1u;

    return sent > ADR_NOTES ? 100 * (sent - ADR_NOTES) / sent : 0;
}

/* ---- decision ---- */

static unsigned wanted_nb_trans(const struct adr *a, unsigned now)
{
    static const struct {
        unsigned below_pct;
        uint8_t nb_trans[NB_TRANS_MAX]; /* by the one in force */
    } rules[] = {
        { 5, { 1, 1, 2 } },
        { 10, { 1, 2, 3 } },
        { 30, { 2, 3, 3 } },
        { 101, { 3, 3, 3 } },
    };
    unsigned pct, row = 0;

    if (a->n < ADR_NOTES)
        return now;
    if (now > NB_TRANS_MAX)
        now = NB_TRANS_MAX;
    pct = loss_pct(a);
    while (pct >= rules[row].below_pct)
        row++;
    return rules[row].nb_trans[now - 1];
}

static bool is_dr_usable(const struct adr *a, const struct adr_question *q, unsigned dr)
{
    struct radio_rate rate;
    unsigned room = region_payload_max(q->region, dr, true, q->is_up_dwell);

    return region_rate(q->region, dr, true, &rate) && room && room >= a->payload_max;
}

/* The next faster data rate that carries what the device sends; the same when there is none. */
static unsigned faster(const struct adr *a, const struct adr_question *q, unsigned dr)
{
    for (unsigned next = dr + 1; next <= region_dr_adr_max(q->region); next++)
        if (is_dr_usable(a, q, next))
            return next;
    return dr;
}

static void speed_up(const struct adr *a, const struct adr_question *q, int steps,
                     struct adr_setting *s)
{
    for (; steps > 0; steps--) {
        unsigned dr = faster(a, q, s->dr);

        if (dr != s->dr)
            s->dr = dr;
        else if (s->tx_power + 1 < region_tx_powers(q->region))
            s->tx_power++;
    }
}

/* More power alone: a device that is not heard lowers its data rate by itself. */
static void power_up(int steps, struct adr_setting *s)
{
    for (; steps < 0 && s->tx_power; steps++)
        s->tx_power--;
}

/* A device at 500 kHz or FSK went there by itself, and no SNR of it compares with 125 kHz. */
static bool is_start(const struct adr_question *q, struct radio_rate *ret)
{
    return q->now.dr <= region_dr_adr_max(q->region) &&
           region_rate(q->region, q->now.dr, true, ret) && !ret->is_fsk;
}

bool adr_decide(const struct adr *a, const struct adr_question *q, struct adr_setting *ret)
{
    unsigned nb_trans = q->now.nb_trans ? q->now.nb_trans : 1;
    struct adr_setting s = q->now;
    double snr = best_snr(a, q->now.tx_power);
    struct radio_rate rate;

    if (a->wait || q->now_ms < a->refused_until_ms || isnan(snr) || !is_start(q, &rate))
        return false;

    int steps = (int)((snr - radio_snr_min(rate.sf) - q->margin_db) / STEP_DB);
    if (steps > 0)
        speed_up(a, q, steps, &s);
    else if (a->n == ADR_NOTES)
        power_up(steps, &s);
    s.nb_trans = wanted_nb_trans(a, nb_trans);
    if (s.dr == q->now.dr && s.tx_power == q->now.tx_power && s.nb_trans == nb_trans)
        return false;
    *ret = s;
    return true;
}
