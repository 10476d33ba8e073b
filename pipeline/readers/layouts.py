"""The list of layouts that the project can read, and which of them a file is.

What belongs here: one line a layout module, and the rule that exactly one layout may know a file. What does not: how a
layout knows it (its own module).
"""

from __future__ import annotations

import pandas as pd

from pipeline.errors import Refusal
from pipeline.readers import (
    cla_2010,
    cla_2011_2017,
    cla_since_2018,
    cla_time_series,
    district_lookup,
    district_population,
    hmrc_low_income,
    idaci,
    idaci_2025,
    interactive_tool,
    low_income_families,
    ofsted_history,
    ofsted_outcomes,
    population_age_bands,
    population_dfe,
    spending_ro3,
    spending_s251,
    statistical_neighbours,
)
from pipeline.readers.layout import Layout
from pipeline.readers.opening import Opening

LAYOUTS: list[Layout] = [
    *cla_2010.LAYOUTS,
    *cla_2011_2017.LAYOUTS,
    *cla_since_2018.LAYOUTS,
    *cla_time_series.LAYOUTS,
    *population_dfe.LAYOUTS,
    *population_age_bands.LAYOUTS,
    *hmrc_low_income.LAYOUTS,
    *idaci.LAYOUTS,
    *idaci_2025.LAYOUTS,
    *district_lookup.LAYOUTS,
    *district_population.LAYOUTS,
    *interactive_tool.LAYOUTS,
    *low_income_families.LAYOUTS,
    *ofsted_history.LAYOUTS,
    *ofsted_outcomes.LAYOUTS,
    *spending_s251.LAYOUTS,
    *spending_ro3.LAYOUTS,
    *statistical_neighbours.LAYOUTS,
]
BY_NAME: dict[str, Layout] = {layout.name: layout for layout in LAYOUTS}


def recognise(opening: Opening, file: str | None = None) -> Layout | None:
    """The layout of a file from its opening; None where no layout knows it.

    Raises Refusal where two do: no published file has the headings of both.
    """
    found = claims(opening)
    if len(found) > 1:
        raise Refusal(
            "two_layouts",
            f"it has headings of {' and of '.join(layout.name for layout in found)}",
            file=file,
            remedy="use the file as published; if it is, one of these layouts must learn to leave it to the other",
        )
    return found[0] if found else None


def claims(opening: Opening) -> list[Layout]:
    """All layouts that know a file by its opening."""
    return [layout for layout in LAYOUTS if layout.recognises(opening)]


def empty(publication: str) -> pd.DataFrame:
    """The tidy frame without rows, for a publication that is not there."""
    return next(layout.form for layout in LAYOUTS if layout.publication == publication).frame([])
