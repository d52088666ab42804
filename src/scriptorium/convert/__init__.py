"""Whole folders of PDFs to text: plan, shard workers, outputs, report. Called, it reads one document."""

import sys
from types import ModuleType
from typing import Any


class _Package(ModuleType):
    """This package. Its name is also that of the function a Python program calls, so it can be called."""

    def __call__(self, source: Any, **settings: Any) -> Any:
        """As scriptorium.api.convert."""
        from scriptorium.api import convert

        return convert(source, **settings)


sys.modules[__name__].__class__ = _Package
