"""The invariants of the published statistics (methods.md B7, B11), measured in every run.

What belongs here: one function an invariant, each returning rows of `main.data_checks`, and the refusal when a blocking
one fails. What does not: faults of a single cell or file (the readers refuse those) and checks in SQL on the finished
database (`sql/checks`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline import deprivation, geography, inspections, null_calibration, spending, uasc
from pipeline.errors import Refusal
from pipeline.exclusions import COMBINED, EXCLUDED, TREND
from pipeline.geography import Areas
from pipeline.panel import newest_release
from pipeline.readers import spending_form
from pipeline.readers.layout import ENGLAND
from pipeline.settings import CheckSettings, Settings
from pipeline.tables import main_tables
from pipeline.tables.frames import conform

BLOCK, WARN = "block", "warn"
Row = dict[str, object]
_SHOWN = 3  # failures named in the detail; the first ones tell where to look
_HEADLINE = ("looked_after", "started", "ceased")
_YEARS_REVISED = 4  # after its own release
_LOW_INCOME_ROUNDED_TO = 5  # counts of HMRC's local measure
_LEAST_MEDIAN_PCT = 1.0  # of the shares of a year: below it they are fractions; published medians are 14 to 38
# Shares of the tool have one decimal, and so, at the worst, have those that a county's children are worked out from.
_SHARES_DIFFER_BY_PCT = 0.15
_ANOTHER_SERIES = 0.5  # of the shares: where more of them differ, it is not the same series
_YEARS_TO_FIRST_REPORT = 3  # a new authority is inspected for the first time within the cycle of full inspections

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
FALSE_ALARMS = "false_alarms_as_claimed"
RECONCILES = "exclusions_reconcile"
EVERY_LIST = "every_authority_in_being_has_neighbours"
JUDGEMENTS_AGREE = "judgements_agree_between_workbooks"
JUDGED_IN_BEING = "judged_authority_was_in_being"
EVERY_JUDGEMENT = "every_authority_has_a_judgement"
TOOL_FOLLOWS = "interactive_tool_follows_the_releases"
TOOL_UASC = "interactive_tool_uasc_near_the_first_releases"
UASC_WITHIN = "uasc_are_part_of_looked_after"
SPENDING_AGREES = "interactive_tool_repeats_the_section_251_return"
EVERY_SHARE = "every_authority_in_being_has_deprivation"
PER_CENT = "deprivation_is_in_per_cent"
NO_SHARE_IS_ZERO = "no_share_of_deprived_children_is_zero"
LOW_INCOME_SUMS = "low_income_children_sum_to_england"
LOW_INCOME_AGREES = "low_income_workbook_agrees_with_the_tool"

# What each invariant holds, as the UI and the documents say it.
HOLDS = {
    PUBLISHED_RATE: "The published whole-number rate is the number per 10,000 children, rounded half up.",
    SUM_OF_STOCKS: "The authorities' children looked after add up to England's, within the publisher's rounding.",
    SUM_OF_FLOWS: "The children who started and ceased to be looked after add up to England's, within the rounding.",
    STOCK_FLOW: "Within a release, a year's children are last year's with those who started less those who ceased.",
    STOCK_FLOW_MIXED: "The same between two releases, where amendments of the older year may differ.",
    EVERY_AUTHORITY: "Every authority that was in being in a year has a row.",
    NO_DUPLICATES: "No authority has two rows for one year and measure of a release.",
    KNOWN_CODES: "Every code of an authority is in the table of authorities.",
    NUMBER_OR_MARKER: "A cell is a number or the publisher's marker for a missing one, and never both.",
    ONE_VINTAGE: "Both ends of a window rest on population estimates of one vintage.",
    FALSE_ALARMS: "Among countries drawn without local trends, as few units are flagged as the rule claims.",
    RECONCILES: "The units of a window and those left out with a reason are all that were published.",
    EVERY_LIST: "Every authority in being has its statistical neighbours.",
    JUDGEMENTS_AGREE: "The inspection workbooks agree on the judgements that they share.",
    JUDGED_IN_BEING: "An authority was in being on the day on which it was judged.",
    EVERY_JUDGEMENT: "Every authority has a judgement once the first cycle of inspections is over.",
    TOOL_FOLLOWS: "The interactive tool repeats the figures of the releases.",
    TOOL_UASC: "The interactive tool's unaccompanied children are near those of the first releases.",
    UASC_WITHIN: "Unaccompanied children are never more than the children looked after.",
    SPENDING_AGREES: "The interactive tool repeats the spending of the section 251 returns.",
    EVERY_SHARE: "Every authority in being has its share of deprived children.",
    PER_CENT: "Shares of deprived children are in per cent, not fractions.",
    NO_SHARE_IS_ZERO: "No authority has a share of deprived children of exactly 0.",
    LOW_INCOME_SUMS: "The children in low income add up to England's, within the publisher's rounding.",
    LOW_INCOME_AGREES: "The low income workbook agrees with the interactive tool.",
}


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
    excluded = excluded.loc[excluded["stage"] == TREND]
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
        out = set(own.loc[own["rule"] == EXCLUDED, "la_code"])
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
        gone = here.loc[here["rule"] == EXCLUDED]
        joined = here.loc[here["rule"] == COMBINED]
        by_unit = step.step in ("counts_at_both_ends", "population_at_both_ends")
        lost = gone["unit_id"].nunique() if by_unit else gone["la_code"].nunique()
        lost += joined["la_code"].nunique() - joined["unit_id"].nunique()
        expected -= lost
        if step.n_after != expected:
            faults.append(f"step {step.step}: {step.n_after} stated, {expected} by the listed rows")
    if expected != units:
        faults.append(f"{expected} units by the count-down, {units} in the result")
    return faults


def every_authority_has_neighbours(neighbours: pd.DataFrame, areas: Areas) -> list[Row]:
    """Every edition has a list for each authority in being at the end of its month; without any lists, no rows."""
    rows = []
    for edition, lists in neighbours.groupby("edition"):
        month = pd.Timestamp(f"{edition}-01")
        wanted = areas.codes_in_being((month + pd.offsets.MonthEnd()).date())
        missing = sorted(set(wanted) - set(lists["la_code"]))
        failures = [f"no list for {areas.names[code]} ({code})" for code in missing]
        old = lists.loc[lists["is_old_list"].astype(bool), "la_code"].nunique()
        passed = f"{lists['la_code'].nunique()} lists, {old} of them of authorities that had ended"
        rows.append(_row(EVERY_LIST, f"neighbours {edition}", len(wanted), failures, BLOCK, passed))
    return rows


def of_inspections(judged: pd.DataFrame, compared: pd.DataFrame, areas: Areas) -> list[Row]:
    """Workbooks agree; a judgement is on an authority that was in being; and none is without one. No judgements, no rows.

    The last is asked on the day of the newest report, of authorities that are no longer new: a sheet that lost rows would
    fail it.
    """
    if judged.empty:
        return []
    rows = []
    for release, older in compared.groupby("release"):
        apart = older.loc[~older["agrees"].astype(bool)]
        failures = [
            f"{row.la_name} {row.publication_date}: {row.overall}, "
            + (f"{row.taken_overall} in the newest" if pd.isna(row.reason) else "no report of that day in the newest")
            for row in apart.itertuples()
        ]
        rows.append(_row(JUDGEMENTS_AGREE, f"workbook of {release}", len(older), failures, WARN, "all agree"))
    moments = judged["inspection_date"].where(judged["inspection_date"].notna(), judged["publication_date"])
    unborn = [
        f"{name} ({code}) {day}"
        for code, name, day in zip(judged["la_code"], judged["la_name"], moments, strict=True)
        if not areas.in_being(code, day)
    ]
    rows.append(_row(JUDGED_IN_BEING, "core.inspections", len(judged), unborn, WARN, "all were"))
    newest = judged["publication_date"].max()
    settled = pd.Timestamp(newest) - pd.DateOffset(years=_YEARS_TO_FIRST_REPORT)
    wanted = [code for code in areas.codes_in_being(newest) if areas.in_being(code, settled.date())]
    there = set(inspections.in_force(judged, newest)["la_code"])
    missing = [f"none for {areas.names[code]} ({code})" for code in wanted if code not in there]
    passed = f"{len(wanted)} authorities on {newest}"
    return [*rows, _row(EVERY_JUDGEMENT, "core.inspections", len(wanted), missing, WARN, passed)]


def of_interactive_tool(
    tool: pd.DataFrame, looked_after: pd.DataFrame, returns: pd.DataFrame, panel: pd.DataFrame, settings: CheckSettings
) -> list[Row]:
    """All checks on the interactive tool's figures, against the files that they come from; no rows without an edition."""
    return [
        *tool_follows_the_releases(tool, looked_after),
        *tool_uasc_near_the_first_releases(tool, looked_after, settings),
        *uasc_are_part_of_looked_after(panel),
        *tool_repeats_the_return(tool, returns, settings),
    ]


