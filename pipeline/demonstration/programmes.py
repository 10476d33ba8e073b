"""Who took part in the Innovation Programme and its successors, as a compiled table has it.

What belongs here: the rows of that table, from the truth of who took part in the first two rounds. What does not: that
truth (`exposures`).

The table names an authority under its area code of 2017, and of one that changed its code the older one. Rows from
general knowledge ("recalled") stand among those from published sources, and the truth counts the published ones alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.demonstration import atlas
from pipeline.demonstration.country import Country
from pipeline.demonstration.gazetteer import Authority
from pipeline.demonstration.printing import Row

_HEADER = (
    "la_name", "ons_code", "programme", "project", "lead_or_partner", "start_year", "end_year", "evidence", "confidence",
)  # fmt: skip
_AUTHORITIES_OF, _CODES_OF = "2017-03-31", "2013-03-31"
_STREAM = 14
_KINDS = ("Families", "Futures", "Homes", "Futures Together", "Bridge", "Circle")
_PLACES = ("Harbour", "Lantern", "Orchard", "Beacon", "Rowan", "Ferry", "Meadow")
_PROJECTS = tuple(f"{place} {kind}" for place in _PLACES for kind in _KINDS)
_ONLY_SECOND_ROUND, _BOTH_ROUNDS = 0.35, 0.35  # of those that took part; the rest was in the first round alone
_PARTNERS, _STRENGTHENING, _RECALLED = 0.12, 0.11, 0.08  # of all authorities; recalled: of those that took no part
_LEADS = 0.4
_RECALLED_PARTNERS = 0.15


@dataclass(frozen=True)
class Programme:
    """A programme: the word for it, the years in which its projects began, how long they ran."""

    word: str
    starts: tuple[int, ...]
    years: int


_ROUND_1 = Programme("innovation_r1", (2014, 2015), 2)
_ROUND_2 = Programme("innovation_r2", (2016, 2017, 2018), 3)
_PARTNERS_IN_PRACTICE = Programme("partners_in_practice", (2016, 2018), 3)
_SFPC = Programme("sfpc", (2019, 2020, 2021), 4)


def programme_rows(country: Country) -> list[Row]:
    """Build the table: one row an authority, programme and project."""
    rng = np.random.default_rng([country.seed, _STREAM])
    rows: list[Row] = [_HEADER]
    for lead, authority in zip(atlas.first_pieces(country.members), country.authorities, strict=True):
        if authority.in_being(_AUTHORITIES_OF):
            rows += _of_authority(authority, bool(country.exposures.takes_part[lead]), rng)
    return rows


def _of_authority(authority: Authority, takes_part: bool, rng: np.random.Generator) -> list[Row]:
    rows: list[Row] = []
    if takes_part:
        drawn = rng.random()
        rounds = [_ROUND_2] if drawn < _ONLY_SECOND_ROUND else [_ROUND_1]
        if _ONLY_SECOND_ROUND <= drawn < _ONLY_SECOND_ROUND + _BOTH_ROUNDS:
            rounds.append(_ROUND_2)
        for one in rounds:
            rows += [_row(authority, one, at, rng) for at in _projects(rng, 2 if rng.random() < 0.25 else 1)]
    elif rng.random() < _RECALLED:
        rows.append(_row(authority, _ROUND_2, _projects(rng, 1)[0], rng, is_recalled=True))
    if rng.random() < _PARTNERS:
        is_recalled = rng.random() < _RECALLED_PARTNERS
        rows.append(_row(authority, _PARTNERS_IN_PRACTICE, None, rng, is_recalled=is_recalled))
    if rng.random() < _STRENGTHENING:
        rows.append(_row(authority, _SFPC, _projects(rng, 1)[0], rng))
    return rows


def _projects(rng: np.random.Generator, number: int) -> list[int]:
    return [int(at) for at in rng.choice(len(_PROJECTS), number, replace=False)]


def _row(
    authority: Authority,
    programme: Programme,
    project: int | None,
    rng: np.random.Generator,
    *,
    is_recalled: bool = False,
) -> Row:
    start = int(rng.choice(programme.starts))
    name = f"cohort of {start}" if project is None else _PROJECTS[project]
    evidence = f"invented project page: {name}" + ("; recalled" if is_recalled else "")
    part = "lead" if rng.random() < _LEADS else "partner"
    return (authority.name, authority.area_code_on(_CODES_OF), programme.word, name, part, start,
            start + programme.years, evidence, "recalled" if is_recalled else "published")  # fmt: skip
