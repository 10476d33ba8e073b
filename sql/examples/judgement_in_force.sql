-- Which overall judgement was in force in each authority on 31 March 2020?
SELECT a.la_name, arg_max(i.overall, i.publication_date) AS judgement, max(i.publication_date) AS published
FROM core.inspections AS i
JOIN core.local_authorities AS a ON a.la_code = i.la_code AND a.is_newest_code
WHERE i.overall IS NOT NULL
  AND i.framework IN ('SIF', 'SIF re-inspection', 'ILACS')
  AND i.publication_date <= DATE '2020-03-31'
GROUP BY a.la_name
ORDER BY a.la_name
