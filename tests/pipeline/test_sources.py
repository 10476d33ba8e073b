"""Published files are known by their content, pinned by their hash, and counted once.

Folders are made of small hand-made tables, or of files of the demonstration country where whole releases are needed.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline import reference_tables, source_lock, sources
from pipeline.errors import Refusal
from pipeline.readers.layout import LOOKED_AFTER, NATIONAL_SERIES, POPULATION
from pipeline.sources import RegisteredFile, import_folder, scan
from tests.fixtures import small_tables as small
from tests.fixtures.readings import Readings
from tests.fixtures.small_tables import SAMPLES, Sample, long_release
from tests.published_files import PROJECT_REFERENCES, published

MONDAY = dt.datetime(2031, 3, 3, 3, 0, tzinfo=dt.UTC)
STOCK_2016 = SAMPLES["CLA"]
LOOKUP = [list(reference_tables.HEADERS["dfe_la_lookup"])] + [
    [code, ons_code, small.NAMES.get(code, "Little Eastmere"), "Q12000001", "North Sarn", "2009-04-01", "", "invented"]
    for code, ons_code in small.ONS_CODES.items()
]


def put(folder: Path, name: str, sample: Sample) -> bytes:
    content = small.as_bytes(sample.table)
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return content


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def amended(sample: Sample) -> Sample:
    """The same release with one count changed: a second edition."""
    return sample.with_cell(sample.first_authority_row, sample.count_column, "613")


def refusal_of_scan(folder: Path, lock: Path | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        scan(folder, PROJECT_REFERENCES, lock)
    return caught.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of an invented country: it brings its own authorities."""
    path = tmp_path / "files"
    path.mkdir()
    (path / "authorities.csv").write_bytes(small.as_bytes(LOOKUP))
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Where imports go: a `published` folder and a lock file, neither there yet."""
    path = tmp_path / "project"
    path.mkdir()
    return path


def bring_in(folder: Path, project: Path, minutes: int = 0) -> sources.Imported:
    moment = MONDAY + dt.timedelta(minutes=minutes)
    return import_folder(folder, project / "published", PROJECT_REFERENCES, project / "lock.json", moment)


def files_below(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# ---------------------------------------------------------------------------------------------------------------------
# Recognise


def identities(files: list[RegisteredFile]) -> set[tuple[object, ...]]:
    return {(file.layout, file.release, file.part, file.sha256, file.corrections) for file in files}


ONE_OF_EACH = {
    name: sample for name, sample in SAMPLES.items() if name != "CEA"
}  # ceases need a known figure or a year


@pytest.mark.parametrize("sample", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys())
@pytest.mark.parametrize("name", ["x", "deep/down/report final (2).txt", "data.csv", "2031/SFR36_ADM2014.csv"])
def test_a_file_is_known_by_its_content_whatever_it_is_called(folder: Path, sample: Sample, name: str) -> None:
    content = put(folder, name, sample)
    (file,) = scan(folder, PROJECT_REFERENCES).files
    assert (file.file, file.layout, file.sha256, file.bytes) == (name, sample.name, sha256(content), len(content))


def test_the_arrangement_of_a_whole_country_does_not_matter(demo: Readings, tmp_path: Path) -> None:
    """All files in one folder under numbers for names: the same register, the undated ones included."""
    shutil.copytree(demo.folder / "reference", tmp_path / "0")
    for number, file in enumerate(demo.register.files, start=1):
        (tmp_path / f"{number}.dat").write_bytes(demo.bytes_of(file))
    register = scan(tmp_path, PROJECT_REFERENCES)
    assert identities(register.files) == identities(demo.register.files)
    assert set(register.references) == set(demo.register.references)


@published
def test_the_arrangement_of_the_published_files_does_not_matter(real: Readings, tmp_path: Path) -> None:
    for number, file in enumerate(real.register.files, start=1):
        shutil.copyfile(real.folder / file.file, tmp_path / f"{number}.dat")
    assert identities(scan(tmp_path, PROJECT_REFERENCES).files) == identities(real.register.files)


@published
def test_published_releases_are_those_of_the_folders_they_lie_in(real: Readings) -> None:
    """The publisher's folders name the release; nothing in the product reads them, so this is a check from outside."""
    for file in real.register.files:
        if file.publication in (LOOKED_AFTER, NATIONAL_SERIES):
            assert str(file.release) == Path(file.file).parent.name, file.file


