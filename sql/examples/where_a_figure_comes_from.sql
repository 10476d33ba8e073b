-- From a published figure to the file, release and hash behind it, for every authority in the newest year.
SELECT n.la_name, n.year, n.looked_after, s.publisher, s.title, s.release, s.file, s.sha256
FROM main.care_numbers AS n
JOIN core.children_looked_after AS c
  ON c.la_code = n.la_code AND c.year = n.year AND c.release = n.release AND c.measure = 'looked_after'
JOIN about.sources AS s ON s.sha256 = c.source_sha256
WHERE n.year = (SELECT max(year) FROM main.care_numbers)
ORDER BY n.la_name
