"""Children looked after, the layout of the 2010 release (SFR27/2010): three wide files, DfE codes only.

What belongs here: the headers `MarTotal_2010`, `StartTotal_2010`, `CeasedTotal_2010` and `Mid2009Pop0-17`. What does
not: later layouts, where the same things have other names and region letters other meanings.
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from pipeline.readers import text_table
from pipeline.readers.layout import (
    AUTHORITY,
    ENGLAND,
    LOOKED_AFTER,
    REGION,
    Edition,
    Knowledge,
    Layout,
    SourceFile,
)
from pipeline.readers.opening import Opening
from pipeline.readers.wide import read_wide

_RELEASE = 2010
_LEVELS = {"National": ENGLAND, "GOR": REGION, "LA": AUTHORITY}
_MEASURES = {
    "looked_after": {"MarTotal_2010": "looked_after", "Mid2009Pop0-17": "population_0_17"},
    "started": {"StartTotal_2010": "started"},
    "ceased": {"CeasedTotal_2010": "ceased"},
}
_STEMS = {"looked_after": "Mar", "started": "Start", "ceased": "Ceased"}  # what the file's own columns begin with


def _recognises(part: str, opening: Opening) -> bool:
    own = [name for name in opening.header() if name.startswith(_STEMS[part]) and name.endswith("_2010")]
    return len(own) >= 2  # not the headline column alone: it may be the one that is missing


def _edition(part: str, source: SourceFile, knowledge: Knowledge) -> Edition:
    return Edition(release=_RELEASE, part=part)


def _read(source: SourceFile, edition: Edition, knowledge: Knowledge) -> pd.DataFrame:
    return read_wide(
        text_table.read(source.content, source.name),
        source,
        edition,
        knowledge,
        layout=f"cla_2010_{edition.part}",
        levels=_LEVELS,
        measures=_MEASURES[edition.part],
        has_ons_code=False,
    )


LAYOUTS = [
    Layout(
        name=f"cla_2010_{part}",
        publication=LOOKED_AFTER,
        title="Children looked after in England (SFR27/2010)",
        publisher="Department for Education",
        recognises=partial(_recognises, part),
        edition=partial(_edition, part),
        read=_read,
    )
    for part in _MEASURES
]
