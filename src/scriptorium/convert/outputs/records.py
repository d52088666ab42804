"""Files of JSON lines, compressed or not, with the same bytes each time, begun anew when they are full."""

import gzip
import json
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import zstandard

from scriptorium.convert.outputs.choices import Compression

PART_PAGES = 20_000
"""Pages after which a new file is begun, at the end of a document."""
ENDINGS = {"none": ".jsonl", "gz": ".jsonl.gz", "zst": ".jsonl.zst"}


class Lines:
    """Writes `00000.jsonl.gz` and so on into a folder that it makes."""

    def __init__(self, folder: Path, compression: Compression, ascii_only: bool = False) -> None:
        folder.mkdir(parents=True)
        self.folder, self.compression, self.ascii_only = folder, compression, ascii_only
        self.number, self.pages = 0, 0
        self.open()

    def open(self) -> None:
        """Begin the next file."""
        self.path = self.folder / f"{self.number:05d}{ENDINGS[self.compression]}"
        self.raw = self.path.open("wb")
        self.file = compressed(self.raw, self.compression)

    def write(self, record: dict[str, Any], pages: int) -> str:
        """Add one record of so many pages; the name of the file that it is in."""
        if self.pages >= PART_PAGES:
            self.close()
            self.number, self.pages = self.number + 1, 0
            self.open()
        self.file.write(json.dumps(record, ensure_ascii=self.ascii_only).encode() + b"\n")
        self.pages += pages
        return self.path.name

    def close(self) -> None:
        """End the file that is open."""
        if self.file is not self.raw:
            self.file.close()
        self.raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def compressed(raw: BinaryIO, compression: Compression) -> Any:
    """`raw`, or a file that compresses into it. No name and no time in gzip's header."""
    if compression == "gz":
        return gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6)
    if compression == "zst":
        return zstandard.ZstdCompressor(level=10).stream_writer(raw, closefd=False)
    return raw
