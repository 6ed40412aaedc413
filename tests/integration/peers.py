"""Modbus peers that are not ours, and a gateway with one device on them."""
import contextlib
import json
import os
import pathlib
import select
import socket
import sys
import threading
import tty

from conftest import Process, free_port, http_get, wait_until

SLAVE = pathlib.Path(__file__).with_name("pymodbus_slave.py")


def blocks(registers):
    """{3: [1, 2], "c:5": [1]} as arguments of the slave."""
    return [f"{first}={','.join(str(v) for v in values)}" for first, values in registers.items()]


class Slave(Process):
    """pymodbus: kind tcp or rtu-tcp at a port, serial at a path."""

    def __init__(self, place, kind, where, registers, unit=3, name="slave"):
        super().__init__([sys.executable, SLAVE, kind, where, unit, *blocks(registers)],
                         place.path, name)


class PtyPair(threading.Thread):
    """Two pseudo terminals joined back to back: a serial cable."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ends = [os.openpty() for _ in range(2)]
        self.paths = [os.ttyname(slave) for _, slave in self.ends]
        for _, slave in self.ends:
            tty.setraw(slave)
        self.is_over = False
        self.start()

    def run(self):
        masters = [m for m, _ in self.ends]
        while not self.is_over:
            for fd in select.select(masters, [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    os.write(masters[1 - masters.index(fd)], os.read(fd, 512))

    def close(self):
        self.is_over = True
        self.join()
        for pair in self.ends:
            for fd in pair:
                os.close(fd)


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def tcp_slave(place, port, registers, kind="tcp", unit=3):
    slave = place.add(Slave(place, kind, port, registers, unit))
    wait_until(lambda: accepts(port), 10, "the slave")
    return slave


class Station:
    """A gateway whose buses and devices are lines of its configuration; its values and states by
    the API, numbers as the text they are printed in."""

    def __init__(self, place, buses, devices, profiles=None, extra=""):
        self.port = free_port()
        folder = place.path / "profiles"
        folder.mkdir(exist_ok=True)
        for name, text in (profiles or {}).items():
            (folder / f"{name}.yaml").write_text(text)
        lines = ["station: {id: test-01, region: demo, names: {en: Test, zh: 试验站}}",
                 f"profiles: [{folder}]", "buses:", *[f"  - {{{b}}}" for b in buses],
                 "devices:", *[f"  - {{{d}}}" for d in devices],
                 f"log: {{path: {place.path}/station.db, commit: 1s}}",
                 f"http: {{listen: '127.0.0.1:{self.port}'}}",
                 f"control: {place.path}/control.sock", extra, ""]
        self.file = place.station_file("\n".join(lines))
        self.place, self.process = place, None

    def start(self):
        self.process = self.place.gateway(self.file)
        return self

    def now(self):
        try:
            text = http_get(f"http://127.0.0.1:{self.port}/api/v1/now").decode()
        except OSError:
            return {"channels": [], "devices": [{}]}
        return json.loads(text, parse_float=str, parse_int=str)

    def values(self, device=None):
        """{point: value as printed} of the instantaneous channels."""
        return {c["point"]: c["value"] for c in self.now()["channels"]
                if not c["statistic"] and device in (None, c.get("device"))}

    def devices(self):
        return {d.get("id"): d for d in self.now()["devices"]}

    def state(self, device=None):
        found = self.devices()
        return (found.get(device, {}) if device else next(iter(found.values()))).get("state")

    def wait_values(self, expected, seconds=15):
        wait_until(lambda: self.values() == expected, seconds, f"{expected}, not {self.values()}")
