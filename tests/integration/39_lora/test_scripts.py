"""The gateway with payload scripts of a site: readings, misbehaviour, kills."""
import sys
import time

import pytest
from conftest import ROOT, sluice, wait_until

sys.path.insert(0, str(ROOT / "tests" / "integration"))
sys.path.insert(0, str(ROOT / "tests" / "integration" / "39_lora"))
from lora_peer import Device  # noqa: E402
from lora_station import (PROFILE, device, forwarder, notes, reading, readings, start,  # noqa: E402
                          station, write_profile)

SCRIPTED = PROFILE[:PROFILE.index("payload:")] + """payload:
  codec: node.js
  map: {"values[0].t": {point: temperature, scale: 1}}
"""
MODERN = """const tenths = (hi, lo) => ((hi << 8 | lo) << 16 >> 16) / 10;
function decodeUplink({bytes, fPort}) {
  if (fPort !== 2) return {errors: [`port ${fPort} is not known`]};
  let [hi, lo = 0, ...rest] = bytes;
  const values = [{t: tenths(hi, lo)}];
  return {data: {values, rest: rest.length}};
}
"""
MODES = """function decodeUplink(input) {
  const [mode, hi, lo] = input.bytes;
  if (mode === 1) throw new Error(`no such mode: ${mode}`);
  while (mode === 2) {}
  if (mode === 3) { let s = 'x'; for (;;) s += s; }
  if (mode === 4) { const end = Date.now() + 1; for (let i = 0; i < 3e5; i++) Math.sqrt(i); }
  return {data: {values: [{t: (hi << 8 | lo) / 10}]}};
}
"""
EUI = 0x70B3D57ED0000100


def scripted(place, script, n=2, **options):
    """The first device has the script, the others a layout; all have fixed sessions."""
    devices = [Device.personalised(EUI + i, 0x01030000 + i) for i in range(n)]
    write_profile(place, SCRIPTED, "scripted-soil")
    (place.path / "profiles" / "node.js").write_text(script)
    config, port = station(place, devices, profiles=["scripted-soil"], **options)
    return devices, config, port


def values(place, channel="soil-0/temperature"):
    return [v for _, v, _ in readings(place, channel)]


def notices(place, what):
    text = sluice("export", "--events", "--quiet", str(place.path / "station.db")).stdout
    return [line for line in text.splitlines() if f'"{what}"' in line]


def test_readings_of_a_modern_script_are_stored(place):
    (d, _), config, port = scripted(place, MODERN)
    start(place, config)
    with forwarder(port) as f:
        f.pull()
        for i, tenths in enumerate([215, -5]):
            f.push(d.uplink(reading(tenths), 2))
            wait_until(lambda: len(readings(place)) == i + 1, 10, "the reading")
        f.push(d.uplink(reading(1), 9))
        wait_until(lambda: device(place)["undecoded"] == 1, 10, "the refusal")
        assert "port 9 is not known" in device(place)["why"]["zh"]
        assert device(place)["decoded"] == 2
    assert values(place) == [21.5, -0.5]
    wait_until(lambda: [n["data"] for n in notes(place)] == ["00d7", "fffb", "0001"], 10, "the frames")
    wait_until(lambda: notices(place, "payload_undecoded"), 10, "the notice")


def test_a_confirmed_uplink_is_answered_before_its_script_ran(place):
    (d, _), config, port = scripted(place, MODERN)
    start(place, config)
    with forwarder(port) as f:
        f.pull()
        time.sleep(0.2)
        at = f.push(d.uplink(reading(100), 2, confirmed=True, fctrl=0))
        txpk, phy = f.wait_sent(1)
        assert txpk["tmst"] == (at + 1_000_000) & 0xffffffff and d.downlink(phy)["ack"]
    wait_until(lambda: values(place) == [10], 10, "the reading")


@pytest.mark.parametrize("mode, said", [(1, "no such mode: 1"), (2, ""), (3, "")],
                         ids=["throws", "loops for ever", "eats memory"])
def test_a_script_that_misbehaves_costs_its_message_alone(place, mode, said):
    (d, other), config, port = scripted(place, MODES)
    gateway = start(place, config)
    with forwarder(port) as f:
        f.pull()
        f.push(d.uplink(b"\x00" + reading(100), 2))
        wait_until(lambda: values(place) == [10], 10, "the first reading")
        for i in range(2):
            f.push(d.uplink(bytes([mode]) + reading(200), 2))
            f.push(other.uplink(reading(30 + i), 2))
        wait_until(lambda: device(place)["undecoded"] == 2, 20, "what was not decoded")
        assert said in device(place)["why"]["zh"]
        f.push(d.uplink(b"\x00" + reading(300), 2))
        wait_until(lambda: values(place) == [10, 30], 10, "the reading behind it")
        wait_until(lambda: len(values(place, "soil-1/temperature")) == 2, 10, "the other device")
    assert len([n for n in notes(place) if n["device"] == "soil-0"]) == 4
    time.sleep(1.2)
    assert len(notices(place, "payload_undecoded")) == 1
    assert len(notices(place, "codec_killed")) == (2 if mode == 2 else 0)
    assert gateway.is_running()


