-- The forms of one change agree: log and per cent, own and relative, and the units' children weighed together are England.
SELECT window_id, unit_id
FROM main.five_year_change
WHERE abs(change_pct - 100 * (exp(change_log) - 1)) > 1e-9
   OR abs(change_log - ln(rate_end / rate_start)) > 1e-12
   OR abs(relative_change_pct - 100 * (exp(relative_change_log) - 1)) > 1e-9
   OR abs(change_log - relative_change_log - ln(1 + england_change_pct / 100)) > 1e-9
UNION ALL
SELECT window_id, 'England'
FROM main.five_year_change
GROUP BY window_id
HAVING abs(
    100.0 * (sum(looked_after_end) / sum(population_end)) / (sum(looked_after_start) / sum(population_start)) - 100
    - any_value(england_change_pct)
) > 1e-9
