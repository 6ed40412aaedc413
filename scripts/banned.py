#!/usr/bin/env python3
"""Fail when C code calls a function that this project does not use (docs/decisions, style)."""
import pathlib
import re
import sys

BANNED = ("sprintf vsprintf strcpy strcat atoi atol atof strtok gets system popen alloca "
          "localtime gmtime rand srand setlocale").split()
ALLOWED = {("gateway/main.c", "setlocale")}  # LC_MESSAGES and LC_CTYPE only
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def main(root):
    bad = 0
    files = 0
    for top in ("sensors", "rules", "gateway", "tests"):
        for src in sorted((pathlib.Path(root) / top).rglob("*.[ch]")):
            rel = src.relative_to(root).as_posix()
            code = TEXT.sub(lambda m: "\n" * m.group().count("\n"), src.read_text())
            files += 1
            for m in CALL.finditer(code):
                if (rel, m.group(1)) not in ALLOWED:
                    print(f"{rel}:{code[:m.start()].count(chr(10)) + 1}: {m.group(1)} is banned")
                    bad += 1
    print(f"{files} files, {bad} banned calls")
    return bad != 0 or files == 0


sys.exit(main(sys.argv[1]))
