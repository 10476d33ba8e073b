"""One authority's story, from the published database.

What belongs here: finding the authority that a person means, and its numbers as data. What does not: how a terminal
shows them (`assets.command`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline import area_names, database
from pipeline.errors import Refusal

_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Profile:
    """An authority with its years and its windows."""

    la_code: str
    la_name: str
    ons_code: str
    region: str
    years: list[database.Record]
    windows: list[database.Record]
    exclusions: list[database.Record]


def find(database_file: Path, wanted: str) -> database.Record:
    """The authority that a name, DfE code or ONS code means.

    Names match kindly: case, punctuation and words like "city council" do not count. Refusal with the nearest names for
    one that is unknown, and with the codes where a name is that of two authorities.
    """
    authorities = database.query(
        database_file,
        "SELECT la_code, la_name, region, list(ons_code ORDER BY ons_code_from) AS ons_codes, max(in_being_to) AS ended"
        " FROM core.local_authorities GROUP BY la_code, la_name, region ORDER BY la_code",
    )
    text = wanted.strip()
    by_code = [row for row in authorities if text.zfill(3) == row["la_code"] or text.upper() in row["ons_codes"]]
    names = [row["la_name"] for row in authorities]
    by_name = [authorities[at] for at in area_names.matching(text, names)]
    for found in (by_code, by_name):
        living = [row for row in found if row["ended"] is None] or found
        if len(living) == 1:
            return living[0]
        if living:
            raise Refusal(
                "ambiguous_name",
                "several authorities have that name: "
                + ", ".join(f"{row['la_name']} ({row['la_code']})" for row in living),
                value=wanted,
                remedy="give the code",
            )
    near = area_names.nearest(text, names)
    raise Refusal(
        "unknown_authority",
        "no authority has that name or code",
        value=wanted,
        remedy=f"did you mean {' or '.join(near)}?" if near else "see core.local_authorities",
    )


def profile(database_file: Path, wanted: str) -> Profile:
    """The authority's years, its windows with England beside it, and where it was left out."""
    row = find(database_file, wanted)
    code = row["la_code"]
    return Profile(
        la_code=code,
        la_name=row["la_name"],
        ons_code=row["ons_codes"][-1],
        region=row["region"],
        years=database.query(
            database_file,
            "SELECT year, looked_after, looked_after_reason, started, ceased, rate_per_10k, release"
            " FROM main.care_numbers WHERE la_code = ? ORDER BY year",
            [code],
        ),
        windows=database.query(
            database_file,
            "SELECT window_id, window_start, window_end, unit_name, looked_after_start, looked_after_end, change_pct,"
            " england_change_pct, relative_change_pct, movement, relative, bucked, england_direction"
            " FROM main.five_year_change WHERE list_contains(string_split(members, '+'), ?)"
            " ORDER BY window_end, window_start",
            [code],
        ),
        exclusions=database.query(
            database_file,
            "SELECT window_start, window_end, rule, reason, detail FROM main.exclusions WHERE la_code = ?"
            " ORDER BY window_end, window_start, step",
            [code],
        ),
    )


def sparkline(values: list[int | float | None]) -> str:
    """One bar a value between the smallest and the largest; a dot where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return "·" * len(values)
    low, spread = min(known), (max(known) - min(known)) or 1
    top = len(_BARS) - 1
    return "".join("·" if value is None else _BARS[round((value - low) / spread * top)] for value in values)
