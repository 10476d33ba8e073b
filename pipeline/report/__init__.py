"""The report: a static site made from the published database, for people who would rather look than query.

What belongs here: which pages there are, what they say and how they are drawn. What does not: figures (a page shows
columns of published tables), and where the site is built and opened (`assets`).
"""
