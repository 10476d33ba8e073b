"""What the docstring of a public function, class or method of the pipeline has to say.

What belongs here: what can be told without running the code: that there is a docstring, that it names the tables it takes,
what a row of a returned frame is, the shape of a returned array and the exceptions it raises. What does not: whether what
it says is true, which the tests of each room hold, and its form (ruff).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.tables import catalogue

PIPELINE = Path(__file__).resolve().parents[1] / "pipeline"

# Names that stand for one table in every room; a parameter of another name has its table or its columns told.
TABLE_OF = {
    "looked_after": "core.children_looked_after",
    "totals": "core.children_looked_after_totals",
    "local": "core.local_authorities",
    "neighbours": "core.statistical_neighbours",
    "programme": "core.innovation_programme",
    "shares": "core.deprivation",
    "tool": "core.interactive_tool",
    "returns": "core.spending",
    "panel": "main.care_numbers",
    "national": "main.national_trend",
    "changes": "main.five_year_change",
    "alternates": "main.five_year_change_alternates",
    "exposed": "main.exposures",
    "usual": "main.volatility",
}
TIDY = "tidy"  # the cells that readers make, of the form that `readers.layout` declares
ARRAYS = re.compile(r"\b(NDArray|Floats|Integers|Flags|Bools|Booleans)\b")
TABLE = re.compile(r"`(?:core|main|about)\.\w+`")
OF_A_FRAME = re.compile(r"\b(rows?|columns?|cells)\b")
OF_AN_ARRAY = re.compile(r"(?i)\bshapes?\b|\(\w+(, [\w +-]+)*,?\)|\beach\b")


@dataclass(frozen=True)
class Public:
    """A public definition: where it stands, its name with those of its classes, and its docstring."""

    module: str
    name: str
    node: ast.FunctionDef | ast.ClassDef
    said: str

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


@cache
def trees() -> dict[str, ast.Module]:
    """Module -> its syntax."""
    found = {}
    for path in sorted(PIPELINE.rglob("*.py")):
        found[path.relative_to(PIPELINE).with_suffix("").as_posix()] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def publics(tree: ast.Module, module: str) -> Iterator[Public]:
    """All that others may use: what is private, and what is in it, is nobody's but the module's."""

    def below(body: list[ast.stmt], within: str) -> Iterator[Public]:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                yield Public(module, within + node.name, node, ast.get_docstring(node) or "")
                if isinstance(node, ast.ClassDef):
                    yield from below(node.body, f"{within}{node.name}.")

    return below(tree.body, "")


def everything() -> list[Public]:
    return [one for module, tree in trees().items() for one in publics(tree, module)]


def functions() -> list[tuple[Public, ast.FunctionDef]]:
    return [(one, one.node) for one in everything() if isinstance(one.node, ast.FunctionDef)]


# ---------------------------------------------------------------------------------------------------------------------
# The rules, each a list of what breaks it


def without_docstring(found: list[Public]) -> list[str]:
    return [str(one) for one in found if not one.said]


def frames_not_told(found: list[tuple[Public, ast.FunctionDef]]) -> list[str]:
    """Functions that return a frame and say neither which table it is nor what a row or a column of it is."""
    return [
        str(one)
        for one, node in found
        if "pd.DataFrame" in _returned(node) and not TABLE.search(one.said) and not OF_A_FRAME.search(one.said)
    ]


def frames_taken_and_not_told(found: list[tuple[Public, ast.FunctionDef]]) -> list[str]:
    """Frames that a function takes under a name that says nothing, of which the docstring says nothing either."""
    known = {table.name for table in catalogue.TABLES} | TABLE_OF.keys() | {TIDY}
    return [
        f"{one}({argument.arg})"
        for one, node in found
        for argument in [*node.args.args, *node.args.kwonlyargs]
        if argument.annotation is not None and "pd.DataFrame" in ast.unparse(argument.annotation)
        if argument.arg not in known and f"`{argument.arg}`" not in one.said
        if not TABLE.search(one.said) and not OF_A_FRAME.search(one.said)
    ]


def arrays_not_told(found: list[tuple[Public, ast.FunctionDef]]) -> list[str]:
    """Functions that return an array and say neither its shape nor of what each number is."""
    return [str(one) for one, node in found if ARRAYS.search(_returned(node)) and not OF_AN_ARRAY.search(one.said)]


def exceptions_not_told(found: list[tuple[Public, ast.FunctionDef]]) -> list[str]:
    """Functions that raise an exception themselves, or by a private function of their module, and do not name it.

    What is raised further away, or where it may be caught, cannot be told from here.
    """
    made = makers_of_exceptions()
    missing = []
    for one, node in found:
        raised = {error for place in (node, *_private_helpers(one.module, node)) for error in _raised(place, made)}
        missing += [f"{one} raises {error}" for error in sorted(raised) if not _is_named(error, one)]
    return missing


def _is_named(error: str, one: Public) -> bool:
    return error in one.said or (error == "Refusal" and re.search(r"\b[Rr]efuse[sd]?\b", one.said) is not None)


def _returned(node: ast.FunctionDef) -> str:
    return ast.unparse(node.returns) if node.returns else ""


@cache
def makers_of_exceptions() -> dict[str, str]:
    """Name of a function that makes an exception for its caller to raise -> the exception's class."""
    made = {}
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and re.fullmatch(r"\w*(Refusal|Error)", _returned(node)):
                made[node.name] = _returned(node)
    return made


