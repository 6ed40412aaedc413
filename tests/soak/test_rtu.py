# SPDX-License-Identifier: Apache-2.0
"""A million Modbus RTU transactions on simulated hostile lines, in virtual time."""

import os
import pathlib
import re
import subprocess

import pytest

TRANSACTIONS = 1_000_000
LIMIT_S = 600


def test_takes_no_wrong_answer_in_a_million_transactions():
    source = pathlib.Path(os.environ.get("SLUICE_SOURCE", pathlib.Path(__file__).parents[2]))
    binary = pathlib.Path(os.environ.get("SLUICE_BINARY", source / "build/sluice"))
    test = binary.parent / "tests/unit/test_rtu_master"
    if not test.exists():
        pytest.skip(f"{test} is not built")
    done = subprocess.run(
        [test],
        env={**os.environ, "SLUICE_TRANSACTIONS": str(TRANSACTIONS)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    total = re.search(r"^(\d+) transactions: (\d+) wrong by late or foreign", done.stdout, re.M)
    assert int(total[1]) >= TRANSACTIONS
    assert int(total[2]) == 0
