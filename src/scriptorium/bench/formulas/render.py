"""Formulas rendered: MathML and the boxes of their symbols, by KaTeX without a browser."""

import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from scriptorium.bench.formulas.cache import Cache, folder
from scriptorium.bench.formulas.engine import CRASH, ENGINE, GIVEN_UP, LIMITS, TIMEOUT
from scriptorium.bench.formulas.geometry import Layout
from scriptorium.bench.formulas.structure import Structure, structure
from scriptorium.pages.view import KATEX as KATEX_FILE

KATEX = "0.16.21"
KEPT = 8192
"""Formulas kept in memory, with the forms in which they are compared: about 40 MB at most."""

_OPEN = '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'
_CLOSE = "</math>"

Symbol = tuple[str, float, float, float, float]
"""A piece of text, and its box: left, top, width and height in px."""


@dataclass(frozen=True)
class Rendered:
    """A formula as KaTeX sets it, or the error that it met (KaTeX's message, or one of `engine.LIMITS`).

    `mathml` is empty where there is none; with an error there is some where only the layout was refused.
    `symbols` is None where the formula could not be laid out, or was not to be.
    """

    mathml: str
    symbols: tuple[Symbol, ...] | None
    error: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether a layout would tell no more than is known."""
        return self.symbols is not None or self.error is not None

    @property
    def limited(self) -> bool:
        """Whether it was given up for its size or for the time it took: nobody knows what it looks like."""
        return self.error in LIMITS

    @cached_property
    def layout(self) -> Layout:
        """The form in which the rules of olmOCR-bench compare it: nothing, where it cannot be laid out."""
        if self.symbols is None:
            return Layout("", ())
        return Layout(self.mathml[len(_OPEN) : -len(_CLOSE)], self.symbols)

    @cached_property
    def structure(self) -> Structure:
        """The form in which our own rules compare it."""
        return structure(self.mathml)


def _version() -> str:
    """What the boxes depend on: KaTeX and our layout of its tree."""
    digest = hashlib.sha256()
    for path in (KATEX_FILE, Path(__file__).with_name("layout.js")):
        digest.update(path.read_bytes())
    return f"{KATEX}-{digest.hexdigest()[:16]}"


class _Store:
    """What this process knows: the formulas in memory and, when first asked for, the cache on disk."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.memory: OrderedDict[str, Rendered] = OrderedDict()
        self.cache: Cache | None = None
        self.inherited: list[Cache] = []

    def disk(self) -> Cache:
        """The cache that the environment names now."""
        path = folder() / "formulas.sqlite"
        if self.cache is None or self.cache.path != path:
            if self.cache is not None:
                self.cache.close()
            self.cache = Cache(path, _version())
        return self.cache

    def forked(self) -> None:
        """After a fork: a connection of SQLite must be neither used nor closed in the child."""
        self.lock = threading.RLock()
        if self.cache is not None:
            self.inherited.append(self.cache)
            self.cache = None

    def keep(self, formula: str, rendered: Rendered) -> None:
        """Put it among those in memory; the one unused for longest goes."""
        self.memory[formula] = rendered
        if len(self.memory) > KEPT:
            self.memory.popitem(last=False)


_STORE = _Store()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_STORE.forked)


def render(formulas: Sequence[str], layout: bool = True) -> list[Rendered]:
    """Each formula rendered by itself in display style, in order; equal ones once.

    What was rendered before comes from memory or from the cache. Without `layout` the symbols may be missing,
    and nothing is kept on disk: MathML is made as quickly as it is looked up, and the answers that a model in
    training gives would fill the disk. Never raises for a formula, whatever it holds; raises HostError where
    the engine cannot be started.
    """
    with _STORE.lock:
        known: dict[str, Rendered] = {}
        wanted: list[str] = []
        for formula in dict.fromkeys(formulas):
            kept = _STORE.memory.get(formula)
            if kept is None or (layout and not kept.is_whole):
                wanted.append(formula)
            else:
                _STORE.memory.move_to_end(formula)
                known[formula] = kept
        if wanted:
            lines = _lines(wanted) if layout else _made(wanted, layout)
            for formula, line in lines.items():
                known[formula] = _rendered(line)
                if known[formula].error != GIVEN_UP:
                    _STORE.keep(formula, known[formula])
    return [known[formula] for formula in formulas]


def _made(formulas: list[str], layout: bool) -> dict[str, bytes]:
    return dict(zip(formulas, ENGINE.render(formulas, layout), strict=True))


def _lines(formulas: list[str]) -> dict[str, bytes]:
    """The engine's answers with layout, from the cache where it has them."""
    lines = _STORE.disk().get(formulas)
    missing = [formula for formula in formulas if formula not in lines]
    if missing:
        made = _made(missing, layout=True)
        lines.update(made)
        _STORE.disk().put({formula: line for formula, line in made.items() if not _is_passing(line)})
    return lines


def _is_passing(line: bytes) -> bool:
    """Whether another time the answer may be different: a host that is not so busy."""
    return line.startswith(b'{"e"') and json.loads(line)["e"] in (TIMEOUT, CRASH, GIVEN_UP)


def _rendered(line: bytes) -> Rendered:
    answer = json.loads(line)
    mathml = _OPEN + answer["m"] + _CLOSE if "m" in answer else ""
    return Rendered(mathml, _symbols(answer["s"]) if "s" in answer else None, answer.get("e"))


def _symbols(numbers: list[Any]) -> tuple[Symbol, ...]:
    flat = iter(numbers)
    return tuple(
        (text, x / 1000, y / 1000, width / 1000, height / 1000)
        for text, x, y, width, height in zip(flat, flat, flat, flat, flat, strict=True)
    )
