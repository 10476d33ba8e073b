"""The map of Ardenia, a country that does not exist: regions, authorities, their codes, and how these changed.

What belongs here: everything about places that is the same whatever the seed, as plain data. What does not: children
(`country`), and how a file spells a place that another file spells differently (the modules that write files).

Codes cannot be mistaken for real ones: area codes begin with Z, and authority codes come from ranges that are not in
use (100-199, 500-599, and a few that begin with a zero).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

COUNTRY_NAME = "Ardenia"
COUNTRY_CODE = "Z92000001"

DIVIDED_REGION = "Z12000007"  # the capital: published as a whole, as an inner part and as an outer part
INNER_PART = "Z13000001"

TINY_CITY = "101"  # about 900 children
TINY_ISLAND = "550"  # about 350 children
TOO_SMALL = {
    TINY_CITY: "about 900 children; counts in single figures, some suppressed",
    TINY_ISLAND: "about 350 children; most counts 0 or suppressed",
}


@dataclass(frozen=True)
class Region:
    """A region, or a part of one. The letters are its codes in the wide files, which changed after 2010."""

    code: str
    name: str
    letter_2010: str
    letter_2011: str
    part_of: str = ""


REGIONS = (
    Region("Z12000001", "Skerrow Coast", "A", "A"),
    Region("Z12000002", "Upper Velm", "B", "B"),
    Region("Z12000003", "Harrowdane and The Orr", "D", "C"),
    Region("Z12000004", "Tarnevale", "E", "D"),
    Region("Z12000005", "Lower Velm", "F", "E"),
    Region("Z12000006", "Eastern Sarn", "G", "F"),
    Region("Z12000007", "Quorin", "H", "G"),
    Region("Z12000008", "Southern Reach", "J", "J"),
    Region("Z12000009", "Westerfell", "K", "K"),
)
PARTS = (
    Region("Z13000001", "Inner Quorin", "", "H", DIVIDED_REGION),
    Region("Z13000002", "Outer Quorin", "", "I", DIVIDED_REGION),
)


# Where the middle of a region lies, in degrees: all of it in the middle of an ocean.
REGION_CENTRES = {
    "Z12000001": (47.0, -28.0),
    "Z12000002": (45.6, -30.6),
    "Z12000003": (45.4, -27.0),
    "Z12000004": (43.9, -28.9),
    "Z12000005": (43.5, -31.6),
    "Z12000006": (43.0, -26.2),
    "Z12000007": (42.3, -28.6),
    "Z12000008": (41.0, -28.0),
    "Z12000009": (41.4, -31.6),
}


@dataclass(frozen=True)
class Change:
    """One row of the table of code changes, in the words of that table."""

    old_area: str
    old_name: str
    new_area: str
    new_name: str
    kind: str  # recode, boundary, split or merge
    day: str  # the first day of the new code
    old_code: str
    new_code: str
    note: str = ""


# Kind and first day of the new code; area code, three-digit code and name before; the same after; a note.
_CHANGES = """
split 2009-04-01 | Z10000028 598 Cheldra | Z06000011 155 Cheldra East
split 2009-04-01 | Z10000028 598 Cheldra | Z06000012 156 Cheldra West and Ossel
split 2009-04-01 | Z10000029 551 Kernovar and Isles of Taviel | Z06000029 551 Kernovar
split 2009-04-01 | Z10000029 550 Kernovar and Isles of Taviel | Z06000027 550 Isles of Taviel | no row in 2011 to 2017
boundary 2013-04-01 | Z06000053 149 Umberskar | Z06000069 149 Umberskar | a few addresses; old code kept through 2017
merge 2019-04-01 | Z06000048 557 Solmunde | Z06000061 595 Solmunde, Crestavik and Pellavik
merge 2019-04-01 | Z06000042 554 Pellavik | Z06000061 595 Solmunde, Crestavik and Pellavik
split 2019-04-01 | Z10000004 547 Dorvane | Z06000061 595 Solmunde, Crestavik and Pellavik | only Crestavik moves
split 2019-04-01 | Z10000004 547 Dorvane | Z06000062 594 Dorvane | the county less Crestavik
recode 2020-04-01 | Z10000003 529 Bukkenmark | Z06000067 529 Bukkenmark | county to unitary, same area
split 2021-04-01 | Z10000014 199 Nardenmark | Z06000063 590 North Nardenmark
split 2021-04-01 | Z10000014 199 Nardenmark | Z06000064 591 West Nardenmark
split 2023-04-01 | Z10000009 161 Halvermark | Z06000065 592 Halver Lakes
split 2023-04-01 | Z10000009 161 Halvermark | Z06000066 593 Skarnavel and Furnoss
recode 2023-04-01 | Z10000017 188 Nordrimark | Z06000068 188 Nordrimark | county to unitary, same area
"""

# The children of an area that changes hands are simulated piece by piece, so that old and new authorities agree.
# Every other authority is one piece, called by its own code.
MOVED_DISTRICT = "Crestavik"
PIECES_OF = {
    "199": ("590", "591"),
    "161": ("592", "593"),
    "547": ("594", MOVED_DISTRICT),
    "595": ("557", "554", MOVED_DISTRICT),
}
# Children aged 0-17 in mid-2009 where chance would give sizes unlike those of such authorities.
CHILDREN_2009 = {
    TINY_CITY: 900,
    TINY_ISLAND: 350,
    "590": 74_000,
    "591": 83_000,
    "592": 53_000,
    "593": 41_000,
    "594": 67_000,
    MOVED_DISTRICT: 9_000,
    "554": 29_000,
    "557": 33_000,
}

# Districts of 2016 in the counties that were divided later, by the piece they went to. Other counties get four each,
# named after the county and a point of the compass.
DISTRICTS_OF_PIECE = {
    "590": ("Tessavel", "Rundavik"),
    "591": ("Gelvoss", "Mirravel"),
    "592": ("Fallenoss", "Juttavik", "Ostavel"),
    "593": ("Skarnavik", "Furnoss"),
    "594": ("Perravel", "Wimmoss", "Dorvane Heath"),
    MOVED_DISTRICT: (MOVED_DISTRICT,),
}

_FIRST_CODES_DAY = "2009-01-01"  # area codes of this kind were introduced on that day

# Region or part, three-digit code, first area code, name.
_AUTHORITIES = """
Z12000001 140 Z08000001 Abrenasund
Z12000001 141 Z08000004 Bolvamora
Z12000001 142 Z06000013 County Kelvary
Z12000001 143 Z08000011 Grennune
Z12000001 144 Z06000028 Karrorra
Z12000001 145 Z08000017 Korvavik
Z12000001 146 Z08000020 Marvoss
Z12000001 147 Z06000036 Narvenna
Z12000001 148 Z06000050 Tolviskar
Z12000001 149 Z06000053 Umberskar
Z12000001 150 Z06000054 Vaskavel
Z12000001 151 Z06000057 Werrary
Z12000001 152 Z06000059 Yarvagard
Z12000001 153 Z06000060 Zorreth
Z12000002 154 Z08000003 Arvelagard
Z12000002 155 Z06000011 Cheldra East
Z12000002 156 Z06000012 Cheldra West and Ossel
Z12000002 012 Z08000006 Corvelavik
Z12000002 158 Z06000014 Draveth
Z12000002 159 Z08000007 Driskavel
Z12000002 160 Z10000007 Errinmark
Z12000002 161 Z10000009 Halvermark
Z12000002 162 Z10000011 Jarnmark
Z12000002 163 Z08000015 Jorvasund
Z12000002 164 Z08000019 Lorviskar
Z12000002 165 Z08000021 Meskorra
Z12000002 166 Z06000037 Neskenna
Z12000002 167 Z06000039 Olvorra
Z12000002 168 Z08000023 Oskenna
Z12000002 169 Z08000024 Perramora
Z12000002 170 Z06000045 Rovvary
Z12000002 171 Z06000046 Sarnagard
Z12000002 172 Z08000027 St. Orvel
Z12000002 173 Z08000028 Traskary
Z12000002 174 Z08000029 Urveth
Z12000002 175 Z08000030 Velmoss
Z12000002 176 Z08000034 Zeldune
Z12000002 592 Z06000065 Halver Lakes
Z12000002 593 Z06000066 Skarnavel and Furnoss
Z12000003 177 Z08000002 Ambrenna
Z12000003 178 Z06000017 Elmisune
Z12000003 179 Z08000008 Eskalorra
Z12000003 180 Z06000018 Fenross
Z12000003 181 Z08000009 Froskagard
Z12000003 182 Z08000012 Haskary
Z12000003 183 Z08000013 Helviskar
Z12000003 184 Z06000024 Hullavik upon Orr, City of
Z12000003 185 Z08000016 Keskavel
Z12000003 186 Z08000018 Lesketh
Z12000003 187 Z06000035 Morvavik
Z12000003 188 Z10000017 Nordrimark
Z12000003 189 Z08000025 Praskune
Z12000003 190 Z08000026 Quellavik
Z12000003 191 Z06000047 Skellamora
Z12000003 192 Z06000052 Ulmasund
Z12000004 193 Z10000001 Aldrumark
Z12000004 194 Z06000004 Berskasund
Z12000004 019 Z10000002 Brannmark
Z12000004 196 Z06000019 Galdross
Z12000004 197 Z10000010 Holvmark
Z12000004 198 Z06000025 Ilmeramora
Z12000004 199 Z10000014 Nardenmark
Z12000004 500 Z06000044 Raskenna
Z12000004 590 Z06000063 North Nardenmark
Z12000004 591 Z06000064 West Nardenmark
Z12000005 501 Z06000009 Caldrorra
Z12000005 502 Z08000005 Cerrinoss
Z12000005 503 Z06000016 Dunniskar
Z12000005 504 Z08000010 Gorvamora
Z12000005 505 Z06000022 Heravane, County of
Z12000005 506 Z08000014 Irskasund
Z12000005 507 Z10000012 Karrmark
Z12000005 508 Z06000031 Lummavik
Z12000005 509 Z08000022 Narvavel
Z12000005 510 Z06000040 Orvavel
Z12000005 511 Z10000023 Tolvmark
Z12000005 512 Z08000031 Werragard
Z12000005 513 Z08000032 Woskune
Z12000005 514 Z08000033 Yarvary
Z12000005 515 Z10000026 Zorrmark
Z12000006 516 Z06000002 Abrenune
Z12000006 517 Z06000006 Bolviskar
Z12000006 518 Z10000005 Dravmark
Z12000006 519 Z06000021 Grennorra
Z12000006 520 Z06000030 Korvoss
Z12000006 521 Z06000034 Marvavik
Z12000006 522 Z10000016 Neskmark
Z12000006 523 Z10000018 Olvmark
Z12000006 524 Z10000019 Rovvmark
Z12000006 525 Z10000021 Sarnmark
Z12000006 526 Z06000055 Vasketh
Z12000008 527 Z06000003 Aldruagard
Z12000008 528 Z06000007 Brannasund
Z12000008 529 Z10000003 Bukkenmark
Z12000008 530 Z06000008 Caldramora
Z12000008 531 Z06000010 Cerrinavik
Z12000008 532 Z06000015 Dunnenna
Z12000008 533 Z10000008 Gorvmark
Z12000008 534 Z06000023 Holvary
Z12000008 535 Z06000026 Irskune
Z12000008 536 Z10000013 Gelvermark
Z12000008 034 Z06000032 Lummoss
Z12000008 538 Z10000015 Narvmark
Z12000008 539 Z06000041 Orveth
Z12000008 540 Z06000043 Raskavel
Z12000008 541 Z10000024 Werrmark
Z12000008 542 Z06000058 Woskorra
Z12000008 543 Z10000025 Yarvmark
Z12000008 544 Z10000027 Tessermark
Z12000009 545 Z06000001 Abrenary
Z12000009 546 Z06000005 Bolvenna
Z12000009 547 Z10000004 Dorvane
Z12000009 548 Z10000006 Fallermark
Z12000009 549 Z06000020 Grennamora
Z12000009 550 Z06000027 Isles of Taviel
Z12000009 551 Z06000029 Kernovar
Z12000009 552 Z06000033 Marvasund
Z12000009 553 Z06000038 Neskune
Z12000009 554 Z06000042 Pellavik
Z12000009 555 Z10000020 Ostermark
Z12000009 556 Z10000022 Juttermark
Z12000009 557 Z06000048 Solmunde
Z12000009 558 Z06000049 Tolvagard
Z12000009 559 Z06000051 Tressavik, City of
Z12000009 560 Z06000056 Vaskorra
Z12000009 594 Z06000062 Dorvane
Z12000009 595 Z06000061 Solmunde, Crestavik and Pellavik
Z13000001 101 Z09000005 City of Quorin
Z13000001 102 Z09000002 Arvelary
Z13000001 103 Z09000006 Corveloss
Z13000001 104 Z09000007 Drisketh
Z13000001 105 Z09000018 Jorvune
Z13000001 106 Z09000021 Lorvenna
Z13000001 107 Z09000022 Meskamora
Z13000001 108 Z09000024 Oskavel
Z13000001 109 Z09000025 Perriskar
Z13000001 110 Z09000029 Traskagard
Z13000001 111 Z09000031 Urvasund
Z13000001 112 Z09000032 Velmavik
Z13000001 113 Z09000033 Zeldorra
Z13000002 114 Z09000001 Ambravel
Z13000002 115 Z09000003 Barkavel and Dagmora
Z13000002 116 Z09000004 Berskune
Z13000002 117 Z09000008 Elmisorra
Z13000002 118 Z09000009 Errineth
Z13000002 119 Z09000010 Eskalamora
Z13000002 120 Z09000011 Fenravik
Z13000002 007 Z09000012 Froskary
Z13000002 122 Z09000013 Galdravik
Z13000002 123 Z09000014 Haskagard
Z13000002 124 Z09000015 Helvenna
Z13000002 125 Z09000016 Ilmeriskar
Z13000002 126 Z09000017 Jarnenna
Z13000002 127 Z09000019 Kesketh
Z13000002 128 Z09000020 Leskasund
Z13000002 129 Z09000023 Morvoss
Z13000002 130 Z09000026 Praskorra
Z13000002 131 Z09000027 Quelloss
Z13000002 132 Z09000028 Skelliskar
Z13000002 133 Z09000030 Ulmune
"""


@dataclass(frozen=True)
class Authority:
    """A local authority under one three-digit code.

    `area_codes` are its area codes with the first day of each, oldest first. `ends` is the first day on which it no
    longer exists, None while it does.
    """

    code: str
    name: str
    region: str  # the part, in the divided region
    begins: str
    ends: str | None
    area_codes: tuple[tuple[str, str], ...]
    pieces: tuple[str, ...]

    def in_being(self, day: str) -> bool:
        """Whether the authority exists on a day, given as YYYY-MM-DD."""
        return self.begins <= day and (self.ends is None or day < self.ends)

    def area_code_on(self, day: str) -> str:
        """Give the newest area code that is valid by a day; the first one for a day before it."""
        valid = [area_code for area_code, first_day in self.area_codes if first_day <= day]
        return valid[-1] if valid else self.area_codes[0][0]


def _change(line: str) -> Change:
    kind_and_day, old, new, note = [*line.split(" | "), ""][:4]
    kind, day = kind_and_day.split(" ")
    old_area, old_code, old_name = old.split(" ", 2)
    new_area, new_code, new_name = new.split(" ", 2)
    return Change(old_area, old_name, new_area, new_name, kind, day, old_code, new_code, note)


CHANGES = tuple(_change(line) for line in _CHANGES.strip().splitlines())


@cache
def whole_region(region: str) -> str:
    """Code of the region that a region or a part of one belongs to."""
    return DIVIDED_REGION if any(part.code == region for part in PARTS) else region


_further: list[str] = []


def mapped() -> list[str]:
    """The lines of the map, as `settle` takes them."""
    return _AUTHORITIES.strip().splitlines()


def settle(lines: list[str], children_2009: dict[str, int]) -> None:
    """Add authorities to the map, in a process that has asked for none yet: for measuring at other sizes.

    A line is region or part, code, first area code and name, as in the map itself; children are by code. Raises
    RuntimeError when the map has been read: whoever read it would go on with the smaller country.
    """
    if authorities.cache_info().currsize:
        raise RuntimeError("the map has been read already: settle in a fresh process")
    _further.extend(lines)
    CHILDREN_2009.update(children_2009)


@cache
def authorities() -> tuple[Authority, ...]:
    """All authorities that have existed since 2009, by code. The tiny island and the city are among them."""
    rows = (line.split(" ", 3) for line in (*mapped(), *_further))
    return tuple(sorted((_authority(*row) for row in rows), key=lambda authority: authority.code))


def _authority(region: str, code: str, area_code: str, name: str) -> Authority:
    created = [change.day for change in CHANGES if change.new_area == area_code]
    ended = [change.day for change in CHANGES if change.old_area == area_code and change.new_code != code]
    begins = created[0] if created else _FIRST_CODES_DAY
    renewed = [(change.new_area, change.day) for change in CHANGES if change.old_area == area_code]
    return Authority(
        code=code,
        name=name,
        region=region,
        begins=begins,
        ends=ended[0] if ended else None,
        area_codes=((area_code, begins), *([] if ended else renewed)),
        pieces=PIECES_OF.get(code, (code,)),
    )
