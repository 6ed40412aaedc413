"""Random frames made by lora-packet, an independent implementation, are what `sluice lorawan`
reads in them and makes of their fields."""
import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest
from conftest import BINARY, ROOT

MODULES = pathlib.Path(os.environ.get("SLUICE_NODE_MODULES", ROOT / "build-node/node_modules"))
HERE = pathlib.Path(__file__).parent
UP, DOWN, CONFIRMED_UP, CONFIRMED_DOWN = 2, 3, 4, 5
TYPES = {UP: "up", DOWN: "down", CONFIRMED_UP: "confirmed-up", CONFIRMED_DOWN: "confirmed-down"}
SESSIONS = {"1.0": ["nwk-skey", "app-skey"],
            "1.1": ["f-nwk-s-int-key", "s-nwk-s-int-key", "nwk-s-enc-key", "app-skey"]}
ROOTS = {"1.0": ["app-key"], "1.1": ["app-key", "nwk-key"]}


def hexes(r, n):
    return r.randbytes(n).hex()


def keys(r, names):
    return {name: hexes(r, 16) for name in names}


def data_case(r, version):
    mtype = r.choice(list(TYPES))
    port = r.choice([None, 0, 1, 2, 223, 255, r.randrange(1, 224)])
    names = ["ADR", "ACK"] + (["ADRACKReq", "FPending"] if mtype in (UP, CONFIRMED_UP)
                              else ["FPending"])
    return {"kind": "data", "version": version, "mtype": mtype,
            "keys": keys(r, SESSIONS[version]), "dev_addr": hexes(r, 4),
            "fctrl": {name: r.random() < .3 for name in names},
            "fcnt": r.choice([r.randrange(1 << 16), r.randrange(1 << 26), 0, 65535, 65536]),
            "fopts": "" if port == 0 else hexes(r, r.choice([0, 0, 1, 5, 15])), "port": port,
            "payload": "" if port is None else hexes(r, r.choice([0, 1, 15, 16, 17, 51, 222])),
            "conf_fcnt": r.randrange(1 << 16), "tx_dr": r.randrange(16),
            "tx_ch": r.randrange(96)}


def join_case(r, kind, version):
    return {"kind": kind, "version": version, "keys": keys(r, ROOTS[version]),
            "join_eui": hexes(r, 8), "dev_eui": hexes(r, 8), "dev_nonce": r.randrange(1 << 16),
            "join_nonce": hexes(r, 3), "net_id": hexes(r, 3), "dev_addr": hexes(r, 4),
            "dl_settings": r.randrange(128) | (128 if version == "1.1" else 0),
            "rx_delay": r.randrange(16), "cf_list": hexes(r, r.choice([0, 16]))}


@pytest.fixture(scope="module")
def frames():
    """(case, answer of lora-packet) of all kinds."""
    node = shutil.which("node")
    if not node or not (MODULES / "lora-packet").is_dir():
        pytest.skip("lora-packet is not there: scripts/setup --test installs it")
    r = random.Random(4493)
    cases = [data_case(r, version) for version in ["1.0"] * 100 + ["1.1"] * 100]
    cases += [join_case(r, kind, version) for kind in ("request", "accept")
              for version in ["1.0"] * 20 + ["1.1"] * 20]
    done = subprocess.run([node, HERE / "frames.js"], input=json.dumps(cases), text=True,
                          capture_output=True, timeout=60,
                          env=dict(os.environ, NODE_PATH=str(MODULES)))
    assert done.returncode == 0, done.stderr
    return list(zip(cases, json.loads(done.stdout), strict=True))


def sluice(*args):
    done = subprocess.run([BINARY, "lorawan", *map(str, args)], text=True, capture_output=True,
                          timeout=20)
    assert done.stderr == "", (args, done.stderr)
    return done.returncode, done.stdout


def key_options(case):
    return [x for name, key in case["keys"].items() for x in ("--" + name, key)]


def join_options(case):
    return ["--join-eui", case["join_eui"], "--dev-eui", case["dev_eui"],
            "--dev-nonce", case["dev_nonce"]]


def context_options(case):
    """ConfFCnt always: without ACK it must not count."""
    if case["version"] == "1.0":
        return []
    return ["--conf-fcnt", case["conf_fcnt"], "--tx-dr", case["tx_dr"], "--tx-ch", case["tx_ch"]]


