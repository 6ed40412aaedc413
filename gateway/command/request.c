/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller wants, held against what the station has: every refusal is a sentence that says
 * what would be right. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "gateway/command/internal.h"

void refuse(struct command_refusal *r, const char *reason, const char *en, const char *zh)
{
    r->reason = reason;
    snprintf(r->en, sizeof r->en, "%s", en);
    snprintf(r->zh, sizeof r->zh, "%s", zh);
}

/* Both sentences from forms with the same texts in them. */
#define REFUSE(why, code, form_en, form_zh, ...) \
    ((why)->reason = (code), snprintf((why)->en, sizeof(why)->en, form_en, __VA_ARGS__), \
     snprintf((why)->zh, sizeof(why)->zh, form_zh, __VA_ARGS__), -EINVAL)

bool device_find(const struct commands_station *s, const char *id, uint32_t *ret)
{
    for (size_t i = 0; i < s->devices_n; i++) {
        if (strcmp(s->devices[i].id, id) == 0) {
            *ret = (uint32_t)i;
            return true;
        }
    }
    return false;
}

static int read_device(const struct commands_station *s, const json_t *root,
                       struct command_request *ret, struct command_refusal *why)
{
    const char *id = json_string_value(json_object_get(root, "device"));

    if (!id)
        return REFUSE(why, "bad_request", "%s", "%s", "device: ?");
    if (!device_find(s, id, &ret->device))
        return REFUSE(why, "unknown_device", "The station has no device %.64s.",
                      "本站没有设备 %.64s。", id);
    if (!s->devices[ret->device].is_enabled)
        return REFUSE(why, "disabled", "Device %.64s is disabled in the configuration.",
                      "设备 %.64s 已在配置中停用。", id);
    ret->profile = poll_device_profile(s->poll, ret->device);
    if (!ret->profile)
        return REFUSE(
            why, "not_ready",
            "Device %.64s has not answered yet, and which variant of its profile it is "
            "is not known: nothing is sent.",
            "设备 %.64s 尚未应答，无法确定其型号变体，未发送任何命令。", id);
    return 0;
}

static void put_known(const struct profile *p, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < p->commands_n && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "", p->commands[i].id);
}

static int read_command(const struct commands_station *s, const json_t *root,
                        struct command_request *ret, struct command_refusal *why)
{
    const char *id = json_string_value(json_object_get(root, "command"));
    const char *device = s->devices[ret->device].id;
    char known[1024];

    ret->command = id ? command_find(ret->profile, id) : NULL;
    if (ret->command)
        return 0;
    put_known(ret->profile, known, sizeof known);
    if (!*known)
        return REFUSE(why, "unknown_command", "Profile %s of %s has no commands.",
                      "型号 %s（设备 %s）没有命令。", ret->profile->id, device);
    return REFUSE(why, "unknown_command", "Device %s has no command %.64s; it has %s.",
                  "设备 %s 没有命令 %.64s；可用命令：%s。", device, id ? id : "?", known);
}

static int read_value(const struct profile_command *c, const char *id, const json_t *value,
                      struct command_request *ret, struct command_refusal *why)
{
    for (size_t i = 0; i < c->parameters_n; i++) {
        if (strcmp(c->parameters[i].id, id) != 0)
            continue;
        if (!json_is_number(value))
            return REFUSE(why, "bad_value", "The value of %s of %s must be a number.",
                          "%s（命令 %s）的值必须是数字。", id, c->id);
        ret->value[i] = json_number_value(value);
        return 0;
    }
    return REFUSE(why, "unknown_parameter", "Command %s has no parameter %.64s.",
                  "命令 %s 没有参数 %.64s。", c->id, id);
}

static int read_values(const json_t *values, struct command_request *ret,
                       struct command_refusal *why)
{
    const char *id;
    json_t *value;
    int rc = 0;

    for (size_t i = 0; i < COMMAND_PARAMETERS_MAX; i++)
        ret->value[i] = (double)NAN;
    if (values && !json_is_object(values))
        return REFUSE(why, "bad_request", "%s", "%s", "values: {parameter: number}");
    json_object_foreach((json_t *)values, id, value)
    {
        if (rc == 0)
            rc = read_value(ret->command, id, value, ret, why);
    }
    return rc;
}

