"""The tests of a bench folder as several people edit them: one line at a time, nothing else touched.

The files are the truth: they are read again before every change, so that what another program wrote is seen and
kept. A test is named by its category and the digest of its line; an edit of a line that has changed since is
refused (Stale), never written over.
"""

import json
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scriptorium.bench.review.changes import Change, Stale, apply, digest, find
from scriptorium.bench.review.lines import edited_line, new_line, rewritten
from scriptorium.bench.review.trail import Step, Trail
from scriptorium.bench.tests import Test, TestError, check_test
from scriptorium.errors import HostError, InputError
from scriptorium.files import whole

STATES = ("verified", "rejected")
"""What `checked` may say; anything else counts as unchecked."""

_CATEGORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,100}")


@dataclass(frozen=True)
class Item:
    """A line that holds a test, or fails to (`test` is None and `problem` says why).

    `number` counts from 1; `record` is the object as written, `test` has all fields of its type.
    """

    category: str
    number: int
    line: str
    digest: str
    record: dict[str, Any] | None
    test: Test | None
    problem: str | None

    @property
    def state(self) -> str:
        """`verified`, `rejected` or `unchecked`."""
        checked = (self.record or {}).get("checked")
        return checked if checked in STATES else "unchecked"


def read_item(category: str, number: int, line: str) -> Item:
    """The test that line `number` of a category holds."""
    record, test, problem = None, None, None
    try:
        line.encode()
        record = json.loads(line)
        json.dumps(record, ensure_ascii=False).encode()
        test = check_test(record)
    except UnicodeEncodeError:
        problem = "is not UTF-8, or holds half a character (\\ud800 to \\udfff by itself)"
    except (ValueError, RecursionError) as error:
        problem = str(error) if isinstance(error, TestError) else f"is not JSON: {error}"
    return Item(
        category, number, line, digest(line), record if isinstance(record, dict) else None, test, problem
    )


