"""What `sluice lorawan` says to people, and how it ends."""
import base64
import json
import os
import subprocess

from conftest import BINARY

NWK_SKEY = "44024241ed4ce9a68c6a8bc055233fd3"
APP_SKEY = "ec925802ae430ca77fd3dd73cb2cc588"
FRAME = "40f17dbe4900020001954378762b11ff0d"
SESSION = ["--nwk-skey", NWK_SKEY, "--app-skey", APP_SKEY]


def lorawan(*args, lang="C.UTF-8"):
    env = dict(os.environ, LC_ALL=lang)
    done = subprocess.run([BINARY, "lorawan", *args], text=True, capture_output=True, timeout=20,
                          env=env)
    return done.returncode, done.stdout, done.stderr


def test_says_what_is_in_a_frame_and_that_it_is_genuine():
    code, out, _ = lorawan("decode", *SESSION, FRAME)
    assert code == 0
    assert out.splitlines()[0] == "Unconfirmed Data Up, 17 bytes"
    assert '"test"' in out and "2b11ff0d  right" in out


def test_speaks_chinese():
    code, out, _ = lorawan("decode", *SESSION, FRAME, lang="zh_CN.UTF-8")
    assert code == 0 and "17 字节" in out and "2b11ff0d  正确" in out


def test_takes_base64_of_either_alphabet_and_several_frames():
    plain = base64.b64encode(bytes.fromhex(FRAME)).decode()
    url = base64.urlsafe_b64encode(bytes.fromhex(FRAME)).decode().rstrip("=")
    code, out, _ = lorawan("decode", "--json", *SESSION, plain, url, FRAME.upper())
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and len(lines) == 3 and all(line == lines[0] for line in lines)


def test_without_keys_tells_what_it_can():
    code, out, _ = lorawan("decode", "--json", FRAME)
    got = json.loads(out)
    assert code == 0 and got["mic_ok"] is None and got["dev_addr"] == "49be7df1"
    assert got["fcnt_full"] is None and "frm_payload_clear" not in got


def test_reads_keys_from_a_file(tmp_path):
    path = tmp_path / "session.keys"
    path.write_text(f"# a session\nnwk-skey = {NWK_SKEY}\n\napp-skey={APP_SKEY.upper()} # data\n")
    assert lorawan("decode", "--keys", str(path), FRAME)[0] == 0
    path.write_text("nwk-skey = 00\n")
    code, _, err = lorawan("decode", "--keys", str(path), FRAME)
    assert code == 2 and "32 hexadecimal digits" in err


def test_tells_mac_commands_in_words():
    code, out, _ = lorawan("decode", *SESSION, "60f17dbe499502000350ff0001016e196be8ec")
    assert code == 0 and "FCtrl        ADR FPending" in out
    assert "LinkADRReq: DR5 TXPower 0 ChMask 00ff ChMaskCntl 0 NbTrans 1" in out


def test_a_wrong_mic_ends_with_1_and_wrong_usage_with_2():
    assert lorawan("decode", *SESSION, FRAME[:-2] + "8d")[0] == 1
    assert lorawan("decode", "40f17dbe")[0] == 1
    for wrong in (["decode", "?"], ["decode"], ["encode", "sideways"],
                  ["decode", "--fcnt", "3", FRAME],
                  ["decode", "--app-skey", "12", FRAME],
                  ["decode", *SESSION, "--nwk-s-enc-key", NWK_SKEY, FRAME],
                  ["encode", "up", "--dev-addr", "49be7df1"],
                  ["encode", "up", *SESSION, "--dev-addr", "49be7df1", "--payload", "00"]):
        code, out, err = lorawan(*wrong)
        assert (code, out) == (2, "") and err, wrong


def test_finds_the_high_half_of_the_counter():
    code, out, _ = lorawan("decode", "--json", *SESSION, "40ad13012600000001f648b3aec8")
    assert code == 0 and json.loads(out)["fcnt_full"] == 65536
    assert lorawan("decode", *SESSION, "--fcnt", "0", "40ad13012600000001f648b3aec8")[0] == 1
