-- Does any one variable alone go with the change of the newest five-year window, once all of them are allowed for?
SELECT
    term,
    measure,
    n,
    n_missing,
    test,
    pearson_r,
    pearson_lower_95,
    pearson_upper_95,
    difference,
    difference_lower_95,
    difference_upper_95,
    p_value,
    q_value,
    is_post_baseline,
    reason
FROM main.univariate_associations
WHERE window_id = 'main_h5' AND outcome = 'log_rate_ratio'
ORDER BY term
