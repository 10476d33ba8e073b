"""Spending on children's services by authority: the returns in one table, and spending a child in the panel.

What belongs here: shaping what the spending readers return into `core.spending`, which definition a year's figure is on,
and pounds per child. What does not: reading the files (`readers.spending_s251`, `readers.spending_ro3`).

Spending a child is the total expenditure on children looked after of the section 251 return, for it is the one figure
that there is for every year: in the return's own files, and after them in the interactive tool, which gives the same
figure rounded to a pound. Net expenditure and the revenue outturn stand in `core.spending` alone: the outturn divides
spending among services in another way, so that the two must not be joined.
"""

from __future__ import annotations

import pandas as pd

from pipeline import coverage, geography, interactive_tool
from pipeline.geography import Areas
from pipeline.readers import spending_ro3, spending_s251
from pipeline.readers.spending_form import LOOKED_AFTER, TOTAL
from pipeline.reasons import NOT_AVAILABLE
from pipeline.tables import covariate_tables
from pipeline.tables.frames import conform

SECTION_251, REVENUE_OUTTURN = "section_251", "revenue_outturn"
_SOURCE_OF_LAYOUT = {spending_s251.LAYOUT: SECTION_251, spending_ro3.LAYOUT: REVENUE_OUTTURN}
TOOL_MEASURE = "looked_after_expenditure"
# Adoption and special guardianship moved into children looked after with 2013; lines were divided anew with 2018.
_S251_DEFINITIONS = ((2012, "s251_to_2012"), (2017, "s251_2013_to_2017"))
_S251_NEWEST = "s251_from_2018"
DEFINITIONS = (*(name for _, name in _S251_DEFINITIONS), _S251_NEWEST, "ro3")
BASES = (*(name for _, name in _S251_DEFINITIONS), _S251_NEWEST, "interactive_tool")


def authorities(tidy: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    """`core.spending` from the cells of both returns; without rows where there is no file.

    Raises Refusal for a file without a row for an authority in being at the end of its financial year, but for those
    too small.
    """
    for _, rows in tidy.groupby("source_file"):
        _refuse_missing_authorities(rows, areas)
    source = tidy["layout"].map(_SOURCE_OF_LAYOUT).astype("string")
    rows = tidy.rename(columns={"area_code": "la_code", "area_name": "la_name", "value": "value_pounds"}).assign(
        source=source,
        definition=pd.array(
            [_definition(name, year) for name, year in zip(source, tidy["year"], strict=True)], dtype="string"
        ),
        reason=tidy["marker"].map(spending_ro3.SYMBOLS).astype("string"),
    )
    return conform(rows, covariate_tables.SPENDING)


def per_child(rows: pd.DataFrame, spending: pd.DataFrame, tool: pd.DataFrame) -> pd.DataFrame:
    """`rows` of the panel with spending_per_child (pounds of the day), spending_basis and spending_reason.

    The files of the return come first, the newest edition of the interactive tool where they do not reach. The
    population is the panel's, of the mid-year within the financial year; without one there is no figure.
    """
    joined = rows.merge(expenditure(spending, tool), how="left", on=["la_code", "year"], validate="1:1")
    people = joined["population_0_17"].astype("Float64").astype("float64")
    joined["spending_per_child"] = joined["pounds"] / people.where(people > 0)
    known = joined["spending_per_child"].notna()
    no_pounds = joined["pounds_reason"].fillna(NOT_AVAILABLE)
    joined["spending_reason"] = no_pounds.where(joined["pounds"].isna(), joined["population_reason"]).mask(known)
    joined["spending_basis"] = joined["spending_basis"].where(known)
    return joined.drop(columns=["pounds", "pounds_reason"])


def expenditure(spending: pd.DataFrame, tool: pd.DataFrame) -> pd.DataFrame:
    """Total expenditure on children looked after, a row an authority and year.

    pounds, pounds_reason (why there are none) and spending_basis, which is one for all authorities of a year.
    """
    own = spending.loc[
        (spending["source"] == SECTION_251) & (spending["measure"] == LOOKED_AFTER) & (spending["amount"] == TOTAL)
    ]
    files = pd.DataFrame(
        {
            "la_code": own["la_code"],
            "year": own["year"],
            "pounds": own["value_pounds"],
            "pounds_reason": own["reason"],
            "spending_basis": own["definition"],
        }
    )
    later = interactive_tool.newest_edition(tool.loc[tool["measure"] == TOOL_MEASURE])
    later = later.loc[~later["year"].isin(files["year"])]
    told = pd.DataFrame(
        {
            "la_code": later["la_code"],
            "year": later["year"],
            "pounds": later["value"],
            "pounds_reason": later["reason"],
            "spending_basis": pd.Series("interactive_tool", index=later.index, dtype="string"),
        }
    )
    return pd.concat([files, told], ignore_index=True)


def _definition(source: str, year: int) -> str:
    if source == REVENUE_OUTTURN:
        return "ro3"
    return next((name for last, name in _S251_DEFINITIONS if year <= last), _S251_NEWEST)


def _refuse_missing_authorities(rows: pd.DataFrame, areas: Areas) -> None:
    first = rows.iloc[0]
    day = geography.stock_day(int(first["year"]))  # the financial year ends on the same day
    coverage.refuse_missing(set(rows["area_code"]), areas, day, str(first["source_file"]), but=areas.too_small)
