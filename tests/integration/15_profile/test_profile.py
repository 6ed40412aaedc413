"""sluice profile: list, show, lint, new, diff and doc, and the pages of docs/instruments."""
import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("SLUICE_BINARY", ROOT / "build" / "sluice")).resolve()
LIBRARY = ROOT / "sensors" / "profiles"
PAGES = ROOT / "docs" / "instruments"
IDS = sorted(p.stem for p in LIBRARY.glob("*/*.yaml"))
STATION = "station: {id: riverside-01}\n"
SMALL = """\
profile: 1
id: acme-o3
names: {en: Ozone, zh: 臭氧}
vendor: Acme
models: O3
medium: air
verified: template
points:
  - {id: ozone, at: i:18, type: f32, unit: "[ppb]", quantity: ozone, range: [-10, 1000]}
commands:
  - id: start_span
    names: {en: Start span, zh: 跨度校准}
    mode: {set: span, for: 10min}
    parameters: [{id: level, names: {en: Span gas, zh: 标气}, unit: "[ppb]", range: [0, 500]}]
    steps: [{write: h:200, type: u16, value: $level}]
"""

pytestmark = pytest.mark.short


def profile(*args, cwd=None, lang="en"):
    return subprocess.run([BINARY, "profile", *args], cwd=cwd, capture_output=True, text=True,
                          timeout=60, env={**os.environ, "SLUICE_LANG": lang})


def write(folder, name, text=SMALL):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def ids_of(result):
    return [line.split()[0] for line in result.stdout.splitlines()]


def built_in():
    return [p["id"] for p in json.loads(profile("list", "--json").stdout)]


def test_lists_every_profile_of_the_library():
    assert set(ids_of(profile("list"))) == set(built_in())


def test_the_columns_of_the_list_begin_below_each_other():
    lines = profile("list").stdout.splitlines()
    begins = {line.index("from the manual") for line in lines if "from the manual" in line}
    assert len(lines) >= 45 and len(begins) == 1


def test_lists_what_has_every_word():
    assert ids_of(profile("list", "HACH", "water")) == [i for i in built_in() if "hach" in i]
    assert "teledyne-t400" in ids_of(profile("list", "臭氧"))
    everything = json.loads(profile("list", "--json", "noise").stdout)
    assert everything and all("noise" in p["media"] for p in everything)


def test_says_when_no_profile_has_the_words():
    result = profile("list", "no-such-word")
    assert result.returncode == 1
    assert "no profile has all these words" in result.stderr


def test_lists_profiles_of_a_site_too(tmp_path):
    write(tmp_path, "air/acme-o3.yaml")
    result = profile("list", "--profiles", tmp_path, "acme")
    assert ids_of(result) == ["acme-o3"]


def test_shows_commands_with_their_ranges(tmp_path):
    path = write(tmp_path, "acme-o3.yaml")
    text = profile("show", path).stdout
    assert "start_span" in text and "0..500 [ppb]" in text
    assert "标气" in profile("show", path, lang="zh").stdout
    command = json.loads(profile("show", "--json", path).stdout)["commands"][0]
    assert command["mode"] == "span" and command["mode_ms"] == 600000
    assert command["parameters"][0] == {
        "id": "level", "names": {"en": "Span gas", "zh": "标气"}, "unit": "[ppb]", "min": 0,
        "max": 500, "default": None, "integer": False}


def test_lints_files_and_folders_in_one_run(tmp_path):
    write(tmp_path, "site/air/acme-o3.yaml")
    write(tmp_path, "site/bad.yaml", SMALL.replace("acme-o3", "bad").replace("ozone,", "ozon,"))
    single = write(tmp_path, "one.yaml", SMALL.replace("acme-o3", "one"))
    result = profile("lint", tmp_path / "site", single)
    assert result.returncode == 2
    assert "acme-o3.yaml: acme-o3, 1 points" in result.stdout
    assert "one.yaml: one, 1 points" in result.stdout
    assert "'ozon' is no quantity of the vocabulary" in result.stdout


def test_lint_warns_of_a_file_that_nobody_will_find(tmp_path):
    result = profile("lint", write(tmp_path, "other.yaml"))
    assert result.returncode == 0
    assert "should be 'acme-o3.yaml'" in result.stdout


