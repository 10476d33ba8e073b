"""The compiled tables: how they are known, which of them hold, and what a country without one gets."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline import innovation_programme, reference_tables, sources
from pipeline.errors import Refusal
from pipeline.reference_tables import HEADERS, ReferenceTable
from tests.fixtures.readings import Readings
from tests.published_files import PROJECT_REFERENCES

LOOKUP = "dfe_la_lookup"


def parsed(name: str, *lines: str) -> ReferenceTable:
    content = "\n".join([",".join(HEADERS[name]), *lines, ""]).encode()
    return reference_tables.parse(name, content, f"folder/{name}.csv", is_from_data_folder=True)


ABROAD = parsed(LOOKUP, "701,Q06000001,Marlshire,Q12000001,North Sarn,2009-04-01,,invented")


def test_every_table_of_the_project_is_there_and_known_by_its_header() -> None:
    tables = reference_tables.load(PROJECT_REFERENCES, {})
    assert set(tables) == set(HEADERS) == {path.stem for path in PROJECT_REFERENCES.glob("*.csv")}
    for name, table in tables.items():
        assert len(table.frame)
        assert reference_tables.recognise(reversed(HEADERS[name])) == name
        assert table.is_there


def test_no_two_tables_have_one_header() -> None:
    assert len({frozenset(header) for header in HEADERS.values()}) == len(HEADERS)


def test_a_table_of_the_data_folder_replaces_the_projects() -> None:
    """The lookup is not the folder's, so it is the same country: the other tables stay."""
    own = parsed("too_small", "201,City of London,invented")
    tables = reference_tables.load(PROJECT_REFERENCES, {"too_small": own})
    assert tables["too_small"] is own
    assert len(tables["innovation_programme"].frame) == 262


def test_another_country_gets_none_of_the_projects_tables() -> None:
    """Its authorities are others: what it does not bring is empty, and never ours under their codes."""
    tables = reference_tables.load(PROJECT_REFERENCES, {LOOKUP: ABROAD})
    assert tables[LOOKUP] is ABROAD
    for name in set(HEADERS) - {LOOKUP}:
        assert tables[name].frame.empty, name
        assert not tables[name].is_there
        assert list(tables[name].frame.columns) == [*HEADERS[name], "source_row"]


def test_an_amended_lookup_is_still_the_same_country(tmp_path: Path) -> None:
    """A new authority in a lookup of one's own must not lose the boundary changes and the rest."""
    content = (PROJECT_REFERENCES / f"{LOOKUP}.csv").read_bytes()
    amended = content + b"999,E06999999,New Sarnton,E12000001,North East,2031-04-01,,invented\n"
    own = reference_tables.parse(LOOKUP, amended, "folder/lookup.csv", is_from_data_folder=True)
    tables = reference_tables.load(PROJECT_REFERENCES, {LOOKUP: own})
    assert tables[LOOKUP] is own
    assert all(len(table.frame) for table in tables.values())


def test_a_fictional_country_without_a_programme_has_an_empty_one(demo: Readings, tmp_path: Path) -> None:
    """Through the register, as a run does it: the table is in no list of sources and comes back empty."""
    folder = tmp_path / "country"
    shutil.copytree(demo.folder, folder)
    for name in ("innovation_programme", "neighbour_editions"):
        (folder / "reference" / f"{name}.csv").unlink()
    shutil.rmtree(folder / "neighbours")  # lists whose edition nothing tells are refused
    register = sources.scan(folder, PROJECT_REFERENCES)
    frame = register.frame()
    assert "innovation_programme" not in set(frame["layout"])
    assert "dfe_la_lookup" in set(frame["layout"])
    assert set(frame.loc[frame["publication"] == sources.REFERENCE, "origin"]) == {sources.DATA_FOLDER}
    tables = sources.references_of(frame, folder, PROJECT_REFERENCES)
    assert set(tables) == set(HEADERS)
    known = reference_tables.knowledge(tables)
    assert known.neighbour_editions == {}
    assert innovation_programme.core(tables["innovation_programme"], demo.local_authorities, known.names).empty


def test_a_table_that_the_project_has_lost_is_no_empty_table(tmp_path: Path) -> None:
    """Without the list of the too small, they would enter every window unnoticed."""
    shutil.copytree(PROJECT_REFERENCES, tmp_path / "reference")
    (tmp_path / "reference" / "too_small.csv").unlink()
    with pytest.raises(FileNotFoundError):
        reference_tables.load(tmp_path / "reference", {})


# ---------------------------------------------------------------------------------------------------------------------
# Editions of neighbours

TEN = " ".join(str(code) for code in range(702, 712))


def editions(*lines: str) -> dict[tuple[str, tuple[str, ...]], str]:
    tables = reference_tables.load(PROJECT_REFERENCES, {"neighbour_editions": parsed("neighbour_editions", *lines)})
    return reference_tables.knowledge(tables).neighbour_editions


def test_an_edition_is_known_by_ten_neighbours_in_order() -> None:
    assert editions(f"2031-04,701,{TEN},invented,invented") == {("701", tuple(TEN.split())): "2031-04"}


@pytest.mark.parametrize(("line", "column"), [
    (f"April 2031,701,{TEN},invented,invented", "edition"),
    (f"2031-13,701,{TEN},invented,invented", "edition"),
    (f"2031-04-30,701,{TEN},invented,invented", "edition"),
    (f"2031,701,{TEN},invented,invented", "edition"),
    ("2031-04,701,702 703,invented,invented", "neighbours"),
    ("2031-04,701,,invented,invented", "neighbours"),
])  # fmt: skip
def test_a_bad_edition_is_refused(line: str, column: str) -> None:
    with pytest.raises(Refusal) as caught:
        editions(line)
    assert (caught.value.code, caught.value.row, caught.value.column) == ("bad_reference_table", 2, column)
