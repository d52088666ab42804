"""In which language a text is: py3langid, a small naive Bayes model over bytes (BSD, 5 MB, 150 languages)."""

import functools
import lzma
import shutil
import tempfile
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

FEWEST = 40
"""Bytes of letters in UTF-8 below which no language is named: as many English letters, 14 Chinese ones."""
WHOLE, SLICES = 600, 4
"""Characters that are looked at: all of a short text, else as many in SLICES pieces spread over it."""
CHUNK = 1 << 20
"""Bytes of the model that are unpacked at a time."""
NO_LANGUAGE = "zxx"
"""What the model calls text that is no language: tables of numbers, letters that stand for others."""
KIN = (
    {"no", "nb", "nn", "da"},
    {"hr", "bs", "sr"},
    {"id", "ms"},
    {"zh", "yue", "wuu"},
    {"el", "grc"},
    {"he", "hbo"},
    {"ar", "ary", "arz"},
    {"uz", "uzs"},
)
"""Languages that a page's text hardly tells apart, or that have a code for each of their forms."""


class Language(NamedTuple):
    """A code of ISO 639, empty where none can be named, and how sure that is, in [0, 1]."""

    code: str
    confidence: float


_turn = threading.Lock()


@functools.cache
def _load() -> Any:
    """The model, as LanguageIdentifier.from_model_file makes it, but with its tables in files: 80 MB less of memory."""
    import numpy as np
    from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

    with tempfile.TemporaryFile() as file:
        with lzma.open(MODEL_DIR / MODEL_FILE) as packed:
            shutil.copyfileobj(packed, file, CHUNK)
        file.seek(0)
        with np.load(file) as found:
            table = {name: _on_disk(found[name]) for name in ("ptc", "nextmove")}
            small = {name: found[name] for name in ("pc", "classes", "nextmove_row", "out_feat")}
    return LanguageIdentifier(
        table["ptc"],
        small["pc"],
        small["classes"].tolist(),
        table["nextmove"].data,  # which gives numbers of Python, as the array of the library does
        small["out_feat"].tolist(),
        norm_probs=True,
        tk_row=small["nextmove_row"].tolist(),
    )


def _on_disk(array: "np.ndarray") -> "np.ndarray":
    """The array in a file without a name. A page's text needs a small part of the tables, and that alone is read."""
    import numpy as np

    with tempfile.TemporaryFile() as file:
        array.tofile(file)
        file.flush()
        return np.memmap(file, array.dtype, "r", shape=array.shape)


def identify(text: str) -> Language:
    """The language of `text`, the same for the same text. None is named for next to no letters."""
    sample = text if len(text) <= WHOLE else "\n".join(_slices(text))
    if len("".join(filter(str.isalpha, sample)).encode("utf-8", "replace")) < FEWEST:
        return Language("", 0.0)
    with _turn:  # threads would load the model, which takes a while, once each
        model = _load()
    code, confidence = model.classify(sample)
    return Language("" if code == NO_LANGUAGE else code, round(float(confidence), 2))


def _slices(text: str) -> list[str]:
    size, step = WHOLE // SLICES, (len(text) - WHOLE // SLICES) // (SLICES - 1)
    return [text[number * step : number * step + size] for number in range(SLICES)]


def same(one: str, other: str) -> bool:
    """Whether two codes name the same language, or two that are hardly told apart. `zh-Hans` is `zh`."""
    one, other = one.lower().partition("-")[0], other.lower().partition("-")[0]
    return one == other or any(one in kin and other in kin for kin in KIN)
