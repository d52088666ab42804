"""Data sets of the Hugging Face hub: the commit of a revision, its files with their hashes, the files themselves.

The hub's own client does the work (extra `hub`): it reads HF_ENDPOINT and HF_TOKEN, goes on where a download
was cut, and tries again when a connection drops.
"""

import contextlib
import errno
import shutil
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from scriptorium.errors import HostError, InputError, ServerError
from scriptorium.files import sha256_file


class HubFile(NamedTuple):
    """A file of a data set: its path there, its bytes, its SHA-256 (large files) or git's hash (the others)."""

    path: str
    size: int
    sha256: str | None
    blob: str

    def is_same(self, path: Path) -> bool:
        """Whether the local file has this one's bytes."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.sha256:
            return sha256_file(path) == self.sha256
        return (
            sha1(b"blob %d\0" % self.size + path.read_bytes(), usedforsecurity=False).hexdigest() == self.blob
        )


def snapshot(name: str, revision: str, folder: Path) -> None:
    """Fetch the data set `name` at `revision` into `folder`, going on where an earlier try was stopped.

    Raises ServerError when the hub does not give it, HostError when the disk is full or the extra is missing.
    """
    with _explained(name, revision, folder):
        from huggingface_hub import snapshot_download  # wanted here only

        snapshot_download(name, repo_type="dataset", revision=revision, local_dir=folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the hub client's notes for going on


def commit(name: str, revision: str) -> str:
    """The full commit of a data set's branch, tag or shortened commit. Raises as `snapshot`."""
    with _explained(name, revision):
        from huggingface_hub import HfApi

        return str(HfApi().repo_info(name, repo_type="dataset", revision=revision).sha)


def listing(name: str, revision: str) -> list[HubFile]:
    """The files of a data set by path. Raises as `snapshot`, InputError for a path that leaves the folder."""
    with _explained(name, revision):
        from huggingface_hub import HfApi
        from huggingface_hub.hf_api import RepoFile

        tree = list(HfApi().list_repo_tree(name, repo_type="dataset", revision=revision, recursive=True))
    files = [
        HubFile(each.path, each.size, each.lfs.sha256 if each.lfs else None, each.blob_id)
        for each in tree
        if isinstance(each, RepoFile)
    ]
    for file in files:
        if file.path.startswith("/") or ".." in PurePosixPath(file.path).parts:
            raise InputError(
                f"hub:{name}@{revision}: the path {file.path!r} leaves the data set; do not use it"
            )
    return sorted(files)


def fetch_file(name: str, revision: str, file: HubFile, folder: Path) -> Path:
    """Fetch one file to its path below `folder`; its hash is checked. Raises as `snapshot`.

    A file whose bytes are not those that the hub announced is not kept.
    """
    with _explained(name, revision, folder, file.path):
        from huggingface_hub import hf_hub_download
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()  # one bar over all files is shown instead
        got = Path(hf_hub_download(name, file.path, repo_type="dataset", revision=revision, local_dir=folder))
    if not file.is_same(got):
        size = got.stat().st_size
        got.unlink()
        raise ServerError(
            f"hub:{name}@{revision}: {file.path} came with other bytes ({size} of {file.size}) than the hub's own "
            "hash says, and was not kept. Start again; if it stays so, a proxy or a mirror alters the files."
        )
    return got


@contextlib.contextmanager
def _explained(name: str, revision: str, folder: Path | None = None, path: str = "") -> Iterator[None]:
    """Errors of the hub's client said as ours."""
    try:
        from huggingface_hub.errors import HTTPError
    except ImportError as error:
        raise HostError(
            "fetching from the hub needs huggingface_hub; install it: pip install '.[hub]'"
        ) from error
    try:
        yield
    except (OSError, HTTPError, ValueError) as error:  # ValueError: a name, or an answer that is no JSON
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise HostError(f"{folder}: the disk is full; make room and start again") from error
        what = f"{path} of hub:{name}@{revision}" if path else f"hub:{name}@{revision}"
        raise ServerError(
            f"{what} cannot be fetched: {error}\nCheck the name, the revision and the network, set "
            "HF_TOKEN if the data set asks for a login, and start again: what has come is kept. Without a "
            "network, fetch it elsewhere and name its folder."
        ) from error
