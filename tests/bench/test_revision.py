"""A change of the scoring code raises REVISION: else the workflow would let old scores stand."""

import hashlib
import json
from pathlib import Path

from scriptorium import bench
from scriptorium.bench.revision import REVISION

GOLDEN = Path(__file__).with_name("revision.json")
FOLDER = Path(bench.__file__).parent
NOT_SCORING = {"__init__.py", "commands.py", "read.py", "run_scores.py"}


def digest() -> str:
    """SHA-256 over the source of the modules that can change a score."""
    paths = sorted(path for path in FOLDER.glob("*.py") if path.name not in NOT_SCORING)
    return hashlib.sha256("".join(f"{path.name}\n{path.read_text()}" for path in paths).encode()).hexdigest()


def test_the_revision_belongs_to_this_code() -> None:
    golden = json.loads(GOLDEN.read_text())
    assert golden == {"revision": REVISION, "sha256": digest()}, (
        "the scoring code has changed: raise REVISION in src/scriptorium/bench/revision.py "
        f"(scores of revision {golden['revision']} are out), then run: python tests/bench/test_revision.py"
    )


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({"revision": REVISION, "sha256": digest()}, indent=2) + "\n")
