"""Is it more than noise: the usual movement, what the rates remember, levels, regions, and the start of a change.

What belongs here: declarations of the tables of `main` that say how unusual a change or a level is, and the columns that
they add to `main.five_year_change`. What does not: the changes themselves (`main_tables`).
"""

from __future__ import annotations

from pipeline import sentences
from pipeline.tables import shared_columns as shared
from pipeline.tables.declare import Column, Table

LOG = "log ratio"
LOG_SQUARED = "squared log ratio"
_OF_VALUE = "that of the column unit_of_value"

VOLATILITY = Table(
    schema="main",
    name="volatility",
    asset="volatility",
    description="How much a rate usually moves in a year, net of England: its variance is a + b / mean number of children.",
    grain="way of fitting",
    key=("fitted_on",),
    warnings=(
        "Only the row primary judges changes; the other two show what it rests on.",
        "Movements net of England are close to a random walk: over h years the variance is h (a + b / mean number).",
        *sentences.TREND_IN_SHORT,
    ),
    columns=(
        Column("fitted_on", "text", "primary: pairs of years that one release holds, cut at winsorised_at. no_winsorising: "
               "the same pairs, uncut. all_pairs: every pair of years, also across releases.",
               allowed=("primary", "no_winsorising", "all_pairs")),
        Column("a", "number", "Variance of one year's movement in an authority of any size.", LOG_SQUARED, True),
        Column("b", "number", "What chance adds: divided by the mean number of children looked after.",
               f"{LOG_SQUARED} x children", True),
        Column("n_pairs", "integer", "Pairs of years.", "pairs"),
        Column("n_obs", "integer", "Movements, of one unit over one year each.", "movements"),
        Column("n_winsorised", "integer", "Movements that were cut in the last round.", "movements"),
        Column("iterations", "integer", "Rounds until the fit stood still.", "rounds"),
        Column("winsorised_at", "number", "Where movements are cut; missing where they are not.", "standard deviations",
               True),
        Column("kappa", "number", "Mean square of a standard normal cut there, which the cut squares are divided by."),
        Column("first_year", "integer", "First reporting year of the pairs.", nullable=True),
        Column("last_year", "integer", "Last reporting year of the pairs.", nullable=True),
        Column("years", "text", "The pairs of reporting years."),
        Column("releases", "text", "Release of each pair, or of its two counts."),
        shared.REASON.but(description="Why there is no fit."),
    ),
)  # fmt: skip

MEMORY_STATS = Table(
    schema="main",
    name="memory_stats",
    asset="memory_stats",
    description="Whether movements last: what a rate remembers of the years before.",
    grain="panel, statistic and number of years",
    key=("panel", "statistic", "years"),
    warnings=(
        "A variance ratio near 1 and an F near 1 say that each year's movement is new: no authority has a trend of its "
        "own. A ratio well above 1 or a large F would mean persistent local trends.",
        *sentences.TREND_IN_SHORT,
    ),
    columns=(
        Column("panel", "text", "all_units, or large_units: those with a mean number over the panel's years above its upper "
               "quartile.", allowed=("all_units", "large_units")),
        Column("statistic", "text", "variance_ratio: variance between units of the change over k years, over k times "
               "that of one year. drift_f: F of units' mean yearly changes. drift_reliability: share of the spread of "
               "mean changes that is the unit's own. lag_1_correlation: of a year's change with the next. "
               "window_correlation: of the changes in two neighbouring windows.",
               allowed=("variance_ratio", "drift_f", "drift_reliability", "lag_1_correlation", "window_correlation")),
        Column("years", "integer", "Years of the change (k), or of each window.", "years"),
        Column("value", "number", "The statistic.", nullable=True),
        Column("low_95", "number", "Lower 95% limit: bootstrap over units for variance ratios, Fisher's z for correlations.",
               nullable=True),
        Column("high_95", "number", "Upper 95% limit, in the same way.", nullable=True),
        Column("p_value", "number", "Probability of an F as large where no unit has a trend of its own.", nullable=True),
        Column("df_between", "integer", "Degrees of freedom of F: units less one.", nullable=True),
        Column("df_within", "integer", "Degrees of freedom of F: within units.", nullable=True),
        Column("n_units", "integer", "Units with complete numbers."),
        Column("n_values", "integer", "Changes, or pairs of changes, that the statistic is made of."),
        Column("first_year", "integer", "First reporting year.", nullable=True),
        Column("last_year", "integer", "Last reporting year.", nullable=True),
        Column("bootstrap_draws", "integer", "Resamples of units behind the limits; missing where there are none.",
               nullable=True),
        Column("seed", "integer", "Seed of the resamples.", nullable=True),
        shared.REASON.but(description="Why the statistic is missing."),
        shared.REASON.but(name="detail_reason", description="Why limits, p_value, degrees of freedom or draws are missing."),
    ),
)  # fmt: skip

