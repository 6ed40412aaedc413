"""sluice codec: one message, examples, what a script is made of, and scripts that mean harm."""
import json
import os
import subprocess
import time

import pytest

from conftest import SHARED, sluice

SCRIPT = """
const names = { 1: 'north', 2: 'south' };
function decodeUplink(input) {
  const [id, ...rest] = input.bytes;
  console.log(`seen ${input.fPort}`);
  return {
    data: { site: names[id], sum: rest.reduce((a, b) => a + b, 0) / 10, port: input.fPort,
            at: input.recvTime.toISOString(), unit: input.variables.unit, now: Date.now(),
            bad: 0 / 0 },
    warnings: rest.length < 2 ? ['short'] : [],
  };
}
function encodeDownlink({ data }) {
  return { bytes: [0x10, data.minutes], fPort: 7 };
}
"""


@pytest.fixture
def script(tmp_path):
    def write(text, name="site.js"):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


@pytest.mark.short
def test_runs_one_message(binary, script):
    done = sluice("codec", "run", script(SCRIPT), "--fport", "10", "--hex", "01 0a:0b",
                  "--time", "2026-01-02T03:04:05Z", "--variables", '{"unit": "mm"}')
    assert done.stdout.splitlines() == [
        "site = north", "sum = 2.1", "port = 10", "at = 2026-01-02T03:04:05.000Z", "unit = mm",
        "now = 1767323045000", "warning: bad is not a finite number and was left out"]
    assert done.stderr == "seen 10\n"


@pytest.mark.short
def test_speaks_chinese(binary, script):
    done = sluice("codec", "run", script(SCRIPT), "--hex", "02ff", lang="zh_CN")
    assert "警告：short" in done.stdout
    assert "sluice codec：" in sluice("codec", "run", script(SCRIPT), lang="zh_CN", status=2).stderr


def test_writes_json(binary, script):
    done = sluice("codec", "run", script(SCRIPT), "--hex", "01", "--json")
    assert json.loads(done.stdout)["data"]["sum"] == 0


def test_encodes_a_downlink(binary, script):
    done = sluice("codec", "run", script(SCRIPT), "--routine", "encodeDownlink",
                  "--data", '{"minutes": 15}')
    assert done.stdout == "fPort 7: 10 0f\n"


@pytest.mark.parametrize("args, word", [
    (("--hex", "0"), "two digits"), (("--hex", "zz"), "two digits"), ((), "--hex"),
    (("--hex", "00", "--time", "noon"), "--time"), (("--hex", "00", "--variables", "[]"), "object"),
    (("--routine", "encodeDownlink"), "--data"), (("--routine", "encode", "--hex", "00"), "--routine"),
    (("--routine", "encodeDownlink", "--data", "{"), "JSON"), (("--examples", "/nowhere"), "nowhere"),
])
def test_refuses_wrong_options(binary, script, args, word):
    assert word in sluice("codec", "run", script(SCRIPT), *args, status=2).stderr


def test_is_not_in_the_help_as_a_worker(binary):
    assert "codec-worker" not in sluice("--help").stdout


@pytest.mark.short
def test_checks_what_a_script_is_made_of(binary, script):
    done = sluice("codec", "check", script(SCRIPT), "--json")
    found = json.loads(done.stdout)
    assert found["functions"] == ["decodeUplink", "encodeDownlink"] and found["rewritten"]
    assert "template literals" in found["found"]
    plain = sluice("codec", "check", script("function Decoder(bytes, port) { return {}; }"))
    assert "TTN v2" in plain.stdout and "as it is" in plain.stdout
    refused = sluice("codec", "check", script("\nclass A {}\n"), status=1)
    assert "line 2" in refused.stdout


def test_older_forms_are_run(binary, script):
    for text in ("function Decode(fPort, bytes, variables) { return {p: fPort, b: bytes[0]}; }",
                 "function Decoder(bytes, port) { return {p: port, b: bytes[0]}; }"):
        done = sluice("codec", "run", script(text), "--fport", "3", "--hex", "09")
        assert done.stdout == "p = 3\nb = 9\n"


def test_check_finds_hidden_state(binary, script, tmp_path):
    examples = tmp_path / "e.json"
    examples.write_text(json.dumps([
        {"routine": "decodeUplink", "input": {"bytes": [1], "fPort": 1,
                                              "recvTime": "2026-01-02T03:04:05Z"}}]))
    text = """var hidden = (function () { var n = 0; return function () { return n++; }; })();
              function decodeUplink(i) { return {data: {n: hidden()}}; }"""
    done = sluice("codec", "check", script(text), "--examples", examples, status=1)
    assert "keeps state" in done.stdout
    sluice("codec", "check", script(SCRIPT), "--examples", examples)


@pytest.mark.short
def test_own_examples(binary):
    folder = SHARED / "vectors" / "codecs"
    if not folder.exists():
        pytest.skip("no shared vectors beside the checkout")
    passed = 0
    for path in sorted(folder.glob("*.js")):
        done = sluice("codec", "check", path, "--examples", folder / "examples.json", "--json")
        passed += json.loads(done.stdout.splitlines()[-1])["passed"]
    assert passed == 42


