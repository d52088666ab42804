"""A hint at tests in another language than the rest of a bench."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from scriptorium.bench.lint.entries import Placed
from scriptorium.bench.lint.findings import Finding
from scriptorium.bench.lint.single import texts_of

WORDS: dict[str, str] = {
    "English": "the of and to in is that for with was as are on by from this be which it",
    "German": "der die und das den von zu mit sich des auf für ist im dem nicht ein eine auch",
    "French": "le la les des et du une est dans que pour qui par sur pas au avec ce sont",
    "Spanish": "el los las del y en una es que por para con se su como más al lo",
    "Italian": "il di che è della per una gli non sono con alla dei delle nel anche più",
    "Portuguese": "o os da do das dos e em uma não para com que por são mais ao na no",
    "Dutch": "de het een en van dat is op te zijn met voor niet aan er door ook bij",
}
"""Words that only grammar needs: every text of a language is full of them."""

LEAST_WORDS = 4
"""So many such words of one language, and twice those of any other, tell a page's language."""

_WORD = re.compile(r"[^\W\d_]+")


def check_languages(placed: list[Placed]) -> Iterator[Finding]:
    """Pages whose tests are not in the language of most of the bench's pages; one finding a page."""
    pages: dict[tuple[str, int], list[Placed]] = defaultdict(list)
    for entry, test in placed:
        pages[test["pdf"], test["page"]].append((entry, test))
    languages = {page: language(" ".join(_texts(tests))) for page, tests in pages.items()}
    known = Counter(name for name in languages.values() if name)
    if not known:
        return
    most = min(known, key=lambda name: (-known[name], name))
    for page, name in languages.items():
        if name and name != most:
            entry, test = pages[page][0]
            message = (
                f"the tests of {test['pdf']} page {test['page']} look {name}, those of most pages {most}"
            )
            yield entry.finding("language", message)


def _texts(tests: list[Placed]) -> list[str]:
    return [text for _, test in tests for text in texts_of(test).values()]


def language(text: str) -> str | None:
    """The language of a text by its small words, or None where they do not tell."""
    words = Counter(word.lower() for word in _WORD.findall(text))
    scores = {name: sum(words[word] for word in known.split()) for name, known in WORDS.items()}
    first, second = sorted(scores, key=lambda name: -scores[name])[:2]
    sure = scores[first] >= LEAST_WORDS and scores[first] >= 2 * scores[second]
    return first if sure else None
