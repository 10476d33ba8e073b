"""What people query: the panel, the national trend, the windows and their five-year changes, and what was left out.

What belongs here: declarations of the tables of schema `main`. What does not: inputs (`core_tables`) and provenance
(`about_tables`).
"""

from __future__ import annotations

from dataclasses import replace

from pipeline import sentences
from pipeline.tables import shared_columns as shared
from pipeline.tables.declare import Column, Table
from pipeline.tables.evidence_tables import CHANGE_EVIDENCE

CARE_NUMBERS = Table(
    schema="main",
    name="care_numbers",
    asset="care_numbers",
    description="Children looked after, starting and ceasing, with the rate, by authority and year.",
    grain="authority in being on 31 March of the year, and year",
    key=("la_code", "year"),
    warnings=(
        "Counts are from the newest release that holds the year; a marker there stays a marker.",
        "All populations are of one vintage (rebased), which begins with reporting year 2013: earlier rates are missing "
        "here, and the windows that need them use another vintage throughout.",
        "Spending is not adjusted for prices or local costs, and on several definitions: compare within one spending_basis.",
        *sentences.ALL_IN_SHORT,
    ),
    columns=(
        shared.LA_CODE,
        shared.ONS_CODE.but(description="ONS code in use on 31 March of the year.", nullable=True),
        shared.LA_NAME,
        shared.REGION_NAME,
        shared.YEAR,
        shared.LOOKED_AFTER,
        shared.MARKER.but(
            name="looked_after_marker", description="The publisher's symbol where looked_after is missing."
        ),
        Column("looked_after_reason", "text", "Why looked_after is missing.", nullable=True, allowed=shared.REASONS),
        Column("started", "integer", "Children who started to be looked after during the year.", shared.CHILDREN, True),
        Column("started_reason", "text", "Why started is missing.", nullable=True, allowed=shared.REASONS),
        Column("ceased", "integer", "Children who ceased to be looked after during the year.", shared.CHILDREN, True),
        Column("ceased_reason", "text", "Why ceased is missing.", nullable=True, allowed=shared.REASONS),
        shared.POPULATION,
        shared.POPULATION_VINTAGE.but(nullable=True),
        Column("population_reason", "text", "Why the population is missing.", nullable=True, allowed=shared.REASONS),
        shared.RATE,
        Column("published_rate_per_10k", "integer", "The rate in the same release: a whole number, on that release's "
               "own population.", shared.PER_10K, True),
        shared.RELEASE,
        Column("uasc", "integer", "Unaccompanied asylum-seeking children (UASC) among the looked after on 31 March.",
               shared.CHILDREN, True),
        shared.MARKER.but(name="uasc_marker", description="The publisher's symbol where uasc is missing."),
        Column("uasc_reason", "text", "Why uasc is missing; of the interactive tool's marker no more is known than that "
               "there is no number.", nullable=True, allowed=shared.REASONS),
        Column("uasc_low", "integer", "The least that uasc can be: the number itself, or 0 where it is marked.",
               shared.CHILDREN, True),
        Column("uasc_high", "integer", "The most that uasc can be: the number itself, or 5 where it is marked.",
               shared.CHILDREN, True),
        Column("uasc_bound_unsure", "boolean", "Whether the marked cell may hide more than uasc_high; false for a number, "
               "missing where nothing is known.", nullable=True),
        Column("uasc_source", "text", "release: the looked-after releases, to 2014. interactive_tool: its newest edition "
               "with the year.", nullable=True, allowed=("release", "interactive_tool")),
        shared.RELEASE.but(name="uasc_release", description="Release of uasc, or newest reporting year of the edition.",
                           nullable=True),
        Column("looked_after_without_uasc_low", "integer", "looked_after less uasc_high, not below 0.", shared.CHILDREN,
               True),
        Column("looked_after_without_uasc_high", "integer", "looked_after less uasc_low.", shared.CHILDREN, True),
        Column("spending_per_child", "number", "Total expenditure on children looked after in the financial year, before "
               "income, over children aged 0-17.", "pounds of the day per child aged 0-17", True),
        Column("spending_basis", "text", "Definition and file of the expenditure: the section 251 return as it was to "
               "2012, 2013 to 2017 and from 2018, and the same return as the interactive tool gives it.", nullable=True,
               allowed=("s251_to_2012", "s251_2013_to_2017", "s251_from_2018", "interactive_tool")),
        Column("spending_reason", "text", "Why there is no spending per child.", nullable=True, allowed=shared.REASONS),
    ),
)  # fmt: skip

