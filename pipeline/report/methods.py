"""The methods in words that somebody follows who is no statistician; every chart links to a part of it.

What belongs here: the page and the thresholds that it tells, which come from the settings. What does not: the methods
for those who check them (`docs/methods.md`).
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline import sentences, settings
from pipeline.report.page import METHODS, Page
from pipeline.report.published import Published

# Anchor -> heading; the order of the page.
PARTS = {
    "national-trend": "What is counted, and the national trend",
    "population": "Why the vintage of the population matters",
    "change": "A change over five years",
    "children": "A change in children",
    "bucking": "What it means to buck the trend",
    "usual-range": "The usual range",
    "evidence": "The three grades of evidence",
    "noise": "Is it noise?",
    "map": "The map of squares",
    "neighbours": "Regions and statistical neighbours",
    "uasc": "Unaccompanied asylum-seeking children",
    "deprivation": "Deprivation",
    "judgements": "Inspections and programmes",
    "regressions": "Associations: the regressions",
    "revisions": "Revisions",
    "quality": "Missing figures and faults of files",
    "not-claimed": "What is never claimed",
}


def pages(published: Published) -> Iterator[Page]:
    """The page of methods."""
    values = settings.load()
    yield Page(
        file=METHODS,
        section="methods",
        title="Methods in plain words",
        template="methods.html",
        facts={
            "headings": PARTS,
            "classes": values.classes,
            "evidence": values.evidence,
            "calibration": values.calibration,
            "regression": values.regression,
            "trend_sentences": sentences.TREND,
            "model_sentences": sentences.MODELS,
        },
        description="How the figures of this report are made, for readers who are no statisticians.",
    )
