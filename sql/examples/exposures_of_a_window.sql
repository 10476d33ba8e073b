-- The covariates of every unit in the newest five-year window, one column each.
PIVOT (
    SELECT unit_name, variable, value
    FROM main.exposures
    WHERE window_id = 'main_h5'
      AND variable IN ('deprivation_change', 'deprivation_level', 'innovation_programme', 'ofsted_good')
)
ON variable IN ('deprivation_change', 'deprivation_level', 'innovation_programme', 'ofsted_good')
USING any_value(value)
ORDER BY unit_name
