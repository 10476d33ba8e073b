"""What changed since the last publication, from two small databases."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline import since

TABLES = """
CREATE SCHEMA about;
CREATE TABLE about.sources (file VARCHAR, sha256 VARCHAR);
CREATE TABLE about.run (property VARCHAR, value VARCHAR);
CREATE TABLE main.care_numbers (la_code VARCHAR, year INTEGER, looked_after INTEGER, population_0_17 INTEGER);
CREATE TABLE main.five_year_change (window_start INTEGER, window_end INTEGER, unit_id VARCHAR, unit_name VARCHAR,
                                    bucked BOOLEAN, evidence VARCHAR);
INSERT INTO about.sources VALUES ('a.csv', 'aa'), ('b.csv', 'bb');
INSERT INTO about.run VALUES ('code_sha256', 'c1'), ('settings_sha256', 's1'), ('run_id', 'r1');
INSERT INTO main.care_numbers VALUES ('901', 2030, 100, 20000), ('902', 2030, NULL, 30000);
INSERT INTO main.five_year_change VALUES (2025, 2030, '901', 'Sarn', TRUE, 'B'), (2025, 2030, '902', 'Orr', NULL, 'C');
"""
NOTHING = "Nothing that was compared differs: files, counts, populations, flags, code and settings."


@pytest.fixture
def before(tmp_path: Path) -> Path:
    file = tmp_path / "before.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(TABLES)
    return file


def told(before: Path | None, changes: str = "SELECT 1") -> list[str]:
    """What is said of a database like that before, but for the changes."""
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.execute(changes)
        return since.sentences(connection, before)


def test_the_first_publication_says_so(tmp_path: Path) -> None:
    assert told(None) == told(tmp_path / "not_there.duckdb") == [since.FIRST]


def test_nothing_new_is_said_as_such(before: Path) -> None:
    assert told(before) == [NOTHING]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ("UPDATE about.run SET value = 'x' WHERE property <> 'run_id'", "Other than before: the code and the settings."),
        ("UPDATE about.run SET value = 'r2' WHERE property = 'run_id'", NOTHING),
        ("UPDATE about.sources SET sha256 = 'cc' WHERE file = 'b.csv'", "Files: 1 new, 1 no longer used."),
        ("UPDATE main.care_numbers SET looked_after = 101 WHERE la_code = '901'",
         "Of main.care_numbers, 1 counts of children looked after differ."),
        ("UPDATE main.care_numbers SET looked_after = 5 WHERE la_code = '902'",
         "Of main.care_numbers, 1 counts of children looked after differ."),
        ("INSERT INTO main.care_numbers VALUES ('901', 2031, 90, 1); UPDATE main.care_numbers SET population_0_17 = 7 "
         "WHERE year = 2030", "Of main.care_numbers, 1 rows of an authority and year are new; 2 populations differ."),
        ("UPDATE main.five_year_change SET evidence = 'A' WHERE unit_id = '901'",
         "Another flag or evidence in 1 cases: Sarn 2025-2030."),
        ("UPDATE main.five_year_change SET bucked = FALSE WHERE unit_id = '902'",
         "Another flag or evidence in 1 cases: Orr 2025-2030."),
        ("INSERT INTO main.five_year_change VALUES (2026, 2031, '901', 'Sarn', TRUE, 'B')", "New windows: 2026-2031."),
    ],
)  # fmt: skip
def test_each_kind_of_change_has_its_sentence(before: Path, changes: str, sentence: str) -> None:
    assert told(before, changes) == [sentence]


def test_many_units_are_cut_and_counted(before: Path) -> None:
    units = (
        "INSERT INTO main.five_year_change SELECT 2025, 2030, 'u' || i, 'Unit ' || i, {}, 'C' FROM range(10, 22) t(i)"
    )
    with duckdb.connect(str(before)) as connection:
        connection.execute(units.format("TRUE"))
    (sentence,) = told(before, units.format("FALSE"))
    assert sentence.startswith("Another flag or evidence in 12 cases: Unit 10 2025-2030, ")
    assert sentence.endswith("Unit 17 2025-2030 and 4 more.")


def test_a_database_of_other_tables_is_not_compared_and_let_go(before: Path) -> None:
    with duckdb.connect(str(before)) as connection:
        connection.execute("ALTER TABLE main.care_numbers DROP COLUMN population_0_17")
    (sentence,) = told(before)
    assert sentence.startswith("The publication before has other tables and is not compared (")
    with duckdb.connect(str(before)) as connection:  # no lock is left on it
        connection.execute("SELECT 1")
