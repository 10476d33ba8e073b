"""The change of every region over every window (methods.md C11).

What belongs here: pooling the units of a window by region, and by part of a region for display. What does not: the
changes of units (`trends`) and how unusual they are, which is not given for regions.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline import trends
from pipeline.settings import ClassSettings
from pipeline.tables import evidence_tables
from pipeline.tables.frames import conform

REGION, PART = "region", "part"
_SUMS = ["looked_after_start", "looked_after_end", "population_start", "population_end"]
_OF_WINDOW = ["window_start", "window_end", "england_change_pct", "england_direction", "population_vintage"]


def region_trends(changes: pd.DataFrame, local: pd.DataFrame, classes: ClassSettings) -> pd.DataFrame:
    """`main.region_trends` from the rows of `main.five_year_change` and `core.local_authorities`.

    A unit of several authorities is counted in the region and part of the first.
    """
    newest = local.loc[local["is_newest_code"].astype(bool)].set_index("la_code")
    part_of_code = newest["region_part"].dropna().to_dict()
    parts = changes["unit_id"].str.split("+").str[0].map(part_of_code)
    whole = _pooled(changes.assign(region_level=REGION, part_of=None))
    inner = changes.assign(region_level=PART, part_of=changes["region"], region=parts).loc[parts.notna()]
    rows = pd.concat([whole, _pooled(inner)], ignore_index=True) if len(inner) else whole
    return conform(_with_changes(rows, classes), evidence_tables.REGION_TRENDS)


def _pooled(units: pd.DataFrame) -> pd.DataFrame:
    keys = ["window_id", "region", "region_level", "part_of"]
    grouped = units.groupby(keys, dropna=False, sort=True)
    sums = grouped[_SUMS].sum().astype("int64")
    return sums.join(grouped.size().rename("units")).join(grouped[_OF_WINDOW].first()).reset_index()


def _with_changes(rows: pd.DataFrame, classes: ClassSettings) -> pd.DataFrame:
    counts, people = rows[_SUMS[:2]].to_numpy(dtype=float), rows[_SUMS[2:]].to_numpy(dtype=float)
    rates = 10_000 * counts / people
    change_log = np.log(rates[:, 1] / rates[:, 0])
    relative_log = change_log - np.log1p(rows["england_change_pct"].to_numpy(dtype=float) / 100)
    return rows.assign(
        rate_start=rates[:, 0],
        rate_end=rates[:, 1],
        change_log=change_log,
        change_pct=100 * np.expm1(change_log),
        number_change_pct=100 * (counts[:, 1] / counts[:, 0] - 1),
        change_per_10k=rates[:, 1] - rates[:, 0],
        relative_change_log=relative_log,
        relative_change_pct=100 * np.expm1(relative_log),
        movement=trends.movement(change_log, classes),
        relative=trends.relative_class(relative_log, classes),
    )
