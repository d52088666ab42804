"""A server process that speaks as much of the hub's protocol as fetching a data set needs, and can misbehave.

Arguments: the folder of the data set's files, and a JSON file of faults that is read at each request:
`cut` {path: bytes after which the connection is closed}, `wrong` [paths served with other bytes],
`gone` [paths that are listed but not there]. It prints its port. Each download is a line in `requests.log`
beside the faults: the path, a tab, the first byte asked for.
"""

import json
import sys
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROOT, FAULTS = Path(sys.argv[1]), Path(sys.argv[2])


def entry(path: Path) -> dict:
    """A file as the hub lists it; PDFs lie in large file storage."""
    data = path.read_bytes()
    blob = sha1(b"blob %d\0" % len(data) + data).hexdigest()
    found = {"type": "file", "path": path.relative_to(ROOT).as_posix(), "size": len(data), "oid": blob}
    if path.suffix == ".pdf":
        found["lfs"] = {"oid": sha256(data).hexdigest(), "size": len(data), "pointerSize": 120}
    return found


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts[:2] == ["api", "datasets"] and parts[4] == "revision":
            known = parts[5] in ("main", COMMIT, COMMIT[:7])
            self.json({"id": "/".join(parts[2:4]), "sha": COMMIT, "siblings": []}, 200 if known else 404)
        elif parts[:2] == ["api", "datasets"] and parts[4] == "tree":
            files = sorted(path for path in ROOT.rglob("*") if path.is_file())
            self.json([entry(path) for path in files], 200)
        else:
            self.file("/".join(parts[5:]), body)

    def json(self, value: object, status: int) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def file(self, name: str, body: bool) -> None:
        faults = json.loads(FAULTS.read_text())
        path = ROOT / name
        if name in faults.get("gone", ()) or not path.is_file():
            return self.json({"error": "Entry not found"}, 404)
        data, about = path.read_bytes(), entry(path)
        if name in faults.get("wrong", ()):
            data = bytes(byte ^ 1 for byte in data)
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{about["oid"]}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Size", str(len(data)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if not body:
            return None
        with FAULTS.with_name("requests.log").open("a") as log:
            log.write(f"{name}\t{start}\n")
        cut = faults.get("cut", {}).get(name)
        if cut is not None and start == 0:
            self.wfile.write(data[:cut])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
            return None
        self.wfile.write(data[start:])
        return None

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: standard error is the test's."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    print(server.server_address[1], flush=True)
    server.serve_forever()
