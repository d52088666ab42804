"""The error of every dialect."""

from scriptorium.errors import InputError


class DialectError(InputError):
    """A text that does not have the shape of the dialect that it was said to be in."""
