"""The gateway with LoRa devices of its own: join, readings, answers, restarts, replays."""
import contextlib
import os
import shutil
import socket
import sqlite3
import sys
import time

import pytest
from conftest import BINARY, ROOT, Process, sluice, wait_until

sys.path.insert(0, str(ROOT / "tests" / "integration"))
sys.path.insert(0, str(ROOT / "tests" / "integration" / "39_lora"))
from lora_peer import Device  # noqa: E402
from lora_station import (EUI, device, forwarder, join, lora, notes, reading, start,  # noqa: E402
                          station)


def samples(place):
    """Readings in the log: each is one transaction with the frame it was made of."""
    return sum(1 for n in notes(place) if n.get("fport") == 2 and "data" in n)


@pytest.mark.short
def test_a_device_joins_and_its_readings_are_stored(place):
    d = Device(0x70B3D57ED0000001)
    config, port = station(place, [d])
    start(place, config)
    with forwarder(port) as f:
        join(f, d)
        for i, tenths in enumerate([215, -5, 0x7FFF]):
            f.push(d.uplink(reading(tenths), 2))
            wait_until(lambda: device(place)["uplinks"] == i + 1, 10, "the uplink")
        f.push(d.uplink(b"hello", 5))
        wait_until(lambda: device(place)["uplinks"] == 4, 10, "the uplink")
        state = device(place)
        assert state["joined"] and state["state"] == "online" and state["gateway"] == "roof"
        assert state["decoded"] == 4 and state["undecoded"] == 0
        assert state["rssi"] == -60 and state["snr"] == 7.5
        f.push(d.uplink(b"?", 9))
        wait_until(lambda: device(place)["undecoded"] == 1, 10, "an unknown message")
        assert f.acks >= 6
    wait_until(lambda: samples(place) == 3, 10, "the samples")
    kept = notes(place)
    assert [n["data"] for n in kept] == ["00d7", "fffb", "7fff", b"hello".hex(), "3f"]
    assert kept[0]["gateway"] == "roof" and kept[0]["fport"] == 2


def test_a_confirmed_uplink_is_answered_once_it_is_in_the_log(place):
    d = Device.personalised(0x70B3D57ED0000002, 0x01020304)
    config, port = station(place, [d])
    start(place, config)
    with forwarder(port) as f:
        f.pull()
        time.sleep(0.2)
        for i in range(5):
            n = len(f.sent)
            at = f.push(d.uplink(reading(100 + i), 2, confirmed=True, fctrl=0))
            txpk, phy = f.wait_sent(n + 1)
            assert txpk["tmst"] == (at + 1_000_000) & 0xffffffff
            assert d.downlink(phy)["ack"]
            assert f.lead[-1] >= 100, "ms before its time"
            assert samples(place) == i + 1, "the answer goes out behind the commit"


def test_a_copy_is_not_stored_twice_and_the_better_gateway_answers(place):
    d = Device.personalised(0x70B3D57ED0000003, 0x01020305)
    config, port = station(place, [d])
    start(place, config)
    with forwarder(port) as near, forwarder(port, EUI + 1, 5_000_000) as far:
        near.pull(), far.pull()
        time.sleep(0.3)
        phy = d.uplink(reading(1), 2, confirmed=True, fctrl=0)
        far.push(phy, lsnr=-3, rssi=-110)
        at = near.push(phy, lsnr=9, rssi=-50)
        txpk, down = near.wait_sent(1)
        assert txpk["tmst"] == (at + 1_000_000) & 0xffffffff
        assert d.downlink(down)["ack"] and not far.sent
        state = device(place)
        assert state["uplinks"] == 1 and state["copies"] == 1
    assert samples(place) == 1


def refused(place, why, name="soil-0"):
    wait_until(lambda: device(place, name).get("refused") == why, 10, f"refusal for {why}")
    return device(place, name)


