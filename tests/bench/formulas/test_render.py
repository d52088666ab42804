"""Rendering: what comes out, what is kept, and what no formula, file or process may break."""

import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scriptorium.bench.formulas import engine
from scriptorium.bench.formulas import render as rendering
from scriptorium.bench.formulas.cache import Cache
from scriptorium.bench.formulas.engine import ENGINE, MAX_DEFINING, MAX_LENGTH, Engine
from scriptorium.bench.formulas.render import render
from scriptorium.errors import HostError


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing in memory, and an empty cache: the path of its file."""
    monkeypatch.setenv("SCRIPTORIUM_CACHE", str(tmp_path / "cache"))
    rendering._STORE.memory.clear()
    return tmp_path / "cache" / "formulas.sqlite"


def rows(path: Path) -> int:
    """How many formulas a cache holds."""
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT count(*) FROM formulas").fetchone()[0]


def forget() -> None:
    """Empty the memory and end the engine, so that only the cache can know anything."""
    rendering._STORE.memory.clear()
    ENGINE.close()


def test_a_formula_has_mathml_and_boxes(fresh: Path) -> None:
    rendered = render([r"\frac{x}{2}"])[0]
    assert rendered.error is None
    assert "<mfrac><mi>x</mi><mn>2</mn></mfrac>" in rendered.mathml
    boxes = {text: (x, y) for text, x, y, _, _ in rendered.symbols}
    assert boxes["x"][1] < boxes["2"][1]
    assert abs(boxes["x"][0] - boxes["2"][0]) < 5


def test_scripts_stand_up_and_down_and_smaller(fresh: Path) -> None:
    sizes = {text: (y + height, height) for text, _, y, _, height in render(["x_1^2"])[0].symbols}
    assert sizes["2"][0] < sizes["x"][0]
    assert sizes["1"][0] > sizes["2"][0]
    assert sizes["1"][1] == pytest.approx(0.7 * sizes["x"][1], abs=1.0)  # whole px


def test_order_is_kept_and_equal_ones_are_rendered_once(fresh: Path) -> None:
    first, second, third = render(["a", "b", "a"])
    assert first is third
    assert (first.symbols[0][0], second.symbols[0][0]) == ("a", "b")
    assert rows(fresh) == 2


@pytest.mark.parametrize(
    "formula", [r"\nosuch{x}", "{", "x}", r"\frac{1", "\ud800", "\x00", "\u2028", "#", "$"]
)
def test_what_katex_refuses_has_its_message(fresh: Path, formula: str) -> None:
    rendered, good = render([formula, "x"])
    assert (rendered.error is None) == bool(rendered.mathml)
    assert good.error is None


def test_errors_are_kept_too(fresh: Path) -> None:
    before = render([r"\nosuch{x}", "x"])
    forget()
    assert render([r"\nosuch{x}", "x"]) == before
    assert ENGINE.process is None


FORMULAS = [r"\frac{x}{2}", r"\nosuch{x}", r"a\tag{1}", "𝛼", r"\text{\v{é}}", r"\sqrt{" * 1000 + "}" * 1000]


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_mathml_is_the_same_with_and_without_layout(fresh: Path, formula: str) -> None:
    read = render([formula], layout=False)[0]
    forget()
    laid_out = render([formula])[0]
    assert laid_out.mathml == read.mathml
    assert (read.error is None) == bool(read.mathml)
    assert (laid_out.error is None) == (laid_out.symbols is not None)


def test_without_layout_nothing_is_written_and_a_layout_is_made_when_asked_for(fresh: Path) -> None:
    assert render(["x"], layout=False)[0].symbols is None
    assert not fresh.exists()
    laid_out = render(["x"])[0]
    assert laid_out.symbols is not None
    assert render(["x"], layout=False)[0] is laid_out


def test_another_layout_makes_other_keys(fresh: Path) -> None:
    cache, other = Cache(fresh, "1"), Cache(fresh, "2")
    cache.put({"x": b"one"})
    assert (cache.get(["x"]), other.get(["x"])) == ({"x": b"one"}, {})


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 2000])
def test_a_corrupt_cache_is_replaced(fresh: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    fresh.parent.mkdir()
    fresh.write_bytes(content)
    assert render(["x"])[0].error is None
    assert "is replaced" in caplog.text
    assert rows(fresh) == 1


def test_a_cache_of_another_make_is_replaced(fresh: Path, caplog: pytest.LogCaptureFixture) -> None:
    fresh.parent.mkdir()
    with sqlite3.connect(fresh) as connection:
        connection.execute("CREATE TABLE formulas (old TEXT)")
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    render(["x"])
    assert "make 99" in caplog.text
    assert rows(fresh) == 1


def test_without_a_place_to_write_the_memory_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SCRIPTORIUM_CACHE", str(tmp_path / "file"))
    rendering._STORE.memory.clear()
    assert render(["x"])[0] is render(["x"])[0]
    assert "in memory only" in caplog.text


def test_processes_share_the_cache(fresh: Path) -> None:
    program = (
        "from scriptorium.bench.formulas.render import render\n"
        "import sys\n"
        "for at in range(40): render([f'x_{{{at}}}', f'{sys.argv[1]}_{{{at}}}'])\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, letter], stderr=subprocess.PIPE) for letter in "ab"
    ]
    assert [process.communicate()[1] for process in running] == [b"", b""]
    assert rows(fresh) == 120


def _boxes(formula: str) -> tuple[int | None, int]:
    """In a worker: the engine's process, and how many symbols a formula has."""
    count = len(render([formula])[0].symbols)
    return ENGINE.process.pid if ENGINE.process else None, count


