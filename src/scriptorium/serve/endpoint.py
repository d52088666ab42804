"""Where a model answers, and with which key."""

import os
from collections.abc import Callable
from dataclasses import dataclass

KEY_VARIABLE = "SCRIPTORIUM_API_KEY"


@dataclass(frozen=True)
class Endpoint:
    """A served model: `base_url` ends in /v1. `check` raises ServerError if the server has died."""

    base_url: str
    model: str
    engine: str = "external"
    in_flight: int = 16
    check: Callable[[], None] = lambda: None


def headers() -> dict[str, str]:
    """The request headers: the key of SCRIPTORIUM_API_KEY, if there is one."""
    key = os.environ.get(KEY_VARIABLE)
    return {"Authorization": f"Bearer {key}"} if key else {}
