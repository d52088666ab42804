"""A folder that grows: the next conversion asks for the new pages and for no other."""

from pathlib import Path

from ..faults import world
from ..faults.world import FaultyServer


def test_a_grown_folder_costs_its_new_pages(tmp_path: Path) -> None:
    corpus, out = world.make_corpus(tmp_path / "corpus", 4, 3), tmp_path / "out"
    with FaultyServer() as server:
        assert world.convert(corpus, out, server.url).code == 0
        first = server.told()["requests"]
        assert first == world.report(out)["pages"] == 7
        (corpus / "deeper" / "still").mkdir(parents=True)
        (corpus / "deeper" / "still" / "new.pdf").write_bytes(world.document("new", 5))
        (corpus / "0-first.pdf").write_bytes(world.document("first", 2))
        assert world.convert(corpus, out, server.url).code == 0
        assert server.told()["requests"] == first + 7
        assert world.convert(corpus, out, server.url).code == 0
        assert server.told()["requests"] == first + 7
    assert world.report(out)["statuses"] == {"ok": 14}
    assert {path.stem for path in (out / "markdown").rglob("*.md")} >= {"new", "0-first"}


def test_what_is_written_is_not_written_again_unless_something_differs(tmp_path: Path) -> None:
    corpus, out = world.make_corpus(tmp_path / "corpus", 2, 2), tmp_path / "out"

    def written(server: FaultyServer, *options: str) -> int:
        assert world.convert(corpus, out, server.url, *options).code == 0
        return (out / "documents.jsonl").stat().st_mtime_ns

    with FaultyServer() as server:
        first = written(server)
        assert written(server) == first
        joined = written(server, "--join")
        assert joined > first
        (out / "report.json").unlink()
        again = written(server, "--join")
        assert again > joined and (out / "report.json").exists()
        (corpus / "new.pdf").write_bytes(world.document("new", 5))
        assert written(server, "--join") > again
        assert "new" in {path.stem for path in (out / "markdown").glob("*.md")}
