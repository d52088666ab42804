"""The revision of the scoring code."""

REVISION = 1
"""Raised with every change that can alter a score: the workflow then scores again. A test watches over it."""
