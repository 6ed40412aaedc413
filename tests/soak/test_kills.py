# SPDX-License-Identifier: Apache-2.0
"""kill -9 of gateways, brokers, databases and ingests, round after round, each on a new log."""
import os
import pathlib
import sys

import pytest

INTEGRATION = pathlib.Path(__file__).resolve().parents[1] / "integration"
sys.path[:0] = [str(INTEGRATION), str(INTEGRATION / "50_kill")]
from conftest import Place, binary  # noqa: E402, F401
from test_kill import kill_all, kill_influx  # noqa: E402

# 100 rounds: 20,000 gateways, and 1,000 of each other part; 50 rounds of influxd.
ROUNDS = int(os.environ.get("SLUICE_KILL_ROUNDS", "100"))


def in_a_place(path, kill, seed):
    path.mkdir()
    place = Place(path)
    try:
        return kill(place, seed)
    finally:
        place.stop()


@pytest.mark.parametrize("kill,rounds", [(kill_all, ROUNDS), (kill_influx, (ROUNDS + 1) // 2)])
def test_nothing_is_lost_and_nothing_doubled(tmp_path, binary, kill, rounds):  # noqa: F811
    total, samples = {}, 0
    for n in range(rounds):
        killed, accepted = in_a_place(tmp_path / str(n), kill, n)
        samples += accepted
        for what, times in killed.items():
            total[what] = total.get(what, 0) + times
        print(f"round {n + 1}: killed {total}, {samples} samples, 0 lost, 0 doubled", flush=True)
