"""What else is known of the authorities: the inputs beside looked-after counts and populations, and what follows from them.

What belongs here: declarations of the optional inputs (schema `core`) and of the tables of `main` that set an authority
beside others like it. What does not: looked-after counts, populations and changes (`core_tables`, `main_tables`).
"""

from __future__ import annotations

from pipeline import sentences
from pipeline.readers import judgements
from pipeline.tables import shared_columns as shared
from pipeline.tables.declare import Column, Table

_EDITION = Column("edition", "text", "Edition of the lists of neighbours: year and month, such as 2025-05.")
_NEIGHBOURS_ARE = (
    "Statistical neighbours are the ten authorities that the publisher's model holds most like an authority in its "
    "population. They say whom a figure may be set beside, not what it ought to be.",
)

STATISTICAL_NEIGHBOURS = Table(
    schema="core",
    name="statistical_neighbours",
    asset="core_statistical_neighbours",
    description="The ten statistical neighbours of every authority, nearest first, in every edition that is there.",
    grain="edition, authority and position",
    key=("edition", "la_code", "position"),
    warnings=(
        *_NEIGHBOURS_ARE,
        "Being a neighbour is not mutual.",
        "An edition keeps lists of authorities that had ended by then (is_old_list).",
    ),
    columns=(
        shared.LA_CODE,
        shared.LA_NAME,
        shared.LA_CODE.but(name="neighbour_code", description="The neighbour's Department for Education code."),
        shared.LA_NAME.but(name="neighbour_name", description="The neighbour's name, in its newest spelling."),
        Column("position", "integer", "Its place in the list, 1 to 10; 1 is the nearest."),
        Column(
            "closeness",
            "text",
            "The publisher's words for how close it is, from extremely close to not close; the two editions write their "
            "initials differently.",
        ),
        _EDITION,
        Column(
            "is_old_list", "boolean", "Whether the authority had ended by then and its list is of an older edition."
        ),
        shared.SHA256,
        shared.SOURCE_ROW,
        shared.SOURCE_COLUMN,
    ),
)

INNOVATION_PROGRAMME = Table(
    schema="core",
    name="innovation_programme",
    asset="core_innovation_programme",
    description="Authorities known to have taken part in the Children's Social Care Innovation Programme and its "
    "successors.",
    grain="authority, programme and project",
    key=("la_code", "programme", "project"),
    warnings=(
        "No row means that no evidence was found, not that the authority did not take part: of Round 1 alone, between 5 "
        "and 24 authorities are missing here.",
        "Compiled by hand from published pages and reports; no official list was to be had.",
        "Filter on confidence = 'published' unless a part known only from general knowledge is to count.",
        "Taking part is not one thing: a whole service rebuilt, or a pilot with a few families. Say which rows you take; "
        "lead_or_partner and start_year are the useful cuts.",
        "Programmes chose whom to take: partners_in_practice authorities judged well, sfpc authorities with high or rising "
        "rates.",
        "Areas are those of 2017: the row of an authority that was later divided is under the old one.",
    ),
    columns=(
        shared.LA_CODE,
        shared.ONS_CODE.but(description="ONS code of the 2017 geography, by which the area was joined."),
        shared.LA_NAME,
        Column(
            "programme",
            "text",
            "innovation_r1: Round 1 (2014 to 2017). innovation_r2: Round 2 (2016 to 2021). partners_in_practice: named "
            "December 2015, widened March 2018. sfpc: Strengthening Families, Protecting Children (2019 to 2024).",
            allowed=("innovation_r1", "innovation_r2", "partners_in_practice", "sfpc"),
        ),
        Column("project", "text", "Name of the project, or a short description where only the award was published."),
        Column(
            "lead_or_partner",
            "text",
            "lead: the authority held the award or owned the project. partner: a pilot, adopter or member of one that "
            "another body led.",
            allowed=("lead", "partner"),
        ),
        Column("start_year", "integer", "Calendar year in which the project began; the programme's where not found."),
        Column("end_year", "integer", "Calendar year in which it ended; the programme's where not found."),
        Column("evidence", "text", "Titles of the sources."),
        Column(
            "confidence",
            "text",
            "published: a published source names the authority in the project. recalled: its part is from general "
            "knowledge or follows from the name of an area.",
            allowed=("published", "recalled"),
        ),
        shared.SHA256,
        shared.SOURCE_ROW,
    ),
)

