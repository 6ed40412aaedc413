/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/uplink/cap.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/uplink/cap_course.h"
#include "gateway/uplink/xml.h"
#include "sensors/core/quantity.h"

enum {
    CAP_TIME_MAX = 32,
    SENTENCE_MAX = 1024,
    DAY_MS = 86400000,
};

/* ---- options ---- */

static bool name_is_ok(const char *text, char *why, size_t size)
{
    if (*text && !strpbrk(text, " \t\r\n,<&"))
        return true;
    snprintf(why, size,
             "It is one word without blank, comma, '<' and '&', such as "
             "station-7@monitor.example.cn.");
    return false;
}

static bool geocode_is_ok(const char *text, char *why, size_t size)
{
    const size_t n = strspn(text, "0123456789");

    if (text[n] == '\0' && (n == 6 || n == 9 || n == 12))
        return true;
    snprintf(why, size,
             "A code of GB/T 2260 has six digits, such as 370100 (9 or 12 down to "
             "town and village).");
    return false;
}

static const char *const status_words[] = { "actual", "exercise", "test", NULL };
static const char *const scope_words[] = { "public", "restricted", NULL };

#define OPTION(member) offsetof(struct cap_options, member)

const struct field cap_fields[] = {
    { .name = "sender",
      .type = FIELD_TEXT,
      .offset = OPTION(sender),
      .help = "Who sends, unique in the world: name@domain. The station's id unless given.",
      .is_ok = name_is_ok },
    { .name = "status",
      .type = FIELD_ENUM,
      .offset = OPTION(status),
      .dflt = "actual",
      .words = status_words,
      .help = "exercise for a drill, test while the station is being set up." },
    { .name = "scope",
      .type = FIELD_ENUM,
      .offset = OPTION(scope),
      .dflt = "restricted",
      .words = scope_words,
      .help = "Whether the messages are for everybody." },
    { .name = "restriction",
      .type = FIELD_TEXT,
      .offset = OPTION(restriction),
      .dflt = "Environmental authority",
      .help = "Whom restricted messages are for." },
    { .name = "area",
      .type = FIELD_TEXT,
      .offset = OPTION(area),
      .help = "Name of the area; the station's unless given." },
    { .name = "geocode",
      .type = FIELD_TEXT,
      .offset = OPTION(geocode),
      .help = "County code of GB/T 2260 of the area.",
      .is_ok = geocode_is_ok },
    { .name = "radius",
      .type = FIELD_DOUBLE,
      .offset = OPTION(radius_km),
      .dflt = "1",
      .min = 0,
      .max = 500,
      .help = "Of the circle around the station, in kilometres." },
    { .name = "contact",
      .type = FIELD_TEXT,
      .offset = OPTION(contact),
      .help = "Whom to ask." },
    { .name = "expires",
      .type = FIELD_DURATION,
      .offset = OPTION(expires_ms),
      .dflt = "24h",
      .min = 60000,
      .max = 31.0 * DAY_MS,
      .help = "How long a message holds without another." },
    { .name = NULL },
};

/* ---- pieces ---- */

/* CAP takes no "Z" and no fractions. */
static const char *put_time(int64_t ms, char *out)
{
    char utc[TIME_TEXT_MAX];

    time_print_utc(ms, utc);
    snprintf(out, CAP_TIME_MAX, "%.19s-00:00", utc);
    return out;
}

static void put_identifier(struct buf *b, const struct uplink_station *station, const char *key,
                           int64_t number, int64_t time_ms)
{
    alert_put_name(b, station->id);
    buf_puts(b, "/");
    alert_put_name(b, key);
    buf_printf(b, "/%" PRId64, number > 0 ? number : time_ms);
}

void cap_identifier(struct buf *b, const struct uplink_station *station,
                    const struct alert_event *e)
{
    put_identifier(b, station, e->key, e->number, e->time_ms);
}

struct job {
    struct buf *b;
    const struct cap_options *o;
    const struct uplink_station *station;
    const struct alert_event *e;
    enum cap_type type;
    bool is_over; /* the condition is gone */
};

static const char *sender_of(const struct job *j)
{
    return j->o->sender ? j->o->sender : j->station->id;
}

