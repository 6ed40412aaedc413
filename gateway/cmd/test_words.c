/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/test_words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/cmd/cmd.h"
#include "gateway/survey/port.h"

const char *exception_words(uint8_t code)
{
    return bus_exception_text(code, cmd_lang());
}

const char *outcome_words(enum bus_outcome outcome, uint8_t exception, int64_t timeout_ms,
                          char *buf, size_t size)
{
    bool is_zh = say_zh();

    switch (outcome) {
    case BUS_EXCEPTION:
        snprintf(buf, size, is_zh ? "异常码 %02u：%s" : "exception %02u: %s", exception,
                 exception_words(exception));
        break;
    case BUS_NO_ANSWER:
        snprintf(buf, size,
                 is_zh ? "%" PRId64 " 毫秒内无应答" : "no answer within %" PRId64 " ms",
                 timeout_ms);
        break;
    case BUS_NO_LINK:
        snprintf(buf, size, "%s",
                 say("no connection to the port or address", "端口或地址连接不上"));
        break;
    case BUS_BAD_FRAME:
        snprintf(buf, size, "%s",
                 say("bad frame: damaged, or not the answer to the request",
                     "坏帧：应答损坏或与请求不符"));
        break;
    case BUS_OK:
        snprintf(buf, size, "%s", say("answered", "有应答"));
        break;
    }
    return buf;
}

const char *place_words(const struct bus_place *p, char *buf, size_t size)
{
    bool is_v6 = p->host && strchr(p->host, ':');

    if (bus_has_port(p))
        snprintf(buf, size, "%s %s %d %d%c%d",
                 p->type == BUS_MODBUS_RTU ? "rtu" : "lora-serial", p->device, p->baud,
                 p->data_bits, p->parity, p->stop_bits);
    else
        snprintf(buf, size, "%s %s%s%s:%u", p->type == BUS_MODBUS_TCP ? "tcp" : "rtu-tcp",
                 is_v6 ? "[" : "", p->host, is_v6 ? "]" : "", p->port);
    return buf;
}

const char *port_words(int rc)
{
    switch (rc) {
    case -ENOENT:
        return say("there is no such port; sluice scan lists those that there are",
                   "没有此串口；sluice scan 列出所有串口");
    case -ENOTTY:
        return say("it is no serial port", "不是串口");
    case -EACCES:
        return say("you may not use it: your user needs its group, often dialout",
                   "无权使用：请把您的用户加入 dialout 组");
    default:
        return strerror(-rc);
    }
}

bool port_is_taken(const char *command, const char *path, bool is_taking)
{
    struct port_owner owner;

    if (!port_owner(path, &owner))
        return false;
    fprintf(stderr,
            say_zh() ? "sluice %s：串口 %s 正被 %s（进程 %ld）占用"
                     : "sluice %s: %s is in use by %s (process %ld)",
            command, path, owner.name, owner.pid);
    if (is_taking)
        fputs(say("; asking nevertheless, both may miss answers.\n",
                  "；仍然继续，双方都可能丢失应答。\n"),
              stderr);
    else
        fputs(say(": two masters on one line garble each other. Stop it, or use --take.\n",
                  "：一条总线上两个主站会互相干扰。请先停止它，或使用 --take。\n"),
              stderr);
    return true;
}
