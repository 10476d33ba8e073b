"""What goes with the change: coefficients, models and their units.

What belongs here: declarations of the tables of `main` that hold regressions across authorities. What does not: the
covariates (`covariate_tables`) and how unusual a single change is (`evidence_tables`).
"""

from __future__ import annotations

from pipeline import sentences
from pipeline.tables import shared_columns as shared
from pipeline.tables.declare import Column, Table

NOT_AN_EFFECT = "Association across authorities, not an effect."
MODEL_WARNINGS = (NOT_AN_EFFECT, *sentences.MODELS, sentences.NO_POLARITY_IN_SHORT)

_OUTCOMES = (
    "log_rate_ratio", "change_per_10k", "number", "excluding_uasc", "starts", "rate_level", "rate_panel", "log_rate_panel",
)  # fmt: skip
_MODELS = tuple(f"M{number}" for number in range(11))
_BRACKET = (
    "M1 and M2 belong together: what lies between their estimates is open, since neither is known to be right where "
    "groups of authorities start from different rates."
)
_TWICE = "M10 is the M2 of the window main_h4 under its own name; its resampled p-values have their own random numbers."
_OF_ESTIMATE = "that of outcome and unit_of_term"

OUTCOME = Column(
    "outcome",
    "text",
    "What is explained. log_rate_ratio: natural logarithm of the rate at the end over that at the start (in M4 the model of "
    "the number at the end, whose coefficients are log rate ratios too). change_per_10k: its change in points. number: log "
    "ratio of the numbers. excluding_uasc: log_rate_ratio without unaccompanied asylum-seeking children. starts: log ratio "
    "of the rates of children starting to be looked after. rate_level: the rate at the end. rate_panel, log_rate_panel: the "
    "rate, or its logarithm, of every year of the window.",
    allowed=_OUTCOMES,
)
MODEL = Column(
    "model",
    "text",
    "M0: one variable alone. M1: change score, without the rate at the start. M2: the primary model. M3: M2 weighted by "
    "usual movement. M4: M2 as a quasi-Poisson model of the number at the end. M5: within-between panel. M6: two-way fixed "
    "effects. M7: M2 by methods that outliers sway less. M8: M2 without unaccompanied asylum-seeking children. M9: M2 of "
    "the starts rate. M10: M2 of the four-year window.",
    allowed=_MODELS,
)
REGION_EFFECTS = Column("region_effects", "boolean", "Whether the model has a term for each region but one.")
VARIANT = Column(
    "variant",
    "text",
    "primary, or what is done otherwise: huber or median (M7), same_units (M2 on the units of M8), random_intercept (M5), "
    "or the covariate that stands in the place of the primary one, or beside it.",
)

