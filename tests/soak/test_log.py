# SPDX-License-Identifier: Apache-2.0
"""The log on disks that fail: 100,000 power cuts, every operation, every allocation, 1,000 full
disks. What they print goes to docs/proof.md."""

import os
import pathlib
import re
import subprocess

import pytest

LIMIT_S = 3600


def run(name, **settings):
    source = pathlib.Path(os.environ.get("SLUICE_SOURCE", pathlib.Path(__file__).parents[2]))
    binary = pathlib.Path(os.environ.get("SLUICE_BINARY", source / "build/sluice"))
    test = binary.parent / "tests/fault" / name
    if not test.exists():
        pytest.skip(f"{test} is not built")
    done = subprocess.run(
        [test],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_no_power_cut_of_a_hundred_thousand_loses_what_was_reported():
    out = run("test_power", SLUICE_CUTS="100000", SLUICE_SEED="1000")
    cuts, lost = re.search(r"^(\d+) power cuts, .* (\d+) lost", out, re.M).groups()
    assert int(cuts) >= 100_000 and int(lost) == 0


def test_every_operation_of_the_disk_may_fail():
    run("test_io_error", SLUICE_STRIDE="1")


def test_every_allocation_may_fail():
    run("test_alloc", SLUICE_STRIDE="1")


def test_a_thousand_full_disks():
    run("test_full_disk", SLUICE_CYCLES="1000")
