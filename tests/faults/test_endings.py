"""Runs that end before their work does: asked to, because too much fails, or because the server stays away."""

import json
import signal
from pathlib import Path

import pytest

from . import world
from .conftest import Truth
from .test_kills import stored
from .world import FaultyServer

ENDED_SECONDS = 30.0
"""Far more than an orderly end takes here, far less than the client waits for an answer."""


@pytest.mark.faults
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_waits_for_no_request_that_hangs(
    truth: Truth, tmp_path: Path, server: FaultyServer, how: signal.Signals
) -> None:
    """The server holds every second page for ever; all others are in the store afterwards."""
    server.order(rules=[{"fault": "hang", "share": [0, 8]}])
    process = world.start(truth.corpus, tmp_path / "out", server.url)

    def only_held_pages_are_left() -> bool:
        told = server.told()
        held = told["played"].get("hang", 0)
        return held > 0 and held + len(told["answered"]) == truth.pages

    world.until(process, only_held_pages_are_left)
    answered = len(server.told()["answered"])
    process.send_signal(how)
    process.wait(ENDED_SECONDS)
    assert world.finish(process).code == {signal.SIGTERM: 143, signal.SIGINT: 130}[how]
    assert stored(tmp_path / "out") >= answered - 1  # the last may have been on its way
    server.order()
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    assert world.outputs(tmp_path / "out") == truth.outputs


@pytest.mark.faults
def test_too_many_failed_pages_end_the_run_if_that_is_wanted(
    truth: Truth, tmp_path: Path, server: FaultyServer
) -> None:
    server.order(rules=[{"fault": "status", "status": 400, "body": "bad image"}])
    more = ["--stop-after-failed-share", "0.2", "--in-flight", "1"]
    run = world.convert(truth.corpus, tmp_path / "out", server.url, *more)
    assert run.code == 4
    assert "more than 20%" in run.err
    assert "bad image" in run.err
    assert stored(tmp_path / "out") < truth.pages
    assert not (tmp_path / "out" / "report.json").exists()


@pytest.mark.parametrize(
    "status", [503, *(pytest.param(other, marks=pytest.mark.faults) for other in (501, 507))]
)
def test_a_server_that_stays_away_is_waited_for_as_long_as_one_likes(
    truth: Truth, tmp_path: Path, server: FaultyServer, status: int
) -> None:
    server.order(rules=[{"fault": "status", "status": status}])
    run = world.convert(truth.corpus, tmp_path / "out", f"{server.url}#m", "--patience", "0.5")
    assert run.code == 5
    assert "no answer for 0 s" in run.err or "no answer for 1 s" in run.err
    assert stored(tmp_path / "out") == 0


@pytest.mark.faults
def test_answers_that_hang_are_asked_for_again_after_the_total_timeout(
    truth: Truth, tmp_path: Path, server: FaultyServer
) -> None:
    server.order(rules=[{"fault": "hang", "share": [0, 4], "visits": 1}])
    run = world.convert(truth.corpus, tmp_path / "out", server.url, "--total-timeout", "3")
    assert run.code == 0, run.err
    assert world.outputs(tmp_path / "out") == truth.outputs


@pytest.mark.faults
def test_progress_is_told_as_json_and_in_a_file(truth: Truth, tmp_path: Path, server: FaultyServer) -> None:
    file = tmp_path / "progress.jsonl"
    more = ["--progress", "json", "--progress-file", str(file), "--cost-per-million-tokens", "2"]
    run = world.convert(truth.corpus, tmp_path / "out", server.url, *more)
    assert run.code == 0, run.err
    for lines in (run.err.splitlines(), file.read_text().splitlines()):
        last = json.loads([line for line in lines if line.startswith("{")][-1])
        assert (last["done"], last["total"], last["statuses"]) == (
            truth.pages,
            truth.pages,
            {"ok": truth.pages},
        )
        assert last["finished"]
        assert last["cost"] == round(2e-6 * (last["prompt_tokens"] + last["tokens"]), 4)
        assert [one["url"] for one in last["servers"]] == [f"{server.url}/v1"]
