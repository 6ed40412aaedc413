"""A simulated site: concentrators, nodes and the air between them, beside instruments that are polled."""
import json

import pytest
from conftest import free_port, http_json, sluice, wait_until

NODES, METERS = 12, 40


def station(place, port, page):
    keys = "".join(f"70B3D57ED00010{i:02X} app_key={i + 1:032x}\n" for i in range(NODES))
    (place.path / "lora.keys").write_text(keys)
    (place.path / "lora.keys").chmod(0o600)
    text = f"""station: {{id: site, region: test}}
buses:
  - id: air
    type: lora-udp
    listen: "127.0.0.1:{port}"
    region: cn470
    channels: 80-87
    keys_file: lora.keys
    gateways: [{{id: east, eui: "0000000000000001"}}, {{id: west, eui: "0000000000000002"}}]
"""
    devices = "devices:\n"
    for i in range(METERS):
        text += f"  - {{id: bus-{i}, type: modbus-tcp, host: 127.0.0.1, port: {free_port()}}}\n"
        devices += f"  - {{id: meter-{i}, profile: teledyne-t400, bus: bus-{i}, poll: 200ms}}\n"
    for i in range(NODES):
        devices += (f"  - {{id: node-{i}, profile: dragino-lse01, bus: air, poll: 4s, "
                    f'lora: {{dev_eui: "70B3D57ED00010{i:02X}"}}}}\n')
    return place.station_file(text + devices + f"""log: {{path: {place.path}/station.db}}
control: {place.path}/control.sock
http: {{listen: "127.0.0.1:{page}"}}
""")


def ask(place, *args):
    return json.loads(sluice("lora", *args, "--json", "--control", str(place.path / "control.sock")).stdout)


@pytest.mark.slow(30)
def test_every_answer_meets_its_first_window_under_polling_load(place):
    page = free_port()
    config = station(place, free_port(), page)
    place.gateway(config).wait_line("runs:", 20)
    place.sim(config)
    wait_until(lambda: all(d["joined"] for d in ask(place, "devices")["devices"]), 90, "all joins")
    # each tenth uplink is confirmed, and the first of a session is
    wait_until(lambda: ask(place, "gateways")["networks"][0]["uplinks"] > 4 * NODES, 90, "uplinks")
    n = ask(place, "gateways")["networks"][0]
    # all of them on a machine that does nothing else (docs/proof.md); beside other tests it may stand still
    assert n["missed"] + n["tx_rx2"] <= n["tx_rx1"] / 10, n
    assert n["tx_rx1"] > NODES, "a join of each, and acknowledgements; frames that meet in the air are lost"
    assert n["lead_ms_min"] >= 100, n
    assert n["copies"] > 0, "two concentrators hear the same frames"
    # from join to a value on the page nobody did anything
    def shown():
        now = http_json(f"http://127.0.0.1:{page}/api/v1/now")
        return {c["id"] for c in now["channels"] if isinstance(c.get("value"), (int, float))}
    wanted = {f"node-{i}/soil_moisture" for i in range(NODES)} | {f"meter-{i}/ozone" for i in range(METERS)}
    wait_until(lambda: wanted <= shown(), 90, "a value of each")


def test_loss_and_copies_cost_no_reading_twice(place):
    config = station(place, free_port(), free_port())
    place.gateway(config).wait_line("runs:", 20)
    place.sim(config, "--air-loss", "0.2", "--air-twice", "0.5")
    wait_until(lambda: ask(place, "gateways")["networks"][0]["uplinks"] > 2 * NODES, 90, "uplinks")
    n = ask(place, "gateways")["networks"][0]
    devices = ask(place, "devices")["devices"]
    assert n["copies"] > n["uplinks"] / 2
    for d in devices:  # what was heard and what was missed make up the counter
        assert d["uplinks"] + d["lost"] == d["fcnt_up"] or d["joins"] > 1, d
