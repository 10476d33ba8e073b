"""Spoil published files in thousands of ways and see that no wrong figure passes: `make fuzz`.

What belongs here: how many mutants of which files, the budget of time, and the printed tables. What does not: the mutations
(`mutations`) and the verdicts (`oracle`).

    python -m tests.fuzz.run [--data FOLDER] [--mutants N] [--seconds S] [--seed N] [--only LAYOUT] [--mutation NAME]

Without a folder the published files are spoilt, or where there are none the demonstration country's. A mutant is drawn from
the seed, its file, the name of its mutation and its number, and is the same in every run.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from pipeline import places
from pipeline.demonstration.build import build_demonstration
from pipeline.sources import RegisteredFile
from tests import published_files
from tests.fuzz.mutations import IDENTITY, MUTATIONS, STRUCTURE, Mutant, Mutation
from tests.fuzz.oracle import BROKEN, SOUND, Country, Outcome, Verdict

SEED = 20260731
LEAST = 2000
# What is known to pass everything but the hash, by layout, release and mutation, with the reason: printed in every run.
KNOWN_GAPS = {
    (
        "cla_since_2018",
        2021,
        "year_lost",
    ): "a release holds the five years up to its own, but none before 2018: that of 2021 "
    "without the rows of 2021 cannot be told from that of 2020",
}


@dataclass(frozen=True)
class Case:
    """A mutant to make and to judge."""

    file: RegisteredFile
    mutation: Mutation
    number: int

    def draw(self, seed: int) -> Random:
        """The random numbers of this case, whatever else is run."""
        return Random(
            f"{seed} {self.file.layout} {self.file.release} {self.file.part} {self.mutation.name} {self.number}"
        )


@dataclass(frozen=True)
class Judged:
    """A case with what became of it."""

    case: Case
    mutant: Mutant
    verdict: Verdict

    @property
    def known_gap(self) -> str:
        """The reason, if only the hash refuses it and that is known."""
        key = (self.case.file.layout, self.case.file.release, self.case.mutation.name)
        return KNOWN_GAPS.get(key, "") if self.verdict.outcome is Outcome.HASH else ""

    @property
    def is_failure(self) -> bool:
        """Other figures that nothing refuses, an exception; of a file's structure also what only the hash refuses."""
        if self.verdict.outcome in BROKEN:
            return True
        if self.known_gap:
            return False
        if self.case.mutation.of == IDENTITY and self.verdict.outcome is Outcome.LISTED:
            return False
        return self.case.mutation.of in (STRUCTURE, IDENTITY) and self.verdict.outcome not in SOUND

    def line(self) -> str:
        """What was done to which file, and the verdict."""
        return (
            f"{self.case.file.file}: {self.case.mutation.name} {self.case.number} ({self.mutant.told}): "
            f"{self.verdict.outcome}, {self.verdict.detail or 'the same figures'}"
        )


def cases(country: Country, only: str = "", mutation: str = "") -> Iterator[Case]:
    """Every layout with every mutation that suits it, round after round, each round with the next of its files."""
    of_layout: dict[str, list[RegisteredFile]] = {}
    for file in country.register.files:
        of_layout.setdefault(file.layout, []).append(file)
    for number in itertools.count():
        for layout, files in sorted(of_layout.items()):
            if only not in ("", layout):
                continue
            file = files[number % len(files)]
            for name, one in MUTATIONS.items():
                if mutation in ("", name) and country.kind_of(file) in one.kinds:
                    yield Case(file, one, number)


def judge(country: Country, case: Case, seed: int = SEED) -> Judged | None:
    """The case made and judged; None where the file has nothing to spoil in this way, or nothing changed."""
    document = country.document(case.file)
    mutant = case.mutation.make(document, case.draw(seed))
    if mutant is None or mutant.content == document.content:
        return None
    return Judged(case, mutant, country.judge(case.file, mutant))


