"""The recipes can be followed: every step of every page is carried out on a copy of the project, and its commands run.

What belongs here: each recipe as a whole, and what happens to one that has gone stale. What does not: a whole run with a
recipe in it, which `.ci/recipe.sh` does in a fresh clone.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import recipes
from tests.recipes import PROJECT, Block, Stale

PAGES = sorted((PROJECT / "docs" / "recipes").glob("*.md"))


def test_there_are_recipes() -> None:
    assert [page.stem for page in PAGES] == ["new-covariate", "new-layout"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_recipe_can_be_followed(page: Path, tmp_path: Path) -> None:
    """Its files and changes fit, what comes out is in the style of the house, and its commands end well."""
    text = page.read_text(encoding="utf-8")
    copy = recipes.copied(tmp_path / "project")
    touched = [name for name in recipes.apply(text, copy) if name.endswith(".py")]
    assert touched
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *check, "--no-cache", *touched],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
    assert " passed" in recipes.run(text, copy)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_that_a_recipe_names_is_there_or_made(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    made = {block.file for block in recipes.blocks(text)}
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"`([\w.]+/[\w./]+)`", prose))
    assert named
    assert not {name for name in named if name not in made and not (PROJECT / name).exists()}


def test_every_block_with_code_is_carried_out() -> None:
    """A block of code without a file would be read by people and held by nobody."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert text.count("```") == 2 * len(recipes.blocks(text))
        assert all(block.file or block.language in ("sh", "console") for block in recipes.blocks(text))


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (" a\n+b\n", "a\nb\nc\n"),
        ("-a\n+x\n", "x\nc\n"),
        (" a\n+b\n@@\n-c\n", "a\nb\n"),
    ],
)
def test_a_change_is_made(change: str, after: str) -> None:
    assert recipes.changed("a\nc\n", Block("diff", "some.py", change)) == after


@pytest.mark.parametrize("text", ["b\n", "a\na\n"])
def test_a_change_of_what_is_not_there_or_there_twice_is_stale(text: str) -> None:
    with pytest.raises(Stale, match="some.py"):
        recipes.changed(text, Block("diff", "some.py", " a\n+b\n"))


def test_a_command_that_fails_is_stale(tmp_path: Path) -> None:
    with pytest.raises(Stale, match="exit 3"):
        recipes.run("```sh\nexit 3\n```\n", tmp_path)


def test_a_new_file_does_not_take_the_place_of_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text("kept\n", encoding="utf-8")
    with pytest.raises(Stale, match="there already"):
        recipes.apply("```python file=some.py\nnew\n```\n", tmp_path)
    assert (tmp_path / "some.py").read_text(encoding="utf-8") == "kept\n"
