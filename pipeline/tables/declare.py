"""What a table is: name, grain, keys, and columns with type, unit, meaning and allowed values.

What belongs here: the two types. What does not: any particular table, and anything derived from the declarations.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["text", "integer", "number", "boolean", "date", "timestamp"]


@dataclass(frozen=True)
class Column:
    """One column. `unit` is None for codes, names and words; `allowed` lists the only values there may be.

    `is_repeated`: few texts for very many rows, which a frame keeps once each.
    """

    name: str
    kind: Kind
    description: str
    unit: str | None = None
    nullable: bool = False
    allowed: tuple[str, ...] | None = None
    is_repeated: bool = False

    def but(self, **changes: object) -> Column:
        """The same column with another description, name or nullability, where a table differs in that alone."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def comment(self) -> str:
        """What `DESCRIBE` and the data dictionary show: meaning, unit, allowed values."""
        parts = [self.description]
        if self.unit:
            parts.append(f"Unit: {self.unit}.")
        if self.allowed:
            parts.append(f"One of: {', '.join(self.allowed)}.")
        return " ".join(parts)


@dataclass(frozen=True)
class Table:
    """One table. `key` is the natural key and its order the order of the rows, unless `order` says otherwise.

    `asset` is the name of the asset that makes it. `is_view` tables have their SQL in `sql/views/<name>.sql`.
    """

    schema: str
    name: str
    description: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    asset: str = ""
    order: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    is_view: bool = False

    @property
    def full_name(self) -> str:
        """`schema.name`."""
        return f"{self.schema}.{self.name}"

    @property
    def column_names(self) -> list[str]:
        """Names in the declared order."""
        return [column.name for column in self.columns]

    @property
    def sort_by(self) -> list[str]:
        """Columns that order the rows."""
        return list(self.order or self.key)

    @property
    def comment(self) -> str:
        """What a researcher reads first: meaning, grain, warnings."""
        return " ".join([self.description, f"One row per {self.grain}.", *self.warnings])
