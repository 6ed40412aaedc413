"""A LoRa device and a packet forwarder that share no code with the program: frames after LoRaWAN
1.0 by python3-cryptography, datagrams after the forwarder's PROTOCOL.TXT."""
import base64
import json
import os
import socket
import struct
import threading
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

PUSH_DATA, PUSH_ACK, PULL_DATA, PULL_RESP, PULL_ACK, TX_ACK = range(6)


def aes(key, block):
    e = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return e.update(block) + e.finalize()


def cmac(key, message):
    c = CMAC(algorithms.AES(key))
    c.update(message)
    return c.finalize()


def block(first, direction, addr, fcnt, last):
    return struct.pack("<BIBIIBB", first, 0, direction, addr, fcnt, 0, last)


def crypt(key, direction, addr, fcnt, data):
    stream = b"".join(aes(key, block(1, direction, addr, fcnt, i + 1))
                      for i in range((len(data) + 15) // 16))
    return bytes(a ^ b for a, b in zip(data, stream))


class Device:
    """One device of LoRaWAN 1.0, class A."""

    def __init__(self, dev_eui, app_key=None, join_eui=0):
        self.dev_eui, self.join_eui = dev_eui, join_eui
        self.app_key = app_key or os.urandom(16)
        self.addr = self.nwk = self.app = None
        self.up = 0
        self.down = -1
        self.nonce = 0

    @classmethod
    def personalised(cls, dev_eui, addr):
        d = cls(dev_eui)
        d.addr, d.nwk, d.app = addr, os.urandom(16), os.urandom(16)
        return d

    def keys_line(self):
        if self.addr is not None and self.nwk and not self.nonce:
            return f"{self.dev_eui:016X} nwk_s_key={self.nwk.hex()} app_s_key={self.app.hex()}\n"
        return f"{self.dev_eui:016X} app_key={self.app_key.hex()}\n"

    def join_request(self):
        self.nonce += 1
        m = struct.pack("<BQQH", 0, self.join_eui, self.dev_eui, self.nonce)
        return m + cmac(self.app_key, m)[:4]

    def join_accept(self, phy):
        assert phy[0] == 0x20 and len(phy) in (17, 33)
        clear = b"".join(aes(self.app_key, phy[i:i + 16]) for i in range(1, len(phy), 16))
        assert cmac(self.app_key, phy[:1] + clear[:-4])[:4] == clear[-4:], "MIC of the accept"
        tail = clear[:6] + struct.pack("<H", self.nonce) + bytes(7)
        self.nwk = aes(self.app_key, b"\1" + tail)
        self.app = aes(self.app_key, b"\2" + tail)
        self.addr = struct.unpack("<I", clear[6:10])[0]
        self.up, self.down = 0, -1
        return {"settings": clear[10], "delay": clear[11], "cflist": clear[12:-4]}

    def uplink(self, payload=b"", fport=1, confirmed=False, fctrl=0x80, fopts=b"", fcnt=None):
        n = self.up if fcnt is None else fcnt
        m = struct.pack("<BIBH", 0x80 if confirmed else 0x40, self.addr, fctrl | len(fopts),
                        n & 0xffff) + fopts
        if fport is not None:
            key = self.nwk if fport == 0 else self.app
            m += bytes([fport]) + crypt(key, 0, self.addr, n, payload)
        if fcnt is None:
            self.up += 1
        return m + cmac(self.nwk, block(0x49, 0, self.addr, n, len(m)) + m)[:4]

    def downlink(self, phy):
        """What a downlink says; it must be new and genuine."""
        mtype, addr, fctrl, n = struct.unpack("<BIBH", phy[:8])
        assert mtype in (0x60, 0xa0) and addr == self.addr
        assert n > self.down, f"counter {n} after {self.down}"
        b0 = block(0x49, 1, addr, n, len(phy) - 4)
        assert cmac(self.nwk, b0 + phy[:-4])[:4] == phy[-4:], "MIC of the downlink"
        self.down = n
        size = fctrl & 15
        rest = phy[8 + size:-4]
        payload = b""
        if rest:
            key = self.nwk if rest[0] == 0 else self.app
            payload = crypt(key, 1, addr, n, rest[1:])
        return {"ack": bool(fctrl & 0x20), "fopts": phy[8:8 + size], "fport": rest[0] if rest else None,
                "payload": payload, "confirmed": mtype == 0xa0}


class Forwarder:
    """A packet forwarder: its own counter of microseconds, a thread that answers."""

    def __init__(self, eui, port, tmst=0):
        self.eui, self.port = eui, port
        self.origin = time.monotonic() - tmst / 1e6
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for s in self.sockets:
            s.connect(("127.0.0.1", port))
            s.settimeout(0.1)
        self.token = 0
        self.sent, self.acks = [], 0
        self.lead = []
        self.is_over = False
        self.heard = threading.Condition()
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._down, self._up)]

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def stop(self):
        self.is_over = True
        for t in self.threads:
            t.join()
        for s in self.sockets:
            s.close()

    def tmst(self, at=None):
        return int(((at or time.monotonic()) - self.origin) * 1e6) & 0xffffffff

    def _head(self, kind):
        self.token = (self.token + 1) & 0xffff
        return struct.pack(">BHBQ", 2, self.token, kind, self.eui)

    def pull(self):
        self.sockets[1].send(self._head(PULL_DATA))

    def _down(self):
        last = 0
        while not self.is_over:
            if time.monotonic() - last > 1:
                last = time.monotonic()
                try:
                    self.pull()
                except OSError:
                    pass
            try:
                data = self.sockets[1].recv(4096)
            except OSError:
                continue
            if data[3] == PULL_RESP:
                txpk = json.loads(data[4:])["txpk"]
                lead = 0 if txpk.get("imme") else \
                    ((txpk["tmst"] - self.tmst() + 2**31) & 0xffffffff) - 2**31
                self.sockets[1].send(data[:1] + data[1:3] + bytes([TX_ACK]) +
                                     struct.pack(">Q", self.eui) + b'{"txpk_ack":{"error":"NONE"}}')
                with self.heard:
                    self.lead.append(lead / 1000)
                    self.sent.append((txpk, base64.b64decode(txpk["data"])))
                    self.heard.notify_all()

    def _up(self):
        while not self.is_over:
            try:
                if self.sockets[0].recv(64)[3] == PUSH_ACK:
                    self.acks += 1
            except OSError:
                continue

    def push(self, *frames, freq=868.1, datr="SF7BW125", rssi=-60, lsnr=7.5, stat=1):
        """Returns the counter at the end of the last frame."""
        at = self.tmst()
        rxpk = [{"tmst": at, "chan": 0, "rfch": 0, "freq": freq, "stat": stat, "modu": "LORA",
                 "datr": datr, "codr": "4/5", "rssi": rssi, "lsnr": lsnr, "size": len(f),
                 "data": base64.b64encode(f).decode()} for f in frames]
        self.sockets[0].send(self._head(PUSH_DATA) + json.dumps({"rxpk": rxpk}).encode())
        return at

    def wait_sent(self, n, seconds=10):
        """The n-th transmission, (txpk, bytes)."""
        with self.heard:
            assert self.heard.wait_for(lambda: len(self.sent) >= n, seconds), \
                f"waited {seconds} s in vain for transmission {n}"
            return self.sent[n - 1]
