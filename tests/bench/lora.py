# SPDX-License-Identifier: Apache-2.0
"""A station of 2,000 LoRa devices: uplinks over Semtech UDP through the whole gateway, from datagram to
committed log, with the frame as it came, the session's state and the reading in one transaction."""
import base64
import pathlib
import socket
import sqlite3
import struct
import subprocess
import sys
import time

from measure import BUILD, ROOT, build, cpu_ns

sys.path.insert(0, str(ROOT / "tests" / "integration"))

DEVICES, BATCH = 2000, 8
HOLD_PER_S, AIM_PER_S, HOLD_MIB = 2000, 10000, 24
EUI = 0x0102030405060708

PROFILE = """profile: 1
id: bench-node
names: {en: Node, zh: 节点}
vendor: Bench
models: [B]
medium: soil
sources: [made for this measurement]
verified: template
bus: {transports: [lorawan]}
points:
  - {id: temperature, quantity: soil_temp, unit: Cel, scale: 0.1, range: [-40, 85]}
payload:
  messages:
    - {id: reading, fport: 2, fields: [{point: temperature, off: 0, type: s16}]}
"""


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write_station(where, devices, port):
    (where / "bench-node.yaml").write_text(PROFILE)
    keys = where / "lora.keys"
    keys.write_text("".join(d.keys_line() for d in devices))
    keys.chmod(0o600)
    rows = "".join(
        f'  - {{id: n{i}, profile: bench-node, bus: lora, poll: 10min, '
        f'lora: {{dev_eui: "{d.dev_eui:016X}", dev_addr: "{d.addr:08X}"}}}}\n'
        for i, d in enumerate(devices))
    (where / "station.yaml").write_text(
        f"station: {{id: bench}}\nprofiles: [{where}]\nbuses:\n  - id: lora\n    type: lora-udp\n"
        f'    listen: "127.0.0.1:{port}"\n    region: eu868\n    keys_file: lora.keys\n'
        f'    gateways: [{{id: roof, eui: "{EUI:016X}"}}]\ndevices:\n{rows}'
        f"log: {{path: {where}/log.db, codec: plain}}\ncontrol: {where}/control\nhttp: {{listen: \"off\"}}\n")


def datagrams(devices, count):
    """`count` uplinks, a batch a datagram, as (bytes, uplinks)."""
    out, batch = [], []
    for i in range(count):
        frame = devices[i % len(devices)].uplink(struct.pack(">h", i % 300), 2)
        tmst = i * 100 & 0xffffffff
        batch.append('{"tmst":%d,"chan":0,"rfch":0,"freq":868.1,"stat":1,"modu":"LORA","datr":"SF7BW125",'
                     '"codr":"4/5","rssi":-60,"lsnr":7.5,"size":%d,"data":"%s"}'
                     % (tmst, len(frame), base64.b64encode(frame).decode()))
        if len(batch) == BATCH:
            head = struct.pack(">BHBQ", 2, i & 0xffff, 0, EUI)
            out.append(head + ('{"rxpk":[' + ",".join(batch) + "]}").encode())
            batch = []
    return out


def memory_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {k: int(text.split(k + ":")[1].split()[0]) / 1024 for k in ("VmRSS", "RssAnon")}


def logged(where):
    try:
        with sqlite3.connect(f"file:{where}/log.db?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM entry WHERE topic = 'lora'").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def wait_logged(where, n, seconds):
    end = time.monotonic() + seconds
    while logged(where) < n and time.monotonic() < end:
        time.sleep(0.2)
    return logged(where)


def send_paced(s, packets, per_s, began):
    for i, packet in enumerate(packets):
        s.send(packet)
        ahead = i * BATCH / per_s - (time.monotonic() - began)
        if ahead > 0.002:
            time.sleep(ahead)


def measure(where, pid, port, packets, per_s, before):
    """Sends at that rate; (CPU us an uplink, uplinks that reached the log, seconds)."""
    cpu, began = cpu_ns(pid), time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        send_paced(s, packets, per_s, began)
        sent_s = time.monotonic() - began
        got = wait_logged(where, before + len(packets) * BATCH, 20) - before
    return (cpu_ns(pid) - cpu) / 1000 / max(got, 1), got, sent_s


def bench(where, window):
    from lora_peer import Device
    build("sluice")
    seconds = window or 20
    devices = [Device.personalised(0x70B3D50000000000 + i, 0x00010000 + i) for i in range(DEVICES)]
    port = free_udp_port()
    write_station(where, devices, port)
    slow = datagrams(devices, int(seconds * HOLD_PER_S) // BATCH * BATCH)
    fast = datagrams(devices, int(seconds * AIM_PER_S / 4) // BATCH * BATCH)
    gateway = subprocess.Popen(["taskset", "-c", "0", str(BUILD / "sluice"), "run", "--config",
                                where / "station.yaml"], stderr=open(where / "log.txt", "w"))
    try:
        time.sleep(3)
        idle = memory_mib(gateway.pid)
        us, got, sent_s = measure(where, gateway.pid, port, slow, HOLD_PER_S, 0)
        loaded = memory_mib(gateway.pid)
        fast_us, fast_got, fast_s = measure(where, gateway.pid, port, fast, AIM_PER_S, got)
    finally:
        gateway.kill()
        gateway.wait()
    n, m = len(slow) * BATCH, len(fast) * BATCH
    print(f"{HOLD_PER_S}/s for {sent_s:.0f} s on one core: {got} of {n} in the log, {us:.1f} us CPU each "
          f"({100 * us * HOLD_PER_S / 1e6:.0f} % of the core)")
    print(f"{AIM_PER_S}/s for {fast_s:.0f} s on one core: {fast_got} of {m} in the log, {fast_us:.1f} us CPU each"
          f"; one core takes {1e6 / fast_us:.0f}/s")
    print(f"memory with {DEVICES} devices: RSS {idle['VmRSS']:.1f} MiB idle, {loaded['VmRSS']:.1f} MiB at "
          f"{HOLD_PER_S}/s (RssAnon {loaded['RssAnon']:.1f}); hold {HOLD_MIB}")
    return 0 if got == n and loaded["VmRSS"] < HOLD_MIB else 1
