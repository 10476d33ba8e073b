"""The list of all declared tables.

What belongs here: the list and looking a table up. What does not: declarations and what is derived from them.
"""

from __future__ import annotations

from pipeline.tables import about_tables, core_tables, covariate_tables, evidence_tables, main_tables, model_tables
from pipeline.tables.declare import Table

TABLES: tuple[Table, ...] = (
    *core_tables.TABLES,
    *covariate_tables.TABLES,
    *main_tables.TABLES,
    *evidence_tables.TABLES,
    *model_tables.TABLES,
    *about_tables.TABLES,
)
BY_NAME: dict[str, Table] = {table.full_name: table for table in TABLES}