NATIONAL_TREND = Table(
    schema="main",
    name="national_trend",
    asset="national_trend",
    description="Children looked after in England by year, from three sources side by side.",
    grain="year and source",
    key=("year", "source"),
    warnings=(
        "sum_of_authorities adds up the exact counts of the newest release of each year and leaves out suppressed cells "
        "(counted in authorities_missing); published_row is the England row of that release, rounded; national_series "
        "is the newest long series, rounded and revised.",
        "All rates use the rebased England population, so they start in 2013.",
    ),
    columns=(
        shared.YEAR,
        Column("source", "text", "Where the count is from.",
               allowed=("sum_of_authorities", "published_row", "national_series")),
        shared.RELEASE,
        shared.LOOKED_AFTER,
        Column("authorities", "integer", "Authorities in the sum; missing for the published figures.", nullable=True),
        Column("authorities_missing", "integer", "Authorities in being without a number.", nullable=True),
        shared.POPULATION.but(description="Children aged 0-17 in England, rebased estimates, at the mid-year before."),
        shared.RATE,
        Column("rate_reason", "text", "Why the rate is missing.", nullable=True, allowed=shared.REASONS),
    ),
)  # fmt: skip

VINTAGE_EFFECT = Table(
    schema="main",
    name="vintage_effect",
    asset="vintage_effect",
    description="How much the rebasing of the populations alone moves the rate, with the count held fixed.",
    grain="authority and year that has both population vintages",
    key=("la_code", "year"),
    columns=(
        shared.LA_CODE,
        shared.LA_NAME,
        shared.YEAR,
        shared.LOOKED_AFTER,
        Column("population_pre_census", "integer", "Children aged 0-17, estimate from before the 2021 census.",
               shared.CHILDREN),
        Column("population_rebased", "integer", "Children aged 0-17, estimate rebased on the 2021 census.",
               shared.CHILDREN),
        Column("rate_pre_census", "number", "Rate on the estimate from before the census.", shared.PER_10K, True),
        Column("rate_rebased", "number", "Rate on the rebased estimate.", shared.PER_10K, True),
        Column("rate_difference_pct", "number", "Rebased rate against the other.", shared.PER_CENT),
        shared.REASON,
    ),
)  # fmt: skip

WINDOWS = Table(
    schema="main",
    name="windows",
    asset="windows",
    description="The windows over which changes are taken, and why one is not computed.",
    grain="window",
    key=("window_id",),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        Column("years", "integer", "Length of the window.", "years"),
        shared.POPULATION_VINTAGE,
        Column("role", "text", "What the window is for.", allowed=("primary", "alternate", "study", "history")),
        Column("is_computed", "boolean", "Whether both ends have counts and populations."),
        shared.REASON.but(description="Why the window is not computed."),
        Column("detail", "text", "What is missing, in words.", nullable=True),
        Column("estimated_denominator", "boolean", "Whether the start's populations are added up from age bands."),
        Column("units", "integer", "Units compared.", nullable=True),
        Column("units_down", "integer", "Units whose rate moved down.", nullable=True),
        Column("units_up", "integer", "Units whose rate moved up.", nullable=True),
        Column("units_bucking", "integer", "Units that bucked the trend; missing where England has no clear direction.",
               nullable=True),
        Column("england_direction", "text", "Direction of England over the window.", nullable=True,
               allowed=("up", "down", "no_clear_direction")),
        Column("england_change_pct", "number", "Change of England's rate, over the units compared.", shared.PER_CENT,
               True),
        Column("england_number_change_pct", "number", "Change of England's number, over the units compared.",
               shared.PER_CENT, True),
        Column("published_england_number_change_pct", "number", "Change of the number in the published England rows.",
               shared.PER_CENT, True),
    ),
)  # fmt: skip