REGRESSION_COEFFICIENTS = Table(
    schema="main",
    name="regression_coefficients",
    asset="regression_coefficients",
    description="What goes with the change: every coefficient of every model, and how far it can be trusted.",
    grain="window, outcome, model, region effects, variant and term",
    key=("window_id", "outcome", "model", "region_effects", "variant", "term"),
    warnings=(
        *MODEL_WARNINGS,
        _BRACKET,
        _TWICE,
        "A row with a reason has no number: the model could not be fitted, and detail says why.",
        "measure says which published measure a term rests on: two measures are not to be set beside each other.",
        "The 2018 study tested one variable at a time, as M0 does: every other model of its windows is an extension.",
    ),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        OUTCOME,
        MODEL,
        REGION_EFFECTS,
        VARIANT,
        Column("term", "text", "Term of the model; region: and year: terms compare with the first region and year. M0 has "
               "no row for its constants."),
        Column("unit_of_term", "text", "What one unit of the term is."),
        Column("measure", "text", "What the term measures, on which basis and when; empty where there is nothing to tell."),
        Column("is_log_outcome", "boolean", "Whether the outcome is a logarithm, so that 100 (exp(estimate) - 1) is "
               "a percentage."),
        Column("is_post_baseline", "boolean", "Whether the term may be later than the start of the window: it may follow "
               "the change."),
        Column("method", "text", "How it was estimated, and what the standard error is.", nullable=True),
        Column("estimate", "number", "The coefficient.", _OF_ESTIMATE, True),
        Column("std_error", "number", "Its standard error, see method.", _OF_ESTIMATE, True),
        Column("std_error_second", "number", "A second one beside it: HC3 for the quasi-Poisson model.", _OF_ESTIMATE, True),
        Column("statistic", "number", "estimate / std_error.", nullable=True),
        Column("p_value", "number", "Two-sided, from the t distribution.", nullable=True),
        Column("lower_95", "number", "Lower 95% limit.", _OF_ESTIMATE, True),
        Column("upper_95", "number", "Upper 95% limit.", _OF_ESTIMATE, True),
        Column("percent_effect", "number", "Difference of the change that goes with one unit of the term: "
               "100 (exp(estimate) - 1).", shared.PER_CENT, True),
        Column("percent_lower_95", "number", "The same of lower_95.", shared.PER_CENT, True),
        Column("percent_upper_95", "number", "The same of upper_95.", shared.PER_CENT, True),
        Column("per_sd", "number", "estimate for one standard deviation of the term over the units (divisor n - 1).",
               "that of outcome", True),
        Column("per_iqr", "number", "estimate for the distance of its quartiles (linear interpolation).", "that of outcome",
               True),
        Column("partial_r2", "number", "t^2 / (t^2 + df), with t from the standard error of equal variances.",
               nullable=True),
        Column("vif", "number", "Variance inflation: how much the other terms widen the error; for region: terms that of "
               "the set, GVIF^(1 / (2 df)).", nullable=True),
        Column("minimum_detectable_effect", "number", "2.8 std_error: what the model would find in four of five data sets. "
               "A smaller association can be missed.", _OF_ESTIMATE, True),
        Column("wild_bootstrap_p", "number", "p by the wild bootstrap under the hypothesis that the coefficient is 0.",
               nullable=True),
        Column("region_bootstrap_p", "number", "The same with one weight a region; nine regions are few: beside it, not in "
               "its place.", nullable=True),
        Column("permutation_p", "number", "p by permuting residuals within regions (Freedman and Lane), for "
               "innovation_programme.", nullable=True),
        Column("leave_one_out_min", "number", "Least estimate with one unit left out.", _OF_ESTIMATE, True),
        Column("leave_one_out_max", "number", "Greatest estimate with one unit left out.", _OF_ESTIMATE, True),
        Column("leave_one_out_sign_changes", "integer", "Units without which the estimate has the other sign.", "units",
               True),
        Column("q_value", "number", "Of M0: p of the term's own test in main.univariate_associations, which is not that "
               "of the slope, adjusted for the terms of M0 (Benjamini-Hochberg).", nullable=True),
        Column("n_tests", "integer", "Tests that it is adjusted for.", "tests", True),
        Column("n", "integer", "Units with every value; in M5 and M6 units and years.", nullable=True),
        Column("df", "number", "Degrees of freedom of t.", nullable=True),
        shared.REASON.but(description="Why there is no estimate; every number of the row is then missing."),
        Column("detail", "text", "The same in words.", nullable=True),
        shared.REASON.but(name="second_reason", description="Why std_error_second is missing."),
        shared.REASON.but(name="percent_reason", description="Why the percentages are missing: not_applicable where the "
                          "outcome is no logarithm, and for the constant."),
        shared.REASON.but(name="spread_reason", description="Why per_sd and per_iqr are missing: not_applicable where the "
                          "term is 1 or 0."),
        shared.REASON.but(name="partial_r2_reason", description="Why partial_r2 is missing."),
        shared.REASON.but(name="vif_reason", description="Why vif is missing."),
        shared.REASON.but(name="resampling_reason", description="Why wild_bootstrap_p and the leave_one_out columns are "
                          "missing: not_applicable but for the four terms of M1, M2, M8, M9 and M10."),
        shared.REASON.but(name="region_bootstrap_reason", description="Why region_bootstrap_p is missing."),
        shared.REASON.but(name="permutation_reason", description="Why permutation_p is missing."),
        shared.REASON.but(name="q_value_reason", description="Why q_value and n_tests are missing: not_applicable but for "
                          "M0."),
        Column("note", "text", "What else is to be said of the model.", nullable=True),
    ),
)  # fmt: skip

