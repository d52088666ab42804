"""Write the folder in which a browser shows a converted corpus (one line).

python workflow/scripts/corpus_viewer.py --folder results/corpus/papers --jobs 2
    --out results/corpus/papers/viewer
"""

import argparse
from pathlib import Path

from scriptorium.convert.documents import default_cache
from scriptorium.convert.viewer.runs import open_runs
from scriptorium.convert.viewer.write import write_viewer
from scriptorium.job import run


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--pages", default="worst:500")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    write_viewer(open_runs([args.folder]), args.out, args.pages, jobs=args.jobs, cache=default_cache())


run(main)