_OUTSIDE = ("inside", "above_95", "below_95", "above_998", "below_998")

FUNNEL_LEVELS = Table(
    schema="main",
    name="funnel_levels",
    asset="funnel_levels",
    description="The level of every rate beside England's, with funnel limits widened for the usual spread of authorities.",
    grain="year and unit",
    key=("year", "unit_id"),
    order=("year", "unit_name"),
    warnings=(
        "For the level of one year only: a change is judged in main.five_year_change.",
        "Being outside says that a rate is unusual among authorities of that size, not why.",
        *sentences.ALL_IN_SHORT,
    ),
    columns=(
        shared.YEAR,
        shared.UNIT_ID.but(description="DfE code of the authority."),
        shared.UNIT_NAME.but(description="Name of the authority."),
        shared.REGION_NAME,
        Column("observed", "integer", "Children looked after on 31 March.", shared.CHILDREN),
        Column("expected", "number", "What England's rate over the same units would give.", shared.CHILDREN),
        shared.POPULATION.but(nullable=False),
        shared.POPULATION_VINTAGE,
        shared.RATE.but(nullable=False),
        Column("england_rate_per_10k", "number", "England's rate over the same units.", shared.PER_10K),
        Column("log_ratio", "number", "y: natural logarithm of observed / expected.", LOG),
        Column("std_error", "number", "s: 1 / square root of expected, what chance alone does to y.", LOG),
        Column("z_unadjusted", "number", "y / s."),
        Column("z_winsorised", "number", "z_unadjusted, cut at the 10th and 90th percentile of the year."),
        Column("phi", "number", "Mean square of z_winsorised: 1 if chance were all."),
        Column("tau2", "number", "Variance between authorities beyond chance.", LOG_SQUARED),
        Column("z_adjusted", "number", "y / square root of (s^2 + tau2)."),
        Column("low_95", "number", "Lower 95% funnel limit at this authority's size.", shared.PER_10K),
        Column("high_95", "number", "Upper 95% funnel limit.", shared.PER_10K),
        Column("low_998", "number", "Lower 99.8% funnel limit.", shared.PER_10K),
        Column("high_998", "number", "Upper 99.8% funnel limit.", shared.PER_10K),
        Column("poisson_low_95", "number", "Lower 95% limit of chance alone, without tau2.", shared.PER_10K),
        Column("poisson_high_95", "number", "Upper 95% limit of chance alone, without tau2.", shared.PER_10K),
        Column("outside", "text", "Which limits the rate lies outside.", allowed=_OUTSIDE),
    ),
)  # fmt: skip

