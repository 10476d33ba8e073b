"""How unusual the changes are, worked out a second time from the published files and without the project's code.

What belongs here: the formulas of methods.md C4, C5, C10, C12 and C14 in plain loops over plain numbers, on the files that
`calculate.py` reads. What does not: anything imported from `pipeline` or from a library of statistics.

    python tests/golden/calculate_evidence.py FOLDER_WITH_PUBLISHED_FILES OUTPUT_FOLDER
"""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path
from statistics import NormalDist, fmean, variance

import calculate
from calculate import CITY_OF_LONDON, LONG_COLUMNS, LONG_FILE, REBASED, SCILLY, Numbers

NORMAL = NormalDist()
# Second year of a pair -> newest release that holds both years.
PAIRS = {2019: 2022, 2020: 2022, 2021: 2024, 2022: 2025, 2023: 2025, 2024: 2025, 2025: 2025}
NEWEST_YEAR = 2025

Units = dict[str, list[tuple[int, int]]]  # unit -> count and population of each year


def counts_of_release(folder: Path, release: int, year: int) -> Numbers:
    kind, number = LONG_COLUMNS[release]
    return calculate.numbers(
        [
            (row["old_la_code"], row[number])
            for row in calculate.rows(folder / "cla" / str(release) / LONG_FILE)
            if row["geographic_level"] == "Local authority"
            and row["time_period"] == str(year)
            and "31 March" in row[kind]
        ]
    )


def units_of(years: list[int], counts: dict[int, Numbers], people: dict[int, Numbers]) -> Units:
    """The units of the window that spans the years, with both numbers above 0 in every one of them."""
    first, last = years[0], years[-1]
    joined = calculate.together(first, last)
    groups = {"+".join(after): set(before) | set(after) for before, after in joined}
    taken = {code for group in groups.values() for code in group}
    for code in set(counts[last]) - taken - {CITY_OF_LONDON, SCILLY}:
        if calculate.there(last, code):
            groups[code] = {code}
    found = {}
    for unit, group in sorted(groups.items()):
        series = []
        for year in years:
            codes = tuple(code for code in sorted(group) if calculate.there(year, code))
            pair = calculate.total(counts[year], codes), calculate.total(people[year], codes)
            if codes and all(pair):
                series.append(pair)
        if len(series) == len(years):
            found[unit] = series
    return found


def england(units: Units, at: int) -> float:
    return math.log(sum(series[at][0] for series in units.values()) / sum(series[at][1] for series in units.values()))


def log_rate(pair: tuple[int, int]) -> float:
    return math.log(pair[0] / pair[1])


def movements(folder: Path) -> list[tuple[float, float]]:
    """(e, m) of every unit and pair of years."""
    found = []
    for year, release in PAIRS.items():
        years = [year - 1, year]
        counts = {one: counts_of_release(folder, release, one) for one in years}
        people = {one: calculate.children(folder, REBASED, one) for one in years}
        units = units_of(years, counts, people)
        step = england(units, 1) - england(units, 0)
        for before, after in units.values():
            found.append((log_rate(after) - log_rate(before) - step, (before[0] + after[0]) / 2))
    return found


def fitted(found: list[tuple[float, float]], cut: float, kappa: float) -> tuple[float, float, int]:
    """The a and b of the winsorised weighted least squares, by the normal equations, a hundred rounds of it."""
    a, b = 0.005, 2.0
    clipped = 0
    for _ in range(100):
        s = sx = sxx = sy = sxy = 0.0
        clipped = 0
        for e, m in found:
            v = a + b / m
            clipped += e * e > cut * cut * v
            y = min(e * e, cut * cut * v) / kappa
            w, x = 1 / v**2, 1 / m
            s, sx, sxx, sy, sxy = s + w, sx + w * x, sxx + w * x * x, sy + w * y, sxy + w * x * y
        b = (s * sxy - sx * sy) / (s * sxx - sx * sx)
        a = (sy - b * sx) / s
        if a < 0 or b < 0:
            raise ValueError("a negative part: these data are not like the published ones")
    return a, b, clipped


def grades(units: dict[str, tuple[int, int, int, int]], years: int, a: float, b: float) -> list[tuple[str, float, str]]:
    """Unit, z and grade: A is what Benjamini and Hochberg's step-up procedure rejects at 0.10."""
    whole = [sum(four[at] for four in units.values()) for at in range(4)]
    nation = math.log(whole[2] / whole[3]) - math.log(whole[0] / whole[1])
    z = {}
    for unit, (n0, p0, n1, p1) in units.items():
        change = math.log(n1 / p1) - math.log(n0 / p0)
        z[unit] = (change - nation) / math.sqrt(years * (a + b / ((n0 + n1) / 2)))
    p = {unit: 2 * NORMAL.cdf(-abs(value)) for unit, value in z.items()}
    ordered = sorted(p.values())
    passed = [value for place, value in enumerate(ordered, start=1) if value <= 0.10 * place / len(ordered)]
    threshold = max(passed, default=-1.0)
    return [
        (unit, z[unit], "C" if abs(z[unit]) < 1.96 else "A" if p[unit] <= threshold else "B") for unit in sorted(units)
    ]