def test_lint_refuses_a_folder_without_profiles(tmp_path):
    result = profile("lint", tmp_path)
    assert result.returncode == 2
    assert "no .yaml file in this folder" in result.stderr


def test_the_library_passes_its_linter_without_a_word():
    result = profile("lint", LIBRARY)
    assert result.returncode == 0, result.stdout
    assert "warning" not in result.stdout


def test_a_new_profile_passes_the_linter(tmp_path):
    made = profile("new", "my-analyser")
    assert made.returncode == 0
    path = write(tmp_path, "my-analyser.yaml", made.stdout)
    result = profile("lint", path)
    assert result.returncode == 0 and "warning" not in result.stdout, result.stdout


def test_what_is_commented_out_in_a_new_profile_is_right_too(tmp_path):
    text = profile("new", "my-analyser").stdout
    text = re.sub(r"^#(?=[a-z]|  )", "", text, flags=re.M).replace("  #serial", "  serial")
    result = profile("lint", write(tmp_path, "my-analyser.yaml", text))
    assert result.returncode == 0, result.stdout
    assert "1 flags, 1 commands" in result.stdout


@pytest.mark.parametrize("like", ["teledyne-t400", "hamilton-ph-arc", "vaisala-aqt530"])
def test_a_copy_differs_in_its_claims_only(tmp_path, like):
    made = profile("new", "--like", like, "--output", tmp_path, "my-copy")
    assert made.returncode == 0, made.stderr
    path = pathlib.Path(made.stdout.strip())
    assert profile("lint", path).returncode == 0
    result = profile("diff", like, path)
    assert result.returncode == 1
    assert result.stdout == "profile: verified: datasheet -> template\n"


def test_new_overwrites_nothing(tmp_path):
    path = write(tmp_path, "my-copy.yaml", "mine")
    result = profile("new", "--output", tmp_path, "my-copy")
    assert result.returncode == 1
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["My", "a/b", "", "-x", "ä"])
def test_new_refuses_what_is_no_id(name):
    assert profile("new", "--", name).returncode == 2


def test_new_knows_no_unknown_profile():
    result = profile("new", "--like", "teledyne-t40", "x")
    assert result.returncode == 2
    assert "did you mean 'teledyne-t" in result.stderr


def test_the_nearest_id_may_be_one_of_the_site(tmp_path):
    write(tmp_path, "acme-o3.yaml")
    result = profile("show", "--profiles", tmp_path, "acme-o4")
    assert result.returncode == 2
    assert "did you mean 'acme-o3'?" in result.stderr


def test_equal_profiles_have_no_difference():
    result = profile("diff", "teledyne-t400", "teledyne-t400")
    assert (result.returncode, result.stdout) == (0, "")


CHANGES = [
    ("i:18", "i:20", "point ozone: at: i:18/2 -> i:20/2"),
    ("type: f32", "type: s32", "point ozone: type: f32 -> s32"),
    ("type: f32,", "type: f32, scale: 0.1,", "point ozone: scale: 1 -> 0.1"),
    ("type: f32,", "type: f32, order: CDAB,", "point ozone: order: - -> CDAB"),
    ("type: f32,", "type: u32, mask: 0xF0, shift: 4,", "point ozone: bits: - -> & 0xF0 >> 4"),
    ('"[ppb]", quantity', 'ug/m3, quantity', "point ozone: unit: [ppb] -> ug/m3"),
    ("1000]", "900]", "point ozone: range: -10..1000 -> -10..900"),
    ("type: f32,", "type: f32, invalid: -9999,", "point ozone: invalid: - -> -9999"),
    ("type: f32,", "type: f32, quality: {at: h:1, map: {0: good}},",
     "point ozone: quality: - -> h:1 {0: good}"),
    ("commands:", "flags:\n  - {at: d:0, when: 1, set: fault}\ncommands:", "flag d:0: only in acme-o3"),
    ("{id: ozone,", "{id: oz,", "point ozone: only in acme-o3"),
    ("h:200", "h:201",
     "command start_span: steps: write h:200 u16 $level -> write h:201 u16 $level"),
    ("points:", "bus: {order: DCBA}\npoints:", "bus: order: ABCD -> DCBA"),
    ("points:", "bus: {read: {max: 9}}\npoints:", "bus: read.max: 125 -> 9"),
    ("points:", "mode: {at: h:9, map: {1: zero}}\npoints:", "mode: codes: - -> h:9 {1: zero}"),
    ("points:", "identify: [{need: true, at: h:7, equals: 3}]\npoints:",
     "identify: tests: - -> h:7 = 3 (needed)"),
]


