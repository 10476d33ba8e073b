"""Everything Dagster is to know, in one place.

Read it top down: groups raw, core, analysis, published; the checks; the jobs and the schedule. Runs are in one process:
the work is seconds, and a process a step would cost more than the step.
"""

import dagster as dg

from assets import analysis, checks, core, covariates, evidence, nightly, published, raw, regressions, what_if
from assets.chosen_data import ChosenData
from assets.parquet_io import ParquetFrames
from assets.progress import PROGRESS, progress_lines, silent

_CHOSEN = ChosenData()

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([raw, core, analysis, covariates, evidence, regressions, published]),
    asset_checks=checks.ALL,
    jobs=[nightly.refresh, what_if.what_if_job],
    schedules=[nightly.nightly],
    resources={"chosen": _CHOSEN, "io_manager": ParquetFrames(chosen=_CHOSEN)},
    executor=dg.in_process_executor,
    loggers={"console": dg.colored_console_logger, PROGRESS: progress_lines, "silent": silent},
)
