"""Running the review app on this host."""

import webbrowser
from pathlib import Path
from threading import Timer

import uvicorn

from scriptorium.bench.review.app import make_app
from scriptorium.bench.review.guard import LOOPBACK, new_token
from scriptorium.errors import HostError

GRACE = 2
"""Seconds that requests under way are given at the end; browsers may keep connections open for ever."""


def serve(folder: Path, host: str, port: int, name: str, browser: bool) -> None:
    """Serve the app until it is stopped (Ctrl-C). Port 0: one that is free. Raises HostError, InputError."""
    token = new_token()
    app = make_app(folder, token, host, name)
    config = uvicorn.Config(
        app, host=host, port=port, log_level="error", access_log=False, timeout_graceful_shutdown=GRACE
    )
    server = uvicorn.Server(config)
    try:
        socket = server.config.bind_socket()
    except SystemExit as error:
        raise HostError(f"{host}:{port} cannot be listened to; choose another --port or --host") from error
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{socket.getsockname()[1]}/?token={token}"
    print(f"Review {folder} at\n  {address}\nStop with Ctrl-C.", flush=True)
    if host not in LOOPBACK:
        print("Everybody on the network who knows this address can change the tests.", flush=True)
    if browser:
        Timer(0.5, webbrowser.open, (address,)).start()
    server.run(sockets=[socket])
