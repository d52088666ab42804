"""Real files of each kind, made here."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw
from pypdf import PdfWriter

RED, BLUE = (200, 20, 20), (20, 20, 200)


def pdf(pages: int = 1, width: int = 200, password: str = "") -> bytes:
    """A PDF of empty pages; another width makes other bytes."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width, 300)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def picture(width: int = 40, height: int = 60, mode: str = "RGB") -> Image.Image:
    """Red above blue: which way is up can be seen."""
    image = Image.new("RGB", (width, height), RED)
    ImageDraw.Draw(image).rectangle((0, height // 2, width, height), BLUE)
    return image.convert(mode)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    """The image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def image_files() -> dict[str, bytes]:
    """One file of each kind of image, by kind; the TIFF has three pages, the GIF two frames."""
    files = {kind: encoded(picture(), kind) for kind in ("png", "jpeg", "bmp")}
    files["webp"] = encoded(picture(), "webp", lossless=True)
    files["tiff"] = encoded(picture(), "tiff", save_all=True, append_images=[picture(50), picture(60)])
    files["gif"] = encoded(picture(), "gif", save_all=True, append_images=[picture().rotate(180)])
    return files


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w") -> bytes:
    """A tar archive; `mode` w, w:gz, w:bz2 or w:xz."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder
