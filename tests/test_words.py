"""The words of this project: no polarity, no ranking, no cause, no traffic light (methods.md A3, C6, H).

What belongs here: every text that the project shows to a person, collected from where it is made, and the words that may
not stand in it. What does not: docstrings and identifiers that nobody but a developer sees.

The two fixed sentences that say what is not claimed hold such a word to deny it. They, and names of statistical tests, are
the only exemptions. Values that a publisher wrote are not this project's text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from assets import command, what_if
from assets.definitions import defs
from pipeline import sentences
from pipeline.tables import catalogue
from pipeline.tables.declare import Table
from tests.whole_runs.running import FinishedRun, finished_demonstration, rows

PROJECT = Path(__file__).resolve().parents[1]
WORDS = ("best", "worst", "top", "bottom", "rank", "ranks", "ranked", "ranking", "rankings", "league", "improved",
         "improvement", "deteriorated", "deterioration", "red", "green", "caused by", "effect of")  # fmt: skip
FORBIDDEN = re.compile(rf"(?<![\w-])({'|'.join(WORDS)})(?![\w-])", re.IGNORECASE)

EXEMPT = (
    *sentences.ALL,
    *sentences.ALL_IN_SHORT,
    # Names of statistical tests and methods.
    "Spearman's rank correlation",
    "rank correlation",
    # Headings of a published workbook, which the demonstration country has to write as they are.
    "rank of average rank",
    "rank of average score",
    "rank of proportion of LSOAs",
    "average rank",
)


def _one_line(text: str) -> str:
    return re.sub(r"[\s>*`#|]+", " ", text)


_EXEMPT = [_one_line(sentence).rstrip(". ").lower() for sentence in EXEMPT]


def forbidden(text: str) -> list[str]:
    """The words that may not stand in a text, each with what stands around it."""
    plain = _one_line(text).lower()
    for sentence in _EXEMPT:
        plain = plain.replace(sentence, " ")
    return [plain[max(0, m.start() - 30) : m.end() + 30].strip() for m in FORBIDDEN.finditer(plain)]


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------------------------------------------
# The test itself


@pytest.mark.parametrize(
    "text",
    [
        "the best ten", "Worst of all", "at the top.", "rank", "a league table", "has improved", "caused by poverty",
        "the effect of\nthe programme", "RED", "shown in green", "# Top\n", "**Best**",
    ],
)  # fmt: skip
def test_a_forbidden_word_is_seen(text: str) -> None:
    assert forbidden(text)


@pytest.mark.parametrize(
    "text",
    [
        *sentences.ALL,
        sentences.ALL[0].replace("and is not", "and\n    is not"),
        "Redcar and Cleveland", "Green-belt", "stopped", "Frankly", "colleagues", "requires improvement to be good",
        "reduced", "Bestwood", "side effect", "not an effect",
    ],
)  # fmt: skip
def test_what_is_allowed_is_let_through(text: str) -> None:
    assert not forbidden(text.replace("requires improvement to be good", "")), text


# ---------------------------------------------------------------------------------------------------------------------
# What the project writes


def texts_of_table(table: Table) -> Iterator[str]:
    yield table.name.replace("_", " ")
    yield table.comment
    for column in table.columns:
        yield column.name.replace("_", " ")
        yield column.comment


@pytest.mark.parametrize("table", catalogue.TABLES, ids=lambda table: table.full_name)
def test_tables_and_columns(table: Table) -> None:
    found = [word for text in texts_of_table(table) for word in forbidden(_without_grades(text))]
    assert not found


def _without_grades(text: str) -> str:
    """Without the publisher's name of a grade, which is a term and no claim."""
    return re.sub("requires improvement( to be good)?", "", text, flags=re.IGNORECASE)


DOCUMENTS = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff",
             *sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "docs").rglob("*.md"))]  # fmt: skip
QUERIES = sorted(str(path.relative_to(PROJECT)) for path in (PROJECT / "sql").rglob("*.sql"))


@pytest.mark.parametrize("name", [*DOCUMENTS, *QUERIES])
def test_documents_and_queries(name: str) -> None:
    assert not forbidden(_without_grades(read(name)))


def shown_literals(path: Path) -> Iterator[str]:
    """The texts of a module that can reach a person: everything in quotes with a space in it, but for docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
        if is_text and " " in node.value.strip():
            yield node.value


MODULES = sorted(
    str(path.relative_to(PROJECT)) for package in ("pipeline", "assets") for path in (PROJECT / package).rglob("*.py")
)


@pytest.mark.parametrize("name", MODULES)
def test_sentences_in_the_code(name: str) -> None:
    found = [word for text in shown_literals(PROJECT / name) for word in forbidden(_without_grades(text))]
    assert not found


def test_the_graph() -> None:
    """Descriptions of assets, checks, jobs, their steps and settings, as the UI shows them."""
    graph = defs.resolve_asset_graph()
    texts = [key.name for key in graph.asset_check_keys]
    for definition in graph.assets_defs:
        texts += [spec.description or "" for spec in definition.check_specs]
        texts += [text for spec in definition.specs for text in (spec.key.to_user_string(), spec.description or "")]
        texts.append(definition.node_def.description or "")
    for job in defs.resolve_all_job_defs():
        texts += [job.description or "", *(node.definition.description or "" for node in job.nodes)]
    texts += [field.description or "" for field in what_if.WhatIf.model_fields.values()]
    assert len(texts) > 100
    assert not [word for text in texts for word in forbidden(_without_grades(text.replace("_", " ")))]


def test_the_commands_help() -> None:
    program = typer.main.get_command(command.app)
    texts = [program.help or ""]
    for name, one in program.commands.items():
        texts += [name, one.help or ""]
        texts += [getattr(parameter, "help", None) or "" for parameter in one.params]
    assert len(texts) > 15
    assert not [word for text in texts for word in forbidden(text)]


# ---------------------------------------------------------------------------------------------------------------------
# What a run writes


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return finished_demonstration(tmp_path_factory)


@pytest.mark.whole
def test_what_a_run_says(demonstration: FinishedRun) -> None:
    assert len(demonstration.ended.out) > 500
    assert not forbidden(demonstration.ended.out)
    assert not forbidden(demonstration.ended.err)


@pytest.mark.whole
def test_what_stands_in_the_database(demonstration: FinishedRun) -> None:
    """Every distinct text of the tables that people query. Words that a declaration allows are tested with it."""
    told = {
        (table.schema, table.name, column.name)
        for table in catalogue.TABLES
        for column in table.columns
        if column.allowed
    }
    columns = set(
        rows(
            demonstration.database,
            "SELECT table_schema, table_name, column_name FROM information_schema.columns"
            " WHERE data_type = 'VARCHAR' AND table_schema IN ('main', 'about')",
        )
    )
    assert len(columns - told) > 50
    every = " UNION ALL ".join(
        f'SELECT DISTINCT \'{schema}.{table}.{column}\', "{column}" FROM {schema}.{table} WHERE "{column}" IS NOT NULL'
        for schema, table, column in sorted(columns - told)
    )
    texts = rows(demonstration.database, every)
    assert len(texts) > 1_000
    assert not [(place, word) for place, text in texts for word in forbidden(_without_grades(text))]