@published
def test_the_published_headline_files_are_all_there(real: Readings) -> None:
    """24 wide files of 2010 to 2017, four long releases, three series, two populations and five age bands."""
    counts = pd.Series([file.layout for file in real.register.files]).value_counts()
    wide = [count for layout, count in counts.items() if str(layout).startswith(("cla_2010", "cla_2011"))]
    assert sum(wide) == 24
    assert (counts["cla_since_2018"], counts["cla_time_series"]) == (4, 3)
    assert (counts["population_dfe"], counts["population_age_bands"]) == (2, 5)


@published
def test_other_tables_of_the_same_releases_are_listed_and_not_read(real: Readings) -> None:
    """Adoptions, placements, characteristics and notes stand beside the headline files in the same columns."""
    not_used = {Path(name).name for name, _ in real.register.not_used}
    assert {
        "SFR21_ADP.csv", "la_cla_placement_stability.csv", "national_cla_who_ceased_during_the_year.csv",
        "cla_2022_headline_figure.csv", "data-guidance.txt", "Meta Data Document.txt",
    } <= not_used  # fmt: skip


def test_unknown_files_are_listed_and_harm_nothing(folder: Path) -> None:
    put(folder, "stock.csv", STOCK_2016)
    (folder / "shopping.csv").write_text("item,price\nmilk,2\n")
    (folder / "notes.md").write_text('Half a "quotation, and more\n')
    register = scan(folder, PROJECT_REFERENCES)
    assert [file.file for file in register.files] == ["stock.csv"]
    assert register.not_used == [
        ("notes.md", "not a layout that is read"),
        ("shopping.csv", "not a layout that is read"),
    ]
    assert list(register.not_used_frame()["file"]) == ["notes.md", "shopping.csv"]


def test_a_file_without_a_row_of_the_country_is_refused(folder: Path) -> None:
    """Its column of codes was emptied: every row would be taken for one of an area abroad."""
    sample = SAMPLES["age band"]
    body = [["" if at == sample.at("mnemonic") else cell for at, cell in enumerate(line)] for line in sample.body()]
    put(folder, "popest.csv", sample.with_body(body))
    register = scan(folder, PROJECT_REFERENCES)
    with pytest.raises(Refusal) as caught:
        sources.read_tidy(folder, register.frame(), POPULATION, register.knowledge)
    assert (caught.value.code, caught.value.file) == ("no_rows", "popest.csv")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("name", ["CLA", "long 2024", "age band"])
def test_a_known_file_with_another_delimiter_is_refused_and_not_left_out(
    folder: Path, name: str, delimiter: str
) -> None:
    table = io.StringIO()
    csv.writer(table, delimiter=delimiter).writerows(SAMPLES[name].table)
    (folder / "saved again.csv").write_text(table.getvalue(), encoding="utf-8")
    refusal = refusal_of_scan(folder)
    assert (refusal.code, refusal.file) == ("other_delimiter", "saved again.csv")


@pytest.mark.parametrize("lines", [1, 3])
@pytest.mark.parametrize("name", ["CLA", "long 2024", "age band"])
def test_a_known_file_with_lines_above_its_header_is_refused_and_not_left_out(
    folder: Path, name: str, lines: int
) -> None:
    put(folder, "with a title.csv", replace(SAMPLES[name], table=[["A title"]] * lines + SAMPLES[name].table))
    refusal = refusal_of_scan(folder)
    assert (refusal.code, refusal.file) == ("moved_header", "with a title.csv")
    assert f"{lines} row" in refusal.problem


def test_a_known_file_that_has_lost_a_line_above_its_header_is_refused(folder: Path) -> None:
    sample = SAMPLES["age band"]
    put(folder, "cut.csv", replace(sample, table=sample.table[1:]))
    refusal = refusal_of_scan(folder)
    assert (refusal.code, "1 row too high" in refusal.problem) == ("moved_header", True)


def test_a_file_with_the_headings_of_two_layouts_is_refused(folder: Path) -> None:
    """A heading of the stocks in the file of those who ceased: reading it as either would be a guess."""
    ceased = SAMPLES["CEA"]
    put(folder, "CEA2016.csv", ceased.with_body(ceased.body(), ["CLA_male", *ceased.header[1:]]))
    refusal = refusal_of_scan(folder)
    assert (refusal.code, refusal.file) == ("two_layouts", "CEA2016.csv")


