/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/scan_print.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/cmd/scan_guess.h"
#include "gateway/cmd/test_words.h"
#include "gateway/survey/steps.h"

enum {
    SETTINGS_SHOWN = 4,
    SCORE_MAX = 200,
    MINUTE_MS = 60000,
    HOUR_MS = 3600000,
};

const char *scan_time(int64_t ms, char *buf)
{
    int64_t s = (ms + 500) / 1000;
    const bool is_zh = say_zh();

    if (ms >= HOUR_MS)
        snprintf(buf, SCAN_TIME_TEXT,
                 is_zh ? "%" PRId64 " 小时 %" PRId64 " 分" : "%" PRId64 " h %" PRId64 " min",
                 s / 3600, s / 60 % 60);
    else if (ms >= MINUTE_MS)
        snprintf(buf, SCAN_TIME_TEXT,
                 is_zh ? "%" PRId64 " 分 %" PRId64 " 秒" : "%" PRId64 " min %" PRId64 " s",
                 s / 60, s % 60);
    else
        snprintf(buf, SCAN_TIME_TEXT, is_zh ? "%" PRId64 " 秒" : "%" PRId64 " s", s);
    return buf;
}

const char *scan_units_text(const uint8_t *list, size_t n, char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < n && used + 16 < size;) {
        size_t j = i;
        while (j + 1 < n && list[j + 1] == list[j] + 1)
            j++;
        const char *comma = i ? ", " : "";
        if (j > i)
            used +=
                (size_t)snprintf(buf + used, size - used, "%s%u-%u", comma, list[i], list[j]);
        else
            used += (size_t)snprintf(buf + used, size - used, "%s%u", comma, list[i]);
        i = j + 1;
    }
    return buf;
}

/* ---- head ---- */

static void print_warning(const struct survey_options *o, const struct survey_progress *p)
{
    char time[SCAN_TIME_TEXT];
    const struct survey_step silent = { .setting = 0, .unit = 200 };

    scan_time(p->left_ms, time);
    if (o->place.type == BUS_MODBUS_RTU)
        fputs(say("A scan makes this machine a master on the line: nobody else may ask "
                  "meanwhile.\n",
                  "扫描期间本机是总线上的主站，其他主站须停止。\n"),
              stderr);
    fprintf(stderr,
            say_zh() ? "共 %zu 个组合，最长约 %s；每个无应答的地址约 %" PRId64 " 毫秒。\n"
                     : "%zu combinations, %s at most; a silent address costs about %" PRId64
                       " ms.\n",
            p->total, time, survey_cost_ms(o, &silent));
}

void scan_print_head(const struct scan_view *v, const struct survey_options *o,
                     const struct survey_progress *estimate)
{
    char numbers[600], setting[SURVEY_SETTING_TEXT], place[400];

    if (v->is_quiet || v->is_single)
        return;
    print_warning(o, estimate);
    scan_units_text(o->units, o->units_n, numbers, sizeof numbers);
    if (o->place.type != BUS_MODBUS_RTU) {
        printf(say_zh() ? "%s 地址 %s\n" : "%s units %s\n",
               place_words(&o->place, place, sizeof place), numbers);
        fflush(stdout);
        return;
    }
    fputs(say("profile defaults first: ", "先试各型号的出厂设置："), stdout);
    for (size_t i = 0; i < o->settings_n && i < SETTINGS_SHOWN; i++)
        printf("%s%s", i ? ", " : "", survey_setting_text(&o->settings[i], setting));
    printf(say_zh() ? "%s 地址 %s\n" : "%s units %s\n",
           o->settings_n > SETTINGS_SHOWN ? " …" : "", numbers);
    fflush(stdout);
}

/* ---- devices ---- */

/* "(1/1 required, trust: datasheet)" */
static void score_text(const struct match_candidate *c, char *buf)
{
    const struct identify_score *s = &c->identity;
    const bool is_zh = say_zh();
    size_t n;

    if (s->needed)
        n = (size_t)snprintf(buf, SCORE_MAX, is_zh ? "必要标识 %zu/%zu" : "%zu/%zu required",
                             s->needed_hits, s->needed);
    else if (s->others)
        n = (size_t)snprintf(buf, SCORE_MAX, is_zh ? "参考标识 %zu/%zu" : "%zu/%zu hints",
                             s->other_hits, s->others);
    else
        n = (size_t)snprintf(buf, SCORE_MAX, "%s", say("no id register", "无标识寄存器"));
    if (!s->is_match && n < SCORE_MAX)
        n += (size_t)snprintf(buf + n, SCORE_MAX - n,
                              is_zh ? "，%zu/%zu 个测点合理" : ", %zu of %zu points plausible",
                              c->fitting, c->required);
    if (c->is_default && !s->is_match && n < SCORE_MAX)
        n += (size_t)snprintf(buf + n, SCORE_MAX - n, "%s",
                              say(", factory settings", "，出厂设置"));
    if (n < SCORE_MAX)
        snprintf(buf + n, SCORE_MAX - n, is_zh ? "，可信度：%s" : ", trust: %s",
                 c->profile->verified);
}

