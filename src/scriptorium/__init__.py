"""From page data to a document-OCR model, and from the model to converted corpora."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from scriptorium.api import (
        Converter,
        Document,
        PageResult,
        aconvert_document,
        aconvert_pages,
        convert_document,
        convert_pages,
    )

__all__ = [
    "Converter",
    "Document",
    "PageResult",
    "__version__",
    "aconvert_document",
    "aconvert_pages",
    "convert_document",
    "convert_pages",
]


def __getattr__(name: str) -> Any:
    """The Python API, imported when it is first used."""
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("scriptorium.api"), name)
