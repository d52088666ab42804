"""Whose fault an answer, or its absence, is: the line's, the page's, the configuration's or this host's.

What is the line's is raised as Fault and waited out; it never counts as a model's attempt.
"""

import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

import httpx

from scriptorium.errors import SHORT, ConfigError, HostError, InputError, ScriptoriumError
from scriptorium.serve.endpoint import Endpoint

BUSY = {408, 409, 425, 429}
"""And all from 500 up: 520 to 530 are what delivery networks answer while the server behind them does not."""
OVERLOAD = {408, 429, 503, 504, 529}
REFUSED = {400, 413, 422}
"""The page's fault; what is left of 3xx and 4xx is the configuration's: the key, the address, the model."""
LONGEST_PAUSE_SECONDS = 60.0


TOO_LONG = re.compile(
    r"context|maximum model length|too (?:long|large)|longer than|max_(?:new_|completion_)?tokens", re.I
)
"""How servers say that a request is too long for the model."""
LENGTH = re.compile(
    r"(?:context (?:length|size|window)|maximum model length|token limit|tokens` must be)"
    r"(?: is| of|<=| only|\W){0,4}?\s*([0-9]{3,})|n_ctx\W{1,4}([0-9]+)",
    re.I,
)
"""Where they say how many tokens it takes: vLLM, SGLang, TGI and llama.cpp, as they put it."""
PROMPT = re.compile(
    r"([0-9]+) (?:tokens )?in the (?:messages|prompt|input)|([0-9]+) `?input`? ?tokens|([0-9]+) `inputs` tokens|"
    r"([0-9]+) tokens from the input|prompt \(length ([0-9]+)\)|input \(([0-9]+) tokens\)|"
    r"n_prompt_tokens\W{1,4}([0-9]+)",
    re.I,
)
"""Where they say how many tokens the prompt and the image have."""


class RequestRefused(InputError):
    """The server is well but will not answer this request.

    `context`: it was too long for the model, or too large. `room`: tokens that are left for the answer beside
    the prompt and its image, where the server says it; below 1 if these alone do not fit.
    """

    def __init__(self, message: str, context: bool = False, room: int | None = None):
        super().__init__(message)
        self.context, self.room = context, room


class Fault(Exception):
    """A fault of the line or the server.

    `pause`: seconds that the server asks to wait. `own`: the request may have caused it, for it crashed the
    server or has no end. `overload`: the server has too much to do.
    """

    def __init__(self, message: str, pause: float | None = None, own: bool = False, overload: bool = False):
        super().__init__(message)
        self.pause, self.own, self.overload = pause, own, overload


def of_error(error: Exception, endpoint: Endpoint) -> Fault | ScriptoriumError:
    """What an exception of the HTTP library amounts to."""
    causes = list(chain(error))
    for cause in causes:
        if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno in SHORT:
            return HostError(
                f"{cause.strerror} while asking {endpoint.base_url}: lower --in-flight or raise this host's "
                "limit (ulimit -n), then run again; pages that were not read stay pending"
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return ConfigError(
                f"{endpoint.base_url}: its certificate is not trusted: {cause.verify_message}; "
                "name a file with the authority's certificate in SSL_CERT_FILE"
            )
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError):
        return ConfigError(f"{endpoint.base_url}: cannot be asked: {error}; check the URL and the key")
    if isinstance(error, httpx.ProxyError) and "407" in str(error):
        return ConfigError(f"{endpoint.base_url}: the proxy wants a name and a password: {error}")
    own = isinstance(error, httpx.ReadTimeout | httpx.ReadError | httpx.RemoteProtocolError)
    overload = isinstance(error, httpx.ReadTimeout | httpx.PoolTimeout | httpx.WriteTimeout)
    return Fault(f"{type(error).__name__}: {error}", own=own, overload=overload)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and those it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def of_status(status: int, headers: Mapping[str, str], text: str, endpoint: Endpoint) -> Exception:
    """What an answer other than 200 amounts to: a Fault, RequestRefused, or an error that ends the run."""
    fault = f"{status} {text[:500]}"
    if status in BUSY or status < 300 or status >= 500:
        # Of the 5xx that say something else (501, 505, 507) no page is to blame, and the run need not end.
        return Fault(fault, retry_after(headers), own=status == 500, overload=status in OVERLOAD)
    if status in REFUSED:
        return RequestRefused(fault, status == 413 or bool(TOO_LONG.search(text)), room(text))
    target = f" to {headers['location']}" if "location" in headers else ""
    return ConfigError(
        f"{endpoint.base_url}: {fault}{target}; check the URL, the model's name and {endpoint.key_variable}"
    )


def room(text: str) -> int | None:
    """Tokens that a refusal leaves for the answer, if it tells the model's length and the prompt's."""
    length, prompt = LENGTH.search(text), PROMPT.search(text)
    if not length or not prompt:
        return None
    first = [next(int(group) for group in match.groups() if group) for match in (length, prompt)]
    return first[0] - first[1]


def of_body(reply: object, endpoint: Endpoint) -> Exception | None:
    """The error inside a reply whose status is 200, as some servers and proxies send it; None if there is none."""
    if not isinstance(reply, dict) or "choices" in reply:
        return None
    error = reply.get("error")
    if not error and reply.get("object") != "error":
        return None
    inside = error if isinstance(error, dict) else reply
    code = str(inside.get("code", inside.get("status", "")))
    status = int(code) if re.fullmatch("[345][0-9][0-9]", code) else 500
    return of_status(status, {}, json.dumps(reply, ensure_ascii=False), endpoint)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the Retry-After header asks (a number or a date), at most LONGEST_PAUSE_SECONDS."""
    value = headers.get("retry-after", "")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS) or None  # a NaN is no time: max() gives 0
