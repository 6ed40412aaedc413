/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/lora_show.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/control_ask.h"

enum { AGO_SIZE = 32 };

static const char *word_of_state(const char *id)
{
    static const char *const words[][2] = { { "waiting", "等待" },
                                            { "online", "在线" },
                                            { "silent", "失联" },
                                            { "disabled", "停用" },
                                            { "up", "在线" } };

    for (size_t i = 0; say_zh() && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], id) == 0)
            return words[i][1];
    return id;
}

static long long integer(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

/* "12 s", "3 min", "5 h": how long ago; "-" for never. */
static void print_ago(const json_t *o, const char *key, char out[AGO_SIZE])
{
    const char *text = control_text(o, key);
    struct clock c;

    clock_init(&c, 1, 0);
    int64_t s = *text ? (clock_wall_ms(&c) - time_read_utc(text)) / 1000 : -1;
    if (s < 0)
        snprintf(out, AGO_SIZE, "-");
    else if (s < 120)
        snprintf(out, AGO_SIZE, say("%lld s", "%lld 秒"), (long long)s);
    else if (s < 7200)
        snprintf(out, AGO_SIZE, say("%lld min", "%lld 分钟"), (long long)s / 60);
    else if (s < 172800)
        snprintf(out, AGO_SIZE, say("%lld h", "%lld 小时"), (long long)s / 3600);
    else
        snprintf(out, AGO_SIZE, say("%lld d", "%lld 天"), (long long)s / 86400);
}

static void print_signal(const json_t *d)
{
    const json_t *rssi = json_object_get(d, "rssi"), *snr = json_object_get(d, "snr");

    if (json_is_number(rssi))
        printf("  %.0f dBm", json_number_value(rssi));
    if (json_is_number(snr))
        printf("  SNR %.1f dB", json_number_value(snr));
    if (json_is_string(json_object_get(d, "gateway")))
        printf("  %s %s", say("by", "经"), control_text(d, "gateway"));
}

static void print_battery(const json_t *d)
{
    const json_t *b = json_object_get(d, "battery");
    long long level = (long long)json_integer_value(b);

    if (!json_is_integer(b))
        return;
    if (level == 0)
        fputs(say("  external power", "  外部供电"), stdout);
    else if (level < 255)
        printf(say("  battery %lld %%", "  电池 %lld %%"), (level * 100 + 127) / 254);
}

static const char *join_word(const json_t *d)
{
    if (json_is_true(json_object_get(d, "doubtful")))
        return say("doubtful: see `sluice lora --help`, confirm",
                   "存疑：见 `sluice lora --help` 中的 confirm");
    return json_is_true(json_object_get(d, "joined")) ? say("joined", "已入网")
                                                      : say("not joined", "未入网");
}

/* Who, how it is; how it was heard; what was wrong. */
void lora_show_device(const json_t *d)
{
    char ago[AGO_SIZE];

    printf("%s  %s  %s  %s\n", control_text(d, "id"), control_text(d, "dev_eui"),
           word_of_state(control_text(d, "state")), join_word(d));
    print_ago(d, "heard", ago);
    if (*control_text(d, "heard"))
        printf(say("    heard %s ago", "    %s前收到"), ago);
    else
        fputs(say("    not heard yet", "    尚未收到"), stdout);
    print_signal(d);
    printf(
        say("  uplinks %lld, lost %lld, counter %lld", "  上行 %lld，丢失 %lld，计数器 %lld"),
        integer(d, "uplinks"), integer(d, "lost"), integer(d, "fcnt_up"));
    print_battery(d);
    putchar('\n');
    if (json_object_get(d, "why"))
        printf(say("    payload: %s\n", "    载荷：%s\n"),
               control_text(json_object_get(d, "why"), cmd_lang()));
    if (!*control_text(d, "refused"))
        return;
    print_ago(d, "refused_at", ago);
    printf(say("    refused %s ago (%s): %s\n", "    %s前被拒绝（%s）：%s\n"), ago,
           control_text(d, "refused"),
           control_text(json_object_get(d, "refused_text"), cmd_lang()));
}

static void show_counters(const json_t *d)
{
    const char *name;
    json_t *n;

    printf(say("    joins %lld, copies %lld, repeated %lld, downlinks %lld, missed %lld, "
               "decoded %lld, undecoded %lld, waiting %lld\n",
               "    入网 %lld，副本 %lld，重发 %lld，下行 %lld，错过 %lld，"
               "已解码 %lld，未解码 %lld，等待 %lld\n"),
           integer(d, "joins"), integer(d, "copies"), integer(d, "repeated"),
           integer(d, "downlinks"), integer(d, "missed"), integer(d, "decoded"),
           integer(d, "undecoded"), integer(d, "queued"));
    json_object_foreach(json_object_get(d, "refusals"), name, n)
        printf(say("    refused for %s: %lld\n", "    因 %s 被拒绝：%lld\n"), name,
               (long long)json_integer_value(n));
}

void lora_show_devices(const json_t *devices, bool is_detailed)
{
    const json_t *d;
    size_t i;

    if (json_array_size(devices) == 0)
        puts(say("No LoRa device of that kind is configured.", "没有配置这样的 LoRa 设备。"));
    json_array_foreach(devices, i, d)
    {
        lora_show_device(d);
        if (is_detailed)
            show_counters(d);
    }
}

static void show_gateway(const json_t *g)
{
    char ago[AGO_SIZE];

    print_ago(g, "pull", ago);
    printf("%s  %s  %s", control_text(g, "id"), control_text(g, "eui"),
           word_of_state(control_text(g, "state")));
    if (*control_text(g, "pull"))
        printf(say("  asked %s ago", "  %s前联络"), ago);
    if (*control_text(g, "address"))
        printf("  %s", control_text(g, "address"));
    printf(say("\n    received %lld, damaged %lld, sent %lld: accepted %lld, refused %lld, "
               "unanswered %lld; restarts %lld\n",
               "\n    收到 %lld，损坏 %lld，发送 %lld：接受 %lld，拒绝 %lld，"
               "无应答 %lld；重启 %lld\n"),
           integer(g, "rx"), integer(g, "rx_crc_bad"), integer(g, "tx"),
           integer(g, "tx_accepted"), integer(g, "tx_refused"), integer(g, "tx_no_answer"),
           integer(g, "restarts"));
}

static void show_network(const json_t *n)
{
    printf(say("bus %s: uplinks %lld, copies %lld, of neighbours %lld, joins %lld; answers in "
               "RX1 %lld, in RX2 %lld, missed %lld, beyond the band's limit %lld\n",
               "总线 %s：上行 %lld，副本 %lld，邻站 %lld，入网 %lld；应答 RX1 %lld，"
               "RX2 %lld，错过 %lld，超出频段限制 %lld\n"),
           control_text(n, "bus"), integer(n, "uplinks"), integer(n, "copies"),
           integer(n, "neighbours"), integer(n, "joins"), integer(n, "tx_rx1"),
           integer(n, "tx_rx2"), integer(n, "missed"), integer(n, "band_refused"));
}

void lora_show_gateways(const json_t *answer)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(answer, "networks"), i, item) show_network(item);
    json_array_foreach(json_object_get(answer, "gateways"), i, item) show_gateway(item);
}
