"""The gateway beside a LoRaWAN network server: readings out of ChirpStack and The Things Stack."""
import sys
import time

import pytest
from conftest import ROOT, free_port, sluice, wait_until

sys.path.insert(0, str(ROOT / "tests" / "integration"))
sys.path.insert(0, str(ROOT / "tests" / "integration" / "39_lora"))
from lns_server import ChirpStack, Storage, TheThingsStack, now  # noqa: E402
from lora_station import (PROFILE, device, lora, notes, reading, readings, start,  # noqa: E402
                          write_profile)

EUI = "A84041000181C061"
OTHER = "A84041000181C062"
NOT_EVALUATED = 1 << 3  # the grade alone, without a reason such as the clock's


class Site:
    """A broker, a server on it, and the gateway that hears them."""

    def __init__(self, place, kind, poll="10min", more=""):
        self.place, self.kind = place, kind
        self.broker = place.broker()
        self.storage = Storage() if kind == "ttn" else None
        self.server = (TheThingsStack if kind == "ttn" else ChirpStack)(self.broker.port)
        write_profile(place, PROFILE)
        options = (f', username: "{self.server.application}", password_file: api.key, '
                   f'storage: "{self.storage.url}"' if kind == "ttn" else
                   f', application: "{self.server.application}"')
        (place.path / "api.key").write_text("NNSXS.SECRET\n")
        (place.path / "api.key").chmod(0o600)
        self.file = place.station_file(f"""station: {{id: lora-test, region: test}}
profiles: [profiles]
buses:
  - {{id: lns, type: {kind}, url: "{self.broker.url}"{options}}}
devices:
  - {{id: soil-0, profile: test-soil, bus: lns, poll: {poll}, lora: {{dev_eui: "{EUI}"}}}}
  - {{id: soil-1, profile: test-soil, bus: lns, poll: 10min, lora: {{dev_eui: "{OTHER}"}}}}
log: {{path: {place.path}/station.db, commit: 1s, seal: 1s}}
control: {place.path}/control.sock
http: {{listen: "off"}}
{more}""")
        self.gateway = None

    def start(self):
        self.gateway = start(self.place, self.file)
        wait_until(lambda: "bus lns: " in self.gateway.text, 20, "the subscription")
        return self

    def kill(self):
        self.gateway.kill()

    def close(self):
        self.server.close()
        if self.storage:
            self.storage.close()

    def up(self, tenths, fcnt, fport=2, eui=EUI, **options):
        """Publishes, and the storage has it too."""
        event = self.server.up(eui, reading(tenths), fport, fcnt, **options)
        if self.storage:
            self.storage.events.append(event)
        return event

    def again(self, event, eui=EUI):
        self.server.publish(self.server.topic(eui, "up"), event)


@pytest.fixture(params=["chirpstack", "ttn"])
def site(place, request):
    s = Site(place, request.param)
    yield s
    s.close()


def values(place, channel="soil-0/temperature"):
    return [v for _, v, _ in readings(place, channel)]


def stored(place, n):
    """Waits for the n-th reading; none beyond it."""
    wait_until(lambda: len(readings(place)) >= n, 15, f"{n} readings")
    assert len(readings(place)) == n
    return values(place)


def test_readings_arrive_each_once(place, site):
    site.start()
    at = now()
    event = site.up(215, 0, at=at)
    assert stored(place, 1) == [21.5]
    assert abs(readings(place)[0][0] - at * 1000) < 1000
    site.again(event)
    site.again(event)
    site.up(-5, 1)
    assert stored(place, 2) == [21.5, -0.5]
    state = device(place)
    assert state["uplinks"] == 2 and state["repeated"] == 2 and state["decoded"] == 2
    assert state["joined"] and state["rssi"] == -87 and state["snr"] == 7.5
    assert state["dev_eui"].upper() == EUI and state["fcnt_up"] == 2
    assert state["gateway"] == ("0016c001f1500812" if site.kind == "chirpstack" else "roof")
    assert [n["data"] for n in notes(place)] == ["00d7", "fffb"]
    assert {d["id"]: d["state"] for d in lora(place, "devices")["devices"]} == {
        "soil-0": "online", "soil-1": "waiting"}
    shown = sluice("lora", "devices", "--control", str(place.path / "control.sock"), lang="zh")
    assert "soil-0" in shown.stdout and "在线" in shown.stdout
    assert "SECRET" not in shown.stdout + site.gateway.text


def test_a_counter_that_is_missing_is_counted_as_lost(place, site):
    site.start()
    site.up(1, 10)
    site.up(2, 14)
    stored(place, 2)
    assert device(place)["lost"] == 3


