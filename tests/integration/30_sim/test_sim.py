"""The simulator read by masters that are not ours: pymodbus over TCP, mbpoll on the serial line."""
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import time

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.mei_message import ReadDeviceInformationRequest
from pymodbus.transaction import ModbusRtuFramer

from conftest import Process, free_port, profile_yaml, wait_until

MBPOLL = shutil.which("mbpoll")
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, GATEWAY_TARGET = 1, 2, 3, 11
PPB_PER_UG_OZONE = 24.465 / 48.0  # 298.15 K, 1013.25 hPa


def floats(registers):
    raw = struct.pack(f">{len(registers)}H", *registers)
    return struct.unpack(f">{len(registers) // 2}f", raw)


def cpu_seconds(process):
    """What it has used of the processor: the same on a busy machine."""
    fields = pathlib.Path(f"/proc/{process.child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def sim(binary, place):
    """Starts sluice sim with these arguments and waits until it is ready."""
    def start(*args, name="sim"):
        return place.add(Process([binary, "sim", *args], place.path, name)).wait_line("ready")
    return start


@pytest.fixture
def client():
    opened = []

    def connect(port, **options):
        c = ModbusTcpClient("127.0.0.1", port=port, timeout=3, **options)
        assert c.connect()
        opened.append(c)
        return c
    yield connect
    for c in opened:
        c.close()


@pytest.mark.short
def test_serves_what_it_was_told_to_show(sim, client):
    port = free_port()
    sim("--profile", "teledyne-t400", "--tcp", f"127.0.0.1:{port}", "--unit", "5",
        "--set", "ozone=96.2", "--set", "box_temp=nan")
    c = client(port)
    answer = c.read_input_registers(18, 2, slave=5)
    assert not answer.isError()
    assert floats(answer.registers)[0] == pytest.approx(96.2 * PPB_PER_UG_OZONE, rel=1e-6)
    box = floats(c.read_input_registers(44, 2, slave=5).registers)[0]
    assert box != box  # not a number
    assert c.read_discrete_inputs(0, 10, slave=5).bits[:10] == [False] * 10


def test_shows_the_flag_it_was_told_to_raise(sim, client):
    port = free_port()
    sim("--profile", "teledyne-t100", "--tcp", f"127.0.0.1:{port}", "--flag", "zero")
    bits = client(port).read_discrete_inputs(0, 20, slave=1).bits
    assert bits[16] and not bits[17]


@pytest.mark.short
def test_answers_exceptions_for_what_the_instrument_does_not_have(sim, client):
    port = free_port()
    sim("--profile", "generic-gamma-f32", "--tcp", f"127.0.0.1:{port}")
    c = client(port)
    assert c.read_input_registers(1000, 2, slave=1).exception_code == ILLEGAL_ADDRESS
    assert c.read_input_registers(4, 3, slave=1).exception_code == ILLEGAL_ADDRESS
    assert c.read_holding_registers(0, 2, slave=1).exception_code == ILLEGAL_ADDRESS
    assert c.write_register(0, 1, slave=1).exception_code == ILLEGAL_FUNCTION
    assert c.read_input_registers(0, 2, slave=9).exception_code == GATEWAY_TARGET
    assert not c.read_input_registers(0, 2, slave=1).isError()


@pytest.mark.short
def test_rtu_frames_over_tcp(sim, client):
    port = free_port()
    sim("--profile", "teledyne-t400", "--rtu-tcp", f"127.0.0.1:{port}", "--unit", "5",
        "--set", "ozone=96.2")
    c = client(port, framer=ModbusRtuFramer)
    answer = c.read_input_registers(18, 2, slave=5)
    assert floats(answer.registers)[0] == pytest.approx(96.2 * PPB_PER_UG_OZONE, rel=1e-6)
    assert c.read_input_registers(1000, 2, slave=5).exception_code == ILLEGAL_ADDRESS


@pytest.mark.parametrize("option, framing", [("--tcp", {}),
                                             ("--rtu-tcp", {"framer": ModbusRtuFramer})])
@pytest.mark.short
def test_tells_its_vendor_and_the_model_it_is_identified_by(sim, client, option, framing):
    port = free_port()
    sim("--profile", "vaisala-aqt530", option, f"127.0.0.1:{port}", "--unit", "5")
    c = client(port, **framing)
    answer = c.execute(ReadDeviceInformationRequest(read_code=1, object_id=0, unit=5))
    assert answer.information == {0: b"Vaisala", 1: b"AQT530", 2: b"1.0"}
    one = c.execute(ReadDeviceInformationRequest(read_code=4, object_id=1, unit=5))
    assert one.information == {1: b"AQT530"}


COMMANDS = profile_yaml("told", [
    "id: ozone, at: h:0, type: f32, unit: ug/m3, "
    "quantity: ozone, range: [-10, 1000], sim: {base: 80, noise: 1}",
], medium="air", rest="""mode: {at: h:20, map: {0: measuring, 1: zero, 2: span}}
commands:
  - id: start_zero
    names: {en: Zero, zh: 调零}
    mode: {set: zero, for: 10min}
    steps: [{write: h:100, type: u16, value: 1}]
  - id: measure
    names: {en: Measure, zh: 测量}
    steps: [{write: h:100, type: u16, value: 0}]
  - id: set_interval
    names: {en: Set interval, zh: 设定间隔}
    parameters: [{id: seconds, names: {en: Interval, zh: 间隔}, unit: s, range: [1, 3600]}]
    steps: [{write: h:110, type: u32, value: $seconds}]
  - id: pump_on
    names: {en: Pump on, zh: 开泵}
    steps: [{write: c:7, value: 1}, {write: c:8, value: 1}]
""")


def test_does_what_its_commands_say_and_takes_no_other_write(sim, client, place):
    (place.path / "told.yaml").write_text(COMMANDS)
    port = free_port()
    sim("--profiles", place.path, "--profile", "told", "--calm", "--tcp", f"127.0.0.1:{port}")
    c = client(port)
    assert c.read_holding_registers(20, 1, slave=1).registers == [0]
    assert not c.write_register(100, 1, slave=1).isError()
    assert c.read_holding_registers(20, 1, slave=1).registers == [1]
    assert abs(floats(c.read_holding_registers(0, 2, slave=1).registers)[0]) < 10
    assert not c.write_registers(100, [0], slave=1).isError()
    assert c.read_holding_registers(20, 1, slave=1).registers == [0]
    assert not c.write_registers(110, [1, 2], slave=1).isError()
    assert c.read_holding_registers(110, 2, slave=1).registers == [1, 2]
    assert c.write_registers(110, [1, 2, 3], slave=1).exception_code == ILLEGAL_ADDRESS
    assert c.write_register(0, 1, slave=1).exception_code == ILLEGAL_ADDRESS
    assert c.write_coil(100, True, slave=1).exception_code == ILLEGAL_ADDRESS
    assert not c.write_coil(7, True, slave=1).isError()
    assert c.read_coils(7, 2, slave=1).bits[:2] == [True, False]
    assert not c.write_coils(7, [False, True], slave=1).isError()
    assert c.read_coils(7, 2, slave=1).bits[:2] == [False, True]


@pytest.mark.short
def test_refuses_a_register_late_and_hangs_up_as_told(sim, client):
    port = free_port()
    sim("--profile", "teledyne-t400", "--tcp", f"127.0.0.1:{port}", "--fault",
        "exception=4@i:18", "--fault", "slow=150ms", "--fault", "disconnect=4")
    c = client(port)
    assert c.read_input_registers(18, 2, slave=1).exception_code == 4
    begin = time.monotonic()
    assert not c.read_input_registers(20, 2, slave=1).isError()
    assert time.monotonic() - begin >= 0.15
    assert not c.read_input_registers(20, 2, slave=1).isError()
    with socket.create_connection(("127.0.0.1", port), 3) as s:
        s.sendall(b"\x00\x01\x00\x00\x00\x06\x01\x04\x00\x14\x00\x02")
        assert s.recv(300) == b""


def test_a_pulled_line_goes_and_comes_back(sim, place):
    line = place.path / "line"
    sim("--profile", "sonbest-sm7901", "--pty", line, "--unit", "1", "--fault", "disconnect=1")
    port = os.open(line, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(port, bytes.fromhex("010300000001840a"))
        wait_until(lambda: not line.is_symlink(), 2, "the adapter to be pulled")
        wait_until(line.is_symlink, 2, "the adapter to be back")
    finally:
        os.close(port)
    assert os.path.exists(line)


def test_the_same_seed_gives_the_same_values_and_another_does_not(sim, client):
    """On one clock: what a seed says is a function of time alone."""
    now = int(time.time() * 1000)
    clock = f"1.0000001,{now},{int(time.monotonic() * 1000)},{10 ** 9}"
    shown = []
    for seed in ("7", "7", "8"):
        port = free_port()
        sim("--profile", "generic-gamma-f32", "--tcp", f"127.0.0.1:{port}", "--seed", seed,
            "--clock", clock, name=f"sim{len(shown)}")
        shown.append(client(port))
    for _ in range(20):
        a, b, c = (s.read_input_registers(0, 6, slave=1).registers for s in shown)
        if a == b:  # else a second began between the two
            break
    assert a == b
    assert a != c


def test_several_clients_and_a_rude_one(sim, client):
    port = free_port()
    sim("--profile", "eh-liquiline-cm44x", "--tcp", f"127.0.0.1:{port}")
    clients = [client(port) for _ in range(8)]
    rude = client(port)
    rude.socket.send(b"\x00\x01\x00\x00\x00\x06\x01")  # and no more
    begin = time.monotonic()
    for c in clients:
        assert not c.read_holding_registers(0, 23, slave=1).isError()
    assert time.monotonic() - begin < 2


@pytest.mark.short
def test_thirty_polls_a_second_of_many_instruments(sim, client, place):
    devices = "\n".join(f"  - {{id: d{i}, profile: generic-gamma-f32, bus: b{i}, unit: 1}}"
                        for i in range(110))
    ports = [free_port() for _ in range(110)]
    buses = "\n".join(f"  - {{id: b{i}, type: modbus-tcp, host: 127.0.0.1, port: {p}}}"
                      for i, p in enumerate(ports))
    station = place.station_file(f"station: {{id: many}}\nbuses:\n{buses}\ndevices:\n{devices}\n"
                                 f"log: {{path: {place.path}/x.db}}\n")
    p = sim("--station", station)
    clients = [client(port) for port in ports]
    begin = cpu_seconds(p)
    for _ in range(3):
        for c in clients:
            assert not c.read_input_registers(0, 6, slave=1).isError()
    assert cpu_seconds(p) - begin < 3 * 110 / 30 / 4  # a quarter of one processor


@pytest.mark.skipif(not MBPOLL, reason="mbpoll is not installed")
@pytest.mark.short
def test_mbpoll_reads_the_serial_line(sim, place):
    line = place.path / "line"
    sim("--profile", "sonbest-sm7901", "--pty", line, "--unit", "17", "--set", "sound_level=61.4")
    done = subprocess.run([MBPOLL, "-m", "rtu", "-b", "9600", "-P", "none", "-a", "17", "-t", "4",
                           "-0", "-r", "0", "-c", "1", "-1", "-q", line],
                          capture_output=True, text=True, timeout=10)
    assert done.returncode == 0, done.stderr
    assert "[0]: \t614" in done.stdout


@pytest.mark.skipif(not MBPOLL, reason="mbpoll is not installed")
def test_a_serial_line_is_silent_for_other_units(sim, place):
    line = place.path / "line"
    sim("--profile", "sonbest-sm7901", "--pty", line, "--unit", "17")
    done = subprocess.run([MBPOLL, "-m", "rtu", "-b", "9600", "-P", "none", "-a", "18", "-o", "0.3",
                           "-0", "-r", "0", "-1", "-q", line],
                          capture_output=True, text=True, timeout=10)
    assert done.returncode != 0
    assert "timed out" in done.stderr + done.stdout


@pytest.mark.short
def test_ends_at_once_and_takes_its_links_along(sim, place):
    line = place.path / "line"
    p = sim("--profile", "sonbest-sm7901", "--pty", line)
    assert line.is_symlink()
    status, seconds = p.stop()
    assert (status, seconds < 1) == (0, True)
    assert not line.is_symlink()


def test_a_station_begins_again_over_the_links_of_a_killed_one(sim, place):
    line = place.path / "line"
    sim("--profile", "sonbest-sm7901", "--pty", line).kill()
    assert line.is_symlink()
    p = sim("--profile", "sonbest-sm7901", "--pty", line, name="again")
    assert os.path.exists(line)
    p.child.send_signal(signal.SIGINT)
    assert p.child.wait(2) == 0


@pytest.mark.parametrize("args, says", [
    (["--profile", "nonesuch"], "no such profile: nonesuch"),
    ([], "either --profile or --station"),
    (["--profile", "teledyne-t400", "--flag", "zero"], "no status word 'zero'"),
    (["--profile", "teledyne-t400", "--tcp", "1502"], "--tcp expects ADDR:PORT"),
    (["--profile", "teledyne-t400", "--episode", "ozone"], "TARGET=PEAK@START+LENGTH/EVERY"),
    (["--profile", "teledyne-t400", "--disturb", "ozone=leap:3@0s+1s"], "column 7: expected drift"),
    (["--profile", "teledyne-t400", "--disturb", "oxone=step:3@0s+1s"],
     "there is no such quantity or point"),
    (["--profile", "seeed-soil-101990667", "--disturb", "soil_moisture=dropout@0s+1s"],
     "no code by which this could have no value"),
    (["--profile", "teledyne-t400", "--set", "ozone"], "--set expects POINT=VALUE"),
    (["--profile", "teledyne-t400", "--set", "oxone=1"], "no point 'oxone'"),
    (["--profile", "teledyne-t400", "--clock", "noon"], "not a clock's text"),
    (["--station", "/nowhere.yaml"], "/nowhere.yaml"),
    (["--profile", "teledyne-t400", "--fault", "lame"], "'lame' names no fault; there are late"),
    (["--profile", "teledyne-t400", "--fault", "late=1"], "expected late=0.8s or late=0.8s/50"),
    (["--profile", "teledyne-t400", "--fault", "roof:silent"], "there is no such device"),
    (["--profile", "teledyne-t400", "--fault", "noise=1e-3"], "Modbus TCP has no checksum"),
    (["--profile", "teledyne-t400", "--tcp", "127.0.0.1:0", "--rtu-tcp", "127.0.0.1:0"],
     "give one of --tcp, --rtu-tcp and --pty"),
    (["--profile", "teledyne-t400", "--rtu-tcp", "1502"], "--rtu-tcp expects ADDR:PORT"),
    (["--profile", "teledyne-t400", "--tcp", "127.0.0.1:99999"], "a port up to 65535"),
])
def test_says_what_is_wrong_and_leaves_with_2(binary, args, says):
    done = subprocess.run([binary, "sim", *args], capture_output=True, text=True, timeout=10)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_port_that_is_taken_is_named(binary, sim):
    port = free_port()
    sim("--profile", "teledyne-t400", "--tcp", f"127.0.0.1:{port}")
    done = subprocess.run([binary, "sim", "--profile", "teledyne-t400", "--tcp",
                           f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr and "in use" in done.stderr
