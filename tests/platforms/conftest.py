"""The server of the fault suite, for commands that run where something is missing."""

from ..faults.conftest import server

__all__ = ["server"]
