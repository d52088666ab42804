"""What the service counts, in Prometheus' text form."""

from collections import Counter
from collections.abc import Iterable, Mapping

from scriptorium.convert.results import PageResult

KIND = "text/plain; version=0.0.4; charset=utf-8"
HELP = {
    "requests_total": ("counter", "Requests for a conversion, by the status of the answer."),
    "pages_total": ("counter", "Pages that were done, by status."),
    "tokens_total": ("counter", "Tokens that the model generated."),
    "page_seconds_total": ("counter", "Seconds that the model's answers took, over all pages."),
    "bytes_total": ("counter", "Bytes of documents that were taken in."),
    "gone_total": ("counter", "Clients that went away before their last page."),
    "jobs_running": ("gauge", "Documents that are being read."),
    "jobs_waiting": ("gauge", "Documents that are being sent or wait for their turn."),
    "in_flight_limit": ("gauge", "Requests that the model's servers get at once now."),
}


class Metrics:
    """The counters. For one event loop."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.sums: Counter[str] = Counter()

    def page(self, page: PageResult) -> None:
        """Count a page that is done."""
        self.counts["pages_total", f'status="{page.status}"'] += 1
        self.sums["tokens_total"] += page.tokens
        self.sums["page_seconds_total"] += page.seconds  # type: ignore[assignment]

    def request(self, status: int) -> None:
        """Count an answer."""
        self.counts["requests_total", f'code="{status}"'] += 1

    def text(self, gauges: Mapping[str, float]) -> str:
        """All counters, and `gauges`, which somebody else knows."""
        return "".join(self._lines(gauges))

    def _lines(self, gauges: Mapping[str, float]) -> Iterable[str]:
        for name, (kind, meaning) in HELP.items():
            full = f"scriptorium_service_{name}"
            yield f"# HELP {full} {meaning}\n# TYPE {full} {kind}\n"
            rows = [(labels, value) for (own, labels), value in self.counts.items() if own == name]
            if name in ("requests_total", "pages_total"):
                yield from (f"{full}{{{labels}}} {value}\n" for labels, value in sorted(rows))
            else:
                yield f"{full} {gauges.get(name, self.sums[name]):g}\n"
