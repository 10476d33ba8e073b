"""The subject of the project: published statistics in, tables of findings out.

Pure functions over frames belong here. Dagster does not (see `assets/`), and nothing runs or is read at import.
"""

__version__ = "0.1.0"
