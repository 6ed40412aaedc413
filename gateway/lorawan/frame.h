/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame - a PHYPayload: what is on the air, taken apart and put together, its MIC and its
 * encryption. LoRaWAN L2 1.0.4 and 1.1 section 4 and 6 (facts: lorawan section 2).
 *
 * Pure but for OpenSSL in a struct crypto. Everything multi-byte is little endian on the air;
 * EUIs, addresses and NetIDs are plain numbers here. Parsing copies nothing: the pointers of a
 * struct frame lead into the bytes it was parsed from.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/lorawan/crypto.h"

enum {
    FRAME_SIZE_MAX = 255,    /* PHYPayload of any region */
    FRAME_FOPTS_MAX = 15,    /* FOptsLen has four bits */
    FRAME_PAYLOAD_MAX = 242, /* FRMPayload: the largest N of any region */
    FRAME_OVERHEAD = 13,     /* MHDR, FHDR without FOpts, FPort, MIC */
};

enum frame_type {
    FRAME_JOIN_REQUEST,
    FRAME_JOIN_ACCEPT,
    FRAME_UP,
    FRAME_DOWN,
    FRAME_UP_CONFIRMED,
    FRAME_DOWN_CONFIRMED,
    FRAME_REJOIN_REQUEST,
    FRAME_PROPRIETARY
};

/* FCtrl: up and down give the same bits other meanings. */
enum {
    FCTRL_ADR = 0x80,
    FCTRL_ADR_ACK_REQ = 0x40, /* up */
    FCTRL_ACK = 0x20,
    FCTRL_CLASS_B = 0x10,   /* up */
    FCTRL_F_PENDING = 0x10, /* down */
};

struct frame {
    enum frame_type type;
    /* data frames */
    uint32_t dev_addr;
    uint8_t fctrl; /* without FOptsLen */
    uint16_t fcnt; /* as on the air */
    const uint8_t *fopts;
    uint8_t fopts_n;
    int fport;              /* -1: absent; then there is no payload either */
    const uint8_t *payload; /* FRMPayload as on the air */
    size_t payload_n;
    /* join request */
    uint64_t join_eui, dev_eui;
    uint16_t dev_nonce;
    /* all but proprietary */
    const uint8_t *bytes; /* the whole */
    size_t n;
    uint8_t mic[LORAWAN_MIC_SIZE];
};

/* Why bytes are no frame that we could take. */
enum frame_fault {
    FRAME_OK,
    FRAME_TOO_SHORT,
    FRAME_TOO_LONG,
    FRAME_MAJOR,        /* another major version than 0 */
    FRAME_LENGTH,       /* not the length of its type */
    FRAME_FOPTS,        /* FOptsLen beyond the frame */
    FRAME_FOPTS_PORT_0, /* MAC commands in FOpts and on port 0 */
    FRAME_FAULT_COUNT_
};

enum frame_fault frame_parse(const uint8_t *bytes, size_t n, struct frame *ret);
/* A full sentence; zh or en. */
const char *frame_fault_text(enum frame_fault f, const char *lang);
/* "Unconfirmed Data Up" ..., the specification's words. */
const char *frame_type_name(enum frame_type t);
bool frame_is_data(enum frame_type t);
bool frame_is_up(enum frame_type t);

/* Keys of a session. 1.0: NwkSKey stands in all three network keys. */
struct session_keys {
    struct lorawan_key app; /* AppSKey */
    struct lorawan_key f_nwk_s_int, s_nwk_s_int, nwk_s_enc;
};

/* What a data frame's MIC and encryption depend on beside its bytes. */
struct frame_context {
    bool is_1_1;
    uint32_t fcnt;        /* all 32 bits */
    uint16_t conf_fcnt;   /* 1.1, with ACK: the counter that is acknowledged; else 0 */
    uint8_t tx_dr, tx_ch; /* 1.1 up: index of data rate and channel */
    bool is_a_fcnt_down;  /* 1.1 down: counted by AFCntDown (FPort > 0) */
};

/* The MIC of a data frame of n bytes, of which the last four are its place. ConfFCnt counts
 * with ACK alone. 0, -EINVAL (no data frame) or -EIO. */
int frame_data_mic(struct crypto *c, const struct session_keys *k,
                   const struct frame_context *x, const uint8_t *bytes, size_t n,
                   uint8_t ret[LORAWAN_MIC_SIZE]);
