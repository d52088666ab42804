"""Names of output files: one for each document, on every file system, whatever the source is called.

A source's folders are kept. What a file system may refuse is replaced by `_`; a part that is too long is cut;
where two sources would get one name, also on a system that does not tell capitals, the later one gets the
first eight digits of its document's hash. No folder has a name that an output file could have.
"""

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

ENDINGS = (".md", ".html", ".txt", ".json")
MOST_BYTES = 232
"""Of one part of a name, without its ending (`_pg1234567890.json` at most): 250 in all. Linux takes 255."""
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"\\|?*\u2028\u2029]')
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)", re.IGNORECASE)
"""Names that Windows gives to devices, with any ending."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")


class Names:
    """Gives out names; keeps a hash of each (16 bytes) so that none is given twice."""

    def __init__(self, corpus: str) -> None:
        self.corpus = corpus
        self.taken: set[bytes] = set()

    def give(self, source: str, member: str, sha256: str) -> str:
        """A new path below the folder of any output format, without an ending."""
        wanted = plain_name(source, member, self.corpus)
        number = 1
        name = wanted
        while (mark := _mark(name)) in self.taken:
            number += 1
            name = _with(wanted, f"-{sha256[:8]}" + (f"-{number}" if number > 2 else ""))
        self.taken.add(mark)
        return name


def plain_name(source: str, member: str, corpus: str) -> str:
    """The path of a source in the outputs, if no other one has it. `.pdf` is left out, other endings stay."""
    parts = [*_parts(_below(source, corpus)), *_parts(member)] or [""]
    last = parts.pop()
    stem = last[:-4] if last.lower().endswith(".pdf") else last
    return "/".join([*map(_folder, parts), _cut(_plain(stem), last)])


def _below(source: str, corpus: str) -> str:
    """The part of a source below the corpus; of a URL what follows its scheme."""
    if SCHEME.match(corpus) and source.startswith(f"{corpus.rstrip('/')}/"):
        return source[len(corpus.rstrip("/")) + 1 :]
    if SCHEME.match(source):
        return SCHEME.sub("", source, count=1)
    path = PurePosixPath(source)
    if corpus and path != PurePosixPath(corpus) and path.is_relative_to(corpus):
        return str(path.relative_to(corpus))
    return source


def _parts(path: str) -> list[str]:
    if DRIVE.match(path):
        path = path.replace("\\", "/")
    return [part for part in path.split("/") if part not in ("", ".", "..")]


def _folder(part: str) -> str:
    name = _plain(part)
    name = re.sub(r"[. ]+$", lambda end: "_" * len(end[0]), name)
    if name.lower().endswith(ENDINGS):
        name += "_"
    return _cut(name, part)


def _plain(part: str) -> str:
    """A part with nothing in it that a file system may refuse. Lone surrogates cannot be written either."""
    name = FORBIDDEN.sub("_", part.encode("utf-8", "replace").decode())
    name = DEVICES.sub(lambda found: f"{found[1]}_{found[2]}", name) if DEVICES.match(name) else name
    return name.lstrip(" ") or "_"


def _cut(name: str, whole: str) -> str:
    """`name` if it is short enough, else its beginning and a hash of the whole."""
    if len(name.encode()) <= MOST_BYTES:
        return name
    return (
        _head(name, MOST_BYTES - 10) + f"-{hashlib.sha256(whole.encode('utf-8', 'replace')).hexdigest()[:8]}_"
    )


def _head(name: str, most: int) -> str:
    return name.encode()[:most].decode("utf-8", "ignore")


def _with(name: str, addition: str) -> str:
    """`name` with something added, still short enough."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + _head(last, MOST_BYTES - len(addition.encode())) + addition


def _mark(name: str) -> bytes:
    """A hash that is the same for names which some file system takes for the same."""
    same = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return hashlib.blake2b(same.encode(), digest_size=16).digest()
