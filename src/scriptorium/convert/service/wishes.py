"""What a request asks for: its query, checked."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from scriptorium.convert.outputs.options import parse
from scriptorium.convert.ranges import parse_ranges
from scriptorium.convert.service.problems import Problem
from scriptorium.errors import ScriptoriumError, nearest

FORMS = {
    "ndjson": "application/x-ndjson",
    "json": "application/json",
    "markdown": "text/markdown",
    "html": "text/html",
    "text": "text/plain",
}
"""Forms of the answer and their media types; the first for whom asks for none."""
SWITCHES = {"true": True, "1": True, "false": False, "0": False}
OUTPUT = ("join", "marks", "front_matter", "failed")
KNOWN = ("format", "pages", "order", "name", "html", "images", *OUTPUT)
LONGEST_NAME = 200


@dataclass(frozen=True)
class Asked:
    """`form` of the answer; the rest as the reference of the service has it."""

    form: str
    pages: str
    ordered: bool
    name: str
    password: str | None
    html: bool
    images: bool
    output: dict[str, Any]


def asked_of(request: Request) -> Asked:
    """What the request asks for. Raises Problem 400 that names the key."""
    query = dict(request.query_params)
    for key in query:
        if key not in KNOWN:
            raise Problem(400, "BadRequest", f"{key}: no such option; {nearest(key, KNOWN)}")
    output: dict[str, Any] = {key: query[key] for key in OUTPUT if key in query}
    for key in ("join", "front_matter"):
        if key in output:
            output[key] = _switch(query, key)
    try:
        parse_ranges(query.get("pages", ""))
        parse(output, "query")
    except ScriptoriumError as error:
        raise Problem(400, "BadRequest", str(error)) from error
    if query.get("order", "page") not in ("page", "done"):
        raise Problem(400, "BadRequest", f"order: found {query['order']!r}; page or done")
    password = request.headers.get("x-document-password")
    return Asked(
        form=_form(request, query),
        pages=query.get("pages", ""),
        ordered=query.get("order", "page") == "page",
        name=_name(query.get("name", "")),
        password=unquote(password) if password else None,
        html=_switch(query, "html"),
        images=_switch(query, "images"),
        output=output,
    )


def _form(request: Request, query: dict[str, str]) -> str:
    if form := query.get("format"):
        if form not in FORMS:
            raise Problem(400, "BadRequest", f"format: found {form!r}; {', '.join(FORMS)}")
        return form
    accepted = [each.partition(";")[0].strip() for each in request.headers.get("accept", "").split(",")]
    return next((form for kind in accepted for form, media in FORMS.items() if kind == media), "ndjson")


def _switch(query: dict[str, str], key: str) -> bool:
    value = query.get(key, "false").lower()
    if value not in SWITCHES:
        raise Problem(400, "BadRequest", f"{key}: found {value!r}; true or false")
    return SWITCHES[value]


def _name(name: str) -> str:
    """The name of the document in messages and outputs: its last part, printable, of sane length."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable())[:LONGEST_NAME] or "document"
