/* SPDX-License-Identifier: Apache-2.0 */
/* A frame as lines for people. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/lorawan_cmd.h"
#include "gateway/cmd/profile_show.h"
#include "gateway/lorawan/mac.h"
#include "sensors/core/bytes.h"

enum { NAME_COLUMNS = 13, HEX_SIZE = 2 * FRAME_SIZE_MAX + 1, CF_CHANNELS = 5, CF_MASKS = 7 };

void lorawan_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static void line(const char *name, const char *value)
{
    fputs("  ", stdout);
    profile_print_cell(name, NAME_COLUMNS, stdout);
    puts(value);
}

static void line_bytes(const char *name, const uint8_t *bytes, size_t n)
{
    char hex[HEX_SIZE];

    lorawan_hex(bytes, n, hex);
    line(name, n ? hex : "-");
}

static void line_eui(const char *name, uint64_t eui)
{
    printf("  %-12s %016" PRIx64 "\n", name, eui);
}

static void print_fctrl(const struct frame *f)
{
    bool is_up = frame_is_up(f->type);
    const struct {
        uint8_t bit;
        const char *name;
    } bits[] = {
        { FCTRL_ADR, "ADR" },
        { FCTRL_ADR_ACK_REQ, is_up ? "ADRACKReq" : "RFU" },
        { FCTRL_ACK, "ACK" },
        { FCTRL_CLASS_B, is_up ? "ClassB" : "FPending" },
    };
    char text[64] = "";
    size_t n = 0;

    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (f->fctrl & bits[i].bit)
            n +=
                (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", bits[i].name);
    line("FCtrl", n ? text : "-");
}

static void print_fcnt(const struct lorawan_decoded *d)
{
    if (!d->is_fcnt_sure)
        printf(say("  %-12s %u (low half)\n", "  %-12s %u（低 16 位）\n"), "FCnt",
               d->frame.fcnt);
    else
        printf(say("  %-12s %" PRIu32 " (on the air %u, high half %" PRIu32 ")\n",
                   "  %-12s %" PRIu32 "（空口 %u，高 16 位 %" PRIu32 "）\n"),
               "FCnt", d->fcnt, d->frame.fcnt, d->fcnt >> 16);
}

static void print_commands(const uint8_t *bytes, size_t n, bool is_up)
{
    char text[MAC_TEXT_SIZE];
    struct mac_command m;
    size_t at = 0;
    int more;

    while ((more = mac_next(bytes, n, is_up, &at, &m)) == 1) {
        mac_print(&m, is_up, text, sizeof text);
        printf("    %s%s%s\n", mac_name(m.cid, is_up), *text ? ": " : "", text);
    }
    if (more < 0)
        printf(say("    unknown or cut-off MAC command %02x; the rest cannot be read\n",
                   "    MAC 命令 %02x 未知或不完整，其后无法解析\n"),
               bytes[at]);
}

static bool is_printable(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] > 126 || !isprint(bytes[i]))
            return false;
    return n > 0;
}

static void print_text(const uint8_t *bytes, size_t n)
{
    char text[FRAME_PAYLOAD_MAX + 3];

    snprintf(text, sizeof text, "\"%.*s\"", (int)n, (const char *)bytes);
    line(say("as text", "文本"), text);
}

static void print_payload(const struct lorawan_decoded *d)
{
    const struct frame *f = &d->frame;

    if (f->fport < 0) {
        line("FPort", say("none", "无"));
        return;
    }
    printf("  %-12s %d\n", "FPort", f->fport);
    line_bytes("FRMPayload", f->payload, f->payload_n);
    if (!d->has_payload)
        return;
    line_bytes(say("in clear", "明文"), d->payload, f->payload_n);
    if (f->fport == 0)
        print_commands(d->payload, f->payload_n, frame_is_up(f->type));
    else if (is_printable(d->payload, f->payload_n))
        print_text(d->payload, f->payload_n);
}

static void print_data(const struct lorawan_decoded *d)
{
    const struct frame *f = &d->frame;

    printf("  %-12s %08" PRIx32 "\n", "DevAddr", f->dev_addr);
    print_fctrl(f);
    print_fcnt(d);
    if (f->fopts_n) {
        line_bytes("FOpts", f->fopts, f->fopts_n);
        if (d->is_1_1 && d->has_fopts)
            line_bytes(say("in clear", "明文"), d->fopts, f->fopts_n);
        if (d->has_fopts)
            print_commands(d->fopts, f->fopts_n, frame_is_up(f->type));
    }
    print_payload(d);
}

static void print_request(const struct frame *f)
{
    line_eui("JoinEUI", f->join_eui);
    line_eui("DevEUI", f->dev_eui);
    printf("  %-12s %u (0x%04x)\n", "DevNonce", f->dev_nonce, f->dev_nonce);
}

/* Type 0: frequencies in 100 Hz; type 1: channel masks. */
static void print_cf_list(const uint8_t *list)
{
    line_bytes("CFList", list, CF_LIST_SIZE);
    if (list[CF_LIST_SIZE - 1] == 0) {
        for (int i = 0; i < CF_CHANNELS; i++) {
            uint32_t hz100 = get_le24(list + 3 * i);
            if (hz100)
                printf("    %" PRIu32 ".%04" PRIu32 " MHz\n", hz100 / 10000, hz100 % 10000);
        }
    } else if (list[CF_LIST_SIZE - 1] == 1) {
        for (int i = 0; i < CF_MASKS; i++)
            printf("    ChMask%d %04x\n", i, get_le16(list + 2 * i));
    }
}