def tool_follows_the_releases(tool: pd.DataFrame, looked_after: pd.DataFrame) -> list[Row]:
    """An edition has for each year what the last release with that year has, as far as that release is here."""
    rows = []
    for edition, cells in tool.groupby("edition"):
        known = newest_release(looked_after.loc[looked_after["release"] <= edition])
        joined = _numbers_in_both(cells.loc[cells["measure"].isin(_HEADLINE)], known)
        # A release holds its own year and the four before it, so a year is revised for the last time four years on.
        is_last = joined["release"] == np.minimum(joined["year"] + _YEARS_REVISED, int(edition))
        differs = joined["value"] != joined["told"]
        failures = [
            f"{row.la_code} {row.year} {row.measure}: release {row.release} has {row.value}, the tool {row.told:g}"
            for row in joined.loc[is_last & differs].itertuples()
        ]
        later = joined.loc[~is_last]
        passed = (
            f"years {', '.join(map(str, sorted(joined.loc[is_last, 'year'].unique())))} agree; of {len(later)} cells whose "
            f"last release is not here {int(differs[later.index].sum())} differ"
        )
        rows.append(_row(TOOL_FOLLOWS, f"edition {edition}", int(is_last.sum()), failures, WARN, passed))
    return rows


def tool_uasc_near_the_first_releases(
    tool: pd.DataFrame, looked_after: pd.DataFrame, settings: CheckSettings
) -> list[Row]:
    """By year, the sums of UASC over authorities with a number in both: they differ by revisions, not by more."""
    rows = []
    for edition, cells in tool.groupby("edition"):
        joined = _numbers_in_both(cells.loc[cells["measure"] == uasc.UASC], looked_after)
        failures = []
        for year, own in joined.groupby("year"):
            first, told = int(own["value"].sum()), float(own["told"].sum())
            if abs(told - first) > settings.tool_uasc_share * first:
                failures.append(f"{year}: {first} in the release, {told:g} in the tool")
        changed = int((joined["value"] != joined["told"]).sum())
        passed = f"{changed} of {len(joined)} cells were revised, over {joined['year'].nunique()} years"
        rows.append(_row(TOOL_UASC, f"edition {edition}", joined["year"].nunique(), failures, WARN, passed))
    return rows