_NEIGHBOURS_LISTED = Column("neighbours", "integer", "Statistical neighbours listed; 0 where there is no list.")
_NEIGHBOUR_REASON = Column("neighbour_reason", "text", "Why there is no median.", nullable=True, allowed=shared.REASONS)

NEIGHBOUR_COMPARISON = Table(
    schema="main",
    name="neighbour_comparison",
    asset="neighbour_comparison",
    description="The rate of every authority beside those of its statistical neighbours, its region and England.",
    grain="authority in being on 31 March of the year, and year with rates",
    key=("la_code", "year"),
    order=("la_name", "la_code", "year"),
    warnings=(
        *_NEIGHBOURS_ARE,
        "An authority has one list for all years, from the newest edition that has one for it. A neighbour that was not "
        "in being in a year, or has no rate, is left out of that year's median: neighbours_used says how many are in it.",
        "Region and England are pooled over the authorities with both a count and a population that year, the authority "
        "itself among them. Authorities that are too small stand beside nobody and are in no pool.",
        *sentences.ALL_IN_SHORT,
    ),
    columns=(
        shared.LA_CODE,
        shared.LA_NAME,
        shared.REGION_NAME,
        shared.YEAR,
        _EDITION.but(nullable=True),
        shared.RATE,
        Column("rate_reason", "text", "Why the rate is missing.", nullable=True, allowed=shared.REASONS),
        Column(
            "neighbour_median_rate_per_10k",
            "number",
            "Median of the neighbours' rates.",
            shared.PER_10K,
            nullable=True,
        ),
        _NEIGHBOURS_LISTED,
        Column("neighbours_used", "integer", "Neighbours with a rate that year."),
        _NEIGHBOUR_REASON,
        Column("region_rate_per_10k", "number", "The region's pooled rate.", shared.PER_10K, nullable=True),
        Column("region_reason", "text", "Why there is no such rate.", nullable=True, allowed=shared.REASONS),
        Column("england_rate_per_10k", "number", "England's pooled rate.", shared.PER_10K),
    ),
)

NEIGHBOUR_CHANGE = Table(
    schema="main",
    name="neighbour_change",
    asset="neighbour_change",
    description="The change of every unit in every window beside those of its statistical neighbours, its region and "
    "England.",
    grain="window and unit",
    key=("window_id", "unit_id"),
    order=("window_id", "unit_name"),
    warnings=(
        *_NEIGHBOURS_ARE,
        "A unit of several authorities has the neighbours of all of them, without its own members. A neighbour stands "
        "for the unit that it is part of, which counts once.",
        "Region and England are pooled over the units of the window.",
        *sentences.ALL_IN_SHORT,
        *sentences.TREND_IN_SHORT,
    ),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        shared.UNIT_ID,
        shared.UNIT_NAME,
        shared.REGION_NAME,
        _EDITION.but(nullable=True, description="Edition of the lists; several are joined by +."),
        Column("change_pct", "number", "Change of the unit's rate.", shared.PER_CENT),
        Column(
            "neighbour_median_change_pct",
            "number",
            "Median of the neighbours' changes over the same window.",
            shared.PER_CENT,
            nullable=True,
        ),
        _NEIGHBOURS_LISTED,
        Column("neighbours_used", "integer", "Neighbouring units with a change in the window."),
        _NEIGHBOUR_REASON,
        Column("region_change_pct", "number", "Change of the region's rate.", shared.PER_CENT),
        Column("england_change_pct", "number", "Change of England's rate.", shared.PER_CENT),
    ),
)

