-- What did authorities that bucked the trend look like at the start, beside the others? Association, one measure at a time.
SELECT
    window_start,
    window_end,
    variable,
    bucked_mean,
    others_mean,
    difference,
    lower_95,
    upper_95,
    q_value,
    n,
    reason,
    unit_of_value
FROM main.groups_compared
ORDER BY window_end DESC, variable