def test_a_reference_table_with_another_delimiter_is_refused(folder: Path) -> None:
    """Without it the project's own table would hold, and say nothing about this country."""
    (folder / "authorities.csv").write_text("\n".join(";".join(line) for line in LOOKUP), encoding="utf-8")
    assert refusal_of_scan(folder).code == "other_delimiter"


def test_hidden_files_and_a_folders_own_are_not_even_listed(folder: Path) -> None:
    put(folder, "stock.csv", STOCK_2016)
    for name in (".stock.csv.part", ".cache/stock.csv", "manifest.json", "SHA256SUMS"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"half a fi")
    assert scan(folder, PROJECT_REFERENCES).not_used == []


def test_a_folder_without_published_files_is_refused(tmp_path: Path) -> None:
    assert refusal_of_scan(tmp_path).code == "no_published_files"
    (tmp_path / "shopping.csv").write_text("item,price\nmilk,2\n")
    found = refusal_of_scan(tmp_path)
    assert (found.code, found.file) == ("no_published_files", tmp_path.name)


def test_the_register_says_where_a_file_is_from(folder: Path) -> None:
    content = put(folder, "a/stock.csv", STOCK_2016)
    frame = scan(folder, PROJECT_REFERENCES).frame().set_index("file")
    row = frame.loc["a/stock.csv"]
    assert (row["publication"], row["release"], row["part"]) == (LOOKED_AFTER, 2016, "looked_after")
    assert (row["publisher"], row["licence"]) == ("Department for Education", "Open Government Licence v3.0")
    assert (row["sha256"], row["bytes"], row["origin"]) == (sha256(content), len(content), "data_folder")
    assert frame.loc["authorities.csv", "publication"] == "reference"


# ---------------------------------------------------------------------------------------------------------------------
# Reference tables of the data folder


def test_the_folders_authorities_replace_the_projects(folder: Path) -> None:
    """Without them the invented codes are unknown; with them no code of England is."""
    put(folder, "stock.csv", STOCK_2016)
    register = scan(folder, PROJECT_REFERENCES)
    assert register.knowledge.la_codes == frozenset(small.ONS_CODES)
    assert register.references["dfe_la_lookup"].is_from_data_folder
    frame = register.frame()
    assert len(sources.read_tidy(folder, frame, LOOKED_AFTER, register.knowledge))
    (folder / "authorities.csv").unlink()
    bare = scan(folder, PROJECT_REFERENCES)
    with pytest.raises(Refusal, match="not in the lookup"):
        sources.read_tidy(folder, bare.frame(), LOOKED_AFTER, bare.knowledge)


def test_a_copy_of_a_reference_table_counts_once_and_a_different_one_is_refused(folder: Path) -> None:
    put(folder, "stock.csv", STOCK_2016)
    shutil.copy(folder / "authorities.csv", folder / "copy.csv")
    scan(folder, PROJECT_REFERENCES)
    (folder / "copy.csv").write_bytes(small.as_bytes(LOOKUP[:-1]))
    found = refusal_of_scan(folder)
    assert (found.code, found.file) == ("two_editions", "copy.csv")
    assert "authorities.csv" in found.problem


def test_reference_tables_are_read_again_and_proved_unchanged(folder: Path) -> None:
    put(folder, "stock.csv", STOCK_2016)
    frame = scan(folder, PROJECT_REFERENCES).frame()
    tables = sources.references_of(frame, folder, PROJECT_REFERENCES)
    assert list(tables["dfe_la_lookup"].frame["old_la_code"]) == list(small.ONS_CODES)
    before = sha256((folder / "authorities.csv").read_bytes())
    (folder / "authorities.csv").write_bytes(small.as_bytes(LOOKUP[:-1]))
    with pytest.raises(Refusal) as caught:
        sources.references_of(frame, folder, PROJECT_REFERENCES)
    assert caught.value.code == "hash_differs"
    assert before[:12] in caught.value.problem


# ---------------------------------------------------------------------------------------------------------------------
# Editions


def test_copies_of_a_file_count_once(folder: Path) -> None:
    put(folder, "a.csv", STOCK_2016)
    put(folder, "b/again.csv", STOCK_2016)
    register = scan(folder, PROJECT_REFERENCES)
    assert [file.file for file in register.files] == ["a.csv"]
    assert register.not_used == [("b/again.csv", "a copy of a.csv")]


