"""The what-if job as a launchpad runs it: it answers into the scratch folder and leaves everything else alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq
import pytest

from assets import what_if
from assets.definitions import defs
from pipeline import settings
from pipeline.errors import Refusal
from tests.assets.conftest import Copy

pytestmark = pytest.mark.whole

CHOSEN = settings.load()


def run(copy: Copy, **config: float | int | None) -> dg.ExecuteInProcessResult:
    classes = CHOSEN.classes
    published = {
        "england_pct": classes.england_pct,
        "movement_pct": classes.movement_pct,
        "relative_pct": classes.relative_pct,
        "seed": CHOSEN.seed,
    }
    return defs.resolve_job_def(what_if.JOB).execute_in_process(
        instance=copy.instance,
        run_config={"ops": {"answer": {"config": published | config}}, "loggers": {"silent": {}}},
    )


def everything_but_scratch(out: Path) -> dict[str, str]:
    """Hash of every file of a workspace but for scratch and Dagster's own."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.relative_to(out).parts[0] not in (what_if.SCRATCH, "dagster_home")
    }


def test_an_answer_goes_to_scratch_and_nothing_else_changes(copy_of_run: Copy) -> None:
    out = copy_of_run.workspace.out
    before = everything_but_scratch(out)
    result = run(copy_of_run, relative_pct=25.0, start=2018, end=2024, seed=3)
    assert result.success
    assert everything_but_scratch(out) == before
    folder = out / what_if.SCRATCH / result.run_id
    assert {path.name for path in folder.iterdir()} == {
        "five_year_change.parquet",
        "null_calibration.parquet",
        "what_if.md",
    }
    page = (folder / "what_if.md").read_text(encoding="utf-8")
    assert page.startswith("# FICTIONAL: What if, 2018 to 2024")
    assert "| relative_pct | 25 | 10 |" in page
    stored = pq.read_table(folder / "five_year_change.parquet")
    assert b"FICTIONAL" in stored.schema.metadata[b"comment"]
    changes = stored.to_pandas()
    assert set(changes["window_id"]) == {"what_if"}
    parted = changes["relative"] != "moved_with_england"
    assert (changes.loc[parted, "relative_change_log"].abs() >= 0.223).all()  # ln 1.25
    assert set(pq.read_table(folder / "null_calibration.parquet").to_pandas()["seed"]) == {3}
    assert not result.get_asset_materialization_events()


def test_the_published_settings_give_the_published_figures(copy_of_run: Copy) -> None:
    """As the launchpad has it to begin with: the newest five years."""
    job = defs.resolve_job_def(what_if.JOB)
    result = job.execute_in_process(instance=copy_of_run.instance)
    folder = copy_of_run.workspace.out / what_if.SCRATCH / result.run_id
    own = pd.read_parquet(folder / "five_year_change.parquet")
    published = pd.read_parquet(copy_of_run.workspace.frames / "five_year_change.parquet")
    main = published.loc[published["window_id"] == "main_h5"].reset_index(drop=True)
    assert len(own) > 100
    pd.testing.assert_frame_equal(own.drop(columns="window_id"), main.drop(columns="window_id"))
    calibration = pd.read_parquet(folder / "null_calibration.parquet")
    pd.testing.assert_frame_equal(
        calibration, pd.read_parquet(copy_of_run.workspace.frames / "null_calibration.parquet")
    )


def test_the_launchpad_holds_the_published_settings_and_shows_all_that_can_be_set() -> None:
    config = defs.resolve_job_def(what_if.JOB).run_config["ops"]["answer"]["config"]
    assert set(config) == set(what_if.WhatIf.model_fields)
    assert (config["england_pct"], config["movement_pct"], config["relative_pct"]) == (2, 5, 10)  # methods.md C3
    assert (config["start"], config["end"], config["seed"]) == (None, None, 20181129)  # methods.md D9


def test_a_question_that_cannot_be_asked_is_refused_and_leaves_nothing(copy_of_run: Copy) -> None:
    scratch = copy_of_run.workspace.out / what_if.SCRATCH
    before = sorted(scratch.iterdir()) if scratch.exists() else []
    with pytest.raises(Refusal, match="there are no looked-after counts for 2031; choose reporting years from 2010"):
        run(copy_of_run, start=2026 - 1, end=2031)
    assert (sorted(scratch.iterdir()) if scratch.exists() else []) == before


def test_a_value_of_the_wrong_kind_is_refused_before_the_run(copy_of_run: Copy) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        run(copy_of_run, relative_pct="a lot")  # type: ignore[arg-type]


def test_without_a_finished_run_it_says_what_to_do_first(copy_of_run: Copy) -> None:
    file = copy_of_run.workspace.frames / "volatility.parquet"
    aside = file.rename(file.with_suffix(".aside"))
    try:
        with pytest.raises(Refusal, match="there is no table volatility yet; materialise everything first"):
            run(copy_of_run)
    finally:
        aside.rename(file)
