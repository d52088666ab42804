"""`scriptorium data ...`: pairs made of what there is: PDFs, converted corpora, transcripts, Markdown, the hub."""

from pathlib import Path
from typing import Annotated

import typer

from scriptorium.errors import ConfigError

Out = Annotated[Path, typer.Option(help="Folder to write; a new one.")]
MostRejected = Annotated[
    float, typer.Option(min=0, max=1, help="Share of pages that may be unusable; above it, exit code 4.")
]


def from_pdfs(
    folder: Annotated[Path, typer.Argument(help="Folder of PDFs and images, at any depth.")],
    server: Annotated[str, typer.Option(help="URL[#MODEL] of a running OpenAI-compatible server.")] = "",
    model: Annotated[
        str, typer.Option(help="Model folder or hub:org/name@revision to serve here instead.")
    ] = "",
    out: Out = Path("my-pages"),
    adapter: Annotated[str, typer.Option(help="Model adapter (config/models): prompt, size, form.")] = "",
    samples: Annotated[int, typer.Option(min=1, help="Readings of each page, which must agree.")] = 1,
    agreement: Annotated[
        float, typer.Option(min=0, max=1, help="Least edit similarity of two readings of a page.")
    ] = 0.9,
    pages: Annotated[int | None, typer.Option(min=1, help="Pages of each document; all by default.")] = None,
    seed: Annotated[int, typer.Option(help="Draws other pages.")] = 0,
    dev: Annotated[float, typer.Option(min=0, max=1, help="Documents for the held-out loss.")] = 0.05,
    bench: Annotated[float, typer.Option(min=0, max=1, help="Documents for the bench.")] = 0.1,
    price_in: Annotated[float, typer.Option(min=0, help="Price of a million tokens read.")] = 0.0,
    price_out: Annotated[float, typer.Option(min=0, help="Price of a million tokens written.")] = 0.0,
    most_cost: Annotated[float | None, typer.Option(min=0, help="Ask for no more pages from here.")] = None,
    retry: Annotated[
        list[str] | None, typer.Option(help="Ask again for pages of this status: gave_up, salvaged ...")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Folder of the answers; by default OUT.labels.")
    ] = None,
    in_flight: Annotated[int, typer.Option(min=1, help="Requests in flight at most.")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of a server that is started here.")] = 2,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take, and ask nothing.")
    ] = False,
    most_rejected: MostRejected = 1.0,
) -> None:
    """Make training pairs of a folder of PDFs with a served model, ready for finetune-lora.

    OUT/train, OUT/dev and OUT/bench come from different documents. Stopped and started again, it goes on where
    it was.
    """
    from scriptorium.mix.from_pdfs import Sampling, find, journal_of
    from scriptorium.mix.from_pdfs import from_pdfs as make
    from scriptorium.mix.labels import Terms, estimate
    from scriptorium.pages.document import DocumentWorker
    from scriptorium.serve.adapter import adapter_of, load

    settings = load(adapter or adapter_of(model))
    terms = Terms(samples, agreement, price_in, price_out, most_cost, frozenset(retry or ()))
    sampling = Sampling(pages, seed, dev, bench)
    if dry_run:
        with DocumentWorker() as worker:
            found = find(folder, sampling, worker)
        typer.echo(
            f"{estimate(len(found.pages), settings, terms)}; {len(found.rejected)} documents cannot be used"
        )
        return
    if bool(server) == bool(model):
        raise ConfigError("data from-pdfs: give --server URL or --model DIR, one of them")
    from scriptorium.serve.client import ChatClient
    from scriptorium.serve.reader import asking
    from scriptorium.serve.several import endpoints

    log = journal_of(out).with_suffix(".server.log")
    with (
        endpoints(server or model, settings, threads, log, in_flight) as served,
        ChatClient(served, asking=asking(settings)) as client,
    ):
        name = served[0].model
        summary = make(folder, out, client, name, settings, terms, sampling, journal, most_rejected)
    kept = ", ".join(f"{count} pages in {out / split}" for split, count in summary.kept.items())
    typer.echo(f"{kept}; {summary.rejected} rejected, for the reasons in their pages.parquet")


def from_corpus(
    corpus: Annotated[
        Path, typer.Argument(help="Folder of a converted corpus: plan.parquet, store, shards.")
    ],
    out: Out,
    least_logprob: Annotated[
        float | None,
        typer.Option(help="Least mean log-probability of an answer; needs --logprobs when converting."),
    ] = None,
) -> None:
    """Make pairs of the pages that a model has read: whole answers only, turned upright."""
    from scriptorium.mix.store_pairs import store_pairs

    _say(store_pairs(corpus, out, least_logprob), out)


