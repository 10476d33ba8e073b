-- Every core row leads to a file in about.sources, by its hash.
WITH used AS (
    SELECT DISTINCT unnest(string_split(source_sha256, ' ')) AS sha256
    FROM (
        SELECT source_sha256 FROM core.children_looked_after
        UNION SELECT source_sha256 FROM core.children_looked_after_totals
        UNION SELECT source_sha256 FROM core.national_series
        UNION SELECT source_sha256 FROM core.population
        UNION SELECT source_sha256 FROM core.population_totals
        UNION SELECT source_sha256 FROM core.local_authorities
        UNION SELECT source_sha256 FROM core.area_changes
        UNION SELECT source_sha256 FROM core.statistical_neighbours
        UNION SELECT source_sha256 FROM core.innovation_programme
        UNION SELECT source_sha256 FROM core.inspections
        UNION SELECT source_sha256 FROM core.inspections_compared
        UNION SELECT source_sha256 FROM core.deprivation
        UNION SELECT source_sha256 FROM core.deprivation_england
        UNION SELECT source_sha256 FROM core.interactive_tool
        UNION SELECT source_sha256 FROM core.interactive_tool_totals
        UNION SELECT source_sha256 FROM core.spending
    )
)
SELECT sha256 FROM used WHERE sha256 NOT IN (SELECT sha256 FROM about.sources)
