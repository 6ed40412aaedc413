"""The indices once more, from the tables of the standards, on decimals and fractions. Written
from the definitions, not from the program."""
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import ceil, floor

POLLUTANTS = ["so2", "no2", "co", "o3", "pm10", "pm2_5"]
GRID = [0, 50, 100, 150, 200, 300, 400, 500]

HJ633_2012 = {
    ("so2", "24h"): [0, 50, 150, 475, 800, 1600, 2100, 2620],
    ("so2", "1h"): [0, 150, 500, 650, 800],
    ("no2", "24h"): [0, 40, 80, 180, 280, 565, 750, 940],
    ("no2", "1h"): [0, 100, 200, 700, 1200, 2340, 3090, 3840],
    ("co", "24h"): [0, 2, 4, 14, 24, 36, 48, 60],
    ("co", "1h"): [0, 5, 10, 35, 60, 90, 120, 150],
    ("o3", "8h"): [0, 100, 160, 215, 265, 800],
    ("o3", "1h"): [0, 160, 200, 300, 400, 800, 1000, 1200],
    ("pm10", "24h"): [0, 50, 150, 250, 350, 420, 500, 600],
    ("pm2_5", "24h"): [0, 35, 75, 115, 150, 250, 350, 500],
}
HJ633_2026 = dict(HJ633_2012)
for mean in "24h", "1h":
    HJ633_2026["pm10", mean] = [0, 50, 120, 250, 350, 420, 500, 600]
    HJ633_2026["pm2_5", mean] = [0, 35, 60, 115, 150, 250, 350, 500]

EPA = {  # decimals, rows of (concentration from, to, index from, to)
    ("o3", "8h"): (3, "0 .054 0 50 .055 .070 51 100 .071 .085 101 150 .086 .105 151 200 "
                      ".106 .200 201 300"),
    ("o3", "1h"): (3, ".125 .164 101 150 .165 .204 151 200 .205 .404 201 300 .405 .604 301 500"),
    ("pm2_5", "24h"): (1, "0 9.0 0 50 9.1 35.4 51 100 35.5 55.4 101 150 55.5 125.4 151 200 "
                          "125.5 225.4 201 300 225.5 325.4 301 500"),
    ("pm10", "24h"): (0, "0 54 0 50 55 154 51 100 155 254 101 150 255 354 151 200 "
                         "355 424 201 300 425 604 301 500"),
    ("co", "8h"): (1, "0 4.4 0 50 4.5 9.4 51 100 9.5 12.4 101 150 12.5 15.4 151 200 "
                      "15.5 30.4 201 300 30.5 50.4 301 500"),
    ("so2", "1h"): (0, "0 35 0 50 36 75 51 100 76 185 101 150 186 304 151 200"),
    ("so2", "24h"): (0, "305 604 201 300 605 1004 301 500"),
    ("no2", "1h"): (0, "0 53 0 50 54 100 51 100 101 360 101 150 361 649 151 200 "
                       "650 1249 201 300 1250 2049 301 500"),
}
EAQI = {
    "pm2_5": [5, 15, 50, 90, 140], "pm10": [15, 45, 120, 195, 270], "no2": [10, 25, 60, 100, 150],
    "o3": [60, 100, 120, 160, 180], "so2": [20, 40, 125, 190, 275],
}


def half_even(x, digits):
    return x.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)


def china(table, year, pollutant, mean, text):
    """A sub-index of HJ 633, None where there is none."""
    if text is None:
        return None
    c = Decimal(text)
    if year == 2026:
        c = half_even(c, 1 if pollutant == "co" else 0)
    if c < 0:
        return None
    points = table[pollutant, mean]
    if c > points[-1]:
        if len(points) == len(GRID):
            return 500
        return None if year == 2012 else GRID[len(points) - 1]
    for i in range(1, len(points)):
        if c <= points[i]:
            slope = Fraction(GRID[i] - GRID[i - 1], points[i] - points[i - 1])
            return ceil(GRID[i - 1] + slope * (Fraction(c) - points[i - 1]))
    raise AssertionError


def epa(pollutant, mean, text):
    if text is None:
        return None
    digits, rows = EPA[pollutant, mean]
    c = Decimal(text).quantize(Decimal(1).scaleb(-digits), ROUND_DOWN)
    rows = [rows.split()[i:i + 4] for i in range(0, len(rows.split()), 4)]
    if c < Decimal(rows[0][0]):
        return None
    for low, high, i_low, i_high in rows:
        if c <= Decimal(high):
            break
    else:
        if (pollutant, mean) in (("o3", "8h"), ("so2", "1h")):
            return None
    low, high, i_low, i_high = (Fraction(x) for x in (low, high, i_low, i_high))
    return floor((i_high - i_low) / (high - low) * (Fraction(c) - low) + i_low + Fraction(1, 2))


def eaqi(pollutant, text):
    if text is None or Decimal(text) < 0:
        return None
    return 1 + sum(Decimal(text) > limit for limit in EAQI[pollutant])


def nowcast(hours, digits):
    """Newest first; the truncated value or None."""
    if sum(h is not None for h in hours[:3]) < 2:
        return None
    valid = [(i, Fraction(h)) for i, h in enumerate(hours[:12]) if h is not None]
    most = max(c for _, c in valid)
    if most == 0:
        return Decimal(0)
    w = max(Fraction(1, 2), min(c for _, c in valid) / most)
    x = sum(w ** i * c for i, c in valid) / sum(w ** i for i, c in valid)
    return Decimal(floor(x * 10 ** digits)).scaleb(-digits)
