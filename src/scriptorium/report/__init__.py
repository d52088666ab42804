"""The report of a results folder: one page of HTML that opens anywhere."""

REVISION = 2
"""Raised when the same results give another report."""
