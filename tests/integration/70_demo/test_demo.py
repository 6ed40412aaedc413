"""The demonstration from beginning to end: real broker, real database, equal counts."""
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from conftest import BINARY, Process, http_get, wait_until

MEDIA = ("air", "water", "noise", "radiation")


def demo(tmp_path, *args, timeout=240):
    env = dict(os.environ, TMPDIR=str(tmp_path), SLUICE_LANG="en")
    return subprocess.run([BINARY, "demo", "--port", "0", *args], cwd=tmp_path, env=env,
                          capture_output=True, text=True, timeout=timeout)


def number_after(words, text):
    return int(re.search(re.escape(words) + r"\s+(\d+)", text).group(1))


def alerts(text):
    """{medium: (raised, cleared)} of the summary."""
    table = text[text.index("raised  cleared"):]
    return {m: (int(r), int(c)) for m, r, c in re.findall(r"^ +(\w+) +(\d+) +(\d+)$", table, re.M)}


@pytest.mark.demo
@pytest.mark.slow(63)
def test_every_sample_of_twenty_minutes_arrives_and_every_medium_alerts(binary, tmp_path):
    done = demo(tmp_path, "--minutes", "1", "--speed", "20")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    accepted = number_after("samples accepted in the log", done.stdout)
    assert accepted == number_after("samples in the database", done.stdout)
    assert accepted > 10000
    found = alerts(done.stdout)
    for medium in MEDIA:
        raised, cleared = found[medium]
        assert raised >= 1 and cleared >= 1, medium
        assert re.search(r"^alert (yellow|orange|red) ", done.stdout, re.M)
    assert not list(tmp_path.glob("sluice-demo-*"))  # nothing is left behind


@pytest.mark.demo
@pytest.mark.short
def test_the_station_alone_needs_no_centre_and_ctrl_c_ends_it(binary, tmp_path):
    p = Process([binary, "demo", "--no-centre", "--port", "0", "--dir", tmp_path / "d"], tmp_path,
                "demo").start()
    try:
        p.wait_line("gateway", 20)
        page = wait_until(lambda: re.search(r"http://127\.0\.0\.1:\d+/", p.text), 10, "the page")
        url = page.group(0) + "api/v1/now"

        def online():
            try:
                now = json.loads(http_get(url))
            except OSError:
                return False
            return all(d["state"] == "online" for d in now["devices"]) and len(now["devices"])
        assert wait_until(online, 30, "all devices") >= 12
        p.child.send_signal(signal.SIGINT)
        assert p.child.wait(20) == 0, p.text[-3000:]
    finally:
        if p.is_running():
            p.kill()
    assert number_after("samples accepted in the log", p.text) > 0
    assert (tmp_path / "d" / "station.db").exists()  # a folder that was named is kept
    again = demo(tmp_path, "--no-centre", "--dir", str(tmp_path / "d"), timeout=10)
    assert again.returncode == 1 and "empty folder" in again.stderr


@pytest.mark.demo
def test_nothing_survives_a_killed_demonstration(binary, tmp_path):
    p = Process([binary, "demo", "--port", "0", "--dir", tmp_path / "d"], tmp_path, "demo").start()
    wait_until(lambda: "gateway" in p.text and p.text.count("ready in") == 5, 40, "the start")
    p.kill()

    def survivors():
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/cmdline", "rb") as f:
                        line = f.read()
                except OSError:
                    continue
                if str(tmp_path / "d").encode() in line:
                    found.append(line)
        return found
    wait_until(lambda: not survivors(), 10, "the children's end")


def test_a_taken_port_is_told(binary, tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        done = subprocess.run([BINARY, "demo", "--no-centre", "--port", str(port)], cwd=tmp_path,
                              env=dict(os.environ, TMPDIR=str(tmp_path), SLUICE_LANG="en"),
                              capture_output=True, text=True, timeout=10)
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in done.stderr
    assert not list(tmp_path.glob("sluice-demo-*"))
