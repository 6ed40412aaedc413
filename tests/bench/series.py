# SPDX-License-Identifier: Apache-2.0
"""What SF1 frames of measured series take: alone and 20 side by side, beside the reference model
and beside general compressors on line protocol of the same frames."""
import math
import pathlib
import re
import subprocess

from measure import BUILD, SHARED, WIDE, build, series_files, wide_table

# bytes a point of the 20 columns by (rows of a frame, chained): the format's goals for frames of 20 channels
GOALS = {(5, True): 0.68, (60, True): 0.50, (5, False): 1.25}
SPEED_HOLD_US, SPEED_AIM_US = 1.0, 0.6
SMALLER_HOLD, SMALLER_AIM = 8, 11
COMPRESSORS = (["gzip", "-9c"], ["zstd", "-q19c"], ["xz", "-9ec"])
FRAME_ROWS, COMPARED_ROWS, SAMPLE_MS = 5, 5000, 60000
QUANTITIES = ("air_pressure", "pm10", "wind_speed", "surface_temp", "ph", "flow", "turbidity", "chlorine",
              "total_phosphorus", "laeq", "carbon_monoxide", "nitrogen_dioxide", "pm2_5", "air_temp",
              "wind_gust", "salinity", "soil_moisture", "soil_water", "station_pressure", "dose_rate")


def verdict(value, hold, aim=None):
    said = "holds" if value <= hold else "MISSED"
    return said + (", aim reached" if aim is not None and value <= aim else "")


def line_frames(table):
    """Line protocol of each frame, as the uplink `influx` writes it."""
    for at in range(0, len(table) - FRAME_ROWS + 1, FRAME_ROWS):
        yield "".join(f"{QUANTITIES[column]},dev=device-{column % 4},station=station-01 "
                      f"f=0i,v={value} {time}\n" for column in range(WIDE)
                      for time, values in table[at:at + FRAME_ROWS] if (value := values[column]))


def compressed(where, table):
    """{program: bytes a point}, every frame by itself."""
    files, points = [], 0
    for n, text in enumerate(line_frames(table)):
        files.append(where / f"{n:06}.lines")
        files[-1].write_text(text)
        points += text.count("\n")
    sizes = {}
    for command in COMPRESSORS:
        total = 0
        for at in range(0, len(files), 500):
            done = subprocess.run(command + [str(f) for f in files[at:at + 500]], capture_output=True)
            if done.returncode:
                raise RuntimeError(f"{command[0]}: {done.stderr.decode()}")
            total += len(done.stdout)
        sizes[command[0]] = total / points
    return sizes, points


def encoded(command, table_file):
    return len(subprocess.run([str(c) for c in command], stdin=open(table_file), capture_output=True,
                              check=True).stdout)


def write_table(path, rows):
    path.write_text("".join(f"{time},{','.join(values)}\n" for time, values in rows))


def reference(where):
    """The model that the format was measured with, or None."""
    source = SHARED / "prototype" / "series"
    if not (source / "sf1tool.c").exists():
        return None
    program = where / "sf1tool"
    subprocess.run(["cc", "-std=gnu11", "-O2", "-o", program, source / "sf1tool.c", source / "sf1.c",
                    "-lz", "-lm"], check=True)
    return program


def beside_the_model(where, table):
    program = reference(where)
    if not program:
        print("skipped: no reference model in the shared material")
        return
    path = where / "table.csv"
    write_table(path, table)
    points = sum(bool(v) for _, values in table for v in values)
    print(f"\n20 columns, bytes a point of a file: ours / reference model ({points} points)")
    for rows in (1, 5, 60, 1000):
        ours = encoded([BUILD / "sluice", "series", "-q", "encode", "--rows", rows], path)
        theirs = encoded([program, "encode", "-n", rows, "-P", SAMPLE_MS], path)
        print(f"{rows:<8} {ours / points:.3f} / {theirs / points:.3f} = {ours / theirs:.3f}")


def beside_compressors(where, table, ours):
    sizes, points = compressed(where, table[:COMPARED_ROWS])
    best = min(sizes, key=sizes.get)
    ratio = sizes[best] / ours
    print(f"\n20 columns x {FRAME_ROWS} rows chained, line protocol of each frame ({points} points): "
          + ", ".join(f"{k} {v:.2f}" for k, v in sizes.items()) + f"; {best} / SF1 = {ratio:.1f} "
          f"(hold {SMALLER_HOLD}, aim {SMALLER_AIM}: "
          f"{verdict(-ratio, -SMALLER_HOLD, -SMALLER_AIM)})")
    return ratio < SMALLER_HOLD


def judge_table(text):
    """How many goals the program's own tables miss; bytes a point of 20 x 5 chained."""
    missed, of_five = 0, math.inf
    wide = text[text.index("20 columns"):]
    for (rows, is_chained), goal in GOALS.items():
        chained, key = re.search(rf"^{rows} +([\d.]+) +([\d.]+)", wide, re.M).groups()
        value = float(chained if is_chained else key)
        of_five = value if (rows, is_chained) == (5, True) else of_five
        print(f"20 columns x {rows} rows {'chained' if is_chained else 'key only'}: {value:.3f} "
              f"(goal of the format {goal:.2f}: {'reached' if value <= goal else 'not reached'})")
    for what, ns in re.findall(r"(encode|decode) (\d+)", wide):
        missed += int(ns) > SPEED_HOLD_US * 1000
    slowest = max(int(ns) for _, ns in re.findall(r"(encode|decode) (\d+)", wide)) / 1000
    print(f"slowest of encode and decode: {slowest:.2f} us a point (hold {SPEED_HOLD_US}, aim "
          f"{SPEED_AIM_US}: {verdict(slowest, SPEED_HOLD_US, SPEED_AIM_US)})")
    return missed, of_five


def bench(where, _):
    files = series_files()
    if not files:
        print(f"skipped: no series in {SHARED}/data")
        return 0
    where = pathlib.Path(where)
    build("sluice", "tests/bench/series_bench")
    text = subprocess.run([BUILD / "tests/bench/series_bench", *files], check=True,
                          capture_output=True, text=True).stdout
    print(text)
    missed, of_five = judge_table(text)
    table = list(wide_table(SAMPLE_MS))
    beside_the_model(where, table)
    return missed + beside_compressors(where, table, of_five)
