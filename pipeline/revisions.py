"""What the publisher changed afterwards: every figure that two releases give differently.

What belongs here: comparing releases of the looked-after statistics with each other, pair by pair, and the editions of a
release that was amended. What does not: which release a result takes (`panel`: the newest), and what changed between two
publications of this project (`since`).

A revision of a count, one of a population, and a rate that moved because the population under it was rebased are three
things; `kind` tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from pipeline.reasons import NOT_APPLICABLE
from pipeline.tables import main_tables
from pipeline.tables.frames import conform

COUNT, POPULATION, RATE_ONLY = "count", "population", "rate_only"
_POPULATION = "population_0_17"
_RATE = "_rate_per_10k"
_KEY = ["la_code", "year", "measure"]
_DIGITS = 12  # of the sha256 of an older edition, as in the name of its file


def revisions(looked_after: pd.DataFrame, older: Sequence[pd.DataFrame] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`main.revisions` and `main.revisions_summary` from `core.children_looked_after`.

    `older` are superseded editions of single files, in the same columns: each is compared with the one that counts. A figure
    is compared when it is a number in both of a pair, and has a row when the two differ.
    """
    pairs = pd.concat([_pairs(looked_after), *(_editions(one, looked_after) for one in older)], ignore_index=True)
    changed = pairs.loc[pairs["value_from"] != pairs["value_to"]].copy()
    changed["kind"] = _kinds(changed)
    changed["difference"] = changed["value_to"] - changed["value_from"]
    table = main_tables.REVISIONS
    return conform(changed.reindex(columns=table.column_names), table), _summary(pairs, changed)


def _summary(pairs: pd.DataFrame, changed: pd.DataFrame) -> pd.DataFrame:
    """Of every pair of releases and measure, how many figures were compared, and how many differ by how much."""
    keys = ["release_from", "release_to", "edition_from", "measure"]
    sizes = changed.assign(size=changed["difference"].abs(), is_rate_only=changed["kind"] == RATE_ONLY)
    own = sizes.groupby(keys).agg(
        n_changed=("size", "size"),
        n_rate_only=("is_rate_only", "sum"),
        median_change=("size", "median"),
        largest_change=("size", "max"),
    )
    joined = pairs.groupby(keys).size().rename("n_compared").reset_index().join(own, on=keys)
    joined[["n_changed", "n_rate_only"]] = joined[["n_changed", "n_rate_only"]].fillna(0)
    joined["reason"] = joined["n_changed"].eq(0).map({True: NOT_APPLICABLE, False: None})
    table = main_tables.REVISIONS_SUMMARY
    return conform(joined.reindex(columns=table.column_names), table)


def _pairs(looked_after: pd.DataFrame) -> pd.DataFrame:
    """Every authority, year and measure that is a number in both of two releases, the older first."""
    numeric = looked_after.loc[looked_after["value"].notna(), [*_KEY, "release", "value"]]
    by_release = {release: own for release, own in numeric.groupby("release")}
    joined = [
        by_release[older].merge(by_release[newer], on=_KEY, suffixes=("_from", "_to"), validate="one_to_one")
        for older, newer in combinations(sorted(by_release), 2)
    ]
    columns = [*_KEY, "release_from", "value_from", "release_to", "value_to"]
    found = pd.concat(joined, ignore_index=True) if joined else pd.DataFrame(columns=columns)
    return found.assign(edition_from="")


def _editions(older: pd.DataFrame, looked_after: pd.DataFrame) -> pd.DataFrame:
    """Every authority, year and measure that is a number in an older edition of a file and in the one that counts."""
    columns = [*_KEY, "release", "value"]
    then, now = (frame.loc[frame["value"].notna(), columns] for frame in (older, looked_after))
    joined = then.merge(now, on=[*_KEY, "release"], suffixes=("_from", "_to"), validate="one_to_one")
    joined["release_from"] = joined["release_to"] = joined["release"]
    return joined.assign(edition_from=older["source_sha256"].iloc[0][:_DIGITS] if len(older) else "")


def _kinds(changed: pd.DataFrame) -> pd.Series:
    """Population for populations; for a rate whose count is the same in both releases rate_only; count for the rest."""
    is_rate = changed["measure"].str.endswith(_RATE)
    keys = [*_KEY, "release_from", "release_to", "edition_from"]
    counts = pd.MultiIndex.from_frame(changed.loc[~is_rate, keys])
    of_count = changed[keys].assign(measure=changed["measure"].str.removesuffix(_RATE))
    is_counted = pd.MultiIndex.from_frame(of_count).isin(counts)
    kinds = pd.Series(COUNT, index=changed.index, dtype="string")
    kinds[is_rate & ~is_counted] = RATE_ONLY
    kinds[changed["measure"] == _POPULATION] = POPULATION
    return kinds
