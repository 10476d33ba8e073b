"""The graph as it is meant to be: every asset with its group and what it is made from, and every check.

What belongs here: plain data, written by hand and thought through. A new asset or check is added here by the person who
adds it, so that nothing enters or leaves the graph unnoticed. What does not: anything read from the code.
"""

RAW, CORE, ANALYSIS, PUBLISHED = "raw", "core", "analysis", "published"
BLOCKS, WARNS = True, False

# Windows are computed from the cells and not from the panel: the panel is on the newest population vintage, and a
# window that ends before the rebasing needs the older one.
_WINDOW_INPUTS = {"core_children_looked_after", "core_population", "core_local_authorities", "core_area_changes"}
_LOOKED_AFTER_INPUTS = {
    "raw_children_looked_after",
    "raw_reference",
    "core_local_authorities",
    "core_area_changes",
}
_CHANGE_INPUTS = _WINDOW_INPUTS | {"core_interactive_tool", "care_numbers", "national_trend", "volatility"}
_NEIGHBOUR_INPUTS = {
    "core_statistical_neighbours",
    "core_local_authorities",
    "core_area_changes",
    "care_numbers",
    "five_year_change",
}
# Units of windows with what they were exposed to; the shares of split counties are a reference table.
_EXPOSURE_INPUTS = _WINDOW_INPUTS | {
    "core_deprivation",
    "core_inspections",
    "core_innovation_programme",
    "raw_reference",
}
_CURVE_INPUTS = {"five_year_change", "five_year_change_alternates", "exposures", "volatility"}
# The panels go by year and so need the counts, populations and shares behind the windows.
_MODEL_INPUTS = _CURVE_INPUTS | _WINDOW_INPUTS | {"core_deprivation", "raw_reference", "trend_exclusions"}
_DEPRIVATION_INPUTS = {
    "raw_deprivation",
    "raw_reference",
    "core_interactive_tool",
    "core_interactive_tool_totals",
    "core_local_authorities",
    "core_area_changes",
}

NEWS = "news"

