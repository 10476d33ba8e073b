"""Opening workbooks: whatever the library makes of damaged bytes is one refusal."""

from __future__ import annotations

import io
from collections import Counter
from types import SimpleNamespace

import pytest
import python_calamine

from pipeline.errors import Refusal
from pipeline.readers import guarded_process, opening
from tests.fixtures.readings import Readings
from tests.fixtures.small_spending import workbook as small_workbook
from tests.published_files import published

SMALL = small_workbook({"Sheet1": [["code", "figure"], ["701", "12"]]})


@pytest.mark.parametrize("kept", [4, 30, 600, len(SMALL) - 1])
def test_a_workbook_that_was_cut_is_refused(kept: int) -> None:
    with pytest.raises(Refusal) as caught:
        opening.of(SMALL[:kept], "figures.xlsx")
    assert (caught.value.code, caught.value.file) == ("damaged_workbook", "figures.xlsx")


@published
def test_a_published_workbook_that_lost_its_last_bytes_is_refused(real: Readings) -> None:
    """Eight bytes off the end of this one make the library panic, which is no Exception: it would end the night unheard."""
    file = real.file_of("hmrc_low_income", 2011)
    with pytest.raises(Refusal) as caught:
        opening.of(real.bytes_of(file)[:-8], file.file)
    assert caught.value.code == "damaged_workbook"


def test_a_sheet_that_was_looked_into_is_not_parsed_again_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader finds its sheet by the first rows of each; of an .xlsx every such look parses the whole sheet."""
    book = python_calamine.CalamineWorkbook.from_filelike(
        io.BytesIO(small_workbook({"Notes": [["a note"]], "Data": [["code"], ["701"]]}))
    )
    parsed: Counter[str] = Counter()

    def by_name(sheet: str) -> python_calamine.CalamineSheet:
        parsed[sheet] += 1
        return book.get_sheet_by_name(sheet)

    counting = SimpleNamespace(from_filelike=lambda content: SimpleNamespace(get_sheet_by_name=by_name))
    monkeypatch.setattr(python_calamine, "CalamineWorkbook", counting)
    opened = guarded_process._Opened(b"", {"columns": 10, "cells": 100, "answer_bytes": 1000})
    assert [opened.rows(sheet, first=1) for sheet in ("Notes", "Data")] == [[["a note"]], [["code"]]]
    assert opened.rows("Data", first=None) == [["code"], ["701"]]
    assert opened.rows("Notes", first=None) == [["a note"]]
    assert parsed == {"Notes": 2, "Data": 1}