def memory(units: Units) -> dict[str, float]:
    """Variance ratios over 2 to 5 years, the F of drifts, and the correlation of a year's change with the next."""
    series = [[log_rate(pair) for pair in one] for one in units.values()]
    years, n = len(series[0]), len(series)

    def mean_variance(k: int) -> float:
        return fmean(variance([one[t] - one[t - k] for one in series]) for t in range(k, years))

    found = {f"variance_ratio_{k}": mean_variance(k) / (k * mean_variance(1)) for k in range(2, 6)}
    steps = [[one[t] - one[t - 1] for t in range(1, years)] for one in series]
    by_year = [fmean(one[t] for one in steps) for t in range(years - 1)]
    d = [[value - by_year[t] for t, value in enumerate(one)] for one in steps]
    means = [fmean(one) for one in d]
    between = (years - 1) * sum(mean**2 for mean in means) / (n - 1)
    within = sum((v - mean) ** 2 for one, mean in zip(d, means, strict=True) for v in one) / ((n - 1) * (years - 2))
    found["drift_f"] = between / within
    first = [one[t] for one in d for t in range(years - 2)]
    second = [one[t + 1] for one in d for t in range(years - 2)]
    found["lag_1_correlation"] = correlation(first, second)
    return found


def correlation(first: list[float], second: list[float]) -> float:
    x, y = fmean(first), fmean(second)
    product = sum((a - x) * (b - y) for a, b in zip(first, second, strict=True))
    return product / math.sqrt(sum((a - x) ** 2 for a in first) * sum((b - y) ** 2 for b in second))


def funnel(units: Units) -> dict[str, float]:
    """The phi and tau2 of the newest level."""
    rate = math.exp(england(units, -1))
    expected = {unit: series[-1][1] * rate for unit, series in units.items()}
    z = sorted(math.log(units[unit][-1][0] / e) * math.sqrt(e) for unit, e in expected.items())

    def quantile(share: float) -> float:
        at = share * (len(z) - 1)
        low = math.floor(at)
        return z[low] + (at - low) * (z[min(low + 1, len(z) - 1)] - z[low])

    low, high = quantile(0.1), quantile(0.9)
    phi = fmean(min(max(value, low), high) ** 2 for value in z)
    w = list(expected.values())
    n = len(w)
    return {"phi": phi, "tau2": (n * phi - (n - 1)) / (sum(w) - sum(one**2 for one in w) / sum(w))}


def baseline(units: dict[str, tuple[int, int, int, int]]) -> dict[str, float]:
    """The line of the changes on the log rate at the start: the sandwich written out as 2 x 2 matrices."""
    x = [math.log(n0 / p0) for n0, p0, _, _ in units.values()]
    y = [math.log(n1 / p1) - math.log(n0 / p0) for n0, p0, n1, p1 in units.values()]
    n, sx, sxx = len(x), sum(x), sum(one * one for one in x)
    sy, sxy = sum(y), sum(a * b for a, b in zip(x, y, strict=True))
    det = n * sxx - sx * sx
    inverse = ((sxx / det, -sx / det), (-sx / det, n / det))
    slope = (n * sxy - sx * sy) / det
    intercept = (sy - slope * sx) / n
    meat = 0.0
    for a, b in zip(x, y, strict=True):
        row = (inverse[0][0] + inverse[0][1] * a, inverse[1][0] + inverse[1][1] * a)
        leverage = row[0] + row[1] * a
        meat += (row[1] * (b - intercept - slope * a) / (1 - leverage)) ** 2
    return {"slope": slope, "std_error": math.sqrt(meat), "correlation": correlation(x, y)}


def calculate_evidence(folder: Path, out: Path) -> None:
    """Write `evidence.csv` (one number a row) and `grades.csv` (one unit a row) into `out`."""
    found = movements(folder)
    c = 3.0
    density = math.exp(-c * c / 2) / math.sqrt(2 * math.pi)
    kappa = (2 * NORMAL.cdf(c) - 1) - 2 * c * density + 2 * c * c * (1 - NORMAL.cdf(c))
    a, b, clipped = fitted(found, c, kappa)
    plain_a, plain_b, _ = fitted(found, math.inf, 1.0)
    values: dict[str, float] = {
        "volatility/n_obs": len(found), "volatility/a": a, "volatility/b": b, "volatility/n_winsorised": clipped,
        "volatility/a_uncut": plain_a, "volatility/b_uncut": plain_b,
    }  # fmt: skip
    years = list(range(2018, NEWEST_YEAR + 1))
    counts = {year: calculate.looked_after(folder, year) for year in years}
    people = {year: calculate.children(folder, REBASED, year) for year in years}
    panel = units_of(years, counts, people)
    values["memory/n_units"] = len(panel)
    values |= {f"memory/{name}": value for name, value in memory(panel).items()}
    newest = units_of([NEWEST_YEAR], counts, people)
    values |= {f"funnel/{name}": value for name, value in funnel(newest).items()}
    values |= {f"baseline/{name}": value for name, value in baseline(calculate.window_units("main_h5", folder)).items()}
    with (out / "evidence.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["figure", "value"])
        lines.writerows((name, f"{value:.12g}") for name, value in values.items())
    with (out / "grades.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["window_id", "unit_id", "z", "grade"])
        for window_id, (start, end) in calculate.WINDOWS.items():
            graded = grades(calculate.window_units(window_id, folder), end - start, a, b)
            lines.writerows((window_id, unit, f"{z:.9f}", grade) for unit, z, grade in graded if grade != "C")


if __name__ == "__main__":
    calculate_evidence(Path(sys.argv[1]), Path(sys.argv[2]))