REGRESSION_MODELS = Table(
    schema="main",
    name="regression_models",
    asset="regression_models",
    description="Every model with its diagnostics, the units that are not in it, and what it was computed with.",
    grain="window, outcome, model, region effects, variant and set of terms",
    key=("window_id", "outcome", "model", "region_effects", "variant", "terms"),
    warnings=(
        *MODEL_WARNINGS,
        _BRACKET,
        _TWICE,
        "The diagnostics say what a model leaves open; no model is chosen by them.",
        "A model with a reason was not fitted.",
    ),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        OUTCOME,
        MODEL,
        REGION_EFFECTS,
        VARIANT,
        Column("terms", "text", "Its terms, joined by a comma; constant and region: terms are not named."),
        Column("method", "text", "How it was estimated, and what its standard errors are.", nullable=True),
        Column("deprivation_measure", "text", "Which measure of deprivation, on which basis and over which years; empty "
               "where none is in the model."),
        Column("n", "integer", "Units with every value; in M5 and M6 units and years.", nullable=True),
        Column("k", "integer", "Coefficients, the constant counted.", nullable=True),
        Column("df", "number", "Degrees of freedom of t.", nullable=True),
        Column("n_left_out", "integer", "Units of the window that are not in the model.", "units"),
        Column("left_out", "text", "How many of them for which reason; empty where none is left out."),
        Column("r2", "number", "Share of the spread of the outcome that the model describes.", nullable=True),
        Column("adjusted_r2", "number", "The same, allowing for the number of terms.", nullable=True),
        Column("rmse", "number", "Standard deviation of the residuals, with n - k.", "that of outcome", True),
        Column("aic", "number", "Akaike's criterion, of normal errors.", nullable=True),
        Column("breusch_pagan_p", "number", "p of equal variances (Koenker's form).", nullable=True),
        Column("shapiro_wilk_p", "number", "p of normal residuals.", nullable=True),
        Column("reset_p", "number", "p of a straight line: Ramsey's RESET with powers 2 and 3.", nullable=True),
        Column("morans_i", "number", "Moran's I of the residuals, neighbours being units of the same region.",
               nullable=True),
        Column("morans_i_p", "number", "Its p by permutation of the residuals.", nullable=True),
        Column("condition_number", "number", "Of the terms, standardised: large where they nearly depend on each other.",
               nullable=True),
        shared.REASON.but(description="Why the model was not fitted; every number about the fit is then missing."),
        Column("detail", "text", "The same in words.", nullable=True),
        shared.REASON.but(name="diagnostics_reason", description="Why a diagnostic of a fitted model is missing: "
                          "not_applicable where its method has none."),
        Column("note", "text", "What else is to be said of the model.", nullable=True),
        Column("seed", "integer", "Seed of all random numbers of the run."),
        Column("moran_draws", "integer", "Permutations behind morans_i_p."),
        Column("resampling_draws", "integer", "Draws of each bootstrap and permutation of main.regression_coefficients."),
        Column("numpy_version", "text", "Version of numpy."),
        Column("statsmodels_version", "text", "Version of statsmodels."),
        Column("settings_sha256", "text", "sha256 of the settings of the statistics."),
    ),
)  # fmt: skip

