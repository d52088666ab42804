"""A real `transformers serve` with a fresh model: it comes up, answers alike twice, and goes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from scriptorium.errors import ConfigError, ServerError
from scriptorium.pages.image import encode_png
from scriptorium.serve import process as process_module
from scriptorium.serve.adapter import load
from scriptorium.serve.client import ChatClient
from scriptorium.serve.external import external
from scriptorium.serve.process import alive
from scriptorium.serve.server import serving

from .scripted import ScriptedServer, answer, in_turn

TINY = load("tiny")


def png() -> bytes:
    image = np.full((224, 168, 3), 255, np.uint8)
    image[20:60, 20:150:3] = 0
    return encode_png(image)


def eventually(true: Callable[[], bool]) -> bool:
    """Whether `true` becomes true while one waits (a generous while: this is no test of speed)."""
    for _ in range(600):
        if true():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
def test_life_of_a_server(model_folder: Path, tmp_path: Path) -> None:
    others = set(psutil.Process().children(recursive=True))
    with serving(str(model_folder), TINY, 1, tmp_path / "logs" / "serve.log") as endpoint:
        family = set(psutil.Process().children(recursive=True)) - others
        assert httpx.get(f"{endpoint.base_url}/models").status_code == 200
        with ChatClient(endpoint) as client:
            greedy = [client.complete(png(), TINY.prompt, 30, 0.0, seed) for seed in (None, 0, 1)]
            sampled = [client.complete(png(), TINY.prompt, 30, 0.9, seed) for seed in (1, 2, 1)]
    texts = [given.text for given in greedy]
    assert texts[0] and texts[0] == texts[1] == texts[2]
    assert TINY.prompt not in texts[0] and "<|" not in texts[0]
    assert greedy[0].prompt_tokens > 48  # 6 x 8 image tokens and the prompt
    assert sampled[0].text == sampled[2].text
    assert len({texts[0], sampled[0].text, sampled[1].text}) == 3
    assert family and not any(alive(member) for member in family)


@pytest.mark.slow
def test_server_dies_with_a_killed_parent(model_folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from scriptorium.serve.adapter import load\n"
        "from scriptorium.serve.server import serving\n"
        "with serving(sys.argv[1], load('tiny'), 1, Path(sys.argv[2])) as end:\n"
        "    print(end.base_url, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(model_folder), str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout and parent.stdout.readline().startswith("http://127.0.0.1:")
    family = psutil.Process(parent.pid).children(recursive=True)
    assert len(family) == 2  # the guard and the server
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert eventually(lambda: not any(alive(member) for member in family))


@pytest.mark.slow
def test_a_server_that_dies_shows_its_log(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "no-such-model"}))
    with (
        pytest.raises(ServerError, match="ended with code 1") as caught,
        serving(str(tmp_path), TINY, 1, tmp_path / "serve.log"),
    ):
        pass
    assert str(tmp_path / "serve.log") in str(caught.value)
    assert "Unrecognized" in str(caught.value)


def test_a_taken_port_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first command finds its port taken, as uvicorn says it; the second is a real HTTP server."""
    (tmp_path / "config.json").write_text("{}")
    serve = (
        "import http.server, sys\n"
        "class H(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self): self.send_response(200); self.end_headers()\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()"
    )
    fail = "import sys; sys.exit('error: [Errno 98] address already in use')"
    codes = [fail, serve]
    monkeypatch.setattr(
        process_module, "command", lambda order, port: [sys.executable, "-c", codes.pop(0), str(port)]
    )
    with serving(str(tmp_path), TINY, 1, tmp_path / "serve.log") as endpoint:
        endpoint.check()
    assert codes == []


def test_someone_elses_server_on_the_port_is_not_taken_for_ours(tmp_path: Path) -> None:
    with ScriptedServer(in_turn(answer("hello"))) as other:
        assert process_module.answers(other.url)
        silent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        try:
            assert not process_module.listens(silent.pid, other.server.server_port)
            assert process_module.listens(os.getpid(), other.server.server_port)
        finally:
            silent.kill()
            silent.wait()


def test_not_a_model_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.json"), serving(str(tmp_path), TINY, 1, tmp_path / "log"):
        pass


def test_external_servers_are_found_and_not_started(tmp_path: Path) -> None:
    with ScriptedServer(in_turn(answer("hello"))) as script:
        assert external(script.url).model == "listed"
        with serving(f"{script.url}/v1#mine", TINY, 1, tmp_path / "log") as endpoint:
            assert (endpoint.base_url, endpoint.model) == (f"{script.url}/v1", "mine")
            with ChatClient(endpoint) as client:
                assert client.complete(png(), "Read.", 5, 0.0).text == "hello"
    assert not (tmp_path / "log").exists()
    with pytest.raises(ServerError, match="start the server"):
        external(script.url)
    for wrong in ("http://127.0.0.1:8000*x", "http://127.0.0.1:8000*x#mine"):
        with pytest.raises(ConfigError, match=r"Invalid port.*write http://HOST:PORT"):
            external(wrong)