_DEPRIVATION_BASIS = Column(
    "basis",
    "text",
    "The series within which values may be compared; never subtract across two of them. cilif_to_2024 is the department's "
    "series up to its release of March 2025, cilif_from_2022 the one that replaced it; the index has a basis an edition.",
    allowed=("hmrc_local_measure", "cilif_to_2024", "cilif_from_2022", "iod_2015", "iod_2019", "iod_2025",
             "school_census"),
)  # fmt: skip
_DEPRIVATION_WARNINGS = (
    "Never join across measures or bases. Nationally the measures moved in opposite directions: hmrc_low_income_u16 fell "
    "in every authority from 2011 to 2016, while benefit rules changed; cilif_relative_low_income_u16 rose in nearly all.",
    "idaci is a level: use it for order within one edition. That of 2025 counts incomes after housing costs.",
    "2014 and 2015 do not lie on one line with the years around them in hmrc_low_income_u16; families with Universal Credit "
    "are missing in 2016.",
)
_DEPRIVATION_COLUMNS = (
    Column(
        "measure",
        "text",
        "hmrc_low_income_u16: children in families on out-of-work benefits, or on tax credits with an income under 60% of "
        "the median. cilif_relative_low_income_u16: children in low income families, relative, before housing costs. "
        "idaci: Income Deprivation Affecting Children Index, average score. free_school_meals_primary: pupils of primary "
        "schools with free meals.",
        allowed=("hmrc_low_income_u16", "cilif_relative_low_income_u16", "idaci", "free_school_meals_primary"),
    ),
    _DEPRIVATION_BASIS,
    Column(
        "year",
        "integer",
        "Year of the August snapshot, financial year ending, year in the name of the index, or year of the January census.",
    ),
    Column(
        "as_of",
        "date",
        "Last day that the figure speaks of: 31 August, 31 March, the census day, and for the index the end of the year "
        "that its incomes are of, two or three years before its name.",
    ),
    Column("value", "number", "The share, 0 to 100; its unit stands beside it.", shared.PER_CENT, nullable=True),
    Column("unit", "text", "Of whom the share is taken."),
    Column(
        "numerator",
        "integer",
        "Children in low-income families, rounded to 5 by the publisher; for hmrc_low_income_u16 alone.",
        shared.CHILDREN,
        nullable=True,
    ),
    Column(
        "denominator",
        "integer",
        "Children in families with Child Benefit, rounded to 5 by the publisher; for hmrc_low_income_u16 alone.",
        shared.CHILDREN,
        nullable=True,
    ),
)
_DEPRIVATION_ORIGIN = (
    shared.MARKER.but(
        description="The publisher's symbol in place of a number, or the one that a known fault was replaced by (see the "
        "reference table publisher_corrections)."
    ),
    shared.REASON.but(description="Why the value is missing; a dash in the interactive tool does not say which."),
    shared.RELEASE.but(
        description="Edition that the figure is from: the year of the snapshot or index, the newest reporting year of the "
        "edition of the interactive tool, or the last year in the workbook of children in low income families."
    ),
    shared.SHA256.but(
        description="sha256 of the file; where several files make a figure, of all of them, joined by a space."
    ),
    shared.SOURCE_ROW.but(description="Row of that file; missing where several were put together.", nullable=True),
)

DEPRIVATION = Table(
    schema="core",
    name="deprivation",
    asset="core_deprivation",
    description="Child deprivation by local authority: four measures, each on its own bases.",
    grain="measure, basis, year and authority",
    key=("measure", "basis", "year", "la_code"),
    warnings=(
        *_DEPRIVATION_WARNINGS,
        "Where an edition revises a series, its figures stand for all years of it: the newest edition of each basis.",
        "cilif_relative_low_income_u16 is from the department's own workbook if that has every share that the interactive "
        "tool has on the basis, else from the tool; source_sha256 says which. No workbook of these has been seen yet: its "
        "reader follows what others published of the layout.",
    ),
    columns=(
        shared.LA_CODE,
        shared.ONS_CODE.but(
            description="ONS code as the file has it; missing where it has none or the figure is derived.",
            nullable=True,
        ),
        *_DEPRIVATION_COLUMNS,
        Column(
            "is_derived",
            "boolean",
            "Whether this project put the figure together: counties of 2016 and those of the workbook of children in low "
            "income families as sums of their districts, those of the index of 2025 as means of their districts weighted by "
            "children aged 0-15.",
        ),
        *_DEPRIVATION_ORIGIN,
    ),
)

DEPRIVATION_ENGLAND = Table(
    schema="core",
    name="deprivation_england",
    asset="core_deprivation_england",
    description="The England rows of the same files, for the measures that have one.",
    grain="measure, basis and year",
    key=("measure", "basis", "year"),
    warnings=_DEPRIVATION_WARNINGS,
    columns=(*_DEPRIVATION_COLUMNS, *_DEPRIVATION_ORIGIN),
)

_TOOL_MEASURES = ("looked_after", "started", "ceased", "uasc", "child_poverty", "free_school_meals_primary",
                  "looked_after_expenditure")  # fmt: skip
