"""The doctor: what it finds here, what it says of what is missing, and its exit codes."""

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scriptorium.cli import app
from scriptorium.doctor import documents, host, software
from scriptorium.doctor.finding import CONFIG, HOST, Finding, exit_code
from scriptorium.pages.document import DocumentWorker

from ..pages import hostile
from ..serve.scripted import Reply, ScriptedServer, answer, in_turn


def run(*words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The command's exit code, and its findings by name."""
    done = CliRunner().invoke(app, ["doctor", "--json", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, {each["what"]: each for each in json.loads(done.stdout)}


def program(folder: Path, name: str, code: str) -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_this_machine_is_fit_to_convert_with_a_server(tmp_path: Path) -> None:
    with ScriptedServer(in_turn(answer("Hello"))) as script:
        code, found = run("--server", script.url, "--out", str(tmp_path / "out"), "--cache", str(tmp_path))
    assert code == 0, found
    assert {
        found[what]["state"] for what in ("Python", "packages", "disk for outputs", "server", "answer")
    } == {"ok"}
    assert found["server"]["found"].endswith("serves listed")
    assert len(script.requests) == 1 and script.requests[0]["max_tokens"] == 4
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((401, {}, '{"error": "Unauthorized"}'), "key"),
        ((400, {}, '{"message": "not a multimodal model"}'), "not a multimodal model"),
        ((200, {}, "<html>"), "no chat completion"),
        ((200, {}, '{"choices": []}'), "no chat completion"),
    ],
)
def test_a_server_that_does_not_answer_is_code_2(tmp_path: Path, reply: Reply, words: str) -> None:
    with ScriptedServer(in_turn(reply)) as script:
        code, found = run("--server", script.url, "--out", str(tmp_path))
        url = script.url
    assert code == CONFIG and words in found["answer"]["found"] + found["answer"]["mend"]
    code, found = run("--server", url, "--out", str(tmp_path))
    assert code == CONFIG and found["server"]["state"] == "missing"


def test_a_model_that_is_not_there_is_code_2(tmp_path: Path) -> None:
    code, found = run("--model", str(tmp_path), "--adapter", "tiny", "--out", str(tmp_path))
    assert code == CONFIG and "config.json" in found["model"]["found"]


def test_a_place_that_cannot_be_written_is_code_6(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, found = run("--out", str(tmp_path / "file"))
    assert code == HOST and found["disk for outputs"]["state"] == "missing"


def test_keys_are_named_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_do_not_show")
    done = CliRunner().invoke(app, ["doctor", "--out", str(tmp_path)])
    assert done.exit_code == 0 and "HF_TOKEN" in done.output and "do_not_show" not in done.output


def test_a_requirement_that_is_not_met_says_what_mends_it() -> None:
    wanted = ["httpx>=0.28", "no-such-package>=1", "pillow>=9999", "typst>=0.13; extra == 'synth'"]
    wanted += ["no-such-trainer; extra == 'train'", "no-such-tool; extra == 'dev'"]
    found = {each.what: each for each in software.packages(wanted, ["train"])}
    assert set(found) == {"packages", "extra synth", "extra train"}
    assert (
        found["packages"].state == "missing"
        and "no-such-package, pillow>=9999 (is " in found["packages"].found
    )
    assert found["extra train"].mend == "pip install '.[train]'"
    assert found["extra train"].state == "missing"
    assert list(software.packages([wanted[4]], []))[-1].state == "warning"


@pytest.mark.parametrize(
    ("version", "numbers"), [("1.10.0", [1, 10]), ("2.0", [2]), ("5.23.0.dev0", [5, 23]), ("0.28", [0, 28])]
)
def test_versions_compare_as_numbers(version: str, numbers: list[int]) -> None:
    assert software._numbers(version) == numbers


def test_programs_and_gpu_are_looked_for_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [each.state for each in software.programs()] == ["warning"] * 3
    assert (host.gpu(False).state, host.gpu(True).state) == ("warning", "missing")
    program(tmp_path, "nvidia-smi", "print('NVIDIA H100, 81559 MiB, 80000 MiB, 550.54, 9.0')")
    assert "H100" in host.gpu(True).found and host.gpu(True).state == "ok"
    program(tmp_path, "nvidia-smi", 'import sys; print("NVIDIA-SMI has failed: no driver"); sys.exit(9)')
    assert host.gpu(True).state == "missing" and "no driver" in host.gpu(True).found


def test_fonts_that_stand_for_the_fourteen(tmp_path: Path) -> None:
    assert software.fonts([tmp_path, tmp_path / "none"]).state == "warning"
    (tmp_path / "LiberationSans-Regular.ttf").touch()
    assert software.fonts([tmp_path]).state == "ok"


def test_few_open_files_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        found = host.open_files()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found.state == "warning" and found.mend.startswith("ulimit -n ")


def test_little_space_and_another_clock_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "LEAST_DISK", 1e30)
    assert [each.state for each in host.disk("outputs", tmp_path)] == ["missing"]
    monkeypatch.setattr(host, "LEAST_DISK", 0)
    monkeypatch.setattr(host, "GOOD_DISK", 0)
    monkeypatch.setattr(host, "CLOCK_SECONDS", -1.0)
    assert [each.state for each in host.disk("outputs", tmp_path)] == ["ok", "warning"]
    assert not list(tmp_path.iterdir())


def test_the_hosts_lack_is_the_graver_code() -> None:
    fine = Finding("a", "ok", "")
    config = Finding("b", "missing", "", code=CONFIG)
    assert exit_code([fine, Finding("w", "warning", "")]) == 0
    assert exit_code([fine, config]) == CONFIG
    assert exit_code([Finding("c", "missing", ""), config]) == HOST


def test_fonts_that_a_pdf_does_not_carry_are_named_with_their_pages(tmp_path: Path) -> None:
    (tmp_path / "plain.pdf").write_bytes(hostile.pages(4))
    (tmp_path / "drawn.pdf").write_bytes(hostile.drawing(b"0 0 9 9 re f"))
    (tmp_path / "torn.pdf").write_bytes(b"%PDF-1.7\nno more")
    code, found = run(*(str(tmp_path / f"{name}.pdf") for name in ("plain", "drawn")), "--out", str(tmp_path))
    assert code == 0
    assert "Helvetica; pages 1-4" in found["plain.pdf"]["found"] and found["plain.pdf"]["state"] == "warning"
    assert (found["drawn.pdf"]["state"], found["drawn.pdf"]["found"]) == ("ok", "pdf, 1 pages")
    code, found = run(str(tmp_path / "torn.pdf"), str(tmp_path / "away.pdf"), "--out", str(tmp_path))
    assert code == CONFIG
    assert found["torn.pdf"]["state"] == found["away.pdf"]["state"] == "missing" and found["torn.pdf"]["mend"]


def test_a_pdf_that_carries_its_fonts() -> None:
    path = Path(__file__).parents[3] / "shared" / "data" / "pdfs" / "dolma-page-1.pdf"
    if not path.is_file():
        pytest.skip("the shared sample PDFs are not there")
    with DocumentWorker() as worker:
        assert [each.state for each in documents.one(path, worker)] == ["ok"]
