"""What the tests of LoRa stations share: a profile, the gateway, what it says and holds."""
import contextlib
import csv
import json
import sqlite3
import sys

from conftest import ROOT, free_port, sluice

sys.path.insert(0, str(ROOT / "tests" / "integration"))
from lora_peer import Forwarder  # noqa: E402

PROFILE = """profile: 1
id: test-soil
names: {en: Soil node, zh: 土壤节点}
vendor: Test
models: [T1]
medium: soil
sources: [written for this test]
verified: template
bus: {transports: [lorawan]}
points:
  - {id: temperature, quantity: soil_temp, unit: Cel, scale: 0.1, range: [-40, 85]}
payload:
  messages:
    - id: reading
      fport: 2
      fields:
        - {point: temperature, off: 0, type: s16, invalid: 0x7FFF}
    - {id: hello, fport: 5, ignore: true}
"""
EUI = 0x0102030405060708


def write_profile(place, text, name="test-soil"):
    (place.path / "profiles").mkdir(exist_ok=True)
    (place.path / "profiles" / f"{name}.yaml").write_text(text.replace("test-soil", name))


def station(place, devices, region="eu868", more="", profiles=(), keys=()):
    """The n-th device has the n-th profile, test-soil without one, and the n-th keys more."""
    write_profile(place, PROFILE)
    secrets = place.path / "lora.keys"
    secrets.write_text("".join(d.keys_line() for d in devices))
    secrets.chmod(0o600)
    port = free_port()
    text = f"""station: {{id: lora-test, region: test}}
profiles: [profiles]
buses:
  - id: lora
    type: lora-udp
    listen: "127.0.0.1:{port}"
    region: {region}
    keys_file: lora.keys
    gateways:
      - {{id: roof, eui: "{EUI:016X}"}}
      - {{id: yard, eui: "{EUI + 1:016X}"}}
{more}
devices:
"""
    for i, d in enumerate(devices):
        addr = f', dev_addr: "{d.addr:08X}"' if d.addr is not None else ""
        profile = profiles[i] if i < len(profiles) else "test-soil"
        rest = f", {keys[i]}" if i < len(keys) else ""
        text += (f"  - {{id: soil-{i}, profile: {profile}, bus: lora, poll: 10min, "
                 f'lora: {{dev_eui: "{d.dev_eui:016X}"{addr}{rest}}}}}\n')
    text += f"""log: {{path: {place.path}/station.db, seal: 1s}}
control: {place.path}/control.sock
http: {{listen: "off"}}
"""
    return place.station_file(text), port


@contextlib.contextmanager
def forwarder(port, eui=EUI, tmst=0xFFF00000):
    f = Forwarder(eui, port, tmst).start()
    try:
        yield f
    finally:
        f.stop()


def start(place, config):
    (place.path / "gateway.log").unlink(missing_ok=True)
    return place.gateway(config).wait_line("runs:", 20)


def lora(place, *args, status=0):
    done = sluice("lora", *args, "--json", "--control", str(place.path / "control.sock"),
                  status=status)
    return json.loads(done.stdout)


def device(place, name="soil-0"):
    return lora(place, "devices", name)["devices"][0]


def notes(place):
    with contextlib.closing(sqlite3.connect(f"file:{place.path}/station.db?mode=ro", uri=True)) as db:
        return [json.loads(r[0]) for r in
                db.execute("SELECT data FROM entry WHERE topic = 'lora' ORDER BY seq")]


def readings(place, channel="soil-0/temperature"):
    """[(UTC ms, value, flag)] of the log, in the order of time; flag 0: none."""
    table = sluice("export", "--channel", channel, "--times", "ms", "--quiet",
                   str(place.path / "station.db")).stdout
    cells = [(int(ms), *cell.partition(";")[::2])
             for ms, cell in list(csv.reader(table.splitlines()))[1:]]
    return sorted((ms, float(value), int(flag or 0)) for ms, value, flag in cells)


def reading(tenths):
    return tenths.to_bytes(2, "big", signed=True)


def join(f, d, request=None):
    n = len(f.sent)
    at = f.push(request or d.join_request())
    txpk, phy = f.wait_sent(n + 1)
    assert txpk["tmst"] == (at + 5_000_000) & 0xffffffff, "RX1 of a join is 5 s later"
    assert txpk["ipol"] and txpk["ncrc"] and not txpk.get("imme")
    assert txpk["freq"] == 868.1 and txpk["datr"] == "SF7BW125" and txpk["codr"] == "4/5"
    return d.join_accept(phy)
