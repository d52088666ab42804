"""Unit tests of pages: what they are, how a text is judged by them, and how a candidate is scored."""

REVISION = 1
"""Raised with every change that can alter a score: the workflow then scores again. A test watches over it."""
