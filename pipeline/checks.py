"""The invariants of the published statistics (methods.md B7, B11), measured in every run.

What belongs here: one function an invariant, each returning rows of `main.data_checks`, and the refusal when a blocking
one fails. What does not: faults of a single cell or file (the readers refuse those) and checks in SQL on the finished
database (`sql/checks`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline import geography
from pipeline.errors import Refusal
from pipeline.geography import Areas
from pipeline.panel import newest_release
from pipeline.readers.layout import ENGLAND
from pipeline.settings import CheckSettings
from pipeline.tables import main_tables
from pipeline.tables.frames import conform

BLOCK, WARN = "block", "warn"
Row = dict[str, object]
_SHOWN = 3  # failures named in the detail; the first ones tell where to look
_HEADLINE = ("looked_after", "started", "ceased")

PUBLISHED_RATE = "published_rate_is_half_up"
SUM_OF_STOCKS = "authorities_sum_to_england_stock"
SUM_OF_FLOWS = "authorities_sum_to_england_flows"
STOCK_FLOW = "stock_follows_from_flows"
STOCK_FLOW_MIXED = "stock_follows_from_flows_across_releases"
EVERY_AUTHORITY = "every_authority_in_being_has_a_row"
NO_DUPLICATES = "no_authority_year_twice"
KNOWN_CODES = "every_code_is_in_the_lookup"
NUMBER_OR_MARKER = "number_or_marker_never_both"
ONE_VINTAGE = "one_population_vintage"
RECONCILES = "exclusions_reconcile"


def _row(name: str, scope: str, n: int, failures: list[str], severity: str, passed: str) -> Row:
    detail = passed
    if failures:
        more = f" and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
        detail = "; ".join(failures[:_SHOWN]) + more
    return {
        "check_name": name,
        "scope": scope,
        "n": n,
        "n_failed": len(failures),
        "severity": severity,
        "detail": detail,
    }


def published_rate(looked_after: pd.DataFrame) -> list[Row]:
    """The whole-number rate is floor(10,000 N / P + 0.5) for every authority cell that has all three, by release."""
    rows = []
    for release, cells in looked_after.groupby("release"):
        wide = cells.pivot(index=["la_code", "year"], columns="measure", values="value")
        failures, n = [], 0
        for measure in _HEADLINE:
            rate = f"{measure}_rate_per_10k"
            if rate not in wide or "population_0_17" not in wide:
                continue
            full = wide[[measure, rate, "population_0_17"]].dropna()
            # Integers throughout: floor((20,000 N + P) / 2P) is half up without a rounding error.
            expected = (20_000 * full[measure] + full["population_0_17"]) // (2 * full["population_0_17"])
            n += len(full)
            failures += [
                f"{code} {year} {measure}: published {full.at[(code, year), rate]}, computed {expected[code, year]}"
                for code, year in full.index[full[rate] != expected]
            ]
        if n:
            rows.append(_row(PUBLISHED_RATE, f"release {release}", n, failures, BLOCK, f"all {n} rates agree"))
    return rows


def authority_sums(looked_after: pd.DataFrame, totals: pd.DataFrame, settings: CheckSettings) -> list[Row]:
    """The authorities of a release add up to its England row, within its rounding: stocks block, flows warn."""
    sums = looked_after.groupby(["release", "year", "measure"])["value"].agg(["sum", "size", "count"])
    england = totals.loc[totals["area_level"] == ENGLAND].set_index(["release", "year", "measure"])["value"]
    joined = sums.join(england.rename("england"), how="inner").dropna(subset=["england"])
    rows = []
    for name, measures, tolerance, severity in (
        (SUM_OF_STOCKS, ["looked_after"], settings.stock_sum_tolerance, BLOCK),
        (SUM_OF_FLOWS, ["started", "ceased"], settings.flow_sum_tolerance, WARN),
    ):
        own = joined.loc[joined.index.get_level_values("measure").isin(measures)]
        for release, group in own.groupby(level="release"):
            gap = group["sum"] - group["england"]
            missing = int((group["size"] - group["count"]).sum())
            passed = f"largest gap {int(gap.abs().max())}; {missing} cells without a number left out of the sums"
            if release < settings.exact_totals_from:
                rows.append(
                    _row(name, f"release {release}", 0, [], severity, f"not held to it, rounded to 100: {passed}")
                )
                continue
            failures = [
                f"{measure} {year}: authorities {group.at[(rel, year, measure), 'sum']}, "
                f"England {group.at[(rel, year, measure), 'england']}"
                for rel, year, measure in group.index[gap.abs() > tolerance]
            ]
            rows.append(_row(name, f"release {release}", len(group), failures, severity, passed))
    return rows


def stock_flow(looked_after: pd.DataFrame, areas: Areas, settings: CheckSettings) -> list[Row]:
    """N(t) is close to N(t-1) + started - ceased. Within one release a large gap blocks; across releases it warns."""
    rows = []
    for release, cells in looked_after.groupby("release"):
        if cells["year"].nunique() > 1:
            rows.append(_stock_flow_row(STOCK_FLOW, f"release {release}", cells, areas, BLOCK, settings))
    newest = newest_release(looked_after)
    release_of = newest.loc[newest["measure"] == "looked_after"].groupby("year")["release"].max()
    joins = [year for year in release_of.index if release_of.get(year - 1, release_of[year]) != release_of[year]]
    if joins:
        rows.append(
            _stock_flow_row(STOCK_FLOW_MIXED, "newest releases", newest, areas, WARN, settings, only_years=joins)
        )
    return rows


def _stock_flow_row(
    name: str,
    scope: str,
    cells: pd.DataFrame,
    areas: Areas,
    severity: str,
    settings: CheckSettings,
    only_years: list[int] | None = None,
) -> Row:
    wide = cells.pivot(index=["la_code", "year"], columns="measure", values="value")
    for measure in _HEADLINE:
        if measure not in wide:
            return _row(name, scope, 0, [], severity, f"no {measure} in these files")
    before = wide["looked_after"].rename(index=lambda year: year + 1, level="year").rename("before")
    full = wide[list(_HEADLINE)].join(before, how="inner").dropna()
    if only_years is not None:
        full = full.loc[full.index.get_level_values("year").isin(only_years)]
    alive = [
        areas.in_being(code, geography.stock_day(year)) and areas.in_being(code, geography.stock_day(year - 1))
        for code, year in full.index
    ]
    full = full.loc[alive]
    gap = full["looked_after"] - (full["before"] + full["started"] - full["ceased"])
    allowed = np.maximum(settings.stock_flow_children, settings.stock_flow_share * full["looked_after"].astype(float))
    failures = [f"{code} {year}: gap {gap[code, year]}" for code, year in full.index[gap.abs().astype(float) > allowed]]
    median = f"{float(gap.abs().median()):.0f}" if len(gap) else "none"
    return _row(name, scope, len(full), failures, severity, f"median gap {median} children")


def every_authority_has_a_row(looked_after: pd.DataFrame, areas: Areas) -> list[Row]:
    """Every authority in being on 31 March stands in each table of the release, stocks and flows.

    Those too small are not asked for: some releases leave them out.
    """
    rows = []
    headline = looked_after.loc[looked_after["measure"].isin(_HEADLINE)]
    for release, cells in headline.groupby("release"):
        failures, n = [], 0
        for (year, measure), group in cells.groupby(["year", "measure"]):
            wanted = set(areas.codes_in_being(geography.stock_day(int(year)))) - areas.too_small
            n += len(wanted)
            failures += [
                f"no row for {areas.names[code]} ({code}) in {year} {measure}"
                for code in sorted(wanted - set(group["la_code"]))
            ]
        rows.append(_row(EVERY_AUTHORITY, f"release {release}", n, failures, BLOCK, "all are there"))
    return rows


def keys_and_codes(looked_after: pd.DataFrame, areas: Areas) -> list[Row]:
    """No authority-year twice within a release and measure; no code outside the lookup; a number or a marker."""
    keys = ["release", "la_code", "year", "measure"]
    doubled = looked_after.loc[looked_after.duplicated(keys), keys]
    unknown = sorted(set(looked_after["la_code"]) - set(areas.names))
    both = looked_after.loc[looked_after["value"].notna() == looked_after["marker"].notna()]
    n = len(looked_after)
    return [
        _row(
            NO_DUPLICATES,
            "core.children_looked_after",
            n,
            [str(tuple(key)) for key in doubled.to_numpy()],
            BLOCK,
            "none",
        ),
        _row(KNOWN_CODES, "core.children_looked_after", looked_after["la_code"].nunique(), unknown, BLOCK, "all known"),
        _row(
            NUMBER_OR_MARKER,
            "core.children_looked_after",
            n,
            [f"{row.la_code} {row.year} {row.measure}" for row in both.itertuples()],
            BLOCK,
            f"{int(looked_after['marker'].notna().sum())} markers, none of them a number",
        ),
    ]


def one_population_vintage(panel: pd.DataFrame, changes: pd.DataFrame) -> list[Row]:
    """The panel and each window use one population vintage."""
    rows = []
    for scope, groups in (
        ("main.care_numbers", {"panel": panel["population_vintage"].dropna()}),
        ("main.five_year_change", dict(iter(changes.groupby("window_id")["population_vintage"]))),
    ):
        mixed = [f"{name}: {', '.join(sorted(set(group)))}" for name, group in groups.items() if group.nunique() > 1]
        rows.append(_row(ONE_VINTAGE, scope, len(groups), mixed, BLOCK, "one vintage each"))
    return rows


def exclusions_reconcile(
    looked_after: pd.DataFrame, changes: pd.DataFrame, excluded: pd.DataFrame, steps: pd.DataFrame
) -> list[Row]:
    """Every published authority of a window is in its result or among its exclusions, and the counts add up.

    Recomputed from the published rows and the finished tables, not from the count-down that made them.
    """
    newest = newest_release(looked_after)
    stocks = newest.loc[newest["measure"] == "looked_after"]
    listed = {year: set(codes) for year, codes in stocks.groupby("year")["la_code"]}
    # A window that lost all its units still has its exclusions, and the other way round.
    ends = ["window_id", "window_start", "window_end"]
    spans = pd.concat([changes[ends], excluded[ends]]).drop_duplicates()
    rows = []
    for window_id, start, end in spans.itertuples(index=False):
        result = changes.loc[changes["window_id"] == window_id]
        published = listed[int(start)] | listed[int(end)]
        own = excluded.loc[excluded["window_id"] == window_id]
        out = set(own.loc[own["rule"] == "excluded", "la_code"])
        codes = pd.Series([code for unit in result["unit_id"] for code in unit.split("+")], dtype="string")
        inside = set(codes)
        failures = [f"{code} is in neither" for code in sorted(published - inside - out)]
        failures += [f"{code} is in both" for code in sorted(inside & out)]
        failures += [f"{code} is in two units" for code in sorted(set(codes[codes.duplicated()]))]
        count_down = steps.loc[steps["window_id"] == window_id].sort_values("step_number")
        failures += _count_down_faults(own, count_down, len(published), len(result))
        passed = f"{len(published)} published, {len(out)} excluded, {len(result)} units"
        rows.append(_row(RECONCILES, f"window {window_id}", len(published), failures, BLOCK, passed))
    return rows


def _count_down_faults(own: pd.DataFrame, count_down: pd.DataFrame, published: int, units: int) -> list[str]:
    faults = []
    expected = published
    for step in count_down.itertuples():
        here = own.loc[own["step"] == step.step]
        gone = here.loc[here["rule"] == "excluded"]
        joined = here.loc[here["rule"] == "combined"]
        by_unit = step.step in ("counts_at_both_ends", "population_at_both_ends")
        lost = gone["unit_id"].nunique() if by_unit else gone["la_code"].nunique()
        lost += joined["la_code"].nunique() - joined["unit_id"].nunique()
        expected -= lost
        if step.n_after != expected:
            faults.append(f"step {step.step}: {step.n_after} stated, {expected} by the listed rows")
    if expected != units:
        faults.append(f"{expected} units by the count-down, {units} in the result")
    return faults


def of_looked_after(
    looked_after: pd.DataFrame, totals: pd.DataFrame, areas: Areas, settings: CheckSettings
) -> list[Row]:
    """All checks on the looked-after cells."""
    return [
        *keys_and_codes(looked_after, areas),
        *every_authority_has_a_row(looked_after, areas),
        *published_rate(looked_after),
        *authority_sums(looked_after, totals, settings),
        *stock_flow(looked_after, areas, settings),
    ]


def of_results(
    looked_after: pd.DataFrame,
    panel: pd.DataFrame,
    changes: pd.DataFrame,
    excluded: pd.DataFrame,
    steps: pd.DataFrame,
) -> list[Row]:
    """All checks on the panel and the windows."""
    return [
        *one_population_vintage(panel, changes),
        *exclusions_reconcile(looked_after, changes, excluded, steps),
    ]


def data_checks(rows: list[Row]) -> pd.DataFrame:
    """`main.data_checks` from the rows of any checks."""
    return conform(pd.DataFrame(rows, columns=main_tables.DATA_CHECKS.column_names), main_tables.DATA_CHECKS)


def refuse_failed(found: pd.DataFrame) -> None:
    """Refusal with the first blocking check that failed; none of them may be published over."""
    failed = found.loc[(found["severity"] == BLOCK) & (found["n_failed"] > 0)]
    if len(failed):
        first = failed.iloc[0]
        more = len(failed) - 1
        others = f" ({more} more check{'s' if more > 1 else ''} failed)" if more else ""
        raise Refusal(
            "check_failed",
            f"the check {first['check_name']} failed on {first['scope']} in {first['n_failed']} of {first['n']} cases: "
            f"{first['detail']}{others}",
            remedy="compare the file with the publisher's and use it as published; nothing was published",
        )
