"""The routes of the review app: JSON for its pages, pictures, and its static files."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from scriptorium.bench import rendered
from scriptorium.bench.review.agreement import agreement
from scriptorium.bench.review.changes import Stale
from scriptorium.bench.review.forms import forms
from scriptorium.bench.review.guard import Guard
from scriptorium.bench.review.overview import Disagreements, pages, place
from scriptorium.bench.review.pictures import Pictures
from scriptorium.bench.review.store import Item, Store
from scriptorium.bench.review.verdicts import Verdicts
from scriptorium.bench.rules import RULES
from scriptorium.bench.tests import TestError, check_test
from scriptorium.errors import HostError, InputError, ScriptoriumError
from scriptorium.pages.pdf import PdfError

STATIC = Path(__file__).with_name("static")

LONGEST_BODY = 4 << 20
"""Bytes of a request; a test is far smaller, evidence for a page's tests as well."""

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<rect x="2.5" y="1.5" width="11" height="13" rx="1.5" fill="#fff" stroke="#456"/>'
    '<path d="M5 8.2l2.2 2.3L11.2 5.6" fill="none" stroke="#2a7a4b" stroke-width="1.8"/></svg>'
)

Body = dict[str, Any]


def make_app(folder: Path, token: str, host: str = "127.0.0.1", name: str = "") -> Starlette:
    """The app for one bench folder. `name`: who edits, where the browser does not say."""
    desk = Desk(folder, name)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        desk.close()

    posts = [Route(f"/api/{path}", _post(do), methods=["POST"]) for path, do in desk.posts().items()]
    gets = [Route(f"/api/{path}", _get(do)) for path, do in desk.gets().items()]
    routes = [
        Route("/", lambda _: FileResponse(STATIC / "index.html", headers={"cache-control": "no-store"})),
        Route("/picture", _get(desk.picture)),
        Route("/icon.svg", lambda _: Response(ICON, media_type="image/svg+xml")),
        Mount("/static", StaticFiles(directory=STATIC)),
        *gets,
        *posts,
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, token=token, host=host)], lifespan=life)


class Desk:
    """What the routes do, for one bench folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.store = Store(folder)
        self.verdicts = Verdicts(self.store.folder)
        self.pictures = Pictures()
        self.disagreements = Disagreements(self.store, self.verdicts)
        self.name = name

    def close(self) -> None:
        """End what runs in the background."""
        self.disagreements.stop()
        self.pictures.close()

    def gets(self) -> dict[str, Callable[[Body], Any]]:
        """What can be asked."""
        return {
            "bench": self.bench,
            "page": self.page,
            "version": lambda _: {"version": self.store.version()},
            "disagreements": lambda _: self.disagreements.rows(),
            "history": self.history,
        }

    def posts(self) -> dict[str, Callable[[Body], Any]]:
        """What can be done."""
        return {
            "judge": self.judge,
            "text": self.text,
            "formula": lambda body: {"html": rendered.rendered(f"$${body['latex']}$$", [])},
            "edit": self.edit,
            "mark": self.mark,
            "add": self.add,
            "delete": self.delete,
            "undo": lambda body: self.step(self.store.undo(self._who(body), body.get("skip") is True)),
            "redo": lambda body: self.step(self.store.redo(self._who(body))),
        }

    def bench(self, asked: Body) -> Body:
        """The folder: pages with counts, categories, candidates (looked for again if `fresh`), forms."""
        version = self.store.version()
        if asked.get("fresh"):
            self.verdicts.refresh()
        return {
            "folder": self.store.folder.name,
            "name": self.name,
            "version": version,
            "categories": self.store.categories(),
            "candidates": self.verdicts.names,
            "rules": list(RULES),
            "forms": forms(),
            "pages": pages(self.store),
        }

    def page(self, asked: Body) -> Body:
        """One page: its tests, words, text layer and candidates' outputs."""
        pdf, page = _place(asked)
        version = self.store.version()
        tests = [shown(item) for item in self.store.all() if place(item) == (pdf, page)]
        texts = [
            {
                "candidate": text.candidate,
                "repeat": text.repeat,
                "state": text.output.state,
                "error": text.output.sidecar.get("error"),
                "length": len(text.output.text or ""),
            }
            for text in (self.verdicts.texts(pdf, page) if pdf else [])
        ]
        return {"version": version, "pdf": pdf, "page": page, "tests": tests, "texts": texts} | self._seen(
            pdf, page
        )

    def _seen(self, pdf: str, page: int) -> Body:
        path = self.store.pdf(pdf) if pdf else None
        if path is None:
            problem = f"{pdf} is not in pdfs/" if pdf else "These lines name no page; mend or delete them."
            return {"words": [], "layer": "", "pages": 0, "problem": problem}
        try:
            return {
                "words": self.pictures.words(path, page),
                "layer": self.pictures.layer(path, page),
                "pages": self.pictures.pages(path),
                "problem": None,
            }
        except PdfError as error:
            problem = str(error).replace(str(path), pdf)
            return {"words": [], "layer": "", "pages": self.pictures.pages(path), "problem": problem}

    def picture(self, asked: Body) -> Response:
        """The page's picture as PNG."""
        pdf, page = _place(asked)
        path = self.store.pdf(pdf)
        if path is None:
            raise InputError(f"{pdf} is not in pdfs/")
        return Response(
            self.pictures.png(path, page), media_type="image/png", headers={"cache-control": "private"}
        )

    def judge(self, body: Body) -> Body:
        """Verdicts on tests, edited or not: of all rule sets on all texts of the page they name.

        `tests`: records; the answer has for each `verdicts`, or `problem` and `field`.
        """
        return {"judged": [self._judged(record) for record in body["tests"]]}

    def _judged(self, record: Any) -> Body:
        try:
            test = check_test(record)
        except TestError as error:
            return {"problem": error.problem, "field": error.field}
        return {"verdicts": self.verdicts.explained(test, self.verdicts.texts(test["pdf"], test["page"]))}

    def text(self, body: Body) -> Body:
        """A candidate's text of a page as HTML that can do no harm, `raw` or not, with evidence marked."""
        pdf, page = _place(body)
        for text in self.verdicts.texts(pdf, page):
            if (text.candidate, text.repeat) == (body["candidate"], body["repeat"]):
                evidence = [
                    (int(start), int(end), str(css), str(name)) for start, end, css, name in body["evidence"]
                ]
                show = rendered.raw if body["raw"] else rendered.rendered
                return {"html": show(text.output.text or "", evidence)}
        raise InputError(f"{body['candidate']} has no such output any more; load the page again")

    def edit(self, body: Body) -> Body:
        """Change a test (`record`), or a line that cannot be read (`line`)."""
        who, category, digest = self._who(body), body["category"], body["digest"]
        if "line" in body:
            return {"test": shown(self.store.edit_line(who, category, digest, body["line"]))}
        return {"test": shown(self.store.edit(who, category, digest, body["record"]))}

    def mark(self, body: Body) -> Body:
        """Verify, reject or uncheck tests, in one step."""
        named = [(category, digest) for category, digest in body["tests"]]
        return {"tests": [shown(item) for item in self.store.mark(self._who(body), named, body["state"])]}

    def add(self, body: Body) -> Body:
        """Add a test."""
        return {"test": shown(self.store.add(self._who(body), body["category"], body["record"]))}

    def delete(self, body: Body) -> Body:
        """Delete a test."""
        self.store.delete(self._who(body), body["category"], body["digest"])
        return {}

    def history(self, asked: Body) -> Body:
        """The latest steps, how many the asking person can undo and redo, and how far people agree."""
        undo, redo = self.store.undoable(asked.get("who", ""))
        steps = self.store.steps()
        return {"undo": len(undo), "redo": len(redo), "steps": steps[-50:], "agreement": agreement(steps)}

    def step(self, step: Body) -> Body:
        """A step that was undone or redone, and the page it was on."""
        return {"action": step["action"], "place": _step_place(step)}

    def _who(self, body: Body) -> str:
        who = body.get("who") or self.name
        if not isinstance(who, str) or not who.strip() or len(who) > 80:
            raise TestError("say who you are first, in at most 80 characters", field="who")
        return who.strip()


