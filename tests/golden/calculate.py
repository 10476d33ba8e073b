"""The changes of every window, worked out a second time from the published files and without the project's code.

What belongs here: plain reading of comma-separated files and plain arithmetic, for figures to hold the project to. What
does not: anything imported from `pipeline`, and anything clever: which file speaks for a year and which authorities
belong together are written out by hand from the publishers' notes.

    python tests/golden/calculate.py FOLDER_WITH_PUBLISHED_FILES OUTPUT_FOLDER
"""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path

# Reporting year -> file and column of the children looked after on 31 March, in the newest release that has the year.
SFR_FILES = {
    2012: ("2012/SFR20_CLA2012.csv", "CLA_Mar2012"),
    2013: ("2013/SFR36_CLA2013.csv", "CLA_Mar2013"),
    2014: ("2014/SFR36_CLA2014.csv", "CLA_Mar2014"),
    2015: ("2015/SFR34_CLA2015.csv", "CLA_Mar2015"),
    2016: ("2016/SFR41_CLA2016.csv", "CLA_Mar2016"),
    2017: ("2017/SFR50_CLA2017.csv", "CLA_Mar2017"),
}
LONG_RELEASE = {2018: 2022, 2019: 2022, 2020: 2024, 2021: 2025, 2022: 2025, 2023: 2025, 2024: 2025, 2025: 2025}
LONG_COLUMNS = {2022: ("population_count", "number"), 2024: ("population_count", "number"),
                2025: ("population_type", "children_count")}  # fmt: skip
LONG_FILE = "cla_number_and_rate_per_10k_children.csv"
REBASED = "ons_mid-year_population_estimates_2012_to_2024.csv"
PRE_CENSUS = "ons_mid-year_population_estimates_2012_to_2020_cin2021.csv"
AGE_BANDS = "derived/nomis_child_population_utla21_2009_2021.csv"
WINDOWS = {
    "orig_h5": (2012, 2017), "orig_h4": (2013, 2017), "hist_h5_2018": (2013, 2018), "hist_h5_2019": (2014, 2019),
    "hist_h5_2020": (2015, 2020), "hist_h5_2021": (2016, 2021), "hist_h5_2022": (2017, 2022),
    "hist_h5_2023": (2018, 2023), "prev_h5": (2019, 2024), "main_h5": (2020, 2025), "main_h4": (2021, 2025),
}  # fmt: skip
LISTED = ("prev_h5", "orig_h5")  # windows whose bucking units are written out by name
CITY_OF_LONDON, SCILLY = "201", "420"

# First 31 March after the change, codes before, codes after.
CHANGES = (
    (2020, ("835", "836", "837"), ("838", "839")),  # Dorset, Poole, Bournemouth: 1 April 2019
    (2022, ("928",), ("940", "941")),  # Northamptonshire: 1 April 2021
    (2024, ("909",), ("942", "943")),  # Cumbria: 1 April 2023
)

Numbers = dict[str, int]  # DfE code -> number; a marker has no entry


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def numbers(cells: list[tuple[str, str]]) -> Numbers:
    return {code: int(cell) for code, cell in cells if cell.isdigit()}


def looked_after(folder: Path, year: int) -> Numbers:
    if year in SFR_FILES:
        file, column = SFR_FILES[year]
        return numbers([(row["geog_c"], row[column]) for row in rows(folder / "cla" / file) if row["geog_l"] == "LA"])
    release = LONG_RELEASE[year]
    kind, number = LONG_COLUMNS[release]
    return numbers(
        [
            (row["old_la_code"], row[number])
            for row in rows(folder / "cla" / str(release) / LONG_FILE)
            if row["geographic_level"] == "Local authority"
            and row["time_period"] == str(year)
            and "31 March" in row[kind]
        ]
    )


def children(folder: Path, file: str, year: int) -> Numbers:
    """Population of mid-(year - 1), the one that a rate of the reporting year is made with."""
    return numbers(
        [
            (row["old_la_code"], row["population_estimate"])
            for row in rows(folder / "population" / file)
            if row["geographic_level"] == "Local authority" and row["time_period"] == str(year - 1)
        ]
    )


def children_mid_2011(folder: Path) -> Numbers:
    """Ages 0-17 added up from age bands, on boundaries of April 2021; there is no published figure for mid-2011."""
    return numbers(
        [
            (row["old_la_code"], row["pop_0_17_estimated"])
            for row in rows(folder / "population" / AGE_BANDS)
            if row["mid_year"] == "2011"
        ]
    )


