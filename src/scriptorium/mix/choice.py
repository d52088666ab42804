"""Which rows of a data set are wanted: languages, flags, how many tarballs."""

from dataclasses import dataclass, field
from typing import Any

from scriptorium.errors import ConfigError
from scriptorium.mix.truths import FIELDS, front, opened
from scriptorium.pages.front_matter import FrontMatterError

FLAGS = ("is_rotation_valid", "is_table", "is_diagram")


@dataclass(frozen=True)
class Choice:
    """What of a split is unpacked; by default all of it.

    `languages`: two letters each, "null" for pages without one. `flags`: one of FLAGS to the value wanted.
    `tarballs`: only the first so many of them, by name. `limit`: only the first so many rows of each tarball.
    """

    languages: tuple[str, ...] = ()
    flags: dict[str, bool] = field(default_factory=dict)
    tarballs: int | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if unknown := [flag for flag in self.flags if flag not in FLAGS]:
            raise ConfigError(f"flag {unknown[0]!r}: must be one of {', '.join(FLAGS)}")

    @property
    def looks(self) -> bool:
        """Whether rows are chosen by what their labels say."""
        return bool(self.languages or self.flags)

    def takes(self, row: dict[str, Any]) -> bool:
        """Whether a row is wanted. One whose labels cannot be read is: it is rejected later, with the reason."""
        if not self.looks:
            return True
        try:
            found = front(opened({name: row.get(name) for name in (*FIELDS, "response", "extras")}))
        except FrontMatterError:
            return True
        spoken = not self.languages or (found.primary_language or "null") in self.languages
        return spoken and all(getattr(found, flag) is value for flag, value in self.flags.items())


def parse_flags(texts: list[str]) -> dict[str, bool]:
    """`is_table` or `no-is_table` as a flag and its value. Raises ConfigError where it is used."""
    return {text.removeprefix("no-"): not text.startswith("no-") for text in texts}
