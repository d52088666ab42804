"""What a process needs of its host in which a thousand threads send images: open files, memory given back."""

import ctypes
import sys

M_MMAP_THRESHOLD = -3  # <malloc.h>
M_ARENA_MAX = -8
LARGE = 256 << 10
"""Bytes. Buffers of this size go back to the system as soon as they are freed."""
ARENAS = 2
OWN_FILES = 256
"""Open files besides the connections: segments, documents, pipes to children."""


def allow_connections(most: int) -> None:
    """Raise this process's bound on open files so far that `most` connections fit, if the host lets it."""
    try:
        import resource
    except ImportError:
        return  # Windows has no bound of this kind
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + OWN_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def give_back_images() -> None:
    """Have freed images leave the process. glibc only; elsewhere nothing.

    By itself glibc keeps them, in an arena for each of many threads: with 1,600 requests in flight 300 MB more.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE)
        mallopt(M_ARENA_MAX, ARENAS)
