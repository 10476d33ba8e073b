-- Does what goes with the change depend on the choices made? Each focal term in all specifications, beside chance alone.
SELECT
    term,
    unit_of_term,
    n_specifications,
    n_positive,
    n_p_below_level,
    p_level,
    lowest_estimate,
    median_estimate,
    highest_estimate,
    median_p,
    reason
FROM main.specification_curve_summary
ORDER BY term
