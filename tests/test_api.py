"""The Python API against model servers of its own, sync, async and from many threads."""

import asyncio
import concurrent.futures
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import scriptorium
import scriptorium.convert.plan  # the function has the package's name
from scriptorium.errors import ConfigError, InputError, ServerError
from scriptorium.pages.front_matter import FrontMatter, encode
from tests.convert import samples
from tests.convert.service.hanging import HangingServer
from tests.faults import world
from tests.faults.truth import true_texts
from tests.serve.scripted import ScriptedServer, answer

ADAPTER = world.ADAPTER


@pytest.fixture(scope="module")
def model() -> Iterator[world.FaultyServer]:
    with world.FaultyServer({"stream": True}) as server:
        yield server


@pytest.fixture(scope="module")
def converter(model: world.FaultyServer) -> Iterator[scriptorium.Converter]:
    with scriptorium.Converter(server=model.url, adapter=ADAPTER) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "four.pdf"
    made.write_bytes(world.document("four", 4))
    return made


def test_the_import_is_light() -> None:
    heavy = {"httpx", "numpy", "pyarrow", "PIL", "pydantic", "starlette", "scriptorium.api"}
    code = f"import sys, scriptorium; print(*({heavy!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "\n"


def test_one_document_at_once(model: world.FaultyServer, path: Path) -> None:
    document = scriptorium.convert_document(path, server=model.url, adapter=ADAPTER)
    texts = true_texts(path, ADAPTER)
    assert [page.text for page in document.pages] == texts
    assert (document.name, document.kind, document.page_count) == (str(path), "pdf", 4)
    assert document.statuses == {"ok": 4} and not document.failed
    assert document.markdown() == "\n\n".join(texts) + "\n"
    assert document.to_dict()["pages"][0]["front"]["primary_language"] == "en"


def test_every_kind_of_source(converter: scriptorium.Converter, path: Path) -> None:
    data = path.read_bytes()
    sources = [path, str(path), path.as_uri(), data, bytearray(data), memoryview(data), io.BytesIO(data)]
    with path.open("rb") as file:
        found = [converter.convert(source) for source in [*sources, file]]
    assert {document.sha256 for document in found} == {found[0].sha256}
    assert {document.markdown() for document in found} == {found[0].markdown()}
    assert found[-1].name == str(path) and found[3].name == "document"
    left = [each.name for each in converter.engine().folder.iterdir()]
    assert left == [], "what was made of bytes has gone again"


