"""What a corpus becomes, rebuilt from plan and store at any time: the same bytes for the same options."""

REVISION = 3
"""Raised when the same store and options give other outputs."""