D = "function decodeUplink(input) { %s }"
HOSTILE = {
    "endless loop": (D % "for (;;) {}", "200 ms of CPU time"),
    "endless loop at the top": ("for (;;) {}\n" + D % "", "200 ms of CPU time"),
    "recursion": ("function f() { return f() + 1; }\n" + D % "f();", "callstack limit"),
    "1 GB by doubling": (D % "var s = 'xxxxxxxx'; for (var i = 0; i < 27; i++) { s += s; } return {data: {s: s}};",
                         "more than 8 MiB"),
    "growing array": (D % "var a = []; for (;;) { a.push([1, 2, 3]); }", ("more than 8 MiB", "200 ms")),
    "huge typed array": (D % "return {data: {n: new Uint8Array(1e9).length}};", "more than 8 MiB"),
    "exploding regex": (D % "return {data: {x: /^(a+)+$/.test(new Array(60).join('a') + 'b')}};",
                        ("200 ms of CPU time", "limit")),
    "huge result": (D % "return {data: {s: new Array(70000).join('x')}};", "64 KiB"),
    "cyclic result": (D % "var d = {}; d.d = d; return {data: d};", "cyclic"),
    "deep result": (D % "var d = {}; for (var i = 0; i < 5000; i++) { d = {d: d}; } return {data: d};", "limit"),
    "throwing getter": (D % "return {get data() { throw new Error('caught you'); }};", "caught you"),
    "throwing toJSON": (D % "return {data: {toJSON: function () { throw new Error('caught you'); }}};",
                        "caught you"),
    "endless toJSON": (D % "return {data: {toJSON: function () { for (;;) {} }}};", "200 ms of CPU time"),
    "throws what throws": (D % "throw {toString: function () { throw 1; }, get stack() { throw 2; }};", ""),
    "throws nothing": (D % "throw undefined;", "undefined"),
    "returns nothing": (D % "", "returned nothing"),
    "returns a function": (D % "return decodeUplink;", "a function instead"),
    "no function": ("var x = 1;", "no function decodeUplink"),
    "a file": (D % "return require('fs').readFileSync('/etc/passwd');", "require"),
    "the network": (D % "return new XMLHttpRequest();", "XMLHttpRequest"),
    "the process": (D % "return process.env;", "process"),
    "the engine": (D % "return {data: Duktape.version};", "Duktape"),
    "hangs on catching": (D % "for (;;) { try { decodeUplink(input); } catch (e) {} }", "200 ms of CPU time"),
    "256 KiB that are no script": ("(" * (256 << 10), ""),
    "256 KiB of text": (D % "return 'x" + "y" * (255 << 10) + "';", ""),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_harm_costs_one_clear_message(binary, script, kind):
    text, words = HOSTILE[kind]
    begin = time.monotonic()
    done = sluice("codec", "run", script(text[:256 << 10]), "--hex", "0102", status=1)
    assert time.monotonic() - begin < 20
    assert done.stdout == "" and done.stderr.startswith("sluice codec: site.js"), done.stderr
    assert done.stderr.count("\n") == 1 and len(done.stderr) < 1000
    assert any(w in done.stderr for w in ([words] if isinstance(words, str) else words)), done.stderr


def test_redefined_builtins_hurt_the_script_alone(binary, script):
    text = """JSON.stringify = JSON.parse = Array.prototype.push = Array.isArray = Date = 0;
    Object.prototype.toJSON = function () { return 'gotcha'; };
    Object.defineProperty = Object.keys = Object.getOwnPropertyNames = function () { throw 1; };
    """ + D % "return {data: {a: 1}};"
    done = subprocess.run([binary, "codec", "run", script(text), "--hex", "00"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1)
    assert done.stdout.count("\n") + done.stderr.count("\n") <= 2


def test_console_is_bounded(binary, script):
    done = sluice("codec", "run", script(D % "for (var i = 0; i < 2000; i++) console.log('line', i); return {data: {}};"),
                  "--hex", "00")
    assert 0 < len(done.stderr) <= 4096


def test_refuses_more_than_256_kib(binary, script):
    assert "256 KiB" in sluice("codec", "run", script(" " * (257 << 10)), "--hex", "00", status=2).stderr


def test_the_worker_has_no_files_and_no_environment(binary, tmp_path, script):
    """Seen from outside while a script runs: its descriptors, its filter, its limits."""
    path = script(D % "for (;;) {}")
    run = subprocess.Popen([binary, "codec", "run", path, "--hex", "00"], stderr=subprocess.DEVNULL,
                           env={**os.environ, "SECRET": "x"})
    try:
        seen = {}
        while run.poll() is None and not seen:
            children = open(f"/proc/{run.pid}/task/{run.pid}/children").read().split()
            for pid in children:
                try:
                    status = open(f"/proc/{pid}/status").read()
                    if "Seccomp:\t2" in status:
                        fds = {int(f): os.readlink(f"/proc/{pid}/fd/{f}") for f in os.listdir(f"/proc/{pid}/fd")}
                        seen = {"fds": fds, "env": open(f"/proc/{pid}/environ").read()}
                except OSError:
                    pass
        if not seen:
            pytest.skip("a build with sanitizers has no filter, or the worker was not caught")
        assert set(seen["fds"]) == {0, 1, 2, 3}, seen
        assert {seen["fds"][i] for i in (0, 1, 2)} == {"/dev/null"}
        assert "SECRET" not in seen["env"]
    finally:
        run.kill()
        run.wait()