def _at(column: Column, name: str, when: str) -> Column:
    return column.but(name=name, description=f"{column.description.rstrip('.')}; at the {when} of the window.")


# What `trends` computes; the published table adds the evidence.
CHANGES = Table(
    schema="main",
    name="five_year_change",
    description="The change of every unit in every window, beside England's, and whether it bucked the national trend.",
    grain="window and unit",
    key=("window_id", "unit_id"),
    order=("window_id", "unit_name"),
    warnings=(
        "A unit is one authority, or several joined where a boundary changed within the window.",
        "England is pooled over the units of the window.",
        "evidence never alters the other columns: a unit that bucked the trend with evidence C is one whose movement is "
        "common for an authority of its size.",
        *sentences.ALL_IN_SHORT,
        *sentences.TREND_IN_SHORT,
    ),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        shared.UNIT_ID,
        shared.UNIT_NAME,
        Column("members", "text", "DfE codes of all authorities of the unit, old and new, joined by +."),
        shared.REGION_NAME,
        _at(shared.LOOKED_AFTER.but(nullable=False), "looked_after_start", "start"),
        _at(shared.LOOKED_AFTER.but(nullable=False), "looked_after_end", "end"),
        _at(shared.POPULATION.but(nullable=False), "population_start", "start"),
        _at(shared.POPULATION.but(nullable=False), "population_end", "end"),
        _at(shared.RATE.but(nullable=False), "rate_start", "start"),
        _at(shared.RATE.but(nullable=False), "rate_end", "end"),
        Column("change_log", "number", "Natural logarithm of rate_end / rate_start.", "log ratio"),
        Column("change_pct", "number", "Change of the rate: 100 (exp(change_log) - 1).", shared.PER_CENT),
        Column("change_per_10k", "number", "rate_end - rate_start.", shared.PER_10K),
        Column("england_change_pct", "number", "Change of England's rate over the same units.", shared.PER_CENT),
        Column("england_number_change_pct", "number", "Change of England's number over the same units.",
               shared.PER_CENT),
        Column("relative_change_log", "number", "change_log less England's.", "log ratio"),
        Column("relative_change_pct", "number", "Change relative to England: 100 (exp(relative_change_log) - 1).",
               shared.PER_CENT),
        Column("england_direction", "text", "up or down where England's rate moved by 2% or more and its number the "
               "same way.", allowed=("up", "down", "no_clear_direction")),
        Column("movement", "text", "Whether the unit's rate moved by 5% or more.", allowed=("up", "down",
               "little_change")),
        Column("relative", "text", "Whether the unit parted from England by 10% or more.",
               allowed=("fell_relative", "rose_relative", "moved_with_england")),
        Column("bucked", "boolean", "Whether the unit moved against a clear national direction and parted from it; "
               "missing where England has none.", nullable=True),
        Column("bucked_reason", "text", "Why bucked is missing.", nullable=True, allowed=("national_flat",)),
        shared.POPULATION_VINTAGE,
        Column("estimated_denominator", "boolean", "Whether the start's population is added up from age bands."),
        shared.RELEASE.but(name="release_start", description="Release of the count at the start."),
        shared.RELEASE.but(name="release_end", description="Release of the count at the end."),
        Column("mixed_release", "boolean", "Whether the two counts are from different releases."),
        shared.REASON,
        Column("combination_reason", "text", "Why the unit joins several authorities.", nullable=True,
               allowed=("boundary_change", "denominator_geography")),
    ),
)  # fmt: skip