REGION_TRENDS = Table(
    schema="main",
    name="region_trends",
    asset="region_trends",
    description="The change of every region in every window: the units compared, pooled by region.",
    grain="window and region",
    key=("window_id", "region"),
    order=("window_id", "region_level", "region"),
    warnings=(
        "Rows of region_level part (such as Inner and Outer London) stand beside their region: adding all rows counts it "
        "twice.",
        "Pooled over the units of main.five_year_change, so City of London and the units left out there are not in it.",
        *sentences.ALL_IN_SHORT,
        *sentences.TREND_IN_SHORT,
    ),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        shared.REGION_NAME.but(description="Region, or part of one."),
        Column("region_level", "text", "Whether the row is one of the nine regions, or part of one.",
               allowed=("region", "part")),
        Column("part_of", "text", "The region that a part belongs to.", nullable=True),
        Column("units", "integer", "Units pooled.", "units"),
        Column("looked_after_start", "integer", "Children looked after at the start of the window.", shared.CHILDREN),
        Column("looked_after_end", "integer", "Children looked after at the end of the window.", shared.CHILDREN),
        Column("population_start", "integer", "Children aged 0-17 for the start of the window.", shared.CHILDREN),
        Column("population_end", "integer", "Children aged 0-17 for the end of the window.", shared.CHILDREN),
        Column("rate_start", "number", "Rate at the start of the window.", shared.PER_10K),
        Column("rate_end", "number", "Rate at the end of the window.", shared.PER_10K),
        Column("change_log", "number", "Natural logarithm of rate_end / rate_start.", LOG),
        Column("change_pct", "number", "Change of the rate: 100 (exp(change_log) - 1).", shared.PER_CENT),
        Column("number_change_pct", "number", "Change of the number.", shared.PER_CENT),
        Column("change_per_10k", "number", "rate_end - rate_start.", shared.PER_10K),
        Column("england_change_pct", "number", "Change of England's rate over all units.", shared.PER_CENT),
        Column("relative_change_log", "number", "change_log less England's.", LOG),
        Column("relative_change_pct", "number", "Change relative to England.", shared.PER_CENT),
        Column("england_direction", "text", "Direction of England over the window.",
               allowed=("up", "down", "no_clear_direction")),
        Column("movement", "text", "Whether the region's rate moved by 5% or more.",
               allowed=("up", "down", "little_change")),
        Column("relative", "text", "Whether the region parted from England by 10% or more.",
               allowed=("fell_relative", "rose_relative", "moved_with_england")),
        shared.POPULATION_VINTAGE,
    ),
)  # fmt: skip

BASELINE_CONVERGENCE = Table(
    schema="main",
    name="baseline_convergence",
    asset="baseline_convergence",
    description="How far the change goes with where a unit started: least squares of the log change on the log rate at the "
    "start.",
    grain="window",
    key=("window_id",),
    warnings=(
        "A negative slope is convergence towards the mean, part of which chance at the start makes by itself: it is shown, "
        "not removed.",
        *sentences.TREND_IN_SHORT,
    ),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        Column("n", "integer", "Units.", "units"),
        Column("intercept", "number", "Change at a rate of one per child (ln rate = 0): outside the data.", LOG, True),
        Column("slope", "number", "Difference in the log change per unit of the log rate at the start.", nullable=True),
        Column("std_error", "number", "HC3 standard error of the slope.", nullable=True),
        Column("statistic", "number", "slope / std_error.", nullable=True),
        Column("p_value", "number", "Two-sided, t with n - 2 degrees of freedom.", nullable=True),
        Column("lower_95", "number", "Lower 95% limit of the slope.", nullable=True),
        Column("upper_95", "number", "Upper 95% limit of the slope.", nullable=True),
        Column("r2", "number", "Share of the spread of changes that the line describes.", nullable=True),
        Column("correlation", "number", "Correlation of the change with the log rate at the start.", nullable=True),
        shared.REASON.but(description="Why there is no line."),
    ),
)  # fmt: skip

