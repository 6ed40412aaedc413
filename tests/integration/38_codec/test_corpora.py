"""Every example of the public collections that V8 gets right gives the same in the worker."""
import os

import pytest

pytest.importorskip("yaml")
import corpora  # noqa: E402

ROUTINES = ["decodeUplink", "encodeDownlink", "decodeDownlink"]
# Collection: its examples, and how many of each routine V8 gets right at the commits of 2024-07-01
# and 2026-06-11.
COLLECTIONS = {
    "SLUICE_TTN_CODECS": (corpora.of_ttn, [1414, 809, 671]),
    "SLUICE_CHIRPSTACK_CODECS": (corpora.of_chirpstack, [177, 160, 0]),
}
SHARE = 0.97  # of the right ones, at the very least; the aim is all


@pytest.mark.slow(60)
@pytest.mark.parametrize("variable", COLLECTIONS)
def test_gives_what_v8_gives(binary, tmp_path, variable):
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} names no checkout of the collection")
    read, known = COLLECTIONS[variable]
    examples = read(folder)
    assert examples, f"{folder} has no examples"
    right = corpora.reference(examples)
    results = corpora.run(binary, examples, tmp_path)
    for routine, count in zip(ROUTINES, known):
        mine = [i for i, e in enumerate(examples) if e["routine"] == routine]
        passed = [i for i in mine if corpora.same(corpora.plain(results[i]),
                                                  corpora.plain(examples[i]["expected"]))]
        valid = [i for i in mine if right and corpora.same(corpora.plain(right[i]),
                                                           corpora.plain(examples[i]["expected"]))]
        lost = sorted(set(valid) - set(passed))
        print(f"{variable} {routine}: {len(passed)} of {len(mine)} pass, V8 {len(valid)}, "
              f"known {count}")
        for i in lost:
            print(f"  {examples[i]['script'].name}, {examples[i]['description']}: "
                  f"{str(results[i])[:160]}")
        floor = len(valid) if right else count
        assert len(passed) >= SHARE * floor, f"{routine}: {len(passed)} of {floor}"
