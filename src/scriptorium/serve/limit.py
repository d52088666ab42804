"""How many requests a server gets at once: more while it keeps up, fewer as soon as it does not."""

KEEP_AFTER_FAULT = 0.5
KEEP_AFTER_QUEUE = 0.8
SHORT_QUEUE = 2
"""Requests that may wait in the server: a batch is filled from them without a gap."""
USED = 0.5
"""Share of the limit that must be in flight for an answer to raise it; answers may come in bursts."""
QUEUE_SHARE = 0.1
"""Share of the limit that may wait in the server before the limit shrinks."""


class Limit:
    """A number of requests, by additive increase and multiplicative decrease, as TCP finds its window.

    Until the first sign of overload every answer adds one, so the limit doubles with each round of answers;
    after it, every round adds one. It grows only while it is used. Nothing here knows the time:
    a decrease counts once for all requests that had been sent when it happened.
    """

    def __init__(self, start: int, most: int) -> None:
        self.most = most
        self.value = float(min(start, most))
        self.begun = 0
        self._mark = 0
        self._searching = True
        self._queued = False

    @property
    def size(self) -> int:
        """Requests that may be in flight now, at least 1."""
        return max(1, int(self.value))

    def begin(self) -> int:
        """Count a request that is sent; its number."""
        self.begun += 1
        return self.begun

    def answered(self, flying: int) -> None:
        """An answer came while `flying` requests, itself included, were in flight."""
        if flying >= USED * self.size and not self._queued:
            step = 1.0 if self._searching else 1.0 / self.value
            self.value = min(float(self.most), self.value + step)

    def overloaded(self, number: int, keep: float = KEEP_AFTER_FAULT) -> None:
        """Request `number` shows that the server has too much to do: `keep` that share of the limit."""
        if number <= self._mark:
            return
        self._mark = self.begun
        self._searching = False
        self.value = max(1.0, self.value * keep)

    def queue(self, waiting: float) -> None:
        """The server says how many requests wait in it for their turn."""
        self._queued = waiting > SHORT_QUEUE
        if waiting > max(SHORT_QUEUE, QUEUE_SHARE * self.value):
            self.overloaded(self.begun, KEEP_AFTER_QUEUE)