# What the statistics of evidence add to main.five_year_change, in the order in which they stand there.
CHANGE_EVIDENCE = (
    Column("rate_start_low", "number", "Lower 95% limit of rate_start: chance variation in a count of this size.",
           shared.PER_10K),
    Column("rate_start_high", "number", "Upper 95% limit of rate_start.", shared.PER_10K),
    Column("rate_end_low", "number", "Lower 95% limit of rate_end: chance variation in a count of this size.",
           shared.PER_10K),
    Column("rate_end_high", "number", "Upper 95% limit of rate_end.", shared.PER_10K),
    Column("mean_number", "number", "Mean of the counts at both ends.", shared.CHILDREN),
    Column("se_usual", "number", "Standard deviation of usual movement over the window: square root of years x (a + b / "
           "mean_number), see main.volatility.", LOG, True),
    Column("relative_low_pct", "number", "Range of usual movement around relative_change_pct, lower end.", shared.PER_CENT,
           True),
    Column("relative_high_pct", "number", "Range of usual movement around relative_change_pct, upper end.",
           shared.PER_CENT, True),
    Column("usual_low_pct", "number", "Fall against England that 95 in 100 authorities of this size stay above without a "
           "trend of their own.", shared.PER_CENT, True),
    Column("usual_high_pct", "number", "Rise against England that they stay below.", shared.PER_CENT, True),
    Column("z", "number", "relative_change_log / se_usual.", nullable=True),
    Column("p_value", "number", "Two-sided probability of a z as large by usual movement alone.", nullable=True),
    Column("q_value", "number", "p_value adjusted for the number of units of the window (Benjamini-Hochberg).",
           nullable=True),
    Column("n_tested", "integer", "Units compared in the window.", "units", nullable=True),
    Column("evidence", "text", "A: exceptional even allowing for the number of authorities compared. B: larger than usual "
           "year-to-year movement. C: within usual year-to-year movement.", nullable=True, allowed=("A", "B", "C")),
    Column("evidence_text", "text", "The same in words, with both changes.", nullable=True),
    Column("evidence_reason", "text", "Why there is no evidence.", nullable=True, allowed=shared.REASONS),
    Column("ab_out_of_period", "boolean", "Whether the window is not wholly inside the years that the usual movement is "
           "measured on.", nullable=True),
    Column("baseline_adjusted_change", "number", "change_log less what its line on the log rate at the start gives, see "
           "main.baseline_convergence.", LOG, True),
    Column("baseline_reason", "text", "Why baseline_adjusted_change is missing.", nullable=True, allowed=shared.REASONS),
    Column("alternates_available", "integer", "Of the eight alternates, how many can be computed for the unit, see "
           "main.five_year_change_alternates."),
    Column("alternates_agreeing", "integer", "How many of them give the same movement and the same relative class."),
    Column("is_robust", "boolean", "Whether three quarters of the available alternates or more agree.", nullable=True),
    Column("robust_reason", "text", "Why is_robust is missing: short_series where fewer than five are available.",
           nullable=True, allowed=("short_series",)),
    Column("fingertips_marker", "text", "Comparison only: recent trend by the method of Fingertips over the last five years "
           "of rates, which takes years to be independent.",
           allowed=("Increasing", "Decreasing", "No significant change", "Cannot be calculated")),
    Column("fingertips_reason", "text", "Why, in that method's words."),
)  # fmt: skip

