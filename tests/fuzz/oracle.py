"""What becomes of a spoilt file: the same figures, a refusal, or other figures that nothing refuses.

What belongs here: putting one mutant in its file's place in a whole data folder and asking, in the order of a run, the
functions that a run asks: recognising, reading, the core tables, the checks, the pinned hash. What does not: spoiling files
(`mutations`) and how many (`run`).

Every step is the product's own function. The frames of the other files are read once and kept, which is all that a mutant
saves against a run.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import pandas as pd

from pipeline import (
    checks,
    deprivation,
    geography,
    inspections,
    interactive_tool,
    looked_after,
    markers,
    neighbours,
    population,
    settings,
    source_lock,
    sources,
    spending,
)
from pipeline.errors import Refusal
from pipeline.geography import Areas
from pipeline.readers import hmrc_low_income, spending_ro3
from pipeline.readers import interactive_tool as tool_reader
from pipeline.readers.layout import (
    DEPRIVATION,
    DISTRICT_LOOKUP,
    DISTRICT_POPULATION,
    INSPECTIONS,
    INTERACTIVE_TOOL,
    LOOKED_AFTER,
    NATIONAL_SERIES,
    POPULATION,
    SPENDING,
    STATISTICAL_NEIGHBOURS,
)
from pipeline.source_lock import LockEntry
from pipeline.sources import Register, RegisteredFile
from tests.fuzz.documents import Document, kind
from tests.fuzz.mutations import Mutant

Tables = dict[str, pd.DataFrame]
_OF_DEPRIVATION = (DEPRIVATION, DISTRICT_POPULATION, DISTRICT_LOOKUP)


class Outcome(StrEnum):
    """Where the way of a mutant ends. The order is that of a run."""

    SAME = "same"  # the reader's frame has the same rows
    REFUSED = "reader"  # refused by recognising, reading or settling editions
    CHECKED = "checks"  # refused by the core tables or by a blocking check on them
    UNUSED = "unused"  # read otherwise, and no core table differs: the figure is of an edition that does not count
    WARNED = "warned"  # a check that does not block says so; only the hash refuses
    HASH = "hash"  # only the pinned hash refuses
    LISTED = "listed"  # no layout knows it: listed among the files not used
    SILENT = "silent"  # other figures, and not even the hash refuses
    CRASH = "crash"  # an exception that is no refusal


SOUND = {Outcome.SAME, Outcome.REFUSED, Outcome.CHECKED, Outcome.UNUSED}
BROKEN = {Outcome.SILENT, Outcome.CRASH}


@dataclass(frozen=True)
class Verdict:
    """The outcome, and what tells it: the refusal's code, the check's name, the columns that differ."""

    outcome: Outcome
    detail: str


@dataclass(frozen=True)
class Core:
    """What a run makes of one publication: its core tables, and the rows of the checks on them."""

    tables: Tables
    rows: list[checks.Row]


class Country:
    """A data folder that is read as it stands, to set mutants of its files against."""

    def __init__(self, folder: Path, references: Path, scratch: Path, register: Register | None = None) -> None:
        self.folder, self.references = folder, references
        self.register = register or sources.scan(folder, references)
        self.known = self.register.knowledge
        self.areas: Areas = geography.build_areas(
            geography.local_authorities(self.register.references),
            geography.area_changes(self.register.references["la_code_changes"]),
        )
        self._tidy: Tables = {}
        self._core: dict[str, Core] = {}
        self._document: Document | None = None
        self._bench = scratch / "bench"
        self._lock = scratch / "sources.lock.json"
        self._bench.mkdir(parents=True, exist_ok=True)
        for table in self.register.references.values():
            if table.is_there and table.is_from_data_folder:
                shutil.copy(folder / table.file, self._bench / f"{table.name}.csv")

    def tidy(self, file: RegisteredFile) -> pd.DataFrame:
        """The reader's frame of a file as published."""
        if file.file not in self._tidy:
            self._tidy[file.file] = _read(self.folder, file, self.register)
        return self._tidy[file.file]

    def kind_of(self, file: RegisteredFile) -> str:
        """Whether a file is a text, a workbook or a Parquet file, without reading all of it."""
        with (self.folder / file.file).open("rb") as stream:
            return kind(stream.read(8))

    def document(self, file: RegisteredFile) -> Document:
        """A file to spoil. The last one is kept: many mutants of one file follow each other."""
        if self._document is None or self._document.name != file.file:
            content = (self.folder / file.file).read_bytes()
            self._document = Document(file.file, content, self.tidy(file), tuple(_symbols(file)))
        return self._document

    # -----------------------------------------------------------------------------------------------------------------

    def judge(self, file: RegisteredFile, mutant: Mutant) -> Verdict:
        """The outcome of a mutant that lies in the place of `file`."""
        expected = self.tidy(file)
        if mutant.like is not None:
            told = self._read_alone(file, mutant.like)
            if isinstance(told, Verdict):
                expected = None
            else:
                expected = told[1]
        read = self._read_alone(file, mutant.content)
        if isinstance(read, Verdict):
            return read
        registered, tidy = read
        if expected is not None and registered.edition == file.edition and _figures(tidy) == _figures(expected):
            return Verdict(Outcome.SAME, "")
        differs = _differing(tidy, self.tidy(file))
        try:
            others = [other for other in self.register.files if other.file != file.file]
            settled, _, _ = sources._settle([*others, registered], {})
            sources._refuse_outdated_year_corrections(settled, self.known)
        except Refusal as refusal:
            return Verdict(Outcome.REFUSED, refusal.code)
        return self._later(file, tidy, differs, mutant)

    def _read_alone(self, file: RegisteredFile, content: bytes) -> tuple[RegisteredFile, pd.DataFrame] | Verdict:
        """The file registered and read by itself, or where that ends."""
        path = self._put(file, content)
        try:
            register = sources.scan(self._bench, self.references)
            registered = register.files[0]
            return registered, _read(self._bench, registered, register, self.known)
        except Refusal as refusal:
            if refusal.code == "no_published_files":
                return self._listed(file, content)
            return Verdict(Outcome.REFUSED, refusal.code)
        except BaseException as error:  # also what a library in another language throws, which is no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            return Verdict(Outcome.CRASH, f"reading: {type(error).__name__}: {error}"[:200])
        finally:
            path.unlink(missing_ok=True)

    def _put(self, file: RegisteredFile, content: bytes) -> Path:
        path = self._bench / Path(file.file).name
        path.write_bytes(content)
        return path

    def _later(self, file: RegisteredFile, tidy: pd.DataFrame, differs: str, mutant: Mutant) -> Verdict:
        publication = file.publication
        base = self.core_of(publication)
        try:
            core = self._make_core(publication, {file.file: tidy})
            checks.refuse_failed(checks.data_checks(core.rows))
        except Refusal as refusal:
            return Verdict(Outcome.CHECKED, refusal.code)
        except Exception as error:
            return Verdict(Outcome.CRASH, f"core tables: {type(error).__name__}: {error}"[:200])
        if all(_figures(core.tables[name]) == _figures(base.tables[name]) for name in base.tables):
            return Verdict(Outcome.UNUSED, differs)
        if not self._is_refused_by_hash(file, mutant.content):
            return Verdict(Outcome.SILENT, differs)
        failed = _failures(core.rows) - _failures(base.rows)
        if failed:
            return Verdict(Outcome.WARNED, f"{differs}; {', '.join(sorted({name for name, _, _ in failed}))}")
        return Verdict(Outcome.HASH, differs)

    def _listed(self, file: RegisteredFile, content: bytes) -> Verdict:
        refused = self._is_refused_by_hash(file, content)
        return Verdict(Outcome.LISTED if refused else Outcome.SILENT, "the hash refuses it" if refused else "no layout")

    def _is_refused_by_hash(self, file: RegisteredFile, content: bytes) -> bool:
        """Whether a run on registered files refuses it, where the original is pinned under this name."""
        path = self._put(file, content)
        pinned = LockEntry(
            source=file.layout, edition=str(file.release), edition_seen=1, file=path.name, layout=file.layout,
            publication=file.publication, release=file.release, part=file.part, resolved_via=source_lock.IMPORTED,
            filename=path.name, sha256=file.sha256, bytes=file.bytes,
        )  # fmt: skip
        source_lock.write(self._lock, [pinned])
        try:
            sources.scan(self._bench, self.references, self._lock)
        except Refusal as refusal:
            return refusal.code == "hash_differs"
        finally:
            path.unlink(missing_ok=True)
        return False

    # -----------------------------------------------------------------------------------------------------------------

    def core_of(self, publication: str) -> Core:
        """The core tables and checks of a publication as published."""
        if publication not in self._core:
            self._core[publication] = self._make_core(publication, {})
        return self._core[publication]

    def _make_core(self, publication: str, replaced: Tables) -> Core:
        """What a run makes of the publication's files, with some frames in the place of others."""
        chosen = settings.load().checks
        if publication == LOOKED_AFTER:
            tidy = self._all(LOOKED_AFTER, replaced)
            looked_after.refuse_missing_rows(tidy, self.areas)
            authorities, totals = looked_after.authorities(tidy), looked_after.totals(tidy)
            rows = checks.of_looked_after(authorities, totals, self.areas, chosen)
            if self._has(INTERACTIVE_TOOL):
                rows += checks.tool_follows_the_releases(self._tool, authorities)
                rows += checks.tool_uasc_near_the_first_releases(self._tool, authorities, chosen)
            return Core({"authorities": authorities, "totals": totals}, rows)
        if publication == NATIONAL_SERIES:
            return Core({"series": looked_after.national_series(self._all(NATIONAL_SERIES, replaced))}, [])
        if publication == POPULATION:
            tidy = self._all(POPULATION, replaced)
            tables = {"authorities": population.authorities(tidy, self.areas), "totals": population.totals(tidy)}
            return Core(tables, [])
        if publication in _OF_DEPRIVATION:
            return self._deprivation(replaced, self._tool, self._tool_totals)
        if publication == INSPECTIONS:
            tidy = self._all(INSPECTIONS, replaced)
            judged, compared = inspections.inspections(tidy), inspections.compared(tidy)
            return Core({"judged": judged}, checks.of_inspections(judged, compared, self.areas))
        if publication == INTERACTIVE_TOOL:
            tidy = self._all(INTERACTIVE_TOOL, replaced)
            tool, totals = interactive_tool.authorities(tidy), interactive_tool.totals(tidy)
            authorities = self.core_of(LOOKED_AFTER).tables["authorities"]
            rows = [
                *checks.tool_follows_the_releases(tool, authorities),
                *checks.tool_uasc_near_the_first_releases(tool, authorities, chosen),
                *checks.tool_repeats_the_return(tool, self.core_of(SPENDING).tables["spending"], chosen),
            ]
            derived = self._deprivation({}, tool, totals)
            return Core({"tool": tool, "totals": totals, **derived.tables}, [*rows, *derived.rows])
        if publication == STATISTICAL_NEIGHBOURS:
            lists = neighbours.statistical_neighbours(self._all(STATISTICAL_NEIGHBOURS, replaced), self.areas)
            return Core({"lists": lists}, checks.every_authority_has_neighbours(lists, self.areas))
        assert publication == SPENDING, publication
        returns = spending.authorities(self._all(SPENDING, replaced), self.areas)
        rows = checks.tool_repeats_the_return(self._tool, returns, chosen) if self._has(INTERACTIVE_TOOL) else []
        return Core({"spending": returns}, rows)

    def _deprivation(self, replaced: Tables, tool: pd.DataFrame, totals: pd.DataFrame) -> Core:
        cells, people, lookup = (self._all(publication, replaced) for publication in _OF_DEPRIVATION)
        shares, england = deprivation.core_tables(
            deprivation.Sources(cells, people, lookup, tool, totals),
            self.register.references["lad16_to_county16"],
            self.known.la_code_of_ons_code,
            self.areas,
        )
        return Core(
            {"shares": shares, "england": england}, checks.of_deprivation(shares, england, tool, self.areas)
        )  # fmt: skip

    def _has(self, publication: str) -> bool:
        return any(file.publication == publication for file in self.register.files)

    def _all(self, publication: str, replaced: Tables) -> pd.DataFrame:
        frames = [
            replaced.get(file.file, self.tidy(file)) for file in self.register.files if file.publication == publication
        ]
        if not frames:
            return sources.read_tidy(self.folder, self.register.frame().iloc[:0], publication, self.known)
        return pd.concat(frames, ignore_index=True)

    @cached_property
    def _tool(self) -> pd.DataFrame:
        return interactive_tool.authorities(self._all(INTERACTIVE_TOOL, {}))

    @cached_property
    def _tool_totals(self) -> pd.DataFrame:
        return interactive_tool.totals(self._all(INTERACTIVE_TOOL, {}))


