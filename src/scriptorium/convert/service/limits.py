"""What the service takes on, and what it refuses."""

from dataclasses import dataclass
from typing import Literal

Urls = Literal["none", "public", "any"]
"""Addresses that may be named instead of a file that is sent: none, those of the public internet, any."""


@dataclass(frozen=True)
class Limits:
    """Bounds of the service.

    `size`: bytes of a document. `pages`: pages of a request. `at_once`: documents that are read at once.
    `waiting`: more of them that may be sent or wait for their turn. `each`: those of one client among both.
    `upload_seconds`: for the sending of a document; `job_seconds`: from its turn to its last page.
    `drain_seconds`: for what is being read when the service is told to end. `stall_seconds`: that a client may
    take nothing of its answer: it would hold its place for as long as it likes.
    """

    size: int = 100 << 20
    pages: int = 500
    at_once: int = 4
    waiting: int = 16
    each: int = 8
    upload_seconds: float = 300.0
    job_seconds: float = 3600.0
    drain_seconds: float = 60.0
    stall_seconds: float = 60.0
    urls: Urls = "none"
