"""The data dictionary is written from the declarations, and the committed copy is not stale."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipeline.tables import catalogue, dictionary

PROJECT = Path(__file__).resolve().parents[3]
COMMITTED = PROJECT / "docs" / "data-dictionary.md"


def test_the_committed_dictionary_is_not_stale() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == dictionary.markdown(), "run make docs"


def test_every_table_and_column_is_in_it() -> None:
    text = dictionary.markdown()
    sections = dict(section.split("\n", 1) for section in text.split("\n## ")[1:])
    assert list(sections) == [table.full_name for table in catalogue.TABLES]
    for table in catalogue.TABLES:
        rows = [line for line in sections[table.full_name].splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == table.column_names
        assert all(f"- {warning}" in sections[table.full_name] for warning in table.warnings)


def test_no_text_breaks_the_table_it_stands_in() -> None:
    for line in dictionary.markdown().splitlines():
        if line.startswith("|"):
            assert line.count("|") == 6, line


def test_it_is_written_to_the_file_it_is_given(tmp_path: Path) -> None:
    """As `make docs` does."""
    target = tmp_path / "dictionary.md"
    subprocess.run([sys.executable, "-m", "pipeline.tables.dictionary", str(target)], cwd=PROJECT, check=True)
    assert target.read_text(encoding="utf-8") == dictionary.markdown()
