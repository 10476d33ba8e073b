-- Where does the population vintage alone move the rate by more than 5 per cent?
SELECT la_name, year, looked_after, rate_pre_census, rate_rebased, rate_difference_pct
FROM main.vintage_effect
WHERE abs(rate_difference_pct) > 5
ORDER BY la_name, year