GROUPS_COMPARED = Table(
    schema="main",
    name="groups_compared",
    asset="groups_compared",
    description="Units that bucked the national trend beside the others: what the two groups looked like at the start.",
    grain="window and measure",
    key=("window_id", "variable"),
    warnings=(
        "Association across authorities, one measure at a time: the groups differ in many things at once.",
        "Windows: that of main.bucking_the_trend, and 2012 to 2017 where it is computed. The groups are those of the column "
        "bucked, whatever the evidence for a single unit.",
        "Groups made by their change differ at the start by chance as well: a rate that starts high tends to come down (see "
        "main.baseline_convergence).",
        "Measures of two windows can be on different bases (measure says which) and are not to be set beside each other.",
        "A unit counts as not taking part in a programme where no published source names it.",
        sentences.ECOLOGICAL,
        sentences.NOT_RANDOM,
        *sentences.ALL_IN_SHORT,
    ),
    columns=(
        shared.WINDOW_ID,
        shared.WINDOW_START,
        shared.WINDOW_END,
        Column("england_direction", "text", "Direction of England over the window.",
               allowed=("up", "down", "no_clear_direction")),
        Column("variable", "text", "What is compared, as of the start of the window: baseline_rate; deprivation_level and "
               "deprivation_change over the window; uasc_share, unaccompanied asylum-seeking children among the looked "
               "after; ofsted_good, judged good or better; innovation_programme, found to take part; spending_per_child on "
               "children looked after; started_per_10k and ceased_per_10k in the year before.",
               allowed=("baseline_rate", "deprivation_level", "deprivation_change", "uasc_share", "ofsted_good",
                        "innovation_programme", "spending_per_child", "started_per_10k", "ceased_per_10k")),
        Column("measure", "text", "What is measured, on which basis and when; empty where there is none."),
        Column("is_post_baseline", "boolean", "Whether it may be later than the start of the window."),
        Column("unit_of_value", "text", "Unit of the means, medians and differences."),
        Column("compared", "text", "mean: means over units. share: per cent of units of which it is true.",
               allowed=("mean", "share")),
        Column("n", "integer", "Units with a value.", "units"),
        Column("n_bucked", "integer", "Of those, units that bucked the trend.", "units", True),
        Column("n_others", "integer", "Of those, the other units.", "units", True),
        Column("n_missing", "integer", "Units of the window without a value.", "units"),
        Column("missing_reason", "text", "The commonest reason among them.", nullable=True, allowed=shared.REASONS),
        Column("bucked_mean", "number", "Mean, or share, of the units that bucked the trend.", _OF_VALUE, True),
        Column("others_mean", "number", "Mean, or share, of the others.", _OF_VALUE, True),
        Column("bucked_median", "number", "Median of the units that bucked the trend.", _OF_VALUE, True),
        Column("others_median", "number", "Median of the others.", _OF_VALUE, True),
        Column("median_reason", "text", "Why there are no medians; a share has none.", nullable=True,
               allowed=shared.REASONS),
        Column("difference", "number", "bucked_mean - others_mean, for shares in percentage points.", _OF_VALUE, True),
        Column("lower_95", "number", "Lower 95% limit of the difference.", _OF_VALUE, True),
        Column("upper_95", "number", "Upper 95% limit of the difference.", _OF_VALUE, True),
        Column("interval_method", "text", "welch: of two means, spreads not taken to be equal. newcombe_wilson: of two "
               "shares, from Wilson's limits of each.", allowed=("welch", "newcombe_wilson")),
        Column("standard_deviation", "number", "Standard deviation over the units of both groups: difference divided by "
               "it is free of units.", _OF_VALUE, True),
        Column("test", "text", "Test of no difference, two-sided.", allowed=("welch", "fisher_exact")),
        Column("p_value", "number", "Its probability.", nullable=True),
        Column("q_value", "number", "p_value adjusted for the number of tests of this table (Benjamini-Hochberg).",
               nullable=True),
        Column("n_tests", "integer", "Tests of this table, over all its windows.", "tests"),
        shared.REASON.but(description="Why the groups are not compared: too_few_units with under five in one of them, "
                          "no_variation where all have the same, or the reason of the units without a value."),
    ),
)  # fmt: skip

_ALTERNATES = ("other_length", "year_earlier", "two_year_means", "median_slope", "excluding_uasc", "number", "older_counts",
               "starts")  # fmt: skip

