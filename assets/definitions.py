"""Everything Dagster is to know, in one place.

Read it top down: groups raw, core, analysis, published; the checks; the jobs and the schedule. Runs are in one process
unless they are told otherwise: the work is seconds, and handing a step to another process costs more than most steps.
"""

import dagster as dg

from assets import analysis, checks, core, covariates, evidence, nightly, published, raw, regressions, what_if
from assets.chosen_data import ChosenData
from assets.executors import here_or_apart
from assets.parquet_io import ParquetFrames
from assets.piece_io import PIECES, Pieces
from assets.progress import PROGRESS, progress_lines, silent

_CHOSEN = ChosenData()

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([raw, core, analysis, covariates, evidence, regressions, published]),
    asset_checks=checks.ALL,
    jobs=[nightly.refresh, what_if.what_if_job],
    schedules=[nightly.nightly],
    resources={"chosen": _CHOSEN, "io_manager": ParquetFrames(chosen=_CHOSEN), PIECES: Pieces(chosen=_CHOSEN)},
    executor=here_or_apart,
    loggers={"console": dg.colored_console_logger, PROGRESS: progress_lines, "silent": silent},
)
