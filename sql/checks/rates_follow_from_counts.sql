-- A rate is its count over its population, in the panel and at both ends of every window.
SELECT 'care_numbers' AS where_found, la_code AS code, year AS at
FROM main.care_numbers
WHERE abs(rate_per_10k - 10000.0 * looked_after / population_0_17) > 1e-9
   OR (rate_per_10k IS NULL) <> (looked_after IS NULL OR population_0_17 IS NULL)
UNION ALL
SELECT window_id, unit_id, window_start
FROM main.five_year_change
WHERE abs(rate_start - 10000.0 * looked_after_start / population_start) > 1e-9
UNION ALL
SELECT window_id, unit_id, window_end
FROM main.five_year_change
WHERE abs(rate_end - 10000.0 * looked_after_end / population_end) > 1e-9
