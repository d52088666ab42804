"""Filters: before inference by what a file says of itself, after it by what was read; each drop has a reason."""

import io
import lzma
from pathlib import Path

import numpy as np
import pytest
from py3langid.langid import MODEL_DIR, MODEL_FILE

from scriptorium.convert.filters import (
    LANGUAGES,
    Filters,
    as_told,
    facts_of_text,
    facts_path,
    parse,
    unwanted,
)
from scriptorium.convert.outputs.documents import pages_of
from scriptorium.convert.plan import plan_corpus, read_plan
from scriptorium.convert.report import read_rows, write_report
from scriptorium.errors import ConfigError
from scriptorium.files import read_jsonl
from scriptorium.pages.language import NO_LANGUAGE

from ..faults.world import document
from ..pages.speech import ARTICLE, shifted
from .outputs.corpus import SETTINGS, make, write

PDFS = Path(__file__).parents[3] / "shared" / "data" / "pdfs"


def reasons(*sources: Path, filters: str, out: Path) -> dict[str, str]:
    """The reason of every document that is filtered, by its name."""
    plan_corpus([str(path) for path in sources], 1, out, filters=parse(filters.split()), jobs=2)
    rows = read_plan(out)
    kinds: dict[str, set[str]] = {}
    for row in rows:
        kinds.setdefault(row["source"], set()).add(row["status"])
    assert all(len(found) == 1 for found in kinds.values()), "a document is filtered as a whole"
    return {Path(row["source"]).name: row["reason"] for row in rows if row["status"] == "filtered"}


def test_words_of_a_person() -> None:
    found = parse(["language=EN, de", "form", "spam=0.01", "garbled", "quality=0.5"])
    assert found == Filters(language=("en", "de"), form=True, spam=0.01, garbled=True, quality=0.5)
    assert parse(as_told(found)) == found and not parse([]) and parse(["spam"]).spam == 0.004
    assert parse(["olmocr"]) == Filters(language=("en",), form=True, spam=0.004)
    for wrong in ("lang=en", "language=", "form=yes", "spam=2", "quality", "quality=x", ""):
        with pytest.raises(ConfigError, match="not one of"):
            parse([wrong])


def test_a_language_that_no_text_is_given_is_no_filter() -> None:
    for wrong in ("english", "eng", "deu", "zxx", "en,xx"):
        with pytest.raises(ConfigError, match="is no code that a text is given"):
            parse([f"language={wrong}"])
    assert parse(["language=zh-Hans,nb"]).language == ("zh-hans", "nb")
    with lzma.open(MODEL_DIR / MODEL_FILE) as model, np.load(io.BytesIO(model.read())) as tables:
        assert {"nb", NO_LANGUAGE, *tables["classes"].tolist()} == LANGUAGES | {NO_LANGUAGE}


def test_before_anything_is_read(tmp_path: Path) -> None:
    if not PDFS.is_dir():
        pytest.skip(f"{PDFS} is missing")
    sources = [
        PDFS / name for name in ("form_on_later_pages.pdf", "olmo-page-1.pdf", "edgar.pdf", "some_ocr1.pdf")
    ]
    plan = tmp_path / "plan.parquet"
    found = reasons(*sources, filters="olmocr", out=plan)
    assert found == {"form_on_later_pages.pdf": "form: 89 text fields"}, "garbled layers filter nothing"
    assert facts_path(plan).is_file()
    found = reasons(*sources, filters="language=de", out=plan)
    assert set(found) == {"form_on_later_pages.pdf", "edgar.pdf"} and found["edgar.pdf"].startswith(
        "language: en"
    )
    plan_corpus([str(path) for path in sources], 1, plan)
    assert {row["status"] for row in read_plan(plan)} == {"pending"}, "the next plan knows of no filter"


def test_what_cannot_be_looked_at_is_kept(tmp_path: Path) -> None:
    (tmp_path / "short.pdf").write_bytes(document("d", 3))
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    assert (
        reasons(*sorted(tmp_path.glob("*.pdf")), filters="olmocr", out=tmp_path / "p" / "plan.parquet") == {}
    )


def test_what_a_text_says() -> None:
    english = ARTICLE["en"].replace("free", "equal") * 3
    keep = Filters(language=("en",), spam=0.004)
    assert not unwanted(facts_of_text(english), keep)
    assert unwanted(facts_of_text(ARTICLE["de"] * 3), keep).startswith("language: de")
    assert unwanted(facts_of_text(english + " free casino download"), keep).startswith("spam: ")
    for silent in ("short", shifted(ARTICLE["de"] * 3, 1), "1 2 3 " * 200):
        assert not unwanted(facts_of_text(silent), keep)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A German document, and an English one with a garbled page, a page that gave up and a salvaged one."""
    english = ARTICLE["en"]
    pages = [("ok", english), ("ok", shifted(ARTICLE["el"], 1)), ("gave_up", ""), ("salvaged", english)]
    return make(tmp_path / "o", [("de.pdf", [("ok", ARTICLE["de"] * 3)] * 2), ("en.pdf", pages)])


def test_after_the_text_was_read(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(corpus, out, formats=["markdown", "dolma"], filters=["language=en", "garbled", "quality=0.55"])
    german, english = read_jsonl(out / "documents.jsonl")
    assert german["dropped"].startswith("filtered: language: de") and not german["files"]
    assert english["statuses"] == {"filtered": 2, "gave_up": 1, "ok": 1}
    text = (out / "markdown" / "en.md").read_text()
    assert text.count("All human beings") == 1 and "άνθρωποι" not in text and "Ϊ" not in text
    again = tmp_path / "again"
    write(corpus, again, formats=["markdown"])
    assert (again / "markdown" / "de.md").is_file(), "the store knows of no filter"


def test_the_report_says_why(corpus: Path, tmp_path: Path) -> None:
    args = (
        corpus / "plan.parquet",
        corpus / "store",
        [corpus / "shards" / "00000.json"],
        tmp_path / "report.json",
    )
    report = write_report(*args, parse(["language=en", "garbled"]))
    assert report["statuses"] == {"filtered": 3, "gave_up": 1, "ok": 1, "salvaged": 1}
    rows = {(row["source"], row["page"]): row for row in read_rows(tmp_path / "report.json")}
    assert rows["de.pdf", 1]["reason"].startswith("language: de")
    assert rows["en.pdf", 2]["reason"].startswith("garbled: ") and rows["en.pdf", 1]["score"] == 1


def test_a_page_that_the_plan_filters_is_not_taken_from_the_store(corpus: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    plan = corpus / "plan.parquet"
    table = pq.read_table(plan)
    rows = [row | {"status": "filtered", "reason": "form: 1 text fields"} for row in table.to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), plan)
    assert {page["status"] for page in pages_of(plan, corpus / "store", SETTINGS)} == {"filtered"}
