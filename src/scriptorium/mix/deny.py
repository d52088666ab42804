"""Pages that somebody does not want, by id, address, domain or hash, one a line in a file.

# comments and blank lines are passed over
id: mss/1-8              the page, or every page of the document, of this id; * stands for anything
url: https://a.org/x.pdf the document that came from this address
domain: *.example.com    documents from this host; *. takes its parts in as well
sha256: 5f70bf18...      the document with these bytes
s3://bucket/0000/abc.pdf the document of the id `0000/abc`, as olmOCR's lists have it
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scriptorium.errors import ConfigError

KINDS = ("id", "url", "domain", "sha256")


@dataclass
class DenyList:
    """What is not wanted: exact values by kind, and patterns of ids and domains."""

    exact: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in KINDS})
    patterns: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def add(self, kind: str, value: str) -> None:
        """Note that pages of this value are not wanted."""
        value = value if kind in ("id", "url") else value.lower()
        if "*" in value and kind in ("id", "domain"):
            self.patterns[kind].append(value)
        else:
            self.exact[kind].add(value)

    def fault(self, row: dict[str, Any], url: str) -> str:
        """Why a row of `pages.parquet` is not wanted; "" if it may stay. `url`: where it came from, if known."""
        host = (urlsplit(url).hostname or "").lower() if url else ""
        asked = [
            ("id", row["id"]),
            ("id", row["document"]),
            ("url", url),
            ("sha256", row["sha256"]),
            ("domain", host),
        ]
        for kind, value in asked:
            if value and self._has(kind, value):
                return f"{kind} {value}"
        return ""

    def _has(self, kind: str, value: str) -> bool:
        if value in self.exact[kind]:
            return True
        return any(
            fnmatchcase(value, pattern) or (kind == "domain" and pattern == f"*.{value}")
            for pattern in self.patterns[kind]
        )


def read_deny_list(path: Path) -> DenyList:
    """The list of a file. Raises ConfigError for a line that is none of the forms above."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error}); name a file of text, one page a line"
        ) from error
    found = DenyList()
    for number, line in enumerate(lines, 1):
        line = line.partition(" #")[0].strip() if not line.startswith("#") else ""
        kind, _, value = line.partition(":")
        if kind in KINDS and value.strip():
            found.add(kind, value.strip())
        elif line.startswith("s3://") and line.endswith(".pdf"):
            found.add("id", "/".join(line.split("/")[-2:]).removesuffix(".pdf"))
        elif line:
            raise ConfigError(
                f"{path}:{number}: {line!r}; expected {', '.join(f'{each}: …' for each in KINDS)}"
            )
    return found
