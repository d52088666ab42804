"""PDFs written by hand: small, exact, and some of them hostile."""

import zlib


def pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    out = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        b"%bxref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF"
        % (
            out,
            size,
            table,
            size,
            len(out),
        )
    )


EMPTY = pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>")
"""A sound document without pages."""


def stream(entries: bytes, data: bytes) -> bytes:
    return b"<<%b/Length %d>>\nstream\n%b\nendstream" % (entries, len(data), data)


def one_page(entries: bytes, content: bytes, *more: bytes) -> bytes:
    """A page of these entries; `more` are the objects from number 5 on."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R%b>>" % entries,
        content,
        *more,
    )


def drawing(content: bytes, box: bytes = b"[0 0 224 168]", entries: bytes = b"") -> bytes:
    """A page with plain drawing operators."""
    return one_page(b"/MediaBox%b%b" % (box, entries), stream(b"", content))


def pages(count: int) -> bytes:
    """Page n is 100 + n points wide, 50 high, and says `page n`."""
    kids = b" ".join(b"%d 0 R" % (4 + 2 * k) for k in range(count))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, count),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for k in range(count):
        box = b"[0 0 %d 50]" % (101 + k)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox%b/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>"
            % (box, 5 + 2 * k)
        )
        objects.append(stream(b"", b"BT /F 12 Tf 5 20 Td (page %d) Tj ET" % (k + 1)))
    return pdf(*objects)


def busy() -> bytes:
    """Two kilobytes that draw 10^9 rectangles: forms within forms."""
    depth = 9
    forms = []
    for k in range(depth):
        inner = b"/Resources<</XObject<</F %d 0 R>>>>" % (6 + k) if k < depth - 1 else b""
        content = b"/F Do " * 10 if k < depth - 1 else b"0 0 10 10 re f"
        forms.append(stream(b"/Type/XObject/Subtype/Form/BBox[0 0 100 100]" + inner, content))
    entries = b"/MediaBox[0 0 100 100]/Resources<</XObject<</F 5 0 R>>>>"
    return one_page(entries, stream(b"", b"/F Do " * 10), *forms)


def bloated() -> bytes:
    """A page of 130 MB of operators, every one an object in memory, in 300 kB."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b"0 0 1 1 re f " * 80_000) for _ in range(125)) + packer.flush()
    return one_page(b"/MediaBox[0 0 100 100]", stream(b"/Filter/FlateDecode", data))