REGRESSION_INFLUENCE = Table(
    schema="main",
    name="regression_influence",
    asset="regression_influence",
    description="How much each unit weighs in a model: leverage, residual, Cook's distance, and how far each coefficient "
    "moves without the unit.",
    grain="window, outcome, model, region effects and unit",
    key=("window_id", "outcome", "model", "region_effects", "unit_id"),
    order=("window_id", "outcome", "model", "region_effects", "unit_name"),
    warnings=(
        NOT_AN_EFFECT,
        "M1, M2 and M10 in their primary variant only.",
        "A unit that weighs much is not a fault: no unit is left out of a model for it.",
        *sentences.ALL_IN_SHORT,
    ),
    columns=(
        shared.WINDOW_ID.but(is_repeated=True),
        shared.WINDOW_START,
        shared.WINDOW_END,
        OUTCOME.but(is_repeated=True),
        MODEL.but(allowed=("M1", "M2", "M10"), is_repeated=True),
        REGION_EFFECTS,
        shared.UNIT_ID.but(is_repeated=True),
        shared.UNIT_NAME.but(is_repeated=True),
        Column("leverage", "number", "How far its terms lie from those of the others: 0 to 1."),
        Column("studentised_residual", "number", "Residual over its standard deviation, estimated without the unit."),
        Column("cooks_distance", "number", "Cook's distance: how far all coefficients move without the unit."),
        Column("is_influential", "boolean", "Whether Cook's distance is above 4 / n."),
        Column("dfbetas_deprivation_change", "number", "How far the coefficient moves, in its standard errors."),
        Column("dfbetas_deprivation_level", "number", "The same."),
        Column("dfbetas_innovation_programme", "number", "The same."),
        Column("dfbetas_ofsted_good", "number", "The same."),
        Column("dfbetas_baseline_rate", "number", "The same; M1 does not have the term.", nullable=True),
        shared.REASON.but(
            name="dfbetas_baseline_reason", description="Why dfbetas_baseline_rate is missing.", is_repeated=True
        ),
        Column("terms_moved", "text", "Terms that move by more than 2 / square root of n of their standard errors; empty "
               "where none does.", is_repeated=True),
        Column("n", "integer", "Units in the model.", "units"),
    ),
)  # fmt: skip

_SPECIFIED = (
    "log_rate_ratio", "number", "excluding_uasc", "starts",
)  # fmt: skip
_FOCAL = Column(
    "term", "text", "The focal term.", allowed=("deprivation_change", "innovation_programme", "ofsted_good")
)

SPECIFICATION_CURVE = Table(
    schema="main",
    name="specification_curve",
    asset="specification_curve",
    description="Whether the choices matter: the three focal terms in all 768 specifications of the primary model.",
    grain="focal term and specification",
    key=("term", "specification"),
    warnings=(
        *MODEL_WARNINGS,
        "All specifications have the same units: those with every value in each of them, so the primary one can have fewer "
        "units here than in main.regression_coefficients.",
        "deprivation says which measure the terms on deprivation are of: a point of the one is not a point of the other.",
        "The specifications are not independent of each other: see the joint tests of main.specification_curve_summary.",
    ),
    columns=(
        Column("specification", "integer", "Number of the specification, 1 to 768; 1 is the primary model, M2."),
        _FOCAL,
        Column("variable", "text", "The variable of main.exposures that the term is of."),
        Column("unit_of_term", "text", "What one unit of the term is."),
        OUTCOME.but(allowed=_SPECIFIED),
        shared.WINDOW_ID,
        shared.WINDOW_START.but(nullable=True),
        shared.WINDOW_END.but(nullable=True),
        Column("has_baseline", "boolean", "Whether the rate at the start is among the terms."),
        REGION_EFFECTS,
        Column("weights", "text", "equal, or usual_movement: 1 / variance of usual movement, as in M3.",
               allowed=("equal", "usual_movement")),
        Column("deprivation", "text", "low_income: the change and level of the primary measure. free_school_meals: of the "
               "second one.", allowed=("low_income", "free_school_meals")),
        Column("ofsted", "text", "Coding of the judgement in force at the start, a variable of main.exposures.",
               allowed=("ofsted_good", "ofsted_not_inadequate")),
        Column("innovation", "text", "Coding of taking part by the start, a variable of main.exposures.",
               allowed=("innovation_programme", "innovation_any_programme", "innovation_lead")),
        Column("is_primary", "boolean", "Whether this is the primary model, M2, on these units."),
        Column("estimate", "number", "The coefficient.", _OF_ESTIMATE, True),
        Column("std_error", "number", "Its standard error, HC3 (of the weighted rows where there are weights).",
               _OF_ESTIMATE, True),
        Column("statistic", "number", "estimate / std_error.", nullable=True),
        Column("p_value", "number", "Two-sided, from the t distribution.", nullable=True),
        Column("lower_95", "number", "Lower 95% limit.", _OF_ESTIMATE, True),
        Column("upper_95", "number", "Upper 95% limit.", _OF_ESTIMATE, True),
        Column("n", "integer", "Units with every value in every specification.", "units"),
        Column("df", "integer", "Degrees of freedom of t: n less the number of terms.", nullable=True),
        shared.REASON.but(description="Why there is no estimate; every figure of the row but n is then missing."),
        Column("detail", "text", "The same in words.", nullable=True),
    ),
)  # fmt: skip

