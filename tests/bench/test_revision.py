"""A change of the scoring code raises REVISION: else the workflow would let old scores stand."""

import hashlib
import json
from pathlib import Path

from scriptorium.bench.revision import REVISION, scoring_code

GOLDEN = Path(__file__).with_name("revision.json")


def digest() -> str:
    """SHA-256 over the source of the modules that can change a score."""
    code = hashlib.sha256()
    for path in scoring_code():
        code.update(path.name.encode() + b"\n" + path.read_bytes())
    return code.hexdigest()


def test_the_revision_belongs_to_this_code() -> None:
    golden = json.loads(GOLDEN.read_text())
    assert golden == {"revision": REVISION, "sha256": digest()}, (
        "the scoring code has changed: raise REVISION in src/scriptorium/bench/revision.py "
        f"(scores of revision {golden['revision']} are out), then run: python tests/bench/test_revision.py"
    )


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({"revision": REVISION, "sha256": digest()}, indent=2) + "\n")
