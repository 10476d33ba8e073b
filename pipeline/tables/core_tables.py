"""The inputs as published: tidy, long, faithful, every row with the file it came from.

What belongs here: declarations of the tables of schema `core`. What does not: anything computed (`main_tables`).
"""

from __future__ import annotations

from pipeline.reasons import NOT_APPLICABLE, NOT_AVAILABLE, SUPPRESSED
from pipeline.tables import shared_columns as shared
from pipeline.tables.declare import Column, Table

MEASURES = ("looked_after", "started", "ceased", "uasc", "population_0_17", "looked_after_rate_per_10k",
            "started_rate_per_10k", "ceased_rate_per_10k")  # fmt: skip
POPULATION_VINTAGES = (*shared.VINTAGES, "age_band_estimate")

_MEASURE = Column(
    "measure",
    "text",
    "What is counted: looked_after on 31 March; started and ceased during the year; uasc, unaccompanied "
    "asylum-seeking children among the looked after; the release's own population and whole-number rates.",
    allowed=MEASURES,
)
_MARKER_MEANING = Column(
    "marker_meaning",
    "text",
    "What the symbol means in this release; x is suppressed up to 2017 and not available after it.",
    nullable=True,
    allowed=(SUPPRESSED, NOT_AVAILABLE, NOT_APPLICABLE),
)

CHILDREN_LOOKED_AFTER = Table(
    schema="core",
    name="children_looked_after",
    asset="core_children_looked_after",
    description="Every headline cell of the looked-after releases for local authorities, as published.",
    grain="release, authority, year and measure",
    key=("release", "la_code", "year", "measure"),
    warnings=(
        "A year stands in several releases: filter on release, or use main.care_numbers for the newest.",
        "Rows of authorities that have ended or not begun are kept, with a marker.",
        "Rates and populations of two releases are not comparable: use main.care_numbers.",
    ),
    columns=(
        shared.LA_CODE,
        shared.ONS_CODE.but(description="ONS code as the file has it; the 2010 release has none.", nullable=True),
        shared.LA_NAME.but(description="Name as the file has it. Two authorities may share one name."),
        shared.YEAR,
        shared.RELEASE,
        _MEASURE,
        shared.VALUE,
        shared.MARKER,
        _MARKER_MEANING,
        shared.SHA256,
        shared.SOURCE_ROW,
        shared.SOURCE_COLUMN,
    ),
)

CHILDREN_LOOKED_AFTER_TOTALS = Table(
    schema="core",
    name="children_looked_after_totals",
    asset="core_children_looked_after_totals",
    description="The England and region rows of the same files, which the publisher rounds.",
    grain="release, area, year and measure",
    key=("release", "area_level", "area_code", "year", "measure"),
    warnings=(
        "Eleven region rows, because Inner and Outer London stand beside London: summing all counts London twice.",
        "England is rounded to 10 (in the 2010 release to 100); authorities are not rounded.",
    ),
    columns=(
        shared.AREA_LEVEL.but(allowed=("region", "england")),
        Column("area_code", "text", "The publisher's code of the area; letters and numbers differ between layouts."),
        Column("area_name", "text", "Name as the file has it."),
        shared.YEAR,
        shared.RELEASE,
        _MEASURE,
        shared.VALUE,
        shared.MARKER,
        _MARKER_MEANING,
        shared.SHA256,
        shared.SOURCE_ROW,
        shared.SOURCE_COLUMN,
    ),
)

NATIONAL_SERIES = Table(
    schema="core",
    name="national_series",
    asset="core_national_series",
    description="The publisher's long national series since 1994, as each release gives it.",
    grain="release, year and measure",
    key=("release", "year", "measure"),
    warnings=("Rounded to 10, and revised: it need not equal what was first published for a year.",),
    columns=(
        shared.YEAR,
        shared.RELEASE,
        _MEASURE.but(allowed=("looked_after", "uasc", "started", "ceased", "adopted")),
        shared.VALUE,
        shared.MARKER,
        _MARKER_MEANING,
        shared.SHA256,
        shared.SOURCE_ROW,
    ),
)

_VINTAGE = Column(
    "vintage",
    "text",
    "rebased: after the 2021 census. pre_census: before it. age_band_estimate: ages 0-16 plus the 16-year-olds of the "
    "year before, on boundaries of April 2021.",
    allowed=POPULATION_VINTAGES,
)

