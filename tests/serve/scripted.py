"""A real HTTP server that answers as a script tells it: for faults that no healthy server shows."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from scriptorium.serve.endpoint import Endpoint

Reply = tuple[int, dict[str, str], str]


def answer(text: str, finish_reason: str = "stop") -> Reply:
    """A chat completion with `text`."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    body = {"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}
    return 200, {}, json.dumps(body)


class ScriptedServer:
    """Answers POST requests with `reply(request body)`; keeps the bodies and headers. A context manager."""

    def __init__(self, reply: Callable[[dict[str, Any]], Reply]):
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                script.requests.append(body)
                script.headers.append({key.lower(): value for key, value in self.headers.items()})
                self.send(*reply(body))

            def do_GET(self) -> None:
                self.send(200, {}, '{"data": [{"id": "listed"}]}')

            def send(self, status: int, headers: dict[str, str], text: str) -> None:
                data = text.encode()
                self.send_response(status)
                for key, value in (headers | {"content-length": str(len(data))}).items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.endpoint = Endpoint(base_url=f"{self.url}/v1", model="m", in_flight=4)

    def __enter__(self) -> "ScriptedServer":
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def in_turn(*replies: Reply) -> Callable[[dict[str, Any]], Reply]:
    """A script of replies, one after the other; the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]