FIVE_YEAR_CHANGE = replace(CHANGES, asset="five_year_change", columns=(*CHANGES.columns, *CHANGE_EVIDENCE))

BUCKING_THE_TREND = Table(
    schema="main",
    name="bucking_the_trend",
    is_view=True,
    description="The newest five-year window in which England has a clear direction: who moved against it.",
    grain="unit of that window",
    key=("unit_name",),
    warnings=(*sentences.ALL_IN_SHORT, *sentences.TREND_IN_SHORT),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        Column("newest_window_has_direction", "boolean", "Whether this is the newest five-year window there is; if "
               "not, England has no clear direction in the newer ones."),
        shared.UNIT_ID,
        shared.UNIT_NAME,
        shared.REGION_NAME,
        Column("bucked", "boolean", "Whether the unit moved against the national direction and parted from it."),
        Column("change_pct", "number", "Change of the rate.", shared.PER_CENT),
        Column("relative_change_pct", "number", "Change relative to England.", shared.PER_CENT),
        Column("england_change_pct", "number", "Change of England's rate over the same units.", shared.PER_CENT),
        Column("england_direction", "text", "Direction of England over the window.", allowed=("up", "down")),
        Column("evidence", "text", "How unusual the change is, see main.five_year_change.", nullable=True,
               allowed=("A", "B", "C")),
        Column("evidence_text", "text", "The same in words.", nullable=True),
        Column("is_robust", "boolean", "Whether three quarters of the available alternates or more agree.", nullable=True),
    ),
)  # fmt: skip

_STEPS = ("published", "in_being_at_end", "not_too_small", "units", "counts_at_both_ends", "population_at_both_ends")

EXCLUSIONS = Table(
    schema="main",
    name="exclusions",
    asset="exclusions",
    description="Every published authority that is not a unit by itself in a window: left out, or joined with others.",
    grain="window, stage, model, step and authority",
    key=("window_id", "stage", "model", "step", "la_code"),
    warnings=(
        "rule tells the two apart: excluded, or combined (the authority counts within unit_id).",
        "Counts are of authorities up to the step units, and of units from there on.",
    ),
    columns=(
        shared.WINDOW_ID.but(is_repeated=True),
        shared.WINDOW_START,
        shared.WINDOW_END,
        Column("stage", "text", "Where it happened.", allowed=("trend", "regression"), is_repeated=True),
        Column(
            "model",
            "text",
            "Model in its primary variant, where the stage is regression; empty for trends.",
            is_repeated=True,
        ),
        Column(
            "step",
            "text",
            "Step of the count-down from published authorities to units; in the stage regression complete_cases, where a "
            "value is missing, or fitted, where the model is not.",
            allowed=(*_STEPS, "complete_cases", "fitted"),
            is_repeated=True,
        ),
        Column("rule", "text", "What was done.", allowed=("excluded", "combined"), is_repeated=True),
        shared.LA_CODE.but(is_repeated=True),
        shared.LA_NAME.but(is_repeated=True),
        shared.UNIT_ID.but(
            nullable=True, description="Unit that the authority is or would be part of.", is_repeated=True
        ),
        Column("year", "integer", "Reporting year in which something is missing.", nullable=True),
        shared.REASON.but(description="Why.", nullable=False, is_repeated=True),
        Column("detail", "text", "The same in words.", is_repeated=True),
        Column("evidence", "text", "Marker, change or list that the step rests on.", nullable=True),
        Column("n_before", "integer", "Number before the step."),
        Column("n_after", "integer", "Number after the step."),
    ),
)

EXCLUSION_STEPS = Table(
    schema="main",
    name="exclusion_steps",
    asset="exclusion_steps",
    description="The count-down from published authorities to compared units, a step a row, also where nothing was lost.",
    grain="window and step",
    key=("window_id", "step_number"),
    columns=(
        shared.WINDOW_ID,
        Column("step_number", "integer", "Order of the steps, from 1."),
        Column("step", "text", "Step.", allowed=_STEPS),
        Column("n_before", "integer", "Number before the step."),
        Column("n_excluded", "integer", "Authorities (from the step units on: units) excluded."),
        Column(
            "n_combined_away", "integer", "What joining takes off: k authorities that become one unit take off k-1."
        ),
        Column("n_after", "integer", "Number after the step."),
    ),
)