def uasc_are_part_of_looked_after(panel: pd.DataFrame) -> list[Row]:
    """No authority has more unaccompanied children among the looked after than looked-after children."""
    both = panel.loc[panel["uasc"].notna() & panel["looked_after"].notna()]
    if both.empty:
        return []
    more = both.loc[both["uasc"] > both["looked_after"]]
    failures = [f"{row.la_code} {row.year}: {row.uasc} of {row.looked_after}" for row in more.itertuples()]
    return [_row(UASC_WITHIN, "main.care_numbers", len(both), failures, WARN, "in every cell with both numbers")]


def tool_repeats_the_return(tool: pd.DataFrame, returns: pd.DataFrame, settings: CheckSettings) -> list[Row]:
    """The tool's expenditure on looked-after children is the section 251 total expenditure, rounded to a pound."""
    own = returns.loc[
        (returns["source"] == spending.SECTION_251)
        & (returns["measure"] == spending_form.LOOKED_AFTER)
        & (returns["amount"] == spending_form.TOTAL)
    ]
    told = tool.loc[tool["measure"] == spending.TOOL_MEASURE, ["edition", "la_code", "year", "value"]]
    joined = own.merge(told, on=["la_code", "year"]).dropna(subset=["value_pounds", "value"])
    rows = []
    for edition, cells in joined.groupby("edition"):
        gap = (cells["value"] - cells["value_pounds"]).abs()
        failures = [
            f"{row.la_code} {row.year}: {row.value_pounds:.0f} in the return, {row.value:.0f} in the tool"
            for row in cells.loc[gap > settings.spending_pounds].itertuples()
        ]
        passed = f"years {cells['year'].min()} to {cells['year'].max()} agree"
        rows.append(_row(SPENDING_AGREES, f"edition {edition}", len(cells), failures, WARN, passed))
    return rows


