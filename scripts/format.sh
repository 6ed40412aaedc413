#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Formats the C files in place (clang-format 14 decides), or only those given.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
if [ $# -gt 0 ]; then
    clang-format -i "$@"
else
    find sensors rules gateway tests -name '*.[ch]' -print0 | xargs -0 clang-format -i
fi
