"""Getting the published files from where they are published.

What belongs here: resolving (`ees`, `govuk`), downloading (`client`), judging what arrived (`arrival`), registering it and
saying what happened (`run`, `report`). What does not: what the files mean (`pipeline.readers`).
"""