_TOOL_WARNINGS = (
    "The marker - stands for suppressed, not applicable and missing alike; it is never 0.",
    "A year stands in several editions, and the newer one has revised it: filter on edition. child_poverty has another "
    "basis in the edition of 2025 than before, and the two must not be joined.",
)
_TOOL_COLUMNS = (
    shared.YEAR.but(
        description="Reporting year ending 31 March; financial year ending for child_poverty and "
        "looked_after_expenditure; year of the January census for free_school_meals_primary."
    ),
    Column(
        "edition", "integer", "Newest reporting year of looked-after counts in the edition: 2024 for that of May 2025."
    ),
    Column(
        "measure",
        "text",
        "looked_after on 31 March; started and ceased during the year; uasc, unaccompanied asylum-seeking children among "
        "the looked after on 31 March; child_poverty, children under 16 in relative low income before housing costs; "
        "free_school_meals_primary; looked_after_expenditure, the section 251 total expenditure on children looked after.",
        allowed=_TOOL_MEASURES,
    ),
    Column(
        "value",
        "number",
        "The published number; missing where there is a marker.",
        "that of the column unit",
        nullable=True,
    ),
    Column("unit", "text", "Unit of the value.", allowed=("children", "per cent", "pounds")),
    shared.MARKER,
    shared.REASON.but(description="Why the value is missing: not_available, for the marker says no more."),
    shared.SHA256,
    shared.SOURCE_ROW,
)

INTERACTIVE_TOOL = Table(
    schema="core",
    name="interactive_tool",
    asset="core_interactive_tool",
    description="The measures of use from the base data of the Local Authority Interactive Tool, for local authorities.",
    grain="edition, authority, year and measure",
    key=("edition", "la_code", "year", "measure"),
    warnings=(*_TOOL_WARNINGS, "Rows of authorities that have ended or not begun are kept."),
    columns=(
        shared.LA_CODE,
        shared.LA_NAME.but(description="Name as the file has it; (Pre LG) marks an authority that has ended."),
        *_TOOL_COLUMNS,
    ),
)

INTERACTIVE_TOOL_TOTALS = Table(
    schema="core",
    name="interactive_tool_totals",
    asset="core_interactive_tool_totals",
    description="The England and region rows of the same files, which the publisher rounds.",
    grain="edition, area, year and measure",
    key=("edition", "area_code", "year", "measure"),
    warnings=(
        *_TOOL_WARNINGS,
        "Eleven region rows, because Inner and Outer London stand beside London.",
        "England's looked_after_expenditure of 2018 is 60 million pounds above the sum of its authorities; 2024 and 2025 "
        "lack two authorities each.",
    ),
    columns=(
        shared.AREA_LEVEL.but(allowed=("region", "england")),
        Column("area_code", "text", "The tool's number of the area: 970 is England, 980 to 990 are regions."),
        Column("area_name", "text", "Name as the file has it."),
        *_TOOL_COLUMNS,
    ),
)

SPENDING = Table(
    schema="core",
    name="spending",
    asset="core_spending",
    description="Spending on children's services as the authorities reported it, in pounds of the day.",
    grain="source, authority, financial year, measure and amount",
    key=("source", "la_code", "year", "measure", "amount"),
    warnings=(
        "The two sources divide spending among services in their own ways and must not be joined: an authority whose "
        "services are run by a trust may report them under another line (Sandwell in the revenue outturn of 2025).",
        "What a line takes in changes (see definition). Amounts are not adjusted for prices.",
    ),
    columns=(
        shared.LA_CODE,
        shared.LA_NAME.but(description="Name as the file has it."),
        Column("year", "integer", "Year in which the financial year ends, on 31 March."),
        Column(
            "source",
            "text",
            "section_251: return of children's services to the education department. revenue_outturn: return RO3 of all "
            "social care, in thousand pounds.",
            allowed=("section_251", "revenue_outturn"),
        ),
        Column(
            "measure",
            "text",
            "children_looked_after; children_and_young_people, all children's services of section 251 without capital "
            "from revenue; children_social_care, the revenue outturn's total.",
            allowed=("children_looked_after", "children_and_young_people", "children_social_care"),
        ),
        Column(
            "amount",
            "text",
            "total_expenditure, or net_current_expenditure after income.",
            allowed=("total_expenditure", "net_current_expenditure"),
        ),
        Column("line", "text", "Label of the line or column, as published."),
        Column(
            "definition",
            "text",
            "s251_to_2012: adoption and special guardianship stand outside children looked after. s251_2013_to_2017 and "
            "s251_from_2018: inside; lines were divided anew with 2018. ro3: revenue outturn.",
            allowed=("s251_to_2012", "s251_2013_to_2017", "s251_from_2018", "ro3"),
        ),
        Column("value_pounds", "number", "The amount; missing where there is a marker.", "pounds", nullable=True),
        shared.MARKER,
        shared.REASON.but(description="Why the amount is missing."),
        shared.SHA256,
        shared.SOURCE_ROW,
        shared.SOURCE_COLUMN,
    ),
)

