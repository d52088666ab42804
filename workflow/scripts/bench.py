"""A command of `scriptorium bench` as a job (one line).

python workflow/scripts/bench.py score R/candidates/bench --candidate marker --json R/candidates/scores/marker.json
"""

import sys

from scriptorium.bench.commands import app
from scriptorium.job import run


def main() -> None:
    """Run the command; typed errors are left to the job."""
    sys.exit(app(standalone_mode=False))


if __name__ == "__main__":
    run(main)
