"""A folder of PDFs made into pairs by a served model: train, dev and bench, ready for finetune-lora."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scriptorium.errors import ConfigError, InputError, ThresholdError
from scriptorium.files import sha256_file, sha256_json, whole, write_jsonl
from scriptorium.mix.labels import Label, Labeller, Terms, Wanted, label_of
from scriptorium.mix.offers import document_name, offer
from scriptorium.mix.pairs import Page, Pairs
from scriptorium.mix.splits import held_out
from scriptorium.pages.document import DocumentWorker
from scriptorium.pages.pdf import PdfError
from scriptorium.pages.pool import DocumentPool
from scriptorium.progress import track
from scriptorium.serve.adapter import Adapter

if TYPE_CHECKING:
    from scriptorium.serve.client import ChatClient

ENDINGS = frozenset(
    {".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2", ".heic"}
)
MARKUP = re.compile(r"[<>|\\$#*_`\[\]]")
TESTS = 5
"""Tests of one bench page that its text layer confirms, at most."""
SHORTEST, LONGEST = 20, 120
"""Characters of a line that a test asks for."""

CATEGORY = "from_pdfs"


@dataclass(frozen=True)
class Sampling:
    """Which pages of a folder are taken, and how they are split.

    `pages` of each document, drawn by `seed`; None takes all. `dev` and `bench`: shares of the documents.
    """

    pages: int | None = None
    seed: int = 0
    dev: float = 0.05
    bench: float = 0.1

    def __post_init__(self) -> None:
        if self.dev < 0 or self.bench < 0 or self.dev + self.bench >= 1:
            raise ConfigError(f"shares dev {self.dev}, bench {self.bench}: expected together less than 1")


@dataclass
class Found:
    """The pages of a folder's documents, and those documents that cannot be used, with the reason."""

    pages: list[Wanted]
    rejected: list[tuple[Page, str]]


class Summary(NamedTuple):
    """Pages kept, by split, and rejected."""

    kept: dict[str, int]
    rejected: int


