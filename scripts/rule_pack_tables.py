#!/usr/bin/env python3
"""Write the tables of docs/rule-packs.md and its Chinese copy from the packs in the binary.

rule_pack_tables.py [--check] SLUICE [ROOT]    --check: exit with 1 when a page is not up to date
"""
import json
import pathlib
import re
import subprocess
import sys

BEGIN, END = "<!-- tables: scripts/rule_pack_tables.py -->", "<!-- end of tables -->"

# pack: (heading of the columns in English and Chinese, [(column, options)])
VARIANTS = {
    "gb3095": (("grade", "级别"), [(g, [f"grade={g}", "other=applied"]) for g in "12"]),
    "heavy-pollution": (("set", "阈值"), [("", [])]),
    "gb3096": (("zone", "声功能区"), [(z, [f"zone={z}"]) for z in ("0", "1", "2", "3", "4a", "4b")]),
    "gb3838": (("class", "类别"), [(c, [f"class={c}"]) for c in ("I", "II", "III", "IV", "V")]),
    "gb3838 lake": (("class, lake", "类别（湖库）"),
                    [(c, [f"class={c}", "water=lake"]) for c in ("I", "II", "III", "IV", "V")]),
    "radiation": (("set", "阈值"), [("", []), ("background 80", ["background=80", "counts=60"])]),
    "fence-line": (("area", "区域"), [(a, [f"area={a}"]) for a in ("0", "1", "2", "3", "4", "site")]),
    "drinking-water-intake": (("class", "类别"), [(c, [f"class={c}"]) for c in ("II", "III")]),
}
HEAD = {
    "en": ("rule", "what it says", "judged", "on", "unit", "source"),
    "zh": ("规则", "含义", "判定对象", "持续", "单位", "依据"),
}
SIGNS = {("above", "kept"): ">", ("above", "exceeded"): "≥", ("below", "kept"): "<", ("below", "exceeded"): "≤",
         ("outside", "kept"): "±>", ("outside", "exceeded"): "±≥"}


def pack(sluice, name, options):
    words = [w for o in options for w in ("--set", o)]
    done = subprocess.run([sluice, "rules", "list", "--json", "--pack", name, *words], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)["packs"][0]


def number(x):
    return f"{x:.6f}".rstrip("0").rstrip(".")


def cell(rule):
    if rule is None:
        return "–"
    return SIGNS[rule["direction"], rule["at_limit"]] + " " + ", ".join(
        dict.fromkeys(number(level["set"]) for level in rule["levels"]))


def title(rules, lang):
    """Where it names the class, the column does."""
    titles = {r[f"title_{lang}"] for r in rules}
    if len(titles) == 1:
        return titles.pop()
    text = rules[0][f"title_{lang}"]
    return re.sub(r"class [IV]+", "its class", re.sub(r"[IV]+类", "目标类别", text))


def table(sluice, key, lang):
    """The rows of one pack, a column for each of its variants."""
    heading, columns = VARIANTS[key]
    name = key.split()[0]
    packs = [pack(sluice, name, options) for _, options in columns]
    first = {r["id"]: r for p in reversed(packs) for r in p["rules"]}
    if key.endswith("lake"):
        river = {r["id"]: r for r in pack(sluice, name, ["class=I"])["rules"]}
        first = {i: r for i, r in first.items() if i not in river or cell(r) != cell(river[i])}
    word = heading[lang == "zh"]
    rule, says, judged, on, unit, source = HEAD[lang]
    names = [f"{word} {column}".strip() for column, _ in columns]
    lines = ["| " + " | ".join([rule, says, judged, *names, unit, on, source]) + " |",
             "|---" * (6 + len(columns)) + "|"]
    by_id = [{r["id"]: r for r in p["rules"]} for p in packs]
    order = [r["id"] for p in packs for r in p["rules"]]
    for i in dict.fromkeys(i for i in order if i in first):
        r = first[i]
        delays = ", ".join(f"{level['level']} {level.get('on', '')}".strip() for level in r["levels"])
        lines.append("| " + " | ".join(
            [f"`{i}`", title([p[i] for p in by_id if i in p], lang), f"`{r['quantity']}` {r['input']}", *(cell(p.get(i)) for p in by_id),
             r["unit"], delays, re.sub(r"class [IV]+", "its class", r["source"])]) + " |")
    return lines


def tables(sluice, lang):
    out = []
    for key in VARIANTS:
        name = key.split()[0]
        if key == name:
            head = pack(sluice, name, [])
            out += ["", f"### `{name}`: {head[f'title_{lang}']}", ""]
        else:
            out += [""]
        out += table(sluice, key, lang)
    return "\n".join(out) + "\n\n"


def main(argv):
    is_check = argv[:1] == ["--check"]
    sluice, *root = argv[is_check:]
    docs = pathlib.Path(root[0] if root else ".") / "docs"
    stale = []
    for lang, page in (("en", docs / "rule-packs.md"), ("zh", docs / "rule-packs.zh.md")):
        text = page.read_text()
        head, rest = text.split(BEGIN)
        new = head + BEGIN + "\n" + tables(sluice, lang) + END + rest.split(END)[1]
        if new != text and is_check:
            stale.append(page.name)
        elif new != text:
            page.write_text(new)
    if stale:
        print(f"not up to date: {', '.join(stale)}; run scripts/rule_pack_tables.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
