"""sluice profile with the payload of a LoRaWAN device: lint, show, diff, doc, list."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("SLUICE_BINARY", ROOT / "build" / "sluice")).resolve()
NODE = """\
profile: 1
id: acme-node
names: {en: Soil node, zh: 土壤节点}
vendor: Acme
models: N1
medium: soil
verified: template
bus: {transports: [lorawan]}
points:
  - {id: soil_moisture, unit: "%", quantity: soil_moisture, range: [0, 100]}
diagnostics:
  - {id: battery, unit: V, scale: 0.001, quantity: battery, range: [2, 4]}
payload:
  messages:
    - {id: joined, fport: 5, ignore: true}
    - id: data
      fport: [2, 3]
      match: [{off: 0, equals: 0x11}]
      fields: [{point: battery, off: 1, type: u16, mask: 0x3FFF, invalid: 0x3FFF}]
      flags: [{off: 0, mask: 0x80, shift: 7, set: fault, help: {en: probe broken, zh: 探头断线}}]
      tlv:
        key: 1
        start: 3
        items: [{key: 0x07, point: soil_moisture, type: u16, formula: "x ^ 2 / 655.36"}]
"""

pytestmark = pytest.mark.short


def profile(*args, lang="en"):
    return subprocess.run([BINARY, "profile", *args], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "SLUICE_LANG": lang})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "acme-node.yaml").write_text(NODE)
    return tmp_path


def test_lint_counts_messages_and_tells_what_is_wrong(folder):
    good = profile("lint", str(folder / "acme-node.yaml"))
    assert good.returncode == 0 and "2 points, 2 messages" in good.stdout
    bad = folder / "bad.yaml"
    bad.write_text(NODE.replace("point: battery", "point: batery"))
    result = profile("lint", str(bad))
    assert result.returncode != 0
    assert "no point has the id 'batery', did you mean 'battery'?" in result.stdout


def test_show_tells_where_every_point_stands(folder):
    text = profile("show", "--profiles", str(folder), "acme-node").stdout
    assert "LoRaWAN" in text and "registers" not in text
    assert "joined: fPort 5; no measurements" in text
    assert "fPort 2/3, byte 0 = 0x11" in text
    for word in ("u16 & 0x3FFF", "× 0.001", "(- 0x3FFF)", "key 0x07", "x ^ 2 / 655.36",
                 "1 = fault (probe broken)"):
        assert word in text
    zh = profile("show", "--profiles", str(folder), "acme-node", lang="zh").stdout
    assert "报文" in zh and "探头断线" in zh and "不含监测数据" in zh


def test_show_writes_the_layout_as_json(folder):
    p = json.loads(profile("show", "--profiles", str(folder), "--json", "acme-node").stdout)
    assert (p["lorawan"], p["rtu"], p["tcp"]) == (True, False, False)
    joined, data = p["payload"]["messages"]
    assert joined["ignored"] and not joined["fields"]
    assert data["fport"] == 2 and data["form"] == "tlv"
    assert [f["value"] for f in data["fields"]] == ["battery", "status (all)", "soil_moisture"]
    assert all(point["at"] is None and point["type"] is None for point in p["points"])


def test_diff_tells_of_a_layout_that_changed(folder):
    other = folder / "acme-node-2.yaml"
    other.write_text(NODE.replace("acme-node", "acme-node-2").replace("off: 1,", "off: 2,"))
    text = profile("diff", "--profiles", str(folder), "acme-node", "acme-node-2").stdout
    assert "message data" in text and "bytes 1..2" in text and "bytes 2..3" in text


def test_the_page_has_the_bytes_in_place_of_registers(folder):
    page = profile("doc", "--profiles", str(folder), "acme-node").stdout
    assert "| Connection | LoRaWAN |" in page and "## Payload" in page
    assert "### Message `data`" in page and "Registers" not in page and "Modbus" not in page
    zh = profile("doc", "--profiles", str(folder), "acme-node", lang="zh").stdout
    assert "## 报文" in zh and "表示“无数据”的代码" in zh


def test_list_finds_lorawan(folder):
    ids = profile("list", "--profiles", str(folder), "lorawan", "soil").stdout
    assert "acme-node" in ids and "generic-soil-4in1" not in ids


def test_a_script_is_named(folder):
    script = NODE[:NODE.index("payload:")] + (
        "payload: {codec: acme.js, map: {\"log[].moisture\": soil_moisture, battery: "
        "{point: battery, scale: 1}}, times: \"log[].at\"}\n")
    (folder / "acme-node.yaml").write_text(script)
    lint = profile("lint", str(folder / "acme-node.yaml"))
    assert lint.returncode != 0
    assert "the script 'acme.js' cannot be read in the folder of the profile" in lint.stdout + lint.stderr
    (folder / "acme.js").write_text("function decodeUplink(input) { return {data: {}}; }\n")
    text = profile("show", "--profiles", str(folder), "acme-node").stdout
    assert "script acme.js" in text and "log[].moisture" in text and "log[].at" in text
    p = json.loads(profile("show", "--profiles", str(folder), "--json", "acme-node").stdout)
    assert p["payload"]["script"] == "acme.js" and not p["payload"]["messages"]