_JOINTLY = "Approximate p: share of the joint permutations (the observed counted in) with {} at least as large."

SPECIFICATION_CURVE_SUMMARY = Table(
    schema="main",
    name="specification_curve_summary",
    asset="specification_curve_summary",
    description="What the 768 specifications come to for each focal term, beside what they come to where the term's values "
    "are dealt out at random within regions.",
    grain="focal term",
    key=("term",),
    warnings=(
        *MODEL_WARNINGS,
        "The p-values are approximate: the joint permutation breaks the link of a term with the other terms as well. All "
        "codings of the term are permuted together, with the same permutation in every specification.",
        "The median is over both measures of deprivation, whose points are not the same.",
    ),
    columns=(
        shared.WINDOW_ID.but(description="The window of the primary model; the specifications are of main_h4 too."),
        _FOCAL,
        Column("unit_of_term", "text", "What one unit of the term is."),
        Column("n_asked", "integer", "Specifications asked for.", "specifications"),
        Column("n_specifications", "integer", "Specifications that could be fitted.", "specifications", True),
        Column("n", "integer", "Units with every value in every specification.", "units"),
        Column("n_positive", "integer", "Specifications with an estimate above 0.", "specifications", True),
        Column("n_p_below_level", "integer", "Specifications with p below p_level.", "specifications", True),
        Column("p_level", "number", "The level that single p-values are held against."),
        Column("lowest_estimate", "number", "Least estimate.", _OF_ESTIMATE, True),
        Column("highest_estimate", "number", "Greatest estimate.", _OF_ESTIMATE, True),
        Column("median_estimate", "number", "Median of the estimates.", _OF_ESTIMATE, True),
        Column("median_p", "number", _JOINTLY.format("a median, without its sign,"), nullable=True),
        Column("majority_sign", "text", "The sign that more of the estimates have; positive where as many have either.",
               nullable=True, allowed=("positive", "negative")),
        Column("majority_share", "number", "Share of the estimates that have it, 0 to 1.", nullable=True),
        Column("majority_p", "number", _JOINTLY.format("a share of either sign"), nullable=True),
        Column("significant_share", "number", "Share of the specifications with p below p_level, 0 to 1.", nullable=True),
        Column("significant_p", "number", _JOINTLY.format("such a share"), nullable=True),
        Column("draws", "integer", "Joint permutations.", "draws", True),
        Column("n_refits_missing", "integer", "Specifications of single draws in which the permuted term left nothing to "
               "estimate from; they are left out of their draw.", nullable=True),
        Column("seed", "integer", "Seed of the permutations."),
        shared.REASON.but(description="Why there are no figures."),
    ),
)  # fmt: skip

