"""The base data of the Local Authority Interactive Tool: one long Parquet file an edition, a row a measure, area and year.

What belongs here: the columns of that file and the few of its four hundred measures that are of use. What does not:
which edition speaks for a year (`pipeline.interactive_tool`, `pipeline.uasc`) and what the figures are used for.

A measure is known by its key (`Short Desc`). Its title (`Data item`) stands in the first rows of a measure alone, and in
some editions in none; where it stands, it must be the one known, so that a key given to another figure is noticed.
The edition is named by the newest year it has of children looked after: that of May 2025 is 2024, that of April 2026 is
2025. Authorities that have ended stay in the file (their names end in "(Pre LG)") under the code they had.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

import pandas as pd

from pipeline import corrections
from pipeline.errors import Refusal
from pipeline.readers import parquet_table
from pipeline.readers.layout import (
    AUTHORITY,
    ENGLAND,
    INTERACTIVE_TOOL,
    MEASUREMENTS,
    REGION,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
)
from pipeline.readers.opening import Opening

LAYOUT = "interactive_tool"
MARKER = "-"  # suppressed, not applicable or missing: the file does not say which; it is never 0

_KEY, _TITLE, _YEARS, _NAME, _VALUE, _CODE = (
    "Short Desc", "Data item", "Years", "LA and Regions", "Values", "LA Number",
)  # fmt: skip
_COLUMNS = (_KEY, _TITLE, _YEARS, _NAME, _VALUE, _CODE)
_OWN_WORDS = {"Short Desc", "LA and Regions", "LA Number"}  # two of them are enough, so that a missing one is refused
_AS_PUBLISHED = "use the file as published, or tell pipeline/readers/interactive_tool.py what the publisher has changed"

_ENGLAND_CODE = "970"
_REGION_CODES = frozenset(str(code) for code in range(980, 991))

_WHOLE = re.compile(r"[0-9]{1,9}")  # as in `cells`
_NUMBER = re.compile(
    r"-?[0-9]{1,15}(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?"
)  # what has more digits is no figure of these
_REPORTING_YEAR = re.compile(r"(?P<year>20[0-9]{2})")
_FINANCIAL_YEAR = re.compile(
    r"(?P<before>20[0-9]{2})-(?P<end>[0-9]{2}) \(OT\)"
)  # OT: outturn, what was spent and not planned

COUNT, SHARE, AMOUNT = "count", "share", "amount"


@dataclass(frozen=True)
class Measure:
    """One measure of use. `unit` is that of its values; `title` is what `Data item` says, spaces collapsed."""

    name: str
    title: str
    kind: str
    years: re.Pattern[str]

    @property
    def unit(self) -> str:
        """The unit of the values."""
        return {COUNT: "children", SHARE: "per cent", AMOUNT: "pounds"}[self.kind]


MEASURES: dict[str, Measure] = {
    "LACnum": Measure("looked_after", "Number of Looked after Children", COUNT, _REPORTING_YEAR),
    "LACnum_Start": Measure(
        "started",
        "Number of Children who started to be looked after during the year ending 31 March",
        COUNT,
        _REPORTING_YEAR,
    ),
    "LACceased": Measure(
        "ceased", "Number of children who ceased to be looked after during the year", COUNT, _REPORTING_YEAR
    ),
    "Unacc_Asylmn_Seek_Childn": Measure(
        "uasc",
        "Number of unaccompanied Asylum Seeking Children looked after at 31 March.",
        COUNT,
        _REPORTING_YEAR,
    ),
    "ChildPov": Measure("child_poverty", "Proportion of children living in poverty (Under 16)", SHARE, _REPORTING_YEAR),
    "PriFSM": Measure("free_school_meals_primary", "Primary FSM", SHARE, _REPORTING_YEAR),
    # The section 251 line "Total Children Looked After", total expenditure, in whole pounds.
    "TotalLACFinance": Measure(
        "looked_after_expenditure", "Total Children Looked After (finance)", AMOUNT, _FINANCIAL_YEAR
    ),
}
_STOCK = "LACnum"


def _recognises(opening: Opening) -> bool:
    return len(_OWN_WORDS & set(opening.columns)) >= 2


def _edition(source: SourceFile, knowledge: Knowledge) -> Edition:
    rows = _rows(source, [_STOCK], (_KEY, _YEARS))
    return Edition(release=int(_year(rows, source.name).max()))


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    """The measures of use for authorities, regions and England.

    `year` is the one in `Years`: the reporting year ending 31 March for counts, the financial year ending for poverty
    and expenditure, the year of the January census for school meals. `source_row` counts from 1; there is no header row.
    """
    rows = _rows(source, list(MEASURES), _COLUMNS)
    _refuse_other_titles(rows, source.name)
    code = _code(rows[_CODE])
    level = code.map(_level).astype("string")
    unknown = (level == AUTHORITY) & ~code.isin(knowledge.la_codes)
    _refuse_first(
        unknown, code, source.name, _CODE, "unknown_area", "the area code is not in the lookup of local authorities",
        "if the authority is new, add it to dfe_la_lookup.csv and la_code_changes.csv in data/raw/reference",
    )  # fmt: skip
    frame = pd.DataFrame(
        {
            "area_level": level,
            "area_code": code,
            "ons_code": pd.NA,
            "area_name": rows[_NAME],
            "year": _year(rows, source.name),
            "release": edition.release,
            "measure": rows[_KEY].map({key: measure.name for key, measure in MEASURES.items()}),
            "value": _values(rows, level, source.name),
            "marker": rows[_VALUE].where(rows[_VALUE] == MARKER),
            "source_file": source.name,
            "source_sha256": source.sha256,
            "source_row": rows.index,
            "source_column": _VALUE,
        }
    )
    _refuse_repetitions_and_gaps(frame, source.name)
    tidy = frame.astype(MEASUREMENTS.columns).reset_index(drop=True)
    return corrections.set_missing(tidy, knowledge.corrections, LAYOUT, edition.release, source.name)


def _rows(source: SourceFile, keys: list[str], columns: tuple[str, ...]) -> pd.DataFrame:
    """The rows of some measures, cells as text but for the area's code; Refusal where a measure has none."""
    rows = parquet_table.read(source.content, source.name, list(columns), {_KEY: keys})
    for key in keys:
        if not (rows[_KEY] == key).any():
            raise _missing_measure(key, source)
    # Spaces at the ends of a cell mean nothing; an area's code may be stored as a number (see _code).
    texts = {name: rows[name].astype("string").str.strip() for name in columns if name != _CODE}
    return rows.assign(**texts)


