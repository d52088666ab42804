"""After a launch that was killed, make a results folder ready for the next one.

python workflow/scripts/recover.py demo
"""

import argparse
from pathlib import Path

from scriptorium.job import run
from scriptorium.recover import recover


def main() -> None:
    """Lift the lock a killed launch left, wait for its orphans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="the results folder")
    recover(**vars(parser.parse_args()))


if __name__ == "__main__":
    run(main)
