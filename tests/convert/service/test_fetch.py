"""Documents behind addresses: from a real server, and never from where only this host can go."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

from scriptorium.convert.service.fetch import Address, fetch, is_public
from scriptorium.convert.service.limits import Limits
from scriptorium.convert.service.problems import Problem

ANY, PUBLIC = Limits(urls="any", size=1000), Limits(urls="public", size=1000)


class Handler(BaseHTTPRequestHandler):
    """A few documents, and redirects."""

    def do_GET(self) -> None:
        answers = {
            "/small": (200, {}, b"a document"),
            "/large": (200, {}, bytes(2000)),
            "/inside": (302, {"location": "http://127.0.0.2:1/secret"}, b""),
            "/moved": (301, {"location": "/small"}, b""),
            "/round": (302, {"location": "/round"}, b""),
            "/scheme": (302, {"location": "file:///etc/passwd"}, b""),
        }
        status, headers, body = answers.get(self.path, (404, {}, b"none"))
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def first_loopback(address: Address) -> bool:
    """One address alone is allowed: what lies beside it stands for the inside of a network."""
    return str(address) in ("127.0.0.1", "::1")


@pytest.mark.parametrize("path", ["/small", "/moved"])
def test_a_document_comes(site: str, tmp_path: Path, path: str) -> None:
    asyncio.run(fetch(site + path, tmp_path / "x", ANY))
    assert (tmp_path / "x").read_bytes() == b"a document"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/large", 413, "more than 1000 bytes"),
        ("/none", 422, "answers 404"),
        ("/round", 422, "redirects"),
        ("/scheme", 400, "http or https"),
        ("/inside", 403, "not on the public internet"),
    ],
)
def test_what_does_not_come(site: str, tmp_path: Path, path: str, status: int, said: str) -> None:
    with pytest.raises(Problem, match=said) as caught:
        asyncio.run(fetch(site + path, tmp_path / "x", ANY, first_loopback))
    assert caught.value.status == status


def test_this_host_is_not_public(site: str, tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        asyncio.run(fetch(site + "/small", tmp_path / "x", PUBLIC))
    assert caught.value.status == 403
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.1.2.3/",
        "http://[fe80::1]/",
    ],
)
def test_other_spellings_of_the_inside(tmp_path: Path, url: str) -> None:
    with pytest.raises(Problem) as caught:
        asyncio.run(fetch(url, tmp_path / "x", PUBLIC))
    assert caught.value.status in (403, 422)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/x", "file:///etc/passwd", "http://", "http://a:b@example.org/", "\0", "x" * 70000],
)
def test_what_is_no_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(Problem) as caught:
        asyncio.run(fetch(url, tmp_path / "x", ANY))
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("fd00::1", False),
        ("ff0e::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("2002:a00:1::", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public