class Store:
    """The categories of a bench folder, with edits, undo and an audit trail beside the folder."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.folder = folder.resolve()
        if not self.folder.is_dir():
            raise InputError(f"{folder}: no such folder; name a bench folder (*.jsonl, pdfs/, candidates)")
        self.trail = Trail(self.folder)
        self._now = now
        self._read: dict[str, tuple[bytes, list[Item]]] = {}
        with self.trail.locked():
            self._recover()

    def categories(self) -> list[str]:
        """The names of the categories, sorted: every *.jsonl at the folder's top."""
        return sorted(
            path.stem
            for path in self.folder.glob("*.jsonl")
            if path.is_file() and not path.name.startswith(".")
        )

    def items(self, category: str) -> list[Item]:
        """The tests of one category as its file holds them now, blank lines left out."""
        content = self._content(category)
        known = self._read.get(category)
        if known is None or known[0] != content:
            lines = _lines(content)
            items = [read_item(category, at, line) for at, line in enumerate(lines, 1) if line.strip()]
            self._read[category] = known = (content, items)
        return known[1]

    def all(self) -> list[Item]:
        """The tests of all categories, in the order of the files."""
        return [item for category in self.categories() for item in self.items(category)]

    def version(self) -> str:
        """Changes whenever a category's file does, by whomever."""
        found = []
        for category in self.categories():
            status = self._path(category).stat()
            found.append(f"{category}:{status.st_mtime_ns}:{status.st_size}:{status.st_ino}")
        return digest("\n".join(found))

    def edit(self, who: str, category: str, named: str, record: dict[str, Any]) -> Item:
        """Make the test what `record` says; only members that differ are rewritten in its line.

        Raises TestError with the field that is wrong, Stale if the test has changed since.
        """

        def plan() -> list[Change]:
            item = self._item(category, named)
            checked = self._checked(record, item)
            return [self._replace(item, edited_line(item.line, item.record, checked))]

        return self._done("edit", who, plan)[0]

    def edit_line(self, who: str, category: str, named: str, line: str) -> Item:
        """Replace a whole line, a broken one say, by the JSON text `line`. Raises like `edit`."""

        def plan() -> list[Change]:
            item = self._item(category, named)
            text = line.strip()
            try:
                record = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise TestError(f"is not JSON: {error}") from error
            if "\n" in text:
                text = json.dumps(record, ensure_ascii=False)
            self._checked(record, item)
            return [self._replace(item, text + item.line[len(item.line.rstrip()) :])]

        return self._done("edit", who, plan)[0]

    def mark(self, who: str, named: Iterable[tuple[str, str]], state: str | None) -> list[Item]:
        """Set `checked` of the tests (category, digest) in one step: verified, rejected, or None.

        Who says again what a test's state is already, agrees: the trail has it, the file stays.
        """
        if state is not None and state not in STATES:
            raise TestError(f"must be one of {', '.join(STATES)} or null, found {state!r}", field="checked")
        action = {"verified": "approve", "rejected": "reject", None: "uncheck"}[state]

        def plan() -> list[Change]:
            changes = []
            for category, name in named:
                item = self._item(category, name)
                if item.record is None:
                    raise TestError(f"{category}.jsonl:{item.number}: mend this line before it is {action}ed")
                if item.record.get("checked") != state:
                    put, drop = ({"checked": state}, set()) if state else ({}, {"checked"})
                    changes.append(self._replace(item, rewritten(item.line, put, drop)))
                elif state:
                    changes.append(self._replace(item, item.line))
            return changes

        return self._done(action, who, plan)

    def add(self, who: str, category: str, record: dict[str, Any]) -> Item:
        """Add a test below those of its page, else at the end. A new category makes a new file."""
        if category not in self.categories() and not _CATEGORY.fullmatch(category):
            raise TestError(
                f"{category!r} cannot be a file's name; use letters, digits, - and _", field="category"
            )

        def plan() -> list[Change]:
            checked = self._checked(record, None)
            lines = _lines(self._content(category)) if self._path(category).exists() else []
            end = "\r" if lines and lines[0].endswith("\r") else ""
            line = new_line(checked) + end
            at = self._below(category, checked, lines) if lines else 0
            anchor = digest(lines[at - 1]) if at else None
            return [Change(category, None, line, at, anchor, len(lines))]

        return self._done("add", who, plan)[0]

    def delete(self, who: str, category: str, named: str) -> None:
        """Take a test's line out."""
        self._done("delete", who, lambda: [self._replace(self._item(category, named), None)])

    def undo(self, who: str, skip: bool = False) -> Step:
        """Take back the last step of `who`; or `skip` it, where others have changed its tests since.

        Returns the step. Raises InputError if there is none, Stale if it cannot be taken back.
        """
        with self.trail.locked():
            self._recover()
            steps, _ = self.trail.undoable(who)
            if not steps:
                raise InputError("there is nothing to undo")
            last = steps[-1]
            changes = [] if skip else [change.inverse() for change in reversed(_changes(last))]
            self._carry_out("skip" if skip else "undo", who, changes, last["step"])
            return last

    def redo(self, who: str) -> Step:
        """Do again what `who` has taken back last. Raises like `undo`."""
        with self.trail.locked():
            self._recover()
            _, steps = self.trail.undoable(who)
            if not steps:
                raise InputError("there is nothing to redo")
            self._carry_out("redo", who, _changes(steps[-1]), steps[-1]["step"])
            return steps[-1]

    def steps(self) -> list[Step]:
        """Every step of the audit trail."""
        return self.trail.steps()

    def undoable(self, who: str) -> tuple[list[Step], list[Step]]:
        """The steps that `who` can undo and redo, the next one last."""
        with self.trail.locked():
            return self.trail.undoable(who)

    def _done(self, action: str, who: str, plan: Callable[[], list[Change]]) -> list[Item]:
        """Plan changes on the files as they are now, carry them out, and give the tests they made."""
        if not who.strip():
            raise InputError("say who you are first")
        with self.trail.locked():
            self._recover()
            changes = [change for change in plan() if action != "edit" or change.before != change.after]
            if changes:
                self._carry_out(action, who, changes)
            wanted = [(change.category, change.after) for change in changes if change.after is not None]
            return [self._item(category, digest(line)) for category, line in wanted]

    def _carry_out(self, action: str, who: str, changes: list[Change], of: int | None = None) -> None:
        """Journal, files, trail. Raises Stale, with nothing written, if one of the changes does not apply."""
        contents = self._after(changes)
        steps = self.trail.steps()
        step: Step = {
            "step": steps[-1]["step"] + 1 if steps else 1,
            "when": self._now().isoformat(timespec="seconds"),
            "who": who,
            "action": action,
            **({} if of is None else {"of": of}),
            "changes": [change.to_json() for change in changes],
        }
        self.trail.begin(step, {name: _mark(text) for name, text in contents.items()})
        self._write(contents)
        self.trail.commit(step)

    def _recover(self) -> None:
        """Finish the step that a killed process had begun; lines changed since by others stay as they are."""
        unfinished = self.trail.unfinished()
        if unfinished is None:
            return
        step, done = unfinished
        for change in _changes(step):
            if _mark(self._text(change.category)) == done.get(change.category):
                continue
            there = {item.line for item in self.items(change.category)} if self._has(change) else set()
            if change.after is None or change.after not in there:
                try:
                    self._write(self._after([change]))
                except Stale:  # done before the kill, or undone by another program: the files are the truth
                    continue
        self.trail.commit(step)

    def _has(self, change: Change) -> bool:
        return self._path(change.category).exists()

    def _text(self, category: str) -> str | None:
        return "\n".join(_lines(self._content(category))) if self._path(category).exists() else None

    def _after(self, changes: list[Change]) -> dict[str, str | None]:
        """The contents of the files after `changes`; None for a file that is to go."""
        contents: dict[str, list[str] | None] = {}
        for change in changes:
            name = change.category
            if name not in contents:
                contents[name] = _lines(self._content(name)) if self._has(change) else [""]
            lines = apply(contents[name] or [""], change)
            contents[name] = None if change.lines == 0 and change.after is None and lines == [""] else lines
        return {name: None if lines is None else "\n".join(lines) for name, lines in contents.items()}

    def _write(self, contents: dict[str, str | None]) -> None:
        for category, text in contents.items():
            path = self._path(category)
            try:
                if text is None:
                    path.unlink(missing_ok=True)
                    continue
                if path.exists() and path.read_bytes() == text.encode("utf-8", "surrogateescape"):
                    continue
                mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
                with whole(path.resolve()) as part:
                    part.write_bytes(text.encode("utf-8", "surrogateescape"))
                    if mode is not None:
                        part.chmod(mode)
            except OSError as error:
                raise HostError(f"{path}: cannot be written: {error.strerror}") from error

    def _path(self, category: str) -> Path:
        return self.folder / f"{category}.jsonl"

    def _content(self, category: str) -> bytes:
        try:
            return self._path(category).read_bytes()
        except OSError as error:
            raise Stale(f"{category}.jsonl: cannot be read any more: {error.strerror}") from error

    def _item(self, category: str, named: str) -> Item:
        if category not in self.categories():
            raise Stale(f"{category}.jsonl: there is no such category any more")
        items = self.items(category)
        return items[find([item.line for item in items], named, 0)]

    def _replace(self, item: Item, line: str | None) -> Change:
        lines = _lines(self._content(item.category))
        at = item.number - 1
        return Change(item.category, item.line, line, at, digest(lines[at - 1]) if at else None, len(lines))

    def _below(self, category: str, test: Test, lines: list[str]) -> int:
        """The line number below the last test of the same page, else below the last line with text."""
        same = [
            item.number
            for item in self.items(category)
            if item.record
            and (item.record.get("pdf"), item.record.get("page")) == (test["pdf"], test["page"])
        ]
        full = [at for at, line in enumerate(lines, 1) if line.strip()]
        return max(same or full or [0])

    def _checked(self, record: dict[str, Any], item: Item | None) -> Test:
        """The test that `record` makes, its id and PDF looked at as well. Raises TestError."""
        test = check_test(record)
        for other in self.all():
            own = item is not None and (other.category, other.number) == (item.category, item.number)
            if not own and other.record and other.record.get("id") == test["id"]:
                raise TestError(
                    f"{test['id']!r} is used by {other.category}.jsonl:{other.number}", field="id"
                )
        before = (item.record or {}).get("pdf") if item else None
        if test["pdf"] != before and not self.pdf(test["pdf"]):
            raise TestError(f"there is no such file in {self.folder.name}/pdfs", field="pdf")
        return test

    def pdf(self, name: str) -> Path | None:
        """The path of a PDF named by a test; None if it is missing or would lie outside pdfs/."""
        base = self.folder / "pdfs"
        path = base / name
        if "\0" in name or ".." in Path(name).parts or Path(name).is_absolute() or not path.is_file():
            return None
        return path


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "surrogateescape").split("\n")


def _mark(text: str | None) -> str | None:
    """What a file's whole content is known by; None for a file that is not there."""
    return None if text is None else digest(text)


def _changes(step: Step) -> list[Change]:
    return [Change(**change) for change in step["changes"]]
