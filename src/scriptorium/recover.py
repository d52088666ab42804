"""After a launch that was killed: its lock lifted, its orphans waited for, so that the next one can go on."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from scriptorium.errors import HostError
from scriptorium.job import holder

LOCKS = Path(".snakemake/locks")


def recover(results: Path) -> None:
    """Make the workflow in the current folder ready to go on with `results`.

    A lock that no live Snakemake stands behind is lifted; whoever still holds a lease in `results` is named
    and waited for. Raises HostError while another Snakemake works in this folder, or if the lock stays.
    """
    if any(LOCKS.glob("*")):
        alive = live_snakemakes(Path.cwd())
        if alive:
            raise HostError(
                f"{LOCKS}: Snakemake (pid {', '.join(map(str, alive))}) works in this folder; "
                "wait for its end or stop it"
            )
        unlock(results)
    wait_for_leases(results)


def live_snakemakes(folder: Path) -> list[int]:
    """The process ids of the Snakemakes, other than this process, whose working folder is `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if (
                any(Path(word).name == "snakemake" for word in words[:3])
                and Path(process.cwd()) == folder.resolve()
            ):
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue  # gone, or somebody else's: it does not work in our folder
    return sorted(found)


def unlock(results: Path) -> None:
    """Lift the lock that a killed Snakemake left. Raises HostError if Snakemake refuses."""
    print("A launch was killed here; lifting its lock.", file=sys.stderr)
    command = [sys.executable, "-m", "snakemake", "--unlock", "--config", f"results={results}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise HostError(f"{LOCKS}: snakemake --unlock failed: {done.stderr.strip()}")


def leases(results: Path) -> Iterator[Path]:
    """Every lease file in a results folder."""
    yield from sorted(results.glob("leases/*"))
    yield from sorted(results.glob("*/state/lease"))


def wait_for_leases(results: Path) -> None:
    """Wait until nobody holds a lease in `results`, naming each holder once."""
    for path in leases(results):
        named = None
        while (held := holder(path)) is not None:
            if held != named:
                print(
                    f"A job of a killed launch still works: {held} ({path}). Waiting for its end.",
                    file=sys.stderr,
                )
                named = held
            time.sleep(1)
