"""The one exception that means "the data or a check refused".

What belongs here: the refusal and how it reads. What does not: deciding when to refuse (that stands where the rule
stands). A bug stays an ordinary exception; only a fault that a person can mend in the data or in a command is a Refusal.
"""

from __future__ import annotations


class Refusal(Exception):
    """The run stops here, and what was published before stays as it is.

    `code` is stable and short, for scripts and for the documentation. `problem` says what is wrong and `remedy` what to
    do about it. The place is as exact as the fault allows: `file` as the person knows it, `row` counted as a spreadsheet
    counts (the header is row 1), `column` by its header, `value` as it stands in the cell.
    """

    def __init__(
        self,
        code: str,
        problem: str,
        *,
        remedy: str,
        file: str | None = None,
        row: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        self.code = code
        self.problem = problem
        self.remedy = remedy
        self.file = file
        self.row = row
        self.column = column
        self.value = value
        super().__init__(self.sentence())

    def place(self) -> str:
        """Where the fault is, e.g. `rates.csv, row 118, column "number", value "q"`; empty when it has no place."""
        parts = [
            self.file,
            None if self.row is None else f"row {self.row}",
            None if self.column is None else f'column "{self.column}"',
            None if self.value is None else f'value "{self.value}"',
        ]
        return ", ".join(part for part in parts if part)

    def sentence(self) -> str:
        """Place, problem and remedy as one sentence."""
        place = self.place()
        end = "" if self.remedy.endswith(("?", ".")) else "."
        return f"{place + ': ' if place else ''}{self.problem}; {self.remedy}{end}"
