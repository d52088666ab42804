"""Each format's bytes, from one small corpus."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard

from scriptorium import __version__
from scriptorium.convert.outputs.documents import Document
from scriptorium.convert.outputs.dolma import compat_record, record
from scriptorium.convert.outputs.names import Names
from scriptorium.convert.outputs.options import Options, parse
from scriptorium.convert.outputs.write import lines
from scriptorium.errors import ConfigError
from scriptorium.files import sha256_json

from .corpus import FRONT, SETTINGS, files, make, sha256, write

A = "corpus/x/a é.pdf"
PAGES = [
    ("ok", "# T & U\r\n\r\nThe fox"),
    ("ok_rotated", "jumps *over* \\(a_1 < b_2\\).\n\n| x | y |\n|---|---|\n| 1 | 2 |"),
    ("gave_up", ""),
    ("blank", ""),
    ("pending", ""),
    ("fallback_text", "The end."),
]
EVERY = ["dolma", "markdown", "html", "text", "json", "parquet"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lost = ("corpus/lost.pdf", [("gave_up", "")])
    return make(tmp_path_factory.mktemp("corpus"), [(A, PAGES), lost, ("corpus/b.png", [("ok", "B")])])


def markdown(corpus: Path, out: Path, **options: Any) -> str:
    write(corpus, out, formats=["markdown"], **options)
    return (out / "markdown" / "x" / "a é.md").read_bytes().decode()


ONE = "# T & U\n\nThe fox"
TWO = "jumps *over* \\(a_1 < b_2\\).\n\n| x | y |\n|---|---|\n| 1 | 2 |"


@pytest.mark.parametrize(
    ("options", "content"),
    [
        ({"failed": "keep", "marks": "none"}, f"{ONE}\n{TWO}\nThe end.\n"),
        ({"failed": "keep"}, f"{ONE}\n\n{TWO}\n\nThe end.\n"),
        (
            {},
            f"{ONE}\n\n{TWO}\n\n<!-- page 3: gave_up -->\n\n<!-- page 5: pending -->\n\nThe end.\n",
        ),
        (
            {"marks": "comment"},
            f"<!-- page 1 -->\n\n{ONE}\n\n<!-- page 2 -->\n\n{TWO}\n\n<!-- page 3: gave_up -->\n\n"
            "<!-- page 4 -->\n\n<!-- page 5: pending -->\n\n<!-- page 6 -->\n\nThe end.\n",
        ),
        (
            {"marks": "number", "failed": "keep"},
            f"{{1}}---\n\n{ONE}\n\n{{2}}---\n\n{TWO}\n\n{{3}}---\n\n{{4}}---\n\n{{5}}---\n\n{{6}}---\n\nThe end.\n",
        ),
        (
            {"join": True, "failed": "keep"},
            f"{ONE} {TWO.split(chr(10))[0]}\n\n{TWO.partition(chr(10) * 2)[2]}\n\nThe end.\n",
        ),
    ],
)
def test_markdown(corpus: Path, tmp_path: Path, options: dict[str, Any], content: str) -> None:
    assert markdown(corpus, tmp_path, **options) == content


def test_front_matter_is_yaml_whatever_the_source_is_called(corpus: Path, tmp_path: Path) -> None:
    head = markdown(corpus, tmp_path, front_matter=True).split("---\n")[1]
    assert head == (
        'source: "corpus/x/a \\u00e9.pdf"\n'
        f'document: "{sha256(A)}"\n'
        "pages: 6\n"
        'languages: ["en"]\n'
        'statuses: {"blank": 1, "fallback_text": 1, "gave_up": 1, "ok": 1, "ok_rotated": 1, "pending": 1}\n'
    )


def dolma(out: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in gzip.decompress((out / "dolma/00000.jsonl.gz").read_bytes()).splitlines()
    ]


def test_dolma(corpus: Path, tmp_path: Path) -> None:
    write(corpus, tmp_path, formats=["dolma"], join=True, marks="comment")
    text = f"{ONE}\n{TWO}\nThe end."
    spans = [0, 17, 76, 76, 76, 76, 84]
    assert dolma(tmp_path)[0] == {
        "id": sha256(A),
        "text": text,
        "source": "scriptorium",
        "metadata": {
            "Source-File": A,
            "scriptorium-version": __version__,
            "settings-sha256": sha256_json(SETTINGS),
            "weights": "w",
            "prompt-sha256": "p",
            "pdf-total-pages": 6,
            "total-input-tokens": 50,
            "total-output-tokens": 25,
            "total-fallback-pages": 1,
        },
        "attributes": {
            "pdf_page_numbers": [[spans[n], spans[n + 1], n + 1] for n in range(6)],
            **{key: [value] * 4 + [None, value] for key, value in FRONT.items()},
            "page_status": [status for status, _ in PAGES],
            "page_attempts": [1, 1, 1, 1, 0, 1],
            "page_finish_reason": ["stop"] * 4 + ["", "stop"],
            "page_rotation": [0] * 6,
        },
    }


def test_dolma_in_the_layout_of_olmocr_key_by_key(corpus: Path, tmp_path: Path) -> None:
    write(corpus, tmp_path, formats=["dolma"], dolma_compat=True, date="2026-01-02", join=True)
    data = (tmp_path / "dolma" / "00000.jsonl").read_bytes()
    assert data.isascii() and data.endswith(b"}\n") and data.count(b"\n") == 2  # the lost document has none
    text = f"{PAGES[0][1]}\n{TWO}\nThe end."
    expected = {
        "id": hashlib.sha1(text.encode()).hexdigest(),
        "text": text,
        "source": "olmocr",
        "added": "2026-01-02",
        "created": "2026-01-02",
        "metadata": {
            "Source-File": A,
            "olmocr-version": "0.4.27",
            "pdf-total-pages": 6,
            "total-input-tokens": 50,
            "total-output-tokens": 25,
            "total-fallback-pages": 1,
        },
        "attributes": {
            "pdf_page_numbers": [[0, 19, 1], [19, 78, 2], [78, 78, 3], [78, 78, 4], [78, 78, 5], [78, 86, 6]],
            "primary_language": ["en"] * 4 + [None, "en"],
            "is_rotation_valid": [True] * 6,
            "rotation_correction": [0] * 6,
            "is_table": [False] * 6,
            "is_diagram": [False] * 6,
        },
    }
    assert data.split(b"\n")[0].decode() == json.dumps(expected)  # the order of the keys is part of it


def test_compressions_hold_the_same_lines(corpus: Path, tmp_path: Path) -> None:
    for compression in ("none", "gz", "zst"):
        write(corpus, tmp_path / compression, formats=["dolma"], compression=compression)
    plain = (tmp_path / "none/dolma/00000.jsonl").read_bytes()
    assert gzip.decompress((tmp_path / "gz/dolma/00000.jsonl.gz").read_bytes()) == plain
    packed = (tmp_path / "zst/dolma/00000.jsonl.zst").read_bytes()
    assert zstandard.ZstdDecompressor().decompressobj().decompress(packed) == plain


def test_html_is_sanitised_and_needs_no_network(tmp_path: Path) -> None:
    evil = (
        '<script>alert(1)</script><img src="http://h/x.png" onerror="alert(2)"> <a href="javascript:f()">l</a>\n\n'
        "![a picture](http://h/y.png)\n\n<iframe src='http://h'></iframe><style>@import 'http://h'</style>\n\n"
        '<svg><use href="http://h/#a"/></svg><math><mi xlink:href="javascript:f()">x</mi></math>\n\n'
        '<table background="http://h"><tr><td style="background:url(http://h)" colspan=2>cell</td></tr></table>'
    )
    corpus = make(tmp_path / "c", [("corpus/a<b.pdf", [("ok", evil)])])
    write(corpus, tmp_path / "o", formats=["html"])
    html = (tmp_path / "o" / "html" / "a_b.html").read_text(encoding="utf-8")
    for word in ("alert", "javascript", "http://h", "<img", "<iframe", "<svg", "@import", "a<b"):
        assert word not in html
    assert "default-src 'none'" in html and "<title>corpus/a&lt;b.pdf</title>" in html
    assert '<span class="figure">[a picture]</span>' in html and '<td colspan="2">cell</td>' in html


def test_html(corpus: Path, tmp_path: Path) -> None:
    write(corpus, tmp_path, formats=["html"])
    html = (tmp_path / "html" / "x" / "a é.html").read_bytes().decode()
    head, _, body = html.partition("<body>\n")
    assert head.startswith('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')
    assert body == (
        '<section id="page-1">\n<h1>T &amp; U</h1>\n<p>The fox</p>\n</section>\n'
        '<section id="page-2">\n'
        '<p>jumps <em>over</em> <span class="formula">\\(a_1 &lt; b_2\\)</span>.</p>\n'
        "<table>\n<thead>\n<tr>\n<th>x</th>\n<th>y</th>\n</tr>\n</thead>\n"
        "<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>\n</section>\n"
        '<section id="page-3">\n<p class="lost">page 3: gave_up</p>\n</section>\n'
        '<section id="page-4">\n</section>\n'
        '<section id="page-5">\n<p class="lost">page 5: pending</p>\n</section>\n'
        '<section id="page-6">\n<p>The end.</p>\n</section>\n</body>\n</html>\n'
    )


def test_text(corpus: Path, tmp_path: Path) -> None:
    write(corpus, tmp_path, formats=["text"])
    assert (tmp_path / "text" / "x" / "a é.txt").read_bytes().decode() == (
        "T & U\n\nThe fox\n\njumps over \\(a_1 < b_2\\).\n\nx\ty\n1\t2\n\n"
        "[page 3: gave_up]\n\n[page 5: pending]\n\nThe end.\n"
    )


def test_json_has_a_file_a_page(corpus: Path, tmp_path: Path) -> None:
    write(corpus, tmp_path, formats=["json"])
    found = files(tmp_path / "json")
    assert set(found) == {f"x/a é_pg{n}.json" for n in range(1, 7)} | {"b.png_pg1.json"}
    page = json.loads(found["x/a é_pg2.json"])
    named = {"source": A, "member": "", "id": "", "document": sha256(A), "page": 2, "pages": 6}
    result = {"status": "ok_rotated", "reason": "", "text": TWO, **FRONT, "finish_reason": "stop"}
    counts = {"tokens": 5, "attempts": 1, "prompt_tokens": 10, "rotation": 0}
    assert page.items() >= (named | result | counts).items()
    assert "seconds" not in page and "raw" not in page


def test_parquet_has_a_row_a_page_failed_ones_too(corpus: Path, tmp_path: Path) -> None:
    write(corpus, tmp_path, formats=["parquet"])
    rows = pq.read_table(tmp_path / "parquet" / "pages.parquet").to_pylist()
    assert [(row["source"], row["page"], row["status"]) for row in rows] == [
        *((A, n, status) for n, (status, _) in enumerate(PAGES, 1)),
        ("corpus/b.png", 1, "ok"),
    ]
    assert rows[1]["text"] == TWO and rows[1]["primary_language"] == "en" and rows[4]["attempts"] is None


def test_the_manifest_says_what_became_of_every_document(corpus: Path, tmp_path: Path) -> None:
    assert write(corpus, tmp_path, formats=EVERY) == (2, 1, 0)
    told = [json.loads(line) for line in (tmp_path / "documents.jsonl").read_text().splitlines()]
    assert [line["source"] for line in told] == [A, "corpus/lost.pdf", "corpus/b.png"]
    assert [len(line["files"]) for line in told] == [6, 0, 6]
    assert all((tmp_path / place).is_file() for line in told for place in line["files"].values())
    assert told[1]["statuses"] == {"gave_up": 1}


@pytest.mark.parametrize(("budget", "written"), [(0.0, 1), (0.33, 1), (0.34, 2)])
def test_documents_over_their_budget_are_dropped_and_said(
    corpus: Path, tmp_path: Path, budget: float, written: int
) -> None:
    done = write(corpus, tmp_path, failed="drop", failed_budget=budget)
    assert done == (written, 1, 2 - written)
    first = json.loads((tmp_path / "documents.jsonl").read_text().splitlines()[0])
    assert first["dropped"] == ("" if written == 2 else "2 of 6 pages failed")


def test_the_same_options_give_the_same_bytes_and_replace_what_was_there(
    corpus: Path, tmp_path: Path
) -> None:
    write(corpus, tmp_path / "1", formats=EVERY)
    first = files(tmp_path / "1")
    write(corpus, tmp_path / "1", formats=EVERY, join=True)
    assert files(tmp_path / "1") != first
    write(corpus, tmp_path / "1", formats=EVERY)
    assert files(tmp_path / "1") == first


def test_a_failure_leaves_the_old_outputs(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = make(tmp_path / "c", [("corpus/a.pdf", [("ok", "A")])])
    write(broken, tmp_path / "o", formats=EVERY)
    before = files(tmp_path / "o")
    segment = next((broken / "store" / "segments").iterdir())
    segment.write_bytes(segment.read_bytes().replace(b'"text": "A"', b'"text": "A '))
    with pytest.raises(Exception, match="damaged record"):
        write(broken, tmp_path / "o", formats=EVERY)
    assert files(tmp_path / "o") == before
    assert not [path for path in (tmp_path / "o").iterdir() if path.name.endswith(".part")]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"formats": ["pdf"]}, "formats.0"),
        ({"formats": []}, "no format"),
        ({"marks": "line"}, "marks"),
        ({"failed_budget": 2}, "failed_budget"),
        ({"date": "today"}, "date"),
        ({"date": "2026-02-30"}, "date"),
        ({"mark": "none"}, "mark: unknown key; .*marks"),
    ],
)
def test_options_that_cannot_be_are_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=f"here: .*{told}"):
        parse(values, "here")


def test_dolma_has_what_a_manifest_says_but_not_in_the_layout_of_olmocr() -> None:
    page = {"page": 1, "pages": 1, "status": "ok", "text": "x", "metadata": '{"year": 1901}'}
    document = Document(sha256("a"), "b.zip", "a.pdf", "no. 7", [page])
    metadata = record(document)["metadata"]
    assert (metadata["Source-File"], metadata["manifest-id"], metadata["manifest"]) == (
        "b.zip::a.pdf",
        "no. 7",
        {"year": 1901},
    )
    theirs = compat_record(document, "2026-01-02")
    assert theirs is not None and not {"manifest", "manifest-id"} & set(theirs["metadata"])


def test_a_file_without_pages_has_its_reason_in_the_manifest(tmp_path: Path) -> None:
    row = {"source": "a.pdf", "page": 0, "pages": 0, "status": "duplicate", "reason": "same bytes as b.pdf"}
    found = iter([Document(sha256("a"), "a.pdf", "", "", [row])])
    (line,) = lines(found, Names(""), {}, Options())
    assert (line["statuses"], line["reason"], line["files"]) == ({"duplicate": 1}, "same bytes as b.pdf", {})