def find(folder: Path, sampling: Sampling, worker: DocumentWorker) -> Found:
    """The pages of a folder's PDFs and images, each file's bytes once. Raises InputError if there are none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not paths:
        raise InputError(f"{folder}: no PDF and no image in it")
    found = Found([], [])
    seen: dict[str, str] = {}
    for path in track(paths, len(paths), "documents opened"):
        source = path.relative_to(folder).as_posix()
        sha256 = sha256_file(path)
        page = Page(document_name(source, sha256), 0, source, sha256)
        if sha256 in seen:
            found.rejected.append((page, f"document twice: it is {seen[sha256]}"))
            continue
        seen[sha256] = source
        try:
            _, sizes = worker.look(path)
        except PdfError as error:
            reason = str(error).replace(str(path), source)
            found.rejected.append((page, f"document {error.reason}: {reason}"))
            continue
        numbers: Sequence[int] = range(1, len(sizes) + 1)
        if sampling.pages is not None and sampling.pages < len(numbers):
            draw = random.Random(f"{sampling.seed}:{sha256}")
            numbers = sorted(draw.sample(numbers, sampling.pages))
        found.pages += [Wanted(sha256, number, path, source) for number in numbers]
    return found


def from_pdfs(
    folder: Path,
    out: Path,
    client: "ChatClient",
    model: str,
    adapter: Adapter,
    terms: Terms | None = None,
    sampling: Sampling | None = None,
    journal: Path | None = None,
    most_rejected: float = 1.0,
) -> Summary:
    """Label the pages of `folder` and write train/, dev/ and bench/ below the new folder `out`.

    A killed run goes on where it was: answers wait in `journal`, by default beside `out`. Whole documents are
    held out. Bench pages get a baseline test, and tests for lines that their own text layer has too. Raises
    ConfigError if `out` is there, PartialError at the cost ceiling, ThresholdError, after all is written, if a
    larger share than `most_rejected` of the pages cannot be used.
    """
    terms, sampling = terms or Terms(), sampling or Sampling()
    if out.exists():
        raise ConfigError(f"{out}: is there already; name a new folder")
    labeller = Labeller(journal or journal_of(out), model, adapter, terms)
    with DocumentWorker() as worker:
        found = find(folder, sampling, worker)
        pool = DocumentPool()
        try:
            labeller.label(found.pages, client, pool)
        finally:
            pool.close()
        with whole(out) as part:
            summary = _write(found, labeller, terms, sampling, worker, part)
    offered = sum(summary.kept.values()) + summary.rejected
    if summary.rejected > most_rejected * offered:
        raise ThresholdError(
            f"{out}: {summary.rejected} of {offered} pages are rejected, more than the share {most_rejected:g} that "
            "is allowed; column `reason` of each pages.parquet says why"
        )
    return summary


def journal_of(out: Path) -> Path:
    """Where the answers wait by default: beside the folder of pairs."""
    return out.with_name(f"{out.name}.labels")


def _write(
    found: Found, labeller: Labeller, terms: Terms, sampling: Sampling, worker: DocumentWorker, out: Path
) -> Summary:
    """Write the splits and labels.jsonl; pages kept and rejected."""
    records = labeller.records(found.pages)
    documents = [(page.document, "") for page in found.pages]
    bench = held_out(documents, sampling.bench, int(sampling.bench > 0), "bench")
    rest = [each for each in documents if each[0] not in bench]
    dev = held_out(rest, sampling.dev, int(sampling.dev > 0), "dev")
    splits = {name: Pairs(out / name) for name in ("train", "dev", "bench")}
    kept: Counter[str] = Counter(dict.fromkeys(splits, 0))
    lines = []
    for page, reason in found.rejected:
        splits["train"].reject(page, reason)
    for wanted in track(found.pages, len(found.pages), "pairs written"):
        split = "bench" if wanted.document in bench else "dev" if wanted.document in dev else "train"
        label = label_of(records(wanted), terms, labeller.adapter.parser)
        tests = _tests(wanted, label, worker) if split == "bench" else []
        page = Page(
            document_name(wanted.source, wanted.document), wanted.page, wanted.source, wanted.document
        )
        if offer(splits[split], page, wanted.path, wanted.page, worker, label.text, label.rotation, tests):
            kept[split] += 1
            lines.append({"id": page.id, "split": split, **label.told})
    for pairs in splits.values():
        pairs.close()
    write_jsonl(out / "labels.jsonl", lines)
    return Summary(dict(kept), len(found.pages) + len(found.rejected) - kept.total())


def _tests(wanted: Wanted, label: Label, worker: DocumentWorker) -> list[dict[str, Any]]:
    """Tests of a bench page; none for one whose label or PDF cannot be used: it is rejected."""
    try:
        return bench_tests(wanted, label.body, worker.text(wanted.path, wanted.page))
    except PdfError:
        return []


def bench_tests(page: Wanted, text: str, layer: str) -> list[dict[str, Any]]:
    """Tests of a labelled page: baseline, and `present` for lines that stand in its text layer word for word.

    What model and file say independently is taken for true; a scan has no layer, and gets baseline alone.
    """

    def named(test: dict[str, Any]) -> dict[str, Any]:
        name = sha256_json([page.document, page.page, test])[:16]
        return {"id": f"{test['type']}_{name}", "category": CATEGORY, **test}

    tests = [named({"type": "baseline", "max_repeats": 30})]
    known, all_text = " ".join(layer.split()), " ".join(text.split())
    lines = [" ".join(line.split()) for line in text.split("\n")]
    fit = [
        line
        for line in dict.fromkeys(lines)
        if SHORTEST <= len(line) <= LONGEST
        and not MARKUP.search(line)
        and line in known
        and all_text.count(line) == 1
    ]
    chosen = sorted(fit, key=lambda line: sha256_json([page.document, page.page, line]))[:TESTS]
    return tests + [named({"type": "present", "text": line, "max_diffs": 0}) for line in sorted(chosen)]
