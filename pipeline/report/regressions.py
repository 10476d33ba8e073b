"""What goes with the changes: the pages of the regressions, and one with all specifications for each of the three factors.

What belongs here: the sentences, charts and tables of these pages. What does not: coefficients and diagnostics
(`regression`), the drawing that the run shows too (`regression.model_charts`), and the words of the findings.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator
from typing import Any

import pandas as pd

from pipeline import sample, sentences, settings
from pipeline.chart_parts import (
    BLUE,
    DASHED,
    FAINT,
    INK,
    OCHRE,
    PAPER,
    QUIET,
    SCHEMA,
    WIDTH,
    Rows,
    Spec,
    coloured,
    in_page,
    layer,
    quantity,
    signed,
    years_of,
)
from pipeline.database import Record
from pipeline.evidence import pct
from pipeline.regression import model_charts, observations, terms
from pipeline.report import findings, numbers, page
from pipeline.report.compact import compact
from pipeline.report.page import Chart, Column, DataTable, Page, authority_file
from pipeline.report.published import Published
from pipeline.tables import model_tables

_FILE = "regressions.html"
_BRACKET = ("M1", "M2")
_SHORT = {
    terms.DEPRIVATION_CHANGE: "deprivation-change",
    terms.INNOVATION: "innovation-programme",
    terms.OFSTED_GOOD: "ofsted-good",
}
_MODELS = {
    "M0": "one variable alone",
    "M1": "without the rate at the start",
    "M2": "with the rate at the start (primary)",
    "M3": "M2, weighted by usual movement",
    "M4": "M2 as a model of counts (quasi-Poisson)",
    "M7": "M2, less swayed by single authorities",
    "M8": "M2, without UASC",
    "M9": "M2, of the rate of starts",
    "M10": "M2 of four years",
}
_SHOWN = " OR ".join(
    f"(model = '{model}' AND variant = '{variant}')"
    for model, variant in (
        ("M3", "primary"), ("M4", "primary"), ("M7", "huber"), ("M7", "median"), ("M8", "primary"), ("M9", "primary"),
    )
)  # fmt: skip
_CHOICES: dict[str, tuple[str, dict[Any, str]]] = {
    "outcome": ("Outcome", {
        observations.LOG_RATE_RATIO: "rate", observations.NUMBER: "number",
        observations.EXCLUDING_UASC: "rate without UASC", observations.STARTS: "rate of starts",
    }),
    "years": ("Years", {5: "five", 4: "four"}),
    "has_baseline": ("Rate at the start", {True: "in", False: "out"}),
    "region_effects": ("Regions", {True: "in", False: "out"}),
    "weights": ("Weights", {"equal": "equal", "usual_movement": "usual movement"}),
    "deprivation": ("Deprivation", {"low_income": "low income", "free_school_meals": "free meals"}),
    "ofsted": ("Judgement", {"ofsted_good": "good", "ofsted_not_inadequate": "not inadequate"}),
    "innovation": ("Programme", {
        "innovation_programme": "rounds 1, 2", "innovation_any_programme": "any", "innovation_lead": "lead",
    }),
}  # fmt: skip
_CONTROLS = {"never": "authorities without an entry", "not_yet": "authorities that had not begun"}
_WINDOW = Column("window", "Window")


def pages(published: Published) -> Iterator[Page]:
    """The page of the regressions, and a list of all specifications for each factor that has them."""
    window = _window(published)
    curve = _curve(published)
    drawn = [*_forest(published, window), *_curves(curve), *_influence(published, window)]
    drawn += _staggered(published)
    tables = [
        _summary(published),
        _diagnostics(published),
        _left_out(published),
        _univariate(published, window),
        _study(published),
    ]
    if window:
        tables += [_bracket(published, window), _left_out_of(published, window)]
    before = _before_entry(published)
    yield Page(
        file=_FILE,
        section="regressions",
        title="What goes with the changes",
        template="regressions.html",
        charts=drawn,
        tables=[*tables, *([before] if before.rows else [])],
        facts={
            "findings": findings.fitted(published),
            "not_fitted": findings.not_fitted(published),
            "window": window,
            "no_effect": model_tables.NOT_AN_EFFECT,
            "caveats": sentences.MODELS,
            "pretrends": _pretrends(published),
            "staggered_caveats": published.rows(
                "SELECT caveat FROM about.caveats WHERE applies_to = 'main.staggered_adoption' ORDER BY position"
            ),
        },
        description="Associations of the changes with deprivation, programmes and judgements across authorities.",
    )
    yield from _all_specifications(published, curve)


def _window(published: Published) -> Record | None:
    """The primary window if its primary model was fitted, or else the newest window whose model was."""
    found = published.rows(
        "SELECT w.* FROM main.windows AS w WHERE EXISTS (SELECT 1 FROM main.regression_models AS m"
        " WHERE m.window_id = w.window_id AND m.model = 'M2' AND m.reason IS NULL)"
        " ORDER BY w.role = 'primary' DESC, w.window_end DESC, w.window_start DESC, w.window_id LIMIT 1"
    )
    return found[0] if found else None


# ---------------------------------------------------------------------------------------------------------------------
# Coefficients


def _forest(published: Published, window: Record | None) -> Iterator[Chart]:
    """The three factors in every window and, of one window, in every model; nothing where no model was fitted."""
    if window is None:
        return
    focal = ", ".join(f"'{term}'" for term in terms.FOCAL)
    coefficients = published.frame(
        f"SELECT * FROM main.regression_coefficients WHERE term IN ({focal}) AND is_log_outcome AND NOT region_effects"
        " AND estimate IS NOT NULL AND ((model IN ('M1', 'M2') AND variant = 'primary') OR"
        f" (window_id = '{window['window_id']}' AND ({_SHOWN})))"
        " ORDER BY window_end DESC, window_start DESC, window_id, model, variant, term"
    )
    if coefficients.empty:
        return
    rows = [
        row | {
            "window": years_of(row),
            "told": _model_words(row),
            "factor": terms.TERMS[row["term"]].words,
            "limits": numbers.between(row["percent_lower_95"], row["percent_upper_95"]),
            "detectable_pct": _ratio_pct(row["minimum_detectable_effect"]),
        }
        for row in coefficients.to_dict("records")
    ]  # fmt: skip
    table = DataTable(
        "forest",
        "Associations with the change, by window and model",
        (
            _WINDOW,
            Column("told", "Model"),
            Column("factor", "Factor"),
            Column("unit_of_term", "Per"),
            Column("percent_effect", "Difference of the change", "signed_pct", reason="percent_reason"),
            Column("limits", "95% limits"),
            Column("p_value", "p", "probability"),
            Column("detectable_pct", "Smallest difference it would find", "pct"),
            Column("n", "Units", "count"),
        ),
        rows,
        note="The smallest difference that the model would find four times in five, above none.",
    )
    finished = model_charts.windows_and_models(coefficients, window["window_id"], published.about)
    hold = sum(row["percent_lower_95"] <= 0 <= row["percent_upper_95"] for row in rows)
    made = page.from_finished(
        "forest",
        finished,
        f"Three panels, one a factor. Each line is a window or a model: a dot at the difference of the change and its 95% "
        f"limits. Of {len(rows)} pairs of limits {hold} hold zero.",
        table,
        methods="regressions",
    )
    yield dataclasses.replace(made, spec=compact(made.spec))


def _model_words(row: Any) -> str:
    words = _MODELS.get(row["model"], "")
    variant = "" if row["variant"] == "primary" else f" ({numbers.words(row['variant'])})"
    return f"{row['model']}: {words}{variant}"


def _ratio_pct(log_ratio: Any) -> float | None:
    return None if numbers.is_missing(log_ratio) else float(pct(log_ratio))


def _bracket(published: Published, window: Record) -> DataTable:
    """M1 and M2 of the window side by side, a row a factor."""
    found = published.rows(
        "SELECT * FROM main.regression_coefficients WHERE model IN ('M1', 'M2') AND variant = 'primary'"
        f" AND NOT region_effects AND outcome = '{observations.LOG_RATE_RATIO}' AND window_id = '{window['window_id']}'"
    )
    rows = []
    for term in terms.FOCAL:
        row: dict[str, Any] = {"factor": terms.TERMS[term].words, "unit": terms.unit_of(term)}
        for own in (row for row in found if row["term"] == term):
            name = own["model"].lower()
            row |= {
                f"{name}_pct": own["percent_effect"],
                f"{name}_limits": numbers.between(own["percent_lower_95"], own["percent_upper_95"]),
                f"{name}_reason": own["reason"] or own["percent_reason"],
                f"{name}_bootstrap": own["wild_bootstrap_p"],
                f"{name}_detectable": _ratio_pct(own["minimum_detectable_effect"]),
                f"{name}_one_out": numbers.between(
                    _ratio_pct(own["leave_one_out_min"]), _ratio_pct(own["leave_one_out_max"])
                ),
            }
        rows.append(row)
    return DataTable(
        "bracket",
        f"The bracket of the two models, {years_of(window)}",
        (
            Column("factor", "Factor"),
            Column("unit", "Per"),
            Column("m1_pct", "M1, without the rate at the start", "signed_pct", reason="m1_reason"),
            Column("m1_limits", "95% limits"),
            Column("m2_pct", "M2, with it", "signed_pct", reason="m2_reason"),
            Column("m2_limits", "95% limits of M2"),
            Column("m2_bootstrap", "M2: p by bootstrap", "probability"),
            Column("m2_detectable", "M2: smallest difference it would find", "pct"),
            Column("m2_one_out", "M2: range leaving one authority out"),
        ),
        rows,
        note="Differences of the change of the rate, per cent. What lies between the two models is open: neither is known "
        "to be right.",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Specifications


def _curve(published: Published) -> pd.DataFrame:
    return published.frame("SELECT * FROM main.specification_curve ORDER BY term, specification")


def _curves(curve: pd.DataFrame) -> Iterator[Chart]:
    """The sorted estimates of each factor side by side; nothing where no specification has one."""
    fitted = list(_fitted(curve))
    if not fitted:
        return
    panels, told, rows = [], [], []
    for term, own in fitted:
        words = terms.TERMS[term].words
        ordered = own.sort_values(["estimate", "specification"], ignore_index=True)
        points = [{"at": at, "level": _ratio_pct(value)} for at, value in enumerate(ordered["estimate"], start=1)]
        mine = [point for point, is_own in zip(points, ordered["is_primary"], strict=True) if is_own]
        above = 100 * float((own["estimate"] > 0).mean())
        told.append(
            f"{_capital(words)}: from {numbers.signed_pct(points[0]['level'])} to "
            f"{numbers.signed_pct(points[-1]['level'])}, {numbers.whole_pct(above)} above zero."
        )
        rows += [{"factor": words} | row for row in _by_choice(own)]
        panels.append(_sorted_estimates(points, mine, term))
    yield Chart(
        name="curves",
        title="The three factors in every specification, sorted",
        spec=compact(
            {
                "$schema": SCHEMA,
                "background": PAPER,
                "hconcat": panels,
                "spacing": 14,
                "config": {"view": {"stroke": None}},
            }
        ),
        alternative=f"Three rising lines of dots, one a factor. {' '.join(told)}",
        table=DataTable(
            "choices",
            "Specifications by choice",
            (
                Column("factor", "Factor"),
                Column("choice", "Choice"),
                Column("n", "Specifications", "count"),
                Column("lowest", "Lowest difference", "signed_pct"),
                Column("middle", "Middle", "signed_pct"),
                Column("highest", "Highest", "signed_pct"),
                Column("above", "Above zero", "whole_pct"),
            ),
            rows,
            note="Every single specification is on a page of its own, see the links of the table above.",
        ),
        told=(*told, f"{model_tables.NOT_AN_EFFECT} The ochre dot is the primary model."),
        methods="regressions",
    )


def _sorted_estimates(points: Rows, mine: Rows, term: str) -> Spec:
    x = quantity("at", title="Specifications, sorted", axis={"grid": False, "tickCount": 4, "format": ",d"})
    y = quantity(
        "level", title=f"Per cent, {terms.unit_of(term)}", axis={"gridColor": FAINT, "labelExpr": signed("+~g")}
    )
    return {
        "width": WIDTH / 3 - 40,
        "height": 180,
        "title": {
            "text": textwrap.wrap(_capital(terms.TERMS[term].words), 30),
            "fontSize": 11,
            "anchor": "start",
            "color": INK,
        },
        "layer": [
            layer(points, {"type": "circle", "size": 5, "opacity": 1, "color": BLUE}, x=x, y=y),
            layer([{"level": 0}], DASHED, y=y),
            layer(mine, {"type": "circle", "size": 70, "opacity": 1, "color": OCHRE, "stroke": PAPER}, x=x, y=y),
        ],
    }


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _fitted(curve: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The specifications with an estimate, for each factor that has any."""
    for term in terms.FOCAL:
        own = curve.loc[(curve["term"] == term) & curve["estimate"].notna()]
        if len(own):
            yield term, own.assign(years=own["window_end"] - own["window_start"])


