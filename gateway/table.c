/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"

#define DICTIONARY_MAX (SERIES_COLUMNS_MAX * 512) /* bytes: ids and units are bounded */
#define TIMEOUT_MS     1000 /* of a transaction, where neither device nor profile says */

static const struct device_conf *devices_of(const struct config *c)
{
    return c->devices.items;
}

static const struct correction_conf *correction_of(const struct device_conf *d,
                                                   const char *point)
{
    const struct correction_conf *c = d->channels.items;

    for (size_t i = 0; i < d->channels.n; i++) {
        if (strcmp(c[i].id, point) == 0)
            return &c[i];
    }
    return NULL;
}

/* A point becomes a channel when it measures a quantity and nobody switched it off. */
static bool is_channel(const struct device_conf *d, const struct profile_point *p)
{
    const struct correction_conf *c = correction_of(d, p->id);

    return d->is_enabled && p->quantity && p->role == POINT_MEASUREMENT &&
           !(c && !c->is_enabled);
}

static size_t count_readings(const struct config *c)
{
    const struct device_conf *d = devices_of(c);
    size_t n = 0;

    for (size_t i = 0; i < c->devices.n; i++) {
        for (size_t k = 0; k < d[i].profile_found->points_n; k++)
            n += is_channel(&d[i], &d[i].profile_found->points[k]);
    }
    return n;
}

static struct pipeline_channel treatment_of(const struct config *config,
                                            const struct device_conf *d,
                                            const struct profile_point *p)
{
    const struct correction_conf *c = correction_of(d, p->id);
    struct pipeline_channel t = { .factor = 1, .qc = config_quality(config, d, p) };

    if (c) {
        t.factor = c->factor;
        t.offset = c->offset;
    }
    return t;
}

static char *text_of(const char *a, const char *separator, const char *b)
{
    char *text = NULL;

    return asprintf(&text, "%s%s%s", a, separator, b) < 0 ? NULL : text;
}

/* Or may be, when a check has corrected it. */
static bool is_converted(const struct device_conf *d, const struct profile_point *p)
{
    const struct correction_conf *c = correction_of(d, p->id);

    return p->unit_from.at.space || !p->conversion.is_identity ||
           (c && (c->factor != 1 || c->offset != 0 || c->calibration.correct));
}

/* (x - zero) * k behind x = value * factor + offset */
void table_correct(struct table *t, uint32_t channel, const struct calibration_correction *k)
{
    struct pipeline_channel *p = &t->treatment[channel];
    const struct device_conf *d = devices_of(t->config);
    const struct correction_conf *c = NULL;

    for (size_t i = 0; i < t->config->devices.n && !c; i++) {
        if (strcmp(d[i].id, t->channel[channel].device) == 0)
            c = correction_of(&d[i], t->channel[channel].point);
    }
    p->factor = (c ? c->factor : 1) * k->factor;
    p->offset = ((c ? c->offset : 0) - k->zero) * k->factor;
}

static struct calibration_setup calibration_of(const struct device_conf *d,
                                               const struct profile_point *p)
{
    const struct correction_conf *c = correction_of(d, p->id);
    static const struct calibration_conf usual = {
        .every_ms = -1,
        .settle_ms = 5 * 60000,
        .measure_ms = 5 * 60000,
        .full = NAN,
        .limits = { NAN, NAN, NAN, NAN, NAN, NAN },
        .revise = CALIBRATION_REVISE_FLAG,
        .is_recognised = true,
    };

    return calibration_setup_of(c ? &c->calibration : &usual, p->quantity);
}

/* The columns of the stream of values as read: points that are channels and do not stay as
 * read. */
static int choose_raw_points(struct table *t, size_t device)
{
    const struct device_conf *d = &devices_of(t->config)[device];
    struct pipeline_device *pd = &t->device[device];
    uint32_t *points = calloc(d->profile_found->points_n + 1, sizeof *points);

    pd->raw_points = points;
    if (!points)
        return -ENOMEM;
    for (uint32_t i = 0; i < d->profile_found->points_n; i++) {
        if (pd->channel_of[i] != PIPELINE_NO_CHANNEL &&
            is_converted(d, &d->profile_found->points[i]))
            points[pd->raw_n++] = i;
    }
    return 0;
}

