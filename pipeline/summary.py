"""What a run found, in a few plain sentences.

What belongs here: the headline findings of a published database, as data and as text, and for the demonstration country
what was planted beside what was found. What does not: how a terminal shows it (`assets.command`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline import database, folders
from pipeline.readers import text_table

UNUSUAL = ("A", "B")
PLANTED_COEFFICIENTS = "planted_coefficients.csv"  # beside the planted truth
_JUDGED = "with evidence A or B"
# What is counted for the demonstration country, from all flags to the surest.
_AT_LEAST: dict[str, tuple[str | None, ...]] = {
    "whatever the evidence": ("A", "B", "C", None),
    _JUDGED: UNUSUAL,
    "with evidence A": ("A",),
}
_SHOWN_NAMES = 12  # a list of names longer than this is for the database, not for a terminal


@dataclass(frozen=True)
class Flags:
    """How many units bucked the trend with at least this evidence: those made to, and the others."""

    evidence: str
    planted: int
    others: int


@dataclass(frozen=True)
class Planted:
    """The demonstration country's truth beside what the run found, for one window."""

    window_start: int
    window_end: int
    planted: int
    units: int
    missed: tuple[str, ...]
    flags: tuple[Flags, ...]


@dataclass(frozen=True)
class PlantedTerm:
    """A coefficient planted into the law of the demonstration country beside the primary model's estimate of it."""

    term: str
    planted: float
    estimate: float
    lower_95: float
    upper_95: float

    @property
    def is_held(self) -> bool:
        """Whether the limits hold what was planted."""
        return self.lower_95 <= self.planted <= self.upper_95


