/* SPDX-License-Identifier: Apache-2.0 */
/* lorawan - frames taken apart and put together, for technicians and tests. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/lorawan_cmd.h"

#define OPTION(member) .offset = offsetof(struct lorawan_options, member)

#define KEY_OPTION(option, kind, text) \
    { \
        .name = option, .type = OPTION_TEXT, OPTION(key[kind]), .value = "KEY", .help = text \
    }
#define TEXT_OPTION(option, member, what, text) \
    { \
        .name = option, .type = OPTION_TEXT, OPTION(member), .value = what, .help = text \
    }
#define INT_OPTION(option, member, most, text) \
    { \
        .name = option, .type = OPTION_INT, OPTION(member), .dflt = "0", .max = most, \
        .value = "N", .help = text \
    }
#define FLAG_OPTION(option, member, text) \
    { \
        .name = option, .type = OPTION_FLAG, OPTION(member), .help = text \
    }

static const struct cmd_option options[] = {
    KEY_OPTION("nwk-skey", KEY_NWK_S, "NwkSKey: MIC and port 0 of a session of 1.0."),
    KEY_OPTION("app-skey", KEY_APP_S, "AppSKey: payload of a session."),
    KEY_OPTION("f-nwk-s-int-key", KEY_F_NWK_S_INT, "FNwkSIntKey of a session of 1.1."),
    KEY_OPTION("s-nwk-s-int-key", KEY_S_NWK_S_INT, "SNwkSIntKey of a session of 1.1."),
    KEY_OPTION("nwk-s-enc-key", KEY_NWK_S_ENC, "NwkSEncKey of a session of 1.1."),
    KEY_OPTION("app-key", KEY_APP, "AppKey: joins of 1.0; AppSKey of 1.1."),
    KEY_OPTION("nwk-key", KEY_NWK, "NwkKey: joins of a device of 1.1."),
    TEXT_OPTION("keys", keys, "FILE",
                "Keys, one name=value a line, named as these options: they stay out of the "
                "list of processes."),
    TEXT_OPTION("fcnt", fcnt, "N", "The counter, all 32 bits; encode: 0."),
    TEXT_OPTION("fcnt-high", fcnt_high, "N",
                "Its high 16 bits; decode: when neither is given, 0 to 1023 are tried."),
    INT_OPTION("conf-fcnt", conf_fcnt, UINT16_MAX,
               "1.1, with ACK: low half of the counter that is acknowledged."),
    INT_OPTION("tx-dr", tx_dr, UINT8_MAX, "1.1, up: index of the data rate."),
    INT_OPTION("tx-ch", tx_ch, UINT8_MAX, "1.1, up: index of the channel."),
    TEXT_OPTION("join-eui", join_eui, "EUI", "JoinEUI (AppEUI) of the request."),
    TEXT_OPTION("dev-eui", dev_eui, "EUI", "DevEUI of the request."),
    TEXT_OPTION("dev-nonce", dev_nonce, "N",
                "DevNonce of the request; decode: a join accept tells its session keys then."),
    FLAG_OPTION("json", is_json, "decode: one JSON object a frame."),
    TEXT_OPTION("dev-addr", dev_addr, "ADDR", "encode: DevAddr."),
    TEXT_OPTION("port", port, "N", "encode: FPort; none without it."),
    TEXT_OPTION("payload", payload, "BYTES", "encode: FRMPayload in the clear."),
    TEXT_OPTION("fopts", fopts, "BYTES", "encode: MAC commands in the clear."),
    FLAG_OPTION("adr", is_adr, "encode: set ADR."),
    FLAG_OPTION("adr-ack-req", is_adr_ack_req, "encode: set ADRACKReq (up)."),
    FLAG_OPTION("ack", is_ack, "encode: set ACK."),
    FLAG_OPTION("class-b", is_class_b, "encode: set ClassB (up)."),
    FLAG_OPTION("f-pending", is_f_pending, "encode: set FPending (down)."),
    TEXT_OPTION("join-nonce", join_nonce, "N", "encode: JoinNonce (AppNonce)."),
    TEXT_OPTION("net-id", net_id, "ID", "encode: NetID, 6 hexadecimal digits."),
    FLAG_OPTION("opt-neg", is_opt_neg, "encode: the server speaks 1.1."),
    INT_OPTION("rx1-dr-offset", rx1_dr_offset, 7, "encode: RX1DROffset."),
    INT_OPTION("rx2-dr", rx2_dr, 15, "encode: RX2DataRate."),
    INT_OPTION("rx-delay", rx_delay, 15, "encode: RxDelay in seconds, 0 is 1."),
    TEXT_OPTION("cf-list", cf_list, "BYTES", "encode: CFList, 16 bytes."),
    FLAG_OPTION("base64", is_base64, "encode: write base64, not hexadecimal."),
    { 0 },
};

static int refuse(const char *text, enum frame_fault fault)
{
    fprintf(stderr, "sluice lorawan: %s: %s\n", text, frame_fault_text(fault, cmd_lang()));
    return EXIT_FOUND;
}

static int decode_one(struct crypto *c, const struct lorawan_options *o,
                      const struct lorawan_keys *k, const char *text)
{
    /* more than fit, so that the frame itself says that it is too long */
    uint8_t bytes[2 * FRAME_SIZE_MAX];
    struct lorawan_decoded d;
    struct frame f;
    size_t n;
    int err = lorawan_bytes_parse(text, bytes, sizeof bytes, &n);

    if (err == -EMSGSIZE)
        return refuse(text, FRAME_TOO_LONG);
    if (err < 0)
        return lorawan_wrong(text, "this is neither hexadecimal nor base64.",
                             "既不是十六进制，也不是 base64。");
    enum frame_fault fault = frame_parse(bytes, n, &f);
    if (fault != FRAME_OK)
        return refuse(text, fault);
    int status = lorawan_decode(c, o, k, &f, &d);
    if (status != 0)
        return status < 0 ? EXIT_FOUND : status;
    if (o->is_json && lorawan_print_json(&d) < 0)
        return EXIT_FOUND;
    if (!o->is_json)
        lorawan_print(&d);
    return d.verdict == MIC_WRONG ? EXIT_FOUND : EXIT_DONE;
}

