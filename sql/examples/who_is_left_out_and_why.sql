-- Who is not a unit by itself in the newest five-year window, and why?
SELECT la_name, rule, reason, detail
FROM main.exclusions
WHERE window_id = 'main_h5' AND stage = 'trend'
ORDER BY la_name
