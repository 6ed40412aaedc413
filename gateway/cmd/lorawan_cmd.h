/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lorawan_cmd - what `sluice lorawan decode` and `encode` have in common: options, keys, and a
 * frame taken apart.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gateway/cmd/cmd.h"
#include "gateway/lorawan/frame.h"

enum lorawan_key_kind {
    KEY_NWK_S,
    KEY_APP_S,
    KEY_APP,
    KEY_NWK,
    KEY_F_NWK_S_INT,
    KEY_S_NWK_S_INT,
    KEY_NWK_S_ENC,
    KEY_KINDS
};

struct lorawan_options {
    const char *key[KEY_KINDS]; /* hexadecimal; NULL: not given */
    const char *keys;           /* file of them */
    const char *fcnt, *fcnt_high, *dev_nonce, *join_eui, *dev_eui;
    int64_t conf_fcnt, tx_dr, tx_ch;
    /* encode */
    const char *dev_addr, *port, *fopts, *payload, *join_nonce, *net_id, *cf_list;
    int64_t rx1_dr_offset, rx2_dr, rx_delay;
    bool is_adr, is_adr_ack_req, is_ack, is_class_b, is_f_pending, is_opt_neg, is_base64;
    bool is_json;
};

struct lorawan_keys {
    struct lorawan_key key[KEY_KINDS];
    bool has[KEY_KINDS];
    bool is_1_1;                 /* session keys of 1.1 are among them */
    struct session_keys session; /* of either version; what is missing is 0 */
};

/* "--what: en/zh sentence" on standard error. Returns EXIT_USAGE. */
int lorawan_wrong(const char *what, const char *en, const char *zh);

/* Of the options and of the file that --keys names. 0, or EXIT_USAGE: told. */
int lorawan_keys_read(const struct lorawan_options *o, struct lorawan_keys *ret);
/* Whether the MIC of a data frame of that direction can be made, and its FRMPayload. */
bool lorawan_can_sign(const struct lorawan_keys *k, bool is_up);
bool lorawan_can_crypt(const struct lorawan_keys *k, int fport);
/* NwkKey, else AppKey: the one that joins are signed with; NULL without any. */
const struct lorawan_key *lorawan_root(const struct lorawan_keys *k);

/* A number 0..max of an option, decimal or 0x...; NULL leaves *ret alone. 0, or EXIT_USAGE:
 * told. */
int lorawan_number(const char *option, const char *text, uint32_t max, uint32_t *ret);
/* The request that --join-eui, --dev-eui and --dev-nonce describe; same results. */
int lorawan_request(const struct lorawan_options *o, struct join_request *ret);

enum lorawan_verdict {
    MIC_RIGHT,
    MIC_WRONG,
    MIC_NO_KEY,
    MIC_NO_REQUEST, /* a join accept of 1.1 without what it answers */
    MIC_NONE,       /* this type is not checked */
    MIC_VERDICTS
};

struct lorawan_decoded {
    struct frame frame;
    enum lorawan_verdict verdict;
    bool is_1_1;
    uint32_t fcnt;               /* data: all 32 bits */
    bool is_fcnt_sure;           /* given, or the MIC is right with it */
    bool has_payload, has_fopts; /* in the clear */
    uint8_t payload[FRAME_PAYLOAD_MAX], fopts[FRAME_FOPTS_MAX];
    bool has_accept, has_session;
    struct join_accept accept;
    uint8_t plain[JOIN_ACCEPT_SIZE_MAX]; /* a join accept, decrypted */
    struct session_keys session;
};

/* Takes `f` apart. 0, EXIT_USAGE (told: an option does not go with it) or -EIO. */
int lorawan_decode(struct crypto *c, const struct lorawan_options *o,
                   const struct lorawan_keys *k, const struct frame *f,
                   struct lorawan_decoded *ret);

/* Bytes as hexadecimal digits; `out` has 2 n + 1. */
void lorawan_hex(const uint8_t *bytes, size_t n, char *out);
void lorawan_print(const struct lorawan_decoded *d); /* for people, in their language */
/* One JSON object on one line; 0 or -EIO. */
int lorawan_print_json(const struct lorawan_decoded *d);

/* `sluice lorawan encode TYPE`: an exit status. */
int lorawan_encode(const struct lorawan_options *o, const char *type);
