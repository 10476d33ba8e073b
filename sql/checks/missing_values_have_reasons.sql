-- Whatever is missing says why.
SELECT 'care_numbers' AS where_found, la_code || ' ' || year AS which
FROM main.care_numbers
WHERE (looked_after IS NULL) <> (looked_after_reason IS NOT NULL)
   OR (started IS NULL) <> (started_reason IS NOT NULL)
   OR (ceased IS NULL) <> (ceased_reason IS NOT NULL)
   OR (population_0_17 IS NULL) <> (population_reason IS NOT NULL)
   OR (uasc IS NULL) <> (uasc_reason IS NOT NULL)
   OR (spending_per_child IS NULL) <> (spending_reason IS NOT NULL)
UNION ALL
SELECT 'five_year_change', window_id || ' ' || unit_id
FROM main.five_year_change
WHERE (bucked IS NULL) <> (bucked_reason IS NOT NULL)
UNION ALL
SELECT 'windows', window_id
FROM main.windows
WHERE is_computed = (reason IS NOT NULL)
UNION ALL
SELECT 'national_trend', source || ' ' || year
FROM main.national_trend
WHERE (rate_per_10k IS NULL) <> (rate_reason IS NOT NULL)
UNION ALL
SELECT 'neighbour_comparison', la_code || ' ' || year
FROM main.neighbour_comparison
WHERE (rate_per_10k IS NULL) <> (rate_reason IS NOT NULL)
   OR (neighbour_median_rate_per_10k IS NULL) <> (neighbour_reason IS NOT NULL)
   OR (region_rate_per_10k IS NULL) <> (region_reason IS NOT NULL)
UNION ALL
SELECT 'neighbour_change', window_id || ' ' || unit_id
FROM main.neighbour_change
WHERE (neighbour_median_change_pct IS NULL) <> (neighbour_reason IS NOT NULL)
UNION ALL
SELECT 'inspections', la_code || ' ' || framework || ' ' || publication_date
FROM core.inspections
WHERE (overall IS NULL) <> (overall_reason IS NOT NULL)
   OR (inspection_date IS NULL) <> (inspection_date_reason IS NOT NULL)
UNION ALL
SELECT 'interactive_tool', edition || ' ' || la_code || ' ' || year || ' ' || measure
FROM core.interactive_tool
WHERE (value IS NULL) <> (reason IS NOT NULL) OR (value IS NULL) <> (marker IS NOT NULL)
UNION ALL
SELECT 'spending', source || ' ' || la_code || ' ' || year || ' ' || measure
FROM core.spending
WHERE (value_pounds IS NULL) <> (reason IS NOT NULL) OR (value_pounds IS NULL) <> (marker IS NOT NULL)
UNION ALL
SELECT 'deprivation', measure || ' ' || basis || ' ' || year || ' ' || la_code
FROM core.deprivation
WHERE (value IS NULL) <> (reason IS NOT NULL)
UNION ALL
SELECT 'groups_compared', window_id || ' ' || variable
FROM main.groups_compared
WHERE (p_value IS NULL) <> (reason IS NOT NULL)
   OR (q_value IS NULL) <> (reason IS NOT NULL)
   OR (lower_95 IS NULL) <> (reason IS NOT NULL)
   OR (bucked_median IS NULL OR others_median IS NULL) <> (median_reason IS NOT NULL)
   OR (n_missing > 0) <> (missing_reason IS NOT NULL)
UNION ALL
SELECT 'five_year_change_alternates', window_id || ' ' || unit_id || ' ' || alt_id
FROM main.five_year_change_alternates
WHERE available = (reason IS NOT NULL)
   OR available = (movement IS NULL)
   OR available = (relative IS NULL)
   OR available = (agrees IS NULL)
   OR (change_log IS NULL AND reason IS NULL)
   OR (change_low_log IS NULL) <> (bounds_reason IS NOT NULL)
   OR (uasc_bound_unsure IS NULL AND bounds_reason IS NULL)
UNION ALL
SELECT 'flag_sensitivity', concat_ws(' ', magnitude_pct, years, outcome, uasc, england, evidence_rule)
FROM main.flag_sensitivity
WHERE (n_flagged IS NULL OR jaccard_with_reference IS NULL) <> (reason IS NOT NULL)
UNION ALL
SELECT 'null_calibration', rule
FROM main.null_calibration
WHERE (share_null_mean IS NULL OR share_real IS NULL) <> (reason IS NOT NULL)
   OR (nominal IS NULL) <> (nominal_reason IS NOT NULL)