def there(year: int, code: str) -> bool:
    """Whether the code was one of an authority on 31 March of the year."""
    return not any(
        (code in before and year >= first) or (code in after and year < first) for first, before, after in CHANGES
    )


def together(start: int, end: int) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Codes to add up at the start and at the end, for each change within the window."""
    return [(before, after) for first, before, after in CHANGES if start < first <= end]


def total(of: Numbers, codes: tuple[str, ...]) -> int | None:
    return sum(of[code] for code in codes) if all(code in of for code in codes) else None


def window_units(window_id: str, folder: Path) -> dict[str, tuple[int, int, int, int]]:
    """Unit -> children looked after and population at the start, then at the end; those with all four above 0."""
    start, end = WINDOWS[window_id]
    counts = looked_after(folder, start), looked_after(folder, end)
    file = PRE_CENSUS if window_id.startswith("orig") else REBASED
    people = children(folder, file, start) if start > 2012 else {}, children(folder, file, end)
    joined = together(start, end)
    at_start = {"+".join(after): before for before, after in joined}
    at_end = {"+".join(after): after for _, after in joined}
    people_at_start = dict(at_start)
    if start == 2012:
        people = children_mid_2011(folder), people[1]
        dorset = ("835", "836", "837")
        at_start["835+836+837"] = at_end["835+836+837"] = dorset
        people_at_start |= {"835+836+837": ("838", "839"), "928": ("940", "941")}
    taken = {code for codes in (*at_start.values(), *at_end.values()) for code in codes}
    for code in set(counts[1]) - taken - {CITY_OF_LONDON, SCILLY}:
        if there(end, code):
            at_start[code] = at_end[code] = (code,)
            people_at_start.setdefault(code, (code,))
    found = {}
    for unit, codes in at_end.items():
        four = (
            total(counts[0], at_start[unit]),
            total(people[0], people_at_start[unit]),
            total(counts[1], codes),
            total(people[1], codes),
        )
        if all(four):
            found[unit] = four
    return found


def summary(window_id: str, units: dict[str, tuple[int, int, int, int]]) -> tuple[dict[str, object], list[str]]:
    start, end = WINDOWS[window_id]
    n0, p0, n1, p1 = (sum(four[at] for four in units.values()) for at in range(4))
    number, rate = n1 / n0, (n1 / p1) / (n0 / p0)
    direction = "no_clear_direction"
    if rate >= 1.02 and number > 1:
        direction = "up"
    if rate <= 1 / 1.02 and number < 1:
        direction = "down"
    own = {unit: (four[2] / four[3]) / (four[0] / four[1]) for unit, four in units.items()}
    up = {unit for unit, ratio in own.items() if ratio >= 1.05}
    down = {unit for unit, ratio in own.items() if ratio <= 1 / 1.05}
    against = {
        "up": {unit for unit in down if own[unit] / rate <= 1 / 1.10},
        "down": {unit for unit in up if own[unit] / rate >= 1.10},
    }.get(direction)
    row: dict[str, object] = {
        "window_id": window_id,
        "window_start": start,
        "window_end": end,
        "units": len(units),
        "looked_after_start": n0,
        "looked_after_end": n1,
        "england_change_pct": 100 * (rate - 1),
        "england_number_change_pct": 100 * (number - 1),
        "england_direction": direction,
        "units_down": len(down),
        "units_up": len(up),
        "units_bucking": "" if against is None else len(against),
        "median_change_pct": 100 * (_median(list(own.values())) - 1),
        "mean_change_log": math.fsum(math.log(ratio) for ratio in own.values()) / len(own),
    }
    return row, sorted(against or ())


def _median(values: list[float]) -> float:
    ordered, n = sorted(values), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def calculate(folder: Path, out: Path) -> None:
    """Write `windows.csv` and `bucking_units.csv` into `out`."""
    found = {window_id: summary(window_id, window_units(window_id, folder)) for window_id in WINDOWS}
    with (out / "windows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found["main_h5"][0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row, _ in found.values())
    with (out / "bucking_units.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["window_id", "unit_id"])
        lines.writerows((window_id, unit) for window_id in LISTED for unit in found[window_id][1])


if __name__ == "__main__":
    calculate(Path(sys.argv[1]), Path(sys.argv[2]))
