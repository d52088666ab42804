"""SIGKILL to the whole process tree at random moments, and two or four processes on one output folder."""

import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from scriptorium.files import PART

from . import world
from .conftest import Truth
from .world import FaultyServer

IN_FLIGHT = 40
"""Pages that a kill may cost: those being read, and the few that are drawn ahead."""


@pytest.mark.parametrize(("kills", "seed"), [(2, 1), pytest.param(20, 2, marks=pytest.mark.faults)])
def test_killed_and_resumed(
    truth: Truth, tmp_path: Path, server: FaultyServer, kills: int, seed: int
) -> None:
    """The moments are uniform over what a whole run takes here: start, plan, pages, outputs are all hit."""
    chance = random.Random(seed)
    server.order(delay=0.6)
    killed, longest = 0, 4.0
    while killed < kills:
        moment = chance.uniform(0.0, longest)
        process = world.start(truth.corpus, tmp_path / "out", server.url)
        try:
            process.wait(moment)
            longest = moment  # it had ended by then: the others are killed earlier
        except subprocess.TimeoutExpired:
            killed += 1
        world.kill_tree(process)
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    assert world.outputs(tmp_path / "out") == truth.outputs
    assert world.report(tmp_path / "out")["statuses"] == {"ok": truth.pages}
    assert server.told()["requests"] <= truth.pages + kills * IN_FLIGHT
    assert not list((tmp_path / "out").rglob(PART))


def test_killed_while_pages_are_read_it_repeats_those_in_flight_alone(
    truth: Truth, tmp_path: Path, server: FaultyServer
) -> None:
    """The server holds every second page for ever; when all others are stored the tree is killed."""
    server.order(rules=[{"fault": "hang", "share": [0, 8]}])
    process = world.start(truth.corpus, tmp_path / "out", server.url)

    def only_held_pages_are_left() -> bool:
        told = server.told()
        held = told["played"].get("hang", 0)
        return held > 0 and held + len(told["answered"]) == truth.pages == held + stored(tmp_path / "out")

    world.until(process, only_held_pages_are_left)
    held = server.told()["played"]["hang"]
    world.kill_tree(process)
    server.order()
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    assert world.outputs(tmp_path / "out") == truth.outputs
    assert server.told()["requests"] == truth.pages + held


def stored(out: Path) -> int:
    """Whole lines in the store."""
    return sum(path.read_bytes().count(b"\n") for path in out.glob("store/segments/*"))


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=pytest.mark.faults)])
def test_several_processes_on_one_folder(
    truth: Truth, tmp_path: Path, server: FaultyServer, count: int
) -> None:
    """One works, the others wait for it: each page is asked for once, all end well."""
    processes = [world.start(truth.corpus, tmp_path / "out", server.url) for _ in range(count)]
    runs = [world.finish(process) for process in processes]
    assert [run.code for run in runs] == [0] * count
    assert Counter(server.told()["visits"].values()) == {1: truth.pages}
    assert world.outputs(tmp_path / "out") == truth.outputs


@pytest.mark.faults
def test_the_one_that_waits_goes_on_where_the_other_was_killed(
    truth: Truth, tmp_path: Path, server: FaultyServer
) -> None:
    server.order(hold=True)
    first = world.start(truth.corpus, tmp_path / "out", server.url)
    world.until(first, lambda: server.told()["requests"])
    second = world.start(truth.corpus, tmp_path / "out", server.url)
    assert second.stderr and "waiting for" in second.stderr.readline()
    world.kill_tree(first)
    server.order()
    assert world.finish(second).code == 0
    assert world.outputs(tmp_path / "out") == truth.outputs


@pytest.mark.faults
def test_half_a_record_at_the_end_of_a_segment(truth: Truth, tmp_path: Path, server: FaultyServer) -> None:
    """A segment cut at any byte, as a power cut leaves it, costs the pages behind the cut and no other."""
    whole = tmp_path / "whole"
    assert world.convert(truth.corpus, whole, server.url).code == 0
    (segment,) = whole.glob("store/segments/*")
    data, chance = segment.read_bytes(), random.Random(3)
    for _ in range(5):
        cut = chance.randrange(len(data))
        segment.write_bytes(data[:cut])
        for other in set(whole.glob("store/segments/*")) - {segment}:
            other.unlink()
        before = server.told()["requests"]
        assert world.convert(truth.corpus, whole, server.url).code == 0
        assert server.told()["requests"] - before == data[cut:].count(b"\n")
        assert world.outputs(whole) == truth.outputs
