-- What did the study of 2018 say, and what do the same years show here?
SELECT period, statement, source, ours, agrees, note, reason
FROM main.study_comparison
ORDER BY position, period
