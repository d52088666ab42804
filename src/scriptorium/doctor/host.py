"""GPU, memory, disk, open files, keys and clock."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from scriptorium.doctor.finding import Finding, State
from scriptorium.serve.endpoint import KEY_VARIABLE

GB = 1e9
LEAST_DISK, GOOD_DISK = 1 * GB, 10 * GB
LEAST_FILES = 10_000
"""File entries (inodes): each document may become several files."""
LEAST_MEMORY, GOOD_MEMORY = 1 * GB, 4 * GB
OPEN_FILES = 4096
"""A socket for each request in flight, and the files of the store."""
CLOCK_SECONDS = 5.0
"""Leases count on clocks that differ by less than this."""
KEYS = (
    KEY_VARIABLE,
    "HF_TOKEN",
    "OPENAI_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "GOOGLE_APPLICATION_CREDENTIALS",
)
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_ASKED = "name,memory.total,memory.free,driver_version,compute_cap"


def look(folders: dict[str, Path], gpu_needed: bool) -> Iterator[Finding]:
    """Findings about this machine; `folders` by what they are for, `gpu_needed` if the engine wants a GPU."""
    yield gpu(gpu_needed)
    yield memory()
    yield open_files()
    for use, folder in folders.items():
        yield from disk(use, folder)
    yield keys()


def gpu(needed: bool) -> Finding:
    """NVIDIA's GPUs, as nvidia-smi lists them."""
    state: State = "missing" if needed else "warning"
    mend = "run where a GPU is, or name a running server with --server"
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("GPU", state, "no nvidia-smi: no NVIDIA GPU, or no driver", mend)
    try:
        asked = [program, f"--query-gpu={_ASKED}", "--format=csv,noheader"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("GPU", state, f"nvidia-smi: {error}", "look at the driver: dmesg | grep -i nvrm")
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not lines:
        said = (done.stdout + done.stderr).strip().splitlines()
        return Finding("GPU", state, f"nvidia-smi: {said[0] if said else 'nothing'}", mend)
    return Finding("GPU", "ok", "; ".join(lines))


def memory() -> Finding:
    """Memory that is free for new processes, within the limit of a container or a job."""
    free = float(psutil.virtual_memory().available)
    for limit in map(Path, _CGROUPS):
        if limit.is_file() and (text := limit.read_text().strip()).isdigit():
            free = min(free, float(text))
    found = f"{free / GB:.1f} GB free"
    if free >= GOOD_MEMORY:
        return Finding("memory", "ok", found)
    mend = "end other programs, or ask the scheduler for more"
    state: State = "missing" if free < LEAST_MEMORY else "warning"
    return Finding("memory", state, found, mend)


def open_files() -> Finding:
    """How many files and sockets a process may have open."""
    try:
        import resource
    except ImportError:
        return Finding("open files", "ok", "no limit of this kind")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft in (resource.RLIM_INFINITY, -1) or soft >= OPEN_FILES:
        return Finding("open files", "ok", f"up to {soft}")
    mend = f"ulimit -n {OPEN_FILES if hard in (resource.RLIM_INFINITY, -1) else min(hard, OPEN_FILES)}"
    return Finding("open files", "warning", f"up to {soft}: few for many requests at once", mend)


def disk(use: str, folder: Path) -> Iterator[Finding]:
    """Space, file entries and a real write where `folder` is or would be made, and the clock of its disk."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    what = f"disk for {use}"
    if not place.is_dir():
        yield Finding(what, "missing", f"{place} is a file", "name another folder")
        return
    try:
        skew = write_test(place)
    except OSError as error:
        yield Finding(
            what, "missing", f"{place}: {error.strerror or error}", "name a folder that can be written"
        )
        return
    free = shutil.disk_usage(place).free
    state: State = "missing" if free < LEAST_DISK else "warning" if free < GOOD_DISK else "ok"
    mend = "" if state == "ok" else "free some space, or name another folder"
    yield Finding(what, state, f"{free / GB:.1f} GB free at {place}", mend)
    if hasattr(os, "statvfs"):
        entries = os.statvfs(place)
        if entries.f_files and entries.f_favail < LEAST_FILES:
            yield Finding(
                what, "warning", f"{entries.f_favail} file entries left", "remove small files (df -i)"
            )
    if abs(skew) > CLOCK_SECONDS:
        found = f"the disk's clock is {skew:+.0f} s from this machine's"
        yield Finding(f"clock, {use}", "warning", found, "set both by NTP: workers' leases count on it")


def write_test(folder: Path) -> float:
    """Write, sync, rename and remove a small file; seconds by which its time differs. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=".scriptorium-doctor-", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(b"doctor")
            file.flush()
            os.fsync(file.fileno())
        path = path.replace(path.with_name(path.name + "-moved"))
        return path.stat().st_mtime - time.time()
    finally:
        path.unlink(missing_ok=True)


def keys() -> Finding:
    """Which keys the environment has; never what they are."""
    there = [name for name in KEYS if os.environ.get(name)]
    return Finding("keys", "ok", f"set: {', '.join(there)}" if there else "none set")
