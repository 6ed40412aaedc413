/* SPDX-License-Identifier: Apache-2.0 */
/* lora_conf - options of LoRa buses and devices, as bound from the configuration. */
#pragma once

#include "gateway/lorawan/network.h"
#include "gateway/lorawan/serial_modem.h"
#include "sensors/core/field.h"

struct lora_gateway_conf { /* one concentrator */
    const char *id;
    const char *eui;  /* hexadecimal */
    const char *from; /* address or network; NULL: any */
    int64_t keepalive_ms;
    bool is_gps;
    int schedule;     /* enum: early, late */
    int64_t max_eirp; /* dBm; -1: the region's */
    struct field_mark mark;
};

/* type: lora-udp. Packet forwarders, and the station's own network server behind them. */
struct bus_lora_udp_conf {
    const char *listen;
    const char *region;
    struct field_array gateways; /* struct lora_gateway_conf */
    const char *keys;            /* secret: lines of lora_keys_parse() */
    const char *net_id;          /* hexadecimal */
    int64_t rx1_delay_ms;
    int64_t rx1_dr_offset;
    int64_t rx2_dr;               /* -1: the region's */
    double rx2_mhz;               /* NaN: the region's */
    int rx1;                      /* enum: region, same */
    const char *channels;         /* fixed plans: "80-87"; NULL: all */
    struct field_array extra_mhz; /* const char *: dynamic plans, "867.1" */
    double adr_margin;
    bool is_down_dwell;
    int64_t dedupe_ms;
};

/* type: chirpstack, ttn. A LoRaWAN network server elsewhere, over MQTT. */
struct bus_lns_conf {
    const char *url, *username, *password, *ca, *client_id;
    const char *application, *topic, *storage;
};

enum { LORA_PREFIX_MAX = 16 };

/* type: modbus-lorawan. An RS-485 line behind a LoRaWAN device of class C. */
struct bus_bridge_conf {
    const char *device; /* id of the bridge */
    int64_t fport;
    const char *prefix; /* hexadecimal, before each frame down; NULL: none */
    int64_t strip;      /* bytes before each frame that comes up */
    int64_t reply_ms;
};

/* Keys of one device, of its bus's keys. */
struct lora_keys {
    uint64_t dev_eui;
    unsigned has; /* 1 << enum lora_key_name */
    struct lorawan_key key[6];
};
enum lora_key_name {
    LORA_APP_KEY,
    LORA_NWK_KEY,
    LORA_APP_S_KEY,
    LORA_F_NWK_S_INT_KEY, /* 1.0: NwkSKey */
    LORA_S_NWK_S_INT_KEY,
    LORA_NWK_S_ENC_KEY,
    LORA_KEY_NAMES
};

/* Of a device: "lora:" */
struct lora_conf {
    const char *dev_eui, *join_eui; /* hexadecimal; NULL: not a LoRa device / any JoinEUI */
    const char *dev_addr;           /* ABP; NULL: OTAA */
    int version;                    /* enum lorawan_version, by its words */
    int device_class;               /* enum lorawan_class */
    int nonces;                     /* enum nonce_policy */
    int adr;                        /* enum adr_mode */
    const char *codec;              /* a script instead of the profile's; NULL */
    struct field_array variables;   /* struct lora_variable_conf: for the script */
    /* filled by config_load */
    uint64_t eui;
    const struct lora_keys *keys; /* NULL: there are none */
};

struct lora_variable_conf {
    const char *id, *value;
};

/*
 * Lines "DEVEUI name=key ...": app_key, nwk_key (OTAA), nwk_s_key, app_s_key (ABP 1.0),
 * f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key (ABP 1.1); blank lines and those that begin
 * with '#' are passed over. Calls `each` for every line's keys; 0, or the number of the first
 * line that is wrong with a full sentence in `why`, which never shows a key.
 */
int lora_keys_parse(const char *text, void (*each)(void *user, const struct lora_keys *k),
                    void *user, char *why, size_t size);

/* Whether devices of that bus speak by themselves: `lora:` is theirs. */
struct bus_conf;
bool lora_bus_is(const struct bus_conf *bus);
const struct bus_lora_udp_conf *lora_udp_of(const struct bus_conf *bus); /* NULL: is none */
const struct bus_lns_conf *lora_lns_of(const struct bus_conf *bus);
const struct bus_bridge_conf *lora_bridge_of(const struct bus_conf *bus);
struct bus_modem_conf; /* config.h */
const struct bus_modem_conf *lora_modem_of(const struct bus_conf *bus);

int lora_modem_packet(const struct bus_modem_conf *m); /* bytes */
const char *lora_modem_radio(const struct bus_modem_conf *m);

/* Bits of "0-7,64" into a mask of region_channels_n() bits. 0 or -EINVAL. */
int lora_channels_parse(const char *text, unsigned channels_n, uint8_t *mask);
