#!/usr/bin/env python3
"""Count tests: meson's testlog JSON lines, JUnit XML, and "passed|failed|skipped NAME" lines.

tally.py --suite COUNT SECONDS FILE...  one line for a suite and what failed; leaves its COUNT file
tally.py --total DIR                    the sum of the COUNT files (*.count) in DIR

The last line of --total is "N passed, N failed, N skipped". Exit status 1 when anything failed.
"""
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

OUTPUT_MAX = 4000  # of a failed test: the end of what it said
CMOCKA = re.compile(r"^\[\s+(OK|FAILED|SKIPPED)\s+\] ([A-Za-z_]\w*)", re.M)


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []
        self.said = {}

    def add(self, verdict, name, said=""):
        getattr(self, verdict).append(name)
        self.said[name] = said.strip()[-OUTPUT_MAX:]

    def read(self, path):
        if path.suffix == ".json":
            for line in path.read_text().splitlines():
                self.read_meson(json.loads(line))
        elif path.suffix == ".xml":
            for case in xml.parse(path).getroot().iter("testcase"):
                self.read_case(case)
        else:
            for line in path.read_text().splitlines():
                verdict, _, name = line.partition(" ")
                log = path.with_suffix(".txt")
                self.add(verdict, name, log.read_text() if verdict == "failed"
                         and log.exists() else "")

    def read_meson(self, test):
        """One program: its cmocka lines are the tests; a crash is one more."""
        name = test["name"].removeprefix("sluice:").split(" / ")[-1]
        said = test.get("stdout", "") + "\n" + test.get("stderr", "")
        inner = {}
        for verdict, case in CMOCKA.findall(said):
            inner.setdefault(case, verdict)
        for case, verdict in inner.items():
            self.add({"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[verdict],
                     f"{name}: {case}")
        if test["result"] == "SKIP":
            self.add("skipped", name)
        elif test["result"] not in ("OK", "EXPECTEDFAIL"):
            self.add("failed", f"{name} ({test['result'].lower()})", said)
        elif not inner:
            self.add("passed", name)

    def read_case(self, case):
        name = f"{case.get('classname', '')}: {case.get('name')}"
        for kind in ("failure", "error"):
            bad = case.find(kind)
            if bad is not None:
                return self.add("failed", name, bad.text or bad.get("message", ""))
        skip = case.find("skipped")
        if skip is not None:
            return self.add("skipped", f"{name}: {skip.get('message', '')}")
        return self.add("passed", name)

    def line(self):
        return (f"{len(self.passed)} passed, {len(self.failed)} failed, "
                f"{len(self.skipped)} skipped")


def suite(seconds, paths):
    t = Tally()
    there = [p for p in map(pathlib.Path, paths) if p.exists()]
    for path in there:
        t.read(path)
    if not there:
        t.add("failed", "the suite left no result", "")
    print(f"{t.line()}  ({seconds} s)")
    for name in t.failed:
        print(f"  FAILED {name}")
        for row in t.said[name].splitlines():
            print(f"    | {row}")
    return t


def main(argv):
    if argv[0] == "--total":
        counts = [json.loads(p.read_text()) for p in sorted(pathlib.Path(argv[1]).glob("*.count"))]
        passed, failed, skipped = (sum(c[i] for c in counts) for i in range(3))
        print(f"{passed} passed, {failed} failed, {skipped} skipped")
        return failed != 0 or passed == 0
    count, seconds, *paths = argv[1:]
    t = suite(seconds, paths)
    pathlib.Path(count).write_text(
        json.dumps([len(t.passed), len(t.failed), len(t.skipped)]))
    return bool(t.failed)


sys.exit(main(sys.argv[1:]))