static void print_session(const struct lorawan_decoded *d)
{
    const struct session_keys *k = &d->session;

    line_bytes("AppSKey", k->app.bytes, LORAWAN_KEY_SIZE);
    line_bytes(d->is_1_1 ? "FNwkSIntKey" : "NwkSKey", k->f_nwk_s_int.bytes, LORAWAN_KEY_SIZE);
    if (!d->is_1_1)
        return;
    line_bytes("SNwkSIntKey", k->s_nwk_s_int.bytes, LORAWAN_KEY_SIZE);
    line_bytes("NwkSEncKey", k->nwk_s_enc.bytes, LORAWAN_KEY_SIZE);
}

static void print_accept(const struct lorawan_decoded *d)
{
    const struct join_accept *a = &d->accept;

    if (!d->has_accept)
        return;
    line_bytes(say("decrypted", "解密后"), d->plain, d->frame.n);
    printf("  %-12s %" PRIu32 "\n", "JoinNonce", a->join_nonce);
    printf("  %-12s %06" PRIx32 "\n", "NetID", a->net_id);
    printf("  %-12s %08" PRIx32 "\n", "DevAddr", a->dev_addr);
    printf("  %-12s OptNeg %d, RX1DROffset %d, RX2DataRate DR%d\n", "DLSettings", a->is_opt_neg,
           a->rx1_dr_offset, a->rx2_dr);
    printf("  %-12s %d s\n", "RxDelay", a->rx_delay ? a->rx_delay : 1);
    if (a->has_cf_list)
        print_cf_list(a->cf_list);
    if (d->has_session)
        print_session(d);
}

static const char *verdict_text(const struct lorawan_decoded *d)
{
    switch (d->verdict) {
    case MIC_RIGHT:
        return say("right", "正确");
    case MIC_NO_KEY:
        return say("not checked: the key for it was not given", "未校验：没有给出所需密钥");
    case MIC_NO_REQUEST:
        return say("not checked: an answer of 1.1 needs --join-eui, --dev-eui and --dev-nonce",
                   "未校验：1.1 的应答需要 --join-eui、--dev-eui 和 --dev-nonce");
    default:
        break;
    }
    if (d->is_1_1 && frame_is_data(d->frame.type))
        return say("WRONG: another key, counter, --tx-dr, --tx-ch or --conf-fcnt, or a damaged "
                   "frame",
                   "错误：密钥、计数器、--tx-dr、--tx-ch 或 --conf-fcnt 不符，或帧已损坏");
    return say("WRONG: another key or counter, or a damaged frame",
               "错误：密钥或计数器不符，或帧已损坏");
}

void lorawan_print(const struct lorawan_decoded *d)
{
    const struct frame *f = &d->frame;
    char mic[2 * LORAWAN_MIC_SIZE + 1];

    printf(say("%s, %zu bytes\n", "%s，%zu 字节\n"), frame_type_name(f->type), f->n);
    if (frame_is_data(f->type))
        print_data(d);
    else if (f->type == FRAME_JOIN_REQUEST)
        print_request(f);
    else if (f->type == FRAME_JOIN_ACCEPT)
        print_accept(d);
    else
        line_bytes(say("bytes", "内容"), f->bytes, f->n);
    if (d->verdict == MIC_NONE)
        return;
    lorawan_hex(f->type == FRAME_JOIN_ACCEPT && d->has_accept
                    ? d->plain + f->n - LORAWAN_MIC_SIZE
                    : f->mic,
                LORAWAN_MIC_SIZE, mic);
    printf("  %-12s %s  %s\n", "MIC", mic, verdict_text(d));
}
