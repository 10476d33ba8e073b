"""Markdown: a text is shown as it is, and a table has a row for each row."""

from __future__ import annotations

import pytest

from pipeline import markdown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Kings Ferry", "Kings Ferry"),
        ("rate_per_10k", "rate_per_10k"),
        ("_one_ and __two__", r"\_one\_ and \_\_two\_\_"),
        ("a | b", r"a \| b"),
        ("![x](y)", r"\!\[x\](y)"),
        ("<img src=x>", r"\<img src=x\>"),
        ("two\nlines", r"two\\nlines"),
        ("&lt;", r"\&lt;"),
    ],
)
def test_nothing_in_a_text_is_markup(value: str, shown: str) -> None:
    assert markdown.text(value) == shown


def test_a_table_has_a_head_a_rule_and_its_rows() -> None:
    assert markdown.table(("unit", "change"), [("A|B", "+1"), ("C", "-2")]).splitlines() == [
        "| unit | change |",
        "|---|---|",
        r"| A\|B | +1 |",
        "| C | -2 |",
    ]
