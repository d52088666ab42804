"""One server or several that serve the same model, from what the command line says."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from scriptorium.errors import ConfigError
from scriptorium.serve.adapter import Adapter
from scriptorium.serve.endpoint import Endpoint
from scriptorium.serve.external import external

MOST_IN_FLIGHT = 1600
WEIGHT = re.compile(r"\*([0-9]+(?:\.[0-9]+)?)$")


def is_url(model: str) -> bool:
    """Whether `model` names servers, not weights."""
    return model.startswith(("http://", "https://"))


def named(servers: str) -> list[Endpoint]:
    """The endpoints that `servers` names: URLs with a space between, each `URL[#MODEL][*WEIGHT]`.

    A server is asked for its model if none is named. Raises ConfigError, or ServerError for one that does not
    answer that.
    """
    found = []
    for url in servers.split():
        if not is_url(url):
            raise ConfigError(f"server {url}: not a URL; it starts with http:// or https://")
        weight = WEIGHT.search(url)
        if weight and not float(weight[1]):
            raise ConfigError(f"server {url}: a weight must be above 0; leave the server out instead")
        endpoint = external(url[: weight.start()] if weight else url)
        found.append(replace(endpoint, weight=float(weight[1]) if weight else 1.0))
    return found


def with_models(servers: str) -> str:
    """`servers`, each with the name of its model: those that name none have been asked, and need not be again."""
    weights = [WEIGHT.search(url) for url in servers.split()]
    found = zip(named(servers), weights, strict=True)
    return " ".join(f"{each.base_url}#{each.model}{weight[0] if weight else ''}" for each, weight in found)


def models(endpoints: Iterable[Endpoint]) -> str:
    """The names of the models that answer, each once, in order."""
    return " + ".join(sorted({endpoint.model for endpoint in endpoints}))


@contextlib.contextmanager
def endpoints(
    model: str, adapter: Adapter, threads: int, log: Path, most: int = MOST_IN_FLIGHT
) -> Iterator[list[Endpoint]]:
    """Where `model` is served while the block runs: servers that run already (`named`), or one started here.

    `most`: requests in flight that are never exceeded at a server; one that reads a page at a time gets one.
    """
    if most < 1:
        raise ConfigError(f"in flight: found {most}, must be at least 1")
    if is_url(model):
        yield [up_to(endpoint, most) for endpoint in named(model)]
        return
    # Imported here: who asks a server that runs already need not wait for what starts one.
    from scriptorium.serve.server import serving

    with serving(model, adapter, threads, log) as endpoint:
        yield [endpoint if endpoint.in_flight == 1 else up_to(endpoint, most)]


def up_to(endpoint: Endpoint, most: int) -> Endpoint:
    """The endpoint, with so many requests in flight at most."""
    return replace(endpoint, in_flight=min(endpoint.in_flight, most), most=most)
