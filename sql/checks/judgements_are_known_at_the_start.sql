-- No judgement published after a window's start is an exposure of that window, unless it is flagged as one.
SELECT window_id, unit_id, variable
FROM main.exposures
WHERE variable LIKE 'ofsted%'
  AND NOT is_post_baseline
  AND as_of > make_date(window_start, 3, 31)
UNION ALL
-- And a programme counts only if it had begun by the end of the calendar year before.
SELECT window_id, unit_id, variable
FROM main.exposures
WHERE (variable LIKE 'innovation%' OR variable IN ('partners_in_practice', 'sfpc'))
  AND NOT is_post_baseline
  AND as_of > make_date(window_start - 1, 12, 31)
