"""The rows of a table as HTML.

What belongs here: the one piece of markup that is not a template, for a site has two hundred thousand cells and a template
takes several times as long for each. What does not: any other markup. Every text is escaped, as in the templates.
"""

from __future__ import annotations

from collections.abc import Collection

from markupsafe import Markup, escape

from pipeline.report.page import Column, DataTable, Row


def body(table: DataTable, root: str, files: Collection[str] | None = None) -> Markup:
    """The rows; the first cell of each is its heading. `root` is the way from the page to the folder of the site.

    Addresses that are not among `files`, where these are given, are left out.
    """
    lines = []
    for row in table.rows:
        cells = (_cell(column, row, root, files, table.is_sortable, at == 0) for at, column in enumerate(table.columns))
        lines.append(f"<tr>{''.join(cells)}</tr>\n")
    return Markup("".join(lines))


def _cell(
    column: Column, row: Row, root: str, files: Collection[str] | None, is_sortable: bool, is_heading: bool
) -> str:
    tag, attributes = ("th", ' scope="row"') if is_heading else ("td", "")
    if column.is_number:
        attributes += ' class="number"'
        if is_sortable:
            attributes += f' data-value="{escape(column.sort_value(row))}"'
    shown, address = escape(column.shown(row)), column.address(row)
    if address is not None and (files is None or address in files):
        shown = Markup(f'<a href="{escape(root + address)}">{shown}</a>')
    return f"<{tag}{attributes}>{shown}</{tag}>"
