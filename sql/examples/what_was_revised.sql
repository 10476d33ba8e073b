-- Which numbers of children looked after did a later release change, and by how many children?
SELECT a.la_name, r.year, r.release_from, r.release_to, r.value_from, r.value_to, r.difference
FROM main.revisions AS r
JOIN core.local_authorities AS a ON a.la_code = r.la_code AND a.is_newest_code
WHERE r.measure = 'looked_after'
ORDER BY a.la_name, r.year, r.release_from, r.release_to
