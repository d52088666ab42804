"""Commands that read a page: real scripts, among them ones that hang, fork, fail and write nonsense."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from scriptorium.bench.candidates import tool
from scriptorium.bench.candidates.tool import Handed, ToolError, check_program, run_tool
from scriptorium.errors import ConfigError, ServerError

FOREVER = 3600.0


def run(
    code: str, tmp_path: Path, words: str = "{pdf} {page} {out}", output: str = "", timeout: float = FOREVER
) -> str:
    """Run a Python script as the tool of a page."""
    script = tmp_path / "a tool.py"
    script.write_text(code)
    handed = Handed({"pdf": b"%PDF", "image": b"\x89PNG"}, 7)
    return run_tool(f"'{sys.executable}' '{script}' {words}", output, handed, timeout, threading.Event())


def gone(pid: int) -> bool:
    """Whether a process ends; a zombie has ended."""
    for _ in range(1000):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_what_a_tool_is_handed(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nprint(*sys.argv[2:], pathlib.Path(sys.argv[1]).read_bytes().decode(), sep='|')"
    )
    text = run(code, tmp_path, "{pdf} {page} 'a b' $HOME ; '{\"x\": 1}'")
    assert text == '7|a b|$HOME|;|{"x": 1}|%PDF\n'  # no shell
    assert (
        run("import sys\nsys.stdout.buffer.write(open(sys.argv[1], 'rb').read()[1:])", tmp_path, "{image}")
        == "PNG"
    )


def test_the_text_may_come_in_a_file(tmp_path: Path) -> None:
    code = "import sys, pathlib\n"
    code += "d = pathlib.Path(sys.argv[3], 'sub')\nd.mkdir()\n(d / 'x.md').write_text('ü')\nprint(1)"
    assert run(code, tmp_path, output="**/*.md") == "ü"
    with pytest.raises(ToolError, match=r"0 files match output '\*.html'.*sub/x.md"):
        run(code, tmp_path, output="*.html")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import sys; sys.exit('no GPU here')", "exit code 1: no GPU here"),
        ("import sys; sys.exit(127)", "exit code 127: it said nothing"),
        ("import os; os.kill(os.getpid(), 9)", "ended by SIGKILL"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "not UTF-8"),
        ("while True: print('x' * 10**6)", "MiB of output"),
    ],
)
def test_a_tool_that_fails(tmp_path: Path, code: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "LARGEST_OUTPUT", 4 << 20)
    with pytest.raises(ToolError, match=says):
        run(code, tmp_path)


FORKS = """
import pathlib, subprocess, sys
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
child = subprocess.Popen([sys.executable, "-c", code])
own = subprocess.Popen([sys.executable, "-c", code], start_new_session=True) if {wait} else child
pathlib.Path({pids!r}).write_text(f"{{child.pid}} {{own.pid}}")
print("text", flush=True)
if {wait}:
    child.wait()
"""


def test_a_hanging_tool_is_killed_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with pytest.raises(ToolError, match="no end within"):
        run(FORKS.format(pids=str(pids), wait=True), tmp_path, timeout=2.0)
    assert all(gone(int(pid)) for pid in pids.read_text().split())


def test_a_tool_that_leaves_a_child_behind_gives_its_text(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    assert run(FORKS.format(pids=str(pids), wait=False), tmp_path) == "text\n"
    assert all(gone(int(pid)) for pid in pids.read_text().split())


def test_stopping_ends_a_running_tool(tmp_path: Path) -> None:
    started, stopped = tmp_path / "started", threading.Event()
    (tmp_path / "t.py").write_text(
        f"import pathlib, time\npathlib.Path({str(started)!r}).touch()\ntime.sleep(3600)"
    )

    def when(true: Callable[[], bool]) -> None:
        while not true():
            time.sleep(0.01)
        stopped.set()

    threading.Thread(target=when, args=(started.exists,), daemon=True).start()
    with pytest.raises(ServerError, match="stopped"):
        run_tool(
            f"{sys.executable} {tmp_path / 't.py'} {{pdf}}", "", Handed({"pdf": b""}, 1), FOREVER, stopped
        )


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="no program no-such-tool"):
        check_program("no-such-tool {pdf}")
    check_program("cat {pdf}")