FIVE_YEAR_CHANGE_ALTERNATES = Table(
    schema="main",
    name="five_year_change_alternates",
    asset="five_year_change_alternates",
    description="The change of every unit in every window taken in eight other ways, with the same thresholds.",
    grain="window, unit and alternate",
    key=("window_id", "unit_id", "alt_id"),
    order=("window_id", "unit_name", "alt_id"),
    warnings=(
        "Units are those of the window; a unit without the numbers is not available, with the reason, and is not in that "
        "alternate's England.",
        *sentences.ALL_IN_SHORT,
        *sentences.TREND_IN_SHORT,
    ),
    columns=(
        shared.WINDOW_ID.but(is_repeated=True),
        shared.WINDOW_START,
        shared.WINDOW_END,
        shared.UNIT_ID.but(is_repeated=True),
        shared.UNIT_NAME.but(is_repeated=True),
        Column("alt_id", "integer", "Number of the alternate, 1 to 8."),
        Column("alternate", "text", "other_length: four years in place of five, or five of four, with the same end. "
               "year_earlier: the same length, ending a year earlier. two_year_means: mean log rate of the last two years "
               "less that of the first two. median_slope: Theil-Sen slope of the log rate over all years, times their "
               "number. excluding_uasc: without unaccompanied asylum-seeking children. number: the number in place of the "
               "rate. older_counts: at each end the release before the newest, and for 2015 to 2017 the interactive tool. "
               "starts: the rate of children starting to be looked after.", allowed=_ALTERNATES, is_repeated=True),
        Column("change_log", "number", "Change of the unit, as a natural logarithm.", LOG, True),
        Column("england_change_log", "number", "Change of England, pooled over the available units.", LOG, True),
        Column("relative_change_log", "number", "change_log less england_change_log.", LOG, True),
        Column("movement", "text", "Whether the change is 5% or more.", nullable=True,
               allowed=("up", "down", "little_change"), is_repeated=True),
        Column("relative", "text", "Whether it parts from England's by 10% or more.", nullable=True,
               allowed=("fell_relative", "rose_relative", "moved_with_england"), is_repeated=True),
        Column("available", "boolean", "Whether the unit has a class under this alternate."),
        Column("agrees", "boolean", "Whether movement and relative are those of main.five_year_change.", nullable=True),
        Column("change_low_log", "number", "Change if every marked cell of UASC is at the bound that makes it least.", LOG,
               True),
        Column("change_high_log", "number", "Change if every one is at the bound that makes it most.", LOG, True),
        Column("uasc_bound_unsure", "boolean", "Whether a marked cell may be outside its bounds.", nullable=True),
        shared.REASON.but(description="Why the unit is not available. With uasc_bounds_disagree the changes at the point "
                          "values are there, and the classes at the two bounds differ.", is_repeated=True),
        shared.REASON.but(name="bounds_reason", description="Why there are no changes at the bounds: not_applicable but for "
                          "excluding_uasc, zero_count where a bound leaves no child.", is_repeated=True),
    ),
)  # fmt: skip

FLAG_SENSITIVITY = Table(
    schema="main",
    name="flag_sensitivity",
    asset="flag_sensitivity",
    description="How many units of the primary window are flagged under every combination of six settings.",
    grain="combination of the six settings",
    key=("magnitude_pct", "years", "outcome", "uasc", "england", "evidence_rule"),
    warnings=(
        "The rules funnel_od and fingertips are comparisons; the project's own is rw.",
        *sentences.ALL_IN_SHORT,
        *sentences.TREND_IN_SHORT,
    ),
    columns=(
        Column("magnitude_pct", "number", "How far a unit has to part from England.", shared.PER_CENT),
        Column("years", "integer", "Length of the change, ending with the primary window.", "years"),
        Column("outcome", "text", "Rate or number of children looked after.", allowed=("rate", "number")),
        Column("uasc", "text", "With or without unaccompanied asylum-seeking children, at their point values.",
               allowed=("in", "out")),
        Column("england", "text", "What a unit is compared with. pooled: England over the same units. published: the "
               "England rows of the releases used. median: the median change of the units.",
               allowed=("pooled", "published", "median")),
        Column("evidence_rule", "text", "What has to hold besides. none: nothing. rw: 1.96 or more standard deviations of "
               "usual movement. funnel_od: outside a funnel widened for over-dispersion. fingertips: the marker of the last "
               "five years is Increasing or Decreasing.", allowed=("none", "rw", "funnel_od", "fingertips")),
        shared.WINDOW_START.but(description="Reporting year at the start of the change."),
        shared.WINDOW_END.but(description="Reporting year at its end."),
        Column("n_units", "integer", "Units with the numbers that the combination needs.", "units", True),
        Column("n_fell", "integer", "Units flagged that fell against England.", "units", True),
        Column("n_rose", "integer", "Units flagged that rose against England.", "units", True),
        Column("n_flagged", "integer", "Units flagged.", "units", True),
        Column("jaccard_with_reference", "number", "Units flagged here and by the reference, over those flagged by either: "
               "1 if they are the same units, 0 if none is.", nullable=True),
        Column("is_reference", "boolean", "Whether this is the reference: 10%, five years, rate, UASC in, pooled, rw."),
        shared.REASON.but(description="Why the numbers or jaccard_with_reference are missing; both_empty where neither "
                          "flags any unit."),
    ),
)  # fmt: skip

