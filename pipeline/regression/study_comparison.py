"""What the study of 2018 said, beside what the same years show here (methods.md A1, D2, G).

What belongs here: the published claims with their source, and our figure for each. What does not: the tests behind our
figures (`univariate`) and the changes (`trends`, `region_trends`).

The study is Wijedasa, Warner and Scourfield (2018). It looked at the five reporting years 2012/13 to 2016/17, which can be
read as four yearly steps or as five, so every claim about a period stands beside both windows. Its rules are not
published to the digit: nothing here is tuned to meet its figures, and a difference is left as it is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.region_trends import REGION
from pipeline.regression import observations, terms, univariate
from pipeline.tables import model_tables, shared_columns
from pipeline.tables.frames import conform

Integers = npt.NDArray[np.int64]
Row = dict[str, Any]

WINDOWS = ("orig_h4", "orig_h5")
STUDY = (
    "Wijedasa, Warner and Scourfield (2018), Exploratory analyses of the rates of children looked after in English local "
    "authorities (2012-2017), What Works Centre for Children's Social Care"
)
FIRST_RELEASE = "Department for Education, children looked after in England, first release of the year"
OFTEN_QUOTED = "Department for Education, as it is often quoted, rounded to 100"
POSITIVE, NEGATIVE, NONE = "positive", "negative", "none"
NOT_AVAILABLE = "not_available"

SERIES, SUM = "national_series", "sum_of_authorities"
_NO_RULES = "The study's rules of rounding and of joining or leaving out authorities are not published."


@dataclass(frozen=True, slots=True)
class Share:
    """A share of authorities: the published per cent, and what counts as such by whole-number rates and by `movement`."""

    claim: str
    published: float
    statement: str
    sign: int
    movement: str


@dataclass(frozen=True, slots=True)
class Region:
    """The region that moved most: `is_fall` looks for the largest fall, else for the largest rise."""

    claim: str
    published: str
    statement: str
    is_fall: bool


@dataclass(frozen=True, slots=True)
class Association:
    """One variable of M0 and the sign that the study's words imply for it; `note` says how ours differs."""

    term: str
    sign: str
    statement: str
    note: str


SHARES = (
    Share("share_up", 60, "rates rose in 60% of local authorities", 1, "up"),
    Share("share_same", 4, "rates stayed the same in 4% of local authorities", 0, "little_change"),
    Share("share_down", 36, "rates fell in 36% of local authorities", -1, "down"),
)
REGIONS = (
    Region("region_that_fell_most", "London", "the rate fell most in London", True),
    Region("region_that_rose_most", "North East", "the rate rose most in the North East", False),
)
ASSOCIATIONS = (
    Association(
        terms.DEPRIVATION_CHANGE,
        POSITIVE,
        "a fall of the rate went with falling child poverty",
        "Ours is HMRC's local measure a year before either end of the window; the study may have taken another measure or "
        "other years.",
    ),
    Association(
        terms.INNOVATION,
        NEGATIVE,
        "a fall of the rate went with taking part in the Innovation Programme",
        "The programme began in 2014, within the window: taking part may follow the change. Ours counts authorities that a "
        "published source names.",
    ),
    Association(
        terms.OFSTED_GOOD,
        NEGATIVE,
        "a fall of the rate went with higher Ofsted ratings",
        "Ours is the judgement in force at the start, the worse of two grades of the inspections before 2013; which "
        "judgement the study took is not known.",
    ),
    Association(
        "ofsted_good_at_end",
        NEGATIVE,
        "a fall of the rate went with higher Ofsted ratings",
        "Ours is the judgement in force at the end, most of them given within the window: it may follow the change.",
    ),
)
# Children looked after in England on 31 March: the number as it was published, and where.
NUMBERS = {
    1997: (50_900, OFTEN_QUOTED),
    2012: (67_050, FIRST_RELEASE),
    2013: (68_110, FIRST_RELEASE),
    2017: (72_670, FIRST_RELEASE),
}


def study_comparison(
    changes: pd.DataFrame, regions: pd.DataFrame, associations: pd.DataFrame, national: pd.DataFrame
) -> pd.DataFrame:
    """`main.study_comparison`, from `main.five_year_change`, `region_trends`, `univariate_associations`, `national_trend`.

    A claim whose window is not computed, or whose year has no number, has the reason and no figure of ours.
    """
    rows = []
    for window_id in WINDOWS:
        units = changes.loc[changes["window_id"] == window_id]
        own_regions = regions.loc[(regions["window_id"] == window_id) & (regions["region_level"] == REGION)]
        tested = associations.loc[
            (associations["window_id"] == window_id) & (associations["outcome"] == observations.LOG_RATE_RATIO)
        ].set_index("term")
        found = [*_shares(units), *_regions(own_regions, len(units)), *_associations(tested)]
        rows += [_of_window(window_id, units) | row for row in found]
    rows += _numbers(national)
    places = {claim: place for place, claim in enumerate(dict.fromkeys(row["claim"] for row in rows), start=1)}
    table = model_tables.STUDY_COMPARISON
    framed = pd.DataFrame([row | {"position": places[row["claim"]]} for row in rows], columns=table.column_names)
    return conform(framed, table)


def _of_window(window_id: str, units: pd.DataFrame) -> Row:
    row: Row = {"period": window_id, "window_id": window_id, "source": STUDY}
    if units.empty:
        return row
    return row | {name: units[name].iloc[0] for name in ("window_start", "window_end", "population_vintage")}


# ---------------------------------------------------------------------------------------------------------------------
# Shares of authorities


def whole_number_rates(counts: Integers, people: Integers) -> Integers:
    """10,000 N / P of each as the publisher prints it: halves up, in whole numbers throughout, so that no half is lost."""
    return (20_000 * counts + people) // (2 * people)


