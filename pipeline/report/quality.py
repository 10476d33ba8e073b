"""Data quality: what the figures are from, what is missing or left out, what was revised, and what was mended.

What belongs here: the sentences, charts and tables of that page. What does not: the figures; the page counts the rows of
published tables and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline import corrections, places, reference_tables
from pipeline.chart_parts import BLUE, DASHED, FAINT, INK, in_page, layer, quantity, years_of
from pipeline.database import Record
from pipeline.report import numbers
from pipeline.report.page import Chart, Column, DataTable, Page, authority_file
from pipeline.report.published import Published

_CORRECTIONS = "publisher_corrections"
_HANDLED = {
    corrections.SET_REPORTING_YEAR: "taken as the year that its figures are of",
    corrections.DROP_ROW: "the row is left out",
    corrections.SET_MISSING: "the figure is taken as missing",
    corrections.SET_DATE: "the date is replaced",
}
_SPAN = Column("window", "Window")


def pages(published: Published) -> Iterator[Page]:
    """The page on the quality of the data."""
    drawn = [_rebasing(published)] if published.has("main.vintage_effect") else []
    checks = published.rows("SELECT * FROM main.data_checks ORDER BY n_failed > 0 DESC, check_name, scope")
    excluded = _excluded(published)
    yield Page(
        file="data-quality.html",
        section="quality",
        title="Data quality",
        template="data_quality.html",
        charts=drawn,
        tables=[
            _sources(published),
            _not_used(published),
            _markers(published),
            _steps(published),
            excluded,
            _revisions(published),
            _vintages(published),
            _faults(published),
            _checks(checks),
        ],
        facts={
            "excluded": excluded.rows,
            "n_checks": len(checks),
            "n_failed": sum(row["n_failed"] > 0 for row in checks),
            "n_blocking": sum(row["severity"] == "block" for row in checks),
        },
        description="Files with their hashes, missing figures, exclusions, revisions, population vintages and known faults.",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Files


def _sources(published: Published) -> DataTable:
    rows = [
        row | {"day": str(row["retrieved"])[:10] if row["retrieved"] else None, "no_day": "read_from_a_folder_no_date"}
        for row in published.rows(
            "SELECT * FROM about.sources ORDER BY publication = 'reference', publication, release, layout, part, file"
        )
    ]
    return DataTable(
        "sources",
        "Files, each with the sha256 of its bytes",
        (
            Column("file", "File"),
            Column("publisher", "Publisher"),
            Column("publication", "Publication", "words"),
            Column("release", "Release", "year"),
            Column("day", "Retrieved", "day", reason="no_day"),
            Column("bytes", "Bytes", "count"),
            Column("sha256", "sha256"),
        ),
        rows,
        note="Release: the reporting year, or the newest mid-year of populations. The database has titles, licences and "
        "addresses as well (about.sources).",
    )


def _not_used(published: Published) -> DataTable:
    return DataTable(
        "not-used",
        "Files of the data folder that took no part",
        (Column("file", "File"), Column("reason", "Why")),
        published.rows("SELECT file, reason FROM about.files_not_used ORDER BY file"),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Missing figures and exclusions


def _markers(published: Published) -> DataTable:
    rows = published.rows(
        "SELECT release, marker, coalesce(marker_meaning, 'not told') AS meaning, count(*) AS cells,"
        " count(*) FILTER (WHERE measure = 'looked_after') AS of_number, count(DISTINCT la_code) AS authorities,"
        " min(year) AS first_year, max(year) AS last_year FROM core.children_looked_after WHERE marker IS NOT NULL"
        " GROUP BY ALL ORDER BY release, marker"
    )
    return DataTable(
        "markers",
        "Cells with a symbol in place of a number, children looked after, by release",
        (
            Column("release", "Release", "year"),
            Column("marker", "Symbol"),
            Column("meaning", "Meaning", "words"),
            Column("cells", "Cells", "count"),
            Column("of_number", "Of them the number looked after", "count"),
            Column("authorities", "Authorities", "count"),
            Column("first_year", "From", "year"),
            Column("last_year", "to", "year"),
        ),
        rows,
        note="Such a cell stays missing here. A suppressed number is never taken as 0.",
    )


def _steps(published: Published) -> DataTable:
    rows = [
        row | {"window": years_of(row)}
        for row in published.rows(
            "SELECT w.window_start, w.window_end, s.* FROM main.exclusion_steps AS s JOIN main.windows AS w"
            " USING (window_id) WHERE s.n_excluded > 0 OR s.n_combined_away > 0"
            " ORDER BY w.window_end DESC, w.window_start DESC, s.window_id, s.step_number"
        )
    ]
    return DataTable(
        "steps",
        "From every published authority to the units compared, steps at which some leave",
        (
            _SPAN,
            Column("step", "Asked", "words"),
            Column("n_before", "Before", "count"),
            Column("n_excluded", "Left out", "count"),
            Column("n_combined_away", "Fewer by adding up", "count"),
            Column("n_after", "After", "count"),
        ),
        rows,
    )


def _excluded(published: Published) -> DataTable:
    """Authorities in no change, once with all the windows that they are missing from for one reason."""
    known = published.pages_of
    rows = [
        row | {"page": authority_file(row["la_code"]) if row["la_code"] in known else None}
        for row in published.rows(
            "SELECT la_code, la_name, reason, string_agg(DISTINCT window_start || ' to ' || window_end, ', '"
            " ORDER BY window_start || ' to ' || window_end) AS windows, min(detail) AS detail FROM main.exclusions"
            " WHERE stage = 'trend' AND rule = 'excluded' GROUP BY la_code, la_name, reason"
            " ORDER BY la_name, la_code, reason"
        )
    ]
    return DataTable(
        "excluded",
        "Authorities left out of the changes",
        (
            Column("la_name", "Authority", link="page"),
            Column("reason", "Why", "words"),
            Column("windows", "Windows"),
            Column("detail", "In one of them"),
        ),
        rows,
        note="Those left out of a regression are on the page of the regressions.",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Revisions and populations


def _revisions(published: Published) -> DataTable:
    return DataTable(
        "revisions",
        "What a release changed in the figures of an earlier one",
        (
            Column("measure", "Figure", "words"),
            Column("release_from", "Release", "year"),
            Column("release_to", "and", "year"),
            Column("n_compared", "Compared", "count"),
            Column("n_changed", "Changed", "count"),
            Column("n_rate_only", "Of them only the rate", "count"),
            Column("median_change", "Median size", "rate", reason="reason"),
            Column("largest_change", "Largest size", "count", reason="reason"),
        ),
        published.rows("SELECT * FROM main.revisions_summary ORDER BY measure, release_from, release_to"),
        note="Only the rate: the count stayed and the population behind it moved. Every single revision is in the database "
        "(main.revisions) and on the page of its authority.",
    )


def _vintages(published: Published) -> DataTable:
    rows = published.rows(
        "SELECT vintage, edition, min(year) AS first_year, max(year) AS last_year, count(DISTINCT la_code) AS authorities,"
        " count(*) FILTER (WHERE is_estimated) AS estimated, count(*) FILTER (WHERE population_0_17 IS NULL) AS missing"
        " FROM core.population GROUP BY vintage, edition ORDER BY vintage, edition"
    )
    return DataTable(
        "vintages",
        "Populations by vintage",
        (
            Column("vintage", "Vintage", "words"),
            Column("edition", "Edition", "year"),
            Column("first_year", "From", "year"),
            Column("last_year", "to", "year"),
            Column("authorities", "Authorities", "count"),
            Column("estimated", "Estimated here", "count"),
            Column("missing", "Missing", "count"),
        ),
        rows,
        note="From and to are reporting years; the population is of the summer before.",
    )


def _rebasing(published: Published) -> Chart:
    """By how much the census moved the rates of each year, while the counts stayed."""
    rows = published.rows(
        "SELECT year, count(rate_difference_pct) AS n, min(rate_difference_pct) AS lowest,"
        " quantile_cont(rate_difference_pct, 0.05) AS low, median(rate_difference_pct) AS middle,"
        " quantile_cont(rate_difference_pct, 0.95) AS high, max(rate_difference_pct) AS highest,"
        " arg_max(la_name, abs(rate_difference_pct)) AS moved_most FROM main.vintage_effect"
        " WHERE rate_difference_pct IS NOT NULL GROUP BY year ORDER BY year"
    )
    x = {"field": "year", "type": "ordinal", "title": "31 March", "axis": {"labelAngle": 0, "grid": False}}
    y = quantity("middle", title="Change of the rate, per cent", axis={"gridColor": FAINT})
    points = [{name: row[name] for name in ("year", "low", "middle", "high")} for row in rows]
    spec = in_page(
        220,
        [
            layer(
                points,
                {"type": "rule", "strokeWidth": 6, "color": FAINT},
                x=x,
                y=y | {"field": "low"},
                y2={"field": "high"},
            ),
            layer([{"middle": 0}], DASHED, y=y),
            layer(points, {"type": "circle", "size": 70, "color": BLUE, "stroke": INK, "opacity": 1}, x=x, y=y),
        ],
    )
    last = rows[-1] if rows else None
    told = (
        f"For {last['year']} the rate of the middle authority is {numbers.signed_pct(last['middle'])} by the populations "
        f"rebased on the 2021 census, against those from before it; nine in ten lie between "
        f"{numbers.between(last['low'], last['high']).replace(' to ', ' and ')}. It moved most for {last['moved_most']}."
        if last
        else "No year has both vintages."
    )
    return Chart(
        name="rebasing",
        title="How much the census moved the rates, with the same number of children looked after",
        spec=spec,
        alternative=f"A dot for each year, the middle authority, on a bar that holds nine in ten. {told}",
        table=DataTable(
            "rebasing",
            "Rates by rebased populations against those from before the census, per cent",
            (
                Column("year", "31 March", "year"),
                Column("n", "Authorities", "count"),
                Column("lowest", "Lowest", "signed_pct"),
                Column("low", "One in twenty below", "signed_pct"),
                Column("middle", "Middle", "signed_pct"),
                Column("high", "One in twenty above", "signed_pct"),
                Column("highest", "Highest", "signed_pct"),
                Column("moved_most", "Moved most"),
            ),
            rows,
        ),
        told=(told, "So the two vintages are never mixed within one comparison."),
        methods="population",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Faults and checks


def _faults(published: Published) -> DataTable:
    """Files to which entries of the corrections table applied, each with its reason where this database used that table."""
    told = _entries(published)
    rows: list[dict[str, Any]] = []
    for file in published.rows(
        "SELECT file, release, corrections FROM about.sources WHERE corrections <> '' ORDER BY file"
    ):
        for name in file["corrections"].split(","):
            entry = told.get(name)
            rows.append(
                {
                    "entry": name,
                    "file": file["file"],
                    "release": file["release"],
                    "why": entry["reason"] if entry else None,
                    "handled": _HANDLED[entry["action"]] if entry else None,
                    "source": entry["source"] if entry else None,
                    "not_told": "see_the_corrections_table_of_the_data_folder",
                }
            )
    return DataTable(
        "faults",
        "Known faults of published files and how they were handled",
        (
            Column("entry", "Fault", "words"),
            Column("file", "File"),
            Column("release", "Release", "year"),
            Column("why", "What is wrong", reason="not_told"),
            Column("handled", "What was done", reason="not_told"),
            Column("source", "How it is known", reason="not_told"),
        ),
        rows,
        note="Each entry holds the value that it mends: when the publisher mends the file, the run stops and says so.",
    )


def _entries(published: Published) -> dict[str, Record]:
    """The project's corrections by name; none where the data folder brought its own, which no database holds."""
    used = published.rows(f"SELECT sha256 FROM about.sources WHERE layout = '{_CORRECTIONS}'")
    path = places.reference_folder() / f"{_CORRECTIONS}.csv"
    table = reference_tables.parse(_CORRECTIONS, path.read_bytes(), path.name, is_from_data_folder=False)
    if table.sha256 not in {row["sha256"] for row in used}:
        return {}
    return {
        str(row["entry"]): {str(key): value for key, value in row.items()} for row in table.frame.to_dict("records")
    }


def _checks(checks: list[Record]) -> DataTable:
    rows = [row | {"kind": "stops the run" if row["severity"] == "block" else "is told"} for row in checks]
    return DataTable(
        "checks",
        "Checks of the data",
        (
            Column("check_name", "Check", "words"),
            Column("scope", "Of"),
            Column("n", "Looked at", "count"),
            Column("n_failed", "Failed", "count"),
            Column("kind", "A failure"),
            Column("detail", "Detail"),
        ),
        rows,
    )