/* It comes back in events and on screens. */
static int read_id(const json_t *root, struct command_request *ret, struct command_refusal *why)
{
    const json_t *id = json_object_get(root, "request");
    const char *text = id ? json_string_value(id) : "";
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";

    if (!text || strlen(text) > COMMAND_REQUEST_MAX || text[strspn(text, allowed)])
        return REFUSE(why, "bad_request",
                      "The id of a request has at most %d letters, digits and any of -_.:",
                      "请求编号最多 %d 个字符，只能含字母、数字和 -_.:", COMMAND_REQUEST_MAX);
    snprintf(ret->id, sizeof ret->id, "%s", text);
    return 0;
}

int request_read(const struct commands_station *s, const json_t *root,
                 struct command_request *ret, struct command_refusal *why)
{
    int rc = read_id(root, ret, why);

    if (rc == 0)
        rc = read_device(s, root, ret, why);
    if (rc == 0)
        rc = read_command(s, root, ret, why);
    return rc == 0 ? read_values(json_object_get(root, "values"), ret, why) : rc;
}

static int refuse_value(const struct command_request *q, size_t parameter, int err,
                        struct command_refusal *why)
{
    const struct profile_command *c = q->command;

    if (parameter >= c->parameters_n)
        return REFUSE(why, "bad_profile",
                      "Command %s of profile %s cannot be put into requests.",
                      "命令 %s（型号 %s）无法转换为请求。", c->id, q->profile->id);
    const struct profile_parameter *p = &c->parameters[parameter];
    const char *unit = p->unit ? p->unit->code : "";
    const char *blank = p->unit ? " " : "";
    double given = q->value[parameter];
    if (isnan(given))
        return REFUSE(why, "missing_value",
                      "Command %s needs %s: a number from %.15g to %.15g%s%s.",
                      "命令 %s 需要参数 %s：%.15g 到 %.15g%s%s。", c->id, p->id, p->min, p->max,
                      blank, unit);
    if (err == -EINVAL)
        return REFUSE(why, "not_whole", "%s must be a whole number, not %.15g.",
                      "%s 必须是整数，而不是 %.15g。", p->id, given);
    return REFUSE(why, "out_of_range", "%s must be from %.15g to %.15g%s%s, not %.15g.",
                  "%s 的范围是 %.15g 到 %.15g%s%s，而不是 %.15g。", p->id, p->min, p->max,
                  blank, unit, given);
}

int request_plan(const struct commands_station *s, const struct command_request *q,
                 const struct clock *clock, struct command_plan *ret,
                 struct command_refusal *why)
{
    int64_t now_ms = clock_wall_ms(clock);
    size_t parameter;
    int rc = command_plan(q->profile, q->command, q->value, s->devices[q->device].order,
                          now_ms + s->zone_ms, now_ms, ret, &parameter);

    if (rc == 0 && ret->n == 0)
        rc = -E2BIG;
    return rc == 0 ? 0 : refuse_value(q, parameter, rc, why);
}

/* ---- what there is to be told ---- */

static json_t *names(const char *en, const char *zh, const char *id)
{
    return json_pack("{s:s,s:s}", "en", en ? en : id, "zh", zh ? zh : en ? en : id);
}

static json_t *describe_parameter(const struct profile_parameter *p)
{
    json_t *o =
        json_pack("{s:s,s:o,s:f,s:f,s:b}", "id", p->id, "names", names(p->en, p->zh, p->id),
                  "min", p->min, "max", p->max, "integer", p->is_integer);

    if (p->unit)
        json_object_set_new(o, "unit", json_string(p->unit->code));
    if (!isnan(p->dflt))
        json_object_set_new(o, "default", json_real(p->dflt));
    return o;
}

static json_t *describe_command(const struct profile_command *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->parameters_n; i++)
        json_array_append_new(list, describe_parameter(&c->parameters[i]));
    json_t *o = json_pack("{s:s,s:o,s:o}", "id", c->id, "names", names(c->en, c->zh, c->id),
                          "parameters", list);
    if (c->mode)
        json_object_set_new(
            o, "mode", json_pack("{s:s,s:I}", "set", c->mode, "ms", (json_int_t)c->mode_ms));
    return o;
}

json_t *device_describe(const struct commands_station *s, uint32_t device)
{
    const struct poll_device *d = &s->devices[device];
    const struct profile *p = poll_device_profile(s->poll, device);
    json_t *list = json_array();

    if (!p)
        p = d->profile;
    for (size_t i = 0; i < p->commands_n; i++)
        json_array_append_new(list, describe_command(&p->commands[i]));
    return json_pack("{s:s,s:s,s:o,s:o}", "id", d->id, "profile", p->id, "names",
                     names(p->en, p->zh, p->id), "commands", list);
}
