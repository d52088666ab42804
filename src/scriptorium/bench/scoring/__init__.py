"""From verdicts to scores: rows, intervals, comparisons, null candidates, files."""
