"""Appendix: authorities that began with the Innovation Programme in different years, year by year (methods.md D8).

What belongs here: the comparison of each entry year with authorities that did not take part, years before entry included.
What does not: any other use of it. Nothing outside the appendix may rest on these figures, and no conclusion is drawn.

The method is that of Callaway and Sant'Anna (2021), J. Econometrics 225:200-230, without covariates. For the units G that
enter in reporting year g and the controls C, the group-time difference in year t is

    mean over G of (L_t - L_s) - mean over C of (L_t - L_s),   s = g - 1 from entry on, and s = t - 1 before,

with L the log rate. From entry on it is the average treatment effect on the treated if the rates of G would otherwise have
moved in parallel to those of C. The years before entry show how far they did: they come first. Some rounds took
authorities with high or rising rates, so that rates need not have moved in parallel (`sentences.NOT_RANDOM`).

A project that began in calendar year y first counts on 31 March y + 1: 31 March y lies before most of its year
(methods.md D3, where the year of a window's start is ambiguous for the same reason).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from pipeline import geography, innovation_programme, settings, unit_series
from pipeline.geography import Areas
from pipeline.innovation_programme import EVER, Rule
from pipeline.readers.population_dfe import REBASED
from pipeline.regression.design import NO_EXPOSURE, NO_VARIATION, TOO_FEW_UNITS, Floats, Integers
from pipeline.settings import Settings
from pipeline.tables import model_tables
from pipeline.tables.frames import conform

NEVER, NOT_YET = "never", "not_yet"
CONTROLS = (NEVER, NOT_YET)
NO_ENTRY = 0  # entry year of a unit that is not known to have taken part

BEFORE, AFTER = 4, 5  # years shown: the last entries have four changes before them; a window is five years long
NOT_AVAILABLE = "not_available"


# ---------------------------------------------------------------------------------------------------------------------
# The estimator


@dataclass(frozen=True)
class Cohorts:
    """A balanced panel: `log_rates` of shape (units, years), and each unit's entry as a reporting year or NO_ENTRY.

    `years` follow each other without a gap.
    """

    years: tuple[int, ...]
    log_rates: Floats
    entry: Integers

    def groups(self, fewest: int) -> list[int]:
        """Entry years that have a year before them and at least `fewest` units."""
        entries, sizes = np.unique(self.entry[self.entry > self.years[0]], return_counts=True)
        return [int(year) for year, size in zip(entries, sizes, strict=True) if size >= fewest]

    def of(self, kept: npt.NDArray[np.bool_]) -> Cohorts:
        """The panel of some of the units."""
        return Cohorts(self.years, self.log_rates[kept], self.entry[kept])


@dataclass(frozen=True)
class Difference:
    """A difference of log rates and each unit's part in its error: shape (units,), variance = sum of squares / units^2."""

    estimate: float
    influence: Floats
    n_units: int
    n_controls: int

    @property
    def std_error(self) -> float:
        """From the influence of the units, each unit a cluster of its own years."""
        return float(np.linalg.norm(self.influence) / len(self.influence))


def group_time(cohorts: Cohorts, group: int, year: int, controls: str) -> Difference | None:
    """The difference of one entry year in one reporting year; None without controls.

    Controls are the units without entry, and for `not_yet` also those that enter after the year (and after its base).
    """
    base = group - 1 if year >= group else year - 1
    change = cohorts.log_rates[:, cohorts.years.index(year)] - cohorts.log_rates[:, cohorts.years.index(base)]
    taking_part = cohorts.entry == group
    control = cohorts.entry == NO_ENTRY
    if controls == NOT_YET:
        control = control | ((cohorts.entry > max(year, base)) & ~taking_part)
    if not control.any():
        return None
    n = len(change)
    own, others = change[taking_part].mean(), change[control].mean()
    influence = np.zeros(n)
    influence[taking_part] = n / taking_part.sum() * (change[taking_part] - own)
    influence[control] = -n / control.sum() * (change[control] - others)
    return Difference(float(own - others), influence, int(taking_part.sum()), int(control.sum()))


def at_event_time(cohorts: Cohorts, event_time: int, controls: str, fewest: int) -> tuple[Difference, int] | None:
    """The mean over the entry years of their differences so many years from entry, weighted by their units.

    Also how many entry years there are; None where none has that year. The error allows for the weights being shares of
    the units that are there (Callaway and Sant'Anna 2021, section 4).
    """
    found = [
        (group, one)
        for group in cohorts.groups(fewest)
        if group + event_time in cohorts.years[1:]
        and (one := group_time(cohorts, group, group + event_time, controls)) is not None
    ]
    if not found:
        return None
    estimates = np.array([one.estimate for _, one in found])
    members = np.array([cohorts.entry == group for group, _ in found], dtype=float)
    sizes = members.sum(axis=1)
    mean = float(estimates @ sizes / sizes.sum())
    influence = np.array([one.influence for _, one in found]).T @ (sizes / sizes.sum())
    influence += len(cohorts.entry) / sizes.sum() * ((estimates - mean) @ members)
    return (
        Difference(mean, influence, int(sizes.sum()), min(one.n_controls for _, one in found)),
        len(found),
    )


def wald(differences: Sequence[Difference]) -> float | None:
    """Wald's statistic that all are 0, from their joint influence; None where one of them follows from the others."""
    estimates = np.array([one.estimate for one in differences])
    influence = np.array([one.influence for one in differences]).T
    _, r = np.linalg.qr(influence / len(influence))
    diagonal = np.abs(np.diag(r))
    if len(influence) < len(estimates) or diagonal.min() <= 1e-9 * diagonal.max():
        return None
    whitened = np.linalg.solve(r.T, estimates)
    return float(whitened @ whitened)


