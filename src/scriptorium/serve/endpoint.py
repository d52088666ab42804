"""Where a model answers, and with which key."""

import os
from collections.abc import Callable
from dataclasses import dataclass

KEY_VARIABLE = "SCRIPTORIUM_API_KEY"


@dataclass(frozen=True)
class Endpoint:
    """A served model: requests go to `base_url`/chat/completions. `check` raises ServerError if it has died.

    `in_flight`: requests to begin with; `most`: how many they may become as the server keeps up, 0 for no more
    than that. `weight`: share of the requests among several endpoints. `key_variable` names the environment
    variable that holds the key.
    """

    base_url: str
    model: str
    engine: str = "external"
    in_flight: int = 16
    check: Callable[[], None] = lambda: None
    key_variable: str = KEY_VARIABLE
    most: int = 0
    weight: float = 1.0

    @property
    def cap(self) -> int:
        """The number of requests that are never exceeded."""
        return max(self.most, self.in_flight)


def headers(key_variable: str = KEY_VARIABLE) -> dict[str, str]:
    """The request headers: the key in the environment variable `key_variable`, if there is one."""
    key = os.environ.get(key_variable)
    return {"Authorization": f"Bearer {key}"} if key else {}
