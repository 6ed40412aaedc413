/* SPDX-License-Identifier: Apache-2.0 */
/* network_words - why a frame was not taken, and what to do. */
#include "gateway/lorawan/network.h"

#include "sensors/core/words.h"

static const struct {
    const char *id, *en, *zh;
} words[NETWORK_REFUSAL_COUNT_] = {
    [NETWORK_TAKEN] = { "taken", "The frame was taken.", "该帧已接收。" },
    [NETWORK_FRAME] = { "frame", "What was received is not a LoRaWAN frame.",
                        "收到的不是 LoRaWAN 帧。" },
    [NETWORK_NOT_OURS] = { "not-ours",
                           "No device here has this DevAddr: a neighbour's, or one that has to "
                           "join again.",
                           "这里没有设备使用该 DevAddr：属于邻近网络，或设备需要重新入网。" },
    [NETWORK_UNKNOWN_EUI] = { "unknown-eui",
                              "No OTAA device with this DevEUI is configured: compare it with "
                              "the label.",
                              "没有配置使用该 DevEUI 的 OTAA 设备：请与标签核对。" },
    [NETWORK_JOIN_EUI] = { "join-eui",
                           "The device joins with another JoinEUI (AppEUI) than configured.",
                           "设备入网使用的 JoinEUI（AppEUI）与配置不同。" },
    [NETWORK_NO_KEYS] = { "no-keys",
                          "The device has no keys here: enter them in the secrets file.",
                          "此处没有该设备的密钥：请写入密钥文件。" },
    [NETWORK_KEY] = { "key",
                      "The join request was made with another key: compare AppKey (1.1: "
                      "NwkKey).",
                      "入网请求使用了其他密钥：请核对 AppKey（1.1：NwkKey）。" },
    [NETWORK_NONCE] = { "nonce",
                        "This DevNonce was used before: a replay, or a device that forgot its "
                        "counter; then forget its nonces.",
                        "该 DevNonce "
                        "已被使用：可能是重放，也可能是设备丢失了计数；若为后者，请清除"
                        "其随机数记录。" },
    [NETWORK_MIC] = { "mic",
                      "No session of this DevAddr made this MIC: wrong session keys, a "
                      "neighbour's device, or a damaged frame.",
                      "该 DevAddr 的任何会话都不符合此 "
                      "MIC：会话密钥错误、邻近网络的设备或帧损坏。" },
    [NETWORK_COUNTER] = { "counter",
                          "The frame is genuine but not new: a replay, or a device that began "
                          "to "
                          "count again; then confirm it or let it join again.",
                          "该帧真实但不是新的：可能是重放，也可能是设备重新计数；若为后者，请确"
                          "认该"
                          "设备或让其重新入网。" },
    [NETWORK_REGION] = { "region",
                         "Frequency or data rate is outside the channel plan: the device is "
                         "set "
                         "to another region or plan.",
                         "频率或速率不在频道计划内：设备设置为其他区域或频道计划。" },
    [NETWORK_DISABLED] = { "disabled", "The device is disabled by configuration.",
                           "该设备已在配置中停用。" },
    [NETWORK_DOUBTFUL] = { "doubtful",
                           "The log was restored and the counters of this session are not "
                           "known: let the device join again, or confirm it.",
                           "日志曾被恢复，该会话的计数不可知：请让设备重新入网，或确认该设备"
                           "。" },
    [NETWORK_TYPE] = { "type",
                       "Frames of this type are not taken (rejoin, proprietary, or "
                       "downlinks that were heard).",
                       "不接收此类型的帧（重新入网、专有或听到的下行帧）。" },
    [NETWORK_COPY] = { "copy", "The same frame came before, as through another concentrator.",
                       "同一帧先前已收到，例如经由其他集中器。" },
    [NETWORK_REPEATED] = { "repeated",
                           "The device sent the same frame again: it is answered, not stored "
                           "twice.",
                           "设备重发了同一帧：予以应答，不重复存储。" },
};

const char *network_refusal_text(enum network_refusal r, const char *lang)
{
    return lang_is_zh(lang) ? words[r].zh : words[r].en;
}

const char *network_refusal_id(enum network_refusal r)
{
    return words[r].id;
}
