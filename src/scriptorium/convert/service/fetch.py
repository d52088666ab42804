"""A document behind an address, fetched so that nobody reaches what only this host can reach.

The name is looked up here, each address that it has is judged, and the connection goes to the address that was
judged: a name that means something else a moment later changes nothing. Redirects are judged anew. No proxy, no
cookie, no credential of this host is used.
"""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import httpx

from scriptorium.convert.service.limits import Limits
from scriptorium.convert.service.problems import Problem

Address = IPv4Address | IPv6Address
REDIRECTS = 5
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0


def is_public(address: Address) -> bool:
    """Whether an address is of the public internet, also as what it stands for in IPv6's forms of IPv4."""
    if isinstance(address, IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inside is not None:
            return is_public(inside)
        if int(address) >> 32 == 0x64FF9B << 64:  # 64:ff9b::/96, as NAT64 has them
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast


async def fetch(
    url: str, path: Path, limits: Limits, allowed: Callable[[Address], bool] | None = None
) -> None:
    """Write what lies behind `url` to `path`. Raises Problem 400, 403, 413 or 422."""
    allowed = allowed or (is_public if limits.urls == "public" else lambda _: True)
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        for _ in range(REDIRECTS + 1):
            request = await _request(client, url, allowed)
            try:
                response = await client.send(request, stream=True)
                try:
                    if response.has_redirect_location:
                        url = str(httpx.URL(url).join(response.headers["location"]))
                        continue
                    await _save(response, path, limits)
                    return
                finally:
                    await response.aclose()
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise _unreachable(f"{type(error).__name__}: {error}") from error
    raise _unreachable(f"more than {REDIRECTS} redirects")


async def _request(client: httpx.AsyncClient, url: str, allowed: Callable[[Address], bool]) -> httpx.Request:
    """The request to an address of the URL's host that is allowed."""
    try:
        asked = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise Problem(400, "BadUrl", f"url: {error}") from error
    if asked.scheme not in ("http", "https") or not asked.host or asked.userinfo:
        raise Problem(400, "BadUrl", "url: give an http or https address without a user")
    address = await _judged(asked, allowed)
    timeout = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
    return client.build_request(
        "GET",
        asked.copy_with(host=str(address), fragment=None),
        headers={"host": asked.netloc.decode("ascii"), "accept-encoding": "identity"},
        extensions={"sni_hostname": asked.raw_host.decode("ascii"), "timeout": timeout.as_dict()},
    )


async def _judged(asked: httpx.URL, allowed: Callable[[Address], bool]) -> Address:
    loop = asyncio.get_running_loop()
    port = asked.port or (443 if asked.scheme == "https" else 80)
    try:
        found = await loop.getaddrinfo(asked.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _unreachable("its host is not known") from error
    addresses = [ip_address(str(place[0]).partition("%")[0]) for *_, place in found]
    if not addresses or not all(allowed(address) for address in addresses):
        raise Problem(403, "UrlRefused", "url: its host is not on the public internet")
    return addresses[0]


async def _save(response: httpx.Response, path: Path, limits: Limits) -> None:
    if response.status_code != 200:
        raise _unreachable(f"its server answers {response.status_code}")
    size = 0
    with path.open("wb") as file:
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > limits.size:
                raise Problem(413, "TooLarge", f"url: more than {limits.size} bytes")
            file.write(chunk)


def _unreachable(why: str) -> Problem:
    return Problem(422, "Unreachable", f"url: {why}", reason="unreachable")