_OF_OUTCOME = "that of outcome"
_OF_CLAIM = "that of the column unit_of_value"

UNIVARIATE_ASSOCIATIONS = Table(
    schema="main",
    name="univariate_associations",
    asset="univariate_associations",
    description="Each variable alone against the change and against the level: what the study of 2018 could test (M0).",
    grain="window, outcome and variable",
    key=("window_id", "outcome", "term"),
    warnings=(
        NOT_AN_EFFECT,
        "One variable at a time: two that go together share their association, see main.regression_coefficients for models "
        "of several.",
        "Some twenty variables are looked at: of twenty tests of nothing one has a p_value under 0.05. q_value allows for "
        "that.",
        "measure says which published measure a variable rests on: two measures are not to be set beside each other.",
        "A unit counts as not taking part in a programme where no published source names it.",
        sentences.ECOLOGICAL,
        sentences.NOT_RANDOM,
        *sentences.ALL_IN_SHORT,
    ),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        OUTCOME.but(
            description="What is looked at. log_rate_ratio: natural logarithm of the rate at the end over that at the "
            "start. change_per_10k: its change in points. rate_level: the rate at the end.",
            allowed=("log_rate_ratio", "change_per_10k", "rate_level"),
        ),
        Column("term", "text", "The variable: a name of main.exposures, baseline_rate (its baseline_log_rate) or region."),
        Column("kind", "text", "number: a measure. indicator: 1 or 0. groups: several groups; those of ofsted_score "
               "(from 4, Outstanding, down to 1, Inadequate) have an order.",
               allowed=("number", "indicator", "groups")),
        Column("measure", "text", "What the variable measures, on which basis and when; empty where there is none."),
        Column("is_post_baseline", "boolean", "Whether the variable may be later than the start of the window: it may "
               "follow the change."),
        Column("n", "integer", "Units with a value.", "units"),
        Column("n_missing", "integer", "Units of the window without one.", "units"),
        Column("missing", "text", "How many of them for which reason, the commonest first; empty where none is missing."),
        Column("n_groups", "integer", "Groups, of indicators and groups.", "groups", True),
        Column("n_smallest_group", "integer", "Units in the smallest of them.", "units", True),
        Column("pearson_r", "number", "Pearson's correlation, of numbers only.", nullable=True),
        Column("pearson_lower_95", "number", "Its lower 95% limit, by Fisher's z.", nullable=True),
        Column("pearson_upper_95", "number", "Its upper 95% limit.", nullable=True),
        Column("spearman_rho", "number", "Spearman's correlation, of whatever has an order.", nullable=True),
        Column("spearman_p", "number", "Its two-sided p, from the t distribution with n - 2 degrees of freedom.",
               nullable=True),
        Column("difference", "number", "Mean of the units with 1 less that of the units with 0, of indicators only.",
               _OF_OUTCOME, True),
        Column("difference_lower_95", "number", "Its lower 95% limit, spreads not taken to be equal (Welch).", _OF_OUTCOME,
               True),
        Column("difference_upper_95", "number", "Its upper 95% limit.", _OF_OUTCOME, True),
        Column("welch_statistic", "number", "Welch's t of an indicator, F of groups.", nullable=True),
        Column("welch_df_between", "number", "Degrees of freedom of F between groups; t has none.", nullable=True),
        Column("welch_df", "number", "Degrees of freedom of t, or of F within groups.", nullable=True),
        Column("test", "text", "The test that p_value is of: pearson of numbers, welch_t of indicators, welch_anova of "
               "groups; all two-sided.", allowed=("pearson", "welch_t", "welch_anova")),
        Column("p_value", "number", "Its probability where there is no association.", nullable=True),
        Column("q_value", "number", "p_value adjusted for the tests of this window and outcome (Benjamini-Hochberg).",
               nullable=True),
        Column("n_tests", "integer", "Tests of this window and outcome, those of same_test_as not counted twice.", "tests"),
        Column("same_test_as", "text", "An earlier variable of which this one is a shift or a multiple in every unit: it is "
               "the same test and has the same q_value; missing where there is none.", nullable=True),
        shared.REASON.but(description="Why there is no test; the numbers of its kind are then missing."),
        Column("detail", "text", "The same in words.", nullable=True),
        shared.REASON.but(name="spearman_reason", description="Why there is no spearman_rho: not_applicable where the "
                          "groups have no order."),
    ),
)  # fmt: skip

