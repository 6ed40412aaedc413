"""The examples of two public collections of codecs, read from a checkout; nothing of them is kept
here. An example: {script, routine, description, input, expected}."""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess

import yaml

ROUTINES = {"uplinkDecoder": "decodeUplink", "downlinkEncoder": "encodeDownlink",
            "downlinkDecoder": "decodeDownlink"}


class Core(yaml.CSafeLoader):
    """YAML 1.2: `on` is a text, 1e3 a number, 012 twelve; a date stays the text that it is."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|[0-9]+)", "-+0123456789"),
        ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
        ("null", r"~|null|Null|NULL|", "~nN\0"), ("merge", r"<<", "<")):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"),
                               list(first) + ([""] if tag == "null" else []))
Core.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(
    node.value, 0 if re.match(r"[-+]?0[xo]", node.value) else 10))


def of_ttn(folder):
    found = []
    for path in sorted(pathlib.Path(folder).glob("vendor/*/*codec*.yaml")):
        codec = yaml.load(path.read_text(), Core)
        for key, routine in ROUTINES.items():
            part = (codec or {}).get(key) or {}
            found += [{"script": path.parent / part["fileName"], "routine": routine, "hasBuffer": False,
                       "description": f"{path.name}: {e.get('description')}",
                       "input": e["input"], "expected": e.get("output")}
                      for e in part.get("examples") or []]
    return found


def of_chirpstack(folder):
    found = []
    for path in sorted(pathlib.Path(folder).glob("vendors/*/codecs/test_*.json")):
        kind, name = re.fullmatch(r"test_(decode|encode)_(.*)", path.stem).groups()
        try:
            tests = yaml.load(path.read_text(), Core)  # some write bytes as 0x1f
        except yaml.YAMLError:
            continue  # one is neither
        script = path.parent / f"{name}.js"
        longer = sorted(path.parent.glob(f"{name}-*.js"))  # dl-dws: dl-dws-232263168-....js
        script = script if script.exists() or not longer else longer[0]
        found += [{"script": script,
                   "routine": "decodeUplink" if kind == "decode" else "encodeDownlink",
                   "description": f"{path.name}: {t.get('name')}", "input": t["input"],
                   "expected": t.get("expected"), "hasBuffer": True} for t in tests or []]
    return found


def plain(result):
    if not isinstance(result, dict):
        return result
    return {k: v for k, v in result.items() if k not in ("errors", "warnings") or v}


def same(a, b):
    """As JSON: numbers within 1e-9, no order of keys."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


REFERENCE = r"""
const vm = require('vm'), fs = require('fs');
const out = JSON.parse(fs.readFileSync(0)).map((e) => {
  try {
    const context = vm.createContext({ console: { log() {}, warn() {}, error() {}, info() {},
      debug() {} }, Buffer: e.hasBuffer ? Buffer : undefined, atob, btoa, TextDecoder, TextEncoder,
      module: { exports: {} }, exports: {} });
    vm.runInContext(fs.readFileSync(e.script, 'utf8'), context, { timeout: 2000 });
    context.text = JSON.stringify(e.input); // made inside: instanceof Array is asked for
    return vm.runInContext(
      `var input = JSON.parse(text);
       if (input.recvTime !== undefined) input.recvTime = new Date(input.recvTime);
       JSON.stringify(${e.routine}(input))`, context, { timeout: 2000 }) || 'null';
  } catch (error) { return 'null'; }
});
process.stdout.write(JSON.stringify(out));
"""


def reference(examples):
    """What V8 makes of them; None without node."""
    node = shutil.which("node")
    if not node:
        return None
    done = subprocess.run([node, "-e", REFERENCE], input=json.dumps(examples, default=str),
                          capture_output=True, text=True, timeout=300, check=True,
                          env={**os.environ, "TZ": "UTC"})
    return [json.loads(r) for r in json.loads(done.stdout)]


def run(binary, examples, folder):
    """What the worker makes of them: one process for every script. Result or message of each."""
    by_script = collections.defaultdict(list)
    for i, e in enumerate(examples):
        by_script[e["script"]].append(i)
    results = [None] * len(examples)
    for n, (script, indices) in enumerate(by_script.items()):
        if not script.exists():
            continue
        path = folder / f"{n}.json"
        path.write_text(json.dumps([{k: examples[i][k] for k in ("routine", "input")}
                                    for i in indices], default=str))
        done = subprocess.run([binary, "codec", "run", script, "--examples", path, "--json"],
                              capture_output=True, text=True, timeout=300)
        for i, r in zip(indices, json.loads(done.stdout)["results"]):
            results[i] = r.get("result") or r.get("message")
    return results
