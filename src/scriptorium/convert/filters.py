"""Documents and pages that are not wanted, each with its reason: by language, form, spam, garbling, quality.

What a text layer can tell is asked before anything is read: such a document is `filtered` in the plan, and costs
no inference. The store knows nothing of filters, so a plan with others finds every page that was read. What only
the text can tell is asked when outputs are written, from the signals in the store.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from scriptorium.convert.documents import Pages, SourceError
from scriptorium.convert.inputs import passwords
from scriptorium.convert.looked import Looked
from scriptorium.errors import ConfigError
from scriptorium.pages.pdf import PdfError

if TYPE_CHECKING:
    from scriptorium.convert.outputs.documents import Document

REVISION = 1
"""Raised when something else is found out about the same document."""
FIRST_PAGES = 5
"""Pages of a document whose text layer is looked at."""
FEWEST = 200
"""Characters below which a text says nothing about its document."""
LETTERS = 0.5
"""The share of letters below which a layer says nothing: it may be badly recognised."""
SURE = 0.5
"""How sure a language must be for a document to be left out for it."""
SPAM = 0.004
"""The usual bound on spam words, olmOCR's: one word in 250."""
SPAM_WORDS = frozenset(
    re.findall(r"\w+", "download pdf epub mobi free ebook file save casino viagra cialis ciprofloxacin")
)
LANGUAGES = frozenset(
    re.findall(
        r"\w+",
        "ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu ext fa "
        "fi fo fr fuv fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is it ja jv ka "
        "kab kik kk km kn ko ku ky la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my nb ne nl nn no nso oc "
        "om or pa pcm pl ps pt qu ro ru rw sa sdh se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug "
        "uk ur uz uzs vec vi vo wa wuu xh yo yue zh zu",
    )
)
"""What a language may be called: the codes that py3langid knows, and `nb`, which it calls `no`."""
WORD = re.compile(r"[^\W\d_]+")
AHEAD = 8
"""Documents that are looked at before those in front of them are done, a job."""
ALL_OF_THEIRS = ("language=en", "form", f"spam={SPAM}")
"""What `olmocr` stands for: its three filters."""


class Filters(BaseModel):
    """What is left out. Without a value nothing is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: tuple[str, ...] = Field(default=(), description="documents in other languages than these")
    form: bool = Field(default=False, description="documents whose form has text fields")
    spam: float | None = Field(
        default=None, ge=0, le=1, description="documents with a larger share of spam words"
    )
    garbled: bool = Field(default=False, description="pages whose text is no language")
    quality: float = Field(default=0.0, ge=0, le=1, description="pages with a lower score")

    def __bool__(self) -> bool:
        return self != Filters()

    @property
    def before(self) -> bool:
        """Whether there is something to ask before pages are read."""
        return bool(self.language) or self.form or self.spam is not None


def parse(told: Sequence[str]) -> Filters:
    """Filters as a person writes them: `language=en,de`, `form`, `spam`, `spam=0.01`, `garbled`, `quality=0.5`.

    `olmocr` stands for that program's own. Raises ConfigError.
    """
    found: dict[str, Any] = {}
    for each in [part for one in told for part in (ALL_OF_THEIRS if one == "olmocr" else (one,))]:
        name, given, value = each.partition("=")
        if name == "language" and value:
            found[name] = _languages(value)
        elif name in ("form", "garbled") and not given:
            found[name] = True
        elif name == "spam" and not given:
            found[name] = SPAM
        elif name in ("spam", "quality") and re.fullmatch(r"0?\.\d+|[01](\.0+)?", value):
            found[name] = float(value)
        else:
            raise ConfigError(
                f"--filter {each}: not one of language=CODE,CODE, form, spam, spam=SHARE, garbled, quality=SCORE, "
                "olmocr; shares and scores are from 0 to 1"
            )
    return Filters(**found)


def _languages(told: str) -> tuple[str, ...]:
    codes = tuple(code.strip().lower() for code in told.split(",") if code.strip())
    for code in codes:
        if code.partition("-")[0] not in LANGUAGES:
            raise ConfigError(
                f"--filter language={told}: {code!r} is no code that a text is given, and would leave out all; "
                "write ISO 639-1 where there is one: en, de, zh"
            )
    return codes


def as_told(filters: Filters) -> list[str]:
    """Filters as a person would write them."""
    return [
        *([f"language={','.join(filters.language)}"] if filters.language else []),
        *(["form"] if filters.form else []),
        *([f"spam={filters.spam}"] if filters.spam is not None else []),
        *(["garbled"] if filters.garbled else []),
        *([f"quality={filters.quality}"] if filters.quality else []),
    ]


def facts_path(plan: Path) -> Path:
    """Where what was found out about the documents of a plan is kept."""
    return plan.with_name(".facts.sqlite")


def filtered(
    rows: Iterable[dict[str, Any]],
    filters: Filters,
    manifests: str,
    *,
    jobs: int = 1,
    cache: Path | None = None,
    facts: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of a plan; those of documents that are not wanted have status `filtered` and the reason.

    `jobs` documents are looked at at a time. `manifests`: JSON, as in the plan. `facts`: where what is found
    is kept, see `facts_path`. A document that cannot be looked at is kept: whoever reads it says why.
    """
    if not filters.before:
        yield from rows
        return
    waiting: deque[tuple[list[dict[str, Any]], dict[str, Any] | Future[dict[str, Any] | None] | None]] = (
        deque()
    )
    with (
        Pages(None, cache, children=jobs) as documents,
        Looked(facts) as known,
        ThreadPoolExecutor(jobs) as pool,
    ):
        documents.passwords = passwords(json.loads(manifests))
        for _, group in groupby(
            rows, key=lambda row: (row["document"], row["source"], row["member"], row["id"])
        ):
            pages = list(group)
            pending = [row for row in pages if row["status"] == "pending"]
            found: Any = None
            if pending:
                entry = known.get(pages[0]["document"], (REVISION, 0, 0))
                found = entry[0] if entry else pool.submit(facts_of, pending[0], documents)
            waiting.append((pages, found))
            if len(waiting) > jobs * AHEAD:
                yield from judged(*waiting.popleft(), known, filters)
        while waiting:
            yield from judged(*waiting.popleft(), known, filters)


