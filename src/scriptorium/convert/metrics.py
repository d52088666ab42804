"""A conversion's numbers at the address /metrics, in Prometheus' text form."""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from scriptorium.convert.progress import Progress, Snapshot
from scriptorium.errors import ConfigError

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[dict[str, str], float]


@contextlib.contextmanager
def serving_metrics(progress: Progress, host: str, port: int) -> Iterator[int]:
    """Serve the numbers while the block runs; its port. Raises ConfigError where that cannot be had."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # whoever connects and says nothing holds a thread no longer

        def do_GET(self) -> None:
            found = self.path.partition("?")[0] == "/metrics"
            data = text(progress.snapshot()).encode() if found else b"see /metrics\n"
            self.send_response(200 if found else 404)
            self.send_header("content-type", CONTENT_TYPE)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing of each look."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    try:
        server = Server((host, port), Handler)
    except OSError as error:
        raise ConfigError(f"--metrics-port {host}:{port}: {error.strerror}; name another port") from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def text(now: Snapshot) -> str:
    """The numbers of a run."""
    servers = [({"server": server.url}, server) for server in now.servers]
    statuses = [({"status": status}, float(count)) for status, count in now.statuses.items()]
    tokens = [({"kind": "prompt"}, float(now.prompt_tokens)), ({"kind": "generated"}, float(now.tokens))]
    families = [
        metric("pages", "gauge", "Pages to convert, those of earlier runs included.", [({}, now.total)]),
        metric("pages_before", "gauge", "Pages that earlier runs have read.", [({}, now.before)]),
        metric("pages_done_total", "counter", "Pages of this run by status.", statuses),
        metric("tokens_total", "counter", "Tokens of this run.", tokens),
        metric("seconds", "gauge", "Seconds that this run has taken.", [({}, now.seconds)]),
        metric("pages_per_second", "gauge", "Pages a second of late.", [({}, now.recent_pages_per_second)]),
        metric(
            "requests_in_flight",
            "gauge",
            "Requests in flight at a server.",
            [(labels, float(server.in_flight)) for labels, server in servers],
        ),
        metric(
            "requests_limit",
            "gauge",
            "Requests that may be in flight at a server.",
            [(labels, float(server.limit)) for labels, server in servers],
        ),
        metric(
            "server_resting",
            "gauge",
            "1 while a server is left alone after faults.",
            [(labels, float(server.resting)) for labels, server in servers],
        ),
    ]
    if now.eta_seconds is not None:
        families.append(metric("seconds_left", "gauge", "Seconds until the end.", [({}, now.eta_seconds)]))
    if now.cost is not None:
        families.append(metric("cost", "gauge", "Cost of this run's tokens.", [({}, now.cost)]))
    return "".join(families)


def metric(name: str, kind: str, about: str, samples: Iterable[Sample]) -> str:
    """One metric and its values: `name` without our prefix; labels and value of each."""
    full = f"scriptorium_{name}"
    lines = [f"# HELP {full} {about}", f"# TYPE {full} {kind}"]
    for labels, value in samples:
        inside = ",".join(f'{key}="{escaped(label)}"' for key, label in labels.items())
        lines.append(f"{full}{f'{{{inside}}}' if inside else ''} {value:.15g}")
    return "\n".join(lines) + "\n"


def escaped(label: str) -> str:
    """A label's value as it stands between quotation marks."""
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