@dataclass(frozen=True)
class Summary:
    """Headline findings of one published database; percentages are of the rate unless the name says number."""

    database: str
    country: str
    is_fictional: bool
    newest_year: int
    newest_looked_after: int
    newest_rate_per_10k: float | None
    windows: list[dict[str, Any]]
    bucking_window: dict[str, Any] | None
    bucking: list[str]
    bucking_unusual: list[str]
    no_evidence_reason: str | None
    false_alarms: dict[str, Any] | None
    findings: list[dict[str, Any]]
    left_out: list[dict[str, Any]]
    since_last_publication: str | None
    warnings: list[str]
    files_used: int
    files_not_used: int
    planted: Planted | None = field(default=None)
    planted_terms: tuple[PlantedTerm, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain data, for `--json`."""
        return asdict(self)


def summarise(database_file: Path, planted_truth: Path | None = None) -> Summary:
    """The headline findings of a published database; `planted_truth` is the demonstration country's file."""

    def rows(sql: str) -> list[database.Record]:
        return database.query(database_file, sql)

    run = {row["property"]: row["value"] for row in rows("SELECT * FROM about.run")}
    newest = rows(
        "SELECT year, looked_after, rate_per_10k FROM main.national_trend"
        " WHERE source = 'sum_of_authorities' ORDER BY year DESC LIMIT 1"
    )[0]
    windows = rows(
        "SELECT window_id, window_start, window_end, role, is_computed, detail, units, units_down, units_up,"
        " units_bucking, england_direction, england_change_pct, england_number_change_pct"
        " FROM main.windows ORDER BY window_end, window_id"
    )
    bucking = rows("SELECT * FROM main.bucking_the_trend ORDER BY unit_name")
    window = None
    if bucking:
        shared = ("window_id", "window_start", "window_end", "newest_window_has_direction", "england_direction",
                  "england_change_pct")  # fmt: skip
        window = {name: bucking[0][name] for name in shared} | {"units": len(bucking)}
    return Summary(
        database=str(database_file),
        country=run["country"],
        is_fictional=run["is_fictional"] == "true",
        newest_year=newest["year"],
        newest_looked_after=newest["looked_after"],
        newest_rate_per_10k=newest["rate_per_10k"],
        windows=windows,
        bucking_window=window,
        bucking=[row["unit_name"] for row in bucking if row["bucked"]],
        bucking_unusual=[row["unit_name"] for row in bucking if row["bucked"] and row["evidence"] in UNUSUAL],
        no_evidence_reason=_no_evidence_reason(database_file, window["window_id"]) if window else None,
        false_alarms=_false_alarms(database_file),
        findings=rows("SELECT * FROM about.findings ORDER BY window_end, window_start, window_id"),
        left_out=rows(
            "SELECT reason, count(DISTINCT la_code) AS authorities, string_agg(DISTINCT la_name, ', ' ORDER BY la_name)"
            " AS names FROM main.exclusions WHERE window_id = 'main_h5' AND rule = 'excluded'"
            " AND stage = 'trend' GROUP BY reason ORDER BY reason"
        ),
        since_last_publication=run.get("since_last_publication"),
        warnings=[
            f"{row['check_name']} ({row['scope']}): {row['detail']}"
            for row in rows("SELECT * FROM main.data_checks WHERE n_failed > 0 ORDER BY check_name, scope")
        ],
        files_used=rows("SELECT count(*) AS n FROM about.sources")[0]["n"],
        files_not_used=rows("SELECT count(*) AS n FROM about.files_not_used")[0]["n"],
        planted=_planted(database_file, planted_truth) if planted_truth else None,
        planted_terms=_planted_terms(database_file, planted_truth) if planted_truth else (),
    )


def _planted(database_file: Path, truth_file: Path) -> Planted | None:
    truth = _planted_rows(truth_file, ("la_code", "la_name", "planted", "window_start", "window_end"))
    if not truth:
        return None
    start, end = int(truth[0]["window_start"]), int(truth[0]["window_end"])
    found = database.query(
        database_file,
        "SELECT unit_id, bucked, evidence FROM main.five_year_change WHERE window_start = ? AND window_end = ?",
        [start, end],
    )
    if not found:
        return None
    planted = {row["la_code"]: row["la_name"] for row in truth if row["planted"] != "none"}
    flagged = {code for row in found if row["bucked"] for code in row["unit_id"].split("+")}
    return Planted(
        window_start=start,
        window_end=end,
        planted=len(planted),
        units=len(found),
        missed=tuple(sorted(name for code, name in planted.items() if code not in flagged)),
        flags=tuple(_flags(found, set(planted), name, grades) for name, grades in _AT_LEAST.items()),
    )


def _planted_rows(file: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table that the demonstration country brings; none where there is no such table of its making."""
    content = folders.read_small(file.parent, file.name)
    if content is None:
        return []
    table = text_table.read(content, file.name)
    places = {name: table.header.index(name) for name in columns if name in table.header}
    return [{name: row[at] for name, at in places.items()} for row in table.rows] if len(places) == len(columns) else []


def _planted_terms(database_file: Path, truth_file: Path) -> tuple[PlantedTerm, ...]:
    """The planted coefficients, which lie beside the planted truth, and what the primary model found."""
    rows = _planted_rows(truth_file.with_name(PLANTED_COEFFICIENTS), ("term", "value"))
    planted = {row["term"]: float(row["value"]) for row in rows}
    found = database.query(
        database_file,
        "SELECT term, estimate, lower_95, upper_95 FROM main.regression_coefficients WHERE window_id = 'main_h5'"
        " AND model = 'M2' AND outcome = 'log_rate_ratio' AND variant = 'primary' AND NOT region_effects"
        " AND estimate IS NOT NULL",
    )
    of_term = {row["term"]: row for row in found}
    return tuple(
        PlantedTerm(term, value, *(of_term[term][name] for name in ("estimate", "lower_95", "upper_95")))
        for term, value in planted.items()
        if term in of_term
    )


def _flags(found: list[database.Record], planted: set[str], name: str, grades: tuple[str | None, ...]) -> Flags:
    own = [row for row in found if row["bucked"] and row["evidence"] in grades]
    made_to = [row for row in own if set(row["unit_id"].split("+")) & planted]
    return Flags(evidence=name, planted=len(made_to), others=len(own) - len(made_to))


def _no_evidence_reason(database_file: Path, window_id: str) -> str | None:
    """Why a window has no evidence: one reason for all of its units."""
    rows = database.query(
        database_file,
        "SELECT DISTINCT evidence_reason AS reason FROM main.five_year_change"
        " WHERE window_id = ? AND evidence_reason IS NOT NULL",
        [window_id],
    )
    return rows[0]["reason"] if rows else None


def _false_alarms(database_file: Path) -> dict[str, Any] | None:
    """Shares of units flagged where there is no local trend, in per cent; None where that was not measured."""
    rows = database.query(
        database_file,
        "SELECT rule, 100 * share_null_mean AS pct, draws FROM main.null_calibration"
        " WHERE rule IN ('usual_movement', 'poisson_slope') AND share_null_mean IS NOT NULL",
    )
    shares = {row["rule"]: row["pct"] for row in rows}
    return shares | {"draws": rows[0]["draws"]} if len(shares) == 2 else None


def sentences(summary: Summary) -> list[str]:
    """The summary as lines a person reads; every line stands by itself."""
    lines = []
    if summary.is_fictional:
        lines.append(
            f"{summary.country} is FICTIONAL: the demonstration country, built because there are no real files."
        )
    rate = f", {summary.newest_rate_per_10k:.1f} per 10,000 children" if summary.newest_rate_per_10k else ""
    lines.append(
        f"{summary.country} had {summary.newest_looked_after:,} children looked after on 31 March "
        f"{summary.newest_year}{rate} (sum of authorities)."
    )
    primary = next((window for window in summary.windows if window["role"] == "primary"), None)
    if primary:
        lines.append(_window_sentence(summary.country, primary))
        if summary.left_out:
            parts = [f"{row['names']} ({row['reason'].replace('_', ' ')})" for row in summary.left_out]
            lines.append(f"Left out of {primary['window_start']} to {primary['window_end']}: {'; '.join(parts)}.")
    lines += _bucking_sentences(summary)
    if primary:
        own = [one for one in summary.findings if one["window_id"] == primary["window_id"]]
        lines += [f"{one['finding']} {one['caveats']} All windows: about.findings." for one in own]
    missing = [window for window in summary.windows if not window["is_computed"]]
    # Two windows may differ in their populations alone and lack the same counts; it is said once.
    lines += dict.fromkeys(
        f"Not computed: {window['window_start']} to {window['window_end']} ({window['detail']})." for window in missing
    )
    if summary.since_last_publication:
        lines.append(f"Since the last publication: {summary.since_last_publication}")
    lines += [f"To look at: {warning}." for warning in summary.warnings]
    if summary.planted:
        lines += _planted_sentences(summary.planted)
    if summary.planted_terms:
        lines.append(_planted_terms_sentence(summary.planted_terms))
    return lines


def _window_sentence(country: str, window: dict[str, Any]) -> str:
    span = f"{window['window_start']} to {window['window_end']}"
    if not window["is_computed"]:
        return f"{span}: not computed, {window['detail']}."
    direction = {
        "up": "is a rise",
        "down": "is a fall",
        "no_clear_direction": "is no clear direction",
    }[window["england_direction"]]
    return (
        f"{span}: {country}'s rate changed by {window['england_change_pct']:+.1f}% and its number by "
        f"{window['england_number_change_pct']:+.1f}%, which {direction}; of {window['units']} units compared, the rate "
        f"moved down by 5% or more in {window['units_down']} and up in {window['units_up']}."
    )


def _bucking_sentences(summary: Summary) -> list[str]:
    window = summary.bucking_window
    if window is None:
        return [f"In no five-year window does {summary.country} have a clear direction, so nobody can have bucked it."]
    newest = "" if window["newest_window_has_direction"] else ", the newest five-year window with a clear direction,"
    verb = "rose" if window["england_direction"] == "up" else "fell"
    found = (
        f"{window['window_start']} to {window['window_end']}{newest} {summary.country}'s rate {verb} by "
        f"{abs(window['england_change_pct']):.1f}%; {len(summary.bucking)} of {window['units']} units moved against it "
        "and parted from it (main.bucking_the_trend)."
    )
    return [found, *_evidence_sentences(summary)]


def _evidence_sentences(summary: Summary) -> list[str]:
    """Which of those that bucked the trend did so by more than usual, and how often that is said without a reason."""
    lines = []
    if summary.no_evidence_reason:
        why = summary.no_evidence_reason.replace("_", " ")
        lines.append(f"Whether these movements are more than usual year-to-year movement cannot be told: {why}.")
    elif summary.bucking:
        unusual, usual = len(summary.bucking_unusual), len(summary.bucking) - len(summary.bucking_unusual)
        lines.append(
            f"Of these {len(summary.bucking)}, {unusual} moved by more than usual year-to-year movement of an authority of "
            f"that size{_listed(summary.bucking_unusual)}; the other {usual} are within it."
        )
    if summary.false_alarms:
        lines.append(
            f"False alarms, in {summary.false_alarms['draws']:,} countries drawn without any local trend: that rule flags "
            f"{summary.false_alarms['usual_movement']:.1f}% of units, the textbook slope of a Poisson model "
            f"{summary.false_alarms['poisson_slope']:.0f}% (main.null_calibration)."
        )
    return lines


def _listed(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return f" ({'; '.join(names[:_SHOWN_NAMES])}{more})"


def _planted_sentences(planted: Planted) -> list[str]:
    missed = f" Not flagged: {'; '.join(planted.missed)}." if planted.missed else ""
    told = "; ".join(f"{flags.evidence} {flags.planted} of them and {flags.others} others" for flags in planted.flags)
    judged = next(flags for flags in planted.flags if flags.evidence == _JUDGED)
    flagged = judged.planted + judged.others
    false = (
        f" Of the flags {_JUDGED}, {judged.others} of {flagged} are of units that were not made to." if flagged else ""
    )
    return [
        f"Planted / found, {planted.window_start} to {planted.window_end}: {planted.planted} of {planted.units} units were "
        f"made to buck the trend. Flagged {told}.{false}{missed}"
    ]


def _planted_terms_sentence(terms: tuple[PlantedTerm, ...]) -> str:
    told = "; ".join(
        f"{one.term.replace('_', ' ')} {one.planted:+.3f} / {one.estimate:+.3f} ({one.lower_95:+.3f} to {one.upper_95:+.3f})"
        for one in terms
    )
    held = sum(one.is_held for one in terms)
    return f"Planted / found, coefficients of M2: {told}. The 95% limits hold {held} of {len(terms)}."