/* 1, 0, or as frame_data_mic(). */
int frame_data_mic_is_ok(struct crypto *c, const struct session_keys *k,
                         const struct frame_context *x, const struct frame *f);

/* En- or decrypts FRMPayload of a data frame into out[payload_n]; by port the right key. */
int frame_payload_crypt(struct crypto *c, const struct session_keys *k,
                        const struct frame_context *x, const struct frame *f, uint8_t *out);
/* En- or decrypts FOpts (1.1; 1.0 copies them) into out[fopts_n]. */
int frame_fopts_crypt(struct crypto *c, const struct session_keys *k,
                      const struct frame_context *x, const struct frame *f, uint8_t *out);

/* A data frame with everything in the clear. */
struct frame_data {
    enum frame_type type;
    uint32_t dev_addr;
    uint8_t fctrl;
    const uint8_t *fopts;
    uint8_t fopts_n;
    int fport; /* -1: none */
    const uint8_t *payload;
    size_t payload_n;
};
/* Writes it as it goes on the air; out has FRAME_SIZE_MAX. Its length, -EINVAL (no data frame,
 * a payload without port, FOpts with port 0), -EMSGSIZE or -EIO. */
int frame_data_write(struct crypto *c, const struct session_keys *k,
                     const struct frame_context *x, const struct frame_data *d, uint8_t *out);

/* ---- joins ---- */

struct join_request {
    uint64_t join_eui, dev_eui;
    uint16_t dev_nonce;
};
enum { JOIN_REQUEST_SIZE = 23, JOIN_ACCEPT_SIZE_MAX = 33, CF_LIST_SIZE = 16 };

/* key: AppKey; 1.1: NwkKey. */
int join_request_write(struct crypto *c, const struct lorawan_key *key,
                       const struct join_request *j, uint8_t out[JOIN_REQUEST_SIZE]);
int join_request_mic_is_ok(struct crypto *c, const struct lorawan_key *key,
                           const struct frame *f); /* 1, 0, -EIO */

struct join_accept {
    uint32_t join_nonce, net_id; /* 24 bits each */
    uint32_t dev_addr;
    bool is_opt_neg; /* the server speaks 1.1 */
    uint8_t rx1_dr_offset, rx2_dr;
    uint8_t rx_delay; /* seconds; 0 means 1 */
    bool has_cf_list;
    uint8_t cf_list[CF_LIST_SIZE];
};

/* root: AppKey; 1.1: NwkKey. Encrypted, as on the air; the request it answers is part of the
 * MIC with opt_neg. The length, or -EIO. */
int join_accept_write(struct crypto *c, const struct lorawan_key *root,
                      const struct join_accept *a, const struct join_request *of,
                      uint8_t out[JOIN_ACCEPT_SIZE_MAX]);
/* The inverse, for devices and tools: decrypts into plain[n] (MHDR and MIC included). 1: MIC
 * right, 0: wrong, -ENODATA: not checked, for opt_neg makes the request part of it and `of` is
 * NULL; all three fill ret and plain. -EINVAL: no join accept, -EIO. */
int join_accept_read(struct crypto *c, const struct lorawan_key *root, const uint8_t *bytes,
                     size_t n, const struct join_request *of, struct join_accept *ret,
                     uint8_t plain[JOIN_ACCEPT_SIZE_MAX]);

/* Session keys of a join. app_key: AppKey; nwk_key: devices of 1.1 alone, else NULL; without
 * opt_neg it is the root of all four. 0, -EINVAL (opt_neg without nwk_key) or -EIO. */
int join_keys(struct crypto *c, const struct lorawan_key *app_key,
              const struct lorawan_key *nwk_key, const struct join_accept *a,
              const struct join_request *of, struct session_keys *ret);

/* ---- texts ---- */

/* Hexadecimal digits, most significant byte first, any case, ':' and '-' between bytes allowed.
 * 0 or -EINVAL. */
int lorawan_key_parse(const char *text, struct lorawan_key *ret);
int lorawan_eui_parse(const char *text, uint64_t *ret);
int lorawan_addr_parse(const char *text, uint32_t *ret);

/* Bytes in hexadecimal as above, or in base64 of either alphabet. 0, -EINVAL, -EMSGSIZE: more
 * than max. `ret` may have been written to on failure. */
int lorawan_bytes_parse(const char *text, uint8_t *ret, size_t max, size_t *ret_n);
