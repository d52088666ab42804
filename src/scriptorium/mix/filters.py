"""What a mix leaves out and mends, as a recipe or a person writes it: `rotated`, `rules`, `language=en,de`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from scriptorium.errors import ConfigError, nearest
from scriptorium.mix.text_rules import RULES, USUAL

REVISION = 1
"""Raised when a page is mended or judged otherwise: what was filtered before is filtered again."""


@dataclass(frozen=True)
class Filters:
    """What is left out, mended and turned. As it stands nothing is, but known pages fail the step."""

    rotated: bool = False
    repair: bool = False
    rules: tuple[str, ...] = ()
    blank: bool = False
    language: tuple[str, ...] = ()
    agrees: float | None = None
    length: tuple[int, int | None] | None = None
    repetition: float | None = None
    layer: float | None = None
    duplicates: float | None = None
    images: int | None = None
    deny: Path | None = None
    contamination: Literal["fail", "drop", "off"] = "fail"
    contamination_by: Literal["text", "both"] = "both"
    rotate: float = 0.0
    keep: float = 0.0


OLMOCR = ("rotated", "repair", "rules", "rotate=0.02")
"""What `olmocr` stands for: the steps of its released training configuration, in our form."""

LANGUAGE_SURE = 0.9
REPETITION, LAYER, DUPLICATES = 0.2, 0.5, 0.8
IMAGES = 6


def _share(told: str) -> float:
    if not re.fullmatch(r"0?\.\d+|[01](\.0+)?", told):
        raise ValueError("a share from 0 to 1")
    return float(told)


def _bits(told: str) -> int:
    if not told.isdigit() or int(told) > 7:
        raise ValueError("bits, of 256, from 0 to 7")
    return int(told)


def _range(told: str) -> tuple[int, int | None]:
    found = re.fullmatch(r"(\d+)-(\d*)", told)
    if not found or (found[2] and int(found[2]) < int(found[1])):
        raise ValueError("characters from-to, as 20-30000 or 20-")
    return int(found[1]), int(found[2]) if found[2] else None


def _languages(told: str) -> tuple[str, ...]:
    codes = tuple(code.strip().lower() for code in told.split(","))
    if not all(re.fullmatch("[a-z]{2}", code) for code in codes):
        raise ValueError("two letters each, as en,de")
    return codes


def _rules(told: str) -> tuple[str, ...]:
    names = tuple(told.split(","))
    for name in names:
        if name not in RULES:
            raise ValueError(f"rules; {name!r} is none; {nearest(name, RULES)}")
    return names


def _mode(told: str) -> str:
    if told not in ("fail", "drop", "off"):
        raise ValueError("fail, drop or off")
    return told


def _by(told: str) -> str:
    if told not in ("text", "both"):
        raise ValueError("text or both")
    return told


Reader = Callable[[str], Any]
FORMS: dict[str, tuple[str, Reader | None, Any]] = {
    "rotated": ("rotated", None, True),
    "repair": ("repair", None, True),
    "rules": ("rules", _rules, USUAL),
    "blank": ("blank", None, True),
    "language": ("language", _languages, None),
    "language-agrees": ("agrees", _share, LANGUAGE_SURE),
    "length": ("length", _range, None),
    "repetition": ("repetition", _share, REPETITION),
    "layer": ("layer", _share, LAYER),
    "duplicates": ("duplicates", _share, DUPLICATES),
    "image-duplicates": ("images", _bits, IMAGES),
    "deny": ("deny", Path, None),
    "contamination": ("contamination", _mode, None),
    "contamination-by": ("contamination_by", _by, None),
    "rotate": ("rotate", _share, None),
    "keep": ("keep", _share, None),
}
"""By name: the field, what reads its value (None: it has none), its value where none is written (None: one must be)."""


def parse(told: Sequence[str]) -> Filters:
    """Filters as they are written: docs/how-to/filter-your-data.md lists them; `olmocr` stands for OLMOCR.

    Raises ConfigError, for a name that is not there with the nearest one.
    """
    found = Filters()
    for each in [part for one in told for part in (OLMOCR if one == "olmocr" else (one,))]:
        name, given, value = each.partition("=")
        if name not in FORMS:
            raise ConfigError(f"filter {each!r}: no such filter; {nearest(name, [*FORMS, 'olmocr'])}")
        field, reader, default = FORMS[name]
        if given and reader is None:
            raise ConfigError(f"filter {each!r}: {name} has no value; write {name} alone")
        if not given and default is None:
            raise ConfigError(f"filter {each!r}: no value; write {name}=VALUE")
        try:
            setting = reader(value) if given and reader else default
        except ValueError as error:
            raise ConfigError(f"filter {each!r}: {value!r} is not understood; expected {error}") from error
        found = replace(found, **{field: setting})
    return found
