"""Some hundred spoilt files in the suite: every mutation on the demonstration country, and once more on published files.

The thousands are in `make fuzz`; here each mutation meets a few files, drawn from the seed that `make fuzz` has. That the
oracle can tell a wrong figure is shown on mutants made by hand.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline import places
from tests.fixtures.readings import Readings
from tests.fuzz import run
from tests.fuzz.documents import PARQUET
from tests.fuzz.mutations import CONTENT, IDENTITY, MUTATIONS, STRUCTURE, Mutant, Mutation
from tests.fuzz.oracle import Country, Outcome, Verdict
from tests.fuzz.run import Case, Judged
from tests.published_files import PROJECT_REFERENCES, published

_FILES_A_MUTATION = 1
each_mutation = pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())


@pytest.fixture(scope="module")
def demo_country(demo: Readings, tmp_path_factory: pytest.TempPathFactory) -> Country:
    return Country(demo.folder, places.reference_folder(), tmp_path_factory.mktemp("fuzz-demo"), demo.register)


@pytest.fixture(scope="module")
def real_country(real: Readings, tmp_path_factory: pytest.TempPathFactory) -> Country:
    return Country(real.folder, PROJECT_REFERENCES, tmp_path_factory.mktemp("fuzz-real"), real.register)


def some_cases(country: Country, mutation: Mutation, files: int) -> list[Case]:
    """A few files of different layouts for a mutation, other ones for each mutation. Parquet is slow, and rarely drawn."""
    draw = Case(country.register.files[0], mutation, files).draw(run.SEED)
    one_a_layout = {file.layout: file for file in draw.sample(country.register.files, len(country.register.files))}
    suited = [file for file in one_a_layout.values() if country.kind_of(file) in mutation.kinds]
    light = [file for file in suited if country.kind_of(file) != PARQUET]
    return [Case(file, mutation, 0) for file in (suited if draw.random() < 0.1 else light)[:files]]


def failures(country: Country, mutation: Mutation, files: int) -> list[str]:
    judged = [run.judge(country, case) for case in some_cases(country, mutation, files)]
    return [one.line() for one in judged if one and one.is_failure]


@each_mutation
def test_no_spoilt_file_of_the_demonstration_country_gives_other_figures(
    demo_country: Country, mutation: Mutation
) -> None:
    assert failures(demo_country, mutation, _FILES_A_MUTATION) == []


@published
@each_mutation
def test_no_spoilt_published_file_gives_other_figures(real_country: Country, mutation: Mutation) -> None:
    assert failures(real_country, mutation, 1) == []


# ---------------------------------------------------------------------------------------------------------------------
# The oracle


def spoilt(country: Country, layout: str, change: Callable[[bytes], bytes], release: int | None = None) -> Verdict:
    file = next(one for one in country.register.files if one.layout == layout and release in (None, one.release))
    content = country.document(file).content
    changed = change(content)
    assert changed != content
    return country.judge(file, Mutant(changed, "by hand"))


def figure_changed(content: bytes, column: str, row: int) -> bytes:
    """The count of a row of a comma-separated text raised by 100; no name in these files has a line end."""
    lines = content.split(b"\n")
    at = lines[0].decode("utf-8-sig").rstrip("\r").split(",").index(column)
    cells = lines[row].split(b",")
    cells[at] = str(int(cells[at]) + 100).encode()
    return b"\n".join([*lines[:row], b",".join(cells), *lines[row + 1 :]])


def test_a_row_less_at_the_end_is_refused(demo_country: Country) -> None:
    cut = spoilt(
        demo_country, "cla_2011_2017_looked_after", lambda content: content[: content.rstrip().rindex(b"\n") + 1]
    )
    assert (cut.outcome, cut.detail) == (Outcome.CHECKED, "missing_row")


def test_other_line_ends_are_the_same_figures(demo_country: Country) -> None:
    def other(content: bytes) -> bytes:
        return content.replace(b"\r\n", b"\n") if b"\r\n" in content else content.replace(b"\n", b"\r\n")

    assert spoilt(demo_country, "cla_2011_2017_looked_after", other) == Verdict(Outcome.SAME, "")


def test_a_stock_that_no_longer_adds_up_is_caught_by_the_checks(demo_country: Country) -> None:
    """England's row says what the authorities' stocks must add up to, from 2011 on."""
    change = functools.partial(figure_changed, column="CLA_Mar2012", row=20)
    verdict = spoilt(demo_country, "cla_2011_2017_looked_after", change, 2012)
    assert (verdict.outcome, verdict.detail) == (Outcome.CHECKED, "check_failed")


def test_a_figure_that_the_file_has_once_is_protected_by_its_hash_alone(demo_country: Country) -> None:
    """Starts of one authority in 2010: England is rounded to 100 there, and nothing else contradicts them."""
    change = functools.partial(figure_changed, column="StartTotal_2010", row=-2)
    verdict = spoilt(demo_country, "cla_2010_started", change)
    assert (verdict.outcome, verdict.detail) == (Outcome.HASH, "value")


def test_without_the_hash_such_a_figure_would_be_silent(demo_country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Country, "_is_refused_by_hash", lambda *_: False)
    change = functools.partial(figure_changed, column="StartTotal_2010", row=-2)
    assert spoilt(demo_country, "cla_2010_started", change).outcome is Outcome.SILENT


def test_an_exception_that_is_no_refusal_is_a_crash(demo_country: Country, monkeypatch: pytest.MonkeyPatch) -> None:
    country = demo_country
    country.document(next(file for file in country.register.files if file.layout == "cla_2010_started"))

    def fail(*_: object, **__: object) -> None:
        raise KeyError("geog_l")

    monkeypatch.setattr("pipeline.readers.cla_2010.read_wide", fail)
    change = functools.partial(figure_changed, column="StartTotal_2010", row=-2)
    verdict = spoilt(demo_country, "cla_2010_started", change)
    assert verdict.outcome is Outcome.CRASH and "KeyError" in verdict.detail


@pytest.mark.parametrize(
    ("of", "outcome", "is_failure"),
    [
        (CONTENT, Outcome.HASH, False),
        (CONTENT, Outcome.WARNED, False),
        (CONTENT, Outcome.SILENT, True),
        (CONTENT, Outcome.CRASH, True),
        (STRUCTURE, Outcome.SAME, False),
        (STRUCTURE, Outcome.REFUSED, False),
        (STRUCTURE, Outcome.CHECKED, False),
        (STRUCTURE, Outcome.HASH, True),
        (STRUCTURE, Outcome.WARNED, True),
        (STRUCTURE, Outcome.LISTED, True),
        (IDENTITY, Outcome.LISTED, False),
        (IDENTITY, Outcome.HASH, True),
    ],
)
def test_what_fails_a_run(demo_country: Country, of: str, outcome: Outcome, is_failure: bool) -> None:
    """Of a file's structure the hash must not be the only thing that notices."""
    mutation = Mutation("by_hand", of, (), lambda *_: None)
    judged = Judged(Case(demo_country.register.files[0], mutation, 0), Mutant(b"", ""), Verdict(outcome, ""))
    assert judged.is_failure is is_failure


