"""Fetching a bench from a server process that speaks the hub's protocol, and drops, lies and loses."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from scriptorium.bench.fetch import PUBLISHED, REVISION, lock_path, read_lock, verify
from scriptorium.errors import InputError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PDF = b"%PDF-1.4 not drawn here " + bytes(range(256)) * 200


def line(pdf: str, number: int) -> str:
    return json.dumps({"pdf": pdf, "page": 1, "id": f"t{number}", "type": "present", "text": "alpha"})


@dataclass
class Hub:
    """The running server and the folder of what was fetched."""

    files: Path
    port: int
    faults: Path
    out: Path

    def set(self, **faults: object) -> None:
        self.faults.write_text(json.dumps(faults))

    def requests(self) -> list[str]:
        log = self.faults.with_name("requests.log")
        return log.read_text().splitlines() if log.exists() else []

    def fetch(self, *options: object, out: Path | None = None) -> subprocess.CompletedProcess[str]:
        program = "from scriptorium.cli import main; main()"
        command = [sys.executable, "-c", program, "bench", "fetch", "some/set", "--out", str(out or self.out)]
        environment = os.environ | {
            "HF_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HOME": str(self.faults.parent / "home"),
            "NO_PROXY": "127.0.0.1",
        }
        return subprocess.run(
            [*command, *map(str, options)], env=environment, capture_output=True, text=True, timeout=60
        )

    def bench(self) -> dict[str, bytes]:
        files = sorted(path for path in self.out.rglob("*") if path.is_file())
        return {path.relative_to(self.out).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub")
    files = tmp_path / "files" / "bench_data"
    for name, data in {
        "old.jsonl": (line("old/a.pdf", 1) + "\n{broken\n").encode(),
        "math.jsonl": (line("math/b.pdf", 2) + "\n").encode(),
        "pdfs/old/a.pdf": PDF,
        "pdfs/math/b.pdf": PDF[::-1],
        "pdfs/blank.pdf": b"%PDF-1.4 blank",
        "somebody/old/a_pg1_repeat1.md": b"alpha",
    }.items():
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).write_bytes(data)
    (files.parent / "README.md").write_text("of no use here")
    faults = tmp_path / "server" / "faults.json"
    faults.parent.mkdir()
    faults.write_text("{}")
    command = [sys.executable, Path(__file__).with_name("hub_server.py"), files.parent, faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        yield Hub(files, int(server.stdout.readline()), faults, tmp_path / "benches" / "set")
        server.terminate()


def test_a_whole_set_comes_at_the_commit_of_its_branch(hub: Hub) -> None:
    found = hub.fetch("--revision", "main")
    assert found.returncode == 0, found.stderr
    assert sorted(hub.bench()) == [
        "math.jsonl",
        "old.jsonl",
        "pdfs/blank.pdf",
        "pdfs/math/b.pdf",
        "pdfs/old/a.pdf",
    ]
    lock = read_lock(lock_path(hub.out))
    assert (lock["repo"], lock["revision"], lock["asked"]) == ("some/set", COMMIT, "main")
    assert lock["categories"] == ["math", "old"]
    assert {name: entry["sha256"] for name, entry in lock["files"].items()} == {
        name: sha256(data).hexdigest() for name, data in hub.bench().items()
    }
    assert sorted(path.name for path in hub.out.parent.iterdir()) == ["set", "set.lock.json"]
    assert verify(hub.out) == []


def test_a_category_comes_alone_and_others_are_added_later(hub: Hub) -> None:
    assert hub.fetch("--revision", COMMIT[:7], "--category", "math").returncode == 0
    assert sorted(hub.bench()) == ["math.jsonl", "pdfs/math/b.pdf"]
    asked = len(hub.requests())
    assert hub.fetch("--revision", "main").returncode == 0
    assert read_lock(lock_path(hub.out))["categories"] == ["math", "old"]
    assert sorted(row.split("\t")[0] for row in hub.requests()[asked:]) == [
        "bench_data/old.jsonl", "bench_data/pdfs/blank.pdf", "bench_data/pdfs/old/a.pdf"
    ]  # fmt: skip


def test_a_dropped_connection_is_gone_on_with(hub: Hub) -> None:
    large = b"%PDF-1.4" + bytes(12 << 20)
    (hub.files / "pdfs/old/a.pdf").write_bytes(large)
    hub.set(cut={"bench_data/pdfs/old/a.pdf": 11 << 20})
    found = hub.fetch("--revision", "main")
    assert found.returncode == 0, found.stderr
    assert hub.bench()["pdfs/old/a.pdf"] == large
    starts = [int(row.split("\t")[1]) for row in hub.requests() if "old/a.pdf" in row]
    assert starts[0] == 0
    assert 0 < starts[1] <= 11 << 20


def test_wrong_bytes_are_not_kept_and_what_came_is_not_fetched_again(hub: Hub) -> None:
    hub.set(wrong=["bench_data/pdfs/old/a.pdf"])
    found = hub.fetch("--revision", "main", "--workers", 1)
    assert found.returncode == 5
    assert "bench_data/pdfs/old/a.pdf came with other bytes" in found.stderr
    assert not (hub.out / "pdfs/old/a.pdf").exists()
    assert not lock_path(hub.out).exists()
    came = {row.split("\t")[0] for row in hub.requests()} - {"bench_data/pdfs/old/a.pdf"}
    hub.set()
    asked = len(hub.requests())
    assert hub.fetch("--revision", "main").returncode == 0
    assert not came & {row.split("\t")[0] for row in hub.requests()[asked:]}
    assert verify(hub.out) == []


def test_a_small_file_with_wrong_bytes_is_not_kept(hub: Hub) -> None:
    hub.set(wrong=["bench_data/math.jsonl"])
    found = hub.fetch("--revision", "main")
    assert found.returncode == 5
    assert not (hub.out / "math.jsonl").exists()


def test_a_listed_file_that_is_gone_is_named(hub: Hub) -> None:
    hub.set(gone=["bench_data/pdfs/math/b.pdf"])
    found = hub.fetch("--revision", "main")
    assert found.returncode == 5
    assert f"hub:some/set@{COMMIT} cannot be fetched" in found.stderr
    assert "pdfs/math/b.pdf" in found.stderr


def test_a_pdf_that_the_set_lacks_is_named_and_all_else_comes(hub: Hub) -> None:
    (hub.files / "old.jsonl").write_text(line("old/a.pdf", 1) + "\n" + line("../secret.pdf", 3))
    found = hub.fetch("--revision", "main")
    assert found.returncode == 3
    assert "lacks 1 PDFs that its tests name, 'pdfs/../secret.pdf' first" in found.stderr
    assert "pdfs/old/a.pdf" in hub.bench()
    assert lock_path(hub.out).exists()


def test_a_lock_brings_the_same_bytes_to_another_machine_or_none(hub: Hub, tmp_path: Path) -> None:
    assert hub.fetch("--revision", "main", "--category", "math").returncode == 0
    lock, second = lock_path(hub.out), tmp_path / "second" / "set"
    assert hub.fetch("--lock", lock, out=second).returncode == 0
    assert read_lock(lock_path(second))["files"] == read_lock(lock)["files"]
    (hub.files / "pdfs/math/b.pdf").write_bytes(PDF)
    found = hub.fetch("--lock", lock, out=tmp_path / "third" / "set")
    assert found.returncode == 2
    assert "pdfs/math/b.pdf has the SHA-256" in found.stderr
    assert not (tmp_path / "third/set/pdfs/math/b.pdf").exists()


def test_verify_names_what_was_changed_added_or_lost(hub: Hub) -> None:
    assert hub.fetch("--revision", "main").returncode == 0
    (hub.out / "pdfs/old/a.pdf").write_bytes(b"other")
    (hub.out / "math.jsonl").unlink()
    (hub.out / "mine.jsonl").write_text("")
    (hub.out / "tool").mkdir()
    found = hub.fetch("--verify")
    assert found.returncode == 2
    told = found.stdout.splitlines()
    assert len(told) == 3
    assert "math.jsonl: is missing" in told[0]
    assert "a.pdf: SHA-256" in told[1]
    assert "mine.jsonl: is not in the lock" in told[2]


def test_usage_is_explained(hub: Hub, tmp_path: Path) -> None:
    unknown = hub.fetch("--revision", "main", "--category", "tables")
    assert unknown.returncode == 2
    assert "no category 'tables'; there are math, old" in unknown.stderr
    assert "--revision" in hub.fetch().stderr
    assert hub.fetch("--revision", "nowhere").returncode == 5
    assert "cannot be fetched" in hub.fetch("--revision", "no such thing").stderr
    bad = tmp_path / "bad.json"
    bad.write_text('{"files": {"a": 1}}')
    with pytest.raises(InputError, match="not a lock"):
        read_lock(bad)


def test_the_commit_of_the_recipes_is_the_one_that_is_fetched() -> None:
    recipe = yaml.safe_load((Path(__file__).parents[2] / "config/recipes/olmocr-2-7b.yaml").read_text())
    sources = [
        value for section in recipe.values() if isinstance(section, dict) for value in section.values()
    ]
    wanted = {"hub": PUBLISHED, "revision": REVISION, "kind": "bench"}
    assert any(isinstance(source, dict) and wanted.items() <= source.items() for source in sources)


def test_another_commit_does_not_mix_into_a_folder(hub: Hub) -> None:
    assert hub.fetch("--revision", "main").returncode == 0
    path = lock_path(hub.out)
    path.write_text(path.read_text().replace(COMMIT, "f" * 40))
    found = hub.fetch("--revision", "main")
    assert found.returncode == 2
    assert "fetch hub:some/set" in found.stderr
