"""The Innovation Programme and its successors: who is known to have taken part, and which units count as having done so.

What belongs here: checking the compiled table, and the rules of methods.md D3 for taking part. What does not: the model
that uses it, and any effect of taking part, which these rows cannot show.

No row means that no evidence was found, not that an authority did not take part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.area_names import AreaNames
from pipeline.errors import Refusal
from pipeline.geography import Areas, Unit
from pipeline.readers.cells import Place
from pipeline.reference_tables import ReferenceTable
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform

ROUND_1, ROUND_2, PARTNERS_IN_PRACTICE, SFPC = "innovation_r1", "innovation_r2", "partners_in_practice", "sfpc"
# Calendar year in which each programme began to fund (README of the compiled table); no project of it is older.
PROGRAMMES = {ROUND_1: 2014, ROUND_2: 2016, PARTNERS_IN_PRACTICE: 2015, SFPC: 2019}
LEAD, PARTNER = "lead", "partner"
PUBLISHED, RECALLED = "published", "recalled"
_LONGEST_YEARS = 10  # twice the longest project of the table: a slip of a digit is more

BY_START, EVER = "by_t0", "ever"
INHERITED_SHARE = 0.25  # of the old area's children; below it a successor is mostly an area that did not take part

_WORDS = {"programme": tuple(PROGRAMMES), "lead_or_partner": (LEAD, PARTNER), "confidence": (PUBLISHED, RECALLED)}


# ---------------------------------------------------------------------------------------------------------------------
# The compiled table


def core(table: ReferenceTable, local: pd.DataFrame, names: AreaNames) -> pd.DataFrame:
    """`core.innovation_programme` from the compiled table and `core.local_authorities`.

    Areas are joined by ONS code, and the name must be one of that authority. Raises Refusal for an area or word that is
    not known, for a name of another area, for years that cannot be, and for an authority twice in one project.
    """
    code_of = dict(zip(local["ons_code"], local["la_code"], strict=True))
    newest = local.loc[local["is_newest_code"].astype(bool)]
    name_of = dict(zip(newest["la_code"], newest["la_name"], strict=True))
    seen: dict[tuple[str, str, str], int] = {}
    rows = []
    for row in table.frame.itertuples():
        code = code_of.get(row.ons_code)
        if code is None:
            raise table.bad_cell(row, "ons_code", "the code is not in the lookup of local authorities")
        names.refuse_other(row.la_name, code, Place(table.file, row.source_row, "la_name"))
        for column, words in _WORDS.items():
            if getattr(row, column) not in words:
                raise table.bad_cell(row, column, f"this is none of {', '.join(words)}")
        for column in ("project", "evidence"):
            if not getattr(row, column):
                raise table.bad_cell(row, column, "the cell is blank")
        start, end = _years(table, row)
        key = (code, row.programme, row.project)
        if key in seen:
            raise table.bad_cell(
                row, "project", f"row {seen[key]} has the same authority, programme and project already"
            )
        seen[key] = row.source_row
        rows.append(
            {
                "la_code": code,
                "ons_code": row.ons_code,
                "la_name": name_of[code],
                "programme": row.programme,
                "project": row.project,
                "lead_or_partner": row.lead_or_partner,
                "start_year": start,
                "end_year": end,
                "evidence": row.evidence,
                "confidence": row.confidence,
                "source_sha256": table.sha256,
                "source_row": row.source_row,
            }
        )
    declared = covariate_tables.INNOVATION_PROGRAMME
    return conform(pd.DataFrame(rows, columns=declared.column_names), declared)


def _years(table: ReferenceTable, row: object) -> tuple[int, int]:
    years = {}
    for column in ("start_year", "end_year"):
        text = getattr(row, column)
        if not (text.isascii() and text.isdigit() and len(text) == 4):
            raise table.bad_cell(row, column, "this is not a year")
        years[column] = int(text)
    start, end = years["start_year"], years["end_year"]
    programme = row.programme  # type: ignore[attr-defined]
    if start < PROGRAMMES[programme]:
        raise table.bad_cell(row, "start_year", f"{programme} began in {PROGRAMMES[programme]}")
    if not start <= end <= start + _LONGEST_YEARS:
        raise table.bad_cell(row, "end_year", f"a project that began in {start} did not end then")
    return start, end


# ---------------------------------------------------------------------------------------------------------------------
# Taking part


@dataclass(frozen=True)
class Rule:
    """What counts as taking part.

    `timing`: by_t0, begun in the calendar year before the window's start or earlier (the year of the start itself could be
    before or after 31 March); ever, the same at its end. `recalled` also counts rows from general knowledge.
    """

    timing: str = BY_START
    programmes: tuple[str, ...] = (ROUND_1, ROUND_2)
    lead_only: bool = False
    recalled: bool = False

    def latest_start(self, window_start: int, window_end: int) -> int:
        """The last calendar year in which a project may have begun. ValueError for an unknown timing."""
        if self.timing not in (BY_START, EVER):
            raise ValueError(f"timing is {BY_START} or {EVER}, not {self.timing}")
        return (window_start if self.timing == BY_START else window_end) - 1

    def rows(self, programme: pd.DataFrame, window_start: int, window_end: int) -> pd.DataFrame:
        """The rows of `core.innovation_programme` that count in a window. ValueError for an unknown programme."""
        unknown = set(self.programmes) - set(PROGRAMMES)
        if unknown:
            raise ValueError(f"no such programme: {', '.join(sorted(unknown))}")
        counts = programme["programme"].isin(self.programmes)
        counts &= programme["start_year"] <= self.latest_start(window_start, window_end)
        if self.lead_only:
            counts &= programme["lead_or_partner"] == LEAD
        if not self.recalled:
            counts &= programme["confidence"] == PUBLISHED
        return programme.loc[counts]


def participation(
    programme: pd.DataFrame,
    units: Sequence[Unit],
    areas: Areas,
    shares: Mapping[tuple[str, str], float],
    window_start: int,
    window_end: int,
    rule: Rule | None = None,
) -> pd.DataFrame:
    """Which units of a window count as having taken part under a rule; one row a unit, in the order given.

    A unit takes part if a member did, or a predecessor that passes it on (`heirs`). Columns: unit_id; participates, False
    where there is no evidence; projects, the number of distinct projects of all of them, a project of two programmes
    being two; first_start_year, missing where there is none; as_of, the last calendar year that counts. `shares` is from
    `geography.split_shares`.
    """
    rule = rule or Rule()
    projects: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    rows = rule.rows(programme, window_start, window_end)
    for origin, name, project, start in rows[["la_code", "programme", "project", "start_year"]].itertuples(index=False):
        for code in heirs(origin, areas, shares):
            projects[code][name, project] = min(start, projects[code].get((name, project), start))
    records = []
    for unit in units:
        own: dict[tuple[str, str], int] = {}
        for code in unit.members:
            for project, start in projects.get(code, {}).items():
                own[project] = min(start, own.get(project, start))
        records.append((unit.unit_id, bool(own), len(own), min(own.values(), default=pd.NA)))
    frame = pd.DataFrame(records, columns=["unit_id", "participates", "projects", "first_start_year"])
    return frame.astype(
        {"unit_id": "string", "participates": "bool", "projects": "int64", "first_start_year": "Int64"}
    ).assign(as_of=rule.latest_start(window_start, window_end))


def heirs(code: str, areas: Areas, shares: Mapping[tuple[str, str], float]) -> frozenset[str]:
    """The authority and the successors that its taking part passes to: all of a merge, the larger ones of a split.

    Raises Refusal where the share of a successor is not known.
    """
    successors = sorted({change.new for change in areas.changes if change.old == code})
    found = {code}
    for successor in successors:
        if len(successors) == 1 or _share(code, successor, areas, shares) >= INHERITED_SHARE:
            found |= heirs(successor, areas, shares)
    return frozenset(found)


def _share(code: str, successor: str, areas: Areas, shares: Mapping[tuple[str, str], float]) -> float:
    if (code, successor) not in shares:
        raise Refusal(
            "no_split_share",
            f"{areas.names.get(code, code)} ({code}) was divided, and the share of its children that "
            f"{areas.names.get(successor, successor)} ({successor}) has got is not known",
            file="split_child_weights_2016.csv",
            column="share_of_old_children",
            remedy="add the share to data/raw/reference",
        )
    return shares[code, successor]
