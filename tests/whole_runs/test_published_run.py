"""A run on all published files: the figures that the issue asks for, held against what the publisher printed.

The expected figures are the publisher's, from the headline tables of each release; none is this project's own output.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import published_files
from tests.whole_runs.running import FinishedRun, leftovers, rows

pytestmark = [pytest.mark.whole, *published_files.NEEDED]

CONTRACT = published_files.folder().parent / "contract" / "check_contract.py"

# England on 31 March by the national row of each release for its own year, rounded to 10; from the cross-checks in the
# README of the published files, which were read off the files without this project.
ENGLAND = {
    2011: 65_520,
    2012: 67_050,
    2013: 68_110,
    2014: 68_840,
    2015: 69_540,
    2016: 70_440,
    2017: 72_670,
    2021: 80_850,
    2022: 82_170,
    2024: 83_630,
    2025: 81_770,
}
RELEASES = tuple(ENGLAND)  # those of 2018 to 2020 and 2023 are not among the files


def test_the_run_ends_well(published_run: FinishedRun) -> None:
    assert "England had" in published_run.ended.out
    assert "FICTIONAL" not in published_run.ended.out
    assert "Planted" not in published_run.ended.out
    assert leftovers(published_run.out) == []
    assert published_run.database == published_run.out / "care_numbers.duckdb"


@pytest.mark.parametrize(("year", "expected"), ENGLAND.items())
def test_england_by_the_release_of_the_year(published_run: FinishedRun, year: int, expected: int) -> None:
    found = rows(
        published_run.database,
        "SELECT value FROM core.children_looked_after_totals"
        " WHERE area_level = 'england' AND measure = 'looked_after' AND year = ? AND release = ?",
        [year, year],
    )
    assert found == [(expected,)]


def test_england_2017_in_the_national_trend(published_run: FinishedRun) -> None:
    found = rows(
        published_run.database,
        "SELECT looked_after, release FROM main.national_trend WHERE year = 2017 AND source = 'published_row'",
    )
    assert found == [(72_670, 2017)]


def test_the_authorities_of_each_release_add_up_to_its_own_england(published_run: FinishedRun) -> None:
    """Within 5: authorities are exact, England is rounded to 10."""
    found = rows(
        published_run.database,
        "SELECT a.release, abs(sum(a.value) - any_value(t.value)) FROM core.children_looked_after AS a"
        " JOIN core.children_looked_after_totals AS t"
        "   ON (t.release, t.year, t.measure, t.area_level) = (a.release, a.year, a.measure, 'england')"
        " WHERE a.measure = 'looked_after' AND a.year = a.release AND a.release >= 2011 GROUP BY 1 ORDER BY 1",
    )
    assert tuple(release for release, _ in found) == RELEASES
    assert max(gap for _, gap in found) <= 5


def test_every_window_is_computed(published_run: FinishedRun) -> None:
    """Nine of five years, 2012 to 2017 up to 2020 to 2025, and two of four."""
    found = rows(
        published_run.database, "SELECT window_start, window_end FROM main.windows WHERE is_computed ORDER BY ALL"
    )
    assert found == sorted([*((start, start + 5) for start in range(2012, 2021)), (2013, 2017), (2021, 2025)])


def test_units_of_the_newest_windows(published_run: FinishedRun) -> None:
    """153 authorities in 2025 less the two too small are 151; of two split counties the halves stand together: 149."""
    found = rows(
        published_run.database,
        "SELECT window_start, count(*), count(DISTINCT unit_id) FROM main.five_year_change"
        " WHERE window_start IN (2019, 2020) AND window_end = window_start + 5 GROUP BY 1 ORDER BY 1",
    )
    assert found == [(2019, 147, 147), (2020, 149, 149)]


def test_every_published_authority_is_in_a_unit_or_left_out_with_a_reason(published_run: FinishedRun) -> None:
    """Counted from the cells themselves: in each window nobody is in neither and nobody in both."""
    found = rows(
        published_run.database,
        """
        WITH newest AS (SELECT year, max(release) AS release FROM core.children_looked_after
                        WHERE measure = 'looked_after' GROUP BY year),
             listed AS (SELECT DISTINCT w.window_id, c.la_code FROM main.windows AS w
                        JOIN core.children_looked_after AS c ON c.year IN (w.window_start, w.window_end)
                        JOIN newest AS n ON n.year = c.year AND n.release = c.release
                        WHERE c.measure = 'looked_after'),
             inside AS (SELECT window_id, unnest(string_split(unit_id, '+')) AS la_code FROM main.five_year_change),
             outside AS (SELECT DISTINCT window_id, la_code FROM main.exclusions
                         WHERE rule = 'excluded' AND stage = 'trend')
        SELECT window_id, count(*),
               count(*) FILTER (WHERE i.la_code IS NULL AND o.la_code IS NULL),
               count(*) FILTER (WHERE i.la_code IS NOT NULL AND o.la_code IS NOT NULL)
        FROM listed LEFT JOIN inside AS i USING (window_id, la_code) LEFT JOIN outside AS o USING (window_id, la_code)
        GROUP BY window_id ORDER BY window_id
        """,
    )
    assert len(found) == 11
    assert {window: published for window, published, *_ in found}["main_h5"] == 155
    assert [(window, neither, both) for window, _, neither, both in found if neither or both] == []


def test_no_exclusion_is_without_a_reason(published_run: FinishedRun) -> None:
    ((without,),) = rows(
        published_run.database, "SELECT count(*) FROM main.exclusions WHERE reason IS NULL OR detail = ''"
    )
    assert without == 0


def test_no_check_failed_that_blocks(published_run: FinishedRun) -> None:
    failed = rows(
        published_run.database,
        "SELECT check_name, scope FROM main.data_checks WHERE n_failed > 0 AND severity = 'block'",
    )
    assert failed == []


def test_no_column_ranks(published_run: FinishedRun) -> None:
    """These statistics are no league table, and nothing in the database invites one."""
    found = rows(
        published_run.database,
        "SELECT table_name || '.' || column_name FROM information_schema.columns"
        " WHERE regexp_matches(column_name, '(^|_)(rank|ranking|position_in|quartile|decile|league|score)(_|$)', 'i')",
    )
    assert found == []


def test_no_demonstration_in_real_results(published_run: FinishedRun) -> None:
    told = dict(rows(published_run.database, "SELECT property, value FROM about.run"))
    assert (told["is_fictional"], told["country"]) == ("false", "England")
    assert not (published_run.out / "demo").exists()


@pytest.mark.skipif(not CONTRACT.is_file(), reason="the contract of the published names is not here")
def test_the_names_that_people_rely_on_are_there(published_run: FinishedRun) -> None:
    done = subprocess.run(
        [sys.executable, str(CONTRACT), str(published_run.database), "1"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "0 gaps\n"), done.stdout