_CALIBRATED = ("usual_movement", "usual_movement_refitted", "evidence_a", "evidence_a_refitted", "opposite_sign",
               "apart_from_england", "funnel_od", "fingertips_marker", "poisson_slope", "quasi_poisson_slope",
               "mann_kendall")  # fmt: skip

NULL_CALIBRATION = Table(
    schema="main",
    name="null_calibration",
    asset="null_calibration",
    description="The share of units that each rule flags in the primary window, and in countries drawn without any local "
    "trend.",
    grain="rule",
    key=("rule",),
    order=("position",),
    warnings=(
        "In a drawn country every rate follows England and moves besides by usual movement alone, so nothing that is "
        "flagged there is a trend of its own.",
        "The draws are fitted to the data: that they move as much as the data is by construction.",
        *sentences.TREND_IN_SHORT,
    ),
    columns=(
        Column("rule", "text", "usual_movement: evidence A or B, the project's own rule. evidence_a: evidence A. Both also "
               "refitted: with usual movement fitted to the country's own yearly movements. opposite_sign: the change has "
               "the other sign than England's. apart_from_england: it differs by 10% or more. funnel_od: outside a funnel "
               "of changes widened for over-dispersion. fingertips_marker: Increasing or Decreasing over the last five "
               "years. poisson_slope, quasi_poisson_slope: slope of a log-linear model of counts against England. "
               "mann_kendall: exact test of the log rate net of England.", allowed=_CALIBRATED),
        Column("position", "integer", "Place of the rule in the table: the project's own first."),
        Column("nominal", "number", "Share that the rule is meant to flag where there is no trend, 0 to 1.", nullable=True),
        Column("share_real", "number", "Share of units flagged in the published data, 0 to 1.", nullable=True),
        Column("share_null_mean", "number", "Mean share flagged in the drawn countries, 0 to 1.", nullable=True),
        Column("share_null_lo", "number", "2.5th percentile of the drawn countries' shares.", nullable=True),
        Column("share_null_hi", "number", "97.5th percentile of the drawn countries' shares.", nullable=True),
        Column("n_units", "integer", "Units with counts and populations in all years of the window.", "units"),
        shared.WINDOW_START,
        shared.WINDOW_END,
        Column("draws", "integer", "Countries drawn.", "countries"),
        Column("seed", "integer", "Seed of the draws."),
        shared.REASON.but(description="Why the shares are missing."),
        shared.REASON.but(name="nominal_reason", description="Why nominal is missing: not_applicable where a rule is no "
                          "test."),
    ),
)  # fmt: skip

TABLES = (VOLATILITY, MEMORY_STATS, FUNNEL_LEVELS, REGION_TRENDS, BASELINE_CONVERGENCE, GROUPS_COMPARED,
          FIVE_YEAR_CHANGE_ALTERNATES, FLAG_SENSITIVITY, NULL_CALIBRATION)  # fmt: skip