def test_a_document_behind_a_uri(converter: scriptorium.Converter, path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://shelf/four.pdf", "wb") as file:
        file.write(path.read_bytes())
    document = converter.convert("memory://shelf/four.pdf", pages="2")
    assert (document.name, document.statuses) == ("memory://shelf/four.pdf", {"ok": 1})
    with pytest.raises(InputError, match=r"memory://shelf/none\.pdf"):
        converter.convert("memory://shelf/none.pdf")


def test_pages_in_order_or_as_they_come(converter: scriptorium.Converter) -> None:
    data = world.document("many", 12)
    assert [page.page for page in converter.convert_pages(data)] == list(range(1, 13))
    assert sorted(page.page for page in converter.convert_pages(data, ordered=False)) == list(range(1, 13))
    some = list(converter.convert_pages(data, pages="3,11-20,30"))
    assert [(page.page, page.status) for page in some] == [
        (3, "ok"),
        (11, "ok"),
        (12, "ok"),
        (30, "unreadable"),
    ]
    assert some[-1].failed and "no page 30" in some[-1].reason


def test_other_forms_of_a_document() -> None:
    hostile = "# A title\n\nwords <script>alert(1)</script> that end in-\n"
    texts = iter([hostile, "the middle.\n\nMore."])
    with ScriptedServer(lambda _: answer(encode(FrontMatter(), next(texts)))) as server:
        settings = {"server": server.url, "adapter": ADAPTER, "in_flight": 1}
        document = scriptorium.convert_document(world.document("forms", 2), **settings)
    assert "<script" not in document.html() and "<h1>A title</h1>" in document.html()
    assert document.plain_text().startswith("A title\n\nwords")
    assert document.markdown(marks="comment").startswith("<!-- page 1 -->")
    assert document.markdown(front_matter=True).startswith("---\nsource: ")
    with pytest.raises(ConfigError, match="marks"):
        document.markdown(marks="stars")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("nowhere.pdf", "nowhere.pdf: no such file"),
        (".", "a folder"),
        (b"plainly no PDF", "document: not a PDF"),
        (b"", "document: "),
        (samples.zipped({"a.pdf": samples.pdf()}), "an archive"),
        (samples.pdf(password="x"), "document: "),
        (io.StringIO("text"), "open as text"),
        (7, "found int"),
    ],
)
def test_what_cannot_be_read_is_an_input_error(
    converter: scriptorium.Converter, source: object, said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        converter.convert(source)  # type: ignore[arg-type]
    assert str(converter.engine().folder) not in str(caught.value)
    assert not converter.engine().jobs


def test_a_password_is_used_and_forgotten(converter: scriptorium.Converter) -> None:
    locked = samples.pdf(password="secret")
    assert converter.convert(locked, password="secret").statuses == {"blank": 1}
    assert converter.engine().documents.passwords == {}


def test_pages_that_fail_are_told(model: world.FaultyServer) -> None:
    with world.FaultyServer({"rules": [{"fault": "headless", "share": [0, 1]}]}) as poor:
        document = scriptorium.convert_document(samples.pdf(2), server=poor.url, adapter=ADAPTER)
        assert document.statuses == {"blank": 2}
        image = samples.encoded(samples.picture(), "png")
        (page,) = scriptorium.convert_document(image, server=poor.url, adapter=ADAPTER).pages
        assert (page.status, page.attempts, page.failed) == ("gave_up", 2, True)
        assert page.reason and not page.text


def test_settings_that_cannot_be_carried_out() -> None:
    for settings in ({}, {"server": "http://x", "model": "y"}, {"server": "localhost:80"}):
        with pytest.raises(ConfigError):
            scriptorium.Converter(**settings)  # type: ignore[typeddict-item]
    with pytest.raises(ConfigError, match="colour"):
        scriptorium.Converter(server="http://x", colour="red")  # type: ignore[call-arg]
    with pytest.raises(ServerError):
        scriptorium.convert_document(b"", server="http://127.0.0.1:9")
    closed = scriptorium.Converter(server="http://127.0.0.1:9")
    closed.close()
    with pytest.raises(ConfigError, match="closed"):
        closed.convert(b"")


def test_many_threads_share_a_converter(converter: scriptorium.Converter, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.pdf" for number in range(12)]
    for number, path in enumerate(paths):
        path.write_bytes(world.document(f"thread {number}", 1 + number % 4))
    with concurrent.futures.ThreadPoolExecutor(12) as threads:
        found = list(threads.map(converter.convert, paths))
    for path, document in zip(paths, found, strict=True):
        assert [page.text for page in document.pages] == true_texts(path, ADAPTER)


def test_a_store_saves_the_second_reading(model: world.FaultyServer, tmp_path: Path) -> None:
    data = world.document("store", 3)
    settings = {"server": model.url, "adapter": ADAPTER, "store": tmp_path / "store"}
    first = scriptorium.convert_document(data, pages="1-2", **settings)  # type: ignore[arg-type]
    asked = model.told()["requests"]
    again = scriptorium.convert_document(data, **settings)  # type: ignore[arg-type]
    assert model.told()["requests"] == asked + 1
    assert [page.text for page in again.pages[:2]] == [page.text for page in first.pages]


def test_leaving_the_loop_ends_the_requests() -> None:
    with ScriptedServer(lambda _: answer(encode(FrontMatter(), "Read."))) as quick:
        with scriptorium.Converter(server=quick.url, adapter=ADAPTER, in_flight=1) as converter:
            for page in converter.convert_pages(world.document("leave", 40)):
                assert page.text == "Read."
                break
            assert not converter.engine().jobs
        assert len(quick.requests) < 40


def test_closing_the_converter_stops_what_hangs() -> None:
    with (
        HangingServer() as model,
        concurrent.futures.ThreadPoolExecutor(1) as threads,
        scriptorium.Converter(server=model.url, adapter=ADAPTER) as converter,
    ):
        hanging = threads.submit(converter.convert, world.document("hang", 2))
        assert model.wait(asked=2)
        converter.close()
        assert "stopped" in str(hanging.exception())
        assert model.wait(left=2)


def test_async_pages_and_documents(converter: scriptorium.Converter, path: Path) -> None:
    async def work() -> tuple[list[int], list[str]]:
        order = [page.page async for page in converter.aconvert_pages(path)]
        documents = await asyncio.gather(*(converter.aconvert(path) for _ in range(5)))
        return order, [document.markdown() for document in documents]

    order, texts = asyncio.run(work())
    assert order == [1, 2, 3, 4]
    assert set(texts) == {converter.convert(path).markdown()}


def test_async_without_a_converter(model: world.FaultyServer, path: Path) -> None:
    async def work() -> None:
        document = await scriptorium.aconvert_document(path, server=model.url, adapter=ADAPTER)
        async for page in scriptorium.aconvert_pages(path, pages="2", server=model.url, adapter=ADAPTER):
            assert page == document.pages[1] or page.text == document.pages[1].text
        with pytest.raises(InputError):
            await scriptorium.aconvert_document(b"no", server=model.url, adapter=ADAPTER)

    asyncio.run(work())


def test_cancelling_stops_the_requests_and_leaves_the_others() -> None:
    async def work(model: HangingServer) -> None:
        async with scriptorium.Converter(server=model.url, adapter=ADAPTER) as converter:
            going = asyncio.create_task(converter.aconvert(world.document("going", 2)))
            staying = asyncio.create_task(converter.aconvert(world.document("staying", 2)))
            await asyncio.to_thread(model.wait, 4)
            going.cancel()
            with pytest.raises(asyncio.CancelledError):
                await going
            assert await asyncio.to_thread(model.wait, 0, 2)
            assert model.left == 2 and not staying.done()
            assert all(not line.open for line in converter.engine().client.balancer.lines)
            staying.cancel()

    with HangingServer() as model:
        asyncio.run(work(model))
        assert model.wait(left=4)
