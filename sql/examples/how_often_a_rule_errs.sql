-- What share of units does each rule flag in the published data, and in countries without any local trend?
SELECT rule, nominal, share_real, share_null_mean, share_null_lo, share_null_hi
FROM main.null_calibration
ORDER BY position
