-- Which files can a row of any table of main follow from? All of the publications that the table rests on, with their hashes.
SELECT l.schema_name || '.' || l.table_name AS table_name, s.publication, s.release, s.file, s.sha256
FROM about.lineage AS l
JOIN about.sources AS s USING (publication)
WHERE l.schema_name = 'main'
ORDER BY table_name, s.publication, s.release, s.file
