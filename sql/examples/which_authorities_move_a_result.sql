-- Which authorities weigh most in the primary model of the newest five-year window, and which of its terms would move without them?
SELECT unit_name, cooks_distance, leverage, studentised_residual, terms_moved
FROM main.regression_influence
WHERE window_id = 'main_h5'
  AND outcome = 'log_rate_ratio'
  AND model = 'M2'
  AND NOT region_effects
  AND (is_influential OR terms_moved <> '')
ORDER BY unit_name