@pytest.mark.short
def test_what_is_refused_is_told_with_its_reason(place):
    d, other = Device(0x70B3D57ED0000004), Device.personalised(0x70B3D57ED0000005, 0x01020306)
    config, port = station(place, [d, other])
    start(place, config)
    with forwarder(port) as f:
        f.pull()
        wrong = Device(d.dev_eui)
        f.push(wrong.join_request())
        refused(place, "key")
        join(f, d)
        f.push(d.uplink(reading(1), 2))
        phy = d.uplink(reading(2), 2)
        f.push(phy[:-1] + bytes([phy[-1] ^ 1]))
        refused(place, "mic")
        f.push(phy, freq=915.0)
        refused(place, "region")
        assert device(place)["refused_text"]["zh"] != device(place)["refused_text"]["en"]
        shown = sluice("lora", "devices", "--control", str(place.path / "control.sock"),
                       lang="zh").stdout
        assert "soil-0" in shown and "被拒绝" in shown and d.app_key.hex() not in shown.lower()
        f.push(phy)
        wait_until(lambda: device(place)["uplinks"] == 2, 10, "the uplink")
        assert "refused" not in device(place)


def replay_all(place, f, frames, before):
    """Every frame again; none may count."""
    for i in range(0, len(frames), 8):
        f.push(*frames[i:i + 8])
        if i % 800 == 0:
            time.sleep(0.05)
    rx = lora(place, "gateways")["networks"][0]["rx"]
    wait_until(lambda: lora(place, "gateways")["networks"][0]["rx"] >= len(frames) or
               lora(place, "gateways")["networks"][0]["rx"] == rx, 30, "the replay")
    assert samples(place) == before


@pytest.mark.slow(30)
def test_replays_after_kill_and_after_restore_are_refused(place):
    n = int(os.environ.get("SLUICE_LORA_REPLAYS", "2000"))
    d, fixed = Device(0x70B3D57ED0000006), Device.personalised(0x70B3D57ED0000007, 0x01020307)
    config, port = station(place, [d, fixed])
    gateway = start(place, config)
    frames = []
    with forwarder(port) as f:
        request = d.join_request()
        join(f, d, request)
        for i in range(n):
            for dev in (d, fixed):
                frames.append(dev.uplink(reading(i % 300), 2))
        for i in range(0, len(frames), 8):
            f.push(*frames[i:i + 8])
            time.sleep(0.002)
            if i == len(frames) // 2 // 8 * 8:
                wait_until(lambda: samples(place) >= i, 60, "half of the samples")
                time.sleep(2.5)
                with contextlib.closing(sqlite3.connect(place.path / "station.db")) as db, \
                        contextlib.closing(sqlite3.connect(place.path / "backup.db")) as to:
                    db.backup(to)
        wait_until(lambda: samples(place) == len(frames), 60, "all samples")
        gateway.kill()
        gateway = start(place, config)
        f.pull()
        replay_all(place, f, frames, len(frames))
        refused(place, "counter", "soil-1")
        f.push(request)
        refused(place, "nonce")
        # a new one is good all the same
        frames.append(fixed.uplink(reading(7), 2))
        f.push(frames[-1])
        wait_until(lambda: samples(place) == len(frames), 10, "the new sample")
        time.sleep(2.5)
        gateway.kill()

        for suffix in ("", "-wal", "-shm"):
            path = place.path / f"station.db{suffix}"
            if path.exists():
                path.unlink()
        shutil.copy(place.path / "backup.db", place.path / "station.db")
        start(place, config)
        f.pull()
        before = samples(place)
        assert before < len(frames)
        replay_all(place, f, frames, before)
        assert device(place, "soil-0")["doubtful"] and device(place, "soil-1")["doubtful"]
        # an operator confirms, the device joins again: both are heard again, replays still not
        lora(place, "confirm", "soil-1")
        f.push(fixed.uplink(reading(8), 2))
        wait_until(lambda: samples(place) == before + 1, 10, "the confirmed device")
        join(f, d)
        f.push(d.uplink(reading(9), 2))
        wait_until(lambda: samples(place) == before + 2, 10, "the device that joined again")
        replay_all(place, f, frames, before + 2)


def test_a_downlink_counter_is_never_used_twice_over_kills(place):
    d = Device.personalised(0x70B3D57ED0000008, 0x01020308)
    config, port = station(place, [d])
    with forwarder(port) as f:
        for kill in range(4):
            gateway = start(place, config)
            f.pull()
            time.sleep(0.3)
            for i in range(3):
                n = len(f.sent)
                f.push(d.uplink(reading(i), 2, confirmed=True, fctrl=0))
                _, phy = f.wait_sent(n + 1)
                d.downlink(phy)  # asserts that its counter is above the last
            gateway.kill()


