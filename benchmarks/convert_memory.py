"""Memory of `scriptorium convert` with one document of 10,000 pages: command and children together, at the peak.

    python benchmarks/convert_memory.py --out build/convert-memory [--pages 10000] [--images]

The pages are text, or with --images each a grey picture of 1,700 x 2,200 pixels, as of a scanner. The server
(convert_server.py) answers at once. Exit code 4 if more than 1 GB was taken. Memory is proportional (PSS): what
processes share is counted once.
"""

import argparse
import os
import shutil
import sys
import zlib
from pathlib import Path

from convert_client import OURS, server
from measure import MIB, environment, run, verdict

TARGET = 1e9 / MIB
SCAN = (1700, 2200)


def document(pages: int, images: bool) -> bytes:
    """A PDF; every page has marks of its own."""
    objects: list[bytes] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/MediaBox[0 0 612 792]/Kids[%b]>>"
        % (pages, b" ".join(b"%d 0 R" % (4 + 3 * k) for k in range(pages))),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for k in range(pages):
        lines = b" ".join(b"(page %d, line %d of the text) Tj T*" % (k + 1, line) for line in range(50))
        picture = b"q 612 0 0 792 0 0 cm /I Do Q " if images else b""
        content = picture + b"BT /F 11 Tf 14 TL 60 740 Td " + lines + b" ET"
        objects += [
            b"<</Type/Page/Parent 2 0 R/Contents %d 0 R/Resources<</Font<</F 3 0 R>>/XObject<</I %d 0 R>>>>>>"
            % (5 + 3 * k, 6 + 3 * k),
            stream(b"", content),
            scan(k) if images else b"null",
        ]
    return pdf(objects)


def scan(number: int) -> bytes:
    """A grey picture, darker from page to page."""
    width, height = SCAN
    rows = b"".join(bytes([200 + (row + number) % 50]) * width for row in range(height))
    entries = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode"
    return stream(entries + b"/Width %d/Height %d" % SCAN, zlib.compress(rows, 1))


def stream(entries: bytes, data: bytes) -> bytes:
    """A stream object."""
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(data), data)


def pdf(objects: list[bytes]) -> bytes:
    """The file of these objects, numbered from 1."""
    parts, offsets, place = [b"%PDF-1.7\n"], [], 9
    for number, content in enumerate(objects, 1):
        offsets.append(place)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, content))
        place += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    parts.append(
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Root 1 0 R/Size %d>>\n" % (size, table, size)
    )
    return b"".join(parts) + b"startxref\n%d\n%%%%EOF" % place


def main() -> None:
    """Make the document, convert it, say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--images", action="store_true", help="pages that are pictures")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    source = options.out / "long.pdf"
    source.write_bytes(document(options.pages, options.images))
    print(f"load {os.getloadavg()[0]:.1f}; {source.stat().st_size / 1e6:.1f} MB, {options.pages} pages")
    with server() as url:
        words = [sys.executable, "-c", OURS, "convert", str(source), "--server", f"{url}#olmocr"]
        done = run([*words, "--out", options.out / "converted"], environment(options.out / "cache"))
    print(
        f"{options.pages / done.seconds:.1f} pages/s, {done.processor:.0f} s of the processor, exit code {done.code}"
    )
    met = verdict("memory of all processes at the peak", done.memory / MIB, TARGET, "MiB")
    sys.exit(0 if met and done.code == 0 else 4)


if __name__ == "__main__":
    main()
