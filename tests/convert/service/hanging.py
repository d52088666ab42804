"""A model server that never answers a page, and knows which connections still wait for it."""

import socketserver
import threading
from types import TracebackType
from typing import Self

MODELS = b'{"data": [{"id": "hanging"}]}'


class HangingServer:
    """A context manager. `asked`: pages that were asked for; `left`: connections that were ended by the client."""

    def __init__(self) -> None:
        self.asked = self.left = 0
        self.changed = threading.Condition()
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b""
                while not head.endswith(b"\r\n\r\n") and (line := self.rfile.readline()):
                    head += line
                if not head.startswith(b"POST"):
                    self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(MODELS) + MODELS)
                    return
                server.count(asked=1)
                while self.connection.recv(1 << 16):  # the body, and then silence until the client hangs up
                    continue
                server.count(left=1)

        self.tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.tcp.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.tcp.server_address[1]}"

    def count(self, asked: int = 0, left: int = 0) -> None:
        """Count."""
        with self.changed:
            self.asked, self.left = self.asked + asked, self.left + left
            self.changed.notify_all()

    def wait(self, asked: int = 0, left: int = 0) -> bool:
        """Wait until so many were asked for, or left; False if that does not come about."""
        with self.changed:
            return self.changed.wait_for(lambda: self.asked >= asked and self.left >= left, timeout=60)

    def __enter__(self) -> Self:
        threading.Thread(target=self.tcp.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tcp.shutdown()
        self.tcp.server_close()
