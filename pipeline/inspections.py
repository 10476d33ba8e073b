"""Ofsted's judgements on local authorities, and which of them was in force on a day (methods.md D3).

What belongs here: which file a framework's judgements are taken from, what was in force when, and the two gradings of
2009 to 2012 as one. What does not: reading the workbooks (`readers`) and what a judgement is set against (`exposures`).

A judgement is in force from the day its report is published until the next full inspection of the same authority is.
Visits, focused or for monitoring, carry no grade and are in no table here. A new authority has none until its own first
report; one that has ended keeps its last.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import pandas as pd

from pipeline.readers import ofsted_outcomes
from pipeline.readers.judgements import FRAMEWORKS, GRADES, ILACS, SIF, SIF_AGAIN, SLAC, SLAC_AGAIN
from pipeline.reasons import NOT_APPLICABLE, NOT_AVAILABLE
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform

FULL_INSPECTIONS = (SIF, SIF_AGAIN, ILACS)  # those with one overall judgement of all services
_NO_OVERALL = (SLAC, SLAC_AGAIN)
_PLACE_ON_SCALE = {grade: place for place, grade in enumerate(GRADES)}
_KEY = ["la_code", "publication_date"]


def inspections(tidy: pd.DataFrame) -> pd.DataFrame:
    """`core.inspections` from the judgements of all workbooks.

    ILACS is from the newest inspection outcomes, which have inspection dates; without such a workbook, and for all other
    frameworks, from the newest workbook that has it.
    """
    own = pd.concat([_newest(rows) for _, rows in tidy.groupby("framework")]) if len(tidy) else tidy
    frame = own.assign(
        overall_reason=pd.NA,
        inspection_date_reason=own["inspection_date"].isna().map({True: NOT_AVAILABLE, False: pd.NA}),
        worse_grade=[_worse(*grades) for grades in own[["safeguarding", "looked_after"]].itertuples(index=False)],
    )
    frame.loc[frame["overall"].isna(), "overall_reason"] = NOT_AVAILABLE
    frame.loc[frame["framework"].isin(_NO_OVERALL), "overall_reason"] = NOT_APPLICABLE
    return conform(frame, covariate_tables.INSPECTIONS)


def compared(tidy: pd.DataFrame) -> pd.DataFrame:
    """`core.inspections_compared`: ILACS judgements of every workbook that `inspections` does not take them from."""
    ilacs = tidy.loc[tidy["framework"] == ILACS]
    newest = _newest(ilacs)
    others = ilacs.loc[~ilacs["source_sha256"].isin(newest["source_sha256"])]
    columns = [*_KEY, "overall", "release", "source_sha256"]
    joined = others.merge(newest[columns], how="left", on=_KEY, suffixes=("", "_taken"), validate="many_to_one")
    frame = joined.rename(columns={"overall_taken": "taken_overall", "release_taken": "taken_release"}).assign(
        agrees=(joined["overall"] == joined["overall_taken"]).fillna(False),
        reason=joined["overall_taken"].isna().map({True: NOT_AVAILABLE, False: pd.NA}),
    )
    return conform(frame, covariate_tables.INSPECTIONS_COMPARED)


def in_force(inspections: pd.DataFrame, day: dt.date, frameworks: Collection[str] = FULL_INSPECTIONS) -> pd.DataFrame:
    """The overall judgement of each authority in force on a day: la_code, overall, framework, publication_date.

    It is the one with the latest publication date on or before the day, whenever the inspection was. An authority that
    has none yet has no row. One row an authority, in code order.
    """
    eligible = inspections["framework"].isin(frameworks) & inspections["overall"].notna()
    return _latest(inspections.loc[eligible], day)[["la_code", "overall", "framework", "publication_date"]]


def slac_worse_in_force(inspections: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """The worse of the two grades of safeguarding and looked after children in force on a day, by authority.

    Each grade is the newest of its own, so that a re-inspection of one service stands beside the first grade of the
    other. The word "Requires improvement to be good" was "adequate" when the grade was made. A row an authority: la_code,
    worse_grade, safeguarding, looked_after, publication_date (of the later one), reason (not_available where one of the
    two services was not judged: then there is no worse grade).
    """
    slac = inspections.loc[inspections["framework"].isin(_NO_OVERALL)]
    grades = [
        _latest(slac.loc[slac[service].notna()], day)
        .set_index("la_code")[[service, "publication_date"]]
        .rename(columns={"publication_date": f"{service}_date"})
        for service in ("safeguarding", "looked_after")
    ]
    both = grades[0].join(grades[1], how="outer").reset_index()
    both["worse_grade"] = pd.array(
        [_worse(*pair) for pair in both[["safeguarding", "looked_after"]].itertuples(index=False)], dtype="string"
    )
    both["publication_date"] = [
        max(date for date in dates if pd.notna(date))
        for dates in both[["safeguarding_date", "looked_after_date"]].itertuples(index=False)
    ]
    both["reason"] = both["worse_grade"].isna().map({True: NOT_AVAILABLE, False: pd.NA}).astype("string")
    return both[["la_code", "worse_grade", "safeguarding", "looked_after", "publication_date", "reason"]]


def _latest(inspections: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """The row of each authority published last, not after the day. Two of one day: the later framework."""
    rows = inspections.loc[inspections["publication_date"] <= day]
    order = rows.assign(order=rows["framework"].map(FRAMEWORKS.index)).sort_values([*_KEY, "order"])
    return order.drop_duplicates("la_code", keep="last").reset_index(drop=True)


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the one workbook that counts: the newest inspection outcomes if there are any, else the newest there is."""
    outcomes = rows.loc[rows["layout"] == ofsted_outcomes.LAYOUT]
    among = outcomes if len(outcomes) else rows
    return among.loc[among["release"] == among["release"].max()]


def _worse(first: object, second: object) -> object:
    """The grade that stands later on the scale; missing where either is."""
    if pd.isna(first) or pd.isna(second):
        return pd.NA
    return max(str(first), str(second), key=_PLACE_ON_SCALE.__getitem__)