def _read(folder: Path, file: RegisteredFile, register: Register, known: object = None) -> pd.DataFrame:
    row = pd.DataFrame([asdict(file)])  # of about.sources, as far as a reader asks
    return sources.read_tidy(folder, row, file.publication, known or register.knowledge)


def _symbols(file: RegisteredFile) -> Iterable[str]:
    """The markers that a layout is known to use."""
    if file.publication in (LOOKED_AFTER, NATIONAL_SERIES, POPULATION):
        return markers.symbols(max(file.release or 0, 2018) if file.publication == POPULATION else file.release or 0)
    return {
        hmrc_low_income.LAYOUT: hmrc_low_income.MARKERS,
        tool_reader.LAYOUT: [tool_reader.MARKER],
        spending_ro3.LAYOUT: spending_ro3.SYMBOLS,
    }.get(file.layout, [])


def _said(frame: pd.DataFrame) -> pd.DataFrame:
    """What a frame says, without where in a file it says it."""
    return frame[[name for name in frame.columns if not name.startswith("source_")]]


def _figures(frame: pd.DataFrame) -> str:
    """One text for all rows, whatever their order; equal texts mean the same keys, values, markers, years and units."""
    own = _said(frame)
    rows = sorted(map(repr, own.astype(object).where(own.notna(), None).itertuples(index=False, name=None)))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _differing(one: pd.DataFrame, other: pd.DataFrame) -> str:
    """Names of the columns whose cells differ, or that there are more or fewer rows."""
    if len(one) != len(other):
        return f"{len(one)} rows of {len(other)}"
    pair = []
    for frame in (one, other):
        own = _said(frame)
        own = own.astype(object).where(own.notna(), "").astype(str)
        keys = [name for name in own.columns if name not in ("value", "marker")]
        pair.append(own.sort_values([*keys, *(set(own.columns) - set(keys))], ignore_index=True))
    return ", ".join(name for name in pair[0].columns if (pair[0][name] != pair[1][name]).any())


def _failures(rows: list[checks.Row]) -> set[tuple[str, str, int]]:
    return {(str(row["check_name"]), str(row["scope"]), int(str(row["n_failed"]))) for row in rows if row["n_failed"]}
