"""What came of a document that was read for somebody who waits: its pages, and its text in every form."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from scriptorium.pages.front_matter import FrontMatter

FAILED = ("gave_up", "unreadable", "pending")
"""Statuses of pages that should have a text and have none."""


@dataclass(frozen=True)
class PageResult:
    """A page that is done.

    `status`: one of those in the page store, or pending if the document went away while it was read. `text`:
    Markdown without front matter; empty for a page that is blank or failed. `reason`: why it is not just ok.
    `seconds` of wall time that the model's answers took, `tokens` generated and `prompt_tokens`, over all
    attempts. `rotation`: degrees counter-clockwise by which it was turned to be read. `signals`: measures of
    its quality, where there are any.
    """

    page: int
    status: str
    text: str = ""
    front: FrontMatter | None = None
    reason: str = ""
    seconds: float = 0.0
    tokens: int = 0
    prompt_tokens: int = 0
    attempts: int = 0
    rotation: int = 0
    signals: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether it should have a text and has none."""
        return self.status in FAILED

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def page_of(row: Mapping[str, Any]) -> PageResult:
    """The page of a plan's row with its record of the page store in it."""
    from scriptorium.convert.outputs.documents import page_text

    front = row.get("front")
    return PageResult(
        page=row["page"],
        status=row["status"],
        text=page_text(dict(row)),
        front=FrontMatter(**front) if isinstance(front, Mapping) else front,
        reason=row.get("reason") or "",
        signals=row.get("signals") or {},
        **{key: row.get(key) or 0 for key in ("seconds", "tokens", "prompt_tokens", "attempts", "rotation")},
    )


@dataclass(frozen=True)
class Document:
    """A document and those of its pages that were asked for, in order.

    `sha256` of its bytes; `kind` by content (pdf, png, ...); `page_count`: pages that the file has.
    """

    name: str
    sha256: str
    kind: str
    page_count: int
    pages: Sequence[PageResult]

    @property
    def statuses(self) -> dict[str, int]:
        """How many pages have each status."""
        return dict(sorted(Counter(page.status for page in self.pages).items()))

    @property
    def failed(self) -> list[PageResult]:
        """The pages that should have a text and have none."""
        return [page for page in self.pages if page.failed]

    def markdown(self, *, join: bool = False, **options: Any) -> str:
        """Its Markdown. `join` and the others (marks, front_matter, failed) as `scriptorium outputs` has them.

        Raises ConfigError for an option that is not known.
        """
        return self._rendered("markdown", {"join": join, **options})

    def html(self, *, join: bool = False, **options: Any) -> str:
        """A page of HTML that can do no harm, whatever the model wrote. Options as for `markdown`."""
        return self._rendered("html", {"join": join, **options})

    def plain_text(self, *, join: bool = False, **options: Any) -> str:
        """Its text without marks. Options as for `markdown`."""
        return self._rendered("text", {"join": join, **options})

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "kind": self.kind,
            "page_count": self.page_count,
            "statuses": self.statuses,
            "pages": [page.to_dict() for page in self.pages],
        }

    def _rendered(self, form: str, values: dict[str, Any]) -> str:
        """One of the forms of convert/outputs, which are the same for a corpus."""
        from scriptorium.convert.outputs import documents, files
        from scriptorium.convert.outputs.joins import join
        from scriptorium.convert.outputs.options import parse

        options = parse(values, form)
        rows = [page.to_dict() | {"pages": self.page_count} for page in self.pages]
        document = documents.Document(self.sha256, self.name, "", "", rows)
        texts = [page.text for page in self.pages]
        if options.join:
            texts, _ = join(texts, [page.page for page in self.pages])
        _, render = files.RENDERERS[form]
        return render(document, texts, options)
