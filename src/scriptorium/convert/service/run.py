"""Running the service on this host until it is told to end."""

import signal
import sys
from types import FrameType

import uvicorn

from scriptorium.api import Converter
from scriptorium.convert.host import allow_connections, give_back_images
from scriptorium.convert.service.app import Service
from scriptorium.convert.service.guard import Rules
from scriptorium.convert.service.limits import Limits
from scriptorium.errors import HostError

SPARE_CONNECTIONS = 64
"""Besides those of documents: for pages, health and metrics, and for saying 429."""


class Server(uvicorn.Server):
    """uvicorn's server; told to end it lets nobody in any more, and what is being read comes to its end."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self.service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What a signal to end does; a second one does not wait."""
        if self.should_exit:
            self.force_exit = True
        super().handle_exit(sig, frame)
        self.service.turns.drain()


def serve(converter: Converter, limits: Limits, rules: Rules, host: str, port: int, proxies: str) -> None:
    """Serve until SIGTERM or Ctrl-C. Port 0: one that is free. Raises HostError, or ServerError, ConfigError.

    `proxies`: addresses of proxies that tell whom they ask for, with commas between.
    """
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises it again at its end
    try:
        with converter.open():
            _serve(Service(converter, limits), rules, host, port, proxies)
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


def _serve(service: Service, rules: Rules, host: str, port: int, proxies: str) -> None:
    limits = service.limits
    allow_connections(service.engine.client.cap)
    give_back_images()
    config = uvicorn.Config(
        service.app(rules),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        limit_concurrency=limits.at_once + limits.waiting + SPARE_CONNECTIONS,
        timeout_graceful_shutdown=max(1, int(limits.drain_seconds)),
    )
    server = Server(config, service)
    try:
        socket = config.bind_socket()
    except SystemExit as error:
        raise HostError(f"{host}:{port} cannot be listened to; choose another --port or --host") from error
    socket.listen(config.backlog)  # who reads the address may come at once
    shown = f"[{host}]" if ":" in host else host
    print(f"Documents are read at\n  http://{shown}:{socket.getsockname()[1]}/", flush=True)
    server.run(sockets=[socket])
