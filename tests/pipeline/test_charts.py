"""The pictures: that they are valid, small, the same each time and neutral, and that they draw what their table holds."""

from __future__ import annotations

import colorsys
import io
import json
import re
import struct
from collections.abc import Callable, Iterator

import altair as alt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline import charts, sentences
from pipeline.charts import About, Span, Spec
from pipeline.regression import model_charts
from tests.fixtures import drawn_models

ARDENIA = About("Ardenia", is_fictional=True)
ENGLAND = About("England", is_fictional=False)
LARGEST = 40_000  # bytes, of what an event log should hold
N = 150


def national() -> pd.DataFrame:
    years = range(1994, 2026)
    rows = [
        {"year": year, "source": "national_series", "looked_after": 50_000 + 1_000 * (year - 1994)} for year in years
    ]
    rows += [
        {
            "year": year,
            "source": "sum_of_authorities",
            "looked_after": 50_005 + 1_000 * (year - 1994),
            "rate_per_10k": 60 + (year - 2013) / 2 if year >= 2013 else None,
        }
        for year in years
        if year >= 2010
    ]
    return pd.DataFrame(rows).astype({"year": "Int64", "looked_after": "Int64", "rate_per_10k": "float64"})


def units(n: int = N, *, bucked: bool | None = True, is_judged: bool = True) -> pd.DataFrame:
    """Every tenth unit bucked the trend and every fifteenth lies outside its usual range."""
    random = np.random.default_rng(5)
    number = np.geomspace(30, 2_500, n)
    se = np.sqrt(5 * (0.005 + 2 / number))
    outside = np.arange(n) % 15 == 0
    relative = np.where(outside, 2.6, random.uniform(-1.5, 1.5, n)) * se
    return pd.DataFrame(
        {
            "window_start": 2019,
            "window_end": 2024,
            "unit_name": [f"Place {at} on Water" for at in range(n)],
            "mean_number": number,
            "relative_change_pct": 100 * np.expm1(relative),
            "england_change_pct": 4.2,
            "bucked": pd.array([at % 10 == 0 if bucked is not None else None for at in range(n)], dtype="boolean"),
            "se_usual": se if is_judged else np.nan,
            "usual_low_pct": 100 * np.expm1(-1.96 * se) if is_judged else np.nan,
            "usual_high_pct": 100 * np.expm1(1.96 * se) if is_judged else np.nan,
            "evidence": pd.array(np.where(outside, "B", "C") if is_judged else [None] * n, dtype="string"),
        }
    )


def funnel(n: int = N) -> pd.DataFrame:
    random = np.random.default_rng(6)
    people = np.geomspace(9_000, 350_000, n)
    spread = np.sqrt(1 / (people * 0.007) + 0.1)
    rate = 70 * np.exp(random.normal(0, 1, n) * spread)
    return pd.DataFrame(
        {
            "year": 2025,
            "unit_name": [f"Place {at}" for at in range(n)],
            "population_0_17": people.astype(int),
            "rate_per_10k": rate,
            "england_rate_per_10k": 70.0,
            "low_95": 70 * np.exp(-1.96 * spread), "high_95": 70 * np.exp(1.96 * spread),
            "low_998": 70 * np.exp(-3.09 * spread), "high_998": 70 * np.exp(3.09 * spread),
            "poisson_low_95": 65.0, "poisson_high_95": 75.0,
            "outside": np.where(np.arange(n) == 3, "above_998", np.where(np.arange(n) == 4, "below_95", "inside")),
        }
    )  # fmt: skip


