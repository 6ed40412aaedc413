/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - a station's configuration as const structs, and the call that makes it from files.
 *
 * Main file plus the .yaml files of conf.d beside it, in sorted order (lists are joined,
 * anything else may stand in one file only). Bound by field tables, defaults applied,
 * references checked; nothing here knows a module: app.c hands in the tables of uplink and bus
 * kinds. All texts and arrays live as long as the config.
 */
#pragma once

#include "gateway/conf/diag.h"
#include "gateway/conf/lora_conf.h"
#include "rules/agg/plan.h"
#include "rules/alert/alert.h"
#include "rules/calibration/options.h"
#include "rules/qc/options.h"
#include "rules/watch/watch.h"
#include "sensors/core/field.h"
#include "sensors/profile/profile.h"

struct names {
    const char *en, *zh;
};

struct station_conf {
    const char *id;     /* [a-z0-9-]+ */
    const char *region; /* MQTT topic level, [a-z0-9-]+ */
    struct names names;
    double lat, lon, alt; /* degrees WGS 84, metres; NaN when not given */
    const char *zone;     /* "+08:00": a fixed offset */
    int64_t zone_ms;      /* the same in milliseconds east of UTC */
    const char *night;    /* "22-6": for Ld, Ln and Ldn */
};

struct bus_conf {
    const char *id;
    struct field_variant type; /* modbus-tcp: struct bus_tcp_conf, modbus-rtu: bus_rtu_conf,
                                * modbus-rtu-tcp: bus_rtu_tcp_conf, lora-udp: bus_lora_udp_conf,
                                * chirpstack, ttn: bus_lns_conf, lora-serial: bus_modem_conf */
    struct field_mark mark;
};

struct bus_tcp_conf {
    const char *host; /* name or address */
    int64_t port;
    int64_t connect_timeout_ms;
};

struct bus_rs485_conf { /* direction control by the driver */
    int rts_on_send;    /* enum: off, high, low */
    int64_t before_ms, after_ms;
};

struct bus_rtu_conf {
    const char *port; /* /dev/serial/by-id/..., or a pty */
    int64_t baud;
    const char *format; /* "8N1", "8E1", "8O1", "8N2", "8E2", "8O2" */
    int64_t pause_ms;   /* silence between frames, at least the standard's 3.5 characters */
    struct bus_rs485_conf rs485;
};

struct bus_rtu_tcp_conf { /* RTU frames over TCP, the first members as those of TCP */
    struct bus_tcp_conf tcp;
    int64_t pause_ms;
};

struct bus_modem_conf {       /* lora-serial: Modbus RTU over transparent LoRa modems */
    struct bus_rtu_conf line; /* the first members as those of modbus-rtu */
    int air_rate;             /* enum serial_modem_rate */
    int packet;               /* enum: see lora_modem_packet() */
    const char *radio;        /* NULL: the port is alone on its channel */
    double share;             /* of the channel's time on the air, at most */
    int64_t repeaters;
    int64_t wor_ms;
    bool has_lbt;
};

struct correction_conf {               /* one point of a device: "channels:" map */
    const char *id;                    /* the profile's point */
    double factor, offset;             /* canonical = (value as converted) * factor + offset */
    struct field_range range, suspect; /* gross range test, canonical unit; NaN: defaults */
    int64_t stuck;        /* equal raw values that make it stuck; -1: the default; 0: never */
    struct qc_options qc; /* further checks */
    struct calibration_conf calibration;
    struct field_array statistics; /* const char *: "1h.l90"; none: those of the quantity */
    double dead_us, wrap;          /* 0: none */
    bool is_enabled;
    struct field_mark mark;
};

struct quality_conf { /* the same checks for all channels of a quantity: "qc:" map */
    const char *id;   /* the quantity */
    struct field_range range, suspect;
    int64_t stuck;
    struct qc_options qc;
};

struct device_conf {
    const char *id;
    struct names names;
    const char *profile; /* id */
    const char *bus;     /* id */
    int64_t unit;        /* Modbus unit, 0..255; -1: the profile's default */
    int64_t poll_ms;
    int64_t timeout_ms; /* -1: the profile's */
    int order;          /* enum word_order + 1; 0: the profile's */
    bool is_enabled;
    struct field_array channels; /* struct correction_conf */
    struct lora_conf lora;       /* dev_eui NULL: not a LoRa device */
    struct field_mark mark;
    /* filled by config_load from the references */
    const struct profile *profile_found;
    const struct bus_conf *bus_found;
};

