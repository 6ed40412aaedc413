/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/tail_frames.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/control/client.h"

/* ---- reading ---- */

static int take_fate(const char *name, enum bus_fate *ret)
{
    for (int f = 0; f < BUS_FATE_COUNT_; f++) {
        if (strcmp(bus_fate_name((enum bus_fate)f), name) != 0)
            continue;
        *ret = (enum bus_fate)f;
        return 0;
    }
    return -EINVAL;
}

static int take_hex(const char *text, struct record_line *l)
{
    char *end;

    for (l->n = 0; *text; l->n++) {
        unsigned long byte = strtoul(text, &end, 16);
        if (l->n == RECORD_FRAME_MAX || end != text + 2 || byte > 255)
            return -EINVAL;
        l->bytes[l->n] = (uint8_t)byte;
        text = *end == ' ' ? end + 1 : end;
    }
    return l->n ? 0 : -EINVAL;
}

static int take_frame(const json_t *frame, struct record_line *ret)
{
    const char *time, *bus, *framing, *fate, *hex, *device = "";
    struct record_line l = { 0 };
    int unit;

    if (json_unpack((json_t *)frame, "{s:s, s:s, s:s, s:s, s:s, s:i}", "time", &time, "bus",
                    &bus, "framing", &framing, "fate", &fate, "hex", &hex, "unit", &unit))
        return -EINVAL;
    const char *id = json_string_value(json_object_get(frame, "device"));
    device = id ? id : device;
    if (strlen(bus) > RECORD_ID_MAX || strlen(device) > RECORD_ID_MAX || unit < 0 ||
        unit > 255 || record_parse_time(time, strlen(time), &l.time_ms) ||
        take_fate(fate, &l.fate) || take_hex(hex, &l))
        return -EINVAL;
    snprintf(l.bus, sizeof l.bus, "%s", bus);
    snprintf(l.device, sizeof l.device, "%s", device);
    l.unit = (uint8_t)unit;
    l.is_tcp = strcmp(framing, "tcp") == 0;
    *ret = l;
    return 0;
}

int tail_frame_read(const char *line, struct record_line *ret, uint64_t *ret_dropped)
{
    json_t *root = json_loads(line, 0, NULL);
    const json_t *frame = json_object_get(root, "frame");
    const json_t *dropped = json_object_get(root, "dropped");
    int rc = frame ? take_frame(frame, ret) : root ? 1 : -EINVAL;

    *ret_dropped = json_is_integer(dropped) ? (uint64_t)json_integer_value(dropped) : 0;
    json_decref(root);
    return rc;
}

/* ---- showing ---- */

/* What became of an answer that was not taken. */
static const char *fate_text(enum bus_fate fate)
{
    static const struct {
        const char *en, *zh;
    } texts[BUS_FATE_COUNT_] = {
        [BUS_REFUSED] = { "exception", "异常应答" },
        [BUS_LATE] = { "late, dropped", "迟到，已丢弃" },
        [BUS_FOREIGN] = { "answers something else, dropped", "不是本请求的应答，已丢弃" },
        [BUS_DAMAGED] = { "damaged, dropped", "已损坏，已丢弃" },
    };

    return say_zh() ? texts[fate].zh : texts[fate].en;
}

/* "07:04:56.123  line-1  17  roof-o3   > 11 04 00 12 00 02 D3 5E" */
static void print_frame(const struct record_line *l)
{
    const char *text = fate_text(l->fate);
    char time[TIME_TEXT_MAX];

    time_print_utc(l->time_ms, time);
    printf("%.12s  %-12s %3u  %-20s %c", time + 11, l->bus, l->unit,
           l->device[0] ? l->device : "-", l->fate == BUS_SENT ? '>' : '<');
    for (size_t i = 0; i < l->n; i++)
        printf(" %02X", l->bytes[i]);
    printf("%s%s\n", text ? "   " : "", text ? text : "");
}

/* A LoRaWAN frame has no unit and other fates: "07:04:56.123  air  soil-1  < 40 .. taken". */
static bool take_lora(const char *line, const char *filter, bool is_json)
{
    json_t *root = json_loads(line, 0, NULL);
    const char *time, *bus, *framing, *fate, *hex;
    const char *device =
        json_string_value(json_object_get(json_object_get(root, "frame"), "device"));
    bool is_lora =
        json_unpack(root, "{s:{s:s, s:s, s:s, s:s, s:s}}", "frame", "time", &time, "bus", &bus,
                    "framing", &framing, "fate", &fate, "hex", &hex) == 0 &&
        strcmp(framing, "lorawan") == 0;

    if (is_lora && (strstr(bus, filter) || (device && strstr(device, filter)))) {
        if (is_json)
            puts(line);
        else
            printf("%.12s  %-12s %-24s %c %s   %s\n", strlen(time) > 11 ? time + 11 : time, bus,
                   device ? device : "-", strcmp(fate, "sent") == 0 ? '>' : '<', hex, fate);
    }
    json_decref(root);
    return is_lora;
}

static void take_line(const char *line, const char *filter, bool is_json)
{
    struct record_line l;
    uint64_t dropped;

    if (take_lora(line, filter, is_json))
        return;
    int rc = tail_frame_read(line, &l, &dropped);

    if (rc == 0 && !strstr(l.bus, filter) && !strstr(l.device, filter))
        return;
    if (is_json && rc >= 0)
        puts(line);
    else if (rc == 0)
        print_frame(&l);
    else if (dropped)
        printf(say_zh() ? "（%llu 帧过多，未显示）\n"
                        : "(%llu frames were too many to be shown)\n",
               (unsigned long long)dropped);
}

int tail_frames(const char *path, const char *filter, bool is_json)
{
    struct control_client *client;
    char error[256];
    const char *line;
    int err = 0;

    if (control_client_open(path, "frames", &client, error, sizeof error)) {
        fprintf(stderr, "sluice tail: %s\n", error);
        return EXIT_FOUND;
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a reader of the pipe is live */
    while ((line = control_client_line(client, -1, &err)) && !ferror(stdout))
        take_line(line, filter, is_json);
    bool has_reader = !ferror(stdout);
    control_client_close(client);
    if (fflush(stdout) != 0 || !has_reader)
        return EXIT_FOUND;
    fprintf(stderr, "sluice tail: the daemon hung up.\n");
    return EXIT_FOUND;
}