def from_workspace(
    workspace: Annotated[
        Path, typer.Argument(help="Workspace of an olmOCR pipeline, or a Dolma folder of ours.")
    ],
    out: Out,
    documents: Annotated[Path | None, typer.Option(help="Folder where its PDFs lie.")] = None,
) -> None:
    """Make pairs of a pipeline's workspace; documents with fallback pages are left out."""
    from scriptorium.mix.store_pairs import workspace_pairs

    _say(workspace_pairs(workspace, out, documents), out)


def from_transcripts(
    tables: Annotated[list[Path], typer.Argument(help="CSV, TSV, JSONL or Parquet files.")],
    out: Out,
    fields: Annotated[Path | None, typer.Option(help="YAML file: which column means what.")] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of the images; by default the table's.")] = None,
) -> None:
    """Make pairs of page images and their transcripts."""
    from scriptorium.mix.transcripts import read_fields, transcript_pairs

    _say(transcript_pairs(tables, out, read_fields(fields) if fields else None, images), out)


def from_markdown(
    folder: Annotated[Path, typer.Argument(help="Folder of Markdown files, at any depth.")],
    out: Out,
    language: Annotated[
        str | None, typer.Option(help="Two letters; by default guessed, page by page.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws other looks.")] = 0,
    fonts: Annotated[
        Path | None, typer.Option(help="Folder of fonts, for scripts that typst's lack.")
    ] = None,
) -> None:
    """Typeset Markdown, and make pairs of the pages: each text is cut exactly where its page ends."""
    from scriptorium.mix.sources import source_pairs

    _say(source_pairs(folder, out, seed, language, fonts), out)


def index(
    folder: Annotated[Path, typer.Argument(help="Folder of pairs X.pdf and X.md, at any depth.")],
) -> None:
    """Look at every pair of a folder and write its pages.parquet; later only at those that changed."""
    from scriptorium.mix.catalogue import index as make

    counts = make(folder)
    typer.echo(f"{counts['kept']} pairs kept, {counts['rejected']} rejected; {counts['known']} were known")


def unpack(
    source: Annotated[str, typer.Argument(help="hub:org/name@revision, or a folder that was fetched.")],
    split: Annotated[str, typer.Argument(help="eval, or one subset of it: 01_books_eval.")],
    out: Out,
    language: Annotated[
        list[str] | None, typer.Option(help="Only this language; null: none. Again for more.")
    ] = None,
    flag: Annotated[
        list[str] | None, typer.Option(help="is_table, no-is_table, is_diagram ...: only such pages.")
    ] = None,
    tarballs: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many tarballs of a table.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many rows of a tarball.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Tarballs unpacked at a time.")] = 1,
    most_rejected: MostRejected = 0.05,
) -> None:
    """Fetch a data set of the hub, one split or a few tarballs of it, and unpack it to pairs."""
    from scriptorium.mix.choice import Choice, parse_flags
    from scriptorium.mix.hub import fetch
    from scriptorium.mix.hub import unpack as make

    choice = Choice(tuple(language or ()), parse_flags(flag or []), tarballs, limit)
    fetched = Path(source)
    if source.startswith("hub:"):
        fetched = out.with_name(f"{out.name}.fetched")
        fetch(source, fetched, split, tarballs)
    make(fetched, split, out, choice, jobs, most_rejected)


def pack(
    folder: Annotated[Path, typer.Argument(help="Folder of pairs X.pdf and X.md, at any depth.")],
    out: Out,
    subset: Annotated[str, typer.Option(help="Name of the subset.")] = "00_documents",
    split: Annotated[str, typer.Option(help="train or eval.")] = "train",
    strict: Annotated[
        bool, typer.Option("--strict", help="End at the first pair that cannot be packed.")
    ] = False,
) -> None:
    """Pack pairs into the hub's format: a label table and tarballs."""
    from scriptorium.mix.repack import repack

    typer.echo(repack(folder, out, subset, split, strict=strict))


def export(
    folder: Annotated[Path, typer.Argument(help="Folder that `data unpack` wrote.")],
    out: Out,
) -> None:
    """Write unpacked pages as X.pdf and X.md under the ids of their data set, for other trainers; by hard links."""
    from scriptorium.mix.repack import export as make

    typer.echo(f"{make(folder, out)} pairs in {out}")


def _say(counts: dict[str, int], out: Path) -> None:
    typer.echo(
        f"{counts['kept']} pages in {out}; {counts['rejected']} rejected, for the reasons in its pages.parquet"
    )
