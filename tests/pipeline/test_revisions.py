"""What the publisher changed afterwards, told apart by what moved."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline import revisions
from pipeline.tables import core_tables
from pipeline.tables.frames import conform
from tests.fixtures.readings import Readings
from tests.published_files import published

COLUMNS = ["la_code", "year", "release", "measure", "value"]


def core(rows: list[tuple[str, int, int, str, int | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS).assign(
        ons_code="E09999999",
        la_name="Somewhere",
        marker=lambda own: own["value"].isna().map({True: "c", False: None}),
        marker_meaning=lambda own: own["value"].isna().map({True: "suppressed", False: None}),
        source_sha256="ab",
        source_row=range(len(rows)),
        source_column="number",
    )
    return conform(frame, core_tables.CHILDREN_LOOKED_AFTER)


def told(frame: pd.DataFrame) -> list[tuple]:
    columns = ["measure", "release_from", "release_to", "value_from", "value_to", "difference", "kind"]
    return list(frame[columns].itertuples(index=False, name=None))


def test_a_count_and_its_rate_are_revised_together() -> None:
    rows = [
        ("901", 2030, 2031, "looked_after", 100),
        ("901", 2030, 2032, "looked_after", 104),
        ("901", 2030, 2031, "looked_after_rate_per_10k", 50),
        ("901", 2030, 2032, "looked_after_rate_per_10k", 52),
    ]
    found, _ = revisions.revisions(core(rows))
    assert told(found) == [
        ("looked_after", 2031, 2032, 100, 104, 4, "count"),
        ("looked_after_rate_per_10k", 2031, 2032, 50, 52, 2, "count"),
    ]


def test_a_rate_that_moves_with_its_population_alone_is_told_apart() -> None:
    rows = [
        ("901", 2030, 2031, "looked_after", 100),
        ("901", 2030, 2032, "looked_after", 100),
        ("901", 2030, 2031, "looked_after_rate_per_10k", 50),
        ("901", 2030, 2032, "looked_after_rate_per_10k", 49),
        ("901", 2030, 2031, "population_0_17", 20000),
        ("901", 2030, 2032, "population_0_17", 20400),
    ]
    found, _ = revisions.revisions(core(rows))
    assert told(found) == [
        ("looked_after_rate_per_10k", 2031, 2032, 50, 49, -1, "rate_only"),
        ("population_0_17", 2031, 2032, 20000, 20400, 400, "population"),
    ]


def test_every_pair_is_compared_and_not_only_neighbours() -> None:
    rows = [("901", 2030, release, "started", value) for release, value in ((2031, 5), (2032, 6), (2033, 5))]
    found, summary = revisions.revisions(core(rows))
    assert [row[1:3] for row in told(found)] == [(2031, 2032), (2032, 2033)]
    assert summary[["release_from", "release_to", "n_compared", "n_changed"]].to_numpy().tolist() == [
        [2031, 2032, 1, 1],
        [2031, 2033, 1, 0],
        [2032, 2033, 1, 1],
    ]


@pytest.mark.parametrize(("older", "newer"), [(None, 7), (7, None), (None, None)])
def test_a_marker_is_not_a_figure_and_gives_nothing_away(older: int | None, newer: int | None) -> None:
    """A number that is hidden in one of two releases is not compared: the difference would tell what was hidden."""
    rows = [("901", 2030, 2031, "looked_after", older), ("901", 2030, 2032, "looked_after", newer)]
    found, summary = revisions.revisions(core(rows))
    assert found.empty
    assert summary.empty


def test_a_change_of_one_authority_is_not_that_of_another() -> None:
    rows = [
        ("901", 2030, 2031, "looked_after", 100),
        ("901", 2030, 2032, "looked_after", 101),
        ("902", 2030, 2031, "looked_after_rate_per_10k", 50),
        ("902", 2030, 2032, "looked_after_rate_per_10k", 52),
    ]
    found, _ = revisions.revisions(core(rows))
    assert list(found["kind"]) == ["count", "rate_only"]


def test_one_release_has_nothing_to_be_compared_with() -> None:
    found, summary = revisions.revisions(core([("901", 2030, 2031, "looked_after", 100)]))
    assert found.empty
    assert summary.empty


def test_an_amended_release_is_compared_with_its_own_older_edition() -> None:
    """The newest year of the newest release is in no other: only the older edition of the file can tell."""
    now = core([("901", 2030, 2030, "looked_after", 104), ("902", 2030, 2030, "looked_after", 7)])
    then = core([("901", 2030, 2030, "looked_after", 100), ("902", 2030, 2030, "looked_after", 7)])
    then["source_sha256"] = "0123456789abcdef"
    found, summary = revisions.revisions(now, [then])
    assert told(found) == [("looked_after", 2030, 2030, 100, 104, 4, "count")]
    assert list(found["edition_from"]) == ["0123456789ab"]
    assert summary[["n_compared", "n_changed"]].to_numpy().tolist() == [[2, 1]]


def test_two_older_editions_are_compared_each_by_itself() -> None:
    now = core([("901", 2030, 2030, "looked_after", 104)])
    older = [core([("901", 2030, 2030, "looked_after", value)]).assign(source_sha256=sha) for value, sha in
             ((100, "a" * 64), (102, "b" * 64))]  # fmt: skip
    found, _ = revisions.revisions(now, older)
    assert sorted(found["edition_from"]) == ["a" * 12, "b" * 12]
    assert sorted(found["difference"]) == [2, 4]


def test_a_marker_in_the_older_edition_is_not_a_figure() -> None:
    found, _ = revisions.revisions(
        core([("901", 2030, 2030, "looked_after", 4)]), [core([("901", 2030, 2030, "looked_after", None)])]
    )
    assert found.empty


@published
def test_populations_were_rebased_between_two_releases_and_not_between_others(real: Readings) -> None:
    """The 2021 and 2022 releases share their populations; the 2024 release has those after the census (its README)."""
    _, summary = revisions.revisions(real.core_looked_after)
    people = summary.loc[summary["measure"] == "population_0_17"].set_index(["release_from", "release_to"])
    assert people.loc[(2021, 2022), "n_changed"] == 0
    assert people.loc[(2022, 2024), "n_changed"] == people.loc[(2022, 2024), "n_compared"]
    rates = summary.loc[summary["measure"] == "looked_after_rate_per_10k"].set_index(["release_from", "release_to"])
    assert rates.loc[(2021, 2022), "n_rate_only"] == 0
    assert rates.loc[(2022, 2024), "n_rate_only"] > 200