def _shares(units: pd.DataFrame) -> Iterator[Row]:
    start, end = (
        whole_number_rates(*(units[f"{name}_{at}"].to_numpy(dtype=np.int64) for name in ("looked_after", "population")))
        for at in ("start", "end")
    )
    directions = np.sign(end - start)
    for share in SHARES:
        row: Row = {
            "claim": share.claim,
            "statement": share.statement,
            "published_value": share.published,
            "unit_of_value": shared_columns.PER_CENT,
            "n": len(units),
            "note": f"{_NO_RULES} By whole-number rates the same is a rate that rounds to the same number at both ends; by "
            "movement it is a change under 5%.",
        }
        if units.empty:
            yield row | {"ours": "", "reason": NOT_AVAILABLE}
            continue
        by_rates, by_movement = int((directions == share.sign).sum()), int((units["movement"] == share.movement).sum())
        yield row | {
            "ours": f"{by_rates} of {len(units)} units by whole-number rates, {by_movement} by movement",
            "ours_by_whole_number_rates": 100 * by_rates / len(units),
            "ours_by_movement": 100 * by_movement / len(units),
        }


# ---------------------------------------------------------------------------------------------------------------------
# Regions and associations


def _regions(regions: pd.DataFrame, n: int) -> Iterator[Row]:
    for claim in REGIONS:
        row: Row = {
            "claim": claim.claim,
            "statement": claim.statement,
            "unit_of_value": shared_columns.PER_CENT,
            "n": n,
            "note": "Units pooled by region, see main.region_trends; the study may have averaged authorities.",
        }
        if regions.empty:
            yield row | {"ours": "", "reason": NOT_AVAILABLE}
            continue
        changed = regions.set_index("region")["change_pct"].astype(float)
        name = changed.idxmin() if claim.is_fall else changed.idxmax()
        yield row | {
            "ours": f"{name}: {changed[name]:+.1f}% ({claim.published}: {_told(changed, claim.published)})",
            "ours_value": changed[name],
            "agrees": name == claim.published,
        }


def _told(changed: pd.Series, region: str) -> str:
    return f"{changed[region]:+.1f}%" if region in changed else "no such region"


def _associations(tested: pd.DataFrame) -> Iterator[Row]:
    for claim in ASSOCIATIONS:
        row: Row = {
            "claim": f"goes_with_{claim.term}",
            "statement": claim.statement,
            "published_sign": claim.sign,
            "note": claim.note,
            "n": 0,
            "unit_of_value": "correlation" if claim.term == terms.DEPRIVATION_CHANGE else "log ratio",
        }
        if claim.term not in tested.index:
            yield row | {"ours": "", "reason": NOT_AVAILABLE}
            continue
        found = tested.loc[claim.term]
        row["n"] = found["n"]
        if pd.notna(found["reason"]):
            yield row | {"ours": "", "reason": found["reason"]}
            continue
        yield row | _ours(found, claim)


def _ours(found: pd.Series, claim: Association) -> Row:
    """Our figure in the statistic of its kind, with its sign in words; a sign says nothing about how sure it is."""
    if found["kind"] == univariate.NUMBER:
        value, low, high = (float(found[f"pearson_{name}"]) for name in ("r", "lower_95", "upper_95"))
        what = "correlation of the change with it"
    else:
        value, low, high = (float(found[f"difference{name}"]) for name in ("", "_lower_95", "_upper_95"))
        what = "mean change of those with it, less that of the others, as a log ratio"
    sign = NONE if value == 0 else POSITIVE if value > 0 else NEGATIVE
    clear = "a clear association" if low > 0 or high < 0 else "no clear association"
    same = "the same sign as" if sign == claim.sign else "another sign than"
    return {
        "ours": f"{what}: {value:+.3f} (95% {low:+.3f} to {high:+.3f}); {clear}, {same} in the study",
        "ours_value": value,
        "ours_lower_95": low,
        "ours_upper_95": high,
        "ours_p_value": float(found["p_value"]),
        "ours_sign": sign,
        "agrees": sign == claim.sign,
    }


# ---------------------------------------------------------------------------------------------------------------------
# National numbers


def _numbers(national: pd.DataFrame) -> Iterator[Row]:
    by_source = national.set_index(["source", "year"])
    for year, (published, source) in NUMBERS.items():
        row: Row = {
            "claim": "children_looked_after",
            "period": str(year),
            "window_end": year,
            "statement": f"{published:,} children were looked after in England on 31 March {year}",
            "source": source,
            "published_value": published,
            "unit_of_value": shared_columns.CHILDREN,
            "note": "The national series is revised with every release and rounded to 10; the sum of the authorities is "
            "that of the newest release that holds the year, without suppressed cells.",
            "n": 0,
        }
        cells = {name: _number(by_source, name, year) for name in (SERIES, SUM)}
        if cells[SERIES] is None and cells[SUM] is None:
            yield row | {"ours": "", "reason": NOT_AVAILABLE}
            continue
        told = {SERIES: "national series", SUM: "sum of the authorities"}
        name = SERIES if cells[SERIES] is not None else SUM
        yield row | {
            "ours": "; ".join(f"{told[one]} {value:,}" for one, value in cells.items() if value is not None),
            "ours_value": cells[name],
            "n": 0 if cells[SUM] is None else int(by_source.at[(SUM, year), "authorities"]),
        }


def _number(by_source: pd.DataFrame, source: str, year: int) -> int | None:
    if (source, year) not in by_source.index:
        return None
    value = by_source.at[(source, year), "looked_after"]
    return None if pd.isna(value) else int(value)
