"""The process that renders formulas: KaTeX in an embedded V8, a line of JSON in, lines of JSON out.

Run by `engine`, which ends it where a formula takes too long. A line in is a list of formulas, and whether they
are to be laid out; for each of them a line comes out (see layout.js), in the same order.
"""

import signal
import sys
from pathlib import Path

from py_mini_racer import MiniRacer

MEMORY = 1_000_000_000
"""Bytes that V8 may take; a formula that wants more ends the process."""

LONGEST = 300
"""Seconds for one line, after which the process ends itself: whoever asked has long stopped listening."""


def main() -> None:
    """Answer lines until the input ends."""
    engine = MiniRacer()
    engine.set_hard_memory_limit(MEMORY)
    engine.eval("console = {log() {}, warn() {}, error() {}};")
    here = Path(__file__)  # nothing of scriptorium is imported here: the process is to be up at once
    for script in (here.parents[2] / "pages" / "view" / "katex.min.js", here.with_name("layout.js")):
        engine.eval(script.read_text(encoding="utf-8"))
    alarm = getattr(signal, "alarm", lambda _: None)  # Windows has none
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        alarm(LONGEST)  # its default action needs no turn of Python's, which waits for V8
        sys.stdout.write(f"{engine.eval(f'renderAll(...{line})')}\n")
        sys.stdout.flush()
        alarm(0)


if __name__ == "__main__":
    main()
