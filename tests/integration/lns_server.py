"""A network server as far as its MQTT integration goes: ChirpStack v4 or The Things Stack v3.

It publishes what a server would of a device's frame and keeps the commands that come for its
devices. The storage of The Things Stack is an HTTP server beside it.
"""
import base64
import datetime
import http.server
import json
import threading
import urllib.parse
import uuid

import paho.mqtt.client as mqtt

from conftest import free_port, wait_until


def rfc3339(seconds):
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def now():
    return datetime.datetime.now(datetime.timezone.utc).timestamp()


class NetworkServer:
    """On a broker's port, as its integration's client; QoS 1 unless told otherwise."""

    def __init__(self, port, qos=1, username=None, password=None):
        self.qos = qos
        self.commands = []  # (topic, JSON), as they come
        self.has_commands = threading.Event()
        self.client = mqtt.Client(client_id=f"lns-{uuid.uuid4()}", protocol=mqtt.MQTTv311)
        if username:
            self.client.username_pw_set(username, password)
        self.subscribed = threading.Event()
        self.client.on_connect = lambda c, *_: c.subscribe(self.command_filter, 1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self._keep
        self.client.reconnect_delay_set(1, 2)
        self.client.connect("127.0.0.1", port, 30)
        self.client.loop_start()
        assert self.subscribed.wait(10), "the network server finds no broker"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def _keep(self, _client, _user, message):
        self.commands.append((message.topic, json.loads(message.payload)))

    def wait_command(self, n=1, seconds=15):
        """The n-th command: topic, JSON."""
        wait_until(lambda: len(self.commands) >= n, seconds, f"{n} commands")
        return self.commands[n - 1]

    def publish(self, topic, event):
        """Returns when the broker has it; event: bytes, or what becomes JSON."""
        data = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.client.publish(topic, data, self.qos).wait_for_publish(15)


class ChirpStack(NetworkServer):
    command_filter = "application/+/device/+/command/down"

    def __init__(self, port, application="0b8c9d52-7a3e-4f6e-9a51-2f4f6c0f7d11", **options):
        self.application = application
        super().__init__(port, **options)

    def topic(self, dev_eui, event):
        return f"application/{self.application}/device/{dev_eui.lower()}/event/{event}"

    def head(self, dev_eui, at=None, dedup=None):
        return {"deduplicationId": dedup or str(uuid.uuid4()), "time": rfc3339(at or now()),
                "deviceInfo": {"tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
                               "tenantName": "test", "applicationId": self.application,
                               "applicationName": "test", "deviceProfileName": "test",
                               "deviceName": f"device-{dev_eui[-4:].lower()}",
                               "devEui": dev_eui.lower(), "tags": {}}}

    def up_event(self, dev_eui, data, fport, fcnt, at=None, dedup=None, addr="01ab23cd",
                 gateways=(("0016c001f1500812", -87, 7.5),), obj=None, confirmed=False):
        """The event of one uplink; what is 0, false or empty is left out as the server does."""
        at = at or now()
        event = {**self.head(dev_eui, at, dedup), "devAddr": addr, "adr": True, "dr": 5,
                 "fCnt": fcnt, "fPort": fport, "confirmed": confirmed,
                 "data": base64.b64encode(data).decode(), "object": obj,
                 "rxInfo": [{"gatewayId": g, "uplinkId": 1, "gwTime": rfc3339(at),
                             "nsTime": rfc3339(at), "rssi": rssi, "snr": snr,
                             "crcStatus": "CRC_OK"} for g, rssi, snr in gateways],
                 "txInfo": {"frequency": 868100000, "modulation": {"lora": {
                     "bandwidth": 125000, "spreadingFactor": 7, "codeRate": "CR_4_5"}}},
                 "regionConfigId": "eu868"}
        return {k: v for k, v in event.items() if v not in (0, False, "", None)}

    def up(self, dev_eui, data, fport, fcnt, **options):
        event = self.up_event(dev_eui, data, fport, fcnt, **options)
        self.publish(self.topic(dev_eui, "up"), event)
        return event

    def join(self, dev_eui, addr="01ab23cd", at=None):
        self.publish(self.topic(dev_eui, "join"), {**self.head(dev_eui, at), "devAddr": addr})

    def status(self, dev_eui, battery, margin=10, at=None):
        """battery: percent, None: not known, "external"."""
        said = ({"externalPowerSource": True} if battery == "external" else
                {"batteryLevelUnavailable": True} if battery is None else {"batteryLevel": battery})
        self.publish(self.topic(dev_eui, "status"),
                     {**self.head(dev_eui, at), "margin": margin, **said})

    def log(self, dev_eui, code, description, level="ERROR", at=None, **context):
        self.publish(self.topic(dev_eui, "log"),
                     {**self.head(dev_eui, at), "level": level, "code": code,
                      "description": description, "context": context})

    def txack(self, dev_eui, command_id, fcnt_down=1):
        self.publish(self.topic(dev_eui, "txack"),
                     {**self.head(dev_eui), "downlinkId": 1, "queueItemId": command_id,
                      "fCntDown": fcnt_down, "gatewayId": "0016c001f1500812"})

    def ack(self, dev_eui, command_id, acknowledged=True, fcnt_down=1):
        self.publish(self.topic(dev_eui, "ack"),
                     {**self.head(dev_eui), "queueItemId": command_id, "fCntDown": fcnt_down,
                      **({"acknowledged": True} if acknowledged else {})})


class TheThingsStack(NetworkServer):
    """Devices are named by their EUI, as its console proposes."""
    command_filter = "v3/+/devices/+/down/push"

    def __init__(self, port, application="river@ttn", **options):
        self.application = application
        super().__init__(port, **{"qos": 0, **options})

    @staticmethod
    def device_id(dev_eui):
        return f"eui-{dev_eui.lower()}"

    def topic(self, dev_eui, event):
        return f"v3/{self.application}/devices/{self.device_id(dev_eui)}/{event}"

    def head(self, dev_eui, at=None, addr="260BAB12"):
        return {"end_device_ids": {
                    "device_id": self.device_id(dev_eui),
                    "application_ids": {"application_id": self.application.split("@")[0]},
                    "dev_eui": dev_eui.upper(), "join_eui": "A840410000000100",
                    "dev_addr": addr},
                "correlation_ids": [f"as:up:{uuid.uuid4()}"],
                "received_at": rfc3339((at or now()) + 0.2)}

    def up_event(self, dev_eui, data, fport, fcnt, at=None, session="AYx5bW9kZWwtc2Vzcw==",
                 addr="260BAB12", gateways=(("roof", -87, 7.5),), obj=None, simulated=False,
                 confirmed=False):
        at = at or now()
        up = {"session_key_id": session, "f_port": fport, "f_cnt": fcnt,
              "frm_payload": base64.b64encode(data).decode(), "decoded_payload": obj,
              "rx_metadata": [{"gateway_ids": {"gateway_id": g}, "time": rfc3339(at),
                               "timestamp": 1, "rssi": rssi, "channel_rssi": rssi, "snr": snr}
                              for g, rssi, snr in gateways],
              "settings": {"data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7,
                                                  "coding_rate": "4/5"}},
                           "frequency": "868100000"},
              "received_at": rfc3339(at), "confirmed": confirmed,
              "consumed_airtime": "0.056576s"}
        up = {k: v for k, v in up.items() if v not in (0, False, "", None)}
        return {**self.head(dev_eui, at, addr), "uplink_message": up,
                **({"simulated": True} if simulated else {})}

    def up(self, dev_eui, data, fport, fcnt, **options):
        event = self.up_event(dev_eui, data, fport, fcnt, **options)
        self.publish(self.topic(dev_eui, "up"), event)
        return event

    def join(self, dev_eui, addr="260BAB12", at=None):
        self.publish(self.topic(dev_eui, "join"),
                     {**self.head(dev_eui, at, addr),
                      "join_accept": {"session_key_id": "AYx5", "received_at": rfc3339(at or now())}})

    def down(self, dev_eui, progress, correlation_ids, error=None):
        """progress: queued, sent, ack, nack; with error: failed."""
        body = {"correlation_ids": correlation_ids}
        if error:
            body = {"downlink": body, "error": {"name": error, "message_format": error}}
        self.publish(self.topic(dev_eui, f"down/{progress}"),
                     {**self.head(dev_eui), f"downlink_{progress}": body})


class Storage:
    """The storage integration: `events` of up_event(), handed out by their received_at."""

    def __init__(self, status=200):
        self.status, self.events, self.asked = status, [], []
        self.port = free_port()
        storage = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                storage.asked.append((self.path, dict(self.headers)))
                body = storage.page(self.path).encode() if storage.status == 200 else b"{}"
                self.send_response(storage.status)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def page(self, path):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(path).query)
        after = datetime.datetime.fromisoformat(query["after"][0].replace("Z", "+00:00"))
        found = [e for e in self.events if datetime.datetime.fromisoformat(
            e["received_at"].replace("Z", "+00:00")) > after]
        found.sort(key=lambda e: e["received_at"])
        return "".join(json.dumps({"result": e}) + "\n\n"
                       for e in found[:int(query["limit"][0])])
