"""The child process that opens PDFs, and nothing else: started by scriptorium.pages.pdf, run as a file.

Requests come on standard input, answers go to standard output. A request is a length (4 bytes, big endian)
and a JSON object; an answer is the same, followed by `bytes` raw bytes. It imports nothing of scriptorium,
so that it starts in 50 ms. The limits below are in force before the first PDF library is loaded.
"""

import errno
import importlib.util
import json
import shutil
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

try:
    import resource
except ImportError:  # Windows: whoever started this process watches it
    resource = None  # type: ignore[assignment]

MOST_PAGES = 100_000
"""A document that claims more is taken for damaged or hostile."""
LONGEST = 1e7
"""Points. A page that claims a longer side, over 3 km, would be drawn as a hair."""
FAR = 1e8
"""Points: further out than any page's edge."""
PROGRAMS = ("pdfinfo", "pdftoppm")


def limit(memory: int) -> None:
    """Limit address space (bytes), open files, file size and core dumps of this process for good."""
    if not resource:
        return
    wanted = [(resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 64)]
    if sys.platform == "linux":  # macOS refuses it
        wanted.append((resource.RLIMIT_AS, memory))
    for kind, value in wanted:
        most = resource.getrlimit(kind)[1]  # one that is lower already cannot be raised; -1 is none
        resource.setrlimit(kind, (min(value, most) if most >= 0 else value,) * 2)


def allow_cpu(seconds: int) -> None:
    """Let the kernel kill this process (SIGXCPU) once it has used so many more seconds."""
    if not resource:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(
        resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, resource.RLIM_INFINITY)
    )


def cpu_seconds() -> int:
    """The processor time of one request."""
    return int(sys.argv[2])


def neighbour(name: str) -> Any:
    """A module beside this file: its folder is not on the path, lest its names hide the library's."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


images = neighbour("image_child")
Failure: Any = images.Failure


def image_kind(request: dict[str, Any]) -> str:
    """The kind of the image asked for; nothing if it is none, or images are not wanted."""
    kind = images.kind_of(request["path"]) if request.get("images") else ""
    return kind if kind in images.FORMATS else ""


class Documents:
    """The document that was opened last stays open: its next page costs no second parse."""

    def __init__(self) -> None:
        self.key: tuple[Any, ...] = ()
        self.document: Any = None

    def open(self, path: str, password: str | None, box: str = "crop") -> Any:
        """The open document; one whose media boxes are drawn is not the one for all else. Raises Failure."""
        status = Path(path).stat()
        key = (path, password, box, status.st_mtime_ns, status.st_size, status.st_ino)
        if key == self.key:
            return self.document
        self.forget()
        if self.document is not None:
            self.document.close()
            self.document = None
        self.document = open_document(path, password)
        self.key = key
        return self.document

    def forget(self) -> None:
        """Open the document anew the next time: it has been changed in memory."""
        self.key = ()


def open_document(path: str, password: str | None) -> Any:
    """Open a PDF; an empty user password needs none. Raises Failure."""
    import pypdfium2

    # A document without pages fails without setting the library's last error: make it one we know.
    pypdfium2.raw.FPDF_LoadDocument(b"", None)
    try:
        document = pypdfium2.PdfDocument(path, password=password)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_FILE:
            Path(path).open("rb").close()  # what cannot be opened is not without pages
            raise Failure("no_pages", "the document has no pages") from error
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            wrong = "the password is wrong" if password else "it needs a password"
            raise Failure("encrypted", f"{wrong} to open") from error
        if error.err_code == pypdfium2.raw.FPDF_ERR_SECURITY:
            raise Failure("encrypted", "its kind of encryption is not supported") from error
        raise unreadable(path) from error
    document.init_forms()  # else the fields of a form stay empty
    if len(document) > MOST_PAGES:
        raise Failure("damaged", f"the document claims {len(document)} pages; at most {MOST_PAGES} are read")
    return document


def unreadable(path: str) -> Exception:
    """Why a file that PDFium refuses is refused."""
    with Path(path).open("rb") as file:
        head = file.read(1024)
    if b"%PDF-" in head:
        return Failure("damaged", "the PDF is damaged beyond repair")
    return Failure("not_a_pdf", f"not a PDF: it begins with {head[:8]!r}" if head else "the file is empty")


def load_page(document: Any, number: int) -> Any:
    """Page `number`, counted from 1. Raises Failure."""
    import pypdfium2

    if not 1 <= number <= len(document):
        raise Failure("bad_page", f"no such page; the document has {len(document)}")
    try:
        return document[number - 1]
    except pypdfium2.PdfiumError as error:
        raise Failure("bad_page", "the page is damaged beyond repair") from error


def pages(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Width and height of every page in points, as seen: crop box, rotation applied; zeros if damaged."""
    import pypdfium2

    if kind := image_kind(request):
        return {"kind": kind, "sizes": images.sizes(request["path"], kind)}, b""
    try:
        document = documents.open(request["path"], request["password"])
    except Failure as failure:
        sizes = sizes_by_poppler(request["path"]) if failure.reason == "damaged" and request["images"] else []
        if not sizes:
            raise
        return {"kind": "pdf", "sizes": sizes}, b""
    sizes = []
    for index in range(len(document)):
        try:
            size = document.get_page_size(index)
            if min(size) <= 0:
                page = boxed(documents, document, index + 1, "crop")
                size = page.get_size()
                page.close()
        except pypdfium2.PdfiumError:
            size = (0.0, 0.0)
        sizes.append(size)
    return {"kind": "pdf", "sizes": sizes}, b""


