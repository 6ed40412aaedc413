/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lorawan/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensors/core/bytes.h"
#include "sensors/core/crc.h"

enum { VERSION = 1 };

bool session_fcnt(uint32_t next, uint16_t wire, uint32_t *ret)
{
    uint64_t full;

    if (!next)
        full = wire;
    else if (wire == (uint16_t)(next - 1))
        full = next - 1;
    else
        full = (uint64_t)next + (uint16_t)(wire - next);
    /* The very last counter would leave no next one. */
    if (full >= UINT32_MAX)
        return false;
    *ret = (uint32_t)full;
    return true;
}

static uint32_t plus(uint32_t v, uint32_t by)
{
    return v > UINT32_MAX - by ? UINT32_MAX : v + by;
}

void session_reserve(struct session *s, uint64_t ticket)
{
    bool is_more = false;

    for (int i = 0; i < SESSION_DOWNS; i++) {
        if (s->unkept[i])
            return; /* the last block is still on its way */
        is_more |= s->reserved[i] - s->down[i] < SESSION_BLOCK / 2;
    }
    if (!is_more)
        return;
    for (int i = 0; i < SESSION_DOWNS; i++) {
        uint32_t end = plus(s->down[i], SESSION_BLOCK);

        s->unkept[i] = (uint8_t)(end - s->reserved[i]);
        s->reserved[i] = end;
    }
    s->block_ticket = ticket;
}

bool session_may_send(struct session *s, enum session_down which, uint64_t kept_ticket)
{
    if (kept_ticket >= s->block_ticket)
        memset(s->unkept, 0, sizeof s->unkept);
    return s->down[which] < s->reserved[which] - s->unkept[which];
}

void session_skip(struct session *s, uint32_t by)
{
    for (int i = 0; i < SESSION_DOWNS; i++) {
        s->down[i] = plus(s->reserved[i], by);
        s->reserved[i] = s->down[i];
        s->unkept[i] = 0;
    }
}

int session_key_check(struct crypto *c, const struct session *s, uint64_t *ret)
{
    static const uint8_t purpose[16] = "session keys";
    uint8_t all[4 * LORAWAN_KEY_SIZE + 4], mac[16];
    const struct lorawan_key *keys[] = { &s->keys.app, &s->keys.f_nwk_s_int,
                                         &s->keys.s_nwk_s_int, &s->keys.nwk_s_enc };

    for (size_t i = 0; i < 4; i++)
        memcpy(all + i * LORAWAN_KEY_SIZE, keys[i]->bytes, LORAWAN_KEY_SIZE);
    put_le32(all + sizeof all - 4, s->dev_addr);
    if (crypto_cmac(c, &s->keys.f_nwk_s_int, purpose, sizeof purpose, all, sizeof all, mac) < 0)
        return -EIO;
    *ret = get_le64(mac);
    return 0;
}

/* ---- bytes ---- */

struct pen {
    uint8_t *at;
};

static void put(struct pen *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *p->at++ = (uint8_t)(v >> 8 * i);
}

struct eye {
    const uint8_t *at, *end;
    bool has_failed;
};

static uint64_t get(struct eye *e, int bytes)
{
    uint64_t v = 0;

    if (e->end - e->at < bytes) {
        e->has_failed = true;
        return 0;
    }
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)*e->at++ << 8 * i;
    return v;
}

static size_t seal(uint8_t *out, const struct pen *p)
{
    size_t n = (size_t)(p->at - out);

    put_le32(out + n, crc32c(0, out, n));
    return n + 4;
}

static int open_sealed(const uint8_t *data, size_t size, struct eye *ret)
{
    if (size < 5 || data[0] != VERSION ||
        crc32c(0, data, size - 4) != get_le32(data + size - 4))
        return -EINVAL;
    *ret = (struct eye){ .at = data + 1, .end = data + size - 4 };
    return 0;
}

enum { IS_1_1 = 1, IS_DOUBTFUL = 2, IS_HEARD = 4, IS_MASKED = 8 };

static void put_session(struct pen *p, const struct session *s)
{
    put(p,
        (s->is_1_1 ? IS_1_1 : 0u) | (s->is_doubtful ? IS_DOUBTFUL : 0u) |
            (s->is_heard ? IS_HEARD : 0u) | (s->is_masked ? IS_MASKED : 0u),
        1);
    put(p, s->key_check, 8);
    put(p, s->dev_addr, 4);
    put(p, s->join_nonce, 4);
    put(p, s->net_id, 4);
    put(p, s->dev_nonce, 2);
    put(p, s->fcnt_up, 4);
    put(p, s->doubt_fcnt, 4);
    put(p, s->reserved[SESSION_N_DOWN], 4);
    put(p, s->reserved[SESSION_A_DOWN], 4);
    put(p, s->conf_down, 2);
    put(p, s->rx2_hz, 4);
    put(p, s->rx2_dr, 1);
    put(p, s->rx1_delay_s, 1);
    put(p, s->rx1_dr_offset, 1);
    put(p, (uint8_t)s->join_channel, 1);
    put(p, s->dr, 1);
    put(p, s->tx_power, 1);
    put(p, s->nb_trans, 1);
    put(p, s->extras, 1);
}

