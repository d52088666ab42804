"""Model servers that somebody else runs."""

import contextlib

import httpx

from scriptorium.errors import ConfigError, ServerError
from scriptorium.serve.endpoint import KEY_VARIABLE, Endpoint, headers
from scriptorium.serve.pools import Pools


def external(url: str, key_variable: str = KEY_VARIABLE) -> Endpoint:
    """The endpoint of a server somebody else runs.

    Raises ServerError if it does not answer, ConfigError for what is no URL, or if it wants a key.
    """
    base, _, name = url.partition("#")
    base = base.rstrip("/")
    base = base if base.endswith("/v1") else f"{base}/v1"
    try:
        httpx.URL(base)
    except httpx.InvalidURL as error:
        raise ConfigError(
            f"server {url}: {error}; write http://HOST:PORT, with #MODEL or *WEIGHT behind"
        ) from error
    if not name:
        try:
            with contextlib.closing(Pools([Endpoint(base, "")], 30.0)) as pools, pools.one() as http:
                listed = http.get(f"{base}/models", headers=headers(key_variable))
            if listed.status_code in (401, 403):
                raise ConfigError(
                    f"{base}/models: {listed.status_code}; set {key_variable} to the server's key"
                )
            name = listed.raise_for_status().json()["data"][0]["id"]
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise ServerError(
                f"{base}/models: {error!r}; name the model as {base}#NAME, or start the server"
            ) from error
    return Endpoint(base_url=base, model=name, key_variable=key_variable)
