-- Which authorities moved against the newest national trend, and by how much?
SELECT unit_name, region, change_pct, england_change_pct, relative_change_pct
FROM main.bucking_the_trend
WHERE bucked
ORDER BY unit_name
