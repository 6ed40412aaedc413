"""The centre acts on alerts over MQTT: commands down, replies up, each done once."""
import contextlib
import json
import queue

import paho.mqtt.client as mqtt
import pytest
from conftest import wait_until
from test_alert_life import Site

pytestmark = pytest.mark.usefixtures("binary")

PREFIX = "sluice/1/demo/"


class Centre:
    """Somebody at a console: asks, and hears replies and events."""

    def __init__(self, broker):
        self.heard, self.replies = [], queue.Queue()
        self.client = mqtt.Client()
        self.client.on_message = self.on_message
        self.client.connect("127.0.0.1", broker.port)
        self.client.subscribe([("sluice/1/+/+/+/reply", 1), ("sluice/1/+/+/+/event", 1)])
        self.client.loop_start()
        self.topic = None

    def on_message(self, client, user, message):
        body = json.loads(message.payload)
        if message.topic.endswith("/reply"):
            self.replies.put(body)
        else:
            self.heard.append(body)
            self.topic = message.topic.replace("/event", "/command")

    def send(self, request, **options):
        self.client.publish(self.topic, json.dumps(request) if isinstance(request, dict)
                            else request, qos=1, **options).wait_for_publish(5)

    def ask(self, request, tries=5):
        """Again until it is answered: what comes while the station is away is lost."""
        for _ in range(tries):
            self.send(request)
            with contextlib.suppress(queue.Empty):
                return self.replies.get(timeout=3)
        raise AssertionError(f"no reply to {request}")

    def act(self, name, body, **more):
        return self.ask({"id": name, "kind": "alert", "by": "Li Wei", "body": body, **more})

    def wait_event(self, transition):
        return wait_until(lambda: next((e for e in self.heard
                                        if e.get("transition") == transition), None),
                          15, f"event {transition}")


def uplink(broker, commands="alerts"):
    return (f'[{{id: centre, type: mqtt, url: "{broker.url}", confirm: broker, '
            f"commands: {commands}}}]")


@pytest.fixture
def broker(place):
    return place.broker()


def test_the_centre_acknowledges_judges_and_closes(place, broker):
    centre = Centre(broker)
    site = Site(place, uplinks=uplink(broker))
    raised = centre.wait_event("raised")
    done = centre.act("c-1", {"do": "acknowledge", "alert": raised["key"]})
    assert (done["id"], done["ok"], done["changed"]) == ("c-1", True, True)
    assert done["station"] == "test-01" and done["alert"]["state"] == "acknowledged"
    told = centre.wait_event("acknowledged")
    assert told["actor"] == "Li Wei via centre" and told["number"] == 2
    again = centre.act("c-1", {"do": "acknowledge", "alert": raised["key"]})
    assert again["ok"] and not again["changed"]
    early = centre.act("c-2", {"do": "close", "alert": raised["key"], "note": "x"})
    assert not early["ok"] and early["reason"] == "not_triaged" and early["text"]["zh"]
    assert centre.act("c-3", {"do": "triage", "alert": raised["key"], "verdict": "false"})["changed"]
    site.kill()
    ended = centre.act("c-4", {"do": "close", "alert": raised["key"], "note": "probe cleaned"})
    assert ended["alert"]["state"] == "closed"
    assert not centre.act("c-4", {"do": "close", "alert": raised["key"], "note": "again"})["changed"]
    assert [w for _, w in site.course()] == ["raised", "acknowledged", "triaged", "closed"]
    assert len(centre.act("c-5", {"do": "list", "all": True})["alerts"]) == 1


def test_what_is_no_command_is_refused_and_harms_nothing(place, broker):
    centre = Centre(broker)
    site = Site(place, uplinks=uplink(broker))
    raised = centre.wait_event("raised")
    body = {"do": "acknowledge", "alert": raised["key"]}
    for request, reason in (("{", "bad_id"), ("[1]", "bad_id"), ({"id": ""}, "bad_id"),
                            ({"id": "x" * 64}, "bad_id"), ({"id": "a"}, "bad_request"),
                            ({"id": "b", "kind": "alert", "body": body, "station": "other"},
                             "other_station"),
                            ({"id": "c", "kind": "alert", "body": body, "by": "y" * 64}, "bad_name"),
                            ({"id": "d", "kind": "alert", "body": body,
                              "expires": "2020-01-01T00:00:00.000Z"}, "expired"),
                            ({"id": "e", "kind": "alert", "body": {"do": "drop tables"}},
                             "bad_request"),
                            ({"id": "f", "kind": "alert", "body": {"do": "ack", "alert": "nix"}},
                             "unknown_alert")):
        answer = centre.ask(request)
        assert not answer["ok"] and answer["reason"] == reason, answer
    site.gateway.stop()
    centre.send({"id": "r", "kind": "alert", "body": body}, retain=True)
    site.gateway.start()
    site.gateway.wait_line("a retained command is not carried out")
    assert site.alerts()[0]["state"] == "raised"


def test_without_leave_nobody_is_heard(place, broker):
    centre = Centre(broker)
    site = Site(place, uplinks=uplink(broker, commands="none"))
    raised = centre.wait_event("raised")
    centre.send({"id": "c-1", "kind": "alert",
                 "body": {"do": "acknowledge", "alert": raised["key"]}})
    with pytest.raises(queue.Empty):
        centre.replies.get(timeout=2)
    assert site.alerts()[0]["state"] == "raised"


def test_what_the_centre_has_written_is_received(place, broker):
    db = place.victoria()
    place.ingest(broker, db.url)
    site = Site(place, uplinks=f'[{{id: centre, type: mqtt, url: "{broker.url}", '
                               f'ack_interval: 1s}}]')
    received = site.wait_alert(lambda a: a["state"] == "received")
    assert received["actor"] == "centre" and received["number"] == 2
    site.kill()
    assert site.ask("ack", "1")["alert"]["state"] == "acknowledged"
    assert [w for _, w in site.course()] == ["raised", "received", "acknowledged"]
