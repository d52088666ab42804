"""Faults of the server and the line: no page is lost, none is doubled, outputs are those of a quiet run."""

import json
from pathlib import Path
from typing import Any

import pytest

from . import world
from .conftest import Truth
from .truth import true_texts
from .world import FaultyServer

PASSING: dict[str, dict[str, Any]] = {
    "500": {"fault": "status", "status": 500},
    "502": {"fault": "html", "status": 502},
    "503": {"fault": "status", "status": 503},
    "504": {"fault": "html", "status": 504},
    "429": {"fault": "status", "status": 429, "headers": {"retry-after": "1"}},
    "429-date": {
        "fault": "status",
        "status": 429,
        "headers": {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"},
    },
    "429-nonsense": {"fault": "status", "status": 429, "headers": {"retry-after": "soon"}},
    "408": {"fault": "status", "status": 408},
    "529": {"fault": "status", "status": 529},
    "520": {"fault": "html", "status": 520},
    "close": {"fault": "close"},
    "hang-then-close": {"fault": "hang", "for": 1},
    "reset": {"fault": "reset"},
    "length-too-long": {"fault": "long"},
    "length-too-short": {"fault": "short"},
    "garbage": {"fault": "garbage"},
    "html": {"fault": "html"},
    "error-with-200": {"fault": "nonsense", "value": {"error": {"message": "overloaded"}}},
    "list-with-200": {"fault": "nonsense", "value": []},
    "no-choices": {"fault": "nonsense", "value": {"choices": []}},
    "null-with-200": {"fault": "nonsense", "value": None},
    "drip": {"fault": "drip", "pieces": 10, "every": 0.05},
}
"""Faults that pass, and that no page is to blame for."""


def check(truth: Truth, out: Path, run: world.Run) -> None:
    """Everything is as after an undisturbed run."""
    assert run.code == 0, run.err
    assert world.outputs(out) == truth.outputs
    statuses = world.report(out)["statuses"]
    assert statuses == {"ok": truth.pages}


def test_the_outputs_of_a_quiet_run_are_the_truth(truth: Truth) -> None:
    found = list(world.records(truth.out))
    assert len(found) == len({record["id"] for record in found}) == 12
    for record in found:
        source = Path(record["metadata"]["Source-File"])
        assert world.page_texts(record) == true_texts(source, world.ADAPTER)


@pytest.mark.parametrize(
    ("share", "stream"),
    [
        (3, True),
        pytest.param(3, False, marks=pytest.mark.faults),
        pytest.param(1, True, marks=pytest.mark.faults),
        pytest.param(1, False, marks=pytest.mark.faults),
    ],
)
def test_pages_meet_one_fault_each(
    truth: Truth, tmp_path: Path, server: FaultyServer, share: int, stream: bool
) -> None:
    """Every page, or every third, meets a fault of its own: all of them at once, dealt out by the page's image."""
    faults = list(PASSING.values())
    rules = [
        fault | {"visits": 1, "share": [k * share, len(faults) * share]} for k, fault in enumerate(faults)
    ]
    server.order(stream=stream, rules=rules)
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert len(server.told()["played"]) > (6 if share == 1 else 3)
    check(truth, tmp_path / "out", run)


@pytest.mark.faults
@pytest.mark.parametrize("fault", PASSING)
def test_a_quarter_of_the_pages_meets_the_fault_twice(
    truth: Truth, tmp_path: Path, server: FaultyServer, fault: str
) -> None:
    server.order(rules=[PASSING[fault] | {"visits": 2, "share": [0, 4]}])
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert sum(server.told()["played"].values()) >= 2
    assert run.code == 0, run.err
    assert world.outputs(tmp_path / "out") == truth.outputs


def test_the_server_is_away_for_a_moment(truth: Truth, tmp_path: Path, server: FaultyServer) -> None:
    server.order(rules=[PASSING["503"] | {"seconds": 0.4}])
    check(truth, tmp_path / "out", world.convert(truth.corpus, tmp_path / "out", server.url))


@pytest.mark.faults
@pytest.mark.parametrize("fault", ["503", "500", "reset", "close", "garbage"])
def test_the_server_is_away_for_a_minute(
    truth: Truth, tmp_path: Path, server: FaultyServer, fault: str
) -> None:
    server.order(rules=[PASSING[fault] | {"seconds": 60}])
    check(truth, tmp_path / "out", world.convert(truth.corpus, tmp_path / "out", server.url))


@pytest.mark.parametrize(
    "status", [401, *(pytest.param(other, marks=pytest.mark.faults) for other in (302, 403, 404))]
)
def test_a_wrong_key_or_name_stops_the_run_and_marks_nothing(
    truth: Truth, tmp_path: Path, server: FaultyServer, status: int
) -> None:
    """Half the pages are refused for the key: what was read is kept, the rest stays to be done."""
    server.order(rules=[{"fault": "status", "status": status, "body": "no such model", "share": [0, 2]}])
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert run.code == 2 and str(status) in run.err
    assert server.told()["requests"] <= truth.pages
    assert not (tmp_path / "out" / "report.json").exists()
    server.order()
    check(truth, tmp_path / "out", world.convert(truth.corpus, tmp_path / "out", server.url))
    assert set(server.told()["answered"].values()) == {1}


def test_a_server_that_is_not_there(truth: Truth, tmp_path: Path) -> None:
    with FaultyServer() as server:
        gone = server.url
    run = world.convert(truth.corpus, tmp_path / "out", gone)
    assert run.code == 5 and "error: " in run.err
    assert not (tmp_path / "out" / "markdown").exists()


@pytest.mark.faults
def test_an_answer_cut_off_once_is_asked_for_again(
    truth: Truth, tmp_path: Path, server: FaultyServer
) -> None:
    """The model's fault, not the line's: the second attempt's text counts, with the tokens of both."""
    server.order(
        rules=[{"fault": "truncated", "visits": 1, "share": [0, 2]}, {"fault": "headless", "visits": 1}]
    )
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    found, wanted = world.outputs(tmp_path / "out"), truth.outputs
    assert found.keys() == wanted.keys()
    assert all(found[name] == wanted[name] for name in wanted if name.startswith("markdown"))
    assert all(row["attempts"] == 2 for row in world.report(tmp_path / "out")["rows"])


@pytest.mark.faults
def test_an_answer_cut_off_each_time_is_salvaged_and_said_so(
    truth: Truth, tmp_path: Path, server: FaultyServer
) -> None:
    server.order(rules=[{"fault": "truncated", "share": [0, 3]}])
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    assert run.code == 0, run.err
    salvaged = server.told()["played"]["truncated"] // 2
    assert world.report(tmp_path / "out")["statuses"] == {"ok": truth.pages - salvaged, "salvaged": salvaged}
    for record in world.records(tmp_path / "out"):
        texts = zip(
            world.page_texts(record),
            true_texts(Path(record["metadata"]["Source-File"]), world.ADAPTER),
            record["attributes"]["page_status"],
            strict=True,
        )
        for found, true, status in texts:
            assert found == true if status == "ok" else found and true.startswith(found)


@pytest.mark.faults
def test_a_page_that_the_server_refuses_costs_only_itself(
    truth: Truth, tmp_path: Path, server: FaultyServer
) -> None:
    """The page's text layer stands in for it; nothing is lost and the report says why."""
    server.order(rules=[{"fault": "status", "status": 422, "body": "bad picture", "share": [0, 3]}])
    run = world.convert(truth.corpus, tmp_path / "out", server.url)
    rows = world.report(tmp_path / "out")["rows"]
    refused = [row for row in rows if row["status"] != "ok"]
    assert run.code == 0 and refused
    assert all(row["status"] == "fallback_text" and "bad picture" in row["reason"] for row in refused)


@pytest.mark.faults
def test_the_report_is_json_to_the_end(truth: Truth, tmp_path: Path, server: FaultyServer) -> None:
    """What a server says gets into the report; no byte of it spoils the file."""
    body = "\u0000\ud7ff\u2028 " + json.dumps({"error": "\\ud800"})
    server.order(rules=[{"fault": "status", "status": 400, "body": body}])
    world.convert(truth.corpus, tmp_path / "out", server.url)
    assert len(world.report(tmp_path / "out")["rows"]) == truth.pages