@pytest.mark.parametrize("sample", ONE_OF_EACH.values(), ids=ONE_OF_EACH.keys())
def test_two_editions_of_a_release_are_refused_and_both_named(folder: Path, sample: Sample) -> None:
    put(folder, "a.csv", sample)
    put(folder, "b.csv", amended(sample))
    found = refusal_of_scan(folder)
    assert (found.code, found.file) == ("two_editions", "b.csv")
    assert "a.csv" in found.problem


def test_parts_and_releases_are_no_editions_of_each_other(folder: Path) -> None:
    for number, sample in enumerate((STOCK_2016, SAMPLES["ADM"], long_release(2024), long_release(2026))):
        put(folder, f"{number}.csv", sample)
    assert len(scan(folder, PROJECT_REFERENCES).files) == 4


def test_of_two_editions_the_newest_arrival_counts(folder: Path, project: Path) -> None:
    """Newest by the lock file, whatever the names sort like."""
    put(folder, "stock.csv", STOCK_2016)
    bring_in(folder, project)
    second = put(folder, "stock.csv", amended(STOCK_2016))
    bring_in(folder, project, minutes=1)
    register = scan(project / "published", PROJECT_REFERENCES, project / "lock.json")
    (file,) = register.files
    assert file.sha256 == sha256(second)
    assert register.not_used == [
        (f"{LOOKED_AFTER}/2016/stock.csv", f"an older edition than {LOOKED_AFTER}/2016/stock.{sha256(second)[:12]}.csv")
    ]


def test_an_old_edition_that_arrives_last_counts(folder: Path, project: Path) -> None:
    """The order is that of arrival: the other way round, the other one counts."""
    second = put(folder, "stock.csv", amended(STOCK_2016))
    bring_in(folder, project)
    first = put(folder, "stock.csv", STOCK_2016)
    bring_in(folder, project, minutes=1)
    (file,) = scan(project / "published", PROJECT_REFERENCES, project / "lock.json").files
    assert file.sha256 == sha256(first) != sha256(second)


def test_the_same_two_without_the_lock_file_are_refused(folder: Path, project: Path) -> None:
    for minute, sample in enumerate((STOCK_2016, amended(STOCK_2016))):
        put(folder, "stock.csv", sample)
        bring_in(folder, project, minutes=minute)
    assert refusal_of_scan(project / "published").code == "two_editions"
    (project / "lock.json").unlink()
    assert refusal_of_scan(project / "published", project / "lock.json").code == "two_editions"


# ---------------------------------------------------------------------------------------------------------------------
# Hashes


def test_a_file_that_changed_after_the_register_is_refused_with_both_hashes(folder: Path) -> None:
    before = put(folder, "stock.csv", STOCK_2016)
    register = scan(folder, PROJECT_REFERENCES)
    after = put(folder, "stock.csv", amended(STOCK_2016))
    with pytest.raises(Refusal) as caught:
        sources.read_tidy(folder, register.frame(), LOOKED_AFTER, register.knowledge)
    assert (caught.value.code, caught.value.file) == ("hash_differs", "stock.csv")
    assert sha256(before)[:12] in caught.value.problem
    assert sha256(after)[:12] in caught.value.problem


def test_a_pinned_file_that_changed_is_refused_with_release_and_both_hashes(folder: Path, project: Path) -> None:
    """Between two nights somebody edits a registered file: the run stops, instead of publishing the edit."""
    before = put(folder, "stock.csv", STOCK_2016)
    bring_in(folder, project)
    after = put(project / "published", f"{LOOKED_AFTER}/2016/stock.csv", amended(STOCK_2016))
    found = refusal_of_scan(project / "published", project / "lock.json")
    assert (found.code, found.file) == ("hash_differs", f"{LOOKED_AFTER}/2016/stock.csv")
    for part in ("2016", sha256(before)[:12], sha256(after)[:12]):
        assert part in found.problem