def _missing_measure(key: str, source: SourceFile) -> Refusal:
    there = parquet_table.distinct(source.content, source.name, _KEY)
    near = difflib.get_close_matches(key, there, n=3, cutoff=0.6)
    return Refusal(
        "missing_measure",
        f"the measure {key} ({MEASURES[key].title}) is not in the file"
        + (f"; it has {', '.join(near)}" if near else ""),
        file=source.name,
        column=_KEY,
        remedy=_AS_PUBLISHED,
    )


def _refuse_other_titles(rows: pd.DataFrame, file: str) -> None:
    title = rows[_TITLE].str.split().str.join(" ")
    expected = rows[_KEY].map({key: measure.title for key, measure in MEASURES.items()})
    other = title.notna() & (title != "") & (title.str.casefold() != expected.str.casefold())
    _refuse_first(
        other, title, file, _TITLE, "other_measure",
        "the measure is not called what it was: its definition or unit may have changed", _AS_PUBLISHED,
    )  # fmt: skip


def _code(numbers: pd.Series) -> pd.Series:
    """Area codes as three-digit text, whether they are stored as numbers or as text."""
    if pd.api.types.is_numeric_dtype(numbers):
        return numbers.map(lambda number: "" if pd.isna(number) else f"{number:g}".zfill(3)).astype("string")
    return numbers.astype("string").str.strip()


def _level(code: str) -> str:
    if code == _ENGLAND_CODE:
        return ENGLAND
    return REGION if code in _REGION_CODES else AUTHORITY


def _year(rows: pd.DataFrame, file: str) -> pd.Series:
    """The reporting year, or the financial year's end, of each row; each measure has its own form of years."""
    years = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    for key, own in rows.groupby(_KEY, sort=False):
        form = MEASURES[str(key)].years
        parts = own[_YEARS].str.extract(f"^(?:{form.pattern})$")
        found = parts["year"] if "year" in parts else _end_of_financial_year(parts)
        _refuse_first(
            found.isna(), own[_YEARS], file, _YEARS, "not_a_year",
            f"this is not a year in the form that {key} has ({'2017' if 'year' in parts else '2016-17 (OT)'})",
            _AS_PUBLISHED,
        )  # fmt: skip
        years.loc[own.index] = found.astype("Int64")
    return years