/* Channels and stream of one device's readings. */
static int add_device(struct table *t, size_t device)
{
    const struct device_conf *d = &devices_of(t->config)[device];
    struct channel_stream *s = &t->stream[t->channels.streams_n];
    int32_t *channel_of = calloc(d->profile_found->points_n + 1, sizeof *channel_of);

    t->device[device] = (struct pipeline_device){
        .id = d->id,
        .stream = (uint32_t)t->channels.streams_n++,
        .channel_of = channel_of,
        .points_n = d->profile_found->points_n,
    };
    *s = (struct channel_stream){
        .name = text_of("dev", ".", d->id),
        .first = (uint32_t)t->channels.n,
        .period_ms = d->poll_ms,
    };
    if (!channel_of || !s->name)
        return -ENOMEM;
    for (size_t i = 0; i < d->profile_found->points_n; i++) {
        const struct profile_point *p = &d->profile_found->points[i];
        channel_of[i] = PIPELINE_NO_CHANNEL;
        if (!is_channel(d, p) || s->n == SERIES_COLUMNS_MAX)
            continue;
        uint32_t at = (uint32_t)t->channels.n++;
        channel_of[i] = (int32_t)at;
        t->treatment[at] = treatment_of(t->config, d, p);
        t->calibration[at] = calibration_of(d, p);
        t->channel[at] = (struct channel){
            .id = text_of(d->id, "/", p->id),
            .device = d->id,
            .point = p->id,
            .quantity = p->quantity,
            .period_ms = d->poll_ms,
            .decimals = -1,
            .column = s->n++,
            .source = at,
        };
        if (!t->channel[at].id)
            return -ENOMEM;
    }
    return choose_raw_points(t, device);
}

/* ---- what other modules want to know of buses and devices ---- */

static struct bus_place tcp_place(const struct bus_tcp_conf *c)
{
    return (struct bus_place){
        .type = BUS_MODBUS_TCP,
        .host = c->host,
        .port = (uint16_t)c->port,
        .connect_timeout_ms = c->connect_timeout_ms,
    };
}

static struct bus_place rtu_place(const struct bus_rtu_conf *c)
{
    enum { OFF, HIGH, LOW }; /* the words of rts_on_send */

    return (struct bus_place){
        .type = BUS_MODBUS_RTU,
        .device = c->port,
        .baud = (int)c->baud,
        .data_bits = c->format[0] - '0', /* "8N1": its form was checked */
        .parity = c->format[1],
        .stop_bits = c->format[2] - '0',
        .pause_ms = c->pause_ms,
        .rs485 = { .is_on = c->rs485.rts_on_send != OFF,
                   .is_rts_low_on_send = c->rs485.rts_on_send == LOW,
                   .before_ms = (int)c->rs485.before_ms,
                   .after_ms = (int)c->rs485.after_ms },
    };
}

static struct bus_place modem_place(const struct bus_modem_conf *c)
{
    struct bus_place place = rtu_place(&c->line);

    place.type = BUS_LORA_SERIAL;
    place.modem = (struct lora_modem){ .rate = (enum serial_modem_rate)c->air_rate,
                                       .packet = lora_modem_packet(c),
                                       .repeaters = (int)c->repeaters,
                                       .wor_ms = c->wor_ms,
                                       .has_lbt = c->has_lbt };
    place.radio = lora_modem_radio(c);
    place.air_share = c->share;
    return place;
}

static struct bus_place rtu_tcp_place(const struct bus_rtu_tcp_conf *c)
{
    struct bus_place place = tcp_place(&c->tcp);

    place.type = BUS_MODBUS_RTU_TCP;
    place.pause_ms = c->pause_ms;
    return place;
}

static void describe_bus(const struct bus_conf *c, struct poll_bus *ret)
{
    const char *kind = c->type.kind->name;

    ret->id = c->id;
    const struct bus_bridge_conf *bridge = lora_bridge_of(c);

    if (lora_bus_is(c))
        ret->place.type = BUS_NONE;
    else if (bridge) /* the carrier is there when gateway/lora is */
        ret->place =
            (struct bus_place){ .type = BUS_MODBUS_CARRIED, .reply_ms = bridge->reply_ms };
    else if (lora_modem_of(c))
        ret->place = modem_place(lora_modem_of(c));
    else if (strcmp(kind, "modbus-tcp") == 0)
        ret->place = tcp_place(c->type.options);
    else if (strcmp(kind, "modbus-rtu-tcp") == 0)
        ret->place = rtu_tcp_place(c->type.options);
    else
        ret->place = rtu_place(c->type.options);
}

static void describe_device(struct table *t, size_t i)
{
    const struct device_conf *d = &devices_of(t->config)[i];
    const struct profile *p = d->profile_found;
    const struct pipeline_device *pd = &t->device[i];
    const struct channel_stream *s = &t->stream[pd->stream];
    int64_t timeout_ms = d->timeout_ms > 0 ? d->timeout_ms : p->timeout_ms;
    int64_t unit = d->unit >= 0 ? d->unit : p->serial.unit;

    t->poll_device[i] = (struct poll_device){
        .id = d->id,
        .profile = p,
        .bus = (uint32_t)(d->bus_found - (const struct bus_conf *)t->config->buses.items),
        .unit = (uint8_t)(unit > 0 ? unit : 1),
        .order = d->order - 1,
        .interval_ms = d->poll_ms,
        .timeout_ms = timeout_ms > 0 ? timeout_ms : TIMEOUT_MS,
        .is_enabled = d->is_enabled,
    };
    t->live_device[i] = (struct live_device){
        .id = d->id,
        .en = d->names.en ? d->names.en : p->en,
        .zh = d->names.zh ? d->names.zh : p->zh,
        .profile = p->id,
        .bus = d->bus,
        .medium = s->n ? t->channel[s->first].quantity->medium : MEDIUM_STATION,
        .state = d->is_enabled ? DEVICE_WAITING : DEVICE_DISABLED,
    };
}