static void print_candidates(const struct scan_view *v, const struct survey_device *d)
{
    char score[SCORE_MAX];

    for (size_t i = 0; i < d->best_n; i++) {
        const struct match_candidate *c = &d->best[i];
        score_text(c, score);
        printf("%s%s  %s%s  %s  (%s)\n", v->is_single ? "" : "        ",
               i == 0 ? say("looks like", "像是") : say("or        ", "或是"), c->profile->id,
               c->identity.is_match ? "" : "?", say(c->profile->en, c->profile->zh), score);
    }
}

/* "rs485-small-weather-station-500? (no id register)" */
static void print_guess(const struct survey_device *d)
{
    const struct match_candidate *c = &d->best[0];

    if (d->is_alias) {
        fputs(say("    the same device once more", "    同一台仪器"), stdout);
    } else if (d->best_n && c->identity.is_match) {
        printf(say_zh() ? "    %s（必要标识 %zu/%zu）" : "    %s (%zu/%zu required)",
               c->profile->id, c->identity.needed_hits, c->identity.needed);
    } else if (d->best_n && c->identity.others) {
        printf(say_zh() ? "    %s?（参考标识 %zu/%zu）" : "    %s? (%zu/%zu hints)",
               c->profile->id, c->identity.other_hits, c->identity.others);
    } else if (d->best_n) {
        printf("    %s? (%s)", c->profile->id, say("no id register", "无标识寄存器"));
    } else if (*d->product) {
        printf(say_zh() ? "    自报“%s”，没有合适的模板" : "    says \"%s\", no profile fits",
               d->product);
    } else if (d->outcome == BUS_OK) {
        fputs(say("    no profile fits", "    没有合适的模板"), stdout);
    }
}

static int percent(const struct survey_progress *p)
{
    return p->total ? (int)(p->done * 100 / p->total) : 0;
}

void scan_print_device(struct scan_view *v, const struct survey_device *d)
{
    char setting[SURVEY_SETTING_TEXT];

    if (v->is_quiet)
        return;
    scan_clear_bar(v);
    if (v->is_single) {
        if (!d->best_n)
            puts(say("answers, but no profile of the library fits",
                     "有应答，但库中没有合适的模板"));
        print_candidates(v, d);
        fflush(stdout);
        return;
    }
    survey_setting_text(&d->setting, setting);
    printf("[%2d %%] %s%s%s %-3u ", percent(&v->last), setting, *setting ? " " : "",
           say("unit", "地址"), d->unit);
    if (d->outcome == BUS_EXCEPTION)
        printf(say_zh() ? "异常码 %02u（是设备，寄存器不同）"
                        : "exception %02u (a device, other registers)",
               d->exception);
    else
        printf(say_zh() ? "应答 %02X %02X %02X …" : "answer %02X %02X %02X …", d->unit,
               d->function, (unsigned)(2 * d->n));
    print_guess(d);
    putchar('\n');
    if (!d->is_alias)
        print_candidates(v, d);
    fflush(stdout);
}

void scan_print_hint(struct scan_view *v, enum survey_hint what, const struct survey_setting *s,
                     uint8_t unit)
{
    char setting[SURVEY_SETTING_TEXT];
    const bool is_zh = say_zh();

    if (v->is_quiet)
        return;
    scan_clear_bar(v);
    survey_setting_text(s, setting);
    switch (what) {
    case HINT_NOISE:
        printf(is_zh
                   ? "       %s 地址 %u：有应答但已损坏：速率或格式不符，或两台仪器同一地址\n"
                   : "       %s unit %u: something answers, damaged: other speed or format, or "
                     "two devices with one address\n",
               setting, unit);
        break;
    case HINT_LATE:
        printf(is_zh ? "       %s 地址 %u：应答晚到，将再次耐心询问\n"
                     : "       %s unit %u: an answer came late, asked again with patience\n",
               setting, unit);
        break;
    case HINT_GATEWAY:
        printf("       %s\n",
               say("a gateway answers for units that are absent", "有网关代不存在的地址应答"));
        break;
    case HINT_ALL_UNITS:
        printf("       %s\n",
               say("the device answers whatever the unit: it is one device, listed once",
                   "仪器对任何地址都应答：是同一台，只列一次"));
        break;
    }
    fflush(stdout);
}

/* ---- progress ---- */

void scan_clear_bar(struct scan_view *v)
{
    if (v->has_bar)
        fputs("\r\033[K", stdout);
    v->has_bar = false;
}

void scan_print_progress(struct scan_view *v, const struct survey_progress *p)
{
    char time[SCAN_TIME_TEXT], setting[SURVEY_SETTING_TEXT];

    v->last = *p;
    if (!v->is_bar || v->is_quiet || v->is_single)
        return;
    survey_setting_text(&p->setting, setting);
    printf(say_zh() ? "\r[%2d %%] %s 地址 %-3u  剩余 %s\033[K"
                    : "\r[%2d %%] %s unit %-3u  %s left\033[K",
           percent(p), setting, p->unit, scan_time(p->left_ms, time));
    v->has_bar = true;
    fflush(stdout);
}