def test_a_known_gap_is_one_of_the_hash_alone(demo_country: Country) -> None:
    """It excuses one mutation of one release, and never a figure that not even the hash refuses."""
    known = next(iter(run.KNOWN_GAPS))
    file = replace(demo_country.register.files[0], layout=known[0], release=known[1])

    def judged(outcome: Outcome, release: int = known[1]) -> Judged:
        mutation = Mutation(known[2], STRUCTURE, (), lambda *_: None)
        return Judged(Case(replace(file, release=release), mutation, 0), Mutant(b"", ""), Verdict(outcome, ""))

    assert judged(Outcome.HASH).known_gap and not judged(Outcome.HASH).is_failure
    assert judged(Outcome.SILENT).is_failure and judged(Outcome.WARNED).is_failure
    assert judged(Outcome.HASH, release=known[1] + 1).is_failure


@pytest.mark.parametrize("layout", ["cla_since_2018", "hmrc_low_income", "interactive_tool", "ofsted_outcomes"])
def test_a_grid_written_back_says_what_the_file_said(demo_country: Country, layout: str) -> None:
    file = next(one for one in demo_country.register.files if one.layout == layout)
    document = demo_country.document(file)
    verdict = demo_country.judge(file, Mutant(document.as_bytes(document.grid()), "untouched"))
    assert verdict == Verdict(Outcome.SAME, "")