def _numbers_in_both(cells: pd.DataFrame, looked_after: pd.DataFrame) -> pd.DataFrame:
    """The looked-after cells with the tool's number beside theirs (`told`), where both have one."""
    told = cells[["la_code", "year", "measure", "value"]].rename(columns={"value": "told"})
    joined = looked_after.merge(told, on=["la_code", "year", "measure"])
    return joined.dropna(subset=["value", "told"]).reset_index(drop=True)


def of_deprivation(shares: pd.DataFrame, england: pd.DataFrame, tool: pd.DataFrame, areas: Areas) -> list[Row]:
    """All checks on child deprivation; no rows without a file."""
    return [
        *every_authority_has_deprivation(shares, areas),
        *deprivation_is_in_per_cent(shares),
        *no_share_is_zero(shares, areas),
        *low_income_sums_to_england(shares, england),
        *low_income_workbook_agrees_with_the_tool(shares, tool),
    ]


def every_authority_has_deprivation(shares: pd.DataFrame, areas: Areas) -> list[Row]:
    """Each measure has a row, though not always a value, for every authority in being on the day of its boundaries."""
    rows = []
    for (measure, basis), series in shares.groupby(["measure", "basis"]):
        failures, n = [], 0
        for year, own in series.groupby("year"):
            wanted = areas.codes_in_being(deprivation.boundaries_of(str(measure), int(year)))
            n += len(wanted)
            missing = sorted(set(wanted) - set(own["la_code"]))
            failures += [f"no row for {areas.names[code]} ({code}) in {year}" for code in missing]
        span = f"{series['year'].min()} to {series['year'].max()}"
        passed = f"{span}, {int(series['value'].isna().sum())} rows without a value"
        rows.append(_row(EVERY_SHARE, f"{measure}, {basis}", n, failures, BLOCK, passed))
    return rows


def deprivation_is_in_per_cent(shares: pd.DataFrame) -> list[Row]:
    """Shares lie between 0 and 100, and those of a year are no fractions."""
    rows = []
    for (measure, basis), series in shares.dropna(subset=["value"]).groupby(["measure", "basis"]):
        outside = series.loc[~series["value"].between(0, 100)]
        failures = [f"{row.la_code} {row.year}: {row.value:g}" for row in outside.itertuples()]
        medians = series.groupby("year")["value"].median()
        failures += [f"{year}: median {median:g}" for year, median in medians.items() if median < _LEAST_MEDIAN_PCT]
        passed = f"{series['value'].min():.1f} to {series['value'].max():.1f}"
        rows.append(_row(PER_CENT, f"{measure}, {basis}", len(series), failures, BLOCK, passed))
    return rows


def no_share_is_zero(shares: pd.DataFrame, areas: Areas) -> list[Row]:
    """No authority is without deprived children, but for those too small to count: a 0 was not filled in."""
    own = shares.loc[~shares["la_code"].isin(areas.too_small) & shares["value"].notna()]
    if own.empty:
        return []
    zero = own.loc[own["value"] == 0]
    failures = [f"{row.la_code} {row.year} {row.measure}" for row in zero.itertuples()]
    return [_row(NO_SHARE_IS_ZERO, "core.deprivation", len(own), failures, WARN, "none is")]


