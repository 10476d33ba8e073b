"""The one exception that means "the data or a check refused".

What belongs here: the refusal and how it reads. What does not: deciding when to refuse (that stands where the rule
stands). A bug stays an ordinary exception; only a fault that a person can mend in the data or in a command is a Refusal.
"""

from __future__ import annotations

import errno
from typing import Any

from pipeline.confidential import scrubbed
from pipeline.visible import visible

# What the system answers about a file that a person has named or can mend; any other error of it is a fault of ours.
_MENDABLE = {
    errno.EACCES: "this account may not read or write it",
    errno.EPERM: "this account may not read or write it",
    errno.EROFS: "the disk is for reading only",
    errno.ENOTDIR: "a file stands where a folder should be",
    errno.EISDIR: "a folder stands where a file should be",
    errno.EEXIST: "something else stands there already",
    errno.ELOOP: "its links lead round in a circle",
    errno.ENAMETOOLONG: "its name is too long for this disk",
}


_LONGEST_PROBLEM, _LONGEST_NAME = 2_000, 300  # characters; what is longer ends in an ellipsis


class Refusal(Exception):
    """The run stops here, and what was published before stays as it is.

    `code` is stable and short, for scripts, and names the entry in `error_catalogue`. `problem` says what is wrong and
    `remedy` what to do about it. The place is as exact as the fault allows: `file` as the person knows it, `row` counted
    as a spreadsheet counts (the header is row 1), `column` by its header, `value` as it stands in the cell. Secrets of
    the environment are in none of it, as a refusal goes to terminals, logs and the event store.
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
        self.problem = _fit(problem, _LONGEST_PROBLEM)
        self.remedy = _fit(remedy, _LONGEST_PROBLEM)
        self.file = None if file is None else _fit(file, _LONGEST_NAME)
        self.row = row
        self.column = None if column is None else _fit(column, _LONGEST_NAME)
        self.value = None if value is None else _fit(value, _LONGEST_NAME)
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

    def fields(self) -> dict[str, Any]:
        """What it was made of: `Refusal(**fields)` is the same one, in another process too."""
        return {
            "code": self.code,
            "problem": self.problem,
            "remedy": self.remedy,
            "file": self.file,
            "row": self.row,
            "column": self.column,
            "value": self.value,
        }

    def as_dict(self) -> dict[str, str | int | None]:
        """The refusal for programs: its code, its sentence and what the sentence is made of."""
        return {"code": self.code, "sentence": self.sentence(), **self.fields()}


def _fit(text: str, longest: int) -> str:
    """A text as it may stand in a terminal, a log or a page: a file can hold cells without end and with any character."""
    return visible(scrubbed(text), longest)


def of_the_system(error: OSError) -> Refusal | None:
    """The refusal for a file that the system will not let the program use; None for any other fault."""
    if error.errno not in _MENDABLE or not error.filename:
        return None
    return Refusal(
        "file_not_usable",
        f"the file or folder cannot be used: {_MENDABLE[error.errno]}",
        file=str(error.filename),
        remedy="give another folder, or mend this one; nothing was published",
    )