/* Goes through what came before; `refs` gets the messages among it. */
static struct cap_course go_through(const struct job *j, enum alert_colour lowest,
                                    struct buf *refs)
{
    const json_t *list = json_object_get(j->e->root, "earlier");
    struct cap_course course = { .has_begun = false };
    char when[CAP_TIME_MAX];

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct cap_earlier x;
        if (!cap_earlier_read(json_array_get(list, i), &x) ||
            cap_course_step(&course, &x.change, lowest) == CAP_NONE)
            continue;
        buf_printf(refs, "%s%s,", refs->size > 0 ? " " : "", sender_of(j));
        put_identifier(refs, j->station, j->e->key, x.number, x.time_ms);
        buf_printf(refs, ",%s", put_time(x.time_ms, when));
    }
    return course;
}

/* ---- words ---- */

static const char *const colours[][2] = { { "none", "无" },
                                          { "blue", "蓝色" },
                                          { "yellow", "黄色" },
                                          { "orange", "橙色" },
                                          { "red", "红色" } };

static bool is_zh(const char *lang)
{
    return strncmp(lang, "zh", 2) == 0;
}

static const char *title_of(const struct job *j, const char *lang)
{
    const char *title = alert_event_in(j->e, "title", is_zh(lang) ? "zh" : "en");

    return *title ? title : *j->e->rule ? j->e->rule : j->e->key;
}

static void put_headline(const struct job *j, const char *lang, char *out)
{
    char value[ALERT_NUMBER_MAX], limit[ALERT_NUMBER_MAX];
    const char *colour = colours[j->e->level][is_zh(lang)];

    alert_event_number(j->e, "value", value);
    alert_event_number(j->e, "limit", limit);
    if (j->type == CAP_CANCEL)
        snprintf(out, SENTENCE_MAX, is_zh(lang) ? "%s：已撤销" : "%s: cancelled",
                 title_of(j, lang));
    else if (j->is_over)
        snprintf(out, SENTENCE_MAX, is_zh(lang) ? "%s：已解除（%s %s）" : "%s: over (%s %s)",
                 title_of(j, lang), value, j->e->unit);
    else
        snprintf(out, SENTENCE_MAX,
                 is_zh(lang) ? "%s（%s）：%s %s，限值 %s" : "%s (%s): %s %s, limit %s",
                 title_of(j, lang), colour, value, j->e->unit, limit);
}

static const char *direction_zh(const char *id)
{
    static const char *const words[][2] = {
        { "above", "高于" }, { "below", "低于" }, { "outside", "超出" }, { "equal", "等于" }
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], id) == 0)
            return words[i][1];
    return "越过";
}

/* The same facts in either language. */
static void put_facts(const struct job *j, const char *lang, struct buf *out)
{
    const struct alert_event *e = j->e;
    const struct quantity *q = quantity_find(e->quantity);
    char value[ALERT_NUMBER_MAX], limit[ALERT_NUMBER_MAX], extreme[ALERT_NUMBER_MAX];
    char since[CAP_TIME_MAX];
    const char *what = q ? (is_zh(lang) ? q->zh : q->en) : e->quantity;

    alert_event_number(e, "value", value);
    alert_event_number(e, "limit", limit);
    alert_event_number(e, "extreme", extreme);
    put_time(e->raised_ms, since);
    if (is_zh(lang))
        buf_printf(out,
                   "%s：%s %s，%s限值 %s，极值 %s，始于 %.10s %.8s（协调世界时）。通道 %s。",
                   what, value, e->unit, direction_zh(e->direction), limit, extreme, since,
                   since + 11, e->channel);
    else
        buf_printf(out,
                   "%s: %s %s, %s the limit %s, extreme %s, since %.10s %.8s UTC. Channel "
                   "%s.",
                   what, value, e->unit, e->direction, limit, extreme, since, since + 11,
                   e->channel);
}

