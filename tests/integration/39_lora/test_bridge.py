"""An RS-485 line behind a LoRaWAN device of class C: the instrument on it is polled through the air."""
import struct
import threading

from conftest import free_port, http_json, wait_until
from lora_peer import Device, Forwarder

from lora_station import EUI, PROFILE, start, write_profile

PREFIX, STRIP = b"\xa8\x01", 1


def crc(data):
    c = 0xFFFF
    for b in data:
        c ^= b
        for _ in range(8):
            c = c >> 1 ^ (0xA001 if c & 1 else 0)
    return struct.pack("<H", c)


class Line:
    """Instruments behind the bridge: every register of unit 7 holds its address."""

    def answer(self, frame):
        unit, function, first, count = struct.unpack(">BBHH", frame[:6])
        assert crc(frame[:6]) == frame[6:8], "a whole RTU frame comes down"
        if unit != 7:
            return None
        words = b"".join(struct.pack(">H", (first + i) & 0x7FFF) for i in range(count))
        reply = bytes([unit, function, len(words)]) + words
        return reply + crc(reply)


def serve(f, d, line, over):
    """The bridge: what comes down goes onto the line, what answers goes up."""
    served = 0
    while not over.is_set():
        with f.heard:
            f.heard.wait_for(lambda: len(f.sent) > served, 0.2)
            fresh = f.sent[served:]
        for txpk, phy in fresh:
            served += 1
            down = d.downlink(phy)
            if down["fport"] != 3:
                continue
            assert txpk["imme"] is True, "class C at once"
            assert down["payload"].startswith(PREFIX)
            reply = line.answer(down["payload"][len(PREFIX):])
            if reply:
                f.push(d.uplink(b"\x55" * STRIP + reply, 3, fctrl=0))


def test_a_meter_behind_a_bridge_is_polled(place):
    bridge = Device.personalised(0x70B3D57ED0000B01, 0x01B00001)
    write_profile(place, PROFILE)
    (place.path / "lora.keys").write_text(bridge.keys_line())
    (place.path / "lora.keys").chmod(0o600)
    port, page = free_port(), free_port()
    config = place.station_file(f"""station: {{id: bridge-test}}
profiles: [profiles]
buses:
  - id: lora
    type: lora-udp
    listen: "127.0.0.1:{port}"
    region: eu868
    keys_file: lora.keys
    gateways: [{{id: roof, eui: "{EUI:016X}"}}]
  - {{id: far, type: modbus-lorawan, device: bridge, fport: 3, prefix: "{PREFIX.hex()}", strip: {STRIP}, reply: 5s}}
devices:
  - id: bridge
    profile: test-soil
    bus: lora
    poll: 1h
    lora: {{dev_eui: "{bridge.dev_eui:016X}", dev_addr: "{bridge.addr:08X}", class: C}}
  - {{id: soil, profile: seeed-soil-101990667, bus: far, unit: 7, poll: 2s}}
log: {{path: {place.path}/station.db}}
control: {place.path}/control.sock
http: {{listen: "127.0.0.1:{page}"}}
""")
    start(place, config)
    over = threading.Event()
    f = Forwarder(EUI, port).start()
    thread = threading.Thread(target=serve, args=(f, bridge, Line(), over), daemon=True)
    thread.start()
    try:
        f.pull()
        f.push(bridge.uplink(b"\0\1", 2, fctrl=0))  # class C begins with the first uplink

        def values():
            now = http_json(f"http://127.0.0.1:{page}/api/v1/now")
            return {c["point"]: c["value"] for c in now["channels"]
                    if c["device"] == "soil" and c["statistic"] is None and c["value"] is not None}
        wait_until(lambda: values(), 40, "a value through the bridge")
    finally:
        over.set()
        thread.join()
        f.stop()