def shown(item: Item) -> Body:
    """A test as the browser gets it."""
    return {
        "category": item.category,
        "number": item.number,
        "digest": item.digest,
        "state": item.state,
        "test": item.test,
        "problem": item.problem,
        "line": item.line.encode("utf-8", "replace").decode() if item.test is None else None,
    }


def _step_place(step: Body) -> Body | None:
    for change in step["changes"]:
        try:
            record = json.loads(change["before"] or change["after"])
            return {"pdf": record["pdf"], "page": record["page"]}
        except (ValueError, KeyError, TypeError):  # a line that could not be read as a test
            continue
    return None


def _place(asked: Body) -> tuple[str, int]:
    try:
        return str(asked["pdf"]), int(asked["page"])
    except (KeyError, ValueError, TypeError) as error:
        raise InputError("a page is named by pdf and page") from error


def _get(do: Callable[[Body], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return await _answer(do, dict(request.query_params))

    return endpoint


def _post(do: Callable[[Body], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > LONGEST_BODY:
                return JSONResponse({"problem": "the request is too long", "field": None}, 413)
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            return JSONResponse({"problem": "the request is not a JSON object", "field": None}, 400)
        return await _answer(do, body)

    return endpoint


async def _answer(do: Callable[[Body], Any], body: Body) -> Response:
    """What `do` gives as JSON; what it refuses as a status with the problem and its field."""
    try:
        result = await run_in_threadpool(do, body)
    except ScriptoriumError as error:
        problem = error.problem if isinstance(error, TestError) else str(error)
        field = error.field if isinstance(error, TestError) else None
        return JSONResponse({"problem": problem, "field": field}, _status(error))
    except (KeyError, TypeError, ValueError) as error:
        return JSONResponse({"problem": f"the request cannot be used: {error!r}", "field": None}, 400)
    if isinstance(result, Response):
        return result
    return JSONResponse(result, headers={"cache-control": "no-store"})


def _status(error: ScriptoriumError) -> int:
    if isinstance(error, Stale):
        return 409
    if isinstance(error, TestError):
        return 422
    return 507 if isinstance(error, HostError) else 400