def _end_of_financial_year(parts: pd.DataFrame) -> pd.Series:
    """2017 for 2016-17; missing where the second half does not follow on the first."""
    before = parts["before"].astype("Int64")
    return (before + 1).where((before + 1) % 100 == parts["end"].astype("Int64"))


def _values(rows: pd.DataFrame, level: pd.Series, file: str) -> pd.Series:
    """The numbers; missing where the marker stands. Refuses what is neither, and what its kind of measure rules out."""
    text = rows[_VALUE]
    kind = rows[_KEY].map({key: measure.kind for key, measure in MEASURES.items()})
    is_number = text.str.fullmatch(_NUMBER.pattern).fillna(False).astype(bool)
    is_marker = (text == MARKER).fillna(False).astype(bool)
    _refuse_first(
        ~is_number & ~is_marker, text, file, _VALUE, "unknown_marker",
        f"this is neither a number nor the marker {MARKER}",
        "use the file as published, or give the marker's meaning to its reader if the publisher has added it",
    )  # fmt: skip
    is_whole = text.str.fullmatch(_WHOLE.pattern).fillna(False).astype(bool)
    _refuse_first(
        is_number & ~is_whole & (kind == COUNT), text, file, _VALUE, "not_a_count",
        "a count of children is a whole number and not negative", "restore the published figure",
    )  # fmt: skip
    value = pd.to_numeric(text.where(is_number)).astype("Float64")
    _refuse_first(
        is_number & (kind == SHARE) & ~value.between(0, 100).fillna(True), text, file, _VALUE, "not_a_share",
        "a share is between 0 and 100 per cent", "restore the published figure",
    )  # fmt: skip
    for key in (key for key, measure in MEASURES.items() if measure.kind == SHARE):
        own = is_number & (rows[_KEY] == key) & (level == AUTHORITY)
        is_fraction = own & bool(own.any() and (value[own] <= 1).all())
        _refuse_first(
            is_fraction, text, file, _VALUE, "share_as_fraction",
            f"every share of {key} is at most 1: these are fractions, and per cent are expected", _AS_PUBLISHED,
        )  # fmt: skip
    return value


def _refuse_repetitions_and_gaps(frame: pd.DataFrame, file: str) -> None:
    """Each measure has one row an area and year, for all of its areas and years."""
    key = ["measure", "area_code", "year"]
    doubled = frame.duplicated(key)
    if doubled.any():
        second = frame.loc[doubled].iloc[0]
        first = frame.loc[(frame[key] == second[key]).all(axis=1)].iloc[0]
        raise Refusal(
            "duplicated_row",
            f"the same measure, area and year stand in row {first['source_row']} already",
            file=file,
            row=int(second["source_row"]),
            column=_CODE,
            value=second["area_code"],
            remedy="remove the row that does not belong",
        )
    areas = set(frame["area_code"])
    for (measure, year), own in frame.groupby(["measure", "year"]):
        missing = sorted(areas - set(own["area_code"]))
        if missing:
            raise Refusal(
                "missing_row",
                f"area {missing[0]} has no row for {measure} in {year}: the file may have been cut short",
                file=file,
                remedy="use the file as published",
            )


def _refuse_first(
    bad: pd.Series, cells: pd.Series, file: str, column: str, code: str, problem: str, remedy: str
) -> None:
    """Refuse the first cell of `bad`, if there is one; the index of the cells is their row in the file."""
    found = cells.index[bad.astype(bool)]
    if len(found):
        cell = cells.at[found[0]]
        raise Refusal(
            code,
            problem,
            file=file,
            row=int(found[0]),
            column=column,
            value="" if pd.isna(cell) else str(cell),
            remedy=remedy,
        )


LAYOUTS = [
    Layout(
        name=LAYOUT,
        publication=INTERACTIVE_TOOL,
        title="Local Authority Interactive Tool, base data",
        publisher="Department for Education",
        recognises=_recognises,
        edition=_edition,
        read=_read,
        form=MEASUREMENTS,
    )
]
