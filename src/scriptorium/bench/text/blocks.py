"""The lists and the code blocks of a page, written in Markdown or in HTML."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from scriptorium.bench.judges.steps import OutOfSteps
from scriptorium.bench.text.html_places import places_of
from scriptorium.bench.text.tables import own_text, parse_html

MAX_BLOCKS = 200_000
"""Characters of a page whose blocks are read: about a second for the worst of texts."""

_HTML = re.compile(r"<(?:ul|ol|pre|code)[\s>]", re.IGNORECASE)
_TASK = re.compile(r"\[[ xX]\][ \t]+")
_LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|highlight-source)-(\S+)")
_PARSER = MarkdownIt("commonmark").enable("table")
_PARSER.core.ruler.enableOnly(["normalize", "block"])
"""Blocks only: what stands in a line is read by the text view, in time linear in its length."""


@dataclass(frozen=True)
class Item:
    """An item of a list: its own Markdown (lists within it left out), whether its list is numbered."""

    text: str
    ordered: bool
    origin: tuple[int, int] | None


@dataclass(frozen=True)
class Code:
    """A block of code: its text as it stands, and its language in small letters ("" where none is named)."""

    text: str
    language: str
    origin: tuple[int, int] | None


@dataclass(frozen=True)
class Blocks:
    """The lists of a page, lists within a list among its items in order, and its blocks of code."""

    lists: tuple[tuple[Item, ...], ...]
    codes: tuple[Code, ...]


def blocks(markdown: str) -> Blocks:
    """The lists and code blocks of a page. Raises OutOfSteps for a page beyond MAX_BLOCKS characters."""
    if len(markdown) > MAX_BLOCKS:
        raise OutOfSteps
    text = markdown.replace("\r\n", " \n").replace("\r", "\n")
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    tokens = _PARSER.parse(text)
    fenced = [token for token in tokens if token.type in ("fence", "code_block")]
    codes = [
        Code(
            token.content, (token.info.split() or [""])[0].lower().strip("{}."), _origin(token, starts, text)
        )
        for token in fenced
    ]
    lists = _markdown_lists(tokens, starts, text)
    if _HTML.search(text):
        bare = _without(text, [_origin(token, starts, text) for token in fenced if token.type == "fence"])
        tree = parse_html(bare)
        lists += _html_lists(tree, bare)
        codes += _html_codes(tree, bare)
    return Blocks(tuple(lists), tuple(codes))


def _origin(token: Token, starts: Sequence[int], text: str) -> tuple[int, int]:
    first, end = token.map or [0, 0]
    return starts[first], min(max(starts[min(end, len(starts) - 1)] - 1, starts[first]), len(text))


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with spans blanked, every place kept."""
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], " " * (end - start)]
        at = end
    return "".join([*parts, text[at:]])


def _markdown_lists(tokens: list[Token], starts: Sequence[int], text: str) -> list[tuple[Item, ...]]:
    """Outermost lists, each with all items below it in order; an item's text is its paragraphs'."""
    lists: list[tuple[Item, ...]] = []
    kinds: list[bool] = []
    items: list[tuple[list[str], bool, tuple[int, int]]] = []
    around: list[int] = []
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            kinds.append(token.type.startswith("ordered"))
        elif token.type == "list_item_open":
            around.append(len(items))
            items.append(([], kinds[-1], _origin(token, starts, text)))
        elif token.type == "inline" and around:
            items[around[-1]][0].append(token.content)
        elif token.type == "list_item_close":
            around.pop()
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            kinds.pop()
            if not kinds:
                lists.append(tuple(Item(_bare("\n".join(each[0])), *each[1:]) for each in items))
                items = []
    return lists


def _bare(text: str) -> str:
    """An item's text without the box of a task."""
    return _TASK.sub("", text, count=1) if _TASK.match(text) else text


def _html_lists(tree: Any, text: str) -> list[tuple[Item, ...]]:
    places = places_of(text, tree, ("li",))
    lists = []
    for element in tree.iter("ul", "ol"):
        if next(element.iterancestors("ul", "ol"), None) is None:
            lists.append(
                tuple(
                    Item(_bare(own_text(item, ("ul", "ol"))), _is_ordered(item), places.get(item))
                    for item in element.iter("li")
                )
            )
    return lists


def _is_ordered(item: Any) -> bool:
    around = next(item.iterancestors("ul", "ol"), None)
    return around is not None and around.tag == "ol"


def _html_codes(tree: Any, text: str) -> list[Code]:
    """Every `<pre>`, and every `<code>` that stands in none."""
    places = places_of(text, tree, ("pre", "code"))
    codes = []
    for element in tree.iter("pre", "code"):
        if element.tag == "pre" or next(element.iterancestors("pre"), None) is None:
            named = [element, *element.iter("code")]
            languages = [each.get("lang") or _class_language(each.get("class")) for each in named]
            content = "".join(element.itertext()).removeprefix("\n")
            codes.append(Code(content, next(filter(None, languages), "").lower(), places.get(element)))
    return codes


def _class_language(classes: str | None) -> str:
    named = _LANGUAGE.search(classes or "")
    return named[1] if named else ""
