"""Print the scores in a results folder as a table, and where its report is.

python workflow/scripts/scores.py demo
"""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scriptorium.errors import InputError
from scriptorium.job import run


def main() -> None:
    """One row a run, in the order in which they were measured; one column a rule set, in percent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="the results folder")
    results = parser.parse_args().results
    files = sorted(results.glob("*/bench.json"), key=lambda path: path.stat().st_mtime_ns)
    if not files:
        raise InputError(f"{results}: no */bench.json in it; run the workflow first")
    benches = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    table = Table("run", *benches[0]["scores"], title="Bench scores in percent, with 95 % intervals")
    for bench in benches:
        cells = [
            f"{s['overall']:.1f} [{s['interval'][0]:.1f}, {s['interval'][1]:.1f}]"
            for s in bench["scores"].values()
        ]
        table.add_row(bench["run"], *cells)
    Console().print(table)
    print(f"Report: {results / 'report.html'}")


if __name__ == "__main__":
    run(main)
