/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/scan.h"

#include <string.h>

static const struct {
    const char *en, *zh;
} texts[SCAN_OUTCOME_COUNT_] = {
    [SCAN_OK] = { "answers", "应答正常" },
    [SCAN_NO_ANSWER] = { "no answer within the deadline", "超时无应答" },
    [SCAN_NO_LINK] = { "no connection to the port or host", "端口或主机无法连接" },
    [SCAN_BAD_FRAME] = { "damaged or foreign answer", "应答帧错误" },
    [SCAN_EXCEPTION] = { "the device refuses the registers", "设备拒绝读取寄存器" },
    [SCAN_NO_TARGET] = { "the gateway says that the target does not answer",
                         "网关报告目标设备无应答" },
    [SCAN_NO_PATH] = { "the gateway says that it has no path to the target",
                       "网关报告没有通往目标设备的路径" },
};

const char *scan_outcome_text(enum scan_outcome o, const char *lang)
{
    return strcmp(lang, "zh") == 0 ? texts[o].zh : texts[o].en;
}