def test_forked_processes_have_engines_of_their_own(fresh: Path) -> None:
    render(["x"])
    assert ENGINE.process is not None
    mine = ENGINE.process.pid
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map(_boxes, [f"x + {at}" for at in range(10, 20)], chunksize=5)
    assert {count for _, count in found} == {3}
    assert mine not in {process for process, _ in found}
    assert ENGINE.process.poll() is None
    assert render(["after the fork"])[0].error is None
    assert ENGINE.process.pid == mine


def test_an_engine_that_was_killed_is_started_again(fresh: Path) -> None:
    render(["x"])
    assert ENGINE.process is not None
    os.kill(ENGINE.process.pid, signal.SIGKILL)
    assert render(["y"])[0].error is None


HANGING = """
import json, sys, time
print("ready", flush=True)
for line in sys.stdin:
    formulas, _ = json.loads(line)
    if any("hang" in formula for formula in formulas):
        time.sleep(600)
    if any("die" in formula for formula in formulas):
        sys.exit(1)
    for formula in formulas:
        print(json.dumps({"m": "<mi>x</mi>", "s": []}), flush=True)
"""
"""An engine that some formulas stop, as KaTeX would be stopped by one that takes it too long."""


@pytest.fixture
def hanging(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The process is HANGING, with short deadlines; the path of the cache."""
    child = tmp_path / "child.py"
    child.write_text(HANGING)
    ENGINE.close()
    monkeypatch.setattr(engine, "CHILD", child)
    monkeypatch.setattr(engine, "DEADLINE", 1.0)
    yield fresh
    forget()


def test_a_formula_that_takes_too_long_is_given_up(hanging: Path) -> None:
    slow, quick, deadly = render(["hang", "x", "die"])
    assert (slow.error, slow.limited, quick.error) == ("timeout", True, None)
    assert (deadly.error, deadly.limited) == ("crash", True)
    assert rows(hanging) == 1  # another time the host may be less busy


def test_after_many_timeouts_the_rest_is_given_up(hanging: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_TIMEOUTS", 2)
    found = render(["hang 1", "hang 2", "x"])
    assert [one.error for one in found] == ["timeout", "given_up", "given_up"]
    assert render(["x"])[0].error is None


def test_formulas_beyond_measure_are_not_rendered(fresh: Path) -> None:
    macros = r"\def\a{" + "x" * MAX_DEFINING + r"}\a"
    long, defining, short = render(["x" * (MAX_LENGTH + 1), macros, r"\def\a{x}\a"])
    assert (long.error, defining.error, short.error) == ("too_long", "too_long", None)


@pytest.mark.parametrize(
    "formula",
    [
        r"\frac{1}{" * 500 + "x" + "}" * 500,
        "{" * 5000,
        "x^{" * 3000 + "}" * 3000,
        r"\def\a{\a}\a",
        r"\left(" * 900,
        "x+" * 5000,
    ],
)
def test_deep_and_long_formulas_come_back(fresh: Path, formula: str) -> None:
    assert not render([formula])[0].limited


def test_an_engine_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text("raise SystemExit(3)")
    monkeypatch.setattr(engine, "CHILD", child)
    with pytest.raises(HostError, match="did not start"):
        Engine().render(["x"])


def test_answers_stay_compact(fresh: Path) -> None:
    render([rf"\frac{{a_{{{at}}}}}{{b}} + \sum_{{i=1}}^n x_i^2" for at in range(200)])
    rendering._STORE.disk().close()
    rendering._STORE.cache = None
    assert fresh.stat().st_size < 200 * 600


def test_lines_are_json() -> None:
    line = json.loads(Engine().render(["x"])[0])
    assert set(line) == {"m", "s"}
