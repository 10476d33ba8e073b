"""Columns that mean the same thing wherever they stand.

What belongs here: a column or unit of two or more tables. What does not: a column of one table (declared with it) and the
sentences that stand on every table (`sentences`).
"""

from __future__ import annotations

from pipeline import reasons
from pipeline.readers.layout import AUTHORITY, ENGLAND, REGION
from pipeline.tables.declare import Column

CHILDREN = "children"
PER_10K = "children looked after per 10,000 children aged 0-17"
PER_CENT = "per cent"

REASONS = reasons.ALL
VINTAGES = ("rebased", "pre_census")

LA_CODE = Column("la_code", "text", "Local authority, Department for Education three-digit code as text.")
LA_NAME = Column("la_name", "text", "Name of the local authority, in its newest spelling.")
ONS_CODE = Column("ons_code", "text", "Nine-character code of the Office for National Statistics.")
REGION_NAME = Column("region", "text", "Region (one of nine; Inner and Outer London are both London).")
YEAR = Column(
    "year", "integer", "Reporting year, ending 31 March: stocks are counted on that day, flows over the year."
)
RELEASE = Column("release", "integer", "Reporting year of the release that the figure is from.")
VALUE = Column("value", "integer", "The published number; missing where the publisher shows a marker.", nullable=True)
MARKER = Column("marker", "text", "The publisher's symbol in place of a number, as published.", nullable=True)
SHA256 = Column(
    "source_sha256", "text", "sha256 of the file that the row was read from (see about.sources).", is_repeated=True
)
SOURCE_ROW = Column("source_row", "integer", "Row of that file, counted as a spreadsheet counts.")
SOURCE_COLUMN = Column("source_column", "text", "Column of that file.", is_repeated=True)
AREA_LEVEL = Column("area_level", "text", "Level of the area.", allowed=(AUTHORITY, REGION, ENGLAND))
REASON = Column("reason", "text", "Why a figure of this row is missing.", nullable=True, allowed=REASONS)

LOOKED_AFTER = Column(
    "looked_after",
    "integer",
    "Children looked after on 31 March, without those looked after only under series of short-term placements.",
    CHILDREN,
    nullable=True,
)
POPULATION = Column(
    "population_0_17",
    "integer",
    "Children aged 0-17 at the mid-year before: reporting year t has the estimate of mid-(t-1).",
    CHILDREN,
    nullable=True,
)
RATE = Column("rate_per_10k", "number", "10,000 x looked_after / population_0_17, not rounded.", PER_10K, nullable=True)

WINDOW_ID = Column("window_id", "text", "Name of the window, such as main_h5 (see main.windows).")
WINDOW_START = Column("window_start", "integer", "Reporting year at the start of the window.")
WINDOW_END = Column("window_end", "integer", "Reporting year at the end of the window.")
UNIT_ID = Column("unit_id", "text", "DfE codes of the unit's authorities at the end of the window, joined by +.")
UNIT_NAME = Column("unit_name", "text", "Names of those authorities, joined by +.")
POPULATION_VINTAGE = Column(
    "population_vintage",
    "text",
    "Which estimates the populations are from: rebased on the 2021 census, or from before it.",
    allowed=VINTAGES,
)
