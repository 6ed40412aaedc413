/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/profile_page.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cmd/profile_layout.h"
#include "gateway/cmd/profile_show.h"
#include "gateway/cmd/profile_text.h"

const char *profile_page_name(const char *id, const char *lang, char *out, size_t size)
{
    snprintf(out, size, "%s%s.md", id, strcmp(lang, "zh") ? "" : ".zh");
    return out;
}

void page_cell(const struct page *pg, const char *text)
{
    if (!text || !*text)
        text = "-";
    for (; *text; text++) {
        if (*text == '|')
            buf_puts(pg->b, "\\");
        buf_put(pg->b, *text == '\n' ? " " : text, 1);
    }
}

static void row(const struct page *pg, const char *what, const char *text)
{
    if (!text || !*text)
        return;
    buf_printf(pg->b, "| %s | ", what);
    page_cell(pg, text);
    buf_puts(pg->b, " |\n");
}

/* What the level means for somebody who is about to believe the values. */
static const char *advice(const struct page *pg)
{
    static const struct {
        const char *level, *en, *zh;
    } advices[] = {
        { "template", "registers have to be filled in from the document of the device",
          "须按仪器文档填写寄存器" },
        { "datasheet", "compare the first values with the instrument's display",
          "首次使用请与仪器显示值核对" },
        { "interop", "compare the first values with the instrument's display",
          "首次使用请与仪器显示值核对" },
    };

    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (!strcmp(pg->p->verified, advices[i].level))
            return PICK(pg, advices[i].en, advices[i].zh);
    return NULL;
}

static void put_trust(const struct page *pg)
{
    const char *lang = pg->is_zh ? "zh" : "en", *more = advice(pg);

    buf_printf(pg->b, "| %s | %s", PICK(pg, "Trust", "可信程度"), profile_trust(pg->p, lang));
    if (pg->p->evidence) {
        buf_puts(pg->b, PICK(pg, ": ", "："));
        page_cell(pg, pg->p->evidence);
    }
    if (more)
        buf_printf(pg->b, "%s%s", PICK(pg, "; ", "；"), more);
    buf_puts(pg->b, " |\n");
}

static void put_transports(const struct page *pg)
{
    const struct profile *p = pg->p;

    buf_printf(pg->b, "| %s | %s%s%s |\n", PICK(pg, "Connection", "通信方式"),
               p->has_rtu ? PICK(pg, "Modbus RTU (RS-485)", "Modbus RTU（RS-485）") : "",
               p->has_rtu && p->has_tcp ? PICK(pg, ", ", "、") : "",
               p->has_tcp       ? "Modbus TCP"
               : p->has_lorawan ? "LoRaWAN"
                                : "");
}

static void put_serial(const struct page *pg)
{
    const struct profile_serial *s = &pg->p->serial;
    struct buf *b = pg->b;

    if (!pg->p->has_rtu && !s->unit)
        return;
    buf_printf(b, "| %s | ", PICK(pg, "Factory setting", "出厂设置"));
    if (!s->baud && !s->format && !s->unit)
        buf_puts(b, PICK(pg, "not stated in the document", "文档未说明"));
    if (s->baud)
        buf_printf(b, PICK(pg, "%d baud", "波特率 %d"), s->baud);
    if (s->format)
        buf_printf(b, "%s%s", s->baud ? ", " : "", s->format);
    if (s->unit)
        buf_printf(b, PICK(pg, "%sunit address %d", "%s地址 %d"),
                   s->baud || s->format ? ", " : "", s->unit);
    buf_puts(b, " |\n");
}

static void put_order(const struct page *pg)
{
    static const char *const en[] = { "high word first", "low word first",
                                      "high word first, bytes swapped",
                                      "low word first, bytes swapped" };
    static const char *const zh[] = { "高字在前", "低字在前", "高字在前，字节交换",
                                      "低字在前，字节交换" };
    const struct profile *p = pg->p;

    buf_printf(pg->b, "| %s | %s: %s", PICK(pg, "Word order", "字序"), profile_orders[p->order],
               pg->is_zh ? zh[p->order] : en[p->order]);
    if (p->order_from.at.space) {
        buf_puts(pg->b, PICK(pg, "; told by ", "；由寄存器给出："));
        put_map(pg->b, &p->order_from);
    }
    buf_puts(pg->b, " |\n");
}

static void put_requests(const struct page *pg)
{
    const struct profile *p = pg->p;
    struct buf *b = pg->b;

    buf_printf(b, "| %s | ", PICK(pg, "Requests", "读取"));
    if (p->read_single)
        buf_puts(b, PICK(pg, "one value at a time", "逐个读取"));
    else
        buf_printf(b, PICK(pg, "at most %d registers", "每次最多 %d 个寄存器"), p->read_max);
    if (p->read_atomic)
        buf_puts(b, PICK(pg, ", blocks whole", "，数据块整体读取"));
    if (p->read_pause_ms)
        buf_printf(b, PICK(pg, ", %lld ms pause between them", "，间隔 %lld ms"),
                   (long long)p->read_pause_ms);
    buf_printf(b, PICK(pg, ", answer within %lld ms |\n", "，应答超时 %lld ms |\n"),
               (long long)p->timeout_ms);
}

