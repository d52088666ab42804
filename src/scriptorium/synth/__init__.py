"""Generated pages: a document tree, its truth, its drawing and its tests, all from one seed."""

REVISION = 1
"""Raised when the same arguments give other pages: the workflow then makes its shards anew."""
