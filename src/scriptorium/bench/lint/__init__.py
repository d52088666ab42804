"""What is wrong with a bench folder, every fault with its file and line, and the repairs that are safe."""

from scriptorium.bench.lint.findings import CODES, Finding
from scriptorium.bench.lint.folder import lint

__all__ = ["CODES", "Finding", "lint"]