static int decode(const struct lorawan_options *o, int argc, char **argv)
{
    struct lorawan_keys keys;
    struct crypto *c;
    int worst = lorawan_keys_read(o, &keys);

    if (worst != 0)
        return worst;
    if (crypto_create(&c) < 0) {
        fputs(say("sluice lorawan: this OpenSSL has no AES.\n",
                  "sluice lorawan：此 OpenSSL 不支持 AES。\n"),
              stderr);
        return EXIT_FOUND;
    }
    for (int i = 0; i < argc; i++) {
        int status = decode_one(c, o, &keys, argv[i]);
        worst = status > worst ? status : worst;
    }
    crypto_destroy(c);
    return worst;
}

static int run(const void *opt, int argc, char **argv)
{
    const struct lorawan_options *o = opt;
    int status;

    if (strcmp(argv[0], "decode") == 0 && argc > 1)
        status = decode(o, argc - 1, argv + 1);
    else if (strcmp(argv[0], "encode") == 0 && argc == 2)
        status = lorawan_encode(o, argv[1]);
    else
        return lorawan_wrong(argv[0], "it is decode FRAME... or encode TYPE.",
                             "用法：decode 帧... 或 encode 类型。");
    return fflush(stdout) != 0 && status == EXIT_DONE ? EXIT_FOUND : status;
}

const struct cmd cmd_lorawan = {
    .name = "lorawan",
    .usage = "decode FRAME... | encode TYPE",
    .summary = "Take LoRaWAN frames apart, check and decrypt them; or make one.",
    .details =
        "A FRAME is a PHYPayload in hexadecimal or base64, as logs of packet forwarders and\n"
        "network servers have it. Keys, EUIs and addresses are written as on labels, most\n"
        "significant byte first. TYPE is up, confirmed-up, down, confirmed-down, join-request\n"
        "or join-accept; what is encoded is written in hexadecimal.\n\n"
        "  sluice lorawan decode 40f17dbe4900020001954378762b11ff0d\n"
        "  sluice lorawan decode --keys session.keys QPF9vkkAAgABlUN4disR/w0=\n"
        "  sluice lorawan decode --app-key 0123... --dev-nonce 7 206b43409d6409651a3a...\n"
        "  sluice lorawan encode up --keys session.keys --dev-addr 49be7df1 --fcnt 2 \\\n"
        "      --port 1 --payload 74657374\n\n"
        "Exit status: 0 done (the MIC is right, or no key for it was given), 1 a MIC is wrong\n"
        "or bytes are no frame, 2 wrong usage.",
    .options = options,
    .options_size = sizeof(struct lorawan_options),
    .args_min = 1,
    .args_max = -1,
    .run = run,
};
