"""The service as a process of its own, on loopback."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