def judged(
    rows: list[dict[str, Any]],
    found: dict[str, Any] | Future[dict[str, Any] | None] | None,
    known: Looked,
    filters: Filters,
) -> Iterator[dict[str, Any]]:
    """The rows of one document, once what there is to know of it is known."""
    if isinstance(found, Future):
        found = found.result()
        if found:
            known.put(rows[0]["document"], (REVISION, 0, 0), [found])
    reason = unwanted(found, filters) if found else ""
    for row in rows:
        yield row | {"status": "filtered", "reason": reason} if reason and row["status"] == "pending" else row


def facts_of(row: dict[str, Any], documents: Pages) -> dict[str, Any] | None:
    """What the file of a row says of itself; None if it cannot be looked at.

    `fields`: text fields of its form. Of the text layer of its first pages, where it is language at all:
    `characters`, the `language` and how sure that is, and the share of `spam` words.
    """
    if row["kind"] not in ("", "pdf"):
        return None
    try:
        fields = documents.text_fields(row)
        first = range(1, min(FIRST_PAGES, row["pages"]) + 1)
        layer = "\n".join(documents.text(row | {"page": page}) for page in first)
    except (PdfError, SourceError):
        return None
    return {"fields": fields, **facts_of_text(layer)}


def facts_of_text(text: str) -> dict[str, Any]:
    """Language and spam of a text that is long enough and not garbled; else that it has no characters to go by."""
    from scriptorium.pages.language import identify
    from scriptorium.pages.layer import judge

    characters = sum(not character.isspace() for character in text)
    judgement = judge(text)
    if characters < FEWEST or judgement.fault or judgement.letters < LETTERS * characters:
        return {"characters": 0, "language": "", "confidence": 0.0, "spam": 0.0}
    code, confidence = identify(text)
    words = Counter(word.lower() for word in WORD.findall(text))
    spam = sum(words[word] for word in SPAM_WORDS) / max(1, words.total())
    return {"characters": characters, "language": code, "confidence": confidence, "spam": round(spam, 5)}


def unwanted(facts: dict[str, Any], filters: Filters) -> str:
    """Why a document is not wanted; empty if it is, or nothing can be said."""
    from scriptorium.pages.language import same

    if filters.form and facts.get("fields"):
        return f"form: {facts['fields']} text fields"
    if not facts["characters"]:
        return ""
    code, confidence = facts["language"], facts["confidence"]
    if (
        filters.language
        and code
        and confidence >= SURE
        and not any(same(code, kept) for kept in filters.language)
    ):
        return f"language: {code}, sure by {confidence:.0%}"
    if filters.spam is not None and facts["spam"] > filters.spam:
        return f"spam: {facts['spam']:.2%} of the words"
    return ""


def without(document: "Document", filters: Filters) -> "Document":
    """The document; pages that are not wanted have status `filtered` and the reason, all of them if it is not."""
    from scriptorium.convert.outputs.documents import READ

    if not filters or not document.was_read:
        return document
    reason = ""
    if filters.language or filters.spam is not None:
        text = "\n".join(str(page["text"]) for page in document.pages if page["status"] in READ)
        reason = unwanted(facts_of_text(text), filters)
    pages = []
    for page in document.pages:
        why = (reason or unwanted_page(page, filters)) if page["status"] in READ else ""
        pages.append(page | {"status": "filtered", "reason": why} if why else page)
    return replace(document, pages=pages)


def unwanted_page(page: dict[str, Any], filters: Filters) -> str:
    """Why a page that was read is not wanted; empty if it is."""
    from scriptorium.convert.quality import quality
    from scriptorium.pages.layer import judge

    if filters.garbled and (fault := judge(str(page["text"])).fault):
        return f"garbled: {fault}"
    if filters.quality and (found := quality(page)) and found.score < filters.quality:
        return f"quality: {found.score:.2f}; {'; '.join(found.reasons)}"
    return ""
