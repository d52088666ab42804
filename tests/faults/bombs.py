"""Files made to hurt whoever opens them: small on disk, without end inside, or built to break a parser."""

import zlib

from ..pages import hostile
from ..pages import test_image_bombs as images
from ..pages.hostile import drawing, one_page, pdf, stream


def zeros(count: int) -> bytes:
    """So many zero bytes (a multiple of a MiB), deflated: one block over and over."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = ((count % 65521) << 16) | 1
    return b"\x78\xda" + block * (count >> 20) + b"\x03\x00" + checksum.to_bytes(4, "big")


def deflate_bomb() -> bytes:
    """A content stream of 4 GB of zeros, deflated twice."""
    data = zlib.compress(zeros(4 << 30), 9)
    return one_page(b"/MediaBox[0 0 100 100]", stream(b"/Filter[/FlateDecode/FlateDecode]", data))


def huge_image(side: int = 60_000) -> bytes:
    """A page that shows one grey picture of side x side pixels."""
    entries = (
        b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode"
        b"/Width %d/Height %d" % (side, side)
    )
    return one_page(
        b"/MediaBox[0 0 100 100]/Resources<</XObject<</I 5 0 R>>>>",
        stream(b"", b"100 0 0 100 0 0 cm /I Do"),
        stream(entries, zeros(64 << 20)),
    )


def deep_tree(depth: int = 20_000) -> bytes:
    """One page below `depth` nested nodes."""
    nodes = [
        b"<</Type/Pages/Kids[%d 0 R]/Count 1%b>>" % (3 + k, b"/Parent %d 0 R" % (1 + k) if k else b"")
        for k in range(depth)
    ]
    page = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 100 100]>>" % (depth + 1)
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", *nodes, page)


def ring() -> bytes:
    """A page tree that contains itself."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 5>>",
        b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 5>>",
    )


def count(claimed: bytes) -> bytes:
    """One page, and a tree that claims another number of them."""
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count %b>>" % claimed,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
    )


def nested_arrays(depth: int = 200_000) -> bytes:
    """An object of arrays within arrays."""
    return pdf(b"<</Type/Catalog/Pages 2 0 R/X " + b"[" * depth + b"]" * depth + b">>", *PLAIN)


PLAIN = (
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
)

LARGE_PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x86\xa0\x00\x01\x86\xa0\x08\x02\x00\x00\x00"
    + zlib.crc32(b"IHDR\x00\x01\x86\xa0\x00\x01\x86\xa0\x08\x02\x00\x00\x00").to_bytes(4, "big")
    + b"\x00\x00\x00\x00IEND\xaeB`\x82"
)
"""A PNG that says it has 100,000 x 100,000 pixels."""

BOMBS = {
    "deflate.pdf": deflate_bomb,
    "huge-image.pdf": huge_image,
    "deep-tree.pdf": deep_tree,
    "ring.pdf": ring,
    "count-ten-digits.pdf": lambda: count(b"9999999999"),
    "count-negative.pdf": lambda: count(b"-7"),
    "wide-200-m.pdf": lambda: drawing(b"0 0 99999 400 re f", b"[0 0 566929 842]"),
    "wide-10-km.pdf": lambda: drawing(b"0 0 9 9 re f", b"[0 0 28346457 842]"),
    "no-area.pdf": lambda: drawing(b"0 0 9 9 re f", b"[0 0 0 0]"),
    "busy.pdf": hostile.busy,
    "bloated.pdf": hostile.bloated,
    "nested-arrays.pdf": nested_arrays,
    "no-pages.pdf": lambda: hostile.EMPTY,
    "empty.pdf": lambda: b"",
    "text.pdf": lambda: b"This is no PDF.\n" * 100,
    "only-a-head.pdf": lambda: b"%PDF-1.7\n",
    "large.png": lambda: LARGE_PNG,
    "cut.png": lambda: LARGE_PNG[:40],
    "comments.png": images.text_bomb,
    "large.gif": images.gif_bomb,
    "large.jpg": images.jpeg_bomb,
    "large.jp2": images.jp2_bomb,
    "large.tif": lambda: images.tiff(images.plain(100_000, 100_000), 1),
    "ring.tif": lambda: images.tiff(images.plain(8, 8), 3, ring=True),
}
"""Name of a file: what makes its bytes."""