static void put_remarks(const struct job *j, const char *lang, struct buf *out)
{
    static const struct {
        const char *mark, *text[2]; /* en, zh */
    } remarks[] = {
        { "late", { " Found late.", "发现滞后。" } },
        { "cannot_judge",
          { " No usable data just now: whether it goes on is not known.",
            "当前无可用数据，是否持续无法判断。" } },
        { "doubtful",
          { " A failed check of calibration makes the data doubtful.",
            "校准核查未通过，数据存疑。" } },
        { "superseded", { " A fault of the instrument was found.", "已发现仪器故障。" } },
        { "unstable", { " Comes and goes.", "反复出现。" } },
    };

    for (size_t i = 0; i < sizeof remarks / sizeof remarks[0]; i++)
        if (alert_event_has_mark(j->e, remarks[i].mark))
            buf_puts(out, remarks[i].text[is_zh(lang)]);
    if (*j->e->note)
        buf_printf(out, is_zh(lang) ? "备注：%s" : " Note: %s", j->e->note);
}

static void put_description(const struct job *j, unsigned depth, const char *lang)
{
    struct buf text = BUF_INIT(CAP_MESSAGE_MAX);

    put_facts(j, lang, &text);
    put_remarks(j, lang, &text);
    const char *whole = buf_text(&text);
    if (whole)
        xml_text(j->b, depth, "description", whole);
    else
        j->b->has_failed = true;
    buf_done(&text);
}

/* ---- the parts of a message, in the order of the schema ---- */

static bool is_forecast(const struct alert_event *e)
{
    return *alert_event_text(e, "crossing") != '\0';
}

static const char *urgency_of(const struct job *j)
{
    if (j->is_over || j->type == CAP_CANCEL)
        return "Past";
    return is_forecast(j->e) ? "Expected" : "Immediate";
}

static const char *severity_of(const struct job *j)
{
    static const char *const words[] = { "Unknown", "Minor", "Moderate", "Severe", "Extreme" };

    return words[j->type == CAP_CANCEL ? j->e->peak : j->is_over ? COLOUR_BLUE : j->e->level];
}

static const char *certainty_of(const struct job *j)
{
    if (j->type == CAP_CANCEL)
        return "Unlikely";
    if (j->is_over)
        return "Observed";
    if (alert_event_has_mark(j->e, "doubtful") || alert_event_has_mark(j->e, "cannot_judge"))
        return "Possible";
    return is_forecast(j->e) ? "Likely" : "Observed";
}

static const char *response_of(const struct job *j)
{
    return j->type == CAP_CANCEL ? "None" : j->is_over ? "AllClear" : "Monitor";
}

static void put_parameters(const struct job *j, unsigned depth)
{
    const struct alert_event *e = j->e;
    static const char *const numbers[] = { "value", "limit",         "extreme",
                                           "flag",  "crossing_pm_s", "number" };
    static const char *const texts[] = { "unit",   "direction", "level",  "peak",    "channel",
                                         "device", "quantity",  "medium", "rule",    "version",
                                         "state",  "verdict",   "clock",  "crossing" };
    const char *period = strchr(e->channel, '@');
    char text[ALERT_NUMBER_MAX];

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        xml_pair(j->b, depth, "parameter", numbers[i], alert_event_number(e, numbers[i], text));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        xml_pair(j->b, depth, "parameter", texts[i], alert_event_text(e, texts[i]));
    if (period)
        xml_pair(j->b, depth, "parameter", "period", period + 1);
    const json_t *marks = json_object_get(e->root, "marks");
    for (size_t i = 0; i < json_array_size(marks); i++)
        xml_pair(j->b, depth, "parameter", "mark", json_string_value(json_array_get(marks, i)));
    xml_pair(j->b, depth, "parameter", "evidence", e->key);
}

static void put_area(const struct job *j, unsigned depth, const char *lang)
{
    const struct uplink_station *s = j->station;
    const char *name = is_zh(lang) ? s->name_zh : s->name_en;
    char circle[96];

    xml_begin(j->b, depth, "area");
    xml_text(j->b, depth + 1, "areaDesc",
             j->o->area      ? j->o->area
             : name && *name ? name
                             : s->id);
    if (s->place) {
        snprintf(circle, sizeof circle, "%.6f,%.6f %.3f", s->place->lat, s->place->lon,
                 j->o->radius_km);
        xml_text(j->b, depth + 1, "circle", circle);
    }
    xml_pair(j->b, depth + 1, "geocode", "GB/T2260", j->o->geocode);
    xml_end(j->b, depth, "area");
}

