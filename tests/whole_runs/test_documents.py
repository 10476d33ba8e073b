"""What the documents say and show runs on a finished database, and their figures are those of the published files.

What belongs here: snippets and example questions as a reader would paste them, and sentences with figures. What does not:
whether the figures are right, which the tests of each table hold to outside sources.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import published_files
from tests.whole_runs.running import FinishedRun, reading, rows

pytestmark = pytest.mark.whole

PROJECT = published_files.PROJECT
EXAMPLES = sorted((PROJECT / "sql" / "examples").glob("*.sql"))
README = (PROJECT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_an_example_answers_on_the_demonstration_country(demonstration: FinishedRun, example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert text.startswith("-- ") and text.splitlines()[0].endswith(("?", "."))
    with reading(demonstration.database) as database:
        assert database.execute(text).fetchall()


@pytest.mark.parametrize("example", EXAMPLES, ids=[file.stem for file in EXAMPLES])
@pytest.mark.published
@pytest.mark.skipif(not published_files.IS_HERE, reason="the published files are not here")
def test_an_example_answers_on_the_published_files(published_run: FinishedRun, example: Path) -> None:
    with reading(published_run.database) as database:
        assert database.execute(example.read_text(encoding="utf-8")).fetchall()


def test_the_snippet_of_the_readme_runs(
    demonstration: FinishedRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "processed").symlink_to(demonstration.database.parent)
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "README.md", "exec"), {})
    assert "evidence_text" in capsys.readouterr().out


def test_the_query_of_the_reader_s_page_runs(demonstration: FinishedRun) -> None:
    text = (PROJECT / "docs" / "querying.md").read_text(encoding="utf-8")
    (query,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    with reading(demonstration.database) as database:
        assert database.execute(query).fetchall()


@pytest.mark.published
@pytest.mark.skipif(not published_files.IS_HERE, reason="the published files are not here")
def test_the_figures_of_the_readme_are_those_of_the_published_files(published_run: FinishedRun) -> None:
    ((start, end, england, units, bucked, unusual),) = rows(
        published_run.database,
        "SELECT any_value(window_start), any_value(window_end), any_value(england_change_pct), count(*),"
        " count(*) FILTER (bucked), count(*) FILTER (bucked AND evidence IN ('A', 'B')) FROM main.bucking_the_trend",
    )
    shares = dict(rows(published_run.database, "SELECT rule, 100 * share_null_mean FROM main.null_calibration"))
    for told in (
        f"From {start} to {end} England's rate rose by {england:.1f}%, and {bucked} of {units} units",
        f"{unusual} of the {bucked}",
        f"flags {shares['usual_movement']:.1f}% of units",
        f"Poisson model flags {shares['poisson_slope']:.0f}%",
    ):
        assert told in " ".join(README.split()), told