@pytest.mark.parametrize("old, new, line", CHANGES, ids=[c[2].split(" -> ")[0] for c in CHANGES])
def test_diff_tells_what_differs(tmp_path, old, new, line):
    a = write(tmp_path, "a.yaml")
    b = write(tmp_path, "b.yaml", SMALL.replace(old, new, 1))
    result = profile("diff", a, b)
    assert result.returncode == 1, result.stderr
    assert line in result.stdout.splitlines()


def test_diff_refuses_a_broken_file(tmp_path):
    a = write(tmp_path, "a.yaml")
    b = write(tmp_path, "b.yaml", SMALL.replace("profile: 1", "profile: 2"))
    result = profile("diff", a, b)
    assert result.returncode == 2
    assert "format version" in result.stderr


def test_prints_the_page_of_an_instrument_in_both_languages(tmp_path):
    path = write(tmp_path, "acme-o3.yaml")
    page = profile("doc", path).stdout
    assert "# Ozone\n" in page and "profile: acme-o3, bus: line-1, unit: 1" in page
    assert "input 18 (0x0012) | i:18/2 | f32 | ppb | ozone | -10 … 1000 µg/m³" in page
    assert "sluice command acme-o3-1 start_span level=VALUE\n" in page
    page = profile("doc", path, lang="zh").stdout
    assert "# 臭氧\n" in page and "`level` 标气: 0 … 500 ppb，必填" in page


def test_tells_registers_as_the_manual_counts_them(tmp_path):
    path = write(tmp_path, "acme-o3.yaml", SMALL.replace(
        "points:", "bus: {doc_base: 40001}\npoints:\n  - {id: b, at: h:40103, type: u16}\n"
        "  - {id: c, at: d:10005}", 1).replace("i:18", "i:30019").replace("h:200", "h:40201"))
    page = profile("doc", path).stdout
    assert "| holding 40103 | h:102 |" in page
    assert "| input 30019 | i:18/2 |" in page
    assert "| discrete input 10005 | d:4 |" in page


def test_pages_are_found_stale_and_written_again(tmp_path):
    out = tmp_path / "pages"
    assert profile("doc", "--all", "--output", out).returncode == 0
    assert profile("doc", "--all", "--output", out, "--check").returncode == 0
    (out / "teledyne-t400.md").write_text("old")
    (out / "hach-ss7.zh.md").unlink()
    (out / "gone.md").write_text("of no profile")
    result = profile("doc", "--all", "--output", out, "--check")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        f"{out}/hach-ss7.zh.md is missing", f"{out}/teledyne-t400.md is stale",
        f"{out}/gone.md belongs to no profile"]
    (out / "gone.md").unlink()
    assert profile("doc", "--all", "--output", out).returncode == 0
    assert profile("doc", "--all", "--output", out, "--check").returncode == 0


def stanzas():
    for path in sorted(PAGES.glob("*.md")):
        for n, text in enumerate(re.findall(r"```yaml\n(.*?)```", path.read_text(), re.S)):
            yield f"{path.stem}-{n}", text


@pytest.mark.skipif(not PAGES.is_dir(), reason="no pages are written yet")
def test_every_stanza_of_the_pages_passes_check(tmp_path):
    found = 0
    for name, text in stanzas():
        path = write(tmp_path, f"{name}.yaml", STATION + text)
        result = subprocess.run([BINARY, "check", "--strict", path], capture_output=True,
                                text=True, timeout=20)
        assert result.returncode == 0, name + result.stdout + result.stderr
        found += 1
    on_a_bus = [p for p in PAGES.glob("*.zh.md") if "| LoRaWAN |" not in p.read_text()]
    assert found >= 2 * len(on_a_bus) - 2
