"""Measurements of speed: what the statistics cost, and what a plain way of computing them would.

What belongs here: runners that print figures and fail when a limit is broken. What does not: tests of results (`tests`).
"""
