#!/usr/bin/env python3
"""Turn files into a C table of struct embedded_file (gateway/base/embedded.h).

embed.py [--gzip] TABLE OUTPUT.c ROOT FILE...
"""
import gzip
import pathlib
import sys


def literal(data: bytes) -> str:
    rows = (data[i:i + 24] for i in range(0, len(data), 24))
    return "\n".join("    " + "".join(f"{b}," for b in row) for row in rows)


def main(argv) -> int:
    squeeze = argv[:1] == ["--gzip"]
    table, output, root, *files = argv[1:] if squeeze else argv
    parts = ['#include "gateway/base/embedded.h"\n']
    rows = []
    for i, name in enumerate(files):
        path = pathlib.Path(name).resolve()
        data = path.read_bytes()
        if squeeze:
            data = gzip.compress(data, 9, mtime=0)
        rel = path.relative_to(pathlib.Path(root).resolve()).as_posix()
        parts.append(f"static const unsigned char file_{i}[] = {{\n{literal(data)}\n    0 }};\n")
        rows.append(f'    {{ "{path.name}", "{rel}", file_{i}, {len(data)} }},')
    parts.append(f"extern const struct embedded_file {table}[];\n"
                 f"extern const size_t {table}_n;\n"
                 f"const struct embedded_file {table}[] = {{\n" + "\n".join(rows) +
                 f"\n}};\nconst size_t {table}_n = {len(files)};\n")
    pathlib.Path(output).write_text("".join(parts))
    return 0


sys.exit(main(sys.argv[1:]))