STUDY_COMPARISON = Table(
    schema="main",
    name="study_comparison",
    asset="study_comparison",
    description="What the study of 2018 and the releases of its time say, beside what the same years show here.",
    grain="claim and period",
    key=("claim", "period"),
    order=("position", "period"),
    warnings=(
        "The study's five reporting years can be read as four yearly steps (orig_h4) or five (orig_h5): both are given.",
        "Other vintages of the populations, other rules of rounding and other measures: a difference is shown, not "
        "explained away, and nothing is tuned to meet a published figure.",
        NOT_AN_EFFECT,
        *sentences.ALL_IN_SHORT,
    ),
    columns=(
        Column("position", "integer", "Place of the claim in the table."),
        Column("claim", "text", "What is compared. share_*: share of authorities. region_*: the region that moved most. "
               "goes_with_*: the sign of an association of one variable with the change of the rate. children_looked_after: "
               "the number in England.",
               allowed=("share_up", "share_same", "share_down", "region_that_fell_most", "region_that_rose_most",
                        "goes_with_deprivation_change", "goes_with_innovation_programme", "goes_with_ofsted_good",
                        "goes_with_ofsted_good_at_end", "children_looked_after")),
        Column("period", "text", "Window, or the year of a number."),
        shared.WINDOW_ID.but(nullable=True, description="Window of our figure; missing where it is of one year."),
        shared.WINDOW_START.but(nullable=True, description="Reporting year at its start; missing where it is of one year."),
        shared.WINDOW_END.but(nullable=True, description="Reporting year at its end; missing where it is not computed."),
        Column("statement", "text", "What was published, in words."),
        Column("source", "text", "Who published it."),
        Column("published_value", "number", "The published figure; missing where the study gives words only.",
               _OF_CLAIM, True),
        Column("published_sign", "text", "Sign of the association that its words say; missing for other claims.",
               nullable=True, allowed=("positive", "negative")),
        Column("unit_of_value", "text", "Unit of published_value and of ours."),
        Column("ours", "text", "Our figure in words; empty where there is none."),
        Column("ours_by_whole_number_rates", "number", "Share of units by rates that are rounded half up as the publisher "
               "prints them; of shares only.", shared.PER_CENT, True),
        Column("ours_by_movement", "number", "Share of units by movement of main.five_year_change; of shares only.",
               shared.PER_CENT, True),
        Column("ours_value", "number", "Our figure: change of the region named, correlation or difference of means (see "
               "main.univariate_associations), or number of the national series; missing for shares.", _OF_CLAIM, True),
        Column("ours_lower_95", "number", "Lower 95% limit, of associations only.", _OF_CLAIM, True),
        Column("ours_upper_95", "number", "Upper 95% limit, of associations only.", _OF_CLAIM, True),
        Column("ours_p_value", "number", "Its probability where there is no association, not adjusted.", nullable=True),
        Column("ours_sign", "text", "Its sign, of associations only.", nullable=True,
               allowed=("positive", "negative", "none")),
        Column("agrees", "boolean", "Whether sign or region is the published one; missing for numbers, which are only set "
               "side by side. The same sign does not say that there is an association: see the limits.", nullable=True),
        shared.POPULATION_VINTAGE.but(nullable=True),
        Column("n", "integer", "Units of our figure, or authorities in the sum; 0 where there is none."),
        Column("note", "text", "How ours differs."),
        shared.REASON.but(description="Why there is no figure of ours."),
    ),
)  # fmt: skip