def check_data(case, phy, is_counter_told):
    counter = ["--fcnt", case["fcnt"]] if is_counter_told else []
    code, out = sluice("decode", "--json", *key_options(case), *context_options(case), *counter,
                       phy)
    got = json.loads(out)
    is_up = case["mtype"] in (UP, CONFIRMED_UP)
    assert (code, got["mic_ok"], got["mtype"]) == (0, True, case["mtype"]), (case, got)
    assert (got["dev_addr"], got["fcnt"], got["fcnt_full"]) == \
        (case["dev_addr"], case["fcnt"] & 0xFFFF, case["fcnt"])
    assert (got["fopts_clear"], got["fport"], got.get("frm_payload_clear", "")) == \
        (case["fopts"], case["port"], case["payload"])
    flags = {"adr": "ADR", "ack": "ACK"}
    flags |= {"adr_ack_req": "ADRACKReq", "class_b": "FPending"} if is_up else \
        {"f_pending": "FPending"}
    assert got["fctrl"] == {ours: case["fctrl"][theirs] for ours, theirs in flags.items()}


def test_data_frames_are_read_and_their_counters_found(frames):
    n = 0
    for case, answer in frames:
        if case["kind"] == "data":
            check_data(case, answer["phy"], is_counter_told=n % 2)
            n += 1
    assert n == 200


def test_data_frames_are_made(frames):
    for case, answer in frames:
        if case["kind"] != "data":
            continue
        is_up = case["mtype"] in (UP, CONFIRMED_UP)
        flags = {"ADR": "--adr", "ACK": "--ack", "ADRACKReq": "--adr-ack-req",
                 "FPending": "--class-b" if is_up else "--f-pending"}
        port = [] if case["port"] is None else ["--port", case["port"]]
        args = ["encode", TYPES[case["mtype"]], *key_options(case), *context_options(case),
                "--dev-addr", case["dev_addr"], "--fcnt", case["fcnt"], *port,
                "--payload", case["payload"], "--fopts", case["fopts"]]
        args += [flags[name] for name, is_set in case["fctrl"].items() if is_set]
        assert sluice(*args) == (0, answer["phy"] + "\n"), case


def test_join_requests_are_read_and_made(frames):
    for case, answer in frames:
        if case["kind"] != "request":
            continue
        code, out = sluice("decode", "--json", *key_options(case), answer["phy"])
        got = json.loads(out)
        assert (code, got["mic_ok"]) == (0, True), case
        assert [got[name] for name in ("join_eui", "dev_eui", "dev_nonce")] == \
            [case[name] for name in ("join_eui", "dev_eui", "dev_nonce")]
        assert sluice("encode", "join-request", *key_options(case), *join_options(case)) == \
            (0, answer["phy"] + "\n")


def test_join_accepts_and_their_keys_are_read_and_made(frames):
    names = {"AppSKey": "app_skey", "NwkSKey": "nwk_skey", "FNwkSIntKey": "f_nwk_s_int_key",
             "SNwkSIntKey": "s_nwk_s_int_key", "NwkSEncKey": "nwk_s_enc_key"}
    for case, answer in frames:
        if case["kind"] != "accept":
            continue
        code, out = sluice("decode", "--json", *key_options(case), *join_options(case),
                           answer["phy"])
        got = json.loads(out)
        settings = case["dl_settings"]
        assert (code, got["mic_ok"]) == (0, True), case
        assert (got["join_nonce"], got["net_id"], got["dev_addr"], got["rx_delay"]) == \
            (int(case["join_nonce"], 16), case["net_id"], case["dev_addr"], case["rx_delay"])
        assert (got["opt_neg"], got["rx1_dr_offset"], got["rx2_dr"], got["cf_list"]) == \
            (settings > 127, settings >> 4 & 7, settings & 15, case["cf_list"])
        assert got["session_keys"] == {names[k]: v for k, v in answer["session"].items()}
        args = ["--join-nonce", int(case["join_nonce"], 16), "--net-id", case["net_id"],
                "--dev-addr", case["dev_addr"], "--rx1-dr-offset", settings >> 4 & 7,
                "--rx2-dr", settings & 15, "--rx-delay", case["rx_delay"]]
        args += ["--opt-neg"] if settings > 127 else []
        args += ["--cf-list", case["cf_list"]] if case["cf_list"] else []
        assert sluice("encode", "join-accept", *key_options(case), *join_options(case), *args) \
            == (0, answer["phy"] + "\n")


def test_one_flipped_bit_is_a_wrong_mic(frames):
    r = random.Random(7)
    for case, answer in [f for f in frames if f[0]["kind"] == "data"][::10]:
        phy = bytearray.fromhex(answer["phy"])
        phy[-1 - r.randrange(4)] ^= 1 << r.randrange(8)
        code, out = sluice("decode", "--json", *key_options(case), *context_options(case),
                           "--fcnt", case["fcnt"], phy.hex())
        assert (code, json.loads(out)["mic_ok"]) == (1, False)
