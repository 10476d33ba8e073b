"""Readers: one module per published layout, bytes in, tidy frame out.

A layout module knows its headers, its measures and its markers, and nothing of other layouts, folders or years to
compute. What several layouts share stands in `text_table` (delimited text) and `cells` (counts and codes).
Which layouts there are is listed in `layouts`.
"""