def test_a_pinned_file_that_nobody_knows_any_more_is_refused(folder: Path, project: Path) -> None:
    """It would be listed as one that is not read, and the run go on without its figures."""
    put(folder, "CLA2016.csv", STOCK_2016)
    put(folder, "ADM2016.csv", SAMPLES["ADM"])
    bring_in(folder, project)
    (changed,) = (project / "published").rglob("CLA2016.csv")
    changed.write_text("nothing,that\nanybody,knows\n", encoding="utf-8")
    refusal = refusal_of_scan(project / "published", project / "lock.json")
    assert refusal.code == "hash_differs" and str(refusal.file).endswith("CLA2016.csv")
    assert "2016" in refusal.problem


def test_importing_over_a_pinned_file_that_changed_is_refused(folder: Path, project: Path) -> None:
    """The original is not "there already" when something else stands under its name."""
    put(folder, "stock.csv", STOCK_2016)
    bring_in(folder, project)
    put(project / "published", f"{LOOKED_AFTER}/2016/stock.csv", amended(STOCK_2016))
    with pytest.raises(Refusal) as caught:
        bring_in(folder, project)
    assert caught.value.code == "hash_differs"


def test_a_damaged_lock_file_is_refused(folder: Path, project: Path) -> None:
    put(folder, "stock.csv", STOCK_2016)
    for text in ("{", "[]", '{"files": [{"sha256": "a"}]}', '{"files": [{"name": "a"}]}'):
        (project / "lock.json").write_text(text)
        with pytest.raises(Refusal) as caught:
            scan(folder, PROJECT_REFERENCES, project / "lock.json")
        assert (caught.value.code, caught.value.file) == ("bad_lock_file", "lock.json")


# ---------------------------------------------------------------------------------------------------------------------
# Import


def test_an_import_copies_and_pins(folder: Path, project: Path) -> None:
    content = put(folder, "deep/down/stock.csv", STOCK_2016)
    population = put(folder, "people.csv", SAMPLES["population"])
    (folder / "shopping.csv").write_text("item,price\nmilk,2\n")
    done = bring_in(folder, project)
    assert {file.file for file in done.new} == {f"{LOOKED_AFTER}/2016/stock.csv", f"{POPULATION}/2024/people.csv"}
    assert (done.present, done.not_used) == ([], [("shopping.csv", "not a layout that is read")])
    assert files_below(project / "published") == {
        f"{LOOKED_AFTER}/2016/stock.csv": sha256(content),
        f"{POPULATION}/2024/people.csv": sha256(population),
        "reference/dfe_la_lookup.csv": sha256((folder / "authorities.csv").read_bytes()),
    }
    pinned = json.loads((project / "lock.json").read_text())
    assert {entry["file"]: entry["sha256"] for entry in pinned["files"]} == {
        f"{LOOKED_AFTER}/2016/stock.csv": sha256(content),
        f"{POPULATION}/2024/people.csv": sha256(population),
    }
    assert {entry["retrieved_at"] for entry in pinned["files"]} == {"2031-03-03T03:00:00.000000+00:00"}


def test_a_second_import_finds_everything_there(folder: Path, project: Path) -> None:
    put(folder, "stock.csv", STOCK_2016)
    first = bring_in(folder, project)
    files, lock = files_below(project / "published"), (project / "lock.json").read_bytes()
    second = bring_in(folder, project, minutes=1)
    assert second.new == [] and second.present == first.new
    assert files_below(project / "published") == files
    assert (project / "lock.json").read_bytes() == lock


def test_a_file_that_is_there_under_another_name_is_there(folder: Path, project: Path) -> None:
    put(folder, "stock.csv", STOCK_2016)
    bring_in(folder, project)
    (folder / "stock.csv").rename(folder / "renamed.csv")
    done = bring_in(folder, project, minutes=1)
    assert done.new == [] and [file.file for file in done.present] == [f"{LOOKED_AFTER}/2016/stock.csv"]


def test_a_changed_file_goes_in_beside_the_old_one(folder: Path, project: Path) -> None:
    first = put(folder, "stock.csv", STOCK_2016)
    bring_in(folder, project)
    second = put(folder, "stock.csv", amended(STOCK_2016))
    bring_in(folder, project, minutes=1)
    files = files_below(project / "published" / LOOKED_AFTER / "2016")
    assert files == {"stock.csv": sha256(first), f"stock.{sha256(second)[:12]}.csv": sha256(second)}
    assert set(source_lock.read(project / "lock.json")) == {sha256(first), sha256(second)}


