"""What the spending layouts share: the tidy form, the services and amounts of use, financial years, and one identity.

What belongs here: what both `spending_s251` and `spending_ro3` need. What does not: their sheets, lines and markers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.errors import Refusal
from pipeline.readers import cells
from pipeline.readers.layout import MEASUREMENTS, TidyForm

# `value` is in pounds of the day. `measure` is the service, `amount` which of its amounts, `line` the published label.
FORM = TidyForm({**MEASUREMENTS.columns, "amount": "string", "line": "string"})

LOOKED_AFTER = "children_looked_after"
CHILDREN_AND_YOUNG_PEOPLE = "children_and_young_people"  # section 251: all children's services outside schools
CHILDREN_SOCIAL_CARE = "children_social_care"  # revenue outturn: its total, over much the same services
TOTAL, INCOME, NET = "total_expenditure", "income", "net_current_expenditure"
AMOUNTS = (TOTAL, NET)  # those that are kept; income is read to hold the other two to account

_ROUNDING = 1.5  # of the published unit: three figures, each rounded to it
_YEARS = re.compile(r"(?<!\d)(20\d\d)-(\d\d)(?!\d)")


def financial_year_end(text: str) -> int | None:
    """The year in which the financial year that a title names ends: 2013 for "Outturn 2012-13"; None without one."""
    for before, end in _YEARS.findall(text):
        if (int(before) + 1) % 100 == int(end):
            return int(before) + 1
    return None


def refuse_disagreeing(amounts: Mapping[str, float | None], place: cells.Place) -> None:
    """Refuse a net current expenditure that is not total expenditure less income, in the published unit before scaling."""
    total, income, net = (amounts[name] for name in (TOTAL, INCOME, NET))
    if total is not None and income is not None and net is not None and abs(total - income - net) > _ROUNDING:
        raise Refusal(
            "amounts_disagree",
            f"total expenditure {total:,.2f} less income {income:,.2f} is not this net current expenditure",
            file=place.file,
            row=place.row,
            column=place.column,
            value=f"{net:.2f}",
            remedy="use the file as published",
        )
