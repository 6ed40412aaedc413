"""A broker with TLS and every kind of certificate: only the right one is spoken to."""
import contextlib
import pathlib
import socket
import subprocess

import pytest
from conftest import Process, free_port, http_json, station_yaml, wait_until

pytestmark = pytest.mark.usefixtures("binary")


def openssl(folder, *args):
    subprocess.run(["openssl", *[str(a) for a in args]], cwd=folder, check=True, capture_output=True)


class Authority:
    """Makes certificates; its own is NAME.crt."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}",
                "-days", "30")

    @property
    def crt(self):
        return self.folder / f"{self.name}.crt"

    def sign(self, name, subject, alt=None, is_expired=False):
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alt}\n" if alt else "basicConstraints=CA:FALSE\n")
        openssl(self.folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject}")
        (self.folder / f"{self.name}.srl").unlink(missing_ok=True)
        openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", self.crt, "-CAkey",
                f"{self.name}.key", "-CAcreateserial", "-out", f"{name}.crt", "-extfile", extensions,
                *(("-days", "-1") if is_expired else ("-days", "30")))
        return name


class TlsBroker(Process):
    def __init__(self, folder, server, client_ca=None, version=None, ca=None):
        self.port = free_port()
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence false",
                 "user root", f"certfile {folder}/{server}.crt", f"keyfile {folder}/{server}.key"]
        if client_ca:
            lines += [f"cafile {client_ca}", "require_certificate true"]
        if version:
            lines += [f"tls_version {version}"]
        conf = pathlib.Path(folder) / "tls.conf"
        conf.write_text("\n".join(lines) + "\n")
        super().__init__(["/usr/sbin/mosquitto", "-c", conf], folder, "tls-broker")

    def start(self):
        super().start()

        def connects():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        wait_until(connects, 10, "mosquitto with TLS")
        return self


@pytest.fixture
def authority(place):
    return Authority(place.path, "good-ca")


def uplink_of(place, broker, host="localhost", **options):
    http = free_port()
    text = ", ".join(f"{k}: {v}" for k, v in options.items())
    uplinks = f'[{{id: centre, type: mqtt, url: "mqtts://{host}:{broker.port}", {text}}}]'
    file = place.station_file(station_yaml(place.path, {}, uplinks, http=f"127.0.0.1:{http}"))
    place.gateway(file)

    def state():
        with contextlib.suppress(OSError, IndexError):
            found = http_json(f"http://127.0.0.1:{http}/api/v1/now")["uplinks"][0]
            return found if found["connected"] or found["error"] else None
    return wait_until(state, 25, "a verdict on the certificate")


@pytest.mark.short
def test_the_right_certificate_is_spoken_to(place, authority):
    broker = place.add(TlsBroker(place.path, authority.sign("server", "localhost", "DNS:localhost")))
    assert uplink_of(place, broker, ca=authority.crt)["connected"]


def test_a_certificate_for_an_address_is_spoken_to_by_address(place, authority):
    broker = place.add(TlsBroker(place.path, authority.sign("server", "anything", "IP:127.0.0.1")))
    assert uplink_of(place, broker, "127.0.0.1", ca=authority.crt)["connected"]


BAD = {
    "wrong_name": ("elsewhere.example", "DNS:elsewhere.example", False, "good-ca"),
    "wrong_name_beside_a_right_common_name": ("localhost", "DNS:elsewhere.example", False, "good-ca"),
    "expired": ("localhost", "DNS:localhost", True, "good-ca"),
    "of_another_authority": ("localhost", "DNS:localhost", False, "other-ca"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_certificate_is_not_spoken_to(place, authority, case):
    subject, alt, is_expired, by = BAD[case]
    signer = authority if by == "good-ca" else Authority(place.path, by)
    broker = place.add(TlsBroker(place.path, signer.sign("server", subject, alt, is_expired)))
    state = uplink_of(place, broker, ca=authority.crt)
    assert not state["connected"]
    assert state["acked_seq"] == 0 and state["sent"] == 0
    assert "connected" in state["error"]


def test_a_self_signed_certificate_is_not_spoken_to(place, authority):
    openssl(place.path, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", "server.key", "-out", "server.crt", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-days", "30")
    broker = place.add(TlsBroker(place.path, "server"))
    assert not uplink_of(place, broker, ca=authority.crt)["connected"]


def test_the_systems_authorities_do_not_know_ours(place, authority):
    broker = place.add(TlsBroker(place.path, authority.sign("server", "localhost", "DNS:localhost")))
    assert not uplink_of(place, broker)["connected"]


def test_a_broker_that_asks_for_a_certificate_gets_it(place, authority):
    broker = place.add(TlsBroker(place.path, authority.sign("server", "localhost", "DNS:localhost"),
                                 client_ca=authority.crt))
    authority.sign("station", "test-01")
    state = uplink_of(place, broker, ca=authority.crt, cert=place.path / "station.crt",
                      key=place.path / "station.key")
    assert state["connected"]


def test_without_a_certificate_such_a_broker_does_not_take_us(place, authority):
    broker = place.add(TlsBroker(place.path, authority.sign("server", "localhost", "DNS:localhost"),
                                 client_ca=authority.crt))
    assert not uplink_of(place, broker, ca=authority.crt)["connected"]


def test_a_certificate_of_another_authority_does_not_help(place, authority):
    broker = place.add(TlsBroker(place.path, authority.sign("server", "localhost", "DNS:localhost"),
                                 client_ca=authority.crt))
    Authority(place.path, "other-ca").sign("station", "test-01")
    state = uplink_of(place, broker, ca=authority.crt, cert=place.path / "station.crt",
                      key=place.path / "station.key")
    assert not state["connected"]


def test_nothing_older_than_tls_1_2_is_spoken(place, authority):
    """A server of our own offers TLS 1.1 alone: mosquitto cannot any more."""
    authority.sign("server", "localhost", "DNS:localhost")
    port = free_port()
    server = Process(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "server.crt", "-key",
                      "server.key", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], place.path, "tls11")
    server.port = port
    place.add(server)
    server.wait_line("ACCEPT")
    state = uplink_of(place, server, ca=authority.crt)
    assert not state["connected"] and state["sent"] == 0
