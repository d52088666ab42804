"""The service with a real client, over a real connection, in front of model servers that behave or do not."""

import concurrent.futures
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scriptorium.convert.service.limits import Limits
from scriptorium.convert.service.openapi import description
from scriptorium.convert.service.wishes import KNOWN
from tests.convert import samples
from tests.convert.service.served import WAIT_SECONDS, Body, Served, events, pages, serving
from tests.faults import world
from tests.faults.truth import true_texts

MALFORMED = Path(__file__).parents[4] / "shared" / "data" / "malformed"


@pytest.fixture(scope="module")
def model() -> Iterator[world.FaultyServer]:
    with world.FaultyServer({"stream": True}) as server:
        yield server


@pytest.fixture(scope="module")
def service(model: world.FaultyServer) -> Iterator[Served]:
    options = [
        "--megabytes",
        "1",
        "--max-pages",
        "9",
        "--at-once",
        "8",
        "--waiting",
        "16",
        "--per-client",
        "24",
    ]
    with serving(model.url, *options) as running:
        yield running


def test_pages_have_the_models_text(service: Served, tmp_path: Path) -> None:
    path = tmp_path / "five.pdf"
    path.write_bytes(world.document("five", 5))
    found = pages(service.post(path.read_bytes()).text)
    assert [page["page"] for page in found] == [1, 2, 3, 4, 5]
    assert [page["text"] for page in found] == true_texts(path, world.ADAPTER)
    assert {page["status"] for page in found} == {"ok"}
    assert all(page["tokens"] > 0 and page["front"]["primary_language"] == "en" for page in found)


def test_a_range_and_a_page_that_is_not_there(service: Served) -> None:
    found = pages(service.post(world.document("range", 5), pages="2,4-5,8", order="done").text)
    assert {page["page"]: page["status"] for page in found} == {2: "ok", 4: "ok", 5: "ok", 8: "unreadable"}
    assert next(page["reason"] for page in found if page["page"] == 8).startswith("bad_page")


def test_whole_forms(service: Served, tmp_path: Path) -> None:
    path = tmp_path / "two.pdf"
    path.write_bytes(world.document("two", 2))
    texts = true_texts(path, world.ADAPTER)
    whole = service.post(path.read_bytes(), format="json", name="a/../two.pdf")
    assert whole.json()["name"] == "two.pdf"
    assert [page["text"] for page in whole.json()["pages"]] == texts
    assert whole.headers["x-page-statuses"] == "ok=2"
    accepted = httpx.post(
        f"{service.url}/v1/convert", content=path.read_bytes(), headers={"accept": "text/markdown, */*"}
    )
    assert accepted.headers["content-type"] == "text/markdown; charset=utf-8"
    assert accepted.text == "\n\n".join(texts) + "\n"
    marked = service.post(path.read_bytes(), format="markdown", marks="number", pages="2,9", failed="mark")
    assert marked.text.startswith("{2}---\n\n" + texts[1])
    assert "<!-- page 9: unreadable -->" in marked.text
    shown = service.post(path.read_bytes(), format="html")
    assert '<section id="page-2">' in shown.text
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "&amp;" not in service.post(path.read_bytes(), format="text").text


def test_images_of_every_kind(service: Served) -> None:
    for kind, data in samples.image_files().items():
        found = events(service.post(data).text)
        assert found[0]["kind"] == kind
        assert found[-1]["statuses"] == {"ok": found[0]["pages"]}


def test_a_locked_document_opens_with_its_password(service: Served) -> None:
    locked = samples.pdf(password="a säcret")
    refused = service.post(locked)
    assert (refused.status_code, refused.json()["error"]["reason"]) == (422, "encrypted")
    opened = httpx.post(
        f"{service.url}/v1/convert", content=locked, headers={"x-document-password": "a%20s%C3%A4cret"}
    )
    assert opened.status_code == 422 or pages(opened.text)[0]["status"] == "blank"
    plain = httpx.post(
        f"{service.url}/v1/convert",
        content=samples.pdf(password="secret"),
        headers={"x-document-password": "secret"},
    )
    assert [page["status"] for page in pages(plain.text)] == ["blank"]


