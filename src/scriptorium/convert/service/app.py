"""The routes of the service."""

import asyncio
import sys
import traceback
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from scriptorium import __version__
from scriptorium.api import Converter, threaded
from scriptorium.convert.service import metrics
from scriptorium.convert.service.answer import Sender, Stalled, answer, steps
from scriptorium.convert.service.guard import Guard, Rules
from scriptorium.convert.service.limits import Limits
from scriptorium.convert.service.openapi import description
from scriptorium.convert.service.problems import Problem, problem_of
from scriptorium.convert.service.refusal import refuse
from scriptorium.convert.service.turns import Ticket, Turns
from scriptorium.convert.service.upload import check_head, received
from scriptorium.convert.service.wishes import Asked, asked_of
from scriptorium.pages import view

STATIC = Path(__file__).with_name("static")
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<rect x="2.5" y="1.5" width="11" height="13" rx="1.5" fill="#fff" stroke="#456"/>'
    '<path d="M5 5h6M5 8h6M5 11h4" stroke="#1d4f91" stroke-width="1.4"/></svg>'
)


async def no_route(_: Request, error: Exception) -> Response:
    """A path that is not here, or a method that is not the path's: JSON, as every error is."""
    assert isinstance(error, HTTPException)
    problem = Problem(error.status_code, "NoRoute", f"{error.detail}; documents go to POST /v1/convert")
    return JSONResponse(problem.body(), error.status_code, error.headers)


class Gone(Exception):
    """The client has gone away."""


class Service:
    """What the routes share."""

    def __init__(self, converter: Converter, limits: Limits) -> None:
        """`converter`: open, and closed by whoever opened it."""
        self.converter, self.limits = converter, limits
        self.engine = converter.engine()
        self.metrics = metrics.Metrics()
        self.turns = Turns(limits)

    def app(self, rules: Rules) -> Starlette:
        """The ASGI app."""
        routes = [
            Route("/", lambda _: FileResponse(STATIC / "index.html", headers={"cache-control": "no-store"})),
            Route("/icon.svg", lambda _: Response(ICON, media_type="image/svg+xml")),
            Route("/health", self.health),
            Route("/metrics", self.told),
            Route("/openapi.json", lambda _: JSONResponse(description(self.limits))),
            Route("/v1/convert", Conversion(self), methods=["POST"]),
            Route("/v1/limits", self.about),
            Mount("/static/view", StaticFiles(directory=view.STATIC)),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=list(rules.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-document-password"],
            expose_headers=["retry-after", "x-page-statuses"],
        )
        guards = [cors] if rules.origins else []
        middleware = [*guards, Middleware(Guard, rules=rules)]
        return Starlette(routes=routes, middleware=middleware, exception_handlers={HTTPException: no_route})

    async def health(self, _: Request) -> Response:
        """Whether it takes documents now, and whether the model's servers answer."""
        lines = self.engine.client.balancer.lines
        well = sum(not line.open for line in lines)
        state = "draining" if self.turns.draining else "ok"
        body = {
            "status": state,
            "version": __version__,
            "servers": len(lines),
            "servers_well": well,
            "running": len(self.turns.running),
            "waiting": len(self.turns.here) - len(self.turns.running),
        }
        return JSONResponse(body, 503 if self.turns.draining else 200, {"cache-control": "no-store"})

    async def about(self, _: Request) -> Response:
        """What the service takes, and with which model it reads."""
        lines = self.engine.client.balancer.lines
        models = sorted({line.endpoint.model for line in lines})
        limits = {"bytes": self.limits.size, "pages": self.limits.pages, "urls": self.limits.urls}
        return JSONResponse(limits | {"models": models, "adapter": self.engine.adapter.name})

    async def told(self, _: Request) -> Response:
        """The counters."""
        gauges = {
            "jobs_running": len(self.turns.running),
            "jobs_waiting": len(self.turns.here) - len(self.turns.running),
            "in_flight_limit": self.engine.client.room,
        }
        return Response(self.metrics.text(gauges), media_type=metrics.KIND)


class Conversion:
    """POST /v1/convert."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a document in, wait for its turn, and answer with its pages."""
        request, sender, counted = (
            Request(scope, receive),
            Sender(send, self.service.limits.stall_seconds),
            self.service.metrics,
        )
        try:
            await self._take(request, receive, sender)
            counted.request(200)
        except (Gone, Stalled, ClientDisconnect):
            counted.sums["gone_total"] += 1
        except Exception as error:
            problem = problem_of(error)
            if problem.status == 500:
                traceback.print_exc(file=sys.stderr)
            counted.request(problem.status)
            if sender.begun:
                raise  # the connection breaks off: the client sees that something is missing
            await refuse(problem, receive, send)

    async def _take(self, request: Request, receive: Receive, sender: Sender) -> None:
        service = self.service
        asked = asked_of(request)
        check_head(request, service.limits)
        client = request.client.host if request.client else ""
        path = service.engine.folder / f"upload-{uuid4().hex}"
        with service.turns.admitted(client) as ticket:
            async with received(request, path, service.limits) as document:
                service.metrics.sums["bytes_total"] += document.stat().st_size
                await watched(receive, self._read(document, asked, ticket, sender))

    async def _read(self, document: Path, asked: Asked, ticket: Ticket, sender: Sender) -> None:
        service = self.service
        given: Any = {"pages": asked.pages, "password": asked.password, "name": asked.name}
        async with (
            service.turns.turn(ticket),
            threaded(
                lambda: service.converter.job(
                    document, ordered=asked.ordered, most=service.limits.pages, **given
                )
            ) as (job, run),
        ):
            deadline = asyncio.get_running_loop().time() + service.limits.job_seconds
            async with asyncio.timeout_at(deadline):
                await run(job.start)
            await answer(job, self._counted(steps(job, run, deadline)), asked, sender)

    async def _counted(self, pages: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for page in pages:
            if page is not None:
                self.service.metrics.page(page)
            yield page


async def watched(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Do the work; if the client goes away meanwhile, stop it and raise Gone."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        task.result()
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.wait({task, gone})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