static bool allocate(struct table *t, size_t readings_n)
{
    size_t statistics_n = table_statistics_n(t->config);
    size_t indices_n = table_indices_n(t->config);
    size_t channels_n = readings_n + statistics_n + indices_n * PIPELINE_INDEX_COLUMNS + 1;
    size_t devices_n = t->config->devices.n + 1;
    size_t streams_n = devices_n + table_statistics_streams_n(statistics_n) + indices_n;

    t->channel = calloc(channels_n, sizeof *t->channel);
    t->treatment = calloc(channels_n, sizeof *t->treatment);
    t->calibration = calloc(channels_n, sizeof *t->calibration);
    t->stream = calloc(streams_n, sizeof *t->stream);
    t->index = calloc(indices_n + 1, sizeof *t->index);
    t->device = calloc(devices_n, sizeof *t->device);
    t->poll_device = calloc(devices_n, sizeof *t->poll_device);
    t->live_device = calloc(devices_n, sizeof *t->live_device);
    t->bus = calloc(t->config->buses.n + 1, sizeof *t->bus);
    return t->channel && t->treatment && t->calibration && t->stream && t->index && t->device &&
           t->poll_device && t->live_device && t->bus;
}

static int fill(struct table *t)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < t->config->devices.n; i++)
        rc = add_device(t, i);
    if (rc == 0)
        rc = table_relate(t);
    if (rc == 0)
        rc = table_add_watches(t);
    if (rc == 0)
        rc = table_add_statistics(t);
    if (rc == 0)
        rc = table_add_indices(t);
    if (rc == 0)
        rc = table_add_rules(t);
    for (size_t i = 0; rc == 0 && i < t->config->buses.n; i++)
        describe_bus(&((const struct bus_conf *)t->config->buses.items)[i], &t->bus[i]);
    for (size_t i = 0; rc == 0 && i < t->config->devices.n; i++)
        describe_device(t, i);
    return rc == 0 ? table_add_lora(t) : rc;
}

int table_create(const struct config *config, struct table **ret)
{
    struct table *t = calloc(1, sizeof *t);

    if (!t)
        return -ENOMEM;
    t->config = config;
    size_t readings_n = count_readings(config);
    int rc = allocate(t, readings_n) ? fill(t) : -ENOMEM;
    t->channels.station = config->station.id;
    t->channels.zone_ms = config->station.zone_ms;
    t->channels.channels = t->channel;
    t->channels.streams = t->stream;
    if (rc < 0) {
        table_destroy(t);
        return rc;
    }
    *ret = t;
    return 0;
}

void table_destroy(struct table *t)
{
    if (!t)
        return;
    for (size_t i = 0; t->channel && i < t->channels.n; i++)
        free((char *)t->channel[i].id);
    for (size_t i = 0; t->stream && i < t->channels.streams_n; i++)
        free((char *)t->stream[i].name);
    for (size_t i = 0; t->device && i < t->config->devices.n; i++) {
        free((int32_t *)t->device[i].channel_of);
        free((uint32_t *)t->device[i].raw_points);
    }
    table_forget_peers(t);
    table_forget_lora(t);
    free(t->bus);
    free(t->live_device);
    free(t->poll_device);
    table_forget_rules(t);
    free(t->watch);
    free(t->index);
    free(t->device);
    free(t->stream);
    free(t->calibration);
    free(t->treatment);
    free(t->channel);
    free(t);
}

/* ---- streams in the log ---- */