_RELABELLED = (
    "Reports of 2009 to 2013 said adequate where the publisher now shows Requires improvement to be good: a pass then, "
    "and not the standard of that name since."
)
_NOT_GRADED = "Missing where the framework does not grade it, or where not_judged names it."
_GRADE = Column("overall", "text", "", nullable=True, allowed=judgements.GRADES)

INSPECTIONS = Table(
    schema="core",
    name="inspections",
    asset="core_inspections",
    description="Ofsted's judgements on local authority children's services since 2009, one row a report with grades.",
    grain="authority, framework and publication date",
    key=("la_code", "framework", "publication_date"),
    order=("la_code", "publication_date", "framework"),
    warnings=(
        "In force is the one with the latest publication_date on or before a day, never the one inspected last.",
        "Frameworks are not one scale: overall is of all services under SIF, SIF re-inspection and ILACS, of child "
        "protection alone under CPI and CPRI, of looked after services alone under TLAC; SLAC has no overall grade.",
        _RELABELLED,
        "Authorities are not inspected at random times: those judged inadequate are seen again sooner, and inspection "
        "itself is followed by changes in how many children enter care.",
        "Visits carry no grade and are not here. A judgement is on the authority, also where a trust runs its services.",
    ),
    columns=(
        shared.LA_CODE,
        shared.LA_NAME.but(description="Name as the file has it. Two authorities may share one name."),
        Column(
            "framework",
            "text",
            "Framework of the inspection: SLAC, safeguarding and looked after children (2009 to 2012); CPI and CPRI, child "
            "protection and its re-inspection (2012 to 2013); TLAC, targeted looked after children (2013); SIF, single "
            "inspection framework (2014 to 2018); ILACS (since 2018).",
            allowed=judgements.FRAMEWORKS,
        ),
        Column(
            "inspection_type",
            "text",
            "Type of an ILACS inspection; other frameworks have none.",
            nullable=True,
            allowed=(judgements.STANDARD, judgements.SHORT),
        ),
        Column(
            "inspection_date",
            "date",
            "First day of the inspection; only the ILACS history has it.",
            nullable=True,
        ),
        Column(
            "inspection_date_reason",
            "text",
            "Why inspection_date is missing.",
            nullable=True,
            allowed=shared.REASONS,
        ),
        Column("publication_date", "date", "Day the report was published, from which the judgement is in force."),
        _GRADE.but(description=f"Overall judgement, in the published words. {_RELABELLED}"),
        Column("overall_reason", "text", "Why overall is missing.", nullable=True, allowed=shared.REASONS),
        _GRADE.but(
            name="safeguarding",
            description=f"Safeguarding services, under SLAC and its re-inspections. {_RELABELLED} {_NOT_GRADED}",
        ),
        _GRADE.but(
            name="looked_after",
            description="Services for looked after children, later children in care; up to 2022 under ILACS with care "
            f"leavers. {_RELABELLED} {_NOT_GRADED}",
        ),
        _GRADE.but(
            name="worse_grade",
            description="The worse of the SLAC grades for safeguarding and looked after children, where one report has "
            f"both. {_RELABELLED}",
        ),
        _GRADE.but(
            name="help_and_protection",
            description=f"Children who need help and protection, under SIF and ILACS. {_NOT_GRADED}",
        ),
        _GRADE.but(
            name="leadership",
            description=f"Leadership (SIF) or the impact of leaders (ILACS). {_NOT_GRADED}",
        ),
        _GRADE.but(
            name="care_leavers",
            description=f"Care leavers, under SIF and for ILACS inspections since January 2023. {_NOT_GRADED}",
        ),
        _GRADE.but(name="adoption", description=f"Adoption performance, under SIF. {_NOT_GRADED}"),
        _GRADE.but(
            name="lscb",
            description="Local Safeguarding Children Board, reviewed beside the first SIF inspection. " + _NOT_GRADED,
        ),
        Column(
            "not_judged",
            "text",
            "Grades that the framework has and the publisher marks with a dash, by column, joined by commas.",
            nullable=True,
        ),
        shared.RELEASE.but(description="Year of the workbook that the row is from."),
        shared.SHA256,
        shared.SOURCE_ROW,
        shared.SOURCE_COLUMN.but(description="Column of the publication date in that file."),
    ),
)

