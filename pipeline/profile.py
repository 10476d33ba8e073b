"""One authority's story, from the published database.

What belongs here: finding the authority that a person means, its numbers as data, and the queries and words that a
terminal and the report share. What does not: how a terminal shows them (`assets.profile_view`), or a page (`report`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline import area_names, database
from pipeline.errors import Refusal

_BARS = "▁▂▃▄▅▆▇█"

# The rows of every authority; a reader of one adds its code as a condition.
JUDGEMENTS = (
    "SELECT la_code, framework, inspection_date, publication_date, overall, safeguarding, looked_after"
    " FROM core.inspections"
)
PROGRAMMES = (
    "SELECT la_code, programme, project, lead_or_partner, start_year, end_year, confidence"
    " FROM core.innovation_programme"
)
EXCLUSIONS = (
    "SELECT la_code, unit_id, window_start, window_end, rule, reason, detail FROM main.exclusions WHERE stage = 'trend'"
)
NEIGHBOURS = (
    "SELECT la_code, neighbour_code, neighbour_name, position FROM core.statistical_neighbours AS n WHERE edition ="
    " (SELECT max(edition) FROM core.statistical_neighbours WHERE la_code = n.la_code)"
)
NO_PROGRAMME = (
    "No evidence of taking part in the Innovation Programme was found, which is not evidence of not taking part."
)
RECALLED = "from general knowledge"


@dataclass(frozen=True)
class Profile:
    """An authority with its years, its windows, and what is known of it besides.

    Each list holds plain records in the order in which they are told; it is empty where nothing is known.
    `neighbours` has the newest year with a median, `deprivation` the levels and changes of its windows.
    """

    la_code: str
    la_name: str
    ons_code: str
    region: str
    years: list[database.Record]
    windows: list[database.Record]
    exclusions: list[database.Record]
    neighbours: list[database.Record]
    neighbour_names: list[str]
    judgements: list[database.Record]
    programmes: list[database.Record]
    deprivation: list[database.Record]


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
    """The authority's years, its windows with England beside it, where it was left out, and what else is known of it."""
    row = find(database_file, wanted)
    code = row["la_code"]

    def rows(sql: str) -> list[database.Record]:
        return database.query(database_file, sql, [code])

    return Profile(
        la_code=code,
        la_name=row["la_name"],
        ons_code=row["ons_codes"][-1],
        region=row["region"],
        years=rows(
            "SELECT year, looked_after, looked_after_reason, started, ceased, rate_per_10k, release"
            " FROM main.care_numbers WHERE la_code = ? ORDER BY year"
        ),
        windows=rows(
            "SELECT window_id, window_start, window_end, unit_name, looked_after_start, looked_after_end, change_pct,"
            " england_change_pct, relative_change_pct, movement, relative, bucked, england_direction, evidence,"
            " evidence_text"
            " FROM main.five_year_change WHERE list_contains(string_split(members, '+'), ?)"
            " ORDER BY window_end, window_start"
        ),
        exclusions=rows(f"{EXCLUSIONS} AND la_code = ? ORDER BY window_end, window_start, step"),
        neighbours=rows(
            "SELECT year, rate_per_10k, neighbour_median_rate_per_10k, neighbours, neighbours_used, region_rate_per_10k,"
            " england_rate_per_10k FROM main.neighbour_comparison WHERE la_code = ? ORDER BY year DESC LIMIT 1"
        ),
        neighbour_names=[row["neighbour_name"] for row in rows(f"{NEIGHBOURS} AND la_code = ? ORDER BY position")],
        judgements=rows(f"{JUDGEMENTS} WHERE la_code = ? ORDER BY publication_date, framework"),
        programmes=rows(f"{PROGRAMMES} WHERE la_code = ? ORDER BY start_year, programme, project"),
        deprivation=rows(
            "SELECT level.window_start, level.window_end, level.measure, level.value AS level_pct,"
            " change.value AS change_points, change.measure AS change_measure"
            " FROM main.exposures AS level JOIN main.exposures AS change"
            "  ON change.window_id = level.window_id AND change.unit_id = level.unit_id"
            "  AND change.variable = 'deprivation_change'"
            " JOIN main.five_year_change AS unit"
            "  ON unit.window_id = level.window_id AND unit.unit_id = level.unit_id"
            " WHERE level.variable = 'deprivation_level' AND level.value IS NOT NULL"
            "  AND list_contains(string_split(unit.members, '+'), ?)"
            " ORDER BY level.window_end, level.window_start"
        ),
    )


def bucked(flag: bool | None, country: str) -> str:
    """What the flag of a window says of a unit; None where the country had no clear direction."""
    return {
        True: f"moved against {country} and parted from it",
        False: "did not buck the national trend",
        None: f"{country} had no clear direction",
    }[flag]


def graded(judgement: database.Record) -> str:
    """The overall grade of a judgement, else those of the services that were graded."""
    services = [
        f"{name.replace('_', ' ')} {judgement[name]}" for name in ("safeguarding", "looked_after") if judgement[name]
    ]
    return judgement["overall"] or ", ".join(services) or "not graded"


def sparkline(values: list[int | float | None]) -> str:
    """One bar a value between the smallest and the largest; a dot where there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return "·" * len(values)
    low, spread = min(known), (max(known) - min(known)) or 1
    top = len(_BARS) - 1
    return "".join("·" if value is None else _BARS[round((value - low) / spread * top)] for value in values)