/* The word of the series dictionary (section 9) for how a statistic was formed. */
static const char *aggregate_word(const struct channel *ch)
{
    static const char *const words[] = {
        [AGG_MEAN] = "mean",   [AGG_VECTOR] = "mean", [AGG_ENERGY] = "leq",
        [AGG_COUNTS] = "mean", [AGG_SUM] = "sum",     [AGG_DIFF] = "sum",
        [AGG_LAST] = "last",   [AGG_MAX] = "max",     [AGG_MIN] = "min",
    };
    static const struct {
        enum agg_figure figure;
        const char *word;
    } figures[] = {
        { AGG_FIGURE_MIN, "min" },   { AGG_FIGURE_MAX, "max" },     { AGG_FIGURE_N, "sum" },
        { AGG_FIGURE_MAX8H, "max" }, { AGG_FIGURE_LD, "leq" },      { AGG_FIGURE_LN, "leq" },
        { AGG_FIGURE_LDN, "leq" },   { AGG_FIGURE_VECTOR, "mean" },
    };

    struct agg_want w;
    char why[128];

    if (!ch->statistic || ch->is_index ||
        agg_want_parse(ch->statistic, &w, why, sizeof why) < 0)
        return "none";
    if (w.figure == AGG_VALUE)
        return words[ch->quantity->agg];
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        if (figures[i].figure == w.figure)
            return figures[i].word;
    return "none"; /* percentiles and the like: the id says it */
}

static const char *unit_of(const struct channel *ch)
{
    struct agg_want w = { .figure = AGG_VALUE };
    char why[128];

    if (ch->is_index && strchr(ch->statistic, '.'))
        return "1"; /* a code */
    if (ch->statistic)
        agg_want_parse(ch->statistic, &w, why, sizeof why);
    return agg_unit(ch->quantity, w.figure);
}

static void begin_dictionary(const struct table *t, int64_t period_ms, struct buf *b)
{
    buf_clear(b);
    buf_puts(b, "{\"sf1\":1,\"station\":");
    buf_json(b, t->channels.station);
    buf_printf(b, ",\"period_ms\":%lld,\"unit_ms\":1,\"channels\":[", (long long)period_ms);
}

static void write_dictionary(const struct table *t, const struct channel_stream *s,
                             struct buf *b)
{
    begin_dictionary(t, s->period_ms, b);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct channel *ch = &t->channel[s->first + i];
        buf_puts(b, i ? ",{\"id\":" : "{\"id\":");
        buf_json(b, ch->id);
        buf_puts(b, ",\"quantity\":");
        buf_json(b, ch->quantity->id);
        buf_puts(b, ",\"unit\":");
        buf_json(b, unit_of(ch));
        if (ch->decimals >= 0)
            buf_printf(b, ",\"decimals\":%d", ch->decimals);
        buf_printf(b, ",\"aggregate\":\"%s\"}", aggregate_word(ch));
    }
    buf_puts(b, "]}");
}

static int open_stream(struct table *t, struct channel_stream *s, struct store *store,
                       struct buf *dictionary)
{
    struct series_hint hints[SERIES_COLUMNS_MAX];

    if (s->n == 0)
        return 0; /* a device without channels has no stream */
    for (uint32_t i = 0; i < s->n; i++)
        hints[i] = (struct series_hint){ .decimals = t->channel[s->first + i].decimals };
    write_dictionary(t, s, dictionary);
    const char *json = buf_text(dictionary);
    if (!json)
        return -ENOMEM;
    int rc = store_stream_open(store, s->name, s->n, s->period_ms, 1, hints, json, &s->number);
    for (uint32_t i = 0; rc == 0 && i < s->n; i++)
        t->channel[s->first + i].stream = s->number;
    return rc;
}

/* The values as read: "local" keeps the stream in the station. */
static int open_raw_stream(struct table *t, size_t device, struct store *store, struct buf *b)
{
    struct pipeline_device *pd = &t->device[device];
    const struct device_conf *d = &devices_of(t->config)[device];
    char name[96];

    if (pd->raw_n == 0)
        return 0;
    begin_dictionary(t, d->poll_ms, b);
    for (uint32_t i = 0; i < pd->raw_n; i++) {
        const struct profile_point *p = &d->profile_found->points[pd->raw_points[i]];
        buf_puts(b, i ? ",{\"id\":" : "{\"id\":");
        snprintf(name, sizeof name, "%s/%s@raw", d->id, p->id);
        buf_json(b, name);
        buf_printf(b, ",\"quantity\":\"%s\",\"unit\":", p->quantity->id);
        buf_json(b, p->unit ? p->unit->code : "1"); /* told by a register: the profile knows */
        buf_puts(b, "}");
    }
    buf_puts(b, "],\"local\":true}");
    const char *json = buf_text(b);
    if (!json)
        return -ENOMEM;
    snprintf(name, sizeof name, "raw.%s", d->id);
    return store_stream_open(store, name, pd->raw_n, d->poll_ms, 1, NULL, json,
                             &pd->raw_stream);
}

int table_open_streams(struct table *t, struct store *store)
{
    struct buf dictionary = BUF_INIT(DICTIONARY_MAX);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < t->channels.streams_n; i++)
        rc = open_stream(t, &t->stream[i], store, &dictionary);
    for (size_t i = 0; rc == 0 && i < t->config->devices.n; i++)
        rc = open_raw_stream(t, i, store, &dictionary);
    buf_done(&dictionary);
    return rc;
}