static void put_head(const struct page *pg)
{
    const struct profile *p = pg->p;
    char other[128], media[160], id[96];

    profile_page_name(p->id, PICK(pg, "zh", "en"), other, sizeof other);
    buf_printf(pg->b, "# %s\n\n", pg->is_zh ? p->zh : p->en);
    buf_printf(pg->b, "[%s](%s) · [%s](%s)\n\n", PICK(pg, "中文", "English"), other,
               PICK(pg, "All instruments", "全部仪器"), PICK(pg, "README.md", "README.zh.md"));
    snprintf(id, sizeof id, "`%s`", p->id);
    buf_puts(pg->b, "| | |\n|---|---|\n");
    row(pg, PICK(pg, "Profile", "模板"), id);
    row(pg, PICK(pg, "Maker", "厂商"), p->vendor);
    row(pg, PICK(pg, "Models", "型号"), p->models);
    row(pg, PICK(pg, "Measures in", "监测介质"),
        profile_media(p, pg->is_zh ? "zh" : "en", media, sizeof media));
    put_trust(pg);
    row(pg, PICK(pg, "Source", "依据"), p->source);
    put_transports(pg);
    if (p->has_lorawan)
        return;
    put_serial(pg);
    put_order(pg);
    put_requests(pg);
}

static void put_setup(const struct page *pg)
{
    const struct profile *p = pg->p;
    struct buf *b = pg->b;

    buf_printf(b, "\n## %s\n\n", PICK(pg, "On the instrument", "仪器上的设置"));
    if (p->setup) {
        buf_printf(b, "%s\n", pg->is_zh ? p->setup_zh : p->setup);
        return;
    }
    if (p->has_lorawan)
        buf_puts(b,
                 PICK(pg,
                      "- LoRaWAN: the frequency plan of the region, joining over the air "
                      "(OTAA); DevEUI, JoinEUI and AppKey stand on the label or in the box.\n",
                      "- LoRaWAN：选择当地频段，采用空中入网（OTAA）；DevEUI、JoinEUI 与 "
                      "AppKey 见标签或包装。\n"));
    if (p->has_rtu)
        buf_puts(b, PICK(pg,
                         "- RS-485: A to A, B to B and the ground; 120 Ω at both ends of "
                         "the line. Baud rate and format as the others on the line, a unit "
                         "address that no other has.\n",
                         "- RS-485：A 接 A，B 接 B，并接地线；总线两端各接 120 Ω 电阻。"
                         "波特率与数据格式须与同一总线上的其他仪器一致，地址不得重复。\n"));
    if (p->has_tcp)
        buf_puts(b, PICK(pg, "- Ethernet: a fixed address, Modbus TCP switched on, port 502.\n",
                         "- 以太网：固定 IP 地址，启用 Modbus TCP，端口 502。\n"));
    buf_puts(b, PICK(pg, "- The profile knows no further steps: see the instrument's manual.\n",
                     "- 模板未列出其他操作，请参阅仪器手册。\n"));
}

void profile_put_stanza(struct buf *b, const struct profile *p, bool is_tcp)
{
    /* 7E1 and 7O1 are for ASCII lines, which a Modbus RTU bus cannot be */
    bool has_format = p->serial.format && p->serial.format[0] == '8';

    buf_puts(b, "buses:\n");
    if (is_tcp)
        buf_puts(b, "  - {id: cabinet, type: modbus-tcp, host: 192.0.2.20, port: 502}\n");
    else
        buf_printf(b,
                   "  - {id: line-1, type: modbus-rtu, port: /dev/serial/by-id/usb-ADAPTER, "
                   "baud: %d, format: %s}\n",
                   p->serial.baud ? p->serial.baud : 9600,
                   has_format ? p->serial.format : "8N1");
    buf_printf(b, "devices:\n  - {id: %.32s-1, profile: %s, bus: %s, unit: %d, poll: 10s}\n",
               p->id, p->id, is_tcp ? "cabinet" : "line-1",
               p->serial.unit ? p->serial.unit : 1);
}

static void put_configuration(const struct page *pg)
{
    struct buf *b = pg->b;

    buf_printf(b, "\n## %s\n", PICK(pg, "Configuration", "配置"));
    if (pg->p->has_lorawan) {
        buf_printf(b,
                   PICK(pg, "\nThe device of the LoRaWAN network has `profile: %s`.\n",
                        "\n在 LoRaWAN 设备的配置中写 `profile: %s`。\n"),
                   pg->p->id);
        return;
    }
    for (int is_tcp = 0; is_tcp < 2; is_tcp++) {
        if (!(is_tcp ? pg->p->has_tcp : pg->p->has_rtu))
            continue;
        buf_printf(b, "\n%s\n\n```yaml\n",
                   is_tcp ? PICK(pg, "Over TCP:", "通过 TCP：")
                          : PICK(pg, "On a serial line:", "通过串口："));
        profile_put_stanza(b, pg->p, is_tcp);
        buf_puts(b, "```\n");
    }
    buf_puts(b, PICK(pg,
                     "\nPort, host and unit are yours. `sluice check` reads the file, "
                     "`sluice test` asks the instrument once and shows every register.\n",
                     "\n端口、主机与地址按现场填写。`sluice check` 检查配置文件，"
                     "`sluice test` 读取仪器一次并显示每个寄存器。\n"));
    buf_printf(b,
               PICK(pg,
                    "Without the instrument: `sluice sim --profile %s --tcp "
                    "127.0.0.1:1502`.\n",
                    "没有仪器时可模拟：`sluice sim --profile %s --tcp 127.0.0.1:1502`。\n"),
               pg->p->id);
}

