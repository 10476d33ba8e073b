"""Asset checks: the invariants of `pipeline.checks` at the nodes whose figures they hold to account.

What belongs here: which invariant stands at which node and whether it stops the run. What does not: how it is measured.
A blocking check stops what follows within its run; the publisher measures everything again by itself.
"""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from pipeline import checks, geography, settings

_LOOKED_AFTER = {
    checks.NO_DUPLICATES: True,
    checks.KNOWN_CODES: True,
    checks.NUMBER_OR_MARKER: True,
    checks.EVERY_AUTHORITY: True,
    checks.PUBLISHED_RATE: True,
    checks.SUM_OF_STOCKS: True,
    checks.SUM_OF_FLOWS: False,
    checks.STOCK_FLOW: True,
    checks.STOCK_FLOW_MIXED: False,
}
_BESIDE_LOOKED_AFTER = ("core_children_looked_after_totals", "core_local_authorities", "core_area_changes")
_RESULTS = {checks.ONE_VINTAGE: True, checks.RECONCILES: True}
_CALIBRATED = {checks.FALSE_ALARMS: True}
_BESIDE_RESULTS = ("core_children_looked_after", "care_numbers", "trend_exclusions", "exclusion_steps")


# What `measure` looks at, by asset.
MEASURED = (
    "core_children_looked_after", "core_children_looked_after_totals", "core_local_authorities", "core_area_changes",
    "core_deprivation", "core_deprivation_england", "core_inspections", "core_inspections_compared",
    "core_interactive_tool", "core_spending", "core_statistical_neighbours", "care_numbers", "five_year_change",
    "exclusions", "exclusion_steps", "null_calibration",
)  # fmt: skip


def measure(frames: dict[str, pd.DataFrame]) -> list[checks.Row]:
    """All rows of `main.data_checks` from the frames of the assets in MEASURED."""
    looked_after = frames["core_children_looked_after"]
    areas = geography.build_areas(frames["core_local_authorities"], frames["core_area_changes"])
    return [
        *checks.of_looked_after(
            looked_after, frames["core_children_looked_after_totals"], areas, settings.load().checks
        ),
        *checks.of_results(
            looked_after,
            frames["care_numbers"],
            frames["five_year_change"],
            frames["exclusions"],
            frames["exclusion_steps"],
        ),
        *checks.of_deprivation(
            frames["core_deprivation"], frames["core_deprivation_england"], frames["core_interactive_tool"], areas
        ),
        *checks.every_authority_has_neighbours(frames["core_statistical_neighbours"], areas),
        *checks.of_inspections(frames["core_inspections"], frames["core_inspections_compared"], areas),
        *checks.of_interactive_tool(
            frames["core_interactive_tool"],
            looked_after,
            frames["core_spending"],
            frames["care_numbers"],
            settings.load().checks,
        ),
        *checks.of_calibration(frames["null_calibration"], settings.load()),
    ]


def _specs(asset: str, names: dict[str, bool], beside: tuple[str, ...]) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=asset, blocking=blocking, additional_deps=beside, description=checks.HOLDS[name])
        for name, blocking in names.items()
    ]


def _results(asset: str, names: dict[str, bool], rows: list[checks.Row]) -> Iterator[dg.AssetCheckResult]:
    for name in names:
        own = [row for row in rows if row["check_name"] == name]
        failed = [row for row in own if row["n_failed"]]
        blocks = any(row["severity"] == checks.BLOCK for row in failed)
        yield dg.AssetCheckResult(
            asset_key=asset,
            check_name=name,
            passed=not failed,
            severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
            description="; ".join(f"{row['scope']}: {row['detail']}" for row in failed) or None,
            metadata={"cases": sum(int(str(row["n"])) for row in own), "scopes": len(own)},
        )


@dg.multi_asset_check(
    specs=_specs("core_children_looked_after", _LOOKED_AFTER, _BESIDE_LOOKED_AFTER),
    ins={name: dg.AssetIn(name) for name in _BESIDE_LOOKED_AFTER},
)
def looked_after_invariants(
    core_children_looked_after: pd.DataFrame,
    core_children_looked_after_totals: pd.DataFrame,
    core_local_authorities: pd.DataFrame,
    core_area_changes: pd.DataFrame,
) -> Iterator[dg.AssetCheckResult]:
    """The publisher's own arithmetic holds in every file that was read."""
    areas = geography.build_areas(core_local_authorities, core_area_changes)
    rows = checks.of_looked_after(
        core_children_looked_after, core_children_looked_after_totals, areas, settings.load().checks
    )
    yield from _results("core_children_looked_after", _LOOKED_AFTER, rows)


@dg.multi_asset_check(
    specs=_specs("five_year_change", _RESULTS, _BESIDE_RESULTS),
    ins={name: dg.AssetIn(name) for name in _BESIDE_RESULTS},
)
def result_invariants(
    five_year_change: pd.DataFrame,
    core_children_looked_after: pd.DataFrame,
    care_numbers: pd.DataFrame,
    trend_exclusions: pd.DataFrame,
    exclusion_steps: pd.DataFrame,
) -> Iterator[dg.AssetCheckResult]:
    """Windows are on one vintage and every published authority is accounted for."""
    rows = checks.of_results(
        core_children_looked_after, care_numbers, five_year_change, trend_exclusions, exclusion_steps
    )
    yield from _results("five_year_change", _RESULTS, rows)


@dg.multi_asset_check(specs=_specs("null_calibration", _CALIBRATED, ()))
def calibration_invariants(null_calibration: pd.DataFrame) -> Iterator[dg.AssetCheckResult]:
    """The project's own rule flags as few units without a trend as it claims."""
    rows = checks.of_calibration(null_calibration, settings.load())
    yield from _results("null_calibration", _CALIBRATED, rows)


ALL = [looked_after_invariants, result_invariants, calibration_invariants]