void scan_print_summary(struct scan_view *v, size_t devices_n, int64_t took_ms)
{
    char time[SCAN_TIME_TEXT];

    if (v->is_quiet || v->is_single)
        return;
    scan_clear_bar(v);
    scan_time(took_ms, time);
    if (say_zh())
        printf("%zu 台仪器，%zu / %zu 个组合，%s\n", devices_n, v->last.done, v->last.total,
               time);
    else
        printf("%zu device%s, %zu of %zu combinations, %s\n", devices_n,
               devices_n == 1 ? "" : "s", v->last.done, v->last.total, time);
}

/* ---- frames ---- */

static void print_frame_line(struct scan_view *v, const char *remark)
{
    if (!v->frame[0])
        return;
    printf("%s%s%s\n", v->frame, *remark ? "      " : "", remark);
    v->frame[0] = '\0';
}

void scan_print_frame(struct scan_view *v, const struct bus_frame *f)
{
    size_t n = 1;

    if (v->is_quiet || !v->has_frames)
        return;
    scan_clear_bar(v);
    print_frame_line(v, "");
    v->frame[0] = f->fate == BUS_SENT ? '>' : '<';
    v->frame[1] = '\0';
    for (size_t i = 0; i < f->n && n + 4 < sizeof v->frame; i++)
        n += (size_t)snprintf(v->frame + n, sizeof v->frame - n, " %02X", f->bytes[i]);
    if (f->fate == BUS_SENT)
        print_frame_line(v, "");
    else if (f->fate == BUS_LATE || f->fate == BUS_FOREIGN || f->fate == BUS_DAMAGED)
        print_frame_line(v, bus_fate_name(f->fate));
    fflush(stdout);
}

void scan_print_reply(struct scan_view *v, const struct bus_request *q,
                      const struct bus_reply *r)
{
    static const char *const objects[] = { "vendor", "product", "revision",   "address",
                                           "name",   "model",   "application" };
    char remark[300] = "";

    if (v->is_quiet || !v->has_frames)
        return;
    if (r->outcome == BUS_OK && q->function == BUS_IDENTIFY) {
        const char *object =
            q->first < sizeof objects / sizeof objects[0] ? objects[q->first] : "object";
        size_t n = (size_t)snprintf(remark, sizeof remark, "%s \"", object);
        for (const char *c = r->text; *c && n + 2 < sizeof remark; c++)
            remark[n++] = *c >= ' ' && *c <= '~' ? *c : '?';
        snprintf(remark + n, sizeof remark - n, "\"");
    } else if (r->outcome == BUS_EXCEPTION) {
        outcome_words(r->outcome, r->exception, 0, remark, sizeof remark);
    }
    if (!v->frame[0] && r->outcome == BUS_NO_ANSWER)
        printf("< %s\n", outcome_words(r->outcome, 0, q->timeout_ms, remark, sizeof remark));
    print_frame_line(v, remark);
    fflush(stdout);
}

void scan_print_read(struct scan_view *v, const struct survey_read *q,
                     const struct bus_reply *r)
{
    char why[200];

    if (v->is_quiet || v->has_frames) /* who sees the bytes wants no guesses between them */
        return;
    scan_clear_bar(v);
    if (r->outcome == BUS_OK)
        scan_guess_print(q, r->words, stdout);
    else
        printf("%c:%u+%u  %s\n", " cdhi"[q->function], q -> first, q -> count,
               outcome_words(r->outcome, r->exception, 0, why, sizeof why));
}

/* ---- JSON ---- */

void scan_put_device(struct buf *b, const struct survey_device *d)
{
    char setting[SURVEY_SETTING_TEXT];

    buf_printf(b, "{\"unit\":%u,\"setting\":", d->unit);
    buf_json(b, survey_setting_text(&d->setting, setting));
    buf_printf(b, ",\"answer\":\"%s\",\"exception\":%u,\"took_ms\":%" PRId64 ",\"product\":",
               d->outcome == BUS_OK ? "data" : "exception", d->exception, d->took_ms);
    buf_json(b, d->product);
    bool is_certain =
        d->best_n > 0 && match_is_likely(&d->best[0]) && match_is_certain(d->best, d->best_n);
    buf_printf(b, ",\"alias\":%s,\"ignores_unit\":%s,\"certain\":%s,\"candidates\":[",
               d->is_alias ? "true" : "false", d->ignores_unit ? "true" : "false",
               is_certain ? "true" : "false");
    for (size_t i = 0; i < d->best_n; i++) {
        const struct match_candidate *c = &d->best[i];
        buf_printf(b, "%s{\"profile\":\"%s\",\"trust\":\"%s\",\"match\":%s,", i ? "," : "",
                   c->profile->id, c->profile->verified,
                   c->identity.is_match ? "true" : "false");
        buf_printf(b,
                   "\"score\":%d,\"required\":%zu,\"required_hits\":%zu,\"hints\":%zu,"
                   "\"hint_hits\":%zu,\"points\":%zu,\"points_plausible\":%zu}",
                   c->bits, c->identity.needed, c->identity.needed_hits, c->identity.others,
                   c->identity.other_hits, c->required, c->fitting);
    }
    buf_puts(b, "]}");
}
