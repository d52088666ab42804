"""Who may speak to the service, and what its answers say to browsers."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scriptorium.convert.service.problems import Problem
from scriptorium.convert.service.refusal import refuse

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPEN = ("/", "/health", "/openapi.json", "/icon.svg")
"""Paths that need no key, besides /static/: they tell nothing and do nothing."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Rules:
    """`key`: what a client must know, empty for nothing. `hosts`: names that the service may be called by, none
    for any: a page of somebody else's whose name suddenly means this machine is turned away. `origins`: of other
    sites whose pages may ask."""

    key: str = ""
    hosts: Sequence[str] = LOOPBACK
    origins: Sequence[str] = ()


class Guard:
    """Answers those who may not ask, and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def reply(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out.setdefault(name, value)
            await send(message)

        problem = self._refusal(scope["method"], scope["path"], headers)
        if problem:
            await refuse(problem, receive, reply)
        else:
            await self.app(scope, receive, reply)

    def _refusal(self, method: str, path: str, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        if self.rules.hosts and _name(host) not in self.rules.hosts:
            return Problem(403, "Host", f"this service is not called {host!r} (--allow-host)")
        origin = headers.get("origin")
        own = (f"http://{host}", f"https://{host}")
        if method == "POST" and origin is not None and origin not in (*own, *self.rules.origins):
            return Problem(403, "Origin", f"pages of {origin} may not ask here (--cors-origin)")
        guarded = path not in OPEN and not path.startswith("/static/")
        if guarded and self.rules.key and not self._knows(headers):
            return Problem(401, "Key", "send the key of this service as Authorization: Bearer KEY")
        return None

    def _knows(self, headers: Headers) -> bool:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        sent = key.strip().encode("latin-1")  # the bytes as they came
        return scheme.lower() == "bearer" and hmac.compare_digest(sent, self.rules.key.encode())


def _name(host: str) -> str | None:
    """The name in a Host header, without the port; None if there is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