STAGGERED_ADOPTION = Table(
    schema="main",
    name="staggered_adoption",
    asset="staggered_adoption",
    description="Appendix: log rates of authorities that began with the Innovation Programme (rounds 1 and 2) beside those "
    "of authorities that had not, by years from entry.",
    grain="control group and year from entry",
    key=("control_group", "event_time"),
    warnings=(
        "Read the years before entry first (is_pre_programme, pretrend_p): where those differ, the authorities were moving "
        "apart already, and the later years say nothing of the programme. A large pretrend_p does not show that they were "
        "not: few authorities can part unseen.",
        sentences.NOT_RANDOM,
        "An appendix: no conclusion is drawn from it, and no other table or page uses it.",
        "No row in the list of participants means that no evidence was found: an authority without entry may have taken "
        "part.",
        "Years long after entry rest on the early entries alone (n_groups, n_units).",
        sentences.ECOLOGICAL,
        *sentences.ALL_IN_SHORT,
    ),
    columns=(
        Column("control_group", "text", "never: authorities without an entry in the list. not_yet: those, and authorities "
               "in the years before their own entry.", allowed=("never", "not_yet")),
        Column("event_time", "integer", "Years from entry; 0 is the first 31 March after the calendar year in which the "
               "first project began.", "years"),
        Column("is_pre_programme", "boolean", "Whether that is before entry."),
        Column("estimate", "number", "From entry on: change of the log rate since the 31 March before, less that of the "
               "control group. Before entry: change over one year, less that of the control group.", "log ratio", True),
        Column("std_error", "number", "Its standard error; each authority is one cluster.", "log ratio", True),
        Column("lower_95", "number", "Lower 95% limit, of this row alone.", "log ratio", True),
        Column("upper_95", "number", "Upper 95% limit, of this row alone.", "log ratio", True),
        Column("n_groups", "integer", "Years of entry behind the row.", "years of entry", True),
        Column("n_units", "integer", "Units that took part behind the row.", "units", True),
        Column("n_controls", "integer", "Fewest units that one of them is compared with.", "units", True),
        Column("n_left_out", "integer", "Units of the panel that are left out: their year of entry has too few of them, or "
               "nothing before it.", "units", True),
        Column("first_year", "integer", "First reporting year of the panel.", nullable=True),
        Column("last_year", "integer", "Last reporting year of the panel.", nullable=True),
        Column("pretrend_p", "number", "p that all rows before entry are 0, of this control group (Wald, F).",
               nullable=True),
        shared.REASON.but(description="Why there is no estimate."),
        shared.REASON.but(name="pretrend_reason", description="Why pretrend_p is missing."),
        shared.REASON.but(name="panel_reason", description="Why n_left_out, first_year and last_year are missing."),
    ),
)  # fmt: skip

FINDINGS = Table(
    schema="about",
    name="findings",
    asset="findings",
    description="What the regressions of a window say, in plain English.",
    grain="window",
    key=("window_id",),
    order=("window_end", "window_start", "window_id"),
    warnings=(NOT_AN_EFFECT,),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        Column(
            "finding",
            "text",
            "The paragraph, made from the primary model, the change score and the specification curve.",
        ),
        Column("caveats", "text", "What has to be read with it."),
    ),
)

TABLES = (
    REGRESSION_COEFFICIENTS,
    REGRESSION_MODELS,
    REGRESSION_INFLUENCE,
    SPECIFICATION_CURVE,
    SPECIFICATION_CURVE_SUMMARY,
    UNIVARIATE_ASSOCIATIONS,
    STUDY_COMPARISON,
    STAGGERED_ADOPTION,
    FINDINGS,
)
