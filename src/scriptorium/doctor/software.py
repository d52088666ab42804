"""Python, packages, programs and fonts."""

import platform
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from scriptorium.doctor.finding import Finding, State

PYTHON = (3, 11)
USES = {
    "train": "training",
    "quantize": "quantising weights",
    "serve": "serving with transformers",
    "synth": "generated pages",
    "heic": "HEIC images, as phones make them",
    "hub": "fetching models and data",
    "workflow": "the Snakemake workflow",
    "report": "the workflow's report",
    "browser": "comparing formulas with a browser",
}
"""What each extra of the package is for; those without a line (dev) are not for users."""
PROGRAMS = (
    (
        ("pdftoppm",),
        "poppler",
        "a second look at PDFs that the built-in renderer cannot draw",
        "poppler-utils",
    ),
    (
        ("chromium", "chromium-browser", "google-chrome"),
        "chromium",
        "comparing formulas with a browser",
        "chromium",
    ),
    (("tesseract",), "tesseract", "a bench candidate to compare with", "tesseract-ocr"),
)
"""Names of a program, what it belongs to, what would use it, and its Debian package."""
FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
STAND_INS = re.compile(r"(?i)arial|helvetica|liberation|nimbus|arimo|texgyre")
"""Fonts whose letters are as wide as those of the fourteen that PDFs need not carry."""
_NEED = re.compile(r"^([A-Za-z0-9_.\-]+)(?:\[[^\]]*\])?\s*(?:>=([0-9.]+))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")


def look(needed: Sequence[str] = ()) -> Iterator[Finding]:
    """Findings about the software; the extras `needed` are missing where others would only be a warning."""
    yield python()
    yield from packages(metadata.requires("scriptorium") or [], needed)
    yield from programs()
    yield fonts([*map(Path, FONT_FOLDERS), Path.home() / ".fonts", Path.home() / ".local/share/fonts"])


def python() -> Finding:
    """The version of Python, and on what it runs."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info >= PYTHON:
        return Finding("Python", "ok", found)
    return Finding("Python", "missing", found, "install Python 3.11 or later")


def packages(requirements: Sequence[str], needed: Sequence[str]) -> Iterator[Finding]:
    """The package's own requirements: the base, then one finding an extra. `requirements` as in its metadata."""
    groups: dict[str, list[str]] = {"": []}
    for requirement in requirements:
        marker = _EXTRA.search(requirement)
        groups.setdefault(marker[1] if marker else "", []).append(requirement)
    for extra, wanted in groups.items():
        if extra and extra not in USES:
            continue
        lacking = [word for word in map(_lack, wanted) if word]
        name = f"extra {extra}" if extra else "packages"
        if not lacking:
            yield Finding(name, "ok", f"{len(wanted)} packages")
            continue
        use = f" (for {USES[extra]})" if extra else ""
        state: State = "missing" if not extra or extra in needed else "warning"
        mend = f"pip install '.[{extra}]'" if extra else "pip install --upgrade scriptorium"
        yield Finding(name, state, f"lacks {', '.join(lacking)}{use}", mend)


def _lack(requirement: str) -> str:
    """What is wrong with a requirement here, in words; nothing if it is met."""
    match = _NEED.match(requirement)
    assert match is not None
    name, least = match[1], match[2]
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return name
    return f"{name}>={least} (is {version})" if least and _numbers(version) < _numbers(least) else ""


def _numbers(version: str) -> list[int]:
    """The numbers of a version, without the zeros at its end."""
    numbers = [int(part) for part in re.match(r"[0-9.]*", version)[0].split(".") if part]  # type: ignore[index]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers


def programs() -> Iterator[Finding]:
    """Programs that parts of the work would use; none is needed to convert."""
    for names, what, use, package in PROGRAMS:
        found = next(filter(None, map(shutil.which, names)), None)
        if found:
            yield Finding(what, "ok", found)
        else:
            mend = f"apt-get install {package}, or brew install {what}"
            yield Finding(what, "warning", f"not there; only for {use}", mend)


def fonts(folders: Sequence[Path]) -> Finding:
    """Fonts of this machine: they are drawn where a PDF does not carry its own."""
    files = [
        path
        for folder in folders
        if folder.is_dir()
        for path in folder.rglob("*")
        if path.suffix.lower() in (".ttf", ".otf", ".ttc", ".pfb", ".t1")
    ]
    fit = [path for path in files if STAND_INS.search(path.name)]
    found = f"{len(files)} fonts, {len(fit)} of them stand for Helvetica or Arial"
    if fit:
        return Finding("fonts", "ok", found)
    mend = "apt-get install fonts-liberation (fonts-noto-cjk for Chinese, Japanese, Korean)"
    return Finding(
        "fonts", "warning", f"{found}; PDFs without their fonts are drawn with a built-in one", mend
    )