static void put_kind(const struct job *j, unsigned depth, const char *lang)
{
    const struct quantity *q = quantity_find(j->e->quantity);
    const bool is_radiation = strcmp(j->e->medium, "radiation") == 0;

    xml_text(j->b, depth, "language", lang);
    xml_text(j->b, depth, "category", is_radiation ? "CBRNE" : "Env");
    xml_text(j->b, depth, "event", title_of(j, lang));
    xml_text(j->b, depth, "responseType", response_of(j));
    xml_text(j->b, depth, "urgency", urgency_of(j));
    xml_text(j->b, depth, "severity", severity_of(j));
    xml_text(j->b, depth, "certainty", certainty_of(j));
    xml_pair(j->b, depth, "eventCode", "HJ212", q ? q->hj212 : NULL);
}

static void put_info(const struct job *j, const char *lang)
{
    const struct uplink_station *s = j->station;
    char text[SENTENCE_MAX], when[CAP_TIME_MAX];

    xml_begin(j->b, 1, "info");
    put_kind(j, 2, lang);
    xml_text(j->b, 2, "effective", put_time(j->e->time_ms, when));
    if (j->e->raised_ms > 0)
        xml_text(j->b, 2, "onset", put_time(j->e->raised_ms, when));
    xml_text(j->b, 2, "expires", put_time(j->e->time_ms + j->o->expires_ms, when));
    xml_text(j->b, 2, "senderName", is_zh(lang) ? s->name_zh : s->name_en);
    put_headline(j, lang, text);
    xml_text(j->b, 2, "headline", text);
    put_description(j, 2, lang);
    xml_text(j->b, 2, "contact", j->o->contact);
    put_parameters(j, 2);
    put_area(j, 2, lang);
    xml_end(j->b, 1, "info");
}

static void put_head(const struct job *j, struct buf *refs)
{
    static const char *const statuses[] = { "Actual", "Exercise", "Test" };
    static const char *const scopes[] = { "Public", "Restricted" };
    static const char *const types[] = { "", "Alert", "Update", "Cancel" };
    struct buf id = BUF_INIT(CAP_MESSAGE_MAX);
    char when[CAP_TIME_MAX];

    cap_identifier(&id, j->station, j->e);
    const char *name = buf_text(&id), *references = buf_text(refs);
    if (name && references) {
        xml_text(j->b, 1, "identifier", name);
        xml_text(j->b, 1, "sender", sender_of(j));
        xml_text(j->b, 1, "sent", put_time(j->e->time_ms, when));
        xml_text(j->b, 1, "status", statuses[j->o->status]);
        xml_text(j->b, 1, "msgType", types[j->type]);
        xml_text(j->b, 1, "scope", scopes[j->o->scope]);
        if (j->o->scope == CAP_RESTRICTED)
            xml_text(j->b, 1, "restriction", j->o->restriction);
        xml_text(j->b, 1, "references", references);
    } else {
        j->b->has_failed = true;
    }
    buf_done(&id);
}

int cap_write(struct buf *b, const struct cap_options *o, const struct uplink_station *station,
              const struct alert_event *e, enum alert_colour lowest)
{
    struct job j = { .b = b, .o = o, .station = station, .e = e };
    struct buf refs = BUF_INIT(CAP_MESSAGE_MAX);

    if (e->is_notice)
        return 0;
    struct cap_course course = go_through(&j, lowest, &refs);
    const struct cap_change now = { e->what, e->verdict, e->quiet, e->level, e->peak };
    j.type = cap_course_step(&course, &now, lowest);
    j.is_over = e->level == COLOUR_NONE;
    if (j.type != CAP_NONE) {
        buf_puts(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\n");
        put_head(&j, &refs);
        put_info(&j, "zh-CN");
        put_info(&j, "en-US");
        xml_end(b, 0, "alert");
    }
    buf_done(&refs);
    return b->has_failed ? -ENOSPC : j.type != CAP_NONE;
}