def test_nothing_is_stored_twice_over_kills(place, site):
    site.start()
    begin = now() - 3600
    events = [site.up(200 + i, i, at=begin + 600 * i) for i in range(5)]
    stored(place, 5)
    time.sleep(1.5)  # until the last is on disk
    for kill in range(2):
        site.kill()
        missed = site.up(300 + kill, 5 + kill)  # the broker keeps it, or the storage has it
        site.start()
        for event in [*events, missed]:
            site.again(event)
        events.append(missed)
        stored(place, 6 + kill)
        time.sleep(1.5)
    assert values(place) == [20, 20.1, 20.2, 20.3, 20.4, 30, 30.1]
    assert len(notes(place)) == 7


def test_an_uplink_that_was_missed_is_a_row_at_its_own_time(place):
    site = Site(place, "ttn")
    try:
        site.start()
        begin = now() - 3600
        site.up(100, 0, at=begin)
        stored(place, 1)
        time.sleep(1.5)
        site.kill()
        for i in range(1, 5):  # the broker never had these
            site.storage.events.append(site.server.up_event(EUI, reading(100 + i), 2, i,
                                                            at=begin + 600 * i))
        site.up(105, 5, at=begin + 3300)
        site.start()
        assert stored(place, 6)
        times = [round((ms / 1000 - begin) / 100) for ms, _, _ in readings(place)]
        assert times == [0, 6, 12, 18, 24, 33]
        assert device(place)["uplinks"] >= 5
    finally:
        site.close()


def test_a_late_uplink_is_not_evaluated(place, site):
    site.start()
    begin = now() - 1800
    site.up(100, 0, at=begin)
    site.up(102, 2, at=begin + 1200)
    stored(place, 2)
    site.up(101, 1, at=begin + 600)
    assert stored(place, 3)
    assert values(place) == [10, 10.1, 10.2]
    assert [flag == NOT_EVALUATED for _, _, flag in readings(place)] == [False, True, False]


def test_what_a_user_made_up_is_no_measurement(place):
    site = Site(place, "ttn")
    try:
        site.start()
        site.up(500, 0, simulated=True)
        site.up(215, 1)
        assert stored(place, 1) == [21.5]
        assert len(notes(place)) == 2
    finally:
        site.close()


def test_devices_of_others_are_none_of_ours(place, site):
    site.start()
    site.up(1, 0, eui="A84041000181C0FF")
    site.up(2, 0)
    assert stored(place, 1) == [0.2]
    assert len(notes(place)) == 1


def test_a_device_that_falls_silent_is_told_and_so_is_its_return(place):
    site = Site(place, "chirpstack", poll="1s")
    try:
        site.start()
        site.up(215, 0)
        site.gateway.wait_line("device soil-0 is silent", 15)
        assert device(place)["state"] == "silent"
        site.up(216, 1)
        site.gateway.wait_line("device soil-0 is heard again", 15)
        assert device(place)["state"] == "online"
    finally:
        site.close()


def test_battery_and_complaints_of_chirpstack_are_shown(place):
    site = Site(place, "chirpstack")
    try:
        site.start()
        site.up(215, 0)
        site.server.status(EUI, 50)
        wait_until(lambda: device(place)["battery"] == 127, 10, "the battery")
        site.server.log(EUI, "UPLINK_F_CNT_RETRANSMISSION", "Frame-counter did not increment")
        wait_until(lambda: "F_CNT_RETRANSMISSION" in sluice(
            "export", "--events", "--quiet", str(place.path / "station.db")).stdout, 15, "the notice")
    finally:
        site.close()


def test_a_broker_that_is_away_is_told_and_waited_for(place):
    site = Site(place, "chirpstack")
    try:
        site.broker.kill()
        gateway = start(place, site.file)
        gateway.wait_line("bus lns: ", 15)
        site.broker.start()
        wait_until(site.server.client.is_connected, 30, "the server on its broker")
        gateway.wait_line("bus lns: Connected", 30)
        site.up(215, 0)
        stored(place, 1)
        assert values(place) == [21.5]
    finally:
        site.close()


def test_check_tells_what_a_feed_lacks(place):
    site = Site(place, "chirpstack")
    try:
        text = site.file.read_text()
        site.file.write_text(text.replace(site.broker.url, f"http://127.0.0.1:{free_port()}"))
        done = sluice("check", str(site.file), status=2)
        assert "station.yaml:4:5: error: bus 'lns': " in done.stdout + done.stderr
        assert "mqtt://" in done.stdout + done.stderr
        site.file.write_text(text.replace("type: chirpstack,", "type: ttn,").replace(
            f', application: "{site.server.application}"', ""))
        done = sluice("check", str(site.file), status=2)
        assert "such as my-app@ttn  [" in done.stdout + done.stderr
    finally:
        site.close()