def refuse_an_unfaithful_grid(country: Country) -> None:
    """Written back untouched, every file must say what it said; else a mutant would prove nothing."""
    for file in country.register.files:
        document = country.document(file)
        verdict = country.judge(file, Mutant(document.as_bytes(document.grid()), "untouched"))
        assert verdict.outcome is Outcome.SAME, f"{file.file} written back untouched: {verdict}"


def tables(judged: list[Judged]) -> str:
    """Layout by mutation, then mutations and layouts over all, as text."""
    outcomes = list(Outcome)
    lines = []

    def count(title: str, key) -> None:
        lines.append(f"\n{title:<62}" + "".join(f"{outcome:>8}" for outcome in outcomes))
        counted: dict[str, Counter[Outcome]] = {}
        for one in judged:
            counted.setdefault(key(one), Counter())[one.verdict.outcome] += 1
        for name, counts in sorted(counted.items()):
            lines.append(f"{name:<62}" + "".join(f"{counts[outcome] or '.':>8}" for outcome in outcomes))

    count("layout, mutation", lambda one: f"{one.case.file.layout}  {one.case.mutation.name}")
    count("layout", lambda one: one.case.file.layout)
    count("mutation", lambda one: f"{one.case.mutation.of}: {one.case.mutation.name}")
    count("in all", lambda one: one.case.mutation.of)
    return "\n".join(lines)


def unprotected(judged: list[Judged]) -> str:
    """What only the hash protects: layout and columns, with how many mutants showed it."""
    counted: Counter[str] = Counter()
    for one in judged:
        if one.verdict.outcome in (Outcome.HASH, Outcome.WARNED, Outcome.LISTED):
            counted[f"{one.case.file.layout}: {one.verdict.outcome}: {one.verdict.detail}"] += 1
    return "\n".join(f"{number:>5}  {what}" for what, number in sorted(counted.items(), key=lambda item: -item[1]))


def main(
    data: Annotated[Path | None, typer.Option(help="A folder of published files.")] = None,
    mutants: Annotated[int, typer.Option(help="How many to make.")] = LEAST,
    seconds: Annotated[float, typer.Option(help="When to stop all the same.")] = 3600,
    seed: Annotated[int, typer.Option(help="What the draws begin with.")] = SEED,
    only: Annotated[str, typer.Option(help="One layout.")] = "",
    mutation: Annotated[str, typer.Option(help="One mutation.")] = "",
) -> None:
    """Spoil files and print what became of them; ends with 1 where a wrong figure would pass."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as made:
        folder, references = data or published_files.folder(), places.reference_folder()
        if data is None and not published_files.IS_HERE:
            folder = Path(made) / "country"
            build_demonstration(folder)
        country = Country(folder, references, Path(made))
        refuse_an_unfaithful_grid(country)
        judged: list[Judged] = []
        tried = 0
        for case in cases(country, only, mutation):
            tried += 1
            if len(judged) >= mutants or time.monotonic() - begun > seconds or tried > 20 * mutants:
                break
            one = judge(country, case, seed)
            if one:
                judged.append(one)
                if one.is_failure:
                    typer.echo(one.line())
    typer.echo(tables(judged))
    typer.echo(f"\nWhat only the hash of a registered file protects, or a file no layout knows:\n{unprotected(judged)}")
    for gap, number in Counter(one.known_gap for one in judged if one.known_gap).items():
        typer.echo(f"\nKnown to be protected by the hash alone ({number} mutants): {gap}")
    failures = sum(one.is_failure for one in judged)
    typer.echo(
        f"\n{len(judged)} mutants of {len({one.case.file.file for one in judged})} files in "
        f"{len({one.case.file.layout for one in judged})} layouts, {time.monotonic() - begun:.0f} s, seed {seed}: "
        f"{failures} failures"
    )
    if failures or (len(judged) < mutants and not only and not mutation):
        sys.exit(1)


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(main)
    app()
