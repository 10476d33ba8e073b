"""The reports on local authorities of this country: when they came out and what they said.

What belongs here: a history of reports an authority under the successive frameworks, such that the judgement in force at
the start of the window is the one that the simulation planted with. What does not: how a workbook shows them
(`ofsted_workbooks`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from pipeline.demonstration import atlas
from pipeline.demonstration.country import Country
from pipeline.demonstration.exposures import WINDOW_START
from pipeline.demonstration.gazetteer import TINY_ISLAND, Authority

OUTSTANDING, GOOD, REQUIRES, INADEQUATE = SCALE = (
    "Outstanding", "Good", "Requires improvement to be good", "Inadequate",
)  # fmt: skip
STANDARD, SHORT = "ILACS Standard Inspection", "ILACS Short Inspection"
SLAC, SLAC_AGAIN, CPI, TLAC, SIF, SIF_AGAIN, ILACS = "SLAC", "SLAC again", "CPI", "TLAC", "SIF", "SIF again", "ILACS"
GRADED = {  # what each framework judged, the overall judgement first where it has one
    SLAC: ("safeguarding", "looked_after"),
    SLAC_AGAIN: ("safeguarding",),
    CPI: ("overall",),
    TLAC: ("overall",),
    SIF: ("overall", "help", "looked_after", "adoption", "care_leavers", "leadership", "board"),
    SIF_AGAIN: ("overall", "help", "looked_after", "adoption", "care_leavers", "leadership"),
    ILACS: ("overall", "leadership", "help", "looked_after", "care_leavers"),
}
_STREAM = 13
_WINDOW_DAY = dt.date(WINDOW_START, 3, 31)
_FIRST_OLD_REPORT, _LAST_OLD_REPORT = dt.date(2009, 8, 10), dt.date(2012, 7, 27)
_FIRST_SIF, _LAST_SIF = dt.date(2014, 2, 10), dt.date(2017, 12, 11)
_LAST_SIF_THAT_IS_REPEATED = dt.date(2016, 6, 30)
_FIRST_ILACS_VISIT, _LAST_FIRST_VISIT, _LAST_VISIT = dt.date(2018, 1, 29), dt.date(2021, 10, 4), dt.date(2025, 3, 31)
_PAUSE = (dt.date(2020, 3, 16), dt.date(2021, 5, 31))  # no visits: an epidemic
_CARE_LEAVERS_FROM = dt.date(2023, 1, 1)  # visits from this day on grade care leavers
_LAST_DAY = dt.date(2099, 12, 31)
_CUTS = (1.35, 0.0, -1.15)  # of a standard score, between the four grades
_HAD_CPI, _HAD_TLAC, _HAD_SECOND_LOOK, _IS_REPEATED = 0.33, 0.035, 0.3, 0.75


@dataclass
class Report:
    """One report: grades by what was judged; None where it was not judged. Only ILACS has a day of the visit here."""

    authority: Authority
    framework: str
    published: dt.date
    visited: dt.date | None = None
    kind: str = ""
    grades: dict[str, str | None] = field(default_factory=dict)


def reports(country: Country) -> list[Report]:
    """All reports up to those of visits by 31 March 2025: by authority, each in the order of its frameworks."""
    rng = np.random.default_rng([country.seed, _STREAM])
    found: list[Report] = []
    for lead, authority in zip(atlas.first_pieces(country.members), country.authorities, strict=True):
        good = country.exposures.is_good[lead]
        history = _History(authority, float(rng.normal(0.4 if good == 1 else -0.4, 0.6)), rng)
        found += history.write(None if np.isnan(good) else bool(good))
    return found


class _History:
    """The reports of one authority, whose quality stays what it is but for chance."""

    def __init__(self, authority: Authority, quality: float, rng: np.random.Generator) -> None:
        self.authority, self.quality, self.rng = authority, quality, rng
        self.begins = dt.date.fromisoformat(authority.begins)
        ends = dt.date.fromisoformat(authority.ends) if authority.ends else _LAST_DAY
        self.last_day = ends - dt.timedelta(days=1)
        self.is_old = self.begins <= _FIRST_OLD_REPORT

    def write(self, is_good_at_start: bool | None) -> list[Report]:
        """All reports; `is_good_at_start` is what the one in force at the start of the window has to say."""
        single = self._single_inspections() if self.is_old else []
        full = [*single, *self._ilacs()]
        in_force = [report for report in full if report.published <= _WINDOW_DAY]
        for report in full:
            is_the_one = bool(in_force) and report is in_force[-1]
            if is_the_one or not report.grades:
                self._grade(report, is_good_at_start if is_the_one else None)
        self._settle_kinds(full)
        return [*(self._before_2014() if self.is_old else []), *full]

    def _before_2014(self) -> list[Report]:
        found = [self._report(SLAC, self._between(_FIRST_OLD_REPORT, _LAST_OLD_REPORT))]
        self._grade(found[0])
        if self.authority.code == TINY_ISLAND:
            found[0].grades["looked_after"] = None
        if found[0].grades["safeguarding"] == INADEQUATE and self.rng.random() < _HAD_SECOND_LOOK:
            found.append(self._report(SLAC_AGAIN, found[0].published + dt.timedelta(days=420)))
        if self.rng.random() < _HAD_CPI:
            found.append(self._report(CPI, self._between(dt.date(2012, 8, 6), dt.date(2013, 8, 23))))
        if self.rng.random() < _HAD_TLAC:
            found.append(self._report(TLAC, self._between(dt.date(2013, 8, 26), dt.date(2013, 12, 9))))
        for report in found[1:]:
            self._grade(report)
        return found

    def _single_inspections(self) -> list[Report]:
        first = self._report(SIF, self._between(_FIRST_SIF, _LAST_SIF))
        self._grade(first)
        if (
            first.grades["overall"] == INADEQUATE
            and first.published <= _LAST_SIF_THAT_IS_REPEATED
            and self.rng.random() < _IS_REPEATED
        ):
            later = dt.timedelta(days=int(self.rng.integers(540, 790)))
            return [first, self._report(SIF_AGAIN, first.published + later)]
        return [first]

    def _ilacs(self) -> list[Report]:
        """Visits every three years or so, none in the pause; a new authority's first within three years."""
        if self.is_old:
            visit = self._between(_FIRST_ILACS_VISIT, _LAST_FIRST_VISIT)
        else:
            visit = self.begins + dt.timedelta(days=int(self.rng.integers(440, 600)))
        found: list[Report] = []
        while True:
            if _PAUSE[0] <= visit <= _PAUSE[1]:
                visit += _PAUSE[1] - _PAUSE[0]
            visit -= dt.timedelta(days=visit.weekday())
            published = visit + dt.timedelta(days=int(self.rng.integers(38, 46)))
            if visit > _LAST_VISIT or published > self.last_day:
                return found
            found.append(self._report(ILACS, published, visit))
            visit += dt.timedelta(days=int(self.rng.integers(990, 1300)))

    def _between(self, first: dt.date, last: dt.date) -> dt.date:
        return first + dt.timedelta(days=int(self.rng.integers(0, (last - first).days + 1)))

    def _report(self, framework: str, published: dt.date, visited: dt.date | None = None) -> Report:
        return Report(self.authority, framework, published, visited)

    def _grade(self, report: Report, must_be_good: bool | None = None) -> None:
        overall = self._step(self.quality + 0.7 * float(self.rng.standard_normal()))
        if must_be_good is not None and (overall <= 1) != must_be_good:
            overall = 1 if must_be_good else 2
        report.grades = {}
        for judged in GRADED[report.framework]:
            off = int(self.rng.choice((-1, 0, 0, 0, 1))) if judged != "overall" else 0
            report.grades[judged] = SCALE[min(max(overall + off, 0), 3)]
        if report.visited and report.visited < _CARE_LEAVERS_FROM:
            del report.grades["care_leavers"]
        if self.authority.code == TINY_ISLAND and report.framework == SIF:
            report.grades |= dict.fromkeys(("looked_after", "adoption", "care_leavers"))

    def _step(self, score: float) -> int:
        return sum(score < cut for cut in _CUTS)

    def _settle_kinds(self, full: list[Report]) -> None:
        """A short inspection follows a good judgement, a standard one any other."""
        for before, report in zip([None, *full], full, strict=False):
            if report.framework == ILACS:
                is_short = before is not None and before.grades["overall"] in (OUTSTANDING, GOOD)
                report.kind = SHORT if is_short else STANDARD
