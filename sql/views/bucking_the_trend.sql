-- The newest five-year window in which England has a clear direction: its units, alphabetical, and who moved against it.
WITH directed AS (
    SELECT max(window_end) AS window_end
    FROM main.windows
    WHERE years = 5 AND is_computed AND england_direction IN ('up', 'down')
),
newest AS (
    SELECT max(window_end) AS window_end
    FROM main.windows
    WHERE years = 5 AND is_computed
)
SELECT
    change.window_id,
    change.window_start,
    change.window_end,
    change.window_end = newest.window_end AS newest_window_has_direction,
    change.unit_id,
    change.unit_name,
    change.region,
    change.bucked,
    change.change_pct,
    change.relative_change_pct,
    change.england_change_pct,
    change.england_direction,
    change.evidence,
    change.evidence_text,
    change.is_robust
FROM main.five_year_change AS change
JOIN main.windows AS w ON w.window_id = change.window_id AND w.years = 5
JOIN directed ON directed.window_end = change.window_end
CROSS JOIN newest
ORDER BY change.unit_name