def low_income_sums_to_england(shares: pd.DataFrame, england: pd.DataFrame) -> list[Row]:
    """The counts of HMRC's local measure add up to those of the `england` rows, as far as counts rounded to 5 can."""
    own = shares.loc[shares["measure"] == deprivation.HMRC]
    whole = england.loc[england["measure"] == deprivation.HMRC].set_index("year")
    failures, gaps = [], []
    for year, cells in own.groupby("year"):
        for column in ("numerator", "denominator"):
            if year in whole.index and pd.notna(whole.at[year, column]):
                gap = int(cells[column].sum()) - int(whole.at[year, column])
                gaps.append(abs(gap))
                # Every count is at most half a step off; where districts were summed the step is one of theirs.
                if abs(gap) > _LOW_INCOME_ROUNDED_TO / 2 * (len(cells) + 1):
                    failures.append(f"{year} {column}: {gap:+} children")
    if not gaps:
        return []
    missing = int(own["numerator"].isna().sum())
    passed = f"largest gap {max(gaps)} children; {missing} suppressed counts left out of the sums"
    return [_row(LOW_INCOME_SUMS, "core.deprivation", len(gaps), failures, BLOCK, passed)]


def low_income_workbook_agrees_with_the_tool(shares: pd.DataFrame, tool: pd.DataFrame) -> list[Row]:
    """Where the department's own workbook speaks for a basis, its shares are those that the tool repeats.

    A few that differ may be a correction that one of the two does not have; if most do, one of them is read wrongly or
    belongs to another series, and nothing may be published.
    """
    own = shares.loc[
        (shares["measure"] == deprivation.CILIF) & ~shares["source_sha256"].isin(tool["source_sha256"].unique())
    ]
    told = deprivation.newest_poverty(tool)[["basis", "la_code", "year", "value"]].rename(columns={"value": "told"})
    joined = own.merge(told, on=["basis", "la_code", "year"]).dropna(subset=["value", "told"])
    rows = []
    for basis, cells in joined.groupby("basis"):
        gap = (cells["value"] - cells["told"]).abs()
        failures = [
            f"{row.la_code} {row.year}: {row.value:.2f} in the workbook, {row.told:g} in the tool"
            for row in cells.loc[gap > _SHARES_DIFFER_BY_PCT].itertuples()
        ]
        severity = BLOCK if len(failures) > _ANOTHER_SERIES * len(cells) else WARN
        passed = f"years {cells['year'].min()} to {cells['year'].max()}, at most {gap.max():.2f} points apart"
        rows.append(_row(LOW_INCOME_AGREES, str(basis), len(cells), failures, severity, passed))
    return rows


def of_calibration(table: pd.DataFrame, chosen: Settings) -> list[Row]:
    """In countries without local trends the rule flags as small a share of units as it claims (methods.md C13).

    `table` is `main.null_calibration`.
    """
    verdict = null_calibration.acceptance(table, chosen)
    failures = [] if verdict.is_accepted else [verdict.detail]
    return [_row(FALSE_ALARMS, "main.null_calibration", 1, failures, BLOCK, verdict.detail)]


def of_looked_after(
    looked_after: pd.DataFrame, totals: pd.DataFrame, areas: Areas, settings: CheckSettings
) -> list[Row]:
    """All checks on the looked-after cells; where a key stands twice, only those that can still be made."""
    keys = keys_and_codes(looked_after, areas)
    if any(row["n_failed"] for row in keys if row["check_name"] == NO_DUPLICATES):
        return keys
    return [
        *keys,
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
    """All checks on the panel and the windows; `excluded` and `steps` are `main.exclusions` and `main.exclusion_steps`."""
    return [
        *one_population_vintage(panel, changes),
        *exclusions_reconcile(looked_after, changes, excluded, steps),
    ]


def data_checks(rows: list[Row]) -> pd.DataFrame:
    """`main.data_checks` from the rows of any checks."""
    return conform(pd.DataFrame(rows, columns=main_tables.DATA_CHECKS.column_names), main_tables.DATA_CHECKS)


def refuse_failed(found: pd.DataFrame) -> None:
    """Refusal with the first blocking check of `main.data_checks` that failed; none may be published over."""
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