struct level_conf {
    const char *id;       /* blue, yellow, orange, red */
    double set, clear;    /* canonical unit of the quantity; clear not given: 5 % from set */
    const char *on, *off; /* "2 of 3" or a duration; off not given: twice as long as on */
    int64_t min_ms;       /* shortest time it stays */
    struct field_mark mark;
};

struct response_conf { /* how a colour is to be answered; facts: alerting section 3 */
    const char *id;    /* blue, yellow, orange, red */
    int64_t ack_ms, triage_ms, route_ms, handle_ms, verify_ms; /* -1: not said; 0: no limit */
    const char *route, *escalate_to;                           /* NULL: not said */
    struct field_mark mark;
};

struct alerts_conf {              /* of all rules that say nothing else */
    struct field_array responses; /* struct response_conf */
    int64_t flap, flood, shelve_max_ms, reopen_ms;
};

/* What a back-test said of the rule (sluice replay --labels); nothing is judged by it. */
struct backtest_conf {
    const char *date, *from, *to, *version;                         /* NULL: not said */
    double raised, events, missed, wrong, wrong_per_month, delay_s; /* NaN */
};

#define RULE_INHIBITED_BY_FAULT "fault"

struct rule_conf { /* facts: alerting section 2; compiled by rules/alert */
    const char *id;
    struct names title;
    int kind; /* enum: environmental, notice */
    bool is_enabled;
    const char *quantity, *medium, *device; /* selector; NULL: any */
    const char *unit;  /* the levels are written in it; config_load converts them and leaves the
                        * canonical one here. NULL: canonical */
    const char *input; /* "raw", "mean(1min)", "mean(1h)" */
    double k;          /* of an input over some time; NaN: as usual */
    int direction;     /* enum alert_direction */
    int at_limit;      /* enum: exceeded, kept */
    int64_t decimals;  /* to which values are rounded before they are judged; -1: not at all */
    struct field_array inhibit_by;    /* const char *: ids of rules, or "fault" */
    const char *when, *suppress_when; /* rules/alert/expression.h; NULL: none */
    struct field_array levels;        /* struct level_conf */
    double valid_share;
    struct field_array grades; /* const char *: of samples that count; none: good, suspect */
    int over_range;            /* enum: as_limit, ignore */
    int64_t hold_samples;      /* after a gap */
    int64_t stale_ms;          /* -1: three intervals */
    int64_t rearm_ms;
    int64_t flap; /* raises in an hour; -1: the station's */
    struct field_array
        responses;      /* struct response_conf; what they do not say is the station's */
    const char *source; /* of its thresholds: standard and clause */
    struct backtest_conf backtest;
    struct field_mark mark;
};

struct pack_rule_conf { /* of one rule of a pack */
    const char *id;     /* without the prefix */
    bool is_enabled;
};

struct pack_conf {             /* rules/packs, gateway/conf/packs.h */
    const char *id;            /* prefix of its rules' ids; the pack's name when not given */
    struct field_variant pack; /* options: struct pack_options */
    const char *device;        /* whose channels; NULL: any */
    struct field_array rules;  /* struct pack_rule_conf */
    struct field_mark mark;
};

enum pack_absence { PACK_NO_CHANNEL, PACK_SWITCHED_OFF, PACK_REPLACED };
struct pack_absent { /* a rule of a pack that is not in force */
    const char *id;
    enum pack_absence why;
};

struct watch_conf {                /* rules/watch */
    const char *quantity, *device; /* whose channels; device NULL: any */
    double above, below;           /* the limits of their alerts; NaN: none */
    double resolution;             /* NaN: the last decimal of the quantity */
    /* What is beside, POINT of the same device or DEVICE/POINT; NULL: nothing. */
    const char *wind, *rain, *twin;
    struct field_array neighbours; /* const char * */
    struct field_mark mark;
};

struct index_conf {
    struct field_array standards; /* const char *: ids of rules/index; none: no index */
    struct field_array from;      /* const char *: "roof-o3/ozone"; else the first device's */
    struct field_array unplanned, clean; /* const char *: pollutants outside the plan */
    bool is_negative_zero;
};

struct uplink_conf {
    const char *id;
    struct field_variant type; /* options of the kind */
    bool is_enabled;
    const char *fallback; /* id of the uplink that takes over; NULL: none */
    int64_t failover_ms;
    struct field_mark mark;
};

