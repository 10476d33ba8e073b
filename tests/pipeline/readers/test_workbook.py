"""Opening workbooks: whatever the library makes of damaged bytes is one refusal."""

from __future__ import annotations

import pytest

from pipeline.errors import Refusal
from pipeline.readers import opening
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
