"""Silver labels: pages read by any OpenAI-compatible server, kept in a page store that a killed run goes on with.

Every sample of a page is a record of the store, under a key of its own. A label is taken where the answer was
whole and of the adapter's form, and where the samples agree.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scriptorium.errors import ConfigError, PartialError
from scriptorium.mix.offers import Unusable, with_front
from scriptorium.pages.drawing import draw
from scriptorium.pages.front_matter import FrontMatterError
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.pool import DocumentPool
from scriptorium.pages.sheet import Sheet, budget_for
from scriptorium.pages.store import Place, Store, content_keys
from scriptorium.pages.targets import RIGHT, answer_text, target_of, why_not_right
from scriptorium.progress import track
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.reader import POLICY, Reading, read_page

if TYPE_CHECKING:
    import numpy as np

    from scriptorium.serve.client import ChatClient

REVISION = 1
"""Raised when a page is labelled otherwise: part of the keys in the store."""

PATCH = 28
"""Pixels of a side of what one image token stands for, in models of the Qwen2.5-VL family."""
A4 = 297 / 210
ANSWER_TOKENS = 900
"""Tokens of a page's answer where nothing is known yet: the mean of the mix's documents, rounded up."""
CHARACTERS_A_TOKEN = 4


class Wanted(NamedTuple):
    """A page to be labelled: the SHA-256 of its document, its number from 1, the file, its name in results."""

    document: str
    page: int
    path: Path
    source: str


@dataclass(frozen=True)
class Terms:
    """What is asked of labels, and what they may cost.

    `samples` readings of each page, of which any two must have an edit similarity of `least_agreement`.
    Prices are for a million tokens; `most_cost`, in the same money, is where no more pages are asked for.
    `retry`: statuses that are asked for again.
    """

    samples: int = 1
    least_agreement: float = 0.9
    price_in: float = 0.0
    price_out: float = 0.0
    most_cost: float | None = None
    retry: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if self.samples < 1 or not 0 <= self.least_agreement <= 1:
            raise ConfigError(
                f"samples {self.samples}, agreement {self.least_agreement}: expected 1 or more, and 0 to 1"
            )
        if self.most_cost is not None and not (self.price_in or self.price_out):
            raise ConfigError("a cost ceiling needs prices: say what a million tokens cost, in and out")

    def cost(self, prompt_tokens: float, tokens: float) -> float:
        """What so many tokens cost."""
        return (prompt_tokens * self.price_in + tokens * self.price_out) / 1e6


class Estimate(NamedTuple):
    """What labelling some pages will take, by guess: requests, tokens in and out, and what they cost."""

    pages: int
    requests: int
    prompt_tokens: int
    tokens: int
    cost: float

    def __str__(self) -> str:
        return (
            f"{self.pages} pages, {self.requests} requests, about {self.prompt_tokens} tokens in and "
            f"{self.tokens} out, cost about {self.cost:.2f}"
        )


def estimate(pages: int, adapter: Adapter, terms: Terms) -> Estimate:
    """What `pages` will take if each is of A4 and answered at once."""
    height = adapter.image_side / PATCH
    prompt = round(height * height / A4 + len(adapter.prompt) / CHARACTERS_A_TOKEN)
    requests = pages * terms.samples
    tokens = requests * min(ANSWER_TOKENS, adapter.max_tokens)
    return Estimate(pages, requests, requests * prompt, tokens, terms.cost(requests * prompt, tokens))


def settings_of(model: str, adapter: Adapter) -> dict[str, Any]:
    """Everything besides page and sample that shapes a label: the part of the keys that all share."""
    return {
        "labels": REVISION,
        "model": model,
        "render": {
            **adapter.drawing.settings(),
            "side": adapter.image_side,
            "max_scale": adapter.max_scale,
        },
        "prompt": adapter.prompt_sha256,
        "sampling": {"temperatures": adapter.temperatures, "max_tokens": adapter.max_tokens},
        "policy": {"reader": POLICY, "parser": adapter.parser, "fields": adapter.fields},
    }


class Labeller:
    """Reads pages into a store and says what became of them."""

    def __init__(self, journal: Path, model: str, adapter: Adapter, terms: Terms) -> None:
        self.store, self.adapter, self.terms = Store(journal), adapter, terms
        settings = settings_of(model, adapter)
        self._keys = [content_keys({**settings, "sample": number}) for number in range(terms.samples)]

    def keys(self, page: Wanted) -> list[str]:
        """The store's keys of a page, one a sample."""
        return [key(page.document, page.page) for key in self._keys]

    def done(self, pages: Sequence[Wanted]) -> dict[str, Place]:
        """The records that are there."""
        found = self.store.find(key for page in pages for key in self.keys(page))
        return {key: place for key, place in found.items() if place.status not in self.terms.retry}

    def label(self, pages: Sequence[Wanted], client: "ChatClient", worker: DocumentPool) -> None:
        """Read every sample that is not there yet; each is stored as it comes.

        Raises PartialError at the cost ceiling (all records count, also those of earlier runs), ServerError as
        the client does.
        """
        done = self.done(pages)
        left = [(page, number) for page in pages for number in range(self.terms.samples)]
        left = [each for each in left if self.keys(each[0])[each[1]] not in done]
        spent = Spent(self.terms, self.store.find(key for page in pages for key in self.keys(page)))
        asked = deque(left)
        with self.store.writer("labels") as writer, ThreadPoolExecutor(client.cap) as pool:
            flying: dict[Future[Reading], tuple[Wanted, int]] = {}

            def results() -> Iterator[Reading]:
                while asked or flying:
                    while asked and len(flying) < client.room and spent.allows(len(flying) + 1):
                        page, number = asked.popleft()
                        flying[pool.submit(self._read, page, number, client, worker)] = page, number
                    if not flying:
                        return
                    landed, _ = wait(flying, return_when=FIRST_COMPLETED)
                    for future in landed:
                        page, number = flying.pop(future)
                        reading = future.result()
                        record = asdict(reading) | {"document": page.document, "page": page.page}
                        writer.append(self.keys(page)[number], record.pop("status"), record)
                        spent.add(reading.prompt_tokens, reading.tokens)
                        yield reading

            try:
                for _ in track(results(), len(left), "pages labelled"):
                    pass
            except BaseException:
                client.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                client.hang_up()
                raise
        if asked:
            raise PartialError(
                f"cost ceiling {self.terms.most_cost}: {spent.cost:.2f} are spent and {len(asked)} requests left. "
                "What has come is kept; run again with a higher ceiling."
            )

    def _read(self, page: Wanted, number: int, client: "ChatClient", worker: DocumentPool) -> Reading:
        """One sample of a page: each has seeds of its own."""
        adapter = self.adapter

        def pixels() -> "np.ndarray":
            with worker.borrow(page.path) as one:
                return draw(
                    one,
                    page.path,
                    page.page,
                    adapter.image_side,
                    adapter.drawing,
                    max_scale=adapter.max_scale,
                ).pixels

        try:
            sheet = Sheet(pixels, budget_for(worker.size))
            return read_page(client, adapter, sheet, number * len(adapter.temperatures))
        except PdfError as error:
            return Reading("unreadable", "", None, "", "", 0, 0.0, 0, reason=f"{error.reason}: {error}")

    def records(self, pages: Sequence[Wanted]) -> Callable[[Wanted], list[dict[str, Any]]]:
        """A function from a page to its records, one a sample that is there."""
        found = self.store.find(key for page in pages for key in self.keys(page))
        return lambda page: [
            self.store.read(found[key]) | {"status": found[key].status}
            for key in self.keys(page)
            if key in found
        ]