static void get_session(struct eye *e, struct session *s)
{
    unsigned flags = (unsigned)get(e, 1);

    s->is_live = true;
    s->is_1_1 = flags & IS_1_1;
    s->is_doubtful = flags & IS_DOUBTFUL;
    s->is_heard = flags & IS_HEARD;
    s->is_masked = flags & IS_MASKED;
    s->key_check = get(e, 8);
    s->dev_addr = (uint32_t)get(e, 4);
    s->join_nonce = (uint32_t)get(e, 4);
    s->net_id = (uint32_t)get(e, 4);
    s->dev_nonce = (uint16_t)get(e, 2);
    s->fcnt_up = (uint32_t)get(e, 4);
    s->doubt_fcnt = (uint32_t)get(e, 4);
    s->reserved[SESSION_N_DOWN] = (uint32_t)get(e, 4);
    s->reserved[SESSION_A_DOWN] = (uint32_t)get(e, 4);
    s->conf_down = (uint16_t)get(e, 2);
    s->rx2_hz = (uint32_t)get(e, 4);
    s->rx2_dr = (uint8_t)get(e, 1);
    s->rx1_delay_s = (uint8_t)get(e, 1);
    s->rx1_dr_offset = (uint8_t)get(e, 1);
    s->join_channel = (int8_t)get(e, 1);
    s->dr = (uint8_t)get(e, 1);
    s->tx_power = (uint8_t)get(e, 1);
    s->nb_trans = (uint8_t)get(e, 1);
    s->extras = (uint8_t)get(e, 1);
    session_skip(s, 0);
}

enum { HAS_CURRENT = 1, HAS_PENDING = 2 };

size_t session_record_pack(const struct session_record *r, uint8_t out[SESSION_RECORD_SIZE_MAX])
{
    struct pen p = { out };

    put(&p, VERSION, 1);
    put(&p, (r->current.is_live ? HAS_CURRENT : 0u) | (r->pending.is_live ? HAS_PENDING : 0u),
        1);
    put(&p, r->join_nonce, 4);
    put(&p, (uint32_t)r->dev_nonce, 4);
    put(&p, (uint64_t)r->joined_ms, 8);
    put(&p, (uint64_t)r->heard_ms, 8);
    put(&p, (uint16_t)r->battery, 2);
    put(&p, (uint8_t)r->margin, 1);
    if (r->current.is_live)
        put_session(&p, &r->current);
    if (r->pending.is_live)
        put_session(&p, &r->pending);
    return seal(out, &p);
}

int session_record_unpack(const uint8_t *data, size_t size, struct session_record *ret)
{
    struct session_record r = { 0 };
    struct eye e;

    if (open_sealed(data, size, &e) < 0)
        return -EINVAL;
    unsigned flags = (unsigned)get(&e, 1);
    r.join_nonce = (uint32_t)get(&e, 4);
    r.dev_nonce = (int32_t)get(&e, 4);
    r.joined_ms = (int64_t)get(&e, 8);
    r.heard_ms = (int64_t)get(&e, 8);
    r.battery = (int16_t)get(&e, 2);
    r.margin = (int8_t)get(&e, 1);
    if (flags & HAS_CURRENT)
        get_session(&e, &r.current);
    if (flags & HAS_PENDING)
        get_session(&e, &r.pending);
    if (e.has_failed || e.at != e.end)
        return -EINVAL;
    *ret = r;
    return 0;
}

/* ---- nonces ---- */

void nonces_done(struct nonces *s)
{
    free(s->values);
    *s = (struct nonces){ 0 };
}

bool nonces_has(const struct nonces *s, uint16_t v)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->values[i] == v)
            return true;
    }
    return false;
}

static int grow(struct nonces *s)
{
    size_t room = s->room ? s->room * 2u : 8;
    uint16_t *values = realloc(s->values, room * sizeof *values);

    if (!values)
        return -ENOMEM;
    s->values = values;
    s->room = (uint16_t)room;
    return 0;
}

int nonces_add(struct nonces *s, uint16_t v)
{
    if (s->n == NONCES_MAX) {
        s->values[s->oldest] = v;
        s->oldest = (uint16_t)((s->oldest + 1) % NONCES_MAX);
        return 0;
    }
    if (s->n == s->room && grow(s) < 0)
        return -ENOMEM;
    s->values[s->n++] = v;
    return 0;
}

size_t nonces_pack(const struct nonces *s, uint8_t out[NONCES_SIZE_MAX])
{
    struct pen p = { out };

    put(&p, VERSION, 1);
    for (size_t i = 0; i < s->n; i++)
        put(&p, s->values[(s->oldest + i) % s->n], 2);
    return seal(out, &p);
}

int nonces_unpack(const uint8_t *data, size_t size, struct nonces *ret)
{
    struct nonces s = { 0 };
    struct eye e;

    if (open_sealed(data, size, &e) < 0 || (e.end - e.at) % 2 || e.end - e.at > 2 * NONCES_MAX)
        return -EINVAL;
    while (e.at < e.end) {
        if (nonces_add(&s, (uint16_t)get(&e, 2)) < 0) {
            nonces_done(&s);
            return -ENOMEM;
        }
    }
    nonces_done(ret);
    *ret = s;
    return 0;
}