def compared() -> pd.DataFrame:
    """Two windows; in the newer one judgements are not compared."""
    rows = []
    for window_id, start in (("prev_h5", 2019), ("orig_h5", 2012)):
        for at, variable in enumerate(charts._MEASURES):
            is_share = variable in ("ofsted_good", "innovation_programme")
            reason = "no_judgement_in_force" if variable == "ofsted_good" and window_id == "prev_h5" else None
            rows.append(
                {
                    "window_id": window_id, "window_start": start, "window_end": start + 5, "variable": variable,
                    "compared": "share" if is_share else "mean", "n": 147, "n_bucked": 41, "n_others": 106,
                    "bucked_mean": 44.4 if is_share else 12.34, "others_mean": 50.0, "difference": 1.0 + at,
                    "lower_95": at - 1.0, "upper_95": at + 3.0, "standard_deviation": 10.0, "q_value": 0.01 * at,
                    "reason": reason,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


Draw = Callable[[About], Spec]
CHARTS: dict[str, Draw] = {
    "national_series": lambda about: charts.national_series(national(), [Span(2012, 2017), Span(2020, 2025)], about),
    "changes": lambda about: charts.changes(units(), about),
    "changes without evidence": lambda about: charts.changes(units(is_judged=False), about),
    "changes without direction": lambda about: charts.changes(units(bucked=None), about),
    "levels": lambda about: charts.levels(funnel(), about),
    "groups": lambda about: charts.groups(compared(), 0.10, about),
    "specifications": lambda about: model_charts.specifications(
        drawn_models.curve(), drawn_models.summary(), drawn_models.TERM, about
    ),
    "windows and models": lambda about: model_charts.windows_and_models(drawn_models.coefficients(), "main_h5", about),
}
every_chart = pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS)


def rows_of(chart: Spec) -> list[list[dict]]:
    """The rows of every layer, in the order in which they are drawn."""
    found = []
    if "data" in chart:
        found.append(chart["data"]["values"])
    for kind in ("vconcat", "hconcat", "layer"):
        for part in chart.get(kind, []):
            found += rows_of(part)
    return found


def texts_of(chart: object) -> Iterator[str]:
    """Every text of a chart, its rows included."""
    if isinstance(chart, str):
        yield chart
    elif isinstance(chart, dict):
        for value in chart.values():
            yield from texts_of(value)
    elif isinstance(chart, list):
        for value in chart:
            yield from texts_of(value)


# ---------------------------------------------------------------------------------------------------------------------
# All of them


@every_chart
def test_a_chart_is_valid_and_holds_no_figure_that_is_missing(draw: Draw) -> None:
    chart = draw(ENGLAND)
    json.dumps(chart, allow_nan=False)
    alt.VConcatChart.from_dict(chart)  # raises where the specification breaks its schema


@every_chart
def test_a_picture_is_small_and_the_same_each_time(draw: Draw) -> None:
    picture = charts.png(draw(ENGLAND))
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    assert 600 < width < 1_200
    assert 300 < height < 900
    assert len(picture) < LARGEST
    assert charts.png(draw(ENGLAND)) == picture


@every_chart
def test_a_chart_says_what_it_shows_from_what_and_whether_it_is_fictional(draw: Draw) -> None:
    real, fictional = draw(ENGLAND), draw(ARDENIA)
    assert len(charts.title(real)) > 30
    assert charts.title(fictional).startswith("FICTIONAL: ")
    assert "FICTIONAL" not in json.dumps(real)
    assert "England" not in json.dumps(fictional)
    foot = " ".join(real["title"]["text"])
    assert foot.startswith("Source: Department for Education")
    assert "invented files" in " ".join(fictional["title"]["text"])


@every_chart
def test_the_colours_are_neutral(draw: Draw) -> None:
    """Neither red nor green: a hue from 20 to 75 degrees (ochre) or from 190 to 260 (blue), or hardly any."""
    colours = {text for text in texts_of(draw(ENGLAND)) if re.fullmatch("#[0-9a-fA-F]{6}", text)}
    assert colours <= {*charts.PALETTE, charts.PAPER}
    for colour in colours:
        hue, _, saturation = colorsys.rgb_to_hls(*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))
        degrees = 360 * hue
        assert saturation < 0.05 or 20 <= degrees <= 75 or 190 <= degrees <= 260 or colour == charts.PAPER, colour


def test_no_colour_is_named() -> None:
    """Named colours would escape the test above."""
    for draw in CHARTS.values():
        keys = json.dumps(draw(ENGLAND))
        for name in ("steelblue", '"red"', '"green"', '"orange"', '"blue"'):
            assert name not in keys


def test_packing_keeps_the_paper_white_and_the_colours_apart() -> None:
    picture = Image.open(io.BytesIO(charts.png(charts.changes(units(), ENGLAND)))).convert("RGB")
    assert picture.getpixel((1, 1)) == (255, 255, 255)
    shown = {colour for _, colour in picture.getcolors(1_000_000)}
    assert {tuple(int(one[at : at + 2], 16) for at in (1, 3, 5)) for one in (charts.SHADE, charts.INK)} <= shown
    assert any(r > 180 and 100 < g < 170 and b < 90 for r, g, b in shown)  # ochre dots
    assert any(r < 100 and b > 130 for r, g, b in shown)  # blue ones


# ---------------------------------------------------------------------------------------------------------------------
# Each of them


def test_the_national_series_draws_every_year_and_marks_the_windows() -> None:
    marks, numbers, again, rates = rows_of(CHARTS["national_series"](ENGLAND))
    assert marks == again == [{"start": 2012, "end": 2017}, {"start": 2020, "end": 2025}]
    assert len(numbers) == 32 + 16
    assert {"year": 2025, "value": 81_005.0, "series": "sum of authorities"} in numbers
    assert [row["year"] for row in rates] == list(range(2013, 2026))
    assert charts.title(CHARTS["national_series"](ENGLAND)) == "Children looked after in England, 1994 to 2025"


def test_a_series_without_rates_has_no_panel_for_them() -> None:
    frame = national().assign(rate_per_10k=np.nan)
    assert len(charts.national_series(frame, [Span(2020, 2025)], ENGLAND)["vconcat"][0]["vconcat"]) == 1


