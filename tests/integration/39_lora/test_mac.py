"""What devices ask of the network itself: their link, the time."""
import datetime
import struct
import sys
import time

from conftest import ROOT, wait_until

sys.path.insert(0, str(ROOT / "tests" / "integration"))
sys.path.insert(0, str(ROOT / "tests" / "integration" / "39_lora"))
from lora_peer import Device  # noqa: E402
from lora_station import EUI, device, forwarder, notes, reading, start, station  # noqa: E402

LINK_CHECK, DEVICE_TIME, DEV_STATUS_ANS = b"\x02", b"\x0d", b"\x06"
GPS_EPOCH = datetime.datetime(1980, 1, 6, tzinfo=datetime.timezone.utc).timestamp()
LEAP_SECONDS = 18


def begin(place):
    d = Device.personalised(0x70B3D57ED0000200, 0x01040000)
    config, port = station(place, [d])
    start(place, config)
    return d, port


def ask(f, d, *args, **options):
    """The answer to an uplink, in RX1 of it: what its FOpts or its port 0 says."""
    n = len(f.sent)
    at = f.push(d.uplink(*args, fctrl=0, **options))
    txpk, phy = f.wait_sent(n + 1)
    assert txpk["tmst"] == (at + 1_000_000) & 0xffffffff
    down = d.downlink(phy)
    return down["fopts"] + (down["payload"] if down["fport"] == 0 else b"")


def find(commands, cid, size):
    """What stands behind a command's number; one that is not there fails."""
    at = commands.index(cid)
    return commands[at + 1:at + 1 + size]


def test_a_device_learns_how_well_it_is_heard(place):
    d, port = begin(place)
    with forwarder(port) as f:
        f.pull()
        time.sleep(0.2)
        margin, heard_by = find(ask(f, d, reading(1), 2, fopts=LINK_CHECK), LINK_CHECK, 2)
        assert margin == 15, "7.5 dB are 15 above what SF7 needs"
        assert heard_by == 1


def test_every_concentrator_that_heard_it_counts(place):
    d, port = begin(place)
    with forwarder(port) as near, forwarder(port, EUI + 1, 5_000_000) as far:
        near.pull(), far.pull()
        time.sleep(0.3)
        phy = d.uplink(reading(1), 2, fctrl=0, fopts=LINK_CHECK)
        far.push(phy, lsnr=-3, rssi=-110)
        near.push(phy, lsnr=9, rssi=-50)
        _, down = near.wait_sent(1)
        margin, heard_by = find(d.downlink(down)["fopts"], LINK_CHECK, 2)
        assert heard_by == 2 and margin in (16, 17)


def test_a_device_learns_the_time(place):
    d, port = begin(place)
    with forwarder(port) as f:
        f.pull()
        time.sleep(0.2)
        for fport, payload, fopts in ((2, reading(1), DEVICE_TIME), (0, DEVICE_TIME, b"")):
            before = time.time()
            seconds, fraction = struct.unpack("<IB", find(
                ask(f, d, payload, fport, fopts=fopts), DEVICE_TIME, 5))
            told = GPS_EPOCH - LEAP_SECONDS + seconds + fraction / 256
            assert -0.05 <= told - before <= 0.5, "UTC of the end of the uplink"


def test_commands_alone_are_no_reading(place):
    d, port = begin(place)
    with forwarder(port) as f:
        f.pull()
        time.sleep(0.2)
        assert find(ask(f, d, LINK_CHECK, 0), LINK_CHECK, 2)
        f.push(d.uplink(b"", None, fctrl=0))
        wait_until(lambda: device(place)["uplinks"] == 2, 10, "the uplinks")
        assert device(place)["decoded"] == device(place)["undecoded"] == 0
        wait_until(lambda: len(notes(place)) == 2, 10, "the frames")
    assert all(not n.get("data") for n in notes(place))


def test_a_battery_that_a_device_tells_is_shown(place):
    d, port = begin(place)
    with forwarder(port) as f:
        f.pull()
        f.push(d.uplink(reading(1), 2, fctrl=0, fopts=DEV_STATUS_ANS + bytes([127, 10])))
        wait_until(lambda: device(place)["uplinks"] == 1, 10, "the uplink")
        assert device(place)["battery"] == 127
        f.push(d.uplink(reading(1), 2, fctrl=0, fopts=b"\x7f\x01\x02"))
        wait_until(lambda: device(place)["uplinks"] == 2, 10, "one with an unknown command")
