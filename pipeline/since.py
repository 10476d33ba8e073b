"""What changed since the last publication: files, counts, populations and flags.

What belongs here: comparing a database that is being built with the one that is published, and saying it in a few plain
sentences. What does not: what the publisher revised between its own releases (`revisions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from pipeline.tables import ddl

FIRST = "There was no publication before."
_SHOWN_NAMES = 8  # a longer list is for a query
_BEFORE = "published_before"

_FILES = f"""
SELECT count(*) FILTER (old.sha256 IS NULL) AS added, count(*) FILTER (new.sha256 IS NULL) AS gone
FROM (SELECT DISTINCT sha256 FROM about.sources) AS new
FULL JOIN (SELECT DISTINCT sha256 FROM {_BEFORE}.about.sources) AS old USING (sha256)
"""
_FIGURES = f"""
SELECT count(*) FILTER (old.la_code IS NULL) AS added,
       count(*) FILTER (old.la_code IS NOT NULL AND new.looked_after IS DISTINCT FROM old.looked_after) AS counts,
       count(*) FILTER (old.la_code IS NOT NULL AND new.population_0_17 IS DISTINCT FROM old.population_0_17) AS people
FROM main.care_numbers AS new
LEFT JOIN {_BEFORE}.main.care_numbers AS old USING (la_code, year)
"""
_FLAGS = f"""
SELECT new.unit_name || ' ' || new.window_start || '-' || new.window_end
FROM main.five_year_change AS new
JOIN {_BEFORE}.main.five_year_change AS old USING (window_start, window_end, unit_id)
WHERE new.bucked IS DISTINCT FROM old.bucked OR new.evidence IS DISTINCT FROM old.evidence
ORDER BY new.unit_name, new.window_start, new.window_end
"""
_NEW_WINDOWS = f"""
SELECT DISTINCT window_start || '-' || window_end AS span FROM main.five_year_change
WHERE (window_start, window_end) NOT IN (SELECT (window_start, window_end) FROM {_BEFORE}.main.five_year_change)
ORDER BY span
"""
_BASIS = f"""
SELECT new.property FROM about.run AS new JOIN {_BEFORE}.about.run AS old USING (property)
WHERE new.property IN ('settings_sha256', 'code_sha256') AND new.value <> old.value ORDER BY new.property
"""
_BASIS_WORDS = {"code_sha256": "the code", "settings_sha256": "the settings"}


def sentences(building: duckdb.DuckDBPyConnection, before: Path | None) -> list[str]:
    """What differs in the database open in `building` from the published one at `before`; one sentence a kind of change.

    A database with other tables or columns cannot be compared, which is said.
    """
    if before is None or not before.exists():
        return [FIRST]
    building.execute(f"ATTACH {ddl.quoted(str(before))} AS {_BEFORE} (READ_ONLY)")
    try:
        said = [*_of_basis(building), *_of_files(building), *_of_figures(building), *_of_flags(building)]
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        return [f"The publication before has other tables and is not compared ({str(error).splitlines()[0]})."]
    finally:
        building.execute(f"DETACH {_BEFORE}")
    return said or ["Nothing that was compared differs: files, counts, populations, flags, code and settings."]


def _of_basis(building: duckdb.DuckDBPyConnection) -> list[str]:
    changed = [_BASIS_WORDS[name] for (name,) in building.execute(_BASIS).fetchall()]
    return [f"Other than before: {' and '.join(changed)}."] if changed else []


def _of_files(building: duckdb.DuckDBPyConnection) -> list[str]:
    added, gone = _row(building, _FILES)
    return [f"Files: {added} new, {gone} no longer used."] if added or gone else []


def _of_figures(building: duckdb.DuckDBPyConnection) -> list[str]:
    added, counts, people = _row(building, _FIGURES)
    told = [
        (added, "rows of an authority and year are new"),
        (counts, "counts of children looked after differ"),
        (people, "populations differ"),
    ]
    parts = [f"{number:,} {words}" for number, words in told if number]
    return [f"Of main.care_numbers, {'; '.join(parts)}."] if parts else []


def _of_flags(building: duckdb.DuckDBPyConnection) -> list[str]:
    windows = [span for (span,) in building.execute(_NEW_WINDOWS).fetchall()]
    units = [name for (name,) in building.execute(_FLAGS).fetchall()]
    said = [f"New windows: {', '.join(windows)}."] if windows else []
    if units:
        said.append(f"Another flag or evidence in {len(units)} cases: {_listed(units)}.")
    return said


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more


def _row(building: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    (row,) = building.execute(sql).fetchall()
    return tuple(int(value) for value in row)