_RELEASES = (
    Column("release_from", "integer", "Older release, by its reporting year."),
    Column("release_to", "integer", "Newer release, by its reporting year; the same where the release was amended."),
    Column("edition_from", "text", "Where a release was amended: the first 12 digits of the sha256 of its older file, which "
           "is compared with the file that counts; else empty."),
)  # fmt: skip
_REVISED = "that of the measure: children, or children per 10,000 for rates"

REVISIONS = Table(
    schema="main",
    name="revisions",
    asset="revisions",
    description="Every figure of an authority that two releases of the looked-after statistics, or two editions of one, "
    "give differently.",
    grain="authority, year, measure, and pair of releases or editions",
    key=("la_code", "year", "measure", "release_from", "release_to", "edition_from"),
    warnings=(
        "Figures that are a number in both releases; a figure that is the same in both has no row "
        "(main.revisions_summary counts them).",
        "Results take the newest release's count; the published rate of a release belongs to its own populations.",
    ),
    columns=(
        shared.LA_CODE,
        shared.YEAR,
        Column("measure", "text", "Measure, as in core.children_looked_after."),
        *_RELEASES,
        Column("value_from", "integer", "Figure of the older release.", _REVISED),
        Column("value_to", "integer", "Figure of the newer release.", _REVISED),
        Column("difference", "integer", "value_to less value_from.", _REVISED),
        Column("kind", "text", "count: the count was revised (a rate's row: and the rate with it). population: the "
               "population was revised or rebased. rate_only: the rate moved with its population, the count is the same.",
               allowed=("count", "population", "rate_only")),
    ),
)  # fmt: skip

REVISIONS_SUMMARY = Table(
    schema="main",
    name="revisions_summary",
    asset="revisions_summary",
    description="Of every pair of releases and measure: figures compared, figures revised, and by how much.",
    grain="pair of releases or editions, and measure",
    key=("release_from", "release_to", "edition_from", "measure"),
    columns=(
        *_RELEASES,
        Column("measure", "text", "Measure, as in core.children_looked_after."),
        Column("n_compared", "integer", "Figures that are a number in both releases."),
        Column("n_changed", "integer", "Of these, figures that differ."),
        Column("n_rate_only", "integer", "Of those that differ, rates that moved with the population alone."),
        Column("median_change", "number", "Median size of the differences.", _REVISED, True),
        Column("largest_change", "integer", "Largest size of a difference.", _REVISED, True),
        shared.REASON.but(description="Why the sizes are missing: not_applicable where nothing differs."),
    ),
)

DATA_CHECKS = Table(
    schema="main",
    name="data_checks",
    asset="data_checks",
    description="The invariants of the published statistics, as found in this run.",
    grain="check and scope",
    key=("check_name", "scope"),
    warnings=("A failed check of severity block stops publication; warn is to be looked at.",),
    columns=(
        Column("check_name", "text", "Name of the check."),
        Column("scope", "text", "Release, window or table it was made on."),
        Column("n", "integer", "Cases looked at."),
        Column("n_failed", "integer", "Cases that failed."),
        Column("severity", "text", "What a failure means.", allowed=("block", "warn")),
        Column("detail", "text", "What was found, with the first cases that failed."),
    ),
)

TABLES = (
    CARE_NUMBERS,
    NATIONAL_TREND,
    VINTAGE_EFFECT,
    WINDOWS,
    FIVE_YEAR_CHANGE,
    BUCKING_THE_TREND,
    EXCLUSIONS,
    EXCLUSION_STEPS,
    REVISIONS,
    REVISIONS_SUMMARY,
    DATA_CHECKS,
)
