"""How a conversion is shown: counts, rates, lines, JSON, Prometheus, and when too many pages fail."""

import io
import json
import re
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from scriptorium.convert.display import Display, JsonLines, drawn, duration, line, showing
from scriptorium.convert.metrics import escaped, metric, serving_metrics, text
from scriptorium.convert.progress import FIRST_PAGES, WARN_PAGES, Progress
from scriptorium.errors import ConfigError, ThresholdError
from scriptorium.serve.balance import Balancer
from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.faults import Fault
from scriptorium.serve.reader import Reading


def reading(status: str = "ok", reason: str = "") -> Reading:
    return Reading(status, "", None, "", "stop", 20, 1.0, 1, prompt_tokens=100, reason=reason)


def some(price: float = 0.0) -> Progress:
    """Six of ten pages are done, three of them before; two servers, of which one rests."""
    progress = Progress(price)
    balancer = Balancer([Endpoint("http://u:secret@one/v1", "m"), Endpoint("http://two/v1", "m")], 9.0)
    for _ in range(5):
        line, number = balancer.take(0.0, {1: float("inf")}, "")
        balancer.failed(line, number, Fault("away"))
    balancer.take(0.0, {0: float("inf")}, "")
    progress.watch(balancer.lines)
    progress.add(7, before=3)
    for each in (reading(), reading("blank"), None):
        progress.page(each)
    return progress


def test_a_snapshot_counts_pages_tokens_and_requests() -> None:
    now = some(price=2.0).snapshot()
    assert (now.done, now.total, now.before) == (6, 10, 3)
    assert now.statuses == {"blank": 1, "ok": 1, "pending": 1}
    assert (now.prompt_tokens, now.tokens, now.cost) == (200, 40, round(240 * 2e-6, 4))
    assert (now.in_flight, now.limit) == (1, 32)
    assert [(server.url, server.resting) for server in now.servers] == [
        ("http://one/v1", True),
        ("http://two/v1", False),
    ]


def test_nothing_is_foretold_before_the_first_page() -> None:
    progress = Progress()
    progress.add(5)
    assert progress.snapshot().eta_seconds is None
    assert not progress.first.is_set()
    progress.page(reading())
    assert progress.snapshot().eta_seconds is not None
    assert progress.first.is_set()


def test_a_run_without_pages_waits_for_none() -> None:
    progress = Progress()
    progress.add(0, before=4)
    assert progress.first.is_set()
    assert (progress.snapshot().done, progress.snapshot().total) == (4, 4)


def test_a_line_tells_what_a_log_should_hold() -> None:
    told = line(some(price=2.0).snapshot())
    assert told.startswith("pages: 6/10, ")
    for part in ("1 ok", "1 blank", "1 of 32 requests in flight", "left", "http://one/v1 rests after faults"):
        assert part in told
    assert "secret" not in told


def test_the_table_has_a_row_for_each_server() -> None:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=100).print(drawn(some().snapshot()))
    assert "6 of 10 (60.0%), 3 of them before" in out.getvalue()
    assert out.getvalue().count("in flight") == 2
    assert "cost" not in out.getvalue()


@pytest.mark.parametrize(("seconds", "said"), [(None, "?"), (59.6, "0:01:00"), (3725, "1:02:05")])
def test_durations(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


def test_json_lines_are_snapshots() -> None:
    out = io.StringIO()
    JsonLines(out).show(some().snapshot(), True)
    found = json.loads(out.getvalue())
    assert (found["done"], found["finished"], found["servers"][1]["in_flight"]) == (6, True, 1)


def test_a_progress_file_grows_and_ends_with_the_end(tmp_path: Path) -> None:
    file = tmp_path / "new" / "progress.jsonl"
    for _ in range(2):
        with showing(some(), Display("none", file)):
            pass
    ends = [json.loads(line) for line in file.read_text().splitlines()]
    assert [end["finished"] for end in ends] == [True, True]


def test_a_progress_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigError, match="progress-file"),
        showing(some(), Display(file=tmp_path / "file/x")),
    ):
        pass


def test_metrics_are_prometheus_text() -> None:
    told = text(some(price=2.0).snapshot())
    sample = re.compile(r'scriptorium_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+0-9.e]+')
    for each in told.splitlines():
        assert each.startswith(("# HELP scriptorium_", "# TYPE scriptorium_")) or sample.fullmatch(each)
    assert 'scriptorium_pages_done_total{status="blank"} 1\n' in told
    assert 'scriptorium_server_resting{server="http://one/v1"} 1\n' in told
    assert "scriptorium_pages 10\n" in told


def test_labels_are_escaped() -> None:
    assert escaped('a"b\\c\nd') == 'a\\"b\\\\c\\nd'
    assert metric("x", "gauge", "X.", [({"l": '"'}, 1.5)]).endswith('scriptorium_x{l="\\""} 1.5\n')


def test_metrics_are_served_while_the_run_lasts() -> None:
    with serving_metrics(some(), "127.0.0.1", 0) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
            assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
            assert b"scriptorium_pages 10" in reply.read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics")


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=str(port)), showing(some(), Display("none", port=port)):
            pass


def test_a_run_ends_when_more_of_the_first_pages_fail_than_it_may() -> None:
    progress = Progress(stop_share=0.2)
    progress.add(10_000)
    for _ in range(100):
        progress.page(reading("gave_up"))
    with pytest.raises(ThresholdError, match=r"101 of the first 101 .* 20% of 500; the last: no head"):
        progress.page(reading("gave_up", "no head"))


def test_the_share_of_a_small_run_is_of_all_its_pages() -> None:
    progress = Progress(stop_share=0.5)
    progress.add(4, before=90)
    progress.page(reading("fallback_text"))
    progress.page(reading("gave_up"))
    with pytest.raises(ThresholdError):
        progress.page(reading("gave_up"))


def test_failures_after_the_first_pages_end_nothing() -> None:
    progress = Progress(stop_share=0.1)
    progress.add(10_000)
    for number in range(FIRST_PAGES + 1):
        progress.page(reading("ok" if number % 20 else "gave_up"))
    for _ in range(FIRST_PAGES):
        progress.page(reading("gave_up"))


def test_pages_that_the_model_was_not_asked_for_are_no_failures() -> None:
    progress = Progress(stop_share=0.01)
    progress.add(100)
    for status in ("unreadable", "blank", "filtered"):
        for _ in range(30):
            progress.page(reading(status))
    progress.page(None)


def test_a_person_is_warned_once_when_most_pages_fail() -> None:
    progress = Progress()
    progress.add(1000)
    told = [progress.page(reading("gave_up", "no head")) for _ in range(WARN_PAGES + 20)]
    said = [each for each in told if each]
    assert len(said) == 1
    assert "no head" in said[0]


def test_the_time_after_the_last_page_does_not_count() -> None:
    progress = Progress()
    progress.add(1)
    progress.page(reading())
    first = progress.snapshot()
    assert first.eta_seconds == 0
    time.sleep(0.2)
    assert progress.snapshot() == first