# asset -> (group, what it is made from)
ASSETS: dict[str, tuple[str, set[str]]] = {
    # The files as published.
    # The night ends at the first node when there is no news: no file comes out of it, and all that follows is skipped.
    NEWS: (RAW, set()),
    "raw_files": (RAW, {NEWS}),
    "raw_files_not_used": (RAW, {NEWS}),
    "raw_superseded_files": (RAW, {NEWS}),
    "raw_children_looked_after": (RAW, {"raw_files"}),
    "raw_national_series": (RAW, {"raw_files"}),
    "raw_population": (RAW, {"raw_files"}),
    "raw_deprivation": (RAW, {"raw_files"}),
    "raw_statistical_neighbours": (RAW, {"raw_files"}),
    "raw_inspections": (RAW, {"raw_files"}),
    "raw_interactive_tool": (RAW, {"raw_files"}),
    "raw_spending": (RAW, {"raw_files"}),
    "raw_reference": (RAW, {"raw_files"}),
    # What they say. Every reader knows the area codes, the undated files and the corrections of the reference tables.
    "core_local_authorities": (CORE, {"raw_reference"}),
    "core_area_changes": (CORE, {"raw_reference"}),
    # A file without a row for an authority in being is refused while its name is still known.
    "core_children_looked_after": (CORE, _LOOKED_AFTER_INPUTS),
    "core_children_looked_after_totals": (CORE, _LOOKED_AFTER_INPUTS),
    "core_national_series": (CORE, {"raw_national_series", "raw_reference"}),
    # Populations are told to the authorities in being, so the node that reads both tables needs the areas as well.
    "core_population": (CORE, {"raw_population", "raw_reference", "core_local_authorities", "core_area_changes"}),
    "core_population_totals": (
        CORE,
        {"raw_population", "raw_reference", "core_local_authorities", "core_area_changes"},
    ),
    # Names and codes of the lists and of the programme's rows are held to the authorities there are.
    "core_statistical_neighbours": (
        CORE,
        {"raw_statistical_neighbours", "raw_reference", "core_local_authorities", "core_area_changes"},
    ),
    "core_innovation_programme": (CORE, {"raw_reference", "core_local_authorities"}),
    "core_inspections": (CORE, {"raw_inspections", "raw_reference"}),
    "core_inspections_compared": (CORE, {"raw_inspections", "raw_reference"}),
    "core_interactive_tool": (CORE, {"raw_interactive_tool", "raw_reference"}),
    "core_interactive_tool_totals": (CORE, {"raw_interactive_tool", "raw_reference"}),
    # A return has a row for every authority in being at the end of its financial year.
    "core_spending": (CORE, {"raw_spending", "raw_reference", "core_local_authorities", "core_area_changes"}),
    # Counties are put together from districts, and two of the four measures come with the interactive tool.
    "core_deprivation": (CORE, _DEPRIVATION_INPUTS),
    "core_deprivation_england": (CORE, _DEPRIVATION_INPUTS),
    # What follows from it.
    "care_numbers": (
        ANALYSIS,
        {
            "core_children_looked_after",
            "core_population",
            "core_local_authorities",
            "core_area_changes",
            "core_interactive_tool",
            "core_spending",
        },
    ),
    "national_trend": (
        ANALYSIS,
        {"care_numbers", "core_children_looked_after_totals", "core_national_series", "core_population_totals"},
    ),
    "vintage_effect": (ANALYSIS, {"care_numbers", "core_population"}),
    # The change of a unit comes with its evidence and with eight other ways to take it, one of them without UASC.
    "five_year_change": (ANALYSIS, _CHANGE_INPUTS),
    "windows": (ANALYSIS, _CHANGE_INPUTS),
    "five_year_change_alternates": (ANALYSIS, _CHANGE_INPUTS),
    "baseline_convergence": (ANALYSIS, _CHANGE_INPUTS),
    "volatility": (ANALYSIS, _WINDOW_INPUTS),
    "memory_stats": (ANALYSIS, _WINDOW_INPUTS),
    "funnel_levels": (ANALYSIS, _WINDOW_INPUTS),
    "region_trends": (ANALYSIS, {"five_year_change", "core_local_authorities"}),
    # England as published stands beside the pooled one, with and without UASC.
    "flag_sensitivity": (
        ANALYSIS,
        _WINDOW_INPUTS
        | {
            "core_children_looked_after_totals",
            "core_population_totals",
            "core_interactive_tool_totals",
            "care_numbers",
            "volatility",
        },
    ),
    "null_calibration": (ANALYSIS, _WINDOW_INPUTS | {"volatility"}),
    "groups_compared": (
        ANALYSIS,
        {"five_year_change", "exposures", "care_numbers", "core_spending", "core_interactive_tool"},
    ),
    # A release that was amended is compared with its own older edition, which takes part in nothing else.
    "revisions": (ANALYSIS, {"core_children_looked_after", "raw_superseded_files", "raw_reference"}),
    "revisions_summary": (ANALYSIS, {"core_children_looked_after", "raw_superseded_files", "raw_reference"}),
    # Who is left out of a window is known before any result; who is left out of a model only after the models.
    "trend_exclusions": (ANALYSIS, _WINDOW_INPUTS),
    "exclusion_steps": (ANALYSIS, _WINDOW_INPUTS),
    "neighbour_comparison": (ANALYSIS, _NEIGHBOUR_INPUTS),
    "neighbour_change": (ANALYSIS, _NEIGHBOUR_INPUTS),
    "exposures": (ANALYSIS, _EXPOSURE_INPUTS),
    "exposure_correlations": (ANALYSIS, _EXPOSURE_INPUTS),
    "regression_coefficients": (ANALYSIS, _MODEL_INPUTS),
    "regression_models": (ANALYSIS, _MODEL_INPUTS),
    "regression_influence": (ANALYSIS, _MODEL_INPUTS),
    "univariate_associations": (ANALYSIS, _MODEL_INPUTS),
    "exclusions": (ANALYSIS, _MODEL_INPUTS),
    "specification_curve": (ANALYSIS, _CURVE_INPUTS),
    "specification_curve_summary": (ANALYSIS, _CURVE_INPUTS),
    "study_comparison": (
        ANALYSIS,
        {"five_year_change", "region_trends", "univariate_associations", "national_trend"},
    ),
    # The appendix goes by years of entry and not by windows, and nothing but the database is made from it.
    "staggered_adoption": (ANALYSIS, _WINDOW_INPUTS | {"core_innovation_programme", "raw_reference"}),
    "findings": (
        ANALYSIS,
        {"regression_coefficients", "regression_models", "specification_curve_summary", "exposures"},
    ),
    "data_checks": (
        ANALYSIS,
        {
            "core_children_looked_after",
            "core_children_looked_after_totals",
            "core_local_authorities",
            "core_area_changes",
            "core_deprivation",
            "core_deprivation_england",
            "core_interactive_tool",
            "core_spending",
            "core_statistical_neighbours",
            "core_inspections",
            "core_inspections_compared",
            "care_numbers",
            "five_year_change",
            "exclusions",
            "exclusion_steps",
            "null_calibration",
        },
    ),
}

# The database holds every table there is. News is no table; the registers of one publication are parts of `raw_files`, and
# the exclusions of the trends are a part of `exclusions`.
DATABASE = "care_numbers_database"
NOT_IN_THE_DATABASE = {
    NEWS,
    "trend_exclusions",
    "raw_superseded_files",
    "raw_children_looked_after",
    "raw_national_series",
    "raw_population",
    "raw_deprivation",
    "raw_statistical_neighbours",
    "raw_inspections",
    "raw_interactive_tool",
    "raw_spending",
    "raw_reference",
}
ASSETS[DATABASE] = (PUBLISHED, set(ASSETS) - NOT_IN_THE_DATABASE)
# The report is made from the published database and from nothing else.
REPORT = "report"
ASSETS[REPORT] = (PUBLISHED, {DATABASE})

# asset -> its checks, and whether each stops what follows (methods.md B7, B11)
CHECKS: dict[str, dict[str, bool]] = {
    "core_children_looked_after": {
        "no_authority_year_twice": BLOCKS,
        "every_code_is_in_the_lookup": BLOCKS,
        "number_or_marker_never_both": BLOCKS,
        "every_authority_in_being_has_a_row": BLOCKS,
        "published_rate_is_half_up": BLOCKS,
        "authorities_sum_to_england_stock": BLOCKS,
        "authorities_sum_to_england_flows": WARNS,
        "stock_follows_from_flows": BLOCKS,
        "stock_follows_from_flows_across_releases": WARNS,
    },
    "five_year_change": {
        "one_population_vintage": BLOCKS,
        "exclusions_reconcile": BLOCKS,
    },
    "null_calibration": {"false_alarms_as_claimed": BLOCKS},
}

JOB = "refresh"
NIGHT = "night"  # the same, but for its end where there is no news; the schedule runs it
WHAT_IF = "what_if"  # tries other settings on the finished tables, and materialises nothing
SCHEDULE = "nightly"
