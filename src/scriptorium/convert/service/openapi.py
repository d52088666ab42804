"""The description of the service for programs, as OpenAPI 3.1 has it."""

from typing import Any

from scriptorium import __version__
from scriptorium.convert.service.limits import Limits
from scriptorium.convert.service.wishes import FORMS
from scriptorium.pages.store import STATUSES

STRING, WHOLE, BOOLEAN = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
PROBLEMS = {
    400: "An option that cannot be used.",
    401: "The key is missing or wrong.",
    403: "Asked from a place, or for an address, that is not allowed.",
    408: "The document did not come in time.",
    413: "Too many bytes, or more pages than may be asked for at once.",
    415: "A form, or an encoded body: send the file itself.",
    422: "A document without a page to read: damaged, encrypted, not a PDF or an image. `reason` says which.",
    429: "No place for it now. Retry-After says when to come back.",
    503: "The model's server is away, the document took too long, or the service is about to end.",
}


def description(limits: Limits) -> dict[str, Any]:
    """The document at /openapi.json."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "scriptorium",
            "version": __version__,
            "summary": "Documents to text, page by page.",
        },
        "paths": {
            "/v1/convert": {"post": _convert(limits)},
            "/v1/limits": {"get": _plain("What is taken, and with which model it is read.")},
            "/health": {"get": _plain("Whether documents are taken; 503 when the service is about to end.")},
            "/metrics": {"get": _plain("Counters in Prometheus' text form.")},
        },
        "components": {
            "schemas": {"Page": _page(), "Error": _error()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _convert(limits: Limits) -> dict[str, Any]:
    body: dict[str, Any] = {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "application/pdf": {"schema": {"type": "string", "format": "binary"}},
    }
    if limits.urls != "none":
        url = {"type": "object", "required": ["url"], "properties": {"url": STRING}}
        body["application/json"] = {"schema": url}
    answers: dict[str, Any] = {media: {"schema": STRING} for media in FORMS.values()}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    refused = {str(status): {"description": text, "content": error} for status, text in PROBLEMS.items()}
    about = (
        "A line of JSON each: `document` first, then a `page` as soon as it is done, at last `end` or `error`; "
        "empty lines mean nothing. Other forms come whole."
    )
    return {
        "summary": "Read a document.",
        "description": f"At most {limits.size} bytes and {limits.pages} pages.",
        "parameters": [_option(*each) for each in OPTIONS]
        + [{"name": "x-document-password", "in": "header", "schema": STRING, "description": "URL-encoded."}],
        "requestBody": {"required": True, "content": body},
        "responses": {"200": {"description": about, "content": answers}, **refused},
    }


OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("format", {"enum": list(FORMS)}, "Form of the answer; without it the Accept header decides."),
    ("pages", STRING, "Ranges such as 1-5,7."),
    ("order", {"enum": ["page", "done"]}, "In page order, or each page as soon as it is done."),
    ("name", STRING, "What messages call the document."),
    ("html", BOOLEAN, "ndjson: the text of each page as sanitised HTML as well."),
    ("images", BOOLEAN, "ndjson: a picture of each page as a data URL as well."),
    ("join", BOOLEAN, "Whole forms: join paragraphs and tables over page breaks."),
    ("marks", {"enum": ["none", "blank", "comment", "number"]}, "markdown: what stands between pages."),
    ("front_matter", BOOLEAN, "markdown: a head with facts about the document."),
    ("failed", {"enum": ["keep", "mark"]}, "Whole forms: whether pages without a text are marked."),
]


def _option(name: str, schema: dict[str, Any], meaning: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": meaning}


def _plain(meaning: str) -> dict[str, Any]:
    return {"summary": meaning, "responses": {"200": {"description": "So it is."}}}


def _page() -> dict[str, Any]:
    properties = {
        "page": WHOLE,
        "status": {"enum": [*STATUSES, "pending"]},
        "text": STRING,
        "front": {"type": ["object", "null"]},
        "reason": STRING,
        "seconds": {"type": "number"},
        "tokens": WHOLE,
        "prompt_tokens": WHOLE,
        "attempts": WHOLE,
        "rotation": WHOLE,
        "signals": {"type": "object"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _error() -> dict[str, Any]:
    fields = {"type": STRING, "message": STRING, "reason": STRING}
    inside = {"type": "object", "properties": fields, "required": ["type", "message"]}
    return {"type": "object", "properties": {"error": inside}, "required": ["error"]}