static void put_variants(const struct page *pg)
{
    const struct profile *p = pg->p;

    if (p->variants_n)
        buf_puts(pg->b, PICK(pg,
                             "\n## Other layouts\n\nOne of these is taken when all its tests "
                             "hold at the device.\n",
                             "\n## 其他寄存器布局\n\n当下列条件全部成立时采用相应布局。\n"));
    for (size_t i = 0; i < p->variants_n; i++) {
        const struct profile *v = p->variants[i];
        struct page of = { pg->b, v, pg->is_zh };
        buf_printf(pg->b, "\n### `%s`\n\n", v->variant);
        page_put_identify(&of, v->when, v->when_n);
        page_put_points(&of);
        page_put_status(&of);
    }
}

void profile_put_page(struct buf *b, const struct profile *p, const char *lang)
{
    const struct page pg = { b, p, !strcmp(lang, "zh") };

    buf_printf(b, "<!-- %s sensors/profiles -->\n",
               PICK(&pg, "Written by `sluice profile doc`; change",
                    "由 `sluice profile doc` 生成；请修改"));
    put_head(&pg);
    put_setup(&pg);
    put_configuration(&pg);
    if (p->payload)
        buf_printf(b, "\n## %s\n", PICK(&pg, "Payload", "报文"));
    else
        buf_printf(b, "\n## %s\n", PICK(&pg, "Registers", "寄存器"));
    page_put_points(&pg);
    if (p->payload)
        layout_put_page(b, p, pg.is_zh);
    page_put_status(&pg);
    page_put_commands(&pg);
    if (p->identify_n) {
        buf_printf(b, "\n## %s\n\n", PICK(&pg, "How it is recognised", "识别方法"));
        page_put_identify(&pg, p->identify, p->identify_n);
    }
    put_variants(&pg);
    if (p->notes)
        buf_printf(b, "\n## %s\n\n%s\n", PICK(&pg, "Notes", "备注"),
                   pg.is_zh ? p->notes_zh : p->notes);
}

static int first_medium(const struct profile *p)
{
    int m = 0;

    while (m < MEDIUM_COUNT_ && !(p->media >> m & 1))
        m++;
    return m;
}

static void put_index_row(const struct page *pg)
{
    const struct profile *p = pg->p;
    char name[128];

    buf_puts(pg->b, "| [");
    page_cell(pg, pg->is_zh ? p->zh : p->en);
    buf_printf(pg->b, "](%s) | `%s` | ",
               profile_page_name(p->id, pg->is_zh ? "zh" : "en", name, sizeof name), p->id);
    page_cell(pg, p->models);
    buf_printf(pg->b, " | %s%s%s | %s |\n", p->has_rtu ? "RTU" : "",
               p->has_rtu && p->has_tcp ? ", " : "",
               p->has_tcp       ? "TCP"
               : p->has_lorawan ? "LoRaWAN"
                                : "",
               profile_trust(p, pg->is_zh ? "zh" : "en"));
}

void profile_put_index(struct buf *b, struct profile *const *all, size_t n, const char *lang)
{
    struct page pg = { b, NULL, !strcmp(lang, "zh") };

    buf_puts(
        b,
        PICK(&pg,
             "# Instruments\n\n[中文](README.zh.md)\n\nOne page for each "
             "instrument of the library: what to set on it, the lines of "
             "configuration to copy, and every register or byte. The pages are written "
             "from `sensors/profiles` by\n",
             "# 仪器\n\n[English](README.md)\n\n仪器库中每种仪器一页：仪器上的设置、"
             "可直接复制的配置，以及全部寄存器或报文字节。页面由 `sensors/profiles` 生成：\n"));
    buf_puts(b, "\n```\nsluice profile doc --all --output docs/instruments\n```\n");
    for (int m = 0; m < MEDIUM_COUNT_; m++) {
        bool is_begun = false;
        for (size_t i = 0; i < n; i++) {
            if (first_medium(all[i]) != m)
                continue;
            if (!is_begun)
                buf_printf(b, "\n## %s\n\n| %s | %s | %s | %s | %s |\n|---|---|---|---|---|\n",
                           medium_name((enum medium)m, lang), PICK(&pg, "Instrument", "仪器"),
                           PICK(&pg, "Profile", "模板"), PICK(&pg, "Models", "型号"),
                           PICK(&pg, "Connection", "通信"), PICK(&pg, "Trust", "可信程度"));
            is_begun = true;
            pg.p = all[i];
            put_index_row(&pg);
        }
    }
}
