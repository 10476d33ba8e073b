"""The declaration of every table, once.

`declare` says what a table and a column are; `core_tables`, `main_tables` and `about_tables` declare them; `catalogue`
lists them all; `frames` and `ddl` derive what pandas, Parquet and DuckDB need. A column that several tables have is
written once, in `shared_columns`. Nothing here computes a figure.
"""
