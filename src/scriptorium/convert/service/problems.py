"""What the service refuses or cannot do, as a status and JSON."""

from typing import Any

from scriptorium.errors import ConfigError, HostError, InputError, ScriptoriumError, ServerError


class Problem(Exception):
    """An answer other than 200. `kind`: a name for programs; `retry_after`: seconds, where it may help to come back."""

    def __init__(
        self, status: int, kind: str, message: str, *, reason: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.reason, self.retry_after = status, kind, reason, retry_after

    def body(self) -> dict[str, Any]:
        """The JSON that goes with the status; also the last line of a stream that breaks off."""
        more = {"reason": self.reason} if self.reason else {}
        return {"error": {"type": self.kind, "message": str(self), **more}}

    def headers(self) -> dict[str, str]:
        """Headers that go with the status."""
        return {} if self.retry_after is None else {"retry-after": str(self.retry_after)}


RETRY_SECONDS = 30
"""When to come back after the model's server was away or this host was full: nobody knows better."""


def problem_of(error: BaseException) -> Problem:
    """The problem that an error amounts to. One that was not foreseen says nothing of what is inside."""
    from scriptorium.convert.live import DocumentError, TooManyPages
    from scriptorium.serve.share import Stopped

    kind, message = type(error).__name__, str(error)
    if isinstance(error, Problem):
        return error
    if isinstance(error, DocumentError):
        return Problem(422, kind, message, reason=error.reason)
    if isinstance(error, TooManyPages):
        return Problem(413, kind, message)
    if isinstance(error, TimeoutError):
        return Problem(503, "Timeout", "the document took longer than it may here; ask for fewer pages")
    if isinstance(
        error, ServerError | ConfigError | HostError | Stopped
    ):  # ConfigError: of the model's server
        return Problem(503, kind, message, retry_after=RETRY_SECONDS)
    if isinstance(error, InputError):
        return Problem(400, kind, message)
    if isinstance(error, ScriptoriumError):
        return Problem(500, kind, message)
    return Problem(500, "InternalError", "a fault of this service; its log has the details")