def test_every_unit_is_a_point_beside_its_usual_range() -> None:
    frame = units()
    usual, zero, points, *names = rows_of(charts.changes(frame, ENGLAND))
    assert [row["level"] for row in points] == frame["relative_change_pct"].to_list()
    assert [row["high"] for row in usual] == frame["usual_high_pct"].to_list()
    assert zero == [{"level": 0}]
    moved = {row["name"] for row in points if row["group"].startswith("moved against England")}
    assert moved == set(frame.loc[frame["bucked"], "unit_name"])
    named = {row["name"] for rows in names for row in rows}
    assert named
    assert named <= set(frame.loc[frame["evidence"] == "B", "unit_name"])


def test_the_words_over_the_changes_follow_the_figures() -> None:
    def told(frame: pd.DataFrame) -> str:
        return " ".join(charts.changes(frame, ENGLAND)["vconcat"][0]["title"]["subtitle"])

    assert told(units()) == (
        "England's rate rose by 4%; 15 of 150 units moved against it and parted from it. "
        "Shaded: usual movement, in which 95 in 100 units stay without a trend; 10 lie outside it."
    )
    assert told(units(bucked=None)).startswith("England's rate rose by 4%: no clear direction, so nobody")
    assert "Shaded" not in told(units(is_judged=False))


def test_without_evidence_nothing_is_shaded_and_nobody_named() -> None:
    zero, points, *names = rows_of(charts.changes(units(is_judged=False), ENGLAND))
    assert zero == [{"level": 0}]  # no area: one without points has no extent, of which the renderer complains
    assert names == []
    assert len(points) == N


def test_names_lie_on_nothing_and_inside_the_chart() -> None:
    points = [
        {"size": 100, "level": 0.0, "name": "Left end"},
        {"size": 1_000, "level": 50.0, "name": "Alone"},
        {"size": 1_000, "level": -50.0, "name": "Hidden under Twin"},
        {"size": 1_000, "level": -50.5, "name": "Twin"},
        {"size": 10_000, "level": 10.0, "name": "Right end"},
    ]
    placed = {point["name"]: side for point, side in charts._with_room(points, points)}
    assert placed["Left end"] == "right"
    assert placed["Right end"] == "left"
    assert placed["Alone"] == "right"
    # Two points in one place: one name to either side, and none upon the other.
    assert {placed["Hidden under Twin"], placed["Twin"]} == {"left", "right"}


def test_the_funnel_draws_three_pairs_of_limits_and_names_who_lies_outside_the_outer_one() -> None:
    frame = funnel()
    limits, level, points, *names = rows_of(charts.levels(frame, ENGLAND))
    assert len(limits) == 6 * N
    assert level == [{"level": 70.0}]
    assert [row["level"] for row in points] == frame["rate_per_10k"].to_list()
    assert [row["name"] for rows in names for row in rows] == ["Place 3"]
    told = " ".join(charts.levels(frame, ENGLAND)["vconcat"][0]["title"]["subtitle"])
    assert "2 of 150 authorities lie outside the 95% limits, 1 outside 99.8%" in told


def test_differences_are_in_standard_deviations_and_filled_where_they_are_found() -> None:
    _, limits, dots, words = rows_of(CHARTS["groups"](ENGLAND))[:4]  # of the newer window
    assert [row["measure"] for row in words] == list(charts._MEASURES.values())
    assert limits == dots
    assert len(dots) == len(words) - 1
    by_name = {row["measure"]: row for row in words}
    start = by_name["Rate at the start"]
    assert (start["low"], start["difference"], start["high"]) == pytest.approx((-0.1, 0.1, 0.3))
    assert start["told"] == "12.3 | 50.0"
    assert by_name["Innovation Programme"]["told"] == "44% | 50%"
    assert by_name["Judged good or better"]["told"] == "not compared: no judgement in force"
    assert all(row["is_apart"] for row in dots)  # q goes up to 0.08
    strict = rows_of(charts.groups(compared(), 0.015, ENGLAND))[2]
    assert [row["is_apart"] for row in strict] == [True, True, *[False] * 6]


def test_groups_without_a_national_direction_say_so() -> None:
    flat = compared().assign(n_bucked=pd.NA, reason="national_flat")
    chart = charts.groups(flat, 0.10, ENGLAND)
    assert "2019 to 2024: no clear national direction" in set(texts_of(chart))
    assert charts.png(chart)


def test_every_measure_of_the_table_has_a_name_in_the_chart() -> None:
    from pipeline.tables import evidence_tables

    column = next(one for one in evidence_tables.GROUPS_COMPARED.columns if one.name == "variable")
    assert set(charts._MEASURES) == set(column.allowed or ())


def test_a_picture_stands_over_the_sentences_that_stand_on_everything() -> None:
    from assets import describe

    shown = str(describe.picture(CHARTS["levels"](ARDENIA)).value)
    assert shown.startswith(
        "![FICTIONAL: The level of the rate on 31 March 2025, by size of authority](data:image/png;base64,"
    )
    assert all(sentence in shown for sentence in sentences.ALL)
