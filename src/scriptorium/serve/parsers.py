"""What an answer says: thinking taken off, then the text and the front matter, as its adapter's parser reads them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from scriptorium.pages import front_matter
from scriptorium.pages.answers import dots
from scriptorium.pages.answers.errors import DialectError
from scriptorium.pages.front_matter import FrontMatter, FrontMatterError
from scriptorium.serve.salvage import salvage

_THOUGHT = re.compile(r"\s*<(think|thinking)>(?:.*?</\1>|.*)", re.DOTALL)
_END_OF_THOUGHT = re.compile(r"^[ \t]*</think(?:ing)?>[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Parsed:
    """The `text` of an answer, its front matter if it has any, and a `fault` if its form is not the parser's."""

    text: str
    front: FrontMatter | None = None
    fault: str = ""


def without_thinking(answer: str) -> str:
    """The answer after the thoughts at its start, `<think>...</think>`; nothing if they never end.

    Templates of some models open the tag in the prompt: then only its end is in the answer, on a line of its
    own. A tag further down is text of the page.
    """
    if thought := _THOUGHT.match(answer):
        return answer[thought.end() :].lstrip()
    end = _END_OF_THOUGHT.search(answer)
    if end and not re.search(r"<think(ing)?>", answer[: end.start()]):
        return answer[end.end() :].lstrip()
    return answer


def parse(parser: str, answer: str, cut: bool) -> Parsed:
    """Read an answer; of one that was `cut` off, what can be kept. `parser` as in the adapter."""
    return PARSERS[parser](without_thinking(answer), cut)


def _front_matter(answer: str, cut: bool) -> Parsed:
    try:
        front, body = front_matter.decode(answer)
    except FrontMatterError as error:
        return Parsed(front_matter.body(answer), fault=str(error))
    return Parsed(_kept(body or "", cut), front)


def _markdown(answer: str, cut: bool) -> Parsed:
    return Parsed(_kept(answer.strip(), cut))


def _kept(text: str, cut: bool) -> str:
    return salvage(text) if cut else text


def _dots(answer: str, cut: bool) -> Parsed:
    if cut:
        return Parsed(dots.whole_cells(answer))
    try:
        return Parsed(dots.adapt(answer))
    except DialectError as error:
        return Parsed(dots.whole_cells(answer), fault=str(error))


PARSERS: dict[str, Callable[[str, bool], Parsed]] = {
    "front_matter": _front_matter,
    "markdown": _markdown,
    "dots": _dots,
}
"""The parsers by name. Each takes an answer and whether it was cut off."""
