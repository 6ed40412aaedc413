"""What spreadsheets, people and accidents make of a table: qc, aggregate and index read alike."""
import os
import subprocess

import pytest

from conftest import BINARY

pytestmark = pytest.mark.usefixtures("binary")
TOOLS = (["qc"], ["aggregate", "--period", "1h"],
         ["index", "--standard", "hj633-2026", "--format", "csv", "--quiet"])
T0 = 1767225600
PLAIN = b"time,o3\n" + b"".join(b"%d,%s\n" % (T0 + 60 * i, x) for i, x in enumerate(
    [b"31", b"32.5", b"", b"33", b"31"]))


def run(tool, table):
    done = subprocess.run([BINARY, *tool], input=table, capture_output=True, timeout=60,
                          env=dict(os.environ, LC_ALL="C.UTF-8"))
    return done.returncode, done.stdout, done.stderr


def quoted(table):
    return b"\n".join(b",".join(b'"%s"' % c for c in line.split(b",")) if line else line
                      for line in table.split(b"\n"))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda t: t[0])
@pytest.mark.parametrize("written", [
    b"\xef\xbb\xbf" + PLAIN,
    PLAIN.replace(b"\n", b"\r\n"),
    PLAIN.rstrip(b"\n"),
    quoted(PLAIN),
    b"\xef\xbb\xbf" + quoted(PLAIN).replace(b"\n", b"\r\n"),
    PLAIN.replace(b",", b" , "),
    b"# of the roof\n\n" + PLAIN.replace(b"\n", b"\n \n# more\n"),
    PLAIN.replace(b",\n", b",NA\n"),
    PLAIN.replace(b",\n", b",-\n"),
], ids=["mark", "crlf", "no end", "quotes", "spreadsheet", "blanks", "comments", "NA", "dash"])
def test_a_table_may_be_written_in_many_ways(tool, written):
    assert run(tool, written)[:2] == (0, run(tool, PLAIN)[1])


@pytest.mark.parametrize("tool", TOOLS, ids=lambda t: t[0])
@pytest.mark.parametrize("table", [
    b"", b"\n\n", b"# only\n", PLAIN.replace(b",", b";"), PLAIN.replace(b",", b"\t"),
    PLAIN.replace(b"31", b"31\0"), PLAIN.replace(b"33", b"3,3"), PLAIN.replace(b"33", b"\x1b[2J"),
    PLAIN.replace(b"33", b'"3""3"'), PLAIN.replace(b"33", b"1e400"), PLAIN.replace(b"33", b"0x21"),
    PLAIN.replace(b"33", b"33;"), PLAIN.replace(b"33", b"33;x"), PLAIN.replace(b"33", b"1" * 70000),
    PLAIN.replace(b"1767225660", b"9" * 30), PLAIN.replace(b"1767225660", b"noon"),
    PLAIN.replace(b"1767225660", b""), b"time,o3,o3\n%d,1,2\n" % T0,
    b"time" + b",o3" * 40000 + b"\n", bytes(range(256)) * 50, PLAIN.decode().encode("utf-16"),
], ids=lambda t: repr(t[:24]))
def test_what_is_no_table_is_told(tool, table):
    status, _, err = run(tool, table)
    assert status == 2
    text = err.decode(errors="replace")
    assert text.startswith(f"sluice {tool[0]}: ") and text.count("\n") == 1
    assert "\x1b" not in text and len(text) < 300
