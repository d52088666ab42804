"""The report of a bench: one folder that opens in a browser without a server or a network."""

from scriptorium.bench.html_report.write import write_report

__all__ = ["write_report"]
