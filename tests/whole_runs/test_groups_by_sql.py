"""`main.groups_compared` worked out a second time from the published tables, in SQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.published_files import published
from tests.whole_runs.running import FinishedRun, rows

pytestmark = pytest.mark.whole

# Members in being at the start are those that the panel has a row for; a unit with a missing member has no value.
VALUES = """
WITH member AS (
    SELECT window_id, unit_id, window_start, unnest(string_split(members, '+')) AS la_code FROM main.five_year_change
),
added AS (
    SELECT m.window_id, m.unit_id,
        CASE WHEN count(n.started) = count(*) THEN sum(n.started) END AS started,
        CASE WHEN count(n.ceased) = count(*) THEN sum(n.ceased) END AS ceased,
        CASE WHEN count(n.uasc_low) = count(*) THEN sum((n.uasc_low + n.uasc_high) / 2) END AS uasc
    FROM member AS m JOIN main.care_numbers AS n ON n.la_code = m.la_code AND n.year = m.window_start
    GROUP BY ALL
),
figure AS (
    UNPIVOT (
        SELECT c.window_id, c.bucked, c.rate_start AS baseline_rate, 100 * a.uasc / c.looked_after_start AS uasc_share,
            10000 * a.started / c.population_start AS started_per_10k,
            10000 * a.ceased / c.population_start AS ceased_per_10k
        FROM main.five_year_change AS c JOIN added AS a USING (window_id, unit_id)
    ) ON baseline_rate, uasc_share, started_per_10k, ceased_per_10k INTO NAME variable VALUE figure
    UNION ALL
    SELECT c.window_id, c.bucked, e.variable, CASE WHEN g.compared = 'share' THEN 100 * e.value ELSE e.value END
    FROM main.five_year_change AS c
    JOIN main.exposures AS e USING (window_id, unit_id)
    JOIN main.groups_compared AS g ON g.window_id = c.window_id AND g.variable = e.variable
    WHERE e.value IS NOT NULL
),
side AS (
    SELECT window_id, variable,
        avg(figure) FILTER (bucked) AS bucked_mean, avg(figure) FILTER (NOT bucked) AS others_mean,
        median(figure) FILTER (bucked) AS bucked_median, count(*) FILTER (bucked) AS n_bucked, count(*) AS n
    FROM figure GROUP BY ALL
)
SELECT g.window_id, g.variable, g.n, s.n, g.n_bucked, s.n_bucked, g.bucked_mean, s.bucked_mean, g.others_mean, s.others_mean,
    CASE WHEN g.compared = 'mean' THEN g.bucked_median ELSE 0 END,
    CASE WHEN g.compared = 'mean' THEN s.bucked_median ELSE 0 END,
    g.difference, s.bucked_mean - s.others_mean
FROM main.groups_compared AS g JOIN side AS s USING (window_id, variable)
WHERE g.reason IS NULL
"""


def hold_to_sql(database: Path, least: int) -> None:
    found = rows(database, VALUES)
    assert len(found) >= least
    for window_id, variable, *pairs in found:
        assert pairs[0::2] == pytest.approx(pairs[1::2], rel=1e-9), (window_id, variable)


def test_the_demonstration_by_sql(demonstration: FinishedRun) -> None:
    hold_to_sql(demonstration.database, 12)


def test_the_windows_are_those_that_are_asked_for(demonstration: FinishedRun) -> None:
    """The window of main.bucking_the_trend and the study's five years, with the same nine measures each."""
    found = rows(
        demonstration.database, "SELECT window_id, count(*) FROM main.groups_compared GROUP BY ALL ORDER BY ALL"
    )
    ((bucking,),) = rows(demonstration.database, "SELECT DISTINCT window_id FROM main.bucking_the_trend")
    assert found == sorted([(bucking, 9), ("orig_h5", 9)])


@published
def test_the_published_files_by_sql(published_run: FinishedRun) -> None:
    """All but spending, which the panel does not have for 2012: eight measures of two windows."""
    hold_to_sql(published_run.database, 16)