class Spent:
    """What labels have cost so far, and whether another one may be asked for."""

    def __init__(self, terms: Terms, found: dict[str, Place]) -> None:
        self.terms = terms
        self.count = sum(place.times for place in found.values())
        self.cost = terms.cost(
            sum(place.prompt_tokens for place in found.values()),
            sum(place.tokens for place in found.values()),
        )

    def add(self, prompt_tokens: int, tokens: int) -> None:
        self.count += 1
        self.cost += self.terms.cost(prompt_tokens, tokens)

    def allows(self, flying: int) -> bool:
        """Whether so many requests, each as dear as those so far, stay below the ceiling."""
        if self.terms.most_cost is None:
            return True
        mean = self.cost / self.count if self.count else 0.0
        return self.cost + flying * mean <= self.terms.most_cost and (self.count > 0 or flying <= 1)


@dataclass(frozen=True)
class Label:
    """What the samples of a page amount to: its truth, or the `fault` that it has none for.

    `agreement`: least edit similarity of two samples, in [0, 1]. `rotation`: degrees counter-clockwise.
    """

    truth: str = ""
    body: str = ""
    agreement: float = 1.0
    rotation: int = 0
    mean_logprob: float | None = None
    fault: str = ""

    def text(self) -> str:
        """The truth. Raises Unusable."""
        if self.fault:
            raise Unusable(self.fault)
        return self.truth

    @property
    def told(self) -> dict[str, Any]:
        """How sure the label is, as labels.jsonl says it."""
        return {"agreement": round(self.agreement, 4), "mean_logprob": self.mean_logprob}


def label_of(records: list[dict[str, Any]], terms: Terms, parser: str) -> Label:
    """The label of a page; its truth is the first sample's.

    Answers of a parser that reads no front matter get theirs from the text.
    """
    if fault := fault_of(records, terms, parser):
        return Label(fault=fault)
    first = records[0]
    agreement = min((similarity(a, b) for a, b in combinations(records, 2)), default=1.0)
    if agreement < terms.least_agreement:
        return Label(fault=f"samples disagree: similarity {agreement:.3f}, less than {terms.least_agreement}")
    try:
        truth = target_of(first) if first.get("front") else with_front(answer_text(first))
    except FrontMatterError as error:
        return Label(fault=f"label not usable: {error}")
    rotation = int(first.get("rotation") or 0)
    return Label(truth, answer_text(first), agreement, rotation, first.get("mean_logprob"))


def fault_of(records: list[dict[str, Any]], terms: Terms, parser: str) -> str:
    """What keeps the samples of a page from being a label, before their texts are compared; empty if nothing."""
    if len(records) < terms.samples:
        return f"label missing: {len(records)} of {terms.samples} samples are there"
    for record in records:
        plain = parser != "front_matter" and record["status"] in RIGHT
        if not plain and (reason := why_not_right(record)):
            return f"label {record['status']}: {record.get('reason') or reason}"
    if len({record.get("rotation") or 0 for record in records}) > 1:
        return "samples disagree: about how the page lies"
    return ""


def similarity(one: dict[str, Any], other: dict[str, Any]) -> float:
    """1 - edit distance / length of the longer text, of two records' texts; 1 for two without any."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_similarity(answer_text(one), answer_text(other)))
