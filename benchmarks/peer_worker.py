"""Runs inside the peer's Python: judges (test, text) pairs, JSON lines in and out. Started by peer.py.

build/peer/bin/python benchmarks/peer_worker.py < pairs.jsonl
"""

import functools
import json
import os
import sys
from typing import Any


def judged(request: dict[str, Any]) -> dict[str, Any]:
    """The verdict of the peer's own test class, or the stage and error that kept it from one."""
    from olmocr.bench import tests  # type: ignore[import-not-found]

    try:
        test = tests.load_single_test(dict(request["test"]))
    except Exception as error:  # whatever it is, it is the peer's answer
        return {"passed": None, "why": f"load: {type(error).__name__}: {error}"}
    try:
        passed, why = test.run(request["text"])
    except Exception as error:
        return {"passed": None, "why": f"run: {type(error).__name__}: {error}"}
    return {"passed": bool(passed), "why": why}


def main() -> None:
    """Answer every line of standard input; what the peer prints itself goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    from olmocr.bench import tests

    # Its own cache forgets errors; remembering them changes no verdict.
    tests.render_equation = functools.lru_cache(maxsize=None)(tests.render_equation)

    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"types": [each.value for each in tests.TestType]} if "ask" in request else judged(request)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
