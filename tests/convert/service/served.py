"""The service as a process of its own, on loopback."""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.faults import world

WAIT_SECONDS = 60.0


@dataclass
class Served:
    """A running service."""

    url: str
    process: subprocess.Popen[str]

    def post(self, content: object, **query: object) -> httpx.Response:
        """Send a document, and wait for the whole answer."""
        return httpx.post(f"{self.url}/v1/convert", content=content, params=query, timeout=WAIT_SECONDS)  # type: ignore[arg-type]

    def get(self, path: str) -> httpx.Response:
        """GET a path."""
        return httpx.get(f"{self.url}{path}", timeout=WAIT_SECONDS)


@contextmanager
def serving(model_url: str, *options: str, **environment: str) -> Iterator[Served]:
    """The command `scriptorium serve-api` while the block runs. At the end it must go in peace."""
    words = ["serve-api", "--server", model_url, "--adapter", "tiny", "--port", "0", *options]
    process = subprocess.Popen(
        [*world.COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
    )
    try:
        assert process.stdout
        for line in process.stdout:
            if found := re.search(r"http://\S+[0-9]", line):
                yield Served(found[0], process)
                break
        else:
            raise AssertionError(f"the service ended: {process.communicate()[1]}")
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=WAIT_SECONDS)
            assert process.returncode == 0, err
            assert "Traceback" not in err, err
    finally:
        process.kill()
        process.communicate()


def events(text: str) -> list[dict[str, Any]]:
    """The events of a stream."""
    return [json.loads(line) for line in text.splitlines() if line]


def pages(text: str) -> list[dict[str, Any]]:
    """The pages in a stream, which must be whole."""
    found = events(text)
    assert found[0]["type"] == "document"
    assert found[-1]["type"] == "end", found[-1]
    return [event for event in found if event["type"] == "page"]


def until(service: Served, **wanted: int) -> None:
    """Wait until /health says so."""
    for _ in range(600):
        told = service.get("/health").json()
        if all(told[key] == value for key, value in wanted.items()):
            return
        threading.Event().wait(0.05)
    raise AssertionError(f"{told} is never {wanted}")


class Body:
    """A body without end, that counts what was taken of it."""

    def __init__(self) -> None:
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(1 << 12):
            self.taken += 1 << 20
            yield bytes(1 << 20)