def _by_choice(own: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for column, (heading, values) in _CHOICES.items():
        for value, words in values.items():
            made = own.loc[own[column] == value]
            if len(made):
                yield {
                    "choice": f"{heading}: {words}",
                    "n": len(made),
                    "lowest": _ratio_pct(made["estimate"].min()),
                    "middle": _ratio_pct(made["estimate"].median()),
                    "highest": _ratio_pct(made["estimate"].max()),
                    "above": 100 * float((made["estimate"] > 0).mean()),
                }


def _all_specifications(published: Published, curve: pd.DataFrame) -> Iterator[Page]:
    """A page for each factor with its specification curve and every specification, as large as a page may be."""
    summary = published.frame("SELECT * FROM main.specification_curve_summary")
    for term, own in _fitted(curve):
        words = terms.TERMS[term].words
        level = float(summary.loc[summary["term"] == term, "p_level"].iloc[0])
        table = _specifications(own, words)
        made = page.from_finished(
            "specifications",
            model_charts.specifications(curve, summary, term, published.about),
            f"{len(own)} estimates in ascending order with their 95% limits, from "
            f"{numbers.signed_pct(_ratio_pct(own['estimate'].min()))} to "
            f"{numbers.signed_pct(_ratio_pct(own['estimate'].max()))}; below them a line of squares for each choice. "
            f"{numbers.whole_pct(100 * float((own['estimate'] > 0).mean()))} are above zero; "
            f"{numbers.whole_pct(100 * float((own['p_value'] < level).mean()))} have p under {level:g}.",
            table,
            methods="regressions",
        )
        yield Page(
            file=f"regressions/specifications-{_SHORT[term]}.html",
            section="regressions",
            title=f"Do the choices matter? {_capital(words)}",
            template="specifications.html",
            charts=[dataclasses.replace(made, spec=compact(made.spec))],
            facts={"back": f"{_FILE}#choices"},
            description=f"Every specification of the association with {words}.",
        )


def _specifications(own: pd.DataFrame, words: str) -> DataTable:
    rows = [
        {
            "specification": row["specification"],
            "percent": _ratio_pct(row["estimate"]),
            "limits": numbers.between(_ratio_pct(row["lower_95"]), _ratio_pct(row["upper_95"])),
            "p_value": row["p_value"],
            **{column: values[row[column]] for column, (_, values) in _CHOICES.items()},
        }
        for row in own.to_dict("records")
    ]
    return DataTable(
        "all",
        f"All specifications: {words}",
        (
            Column("specification", "Number", "year"),
            Column("percent", "Difference", "signed_pct"),
            Column("limits", "95% limits"),
            Column("p_value", "p", "probability"),
            *(Column(column, heading) for column, (heading, _) in _CHOICES.items()),
        ),
        rows,
        note="Number 1 is the primary model.",
    )


def _summary(published: Published) -> DataTable:
    rows = [
        row | {
            "factor": terms.TERMS[row["term"]].words,
            "page": f"regressions/specifications-{_SHORT[row['term']]}.html" if row["n_specifications"] else None,
            "lowest": _ratio_pct(row["lowest_estimate"]),
            "middle": _ratio_pct(row["median_estimate"]),
            "highest": _ratio_pct(row["highest_estimate"]),
            "above": None if not row["n_specifications"] else 100 * row["n_positive"] / row["n_specifications"],
            "small_p": None if row["significant_share"] is None else 100 * row["significant_share"],
        }
        for row in published.rows("SELECT * FROM main.specification_curve_summary ORDER BY term")
    ]  # fmt: skip
    return DataTable(
        "specification-summary",
        "Do the choices matter?",
        (
            Column("factor", "Factor", link="page"),
            Column("unit_of_term", "Per"),
            Column("n_specifications", "Specifications", "count"),
            Column("lowest", "Lowest difference", "signed_pct", reason="reason"),
            Column("middle", "Middle", "signed_pct"),
            Column("highest", "Highest", "signed_pct"),
            Column("above", "Above zero", "whole_pct"),
            Column("small_p", "With a small p", "whole_pct"),
            Column("median_p", "Joint p of the middle", "probability"),
            Column("significant_p", "Joint p of the small ones", "probability"),
        ),
        rows,
        note="A factor leads to the page with its every specification. Joint p: how often an equally large value comes "
        "about where the factor is dealt out anew at random within regions.",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Single authorities and diagnostics


def _influence(published: Published, window: Record | None) -> Iterator[Chart]:
    """How much each unit weighs in the primary model of the window."""
    if window is None:
        return
    found = published.rows(
        f"SELECT * FROM main.regression_influence WHERE window_id = '{window['window_id']}' AND model = 'M2'"
        f" AND outcome = '{observations.LOG_RATE_RATIO}' AND NOT region_effects ORDER BY unit_name, unit_id"
    )
    if not found:
        return
    heavy, light = "Cook's distance above 4/n", "other units"
    most = settings.load().report.chart_points
    rows = [
        row | {
            "page": authority_file(row["unit_id"]),
            "moved": ", ".join(terms.TERMS[term].words for term in row["terms_moved"].split(", ") if term) or None,
            "none": "none",
        }
        for row in found
    ]  # fmt: skip
    points = [
        {
            "name": row["unit_name"],
            "leverage": row["leverage"],
            "residual": row["studentised_residual"],
            "cook": row["cooks_distance"],
            "kind": heavy if row["is_influential"] else light,
        }
        for row in sample.every(rows, most)
    ]
    named = [point for point in points if point["kind"] == heavy]
    heavy_ones = [str(row["unit_name"]) for row in rows if row["is_influential"]]
    x = quantity(
        "leverage",
        title="Leverage: how unlike the others its factors are",
        scale={"zero": False},
        axis={"grid": False, "tickCount": 8},
    )
    y = quantity("residual", title="Studentised residual", axis={"gridColor": FAINT})
    tooltip: Any = [
        {"field": "name", "title": "Unit"},
        {"field": "cook", "title": "Cook's distance", "type": "quantitative", "format": ".3f"},
    ]
    size = quantity("cook", scale={"range": [16, 500]}, legend=None)
    spec = in_page(
        320,
        [
            layer([{"residual": 0}], DASHED, y=y),
            layer(points, {"type": "circle", "opacity": 0.75, "stroke": PAPER}, x=x, y=y, size=size, tooltip=tooltip,
                  color=coloured("kind", {heavy: OCHRE, light: BLUE})),
            layer(named, {"type": "text", "align": "left", "dx": 9, "fontSize": 9, "limit": 120}, x=x, y=y,
                  text={"field": "name"}),
        ],
    )  # fmt: skip
    told = (
        f"{len(heavy_ones)} of {len(rows)} units weigh heavily: {numbers.listed(heavy_ones)}."
        if heavy_ones
        else f"None of {len(rows)} units weighs heavily."
    )
    yield Chart(
        name="influence",
        title=f"Which authorities move the result of the primary model, {years_of(window)}",
        spec=compact(spec),
        alternative=f"A dot for each unit, leverage across, residual upwards, larger where the result moves more "
        f"without it. {told}",
        table=DataTable(
            "influence",
            f"Influence of each unit on M2, {years_of(window)}",
            (
                Column("unit_name", "Authority", link="page"),
                Column("leverage", "Leverage", "three_digits"),
                Column("studentised_residual", "Residual", "signed_decimal"),
                Column("cooks_distance", "Cook's distance", "three_digits"),
                Column("is_influential", "Above 4/n", "yes_no"),
                Column("moved", "Coefficients that move without it", reason="none"),
            ),
            rows,
            note="Alphabetical.",
        ),
        told=(
            told,
            *([drawn] if (drawn := sample.told(len(rows), most, "units")) else []),
            "No unit is left out for its weight; the bracket table has the range of results that leave one out.",
        ),
        methods="regressions",
    )


def _diagnostics(published: Published) -> DataTable:
    rows = [
        row | {"window": years_of(row)}
        for row in published.rows(
            "SELECT * FROM main.regression_models WHERE variant = 'primary' AND NOT region_effects AND outcome ="
            f" '{observations.LOG_RATE_RATIO}' AND model IN ('M1', 'M2', 'M3', 'M4')"
            " ORDER BY window_end DESC, window_start DESC, window_id, model"
        )
    ]
    return DataTable(
        "diagnostics",
        "Do the models fit?",
        (
            _WINDOW,
            Column("model", "Model"),
            Column("n", "Units", "count", reason="reason"),
            Column("n_left_out", "Left out", "count"),
            Column("k", "Coefficients", "count"),
            Column("r2", "R²", "three_digits", reason="diagnostics_reason"),
            Column("breusch_pagan_p", "Equal spread (Breusch-Pagan p)", "probability"),
            Column("shapiro_wilk_p", "Normal residuals (Shapiro-Wilk p)", "probability"),
            Column("reset_p", "Straight lines (RESET p)", "probability"),
            Column("morans_i", "Alike within regions (Moran's I)", "signed_decimal"),
            Column("morans_i_p", "its p", "probability"),
            Column("condition_number", "Condition number", "decimal"),
        ),
        rows,
        note="M1 is without the rate at the start, M2 with it; M3 is M2 weighted by usual movement, M4 a model of counts. A "
        "small p says that the model leaves out something of that kind. Standard errors allow for unequal spread.",
    )


def _left_out(published: Published) -> DataTable:
    rows = [
        row | {"window": years_of(row)}
        for row in published.rows(
            "SELECT window_id, window_start, window_end, reason, count(DISTINCT la_code) AS authorities,"
            " string_agg(DISTINCT model, ', ' ORDER BY model) AS models FROM main.exclusions WHERE stage = 'regression'"
            " GROUP BY ALL ORDER BY window_end DESC, window_start DESC, window_id, reason"
        )
    ]
    return DataTable(
        "left-out",
        "Authorities left out of regressions, by window",
        (
            _WINDOW,
            Column("reason", "Why", "words"),
            Column("authorities", "Authorities", "count"),
            Column("models", "Models"),
        ),
        rows,
    )


def _left_out_of(published: Published, window: Record) -> DataTable:
    rows = [
        row | {"page": authority_file(row["la_code"])}
        for row in published.rows(
            "SELECT DISTINCT la_code, la_name, reason, detail FROM main.exclusions WHERE stage = 'regression'"
            f" AND model = 'M2' AND window_id = '{window['window_id']}' ORDER BY la_name, la_code"
        )
    ]
    return DataTable(
        "left-out-names",
        f"Authorities left out of the primary model, {years_of(window)}",
        (Column("la_name", "Authority", link="page"), Column("reason", "Why", "words"), Column("detail", "In words")),
        rows,
    )


def _univariate(published: Published, window: Record | None) -> DataTable:
    found = (
        published.rows(
            f"SELECT * FROM main.univariate_associations WHERE window_id = '{window['window_id']}'"
            f" AND outcome = '{observations.LOG_RATE_RATIO}' ORDER BY term"
        )
        if window
        else []
    )
    rows = [
        row | {
            "difference_pct": _ratio_pct(row["difference"]),
            "limits": _limits(row),
            "later": "may follow the change" if row["is_post_baseline"] else "before the window",
            "not_of_kind": "not_of_this_kind",
        }
        for row in found
    ]  # fmt: skip
    return DataTable(
        "univariate",
        "One variable at a time" + (f", {years_of(window)}" if window else ""),
        (
            Column("term", "Variable", "words"),
            Column("measure", "What it measures", "words"),
            Column("later", "When"),
            Column("n", "Units", "count"),
            Column("pearson_r", "Correlation with the change", "signed_decimal", reason="not_of_kind"),
            Column("difference_pct", "Difference of the change", "signed_pct", reason="not_of_kind"),
            Column("limits", "95% limits"),
            Column("p_value", "p", "probability", reason="reason"),
            Column("q_value", "p, allowing for the number of tests", "probability"),
        ),
        rows,
        note="Numbers have a correlation, yes-or-no variables a difference between those with and without; groups have a "
        "test only. Two variables that go together share their association.",
    )


def _limits(row: Record) -> str | None:
    if row["pearson_lower_95"] is not None:
        return numbers.between(row["pearson_lower_95"], row["pearson_upper_95"], numbers.signed_decimal)
    if row["difference_lower_95"] is not None:
        return numbers.between(_ratio_pct(row["difference_lower_95"]), _ratio_pct(row["difference_upper_95"]))
    return None


def _study(published: Published) -> DataTable:
    return DataTable(
        "study",
        "The study of 2018 beside these data",
        (
            Column("statement", "Published"),
            Column("period", "Period", "words"),
            Column("ours", "Here", reason="reason"),
            Column("agrees", "Same sign or region", "yes_no"),
            Column("n", "Units", "count"),
            Column("source", "Published by"),
            Column("note", "How it differs"),
        ),
        published.rows("SELECT * FROM main.study_comparison ORDER BY position, period"),
        note="A dash: set side by side only. The same sign does not say that there is an association.",
    )


# ---------------------------------------------------------------------------------------------------------------------
# The appendix on entry at different times


def _pretrends(published: Published) -> list[str]:
    """What the years before entry say, a sentence a control group; it stands before anything else of the appendix."""
    told = []
    for row in published.rows(
        "SELECT control_group, min(pretrend_p) AS p, min(pretrend_reason) AS reason FROM main.staggered_adoption"
        " GROUP BY control_group ORDER BY control_group"
    ):
        against = f"Against {_CONTROLS[row['control_group']]}"
        if row["p"] is None:
            told.append(
                f"{against}: whether they moved alike before entry cannot be told ({numbers.words(row['reason'])})."
            )
        elif row["p"] < 0.05:
            told.append(
                f"{against}: they were moving apart before entry already (p {numbers.probability(row['p'])}), so the years "
                "after it say nothing of the programme."
            )
        else:
            told.append(
                f"{against}: the years before entry do not show that they moved apart (p {numbers.probability(row['p'])}); "
                "few authorities can part unseen."
            )
    return told


def _entry_rows(published: Published, condition: str) -> list[dict[str, Any]]:
    return [
        row | {
            "control": _CONTROLS[row["control_group"]],
            "percent": _ratio_pct(row["estimate"]),
            "low": _ratio_pct(row["lower_95"]),
            "high": _ratio_pct(row["upper_95"]),
        }
        for row in published.rows(
            f"SELECT * FROM main.staggered_adoption WHERE {condition} ORDER BY control_group, event_time"
        )
    ]  # fmt: skip


_ENTRY = (
    Column("control", "Compared with"),
    Column("event_time", "Years from entry", "signed_count"),
    Column("percent", "Difference", "signed_pct", reason="reason"),
    Column("low", "95% limits from", "signed_pct"),
    Column("high", "to", "signed_pct"),
    Column("n_groups", "Years of entry", "count"),
    Column("n_units", "Units that took part", "count"),
    Column("n_controls", "Fewest compared with", "count"),
)


def _before_entry(published: Published) -> DataTable:
    return DataTable(
        "before-entry",
        "Before entry: change over one year, less that of the others",
        _ENTRY,
        _entry_rows(published, "is_pre_programme"),
    )


def _staggered(published: Published) -> Iterator[Chart]:
    rows = _entry_rows(published, "estimate IS NOT NULL")
    if not rows:
        return
    colours = dict(zip(_CONTROLS.values(), (BLUE, OCHRE), strict=True))
    points = [
        {
            "at": row["event_time"] + (-0.12 if row["control_group"] == "never" else 0.12),
            **{name: row[name] for name in ("percent", "low", "high", "control")},
        }
        for row in rows
    ]
    x = quantity(
        "at",
        title="Years from entry; left of the line: before",
        axis={"tickMinStep": 1, "labelExpr": signed("+d"), "grid": False},
    )
    y = quantity("percent", title="Difference, per cent", axis={"gridColor": FAINT, "labelExpr": signed("+~g")})
    colour = coloured("control", colours)
    spec = in_page(
        240,
        [
            layer([{"percent": 0}], DASHED, y=y),
            layer([{"at": -0.5}], {"type": "rule", "color": QUIET}, x=x),
            layer(
                points,
                {"type": "rule", "strokeWidth": 1.5},
                x=x,
                y=y | {"field": "low"},
                y2={"field": "high"},
                color=colour,
            ),
            layer(points, {"type": "circle", "size": 55, "opacity": 1}, x=x, y=y, color=colour),
        ],
    )
    yield Chart(
        name="entry",
        title="Rates of authorities by years from entry into the Innovation Programme",
        spec=spec,
        alternative=f"Dots with 95% limits from {min(row['event_time'] for row in rows)} to "
        f"+{max(row['event_time'] for row in rows)} years from entry, in two colours for whom they are compared with. "
        + " ".join(_pretrends(published)),
        table=DataTable("entry", "By years from entry", _ENTRY, rows),
        told=("Read the years before entry first.",),
        methods="regressions",
    )
