/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/scan_ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/test_words.h"
#include "gateway/survey/port.h"

enum { REPORT_MAX = 1 << 20 };

int scan_ports_list(bool is_json)
{
    struct port_entry *ports = calloc(PORTS_MAX, sizeof *ports);
    size_t n = ports ? port_list("/dev", ports) : 0;
    struct buf b = BUF_INIT(REPORT_MAX);
    struct port_owner owner;

    buf_puts(&b, "{\"ports\":[");
    for (size_t i = 0; i < n; i++) {
        bool is_owned = port_owner(ports[i].path, &owner);
        bool is_same = strcmp(ports[i].path, ports[i].device) == 0;
        if (!is_json)
            printf("%s%s%s%s%s\n", ports[i].path, is_same ? "" : "  ->  ",
                   is_same ? "" : ports[i].device,
                   is_owned ? say("  in use by ", "  占用者 ") : "",
                   is_owned ? owner.name : "");
        buf_puts(&b, i ? ",{\"path\":" : "{\"path\":");
        buf_json(&b, ports[i].path);
        buf_puts(&b, ",\"device\":");
        buf_json(&b, ports[i].device);
        buf_puts(&b, ",\"owner\":");
        buf_json(&b, is_owned ? owner.name : NULL);
        buf_puts(&b, "}");
    }
    buf_puts(&b, "]}\n");
    if (is_json && buf_text(&b))
        fputs(buf_text(&b), stdout);
    else if (!is_json)
        puts(n ? say("Scan one with: sluice scan PORT", "扫描其中一个：sluice scan PORT")
               : say("No serial port is to be seen: is the adapter plugged in?",
                     "未发现串口：适配器插好了吗？"));
    buf_done(&b);
    free(ports);
    return n ? EXIT_DONE : EXIT_FOUND;
}

bool scan_port_is_there(const char *path)
{
    int rc = port_check(path);

    if (rc == 0)
        return true;
    fprintf(stderr, say_zh() ? "sluice scan：%s：%s。\n" : "sluice scan: %s: %s.\n", path,
            port_words(rc));
    return false;
}
