"""What a page is made of: tables, charts, and the page itself.

What belongs here: the plain data that a module of pages fills and the templates draw. What does not: any page, any query
(`published`), the writing of files (`site`), how a figure is spelt (`numbers`).

Nothing here is HTML. The templates escape every text, so a name such as `<script>` is shown as a text.
"""

from __future__ import annotations

import copy
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from pipeline.chart_parts import FICTIONAL, Spec
from pipeline.report import numbers

Row = Mapping[str, Any]
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
# Where one begins, or a cell does that would begin with a tab; the last four are the wide forms of the first four.
_FORMULA = re.compile(
    r"\A(?=[\t\r]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20].)|(?<=[;\t\r\n])(?=[=+\-@\uff1d\uff0b\uff0d\uff20].)"
)
METHODS = "methods.html"
COUNTRY = "country"  # the last column of every CSV file


@dataclass(frozen=True)
class Column:
    """One column of a table: `key` of the rows, heading, and how its values are shown (a name of `numbers.SHOW`).

    `link` names a key of the rows whose value is the address of a page, from the folder of the site; a row without one
    is plain text. `reason` names a key of the rows that says why a value is missing; it is shown in its place.
    """

    key: str
    heading: str
    kind: str = "text"
    link: str | None = None
    reason: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether the values stand at the right of their cells and are sorted as numbers."""
        return self.kind not in numbers.WORDED

    def shown(self, row: Row) -> str:
        """The text of the cell; the reason in words where the value is missing and a reason is told."""
        value = row.get(self.key)
        if numbers.is_missing(value) and self.reason is not None:
            return numbers.words(row.get(self.reason))
        return numbers.SHOW[self.kind](value)

    def sort_value(self, row: Row) -> str:
        """What the cell is sorted by: the unrounded number, or the text; empty for a missing value, which sorts last."""
        value = row.get(self.key)
        if numbers.is_missing(value):
            return ""
        return repr(float(str(value))) if self.is_number else str(value)

    def address(self, row: Row) -> str | None:
        """The page that the cell leads to."""
        value = None if self.link is None else row.get(self.link)
        return None if numbers.is_missing(value) else str(value)


@dataclass(frozen=True)
class DataTable:
    """A table that is read without script and downloaded as CSV.

    `name` is unique within its page and names the CSV file (lower case, digits, hyphens). The first column is the
    heading of each row. The CSV file holds every column with its unrounded values under `key`, and missing ones empty.
    `is_sortable` gives the headings buttons that sort, when there is script.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    note: str = ""
    is_sortable: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} names no file: lower case, digits and hyphens only")

    def csv(self, country: str) -> str:
        """The content of the CSV file; reasons for missing values and the country are columns of their own."""
        told = {column.key: column.key for column in self.columns}
        told |= {column.reason: column.reason for column in self.columns if column.reason}
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow([*told, COUNTRY])
        for row in self.rows:
            values = (row.get(key) for key in told)
            writer.writerow(
                [*("" if numbers.is_missing(value) else _inert(value) for value in values), _inert(country)]
            )
        return written.getvalue()


def _inert(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: a text that looks like one gets an apostrophe in front.

    Numbers stay numbers, and so does a text that is one, such as `-1.5`; a single `-` is no formula. A spreadsheet may split
    lines at semicolons or tabs instead of commas, so what follows one of those begins a cell too.
    """
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    # Of line ends the writer puts only its own between quotation marks.
    return _FORMULA.sub("'", value.replace("\r\n", "\n").replace("\r", "\n"))


@dataclass(frozen=True)
class Chart:
    """A chart: a title that says what it shows, a Vega-Lite specification without words, a text alternative, a table.

    `name` is unique within its page. `told` are sentences under the title for everybody; `alternative` says in words
    what somebody sees in the chart, and takes its place without script. `source` stands below.
    """

    name: str
    title: str
    spec: Spec
    alternative: str
    table: DataTable
    told: Sequence[str] = ()
    source: str = ""
    methods: str = ""  # the part of the methods page that explains it, such as "usual-movement"

    def __post_init__(self) -> None:
        if not self.alternative:
            raise ValueError(f"chart {self.name!r} has no text alternative")

    @property
    def methods_address(self) -> str:
        """Where the chart is explained."""
        return f"{METHODS}#{self.methods}" if self.methods else METHODS


def from_finished(
    name: str, finished: Spec, alternative: str, table: DataTable, *, methods: str = "", title: str = ""
) -> Chart:
    """A chart of `pipeline.charts` or `regression.model_charts`, its heading and source taken out as text for the page.

    What a drawing says in letters neither wraps nor grows on a small screen; what a page says does.
    """
    spec = copy.deepcopy(finished)
    source = spec.pop("title")["text"]
    heading = spec["vconcat"][0].pop("title")
    return Chart(
        name=name,
        title=title or str(heading["text"]).removeprefix(FICTIONAL),
        spec=spec,
        alternative=alternative,
        table=table,
        told=tuple(heading["subtitle"]),
        source=" ".join(source) if isinstance(source, list) else str(source),
        methods=methods,
    )


@dataclass(frozen=True)
class Page:
    """One page: its file below the folder of the site, the entry of the navigation that it belongs to, and its content.

    `facts` are the variables of the template, beside `page`, `site`, `charts` and `tables` (both by name). `inlined` are
    data for the one script, each put into the page as JSON with the id `data-NAME`.
    """

    file: str
    section: str
    title: str
    template: str
    charts: Sequence[Chart] = ()
    tables: Sequence[DataTable] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    inlined: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""

    @property
    def root(self) -> str:
        """The way from the page to the folder of the site: empty, or `../`."""
        return "../" * (len(PurePosixPath(self.file).parts) - 1)

    def all_tables(self) -> Iterator[DataTable]:
        """The tables of the page and those behind its charts."""
        yield from self.tables
        yield from (chart.table for chart in self.charts)

    def csv_file(self, table: DataTable) -> str:
        """Where the CSV file of a table lies, from the folder of the site."""
        return f"tables/{PurePosixPath(self.file).with_suffix('')}-{table.name}.csv"


def by_name(parts: Iterable[Any], file: str) -> dict[str, Any]:
    """Charts or tables by name. Raises ValueError when two of one page have the same."""
    found: dict[str, Any] = {}
    for part in parts:
        if part.name in found:
            raise ValueError(f"{file} has two parts named {part.name!r}")
        found[part.name] = part
    return found


def authority_file(unit_id: str) -> str:
    """The page of an authority or combined unit, from the folder of the site; units join their codes by a hyphen there."""
    return f"authorities/{unit_id.replace('+', '-')}.html"
