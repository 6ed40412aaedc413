"""The decoders of docs/series, in Python and JavaScript, against the program: on the vectors, on
random tables and on frames that must be refused."""
import json
import random
import shutil
import struct
import subprocess
import sys

import pytest

from conftest import BINARY, ROOT

DOCS = ROOT / "docs" / "series"
VECTORS = DOCS / "vectors"
NODE = shutil.which("node")
SCRIPT = """
import { readFileSync } from 'node:fs';
import { csv, Bad } from '%s';
function decode(path) {
  try { return { text: csv(readFileSync(path)) }; }
  catch (e) { if (!(e instanceof Bad)) throw e; return { error: e.message }; }
}
process.stdout.write(JSON.stringify(process.argv.slice(1).map(decode)));
""" % (DOCS / "sf1.mjs").as_uri()


# Each decoder gives a list with the text of every file, None for one that it refuses.

def of_each(paths, *args):
    texts = []
    for path in paths:
        r = subprocess.run([*args, path], capture_output=True, timeout=120)
        assert b"Traceback" not in r.stderr, (path.name, r.stderr)
        assert r.returncode >= 0, path.name
        texts.append(r.stdout if r.returncode == 0 else None)
    return texts


def python(paths):
    return of_each(paths, sys.executable, DOCS / "sf1.py")


def javascript(paths):
    """All in one go: it takes long to start."""
    r = subprocess.run([NODE, "--input-type=module", "-e", SCRIPT, *paths], capture_output=True,
                       timeout=120)
    assert r.returncode == 0, r.stderr
    return [d["text"].encode() if "text" in d else None for d in json.loads(r.stdout)]


def ours(paths):
    return of_each(paths, BINARY, "series", "decode")


DECODERS = [pytest.param(python, id="python"),
            pytest.param(javascript, id="javascript",
                         marks=pytest.mark.skipif(not NODE, reason="node is not installed"))]


def text_of(path):
    return (VECTORS / (path.stem.rsplit("-", 1)[0] + ".csv")).read_bytes()


@pytest.mark.parametrize("decode", DECODERS)
def test_every_vector_gives_its_text(decode):
    paths = sorted(VECTORS.glob("*.sf1"))
    assert len(paths) >= 40
    for path, text in zip(paths, decode(paths), strict=True):
        assert text == text_of(path), path.name


@pytest.mark.parametrize("decode", [*DECODERS, pytest.param(ours, id="sluice")])
def test_what_must_be_refused_is(decode):
    paths = sorted((VECTORS / "refused").glob("*.sf1"))
    assert len(paths) >= 30
    for path, text in zip(paths, decode(paths), strict=True):
        assert text is None, path.name


def any_cell(rng, level):
    kind = rng.random()
    value = "" if kind < 0.05 else f"x{rng.getrandbits(64):016x}" if kind < 0.07 else \
        f"{rng.randrange(-10**9, 10**9)}.{rng.randrange(1, 999)}1" if kind < 0.1 else f"{level / 10:.1f}"
    return value + (f";{rng.randrange(1, 1 << 32)}" if rng.random() < 0.03 else "")


def random_table(seed):
    rng = random.Random(seed)
    columns, t, levels = rng.randrange(1, 6), 1700000000000, [rng.randrange(500) for _ in range(6)]
    lines = []
    for _ in range(rng.randrange(20, 200)):
        t += rng.choice([1000, 1000, 1000, 1001, 5000, -3, rng.randrange(1, 10**8)])
        levels = [v + rng.randrange(-3, 4) for v in levels]
        lines.append(",".join([str(t)] + [any_cell(rng, levels[j]) for j in range(columns)]))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("codec", ["dense", "plain"])
def test_random_tables_are_read_alike(decode, codec, tmp_path):
    paths = [tmp_path / f"{seed}.sf1" for seed in range(8)]
    for seed, path in enumerate(paths):
        r = subprocess.run([BINARY, "series", "encode", "--codec", codec, "--rows", str(seed * 9 + 1)],
                           input=random_table(seed).encode(), capture_output=True, timeout=60)
        assert r.returncode == 0
        path.write_bytes(r.stdout)
    for mine, theirs in zip(ours(paths), decode(paths), strict=True):
        assert theirs
        for a, b in zip(mine.decode().splitlines(), theirs.decode().splitlines(), strict=True):
            assert normal(a) == normal(b)


def normal(line):
    """The program writes finite doubles as numbers, the others as their bits."""
    out = []
    for cell in line.split(","):
        value, _, flag = cell.partition(";")
        if value.startswith("x"):
            value = repr(struct.unpack(">d", bytes.fromhex(value[1:]))[0])
        elif value:
            value = repr(float(value))
        out.append((value, flag))
    return out
