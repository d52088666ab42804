"""Where the elements of a page's HTML stand in its text: the parser does not say."""

import re
from collections.abc import Sequence
from typing import Any

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def places_of(text: str, tree: Any, tags: Sequence[str]) -> dict[Any, tuple[int, int]]:
    """The span of each element named by `tags`, from its opening tag to before the next tag of its kind.

    Elements and opening tags come in the same order. Where their numbers differ (the text is broken, or the
    parser gave up on its depth), nothing is known and the mapping is empty.
    """
    names = "|".join(tags)
    bare = _COMMENT.sub(lambda comment: " " * len(comment[0]), text)
    opened = [tag.start() for tag in re.finditer(rf"<(?:{names})(?=[\s/>])", bare, re.IGNORECASE)]
    elements = list(tree.iter(*tags))
    if len(opened) != len(elements):
        return {}
    closed = re.compile(rf"</(?:{names})\s*>|<(?:{names}|/?tr|/?table)(?=[\s/>])", re.IGNORECASE)
    spans = {}
    for element, start in zip(elements, opened, strict=True):
        end = closed.search(bare, start + 1)
        spans[element] = (start, end.end() if end and end[0][1] == "/" else end.start() if end else len(bare))
    return spans
