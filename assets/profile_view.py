"""One authority's story as a terminal shows it.

What belongs here: the words and the layout of `care-numbers profile`. What does not: finding the authority and its
figures (`pipeline.profile`).
"""

import datetime as dt

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline import profile, sentences
from pipeline.database import Record
from pipeline.profile import Profile, sparkline


def show(found: Profile, out: Console, *, is_fictional: bool) -> None:
    """Print the profile: who, how many over the years, beside whom, every window, and what else is known."""

    def line(text: str) -> None:
        out.print(text, highlight=False, soft_wrap=True)

    stamp = "  [bold]FICTIONAL[/bold]" if is_fictional else ""
    out.print(f"[bold]{escape(found.la_name)}[/bold]  {found.la_code}  {found.ons_code}  {escape(found.region)}{stamp}")
    if found.years:
        first, last = found.years[0]["year"], found.years[-1]["year"]
        line(
            f"{first} {sparkline([row['looked_after'] for row in found.years])} {last}   children looked after on 31 March"
        )
        line(
            f"{first} {sparkline([row['rate_per_10k'] for row in found.years])} {last}   per 10,000 children aged 0-17"
        )
    out.print(_years(found.years))
    for heading, lines in (
        ("Beside others", _beside(found)),
        ("Change over each window", [_window(row) for row in found.windows]),
        ("Left out or joined with others", [_exclusion(row) for row in found.exclusions]),
        ("Judgements", [_judgement(row) for row in found.judgements]),
        ("Innovation Programme and its successors", [_programme(row) for row in found.programmes]),
        ("Child deprivation", [_deprivation(row) for row in found.deprivation]),
    ):
        if lines:
            out.print()
            out.print(f"[bold]{heading}[/bold]")
            for text in lines:
                line(text)
    out.print()
    if not found.programmes:
        out.print(profile.NO_PROGRAMME, style="dim", soft_wrap=True)
    for sentence in sentences.ALL:
        out.print(sentence, style="dim", highlight=False, soft_wrap=True)


def _years(rows: list[Record]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("year", "looked after", "started", "ceased", "per 10,000", "release"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            str(row["year"]),
            _shown(row["looked_after"]) if row["looked_after"] is not None else _words(row["looked_after_reason"]),
            _shown(row["started"]),
            _shown(row["ceased"]),
            _rate(row["rate_per_10k"]),
            str(row["release"]),
        )
    return table


def _beside(found: Profile) -> list[str]:
    lines = [
        f"{row['year']}: {_rate(row['rate_per_10k'])} per 10,000; median of {row['neighbours_used']} of "
        f"{row['neighbours']} statistical neighbours {_rate(row['neighbour_median_rate_per_10k'])}, region "
        f"{_rate(row['region_rate_per_10k'])}, England {_rate(row['england_rate_per_10k'])}."
        for row in found.neighbours
    ]
    if found.neighbour_names:
        lines.append(f"Statistical neighbours, nearest first: {'; '.join(map(escape, found.neighbour_names))}.")
    return lines


def _window(row: Record) -> str:
    return (
        f"{row['window_start']} to {row['window_end']}: {escape(row['unit_name'])} {row['looked_after_start']:,} to "
        f"{row['looked_after_end']:,} children, rate {row['change_pct']:+.1f}%, England {row['england_change_pct']:+.1f}%; "
        f"{profile.bucked(row['bucked'], 'England')}{_evidence(row)}."
    )


def _evidence(row: Record) -> str:
    """The grade with the first part of its wording; the changes that follow there stand in the line already."""
    if row["evidence"] is None:
        return ""
    return f"; evidence {row['evidence']}, {row['evidence_text'].split(':')[0]}"


def _exclusion(row: Record) -> str:
    return f"{row['window_start']} to {row['window_end']}: {row['rule']}, {escape(row['detail'])}."


def _judgement(row: Record) -> str:
    inspected = f", inspected from {_day(row['inspection_date'])}" if row["inspection_date"] else ""
    return f"{_day(row['publication_date'])}: {row['framework']}, {profile.graded(row)}{inspected}."


def _programme(row: Record) -> str:
    recalled = f", {profile.RECALLED}" if row["confidence"] == "recalled" else ""
    return (
        f"{row['start_year']} to {row['end_year']}: {row['programme']}, {escape(row['project'])} "
        f"({row['lead_or_partner']}{recalled})."
    )


def _deprivation(row: Record) -> str:
    change = "no change known" if row["change_points"] is None else f"{row['change_points']:+.1f} points"
    return (
        f"{row['window_start']} to {row['window_end']}: {row['level_pct']:.1f}% before the window, {change} "
        f"({row['change_measure'] or row['measure']})."
    )


def _day(value: dt.date) -> str:
    return f"{value.day} {value:%B %Y}"


def _shown(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _words(reason: str) -> str:
    return reason.replace("_", " ")