def joint_p(differences: Sequence[Difference]) -> float | None:
    """The p that all are 0: Wald's statistic over their number, F with that number and units - 1 degrees of freedom.

    F and not chi-square, as t and not the normal elsewhere: units are few.
    """
    statistic = wald(differences)
    if statistic is None:
        return None
    terms = len(differences)
    return float(special.fdtrc(terms, len(differences[0].influence) - 1, statistic / terms))


# ---------------------------------------------------------------------------------------------------------------------
# The published table


def cohorts(
    looked_after: pd.DataFrame,
    population: pd.DataFrame,
    programme: pd.DataFrame,
    areas: Areas,
    shares: Mapping[tuple[str, str], float],
) -> Cohorts:
    """Units over all years of the rebased populations, with a number above 0 in each, and their first project's year.

    From `core.children_looked_after`, `core.population` and `core.innovation_programme`: the two rounds, published rows.
    """
    counted = unit_series.newest(looked_after)
    children = unit_series.populations(population, REBASED)
    years = _without_gap(set(counted.years) & set(children.years))
    if not years:
        return Cohorts((), np.empty((0, 0)), np.empty(0, dtype=np.int64))
    units = [
        unit for unit in geography.units(areas, years[0], years[-1]) if not areas.too_small.intersection(unit.members)
    ]
    counts, people = (unit_series.of_units(units, years, source, areas) for source in (counted, children))
    first = innovation_programme.participation(programme, units, areas, shares, years[0], years[-1], Rule(timing=EVER))[
        "first_start_year"
    ]
    entry = (first + 1).fillna(NO_ENTRY).to_numpy(dtype=np.int64)
    whole = Cohorts(years, unit_series.log_rates(counts.numbers, people.numbers), entry)
    return whole.of(unit_series.complete(counts, people))


def _without_gap(years: Iterable[int]) -> tuple[int, ...]:
    """The newest years that follow each other."""
    ordered = sorted(years, reverse=True)
    kept = [year for at, year in enumerate(ordered) if year == ordered[0] - at]
    return tuple(reversed(kept))


def staggered_adoption(
    looked_after: pd.DataFrame,
    population: pd.DataFrame,
    programme: pd.DataFrame,
    areas: Areas,
    shares: Mapping[tuple[str, str], float],
    chosen: Settings | None = None,
) -> pd.DataFrame:
    """`main.staggered_adoption`: a row a control group and year from entry, the years before entry first."""
    chosen = chosen or settings.load()
    table = model_tables.STAGGERED_ADOPTION
    if programme.empty:
        rows = _unavailable(NO_EXPOSURE)
    else:
        rows = of_cohorts(cohorts(looked_after, population, programme, areas, shares), chosen)
    return conform(rows.reindex(columns=table.column_names), table)


def of_cohorts(panel: Cohorts, chosen: Settings) -> pd.DataFrame:
    """The rows of the table. Entry years with few units are left out whole: they are no controls either."""
    if len(panel.entry) < chosen.regression.fewest_units:
        return _unavailable(TOO_FEW_UNITS)
    fewest = chosen.groups.fewest_in_group
    groups = panel.groups(fewest)
    if not groups:
        return _unavailable(NO_VARIATION)
    compared = panel.of(np.isin(panel.entry, [NO_ENTRY, *groups]))
    if (compared.entry == NO_ENTRY).sum() < fewest:
        return _unavailable(TOO_FEW_UNITS)
    rows = [row for controls in CONTROLS for row in _rows(compared, controls, fewest)]
    return pd.DataFrame(rows).assign(
        n_left_out=len(panel.entry) - len(compared.entry), first_year=panel.years[0], last_year=panel.years[-1]
    )


def _rows(panel: Cohorts, controls: str, fewest: int) -> list[dict[str, object]]:
    found = {time: at_event_time(panel, time, controls, fewest) for time in range(-BEFORE, AFTER + 1)}
    earlier = [one[0] for time, one in found.items() if time < 0 and one is not None]
    p = joint_p(earlier) if earlier else None
    half = float(special.stdtrit(len(panel.entry) - 1, 0.975))
    rows: list[dict[str, object]] = []
    for time, one in found.items():
        row: dict[str, object] = {"control_group": controls, "event_time": time, "is_pre_programme": time < 0}
        row |= {"pretrend_p": p, "pretrend_reason": None if p is not None else NOT_AVAILABLE, "reason": NOT_AVAILABLE}
        if one is not None:
            difference, n_groups = one
            estimate, error = difference.estimate, difference.std_error
            row |= {
                "estimate": estimate,
                "std_error": error,
                "lower_95": estimate - half * error,
                "upper_95": estimate + half * error,
                "n_groups": n_groups,
                "n_units": difference.n_units,
                "n_controls": difference.n_controls,
                "reason": None,
            }
        rows.append(row)
    return rows


def _unavailable(reason: str) -> pd.DataFrame:
    """Every row without a figure, and why."""
    return pd.DataFrame(
        [
            {
                "control_group": controls,
                "event_time": time,
                "is_pre_programme": time < 0,
                "reason": reason,
                "pretrend_reason": reason,
                "panel_reason": reason,
            }
            for controls in CONTROLS
            for time in range(-BEFORE, AFTER + 1)
        ]
    )
