#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the constant tables of the codec DENSE as C (gateway/series/dense_tables.h).

Section 7.3 of the series format defines them by integers alone and states their CRC-32C, which
the unit test compares. series_tables.py OUTPUT.c
"""
import pathlib
import sys

EX_SIZE, SQUASH_SIZE = 3200, 3073


def tables():
    ex = [1 << 30]
    for _ in range(1, EX_SIZE):
        ex.append(ex[-1] * 1069555701 >> 30)
    squash = [(1 << 52) // ((1 << 30) + e) for e in ex[:SQUASH_SIZE]]
    lg, n = [0], 0
    for i in range(1, 512):
        while ex[n + 1] * i >= 1 << 30:
            n += 1
        lg.append(n)

    def log_of(v):
        s = v.bit_length() - 9
        return lg[v] if s <= 0 else lg[v >> s] + (s * 45426 >> 8)

    def log_odds(a, b):
        return max(-2047, min(2047, log_of(max(a, 1)) - log_of(max(b, 1))))

    return {
        "uint32_t dense_squash": squash,
        "uint16_t dense_lg": lg,
        "int16_t dense_stretch": [log_odds(2 * p + 1, 8191 - 2 * p) for p in range(4096)],
        "uint16_t dense_rate": [131072 // (2 * i + 3) for i in range(256)],
        "uint16_t dense_recip": [65536 // (i + 2) for i in range(47)],
        "uint32_t dense_scale": [2907136 // (33 + 2 * i) for i in range(16)],
    }


def main(argv):
    parts = ['#include "gateway/series/dense_tables.h"\n']
    for name, values in tables().items():
        rows = (values[i:i + 12] for i in range(0, len(values), 12))
        body = "\n".join("    " + " ".join(f"{v}," for v in row) for row in rows)
        parts.append(f"const {name}[{len(values)}] = {{\n{body}\n}};\n")
    pathlib.Path(argv[0]).write_text("\n".join(parts))
    return 0


sys.exit(main(sys.argv[1:]))