POPULATION = Table(
    schema="core",
    name="population",
    asset="core_population",
    description="Children aged 0-17 by local authority, in every vintage that is there.",
    grain="vintage, authority and year",
    key=("vintage", "la_code", "year"),
    warnings=("Never mix two vintages in one comparison: main.vintage_effect shows by how much they differ.",),
    columns=(
        shared.LA_CODE,
        shared.ONS_CODE.but(description="ONS code as the file has it."),
        shared.YEAR.but(description="Reporting year that the estimate serves: the mid-year plus one."),
        Column("mid_year", "integer", "The mid-year (30 June) that the estimate is of."),
        _VINTAGE,
        Column("edition", "integer", "Newest mid-year of the file, or the year of its boundaries for estimates."),
        shared.POPULATION.but(description="Children aged 0-17 at that mid-year."),
        shared.MARKER,
        Column("is_estimated", "boolean", "Whether the figure is added up from age bands by this project."),
        shared.SHA256.but(description="sha256 of the file; for estimates, of the age-band files, joined by a space."),
    ),
)

POPULATION_TOTALS = Table(
    schema="core",
    name="population_totals",
    asset="core_population_totals",
    description="The England and region rows of the population files.",
    grain="vintage, area and year",
    key=("vintage", "area_level", "area_code", "year"),
    warnings=("Eleven region rows, because Inner and Outer London stand beside London.",),
    columns=(
        shared.AREA_LEVEL.but(allowed=("region", "england")),
        Column("area_code", "text", "The publisher's code of the area."),
        Column("area_name", "text", "Name as the file has it."),
        shared.YEAR.but(description="Reporting year that the estimate serves: the mid-year plus one."),
        Column("mid_year", "integer", "The mid-year (30 June) that the estimate is of."),
        _VINTAGE.but(allowed=shared.VINTAGES),
        shared.POPULATION.but(description="Children aged 0-17 at that mid-year."),
        shared.MARKER,
        shared.SHA256,
    ),
)

LOCAL_AUTHORITIES = Table(
    schema="core",
    name="local_authorities",
    asset="core_local_authorities",
    description="Every upper-tier local authority since 2009, with its ONS codes through time and its region.",
    grain="authority and ONS code",
    key=("la_code", "ons_code"),
    warnings=("Join on la_code; filter on is_newest_code for one row an authority.",),
    columns=(
        shared.LA_CODE,
        shared.ONS_CODE,
        shared.LA_NAME,
        shared.REGION_NAME,
        Column("region_code", "text", "ONS code of the region."),
        Column("region_part", "text", "Inner or outer part, where the region has parts.", nullable=True),
        Column("ons_code_from", "date", "First day of the ONS code."),
        Column("ons_code_to", "date", "Last day of the ONS code; missing while it is in use.", nullable=True),
        Column("in_being_from", "date", "First day of an authority made by a split or merge.", nullable=True),
        Column("in_being_to", "date", "Last day of an authority ended by a split or merge.", nullable=True),
        Column("is_too_small", "boolean", "Whether the authority is left out of every window for its size."),
        Column("is_newest_code", "boolean", "Whether this is the authority's newest ONS code."),
        Column(
            "latitude",
            "number",
            "A point inside the authority, for laying out a map; missing where none was noted.",
            "degrees",
            nullable=True,
        ),
        Column("longitude", "number", "The same point.", "degrees", nullable=True),
        shared.SHA256,
    ),
)

AREA_CHANGES = Table(
    schema="core",
    name="area_changes",
    asset="core_area_changes",
    description="Every split, merge, recode and boundary change of upper-tier authorities since 2009.",
    grain="old and new ONS code",
    key=("effective_date", "old_ons_code", "new_ons_code"),
    warnings=("The DfE code stays through a recode or boundary change, so old_code can equal new_code.",),
    columns=(
        Column("old_code", "text", "DfE code before."),
        Column("new_code", "text", "DfE code after."),
        Column("old_ons_code", "text", "ONS code before."),
        Column("new_ons_code", "text", "ONS code after."),
        Column("old_name", "text", "Name before."),
        Column("new_name", "text", "Name after."),
        Column("change_type", "text", "Kind of change.", allowed=("split", "merge", "recode", "boundary")),
        Column("effective_date", "date", "First day after the change."),
        Column("evidence", "text", "Where the change is recorded.", nullable=True),
        Column("note", "text", "What else to know about it.", nullable=True),
        shared.SHA256,
    ),
)

TABLES = (
    CHILDREN_LOOKED_AFTER,
    CHILDREN_LOOKED_AFTER_TOTALS,
    NATIONAL_SERIES,
    POPULATION,
    POPULATION_TOTALS,
    LOCAL_AUTHORITIES,
    AREA_CHANGES,
)
