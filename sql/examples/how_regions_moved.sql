-- How many units of each region moved which way in the newest five-year window?
SELECT region,
       count(*) AS units,
       count(*) FILTER (WHERE movement = 'down') AS moved_down,
       count(*) FILTER (WHERE movement = 'little_change') AS little_change,
       count(*) FILTER (WHERE movement = 'up') AS moved_up
FROM main.five_year_change
WHERE window_id = 'main_h5'
GROUP BY region
ORDER BY region
