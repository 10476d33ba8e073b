"""Which local authority a name means, however it is spelt.

What belongs here: the one rule for names, the compiled spellings beside it, and the refusal of a name that is unknown.
What does not: joining figures, which is done on codes; a name is only read where a publication has nothing else.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from pipeline.errors import Refusal
from pipeline.readers import cells
from pipeline.readers.cells import Place

_SUGGESTIONS = 3
# Words that name the kind of authority, not the place.
_KINDS = re.compile(
    r"\b(city|county|borough|metropolitan|london|royal|district|unitary|council|authority|of|the|and|upon)\b"
)


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A name without what never tells two places apart: case, punctuation, `&` for `and`, repeated spaces."""
    return " ".join(re.sub(r"[^a-z0-9 ]", " ", name.lower().replace("&", " and ")).split())


@lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """The place alone, without words for its kind: `leeds` for "Leeds City Council". Empty for "City of London"."""
    return " ".join(_KINDS.sub(" ", plain(name)).split())


def matching(wanted: str, names: Sequence[str]) -> list[int]:
    """Positions of the names that `wanted` means: those equal but for spelling, else those of the same bare place."""
    same = [at for at, name in enumerate(names) if plain(name) == plain(wanted)]
    place = bare(wanted)
    return same or [at for at, name in enumerate(names) if place and bare(name) == place]


def nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """Up to three names to suggest: first those that hold all of the words, then those spelt nearly so."""
    of_plain = {plain(name): name for name in names}
    words = set(bare(wanted).split()) or set(plain(wanted).split())
    holding = [name for name in of_plain if words and words <= set(name.split())]
    spelt = difflib.get_close_matches(plain(wanted), of_plain, n=_SUGGESTIONS, cutoff=0.4)
    return [of_plain[name] for name in list(dict.fromkeys([*holding, *spelt]))[:_SUGGESTIONS]]


@dataclass(frozen=True)
class NamedArea:
    """An authority under one of its official names, with the first and last day on which it was in being."""

    la_code: str
    name: str
    first_day: dt.date = dt.date.min
    last_day: dt.date = dt.date.max

    def in_being(self, day: dt.date) -> bool:
        """Whether the authority existed on that day."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True)
class AreaNames:
    """All authorities by name; `spellings` maps a spelling that the rule does not catch to a DfE code."""

    areas: tuple[NamedArea, ...] = ()
    spellings: dict[str, str] = field(default_factory=dict)

    @cached_property
    def _of_code(self) -> dict[str, list[NamedArea]]:
        return _grouped(self.areas, lambda area: area.la_code)

    @cached_property
    def _of_name(self) -> dict[str, list[NamedArea]]:
        return _grouped(self.areas, lambda area: plain(area.name))

    @cached_property
    def _of_place(self) -> dict[str, list[NamedArea]]:
        return _grouped(self.areas, lambda area: bare(area.name))

    @cached_property
    def _code_of_spelling(self) -> dict[str, str]:
        return {plain(spelling): code for spelling, code in self.spellings.items()}

    def named(self, name: str) -> list[NamedArea]:
        """The authorities that a name can mean; none where it is unknown, two where they share it."""
        code = self._code_of_spelling.get(plain(name))
        if code:
            found = self._of_code.get(code, [])
        else:  # the rule of `matching`, for a name that is looked up among many again and again
            place = bare(name)
            found = self._of_name.get(plain(name)) or (self._of_place.get(place, []) if place else [])
        return list({area.la_code: area for area in found}.values())

    def la_code(self, name: str, place: Place, day: dt.date | None = None) -> str:
        """DfE code of the authority that a published name means.

        Where several share the name, it is the one in being on `day`. Raises Refusal with the place, the name and the
        nearest names where none has it, and with the codes where the day does not settle which.
        """
        found = self.named(name)
        if len(found) > 1 and day is not None:
            found = [area for area in found if area.in_being(day)] or found
        if len(found) == 1:
            return found[0].la_code
        if found:
            codes = ", ".join(f"{area.name} ({area.la_code})" for area in found)
            when = "no date settles which" if day is None else f"{day.isoformat()} does not settle which"
            raise cells.refuse(
                "ambiguous_name", f"several authorities have that name, {codes}, and {when}", place, name,
                "use the file as published, or correct the date",
            )  # fmt: skip
        raise self._unknown(name, place)

    def refuse_other(self, name: str, la_code: str, place: Place) -> None:
        """Refuse a row whose name is not one of the authority that its code says."""
        found = self.named(name)
        if not found:
            raise self._unknown(name, place)
        if la_code not in {area.la_code for area in found}:
            own = " or ".join(sorted({area.name for area in self._of_code.get(la_code, [])}))
            raise cells.refuse(
                "name_and_code_differ", f"the row's area code is that of {own or 'another authority'} ({la_code})",
                place, name, "restore the published row",
            )  # fmt: skip

    def _unknown(self, name: str, place: Place) -> Refusal:
        near = nearest(name, (area.name for area in self.areas))
        meant = f"if {' or '.join(near)} is meant" if near else "if it is a spelling of one"
        return cells.refuse(
            "unknown_authority", "no local authority has that name", place, name,
            f"{meant}, add the spelling to la_name_spellings.csv in data/raw/reference, else use the file as published",
        )  # fmt: skip


def _grouped(areas: Iterable[NamedArea], key: Callable[[NamedArea], str]) -> dict[str, list[NamedArea]]:
    groups: dict[str, list[NamedArea]] = defaultdict(list)
    for area in areas:
        groups[key(area)].append(area)
    return groups
