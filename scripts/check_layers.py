#!/usr/bin/env python3
"""Fail when a file includes a header from a folder that its layer may not see.

The table is the one of docs/architecture.md: gateway -> rules -> sensors, and inside gateway a
ladder. gateway/app.*, gateway/main.c, gateway/cmd/ and tests see everything.
"""
import pathlib
import re
import sys

CORE, BASE = "sensors/core", "gateway/base"
LOW = {BASE, CORE}

ALLOWED = {
    CORE: set(),
    "sensors": {CORE},
    "rules": {CORE},
    BASE: {CORE},
    "gateway/clock": LOW,
    "gateway/series": LOW,
    "gateway/bus": LOW | {"gateway/lorawan"},
    "gateway/live": LOW,
    "gateway/conf": LOW | {"gateway/forwarder", "gateway/lorawan", "sensors", "rules"},
    "gateway/store": LOW | {"gateway/series"},
    "gateway/uplink": LOW | {"gateway/series"},
    "gateway/poll": LOW | {"gateway/bus", "sensors"},
    "gateway/survey": LOW | {"gateway/bus", "sensors"},
    "gateway/traffic": LOW | {"gateway/bus", "sensors"},
    "gateway/import": LOW | {"gateway/conf", "sensors"},
    "gateway/sim": LOW | {"gateway/lorawan", "sensors"},
    "gateway/alerts": LOW | {"gateway/clock", "gateway/store", "gateway/series", "rules"},
    "gateway/pipeline": LOW | {"gateway/alerts", "gateway/clock", "gateway/store",
                               "gateway/series", "rules"},
    "gateway/forward": LOW | {"gateway/store", "gateway/series", "gateway/uplink"},
    "gateway/http": LOW | {"gateway/store", "gateway/series", "gateway/live"},
    "gateway/command": LOW | {"gateway/poll", "gateway/bus", "gateway/store", "gateway/series",
                              "sensors"},
    "gateway/calibration": LOW | {"gateway/store", "gateway/series", "rules"},
    "gateway/revision": LOW | {"gateway/store", "gateway/series", "rules"},
    "gateway/control": LOW | {"gateway/live"},
    "gateway/ingest": LOW | {"gateway/series", "gateway/uplink"},
    "gateway/lorawan": LOW,
    "gateway/forwarder": LOW | {"gateway/lorawan"},
    "gateway/codec": LOW | {"sensors"},
    "gateway/lns": LOW | {"gateway/uplink"},
    "gateway/lora": LOW | {"gateway/lorawan", "gateway/forwarder", "gateway/codec", "gateway/lns",
                           "gateway/bus", "gateway/store", "gateway/series", "sensors"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
ROOTS = ("sensors", "rules", "gateway")


def layer(path):
    parts = path.split("/")
    for key in ("/".join(parts[:2]), parts[0]):
        if key in ALLOWED:
            return key
    return None


def main(root):
    bad = 0
    files = 0
    for top in ROOTS:
        for src in sorted((pathlib.Path(root) / top).rglob("*.[ch]")):
            rel = src.relative_to(root).as_posix()
            mine = layer(rel)
            files += 1
            for inc in INCLUDE.findall(src.read_text()) if mine else []:
                theirs = layer(inc)
                if theirs != mine and (theirs or inc.startswith("gateway/")) \
                        and theirs not in ALLOWED[mine]:
                    print(f"{rel}: {mine} must not include {inc}")
                    bad += 1
    print(f"{files} files, {bad} includes against the layers")
    return bad != 0 or files == 0


sys.exit(main(sys.argv[1]))