@pytest.mark.parametrize(
    ("status", "kind", "content", "headers", "query"),
    [
        (400, "BadRequest", b"", {}, {}),
        (400, "BadRequest", b"x", {}, {"page": "1"}),
        (400, "BadRequest", b"x", {}, {"pages": "5-1"}),
        (400, "BadRequest", b"x", {}, {"format": "docx"}),
        (400, "BadRequest", b"x", {}, {"order": "random"}),
        (400, "BadRequest", b"x", {}, {"marks": "stars"}),
        (400, "BadRequest", b"x", {}, {"html": "maybe"}),
        (403, "UrlsOff", b'{"url": "http://127.0.0.1/"}', {"content-type": "application/json"}, {}),
        (403, "Origin", b"x", {"origin": "http://elsewhere.example"}, {}),
        (403, "Origin", b"x", {"origin": "null"}, {}),
        (403, "Host", b"x", {"host": "elsewhere.example"}, {}),
        (403, "Host", b"x", {"host": "[::"}, {}),
        (413, "TooManyPages", world.document("ten", 10), {}, {}),
        (415, "MediaType", b"x", {"content-type": "multipart/form-data; boundary=b"}, {}),
        (415, "MediaType", b"x", {"content-encoding": "gzip"}, {}),
        (422, "DocumentError", b"# A text, and no PDF\n", {}, {}),
        (422, "DocumentError", samples.zipped({"a.pdf": samples.pdf()}), {}, {}),
    ],
)
def test_refusals(
    service: Served, status: int, kind: str, content: bytes, headers: dict[str, str], query: dict[str, str]
) -> None:
    refused = httpx.post(
        f"{service.url}/v1/convert", timeout=WAIT_SECONDS, content=content, headers=headers, params=query
    )
    assert (refused.status_code, refused.json()["error"]["type"]) == (status, kind)
    assert "/tmp" not in refused.text and "upload-" not in refused.text
    assert status in (200, *map(int, description(Limits())["paths"]["/v1/convert"]["post"]["responses"]))


def test_ten_pages_are_read_in_ranges(service: Served) -> None:
    assert len(pages(service.post(world.document("ten", 10), pages="1-9").text)) == 9


@pytest.mark.parametrize("announced", [True, False])
def test_a_large_document_is_refused_before_it_is_read(service: Served, announced: bool) -> None:
    body = Body()
    headers = {"content-length": str(1 << 32)} if announced else {}
    refused = httpx.post(f"{service.url}/v1/convert", content=body, headers=headers, timeout=WAIT_SECONDS)
    assert (refused.status_code, refused.json()["error"]["type"]) == (413, "TooLarge")
    assert body.taken < 64 << 20  # of 4 GiB
    assert service.get("/health").json()["running"] == 0


def test_twenty_clients_at_once_get_their_own_pages(service: Served, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.pdf" for number in range(20)]
    for number, path in enumerate(paths):
        path.write_bytes(world.document(f"client {number}", 1 + number % 3))
    with concurrent.futures.ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda path: service.post(path.read_bytes(), order="done"), paths))
    for path, got in zip(paths, answers, strict=True):
        found = sorted(pages(got.text), key=lambda page: page["page"])
        assert [page["text"] for page in found] == true_texts(path, world.ADAPTER)


def test_malformed_documents_harm_nobody(service: Served) -> None:
    files = sorted(MALFORMED.glob("*.pdf"))[::7]
    if not files:
        pytest.skip("the malformed PDFs are not here")
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda path: service.post(path.read_bytes(), pages="1-2"), files))
    for path, got in zip(files, answers, strict=True):
        if got.status_code == 200:
            assert all(
                page["text"] or page["reason"] or page["status"] == "blank" for page in pages(got.text)
            )
        else:
            assert got.status_code == 422, (path.name, got.text)
            assert got.json()["error"]["reason"]
    assert service.get("/health").json() | {"version": ""} == {
        "status": "ok",
        "version": "",
        "servers": 1,
        "servers_well": 1,
        "running": 0,
        "waiting": 0,
    }


def test_metrics_count(service: Served) -> None:
    def counted() -> dict[str, float]:
        rows = re.findall(r"^scriptorium_service_(\S+) (\S+)$", service.get("/metrics").text, re.M)
        return {name: float(value) for name, value in rows}

    before = counted()
    service.post(world.document("counted", 3))
    service.post(b"nothing")
    after = counted()
    assert after['pages_total{status="ok"}'] == before.get('pages_total{status="ok"}', 0) + 3
    assert after['requests_total{code="422"}'] == before.get('requests_total{code="422"}', 0) + 1
    assert after["jobs_running"] == after["jobs_waiting"] == 0


def test_a_path_that_is_not_there_gets_json(service: Served) -> None:
    for path, status in (("/v2", 404), ("/v1/convert", 405)):
        told = service.get(path)
        assert told.status_code == status and told.json()["error"]["type"] == "NoRoute"


def test_the_description_names_every_option(service: Served) -> None:
    told = service.get("/openapi.json").json()["paths"]["/v1/convert"]["post"]
    assert {each["name"] for each in told["parameters"] if each["in"] == "query"} == set(KNOWN)
