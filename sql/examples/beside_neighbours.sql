-- Each authority's rate in the newest year beside the median of its statistical neighbours and its region.
SELECT la_name, rate_per_10k, neighbour_median_rate_per_10k, neighbours_used, region_rate_per_10k, england_rate_per_10k
FROM main.neighbour_comparison
WHERE year = (SELECT max(year) FROM main.neighbour_comparison)
ORDER BY la_name
