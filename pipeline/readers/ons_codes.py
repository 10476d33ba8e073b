"""Area codes of the Office for National Statistics: which of the project's areas one stands for.

What belongs here: telling authorities, districts, the country and places abroad apart by the form of a code, for the
layouts that give no other level. What does not: DfE codes (`cells`) and which district lies in which county.

A code is a letter for the nation, two digits for the kind of area and six more: E06, E08, E09 and E10 are authorities of
one kind or another, E07 districts below a county, E92 the country. The letter is that of the authorities in the lookup,
so that nothing here depends on which country it is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.errors import Refusal
from pipeline.readers.cells import Place
from pipeline.readers.layout import AUTHORITY, DISTRICT, ENGLAND, Knowledge

CODE = re.compile(r"[A-Z]\d{8}", re.ASCII)
_DISTRICT, _COUNTRY = "07", "92"


class Area(NamedTuple):
    """Level, and the code that the tidy frames give that level: DfE for an authority, else the code itself."""

    level: str
    code: str


class AreaCodes:
    """The codes that one reading of a file meets."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._la_codes = knowledge.la_code_of_ons_code
        self._nations = {code[0] for code in self._la_codes}

    def area(self, text: str, place: Place) -> Area | None:
        """What the code stands for; None for an area abroad. Refusal for an area of the nation that is not known."""
        code = text.strip()
        if code in self._la_codes:
            return Area(AUTHORITY, self._la_codes[code])
        if not CODE.fullmatch(code):
            raise _unknown(text, place, "this is not an area code, which is a letter and eight digits")
        if code[0] not in self._nations:
            return None
        if code[1:3] == _DISTRICT:
            return Area(DISTRICT, code)
        if code[1:3] == _COUNTRY:
            return Area(ENGLAND, code)
        raise _unknown(text, place, "the area code is not in the lookup of local authorities")

    def authority(self, text: str, place: Place) -> str:
        """The DfE code of an authority, where the layout has nothing else; another area is refused."""
        area = self.area(text, place)
        if area is None or area.level != AUTHORITY:
            raise _unknown(text, place, "this table is of upper-tier authorities, and the code is of another area")
        return area.code


def _unknown(text: str, place: Place, problem: str) -> Refusal:
    return Refusal(
        "unknown_area",
        problem,
        file=place.file,
        row=place.row,
        column=place.column,
        value=text,
        remedy="use the file as published; if the authority is new, add it to dfe_la_lookup.csv and la_code_changes.csv",
    )
