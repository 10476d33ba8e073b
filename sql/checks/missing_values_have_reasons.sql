-- Whatever is missing says why.
SELECT 'care_numbers' AS where_found, la_code || ' ' || year AS which
FROM main.care_numbers
WHERE (looked_after IS NULL) <> (looked_after_reason IS NOT NULL)
   OR (started IS NULL) <> (started_reason IS NOT NULL)
   OR (ceased IS NULL) <> (ceased_reason IS NOT NULL)
   OR (population_0_17 IS NULL) <> (population_reason IS NOT NULL)
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
