-- Of those that bucked the trend, who moved by more than usual for an authority of that size?
SELECT unit_name, change_pct, england_change_pct, evidence, evidence_text, is_robust
FROM main.bucking_the_trend
WHERE bucked AND evidence IN ('A', 'B')
ORDER BY unit_name