INSPECTIONS_COMPARED = Table(
    schema="core",
    name="inspections_compared",
    asset="core_inspections_compared",
    description="ILACS judgements of the older workbooks beside those that core.inspections takes from the newest one.",
    grain="workbook, authority and publication date",
    key=("source_sha256", "la_code", "publication_date"),
    warnings=("Known differences are mended before: see the reference table publisher_corrections.",),
    columns=(
        shared.LA_CODE,
        shared.LA_NAME.but(description="Name as the older file has it."),
        Column("publication_date", "date", "Day the report was published, as the older file has it or as corrected."),
        _GRADE.but(description="Overall judgement in the older file.", nullable=False),
        _GRADE.but(
            name="taken_overall", description="Overall judgement published that day in the file it is taken from."
        ),
        shared.REASON.but(description="Why there is none: no report of that day in that file."),
        Column("agrees", "boolean", "Whether the two are the same."),
        shared.RELEASE.but(description="Year of the older workbook."),
        shared.RELEASE.but(
            name="taken_release",
            description="Year of the workbook that core.inspections takes them from.",
            nullable=True,
        ),
        shared.SHA256.but(description="sha256 of the older file (see about.sources)."),
        shared.SOURCE_ROW,
    ),
)

EXPOSURES = Table(
    schema="main",
    name="exposures",
    asset="exposures",
    description="What might go with the change of a unit over a window: every covariate, as of the day it was known.",
    grain="window, unit and variable",
    key=("window_id", "unit_id", "variable"),
    warnings=(
        "measure says which published measure a value is of. Two measures, or two bases of one, are never joined, and can "
        "move in opposite national directions: name the measure with every figure.",
        "is_post_baseline marks what was published or begun within the window: it may follow the change, and takes no part "
        "in a primary model.",
        "A programme value of 0 means that no evidence of taking part was found, not that there was none.",
        *sentences.ALL_IN_SHORT,
    ),
    columns=(
        shared.WINDOW_ID.but(is_repeated=True),
        shared.WINDOW_START,
        shared.WINDOW_END,
        shared.UNIT_ID.but(is_repeated=True),
        shared.UNIT_NAME.but(is_repeated=True),
        Column(
            "variable",
            "text",
            "Covariate. deprivation_level and free_school_meals_level are in per cent of children, their changes in "
            "percentage points; the ofsted_ and innovation_ variables are 1 or 0, but for ofsted_score (4 Outstanding to 1 "
            "Inadequate) and innovation_projects (a number); baseline_log_rate is ln(children looked after / children).",
            is_repeated=True,
        ),
        Column("value", "number", "Value; missing where there is none.", nullable=True),
        Column("as_of", "date", "Day that the value speaks of, or on which it was published.", nullable=True),
        Column(
            "measure",
            "text",
            "What is measured, on which basis and over which years; empty where there is none.",
            is_repeated=True,
        ),
        Column("is_post_baseline", "boolean", "Whether it may be later than the start of the window."),
        shared.REASON.but(description="Why there is no value.", is_repeated=True),
        shared.SHA256.but(
            description="sha256 of the files that it rests on, joined by a space (see about.sources); missing for what "
            "is made of the window's own counts and populations.",
            nullable=True,
        ),
    ),
)

EXPOSURE_CORRELATIONS = Table(
    schema="main",
    name="exposure_correlations",
    asset="exposure_correlations",
    description="How the covariates of a window go together: Pearson's r of every pair, with the units that have both.",
    grain="window and pair of variables",
    key=("window_id", "variable", "other_variable"),
    columns=(
        shared.WINDOW_ID,
        Column("variable", "text", "One covariate."),
        Column("other_variable", "text", "The other; each pair stands once, in alphabetical order."),
        Column("r", "number", "Pearson's correlation coefficient.", nullable=True),
        Column("n", "integer", "Units that have both.", "units"),
        shared.REASON.but(description="Why there is no coefficient."),
    ),
)

TABLES = (
    INSPECTIONS,
    INSPECTIONS_COMPARED,
    DEPRIVATION,
    DEPRIVATION_ENGLAND,
    STATISTICAL_NEIGHBOURS,
    INNOVATION_PROGRAMME,
    NEIGHBOUR_COMPARISON,
    NEIGHBOUR_CHANGE,
    INTERACTIVE_TOOL,
    INTERACTIVE_TOOL_TOTALS,
    SPENDING,
    EXPOSURES,
    EXPOSURE_CORRELATIONS,
)
