"""Every refusal has an entry in the catalogue, every entry is a refusal, and the page is made from it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import error_catalogue
from pipeline.error_catalogue import GROUPS, catalogue
from tests.published_files import PROJECT

SOURCES = sorted([*(PROJECT / "pipeline").rglob("*.py"), *(PROJECT / "assets").glob("*.py")])
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def names_of_refusals() -> set[str]:
    """`Refusal` and the classes made from it."""
    made = {
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Refusal" for base in node.bases)
    }
    return {"Refusal", *made}


def position_of_code(function: ast.FunctionDef) -> int | None:
    """Where a function takes the code of a refusal that it hands on, if it does."""
    own = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args) if argument.arg != "self"]
    if "code" not in own:
        return None
    handed_on = any(
        isinstance(node, ast.Call) and node.args and ast.unparse(node.args[0]) == "code"
        and ast.unparse(node.func).rpartition(".")[2] in names_of_refusals()
        for node in ast.walk(function)
    )  # fmt: skip
    return own.index("code") if handed_on else None


def raised_codes() -> Iterator[tuple[str | None, str]]:
    """Every code in the program with where it stands; None for an expression that is no text nor the name of one."""
    takers = {name: 0 for name in names_of_refusals()}
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and (at := position_of_code(node)) is not None:
                takers[node.name] = at
    # A function that hands a code on to one of those is found in the second round.
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and "refuse" in node.name:
                own = [argument.arg for argument in node.args.args]
                if "code" in own:
                    takers.setdefault(node.name, own.index("code"))
    for path, tree in TREES.items():
        constants = texts_of(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in takers and len(node.args) > takers[name]:
                place = f"{path.relative_to(PROJECT)}:{node.lineno}"
                for code in values(node.args[takers[name]], constants):
                    yield code, place


def texts_of(tree: ast.Module) -> dict[str, str]:
    """The module's constants that are texts."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = (
                    zip(target.elts, node.value.elts, strict=False)
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                    else [(target, node.value)]
                )
                found |= {
                    ast.unparse(name): value.value
                    for name, value in pairs
                    if isinstance(value, ast.Constant) and isinstance(value.value, str)
                }
    return found


def values(node: ast.expr, constants: dict[str, str]) -> list[str | None]:
    match node:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.Name(id=name) if name in constants:
            return [constants[name]]
        case ast.IfExp():
            return values(node.body, constants) + values(node.orelse, constants)
        case ast.Name(id="code") | ast.Attribute(attr="code"):  # handed on
            return []
    return [None]


def test_every_code_in_the_program_has_an_entry() -> None:
    unknown = {f"{code} ({place})" for code, place in raised_codes() if code not in catalogue()}
    assert unknown == set()


def test_every_entry_is_raised_somewhere() -> None:
    raised = {code for code, _ in raised_codes()}
    texts = {
        node.value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert len(raised) > 90
    assert {code for code in catalogue() if code not in raised and code not in texts} == set()


@pytest.mark.parametrize("code", catalogue())
def test_an_entry_says_what_it_means_and_what_to_do(code: str) -> None:
    entry = catalogue()[code]
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", code)
    assert entry.group in GROUPS
    for text in (entry.meaning, entry.remedy):
        assert text.endswith(".") and len(text) > 15


def test_the_page_is_not_stale() -> None:
    page = (PROJECT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert page == error_catalogue.as_markdown(), "docs/errors.md is stale: run make docs"
    assert page.count("\n### ") == len(catalogue())


def test_the_texts_of_the_catalogue_name_files_that_exist() -> None:
    for entry in catalogue().values():
        for name in re.findall(r"\b(?:pipeline|data|docs)/[\w/.]+\w", entry.meaning + entry.remedy):
            assert (PROJECT / Path(name)).exists(), (entry.code, name)