struct http_conf {
    const char *listen; /* "127.0.0.1:8080"; "" or "off": no page */
};

enum log_codec { LOG_CODEC_AUTO, LOG_CODEC_DENSE, LOG_CODEC_PLAIN };

struct log_conf {
    const char *path;
    int64_t commit_ms, seal_ms, seal_rows;
    int codec; /* enum log_codec */
    int64_t size_max, ballast, age_max_ms;
};

struct config {
    const char *path; /* of the main file */
    struct station_conf station;
    struct field_array buses;        /* struct bus_conf */
    struct field_array devices;      /* struct device_conf */
    struct field_array qualities;    /* struct quality_conf */
    struct field_array watches;      /* struct watch_conf */
    struct field_array packs;        /* struct pack_conf */
    struct field_array absent;       /* struct pack_absent: filled by config_load */
    struct field_array rules;        /* struct rule_conf, those of packs behind the station's */
    struct field_array uplinks;      /* struct uplink_conf */
    struct field_array profile_dirs; /* const char *: searched before the built-in profiles */
    struct alerts_conf alerts;
    struct index_conf index;
    struct http_conf http;
    struct log_conf log;
    const char *control; /* path of the control socket */
};

/*
 * Read, bind and check. uplink_kinds: closed table of the kinds that `uplinks: type` may name.
 * Returns 0 and *ret, or -EINVAL with every message in `d`. Profiles that devices name are
 * loaded (and linted) here and owned by the config.
 */
int config_load(const char *path, const struct field_kind *uplink_kinds, struct diag *d,
                struct config **ret);
void config_destroy(struct config *c);

/* The same of one text named `name`, without conf.d: for tests and fuzzing. */
int config_load_text(const char *name, const char *text, size_t size,
                     const struct field_kind *uplink_kinds, struct diag *d,
                     struct config **ret);

/* The quantity of an air quality index; whether the station forms one of that quantity (NULL:
 * no). */
struct index_scheme;
const struct quantity *config_index_quantity(const struct index_scheme *s);
bool config_has_index(const struct config *c, const struct quantity *q);

/* What decides when a rule raises, as text: the same text, the same version of the rule. */
int config_print_rule(const struct rule_conf *r, FILE *out);

/* Channels that the enabled devices give: points that measure a quantity, not switched off. */
size_t config_channels(const struct config *c);

/*
 * What a channel is judged by: its own settings over the station's for the quantity, over the
 * profile's range, over what is usual. Relations and references are not in it: who they are
 * compared with is found by config_peer().
 */
struct qc_config config_quality(const struct config *c, const struct device_conf *d,
                                const struct profile_point *p);
struct quality_peers {
    const struct qc_relation_conf *relations;
    const struct qc_reference_conf *references;
    size_t relations_n, references_n;
    bool has_usual; /* those of qc_default_relations() count, too */
};
struct quality_peers config_quality_peers(const struct config *c, const struct device_conf *d,
                                          const struct profile_point *p);
/* "DEVICE/POINT", or "POINT" of the device `d`: false when there is no such channel. */
bool config_peer(const struct config *c, const struct device_conf *d, const char *name,
                 const struct device_conf **ret_device, const struct profile_point **ret_point);

struct statistics_conf { /* of one reading */
    struct agg_want w[AGG_WANTS_MAX];
    size_t n;
};
/* Those that its configuration names, else the default of its quantity; without those that
 * cannot be formed because it is polled too seldom. */
struct statistics_conf config_statistics(const struct device_conf *d,
                                         const struct profile_point *p);

/* What of the samples a rule may judge. */
struct alert_gate config_rule_gate(const struct rule_conf *r);

/* What watches the channel of a point; NULL: nothing does. *ret: how, but for what is beside.
 */
const struct watch_conf *config_watch(const struct config *c, const struct device_conf *d,
                                      const struct profile_point *p, struct watch_config *ret);
/* The names of what is beside, in the order of enum watch_aside; returns how many. */
size_t config_watch_aside(const struct watch_conf *w, enum watch_aside a,
                          const char *const **ret_names);

/* The effective configuration as YAML, defaults included, secrets as "***". Loads again to the
 * same configuration, apart from the secrets. 0 or -EIO. */
int config_print(const struct config *c, FILE *out);

/* The root field table, for help and reference pages. */
extern const struct field config_fields[];
