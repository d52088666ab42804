"""A folder of any number of small PDFs, each different: a corpus whose pages cost next to nothing."""

from pathlib import Path

IN_FOLDER = 1000
"""Files in a folder; there is one for every thousand."""


def pdf(number: int, side: int = 100, pages: int = 1) -> bytes:
    """A whole PDF of so many pages of `side` points, with one line of text, the same on each."""
    text = b"BT /F1 12 Tf 8 50 Td (Page %d) Tj ET" % number
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (b" ".join(b"%d 0 R" % (5 + k) for k in range(pages)), pages),
        b"<</Length %d>>\nstream\n%b\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    objects += pages * [
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 3 0 R" % (side, side)
        + b"/Resources<</Font<</F1 4 0 R>>>>>>"
    ]
    data, places = b"%PDF-1.4\n", []
    for count, each in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (count, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    tail = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(data))
    return data + b"xref\n0 %d\n" % size + b"0000000000 65535 f \n" + table + tail


def make(folder: Path, count: int, first: int = 0, pages: int = 1) -> Path:
    """Write `count` PDFs of so many pages below `folder`, numbered from `first`."""
    for number in range(first, first + count):
        place = folder / f"{number // IN_FOLDER:04d}"
        if number == first or number % IN_FOLDER == 0:
            place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:07d}.pdf").write_bytes(pdf(number, pages=pages))
    return folder