def test_the_lock_counts_the_editions_of_a_release_and_names_their_source(folder: Path, project: Path) -> None:
    for minute, sample in enumerate((STOCK_2016, amended(STOCK_2016))):
        put(folder, "stock.csv", sample)
        put(folder, "starts.csv", SAMPLES["ADM"])
        bring_in(folder, project, minutes=minute)
    entries = source_lock.read(project / "lock.json").values()
    assert sorted((entry.part, entry.edition_seen) for entry in entries) == [
        ("looked_after", 1),
        ("looked_after", 2),
        ("started", 1),
    ]
    assert {(entry.source, entry.edition, entry.resolved_via) for entry in entries} == {
        ("dfe_cla_before_ees", "2016", "import")
    }


def test_a_file_with_other_line_ends_is_there(folder: Path, project: Path) -> None:
    """Downloads.md, 3: copies that lost their carriage returns are no edition."""
    content = put(folder, "stock.csv", STOCK_2016)
    first = bring_in(folder, project)
    (folder / "stock.csv").write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    second = bring_in(folder, project, minutes=1)
    assert (second.new, second.present) == ([], first.new)
    assert set(files_below(project / "published" / LOOKED_AFTER)) == {"2016/stock.csv"}


def test_a_lost_file_comes_back(folder: Path, project: Path) -> None:
    content = put(folder, "stock.csv", STOCK_2016)
    bring_in(folder, project)
    (project / "published" / LOOKED_AFTER / "2016" / "stock.csv").unlink()
    done = bring_in(folder, project, minutes=1)
    assert [file.sha256 for file in done.new] == [sha256(content)]
    assert scan(project / "published", PROJECT_REFERENCES, project / "lock.json").files[0].sha256 == sha256(content)


def test_a_file_that_breaks_its_contract_is_not_registered_nor_is_anything_else(folder: Path, project: Path) -> None:
    put(folder, "good.csv", SAMPLES["ADM"])
    put(folder, "stock.csv", STOCK_2016.with_cell(4, "CLA_Mar2016", "q"))
    with pytest.raises(Refusal) as caught:
        bring_in(folder, project)
    assert (caught.value.code, caught.value.file, caught.value.row) == ("unknown_marker", "stock.csv", 4)
    assert files_below(project) == {}


def test_another_reference_table_of_that_name_is_refused_before_anything_is_copied(folder: Path, project: Path) -> None:
    put(folder, "stock.csv", STOCK_2016)
    bring_in(folder, project)
    files = files_below(project)
    (folder / "authorities.csv").write_bytes(small.as_bytes([*LOOKUP[:1], *reversed(LOOKUP[1:])]))
    put(folder, "more.csv", SAMPLES["ADM"])
    with pytest.raises(Refusal) as caught:
        bring_in(folder, project)
    assert (caught.value.code, caught.value.file) == ("two_editions", "authorities.csv")
    assert files_below(project) == files


def test_the_projects_own_reference_tables_are_not_imported(project: Path, tmp_path: Path) -> None:
    """Else a copy in the data folder would stand in the way of the next version's."""
    folder = tmp_path / "files"
    shutil.copytree(PROJECT_REFERENCES, folder / "compiled")
    put(folder, "series.csv", SAMPLES["series"])
    bring_in(folder, project)
    assert not (project / "published" / "reference").exists()


def test_imported_files_give_the_figures_of_the_folder(demo: Readings, project: Path) -> None:
    done = bring_in(demo.folder, project)
    assert len(done.new) == len(demo.register.files)
    published_folder = project / "published"
    register = scan(published_folder, PROJECT_REFERENCES, project / "lock.json")
    assert identities(register.files) == identities(demo.register.files)
    cells = sources.read_tidy(published_folder, register.frame(), LOOKED_AFTER, register.knowledge)
    assert small.figures(cells) == small.figures(demo.looked_after)


def test_what_the_lock_knows_of_a_file_is_in_the_register(folder: Path, project: Path) -> None:
    content = put(folder, "stock.csv", STOCK_2016)
    bring_in(folder, project)
    entry = source_lock.read(project / "lock.json")[sha256(content)]
    source_lock.write(project / "lock.json", [replace(entry, final_url="https://example.org/stock.csv")])
    register = scan(project / "published", PROJECT_REFERENCES, project / "lock.json")
    (file,) = register.files
    assert (file.url, file.retrieved) == ("https://example.org/stock.csv", "2031-03-03T03:00:00.000000+00:00")