def test_a_script_that_is_killed_three_times_rests(place):
    (d, _), config, port = scripted(place, MODES)
    start(place, config)
    with forwarder(port) as f:
        f.pull()
        for i in range(5):
            f.push(d.uplink(b"\x02" + reading(1), 2))
        wait_until(lambda: device(place)["undecoded"] == 5, 30, "five that were not decoded")
        f.push(d.uplink(b"\x00" + reading(100), 2))
        wait_until(lambda: device(place)["undecoded"] == 6, 10, "a message while it rests")
    assert values(place) == []
    wait_until(lambda: len(notes(place)) == 6, 10, "the frames: they can be decoded later")
    wait_until(lambda: len(notices(place, "codec_off")) == 1, 10, "the notice")


@pytest.mark.slow(20)
def test_a_kill_between_frame_and_readings_loses_and_doubles_nothing(place):
    (d, _), config, port = scripted(place, MODES)
    with forwarder(port) as f:
        sent = 0
        for kill in range(6):
            gateway = start(place, config)
            f.pull()
            time.sleep(0.3)
            for _ in range(2 + kill % 2):
                n = len(f.sent)
                f.push(d.uplink(b"\x04" + reading(10 * sent), 2, confirmed=True, fctrl=0))
                f.wait_sent(n + 1)  # it is in the log; its reading is or is not
                sent += 1
            gateway.kill()
        start(place, config)
        wait_until(lambda: len(readings(place)) >= sent, 20, f"{sent} readings")
    assert values(place) == [float(i) for i in range(sent)]
    assert len(notes(place)) == sent


def test_a_frame_whose_script_was_away_is_decoded_later(place):
    """Killed while the worker is stopped, the frame is there without its reading."""
    (d, _), config, port = scripted(place, "function decodeUplink(i) { while (true) {} }")
    gateway = start(place, config)
    with forwarder(port) as f:
        f.pull()
        time.sleep(0.3)
        n = len(f.sent)
        f.push(d.uplink(b"\x00" + reading(123), 2, confirmed=True, fctrl=0))
        f.wait_sent(n + 1)
        gateway.kill()
        undecoded = len(notes(place))
        (place.path / "profiles" / "node.js").write_text(MODES)
        gateway = start(place, config)
        if device(place)["undecoded"] == 0:
            wait_until(lambda: values(place) == [12.3], 10, "the reading")
        gateway.kill()
        start(place, config)
        time.sleep(0.5)
        assert values(place) == [12.3] and undecoded == 1 and len(notes(place)) == 1


def test_a_script_lies_beside_the_file_that_names_it(place):
    (d, other), config, port = scripted(
        place, "function decodeUplink() { throw 'the wrong one'; }",
        keys=["codec: scripts/mine.js, variables: [{id: factor, value: '2'}]"])
    own = MODES.replace("/ 10", "/ 10 * input.variables.factor")
    done = sluice("check", str(config), status=2)
    line = next(i for i, text in enumerate(config.read_text().splitlines(), 1) if "mine.js" in text)
    column = config.read_text().splitlines()[line - 1].index("scripts/mine.js") + 1
    assert (f"station.yaml:{line}:{column}: error: the script 'scripts/mine.js' cannot be read: "
            "No such file or directory") in done.stdout + done.stderr
    (place.path / "scripts").mkdir()
    (place.path / "scripts" / "mine.js").write_text(own)
    assert "no errors" in sluice("check", str(config)).stdout
    (place.path / "elsewhere").mkdir()
    place.path, home = place.path / "elsewhere", place.path  # the working directory is another
    try:
        start(place, config)
    finally:
        place.path = home
    with forwarder(port) as f:
        f.pull()
        f.push(d.uplink(b"\x00" + reading(100), 2))
        wait_until(lambda: values(place) == [20], 10, "the reading")


def test_check_names_the_line_of_a_script_that_is_missing(place):
    _, config, _ = scripted(place, MODERN)
    (place.path / "profiles" / "node.js").unlink()
    done = sluice("check", str(config), status=2)
    assert "scripted-soil.yaml:13:10: error: the script 'node.js' cannot be read" in \
        done.stdout + done.stderr


def test_a_layout_takes_no_script(place):
    d = Device.personalised(EUI, 0x01030000)
    config, _ = station(place, [d], keys=["codec: mine.js"])
    done = sluice("check", str(config), status=2)
    assert "profile 'test-soil' does not map the results of a script" in done.stdout + done.stderr


def test_network_and_battery_of_a_scripted_device_need_no_script(place):
    (d, _), config, port = scripted(place, MODES)
    start(place, config)
    with forwarder(port) as f:
        f.pull()
        f.push(d.uplink(b"", None))
        wait_until(lambda: device(place)["uplinks"] == 1, 10, "the uplink")
        f.push(d.uplink(b"\x00" + reading(100), 2))
        wait_until(lambda: values(place) == [10], 10, "the reading")
        assert device(place)["undecoded"] == 0
