"""Progress of a run in the terminal: one line an asset, in a person's words.

What belongs here: a Dagster logger that turns events into lines on standard error. What does not: the summary at the
end (`command`).
"""

import logging
import sys
import warnings

import dagster as dg

from pipeline.visible import lines

PROGRESS = "progress"


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        event = (getattr(record, "dagster_meta", None) or {}).get("dagster_event")
        if event is None:
            return
        tell(event)


def quiet() -> None:
    """Keep what Dagster says of itself out of the terminal.

    A night without news skips what checks look at, and it would warn of every check that has nothing to say; and the data
    versions of outputs are still called beta.
    """
    logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=dg.BetaWarning)


def tell(event: dg.DagsterEvent) -> None:
    """Write the line of an event that has one."""
    line = _line(event)
    if line:
        sys.stderr.write(lines(line) + "\n")
        sys.stderr.flush()


def _line(event: dg.DagsterEvent) -> str | None:
    if event.is_step_materialization:
        materialization = event.step_materialization_data.materialization
        told = materialization.metadata.get("news")
        if told is not None:
            return f"  {materialization.asset_key.to_user_string()}  {told.value}"
        rows = materialization.metadata.get("dagster/row_count")
        counted = f"  {rows.value:,} rows" if rows is not None else ""
        return f"  {materialization.asset_key.to_user_string()}{counted}"
    data = event.event_specific_data
    if isinstance(data, dg.AssetCheckEvaluation) and not data.passed:
        return f"  check {data.check_name}: {data.severity.value.lower()}, {data.description}"
    return None


@dg.logger(config_schema={}, description="One line an asset on standard error.")
def progress_lines(context: dg.InitLoggerContext) -> logging.Logger:
    """A logger that writes a line for every asset made and every check that found something."""
    logger = logging.Logger("care_numbers.progress", level=logging.DEBUG)
    logger.addHandler(_Lines())
    return logger


@dg.logger(config_schema={}, description="Says nothing.")
def silent(context: dg.InitLoggerContext) -> logging.Logger:
    """A logger for runs whose output is a machine's to read."""
    logger = logging.Logger("care_numbers.silent", level=logging.CRITICAL)
    logger.addHandler(logging.NullHandler())
    return logger
