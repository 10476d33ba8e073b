-- What do the regressions of each window say in plain English, and what has to be read with it?
SELECT window_id, window_start, window_end, finding, caveats
FROM about.findings
ORDER BY window_end DESC, window_start DESC, window_id
