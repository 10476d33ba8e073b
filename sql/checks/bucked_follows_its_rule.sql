-- Bucked means: England has a clear direction, the unit moved against it and parted from it.
SELECT window_id, unit_id
FROM main.five_year_change
WHERE (bucked IS NULL) <> (england_direction = 'no_clear_direction')
   OR bucked <> (
        (england_direction = 'up' AND movement = 'down' AND relative = 'fell_relative')
        OR (england_direction = 'down' AND movement = 'up' AND relative = 'rose_relative')
   )