def boxed(documents: Documents, document: Any, number: int, box: str) -> Any:
    """The page, so that its `box` is what is drawn: crop, or media. Raises Failure.

    A crop box that has nothing of the media box in it is none, as every viewer takes it.
    """
    page = load_page(document, number)
    if box == "crop":
        if min(page.get_size()) > 0:
            return page
        documents.forget()
    # The library draws what media and crop box have in common; it does not tell an inherited media box.
    page.set_cropbox(-FAR, -FAR, FAR, FAR)
    page.close()
    return load_page(document, number)


def count(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Of each of several files its kind and its number of pages (or their `sizes`), or why it has none."""
    found = []
    for file in request["files"]:
        header, _ = answer(documents, file | {"operation": "pages", "images": request["images"]})
        if "sizes" in header and not request.get("sizes"):
            header = {"kind": header["kind"], "pages": len(header["sizes"])}
        found.append(header)
    return {"found": found}, b""


def render(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The page drawn on white, RGB, its longest side `side` pixels, or fewer by `max_scale`."""
    import pypdfium2

    if kind := image_kind(request):
        header, raw = images.render(request["path"], kind, request["page"], request["side"])
        return header | {"engine": "pillow", "bare": False}, raw
    if request["engine"] == "poppler":
        return by_poppler(request)
    document = documents.open(request["path"], request["password"], request["box"])
    page = boxed(documents, document, request["page"], request["box"])
    try:
        width, height = pixels(page.get_width(), page.get_height(), request["side"], request["max_scale"])
        bitmap = pypdfium2.PdfBitmap.new_native(
            width, height, pypdfium2.raw.FPDFBitmap_BGR, rev_byteorder=True
        )
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        flags = pypdfium2.raw.FPDF_ANNOT | pypdfium2.raw.FPDF_REVERSE_BYTE_ORDER
        area = (bitmap, page, 0, 0, width, height, 0, flags)
        pypdfium2.raw.FPDF_RenderPageBitmap(*area)
        if page.formenv:
            pypdfium2.raw.FPDF_FFLDraw(page.formenv, *area)
        bare = not pypdfium2.raw.FPDFPage_CountObjects(page) and not pypdfium2.raw.FPDFPage_GetAnnotCount(
            page
        )
        header = {"width": width, "height": height, "engine": "pypdfium2", "bare": bare}
        return header, memoryview(bitmap.buffer)
    finally:
        page.close()


def sizes_by_poppler(path: str) -> list[tuple[float, float]]:
    """The sizes of the pages that poppler finds in a document that PDFium does not open; none without poppler."""
    if not all(map(shutil.which, PROGRAMS)):
        return []
    count, sizes = neighbour("poppler_child").Poppler(cpu_seconds()).sizes(path, 1, MOST_PAGES + 1, "crop")
    found = [(width, height) for width, height, _ in sizes]
    return (found + [(0.0, 0.0)] * count)[:count] if count <= MOST_PAGES else []


def by_poppler(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """As render, by the programs of poppler. Raises Failure."""
    if not all(map(shutil.which, PROGRAMS)):
        raise Failure("damaged", "poppler is not there")
    return neighbour("poppler_child").Poppler(cpu_seconds()).answer(request, pixels, Failure)


def pixels(width: float, height: float, side: int, max_scale: float | None) -> tuple[int, int]:
    """The image's size for a page of `width` x `height` points: longest side `side` pixels.

    It is less where that would be more than `max_scale` pixels a point. Raises Failure if the page has no area.
    """
    longest = max(width, height)
    if not (min(width, height) > 0 and longest < LONGEST):  # not a number fails too
        raise Failure("bad_page", f"the page measures {width:g} x {height:g} points")
    scale = side / longest if max_scale is None else min(side / longest, max_scale)
    return max(1, round(width * scale)), max(1, round(height * scale))


def split(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The page as a PDF of its own."""
    document = documents.open(request["path"], request["password"])
    flatten(documents, document, request["page"])
    return {}, neighbour("copy_child").copied(document, [request["page"] - 1], 0, Failure)


def turned(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The document with every page turned clockwise."""
    document = documents.open(request["path"], request["password"])
    for number in range(1, len(document) + 1):
        flatten(documents, document, number)
    return {}, neighbour("copy_child").copied(
        document, list(range(len(document))), request["degrees"], Failure
    )


def flatten(documents: Documents, document: Any, number: int) -> None:
    """Make the looks of a form's fields part of the page: a form cannot be copied by the page."""
    page = load_page(document, number)
    if document.formenv:
        neighbour("copy_child").flatten(page)
        documents.forget()
    page.close()


def text(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The page's text layer, UTF-8; an image has none."""
    if image_kind(request):
        return {}, b""
    page = load_page(documents.open(request["path"], request["password"]), request["page"])
    try:
        layer = page.get_textpage().get_text_bounded()
    finally:
        page.close()
    return {}, layer.encode("utf-8", "replace")


def words(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The page's words as JSON: [text, left, top, right, bottom], in shares of the page as it is seen."""
    if image_kind(request):
        return {}, b"[]"
    page = load_page(documents.open(request["path"], request["password"]), request["page"])
    try:
        return {}, json.dumps(neighbour("words_child").words(page)).encode()
    finally:
        page.close()


def picture(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The share of the page that its largest picture covers; an image is one picture."""
    if image_kind(request):
        return {"share": 1.0}, b""
    page = load_page(documents.open(request["path"], request["password"]), request["page"])
    try:
        return {"share": neighbour("layer_child").picture(page)}, b""
    finally:
        page.close()


def text_fields(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The number of text fields in the document's form."""
    if image_kind(request):
        return {"fields": 0}, b""
    document = documents.open(request["path"], request["password"])
    return {"fields": neighbour("layer_child").text_fields(document)}, b""


def fonts(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The fonts of the page that are not embedded, as JSON; an image has none."""
    if image_kind(request):
        return {}, b"[]"
    page = load_page(documents.open(request["path"], request["password"]), request["page"])
    try:
        return {}, json.dumps(neighbour("fonts_child").missing(page)).encode()
    finally:
        page.close()


OPERATIONS = {
    "fonts": fonts,
    "count": count,
    "pages": pages,
    "picture": picture,
    "render": render,
    "split": split,
    "text": text,
    "text_fields": text_fields,
    "turned": turned,
    "words": words,
}


def answer(documents: Documents, request: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The answer to a request: a header and raw bytes."""
    try:
        return OPERATIONS[request["operation"]](documents, request)
    except Failure as failure:
        return {"reason": failure.reason, "message": str(failure)}, b""
    except FileNotFoundError:
        return {"reason": "missing", "message": "no such file"}, b""
    except OSError as error:
        reason = "host" if error.errno in (errno.EMFILE, errno.ENFILE) else "missing"
        return {"reason": reason, "message": f"cannot be read: {error.strerror}"}, b""
    except MemoryError:
        return {"reason": "memory", "message": "it needs more memory than the limit"}, b""
    except Exception as error:  # whatever a hostile file can make a library raise costs this file only
        reason = "bad_page" if request.get("page") else "damaged"
        return {"reason": reason, "message": f"{type(error).__name__}: {error}"}, b""


def send(out: BinaryIO, header: dict[str, Any], raw: Any) -> None:
    """Write one answer."""
    head = json.dumps(header | {"bytes": len(raw)}).encode()
    out.write(struct.pack(">I", len(head)) + head)
    out.write(raw)
    out.flush()


def main() -> None:
    """Answer requests until standard input ends. Arguments: memory in bytes, CPU seconds per request."""
    cpu = cpu_seconds()
    limit(int(sys.argv[1]))
    allow_cpu(cpu)
    import pypdfium2

    # a PDF that is written carries no clock time
    pypdfium2.raw.FPDF_SetSandBoxPolicy(pypdfium2.raw.FPDF_POLICY_MACHINETIME_ACCESS, False)
    documents = Documents()
    source, out = sys.stdin.buffer, sys.stdout.buffer
    send(out, {}, b"")  # it is up
    while head := source.read(4):
        request = json.loads(source.read(struct.unpack(">I", head)[0]))
        allow_cpu(cpu)
        send(out, *answer(documents, request))


if __name__ == "__main__":
    main()
