-- A number is its own bound; a marked cell has bounds and no number; what is left of looked_after follows from the bounds.
SELECT la_code, year
FROM main.care_numbers
WHERE (uasc IS NOT NULL AND uasc_marker IS NOT NULL)
   OR (uasc IS NOT NULL AND (uasc_low <> uasc OR uasc_high <> uasc OR uasc_bound_unsure))
   OR (uasc IS NULL AND uasc_low IS NOT NULL AND (uasc_marker IS NULL OR uasc_low >= uasc_high))
   OR (uasc_low IS NULL) <> (uasc_high IS NULL)
   OR uasc_low < 0
   OR looked_after_without_uasc_low < 0
   OR looked_after_without_uasc_low <> greatest(looked_after - uasc_high, 0)
   OR looked_after_without_uasc_high <> looked_after - uasc_low
   OR (looked_after_without_uasc_low IS NULL) <> (looked_after IS NULL OR uasc_low IS NULL)