def _uncaught(node: ast.AST) -> Iterator[ast.AST]:
    """What is below a node, without what stands where exceptions are caught."""
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.Try) and node.handlers and field == "body":
            continue
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, ast.AST):
                yield inner
                yield from _uncaught(inner)


def _raised(node: ast.FunctionDef, made: dict[str, str]) -> Iterator[str]:
    for inner in _uncaught(node):
        if isinstance(inner, ast.Raise) and isinstance(inner.exc, ast.Call):
            name = ast.unparse(inner.exc.func).split(".")[-1]
            error = made.get(name, name)
            if re.fullmatch(r"Refusal|[A-Z]\w*Error", error):
                yield error


def _private_helpers(module: str, node: ast.FunctionDef) -> list[ast.FunctionDef]:
    private = {
        one.name: one for one in trees()[module].body if isinstance(one, ast.FunctionDef) and one.name.startswith("_")
    }
    called = {ast.unparse(inner.func) for inner in _uncaught(node) if isinstance(inner, ast.Call)}
    return [private[name] for name in sorted(called & private.keys())]


# ---------------------------------------------------------------------------------------------------------------------
# Held to the pipeline


def test_there_is_something_to_look_at() -> None:
    assert len(functions()) > 500


def test_the_names_of_tables_are_those_of_the_catalogue() -> None:
    assert set(TABLE_OF.values()) <= {table.full_name for table in catalogue.TABLES}


def test_everything_public_is_described() -> None:
    assert without_docstring(everything()) == []


def test_a_returned_frame_is_a_table_or_has_its_rows_told() -> None:
    assert frames_not_told(functions()) == []


def test_a_frame_taken_is_a_table_or_has_its_columns_told() -> None:
    assert frames_taken_and_not_told(functions()) == []


def test_a_returned_array_has_its_shape_told() -> None:
    assert arrays_not_told(functions()) == []


def test_what_is_raised_is_named() -> None:
    assert exceptions_not_told(functions()) == []


# ---------------------------------------------------------------------------------------------------------------------
# The rules themselves


def told(source: str) -> list[tuple[Public, ast.FunctionDef]]:
    """The public functions of a made-up module, which stands in the place of a real one."""
    found = publics(ast.parse(source), "limits")
    return [(one, one.node) for one in found if isinstance(one.node, ast.FunctionDef)]


def test_a_missing_docstring_is_seen_in_a_class_too() -> None:
    source = 'class Shelf:\n    """One."""\n    def books(self) -> int: ...\n    def _dust(self) -> int: ...\n'
    assert without_docstring(list(publics(ast.parse(source), "shelf"))) == ["shelf:Shelf.books"]


def test_a_frame_without_a_word_is_seen() -> None:
    assert frames_not_told(told('def a() -> pd.DataFrame:\n    """All of it."""')) == ["limits:a"]
    assert not frames_not_told(told('def a() -> pd.DataFrame:\n    """`main.windows`."""'))
    assert not frames_not_told(told('def a() -> pd.DataFrame:\n    """One row a unit."""'))


def test_a_frame_of_an_unknown_name_is_seen() -> None:
    source = 'def a(mine: pd.DataFrame, panel: pd.DataFrame) -> int:\n    """How many."""'
    assert frames_taken_and_not_told(told(source)) == ["limits:a(mine)"]
    assert not frames_taken_and_not_told(told(source.replace("How many", "How many of `mine`")))


def test_an_array_without_a_shape_is_seen() -> None:
    assert arrays_not_told(told('def a() -> Floats:\n    """The rates."""')) == ["limits:a"]
    assert not arrays_not_told(told('def a() -> Floats:\n    """The rates, shape (units, years)."""'))
    assert not arrays_not_told(told('def a() -> Floats:\n    """The rate of each unit."""'))


def test_an_exception_without_its_name_is_seen() -> None:
    source = 'def a() -> int:\n    """The rate."""\n    raise ValueError("no")'
    assert exceptions_not_told(told(source)) == ["limits:a raises ValueError"]
    assert not exceptions_not_told(told(source.replace("The rate", "ValueError without one")))
    caught = source.replace(
        'raise ValueError("no")', 'try:\n        raise ValueError("no")\n    except ValueError: ...'
    )
    assert not exceptions_not_told(told(caught))
    refusing = source.replace('raise ValueError("no")', 'raise bad_cell("no")')
    assert exceptions_not_told(told(refusing)) == ["limits:a raises Refusal"]
    assert not exceptions_not_told(told(refusing.replace("The rate", "Refuses a blank")))
