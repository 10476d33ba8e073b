-- What goes with the change in the newest five-year window? M1 and M2 beside each other: what lies between them is open.
SELECT
    m2.term,
    m2.unit_of_term,
    m2.measure,
    m1.percent_effect AS m1_percent,
    m1.percent_lower_95 AS m1_lower_95,
    m1.percent_upper_95 AS m1_upper_95,
    m2.percent_effect AS m2_percent,
    m2.percent_lower_95 AS m2_lower_95,
    m2.percent_upper_95 AS m2_upper_95,
    m2.n,
    coalesce(m2.detail, m1.detail) AS why_missing
FROM main.regression_coefficients AS m2
JOIN main.regression_coefficients AS m1 USING (window_id, outcome, region_effects, variant, term)
WHERE m1.model = 'M1'
  AND m2.model = 'M2'
  AND m2.window_id = 'main_h5'
  AND m2.outcome = 'log_rate_ratio'
  AND NOT m2.region_effects
  AND m2.variant = 'primary'
  AND m2.term IN ('deprivation_change', 'deprivation_level', 'innovation_programme', 'ofsted_good')
ORDER BY m2.term