def test_a_session_in_no_doubt_is_not_confirmed_by_mistake(place):
    d, other = (Device.personalised(0x70B3D57ED0000010 + i, 0x01020310 + i) for i in range(2))
    config, port = station(place, [d, other])
    start(place, config)
    with forwarder(port) as f:
        f.pull()
        old = [d.uplink(reading(i), 2) for i in range(3)]
        f.push(*old)
        wait_until(lambda: device(place)["uplinks"] == 3, 10, "the uplinks")
        for name in ("soil-0", "soil-1"):
            assert lora(place, "confirm", name, status=1)["reason"] == "fcnt"
        assert device(place)["fcnt_up"] == 3
        d.up = 0  # it was reset, and an operator knows
        assert lora(place, "confirm", "soil-0", "--fcnt", "0")["ok"]
        f.push(d.uplink(reading(7), 2, fctrl=0))
        wait_until(lambda: device(place)["uplinks"] == 4, 10, "the device that was reset")
    wait_until(lambda: samples(place) == 4, 10, "the samples")


def test_strangers_are_not_heard(place):
    d = Device.personalised(0x70B3D57ED0000009, 0x01020309)
    config, port = station(place, [d])
    gateway = start(place, config)
    with forwarder(port, EUI + 9) as f:
        f.push(d.uplink(reading(1), 2))
        gateway.wait_line("is refused")
    assert samples(place) == 0


def test_a_reload_keeps_sessions(place):
    d = Device(0x70B3D57ED000000A)
    config, port = station(place, [d])
    gateway = start(place, config)
    with forwarder(port) as f:
        join(f, d)
        for i in range(3):
            frame = d.uplink(reading(i), 2)
            f.push(frame)
        wait_until(lambda: device(place)["uplinks"] == 3, 10, "the uplinks")
        gateway.child.send_signal(1)
        gateway.wait_line("configuration reloaded")
        wait_until(lambda: device(place)["fcnt_up"] == 3, 10, "the session")
        f.pull()
        f.push(frame)
        f.push(d.uplink(reading(9), 2))
        wait_until(lambda: samples(place) == 4, 10, "the new sample")
    assert samples(place) == 4


def test_check_says_what_is_wrong_with_lora(place):
    d = Device(0x70B3D57ED000000B)
    config, _ = station(place, [d])
    text = config.read_text()

    def said():
        done = sluice("check", str(config), status=2)
        return done.stdout + done.stderr

    def problem(old, new):
        config.write_text(text.replace(old, new))
        return said()

    assert "one of" in problem("region: eu868", "region: eu86") and "E" in problem("region: eu868", "region: x")
    assert "app_key" in problem(f"{d.dev_eui:016X}", "70B3D57ED00000FF")
    assert "16 hexadecimal digits" in problem(f'"{d.dev_eui:016X}"', '"70B3"')
    (place.path / "lora.keys").write_text(f"{d.dev_eui:016X} app_key=12\n")
    config.write_text(text)
    assert "line 1 of the keys" in said() and "32 hexadecimal digits" in said()


def test_frames_can_be_looked_at(place):
    d = Device.personalised(0x70B3D57ED000000C, 0x0102030A)
    config, port = station(place, [d])
    start(place, config)
    tail = place.add(Process([BINARY, "tail", "--frames", "--control", place.path / "control.sock"],
                             place.path, "tail"))
    with forwarder(port) as f:
        f.pull()
        time.sleep(0.5)
        f.push(d.uplink(reading(5), 2, confirmed=True, fctrl=0))
        f.wait_sent(1)
        tail.wait_line("soil-0")
        tail.wait_line("taken")
        tail.wait_line("sent")
        stranger = Device.personalised(1, 0x0A0B0C0D)
        f.push(stranger.uplink(reading(5), 2))
        tail.wait_line("not-ours")


def test_a_port_that_is_taken_is_told(place):
    d = Device.personalised(0x70B3D57ED000000D, 0x0102030B)
    config, port = station(place, [d])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        gateway = place.gateway(config)
        wait_until(lambda: not gateway.is_running(), 10, "the end")
    assert gateway.child.returncode == 1 and f"127.0.0.1:{port}" in gateway.text, gateway.text
