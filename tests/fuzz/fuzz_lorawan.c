/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What anybody with a transmitter may send: the bytes are a PHYPayload, and once more a list of
 * MAC commands of either direction. What is taken and decrypted must, encrypted and written
 * again, be the very bytes that came, but for the MIC and the RFU bits; so must a join accept.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/lorawan/frame.h"
#include "gateway/lorawan/mac.h"
#include "tests/fuzz/fuzz.h"

static const struct session_keys session = {
    { "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd" },
    { "\x11\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd" },
    { "\x21\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd" },
    { "\x31\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd" },
};

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void run_commands(const uint8_t *bytes, size_t n, bool is_up)
{
    uint8_t again[FRAME_SIZE_MAX];
    char text[MAC_TEXT_SIZE];
    struct mac_command m;
    size_t at = 0, written = 0;

    while (mac_next(bytes, n, is_up, &at, &m) == 1) {
        require(m.n <= MAC_PAYLOAD_MAX && at <= n && mac_name(m.cid, is_up));
        mac_print(&m, is_up, text, sizeof text);
        require(strlen(text) + 1 < sizeof text);
        if (written < sizeof again - MAC_PAYLOAD_MAX - 1)
            require(mac_put(again, &written, sizeof again, m.cid, m.payload, m.n));
    }
    require(memcmp(again, bytes, written) == 0);
}

static void run_data(struct crypto *c, const struct frame *f, bool is_1_1)
{
    struct frame_context x = { .is_1_1 = is_1_1,
                               .fcnt = f->fcnt,
                               .is_a_fcnt_down = f->fport > 0 };
    uint8_t fopts[FRAME_FOPTS_MAX], payload[FRAME_PAYLOAD_MAX], again[FRAME_SIZE_MAX];

    require(f->fopts_n <= FRAME_FOPTS_MAX && f->payload_n <= FRAME_PAYLOAD_MAX);
    require(frame_fopts_crypt(c, &session, &x, f, fopts) == 0);
    require(frame_payload_crypt(c, &session, &x, f, payload) == 0);
    run_commands(fopts, f->fopts_n, frame_is_up(f->type));
    const struct frame_data d = { .type = f->type,
                                  .dev_addr = f->dev_addr,
                                  .fctrl = f->fctrl,
                                  .fopts = fopts,
                                  .fopts_n = f->fopts_n,
                                  .fport = f->fport,
                                  .payload = payload,
                                  .payload_n = f->payload_n };
    require(frame_data_write(c, &session, &x, &d, again) == (int)f->n);
    require(memcmp(again + 1, f->bytes + 1, f->n - 1 - LORAWAN_MIC_SIZE) == 0);
    require(again[0] == (f->bytes[0] & 0xE0));
    struct frame own;
    require(frame_parse(again, f->n, &own) == FRAME_OK);
    require(frame_data_mic_is_ok(c, &session, &x, &own) == 1);
}

static void run_accept(struct crypto *c, const struct frame *f)
{
    const struct join_request of = { 1, 2, 3 };
    uint8_t plain[JOIN_ACCEPT_SIZE_MAX], again[JOIN_ACCEPT_SIZE_MAX];
    struct join_accept a, b;
    struct session_keys k;

    require(join_accept_read(c, &session.app, f->bytes, f->n, &of, &a, plain) >= 0);
    require(join_keys(c, &session.app, &session.nwk_s_enc, &a, &of, &k) == 0);
    require(join_accept_write(c, &session.app, &a, &of, again) == (int)f->n);
    require(join_accept_read(c, &session.app, again, f->n, &of, &b, plain) == 1);
    require(a.dev_addr == b.dev_addr && a.join_nonce == b.join_nonce && a.net_id == b.net_id);
}

static void run_frame(struct crypto *c, const uint8_t *data, size_t size)
{
    struct frame f;

    if (frame_parse(data, size, &f) != FRAME_OK)
        return;
    require(f.bytes == data && f.n == size && frame_type_name(f.type));
    if (frame_is_data(f.type)) {
        run_data(c, &f, false);
        run_data(c, &f, true);
    } else if (f.type == FRAME_JOIN_ACCEPT) {
        run_accept(c, &f);
    } else if (f.type == FRAME_JOIN_REQUEST) {
        require(join_request_mic_is_ok(c, &session.app, &f) >= 0);
    }
}

static void run_text(const uint8_t *data, size_t size)
{
    char text[2 * FRAME_SIZE_MAX + 1];
    uint8_t bytes[FRAME_SIZE_MAX];
    struct lorawan_key key;
    uint64_t eui;
    uint32_t addr;
    size_t n = size < sizeof text ? size : sizeof text - 1;

    memcpy(text, data, n);
    text[n] = '\0';
    lorawan_bytes_parse(text, bytes, sizeof bytes, &n);
    lorawan_key_parse(text, &key);
    lorawan_eui_parse(text, &eui);
    lorawan_addr_parse(text, &addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct crypto *c;

    if (crypto_create(&c) < 0)
        return 0;
    run_frame(c, data, size);
    run_commands(data, size, true);
    run_commands(data, size, false);
    if (size)
        run_text(data, size);
    crypto_destroy(c);
    return 0;
}
